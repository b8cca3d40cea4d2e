package guard

import (
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Probe tries the promise of a guard on a port that Take took, and returns an
// ErrUnsupported that says what this kernel does otherwise: a user-space
// network stack may accept the same calls and keep none of it.
func (g *Guard) Probe() error {
	rival := &Guard{scope: g.scope, port: g.port}
	err := rival.hold(false)
	rival.Close()
	if !errors.Is(err, ErrInUse) {
		return fmt.Errorf("%w: a second exclusive bind of port %d was not refused (%v)", ErrUnsupported, g.port, err)
	}
	if !g.scope.TCP {
		return nil
	}
	server, err := open(unix.SOCK_STREAM, g.scope.Addr)
	if err != nil {
		return err
	}
	defer unix.Close(server)
	if err := errors.Join(share(server), bind(server, netip.AddrPortFrom(g.scope.Addr, g.port)), unix.Listen(server, 1)); err != nil {
		return fmt.Errorf("%w: a server with SO_REUSEADDR could not bind port %d beside its guard (%v)", ErrUnsupported, g.port, err)
	}
	return nil
}
