package portpool_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"

	"github.com/standin-go/standin/portpool"
)

// outcome is what a child with a limit reports for one call.
type outcome struct {
	Kinds string // the Err variables that errors.Is finds
	Text  string
	Held  int // descriptors that the failed call left open
}

func (o outcome) String() string { return fmt.Sprintf("%s, %d held: %s", o.Kinds, o.Held, o.Text) }

var kinds = map[string]error{
	"ErrTooManyFiles": portpool.ErrTooManyFiles, "ErrNoIPv6": portpool.ErrNoIPv6, "ErrPermission": portpool.ErrPermission,
	"ErrNoGuarantee": portpool.ErrNoGuarantee, "ErrExhausted": portpool.ErrExhausted, "ErrAddress": portpool.ErrAddress,
}

// try calls f and counts descriptors around it.
func try(f func() error) outcome {
	before := countFiles()
	err := f()
	o := outcome{Text: fmt.Sprint(err), Held: countFiles() - before}
	for name, kind := range kinds {
		if errors.Is(err, kind) {
			o.Kinds += name
		}
	}
	return o
}

func countFiles() int {
	n := 0
	for fd := range 1024 {
		if _, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd)); err == nil {
			n++
		}
	}
	return n
}

func init() {
	children["no files"] = func(mode string) (any, error) {
		pool, err := portpool.New(portpool.Config{Mode: portpool.Mode(mode)})
		if err != nil {
			return nil, err
		}
		udp, err := portpool.New(portpool.Config{Mode: portpool.Mode(mode), Network: portpool.TCP | portpool.UDP})
		if err != nil {
			return nil, err
		}
		lease, err := udp.Reserve()
		if err != nil {
			return nil, err
		}
		limit := uint64(countFiles()) + 5
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
			return nil, err
		}
		results := map[string]outcome{
			"ReserveN":          try(func() error { _, err := pool.ReserveN(20); return err }),
			"ReserveN of both":  try(func() error { _, err := udp.ReserveN(20); return err }),
			"ReserveContiguous": try(func() error { _, err := pool.ReserveContiguous(20); return err }),
			"ReserveAddress":    try(func() error { _, err := pool.ReserveAddress(5001, 5002, 5003, 5004, 5005, 5006, 5007); return err }),
		}
		var open []*os.File
		defer func() { runtime.KeepAlive(open) }()
		for {
			f, err := os.Open("/dev/null")
			if err != nil {
				break
			}
			open = append(open, f)
		}
		results["Reserve"] = try(func() error { _, err := pool.Reserve(); return err })
		results["Listen"] = try(func() error { _, err := pool.Listen(); return err })
		results["Lease.Listen"] = try(func() error { _, err := lease.Listen(); return err })
		results["Lease.File"] = try(func() error { _, err := lease.File(); return err })
		results["Lease.ListenPacket"] = try(func() error { _, err := lease.ListenPacket(); return err })
		results["New"] = try(func() error { _, err := portpool.New(portpool.Config{Mode: portpool.Mode(mode)}); return err })
		return results, nil
	}
}

func TestNoDescriptorLeft(t *testing.T) {
	t.Parallel()
	for _, mode := range modes() {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			for call, o := range runChild[map[string]outcome](t, child(t, "no files", string(mode))) {
				if o.Kinds != "ErrTooManyFiles" || o.Held != 0 {
					t.Errorf("%s: %v; want ErrTooManyFiles, and nothing held", call, o)
				}
			}
		})
	}
}

func init() {
	children["no IPv6"] = func(mode string) (any, error) {
		if err := enterNamespace("ipv6/conf/all/disable_ipv6=1", "ipv6/conf/lo/disable_ipv6=1"); err != nil {
			return nil, err
		}
		results := map[string]outcome{
			"New": try(func() error {
				_, err := portpool.New(portpool.Config{Mode: portpool.Mode(mode), Address: ipv6Loopback})
				return err
			}),
		}
		for _, network := range []portpool.Network{portpool.TCP, portpool.UDP, portpool.TCP | portpool.UDP} {
			pool, err := portpool.New(portpool.Config{Mode: portpool.Mode(mode), Network: network})
			if err != nil {
				return nil, err
			}
			lease, err := pool.Reserve()
			if err != nil {
				return nil, err
			}
			if network&portpool.TCP != 0 {
				l, err := lease.Listen()
				if err != nil {
					return nil, err
				}
				l.Close()
			}
		}
		_, err := net.Listen("tcp", "[::1]:0")
		results["Explain"] = outcome{Text: fmt.Sprint(portpool.Explain(err))}
		return results, nil
	}
}

func TestNoIPv6(t *testing.T) {
	t.Parallel()
	for _, mode := range modes() {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			results := runChild[map[string]outcome](t, inNamespace(t, child(t, "no IPv6", string(mode))))
			if o := results["New"]; o.Kinds != "ErrNoIPv6" {
				t.Errorf("a pool of ::1: %v; want ErrNoIPv6", o)
			}
			wantPrefix(t, "Explain", results["Explain"].Text, "listen tcp [::1]:0: bind: cannot assign requested address: IPv6 is off on the loopback interface; use 127.0.0.1")
		})
	}
}

func init() {
	children["no permission"] = func(mode string) (any, error) {
		if err := enterNamespace(); err != nil {
			return nil, err
		}
		return nil, becomeUnprivileged("no permission, unprivileged", mode)
	}
	children["no permission, unprivileged"] = func(mode string) (any, error) {
		pool, err := portpool.New(portpool.Config{Mode: portpool.Mode(mode)})
		if err != nil {
			return nil, err
		}
		low := portpool.Config{Mode: portpool.Mode(mode), Range: portpool.Range{First: 700, Last: 710}}
		results := map[string]outcome{
			"Reserve": try(func() error {
				p, err := portpool.New(low)
				if err == nil {
					_, err = p.Reserve()
				}
				return err
			}),
			"ReserveAddress": try(func() error { _, err := pool.ReserveAddress(80); return err }),
		}
		_, err = net.Listen("tcp", "127.0.0.1:80")
		results["Explain"] = outcome{Text: fmt.Sprint(portpool.Explain(err))}
		return results, nil
	}
}

func TestNoPermission(t *testing.T) {
	t.Parallel()
	for _, mode := range modes() {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			results := runChild[map[string]outcome](t, inNamespace(t, child(t, "no permission", string(mode))))
			for _, call := range []string{"Reserve", "ReserveAddress"} {
				if o := results[call]; o.Kinds != "ErrPermission" || o.Held != 0 {
					t.Errorf("%s: %v; want ErrPermission, and nothing held", call, o)
				}
			}
			wantPrefix(t, "Explain", results["Explain"].Text, "listen tcp 127.0.0.1:80: bind: permission denied: port 80 is below 1024")
		})
	}
}
