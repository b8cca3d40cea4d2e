package portpool_test

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/standin-go/standin/portpool"
)

// The tests of this file are about what the kernel promises to a guard, one
// promise each. A kernel that breaks one breaks the lease.

// bound is a raw socket of the test, as a foreign program would make it.
func bound(t testing.TB, kind int, addr netip.AddrPort, reuse bool) (int, error) {
	t.Helper()
	family, sockaddr := unix.AF_INET, unix.Sockaddr(&unix.SockaddrInet4{Port: int(addr.Port()), Addr: [4]byte(addr.Addr().AsSlice())})
	if addr.Addr().Is6() {
		family, sockaddr = unix.AF_INET6, &unix.SockaddrInet6{Port: int(addr.Port()), Addr: addr.Addr().As16()}
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if reuse {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
			t.Fatal(err)
		}
	}
	return fd, unix.Bind(fd, sockaddr)
}

var (
	anyIPv4 = netip.IPv4Unspecified()
	anyIPv6 = netip.IPv6Unspecified()
	local   = netip.MustParseAddr("127.0.0.1")
)

func guarded(t testing.TB) *portpool.Lease {
	return reserve(t, newPool(t, portpool.Config{Mode: portpool.Guard}))
}

func TestAServerWithReuseBindsUnderTheGuard(t *testing.T) {
	t.Parallel()
	lease := guarded(t)
	for _, addr := range []netip.Addr{local, anyIPv4, anyIPv6, ipv6Loopback} {
		t.Run(addr.String(), func(t *testing.T) {
			fd, err := bound(t, unix.SOCK_STREAM, netip.AddrPortFrom(addr, uint16(lease.Port())), true)
			if err == nil {
				err = unix.Listen(fd, 1)
			}
			if err != nil {
				t.Errorf("bind and listen on %s beside the guard: %v", addr, err)
			}
			unix.Close(fd)
		})
	}
}

func TestAServerWithoutReuseIsKeptOff(t *testing.T) {
	t.Parallel()
	lease := guarded(t)
	for _, addr := range []netip.Addr{local, anyIPv4, anyIPv6, ipv6Loopback} {
		if _, err := bound(t, unix.SOCK_STREAM, netip.AddrPortFrom(addr, uint16(lease.Port())), false); !errors.Is(err, unix.EADDRINUSE) {
			t.Errorf("bind of %s without SO_REUSEADDR: error %v; want EADDRINUSE", addr, err)
		}
	}
}

func TestASecondListenerIsRefused(t *testing.T) {
	t.Parallel()
	lease := guarded(t)
	first, err := lease.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if second, err := net.Listen("tcp", lease.Addr()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a second listener: %v, error %v; want EADDRINUSE", second, err)
	}
}

func TestAServerRestartsOverTimeWait(t *testing.T) {
	t.Parallel()
	lease := guarded(t)
	for range 3 {
		l, err := lease.Listen()
		if err != nil {
			t.Fatalf("listen again on a port with connections in TIME_WAIT: %v", err)
		}
		client, err := net.Dial("tcp", lease.Addr())
		if err != nil {
			t.Fatal(err)
		}
		server, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		server.Close() // first, so that TIME_WAIT stays at this end
		client.Close()
		l.Close()
	}
}

func TestAConnectionIsRefusedWhileNobodyListens(t *testing.T) {
	t.Parallel()
	lease := guarded(t)
	for _, addr := range []netip.Addr{local, ipv6Loopback} {
		target := netip.AddrPortFrom(addr, uint16(lease.Port())).String()
		if c, err := net.Dial("tcp", target); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dial %s: %v, error %v; want connection refused", target, c, err)
		}
	}
}

// Two pools with guards cannot take one number, although each guard is
// willing to share it with a server.
func TestAGuardCannotBeTakenByNumber(t *testing.T) {
	t.Parallel()
	lease := guarded(t)
	port := lease.AddrPort().Port()
	for _, addr := range []netip.Addr{local, ipv6Loopback, netip.MustParseAddr("127.3.2.1")} {
		pool := newPool(t, portpool.Config{Mode: portpool.Guard, Address: addr, Range: only(port)})
		if second, err := pool.Reserve(); !errors.Is(err, portpool.ErrExhausted) {
			t.Errorf("port %d, which is held, on %s: %v, error %v; want ErrExhausted", port, addr, second, err)
		}
	}
}
