package portpool_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/standin-go/standin/portpool"
)

var ipv6Loopback = netip.IPv6Loopback()

// everyKind are the networks and addresses for which ports are leased.
var everyKind = []portpool.Config{
	{Network: portpool.TCP},
	{Network: portpool.UDP},
	{Network: portpool.TCP | portpool.UDP},
	{Network: portpool.TCP, Address: ipv6Loopback},
	{Network: portpool.UDP, Address: ipv6Loopback},
	{Network: portpool.TCP | portpool.UDP, Address: ipv6Loopback},
	{Network: portpool.TCP, Address: netip.MustParseAddr("127.9.8.7")},
}

func eachKind(t *testing.T, test func(t *testing.T, pool *portpool.Pool, config portpool.Config)) {
	for _, config := range everyKind {
		t.Run(fmt.Sprintf("%s %s", config.Network, config.Address), func(t *testing.T) {
			eachMode(t, config, func(t *testing.T, pool *portpool.Pool) { test(t, pool, config) })
		})
	}
}

func TestALeaseServesItsNetworks(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, pool *portpool.Pool, config portpool.Config) {
		lease := reserve(t, pool)
		if got, want := lease.Addr(), lease.AddrPort().String(); got != want {
			t.Errorf("Addr is %s and AddrPort is %s", got, want)
		}
		if got, want := lease.Addr(), net.JoinHostPort(lease.AddrPort().Addr().String(), strconv.Itoa(lease.Port())); got != want {
			t.Errorf("Addr is %s, and address and port say %s", got, want)
		}
		// Twice, since a lease outlives the servers that use it.
		for range 2 {
			serveNetworks(t, lease, config)
		}
	})
}

// serveNetworks passes a message through a server on each network of a lease.
func serveNetworks(t *testing.T, lease *portpool.Lease, config portpool.Config) {
	t.Helper()
	if config.Network&portpool.TCP != 0 {
		l, err := lease.Listen()
		if err != nil {
			t.Fatal(err)
		}
		echoOnce(t, l, lease.Addr())
	}
	if config.Network&portpool.UDP != 0 {
		c, err := lease.ListenPacket()
		if err != nil {
			t.Fatal(err)
		}
		datagramOnce(t, c, lease.Addr())
	}
}

// echoOnce passes one message through the listener and closes it.
func echoOnce(t *testing.T, l net.Listener, addr string) {
	t.Helper()
	defer l.Close()
	accepted := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			_, err = io.Copy(c, c)
			c.Close()
		}
		accepted <- err
	}()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "hello")
	c.(*net.TCPConn).CloseWrite()
	if got, err := io.ReadAll(c); err != nil || string(got) != "hello" {
		t.Errorf("%s echoed %q, error %v; want hello", addr, got, err)
	}
	if err := <-accepted; err != nil {
		t.Error(err)
	}
}

// datagramOnce sends one datagram to the connection and closes it.
func datagramOnce(t *testing.T, receiver net.PacketConn, addr string) {
	t.Helper()
	defer receiver.Close()
	c, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "hello")
	buf := make([]byte, 16)
	n, from, err := receiver.ReadFrom(buf)
	if err != nil || string(buf[:n]) != "hello" || from.String() != c.LocalAddr().String() {
		t.Errorf("%s received %q from %v, error %v; want hello from %v", addr, buf[:n], from, err, c.LocalAddr())
	}
}

func TestLeasesAreDistinct(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, pool *portpool.Pool, _ portpool.Config) {
		const workers, each = 8, 40
		var mu sync.Mutex
		seen := make(map[int]bool)
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				leases, err := pool.ReserveN(each)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				for _, l := range leases {
					t.Cleanup(func() { l.Release() })
					if seen[l.Port()] {
						t.Errorf("port %d was handed out twice", l.Port())
					}
					seen[l.Port()] = true
					if p := l.AddrPort().Port(); p < pool.Range().First || p > pool.Range().Last {
						t.Errorf("port %d is outside the range %s", p, pool.Range())
					}
				}
			})
		}
		wg.Wait()
		if len(seen) != workers*each {
			t.Errorf("%d leases, want %d", len(seen), workers*each)
		}
	})
}

// A pool of 127.0.0.1 and one of ::1 share their ports: a server on one is
// often taken for one on the other, through the name localhost.
func TestBothFamiliesShareTheirPorts(t *testing.T) {
	t.Parallel()
	for _, network := range []portpool.Network{portpool.TCP, portpool.UDP} {
		t.Run(network.String(), func(t *testing.T) {
			eachMode(t, portpool.Config{Network: network}, func(t *testing.T, v4 *portpool.Pool) {
				lease := reserve(t, v4)
				port := lease.AddrPort().Port()
				v6 := newPool(t, portpool.Config{
					Network: network, Address: ipv6Loopback, Mode: v4.Mode(), Range: only(port),
				})
				if other, err := v6.Reserve(); !errors.Is(err, portpool.ErrExhausted) {
					t.Errorf("port %d is leased on 127.0.0.1, and ::1 got %v, error %v; want ErrExhausted", port, other, err)
				}
			})
		})
	}
}

func TestContiguousPortsFollowOneAnother(t *testing.T) {
	t.Parallel()
	eachMode(t, portpool.Config{}, func(t *testing.T, pool *portpool.Pool) {
		for _, n := range []int{1, 2, 5, 32} {
			leases, err := pool.ReserveContiguous(n)
			if err != nil {
				t.Fatal(err)
			}
			for i, l := range leases {
				defer l.Release()
				if l.Port() != leases[0].Port()+i {
					t.Errorf("port %d of a block of %d is %d, want %d", i, n, l.Port(), leases[0].Port()+i)
				}
			}
			if len(leases) != n {
				t.Errorf("%d leases, want %d", len(leases), n)
			}
		}
	})
}

// A block is found wherever it is, past ports that are taken.
func TestContiguousPortsAreFoundBetweenOthers(t *testing.T) {
	t.Parallel()
	eachMode(t, portpool.Config{Range: apart}, func(t *testing.T, pool *portpool.Pool) {
		retry(t, func() error {
			block := freeBlock(t, pool, 12)
			narrow := newPool(t, portpool.Config{Mode: pool.Mode(), Range: block})
			// Taken: the first, and the fourth. Free: 2, 3 and 5 to 12.
			for _, offset := range []uint16{0, 3} {
				taken, err := newPool(t, portpool.Config{Mode: pool.Mode(), Range: only(block.First + offset)}).Reserve()
				if err != nil {
					return err
				}
				defer taken.Release()
			}
			if leases, err := narrow.ReserveContiguous(9); !errors.Is(err, portpool.ErrExhausted) {
				t.Fatalf("9 in a row, of which 8 are free: %v, error %v; want ErrExhausted", leases, err)
			}
			leases, err := narrow.ReserveContiguous(8)
			if err != nil {
				return fmt.Errorf("8 in a row are free, and were not found: %w", err)
			}
			defer releaseAll(leases)
			if got, want := leases[0].Port(), int(block.First)+4; got != want {
				t.Errorf("the block begins at %d, want %d", got, want)
			}
			return nil
		})
	})
}

// freeBlock returns a range of n ports that nobody had a moment ago, for a
// pool of their own.
func freeBlock(t *testing.T, pool *portpool.Pool, n int) portpool.Range {
	t.Helper()
	leases, err := pool.ReserveContiguous(n)
	if err != nil {
		t.Fatal(err)
	}
	defer releaseAll(leases)
	return portpool.Range{First: leases[0].AddrPort().Port(), Last: leases[n-1].AddrPort().Port()}
}

func releaseAll(leases []*portpool.Lease) {
	for _, l := range leases {
		l.Release()
	}
}

func TestAReserveNThatFailsHoldsNothing(t *testing.T) {
	t.Parallel()
	eachMode(t, portpool.Config{Range: apart}, func(t *testing.T, pool *portpool.Pool) {
		retry(t, func() error {
			narrow := newPool(t, portpool.Config{Mode: pool.Mode(), Range: freeBlock(t, pool, 6)})
			held, err := narrow.Reserve()
			if err != nil {
				return err
			}
			defer held.Release()
			for name, try := range map[string]func(int) ([]*portpool.Lease, error){
				"ReserveN": narrow.ReserveN, "ReserveContiguous": narrow.ReserveContiguous,
			} {
				if leases, err := try(6); !errors.Is(err, portpool.ErrExhausted) || leases != nil {
					t.Fatalf("%s of 6 ports, of which 5 are free: %v, error %v; want ErrExhausted", name, leases, err)
				}
			}
			rest, err := narrow.ReserveN(5)
			if err != nil {
				return fmt.Errorf("the 5 ports that were free before are not any more: %w", err)
			}
			defer releaseAll(rest)
			if slices.ContainsFunc(rest, func(l *portpool.Lease) bool { return l.Port() == held.Port() }) {
				t.Errorf("port %d was handed out twice", held.Port())
			}
			return nil
		})
	})
}

func TestReleaseEndsALeaseOnce(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, pool *portpool.Pool, config portpool.Config) {
		config.Mode, config.Range = pool.Mode(), apart
		retry(t, func() error {
			lease, err := newPool(t, config).Reserve()
			if err != nil {
				return err
			}
			for range 2 {
				if err := lease.Release(); err != nil {
					t.Error(err)
				}
			}
			if _, err := lease.File(); !errors.Is(err, portpool.ErrReleased) {
				t.Errorf("File of a released lease: error %v; want ErrReleased", err)
			}
			narrow := config
			narrow.Range = only(lease.AddrPort().Port())
			again, err := newPool(t, narrow).Reserve()
			if err != nil {
				return err
			}
			return again.Release()
		})
	})
}

// A descriptor number that one lease has closed may be another's by then:
// the second Release must not close it.
func TestReleaseOfManyAtOnce(t *testing.T) {
	t.Parallel()
	eachMode(t, portpool.Config{}, func(t *testing.T, pool *portpool.Pool) {
		var wg sync.WaitGroup
		for range 50 {
			lease, err := pool.Reserve()
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				wg.Go(func() { lease.Release() })
			}
			wg.Go(func() {
				if l, err := lease.Listen(); err == nil {
					l.Close()
				} else if !errors.Is(err, portpool.ErrReleased) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

func TestListenGivesAnOpenPort(t *testing.T) {
	t.Parallel()
	wide := everyKind[:6]
	for _, config := range wide {
		t.Run(fmt.Sprintf("%s %s", config.Network, config.Address), func(t *testing.T) {
			eachMode(t, config, func(t *testing.T, pool *portpool.Pool) {
				narrow := config
				narrow.Mode, narrow.Range = pool.Mode(), pool.Range()
				for _, p := range []*portpool.Pool{pool, newPool(t, narrow)} {
					if config.Network&portpool.TCP != 0 {
						l, err := p.Listen()
						if err != nil {
							t.Fatal(err)
						}
						echoOnce(t, l, l.Addr().String())
					}
					if config.Network&portpool.UDP != 0 {
						c, err := p.ListenPacket()
						if err != nil {
							t.Fatal(err)
						}
						datagramOnce(t, c, c.LocalAddr().String())
					}
				}
			})
		})
	}
}

func TestTheFunctionsOfThePackage(t *testing.T) {
	t.Parallel()
	l, err := portpool.Listen()
	if err != nil {
		t.Fatal(err)
	}
	echoOnce(t, l, l.Addr().String())
	c, err := portpool.ListenPacket()
	if err != nil {
		t.Fatal(err)
	}
	datagramOnce(t, c, c.LocalAddr().String())
	lease, err := portpool.Reserve()
	if err != nil {
		t.Fatal(err)
	}
	defer lease.Release()
	several, err := portpool.ReserveN(3)
	if err != nil {
		t.Fatal(err)
	}
	defer releaseAll(several)
	block, err := portpool.ReserveContiguous(3)
	if err != nil {
		t.Fatal(err)
	}
	defer releaseAll(block)
	seen := make(map[int]bool)
	for _, l := range slices.Concat([]*portpool.Lease{lease}, several, block) {
		if !l.AddrPort().Addr().IsLoopback() || seen[l.Port()] {
			t.Errorf("%v is not loopback, or was handed out twice", l)
		}
		seen[l.Port()] = true
	}
}
