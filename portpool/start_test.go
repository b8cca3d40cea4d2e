package portpool_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/standin-go/standin/portpool"
)

func init() {
	// The program serves what it inherits, in the way of sd_listen_fds(3),
	// until its standard input ends.
	children["inherit"] = func(string) (any, error) {
		if got, want := os.Getenv("LISTEN_PID"), strconv.Itoa(os.Getpid()); got != want {
			return nil, fmt.Errorf("LISTEN_PID is %q in process %s", got, want)
		}
		n, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
		if err != nil {
			return nil, err
		}
		names := strings.Split(os.Getenv("LISTEN_FDNAMES"), ":")
		for i := range n {
			f := os.NewFile(uintptr(3+i), names[i])
			switch names[i] {
			case "tcp":
				l, err := net.FileListener(f)
				if err != nil {
					return nil, err
				}
				go serveEcho(l)
			case "udp":
				c, err := net.FilePacketConn(f)
				if err != nil {
					return nil, err
				}
				go servePackets(c)
			}
			f.Close()
		}
		fmt.Printf("%q\n", strings.Join(os.Args[1:], " "))
		_, err = io.Copy(io.Discard, os.Stdin)
		return len(names), err
	}
}

func serveEcho(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		io.Copy(c, c)
		c.Close()
	}
}

func servePackets(c net.PacketConn) {
	buf := make([]byte, 64)
	for {
		n, from, err := c.ReadFrom(buf)
		if err != nil {
			return
		}
		c.WriteTo(buf[:n], from)
	}
}

func TestAChildInheritsTheSockets(t *testing.T) {
	t.Parallel()
	if !onUnix {
		if err := portpool.Start(exec.Command(os.Args[0])); !errors.Is(err, portpool.ErrUnsupported) {
			t.Errorf("error %v; want ErrUnsupported", err)
		}
		return
	}
	eachMode(t, portpool.Config{Network: portpool.TCP | portpool.UDP}, func(t *testing.T, both *portpool.Pool) {
		leases := []*portpool.Lease{
			reserve(t, both),
			reserve(t, newPool(t, portpool.Config{Mode: both.Mode(), Address: ipv6Loopback})),
			reserve(t, newPool(t, portpool.Config{Mode: both.Mode(), Network: portpool.UDP})),
		}
		for range 2 { // the second is a restart
			cmd := child(t, "inherit", "")
			cmd.Args = append(cmd.Args, "two words", "$HOME")
			stdin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			cmd.Stderr = os.Stderr
			if err := portpool.Start(cmd, leases...); err != nil {
				t.Fatal(err)
			}
			// No waiting for readiness: the sockets were open before it started.
			for _, l := range []*portpool.Lease{leases[0], leases[1]} {
				roundTrip(t, "tcp", l.Addr())
			}
			for _, l := range []*portpool.Lease{leases[0], leases[2]} {
				roundTrip(t, "udp", l.Addr())
			}
			if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "\"two words $HOME\"\n" {
				t.Errorf("the program has the arguments %s, error %v", line, err)
			}
			stdin.Close()
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
			if c, err := net.Dial("tcp", leases[0].Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("the program has ended, and %s answers: %v, error %v", leases[0], c, err)
			}
		}
	})
}

func roundTrip(t *testing.T, network, addr string) {
	t.Helper()
	c, err := net.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "ping")
	buf := make([]byte, 16)
	if n, err := c.Read(buf); err != nil || string(buf[:n]) != "ping" {
		t.Errorf("%s %s answered %q, error %v; want ping", network, addr, buf[:n], err)
	}
}

func TestAStartThatCannotBe(t *testing.T) {
	t.Parallel()
	if !onUnix {
		return
	}
	pool := newPool(t, portpool.Config{})
	lease, over := reserve(t, pool), reserve(t, pool)
	over.Release()
	extra := exec.Command("/bin/true")
	extra.ExtraFiles = []*os.File{os.Stdin}
	for name, test := range map[string]struct {
		cmd    *exec.Cmd
		leases []*portpool.Lease
		want   error
	}{
		"no lease":                 {exec.Command("/bin/true"), nil, portpool.ErrInvalid},
		"files of its own":         {extra, []*portpool.Lease{lease}, portpool.ErrInvalid},
		"a lease that is over":     {exec.Command("/bin/true"), []*portpool.Lease{lease, over}, portpool.ErrReleased},
		"a program that is no one": {exec.Command("no-such-program"), []*portpool.Lease{lease}, exec.ErrNotFound},
	} {
		if err := portpool.Start(test.cmd, test.leases...); !errors.Is(err, test.want) {
			t.Errorf("%s: error %v; want %v", name, err, test.want)
		}
	}
	// Nothing of the failed starts listens.
	if c, err := net.Dial("tcp", lease.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%s answers: %v, error %v; want connection refused", lease, c, err)
	}
}
