// Package portlock holds names across processes with locked files, one file a
// name: what ports are leased by where the kernel cannot hold them. The lock
// dies with its process; the empty file that a killed process leaves is
// removed by the next Sweep. It knows nothing of ports.
//
// Locks are kept apart per folder, and a user's folder is his own: two users
// of one machine do not see each other's locks.
package portlock

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// ErrHeld says that another holder has the name.
var ErrHeld = errors.New("held by another lease")

const suffix = ".lock"

// Dir is a folder of lock files.
type Dir struct{ path string }

// Open makes the folder where it is missing and removes what killed processes
// left in it. An empty path means DefaultDir.
func Open(path string) (*Dir, error) {
	if path == "" {
		path = DefaultDir()
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the lock files: %w", err)
	}
	d := &Dir{path: path}
	return d, d.sweep()
}

// DefaultDir is standin/ports in the user's cache folder, or in the folder of
// temporary files for a user who has none.
func DefaultDir() string {
	base, err := os.UserCacheDir()
	if err != nil {
		return filepath.Join(os.TempDir(), fmt.Sprintf("standin-%d", os.Getuid()), "ports")
	}
	return filepath.Join(base, "standin", "ports")
}

// Path is the folder.
func (d *Dir) Path() string { return d.path }

// Lock is a name that is held.
type Lock struct {
	file *os.File
	once sync.Once
	err  error
}

// Acquire holds the name, or returns ErrHeld at once.
func (d *Dir) Acquire(name string) (*Lock, error) {
	path := filepath.Join(d.path, name+suffix)
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if errors.Is(err, os.ErrNotExist) {
			// Somebody removed the folder, as cleaners of caches do.
			if err := os.MkdirAll(d.path, 0o700); err != nil {
				return nil, fmt.Errorf("make the folder of the lock files: %w", err)
			}
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("open the lock file: %w", err)
		}
		if err := tryLock(f); err != nil {
			f.Close()
			return nil, err
		}
		if isStill(f, path) {
			return &Lock{file: f}, nil
		}
		f.Close() // its holder removed it between our open and our lock
	}
}

// isStill reports whether the open file is the one that the path names.
func isStill(f *os.File, path string) bool {
	opened, err1 := f.Stat()
	named, err2 := os.Stat(path)
	return err1 == nil && err2 == nil && os.SameFile(opened, named)
}

// Close lets the name go and removes its file. It may be called twice.
func (l *Lock) Close() error {
	l.once.Do(func() { l.err = removeLocked(l.file) })
	return l.err
}

// sweep removes the files that nobody holds.
func (d *Dir) sweep() error {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return fmt.Errorf("read the folder of the lock files: %w", err)
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), suffix)
		if !ok {
			continue
		}
		if l, err := d.Acquire(name); err == nil {
			_ = l.Close() // a file that cannot be removed does no harm
		}
	}
	return nil
}
