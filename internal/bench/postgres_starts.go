package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/standin-go/standin/fixture/postgres"
	"github.com/standin-go/standin/internal/backend"
	"github.com/standin-go/standin/internal/lifetime"
)

// What a worker process does first, and last.
const (
	firstEmpty    = "an empty database"
	firstMigrated = "a migrated database"
	firstConnect  = "a bare connection"
)

// startsCold compares a process's first database, where no server runs, with a
// copy of a data folder and the server program. Neither is migrated; initdb was
// run before, and both have the same settings and lie in the same folder.
func (d *databases) startsCold(r *report, s scale) error {
	data, err := d.initializeLikeOurs()
	if err != nil {
		return err
	}
	root := filepath.Join(d.work, "servers")
	ours := func() (took float64, err error) {
		if err := errors.Join(os.Mkdir(root, 0o777), os.Chmod(root, 0o1777)); err != nil {
			return 0, err
		}
		defer set(backend.RootVariable, root)()
		took, err = d.inProcess(firstEmpty)
		if err != nil {
			return 0, err
		}
		// The server goes after its last user.
		return took, until(d.ctx, func() (bool, error) {
			left, err := os.ReadDir(root)
			if err != nil || len(left) > 0 {
				return false, err
			}
			return true, os.Remove(root)
		})
	}
	bare := func() (float64, error) { return d.bareStart(data) }
	times, err := compare(s.rounds/4+1, ours, bare)
	if err != nil {
		return err
	}
	r.atMost("postgres/cold start vs copied data folder and bare server", times[0], times[1], 2, nanoseconds)
	return nil
}

// startsWarm compares a process's first migrated database, where another
// process has started the server and uses it, with a process's first bare
// connection to that server.
func (d *databases) startsWarm(r *report, s scale) error {
	times, err := compare(s.rounds/2+1,
		func() (float64, error) {
			// The process that uses the server leaves a copy for the next one.
			if err := d.awaitCopy(); err != nil {
				return 0, err
			}
			return d.inProcess(firstMigrated)
		},
		func() (float64, error) { return d.inProcess(firstConnect) })
	if err != nil {
		return err
	}
	r.atMost("postgres/warm start vs bare connect", times[0], times[1], 3, nanoseconds)
	return nil
}

func (d *databases) awaitCopy() error {
	return until(d.ctx, func() (bool, error) {
		names, err := d.ask(`SELECT count(*)::text FROM pg_database WHERE datname LIKE 'standin\_r\_%'`)
		return names != "0", err
	})
}

// inProcess returns how long a process of its own takes for its first
// database, the start of the program not included.
func (d *databases) inProcess(first string) (float64, error) {
	result, err := order{First: first, URL: d.shared.URL()}.inProcess()
	return result.Seconds * float64(time.Second), err
}

// first is what such a process does.
func (o order) first() (result outcome, err error) {
	ctx := context.Background()
	tb := lifetime.New()
	defer func() { err = errors.Join(err, tb.End()) }()
	started := time.Now()
	switch o.First {
	case firstEmpty:
		err = postgres.New(tb).Pool().Ping(ctx)
	case firstMigrated:
		err = newDatabase(tb).Pool().Ping(ctx)
	case firstConnect:
		var conn *pgx.Conn
		if conn, err = connect(ctx, o.URL); err == nil {
			defer conn.Close(ctx) // with the process at the latest
		}
	default:
		err = fmt.Errorf("there is no first %q", o.First)
	}
	return outcome{Seconds: time.Since(started).Seconds()}, err
}
