package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	if os.Getenv("DEMO_TEST_LEFTOVER") == "" {
		os.Exit(m.Run())
	}
	// A program that a test would have left behind, until its input ends.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	os.Stdout.WriteString(l.Addr().String() + "\n")
	io.Copy(io.Discard, os.Stdin)
}

func TestTheDemoShowsWhatItPromises(t *testing.T) {
	t.Chdir("..") // where make demo runs it
	var out bytes.Buffer
	d := &demo{out: &out}
	err := d.run()
	if e := errors.Join(os.RemoveAll(d.folder), os.RemoveAll(d.servers)); err != nil || e != nil {
		t.Fatalf("the demo failed: %v, %v\n%s", err, e, out.String())
	}
	wanted := []string{
		"tests passed in 4 packages", "--- FAIL: TestWithAMistake", "no stub matches POST /charges", "stub POST /charge was never called",
		"SIGKILL to the tests of the checkout", "files and folders: none", "That is standin.",
	}
	if d.postgres || os.Getenv("CI") == "true" {
		wanted = append(wanted, "databases, the start of the server", "SIGKILL to the tests of the orders")
	} else {
		wanted = append(wanted, "Left out: ")
	}
	for _, want := range wanted {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the demo does not say %q:\n%s", want, out.String())
		}
	}
}

// The audit finds a program, its port and its file, or it would say "none" of
// anything.
func TestTheAuditFindsWhatIsLeft(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		return // the demo says that it does not look
	}
	var out bytes.Buffer
	d := &demo{out: &out, folder: t.TempDir(), servers: t.TempDir(), mark: "STANDIN_DEMO=" + filepath.Base(t.Name())}
	before, err := listening()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.audit(before); err != nil {
		t.Fatalf("with nothing left: %v", err)
	}

	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), d.mark, "DEMO_TEST_LEFTOVER=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer stdin.Close()
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	processes, ports, err := d.leftovers(before)
	if err != nil || len(processes) != 1 || len(ports) != 1 || !strings.HasPrefix(ports[0], strings.TrimSpace(addr)+", LISTEN") {
		t.Errorf("found %v and %v, error %v; want one process and its port %s", processes, ports, err, addr)
	}
	if err := os.WriteFile(filepath.Join(d.folder, "left.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.audit(nil); err == nil || !strings.Contains(out.String(), "left.txt") {
		t.Errorf("a file that is left: error %v, output:\n%s", err, out.String())
	}
}
