//go:build mistake

package payments_test

import (
	"testing"

	"github.com/standin-go/standin/examples/checkout/payments"
	"github.com/standin-go/standin/fixture"
)

// This test fails on purpose, for the demo: whoever wrote the stub took the
// path for /charge, and the client, rightly, requests /charges.
func TestWithAMistake(t *testing.T) {
	provider := fixture.NewHTTP(t)
	provider.On("POST /charge").Reply(201).JSON(`{"id": "ch_1"}`)
	client := payments.Client{URL: provider.URL(), HTTP: provider.Client()}

	if _, err := client.Charge(t.Context(), payments.Charge{Card: "4242", Amount: 1999, Key: "order-7"}); err != nil {
		t.Error(err)
	}
}
