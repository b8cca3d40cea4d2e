package ephemeral

import "golang.org/x/sys/unix"

// Read returns the settings of this machine; what cannot be read has the
// value that the system starts with.
func Read() Facts {
	facts := iana
	low, err1 := unix.SysctlUint32("net.inet.ip.portrange.first")
	high, err2 := unix.SysctlUint32("net.inet.ip.portrange.last")
	if err1 == nil && err2 == nil && low > 0 && low <= high && high <= 65535 {
		facts.Low, facts.High = uint16(low), uint16(high)
	}
	return facts
}
