package httpfake

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// connState follows the connections, as http.Server.ConnState.
func (s *Server) connState(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateHijacked:
		s.hijacked = append(s.hijacked, c)
		fallthrough
	case http.StateClosed:
		delete(s.conns, c)
	default:
		s.conns[c] = state
		if s.closed {
			closeUnused(c, state)
		}
	}
	s.settle()
}

// closeUnused closes a connection on which no request is running.
func closeUnused(c net.Conn, state http.ConnState) {
	if state == http.StateIdle || state == http.StateNew {
		c.Close()
	}
}

// settle tells Close when nothing runs any more. Server.mu is held.
func (s *Server) settle() {
	if s.settled != nil && s.running.n == 0 && len(s.conns) == 0 {
		close(s.settled)
		s.settled = nil
	}
}

// Close stops the server: no connection is accepted any more, those without a
// request are closed at once, and requests that are running are waited for. One
// that still runs after Config.CloseTimeout is cut off, and Close returns an
// error that names it. When Close returns without an error, no goroutine of the
// server is left.
//
// Close may be called more than once, and at the same time; it returns the
// same each time. Do not call it from a handler.
func (s *Server) Close() error {
	s.closing.Do(func() { s.closeErr = s.close() })
	return s.closeErr
}

func (s *Server) close() error {
	settled := make(chan struct{})
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	err := s.listener.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil // whoever made the listener may have closed it
	}
	<-s.served // so there are no new connections from here on
	s.http.SetKeepAlivesEnabled(false)

	s.mu.Lock()
	client := s.client
	for c, state := range s.conns {
		closeUnused(c, state)
	}
	s.settled = settled
	s.settle()
	s.mu.Unlock()

	if client != nil {
		client.CloseIdleConnections()
	}
	if !within(settled, s.closeTimeout) {
		err = errors.Join(err, s.cutOff(settled))
	}
	s.mu.Lock()
	hijacked := s.hijacked
	s.hijacked = nil
	s.mu.Unlock()
	for _, c := range hijacked {
		c.Close() // its handler may have closed it
	}
	return err
}

// cutOff closes what Close has waited for in vain, and names it.
func (s *Server) cutOff(settled chan struct{}) error {
	s.mu.Lock()
	stuck := s.running.all()
	conns := make([]net.Conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	conns = append(conns, s.hijacked...)
	s.mu.Unlock()

	running := make(map[string]bool)
	for _, x := range stuck {
		x.remark("cut off by Close")
		running[x.record.RemoteAddr] = true
	}
	for _, c := range conns {
		c.Close()
	}
	within(settled, min(s.closeTimeout, time.Second)) // handlers see it by their request's context

	var b strings.Builder
	fmt.Fprintf(&b, "httpfake: %s still running %v after Close, and cut off:", wasWere(len(stuck), "request"), s.closeTimeout)
	for _, x := range stuck {
		b.WriteString("\n\t" + x.stuck())
	}
	for _, c := range conns {
		if addr := c.RemoteAddr().String(); !running[addr] {
			fmt.Fprintf(&b, "\n\ta connection from %s without a request", addr)
		}
	}
	return errors.New(b.String())
}

// stuck names a request that Close has cut off.
func (x *exchange) stuck() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	took, now := x.took, "ended when it was cut off"
	if took == 0 {
		took, now = time.Since(x.record.Time), "runs on: it does not look at its request's context"
	}
	by := "no stub"
	if x.route != nil {
		by = fmt.Sprintf("%s %q, written at %s", x.route.kind(), x.route.pattern, x.route.place)
	}
	return fmt.Sprintf("#%d %s, after %s, by %s; it %s", x.number, requestLine(&x.record), span(took), by, now)
}

// within waits for done, but not longer than d, and reports whether it came.
func within(done <-chan struct{}, d time.Duration) bool {
	select {
	case <-done:
		return true
	default:
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
