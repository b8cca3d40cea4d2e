package portpool

import (
	"context"
	"net"
	"net/netip"
	"os"
	"sync"
)

// Lease is a port that is this holder's until Release, or until the process
// ends in whatever way. It is safe for concurrent use.
type Lease struct {
	addr    netip.AddrPort
	network Network

	mu     sync.Mutex
	hold   hold // nil when released
	packet bool // whether ListenPacket's connection is open
}

func (p *Pool) lease(h hold) *Lease {
	return &Lease{addr: netip.AddrPortFrom(p.config.Address, h.port()), network: p.config.Network, hold: h}
}

// Port is the number of the port.
func (l *Lease) Port() int { return int(l.addr.Port()) }

// Addr is the address with the port, as net.Dial and http.Server take it:
// "127.0.0.1:40000", "[::1]:40000".
func (l *Lease) Addr() string { return l.addr.String() }

// AddrPort is the address with the port.
func (l *Lease) AddrPort() netip.AddrPort { return l.addr }

// String is the network and the address: "tcp 127.0.0.1:40000".
func (l *Lease) String() string { return l.network.String() + " " + l.Addr() }

// Release ends the lease. Servers that have bound the port keep it for as
// long as they live. Further calls do nothing.
func (l *Lease) Release() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hold != nil {
		l.hold.close()
		l.hold = nil
	}
	return nil
}

// Listen listens on the TCP port. The lease stays: when the listener is
// closed, it can listen again, and nobody else can.
func (l *Lease) Listen() (net.Listener, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	listener, err := l.listen("listen on ")
	if err != nil {
		return nil, err
	}
	return listener, nil
}

func (l *Lease) listen(op string) (*net.TCPListener, error) {
	op += l.String()
	if err := l.check(op, TCP); err != nil {
		return nil, err
	}
	return listenTCP(op, l.addr)
}

// listenTCP listens with SO_REUSEADDR where package net sets it, beside the
// guard.
func listenTCP(op string, addr netip.AddrPort) (*net.TCPListener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", addr.String())
	if err != nil {
		return nil, systemError(op, Explain(err))
	}
	return listener.(*net.TCPListener), nil
}

// check returns an error when the lease is over or has no such transport.
func (l *Lease) check(op string, need Network) error {
	switch {
	case l.hold == nil:
		return &Error{Op: op, Kind: ErrReleased, Detail: "the lease is over", Remedy: "release it after its last use"}
	case l.network&need == 0:
		return &Error{
			Op: op, Kind: ErrInvalid, Detail: "the lease is for " + l.network.String() + " alone",
			Remedy: "make the pool with Config.Network " + (l.network | need).String(),
		}
	}
	return nil
}

// File listens on the TCP port and returns the descriptor, for a child
// process to inherit; see Start, which does all of it. The caller closes it.
// For a lease of UDP alone it is PacketFile.
func (l *Lease) File() (*os.File, error) {
	if l.network == UDP {
		return l.PacketFile()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	listener, err := l.listen("open a descriptor of ")
	if err != nil {
		return nil, err
	}
	defer listener.Close() // the descriptor is a copy and stays open
	f, err := listener.File()
	if err != nil {
		return nil, systemError("open a descriptor of "+l.String(), err)
	}
	return f, nil
}
