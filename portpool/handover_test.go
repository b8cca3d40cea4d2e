package portpool_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/standin-go/standin/portpool"
)

// selfish makes servers that do not set SO_REUSEADDR.
var selfish = net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) { err = dropReuse(fd) }); e != nil {
		return e
	}
	return err
}}

func TestHandOverToAServerThatSharesNothing(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, pool *portpool.Pool, config portpool.Config) {
		lease := reserve(t, pool)
		for range 2 { // and again, as after a crash of the program
			var l net.Listener
			var c net.PacketConn
			if err := lease.HandOver(func() (err error) {
				if config.Network&portpool.TCP != 0 {
					if l, err = selfish.Listen(context.Background(), "tcp", lease.Addr()); err != nil {
						return err
					}
				}
				if config.Network&portpool.UDP != 0 {
					c, err = selfish.ListenPacket(context.Background(), "udp", lease.Addr())
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
			narrow := config
			narrow.Mode, narrow.Range = pool.Mode(), only(lease.AddrPort().Port())
			if second, err := newPool(t, narrow).Reserve(); !errors.Is(err, portpool.ErrExhausted) {
				t.Errorf("port %d is handed over and still leased, and was leased again: %v, error %v", lease.Port(), second, err)
			}
			if l != nil {
				l.Close()
			}
			if c != nil {
				datagramOnce(t, c, lease.Addr())
			}
		}
		serveNetworks(t, lease, config) // the lease is good for other servers after the program
	})
}

func TestAHandOverThatFails(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, pool *portpool.Pool, config portpool.Config) {
		lease := reserve(t, pool)
		failed := errors.New("the program did not start")
		if err := lease.HandOver(func() error { return failed }); !errors.Is(err, failed) || !strings.Contains(err.Error(), lease.Addr()) {
			t.Errorf("error %v; want the one of start, with the address", err)
		}
		if err := lease.HandOver(func() error { return nil }); !errors.Is(err, portpool.ErrNotBound) || !strings.Contains(err.Error(), "nobody has bound") {
			t.Errorf("start returned and bound nothing: error %v; want ErrNotBound", err)
		}
		// The lease is what it was: a server that shares nothing is kept off.
		if pool.Mode() == portpool.Guard && config.Network&portpool.TCP != 0 {
			if l, err := selfish.Listen(context.Background(), "tcp", lease.Addr()); err == nil {
				l.Close()
				t.Errorf("%s is not guarded any more", lease)
			}
		}
		lease.Release()
		if err := lease.HandOver(func() error { t.Error("start was called"); return nil }); !errors.Is(err, portpool.ErrReleased) {
			t.Errorf("a released lease: error %v; want ErrReleased", err)
		}
	})
}
