package sockets

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The text of the table depends on the machine's byte order; these rows are
// of a little-endian one.
const tcpTable = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0000000000000000 100 0 0 10 0
   1: 0100007F:A0C8 0100007F:1F90 06 00000000:00000000 03:00000F8E 00000000     0        0 0 3 0000000000000000
`

const tcp6Table = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:1F91 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 815 1 0000000000000000 100 0 0 10 0
`

func TestParseTable(t *testing.T) {
	t.Parallel()
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Log("the rows are those of a little-endian machine")
		return
	}
	for name, test := range map[string]struct {
		table string
		want  []Socket
	}{
		"IPv4": {tcpTable, []Socket{
			{Transport: TCP, State: StateListen, Local: addr("127.0.0.1:8080"), Remote: addr("0.0.0.0:0"), UID: 1000, Inode: 4711},
			{Transport: TCP, State: StateTimeWait, Local: addr("127.0.0.1:41160"), Remote: addr("127.0.0.1:8080")},
		}},
		"IPv6": {tcp6Table, []Socket{
			{Transport: TCP, State: StateListen, Local: addr("[::1]:8081"), Remote: addr("[::]:0"), Inode: 815},
		}},
		"empty": {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parseTable(strings.NewReader(test.table), TCP)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseTableRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	const heading = "heading\n"
	for name, row := range map[string]string{
		"too few fields": "0: 0100007F:1F90 00000000:0000 0A\n",
		"no address":     strings.Replace(tcpTable[len(tcpTable)-150:], "0100007F:", "01007F:", 1),
		"no port":        "0: 0100007F:XXXX 00000000:0000 0A 0 0 0 0 0 1 2\n",
		"no inode":       "0: 0100007F:1F90 00000000:0000 0A 0 0 0 0 0 one\n",
	} {
		if got, err := parseTable(strings.NewReader(heading+row), TCP); err == nil {
			t.Errorf("%s: parsed as %v; want an error", name, got)
		}
	}
}

func FuzzParseTable(f *testing.F) {
	f.Add(tcpTable)
	f.Add(tcp6Table)
	f.Fuzz(func(t *testing.T, table string) {
		rows, err := parseTable(strings.NewReader(table), TCP)
		if err != nil {
			return
		}
		if lines := strings.Count(table, "\n") + 1; len(rows) > lines {
			t.Errorf("%d rows of %d lines", len(rows), lines)
		}
		for _, s := range rows {
			if !s.Local.IsValid() || !s.Remote.IsValid() || s.State == "" {
				t.Errorf("a socket without address or state: %+v", s)
			}
		}
	})
}

func FuzzParseDiag(f *testing.F) {
	f.Add(make([]byte, diagMessageSize))
	f.Fuzz(func(t *testing.T, message []byte) {
		if s, ok := parseDiag(message); ok && (!s.Local.IsValid() || s.State != StateBound) {
			t.Errorf("a socket without an address: %+v", s)
		}
	})
}

func TestCovers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		local, addr string
		want        bool
	}{
		{"127.0.0.1:80", "127.0.0.1:80", true},
		{"127.0.0.1:80", "127.0.0.1:81", false},
		{"127.0.0.1:80", "127.0.0.2:80", false},
		{"127.0.0.1:80", "[::1]:80", false},
		{"0.0.0.0:80", "127.0.0.1:80", true},
		{"0.0.0.0:80", "[::1]:80", false},
		{"[::]:80", "127.0.0.1:80", true},
		{"[::]:80", "[::1]:80", true},
		{"127.0.0.1:80", "0.0.0.0:80", true},
		{"127.0.0.1:80", "[::]:80", true},
		{"[::1]:80", "0.0.0.0:80", false},
		{"[::ffff:127.0.0.1]:80", "127.0.0.1:80", true},
	} {
		if got := (Socket{Local: addr(test.local)}).Covers(addr(test.addr)); got != test.want {
			t.Errorf("a socket on %s stands in the way of %s: %t, want %t", test.local, test.addr, got, test.want)
		}
	}
}

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
