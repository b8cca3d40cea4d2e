package portpool

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"

	"github.com/standin-go/standin/internal/ephemeral"
)

// Range is a range of ports, both ends included.
type Range struct{ First, Last uint16 }

// String has the form "15000-26999".
func (r Range) String() string { return fmt.Sprintf("%d-%d", r.First, r.Last) }

// Size is the number of ports.
func (r Range) Size() int { return int(r.Last) - int(r.First) + 1 }

func (r Range) overlaps(o Range) bool { return r.First <= o.Last && o.First <= r.Last }

// quietRange is where no well-known server listens and no system's kernel
// picks ports by default.
var quietRange = Range{15000, 26999}

// minimalRange is how few ports are worth looking for.
const minimalRange = 256

// outside returns a range that the kernel does not pick from: quietRange as
// far as it is free of the kernel's, else the larger rest beside it.
func outside(facts ephemeral.Facts) (Range, bool) {
	kernel := Range{facts.Low, facts.High}
	if !quietRange.overlaps(kernel) {
		return quietRange, true
	}
	below, above := Range{1024, kernel.First - 1}, Range{kernel.Last + 1, 65535}
	if kernel.First <= 1024 {
		below = Range{1, 0}
	}
	if kernel.Last == 65535 {
		above = Range{1, 0}
	}
	best := below
	if above.Size() > below.Size() {
		best = above
	}
	return best, best.Size() >= minimalRange
}

// picker walks through the ports of a range.
type picker struct {
	span     Range
	reserved [][2]uint16
}

// How many ports are drawn at random, before the range is walked through from
// end to end: even ones first, since bind(:0) prefers the odd ones of the
// kernel's range, and then any.
const evenDraws, draws = 4, 12

// order yields ports to try until every port of the range was yielded.
func (p picker) order() iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		size := p.span.Size()
		for i := range draws {
			offset := rand.IntN(size)
			port := p.span.First + uint16(offset)
			if i < evenDraws && port%2 != 0 && port < p.span.Last {
				port++
			}
			if !p.isReserved(port) && !yield(port) {
				return
			}
		}
		start := rand.IntN(size)
		for i := range size {
			port := p.span.First + uint16((start+i)%size)
			if !p.isReserved(port) && !yield(port) {
				return
			}
		}
	}
}

// starts yields the first ports of blocks of n, each once.
func (p picker) starts(n int) iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		count := p.span.Size() - n + 1
		if count <= 0 {
			return
		}
		start := rand.IntN(count)
		for i := range count {
			if !yield(p.span.First + uint16((start+i)%count)) {
				return
			}
		}
	}
}

func (p picker) isReserved(port uint16) bool {
	return slices.ContainsFunc(p.reserved, func(r [2]uint16) bool { return r[0] <= port && port <= r[1] })
}

func only(port uint16) iter.Seq[uint16] {
	return func(yield func(uint16) bool) { yield(port) }
}
