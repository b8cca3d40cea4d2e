//go:build !unix

package process

import (
	"errors"
	"os"
	"syscall"
)

func ownGroup() *syscall.SysProcAttr { return nil }

func (p Program) wrapped(string) ([]string, error) { return nil, errors.ErrUnsupported }

// Pause stops the program where it is.
func (p *Process) Pause() error { return errors.ErrUnsupported }

// Resume lets it go on.
func (p *Process) Resume() error { return errors.ErrUnsupported }

func (p *Process) resume(*run) {}

// Signal sends the program a signal.
func (p *Process) Signal(signal os.Signal) error { return p.current().cmd.Process.Signal(signal) }
