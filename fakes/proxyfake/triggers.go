package proxyfake

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// after is a fault with a trigger.
type after struct {
	bytes int64
	time  time.Duration
	fault Fault
}

// After is a fault that begins for a connection when so many bytes have passed in
// its direction and the connection is so old. What passes before is untouched.
func After(bytes int64, age time.Duration, fault Fault) Fault { return after{bytes, age, fault} }

// Timeout is a connection that goes silent in a direction at some age, and is
// closed some time later.
func Timeout(age, silence time.Duration) Fault {
	return after{0, age, timeout{silence}}
}

func (a after) check(network string) error {
	if a.fault == nil {
		return errors.New("After: there is no fault")
	}
	if a.bytes < 0 || a.time < 0 {
		return fmt.Errorf("After: %d bytes or an age of %v is negative", a.bytes, a.time)
	}
	return a.fault.check(network)
}

func (a after) begin(r *rand.Rand) filter {
	born, left := time.Now(), a.bytes
	inner := a.fault.begin(r)
	return filterFunc(func(p piece, on func(piece)) {
		if time.Since(born) < a.time {
			left -= int64(len(p.b))
			on(p)
			return
		}
		if left > 0 {
			n := min(left, int64(len(p.b)))
			before := piece{b: p.b[:n:n], due: p.due}
			if p.b, left = p.b[n:], left-n; left > 0 {
				before.act = p.act
				on(before)
				return
			}
			on(before)
		}
		inner.pass(p, on) // at once, also when nothing follows
	})
}

// timeout swallows all, and closes after a time.
type timeout struct{ silence time.Duration }

func (t timeout) check(network string) error {
	if t.silence < 0 {
		return fmt.Errorf("Timeout: %v is negative", t.silence)
	}
	return streamsOnly(Close{}, network)
}

func (t timeout) begin(*rand.Rand) filter {
	begun := false
	return filterFunc(func(p piece, on func(piece)) {
		if !begun {
			begun = true
			on(piece{due: p.due.Add(t.silence), act: closeBoth})
		}
	})
}

// timed tells at which ages of a connection something may happen in a direction
// without anybody sending anything.
func timed(faults []Fault) []time.Duration {
	var ages []time.Duration
	for _, f := range faults {
		switch f := f.(type) {
		case after:
			if f.bytes == 0 {
				ages = append(ages, f.time)
			}
		case HalfClose, Close, Reset:
			ages = append(ages, 0)
		case Limit:
			if f.Bytes == 0 {
				ages = append(ages, 0)
			}
		}
	}
	return ages
}
