package portpool

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/standin-go/standin/internal/guard"
)

// The kinds of Error, for errors.Is.
var (
	// ErrInvalid says that a Config or an argument makes no sense.
	ErrInvalid = errors.New("invalid argument")
	// ErrExhausted says that every port or address of the range is in use.
	ErrExhausted = errors.New("range used up")
	// ErrTooManyFiles says that the process or the system has no file
	// descriptor left (EMFILE, ENFILE).
	ErrTooManyFiles = errors.New("no file descriptor left")
	// ErrNoIPv6 says that an address of IPv6 was asked for on a system
	// without it.
	ErrNoIPv6 = errors.New("no IPv6 on this system")
	// ErrPermission says that the system does not let this user bind there.
	ErrPermission = errors.New("permission denied")
	// ErrNoGuarantee says that nothing on this system could keep the ports of
	// the range for their leases.
	ErrNoGuarantee = errors.New("ports of this range cannot be held")
	// ErrAddress says that an address is not one of this machine.
	ErrAddress = errors.New("address not available")
	// ErrInUse says that a port that was asked for by number is taken.
	ErrInUse = errors.New("in use")
	// ErrReleased says that a lease is over.
	ErrReleased = errors.New("released")
	// ErrUnsupported says that this system has no such thing.
	ErrUnsupported = errors.New("not supported on this system")
	// ErrNotBound says that a program to which a port was handed over did not
	// bind it.
	ErrNotBound = errors.New("not bound by the program")
)

// Error says what was tried, what happened and what to do. Its Kind is one of
// the Err variables of this package; errors.Is finds it, and the cause.
type Error struct {
	Op     string // what was tried: "reserve a tcp port of 127.0.0.1 from 32768-60999"
	Kind   error  // what happened
	Detail string // what is known beyond that; may be empty
	Remedy string // what to do; may be empty
	Cause  error  // the system's own error; may be nil
}

// Error has the form "portpool: op: kind: detail: cause; remedy".
func (e *Error) Error() string {
	parts := []string{"portpool", e.Op, e.Kind.Error()}
	if e.Detail != "" {
		parts = append(parts, e.Detail)
	}
	if e.Cause != nil {
		parts = append(parts, e.Cause.Error())
	}
	text := strings.Join(parts, ": ")
	if e.Remedy != "" {
		text += "; " + e.Remedy
	}
	return text
}

// Unwrap returns the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

// systemError gives an error of the system its kind and its remedy. An Error
// keeps what it says.
func systemError(op string, err error) error {
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	e := &Error{Op: op, Cause: err}
	switch {
	case isErrno(err, syscall.EMFILE, 10024):
		e.Kind = ErrTooManyFiles
		e.Remedy = "release leases and close files, or raise the limit (ulimit -n)"
	case errors.Is(err, syscall.ENFILE):
		e.Kind = ErrTooManyFiles
		e.Remedy = "the whole system is at its limit: close files, or raise fs.file-max"
	case isForbidden(err):
		e.Kind = ErrPermission
		e.Remedy = "choose ports above 1023; in a sandbox, allow it to create and bind sockets of the loopback"
	case isErrno(err, syscall.EAFNOSUPPORT, 10047), errors.Is(err, syscall.EPROTONOSUPPORT):
		e.Kind = ErrNoIPv6
		e.Remedy = "use 127.0.0.1, or turn IPv6 on (net.ipv6.conf.lo.disable_ipv6=0)"
	case isErrno(err, syscall.EADDRNOTAVAIL, 10049):
		e.Kind = ErrAddress
		e.Remedy = "choose a loopback address that this machine has"
	case errors.Is(err, guard.ErrInUse), isInUse(err):
		e.Kind = ErrInUse
	case errors.Is(err, guard.ErrUnsupported):
		e.Kind = ErrNoGuarantee
		e.Remedy = "use Config.Mode LockFile, or STANDIN_PORTPOOL=lockfile"
	default:
		return fmt.Errorf("portpool: %s: %w", op, err)
	}
	return e
}
