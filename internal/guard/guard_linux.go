package guard

import (
	"errors"
	"fmt"
	"iter"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Scope is what a guard holds.
type Scope struct {
	TCP, UDP bool
	// Addr is the loopback address that the server will bind.
	Addr netip.Addr
	// IPv6 says that the system has IPv6, so that both families are held.
	IPv6 bool
}

// whole reports whether the port is held on every loopback address, which is
// so for the two that everybody uses, and not for a private one.
func (s Scope) whole() bool {
	return s.Addr == netip.AddrFrom4([4]byte{127, 0, 0, 1}) || s.Addr == netip.IPv6Loopback()
}

// tcpAddr is what the TCP guard binds.
func (s Scope) tcpAddr() netip.Addr {
	switch {
	case !s.whole():
		return s.Addr
	case s.IPv6:
		return everywhere
	}
	return netip.IPv4Unspecified()
}

// udpAddrs is what the UDP guard binds, the leased address first.
func (s Scope) udpAddrs() []netip.Addr {
	addrs := []netip.Addr{s.Addr}
	if s.whole() {
		for _, other := range []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()} {
			if other != s.Addr && (other.Is4() || s.IPv6) {
				addrs = append(addrs, other)
			}
		}
	}
	return addrs
}

// Guard holds one port. It is not safe for concurrent use.
type Guard struct {
	scope Scope
	port  uint16
	tcp   []int // what holds the port; empty while it stepped aside
	udp   []int // the leased address first
	aside []int // what keeps the port from pools while it is handed over
}

// Take holds the first of the candidates that nobody has. It returns ErrInUse
// when there is none, and the system's error when no candidate could help.
func Take(scope Scope, candidates iter.Seq[uint16]) (*Guard, error) {
	g := &Guard{scope: scope}
	for port := range candidates {
		g.port = port
		err := g.hold(false)
		if err == nil {
			return g, nil
		}
		if !errors.Is(err, ErrInUse) {
			g.Close()
			return nil, err
		}
	}
	g.Close()
	return nil, ErrInUse
}

// Port is the port that is held.
func (g *Guard) Port() uint16 { return g.port }

// Close lets the port go. It may be called twice.
func (g *Guard) Close() { closeAll(&g.tcp, &g.udp, &g.aside) }

func closeAll(lists ...*[]int) {
	for _, list := range lists {
		for _, fd := range *list {
			unix.Close(fd)
		}
		*list = nil
	}
}

// hold binds the guard's sockets. A TCP socket whose bind failed is kept for
// the next candidate, which saves half of the cost of a miss. With shared the
// TCP socket binds beside holders that have SO_REUSEADDR.
func (g *Guard) hold(shared bool) error {
	if g.scope.TCP {
		if err := g.holdTCP(shared); err != nil {
			return err
		}
	}
	if !g.scope.UDP {
		return nil
	}
	for _, addr := range g.scope.udpAddrs() {
		fd, err := holdUDP(netip.AddrPortFrom(addr, g.port), true)
		if err != nil {
			closeAll(&g.tcp, &g.udp)
			return err
		}
		g.udp = append(g.udp, fd)
	}
	return nil
}

func (g *Guard) holdTCP(shared bool) error {
	addr := g.scope.tcpAddr()
	if len(g.tcp) == 0 {
		fd, err := open(unix.SOCK_STREAM, addr)
		if err != nil {
			return err
		}
		g.tcp = []int{fd}
		if addr == everywhere {
			if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0); err != nil {
				return fmt.Errorf("hold both families with one socket: %w", err)
			}
		}
	}
	fd := g.tcp[0]
	if shared {
		if err := share(fd); err != nil {
			return err
		}
		return bind(fd, netip.AddrPortFrom(addr, g.port))
	}
	if err := bind(fd, netip.AddrPortFrom(addr, g.port)); err != nil {
		return err
	}
	return share(fd)
}

func share(fd int) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return fmt.Errorf("let a server share the port: %w", err)
	}
	return nil
}

// holdUDP binds a datagram socket. With closed it is connected to itself, so
// that whoever sends to the port is refused.
func holdUDP(addr netip.AddrPort, closed bool) (int, error) {
	fd, err := open(unix.SOCK_DGRAM, addr.Addr())
	if err != nil {
		return -1, err
	}
	if err := bind(fd, addr); err != nil {
		unix.Close(fd)
		return -1, err
	}
	if closed {
		if err := shut(fd, addr); err != nil {
			unix.Close(fd)
			return -1, err
		}
	}
	return fd, nil
}
