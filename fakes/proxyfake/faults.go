package proxyfake

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Fault is what happens to one direction of each connection, or to the datagrams
// of one: Latency, Bandwidth, Slice, Corrupt, Limit, Lose, BlackHole, Timeout,
// HalfClose, Close, Reset, or one of them After something.
type Fault interface {
	check(network string) error
	// begin makes the state that the fault has for one connection.
	begin(r *rand.Rand) filter
}

// filter changes what passes. It is used by one goroutine.
type filter interface {
	// pass takes a piece of what was sent, whose time to be delivered is set, and
	// hands on what becomes of it.
	pass(p piece, on func(piece))
}

// piece is some bytes on their way; b is the receiver's.
type piece struct {
	b   []byte
	due time.Time // not before
	act action    // after the bytes
}

// action ends something.
type action int

const (
	none action = iota
	halfClose
	closeBoth
	resetBoth
	cutBoth // without a look at what is unread
)

// Latency delivers later. Pieces keep their order in TCP; in UDP jitter changes
// it.
type Latency struct {
	// Delay is for all, and Jitter the most that is added or taken away, evenly
	// distributed; the sum is not below 0.
	Delay, Jitter time.Duration
}

func (l Latency) check(string) error {
	if l.Delay < 0 || l.Jitter < 0 {
		return fmt.Errorf("%+v: a time is negative", l)
	}
	return nil
}

func (l Latency) begin(r *rand.Rand) filter {
	return filterFunc(func(p piece, on func(piece)) {
		d := l.Delay
		if l.Jitter > 0 {
			d += time.Duration(r.Int64N(int64(2*l.Jitter)+1)) - l.Jitter
		}
		p.due = p.due.Add(max(0, d))
		on(p)
	})
}

// Bandwidth delivers no faster.
type Bandwidth struct {
	// Rate is in bytes for each second.
	Rate int64
}

func (b Bandwidth) check(string) error {
	if b.Rate <= 0 {
		return fmt.Errorf("%+v: the rate is not positive; BlackHole delivers nothing", b)
	}
	return nil
}

func (b Bandwidth) begin(*rand.Rand) filter {
	var free time.Time
	return filterFunc(func(p piece, on func(piece)) {
		// A tenth of a second at a time, so that a large piece does not wait whole.
		for step := max(1, int(b.Rate/10)); ; {
			n := min(step, len(p.b))
			part := piece{b: p.b[:n:n], due: p.due}
			if free.Before(p.due) {
				free = p.due
			}
			free = free.Add(time.Duration(float64(n) / float64(b.Rate) * float64(time.Second)))
			part.due = free
			if p.b = p.b[n:]; len(p.b) == 0 {
				part.act = p.act
				on(part)
				return
			}
			on(part)
		}
	})
}

// Slice delivers in small pieces, each in a segment of its own as far as the
// kernel lets them. It is not for datagrams.
type Slice struct {
	// Size is of each piece in bytes, and Variation the most that is added or
	// taken away.
	Size, Variation int
	// Delay is between one and the next.
	Delay time.Duration
}

func (s Slice) check(network string) error {
	if s.Size <= 0 || s.Variation < 0 || s.Variation >= s.Size || s.Delay < 0 {
		return fmt.Errorf("%+v: the size has to be positive, and the variation smaller", s)
	}
	return streamsOnly(s, network)
}

func (s Slice) begin(r *rand.Rand) filter {
	return filterFunc(func(p piece, on func(piece)) {
		for due := p.due; ; due = due.Add(s.Delay) {
			n := s.Size
			if s.Variation > 0 {
				n += r.IntN(2*s.Variation+1) - s.Variation
			}
			n = min(n, len(p.b))
			part := piece{b: p.b[:n:n], due: due}
			if p.b = p.b[n:]; len(p.b) == 0 {
				part.act = p.act
				on(part)
				return
			}
			on(part)
		}
	})
}

// Corrupt changes bytes to others.
type Corrupt struct {
	// Rate is which part of the bytes, from 0 to 1; 1 is each.
	Rate float64
}

func (c Corrupt) check(string) error { return rate(c, c.Rate) }

func (c Corrupt) begin(r *rand.Rand) filter {
	return filterFunc(func(p piece, on func(piece)) {
		b := append([]byte(nil), p.b...)
		for i := range b {
			if r.Float64() < c.Rate {
				b[i] ^= byte(1 + r.IntN(255))
			}
		}
		p.b = b
		on(p)
	})
}

// Lose loses datagrams. It is not for streams, which lose nothing.
type Lose struct {
	// Rate is which part of them, from 0 to 1.
	Rate float64
}

func (l Lose) check(network string) error {
	if network != "udp" {
		return fmt.Errorf("%T is for datagrams: a stream loses nothing; BlackHole swallows it", l)
	}
	return rate(l, l.Rate)
}

func (l Lose) begin(r *rand.Rand) filter {
	return filterFunc(func(p piece, on func(piece)) {
		if r.Float64() >= l.Rate {
			on(p)
		}
	})
}

// BlackHole swallows everything, the end of the stream as well.
type BlackHole struct{}

func (BlackHole) check(string) error { return nil }

func (BlackHole) begin(*rand.Rand) filter { return filterFunc(func(piece, func(piece)) {}) }

// Limit passes so many bytes of a stream, and then closes the connection.
type Limit struct {
	// Bytes is how many.
	Bytes int64
}

func (l Limit) check(network string) error {
	if l.Bytes < 0 {
		return fmt.Errorf("%+v: the number of bytes is negative", l)
	}
	return streamsOnly(l, network)
}

func (l Limit) begin(*rand.Rand) filter {
	left := l.Bytes
	return filterFunc(func(p piece, on func(piece)) {
		if left < 0 {
			return
		}
		if left -= int64(len(p.b)); left <= 0 {
			p.b, p.act = p.b[:int64(len(p.b))+left], closeBoth
			left = -1
		}
		on(p)
	})
}

// HalfClose ends one direction of a stream: its reader sees the end, and what was
// sent after is swallowed. The other direction goes on.
type HalfClose struct{}

// Close closes the connection, so that both sides see the end of the stream.
type Close struct{}

// Reset resets the connection, so that both sides see an error (RST).
type Reset struct{}

func (f HalfClose) check(network string) error { return streamsOnly(f, network) }
func (f Close) check(network string) error     { return streamsOnly(f, network) }
func (f Reset) check(network string) error     { return streamsOnly(f, network) }

func (HalfClose) begin(*rand.Rand) filter { return ender(halfClose) }
func (Close) begin(*rand.Rand) filter     { return ender(closeBoth) }
func (Reset) begin(*rand.Rand) filter     { return ender(resetBoth) }

// ender ends the direction in place of the first piece.
func ender(act action) filter {
	ended := false
	return filterFunc(func(p piece, on func(piece)) {
		if !ended {
			ended = true
			on(piece{due: p.due, act: act})
		}
	})
}

type filterFunc func(p piece, on func(piece))

func (f filterFunc) pass(p piece, on func(piece)) { f(p, on) }

func streamsOnly(f Fault, network string) error {
	if network != "tcp" {
		return fmt.Errorf("%T is for streams: a datagram has no connection", f)
	}
	return nil
}

func rate(f Fault, r float64) error {
	if !(r >= 0 && r <= 1) {
		return fmt.Errorf("%T: the rate %v is not between 0 and 1", f, r)
	}
	return nil
}
