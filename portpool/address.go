package portpool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"

	"github.com/standin-go/standin/internal/guard"
)

// AddressLease is a loopback address that is this holder's until Release, or
// until the process ends. It is safe for concurrent use.
type AddressLease struct {
	addr   netip.Addr
	leases []*Lease
	name   io.Closer // the name by which other pools know that it is taken
}

// Addr is the address.
func (a *AddressLease) Addr() netip.Addr { return a.addr }

// String is the address, such as "127.70.12.9", for a program's options.
func (a *AddressLease) String() string { return a.addr.String() }

// AddrPort is the address with a port.
func (a *AddressLease) AddrPort(port int) netip.AddrPort {
	return netip.AddrPortFrom(a.addr, uint16(port))
}

// Leases are the leases of the ports that ReserveAddress named, in its order.
// They end with the address.
func (a *AddressLease) Leases() []*Lease { return a.leases }

// Listen listens on a TCP port of the address, any port.
func (a *AddressLease) Listen(port int) (net.Listener, error) {
	addr := a.AddrPort(port)
	listener, err := listenTCP("listen on "+addr.String(), addr)
	if err != nil {
		return nil, err
	}
	return listener, nil
}

// Release ends the lease. Servers that have bound the address keep their
// ports. Further calls do nothing.
func (a *AddressLease) Release() error {
	release(a.leases)
	return a.name.Close()
}

// ReserveAddress leases an address of 127.64.0.0/10. See
// Pool.ReserveAddress.
func ReserveAddress(ports ...int) (*AddressLease, error) {
	p, err := shared()
	if err != nil {
		return nil, err
	}
	return p.ReserveAddress(ports...)
}

// How many addresses are tried. Two suffice to tell whether a port is taken
// on all addresses; the more are for a prefix that is nearly used up.
const addressDraws = 256

// ReserveAddress leases an address of Config.Addresses that no other lease
// has, so that a program whose port is fixed runs in every test at once. The
// ports that are named are held as those of Reserve are.
//
// A server that has bound one of them on all addresses (0.0.0.0) is in the
// way everywhere: the *Error is then of kind ErrInUse and names it. The other
// kinds are ErrExhausted, ErrAddress where the system wants an alias for each
// address (macOS), ErrPermission, ErrTooManyFiles and ErrInvalid.
func (p *Pool) ReserveAddress(ports ...int) (*AddressLease, error) {
	op := fmt.Sprintf("reserve an address of %s", p.config.Addresses)
	for _, port := range ports {
		if port < 1 || port > 65535 {
			return nil, &Error{Op: op, Kind: ErrInvalid, Detail: fmt.Sprintf("port %d is not between 1 and 65535", port)}
		}
	}
	draw, err := p.config.addressCandidates()
	if err != nil {
		return nil, systemError(op, err)
	}
	var last error
	for range addressDraws {
		a, err := p.tryAddress(draw(), ports)
		switch {
		case err == nil:
			return a, nil
		case !errors.Is(err, guard.ErrInUse):
			return nil, systemError(op, err)
		}
		last = err
	}
	if taken := new(portTaken); errors.As(last, &taken) {
		return nil, p.portTakenError(op, taken.addr)
	}
	return nil, &Error{
		Op: op, Kind: ErrExhausted, Detail: fmt.Sprintf("%d addresses were tried, and other leases have them", addressDraws),
		Remedy: "release addresses, or choose a wider Config.Addresses",
	}
}

// portTaken says that somebody has the port on this address.
type portTaken struct{ addr netip.AddrPort }

func (e *portTaken) Error() string { return e.addr.String() + " is in use" }
func (*portTaken) Unwrap() error   { return guard.ErrInUse }

func (p *Pool) tryAddress(addr netip.Addr, ports []int) (*AddressLease, error) {
	if isCommon(addr) {
		return nil, guard.ErrInUse
	}
	name, err := p.keeper.name("address-" + addr.String())
	if err != nil {
		return nil, err
	}
	a := &AddressLease{addr: addr, name: name}
	if err := tryBindOne(TCP, netip.AddrPortFrom(addr, 0)); err != nil {
		_ = a.Release()
		return nil, err
	}
	for _, port := range ports {
		h, err := p.keeper.at(addr).take(only(uint16(port)))
		if err != nil {
			_ = a.Release()
			if errors.Is(err, guard.ErrInUse) {
				err = &portTaken{a.AddrPort(port)}
			}
			return nil, err
		}
		a.leases = append(a.leases, &Lease{addr: a.AddrPort(port), network: p.config.Network, hold: h})
	}
	return a, nil
}

// portTakenError names who has the port on every address.
func (p *Pool) portTakenError(op string, addr netip.AddrPort) error {
	e := &Error{
		Op: op, Kind: ErrInUse,
		Detail: fmt.Sprintf("port %d is taken on each of %d addresses, so something has it on all addresses", addr.Port(), addressDraws),
		Remedy: "stop that server, or let it bind 127.0.0.1 alone",
	}
	for _, network := range []Network{TCP, UDP} {
		if holders, err := Owner(network, addr); p.config.Network&network != 0 && err == nil && len(holders) > 0 {
			e.Detail = holders[0].String()
		}
	}
	return e
}

// addressCandidates returns a function that draws an address: any one of
// Config.Addresses where the whole of 127.0.0.0/8 is local, else one of those
// that somebody has given to the loopback interface.
func (c Config) addressCandidates() (func() netip.Addr, error) {
	if runtime.GOOS != "linux" && !onWindows {
		local, err := loopbackAliases(c.Addresses)
		if err != nil {
			return nil, err
		}
		return func() netip.Addr { return local[rand.IntN(len(local))] }, nil
	}
	base := binary.BigEndian.Uint32(c.Addresses.Masked().Addr().AsSlice())
	hosts := uint64(1) << (32 - c.Addresses.Bits())
	return func() netip.Addr {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], base+uint32(rand.Uint64N(hosts)))
		return netip.AddrFrom4(a)
	}, nil
}

// isCommon reports whether the address is one that others use without a
// lease: those of 127.0.0.0/24, and the far end of 127.0.0.0/8.
func isCommon(addr netip.Addr) bool {
	a := addr.As4()
	return a[1] == 0 && a[2] == 0 || a[1] == 255 && a[2] == 255
}

// loopbackAliases returns the addresses of the prefix that interfaces have.
func loopbackAliases(prefix netip.Prefix) ([]netip.Addr, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var local []netip.Addr
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && prefix.Contains(p.Addr()) && !isCommon(p.Addr()) {
			local = append(local, p.Addr())
		}
	}
	if len(local) == 0 {
		return nil, &Error{
			Op: "reserve an address of " + prefix.String(), Kind: ErrAddress,
			Detail: "this system wants an alias for every address of 127.0.0.0/8, and there is none",
			Remedy: fmt.Sprintf("make some as root: ifconfig lo0 alias %s up", prefix.Masked().Addr().Next()),
		}
	}
	return local, nil
}
