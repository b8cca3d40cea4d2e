package httpfake_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/standin-go/standin/fakes/httpfake"
)

const benchBody = `{"id": 7, "state": "paid"}`

// BenchmarkRequest compares a matched request with one of a bare ServeMux: same
// socket, same client, same answer.
func BenchmarkRequest(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprintf("stubs=%d/httpfake", n), func(b *testing.B) {
			srv := start(b, httpfake.Config{})
			for i := range n {
				srv.On(benchPattern(i)).Reply(200).JSON(benchBody)
			}
			benchRequests(b, srv.Client(), srv.URL())
		})
		b.Run(fmt.Sprintf("stubs=%d/servemux", n), func(b *testing.B) {
			mux := http.NewServeMux()
			for i := range n {
				mux.HandleFunc(benchPattern(i), func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Type", "application/json")
					io.WriteString(w, benchBody)
				})
			}
			srv := httptest.NewServer(mux)
			defer srv.Close()
			benchRequests(b, srv.Client(), srv.URL)
		})
	}
}

func benchPattern(i int) string { return fmt.Sprintf("POST /v%d/orders/{id}", i) }

func benchRequests(b *testing.B, client *http.Client, url string) {
	b.ReportAllocs()
	for b.Loop() {
		response, err := client.Post(url+"/v0/orders/7", "application/json", strings.NewReader(`{"amount": 100}`))
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode != 200 {
			b.Fatalf("status %d", response.StatusCode)
		}
	}
}

// BenchmarkStartStop compares a server's life without a request.
func BenchmarkStartStop(b *testing.B) {
	b.Run("httpfake", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			srv, err := httpfake.NewServer(httpfake.Config{})
			if err != nil {
				b.Fatal(err)
			}
			if err := srv.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("httptest", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			httptest.NewServer(http.NotFoundHandler()).Close()
		}
	})
}

// BenchmarkUnmatched measures a request that nothing matches.
func BenchmarkUnmatched(b *testing.B) {
	for _, n := range []int{1, 10_000} {
		b.Run(fmt.Sprintf("stubs=%d", n), func(b *testing.B) {
			srv := start(b, httpfake.Config{})
			for i := range n {
				srv.On(benchPattern(i)).Maybe()
			}
			for b.Loop() {
				get(b, srv, "/nothing")
			}
		})
	}
}
