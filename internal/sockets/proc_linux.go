package sockets

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// List returns every socket of the transport in this network namespace.
// TCP sockets that are bound and neither listen nor connect are included
// where the kernel can tell (Linux 6.9 and later).
func List(transport Transport) ([]Socket, error) {
	var all []Socket
	for _, suffix := range []string{"", "6"} {
		f, err := os.Open("/proc/net/" + string(transport) + suffix)
		if errors.Is(err, fs.ErrNotExist) && suffix == "6" {
			continue // a kernel without IPv6
		}
		if err != nil {
			return nil, fmt.Errorf("sockets: read the kernel's table: %w", err)
		}
		rows, err := parseTable(f, transport)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("sockets: %s: %w", f.Name(), err)
		}
		all = append(all, rows...)
	}
	if transport == TCP {
		// A kernel that cannot list them leaves them out: they are an
		// addition to the table, never the reason that it cannot be read.
		if bound, err := listBound(); err == nil {
			all = append(all, bound...)
		}
	}
	return all, nil
}

// tcpStates maps the kernel's numbers (include/net/tcp_states.h) to names.
var tcpStates = [...]State{
	1: StateEstablished, 2: "SYN_SENT", 3: "SYN_RECV", 4: "FIN_WAIT1", 5: "FIN_WAIT2",
	6: StateTimeWait, 7: "CLOSE", 8: "CLOSE_WAIT", 9: "LAST_ACK", 10: StateListen,
	11: "CLOSING", 12: "NEW_SYN_RECV", 13: StateBound,
}

// parseTable reads the text form of proc_net_tcp(5) and its relatives.
func parseTable(r io.Reader, transport Transport) ([]Socket, error) {
	lines := bufio.NewScanner(r)
	lines.Scan() // the heading
	var rows []Socket
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 10 {
			return nil, fmt.Errorf("a row of %d fields, not 10 or more: %q", len(f), lines.Text())
		}
		local, err1 := parseAddrPort(f[1])
		remote, err2 := parseAddrPort(f[2])
		state, err3 := strconv.ParseUint(f[3], 16, 8)
		uid, err4 := strconv.Atoi(f[7])
		inode, err5 := strconv.ParseUint(f[9], 10, 64)
		if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
			return nil, fmt.Errorf("row %q: %w", lines.Text(), err)
		}
		rows = append(rows, Socket{
			Transport: transport, State: stateName(transport, state),
			Local: local, Remote: remote, UID: uid, Inode: inode,
		})
	}
	return rows, lines.Err()
}

func stateName(transport Transport, n uint64) State {
	if transport == UDP && n == 7 {
		return StateUnconnected
	}
	if n == 0 || n >= uint64(len(tcpStates)) {
		return State("STATE_" + strconv.FormatUint(n, 10))
	}
	return tcpStates[n]
}

// parseAddrPort reads "0100007F:1F90": the address as 32-bit words in the
// machine's byte order, the port as a number.
func parseAddrPort(s string) (netip.AddrPort, error) {
	words, portText, ok := strings.Cut(s, ":")
	raw, err := hex.DecodeString(words)
	if !ok || err != nil || len(raw) != 4 && len(raw) != 16 {
		return netip.AddrPort{}, fmt.Errorf("%q is not an address and port in hexadecimal", s)
	}
	for i := 0; i < len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	port, err := strconv.ParseUint(portText, 16, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%q has no port in hexadecimal", s)
	}
	addr, _ := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(addr, uint16(port)), nil
}
