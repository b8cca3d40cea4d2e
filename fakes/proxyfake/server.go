package proxyfake

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/standin-go/standin/portpool"
)

// Config configures a Server. Only Upstream is required.
type Config struct {
	// Upstream is where the server is, "127.0.0.1:5432". It need not be there yet.
	Upstream string
	// Network is "tcp" or "udp". Default: "tcp".
	Network string
	// Seed makes what is random the same each time. Default: 1.
	Seed uint64
}

// Server is a proxy on a loopback port. Its methods may be called at any time and
// from any goroutine.
type Server struct {
	config  Config
	lease   *portpool.Lease
	dialer  net.Dialer
	ctx     context.Context // done by Close
	cancel  context.CancelFunc
	up      direction
	down    direction
	works   sync.WaitGroup
	closing func() error

	mu       sync.Mutex
	listener net.Listener // nil while it refuses, and for datagrams
	packets  net.PacketConn
	conns    map[*conn]bool
	accepted int    // since the start, or the last Drop
	drops    []int  // which of them
	number   uint64 // of the last connection
	sessions map[string]*session
}

// direction is what is done to one.
type direction struct {
	mu      sync.Mutex
	faults  []Fault
	ctx     context.Context // done when they change
	changed context.CancelFunc
	version uint64
}

func (d *direction) set(faults []Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changed != nil {
		d.changed()
	}
	d.ctx, d.changed = context.WithCancel(context.Background())
	d.faults = faults
	d.version++
}

func (d *direction) get() (faults []Fault, changed context.Context, version uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.faults, d.ctx, d.version
}

// NewServer starts a proxy, which is ready when NewServer returns.
func NewServer(config Config) (*Server, error) {
	if config.Network == "" {
		config.Network = "tcp"
	}
	if config.Seed == 0 {
		config.Seed = 1
	}
	if _, _, err := net.SplitHostPort(config.Upstream); err != nil {
		return nil, fmt.Errorf("proxyfake: the upstream %q: %w; write it as 127.0.0.1:5432", config.Upstream, err)
	}
	network := portpool.TCP
	switch config.Network {
	case "tcp":
	case "udp":
		network = portpool.UDP
	default:
		return nil, fmt.Errorf("proxyfake: the network %q is neither tcp nor udp", config.Network)
	}
	pool, err := portpool.New(portpool.Config{Network: network})
	if err != nil {
		return nil, err
	}
	s := &Server{config: config, conns: map[*conn]bool{}, sessions: map[string]*session{}}
	if s.lease, err = pool.Reserve(); err != nil {
		return nil, err
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.closing = sync.OnceValue(s.close)
	s.up.set(nil)
	s.down.set(nil)
	if network == portpool.UDP {
		if s.packets, err = s.lease.ListenPacket(); err == nil {
			s.works.Go(s.receive)
		}
	} else {
		err = s.listen()
	}
	if err != nil {
		return nil, errors.Join(err, s.lease.Release())
	}
	return s, nil
}

// Addr is where the proxy is, "127.0.0.1:40000".
func (s *Server) Addr() string { return s.lease.Addr() }

// Up sets the faults of what goes to the server, in place of the old ones; none
// are none. It refuses faults that make no sense, and changes nothing then.
func (s *Server) Up(faults ...Fault) error { return s.set(&s.up, faults) }

// Down is Up for what comes from the server.
func (s *Server) Down(faults ...Fault) error { return s.set(&s.down, faults) }

func (s *Server) set(d *direction, faults []Fault) error {
	for i, f := range faults {
		if f == nil {
			return fmt.Errorf("proxyfake: fault %d is nil", i)
		}
		if err := f.check(s.config.Network); err != nil {
			return fmt.Errorf("proxyfake: %w", err)
		}
	}
	d.set(slices.Clone(faults))
	return nil
}

// Refuse says whether new connections are refused, as where nobody listens. Those
// that are open go on. Datagrams have no connections: it returns an error.
func (s *Server) Refuse(refuse bool) error {
	if s.packets != nil {
		return errors.New("proxyfake: Refuse is for streams: a datagram has no connection; BlackHole swallows it")
	}
	s.mu.Lock()
	l := s.listener
	if refuse {
		s.listener = nil
	}
	s.mu.Unlock()
	switch {
	case refuse && l != nil:
		return l.Close()
	case !refuse && l == nil:
		return s.listen()
	}
	return nil
}

// Drop resets connections as they come: the first from now on is 1. Those of an
// earlier call that have not come are forgotten.
func (s *Server) Drop(numbers ...int) error {
	if s.packets != nil {
		return errors.New("proxyfake: Drop is for streams: a datagram has no connection; Lose loses it")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accepted, s.drops = 0, slices.Clone(numbers)
	return nil
}

// Reset resets all connections that are open.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.end(resetBoth)
	}
}

// Connections is how many connections are open: senders, for datagrams.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns) + len(s.sessions)
}

// Close ends the proxy and its connections, and returns when they have ended.
// Further calls do nothing.
func (s *Server) Close() error { return s.closing() }

func (s *Server) close() error {
	s.cancel()
	var err error
	s.mu.Lock()
	if s.listener != nil {
		err = s.listener.Close()
		s.listener = nil
	}
	if s.packets != nil {
		err = s.packets.Close()
	}
	for c := range s.conns {
		c.end(cutBoth)
	}
	for _, session := range s.sessions {
		session.up.Close()
	}
	s.mu.Unlock()
	s.works.Wait()
	return errors.Join(err, s.lease.Release())
}

func (s *Server) listen() error {
	l, err := s.lease.Listen()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil || s.listener != nil {
		return l.Close()
	}
	s.listener = l
	s.works.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // closed
			}
			s.accept(c.(*net.TCPConn))
		}
	})
	return nil
}

func (s *Server) accept(client *net.TCPConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accepted++
	s.number++
	if s.ctx.Err() != nil || slices.Contains(s.drops, s.accepted) {
		reset(client)
		return
	}
	c := &conn{server: s, client: client, number: s.number, born: time.Now(), closed: make(chan struct{})}
	s.conns[c] = true
	s.works.Go(func() {
		c.serve()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.conns, c)
	})
}

// random is the source of one direction of one connection.
func (s *Server) random(connection, version uint64, down bool) *rand.Rand {
	stream := connection<<20 ^ version<<1
	if down {
		stream ^= 1
	}
	return rand.New(rand.NewPCG(s.config.Seed, stream))
}

// chain makes one filter of faults; what comes out goes to on.
func chain(faults []Fault, r *rand.Rand, on func(piece)) func(piece) {
	for _, f := range slices.Backward(faults) {
		filter, next := f.begin(r), on
		on = func(p piece) { filter.pass(p, next) }
	}
	return on
}
