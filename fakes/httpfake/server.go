package httpfake

import (
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/standin-go/standin/portpool"
)

const (
	maxHeaderBytes    = 64 << 10
	readHeaderTimeout = 30 * time.Second
	closeTimeout      = 5 * time.Second
)

// Config configures a Server. The zero Config is a server on a free port of
// 127.0.0.1.
type Config struct {
	// Listener is where to serve; nil means portpool.Listen. It has to be a
	// TCP listener on a loopback address. The server closes it, unless
	// NewServer refuses it.
	Listener net.Listener

	// Fail is called, on the goroutine that made the mistake, with a mistake
	// in writing a stub: a malformed pattern, say. The error begins with the
	// file and line of the call. If Fail returns, the mistake changes nothing
	// and Check reports it. Nil means to panic with the error.
	Fail func(error)

	// CloseTimeout is how long Close waits for requests that are still
	// running. Zero means 5 seconds.
	CloseTimeout time.Duration
}

// Server is an HTTP server on a loopback port. All its methods may be called at
// any time and from any goroutine, also while it serves; its accessors keep
// their values after Close.
type Server struct {
	fail         func(error)
	closeTimeout time.Duration
	listener     net.Listener
	url          string
	start        time.Time
	http         http.Server
	protocols    http.Protocols
	mux          http.ServeMux // of *route
	served       chan struct{} // closed when the accept loop has ended
	closing      sync.Once
	closeErr     error

	writing sync.Mutex // held while a route is added

	mu        sync.Mutex
	client    *http.Client // nil until it is asked for
	routes    []*route     // in the order in which they were written
	log       requestLog
	running   exchangeList
	unmatched tally[*exchange]
	panics    tally[crash]
	mistakes  tally[error]
	serverLog tally[string]
	conns     map[net.Conn]http.ConnState
	hijacked  []net.Conn
	closed    bool
	settled   chan struct{} // closed when nothing runs; nil before Close
}

// NewServer starts a server, which is ready when NewServer returns. Its error
// is that of portpool.Listen, or says why Config.Listener is refused.
func NewServer(config Config) (*Server, error) {
	s := &Server{
		fail:         config.Fail,
		closeTimeout: config.CloseTimeout,
		listener:     config.Listener,
		start:        time.Now(),
		served:       make(chan struct{}),
		conns:        make(map[net.Conn]http.ConnState),
	}
	switch {
	case s.closeTimeout < 0:
		return nil, fmt.Errorf("httpfake: Config.CloseTimeout is %v; give a positive duration, or 0 for %v", s.closeTimeout, closeTimeout)
	case s.closeTimeout == 0:
		s.closeTimeout = closeTimeout
	}
	if s.listener == nil {
		l, err := portpool.Listen()
		if err != nil {
			return nil, fmt.Errorf("httpfake: start a server: %w", err)
		}
		s.listener = l
	} else if err := onLoopback(s.listener.Addr()); err != nil {
		return nil, fmt.Errorf("httpfake: Config.Listener: %w", err)
	}
	s.url = "http://" + s.listener.Addr().String()
	s.protocols.SetHTTP1(true) // to prepare HTTP/2 would take longer than all the rest
	s.http = http.Server{
		Protocols:                    &s.protocols,
		Handler:                      http.HandlerFunc(s.serve),
		DisableGeneralOptionsHandler: true, // OPTIONS * is a request like others
		MaxHeaderBytes:               maxHeaderBytes,
		ReadHeaderTimeout:            readHeaderTimeout,
		ConnState:                    s.connState,
		ErrorLog:                     log.New((*logWriter)(s), "", 0),
	}
	go func() {
		defer close(s.served)
		if err := s.http.Serve(s.listener); !errors.Is(err, net.ErrClosed) {
			s.http.ErrorLog.Printf("the server stopped accepting: %v", err)
		}
	}()
	return s, nil
}

// onLoopback refuses an address that other machines could reach.
func onLoopback(addr net.Addr) error {
	tcp, ok := addr.(*net.TCPAddr)
	switch {
	case !ok:
		return fmt.Errorf("%T %v is not a TCP address; listen with portpool.Listen", addr, addr)
	case !tcp.IP.IsLoopback():
		return fmt.Errorf("%v is not a loopback address, so other machines could reach it; listen on 127.0.0.1 or ::1, or with portpool.Listen", addr)
	}
	return nil
}

// URL returns the server's base, such as "http://127.0.0.1:40123", without a
// final slash.
func (s *Server) URL() string { return s.url }

// Addr returns the host and port that the server listens on, such as
// "127.0.0.1:40123".
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Client returns a client with connections of its own, which uses no proxy and
// keeps up to 64 idle connections to a host until Close. Any other client
// will do as well.
func (s *Server) Client() *http.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == nil {
		s.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	}
	return s.client
}

// tally keeps the first few of what may come without end, and counts the rest.
type tally[T any] struct {
	first []T
	count int
}

const tallied = 20

func (t *tally[T]) add(v T) {
	t.count++
	if len(t.first) < tallied {
		t.first = append(t.first, v)
	}
}

// logWriter takes what net/http has to say: it belongs into the report, not on
// the standard error of the program.
type logWriter Server

func (w *logWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serverLog.add(clip(string(line), 1000))
	return len(line), nil
}
