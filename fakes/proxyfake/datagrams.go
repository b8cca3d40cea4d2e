package proxyfake

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// idle is for how long the answers to a sender are waited for after its last
// datagram.
const idle = 60 * time.Second

// session is a sender of datagrams, and the socket that stands for it.
type session struct {
	server *Server
	from   net.Addr
	up     *net.UDPConn
	number uint64

	mu      sync.Mutex
	version [2]uint64
	chains  [2]func(piece) // up and down
}

// receive hands on what comes from senders.
func (s *Server) receive() {
	b := make([]byte, 1<<16)
	for {
		n, from, err := s.packets.ReadFrom(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // a sender that has gone away
		}
		session, err := s.session(from)
		if err != nil {
			continue // as lost
		}
		_ = session.up.SetReadDeadline(time.Now().Add(idle)) // closed: it ends anyway
		session.pass(&s.up, 0, append([]byte(nil), b[:n]...), session.send)
	}
}

func (s *Server) session(from net.Addr) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if have := s.sessions[from.String()]; have != nil {
		return have, nil
	}
	if s.ctx.Err() != nil {
		return nil, context.Cause(s.ctx)
	}
	up, err := s.dialer.DialContext(s.ctx, "udp", s.config.Upstream)
	if err != nil {
		return nil, err
	}
	s.number++
	made := &session{server: s, from: from, up: up.(*net.UDPConn), number: s.number}
	s.sessions[from.String()] = made
	s.works.Go(func() {
		made.answer()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.sessions, from.String())
	})
	return made, nil
}

// answer hands back what comes from the server.
func (c *session) answer() {
	defer c.up.Close()
	b := make([]byte, 1<<16)
	for {
		n, err := c.up.Read(b)
		var timeout net.Error
		if errors.Is(err, net.ErrClosed) || errors.As(err, &timeout) && timeout.Timeout() {
			return
		}
		if err != nil {
			continue // nobody was there for the last one
		}
		c.pass(&c.server.down, 1, append([]byte(nil), b[:n]...), c.reply)
	}
}

// pass applies the faults of a direction to a datagram.
func (c *session) pass(d *direction, which int, b []byte, deliver func([]byte)) {
	faults, changed, version := d.get()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version[which] != version {
		c.version[which] = version
		c.chains[which] = chain(faults, c.server.random(c.number, version, which == 1), func(p piece) {
			c.later(p, changed, deliver)
		})
	}
	c.chains[which](piece{b: b, due: time.Now()})
}

// later delivers a datagram when it is due, and at once when the faults have
// changed; those after it may be first.
func (c *session) later(p piece, changed context.Context, deliver func([]byte)) {
	d := time.Until(p.due)
	if d <= 0 {
		deliver(p.b)
		return
	}
	c.server.works.Go(func() {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-changed.Done():
		case <-c.server.ctx.Done():
			return
		}
		deliver(p.b)
	})
}

func (c *session) send(b []byte) { _, _ = c.up.Write(b) } // nobody there: as lost

func (c *session) reply(b []byte) { _, _ = c.server.packets.WriteTo(b, c.from) } // as lost
