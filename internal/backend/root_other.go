//go:build !unix || solaris || aix

package backend

import (
	"errors"
	"os"
)

func flock(*os.File) error { return errors.ErrUnsupported }

func private(string, int) error { return errors.ErrUnsupported }
