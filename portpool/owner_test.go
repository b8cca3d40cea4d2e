package portpool_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/standin-go/standin/portpool"
)

func TestOwnerNamesTheProcess(t *testing.T) {
	t.Parallel()
	if !onLinux {
		if _, err := portpool.Owner(portpool.TCP, netip.MustParseAddrPort("127.0.0.1:80")); !errors.Is(err, portpool.ErrUnsupported) {
			t.Errorf("error %v; want ErrUnsupported", err)
		}
		return
	}
	lease := guardedBy(t, portpool.TCP)
	expect := func(network portpool.Network, addr netip.AddrPort, state string) {
		t.Helper()
		holders, err := portpool.Owner(network, addr)
		if err != nil {
			t.Fatal(err)
		}
		if len(holders) == 0 || holders[0].State != state || holders[0].PID != os.Getpid() || !strings.Contains(holders[0].Command, "portpool.test") {
			t.Errorf("%s %s: %v; want this process (pid %d) first, with %s", network, addr, holders, os.Getpid(), state)
		}
	}
	expect(portpool.TCP, lease.AddrPort(), "BOUND")
	l, err := lease.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	expect(portpool.TCP, lease.AddrPort(), "LISTEN")
	expect(portpool.TCP, netip.AddrPortFrom(anyAddress, lease.AddrPort().Port()), "LISTEN")

	c, err := portpool.ListenPacket()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	expect(portpool.UDP, c.LocalAddr().(*net.UDPAddr).AddrPort(), "UNCONNECTED")

	lease.Release()
	l.Close()
	if holders, err := portpool.Owner(portpool.TCP, lease.AddrPort()); err != nil || len(holders) != 0 {
		t.Errorf("after the release: %v, error %v; want nobody", holders, err)
	}
}

var anyAddress = netip.IPv4Unspecified()

func guardedBy(t *testing.T, network portpool.Network) *portpool.Lease {
	return reserve(t, newPool(t, portpool.Config{Network: network, Mode: portpool.Guard, Range: apart}))
}

func TestExplain(t *testing.T) {
	t.Parallel()
	if !onLinux {
		return // the tables behind the answers are Linux'
	}
	listener := func(t *testing.T, addr string) net.Addr {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l.Addr()
	}
	for name, test := range map[string]struct {
		provoke func(t *testing.T) error
		cause   portpool.Cause
		want    []string
	}{
		"somebody listens": {
			func(t *testing.T) error { _, err := net.Listen("tcp", listener(t, "127.0.0.1:0").String()); return err },
			portpool.CauseInUse,
			[]string{"address already in use", "portpool.test", "LISTEN on 127.0.0.1:", "ReserveAddress"},
		},
		"somebody listens on all addresses": {
			func(t *testing.T) error {
				_, port, _ := net.SplitHostPort(listener(t, ":0").String())
				_, err := net.Listen("tcp", "127.0.0.1:"+port)
				return err
			},
			portpool.CauseInUse,
			[]string{"LISTEN on [::]:"},
		},
		"somebody receives datagrams": {
			func(t *testing.T) error {
				c, err := portpool.ListenPacket()
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { c.Close() })
				_, err = net.ListenPacket("udp", c.LocalAddr().String())
				return err
			},
			portpool.CauseInUse,
			[]string{"UNCONNECTED on 127.0.0.1:"},
		},
		"a lease, and a server that shares nothing": {
			func(t *testing.T) error {
				_, err := selfish.Listen(context.Background(), "tcp", guardedBy(t, portpool.TCP).Addr())
				return err
			},
			portpool.CauseLeased,
			[]string{"BOUND on ", "without listening, as a lease does", "HandOver"},
		},
		"one end of a connection": {
			func(t *testing.T) error {
				c, err := net.Dial("tcp", listener(t, "127.0.0.1:0").String())
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { c.Close() })
				_, err = net.Listen("tcp", c.LocalAddr().String())
				return err
			},
			portpool.CauseConnection,
			[]string{"nobody listens, it is one end of a connection with ESTABLISHED"},
		},
		"an address of another host": {
			func(*testing.T) error { _, err := net.Listen("tcp", "192.0.2.1:0"); return err },
			portpool.CauseNotLocal,
			[]string{"no interface has 192.0.2.1"},
		},
		"nobody listens": {
			func(t *testing.T) error { _, err := net.Dial("tcp", guardedBy(t, portpool.TCP).Addr()); return err },
			portpool.CauseNobody,
			[]string{"connection refused", "no socket listens on 127.0.0.1:", "wait until it is ready"},
		},
		"it listens on the other family": {
			func(t *testing.T) error {
				_, port, _ := net.SplitHostPort(listener(t, "[::1]:0").String())
				_, err := net.Dial("tcp", "127.0.0.1:"+port)
				return err
			},
			portpool.CauseElsewhere,
			[]string{"LISTEN on [::1]:", "let the server bind 127.0.0.1"},
		},
		"a server that does not accept": {
			func(t *testing.T) error {
				_, err := net.DialTimeout("tcp", listener(t, "127.0.0.1:0").String(), time.Nanosecond)
				return err
			},
			portpool.CauseFirewall,
			[]string{"a local rule drops the packets, or the server's queue is full"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := test.provoke(t)
			if err == nil {
				t.Fatal("there was no error to explain")
			}
			explained := portpool.Explain(err)
			var d *portpool.Diagnosis
			if !errors.As(explained, &d) || d.Cause != test.cause || !errors.Is(explained, err) {
				t.Fatalf("explained as %+v; want cause %q", explained, test.cause)
			}
			for _, want := range append(test.want, "; ") {
				if !strings.Contains(explained.Error(), want) {
					t.Errorf("the explanation does not say %q:\n%v", want, explained)
				}
			}
			if again := portpool.Explain(explained); again != explained {
				t.Errorf("explained twice: %v", again)
			}
		})
	}
}

func TestExplainLeavesOtherErrorsAlone(t *testing.T) {
	t.Parallel()
	if err := portpool.Explain(nil); err != nil {
		t.Errorf("nil became %v", err)
	}
	for _, err := range []error{errors.New("no network"), &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("odd")}} {
		if got := portpool.Explain(err); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
}
