//go:build unix

package portpool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/standin-go/standin/portpool"
)

// tokenFile is what a program serves, so that an answer is known to be its.
const tokenFile = "token"

// program is a server that is told a port and binds it by itself.
type program struct {
	name string // of the executable; empty for this binary
	args func(port int, dir string) []string
}

const nodeServer = `require('http').createServer((q, s) => s.end(require('fs').readFileSync(process.argv[1] + q.url)))
	.listen(+process.argv[2], '127.0.0.1')`

var programs = map[string]program{
	"python3": {"python3", func(port int, dir string) []string {
		return []string{"-m", "http.server", strconv.Itoa(port), "--bind", "127.0.0.1", "--directory", dir}
	}},
	"node": {"node", func(port int, dir string) []string {
		return []string{"-e", nodeServer, dir, strconv.Itoa(port)}
	}},
	"go": {"", func(port int, dir string) []string { return []string{strconv.Itoa(port), dir} }},
}

func init() {
	children["go server"] = func(string) (any, error) {
		return nil, http.ListenAndServe("127.0.0.1:"+os.Args[1], http.FileServer(http.Dir(os.Args[2])))
	}
}

// availablePrograms are the programs that this machine has. On CI it must
// have them all.
func availablePrograms(t *testing.T) []string {
	t.Helper()
	var kinds []string
	for kind, p := range programs {
		if p.name != "" {
			if _, err := exec.LookPath(p.name); err != nil {
				if os.Getenv("CI") == "true" {
					t.Fatalf("%v: install it, or run .ci/setup", err)
				}
				t.Logf("without %s: %v", kind, err)
				continue
			}
		}
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}

// serve starts the program on the leased port, fetches the token from it, and
// ends it.
func (p program) serve(lease *portpool.Lease, dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	name := p.name
	if name == "" {
		name = os.Args[0]
	}
	cmd := exec.CommandContext(ctx, name, p.args(lease.Port(), dir)...)
	endWithParent(cmd)
	cmd.Env = append(os.Environ(), childVariable+"=go server")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	err := fetchToken(ctx, lease.Addr(), dir, ended)
	cmd.Process.Kill()
	if err != nil {
		<-ended
		return fmt.Errorf("%w\n%s", err, output.Bytes())
	}
	<-ended
	return nil
}

func fetchToken(ctx context.Context, addr, dir string, ended chan error) error {
	if err := awaitServer(ctx, addr, ended); err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/"+tokenFile, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if token, err := io.ReadAll(response.Body); err != nil || string(token) != dir {
		return fmt.Errorf("a stranger answered: %s %q, error %v; want %q", response.Status, token, err, dir)
	}
	return nil
}

// awaitServer waits until somebody accepts connections. A program says in no
// other way that it listens.
func awaitServer(ctx context.Context, addr string, ended chan error) error {
	for {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			return c.Close()
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return portpool.Explain(err)
		}
		select {
		case err := <-ended:
			ended <- err
			return fmt.Errorf("the program ended before it listened: %v", err)
		case <-ctx.Done():
			return fmt.Errorf("the program does not listen: %w", ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}
