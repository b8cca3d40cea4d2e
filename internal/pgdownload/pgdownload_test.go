package pgdownload_test

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/standin-go/standin/internal/pgdownload"
)

func TestNewSource(t *testing.T) {
	t.Parallel()
	sum := strings.Repeat("ab", 32)
	cases := []struct {
		version, mirror, sum string
		wantURL, wantErr     string // parts of them
	}{
		{wantURL: "https://repo1.maven.org/maven2/io/zonky/test/postgres/embedded-postgres-binaries-"},
		{wantURL: "/17.5.0/"},
		{version: "13.1.0-1", wantURL: "/13.1.0-1/"},
		{version: "16.9.0", mirror: "https://nexus.example.com/maven/", wantURL: "https://nexus.example.com/maven/io/zonky/"},
		{mirror: "http://127.0.0.1:8081/m2", wantURL: "http://127.0.0.1:8081/m2/io/zonky/"},
		{mirror: "http://[::1]:8081/m2", wantURL: "http://[::1]:8081/m2/io/zonky/"},
		{mirror: "http://nexus.example.com/m2", sum: sum, wantURL: "http://nexus.example.com/m2/io/zonky/"},
		{mirror: "http://nexus.example.com/m2", wantErr: "pin the archive with STANDIN_POSTGRES_SHA256"},
		{mirror: "http://127.0.0.1.example.com/m2", wantErr: "use https"},
		{mirror: "nexus.example.com", wantErr: "STANDIN_POSTGRES_MIRROR is not the address"},
		{mirror: "file:///m2", wantErr: "STANDIN_POSTGRES_MIRROR is not the address"},
		{mirror: "https://user:secret@/m2", wantErr: "STANDIN_POSTGRES_MIRROR is not the address"},
		{sum: sum[1:], wantErr: "64 hexadecimal digits"},
		{version: "17", wantErr: "three numbers: 18.0.0"},
		{version: "../17.5.0", wantErr: "three numbers"},
		{version: "17.5.0/..", wantErr: "three numbers"},
		{version: "12.22.0", wantErr: "13 is the oldest"},
	}
	for _, c := range cases {
		source, err := pgdownload.NewSource(c.version, func(name string) string {
			return map[string]string{"STANDIN_POSTGRES_MIRROR": c.mirror, "STANDIN_POSTGRES_SHA256": c.sum}[name]
		})
		if c.wantErr != "" {
			if err == nil || !strings.Contains(err.Error(), c.wantErr) || strings.Contains(err.Error(), "secret") {
				t.Errorf("version %q of %q with sum %q: error %v; want one that says %q, and no password", c.version, c.mirror, c.sum, err, c.wantErr)
			}
			continue
		}
		if err != nil {
			t.Errorf("version %q of %q with sum %q: %v", c.version, c.mirror, c.sum, err)
			continue
		}
		if got := source.URL().String(); !strings.Contains(got, c.wantURL) {
			t.Errorf("version %q of %q is at %s; want %q in it", c.version, c.mirror, got, c.wantURL)
		}
	}
}

func TestPlatform(t *testing.T) {
	t.Parallel()
	cases := []struct {
		goos, goarch, machine string
		musl                  bool
		want                  string // empty: there is none
	}{
		{goos: "linux", goarch: "amd64", want: "linux-amd64"},
		{goos: "linux", goarch: "amd64", musl: true, want: "linux-amd64-alpine"},
		{goos: "linux", goarch: "arm64", want: "linux-arm64v8"},
		{goos: "linux", goarch: "arm64", musl: true, want: "linux-arm64v8-alpine"},
		{goos: "linux", goarch: "386", want: "linux-i386"},
		{goos: "linux", goarch: "ppc64le", want: "linux-ppc64le"},
		{goos: "linux", goarch: "arm", machine: "armv7l", want: "linux-arm32v7"},
		{goos: "linux", goarch: "arm", machine: "armv6l", want: "linux-arm32v6"},
		{goos: "linux", goarch: "arm", machine: "armv7l", musl: true, want: "linux-arm32v6-alpine"},
		{goos: "darwin", goarch: "arm64", want: "darwin-arm64v8"},
		{goos: "darwin", goarch: "amd64", want: "darwin-amd64"},
		{goos: "windows", goarch: "amd64", want: "windows-amd64"},
		{goos: "linux", goarch: "riscv64"},
		{goos: "freebsd", goarch: "amd64"},
	}
	for _, c := range cases {
		got, err := pgdownload.Platform(c.goos, c.goarch, c.machine, c.musl)
		if got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("Platform(%s, %s, %q, %t) = %q, %v; want %q", c.goos, c.goarch, c.machine, c.musl, got, err, c.want)
		}
	}
}

// mirror is a Maven repository with one archive.
type mirror struct {
	*httptest.Server
	mu       sync.Mutex
	requests map[string]int // by how the path ends: ".jar", ".sha256"
}

// newMirror serves an archive with its sums; serve, if there is one, is asked
// first, and says whether it has answered.
func newMirror(t *testing.T, archive []byte, serve func(w http.ResponseWriter, suffix string) bool) *mirror {
	t.Helper()
	strong, weak := sha256.Sum256(archive), sha1.Sum(archive)
	files := map[string][]byte{
		".jar":    archive,
		".sha256": []byte(hex.EncodeToString(strong[:])),
		".sha1":   []byte(hex.EncodeToString(weak[:]) + "  archive.jar\n"),
	}
	m := &mirror{requests: map[string]int{}}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		suffix := filepath.Ext(r.URL.Path)
		m.mu.Lock()
		m.requests[suffix]++
		m.mu.Unlock()
		if serve != nil && serve(w, suffix) {
			return
		}
		w.Write(files[suffix])
	}))
	t.Cleanup(m.Close)
	return m
}

func (m *mirror) count(suffix string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.requests[suffix]
}

func (m *mirror) source(t *testing.T, sum string) pgdownload.Source {
	t.Helper()
	s, err := pgdownload.NewSource("", func(name string) string {
		return map[string]string{"STANDIN_POSTGRES_MIRROR": m.URL, "STANDIN_POSTGRES_SHA256": sum}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFetchDownloadsOnce(t *testing.T) {
	t.Parallel()
	m := newMirror(t, wrap(t, "postgres-linux-x86_64.txz", compress(t, pack(t, server...))), nil)
	source, store := m.source(t, ""), t.TempDir()
	var wg sync.WaitGroup
	reports := make(chan string, 8)
	for range 8 {
		wg.Go(func() {
			programs, err := source.Fetch(t.Context(), store, func(text string) { reports <- text })
			if err != nil {
				t.Error(err)
				return
			}
			if info, err := os.Stat(programs.Path("postgres")); err != nil || info.Mode().Perm() != 0o755 {
				t.Errorf("the program is %v, error %v; want one that all users may run", info, err)
			}
		})
	}
	wg.Wait()
	close(reports)
	var told []string
	for text := range reports {
		told = append(told, text)
	}
	if len(told) != 1 || !strings.Contains(told[0], source.URL().String()) || m.count(".jar") != 1 || m.count(".sha256") != 1 {
		t.Errorf("8 at once reported %q and made the requests %v; want one report that names the address, and each once", told, m.requests)
	}
	wantWhole(t, store, 1)

	m.Close()
	if _, err := source.Fetch(t.Context(), store, func(text string) { t.Error(text) }); err != nil {
		t.Errorf("what is there needs no mirror: %v", err)
	}
}

// wantWhole checks that a store has so many programs and nothing half done.
func wantWhole(t *testing.T, store string, programs int) {
	t.Helper()
	entries, err := os.ReadDir(store)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, e := range entries {
		switch {
		case e.IsDir() && !strings.HasPrefix(e.Name(), "unfinished-"):
			found++
		case !strings.HasSuffix(e.Name(), ".lock"):
			t.Errorf("the store still has %s", e.Name())
		}
	}
	if found != programs {
		t.Errorf("the store has %d folders of programs, want %d: %v", found, programs, entries)
	}
}

func TestFetchRefusesWhatIsNotRight(t *testing.T) {
	t.Parallel()
	good := wrap(t, "postgres-linux-x86_64.txz", compress(t, pack(t, server...)))
	plain := pack(t, server...)
	right := sha256.Sum256(good)
	wrong := strings.Repeat("0", 64)
	reply := func(suffix, text string) func(http.ResponseWriter, string) bool {
		return func(w http.ResponseWriter, asked string) bool {
			if asked == suffix {
				w.Write([]byte(text))
			}
			return asked == suffix
		}
	}
	status := func(code int, suffixes ...string) func(http.ResponseWriter, string) bool {
		return func(w http.ResponseWriter, asked string) bool {
			for _, s := range suffixes {
				if s == asked {
					w.WriteHeader(code)
					return true
				}
			}
			return false
		}
	}
	cases := []struct {
		name    string
		archive []byte
		pin     string
		serve   func(w http.ResponseWriter, suffix string) bool
		want    []string
	}{
		{name: "another sum on the mirror", serve: reply(".sha256", wrong), want: []string{wrong, hex.EncodeToString(right[:]), ".jar is not the right archive"}},
		{name: "another sum pinned", pin: wrong, want: []string{wrong, hex.EncodeToString(right[:]), "STANDIN_POSTGRES_SHA256"}},
		{name: "another old sum", serve: func(w http.ResponseWriter, asked string) bool {
			return status(404, ".sha256")(w, asked) || reply(".sha1", wrong[:40])(w, asked)
		}, want: []string{wrong[:40], "SHA-1"}},
		{name: "no sum to be read", serve: reply(".sha256", "<html>log in</html>"), want: []string{".sha256 is no sum", "log in"}},
		{name: "no sum at all", serve: status(404, ".sha256", ".sha1"), want: []string{"neither", "STANDIN_POSTGRES_SHA256=" + hex.EncodeToString(right[:])}},
		{name: "no such version", serve: status(404, ".jar"), want: []string{"17.5.0.jar: 404", "no version 17.5.0 for", "try 18.0.0, 16.9.0"}},
		{name: "a mirror that is ill", serve: status(503, ".jar"), want: []string{".jar: 503"}},
		{name: "cut off on the way", serve: func(w http.ResponseWriter, suffix string) bool {
			if suffix == ".jar" {
				w.Header().Set("Content-Length", fmt.Sprint(len(good)))
				w.Write(good[:len(good)/2])
			}
			return suffix == ".jar"
		}, want: []string{"unexpected EOF after", ".jar"}},
		{name: "endless", serve: func(w http.ResponseWriter, suffix string) bool {
			w.Header().Set("Content-Length", fmt.Sprint(int64(1)<<40))
			return suffix == ".jar"
		}, want: []string{"more than 256 MB"}},
		{name: "cut off and published so", archive: good[:len(good)/2], want: []string{"it is no jar"}},
		{name: "no archive in the jar", archive: wrap(t, "META-INF/MANIFEST.MF", nil), want: []string{"0 files *.txz", "META-INF/MANIFEST.MF"}},
		{name: "not xz inside", archive: wrap(t, "postgres.txz", plain), want: []string{"postgres.txz", "xz: "}},
		{name: "xz cut off", archive: wrap(t, "postgres.txz", compress(t, plain)[:200]), want: []string{"postgres.txz"}},
		{name: "no tar inside", archive: wrap(t, "postgres.txz", compress(t, []byte(strings.Repeat("x", 1024)))), want: []string{"invalid tar header"}},
		{name: "no server inside", archive: wrap(t, "postgres.txz", compress(t, pack(t, server[:1]...))), want: []string{"no initdb in"}},
		{name: "a way out", archive: wrap(t, "postgres.txz", compress(t, pack(t, entry{name: "../evil", text: "x"}))), want: []string{"../evil", "outside of the folder"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			archive := c.archive
			if archive == nil {
				archive = good
			}
			m := newMirror(t, archive, c.serve)
			store := t.TempDir()
			// Another version is there already, and has to stay.
			other := filepath.Join(store, "linux-amd64-13.1.0-"+wrong, "bin")
			if err := os.MkdirAll(other, 0o755); err != nil {
				t.Fatal(err)
			}
			_, err := m.source(t, c.pin).Fetch(t.Context(), store, func(string) {})
			if err == nil {
				t.Fatal("it was taken")
			}
			for _, want := range append(c.want, m.URL) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q:\n%v", want, err)
				}
			}
			wantWhole(t, store, 1)
		})
	}
}

func TestFetchTakesAPinnedArchiveOnly(t *testing.T) {
	t.Parallel()
	first := wrap(t, "first.txz", compress(t, pack(t, server...)))
	second := wrap(t, "second.txz", compress(t, pack(t, server...)))
	sum := sha256.Sum256(second)
	store := t.TempDir()
	if _, err := newMirror(t, first, nil).source(t, "").Fetch(t.Context(), store, func(string) {}); err != nil {
		t.Fatal(err)
	}
	// The pin tells the two apart though they are of one version.
	m := newMirror(t, second, func(w http.ResponseWriter, suffix string) bool { return suffix != ".jar" })
	programs, err := m.source(t, strings.ToUpper(hex.EncodeToString(sum[:]))).Fetch(t.Context(), store, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	if m.count(".jar") != 1 || !strings.Contains(programs.Dir, hex.EncodeToString(sum[:])) {
		t.Errorf("the programs in %s were taken, after the requests %v; want those that were pinned", programs.Dir, m.requests)
	}
	wantWhole(t, store, 2)
}

func TestFetchTakesAnOldSumWhereThereIsNoBetter(t *testing.T) {
	t.Parallel()
	m := newMirror(t, wrap(t, "a.txz", compress(t, pack(t, server...))), func(w http.ResponseWriter, suffix string) bool {
		if suffix == ".sha256" {
			w.WriteHeader(404)
		}
		return suffix == ".sha256"
	})
	if _, err := m.source(t, "").Fetch(t.Context(), t.TempDir(), func(string) {}); err != nil {
		t.Error(err)
	}
	if m.count(".sha1") != 1 {
		t.Errorf("the requests were %v; want one for .sha1", m.requests)
	}
}

func TestFetchGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	for _, slow := range []string{".jar", ".sha256"} {
		t.Run(slow, func(t *testing.T) {
			t.Parallel()
			enough := errors.New("enough is enough")
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			over := make(chan struct{})
			m := newMirror(t, wrap(t, "a.txz", compress(t, pack(t, server...))), func(w http.ResponseWriter, suffix string) bool {
				if suffix == slow {
					w.Write([]byte("half"))
					w.(http.Flusher).Flush()
					cancel(enough)
					<-over
				}
				return suffix == slow
			})
			defer close(over)
			store := t.TempDir()
			_, err := m.source(t, "").Fetch(ctx, store, func(string) {})
			if !errors.Is(err, enough) || !strings.Contains(err.Error(), m.URL) {
				t.Errorf("error %v; want one with the cause and the address", err)
			}
			wantWhole(t, store, 0)
		})
	}
}

func TestFetchCleansUp(t *testing.T) {
	t.Parallel()
	m := newMirror(t, wrap(t, "a.txz", compress(t, pack(t, server...))), nil)
	source, store := m.source(t, ""), t.TempDir()
	age := func(name string, age time.Duration) {
		t.Helper()
		dir := filepath.Join(store, name)
		if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o755); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-age)
		if err := os.Chtimes(dir, at, at); err != nil {
			t.Fatal(err)
		}
	}
	sum := strings.Repeat("0", 64)
	age("unfinished-"+source.Platform+"-"+source.Version, 0) // of a process that was killed just now
	for i := range 6 {
		age(fmt.Sprintf("linux-amd64-13.%d.0-%s", i, sum), time.Duration(30+i)*time.Hour)
	}
	age("linux-amd64-14.0.0-"+sum, time.Hour)
	if _, err := source.Fetch(t.Context(), store, func(string) {}); err != nil {
		t.Fatal(err)
	}
	wantWhole(t, store, 4)
	for _, kept := range []string{"14.0.0", "13.0.0", "13.1.0"} {
		if _, err := os.Stat(filepath.Join(store, "linux-amd64-"+kept+"-"+sum)); err != nil {
			t.Errorf("what was used last has gone: %v", err)
		}
	}
}
