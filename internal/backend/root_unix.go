//go:build unix && !solaris && !aix

package backend

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// flock waits for the lock of an open file.
func flock(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// private checks that a folder is the user's own, for its name can be known to
// all who share the root.
func private(dir string, uid int) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok || !info.IsDir():
		return fmt.Errorf("%s is not a folder: somebody else made it; remove it", dir)
	case int(stat.Uid) != uid:
		return fmt.Errorf("%s belongs to user %d and not to %d: somebody else made it; remove it", dir, stat.Uid, uid)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%s is open to others (%v): it was not made by a reaper; remove it", dir, info.Mode())
	}
	return nil
}
