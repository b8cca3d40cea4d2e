package portlock_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/standin-go/standin/internal/portlock"
)

func TestANameIsHeldOnce(t *testing.T) {
	t.Parallel()
	dir := open(t, t.TempDir())
	lock, err := dir.Acquire("tcp-1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dir.Acquire("tcp-1"); !errors.Is(err, portlock.ErrHeld) {
		t.Errorf("a name that is held was acquired again, error %v; want ErrHeld", err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	if files, _ := os.ReadDir(dir.Path()); len(files) != 0 {
		t.Errorf("after the release the folder has %v; want nothing", files)
	}
	again, err := dir.Acquire("tcp-1")
	if err != nil {
		t.Fatalf("a name that was released could not be acquired: %v", err)
	}
	again.Close()
}

// Holders remove the file that others have just opened; each round must
// still have one holder.
func TestOneHolderUnderContention(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	var holders, acquired atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		dir := open(t, path)
		wg.Go(func() {
			for range 500 {
				lock, err := dir.Acquire("contended")
				if errors.Is(err, portlock.ErrHeld) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if n := holders.Add(1); n != 1 {
					t.Errorf("%d holders of one name at once", n)
				}
				acquired.Add(1)
				holders.Add(-1)
				if err := lock.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if acquired.Load() == 0 {
		t.Error("nobody ever acquired the name")
	}
}

func TestSweepRemovesWhatNobodyHolds(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	dir := open(t, path)
	held, err := dir.Acquire("held")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	for _, name := range []string{"left.lock", "foreign.txt"} {
		if err := os.WriteFile(filepath.Join(path, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open(t, path)
	for name, want := range map[string]bool{"held.lock": true, "left.lock": false, "foreign.txt": true} {
		if _, err := os.Stat(filepath.Join(path, name)); (err == nil) != want {
			t.Errorf("after the sweep: %s there is %t, want %t", name, err == nil, want)
		}
	}
}

func TestAFolderThatCannotBeMade(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := portlock.Open(filepath.Join(file, "ports")); err == nil {
		t.Error("Open made a folder inside a file")
	}
}

func open(t *testing.T, path string) *portlock.Dir {
	t.Helper()
	dir, err := portlock.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
