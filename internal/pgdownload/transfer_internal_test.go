package pgdownload

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestRedirectsStaySafe(t *testing.T) {
	t.Parallel()
	cases := []struct {
		from, to string
		refused  bool
	}{
		{"https://a.example/x", "https://b.example/x", false},
		{"http://127.0.0.1/x", "https://b.example/x", false},
		{"http://127.0.0.1/x", "http://127.0.0.1/y", false},
		{"https://a.example/x", "http://a.example/x", true},
		{"https://a.example/x", "http://127.0.0.1/x", true},
	}
	for _, c := range cases {
		err := refuseDowngrade(httptest.NewRequest("GET", c.to, nil), []*http.Request{httptest.NewRequest("GET", c.from, nil)})
		if (err != nil) != c.refused {
			t.Errorf("%s redirects to %s: error %v; refused should be %t", c.from, c.to, err, c.refused)
		}
	}
}
