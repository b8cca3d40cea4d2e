package portpool

import (
	"context"
	"errors"
	"net"
	"net/netip"
)

// Listen listens on a free TCP port of 127.0.0.1, with the zero Config. See
// Pool.Listen.
func Listen() (net.Listener, error) {
	p, err := shared()
	if err != nil {
		return nil, err
	}
	return p.Listen()
}

// ListenPacket receives datagrams on a free UDP port of 127.0.0.1, with a
// Config whose Network is UDP. See Pool.ListenPacket.
func ListenPacket() (net.PacketConn, error) {
	p, err := New(Config{Network: UDP})
	if err != nil {
		return nil, err
	}
	return p.ListenPacket()
}

// Listen listens on a free TCP port of the pool's address. No lease is
// needed: the port is the listener's until it is closed. Its error is of the
// kinds of Reserve.
func (p *Pool) Listen() (net.Listener, error) {
	if p.config.Network&TCP == 0 {
		return nil, p.wrongNetwork("listen", TCP)
	}
	if p.kernelPicks() {
		l, err := exclusively.Listen(context.Background(), "tcp", p.anyPort())
		return openedOr(l, err, p)
	}
	lease, err := p.Reserve()
	if err != nil {
		return nil, err
	}
	defer lease.Release()
	return lease.Listen()
}

// ListenPacket receives datagrams on a free UDP port of the pool's address.
// Its error is of the kinds of Reserve.
func (p *Pool) ListenPacket() (net.PacketConn, error) {
	if p.config.Network&UDP == 0 {
		return nil, p.wrongNetwork("receive datagrams", UDP)
	}
	if p.kernelPicks() {
		c, err := exclusively.ListenPacket(context.Background(), "udp", p.anyPort())
		return openedOr(c, err, p)
	}
	lease, err := p.Reserve()
	if err != nil {
		return nil, err
	}
	defer lease.Release()
	return lease.ListenPacket()
}

// kernelPicks reports whether a port of any number will do, so that the
// kernel can choose it. A socket without SO_REUSEADDR is never given a port
// that somebody holds, whatever net.ipv4.ip_autobind_reuse says.
func (p *Pool) kernelPicks() bool { return p.config.Range == Range{} }

func (p *Pool) anyPort() string { return netip.AddrPortFrom(p.config.Address, 0).String() }

// openedOr returns what was opened, or an *Error of the pool.
func openedOr[T any](opened T, err error, p *Pool) (T, error) {
	if err == nil {
		return opened, nil
	}
	var none T
	op := "listen on a free " + p.config.Network.String() + " port of " + p.config.Address.String()
	if isInUse(err) {
		return none, &Error{
			Op: op, Kind: ErrExhausted, Detail: "the kernel found none in its range", Cause: err,
			Remedy: "release leases and close connections, or widen net.ipv4.ip_local_port_range",
		}
	}
	var opError *net.OpError
	if errors.As(err, &opError) {
		err = opError.Err // the rest is in op
	}
	return none, systemError(op, err)
}

func (p *Pool) wrongNetwork(what string, need Network) error {
	return &Error{
		Op: what + " on a free port of " + p.config.Address.String(), Kind: ErrInvalid,
		Detail: "the pool is for " + p.config.Network.String() + " alone",
		Remedy: "make the pool with Config.Network " + (p.config.Network | need).String(),
	}
}
