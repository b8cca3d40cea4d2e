//go:build !windows && (!unix || solaris || aix)

package portlock

import (
	"errors"
	"os"
)

func tryLock(*os.File) error { return errors.ErrUnsupported }

func removeLocked(f *os.File) error { return f.Close() }
