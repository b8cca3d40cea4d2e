package portpool

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"

	"github.com/standin-go/standin/internal/ephemeral"
	"github.com/standin-go/standin/internal/guard"
	"github.com/standin-go/standin/internal/portlock"
)

// Mode is how a pool holds its ports.
type Mode string

// The modes. Auto is the guard where the kernel can hold one, and else the
// lock file; the environment variable STANDIN_PORTPOOL, with "guard" or
// "lockfile", decides for every pool whose Mode is Auto.
const (
	Auto     Mode = ""
	Guard    Mode = "guard"
	LockFile Mode = "lockfile"
)

// Config is a pool's configuration. The zero value is good.
type Config struct {
	// Network is what ports are leased for. Default: TCP.
	Network Network
	// Address is the loopback address that servers will bind. Default:
	// 127.0.0.1. A lease of 127.0.0.1 or ::1 keeps its port on both.
	Address netip.Addr
	// Range is where ports come from. Default, with guards: the range from
	// which the kernel picks; with lock files: 15000-26999, or what is free
	// of the kernel's range.
	Range Range
	// Mode is how ports are held. Default: Auto.
	Mode Mode
	// Addresses is where ReserveAddress takes addresses from. Default:
	// 127.64.0.0/10.
	Addresses netip.Prefix
	// LockDir is the folder of the lock files, the same for all that shall
	// not collide. Default: standin/ports in the user's cache folder.
	LockDir string
}

var (
	localhost        = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	defaultAddresses = netip.PrefixFrom(netip.AddrFrom4([4]byte{127, 64, 0, 0}), 10)
)

// Pool leases ports. It holds nothing itself, needs no Close, and is safe for
// concurrent use.
type Pool struct {
	config Config
	keeper keeper
	picker picker
}

// New returns a pool. Its error is an *Error of kind ErrInvalid,
// ErrNoGuarantee, ErrNoIPv6, ErrAddress, ErrPermission or ErrTooManyFiles.
func New(config Config) (*Pool, error) {
	if config.Network == 0 {
		config.Network = TCP
	}
	if !config.Address.IsValid() {
		config.Address = localhost
	}
	if !config.Addresses.IsValid() {
		config.Addresses = defaultAddresses
	}
	if config.Mode == Auto {
		config.Mode = Mode(os.Getenv("STANDIN_PORTPOOL"))
	}
	if err := config.validate(); err != nil {
		return nil, err
	}
	p := &Pool{config: config}
	if err := p.settle(); err != nil {
		return nil, err
	}
	return p, nil
}

func (c Config) validate() error {
	invalid := func(format string, args ...any) error {
		return &Error{Op: "make a pool", Kind: ErrInvalid, Detail: fmt.Sprintf(format, args...)}
	}
	switch {
	case !c.Network.valid():
		return invalid("Network %d is none of TCP, UDP, TCP|UDP", c.Network)
	case !c.Address.IsLoopback() || c.Address.Is4In6() || c.Address.Zone() != "":
		return invalid("Address %s is not a loopback address: only 127.0.0.0/8 and ::1 are reachable from nowhere else", c.Address)
	case c.Range != Range{} && (c.Range.First == 0 || c.Range.First > c.Range.Last):
		return invalid("Range %s is empty or begins at 0", c.Range)
	case !c.Addresses.Addr().Is4() || !c.Addresses.Addr().IsLoopback() || c.Addresses.Bits() < 8:
		return invalid("Addresses %s is not inside 127.0.0.0/8", c.Addresses)
	case c.Mode != Auto && c.Mode != Guard && c.Mode != LockFile:
		return invalid("Mode %q is neither %q nor %q (Config.Mode, or STANDIN_PORTPOOL)", c.Mode, Guard, LockFile)
	}
	return nil
}

// settle reads what the system can do and chooses how ports are held.
func (p *Pool) settle() error {
	ipv6, err := hasIPv6()
	if err != nil {
		return systemError("look for IPv6", err)
	}
	if p.config.Address.Is6() && !ipv6 {
		return &Error{
			Op: "make a pool of " + p.config.Address.String(), Kind: ErrNoIPv6,
			Remedy: "use 127.0.0.1, or turn IPv6 on (net.ipv6.conf.lo.disable_ipv6=0)",
		}
	}
	facts := ephemeral.Read()
	var guardErr error
	if p.config.Mode != LockFile {
		if guardErr = p.useGuards(facts, ipv6); guardErr == nil {
			return nil
		}
		if p.config.Mode == Guard || !errors.Is(guardErr, guard.ErrUnsupported) {
			return guardErr
		}
	}
	return p.useLocks(facts, ipv6)
}

func (p *Pool) useGuards(facts ephemeral.Facts, ipv6 bool) error {
	kernel := Range{facts.Low, facts.High}
	span := p.config.Range
	switch {
	case !facts.AutobindReuse && span == Range{}:
		span = kernel
	case facts.AutobindReuse:
		var err error
		if span, err = quiet(span, facts, "net.ipv4.ip_autobind_reuse=1 lets the kernel give ports out again that are held", "set it to 0"); err != nil {
			return err
		}
	}
	p.picker = picker{span, facts.Reserved}
	p.keeper = guardKeeper{guard.Scope{
		TCP: p.config.Network&TCP != 0, UDP: p.config.Network&UDP != 0,
		Addr: p.config.Address, IPv6: ipv6,
	}}
	return p.probe()
}

// probe tries the guard on one port.
func (p *Pool) probe() error {
	const op = "try whether this kernel holds a port"
	h, err := p.keeper.take(p.picker.order())
	if errors.Is(err, guard.ErrInUse) {
		return nil // a full range shows at the first lease
	}
	if err != nil {
		return systemError(op, err)
	}
	defer h.close()
	if err := h.(*guardHold).Probe(); err != nil {
		return systemError(op, err)
	}
	return nil
}

func (p *Pool) useLocks(facts ephemeral.Facts, ipv6 bool) error {
	span, err := quiet(p.config.Range, facts, "a lock file does not keep the kernel from giving out ports of its own range", "use Config.Mode Guard where there is one")
	if err != nil {
		return err
	}
	dir, err := portlock.Open(p.config.LockDir)
	if err != nil {
		return systemError("open the folder of the lock files", err)
	}
	p.picker = picker{span, facts.Reserved}
	p.keeper = lockKeeper{dir: dir, network: p.config.Network, addr: p.config.Address, ipv6: ipv6}
	return nil
}

// quiet returns the range that was asked for, or chooses one, which must not
// overlap the range from which the kernel picks.
func quiet(span Range, facts ephemeral.Facts, why, remedy string) (Range, error) {
	kernel := Range{facts.Low, facts.High}
	free, ok := outside(facts)
	if span == (Range{}) && ok {
		return free, nil
	}
	if span != (Range{}) && !span.overlaps(kernel) {
		return span, nil
	}
	e := &Error{Op: "choose a range of ports", Kind: ErrNoGuarantee, Remedy: remedy}
	if span == (Range{}) {
		e.Detail = fmt.Sprintf("%s, and its range %s leaves none beside it", why, kernel)
		e.Remedy += ", or narrow net.ipv4.ip_local_port_range"
	} else {
		e.Detail = fmt.Sprintf("%s, and %s overlaps its range %s", why, span, kernel)
		e.Remedy += fmt.Sprintf(", or choose ports outside %s", kernel)
	}
	return Range{}, e
}

func hasIPv6() (bool, error) {
	l, err := net.Listen("tcp6", net.JoinHostPort(netip.IPv6Loopback().String(), "0"))
	if err == nil {
		return true, l.Close()
	}
	if e := new(Error); errors.As(systemError("", err), &e) && (e.Kind == ErrNoIPv6 || e.Kind == ErrAddress) {
		return false, nil
	}
	return false, err
}

// shared is the pool behind the functions of the package. Making it reads the
// system's settings once; it holds no port.
var shared = sync.OnceValues(func() (*Pool, error) { return New(Config{}) })

// Range is the range from which the pool leases.
func (p *Pool) Range() Range { return p.picker.span }

// Mode is how the pool holds its ports: Guard or LockFile.
func (p *Pool) Mode() Mode { return p.keeper.mode() }
