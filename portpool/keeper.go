package portpool

import (
	"errors"
	"io"
	"iter"
	"net"
	"net/netip"
	"strconv"

	"github.com/standin-go/standin/internal/guard"
	"github.com/standin-go/standin/internal/portlock"
)

// keeper is a way to hold ports.
type keeper interface {
	mode() Mode
	// take holds the first candidate that is free; guard.ErrInUse when none is.
	take(candidates iter.Seq[uint16]) (hold, error)
	// at is the same keeper for another address.
	at(addr netip.Addr) keeper
	// name holds a name against every other pool that holds ports this way;
	// guard.ErrInUse when another has it.
	name(name string) (io.Closer, error)
}

// hold is one port that is held. Its user serialises the calls.
type hold interface {
	port() uint16
	close()
	// openPacket returns a socket that receives the port's datagrams, and
	// closePacket is called after that was closed.
	openPacket() (*net.UDPConn, error)
	closePacket() error
	// stepAside lets a program bind that cannot share the port, and stepBack
	// holds the port again.
	stepAside() error
	stepBack() error
}

// guardKeeper holds ports with sockets.
type guardKeeper struct{ scope guard.Scope }

func (guardKeeper) mode() Mode { return Guard }

func (k guardKeeper) take(candidates iter.Seq[uint16]) (hold, error) {
	g, err := guard.Take(k.scope, candidates)
	if err != nil {
		return nil, err
	}
	return &guardHold{g}, nil
}

func (k guardKeeper) at(addr netip.Addr) keeper {
	k.scope.Addr = addr
	return k
}

func (guardKeeper) name(name string) (io.Closer, error) { return guard.TakeName(name) }

type guardHold struct{ *guard.Guard }

func (h *guardHold) port() uint16       { return h.Port() }
func (h *guardHold) close()             { h.Close() }
func (h *guardHold) closePacket() error { return h.Shut() }
func (h *guardHold) stepAside() error   { return h.StepAside() }
func (h *guardHold) stepBack() error    { return h.StepBack() }

func (h *guardHold) openPacket() (*net.UDPConn, error) {
	if err := h.StepBack(); err != nil {
		return nil, err
	}
	fd, err := h.Open()
	if err != nil {
		return nil, err
	}
	return duplicateUDP(fd)
}

// lockKeeper holds ports with locked files, and tries each before it is used.
type lockKeeper struct {
	dir     *portlock.Dir
	network Network
	addr    netip.Addr
	ipv6    bool
}

func (lockKeeper) mode() Mode { return LockFile }

func (k lockKeeper) take(candidates iter.Seq[uint16]) (hold, error) {
	for port := range candidates {
		lock, err := k.dir.Acquire(k.portName(port))
		if errors.Is(err, portlock.ErrHeld) {
			continue
		}
		if err != nil {
			return nil, err
		}
		h := &lockHold{lock: lock, addr: netip.AddrPortFrom(k.addr, port)}
		if err := tryBind(k.network, h.addr, k.ipv6); err == nil {
			return h, nil
		} else if !passesBy(err) {
			h.close()
			return nil, err
		}
		h.close()
	}
	return nil, guard.ErrInUse
}

func (k lockKeeper) at(addr netip.Addr) keeper {
	k.addr = addr
	return k
}

func (k lockKeeper) name(name string) (io.Closer, error) {
	lock, err := k.dir.Acquire(name)
	if errors.Is(err, portlock.ErrHeld) {
		err = guard.ErrInUse
	}
	return lock, err
}

// portName is what the port is locked by: the port alone where it is held on
// every address, so that 127.0.0.1 and [::1] exclude each other.
func (k lockKeeper) portName(port uint16) string {
	number := strconv.Itoa(int(port))
	if k.addr == localhost || k.addr == netip.IPv6Loopback() {
		return "port-" + number
	}
	return "port-" + k.addr.String() + "-" + number
}

type lockHold struct {
	lock *portlock.Lock
	addr netip.AddrPort
}

func (h *lockHold) port() uint16     { return h.addr.Port() }
func (h *lockHold) close()           { _ = h.lock.Close() }
func (*lockHold) closePacket() error { return nil }
func (*lockHold) stepAside() error   { return nil }
func (*lockHold) stepBack() error    { return nil }

func (h *lockHold) openPacket() (*net.UDPConn, error) {
	return net.ListenUDP("udp", net.UDPAddrFromAddrPort(h.addr))
}

// passesBy reports whether another port may do where this one did not: it is
// in use, or in a range that Windows excludes.
func passesBy(err error) bool {
	return isInUse(err) || onWindows && isForbidden(err)
}
