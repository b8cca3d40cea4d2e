package proxyfake

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"sync"
	"time"
)

// conn is a connection with the one that leads on.
type conn struct {
	server   *Server
	number   uint64
	born     time.Time
	client   *net.TCPConn
	upstream *net.TCPConn // nil until it is connected

	ending sync.Mutex
	over   bool
	closed chan struct{}
}

func (c *conn) serve() {
	defer c.end(cutBoth)
	ctx, cancel := context.WithCancel(c.server.ctx)
	defer cancel()
	up, err := c.server.dialer.DialContext(ctx, "tcp", c.server.config.Upstream)
	if err != nil {
		c.end(resetBoth)
		return
	}
	c.ending.Lock()
	c.upstream = up.(*net.TCPConn)
	over := c.over
	c.ending.Unlock()
	if over {
		reset(c.upstream)
		return
	}
	var pumps sync.WaitGroup
	pumps.Go(func() { c.pump(&c.server.up, c.client, c.upstream, false) })
	pumps.Go(func() { c.pump(&c.server.down, c.upstream, c.client, true) })
	pumps.Wait()
}

// end ends both connections.
func (c *conn) end(act action) {
	c.ending.Lock()
	defer c.ending.Unlock()
	if c.over {
		return
	}
	c.over = true
	close(c.closed)
	for _, half := range []*net.TCPConn{c.client, c.upstream} {
		switch {
		case half == nil:
		case act == resetBoth:
			reset(half)
		case act == closeBoth:
			c.server.works.Go(func() { finish(half) })
		default:
			half.Close()
		}
	}
}

// finish closes a connection so that its other end sees the end of the stream:
// while something is unread the kernel would reset it.
func finish(c *net.TCPConn) {
	defer c.Close()
	_ = c.CloseWrite() // it is closed
	// Not a deadline: the pumps set those too.
	timer := time.AfterFunc(200*time.Millisecond, func() { c.Close() })
	defer timer.Stop()
	_, _ = io.Copy(io.Discard, c)
}

func reset(c *net.TCPConn) {
	_ = c.SetLinger(0)
	c.Close()
}

// past is a deadline that interrupts a read.
var past = time.Unix(1, 0)

// errChanged says that other faults are to be applied from here on.
var errChanged = errors.New("the faults have changed")

// pump moves what comes from src to dst, until it ends.
func (c *conn) pump(d *direction, src, dst *net.TCPConn, down bool) {
	for {
		faults, changed, version := d.get()
		interrupted := make(chan struct{})
		stop := context.AfterFunc(changed, func() {
			defer close(interrupted)
			_ = src.SetReadDeadline(past) // it is closed
		})
		var err error
		if len(faults) == 0 {
			_, err = io.Copy(dst, src) // the kernel's, where it can
		} else {
			err = c.pass(faults, changed, src, dst, c.server.random(c.number, version, down))
		}
		if !stop() {
			<-interrupted
			_ = src.SetReadDeadline(time.Time{})
		}
		switch {
		case errors.Is(err, errSwallowed):
			return
		case err == nil:
			_ = dst.CloseWrite() // it is closed
			return
		case changed.Err() != nil && (errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, errChanged)):
			continue
		default:
			c.end(resetBoth) // as whoever it was did
			return
		}
	}
}

// errSwallowed is the end of a direction that nobody shall see.
var errSwallowed = errors.New("swallowed")

// queued is how many pieces may be on their way at once.
const queued = 1024

// pass is pump with faults, which passes on the end itself, if at all.
func (c *conn) pass(faults []Fault, changed context.Context, src, dst *net.TCPConn, r *rand.Rand) error {
	queue := make(chan piece, queued)
	broken := make(chan struct{}) // closed when nothing more can be delivered
	var delivered error
	var deliverer sync.WaitGroup
	deliverer.Go(func() {
		defer close(broken)
		delivered = c.deliver(queue, changed, dst)
	})
	in := chain(faults, r, func(p piece) {
		select {
		case queue <- p:
		case <-broken:
		}
	})
	err := c.read(src, faults, changed, broken, in)
	close(queue)
	deliverer.Wait()
	if err == nil || delivered != nil {
		err = delivered
		if err == nil {
			err = errSwallowed
		}
	}
	return err
}

// read hands on what comes from src, and an empty piece when the time has come
// for something. It returns nil at the end of the stream.
func (c *conn) read(src *net.TCPConn, faults []Fault, changed context.Context, broken <-chan struct{}, in func(piece)) error {
	ages := timed(faults)
	slices.Sort(ages)
	for {
		now := time.Now()
		for len(ages) > 0 && now.Sub(c.born) >= ages[0] {
			ages = ages[1:]
			in(piece{due: now})
		}
		if len(ages) > 0 && changed.Err() == nil {
			_ = src.SetReadDeadline(c.born.Add(ages[0])) // closed: the read tells
			if changed.Err() != nil {
				_ = src.SetReadDeadline(past)
			}
		}
		b := make([]byte, 32<<10)
		n, err := src.Read(b)
		if n > 0 {
			in(piece{b: b[:n], due: time.Now()})
		}
		switch {
		case changed.Err() != nil && errors.Is(err, os.ErrDeadlineExceeded):
			return errChanged
		case errors.Is(err, os.ErrDeadlineExceeded):
			_ = src.SetReadDeadline(time.Time{})
		case errors.Is(err, io.EOF):
			in(piece{due: time.Now(), act: halfClose})
			return nil
		case err != nil:
			return err
		}
		select {
		case <-broken:
			// Whoever sends is not to notice that nobody reads.
			_, err := io.Copy(io.Discard, src)
			if changed.Err() != nil && errors.Is(err, os.ErrDeadlineExceeded) {
				return errSwallowed
			}
			return err
		default:
		}
	}
}

// deliver writes pieces when they are due, or at once when the faults have
// changed. It returns errSwallowed when it has passed on an end.
func (c *conn) deliver(queue <-chan piece, changed context.Context, dst *net.TCPConn) error {
	for p := range queue {
		if d := time.Until(p.due); d > 0 {
			timer := time.NewTimer(d)
			select {
			case <-timer.C:
			case <-changed.Done():
			case <-c.closed:
			}
			timer.Stop()
		}
		if len(p.b) > 0 {
			if _, err := dst.Write(p.b); err != nil {
				c.end(resetBoth)
				return errSwallowed
			}
		}
		switch p.act {
		case none:
		case halfClose:
			_ = dst.CloseWrite() // it is closed
			return errSwallowed
		default:
			c.end(p.act)
			return errSwallowed
		}
	}
	return nil
}
