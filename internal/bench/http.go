package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"time"

	"github.com/standin-go/standin/fixture"
	"github.com/standin-go/standin/internal/lifetime"
)

func measureHTTP(r *report, s scale) error {
	if err := startAndClose(r, s); err != nil {
		return err
	}
	return matchedRequest(r, s)
}

func startOurs() error {
	tb := lifetime.New()
	fixture.NewHTTP(tb)
	return tb.End()
}

func startPeer() error {
	httptest.NewServer(http.NotFoundHandler()).Close()
	return nil
}

// startAndClose compares a fixture's whole life with httptest's.
func startAndClose(r *report, s scale) error {
	times, err := compare(s.rounds, perOperation(s.operations/5+1, startOurs), perOperation(s.operations/5+1, startPeer))
	if err != nil {
		return err
	}
	r.atMost("http/start and close vs httptest, time", times[0], times[1], 1.2, nanoseconds)
	allocs, err := compare(s.rounds/4+1, allocations(s.operations/5+1, startOurs), allocations(s.operations/5+1, startPeer))
	if err != nil {
		return err
	}
	r.atMost("http/start and close vs httptest, allocations", allocs[0], allocs[1], 1.2, number)
	return nil
}

// allocations returns those of one of n operations, in all goroutines.
func allocations(n int, operation func() error) func() (float64, error) {
	return func() (float64, error) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range n {
			if err := operation(); err != nil {
				return 0, err
			}
		}
		runtime.ReadMemStats(&after)
		return float64(after.Mallocs-before.Mallocs) / float64(n), nil
	}
}

const body = `{"id":7,"state":"paid"}`

// matchedRequest compares a stub with a bare route of http.ServeMux.
func matchedRequest(r *report, s scale) error {
	tb := lifetime.New()
	ours := fixture.NewHTTP(tb)
	ours.On("GET /orders/{id}").Reply(200).JSON(body)

	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders/{id}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, body)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	bare := &http.Server{Handler: mux}
	go bare.Serve(l)
	defer bare.Close()

	oursGet := get(ours.Client(), ours.URL())
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	bareGet := get(client, "http://"+l.Addr().String())

	times, err := compare(s.rounds, medianTime(s.requests, oursGet), medianTime(s.requests, bareGet))
	if err != nil {
		return err
	}
	r.atMost("http/matched request vs bare ServeMux, time p50", times[0], times[1], 1.2, nanoseconds)
	allocs, err := compare(s.rounds/4+1, allocations(s.requests, oursGet), allocations(s.requests, bareGet))
	if err != nil {
		return err
	}
	r.atMost("http/matched request vs bare ServeMux, allocations of both ends", allocs[0], allocs[1], 1.2, number)
	return tb.End()
}

func get(client *http.Client, base string) func() error {
	url := base + "/orders/7"
	return func() error {
		response, err := client.Get(url)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		got, err := io.ReadAll(response.Body)
		if err == nil && string(got) != body {
			err = fmt.Errorf("%s answered %s %q", url, response.Status, got)
		}
		return err
	}
}

// medianTime returns the median time of n operations, in nanoseconds.
func medianTime(n int, operation func() error) func() (float64, error) {
	return func() (float64, error) {
		times := make([]float64, n)
		for i := range times {
			started := time.Now()
			if err := operation(); err != nil {
				return 0, err
			}
			times[i] = float64(time.Since(started))
		}
		return median(times), nil
	}
}
