package probe

import (
	"context"
	"errors"
	"net"
)

// Reason is the later of two errors of the same question, unless that one only
// says that time was up, and the other says more.
func Reason(last, err error) error {
	timeout, isNet := errors.AsType[net.Error](err)
	late := isNet && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
	if late && last != nil {
		return last
	}
	return err
}
