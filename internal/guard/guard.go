// Package guard holds a port of this machine with sockets that are bound and
// never listen: the kernel keeps everybody else's picks away from the port,
// a server that binds it by number still can, and the guard dies with its
// process. It knows no ranges and picks nothing.
//
// The TCP guard is one socket, bound to the port alone on every address of
// both families, which then turns SO_REUSEADDR on. The bind without it fails
// when anything else has the port, another guard included, so that two
// guards can never hold one port; with it on, a server that also sets
// SO_REUSEADDR may bind and listen on 127.0.0.1, [::1] or both while the
// guard stays. A bound socket that does not listen can be reached by nobody,
// whatever its address: a connection to the port is refused.
//
// The UDP guard is a socket for 127.0.0.1 and one for [::1], without
// SO_REUSEADDR, which for UDP would hand out duplicates. Each is connected to
// itself, so that a datagram to the port is refused and not swallowed.
package guard

import "errors"

var (
	// ErrInUse says that something else has the port.
	ErrInUse = errors.New("in use")
	// ErrUnsupported says that this system cannot hold a port under a server.
	ErrUnsupported = errors.New("this system cannot hold a port under the server that uses it")
)
