//go:build !linux

package guard

import (
	"io"
	"iter"
	"net/netip"
)

// Scope is what a guard would hold.
type Scope struct {
	TCP, UDP bool
	Addr     netip.Addr
	IPv6     bool
}

// Guard cannot exist on this system: Take never returns one.
type Guard struct{}

// Take is not available on this system.
func Take(Scope, iter.Seq[uint16]) (*Guard, error) { return nil, ErrUnsupported }

// Port is never called.
func (*Guard) Port() uint16 { return 0 }

// Close is never called.
func (*Guard) Close() {}

// Open is never called.
func (*Guard) Open() (int, error) { return -1, ErrUnsupported }

// Shut is never called.
func (*Guard) Shut() error { return ErrUnsupported }

// StepAside is never called.
func (*Guard) StepAside() error { return ErrUnsupported }

// StepBack is never called.
func (*Guard) StepBack() error { return ErrUnsupported }

// Probe is never called.
func (*Guard) Probe() error { return ErrUnsupported }

// TakeName is not available on this system.
func TakeName(string) (io.Closer, error) { return nil, ErrUnsupported }
