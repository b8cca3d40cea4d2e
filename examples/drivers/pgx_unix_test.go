//go:build unix

package drivers_test

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/standin-go/standin/fixture/postgres"
	"github.com/standin-go/standin/internal/pgprograms"
)

// With a database of the fixture, each test of pgx ends as it does with that of
// a server that was set up by hand; and none fails.
func TestPgxPassesItsOwnTests(t *testing.T) {
	t.Parallel()
	db := postgres.New(t, postgres.Dedicated(), postgres.SkipIfMissing()) // the tests make roles
	addresses := map[string]string{"the fixture": db.URL(), "the bare server": bareServer(t)}
	suite := copySuite(t, "github.com/jackc/pgx/v5")
	for _, address := range addresses {
		setUp(t, filepath.Join(suite.source, "testsetup", "postgresql_setup.sql"), address)
	}
	suite.compile(t)
	results := map[string]map[string]string{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for name, address := range addresses {
		wg.Go(func() {
			result := suite.run(t, name, "PGX_TEST_DATABASE="+address)
			mu.Lock()
			defer mu.Unlock()
			results[name] = result
		})
	}
	wg.Wait()

	fixture, bare := results["the fixture"], results["the bare server"]
	tests := maps.Clone(fixture)
	maps.Copy(tests, bare)
	count := map[string]int{}
	for _, test := range slices.Sorted(maps.Keys(tests)) {
		count[bare[test]]++
		if fixture[test] != bare[test] {
			t.Errorf("%s: %q with the fixture, %q with the bare server", test, fixture[test], bare[test])
		}
	}
	t.Logf("tests and subtests with the bare server: %v", count)
	// These use a database: the address has reached the tests.
	for _, test := range []string{"pgx.test TestExec", "pgxpool.test TestConnect", "stdlib.test TestQueryCloseRowsEarly"} {
		if fixture[test] != "PASS" {
			t.Errorf("%s: %q, want PASS", test, fixture[test])
		}
	}
}

// suite is a module's tests.
type suite struct {
	source   string            // a copy of the module's folder, where its tests may write
	programs map[string]string // of the packages' tests, with their folders
}

// copySuite copies a module with which this one is built.
func copySuite(t *testing.T, module string) suite {
	t.Helper()
	s := suite{source: filepath.Join(t.TempDir(), "source"), programs: map[string]string{}}
	list := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module)
	dir, err := list.Output()
	if err != nil {
		t.Fatalf("%v: %v", list, err)
	}
	if err := os.CopyFS(s.source, os.DirFS(strings.TrimSpace(string(dir)))); err != nil {
		t.Fatal(err)
	}
	// The cache of modules is read-only, and what is copied from it is too.
	err = filepath.WalkDir(s.source, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			err = os.Chmod(path, 0o755)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// compile compiles the tests of all packages.
func (s suite) compile(t *testing.T) {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "bin")
	for _, args := range [][]string{
		{"test", "-c", "-o", bin + string(filepath.Separator), "./..."},
		{"list", "-f", `{{if or .TestGoFiles .XTestGoFiles}}{{.Dir}}{{end}}`, "./..."},
	} {
		cmd := exec.Command("go", args...)
		cmd.Dir = s.source
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", cmd, err, out)
		}
		if args[0] != "list" {
			continue
		}
		for dir := range strings.Lines(string(out)) {
			dir = strings.TrimSpace(dir)
			name := filepath.Base(dir) + ".test"
			if dir == s.source {
				name = "pgx.test"
			}
			s.programs[filepath.Join(bin, name)] = dir
		}
	}
}

// setUp runs a file with SQL and psql's own commands.
func setUp(t *testing.T, file, address string) {
	t.Helper()
	psql, err := exec.LookPath("psql")
	if found, _ := (pgprograms.System{}).Find(); err != nil && len(found) > 0 {
		psql = found[0].Path("psql") // Debian's is in PATH, not all are
	}
	cmd := exec.Command(psql, "-X", "-v", "ON_ERROR_STOP=1", "-f", file, address)
	cmd.Env = withoutOurs(os.Environ())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("psql -f %s: %v\n%s", filepath.Base(file), err, out)
	}
}

// hungry are two tests that want 4 GB of memory each, and no server.
const hungry = "^Test(Query|Bind)BiggerThanMaxMessageBodyLen$"

// ended is how the tests' output says how one has ended, and number what is
// another one in each run: some are named after a temporary folder.
var (
	ended  = regexp.MustCompile(`(?m)^ *--- (PASS|FAIL|SKIP): (\S+)`)
	number = regexp.MustCompile(`[0-9]{6,}`)
)

// run runs the tests of all packages at once and returns how each ended.
func (s suite) run(t *testing.T, with string, env ...string) map[string]string {
	results := map[string]string{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for program, dir := range s.programs {
		wg.Go(func() {
			cmd := exec.CommandContext(t.Context(), program, "-test.v", "-test.timeout=5m", "-test.parallel=1", "-test.skip="+hungry)
			cmd.Dir = dir
			cmd.Env = append(withoutOurs(os.Environ()), env...)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				t.Errorf("%s, with %s: %v", filepath.Base(program), with, err)
			}
			if err != nil {
				t.Errorf("%s failed, with %s:\n%s", filepath.Base(program), with, failures(string(out)))
			}
			mu.Lock()
			defer mu.Unlock()
			for _, m := range ended.FindAllStringSubmatch(string(out), -1) {
				results[filepath.Base(program)+" "+number.ReplaceAllString(m[2], "#")] = m[1]
			}
		})
	}
	wg.Wait()
	return results
}

// failures are the lines of an output that belong to failed tests, or all of
// them when no test says that it has failed.
func failures(out string) string {
	var b strings.Builder
	failed := false
	for line := range strings.Lines(out) {
		switch text := strings.TrimSpace(line); {
		case strings.HasPrefix(text, "--- "):
			failed = strings.HasPrefix(text, "--- FAIL")
		case strings.HasPrefix(text, "=== "):
			failed = strings.HasPrefix(text, "=== NAME")
		}
		if failed {
			b.WriteString(line)
		}
	}
	if !strings.Contains(b.String(), "--- FAIL") {
		return out
	}
	return b.String()
}

// withoutOurs leaves out what says which databases to use.
func withoutOurs(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(e string) bool {
		return strings.HasPrefix(e, "PG") || strings.HasPrefix(e, "STANDIN_")
	})
}
