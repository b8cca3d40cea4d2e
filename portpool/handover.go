package portpool

import (
	"errors"
	"fmt"

	"github.com/standin-go/standin/internal/guard"
)

// HandOver lets a program bind the port that cannot share it with the lease:
// one that does not set SO_REUSEADDR, or one that receives datagrams. It
// calls start, which starts the program and returns when that answers, and
// then makes sure that the port is bound.
//
// While the program has the port, and before it has bound it, the lease keeps
// other leases, binds of a wildcard address to port 0, and outgoing
// connections off that number. The program must bind the leased address, not
// all addresses. What remains open, between the call of start and the bind of
// the program, is a bind to port 0 of exactly this address; the program then
// fails with "address in use", and so does HandOver.
//
// HandOver may be called again, to start the program again. When start fails,
// its error is returned and the lease takes the port back, unless the program
// has it. The kinds of other errors are ErrNotBound, ErrReleased and ErrInUse.
// start may read the lease's port and address and must call none of its other
// methods.
func (l *Lease) HandOver(start func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	op := "hand over " + l.String()
	if err := l.check(op, TCP|UDP); err != nil {
		return err
	}
	if l.packet {
		return &Error{Op: op, Kind: ErrInUse, Detail: "the connection of ListenPacket is still open", Remedy: "close it first"}
	}
	if err := l.hold.stepAside(); err != nil {
		return systemError(op, err)
	}
	if err := start(); err != nil {
		return errors.Join(fmt.Errorf("portpool: %s: start the program: %w", op, err), l.takeBack(op))
	}
	for _, network := range []Network{TCP, UDP} {
		if l.network&network == 0 {
			continue
		}
		err := tryBindOne(network, l.addr)
		if err == nil {
			return errors.Join(&Error{
				Op: op, Kind: ErrNotBound, Detail: fmt.Sprintf("start returned, and nobody has bound %s %s", network, l.addr),
				Remedy: "let start wait until the program answers, and see that it binds this address and not another",
			}, l.takeBack(op))
		}
		if !isInUse(err) {
			return systemError(op, err)
		}
	}
	return nil
}

// takeBack holds the port again after a program failed. Where that program, or
// a connection of it that has not run out, still has the port, the lease goes
// on as it is.
func (l *Lease) takeBack(op string) error {
	if err := l.hold.stepBack(); err != nil && !errors.Is(err, guard.ErrInUse) {
		return systemError(op+": take the port back", err)
	}
	return nil
}
