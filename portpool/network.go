package portpool

import "strings"

// Network is the set of transports for which a port is leased. The ports of
// TCP and of UDP are independent of each other.
type Network uint8

// The transports. TCP|UDP leases the same number for both, as DNS wants it.
const (
	TCP Network = 1 << iota
	UDP
)

// String is "tcp", "udp" or "tcp+udp".
func (n Network) String() string {
	var names []string
	if n&TCP != 0 {
		names = append(names, "tcp")
	}
	if n&UDP != 0 {
		names = append(names, "udp")
	}
	return strings.Join(names, "+")
}

func (n Network) valid() bool { return n != 0 && n&^(TCP|UDP) == 0 }
