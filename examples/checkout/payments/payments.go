// Package payments charges customers through the payment provider's API.
package payments

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// ErrDeclined says that the provider did not accept the card.
var ErrDeclined = errors.New("card declined")

// attempts is how often a charge is tried while the provider is busy.
const attempts = 3

// Client talks to the provider at a base URL.
type Client struct {
	URL  string
	HTTP *http.Client
}

// Charge is what a customer is to pay.
type Charge struct {
	Card   string `json:"card"`
	Amount int    `json:"amount"` // cents
	// Key makes the charge idempotent: the provider books it once, however
	// often it is sent.
	Key string `json:"-"`
}

// Charge books the charge and returns its number.
func (c *Client) Charge(ctx context.Context, charge Charge) (id string, err error) {
	body, err := json.Marshal(charge)
	if err != nil {
		return "", err
	}
	for range attempts {
		var busy bool
		if id, busy, err = c.try(ctx, charge.Key, body); !busy {
			return id, err
		}
	}
	return "", fmt.Errorf("payments: still busy after %d attempts", attempts)
}

func (c *Client) try(ctx context.Context, key string, body []byte) (id string, busy bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/charges", bytes.NewReader(body))
	if err != nil {
		return "", false, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", key)
	response, err := c.HTTP.Do(request)
	if err != nil {
		return "", false, fmt.Errorf("payments: %w", err)
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusCreated:
		var created struct{ ID string }
		if err := json.NewDecoder(response.Body).Decode(&created); err != nil {
			return "", false, fmt.Errorf("payments: the provider's answer: %w", err)
		}
		return created.ID, false, nil
	case http.StatusPaymentRequired:
		return "", false, ErrDeclined
	case http.StatusServiceUnavailable:
		return "", true, nil
	}
	return "", false, fmt.Errorf("payments: the provider answered %s", response.Status)
}
