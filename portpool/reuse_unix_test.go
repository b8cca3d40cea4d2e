//go:build unix

package portpool_test

import (
	"runtime"

	"golang.org/x/sys/unix"
)

const onLinux, onUnix = runtime.GOOS == "linux", true

func dropReuse(fd uintptr) error {
	return unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 0)
}
