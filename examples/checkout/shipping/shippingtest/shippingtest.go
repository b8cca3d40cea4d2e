// Package shippingtest has a carrier that stands in for the real one.
package shippingtest

import (
	"bufio"
	"fmt"
	"net"
	"strconv"
	"testing"

	"github.com/standin-go/standin/examples/checkout/shipping"
	"github.com/standin-go/standin/fixture"
)

// StandIn starts a carrier for the test and returns its host: an address of
// the test's own, since the port cannot be. It asks cents for each kilogram
// that has begun.
func StandIn(tb testing.TB, cents int) (host string) {
	tb.Helper()
	host = fixture.Address(tb, shipping.Port)
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(shipping.Port)))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go answer(conn, cents)
		}
	}()
	return host
}

func answer(conn net.Conn, cents int) {
	defer conn.Close()
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return
	}
	var country string
	var grams int
	if _, err := fmt.Sscanf(line, "QUOTE %s %d", &country, &grams); err != nil {
		fmt.Fprintf(conn, "ERROR %v\n", err)
		return
	}
	fmt.Fprintf(conn, "PRICE %d\n", (grams+999)/1000*cents)
}
