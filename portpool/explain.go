package portpool

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"

	"github.com/standin-go/standin/internal/sockets"
)

// Cause is what lies behind an error of bind or connect.
type Cause string

// The causes that Explain tells apart.
const (
	CauseInUse       Cause = "in use"                         // somebody listens, or receives datagrams
	CauseLeased      Cause = "in use, and nobody listens"     // a bound socket: a lease, or a server about to listen
	CauseConnection  Cause = "in use by a connection"         // a connection's own end, alive or in TIME_WAIT
	CauseUnknownUse  Cause = "in use by somebody unseen"      // another user, or gone again by now
	CausePrivileged  Cause = "not ours to bind"               // a port below 1024, or a sandbox
	CauseExcluded    Cause = "in an excluded range"           // Windows: Hyper-V, WSL, administrators
	CauseNotLocal    Cause = "not an address of this machine" // or a family that is off
	CauseNobody      Cause = "nobody listens"                 // connection refused
	CauseElsewhere   Cause = "listens on another address"     // connection refused, and a server has the port elsewhere
	CauseFirewall    Cause = "refused by a firewall"          // a local rule rejects or drops
	CauseUnreachable Cause = "no way there"                   // no route
	CauseNoFiles     Cause = "no file descriptor left"        // EMFILE, ENFILE
)

// Diagnosis is an error with its cause and its remedy.
type Diagnosis struct {
	Cause   Cause
	Network Network        // TCP or UDP
	Addr    netip.AddrPort // what was to be bound or connected to
	Detail  string         // what was found
	Remedy  string         // what to do
	Holders []Holder       // who has the port, as far as this user may see
	Err     error          // the error that was explained
}

// Error is the error that was explained, what was found, and what to do.
func (d *Diagnosis) Error() string {
	text := d.Err.Error()
	if d.Detail != "" {
		text += ": " + d.Detail
	}
	return text + "; " + d.Remedy
}

// Unwrap returns the error that was explained.
func (d *Diagnosis) Unwrap() error { return d.Err }

// Explain finds the cause of an error of net.Listen, net.Dial and their like,
// and returns it as a *Diagnosis. It returns nil for nil, and any error that
// it knows nothing of as it is. It reads the system's tables at the time of
// the call: who had a port a moment ago may be gone.
func Explain(err error) error {
	var op *net.OpError
	if !errors.As(err, &op) {
		return err
	}
	if known := new(Diagnosis); errors.As(err, &known) {
		return err
	}
	d := &Diagnosis{Network: TCP, Err: err}
	if len(op.Net) >= 3 && op.Net[:3] == "udp" {
		d.Network = UDP
	}
	if op.Addr != nil {
		d.Addr, _ = netip.ParseAddrPort(op.Addr.String())
	}
	explain := d.bindError
	if op.Op == "dial" || op.Op == "connect" || op.Op == "read" || op.Op == "write" {
		explain = d.connectError
	}
	if d.common(err) || explain(err) {
		return d
	}
	return err
}

func (d *Diagnosis) say(cause Cause, detail, remedy string) bool {
	d.Cause, d.Detail, d.Remedy = cause, detail, remedy
	return true
}

// common is what bind and connect share.
func (d *Diagnosis) common(err error) bool {
	switch {
	case isErrno(err, syscall.EMFILE, 10024), errors.Is(err, syscall.ENFILE):
		return d.say(CauseNoFiles, "", "close files and connections, or raise the limit (ulimit -n)")
	case isErrno(err, syscall.EADDRNOTAVAIL, 10049):
		return d.notLocal()
	case isErrno(err, syscall.EAFNOSUPPORT, 10047):
		return d.say(CauseNotLocal, "the system has no IPv6", "use 127.0.0.1")
	}
	return false
}

func (d *Diagnosis) notLocal() bool {
	addr := d.Addr.Addr()
	switch {
	case addr.Is6() && addr.IsLoopback():
		return d.say(CauseNotLocal, "IPv6 is off on the loopback interface", "use 127.0.0.1, or set net.ipv6.conf.lo.disable_ipv6=0")
	case addr.IsLoopback():
		return d.say(CauseNotLocal, "this system has only 127.0.0.1 by itself", fmt.Sprintf("make an alias as root: ifconfig lo0 alias %s up", addr))
	}
	return d.say(CauseNotLocal, fmt.Sprintf("no interface has %s", addr), "use a loopback address, such as 127.0.0.1")
}

func (d *Diagnosis) bindError(err error) bool {
	switch {
	case isInUse(err):
		return d.inUse()
	case errors.Is(err, syscall.EACCES), isErrno(err, syscall.EPERM, 10013):
		if onWindows {
			return d.say(CauseExcluded, "Windows keeps a range of ports for itself, or another program has the port exclusively",
				"see netsh int ipv4 show excludedportrange protocol="+d.Network.String()+", and use a port outside")
		}
		if port := d.Addr.Port(); port > 0 && port < 1024 {
			return d.say(CausePrivileged, fmt.Sprintf("port %d is below 1024, and user %d may not bind it", port, os.Getuid()),
				"lease a port above, or lower net.ipv4.ip_unprivileged_port_start")
		}
		return d.say(CausePrivileged, "a sandbox or a security policy forbids it", "allow the process to bind loopback ports")
	}
	return false
}

// inUse names who has the port.
func (d *Diagnosis) inUse() bool {
	holders, err := Owner(d.Network, d.Addr)
	if err != nil || len(holders) == 0 {
		return d.say(CauseUnknownUse, "who has it cannot be seen from here",
			"it may be another user's, another container's, or free again by now; lease a port instead of naming one")
	}
	d.Holders = holders
	first := holders[0]
	switch sockets.State(first.State) {
	case sockets.StateListen, sockets.StateUnconnected:
		return d.say(CauseInUse, first.String(), "stop it, or lease another port (Reserve), or an address of your own for this port (ReserveAddress)")
	case sockets.StateBound:
		return d.say(CauseLeased, first.String()+" without listening, as a lease does",
			"if it is your own lease, the server does not set SO_REUSEADDR: start it with Lease.HandOver, or pass it the socket with Start; else lease another port")
	}
	return d.say(CauseConnection, first.String()+": nobody listens, it is one end of a connection with "+first.State,
		"use a leased port, which no connection is given; TIME_WAIT ends after 60 s")
}

func (d *Diagnosis) connectError(err error) bool {
	switch {
	case isErrno(err, syscall.ECONNREFUSED, 10061):
		return d.refused()
	case errors.Is(err, syscall.EPERM), isErrno(err, syscall.EACCES, 10013):
		return d.say(CauseFirewall, "the system forbade the connection", "look at the local rules (nft list ruleset, iptables -S OUTPUT)")
	case isErrno(err, syscall.ENETUNREACH, 10051), isErrno(err, syscall.EHOSTUNREACH, 10065):
		return d.say(CauseUnreachable, "there is no route, or a firewall rejects it", "see that the interface is up (ip link set lo up)")
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() && d.Addr.Addr().IsLoopback() {
		return d.say(CauseFirewall, "nothing on the loopback takes that long: a local rule drops the packets, or the server's queue is full", "look at the local rules, and at whether the server accepts connections")
	}
	return false
}

// refused tells a missing server from one on another address.
func (d *Diagnosis) refused() bool {
	if holders, err := Owner(d.Network, d.Addr); err == nil && len(holders) > 0 && holders[0].State == string(sockets.StateListen) {
		d.Holders = holders
		return d.say(CauseFirewall, holders[0].String()+", and the connection was refused", "a local rule rejects it, or the server had not listened yet: look at the rules, or try again")
	}
	if other := d.elsewhere(); other != nil {
		d.Holders = []Holder{*other}
		return d.say(CauseElsewhere, other.String(), "connect to that address, or let the server bind "+d.Addr.Addr().String())
	}
	return d.say(CauseNobody, "no socket listens on "+d.Addr.String(), "start the server, wait until it is ready, and compare the port")
}

// elsewhere finds a server with the same port on another loopback address.
func (d *Diagnosis) elsewhere() *Holder {
	all, err := sockets.List(sockets.Transport(d.Network.String()))
	if err != nil {
		return nil
	}
	for _, s := range all {
		if s.Local.Port() == d.Addr.Port() && s.State == sockets.StateListen {
			if holders, err := Owner(d.Network, s.Local); err == nil && len(holders) > 0 {
				return &holders[0]
			}
		}
	}
	return nil
}
