package main

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/standin-go/standin/internal/pgprograms"
)

func TestMain(m *testing.M) {
	if o := os.Getenv(workerVariable); o != "" {
		os.Exit(runWorker(o))
	}
	os.Exit(m.Run())
}

// small is enough to see that every figure is measured and printed.
var small = scale{rounds: 1, operations: 10, picks: 256, requests: 10, tests: 8}

func TestEveryPartPrintsItsFigures(t *testing.T) {
	for _, p := range parts {
		t.Run(p.name, func(t *testing.T) {
			var out bytes.Buffer
			err := p.measure(&report{out: &out}, small)
			if errors.Is(err, errNoEngine) && os.Getenv("CI") != "true" {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			if len(lines) < 4 {
				t.Errorf("%d figures, want 4 or more:\n%s", len(lines), out.String())
			}
			for _, line := range lines {
				columns := strings.Split(line, "\t")
				if len(columns) != 6 || !strings.HasPrefix(columns[0], p.name+"/") || columns[5] != "ok" && columns[5] != "short" {
					t.Errorf("a figure is not name, ours, peer, ratio, goal, ok|short: %q", line)
				}
			}
		})
	}
}

func TestWithoutPostgres(t *testing.T) {
	t.Setenv(pgprograms.Variable, t.TempDir())
	i := slices.IndexFunc(parts, func(p part) bool { return p.name == "postgres" })
	for _, asked := range []bool{false, true} {
		var out bytes.Buffer
		err := parts[i].run(&report{out: &out}, small, asked)
		var missing *pgprograms.NotFoundError
		if errors.As(err, &missing) != asked || out.Len() > 0 {
			t.Errorf("asked for: %v; error %v, figures %q; want the error only when asked for, and no figures", asked, err, out.String())
		}
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]figure{
		"a\t2.0\t4.0\t0.50\t-\tok\n": {name: "a", ours: 2, peer: 4, format: number},
		"b\t5.0\t4.0\t1.25\t<=1.2\tshort\n": {
			name: "b", ours: 5, peer: 4, format: number, goal: "<=1.2",
			reached: func(ours, peer float64) bool { return ours <= 1.2*peer },
		},
		"c\t0\t0\t-\t0\tok\n": {name: "c", format: whole, goal: "0", reached: func(ours, _ float64) bool { return ours == 0 }},
	} {
		var out bytes.Buffer
		(&report{out: &out}).add(f)
		if out.String() != want {
			t.Errorf("printed %q, want %q", out.String(), want)
		}
	}
	var out bytes.Buffer
	(&report{out: &out}).atMost("d", 1800, 1200, 1.5, nanoseconds)
	if want := "d\t1.8µs\t1.2µs\t1.50\t<=1.5\tok\n"; out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
}

func TestQuantiles(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		values []float64
		want   float64
	}{{[]float64{3}, 3}, {[]float64{3, 1, 2}, 2}, {[]float64{4, 1, 2, 3}, 2.5}} {
		if got := median(test.values); got != test.want {
			t.Errorf("the median of %v is %v, want %v", test.values, got, test.want)
		}
	}
	hundred := make([]float64, 101)
	for i := range hundred {
		hundred[i] = float64(100 - i)
	}
	if got := quantile(hundred, 0.99); got != 99 {
		t.Errorf("of the numbers from 0 to 100 the 99th percentile is %v, want 99", got)
	}
}

func TestAnUnknownPart(t *testing.T) {
	t.Parallel()
	if err := run("ports,prots", small); err == nil || !strings.Contains(err.Error(), `"prots"; there are ports,http`) {
		t.Errorf("error %v; want one that names the part and lists those there are", err)
	}
}
