package portpool_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/standin-go/standin/portpool"
)

// childVariable names the function of children that this binary runs in place
// of its tests, and childInput is what the test passes to it.
const childVariable, childInput = "PORTPOOL_TEST_CHILD", "PORTPOOL_TEST_INPUT"

// children are the programs that tests run as processes of their own. What
// they return is printed for the test as JSON.
var children = map[string]func(input string) (any, error){}

func TestMain(m *testing.M) {
	name := os.Getenv(childVariable)
	if name == "" {
		os.Exit(m.Run())
	}
	result, err := children[name](os.Getenv(childInput))
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(result)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// child returns a command that runs one of children.
func child(t testing.TB, name, input string) *exec.Cmd {
	t.Helper()
	if children[name] == nil {
		t.Fatalf("there is no child %q", name)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+name, childInput+"="+input)
	endWithParent(cmd)
	return cmd
}

// outputOf runs the command of child and decodes what it printed.
func outputOf[T any](cmd *exec.Cmd) (T, error) {
	var result T
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return result, fmt.Errorf("the child process failed: %w\n%s", err, stderr.Bytes())
	}
	if err := json.Unmarshal(out, &result); err != nil {
		return result, fmt.Errorf("the child printed %q: %w", out, err)
	}
	return result, nil
}

// runChild is outputOf for a child without which the test cannot go on.
func runChild[T any](t testing.TB, cmd *exec.Cmd) T {
	t.Helper()
	result, err := outputOf[T](cmd)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// modes are the ways to hold ports that this system has.
func modes() []portpool.Mode {
	if runtime.GOOS == "linux" {
		return []portpool.Mode{portpool.Guard, portpool.LockFile}
	}
	return []portpool.Mode{portpool.LockFile}
}

// eachMode runs the test with a pool of each mode.
func eachMode(t *testing.T, config portpool.Config, test func(t *testing.T, pool *portpool.Pool)) {
	for _, mode := range modes() {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			config := config
			config.Mode = mode
			test(t, newPool(t, config))
		})
	}
}

// apart is a range that only tests draw from which give a port back and want it
// again: from the default range, other tests and processes would take it.
var apart = portpool.Range{First: 27000, Last: 31999}

// retry runs a scenario in which somebody else may take a port that was given
// back. That does not happen every time; what is broken fails every time.
func retry(t *testing.T, scenario func() error) {
	t.Helper()
	var err error
	for range 5 {
		if err = scenario(); err == nil {
			return
		}
	}
	t.Error(err)
}

// only is the range of one port.
func only(port uint16) portpool.Range { return portpool.Range{First: port, Last: port} }

func newPool(t testing.TB, config portpool.Config) *portpool.Pool {
	t.Helper()
	pool, err := portpool.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return pool
}

func reserve(t testing.TB, pool *portpool.Pool) *portpool.Lease {
	t.Helper()
	lease, err := pool.Reserve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lease.Release() })
	return lease
}

func wantPrefix(t testing.TB, what, got, prefix string) {
	t.Helper()
	if !strings.HasPrefix(got, prefix) {
		t.Errorf("%s:\n got %s\nwant %s…", what, got, prefix)
	}
}
