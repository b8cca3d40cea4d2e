package guard

import (
	"errors"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// everywhere is what the TCP guard of a whole port is bound to. It never
// listens, so it is reachable from nowhere.
var everywhere = netip.IPv6Unspecified()

// open returns a socket of the address's family.
func open(kind int, addr netip.Addr) (int, error) {
	family := unix.AF_INET
	if addr.Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	return fd, os.NewSyscallError("socket", err)
}

// bind binds and tells apart "in use" from what no other port would cure.
func bind(fd int, addr netip.AddrPort) error {
	var err error
	if addr.Addr().Is6() {
		err = unix.Bind(fd, &unix.SockaddrInet6{Port: int(addr.Port()), Addr: addr.Addr().As16()})
	} else {
		err = unix.Bind(fd, &unix.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()})
	}
	if errors.Is(err, unix.EADDRINUSE) {
		return ErrInUse
	}
	return os.NewSyscallError("bind", err)
}
