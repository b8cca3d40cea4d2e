package main

import (
	"fmt"
	"time"
)

// maxHold is how long a server may take from the pick to its bind.
const maxHold = 100 * time.Millisecond

// pickLoaded compares picks per second of many goroutines in several
// processes, while another process binds and connects.
func pickLoaded(r *report, s scale) error {
	const processes, workers = 4, 8
	rates := func(name string, picks int) func() (float64, error) {
		return func() (float64, error) {
			total, err := underLoad(processes, order{Tool: name, Workers: workers, Picks: picks})
			return float64(total.Picks) / total.Seconds, err
		}
	}
	medians, err := compare(s.rounds/10+1,
		rates(oursName, s.operations*20), rates(phayesName, s.operations*20), rates(consulName, max(1, s.operations/5)))
	if err != nil {
		return err
	}
	for i, peer := range []string{phayesName, consulName} {
		r.add(figure{name: "ports/picks-loaded vs " + peer, ours: medians[0], peer: medians[i+1], format: perSecond})
	}
	return nil
}

// collisions counts picks that somebody else had when the server bound them.
func collisions(r *report, s scale) error {
	const processes, workers = 8, 8
	rounds := min(s.rounds, 4)
	counts := make(map[string]float64)
	for range rounds {
		for _, t := range tools {
			total, err := underLoad(processes, order{
				Tool: t.name, Workers: workers, Picks: s.picks / rounds / processes, Hold: maxHold, Bind: true,
			})
			if err != nil {
				return err
			}
			counts[t.name] += float64(total.Collisions)
		}
	}
	for _, peer := range []string{phayesName, consulName} {
		f := figure{
			name: fmt.Sprintf("ports/collisions in %d picks vs %s", s.picks, peer),
			ours: counts[oursName], peer: counts[peer], format: whole, goal: "0",
			reached: func(ours, _ float64) bool { return ours == 0 },
		}
		if peer == phayesName {
			f.goal = "0, peer >0"
			f.reached = func(ours, peer float64) bool { return ours == 0 && peer > 0 }
		}
		r.add(f)
	}
	return nil
}
