package backend

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// RootVariable names the environment variable that says below which folder
// servers keep their data.
const RootVariable = "STANDIN_DIR"

// KeepVariable names the environment variable that says how long a server
// stays when no test uses it, such as "10m".
const KeepVariable = "STANDIN_KEEP"

// defaultKeep spans the time between two packages of one go test ./...
const defaultKeep = time.Second

// Keep reads KeepVariable.
func Keep() (time.Duration, error) {
	text := os.Getenv(KeepVariable)
	if text == "" {
		return defaultKeep, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%s=%s is not a duration; one looks like 0s, 30s or 10m", KeepVariable, text)
	}
	return d, nil
}

// Roots are the folders below which servers may live, best first: the one that
// RootVariable names and no other, or memory where the system has a folder for
// that, and the folder of temporary files.
func Roots() []string {
	if root := os.Getenv(RootVariable); root != "" {
		return []string{root}
	}
	var roots []string
	if dir := memoryFolder(); dir != "" {
		roots = append(roots, dir)
	}
	return append(roots, os.TempDir())
}

// pick returns the first root with enough room. The room of a root that cannot
// be measured is taken for granted.
func pick(roots []string, room uint64) (string, error) {
	var errs []error
	for _, root := range roots {
		free, err := Free(root)
		switch {
		case errors.Is(err, errors.ErrUnsupported):
			return root, nil
		case err != nil:
			errs = append(errs, err)
		case free >= room:
			return root, nil
		default:
			errs = append(errs, fmt.Errorf("%s has %d MB free, and a server wants %d MB", root, free>>20, room>>20))
		}
	}
	return "", fmt.Errorf("no folder for a server's data: %w; make room, or name another folder with %s", errors.Join(errs...), RootVariable)
}

// Cache is the folder, made when missing, of what is worth keeping from one
// run to the next: standin/<kind> in the user's cache folder, or in the folder
// of temporary files for a user who has none.
func Cache(kind string) (string, error) {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("standin-%d", os.Getuid()), kind)
	if base, err := os.UserCacheDir(); err == nil {
		dir = filepath.Join(base, "standin", kind)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the cache folder: %w", err)
	}
	return dir, nil
}

// Lock holds a name against all other processes of this user, and waits for it
// until ctx ends. The kernel ends the hold of a process that dies. The empty
// lock file stays in the cache folder.
func Lock(ctx context.Context, name string) (unlock func(), err error) {
	dir, err := Cache("locks")
	if err != nil {
		return nil, err
	}
	return LockFile(ctx, filepath.Join(dir, name))
}

// LockFile is Lock for a file elsewhere: in a folder that does not depend on
// what the user's cache folder is.
func LockFile(ctx context.Context, path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock file: %w", err)
	}
	locked := make(chan error, 1)
	go func() { locked <- flock(f) }()
	select {
	case err := <-locked:
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		return func() { f.Close() }, nil
	case <-ctx.Done():
		go func() { // the wait cannot be broken off; its end is nobody's
			<-locked
			f.Close()
		}()
		return nil, fmt.Errorf("%s is held by another process: %w", f.Name(), context.Cause(ctx))
	}
}
