//go:build !linux

package sockets

// List is not available on this system.
func List(Transport) ([]Socket, error) { return nil, ErrUnsupported }

// Holders is not available on this system.
func Holders(...Socket) (map[uint64][]Process, error) { return nil, ErrUnsupported }
