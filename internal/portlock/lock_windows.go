package portlock

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

func tryLock(f *os.File) error {
	err := windows.LockFileEx(windows.Handle(f.Fd()),
		windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, new(windows.Overlapped))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, windows.ERROR_LOCK_VIOLATION):
		return ErrHeld
	}
	return fmt.Errorf("lock %s: %w", f.Name(), err)
}

// removeLocked closes first, for Windows removes no file that is open. When
// somebody opened it in between, the file stays, and is his.
func removeLocked(f *os.File) error {
	err := f.Close()
	_ = os.Remove(f.Name())
	return err
}
