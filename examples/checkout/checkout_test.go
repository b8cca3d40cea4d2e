package checkout_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/standin-go/standin/examples/checkout"
	"github.com/standin-go/standin/examples/checkout/inventory"
	"github.com/standin-go/standin/examples/checkout/payments"
	"github.com/standin-go/standin/examples/checkout/shipping"
	"github.com/standin-go/standin/examples/checkout/shipping/shippingtest"
	"github.com/standin-go/standin/examples/checkout/taxd"
	"github.com/standin-go/standin/fixture"
)

// taxdAddr, when it is set, makes this binary the tax daemon.
const taxdAddr = "CHECKOUT_TEST_TAXD"

func TestMain(m *testing.M) {
	if addr := os.Getenv(taxdAddr); addr != "" {
		if err := taxd.Run(addr, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "taxd:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// startTaxd starts the tax daemon as a process of its own, on a port that is
// leased to the test from before the daemon binds it until the test ends.
func startTaxd(t *testing.T) (url string) {
	t.Helper()
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(fixture.Port(t)))
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), taxdAddr+"="+addr)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil { // it ends with its input, so also when this process is killed
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		t.Fatalf("taxd said %q: %v", line, err)
	}
	return "http://" + addr
}

// world is everything around the service, for one test alone.
type world struct {
	shop, payments, warehouse *fixture.HTTPServer
}

func newWorld(t *testing.T) world {
	t.Helper()
	w := world{shop: fixture.NewHTTP(t), payments: fixture.NewHTTP(t), warehouse: fixture.NewHTTP(t)}
	client := w.payments.Client()
	w.shop.Handle("/", &checkout.Service{
		Payments:  payments.Client{URL: w.payments.URL(), HTTP: client},
		Inventory: inventory.Client{URL: w.warehouse.URL(), HTTP: w.warehouse.Client()},
		Shipping:  shipping.Client{Host: shippingtest.StandIn(t, 450)},
		TaxURL:    startTaxd(t),
		HTTP:      client,
	})
	return w
}

func (w world) order(t *testing.T, order checkout.Order) (status int, receipt checkout.Receipt) {
	t.Helper()
	body, err := json.Marshal(order)
	if err != nil {
		t.Fatal(err)
	}
	response, err := w.shop.Client().Post(w.shop.URL()+"/orders", "application/json", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusCreated {
		if err := json.NewDecoder(response.Body).Decode(&receipt); err != nil {
			t.Fatal(err)
		}
	}
	return response.StatusCode, receipt
}

var teapot = checkout.Order{Number: "7", Article: "teapot", Pieces: 2, Cents: 1999, Grams: 800, Country: "NO", Card: "4242"}

func TestAnOrderIsPlaced(t *testing.T) {
	t.Parallel()
	for country, percent := range map[string]int{"CH": 8, "DE": 19, "FR": 20, "NO": 25, "PT": 23, "US": 0} {
		for pieces := 1; pieces <= 20; pieces++ {
			t.Run(fmt.Sprint(pieces, " to ", country), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.warehouse.On("PUT /stock/teapot/taken").Reply(204).Once()
				w.payments.On("POST /charges").Reply(201).JSON(`{"id": "ch_1"}`).Once()

				order := teapot
				order.Country, order.Pieces = country, pieces
				status, receipt := w.order(t, order)
				goods := pieces * 1999
				want := checkout.Receipt{Charge: "ch_1", Total: goods + goods*percent/100 + (pieces*800+999)/1000*450}
				if status != http.StatusCreated || receipt != want {
					t.Errorf("status %d, receipt %+v; want 201, %+v", status, receipt, want)
				}
			})
		}
	}
}

// When the customer cannot be charged, the goods go back to the warehouse.
func TestAnOrderThatCannotBeCharged(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]int{402: http.StatusPaymentRequired, 400: http.StatusBadGateway, 500: http.StatusBadGateway} {
		t.Run(fmt.Sprint("payments answer ", status), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.warehouse.On("PUT /stock/teapot/taken").Reply(204).Once()
			w.warehouse.On("DELETE /stock/teapot/taken").Reply(204).Once()
			w.payments.On("POST /charges").Reply(status).Once()
			if got, _ := w.order(t, teapot); got != want {
				t.Errorf("status %d, want %d", got, want)
			}
		})
	}
}

func TestAnOrderOutOfStock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.warehouse.On("PUT /stock/teapot/taken").Reply(409)
	w.payments.On("POST /charges").Times(0) // nobody pays for what is not there
	if got, _ := w.order(t, teapot); got != http.StatusConflict {
		t.Errorf("status %d, want 409", got)
	}
}

func TestAnOrderToNowhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.warehouse.On("PUT /stock/teapot/taken").Reply(204)
	w.warehouse.On("DELETE /stock/teapot/taken").Reply(204)
	order := teapot
	order.Country = "XX"
	if got, _ := w.order(t, order); got != http.StatusBadGateway {
		t.Errorf("status %d, want 502", got)
	}
}
