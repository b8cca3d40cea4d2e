// Package process runs a program for a test: its output is kept, its end is
// noticed, it can be stopped, killed, paused and started again, and nothing that
// it has started outlives it, whatever becomes of this process.
//
// It waits for no server and knows no ports: package fixture does.
package process

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/standin-go/standin/internal/reaper"
)

// Program is what to run.
type Program struct {
	// Args are the program, looked for in PATH, and its arguments.
	Args []string
	// Env is the whole environment, NAME=value.
	Env []string
	// Dir is the working folder.
	Dir string
	// Stdin is what it reads; nil is nothing.
	Stdin []byte
	// Inherit are open files that it has from descriptor 3 on.
	Inherit []*os.File
	Limits  Limits
}

// Limits are those of each process that the program becomes; 0 is none.
type Limits struct {
	CPU    time.Duration // in whole seconds; fractions count as one
	Memory int64         // bytes of address space
	Files  int           // open at once
}

// Process is a program that can be started more than once.
type Process struct {
	guard  *reaper.Guard
	output string // file

	mu    sync.Mutex
	run   *run
	close func() error
}

// run is one start of the program.
type run struct {
	cmd   *exec.Cmd
	begin time.Time
	done  chan struct{} // closed when it has ended
	took  time.Duration // set before done
	// printed is how long the output was before.
	printed int64
}

// New makes the folder of a program that does not run yet.
func New(parent string) (*Process, error) {
	guard, err := reaper.NewGuard(parent)
	if errors.Is(err, errors.ErrUnsupported) {
		err = fmt.Errorf("programs can be started where there is a POSIX shell: %w", err)
	}
	if err != nil {
		return nil, err
	}
	p := &Process{guard: guard, output: filepath.Join(guard.Dir(), "output")}
	p.close = sync.OnceValue(p.end)
	if err := os.Mkdir(p.Dir(), 0o700); err != nil {
		return nil, errors.Join(err, guard.Release())
	}
	return p, nil
}

// Dir is a folder for the program, which is removed by Close.
func (p *Process) Dir() string { return filepath.Join(p.guard.Dir(), "files") }

// Start starts the program, after an earlier one has ended.
func (p *Process) Start(program Program) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run != nil && !p.run.ended() {
		return errors.New("it runs already")
	}
	path, err := lookPath(program)
	if err != nil {
		return err
	}
	if _, err := os.Stat(program.Dir); err != nil {
		return fmt.Errorf("the working folder: %w", err)
	}
	output, err := os.OpenFile(p.output, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer output.Close()
	args, err := program.wrapped(path)
	if err != nil {
		return err
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = program.Dir
	cmd.Env = append(program.Env, p.guard.Env())
	cmd.Stdout, cmd.Stderr = output, output
	if len(program.Stdin) > 0 {
		stdin, err := p.stdin(program.Stdin)
		if err != nil {
			return err
		}
		defer stdin.Close()
		cmd.Stdin = stdin
	}
	cmd.ExtraFiles = make([]*os.File, reaper.Descriptor-2)
	if copy(cmd.ExtraFiles, program.Inherit) >= len(cmd.ExtraFiles) {
		return fmt.Errorf("%d files are too many to inherit", len(program.Inherit))
	}
	cmd.ExtraFiles[reaper.Descriptor-3] = p.guard.File()
	cmd.SysProcAttr = ownGroup()
	info, err := output.Stat()
	if err != nil {
		return err
	}
	r := &run{cmd: cmd, begin: time.Now(), done: make(chan struct{}), printed: info.Size()}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", program.Args[0], err)
	}
	p.run = r
	go func() {
		defer close(r.done)
		_ = cmd.Wait() // how it ended is in its state
		r.took = time.Since(r.begin)
	}()
	return nil
}

func lookPath(program Program) (string, error) {
	if len(program.Args) == 0 || program.Args[0] == "" {
		return "", errors.New("there is no program; name one as the first of Args")
	}
	path, err := exec.LookPath(program.Args[0])
	if err != nil {
		return "", fmt.Errorf("%w; install it, or name its path", err)
	}
	return filepath.Abs(path)
}

// stdin is a file, so that nobody has to write while the program reads.
func (p *Process) stdin(text []byte) (*os.File, error) {
	name := filepath.Join(p.guard.Dir(), "input")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		return nil, err
	}
	return os.Open(name)
}

func (r *run) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

func (p *Process) current() *run {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.run
}

// Ended is closed when the program that was started last has ended.
func (p *Process) Ended() <-chan struct{} { return p.current().done }

// PID is the number of the program that was started last.
func (p *Process) PID() int { return p.current().cmd.Process.Pid }

// Exit says how the program has ended, and whether with status 0. It waits for
// the end.
func (p *Process) Exit() (how string, ok bool) {
	r := p.current()
	<-r.done
	return fmt.Sprintf("%v after %v", r.cmd.ProcessState, r.took.Round(time.Millisecond)), r.cmd.ProcessState.Success()
}

// Output is what all starts have printed, on both streams, at most the last
// bytes of it.
func (p *Process) Output(most int64) string {
	f, err := os.Open(p.output)
	if err != nil {
		return ""
	}
	defer f.Close()
	if end, err := f.Seek(0, io.SeekEnd); err == nil && end > most {
		_, _ = f.Seek(end-most, io.SeekStart)
	} else {
		_, _ = f.Seek(0, io.SeekStart)
	}
	text, _ := io.ReadAll(io.LimitReader(f, most))
	return strings.ToValidUTF8(string(text), "�")
}

// OutputOfStart is what the last start has printed so far, up to a megabyte.
func (p *Process) OutputOfStart() string {
	f, err := os.Open(p.output)
	if err != nil {
		return ""
	}
	defer f.Close()
	text, _ := io.ReadAll(io.NewSectionReader(f, p.current().printed, 1<<20))
	return string(text)
}

// Stop sends the program a signal, and kills it with all that it has started when
// it goes on for longer than a time, or they do.
func (p *Process) Stop(signal os.Signal, grace time.Duration) error {
	r := p.current()
	if r == nil {
		return nil
	}
	p.resume(r) // it would not hear the signal
	var err error
	if !r.ended() {
		if err = r.cmd.Process.Signal(signal); errors.Is(err, os.ErrProcessDone) {
			err = nil
		}
		timer := time.NewTimer(grace)
		select {
		case <-r.done:
		case <-timer.C:
		}
		timer.Stop()
	}
	return errors.Join(err, p.Kill())
}

// Kill ends the program and all that it has started at once.
func (p *Process) Kill() error {
	err := p.guard.Sweep()
	if r := p.current(); r != nil {
		_ = r.cmd.Process.Kill() // it may have shed both marks
		<-r.done
	}
	return err
}

// Close ends the program and removes its folder. Further calls do nothing.
func (p *Process) Close() error { return p.close() }

func (p *Process) end() error {
	err := p.Kill()
	return errors.Join(err, p.guard.Release())
}
