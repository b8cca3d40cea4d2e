package portpool

import (
	"net"
	"os"

	"golang.org/x/sys/windows"
)

// soExclusiveAddrUse is SO_EXCLUSIVEADDRUSE of Winsock.
const soExclusiveAddrUse = ^windows.SO_REUSEADDR

func setExclusive(fd uintptr) error {
	return os.NewSyscallError("setsockopt", windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, soExclusiveAddrUse, 1))
}

// duplicateUDP is for guards, which Windows has not.
func duplicateUDP(int) (*net.UDPConn, error) { return nil, ErrUnsupported }
