//go:build unix

package servers

import (
	"bufio"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-dap"

	"github.com/standin-go/standin/fixture"
)

// TestDebugger debugs a program as an editor does: Delve on a port of its own, and
// a client of the Debug Adapter Protocol that waits for a breakpoint.
func TestDebugger(t *testing.T) {
	t.Parallel()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dlv := fixture.NewProcess(t, fixture.Command{
		Args: []string{
			delve(t), "debug", "./debuggee", "--headless", "--api-version=2", "--accept-multiclient",
			"--listen={{.Addr}}", "--output={{.Dir}}/debuggee", "--only-same-user=false",
		},
		Dir: here, Env: map[string]string{"HOME": "{{.Dir}}", "XDG_CONFIG_HOME": "{{.Dir}}", "GOCACHE": goEnv(t, "GOCACHE"), "GOPATH": goEnv(t, "GOPATH")},
		Ready: fixture.Log("listening at:"), Timeout: 2 * time.Minute,
	})
	c := &client{t: t}
	if c.conn, err = net.Dial("tcp", dlv.Addr()); err != nil {
		t.Fatal(err)
	}
	defer c.conn.Close()
	c.conn.SetDeadline(time.Now().Add(time.Minute))
	c.in = bufio.NewReader(c.conn)

	c.ask("initialize", &dap.InitializeRequest{Arguments: dap.InitializeRequestArguments{AdapterID: "go", PathFormat: "path", LinesStartAt1: true, ColumnsStartAt1: true}})
	c.send("attach", &dap.AttachRequest{Arguments: json.RawMessage(`{"mode": "remote", "stopOnEntry": false}`)})
	c.until(func(m dap.Message) bool { _, ok := m.(*dap.InitializedEvent); return ok })
	file := filepath.Join(here, "debuggee", "main.go")
	set := c.ask("setBreakpoints", &dap.SetBreakpointsRequest{Arguments: dap.SetBreakpointsArguments{
		Source: dap.Source{Path: file}, Breakpoints: []dap.SourceBreakpoint{{Line: breakpoint(t, file)}},
	}}).(*dap.SetBreakpointsResponse)
	if b := set.Body.Breakpoints; len(b) != 1 || !b[0].Verified {
		t.Fatalf("the breakpoint is not set: %+v", b)
	}
	c.ask("configurationDone", &dap.ConfigurationDoneRequest{})
	stopped := c.until(func(m dap.Message) bool { _, ok := m.(*dap.StoppedEvent); return ok }).(*dap.StoppedEvent)
	if stopped.Body.Reason != "breakpoint" {
		t.Errorf("it stopped for %q", stopped.Body.Reason)
	}
	trace := c.ask("stackTrace", &dap.StackTraceRequest{Arguments: dap.StackTraceArguments{ThreadId: stopped.Body.ThreadId}}).(*dap.StackTraceResponse)
	if name := trace.Body.StackFrames[0].Name; !strings.HasSuffix(name, "main.square") {
		t.Errorf("it stopped in %s", name)
	}
	value := c.ask("evaluate", &dap.EvaluateRequest{Arguments: dap.EvaluateArguments{Expression: "s", FrameId: trace.Body.StackFrames[0].Id}}).(*dap.EvaluateResponse)
	if value.Body.Result != "25" {
		t.Errorf("s is %s, want 25", value.Body.Result)
	}
}

// delve returns the debugger, which is built from the version that tools/go.mod
// has.
func delve(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "tool", "-modfile=../../tools/go.mod", "-n", "dlv").Output()
	if err != nil {
		t.Fatalf("build the debugger: %v", err)
	}
	return strings.TrimSpace(string(out))
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// breakpoint is the number of the line that says that it is one.
func breakpoint(t *testing.T, file string) int {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, _, found := strings.Cut(string(text), "// a breakpoint")
	if !found {
		t.Fatalf("%s has no line with a breakpoint", file)
	}
	return strings.Count(before, "\n") + 1
}

// client is one of the Debug Adapter Protocol.
type client struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
	seq  int
}

// send sends a request and returns its number.
func (c *client) send(command string, request dap.RequestMessage) int {
	c.t.Helper()
	c.seq++
	r := request.GetRequest()
	r.Seq, r.Type, r.Command = c.seq, "request", command
	if err := dap.WriteProtocolMessage(c.conn, request); err != nil {
		c.t.Fatalf("%s: %v", command, err)
	}
	return c.seq
}

// ask returns the answer to a request.
func (c *client) ask(command string, request dap.RequestMessage) dap.Message {
	c.t.Helper()
	seq := c.send(command, request)
	answer := c.until(func(m dap.Message) bool {
		r, ok := m.(dap.ResponseMessage)
		return ok && r.GetResponse().RequestSeq == seq
	})
	if r := answer.(dap.ResponseMessage).GetResponse(); !r.Success {
		c.t.Fatalf("%s: %s: %+v", command, r.Message, answer)
	}
	return answer
}

// until reads messages until one is the right one.
func (c *client) until(right func(dap.Message) bool) dap.Message {
	c.t.Helper()
	for {
		m, err := dap.ReadProtocolMessage(c.in)
		if err != nil {
			c.t.Fatal(err)
		}
		if right(m) {
			return m
		}
	}
}
