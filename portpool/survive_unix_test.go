//go:build unix

package portpool_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"testing"

	"github.com/standin-go/standin/portpool"
)

// holdings are the ports and the address that a child holds when it is killed.
type holdings struct {
	TCP, UDP []uint16
	Address  netip.Addr
}

func init() {
	// The program leases, starts a program of its own that will outlive it,
	// says what it holds, and waits to be killed.
	children["hold"] = func(mode string) (any, error) {
		h := holdings{}
		for network, ports := range map[portpool.Network]*[]uint16{portpool.TCP: &h.TCP, portpool.UDP: &h.UDP} {
			pool, err := portpool.New(portpool.Config{Mode: portpool.Mode(mode), Network: network, Range: apart})
			if err != nil {
				return nil, err
			}
			leases, err := pool.ReserveN(20)
			if err != nil {
				return nil, err
			}
			for _, l := range leases {
				*ports = append(*ports, l.AddrPort().Port())
			}
			if network == portpool.TCP {
				a, err := pool.ReserveAddress(5432)
				if err != nil {
					return nil, err
				}
				h.Address = a.Addr()
				if _, err := leases[0].Listen(); err != nil {
					return nil, err
				}
			}
		}
		orphan := exec.Command("/bin/cat") // ends with the input that it shares with us
		orphan.Stdin = os.Stdin
		if err := orphan.Start(); err != nil {
			return nil, err
		}
		if err := json.NewEncoder(os.Stdout).Encode(h); err != nil {
			return nil, err
		}
		select {}
	}
}

// What a killed process held is free at once, although a child of it lives.
func TestNothingOutlivesAKill(t *testing.T) {
	t.Parallel()
	for _, mode := range modes() {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			retry(t, func() error { return killAHolder(t, mode) })
		})
	}
}

// killAHolder returns an error when what a killed process held is not free.
func killAHolder(t *testing.T, mode portpool.Mode) error {
	cmd := child(t, "hold", string(mode))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var held holdings
	if err := json.NewDecoder(stdout).Decode(&held); err != nil {
		t.Fatal(err)
	}
	if err := takeAll(mode, held); err == nil {
		t.Error("what a living process holds could be leased")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// Wait would wait for the orphan too, which has our pipes.
	if _, err := cmd.Process.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := takeAll(mode, held); err != nil {
		return fmt.Errorf("what a killed process held: %w", err)
	}
	stdin.Close()
	io.Copy(io.Discard, stdout) // until the orphan has ended as well
	return nil
}

// takeAll leases every one of the holdings by its number.
func takeAll(mode portpool.Mode, held holdings) error {
	for network, ports := range map[portpool.Network][]uint16{portpool.TCP: held.TCP, portpool.UDP: held.UDP} {
		for _, port := range ports {
			pool, err := portpool.New(portpool.Config{Mode: mode, Network: network, Range: only(port)})
			if err != nil {
				return err
			}
			lease, err := pool.Reserve()
			if err != nil {
				return err
			}
			defer lease.Release()
		}
	}
	pool, err := portpool.New(portpool.Config{Mode: mode, Addresses: netip.PrefixFrom(held.Address, 32)})
	if err != nil {
		return err
	}
	a, err := pool.ReserveAddress(5432)
	if err != nil {
		return fmt.Errorf("the address: %w", err)
	}
	return a.Release()
}
