// Package checkout is the service of the demo: it takes an order, sets the
// goods aside, adds tax and shipping, and charges the customer.
package checkout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/standin-go/standin/examples/checkout/inventory"
	"github.com/standin-go/standin/examples/checkout/payments"
	"github.com/standin-go/standin/examples/checkout/shipping"
)

// Service is an http.Handler for POST /orders.
type Service struct {
	Payments  payments.Client
	Inventory inventory.Client
	Shipping  shipping.Client
	TaxURL    string
	HTTP      *http.Client
}

// Order is what a customer sends.
type Order struct {
	Number  string `json:"number"`
	Article string `json:"article"`
	Pieces  int    `json:"pieces"`
	Cents   int    `json:"cents"` // for each piece
	Grams   int    `json:"grams"` // of each piece
	Country string `json:"country"`
	Card    string `json:"card"`
}

// Receipt is what the customer gets.
type Receipt struct {
	Charge string `json:"charge"`
	Total  int    `json:"total"` // cents
}

func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.URL.Path != "/orders" {
		http.NotFound(w, r)
		return
	}
	var order Order
	if err := json.NewDecoder(r.Body).Decode(&order); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	receipt, err := s.Place(r.Context(), order)
	switch {
	case err == nil:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		json.NewEncoder(w).Encode(receipt)
	case errors.Is(err, inventory.ErrOutOfStock):
		http.Error(w, err.Error(), http.StatusConflict)
	case errors.Is(err, payments.ErrDeclined):
		http.Error(w, err.Error(), http.StatusPaymentRequired)
	default:
		http.Error(w, err.Error(), http.StatusBadGateway)
	}
}

// Place places the order. When the customer cannot be charged, the goods go
// back.
func (s *Service) Place(ctx context.Context, order Order) (Receipt, error) {
	if err := s.Inventory.Take(ctx, order.Article, order.Pieces); err != nil {
		return Receipt{}, err
	}
	receipt, err := s.charge(ctx, order)
	if err != nil {
		return Receipt{}, errors.Join(err, s.Inventory.GiveBack(context.WithoutCancel(ctx), order.Article, order.Pieces))
	}
	return receipt, nil
}

func (s *Service) charge(ctx context.Context, order Order) (Receipt, error) {
	percent, err := s.taxRate(ctx, order.Country)
	if err != nil {
		return Receipt{}, err
	}
	postage, err := s.Shipping.Quote(ctx, order.Country, order.Pieces*order.Grams)
	if err != nil {
		return Receipt{}, err
	}
	goods := order.Pieces * order.Cents
	total := goods + goods*percent/100 + postage
	id, err := s.Payments.Charge(ctx, payments.Charge{Card: order.Card, Amount: total, Key: order.Number})
	return Receipt{Charge: id, Total: total}, err
}

func (s *Service) taxRate(ctx context.Context, country string) (percent int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.TaxURL+"/rates/"+country, nil)
	if err != nil {
		return 0, err
	}
	response, err := s.HTTP.Do(request)
	if err != nil {
		return 0, fmt.Errorf("tax: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("tax: no rate for %q: %s", country, response.Status)
	}
	var rate struct{ Percent int }
	if err := json.NewDecoder(response.Body).Decode(&rate); err != nil {
		return 0, fmt.Errorf("tax: %w", err)
	}
	return rate.Percent, nil
}
