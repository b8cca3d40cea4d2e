package shipping_test

import (
	"fmt"
	"testing"

	"github.com/standin-go/standin/examples/checkout/shipping"
	"github.com/standin-go/standin/examples/checkout/shipping/shippingtest"
)

// Sixty carriers at once, all on the one port that carriers have.
func TestQuote(t *testing.T) {
	t.Parallel()
	for kilograms := 1; kilograms <= 60; kilograms++ {
		t.Run(fmt.Sprint(kilograms, " kg"), func(t *testing.T) {
			t.Parallel()
			client := shipping.Client{Host: shippingtest.StandIn(t, 300)}
			cents, err := client.Quote(t.Context(), "NO", kilograms*1000)
			if want := kilograms * 300; err != nil || cents != want {
				t.Errorf("price %d, error %v; want %d", cents, err, want)
			}
		})
	}
}
