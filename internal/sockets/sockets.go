// Package sockets reads the kernel's table of TCP and UDP sockets and finds
// the processes that hold them. It is for diagnosis and for audits ("what is
// bound, by whom, and is it loopback?"), not for deciding whether a port is
// free: a table is out of date the moment it was read.
package sockets

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
)

// ErrUnsupported is returned where the system offers no table that can be
// read without a helper program.
var ErrUnsupported = errors.New("this system offers no socket table to read")

// Transport is "tcp" or "udp".
type Transport string

// The transports that the table knows.
const (
	TCP Transport = "tcp"
	UDP Transport = "udp"
)

// State is a socket's state, in the names of RFC 9293 section 3.3.2.
type State string

// The states that callers tell apart. StateBound is Linux's name for a TCP
// socket that has a port and neither listens nor is connected.
const (
	StateListen      State = "LISTEN"
	StateEstablished State = "ESTABLISHED"
	StateTimeWait    State = "TIME_WAIT"
	StateBound       State = "BOUND"
	StateUnconnected State = "UNCONNECTED" // UDP
)

// Socket is one row of the table.
type Socket struct {
	Transport Transport
	State     State
	Local     netip.AddrPort
	Remote    netip.AddrPort
	UID       int
	Inode     uint64 // 0 when no process holds it any more, as in TIME_WAIT
}

// Process is a holder of a socket.
type Process struct {
	PID     int
	Command string // the command line, arguments separated by blanks
}

// Covers reports whether the socket stands in the way of addr: the same port
// on the same address, or on the wildcard address of a family that reaches it.
func (s Socket) Covers(addr netip.AddrPort) bool {
	if s.Local.Port() != addr.Port() {
		return false
	}
	local, want := s.Local.Addr().Unmap(), addr.Addr().Unmap()
	switch {
	case local == want, want.IsUnspecified() && (want.Is6() || local.Is4()):
		return true
	case local.IsUnspecified():
		return local.Is6() || want.Is4()
	}
	return false
}

// Loopback reports whether only this machine can reach the socket.
func (s Socket) Loopback() bool { return s.Local.Addr().Unmap().IsLoopback() }

// Covering returns the sockets of the transport that stand in the way of addr,
// listeners first and those without a holder last.
func Covering(transport Transport, addr netip.AddrPort) ([]Socket, error) {
	all, err := List(transport)
	if err != nil {
		return nil, err
	}
	found := slices.DeleteFunc(all, func(s Socket) bool { return !s.Covers(addr) })
	slices.SortStableFunc(found, func(a, b Socket) int { return rank(a.State) - rank(b.State) })
	return found, nil
}

func rank(s State) int {
	switch s {
	case StateListen, StateUnconnected:
		return 0
	case StateBound:
		return 1
	case StateEstablished:
		return 2
	case StateTimeWait:
		return 4
	}
	return 3
}

// String is the command line, without the process number.
func (p Process) String() string {
	command := strings.TrimSpace(p.Command)
	if command == "" {
		command = "a process that does not show its command line"
	}
	return command
}
