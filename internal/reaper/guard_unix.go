//go:build unix

package reaper

import (
	"bufio"
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

//go:embed guard.sh
var guardScript string

// Descriptor is the number under which guarded programs inherit Guard.File.
const Descriptor = 63

// Guard makes sure that programs which this process starts by itself, with all
// that those start, go with it, and a folder as well. It knows them by a variable
// of their environment and by an open file, of which a program may lose one.
type Guard struct {
	dir, mark string
	cmd       *exec.Cmd
	file      *os.File

	mu      sync.Mutex
	in      io.WriteCloser
	answers *bufio.Reader
	release func() error
}

// NewGuard returns when the guard stands, and has made a folder in parent.
func NewGuard(parent string) (*Guard, error) {
	name, err := randomName()
	if err != nil {
		return nil, err
	}
	name = "standin-" + strings.TrimPrefix(name, prefix)
	g := &Guard{dir: filepath.Join(parent, name), mark: "STANDIN_GUARD=" + name}
	g.cmd = exec.Command(shell, "-c", guardScript, "standin-guard", parent, name, g.mark, strconv.Itoa(Descriptor))
	g.cmd.Dir = "/"
	g.cmd.Env = []string{"PATH=" + basicPath + ":" + os.Getenv("PATH")}
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var stderr bytes.Buffer
	g.cmd.Stderr = &stderr
	in, err1 := g.cmd.StdinPipe()
	out, err2 := g.cmd.StdoutPipe()
	if err := errors.Join(err1, err2, g.cmd.Start()); err != nil {
		return nil, fmt.Errorf("start the guard: %w", err)
	}
	g.in, g.answers = in, bufio.NewReader(out)
	if line, err := g.answers.ReadString('\n'); line != "made\n" {
		in.Close()
		return nil, errors.Join(fmt.Errorf("the guard did not make the folder %s: %w", g.dir, err), g.cmd.Wait(), complaint(stderr.String()))
	}
	g.release = sync.OnceValue(g.end)
	// Both ways, so that it is open at once.
	if g.file, err = os.OpenFile(filepath.Join(g.dir, "life"), os.O_RDWR, 0); err != nil {
		return nil, errors.Join(err, g.Release())
	}
	return g, nil
}

// Dir is the folder.
func (g *Guard) Dir() string { return g.dir }

// Env is the variable that guarded programs have in their environment.
func (g *Guard) Env() string { return g.mark }

// File is the open file that they inherit as Descriptor.
func (g *Guard) File() *os.File { return g.file }

// Sweep kills all guarded programs that run, and returns when none does.
func (g *Guard) Sweep() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, err := io.WriteString(g.in, "sweep\n"); err != nil {
		return fmt.Errorf("the guard is gone: %w", err)
	}
	if line, err := g.answers.ReadString('\n'); line != "swept\n" {
		return fmt.Errorf("the guard answers %q: %w", line, err)
	}
	return nil
}

// Release kills what runs, removes the folder, and returns when both is done.
// Further calls do nothing.
func (g *Guard) Release() error { return g.release() }

func (g *Guard) end() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, err := io.WriteString(g.in, "done\n")
	return errors.Join(err, g.in.Close(), g.cmd.Wait(), g.file.Close())
}
