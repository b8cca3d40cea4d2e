package httpfake_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/standin-go/standin/fakes/httpfake"
)

// start starts a server that is closed with the test.
func start(tb testing.TB, config httpfake.Config) *httpfake.Server {
	tb.Helper()
	srv, err := httpfake.NewServer(config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := srv.Close(); err != nil {
			tb.Error(err)
		}
	})
	return srv
}

// get requests a path and returns the status and the body.
func get(tb testing.TB, srv *httpfake.Server, path string) (int, string) {
	tb.Helper()
	response, err := srv.Client().Get(srv.URL() + path)
	if err != nil {
		tb.Fatal(err)
	}
	return response.StatusCode, read(tb, response)
}

func read(tb testing.TB, response *http.Response) string {
	tb.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return string(body)
}
