package payments_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/standin-go/standin/examples/checkout/payments"
	"github.com/standin-go/standin/fixture"
)

func TestChargeIsBooked(t *testing.T) {
	t.Parallel()
	for amount := 100; amount <= 6000; amount += 100 {
		t.Run(fmt.Sprint(amount, " cents"), func(t *testing.T) {
			t.Parallel()
			provider := fixture.NewHTTP(t)
			provider.On("POST /charges").Reply(201).JSON(map[string]any{"id": fmt.Sprint("ch_", amount)})
			client := payments.Client{URL: provider.URL(), HTTP: provider.Client()}

			id, err := client.Charge(t.Context(), payments.Charge{Card: "4242", Amount: amount, Key: "order-7"})
			if want := fmt.Sprint("ch_", amount); err != nil || id != want {
				t.Fatalf("charge %q, error %v; want %q", id, err, want)
			}

			sent := provider.Requests()[0]
			var charge payments.Charge
			if err := json.Unmarshal(sent.Body, &charge); err != nil || charge.Amount != amount {
				t.Errorf("the provider received %s, error %v; want an amount of %d", sent.Body, err, amount)
			}
			if key := sent.Header.Get("Idempotency-Key"); key != "order-7" {
				t.Errorf("idempotency key %q, want order-7", key)
			}
		})
	}
}

// A busy provider is asked again, up to three times, and with the same key.
func TestABusyProviderIsAskedAgain(t *testing.T) {
	t.Parallel()
	for busy := range 3 {
		t.Run(fmt.Sprint("busy ", busy, " times"), func(t *testing.T) {
			t.Parallel()
			provider := fixture.NewHTTP(t)
			charges := provider.On("POST /charges").Times(busy + 1)
			for range busy {
				charges.Reply(503)
			}
			charges.Reply(201).JSON(`{"id": "ch_1"}`)
			client := payments.Client{URL: provider.URL(), HTTP: provider.Client()}

			if id, err := client.Charge(t.Context(), payments.Charge{Card: "4242", Amount: 100, Key: "order-7"}); err != nil || id != "ch_1" {
				t.Errorf("charge %q, error %v; want ch_1", id, err)
			}
			for _, r := range provider.Requests() {
				if key := r.Header.Get("Idempotency-Key"); key != "order-7" {
					t.Errorf("an attempt has the key %q, want order-7", key)
				}
			}
		})
	}
}

func TestAChargeThatFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status   int
		attempts int
		declined bool
	}{
		"declined":          {402, 1, true},
		"a broken provider": {500, 1, false},
		"always busy":       {503, 3, false},
		"a wrong request":   {400, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			provider := fixture.NewHTTP(t)
			provider.On("POST /charges").Reply(test.status).Times(test.attempts)
			client := payments.Client{URL: provider.URL(), HTTP: provider.Client()}

			id, err := client.Charge(t.Context(), payments.Charge{Card: "4242", Amount: 100, Key: "order-7"})
			if err == nil || errors.Is(err, payments.ErrDeclined) != test.declined {
				t.Errorf("charge %q, error %v; want an error, declined: %t", id, err, test.declined)
			}
		})
	}
}
