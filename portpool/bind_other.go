//go:build !unix && !windows

package portpool

import "net"

func setExclusive(uintptr) error { return nil }

// duplicateUDP is for guards, which this system has not.
func duplicateUDP(int) (*net.UDPConn, error) { return nil, ErrUnsupported }
