//go:build unix

package portpool

import (
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// setExclusive takes back the SO_REUSEADDR that package net sets.
func setExclusive(fd uintptr) error {
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 0))
}

// duplicateUDP makes a connection of a copy of the descriptor.
func duplicateUDP(fd int) (*net.UDPConn, error) {
	copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	f := os.NewFile(uintptr(copied), "udp")
	defer f.Close() // FilePacketConn makes a copy of its own
	c, err := net.FilePacketConn(f)
	if err != nil {
		return nil, err
	}
	return c.(*net.UDPConn), nil
}
