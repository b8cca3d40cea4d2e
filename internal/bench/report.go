package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

// report prints figures as they come.
type report struct{ out io.Writer }

// figure is one comparison.
type figure struct {
	name       string
	ours, peer float64
	format     func(float64) string
	goal       string // "" for a figure that only informs
	reached    func(ours, peer float64) bool
}

func (r *report) add(f figure) {
	ratio := "-"
	if f.peer != 0 {
		ratio = fmt.Sprintf("%.2f", f.ours/f.peer)
	}
	verdict := "ok"
	if f.reached != nil && !f.reached(f.ours, f.peer) {
		verdict = "short"
	}
	goal := f.goal
	if goal == "" {
		goal = "-"
	}
	fmt.Fprintf(r.out, "%s\t%s\t%s\t%s\t%s\t%s\n", f.name, f.format(f.ours), f.format(f.peer), ratio, goal, verdict)
}

// atMost adds a figure whose ratio has a limit.
func (r *report) atMost(name string, ours, peer, limit float64, format func(float64) string) {
	r.add(figure{
		name: name, ours: ours, peer: peer, format: format, goal: fmt.Sprintf("<=%.2g", limit),
		reached: func(ours, peer float64) bool { return ours <= limit*peer },
	})
}

// atLeast adds a figure, of which more is better, whose ratio has a limit.
func (r *report) atLeast(name string, ours, peer, limit float64, format func(float64) string) {
	r.add(figure{
		name: name, ours: ours, peer: peer, format: format, goal: fmt.Sprintf(">=%.2g", limit),
		reached: func(ours, peer float64) bool { return ours >= limit*peer },
	})
}

func nanoseconds(v float64) string {
	d := time.Duration(v)
	for _, unit := range []time.Duration{time.Second, time.Millisecond, time.Microsecond} {
		if d >= unit {
			return d.Round(unit / 100).String()
		}
	}
	return d.String()
}

func megabytes(v float64) string { return fmt.Sprintf("%.0f MB/s", v/1e6) }

func perSecond(v float64) string { return fmt.Sprintf("%.0f/s", v) }

func number(v float64) string { return fmt.Sprintf("%.1f", v) }

func whole(v float64) string { return fmt.Sprintf("%.0f", v) }

// median of a list that has at least one value.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// quantile returns the value below which the part q of a list lies.
func quantile(values []float64, q float64) float64 {
	return slices.Sorted(slices.Values(values))[int(q*float64(len(values)-1))]
}

// compare runs the functions in turn, round after round, in an order that
// changes, and returns the median of what each returned.
func compare(rounds int, measures ...func() (float64, error)) ([]float64, error) {
	single := make([]func() ([]float64, error), len(measures))
	for i, measure := range measures {
		single[i] = func() ([]float64, error) {
			v, err := measure()
			return []float64{v}, err
		}
	}
	values, err := collect(rounds, single...)
	if err != nil {
		return nil, err
	}
	medians := make([]float64, len(measures))
	for i, v := range values {
		medians[i] = median(v)
	}
	return medians, nil
}

// collect is like compare, and returns all that each returned.
func collect(rounds int, measures ...func() ([]float64, error)) ([][]float64, error) {
	values := make([][]float64, len(measures))
	for round := range rounds {
		for i := range measures {
			m := (i + round) % len(measures)
			v, err := measures[m]()
			if err != nil {
				return nil, err
			}
			values[m] = append(values[m], v...)
		}
	}
	return values, nil
}

// perOperation returns the time of one of n operations, in nanoseconds.
func perOperation(n int, operation func() error) func() (float64, error) {
	return func() (float64, error) {
		started := time.Now()
		for range n {
			if err := operation(); err != nil {
				return math.NaN(), err
			}
		}
		return float64(time.Since(started)) / float64(n), nil
	}
}
