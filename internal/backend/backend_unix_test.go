//go:build unix && !solaris && !aix

package backend_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/standin-go/standin/internal/backend"
)

// program is a server as a shell script: it says "ready" and its number.
const program = `echo "ready $$"; exec sleep 1000`

// newSpec returns the spec of a server in a root of its own, and counts the
// starts.
func newSpec(t *testing.T, script string) (spec backend.Spec, starts *atomic.Int32) {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir()) // of the locks
	root := t.TempDir()
	t.Cleanup(func() { wantEmpty(t, root) })
	starts = new(atomic.Int32)
	return backend.Spec{
		Kind: "program", Key: "a key", Stop: "TERM", Roots: []string{root},
		Command: func() ([]string, error) {
			starts.Add(1)
			return []string{"/bin/sh", "-c", script}, nil
		},
		Prepare: func(_ context.Context, dir string) error {
			return os.WriteFile(filepath.Join(dir, "prepared"), nil, 0o600)
		},
		Ready: func(ctx context.Context, dir string, gone func() bool) ([]byte, error) {
			tick := time.NewTicker(time.Millisecond)
			defer tick.Stop()
			for {
				log, err := os.ReadFile(filepath.Join(dir, "log"))
				if err == nil && strings.HasSuffix(string(log), "\n") {
					return log, nil
				}
				if gone() {
					return nil, errors.New("it ended")
				}
				select {
				case <-ctx.Done():
					return nil, context.Cause(ctx)
				case <-tick.C:
				}
			}
		},
	}, starts
}

// wantEmpty waits until nothing is left in a folder.
func wantEmpty(t *testing.T, dir string) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		left, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			return
		}
		select {
		case <-deadline:
			t.Errorf("there is still %q", left)
			return
		case <-tick.C:
		}
	}
}

func open(t *testing.T, spec backend.Spec) *backend.Server {
	t.Helper()
	s, err := backend.Open(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), s.Close()); err != nil {
			t.Errorf("closed twice: %v", err)
		}
	})
	return s
}

func TestThoseWhoOpenAtOnceShareAServer(t *testing.T) {
	spec, starts := newSpec(t, program)
	servers := make([]*backend.Server, 8)
	var wg sync.WaitGroup
	for i := range servers {
		wg.Go(func() {
			var err error
			if servers[i], err = backend.Open(t.Context(), spec); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	started := 0
	for _, s := range servers {
		if s.Dir() != servers[0].Dir() || string(s.Info()) != string(servers[0].Info()) || s.Gone() {
			t.Errorf("one has %s, which says %q; another %s, %q (gone: %t)", s.Dir(), s.Info(), servers[0].Dir(), servers[0].Info(), s.Gone())
		}
		if s.Started() {
			started++
		}
		defer s.Close()
	}
	if started != 1 || starts.Load() != 1 {
		t.Errorf("%d say that they started the server, and it was started %d times; want one", started, starts.Load())
	}
	if _, err := os.Stat(filepath.Join(servers[0].Dir(), "prepared")); err != nil {
		t.Errorf("the folder was not prepared: %v", err)
	}
}

func TestWhatSetsServersApart(t *testing.T) {
	spec, starts := newSpec(t, program)
	first := open(t, spec)
	dirs := []string{first.Dir()}
	for _, change := range []func(*backend.Spec){
		func(s *backend.Spec) { s.Key = "another key" },
		func(s *backend.Spec) { s.Kind = "another" },
		func(s *backend.Spec) { s.Alone = true },
		func(s *backend.Spec) { s.Alone, s.Keep = true, time.Hour }, // which is for those who can be joined
	} {
		other := spec
		change(&other)
		s := open(t, other)
		if !s.Started() || slices.Contains(dirs, s.Dir()) {
			t.Errorf("%+v: it joined %s", other, s.Dir())
		}
		dirs = append(dirs, s.Dir())
	}
	if again := open(t, spec); again.Dir() != first.Dir() || again.Started() {
		t.Errorf("the same spec has %s, want %s", again.Dir(), first.Dir())
	}
	first.Retire()
	if !first.Gone() {
		t.Error("a server that was retired is not gone")
	}
	if next := open(t, spec); next.Dir() == first.Dir() {
		t.Error("a server that was retired was joined")
	}
	if n := int(starts.Load()); n != len(dirs)+1 {
		t.Errorf("%d starts, want %d", n, len(dirs)+1)
	}
}

func TestWhereAServerLives(t *testing.T) {
	spec, _ := newSpec(t, program)
	root := spec.Roots[0]
	spec.Room = 1
	spec.Roots = []string{filepath.Join(root, "missing"), root}
	if s := open(t, spec); !strings.HasPrefix(s.Dir(), root+"/standin-program-") {
		t.Errorf("the server lives in %s, want below %s, the first folder that exists", s.Dir(), root)
	}
	spec.Key, spec.Room = "hungry", 1<<62
	_, err := backend.Open(t.Context(), spec)
	for _, want := range []string{filepath.Join(root, "missing"), root + " has ", "MB free", "a server wants 4398046511104 MB", backend.RootVariable} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without room: error %v; want one that says %q", err, want)
		}
	}
	t.Setenv(backend.RootVariable, root)
	if roots := backend.Roots(); !slices.Equal(roots, []string{root}) {
		t.Errorf("the roots are %q, want the one that %s names", roots, backend.RootVariable)
	}
	t.Setenv(backend.RootVariable, "")
	if roots := backend.Roots(); !slices.Contains(roots, os.TempDir()) {
		t.Errorf("the roots are %q, want the folder of temporary files among them", roots)
	}
}

// In a folder that all share, somebody else may have taken the name.
func TestSomebodyElsesFolder(t *testing.T) {
	cases := []struct {
		name string
		make func(path string) error
		says string
	}{
		{"open to others", func(path string) error { return errors.Join(os.Mkdir(path, 0o700), os.Chmod(path, 0o777)) }, "is open to others"},
		{"a link", func(path string) error { return os.Symlink(filepath.Dir(path), path) }, "is not a folder"},
		{"a file", func(path string) error { return os.WriteFile(path, nil, 0o600) }, "not a"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			spec, starts := newSpec(t, program)
			s, err := backend.Open(t.Context(), spec)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Dir(s.Dir())
			s.Close()
			wantEmpty(t, spec.Roots[0])
			if err := c.make(path); err != nil {
				t.Fatal(err)
			}
			defer os.Remove(path)
			_, err = backend.Open(t.Context(), spec)
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v; want one that names %s and says %q", err, path, c.says)
			}
			if n := starts.Load(); n != 1 {
				t.Errorf("%d starts, want none but the first", n-1)
			}
		})
	}
}

// What cannot be started is told with its last words, leaves nothing and stands
// in nobody's way.
func TestAServerThatDoesNotStart(t *testing.T) {
	broken := errors.New("broken")
	cases := []struct {
		name   string
		script string
		change func(*backend.Spec)
		says   string
		is     error
	}{
		{"it ends", `echo "no paper" >&2; exit 3`, func(s *backend.Spec) { s.Ready = untilGone }, "what it printed:\n\tno paper", nil},
		{"its folder cannot be prepared", program, func(s *backend.Spec) {
			s.Prepare = func(context.Context, string) error { return broken }
		}, "start /bin/sh -c", broken},
		{"there is no program", program, func(s *backend.Spec) {
			s.Command = func() ([]string, error) { return nil, broken }
		}, "", broken},
		{"it is never ready", program, func(s *backend.Spec) {
			s.Ready = func(ctx context.Context, _ string, _ func() bool) ([]byte, error) {
				<-ctx.Done()
				return nil, context.Cause(ctx)
			}
		}, "start /bin/sh -c", context.DeadlineExceeded},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			good, _ := newSpec(t, program)
			spec, _ := newSpec(t, c.script)
			spec.Roots = good.Roots
			c.change(&spec)
			patience := 10 * time.Second
			if c.is == context.DeadlineExceeded {
				patience = 100 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			_, err := backend.Open(ctx, spec)
			if err == nil || !strings.Contains(err.Error(), c.says) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("error %v; want one that says %q and is %v", err, c.says, c.is)
			}
			wantEmpty(t, spec.Roots[0])
			open(t, good)
		})
	}
}

func untilGone(ctx context.Context, _ string, gone func() bool) ([]byte, error) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !gone() && ctx.Err() == nil {
		<-tick.C
	}
	return nil, errors.New("it ended")
}

func TestTheLogOfAServer(t *testing.T) {
	spec, _ := newSpec(t, `echo "first line"; exec sleep 1000`)
	s := open(t, spec)
	if got, want := s.LogSize(), int64(len("first line\n")); got != want {
		t.Errorf("the log has %d bytes, want %d", got, want)
	}
	for _, c := range []struct {
		from, max int64
		want      string
	}{{0, 100, "first line\n"}, {6, 100, "line\n"}, {0, 5, "line\n"}, {11, 100, ""}} {
		if got, err := s.Log(c.from, c.max); err != nil || got != c.want {
			t.Errorf("Log(%d, %d) is %q, error %v; want %q", c.from, c.max, got, err, c.want)
		}
	}
}

func TestKeep(t *testing.T) {
	cases := []struct {
		text string
		want time.Duration
		ok   bool
	}{
		{"", time.Second, true},
		{"0s", 0, true},
		{"10m", 10 * time.Minute, true},
		{"1h30m", 90 * time.Minute, true},
		{"10", 0, false},
		{"-1s", 0, false},
		{"a while", 0, false},
	}
	for _, c := range cases {
		t.Setenv(backend.KeepVariable, c.text)
		got, err := backend.Keep()
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("%s=%s: %v, error %v; want %v, ok %t", backend.KeepVariable, c.text, got, err, c.want, c.ok)
		}
		if err != nil && !strings.Contains(err.Error(), backend.KeepVariable+"="+c.text) {
			t.Errorf("the error %v does not say where %q is from", err, c.text)
		}
	}
}

func TestALockIsWaitedFor(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	unlock, err := backend.Lock(t.Context(), "a.lock")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := backend.Lock(ctx, "a.lock"); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "a.lock is held by another process") {
		t.Errorf("a second lock: error %v; want one that names the file, and the end of the wait", err)
	}
	other, err := backend.Lock(t.Context(), "b.lock")
	if err != nil {
		t.Fatalf("another name: %v", err)
	}
	other()
	unlock()
	again, err := backend.Lock(t.Context(), "a.lock")
	if err != nil {
		t.Fatal(err)
	}
	again()
}
