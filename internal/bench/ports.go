package main

import (
	"fmt"

	"github.com/standin-go/standin/portpool"
)

func measurePorts(r *report, s scale) error {
	for _, step := range []func(*report, scale) error{pickAlone, pickLoaded, pickGuards, pickHalfFull, collisions} {
		if err := step(r, s); err != nil {
			return err
		}
	}
	return nil
}

// pickAlone compares picks per second of one goroutine.
func pickAlone(r *report, s scale) error {
	ours, bind, block := toolNamed(oursName), toolNamed(phayesName), toolNamed(consulName)
	// A port that consul's pool gives back waits until its pool looks at it
	// again, every 250 ms: it is measured with few picks.
	times, err := compare(s.rounds,
		perOperation(s.operations, ours.pickOnce),
		perOperation(s.operations, bind.pickOnce),
		perOperation(max(1, s.operations/50), block.pickOnce))
	if err != nil {
		return err
	}
	for i, peer := range []string{phayesName, consulName} {
		r.add(figure{
			name: "ports/picks-alone vs " + peer, ours: 1e9 / times[0], peer: 1e9 / times[i+1], format: perSecond,
		})
	}
	return nil
}

// pickHalfFull compares picks from a range of which half is leased with picks
// from an empty one.
func pickHalfFull(r *report, s scale) error {
	span := portpool.Range{First: 20000, Last: 23999}
	pool, err := portpool.New(portpool.Config{Range: span})
	if err != nil {
		return err
	}
	pick := func() error {
		lease, err := pool.Reserve()
		if err == nil {
			lease.Release()
		}
		return err
	}
	empty := perOperation(s.operations, pick)
	halfFull := func() (float64, error) {
		leases, err := pool.ReserveN(span.Size() / 2)
		if err != nil {
			return 0, fmt.Errorf("lease half of %s: %w", span, err)
		}
		defer func() {
			for _, l := range leases {
				l.Release()
			}
		}()
		return perOperation(s.operations, pick)()
	}
	times, err := compare(s.rounds/2+1, halfFull, empty)
	if err != nil {
		return err
	}
	r.atMost("ports/pick half-full vs empty range", times[0], times[1], 3, nanoseconds)
	return nil
}
