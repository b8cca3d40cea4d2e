package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"regexp"
	"time"

	"github.com/standin-go/standin/internal/backend"
	"github.com/standin-go/standin/internal/pgprograms"
)

// database is what showDatabase logs for each database.
var database = regexp.MustCompile(`database (standin_d_\w+)`)

// makeServerFolder makes the folder in which the tests' database servers live,
// in memory where the system has that.
func (d *demo) makeServerFolder() (err error) {
	if d.servers, err = os.MkdirTemp(backend.Roots()[0], "standin-demo-"); err != nil {
		return err
	}
	// PostgreSQL refuses root: it runs as another user then, who has to get in.
	return os.Chmod(d.servers, 0o1777)
}

// showDatabase runs tests on real databases, if there is a server.
func (d *demo) showDatabase() error {
	d.heading("The same, with a real PostgreSQL")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	where := os.Getenv("STANDIN_POSTGRES")
	if where == "" || where == "local" {
		_, version, err := pgprograms.System{}.Choose(ctx)
		if err != nil {
			d.say("Left out: %v", err)
			return nil
		}
		where = "PostgreSQL " + version.String()
		d.postgres = true
	} else {
		where = "the server that STANDIN_POSTGRES names"
	}
	d.say(`A shop keeps its orders in PostgreSQL. Every test has a real database of its
own, with the schema and the stock in it, on %s; all tests run at once.
`, where)
	const tests = "./orders"
	d.say("$ go test %s    (compiling first)", tests)
	t, elapsed, err := d.test(tests)
	if err != nil {
		return err
	}
	names := map[string]bool{}
	for _, m := range database.FindAllSubmatch(t.printed.Bytes(), -1) {
		names[string(m[1])] = true
	}
	d.say("%d tests passed in %.1f s, with %d databases, the start of the server and its end included.", t.passed, elapsed.Seconds(), len(names))
	if t.passed < 100 || len(names) < t.passed {
		return fmt.Errorf("%d tests with %d databases are fewer than there should be", t.passed, len(names))
	}
	return nil
}

// test compiles the tests of packages, runs them, all of which shall pass, and
// returns how long they ran.
func (d *demo) test(packages string) (*tally, time.Duration, error) {
	if out, err := d.command("go", "test", "-count=1", "-run=^$", packages).CombinedOutput(); err != nil {
		return nil, 0, fmt.Errorf("compile the tests: %w\n%s", err, out)
	}
	started := time.Now()
	out, runErr := d.command("go", "test", "-count=1", "-parallel=32", "-json", packages).Output()
	elapsed := time.Since(started)
	t, err := read(bytes.NewReader(out))
	if err != nil {
		return nil, 0, err
	}
	if runErr != nil || t.failed > 0 {
		return nil, 0, fmt.Errorf("%d tests failed that should pass: %w\n%s", t.failed, runErr, t.printed.Bytes())
	}
	return t, elapsed, nil
}
