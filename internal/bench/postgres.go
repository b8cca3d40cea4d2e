package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/standin-go/standin/fixture/postgres"
	"github.com/standin-go/standin/internal/backend"
	"github.com/standin-go/standin/internal/lifetime"
	"github.com/standin-go/standin/internal/pgprograms"
)

// parallelTests is how many tests run at once.
const parallelTests = 8

// tables is how many the schema has that every database is migrated to.
const tables = 50

// databases is what the figures about PostgreSQL are measured with.
type databases struct {
	ctx      context.Context
	programs pgprograms.Programs
	work     string // a folder in memory, where the system has that
	account  account
	data     string       // the data folder of the fixture's server
	shared   *postgres.DB // stays throughout, and with it its server
	template string       // the folder of the database that is copied for a test
}

// measurePostgres runs every comparison on the same programs, and all but those
// that are about default settings with the fixture's settings.
func measurePostgres(r *report, s scale) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	programs, _, err := pgprograms.System{}.Choose(ctx)
	if err != nil {
		return err
	}
	defer set("STANDIN_POSTGRES", "local")()
	defer set(backend.KeepVariable, "0s")()
	d := &databases{ctx: ctx, programs: programs}
	tb := lifetime.New()
	defer func() { err = errors.Join(err, tb.End()) }()
	if err := d.begin(tb); err != nil {
		return err
	}
	for _, step := range []func(*report, scale) error{d.handOutsToTests, d.handOuts, d.startsCold, d.startsWarm, d.suites} {
		if err := step(r, s); err != nil {
			return err
		}
	}
	return nil
}

// begin starts the fixture's server and finds its folders.
func (d *databases) begin(tb *lifetime.T) (err error) {
	d.shared = newDatabase(tb)
	if d.data, err = d.ask("SHOW data_directory"); err != nil {
		return err
	}
	if d.account, err = ownerOf(d.data); err != nil {
		return err
	}
	id, err := d.ask(`SELECT oid::text FROM pg_database WHERE datistemplate AND datname LIKE 'standin\_t\_%'`)
	if err != nil {
		return fmt.Errorf("look for the fixture's template: %w", err)
	}
	d.template = filepath.Join(d.data, "base", id)
	if d.work, err = os.MkdirTemp(backend.Roots()[0], "standin-bench-"); err != nil {
		return err
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(d.work); err != nil {
			tb.Errorf("remove the benchmark's folder: %v", err)
		}
	})
	return os.Chmod(d.work, 0o1777) // servers of another user live in it
}

// newDatabase takes a migrated database. The name of the cluster keeps other
// processes' tests off the server.
func newDatabase(tb *lifetime.T) *postgres.DB {
	return postgres.New(tb, postgres.Config("cluster_name", "standin-bench"), postgres.Migrate(migrations()))
}

func migrations() fstest.MapFS { return fstest.MapFS{"1_schema.sql": {Data: []byte(schema())}} }

// schema has sequences, indexes and out-of-line storage, as real ones do.
func schema() string {
	var b strings.Builder
	for i := range tables {
		fmt.Fprintf(&b, "CREATE TABLE t%d (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE, at timestamptz NOT NULL DEFAULT now());\n", i)
	}
	return b.String()
}

// set sets an environment variable, and returns what sets it back.
func set(name, value string) func() {
	old, was := os.LookupEnv(name)
	os.Setenv(name, value)
	return func() {
		if was {
			os.Setenv(name, old)
		} else {
			os.Unsetenv(name)
		}
	}
}

func (d *databases) ask(query string) (answer string, err error) {
	err = d.shared.Pool().QueryRow(d.ctx, query).Scan(&answer)
	return answer, err
}

// settle waits until the server has nothing to do, so that what one measure
// leaves to the background is not on the next one's bill.
func (d *databases) settle() error {
	return until(d.ctx, func() (bool, error) {
		busy, err := d.ask("SELECT count(*)::text FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()")
		return busy == "0", err
	})
}

// until asks again and again until done.
func until(ctx context.Context, done func() (bool, error)) error {
	for ctx.Err() == nil {
		if ok, err := done(); ok || err != nil {
			return err
		}
		<-time.After(time.Millisecond)
	}
	return context.Cause(ctx)
}

// querier is a connection, a pool or a transaction.
type querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// useAlone is what every test does with its database: it writes a row, and sees
// no other.
func useAlone(ctx context.Context, q querier) error {
	if _, err := q.Exec(ctx, "INSERT INTO t7 (name) VALUES (gen_random_uuid()::text)"); err != nil {
		return err
	}
	var rows int
	if err := q.QueryRow(ctx, "SELECT count(*) FROM t7").Scan(&rows); err != nil {
		return err
	}
	if rows != 1 {
		return fmt.Errorf("a test sees %d rows and has written one", rows)
	}
	return nil
}

// inParallel runs an operation n times in all, in parallelTests goroutines or
// fewer, and returns what each returned.
func inParallel(n int, operation func() (float64, error)) func() ([]float64, error) {
	return func() ([]float64, error) {
		workers := min(n, parallelTests)
		values, errs := make([][]float64, workers), make([]error, workers)
		var wg sync.WaitGroup
		for i := range workers {
			wg.Go(func() {
				for range n / workers {
					v, err := operation()
					if err != nil {
						errs[i] = err
						return
					}
					values[i] = append(values[i], v)
				}
			})
		}
		wg.Wait()
		var all []float64
		for _, v := range values {
			all = append(all, v...)
		}
		return all, errors.Join(errs...)
	}
}
