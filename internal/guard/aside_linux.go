package guard

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// asideAddr is an address that no server uses. While a guard holds the port
// there, every other guard of the whole port, every bind(:0) of a wildcard
// address and every outgoing connection still keeps away from it, and a
// server that does not set SO_REUSEADDR can bind 127.0.0.1 or [::1].
var asideAddr = netip.AddrFrom4([4]byte{127, 255, 255, 254})

// StepAside gives the leased address free for a server that cannot share it.
// It may be called twice.
func (g *Guard) StepAside() error {
	addr := netip.AddrPortFrom(asideAddr, g.port)
	if len(g.aside) == 0 && g.scope.TCP {
		fd, err := open(unix.SOCK_STREAM, addr.Addr())
		if err != nil {
			return err
		}
		g.aside = append(g.aside, fd)
		if err := share(fd); err != nil {
			closeAll(&g.aside)
			return err
		}
		if err := bind(fd, addr); err != nil {
			closeAll(&g.aside)
			return err
		}
	}
	if len(g.udp) > 0 {
		fd, err := holdUDP(addr, true)
		if err != nil {
			closeAll(&g.aside)
			return err
		}
		g.aside = append(g.aside, fd)
	}
	closeAll(&g.tcp, &g.udp)
	return nil
}

// StepBack holds the port again after StepAside, and does nothing without one.
// It returns ErrInUse, and stays aside, when a server has the port.
func (g *Guard) StepBack() error {
	if len(g.aside) == 0 {
		return nil
	}
	if err := g.hold(true); err != nil {
		closeAll(&g.tcp, &g.udp)
		return err
	}
	closeAll(&g.aside)
	return nil
}
