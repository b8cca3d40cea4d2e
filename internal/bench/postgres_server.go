package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/standin-go/standin/internal/backend"
	"github.com/standin-go/standin/internal/reaper"
	"github.com/standin-go/standin/portpool"
)

// What the servers that are started here have in common. The password guards
// nothing but rows that nobody wants, for a few minutes, on a loopback port.
const (
	superuser   = "postgres"
	password    = "measured-on-loopback-only"
	maintenance = "postgres"
)

func address(port int, database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(superuser, password), Path: database, RawQuery: "sslmode=disable",
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
	}
	return u.String()
}

// initialize runs initdb in dir, which it makes. That it does not wait for the
// disk changes nothing for the server.
func (d *databases) initialize(dir string, flags ...string) error {
	secret := dir + ".password"
	if err := os.WriteFile(secret, []byte(password), 0o600); err != nil {
		return err
	}
	defer os.Remove(secret)
	if err := errors.Join(os.Mkdir(dir, 0o700), d.account.own(dir), d.account.own(secret)); err != nil {
		return err
	}
	cmd := exec.CommandContext(d.ctx, d.programs.Path("initdb"), append(flags,
		"--no-sync", "--pgdata="+dir, "--username="+superuser, "--pwfile="+secret, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C")...)
	cmd.Dir = filepath.Dir(dir)
	d.account.run(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// startDefault starts a server as initdb leaves it, in the folder of temporary
// files; but its port is another, and it leaves no socket and no memory in shared
// folders.
func (d *databases) startDefault() (*copier, error) {
	lease, err := portpool.Reserve()
	if err != nil {
		return nil, err
	}
	defer lease.Release()
	c := &copier{databases: d, url: func(database string) string { return address(lease.Port(), database) }}
	server, err := backend.Open(d.ctx, backend.Spec{
		Kind: "postgres", Key: "bench", Alone: true, Stop: "QUIT", Roots: []string{os.TempDir()},
		User: &reaper.User{UID: uint32(d.account.uid), GID: uint32(d.account.gid)},
		Command: func() ([]string, error) {
			return []string{d.programs.Path("postgres"), "-D", "data", "-p", strconv.Itoa(lease.Port()), "-c", "unix_socket_directories=", "-c", "dynamic_shared_memory_type=mmap"}, nil
		},
		Prepare: func(_ context.Context, dir string) error { return d.initialize(filepath.Join(dir, "data")) },
		Ready: func(ctx context.Context, _ string, gone func() bool) ([]byte, error) {
			return nil, until(ctx, func() (bool, error) {
				if gone() {
					return false, errors.New("it ended")
				}
				return c.exec(maintenance, "SELECT 1") == nil, nil
			})
		},
	})
	if err != nil {
		return nil, err
	}
	c.close = server.Close
	if err := c.migrate(); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// initializeLikeOurs makes a data folder with the flags and the settings of the
// fixture's.
func (d *databases) initializeLikeOurs() (dir string, err error) {
	dir = filepath.Join(d.work, "data")
	if err := d.initialize(dir, "--wal-segsize=1"); err != nil {
		return "", err
	}
	for _, name := range []string{"postgresql.conf", "pg_hba.conf"} {
		text, err := os.ReadFile(filepath.Join(d.data, name))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// bareStart copies a data folder, starts the server program on the copy and
// asks until it answers, as one does by hand. It returns the time that took.
func (d *databases) bareStart(from string) (took float64, err error) {
	started := time.Now()
	lease, err := portpool.Reserve()
	if err != nil {
		return 0, err
	}
	defer lease.Release()
	dir := from + ".copy"
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := d.copyFolder(dir, from); err != nil {
		return 0, err
	}
	var log strings.Builder
	cmd := exec.CommandContext(d.ctx, d.programs.Path("postgres"), "-D", dir, "-p", strconv.Itoa(lease.Port()))
	cmd.Dir, cmd.Stderr, cmd.Env = dir, &log, []string{"LC_ALL=C"}
	d.account.run(cmd)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var conn *pgx.Conn
	err = until(d.ctx, func() (bool, error) {
		select {
		case err := <-ended:
			return false, fmt.Errorf("postgres ended: %w: %s", err, &log)
		default:
		}
		conn, err = connect(d.ctx, address(lease.Port(), maintenance))
		return err == nil, nil
	})
	if err != nil {
		return 0, err // it has ended, or goes with the context
	}
	took = float64(time.Since(started))
	err = errors.Join(conn.Close(d.ctx), cmd.Process.Signal(os.Interrupt))
	<-ended // with the status of one that was told to
	return took, err
}

// copyFolder copies the files of a folder, and gives them to the servers' user.
func (d *databases) copyFolder(to, from string) error {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return err
	}
	if err := os.Chmod(to, 0o700); err != nil {
		return err
	}
	return filepath.WalkDir(to, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return d.account.own(path)
	})
}
