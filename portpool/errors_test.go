package portpool_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/standin-go/standin/portpool"
)

func TestConfigsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config portpool.Config
		want   string
	}{
		"a network that is none":       {portpool.Config{Network: 8}, "Network 8 is none of TCP, UDP, TCP|UDP"},
		"all addresses":                {portpool.Config{Address: netip.IPv4Unspecified()}, "Address 0.0.0.0 is not a loopback address"},
		"another host":                 {portpool.Config{Address: netip.MustParseAddr("192.0.2.1")}, "Address 192.0.2.1 is not a loopback address"},
		"an IPv4 address in IPv6":      {portpool.Config{Address: netip.MustParseAddr("::ffff:127.0.0.1")}, "Address ::ffff:127.0.0.1 is not a loopback address"},
		"a range that ends first":      {portpool.Config{Range: portpool.Range{First: 20, Last: 10}}, "Range 20-10 is empty"},
		"a range with port 0":          {portpool.Config{Range: portpool.Range{First: 0, Last: 10}}, "begins at 0"},
		"addresses of another network": {portpool.Config{Addresses: netip.MustParsePrefix("10.0.0.0/8")}, "Addresses 10.0.0.0/8 is not inside 127.0.0.0/8"},
		"addresses beyond the network": {portpool.Config{Addresses: netip.MustParsePrefix("127.0.0.0/7")}, "Addresses 127.0.0.0/7 is not inside 127.0.0.0/8"},
		"a mode that is none":          {portpool.Config{Mode: "hope"}, `Mode "hope" is neither "guard" nor "lockfile"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := portpool.New(test.config)
			if !errors.Is(err, portpool.ErrInvalid) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v; want ErrInvalid with %q", err, test.want)
			}
		})
	}
}

func TestArgumentsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	eachMode(t, portpool.Config{}, func(t *testing.T, pool *portpool.Pool) {
		lease := reserve(t, pool)
		udp := newPool(t, portpool.Config{Network: portpool.UDP, Mode: pool.Mode()})
		for name, test := range map[string]struct {
			try  func() error
			kind error
			want string
		}{
			"no port at all":        {func() error { _, err := pool.ReserveN(0); return err }, portpool.ErrInvalid, "reserve 0 tcp ports of 127.0.0.1 from "},
			"fewer than none":       {func() error { _, err := pool.ReserveContiguous(-1); return err }, portpool.ErrInvalid, "at least one port"},
			"more than there are":   {func() error { _, err := pool.ReserveN(70_000); return err }, portpool.ErrExhausted, "ports in all"},
			"datagrams of TCP":      {func() error { _, err := lease.ListenPacket(); return err }, portpool.ErrInvalid, "the lease is for tcp alone; make the pool with Config.Network tcp+udp"},
			"a datagram descriptor": {func() error { _, err := lease.PacketFile(); return err }, portpool.ErrInvalid, "the lease is for tcp alone"},
			"a listener of UDP":     {func() error { _, err := udp.Listen(); return err }, portpool.ErrInvalid, "the pool is for udp alone"},
			"datagrams of a pool":   {func() error { _, err := pool.ListenPacket(); return err }, portpool.ErrInvalid, "the pool is for tcp alone"},
			"port 0 of an address":  {func() error { _, err := pool.ReserveAddress(0); return err }, portpool.ErrInvalid, "port 0 is not between 1 and 65535"},
			"port 65536":            {func() error { _, err := pool.ReserveAddress(65536); return err }, portpool.ErrInvalid, "port 65536 is not between 1 and 65535"},
			"the owner of port 0": {func() error {
				_, err := portpool.Owner(portpool.TCP, netip.MustParseAddrPort("127.0.0.1:0"))
				return err
			}, portpool.ErrInvalid, "valid with a port"},
			"the owner of both": {func() error { _, err := portpool.Owner(portpool.TCP|portpool.UDP, lease.AddrPort()); return err }, portpool.ErrInvalid, "must be TCP or UDP"},
		} {
			t.Run(name, func(t *testing.T) {
				err := test.try()
				var typed *portpool.Error
				if !errors.As(err, &typed) || !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("error %v; want kind %q with %q", err, test.kind, test.want)
				}
			})
		}
	})
}

func TestARangeThatIsUsedUp(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, pool *portpool.Pool, config portpool.Config) {
		config.Mode, config.Range = pool.Mode(), freeBlock(t, pool, 3)
		narrow := newPool(t, config)
		var leases []*portpool.Lease
		for range 3 {
			leases = append(leases, reserve(t, narrow))
		}
		_, err := narrow.Reserve()
		if !errors.Is(err, portpool.ErrExhausted) {
			t.Fatalf("a fourth port of three: error %v; want ErrExhausted", err)
		}
		for _, want := range []string{
			"reserve a " + config.Network.String() + " port of " + leases[0].AddrPort().Addr().String() + " from " + config.Range.String(),
			"none of its 3 ports is free", "release leases",
		} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("the error does not say %q:\n%v", want, err)
			}
		}
		leases[1].Release()
		if again := reserve(t, narrow); again.Port() != leases[1].Port() {
			t.Errorf("leased %d after %d was released and the rest was held", again.Port(), leases[1].Port())
		}
	})
}

// The range for lock files must be one from which the kernel does not pick.
func TestLockFilesWantAQuietRange(t *testing.T) {
	t.Parallel()
	_, err := portpool.New(portpool.Config{Mode: portpool.LockFile, Range: portpool.Range{First: 15000, Last: 65535}})
	if !errors.Is(err, portpool.ErrNoGuarantee) || !strings.Contains(err.Error(), "15000-65535 overlaps its range") {
		t.Errorf("error %v; want ErrNoGuarantee that names both ranges", err)
	}
}

func TestTheEnvironmentChoosesTheMode(t *testing.T) {
	for _, mode := range modes() {
		t.Setenv("STANDIN_PORTPOOL", string(mode))
		if got := newPool(t, portpool.Config{}).Mode(); got != mode {
			t.Errorf("STANDIN_PORTPOOL=%s: mode %s", mode, got)
		}
	}
	t.Setenv("STANDIN_PORTPOOL", "magic")
	if _, err := portpool.New(portpool.Config{}); !errors.Is(err, portpool.ErrInvalid) || !strings.Contains(err.Error(), "STANDIN_PORTPOOL") {
		t.Errorf("STANDIN_PORTPOOL=magic: error %v; want ErrInvalid that names the variable", err)
	}
}
