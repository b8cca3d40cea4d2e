package portpool

import (
	"errors"
	"fmt"

	"github.com/standin-go/standin/internal/guard"
)

// Reserve leases a TCP port of 127.0.0.1 from a pool with the zero Config.
// See Pool.Reserve.
func Reserve() (*Lease, error) {
	p, err := shared()
	if err != nil {
		return nil, err
	}
	return p.Reserve()
}

// ReserveN leases n TCP ports of 127.0.0.1, all or none. See Pool.ReserveN.
func ReserveN(n int) ([]*Lease, error) {
	p, err := shared()
	if err != nil {
		return nil, err
	}
	return p.ReserveN(n)
}

// ReserveContiguous leases n TCP ports of 127.0.0.1 that follow one another,
// all or none. See Pool.ReserveContiguous.
func ReserveContiguous(n int) ([]*Lease, error) {
	p, err := shared()
	if err != nil {
		return nil, err
	}
	return p.ReserveContiguous(n)
}

// Reserve leases a port. Its error is an *Error of kind ErrExhausted when
// every port of the range is taken, ErrTooManyFiles or ErrPermission.
func (p *Pool) Reserve() (*Lease, error) {
	h, err := p.keeper.take(p.picker.order())
	if err != nil {
		return nil, p.reserveError(1, "", err)
	}
	return p.lease(h), nil
}

// ReserveN leases n ports, all or none: when it fails it holds nothing. The
// kinds of its error are those of Reserve, and ErrInvalid for an n below 1.
func (p *Pool) ReserveN(n int) ([]*Lease, error) {
	if err := p.checkCount(n, ""); err != nil {
		return nil, err
	}
	leases := make([]*Lease, 0, n)
	for range n {
		h, err := p.keeper.take(p.picker.order())
		if err != nil {
			release(leases)
			return nil, p.reserveError(n, "", err)
		}
		leases = append(leases, p.lease(h))
	}
	return leases, nil
}

// ReserveContiguous leases n ports that follow one another, lowest first, all
// or none. The kinds of its error are those of ReserveN.
func (p *Pool) ReserveContiguous(n int) ([]*Lease, error) {
	if err := p.checkCount(n, contiguous); err != nil {
		return nil, err
	}
	var skipTo int // the block must begin behind the last port that was taken
	for first := range p.picker.starts(n) {
		if last := int(first) + n - 1; int(first) < skipTo && last >= skipTo-1 {
			continue
		}
		leases, taken, err := p.takeBlock(first, n)
		if err == nil {
			return leases, nil
		}
		if !errors.Is(err, guard.ErrInUse) {
			return nil, p.reserveError(n, contiguous, err)
		}
		skipTo = int(taken) + 1
	}
	return nil, p.reserveError(n, contiguous, guard.ErrInUse)
}

const contiguous = "contiguous "

// takeBlock leases n ports from first on, or returns the port that was taken.
func (p *Pool) takeBlock(first uint16, n int) (leases []*Lease, taken uint16, err error) {
	for i := range n {
		port := first + uint16(i)
		if p.picker.isReserved(port) {
			release(leases)
			return nil, port, guard.ErrInUse
		}
		h, err := p.keeper.take(only(port))
		if err != nil {
			release(leases)
			return nil, port, err
		}
		leases = append(leases, p.lease(h))
	}
	return leases, 0, nil
}

func release(leases []*Lease) {
	for _, l := range leases {
		_ = l.Release()
	}
}

func (p *Pool) checkCount(n int, what string) error {
	switch {
	case n < 1:
		return &Error{Op: p.reserveOp(n, what), Kind: ErrInvalid, Detail: "at least one port must be asked for"}
	case n > p.Range().Size():
		return p.reserveError(n, what, guard.ErrInUse)
	}
	return nil
}

// reserveOp says what was tried: "reserve 3 contiguous tcp ports of 127.0.0.1
// from 15000-26999".
func (p *Pool) reserveOp(n int, what string) string {
	count, plural := "a ", ""
	if n != 1 {
		count, plural = fmt.Sprintf("%d ", n), "s"
	}
	return fmt.Sprintf("reserve %s%s%s port%s of %s from %s", count, what, p.config.Network, plural, p.config.Address, p.Range())
}

func (p *Pool) reserveError(n int, what string, err error) error {
	op := p.reserveOp(n, what)
	if !errors.Is(err, guard.ErrInUse) {
		return systemError(op, err)
	}
	e := &Error{
		Op: op, Kind: ErrExhausted,
		Detail: fmt.Sprintf("none of its %d ports is free, for leases, servers or connections have them", p.Range().Size()),
		Remedy: "release leases, or choose a wider Config.Range",
	}
	switch {
	case n > p.Range().Size():
		e.Detail = fmt.Sprintf("it has %d ports in all", p.Range().Size())
	case what == contiguous:
		e.Detail = fmt.Sprintf("no %d of its %d ports that follow one another are free", n, p.Range().Size())
	case n > 1:
		e.Detail = fmt.Sprintf("it has %d ports, and fewer than %d of them are free", p.Range().Size(), n)
	}
	return e
}
