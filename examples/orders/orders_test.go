package orders_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/standin-go/standin/examples/orders"
	"github.com/standin-go/standin/fixture/postgres"
)

// open returns a store in a real database that is this test's alone. The
// migrations and the seed run once for all tests, in all packages.
func open(t *testing.T) (*orders.Store, *pgxpool.Pool) {
	t.Helper()
	db := postgres.New(t,
		postgres.Migrate(orders.Migrations()),
		postgres.Seed("testdata/stock.sql"),
		postgres.SkipIfMissing())
	t.Logf("database %s", db.Name())
	return orders.New(db.Pool()), db.Pool()
}

func TestPlace(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		items map[string]int
		want  error
		left  map[string]int
	}{
		{"one of three", map[string]int{"lamp": 1}, nil, map[string]int{"lamp": 2}},
		{"the last", map[string]int{"desk": 1}, nil, map[string]int{"desk": 0}},
		{"several", map[string]int{"lamp": 3, "chair": 12}, nil, map[string]int{"lamp": 0, "chair": 28}},
		{"too many", map[string]int{"desk": 2}, orders.ErrOutOfStock, map[string]int{"desk": 1}},
		{"one of them too many", map[string]int{"chair": 4, "lamp": 4}, orders.ErrOutOfStock, map[string]int{"chair": 40, "lamp": 3}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			shop, _ := open(t)
			id, err := shop.Place(t.Context(), "ann", c.items)
			if !errors.Is(err, c.want) {
				t.Fatalf("error %v; want %v", err, c.want)
			}
			for sku, want := range c.left {
				if got, err := shop.InStock(t.Context(), sku); err != nil || got != want {
					t.Errorf("%d of %s left, error %v; want %d", got, sku, err, want)
				}
			}
			placed, err := shop.Of(t.Context(), "ann")
			if err != nil {
				t.Fatal(err)
			}
			if c.want == nil && (len(placed) != 1 || placed[0] != id) || c.want != nil && len(placed) != 0 {
				t.Errorf("the orders are %d after one with error %v", placed, err)
			}
		})
	}
}

// What a mock cannot show: two at once, and one desk.
func TestTheLastOneIsSoldOnce(t *testing.T) {
	t.Parallel()
	for round := range 60 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			t.Parallel()
			shop, _ := open(t)
			var sold, refused int
			var mu sync.Mutex
			var customers sync.WaitGroup
			for _, customer := range []string{"ann", "bob", "eve"} {
				customers.Go(func() {
					_, err := shop.Place(t.Context(), customer, map[string]int{"desk": 1, "chair": 1})
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err == nil:
						sold++
					case errors.Is(err, orders.ErrOutOfStock):
						refused++
					default:
						t.Errorf("%s: %v", customer, err)
					}
				})
			}
			customers.Wait()
			if sold != 1 || refused != 2 {
				t.Errorf("the desk was sold %d times and refused %d times; want 1 and 2", sold, refused)
			}
			if chairs, err := shop.InStock(t.Context(), "chair"); err != nil || chairs != 39 {
				t.Errorf("%d chairs left, error %v; want 39: a refused order takes nothing", chairs, err)
			}
		})
	}
}

// Each test begins with the same rows, whatever others do at the same time.
func TestEveryTestBeginsTheSame(t *testing.T) {
	t.Parallel()
	for round := range 35 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			t.Parallel()
			shop, db := open(t)
			var first int64
			for i := range 3 {
				id, err := shop.Place(t.Context(), "ann", map[string]int{"chair": 10})
				if err != nil {
					t.Fatal(err)
				}
				if first == 0 {
					first = id
				}
				if id != first+int64(i) || first != 1 {
					t.Errorf("order %d has number %d; want 1, 2 and 3 in every test", i+1, id)
				}
			}
			if _, err := db.Exec(t.Context(), "TRUNCATE orders, items, stock"); err != nil {
				t.Error(err)
			}
		})
	}
}
