package inventory_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/standin-go/standin/examples/checkout/inventory"
	"github.com/standin-go/standin/fixture"
)

func TestGoodsAreTakenAndGivenBack(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 50; n++ {
		t.Run(fmt.Sprint(n, " pieces"), func(t *testing.T) {
			t.Parallel()
			warehouse := fixture.NewHTTP(t)
			warehouse.On("PUT /stock/{article}/taken").Reply(204).Once()
			warehouse.On("DELETE /stock/{article}/taken").Reply(204).Once()
			client := inventory.Client{URL: warehouse.URL(), HTTP: warehouse.Client()}

			if err := client.Take(t.Context(), "tea pot", n); err != nil {
				t.Error(err)
			}
			if err := client.GiveBack(t.Context(), "tea pot", n); err != nil {
				t.Error(err)
			}
			for _, r := range warehouse.Requests() {
				if got, want := r.URL.Query().Get("pieces"), fmt.Sprint(n); got != want || r.PathValue("article") != "tea pot" {
					t.Errorf("%s of %q has %s pieces, want %s of a tea pot", r.Method, r.PathValue("article"), got, want)
				}
			}
		})
	}
}

func TestGoodsThatAreNotThere(t *testing.T) {
	t.Parallel()
	for status, outOfStock := range map[int]bool{409: true, 404: false, 500: false, 503: false} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			warehouse := fixture.NewHTTP(t)
			warehouse.On("PUT /stock/{article}/taken").Reply(status)
			client := inventory.Client{URL: warehouse.URL(), HTTP: warehouse.Client()}
			if err := client.Take(t.Context(), "kettle", 1); err == nil || errors.Is(err, inventory.ErrOutOfStock) != outOfStock {
				t.Errorf("error %v; want one, out of stock: %t", err, outOfStock)
			}
		})
	}
}
