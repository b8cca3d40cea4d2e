//go:build !unix

package reaper

import (
	"errors"
	"os"
)

// Descriptor is the number under which guarded programs inherit Guard.File.
const Descriptor = 63

// Guard makes sure that programs which this process starts go with it.
type Guard struct{}

// NewGuard returns errors.ErrUnsupported.
func NewGuard(string) (*Guard, error) { return nil, errors.ErrUnsupported }

// Dir is the folder.
func (g *Guard) Dir() string { return "" }

// Env is the variable that guarded programs have in their environment.
func (g *Guard) Env() string { return "" }

// File is the open file that they inherit as Descriptor.
func (g *Guard) File() *os.File { return nil }

// Sweep kills all guarded programs that run.
func (g *Guard) Sweep() error { return errors.ErrUnsupported }

// Release kills what runs, and removes the folder.
func (g *Guard) Release() error { return nil }
