//go:build !unix

package reaper

import (
	"errors"
	"fmt"
)

// Member is a use of a server.
type Member struct{}

func unsupported() error {
	return fmt.Errorf("a server that outlives its test is ended by a POSIX shell: %w", errors.ErrUnsupported)
}

// Start is not supported here.
func Start(Config) (*Member, error) { return nil, unsupported() }

// Join is not supported here.
func Join(string) (*Member, error) { return nil, unsupported() }

// Sweep is not supported here.
func Sweep(string) error { return unsupported() }

// Watched reports false.
func Watched(string) bool { return false }

// Dir is empty.
func (*Member) Dir() string { return "" }

// Launch is not supported here.
func (*Member) Launch() error { return unsupported() }

// Gone reports true.
func (*Member) Gone() bool { return true }

// Retire does nothing.
func (*Member) Retire() {}

// Leave does nothing.
func (*Member) Leave() error { return nil }
