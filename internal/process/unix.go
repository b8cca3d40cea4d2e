//go:build unix

package process

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// wrapped is the command line, behind a shell where something is to be set that
// only the process itself can set.
func (p Program) wrapped(path string) ([]string, error) {
	script := ""
	if len(p.Inherit) > 0 {
		script += "export LISTEN_PID=$$; "
	}
	if p.Limits.CPU > 0 {
		script += fmt.Sprintf("ulimit -t %d || exit; ", (p.Limits.CPU+time.Second-1)/time.Second)
	}
	if p.Limits.Memory > 0 {
		script += fmt.Sprintf("ulimit -v %d || exit; ", (p.Limits.Memory+1023)/1024)
	}
	if p.Limits.Files > 0 {
		script += fmt.Sprintf("ulimit -n %d || exit; ", p.Limits.Files)
	}
	if p.Limits.CPU < 0 || p.Limits.Memory < 0 || p.Limits.Files < 0 {
		return nil, fmt.Errorf("a limit is negative: %+v", p.Limits)
	}
	args := append([]string{path}, p.Args[1:]...)
	if script == "" {
		return args, nil
	}
	return append([]string{"/bin/sh", "-c", script + `exec "$@"`, "standin"}, args...), nil
}

// Pause stops the program and the processes of its group where they are.
func (p *Process) Pause() error { return signalGroup(p.current(), syscall.SIGSTOP) }

// Resume lets them go on.
func (p *Process) Resume() error { return signalGroup(p.current(), syscall.SIGCONT) }

func (p *Process) resume(r *run) { _ = signalGroup(r, syscall.SIGCONT) }

// Signal sends the program a signal.
func (p *Process) Signal(signal os.Signal) error { return p.current().cmd.Process.Signal(signal) }

func signalGroup(r *run, signal syscall.Signal) error {
	if r.ended() {
		return os.ErrProcessDone
	}
	err := syscall.Kill(-r.cmd.Process.Pid, signal)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}
