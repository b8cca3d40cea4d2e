package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/standin-go/standin/fixture/containers"
	"github.com/standin-go/standin/fixture/postgres"
	"github.com/standin-go/standin/internal/backend"
	"github.com/standin-go/standin/internal/lifetime"
)

// errNoEngine says why containers cannot be measured.
var errNoEngine = errors.New("it takes a container engine and the image of PostgreSQL that make setup makes")

// containerDatabases is what the figures about containers are measured with.
type containerDatabases struct {
	databases
	image string
}

// measureContainers compares databases from containers of one image with
// containers as testcontainers-go and dockertest start them.
func measureContainers(r *report, s scale) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	image, err := postgresImage(ctx)
	if err != nil {
		return err
	}
	defer set("STANDIN_POSTGRES", "container:"+image)()
	defer set(backend.KeepVariable, "0s")()
	defer set("TESTCONTAINERS_RYUK_DISABLED", "true")()      // it needs a registry, and listens on all interfaces
	defer set("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1")() // where it publishes, in a container of its own too
	d := &containerDatabases{databases: databases{ctx: ctx}, image: image}
	if err := d.coldContainers(r, s); err != nil {
		return err
	}
	if err := d.packages(r, s); err != nil {
		return err
	}
	tb := lifetime.New()
	defer func() { err = errors.Join(err, tb.End()) }()
	d.shared = newDatabase(tb)
	return d.following(r, s)
}

// postgresImage is the one that images/make has made of the server here.
func postgresImage(ctx context.Context) (string, error) {
	folders, err := filepath.Glob("/usr/lib/postgresql/*")
	if err != nil || len(folders) == 0 {
		return "", fmt.Errorf("%w: PostgreSQL is not installed", errNoEngine)
	}
	image := "postgres:" + filepath.Base(folders[len(folders)-1])
	out, err := exec.CommandContext(ctx, "docker", "image", "inspect", "-f", "{{.Id}}", image).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", errNoEngine, strings.TrimSpace(string(out)))
	}
	return image, nil
}

// coldContainers compares how long it takes until the first query is answered by
// a server that did not run. What the first start of an image does is done before
// for ours, and each time for the peers, as those have it. All are removed again,
// which is not part of the time.
func (d *containerDatabases) coldContainers(r *report, s scale) error {
	if _, err := d.cold(); err != nil { // the image's first start
		return err
	}
	rounds := s.rounds/8 + 1
	for _, library := range []string{"testcontainers", "dockertest"} {
		peer := d.startTestcontainers
		if library == "dockertest" {
			peer = d.startDockertest
		}
		restore := set("STANDIN_CONTAINERS", library)
		samples, err := compare(rounds, d.cold, func() (float64, error) {
			started := time.Now()
			c, err := peer()
			if err != nil {
				return 0, err
			}
			return float64(time.Since(started)), c.close()
		})
		restore()
		if err != nil {
			return err
		}
		r.atMost("containers/first database of a cold container vs plain "+library, samples[0], samples[1], 1, nanoseconds)
	}
	return nil
}

// cold is the time of the first database on a server of its own.
func (d *containerDatabases) cold() (took float64, err error) {
	tb := lifetime.New()
	defer func() { err = errors.Join(err, tb.End()) }()
	started := time.Now()
	db := postgres.New(tb, postgres.Dedicated())
	err = db.Pool().Ping(d.ctx)
	return float64(time.Since(started)), err
}

// packageTests is how many tests a package has that is measured whole.
const packageTests = 50

// packages compares a package of tests with a migrated database each, the start
// of the server included, with the same tests that start a container each.
func (d *containerDatabases) packages(r *report, s scale) error {
	tests := min(packageTests, s.tests)
	times, err := compare(1,
		func() (float64, error) {
			started := time.Now()
			_, err := inParallel(tests, func() (float64, error) { return d.handOut(0) })()
			return float64(time.Since(started)), err
		},
		func() (float64, error) {
			started := time.Now()
			_, err := inParallel(tests, d.containerForATest)()
			return float64(time.Since(started)), err
		})
	if err != nil {
		return err
	}
	r.atMost(fmt.Sprintf("containers/a package of %d tests vs testcontainers-go, a container for each test", tests), times[0], times[1], 0.05, nanoseconds)
	return nil
}

// containerForATest is a test's whole life with a container of its own.
func (d *containerDatabases) containerForATest() (took float64, err error) {
	c, err := d.startTestcontainers()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	conn, err := connect(d.ctx, c.url)
	if err != nil {
		return 0, err
	}
	_, err = conn.Exec(d.ctx, schema())
	if err == nil {
		err = useAlone(d.ctx, conn)
	}
	return 0, errors.Join(err, conn.Close(d.ctx))
}

// following compares each further database with a bare connection to the same
// container.
func (d *containerDatabases) following(r *report, s scale) error {
	handedOut, bare, err := d.besideBare(s.tests / 2)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("containers/each following database, 8 parallel tests of %v, vs bare connect, ", testLife)
	r.atMost(name+"p50", median(handedOut), median(bare), 2, nanoseconds)
	r.add(figure{name: name + "p99", ours: quantile(handedOut, 0.99), peer: quantile(bare, 0.99), format: nanoseconds})
	return nil
}
