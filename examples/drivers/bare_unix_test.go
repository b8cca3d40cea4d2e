//go:build unix

package drivers_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/standin-go/standin/internal/backend"
	"github.com/standin-go/standin/internal/pgprograms"
	"github.com/standin-go/standin/internal/reaper"
	"github.com/standin-go/standin/portpool"
)

// serve is run by a shell: $0 is postgres, $1 initdb and $2 a port. But for the
// sockets and the shared memory, which would be in shared folders and could
// stay there, all is as initdb leaves it.
const serve = `"$1" --pgdata=data --username=postgres --pwfile=password --auth=scram-sha-256 --encoding=UTF8 --no-sync &&
	exec "$0" -D data -p "$2" -k '' -c dynamic_shared_memory_type=mmap`

// bareServer starts the server that somebody would start by hand, with a new
// database, and returns the address of that.
func bareServer(t *testing.T) string {
	t.Helper()
	found, err := pgprograms.System{}.Find()
	if err != nil {
		t.Fatal(err)
	}
	lease, err := portpool.Reserve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lease.Release() })
	account := ordinaryUser(t)
	address := url.URL{
		Scheme: "postgres", User: url.UserPassword("postgres", rand.Text()), Path: "postgres",
		Host: "127.0.0.1:" + strconv.Itoa(lease.Port()), RawQuery: "sslmode=disable",
	}
	const database = "bare"
	spec := backend.Spec{
		Kind: "bare-postgres", Alone: true, Stop: "QUIT", User: account, Room: 256 << 20,
		Command: func() ([]string, error) {
			return []string{"/bin/sh", "-c", serve, found[0].Path("postgres"), found[0].Path("initdb"), strconv.Itoa(lease.Port())}, nil
		},
		Prepare: func(_ context.Context, dir string) error {
			file := filepath.Join(dir, "password")
			password, _ := address.User.Password()
			err := os.WriteFile(file, []byte(password), 0o600)
			if account != nil {
				err = errors.Join(err, os.Chown(file, int(account.UID), int(account.GID)))
			}
			return err
		},
		Ready: func(ctx context.Context, _ string, gone func() bool) ([]byte, error) {
			conn, err := connect(ctx, address.String(), gone)
			if err != nil {
				return nil, err
			}
			defer conn.Close(context.WithoutCancel(ctx))
			_, err = conn.Exec(ctx, "CREATE DATABASE "+database)
			return nil, err
		},
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := backend.Open(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	address.Path = database
	return address.String()
}

// connect tries until the server answers.
func connect(ctx context.Context, address string, gone func() bool) (*pgx.Conn, error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, address)
		if err == nil {
			return conn, nil
		}
		if gone() {
			return nil, fmt.Errorf("it ended: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), err)
		case <-tick.C:
		}
	}
}

// ordinaryUser is the user as whom the server runs: nil, or another than root.
func ordinaryUser(t *testing.T) *reaper.User {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		t.Fatal(err)
	}
	uid, err1 := strconv.ParseUint(account.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(account.Gid, 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return &reaper.User{UID: uint32(uid), GID: uint32(gid)}
}
