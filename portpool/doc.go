// Package portpool leases loopback ports and addresses to whoever needs them
// for a while: a test, a child program, a whole suite.
//
// Three calls, in the order in which to prefer them:
//
//   - Listen returns a listener that is open already: there is no number that
//     anybody could take.
//   - Reserve returns a Lease, for a program that binds a port by itself. The
//     kernel keeps the port for the lease as long as it lives, also while the
//     program has it and between two of its runs.
//   - ReserveAddress returns a private address of 127.0.0.0/8, for a program
//     whose port cannot be changed: 5432 is then free in every test at once.
//
// # What holds a lease
//
// On Linux a lease is a guard: a socket that is bound to the port and never
// listens. No bind to port 0 and no outgoing connection of any process is
// given that port, another lease cannot take it, connections to it are refused
// until a server listens, and a server that sets SO_REUSEADDR, as those of
// Go, Java, Python, Node, nginx, Postgres and Docker do, binds it while the
// guard is held. Nothing has to be released for the server and nothing is
// left when the process dies, by SIGKILL too. A program that does not set
// SO_REUSEADDR, or that receives datagrams, is started by Lease.HandOver or
// inherits the socket, see Start.
//
// Elsewhere, and on Linux with Config.Mode or STANDIN_PORTPOOL=lockfile, a
// lease is a locked file for a port outside the range from which the kernel
// picks, and the port is tried before it is handed out. That keeps leases
// apart from each other and from the kernel's picks; it cannot keep away a
// program that binds that very number.
//
// # What it is not
//
// It starts no servers and no programs except through Start, and it does not
// look for a free port and hope: a port that cannot be guaranteed is an Error
// that says why and what to do.
package portpool
