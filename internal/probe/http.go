// Package probe asks a server whether it is ready, once: the fixtures ask again.
package probe

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

// HTTP returns nil when a GET of a URL is answered with a status of 200 to 299,
// on a connection of its own. An error of a request that cannot be made is an
// *InvalidError.
func HTTP(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return &InvalidError{err}
	}
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 200))
		return fmt.Errorf("it is answered with %s: %s", response.Status, body)
	}
	return nil
}

// InvalidError is that of a URL that no waiting mends.
type InvalidError struct{ error }

func (e *InvalidError) Unwrap() error { return e.error }
