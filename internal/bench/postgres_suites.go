package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/standin-go/standin/internal/lifetime"
)

// suites compares the time of many small tests, each with a database of its
// own, with the same tests in packages that have a database each and empty all
// its tables before every test, which forbids tests of a package to run at
// once. Eight tests run at once in both, on the same server; packages keep
// their connections.
//
// Beside it is what a copy costs the machine and no server can save: to copy
// the files of the template's folder, and to remove them.
func (d *databases) suites(r *report, s scale) error {
	var packages []*pgxpool.Pool
	tb := lifetime.New()
	for range parallelTests {
		packages = append(packages, newDatabase(tb).Pool())
	}
	own := inParallel(s.tests, func() (float64, error) { return d.handOut(0) })
	times, err := compare(s.rounds/40+1,
		func() (float64, error) {
			started := time.Now()
			_, err := own()
			return float64(time.Since(started)), errors.Join(err, d.settle())
		},
		func() (float64, error) { return d.truncating(packages, max(1, s.tests/parallelTests)) },
		perOperation(max(1, s.operations/10), d.copyTemplate))
	if err := errors.Join(err, tb.End()); err != nil {
		return err
	}
	r.add(figure{
		name: fmt.Sprintf("postgres/%d tests vs a database for each package and TRUNCATE", s.tests),
		ours: times[0], peer: times[1], format: nanoseconds,
	})
	r.add(figure{
		name: "postgres/each of them vs bare copy and removal of the template's files",
		ours: times[0] / float64(s.tests), peer: times[2], format: nanoseconds,
	})
	return nil
}

// truncating runs n tests in each package.
func (d *databases) truncating(packages []*pgxpool.Pool, n int) (float64, error) {
	names := make([]string, tables)
	for i := range names {
		names[i] = fmt.Sprintf("t%d", i)
	}
	truncate := "TRUNCATE " + strings.Join(names, ", ") + " RESTART IDENTITY"
	free := make(chan *pgxpool.Pool, len(packages))
	for _, p := range packages {
		free <- p
	}
	started := time.Now()
	_, err := inParallel(len(packages), func() (float64, error) {
		pool := <-free
		for range n {
			if _, err := pool.Exec(d.ctx, truncate); err != nil {
				return 0, err
			}
			if err := useAlone(d.ctx, pool); err != nil {
				return 0, err
			}
		}
		return 0, nil
	})()
	return float64(time.Since(started)), err
}

// copyTemplate copies the template's files once, beside the server's.
func (d *databases) copyTemplate() error {
	to := filepath.Join(d.work, "template")
	return errors.Join(os.CopyFS(to, os.DirFS(d.template)), os.RemoveAll(to))
}
