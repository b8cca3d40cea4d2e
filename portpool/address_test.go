package portpool_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/standin-go/standin/portpool"
)

func TestOneFixedPortOnManyAddresses(t *testing.T) {
	t.Parallel()
	eachMode(t, portpool.Config{}, func(t *testing.T, pool *portpool.Pool) {
		const port, n = 62893, 60
		var mu sync.Mutex
		seen := make(map[netip.Addr]bool)
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() {
				a, err := pool.ReserveAddress(port)
				if err != nil {
					t.Error(err)
					return
				}
				t.Cleanup(func() { a.Release() })
				l, err := net.Listen("tcp", a.AddrPort(port).String())
				if err != nil {
					t.Errorf("the port of a leased address: %v", err)
					return
				}
				t.Cleanup(func() { l.Close() })
				mu.Lock()
				defer mu.Unlock()
				if seen[a.Addr()] || !a.Addr().IsLoopback() {
					t.Errorf("%s was handed out twice, or is not loopback", a)
				}
				seen[a.Addr()] = true
			})
		}
		wg.Wait()
		if len(seen) != n {
			t.Errorf("%d addresses, want %d", len(seen), n)
		}
	})
}

func TestTheLeasesOfAnAddress(t *testing.T) {
	t.Parallel()
	eachMode(t, portpool.Config{Network: portpool.TCP | portpool.UDP}, func(t *testing.T, pool *portpool.Pool) {
		a, err := pool.ReserveAddress(5432, 5353)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Release()
		for i, port := range []int{5432, 5353} {
			lease := a.Leases()[i]
			if lease.AddrPort() != a.AddrPort(port) {
				t.Errorf("lease %d is %v, want port %d of %s", i, lease, port, a)
			}
			l, err := lease.Listen()
			if err != nil {
				t.Fatal(err)
			}
			echoOnce(t, l, lease.Addr())
			c, err := lease.ListenPacket()
			if err != nil {
				t.Fatal(err)
			}
			datagramOnce(t, c, lease.Addr())
		}
		l, err := a.Listen(8080)
		if err != nil {
			t.Fatal(err)
		}
		echoOnce(t, l, a.AddrPort(8080).String())
		for range 2 {
			if err := a.Release(); err != nil {
				t.Error(err)
			}
		}
		if _, err := a.Leases()[0].Listen(); !errors.Is(err, portpool.ErrReleased) {
			t.Errorf("the port of a released address: error %v; want ErrReleased", err)
		}
	})
}

func TestAPrefixThatIsUsedUp(t *testing.T) {
	t.Parallel()
	eachMode(t, portpool.Config{}, func(t *testing.T, pool *portpool.Pool) {
		// Two addresses of their own for each mode.
		prefix := netip.MustParsePrefix("127.200.1.0/31")
		if pool.Mode() == portpool.LockFile {
			prefix = netip.MustParsePrefix("127.200.2.0/31")
		}
		small := newPool(t, portpool.Config{Mode: pool.Mode(), Addresses: prefix})
		var leases []*portpool.AddressLease
		for range 2 {
			a, err := small.ReserveAddress()
			if err != nil {
				t.Fatal(err)
			}
			defer a.Release()
			if !prefix.Contains(a.Addr()) {
				t.Errorf("%s is outside of %s", a, prefix)
			}
			leases = append(leases, a)
		}
		_, err := small.ReserveAddress()
		if !errors.Is(err, portpool.ErrExhausted) || !strings.Contains(err.Error(), prefix.String()) {
			t.Fatalf("a third address of two: error %v; want ErrExhausted that names %s", err, prefix)
		}
		leases[0].Release()
		again, err := small.ReserveAddress()
		if err != nil {
			t.Fatalf("an address that was released: %v", err)
		}
		defer again.Release()
		if again.Addr() != leases[0].Addr() {
			t.Errorf("leased %s after %s was released", again, leases[0])
		}
	})
}

// The addresses that everybody uses without a lease are nobody's.
func TestCommonAddressesAreLeftAlone(t *testing.T) {
	t.Parallel()
	pool := newPool(t, portpool.Config{Addresses: netip.MustParsePrefix("127.0.0.0/30")})
	if a, err := pool.ReserveAddress(); !errors.Is(err, portpool.ErrExhausted) {
		t.Errorf("leased %v of 127.0.0.0/30, error %v; want ErrExhausted", a, err)
	}
}

func TestAServerOnAllAddressesIsNamed(t *testing.T) {
	t.Parallel()
	eachMode(t, portpool.Config{}, func(t *testing.T, pool *portpool.Pool) {
		l, err := net.Listen("tcp", ":0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		port := l.Addr().(*net.TCPAddr).Port
		_, err = pool.ReserveAddress(port)
		if !errors.Is(err, portpool.ErrInUse) {
			t.Fatalf("error %v; want ErrInUse", err)
		}
		if want := fmt.Sprintf("(pid %d), LISTEN on [::]:%d", os.Getpid(), port); onLinux && !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name this process (%q):\n%v", want, err)
		}
	})
}
