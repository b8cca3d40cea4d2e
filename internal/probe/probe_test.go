package probe_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/standin-go/standin/internal/probe"
)

func TestHTTP(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/busy" {
			http.Error(w, "warming up", http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	if err := probe.HTTP(t.Context(), server.URL); err != nil {
		t.Error(err)
	}
	if err := probe.HTTP(t.Context(), server.URL+"/busy"); err == nil || !strings.Contains(err.Error(), "503 Service Unavailable: warming up") {
		t.Errorf("error %v; want the status and what it says", err)
	}
	if _, ok := errors.AsType[*probe.InvalidError](probe.HTTP(t.Context(), "http://127.0.0.1:1/%zz")); !ok {
		t.Error("a URL that is none is no InvalidError")
	}
}

func TestReason(t *testing.T) {
	t.Parallel()
	refused, busy := errors.New("refused"), errors.New("busy")
	late := fmt.Errorf("dial: %w", os.ErrDeadlineExceeded)
	for _, c := range []struct{ last, err, want error }{
		{nil, refused, refused},
		{refused, busy, busy},
		{refused, late, refused},
		{refused, context.Canceled, refused},
		{nil, late, late},
	} {
		if got := probe.Reason(c.last, c.err); got != c.want {
			t.Errorf("after %v, %v: %v, want %v", c.last, c.err, got, c.want)
		}
	}
}
