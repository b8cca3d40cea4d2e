package sockets

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Holders returns, for each of the sockets by inode, the processes that have
// it open. Processes of other users are left out unless the caller is root.
func Holders(socks ...Socket) (map[uint64][]Process, error) {
	wanted := make(map[string]uint64, len(socks))
	for _, s := range socks {
		if s.Inode != 0 {
			wanted["socket:["+strconv.FormatUint(s.Inode, 10)+"]"] = s.Inode
		}
	}
	found := make(map[uint64][]Process)
	if len(wanted) == 0 {
		return found, nil
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("sockets: list the processes: %w", err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		for _, inode := range openSockets(pid, wanted) {
			found[inode] = append(found[inode], Process{PID: pid, Command: commandLine(pid)})
		}
	}
	return found, nil
}

// openSockets returns which of the wanted sockets the process has open, each
// once. A process that ended or is another user's has none.
func openSockets(pid int, wanted map[string]uint64) []uint64 {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd"
	fds, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var open []uint64
	seen := make(map[uint64]bool)
	for _, fd := range fds {
		target, err := os.Readlink(dir + "/" + fd.Name())
		if err != nil {
			continue
		}
		if inode, ok := wanted[target]; ok && !seen[inode] {
			seen[inode] = true
			open = append(open, inode)
		}
	}
	return open
}

func commandLine(pid int) string {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	if err != nil {
		return ""
	}
	return strings.TrimRight(strings.ReplaceAll(string(raw), "\x00", " "), " ")
}
