// Command bench measures standin against its peers, all in one interleaved
// run, and prints a line for each figure, tab-separated:
//
//	name  ours  peer  ratio  goal  ok|short
//
// The ratio is ours divided by the peer's. It is a module of its own so that
// the peers stay out of the requirements of standin's users. It is not a test:
// nothing here passes or fails on a time.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/standin-go/standin/internal/pgprograms"
)

// part is a group of figures that -only can choose.
type part struct {
	name    string
	measure func(*report, scale) error
}

var parts = []part{
	{"ports", measurePorts},
	{"http", measureHTTP},
	{"proxy", measureProxy},
	{"postgres", measurePostgres},
	{"containers", measureContainers},
}

// scale is how much is measured; tests measure little.
type scale struct {
	rounds     int // of each interleaved comparison
	operations int // of a round
	picks      int // whose collisions are counted, for each tool
	requests   int // of a round
	tests      int // of a suite
}

var full = scale{rounds: 41, operations: 250, picks: 9600, requests: 400, tests: 1000}

func main() {
	if order := os.Getenv(workerVariable); order != "" {
		os.Exit(runWorker(order))
	}
	only := flag.String("only", "", "the parts to measure, separated by commas: "+partNames()+" (default all)")
	flag.Parse()
	if err := run(*only, full); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func partNames() string {
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	return strings.Join(names, ",")
}

func run(only string, s scale) error {
	chosen := strings.Split(only, ",")
	for _, name := range chosen {
		if only != "" && !slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) {
			return fmt.Errorf("there is no part %q; there are %s", name, partNames())
		}
	}
	r := &report{out: os.Stdout}
	for _, p := range parts {
		if only != "" && !slices.Contains(chosen, p.name) {
			continue
		}
		if err := p.run(r, s, only != ""); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// run measures the part, or says why it is left out; a part that was asked for
// is not.
func (p part) run(r *report, s scale, asked bool) error {
	fmt.Fprintf(os.Stderr, "bench: measuring %s…\n", p.name)
	err := p.measure(r, s)
	var missing *pgprograms.NotFoundError
	if (errors.As(err, &missing) || errors.Is(err, errNoEngine)) && !asked {
		fmt.Fprintf(os.Stderr, "bench: %s is left out: %v\n", p.name, err)
		return nil
	}
	return err
}
