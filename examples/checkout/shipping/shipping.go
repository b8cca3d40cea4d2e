// Package shipping asks the carrier for the price of a parcel. The carrier's
// protocol is a line of text each way, on a port that cannot be changed.
package shipping

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strconv"
)

// Port is the carrier's port, everywhere and always.
const Port = 62893

// Client talks to the carrier on a host.
type Client struct{ Host string }

// Quote returns the price of a parcel in cents.
func (c *Client) Quote(ctx context.Context, country string, grams int) (cents int, err error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(c.Host, strconv.Itoa(Port)))
	if err != nil {
		return 0, fmt.Errorf("shipping: %w", err)
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return 0, err
		}
	}
	if _, err := fmt.Fprintf(conn, "QUOTE %s %d\n", country, grams); err != nil {
		return 0, fmt.Errorf("shipping: %w", err)
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("shipping: the carrier's answer: %w", err)
	}
	if _, err := fmt.Sscanf(answer, "PRICE %d", &cents); err != nil {
		return 0, fmt.Errorf("shipping: the carrier answered %q", answer)
	}
	return cents, nil
}
