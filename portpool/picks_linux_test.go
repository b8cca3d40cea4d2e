package portpool_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/standin-go/standin/portpool"
)

// pick is a way in which the kernel chooses a port for somebody.
type pick struct {
	Name    string
	network portpool.Network
	addr    netip.Addr
	reuse   bool
	connect bool
}

var picks = []pick{
	{Name: "tcp bind 127.0.0.1:0", network: portpool.TCP, addr: local},
	{Name: "tcp bind 127.0.0.1:0 with reuse", network: portpool.TCP, addr: local, reuse: true},
	{Name: "tcp bind 127.0.0.2:0 with reuse", network: portpool.TCP, addr: netip.MustParseAddr("127.0.0.2"), reuse: true},
	{Name: "tcp bind 0.0.0.0:0", network: portpool.TCP, addr: anyIPv4},
	{Name: "tcp bind 0.0.0.0:0 with reuse", network: portpool.TCP, addr: anyIPv4, reuse: true},
	{Name: "tcp bind [::]:0 with reuse", network: portpool.TCP, addr: anyIPv6, reuse: true},
	{Name: "tcp bind [::1]:0", network: portpool.TCP, addr: ipv6Loopback},
	{Name: "tcp bind [::1]:0 with reuse", network: portpool.TCP, addr: ipv6Loopback, reuse: true},
	{Name: "tcp connect from 127.0.0.1", network: portpool.TCP, addr: local, connect: true},
	{Name: "udp bind 127.0.0.1:0", network: portpool.UDP, addr: local},
	{Name: "udp bind 127.0.0.1:0 with reuse", network: portpool.UDP, addr: local, reuse: true},
	{Name: "udp bind 0.0.0.0:0 with reuse", network: portpool.UDP, addr: anyIPv4, reuse: true},
	{Name: "udp bind [::]:0 with reuse", network: portpool.UDP, addr: anyIPv6, reuse: true},
	{Name: "udp bind [::1]:0 with reuse", network: portpool.UDP, addr: ipv6Loopback, reuse: true},
}

// exhausted is what came of picking until the kernel found no more.
type exhausted struct {
	Distinct int
	Leased   []int // picks that were leased ports
	End      string
}

// The range has 200 ports, of which half are leased.
const rangeFirst, rangeLast, rangeLeased = 40000, 40199, 100

func init() {
	children["exhaust"] = func(string) (any, error) {
		if err := enterNamespace(fmt.Sprintf("ipv4/ip_local_port_range=%d %d", rangeFirst, rangeLast)); err != nil {
			return nil, err
		}
		results := make(map[string]exhausted)
		for _, p := range picks {
			result, err := p.exhaust()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.Name, err)
			}
			results[p.Name] = result
		}
		return results, nil
	}
}

func (p pick) exhaust() (exhausted, error) {
	pool, err := portpool.New(portpool.Config{Mode: portpool.Guard, Network: p.network})
	if err != nil {
		return exhausted{}, err
	}
	leases, err := pool.ReserveN(rangeLeased)
	if err != nil {
		return exhausted{}, err
	}
	defer releaseAll(leases)
	leased := make(map[int]bool)
	for _, l := range leases {
		leased[l.Port()] = true
	}
	server, err := listenLocal()
	if err != nil {
		return exhausted{}, err
	}
	defer server.Close()
	target := server.Addr().(*net.TCPAddr).AddrPort()

	var result exhausted
	seen := make(map[int]bool)
	// More picks than there are ports, for reuse may give one out twice.
	for range 10 * (rangeLast - rangeFirst) {
		fd, port, err := p.once(target)
		if err != nil {
			result.End = err.Error()
			break
		}
		defer unix.Close(fd)
		if leased[port] {
			result.Leased = append(result.Leased, port)
		}
		seen[port] = true
	}
	result.Distinct = len(seen)
	return result, nil
}

// once lets the kernel pick, and holds the pick.
func (p pick) once(target netip.AddrPort) (fd, port int, err error) {
	kind := unix.SOCK_STREAM
	if p.network == portpool.UDP {
		kind = unix.SOCK_DGRAM
	}
	family := unix.AF_INET
	if p.addr.Is6() {
		family = unix.AF_INET6
	}
	if fd, err = unix.Socket(family, kind, 0); err != nil {
		return 0, 0, err
	}
	if p.reuse {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
			return 0, 0, err
		}
	}
	switch {
	case p.connect:
		err = unix.Connect(fd, &unix.SockaddrInet4{Port: int(target.Port()), Addr: target.Addr().As4()})
	case p.addr.Is6():
		err = unix.Bind(fd, &unix.SockaddrInet6{Addr: p.addr.As16()})
	default:
		err = unix.Bind(fd, &unix.SockaddrInet4{Addr: p.addr.As4()})
	}
	if err != nil {
		unix.Close(fd)
		return 0, 0, err
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return 0, 0, err
	}
	if a, ok := name.(*unix.SockaddrInet6); ok {
		return fd, a.Port, nil
	}
	return fd, name.(*unix.SockaddrInet4).Port, nil
}

// Whoever lets the kernel pick finds every port but the leased ones.
func TestTheKernelPicksNoLeasedPort(t *testing.T) {
	t.Parallel()
	results := runChild[map[string]exhausted](t, inNamespace(t, child(t, "exhaust", "")))
	for _, p := range picks {
		t.Run(p.Name, func(t *testing.T) {
			r := results[p.Name]
			if len(r.Leased) > 0 {
				t.Errorf("the kernel picked leased ports %v", r.Leased)
			}
			if want := rangeLast - rangeFirst + 1 - rangeLeased; r.Distinct != want {
				t.Errorf("it picked %d ports until %q, want every one of the %d that are not leased", r.Distinct, r.End, want)
			}
		})
	}
}

func init() {
	children["autobind"] = func(string) (any, error) {
		if err := enterNamespace(fmt.Sprintf("ipv4/ip_local_port_range=%d %d", rangeFirst, rangeLast), "ipv4/ip_autobind_reuse=1"); err != nil {
			return nil, err
		}
		result := make(map[string]string)
		pool, err := portpool.New(portpool.Config{})
		if err != nil {
			return nil, err
		}
		result["default"] = fmt.Sprint(pool.Mode(), " ", pool.Range())
		_, err = portpool.New(portpool.Config{Range: portpool.Range{First: 39000, Last: 40000}})
		result["overlap"] = fmt.Sprint(errors.Is(err, portpool.ErrNoGuarantee), " ", err)

		// Listen draws from the kernel's range, where a foreign guard with
		// reuse holds every port: it must be given none of them.
		p := pick{network: portpool.TCP, addr: local, reuse: true}
		for range rangeLast - rangeFirst + 1 {
			if _, _, err := p.once(netip.AddrPort{}); err != nil {
				return nil, err
			}
		}
		l, err := pool.Listen()
		result["listen"] = fmt.Sprint(errors.Is(err, portpool.ErrExhausted), " ", l, " ", err)
		return result, nil
	}
}

// With ip_autobind_reuse the kernel gives held ports of its range out again.
func TestAutobindReuseIsDetected(t *testing.T) {
	t.Parallel()
	result := runChild[map[string]string](t, inNamespace(t, child(t, "autobind", "")))
	if got, want := result["default"], "guard 15000-26999"; got != want {
		t.Errorf("the default pool is %s, want %s, outside the range of the kernel", got, want)
	}
	wantPrefix(t, "a range that overlaps the kernel's", result["overlap"],
		"true portpool: choose a range of ports: ports of this range cannot be held: net.ipv4.ip_autobind_reuse=1 lets the kernel give ports out again that are held, and 39000-40000 overlaps its range 40000-40199; set it to 0")
	wantPrefix(t, "Listen, with every port of the kernel's range held", result["listen"],
		"true <nil> portpool: listen on a free tcp port of 127.0.0.1: range used up")
}
