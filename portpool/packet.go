package portpool

import (
	"net"
	"os"
	"sync"
)

// ListenPacket receives the datagrams of the UDP port. The connection has the
// methods of *net.UDPConn. There can be one at a time; when it was closed,
// the lease still holds the port, refuses datagrams, and can listen again.
func (l *Lease) ListenPacket() (net.PacketConn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	op := "listen on " + l.String()
	if l.packet {
		return nil, &Error{
			Op: op, Kind: ErrInUse, Detail: "the connection of an earlier ListenPacket is still open",
			Remedy: "close that one first: two would share the datagrams",
		}
	}
	c, err := l.openPacket(op)
	if err != nil {
		return nil, err
	}
	l.packet = true
	return &packetConn{UDPConn: c, lease: l}, nil
}

func (l *Lease) openPacket(op string) (*net.UDPConn, error) {
	if err := l.check(op, UDP); err != nil {
		return nil, err
	}
	c, err := l.hold.openPacket()
	if err != nil {
		return nil, systemError(op, Explain(err))
	}
	return c, nil
}

// PacketFile returns a descriptor that receives the datagrams of the UDP
// port, for a child process to inherit; see Start. Every descriptor of a
// lease is the same socket. The caller closes it.
func (l *Lease) PacketFile() (*os.File, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	op := "open a descriptor of " + l.String()
	c, err := l.openPacket(op)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	f, err := c.File()
	if err != nil {
		return nil, systemError(op, err)
	}
	return f, nil
}

// packetConn gives the port back to its lease when it is closed.
type packetConn struct {
	*net.UDPConn
	lease  *Lease
	closed sync.Once
}

func (c *packetConn) Close() error {
	err := c.UDPConn.Close()
	c.closed.Do(func() { err = c.lease.packetClosed(err) })
	return err
}

func (l *Lease) packetClosed(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.packet = false
	if l.hold == nil {
		return err
	}
	if e := l.hold.closePacket(); err == nil {
		err = e
	}
	return err
}
