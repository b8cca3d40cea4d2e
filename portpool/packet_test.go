package portpool_test

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/standin-go/standin/portpool"
)

// While nobody receives, a sender is told so.
func TestADatagramIsRefusedWhileNobodyListens(t *testing.T) {
	t.Parallel()
	if !onLinux {
		t.Log("without guards this is the system's matter")
		return
	}
	pool := newPool(t, portpool.Config{Network: portpool.UDP, Mode: portpool.Guard})
	lease := reserve(t, pool)
	refused := func(when string) {
		t.Helper()
		c, err := net.Dial("udp", lease.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, "anybody?")
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s: reading the answer: error %v; want connection refused", when, err)
		}
	}
	refused("before ListenPacket")
	c, err := lease.ListenPacket()
	if err != nil {
		t.Fatal(err)
	}
	if second, err := lease.ListenPacket(); !errors.Is(err, portpool.ErrInUse) {
		t.Errorf("a second receiver of the same datagrams: %v, error %v; want ErrInUse", second, err)
	}
	if err := lease.HandOver(func() error { return nil }); !errors.Is(err, portpool.ErrInUse) {
		t.Errorf("HandOver with an open receiver: error %v; want ErrInUse", err)
	}
	unread, err := net.Dial("udp", lease.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer unread.Close()
	io.WriteString(unread, "never read")
	for range 2 {
		c.Close()
	}
	refused("after Close")
	again, err := lease.ListenPacket()
	if err != nil {
		t.Fatal(err)
	}
	datagramOnce(t, again, lease.Addr()) // and not "never read"
}

func TestAReceiverOutlivesItsLease(t *testing.T) {
	t.Parallel()
	eachMode(t, portpool.Config{Network: portpool.UDP}, func(t *testing.T, pool *portpool.Pool) {
		lease := reserve(t, pool)
		c, err := lease.ListenPacket()
		if err != nil {
			t.Fatal(err)
		}
		lease.Release()
		datagramOnce(t, c, lease.Addr())
	})
}
