//go:build unix

package reaper_test

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/standin-go/standin/internal/reaper"
)

// childVariable makes this binary a user of a server instead of a test: it
// starts one below the folder that the variable names, says so, and waits to
// be killed.
const childVariable = "REAPER_TEST_CHILD"

func TestMain(m *testing.M) {
	parent := os.Getenv(childVariable)
	if parent == "" {
		os.Exit(m.Run())
	}
	fmt.Println("begin")
	member, err := reaper.Start(config(parent, patient))
	if err == nil {
		fmt.Println("made", member.Dir())
		err = member.Launch()
	}
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	fmt.Println("launched")
	select {}
}

// Servers, as shell scripts; $0 is the folder that tells them from all others.
const (
	patient = `echo ready; exec sleep 1000`
	brief   = `echo "out of paper" >&2; exit 3`
	// stubborn does not listen, and neither does its child.
	stubborn = `trap "" TERM; sh -c 'trap "" TERM; while :; do sleep 1; done' "$0" & echo ready; while :; do sleep 1; done`
)

func config(parent, server string) reaper.Config {
	return reaper.Config{
		Parent:  parent,
		Command: []string{"/bin/sh", "-c", server, parent},
		Stop:    "TERM",
	}
}

func TestTheServerGoesWithItsLastUser(t *testing.T) {
	t.Parallel()
	parent := newParent(t)
	first := start(t, config(parent, patient))
	waitForLog(t, first.Dir(), "ready")
	second := join(t, first.Dir())
	if err := first.Leave(); err != nil {
		t.Fatal(err)
	}
	if second.Gone() {
		t.Error("the server is gone while it has a user")
	}
	third := join(t, first.Dir())
	leave(t, second, third)
	waitForNothing(t, parent)
	if _, err := reaper.Join(first.Dir()); !errors.Is(err, reaper.ErrGone) {
		t.Errorf("joining a server that is gone: error %v; want ErrGone", err)
	}
}

func TestTheServerStaysForAWhile(t *testing.T) {
	t.Parallel()
	parent := newParent(t)
	c := config(parent, patient)
	c.Keep = 600 * time.Millisecond // counts as a second
	first := start(t, c)
	waitForLog(t, first.Dir(), "ready")
	leave(t, first)
	second := join(t, first.Dir())
	leave(t, second)
	waitForNothing(t, parent)
}

func TestAServerThatEndsByItself(t *testing.T) {
	t.Parallel()
	parent := newParent(t)
	c := config(parent, brief)
	c.Keep = time.Hour
	m := start(t, c)
	waitFor(t, "the end of the server to be seen", m.Gone)
	if _, err := reaper.Join(m.Dir()); !errors.Is(err, reaper.ErrGone) {
		t.Errorf("joining a server that ended: error %v; want ErrGone", err)
	}
	waitForLog(t, m.Dir(), "out of paper") // its users can still read why
	leave(t, m)
	waitForNothing(t, parent)
}

func TestAServerThatWasRetired(t *testing.T) {
	t.Parallel()
	parent := newParent(t)
	c := config(parent, patient)
	c.Keep = time.Hour
	m := start(t, c)
	waitForLog(t, m.Dir(), "ready")
	m.Retire()
	if _, err := reaper.Join(m.Dir()); !errors.Is(err, reaper.ErrGone) {
		t.Errorf("joining a server that was retired: error %v; want ErrGone", err)
	}
	leave(t, m)
	waitForNothing(t, parent)
}

func TestAServerThatDoesNotListenIsKilledWithItsChildren(t *testing.T) {
	t.Parallel()
	parent := newParent(t)
	m := start(t, config(parent, stubborn))
	waitForLog(t, m.Dir(), "ready")
	leave(t, m)
	waitForNothing(t, parent)
}

// A server that has to clear up after the signal is given the time for it.
func TestAServerThatIsGivenTimeToEnd(t *testing.T) {
	t.Parallel()
	parent := newParent(t)
	cleared := filepath.Join(t.TempDir(), "cleared")
	c := config(parent, `trap "sleep 3; echo all >`+cleared+`; exit" TERM; echo ready; while :; do sleep 1; done`)
	c.Grace = time.Minute
	m := start(t, c)
	waitForLog(t, m.Dir(), "ready")
	leave(t, m)
	waitForNothing(t, parent)
	if text, err := os.ReadFile(cleared); string(text) != "all\n" {
		t.Errorf("the server was killed before it had cleared up: it wrote %q, error %v", text, err)
	}
}

func TestAProgramThatDoesNotExist(t *testing.T) {
	t.Parallel()
	parent := newParent(t)
	c := config(parent, "")
	c.Command = []string{"/nonexistent/server"}
	m := start(t, c)
	waitFor(t, "the failure to be seen", m.Gone)
	waitForLog(t, m.Dir(), "/nonexistent/server")
	leave(t, m)
	waitForNothing(t, parent)
}

func TestAFolderThatCannotBeMade(t *testing.T) {
	t.Parallel()
	_, err := reaper.Start(config(filepath.Join(t.TempDir(), "missing", "parent"), patient))
	if err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("Start below a folder that does not exist: error %v; want one that names it", err)
	}
}

// At whatever moment its user is killed, nothing is left.
func TestNothingIsLeftAfterSIGKILL(t *testing.T) {
	t.Parallel()
	for i := range 20 {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			parent := newParent(t)
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childVariable+"="+parent)
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(stdout)
			for range 1 + i%3 { // begun, made, launched
				if !lines.Scan() {
					t.Error("the child ended early")
				}
			}
			if i%3 == 0 { // while it starts the reaper
				<-time.After(rand.N(12 * time.Millisecond))
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
			cmd.Wait() // it was killed
			if strings.HasPrefix(lines.Text(), "failed") {
				t.Error(lines.Text())
			}
			waitForNothing(t, parent)
		})
	}
}

// What a killed reaper leaves, the next one's Sweep ends; a live one it leaves
// alone.
func TestSweepEndsWhatAKilledReaperLeft(t *testing.T) {
	t.Parallel()
	parent := newParent(t)
	left, live := start(t, config(parent, stubborn)), start(t, config(parent, patient))
	waitForLog(t, left.Dir(), "ready")
	waitForLog(t, live.Dir(), "ready")
	for _, pid := range processes(t, filepath.Base(left.Dir())) {
		syscall.Kill(pid, syscall.SIGKILL) // its shells; the server does not have the name
	}
	waitFor(t, "the reaper to die", func() bool { return len(processes(t, filepath.Base(left.Dir()))) == 0 })
	if err := reaper.Sweep(parent); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the folder to go", func() bool { return !exists(left.Dir()) })
	if live.Gone() {
		t.Error("Sweep ended a server that has a reaper")
	}
	leave(t, live)
	waitForNothing(t, parent)
}

// A reaper may be killed when it has removed its folder and not yet the one above.
func TestSweepRemovesAnEmptyParent(t *testing.T) {
	t.Parallel()
	parent := newParent(t)
	if err := os.Mkdir(parent, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := reaper.Sweep(parent); err != nil {
		t.Fatal(err)
	}
	if exists(parent) {
		t.Errorf("%s is empty, and Sweep left it", parent)
	}
}

// Whoever has joined finds the server alive, although others come and go.
func TestJoinAndLeaveAtOnce(t *testing.T) {
	t.Parallel()
	var joined, late int
	var mu sync.Mutex
	for range 5 {
		parent := newParent(t)
		first := start(t, config(parent, patient))
		waitForLog(t, first.Dir(), "ready")
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 20 {
					m, err := reaper.Join(first.Dir())
					if errors.Is(err, reaper.ErrGone) {
						mu.Lock()
						late++
						mu.Unlock()
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					if !exists(filepath.Join(m.Dir(), "log")) {
						t.Error("the folder is gone under a user who had joined")
					}
					mu.Lock()
					joined++
					mu.Unlock()
					m.Leave()
				}
			})
		}
		leave(t, first)
		wg.Wait()
		waitForNothing(t, parent)
	}
	if joined == 0 {
		t.Errorf("nobody joined, %d came late: the test saw nothing", late)
	}
}

func newParent(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "parent") // the reaper makes it
}

func start(t *testing.T, c reaper.Config) *reaper.Member {
	t.Helper()
	m, err := reaper.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Leave() })
	if err := m.Launch(); err != nil {
		t.Fatal(err)
	}
	return m
}

func join(t *testing.T, dir string) *reaper.Member {
	t.Helper()
	m, err := reaper.Join(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Leave() })
	return m
}

func leave(t *testing.T, members ...*reaper.Member) {
	t.Helper()
	for _, m := range members {
		if err := m.Leave(); err != nil {
			t.Error(err)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func waitForLog(t *testing.T, dir, text string) {
	t.Helper()
	waitFor(t, "the log to say "+text, func() bool {
		log, err := os.ReadFile(filepath.Join(dir, "log"))
		return err == nil && strings.Contains(string(log), text)
	})
}

// waitForNothing waits until there is no process and no folder of parent.
func waitForNothing(t *testing.T, parent string) {
	t.Helper()
	waitFor(t, "everything to be gone", func() bool { return !exists(parent) && len(processes(t, parent)) == 0 })
	if t.Failed() {
		out, _ := exec.Command("find", parent).CombinedOutput()
		t.Logf("left: processes %v, files:\n%s", processes(t, parent), out)
	}
}

// processes are those that have text in their command line, zombies left out.
func processes(t *testing.T, text string) []int {
	t.Helper()
	out, err := exec.Command("ps", "-axo", "pid=,stat=,command=").Output()
	if err != nil {
		t.Fatalf("ps: %v", err)
	}
	var pids []int
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) > 2 && !strings.HasPrefix(f[1], "Z") && strings.Contains(line, text) {
			pid, err := strconv.Atoi(f[0])
			if err != nil {
				t.Fatalf("ps printed %q", line)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline:
			t.Errorf("waited 10s for %s", what)
			return
		case <-tick.C:
		}
	}
}
