package portpool

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/standin-go/standin/internal/sockets"
)

// Holder is a socket that has a port, and the process that holds the socket.
type Holder struct {
	Local   netip.AddrPort // what the socket is bound to; 0.0.0.0 or [::] for all addresses
	State   string         // LISTEN, BOUND, ESTABLISHED, TIME_WAIT, …; UNCONNECTED for UDP
	PID     int            // 0 when no process that this user may see holds it
	Command string         // the command line of the process
	UID     int            // the user that made the socket
}

// Owner returns the sockets that have a port or keep others from binding it,
// those that listen first, with the processes that hold them. It is empty
// when nobody has the port. For port 0 of addr it is an *Error of kind
// ErrInvalid, and outside Linux one of kind ErrUnsupported.
func Owner(network Network, addr netip.AddrPort) ([]Holder, error) {
	op := fmt.Sprintf("find who has %s %s", network, addr)
	if network != TCP && network != UDP || addr.Port() == 0 || !addr.IsValid() {
		return nil, &Error{Op: op, Kind: ErrInvalid, Detail: "the network must be TCP or UDP, and the address must be valid with a port"}
	}
	found, err := sockets.Covering(sockets.Transport(network.String()), addr)
	if errors.Is(err, sockets.ErrUnsupported) {
		return nil, &Error{Op: op, Kind: ErrUnsupported, Cause: err, Remedy: "use lsof -i or netstat -ano"}
	}
	if err != nil {
		return nil, systemError(op, err)
	}
	processes, err := sockets.Holders(found...)
	if err != nil {
		return nil, systemError(op, err)
	}
	var holders []Holder
	for _, s := range found {
		h := Holder{Local: s.Local, State: string(s.State), UID: s.UID}
		if len(processes[s.Inode]) == 0 {
			holders = append(holders, h)
		}
		for _, p := range processes[s.Inode] {
			h.PID, h.Command = p.PID, p.Command
			holders = append(holders, h)
		}
	}
	return holders, nil
}

// String says who holds what: "python3 -m http.server (pid 4711), LISTEN on
// 127.0.0.1:8000".
func (h Holder) String() string { return h.who() + ", " + h.State + " on " + h.Local.String() }

func (h Holder) who() string {
	switch {
	case h.PID == 0 && h.State == string(sockets.StateTimeWait):
		return "a connection that has ended"
	case h.PID == 0:
		return fmt.Sprintf("a process of user %d", h.UID)
	case h.Command == "":
		return fmt.Sprintf("a process without a command line (pid %d)", h.PID)
	}
	return fmt.Sprintf("%s (pid %d)", h.Command, h.PID)
}
