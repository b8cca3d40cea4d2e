package httpfake_test

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/standin-go/standin/fakes/httpfake"
)

func TestReadyWhenReturned(t *testing.T) {
	t.Parallel()
	srv := start(t, httpfake.Config{})
	srv.On("GET /").Text("here")
	if status, body := get(t, srv, "/"); status != 200 || body != "here" {
		t.Errorf("the first request was answered %d %q; want 200 \"here\"", status, body)
	}
	if srv.URL() != "http://"+srv.Addr() {
		t.Errorf("URL is %q and Addr is %q", srv.URL(), srv.Addr())
	}
	if first := srv.Client(); first != srv.Client() {
		t.Error("Client returns another client each time; its connections would never be used again")
	}
}

// No address of this machine but the loopback reaches the server.
func TestLoopbackOnly(t *testing.T) {
	t.Parallel()
	srv := start(t, httpfake.Config{})
	addr := netip.MustParseAddrPort(srv.Addr())
	if !addr.Addr().IsLoopback() {
		t.Fatalf("the server listens on %s, which is not a loopback address", addr)
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		ip := netip.MustParsePrefix(a.String()).Addr()
		if ip.IsLoopback() || ip.Is6() {
			continue
		}
		target := netip.AddrPortFrom(ip, addr.Port()).String()
		c, err := net.DialTimeout("tcp", target, time.Second)
		if err == nil {
			c.Close()
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dialling %s: error %v; want connection refused", target, err)
		}
	}
}

func TestConfigListener(t *testing.T) {
	t.Parallel()
	listen := func(network, address string) net.Listener {
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	}
	cases := []struct {
		name     string
		listener net.Listener
		refused  string
	}{
		{"IPv4", listen("tcp", "127.0.0.1:0"), ""},
		{"IPv6", listen("tcp", "[::1]:0"), ""},
		{"every address", listen("tcp", ":0"), "is not a loopback address, so other machines could reach it"},
		{"every IPv4 address", listen("tcp4", "0.0.0.0:0"), "is not a loopback address, so other machines could reach it"},
		{"a Unix socket", listen("unix", t.TempDir()+"/s"), "is not a TCP address"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			srv, err := httpfake.NewServer(httpfake.Config{Listener: c.listener})
			if c.refused == "" {
				if err != nil {
					t.Fatal(err)
				}
				defer srv.Close()
				srv.On("/").Text("here")
				if _, body := get(t, srv, "/"); body != "here" || srv.Addr() != c.listener.Addr().String() {
					t.Errorf("the server at %s answered %q; want \"here\" at %s", srv.Addr(), body, c.listener.Addr())
				}
				return
			}
			if err == nil {
				srv.Close()
				t.Fatalf("a listener on %s was accepted", c.listener.Addr())
			}
			if !strings.Contains(err.Error(), c.refused) || !strings.Contains(err.Error(), c.listener.Addr().String()) {
				t.Errorf("error %q does not name %s and say that it %s", err, c.listener.Addr(), c.refused)
			}
			// What is refused stays the caller's, open.
			d, err := net.Dial(c.listener.Addr().Network(), c.listener.Addr().String())
			if err != nil {
				t.Fatalf("the refused listener was closed: %v", err)
			}
			d.Close()
		})
	}
}

func TestConfigCloseTimeout(t *testing.T) {
	t.Parallel()
	if _, err := httpfake.NewServer(httpfake.Config{CloseTimeout: -1}); err == nil || !strings.Contains(err.Error(), "Config.CloseTimeout is -1ns") {
		t.Errorf("a negative CloseTimeout: error %v; want one that names it", err)
	}
}

// The patterns are those of a ServeMux, also in what takes precedence.
func TestRouting(t *testing.T) {
	t.Parallel()
	srv := start(t, httpfake.Config{})
	for _, pattern := range []string{
		"GET /{$}", "GET /orders/{id}", "GET /orders/latest", "POST /orders/{id}", "/any", "GET /files/{path...}",
		"GET /exact/{$}", "example.com/hosted", "GET /tree/",
	} {
		srv.On(pattern).Text(pattern).Maybe()
	}
	srv.HandleFunc("PUT /orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("handler " + r.PathValue("id")))
	})
	cases := []struct {
		method, target, host string
		want                 string // the pattern; "" if unmatched
	}{
		{"GET", "/", "", "GET /{$}"},
		{"GET", "/elsewhere", "", ""},
		{"GET", "/orders/7", "", "GET /orders/{id}"},
		{"GET", "/orders/latest", "", "GET /orders/latest"},
		{"GET", "/orders/a%2Fb", "", "GET /orders/{id}"},
		{"POST", "/orders/7", "", "POST /orders/{id}"},
		{"PUT", "/orders/7", "", "handler 7"},
		{"PURGE", "/any", "", "/any"},
		{"GET", "/files/a/b?c=d", "", "GET /files/{path...}"},
		{"GET", "/exact/", "", "GET /exact/{$}"},
		{"GET", "/hosted", "example.com", "example.com/hosted"},
		{"GET", "//files/./a/../b", "", "GET /files/{path...}"}, // by a redirect
		{"GET", "/tree", "", "GET /tree/"},                      // by a redirect
		{"DELETE", "/orders/7", "", ""},
		{"POST", "/nothing", "", ""},
		{"POST", "//nothing/../x", "", ""},
	}
	for _, c := range cases {
		request, err := http.NewRequest(c.method, srv.URL()+c.target, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = c.host
		response, err := srv.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body := read(t, response)
		switch {
		case c.want == "" && response.StatusCode != http.StatusNotImplemented:
			t.Errorf("%s %s: status %d; want 501, as nothing matches", c.method, c.target, response.StatusCode)
		case c.want != "" && body != c.want:
			t.Errorf("%s %s: matched %q; want %q", c.method, c.target, body, c.want)
		}
	}
}

func TestRedirectsAreRecorded(t *testing.T) {
	t.Parallel()
	srv := start(t, httpfake.Config{})
	srv.On("POST /a").Reply(201)
	response, err := srv.Client().Post(srv.URL()+"//a?b=c", "text/plain", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	read(t, response)
	requests := srv.Requests()
	if len(requests) != 2 {
		t.Fatalf("%d requests recorded; want the redirected one and the one that followed", len(requests))
	}
	if r := requests[0]; r.Status != 307 || r.URL.Path != "//a" || r.Pattern != "" {
		t.Errorf("first %s, pattern %q, status %d; want //a, no pattern, 307", r.URL.Path, r.Pattern, r.Status)
	}
	if r := requests[1]; r.Status != 201 || r.URL.RequestURI() != "/a?b=c" || string(r.Body) != "body" {
		t.Errorf("then %s with body %q, status %d; want /a?b=c with \"body\", 201", r.URL.RequestURI(), r.Body, r.Status)
	}
	if err := srv.Check(); err != nil {
		t.Errorf("a redirect to what matches is not a failure:\n%v", err)
	}
}
