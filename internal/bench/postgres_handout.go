package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/standin-go/standin/internal/lifetime"
)

// testLife is how long a test takes that has something to test.
const testLife = 200 * time.Millisecond

// handOutsToTests compares how long a test waits until it is connected to a
// migrated database of its own (New, and the first round trip of the database's
// Pool) with a bare connection to one database of the same server. Eight tests
// run at once, each of which takes a while, as tests do; each measures both, so
// that both meet the same machine.
func (d *databases) handOutsToTests(r *report, s scale) error {
	ours, bare, err := d.besideBare(s.tests)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("postgres/hand-out to 8 parallel tests of %v vs bare connect, ", testLife)
	r.atMost(name+"p50", median(ours), median(bare), 1.5, nanoseconds)
	r.atMost(name+"p99", quantile(ours, 0.99), quantile(bare, 0.99), 10, nanoseconds)
	return nil
}

// besideBare runs n tests that measure both.
func (d *databases) besideBare(n int) (ours, bare []float64, err error) {
	var mu sync.Mutex
	_, err = inParallel(n, func() (float64, error) {
		handedOut, err := d.handOut(testLife)
		if err != nil {
			return 0, err
		}
		connected, err := d.bareConnect()
		mu.Lock()
		defer mu.Unlock()
		ours, bare = append(ours, handedOut), append(bare, connected)
		return 0, err
	})()
	return ours, bare, errors.Join(err, d.settle())
}

// handOuts compares the same without anything to test, which shows what the
// machine can do at most:
//
//   - ours: New and the first round trip of the database's Pool;
//   - a bare connection to one database of the same server that all use;
//   - a copy made when it is asked for, on a server with default settings on
//     the disk: CREATE DATABASE … TEMPLATE, then a connection to the copy.
//
// All do the same with the connection then, and the last one drops its copy.
// Workers take one after another without a pause.
func (d *databases) handOuts(r *report, s scale) error {
	onDemand, err := d.startDefault()
	if err != nil {
		return err
	}
	defer onDemand.close()
	settled := func(measure func() ([]float64, error)) func() ([]float64, error) {
		return func() ([]float64, error) {
			values, err := measure()
			return values, errors.Join(err, d.settle())
		}
	}
	samples, err := collect(s.rounds/5+1,
		settled(inParallel(s.operations, func() (float64, error) { return d.handOut(0) })),
		settled(inParallel(s.operations, d.bareConnect)),
		inParallel(max(1, s.operations/30), onDemand.handOut))
	if err != nil {
		return err
	}
	ours, bare, copied := samples[0], samples[1], samples[2]
	r.add(figure{
		name: "postgres/hand-out without a pause, 8 at once, vs bare connect, p50", ours: median(ours), peer: median(bare), format: nanoseconds,
	})
	r.add(figure{
		name: "postgres/hand-out without a pause, 8 at once, vs bare connect, p99",
		ours: quantile(ours, 0.99), peer: quantile(bare, 0.99), format: nanoseconds,
	})
	r.atMost("postgres/hand-out without a pause, 8 at once, vs copy on demand with default settings, p50", median(ours), median(copied), 0.2, nanoseconds)

	alone, err := collect(s.rounds/5+1,
		settled(oneByOne(max(1, s.operations/5), func() (float64, error) { return d.handOut(0) })), settled(oneByOne(max(1, s.operations/5), d.bareConnect)))
	if err != nil {
		return err
	}
	r.add(figure{
		name: "postgres/hand-out of one test alone vs bare connect, p50",
		ours: median(alone[0]), peer: median(alone[1]), format: nanoseconds,
	})
	return nil
}

// oneByOne runs an operation n times and returns what it returned.
func oneByOne(n int, operation func() (float64, error)) func() ([]float64, error) {
	return func() ([]float64, error) {
		var values []float64
		for range n {
			v, err := operation()
			if err != nil {
				return nil, err
			}
			values = append(values, v)
		}
		return values, nil
	}
}

// handOut is a test's whole life, which takes a time at least; it returns the
// time until it is connected.
func (d *databases) handOut(life time.Duration) (took float64, err error) {
	tb := lifetime.New()
	defer func() { err = errors.Join(err, tb.End()) }()
	started := time.Now()
	db := newDatabase(tb)
	if err := db.Pool().Ping(d.ctx); err != nil {
		return 0, err
	}
	took = float64(time.Since(started))
	err = useAlone(d.ctx, db.Pool())
	select {
	case <-time.After(life - time.Since(started)):
	case <-d.ctx.Done():
	}
	return took, err
}

// bareConnect is a test that shares a database: it undoes what it did.
func (d *databases) bareConnect() (took float64, err error) {
	started := time.Now()
	conn, err := connect(d.ctx, d.shared.URL())
	if err != nil {
		return 0, err
	}
	took = float64(time.Since(started))
	defer func() { err = errors.Join(err, conn.Close(d.ctx)) }()
	tx, err := conn.Begin(d.ctx)
	if err != nil {
		return 0, err
	}
	return took, errors.Join(useAlone(d.ctx, tx), tx.Rollback(d.ctx))
}

// connect returns after the first round trip.
func connect(ctx context.Context, url string) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	if err := conn.Ping(ctx); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return conn, nil
}

// copier makes copies on demand.
type copier struct {
	*databases
	url   func(database string) string
	close func() error
	last  atomic.Int64
}

const copied = "migrated"

// migrate makes what is copied.
func (c *copier) migrate() error {
	if err := c.exec(maintenance, "CREATE DATABASE "+copied); err != nil {
		return err
	}
	return c.exec(copied, schema())
}

func (c *copier) exec(database, sql string) error {
	conn, err := pgx.Connect(c.ctx, c.url(database))
	if err != nil {
		return err
	}
	_, err = conn.Exec(c.ctx, sql)
	return errors.Join(err, conn.Close(c.ctx))
}

// handOut is a test's whole life; it returns the time until it is connected.
// The connection that creates the database is there already.
func (c *copier) handOut() (took float64, err error) {
	admin, err := pgx.Connect(c.ctx, c.url(maintenance))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, admin.Close(c.ctx)) }()
	name := fmt.Sprintf("copy_%d", c.last.Add(1))

	started := time.Now()
	if _, err := admin.Exec(c.ctx, "CREATE DATABASE "+name+" TEMPLATE "+copied); err != nil {
		return 0, err
	}
	conn, err := connect(c.ctx, c.url(name))
	if err != nil {
		return 0, err
	}
	took = float64(time.Since(started))

	err = errors.Join(useAlone(c.ctx, conn), conn.Close(c.ctx))
	_, dropErr := admin.Exec(c.ctx, "DROP DATABASE "+name+" WITH (FORCE)")
	return took, errors.Join(err, dropErr)
}
