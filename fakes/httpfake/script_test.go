package httpfake_test

import (
	"bytes"
	"io"
	"net"
	"sync"
	"time"

	"github.com/standin-go/standin/fakes/httpfake"
)

// script is a connection on which the client has sent all that it will, and
// half closed. A fuzz target opens thousands in a second; with sockets, the
// machine would run out of ports.
type script struct {
	sent   bytes.Reader
	closed chan struct{}
	once   sync.Once

	mu     sync.Mutex
	answer bytes.Buffer
}

func (s *script) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return s.sent.Read(p)
}

func (s *script) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answer.Write(p)
}

func (s *script) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

func (*script) LocalAddr() net.Addr              { return scriptAddr }
func (*script) RemoteAddr() net.Addr             { return scriptAddr }
func (*script) SetDeadline(time.Time) error      { return nil }
func (*script) SetReadDeadline(time.Time) error  { return nil }
func (*script) SetWriteDeadline(time.Time) error { return nil }

var scriptAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}

// scripts is a listener with one connection.
type scripts struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *scripts) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *scripts) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (*scripts) Addr() net.Addr { return scriptAddr }

// play lets write prepare a server, sends it what a client sends, and returns
// the server, closed, and its answer.
func play(config httpfake.Config, write func(*httpfake.Server), sent []byte) (*httpfake.Server, io.Reader, error) {
	l := &scripts{conns: make(chan net.Conn, 1), closed: make(chan struct{})}
	config.Listener = l
	srv, err := httpfake.NewServer(config)
	if err != nil {
		return nil, nil, err
	}
	write(srv)
	c := &script{closed: make(chan struct{})}
	c.sent.Reset(sent)
	l.conns <- c
	<-c.closed
	err = srv.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	return srv, bytes.NewReader(c.answer.Bytes()), err
}
