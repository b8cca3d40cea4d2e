package ephemeral

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Read returns the settings of this network namespace. What cannot be read
// has the value that the kernel starts with (ip-sysctl: 32768 to 60999, no
// reserved ports, no reuse).
func Read() Facts {
	facts := Facts{Low: 32768, High: 60999}
	var low, high uint16
	if n, _ := fmt.Sscan(setting("ip_local_port_range"), &low, &high); n == 2 && low > 0 && low <= high {
		facts.Low, facts.High = low, high
	}
	facts.Reserved = parseReserved(setting("ip_local_reserved_ports"))
	facts.AutobindReuse = setting("ip_autobind_reuse") == "1"
	return facts
}

func setting(name string) string {
	raw, _ := os.ReadFile("/proc/sys/net/ipv4/" + name)
	return strings.TrimSpace(string(raw))
}

// parseReserved reads "8080,9148-9150".
func parseReserved(list string) [][2]uint16 {
	var reserved [][2]uint16
	for item := range strings.SplitSeq(list, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(item), "-")
		if !isRange {
			last = first
		}
		low, err1 := strconv.ParseUint(first, 10, 16)
		high, err2 := strconv.ParseUint(last, 10, 16)
		if err1 == nil && err2 == nil && low <= high {
			reserved = append(reserved, [2]uint16{uint16(low), uint16(high)})
		}
	}
	return reserved
}
