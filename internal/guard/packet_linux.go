package guard

import (
	"fmt"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Open makes the UDP guard of the leased address an ordinary socket that
// receives datagrams, and returns its descriptor, which stays the guard's:
// the caller duplicates it.
func (g *Guard) Open() (fd int, err error) {
	fd = g.udp[0]
	// connect(2): a datagram socket dissolves its association by connecting
	// to AF_UNSPEC. It stays bound, so there is no gap.
	unspec := unix.RawSockaddr{Family: unix.AF_UNSPEC}
	if _, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&unspec)), unsafe.Sizeof(unspec)); errno != 0 {
		return -1, fmt.Errorf("open the held port for datagrams: %w", errno)
	}
	return fd, nil
}

// Shut makes the socket that Open opened a mere guard again: datagrams that
// nobody read are dropped, and further ones are refused.
func (g *Guard) Shut() error {
	fd := g.udp[0]
	if err := shut(fd, netip.AddrPortFrom(g.scope.Addr, g.port)); err != nil {
		return err
	}
	var one [1]byte
	for {
		if _, _, err := unix.Recvfrom(fd, one[:], unix.MSG_DONTWAIT); err != nil {
			return nil // EAGAIN: the queue is empty
		}
	}
}

func shut(fd int, self netip.AddrPort) error {
	var err error
	if self.Addr().Is6() {
		err = unix.Connect(fd, &unix.SockaddrInet6{Port: int(self.Port()), Addr: self.Addr().As16()})
	} else {
		err = unix.Connect(fd, &unix.SockaddrInet4{Port: int(self.Port()), Addr: self.Addr().As4()})
	}
	if err != nil {
		return fmt.Errorf("close the held port to datagrams: %w", err)
	}
	return nil
}
