package httpfake_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/standin-go/standin/fakes/httpfake"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	srv := start(t, httpfake.Config{})
	orders := srv.On("POST /shops/{shop}/{kind}/{path...}").Reply(201)
	srv.On("GET /other").Maybe()
	before := time.Now()
	request, err := http.NewRequest("POST", srv.URL()+"/shops/a%2Fb/orders/7/items?full=1", strings.NewReader(`{"amount": 100}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "shop.example"
	request.Header.Set("Idempotency-Key", "k1")
	response, err := srv.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	read(t, response)
	get(t, srv, "/other")
	get(t, srv, "/unmatched")

	if n := len(srv.Requests()); n != 3 {
		t.Fatalf("%d requests recorded; want 3, the unmatched one among them", n)
	}
	if r := srv.Requests()[2]; r.Pattern != "" || r.Status != 501 || r.URL.Path != "/unmatched" {
		t.Errorf("the unmatched request is recorded as %+v", r)
	}
	own := orders.Requests()
	if len(own) != 1 {
		t.Fatalf("the stub has %d requests; want 1", len(own))
	}
	r := own[0]
	got := fmt.Sprintf("%s %s %s %q %q %d %v", r.Method, r.URL, r.Host, r.Header.Get("Idempotency-Key"), r.Body, r.Status, r.Truncated)
	want := `POST /shops/a%2Fb/orders/7/items?full=1 shop.example "k1" "{\"amount\": 100}" 201 false`
	if got != want {
		t.Errorf("recorded %s\n    want %s", got, want)
	}
	for name, want := range map[string]string{"shop": "a/b", "kind": "orders", "path": "7/items", "none": ""} {
		if got := r.PathValue(name); got != want {
			t.Errorf("PathValue(%q) is %q; want %q", name, got, want)
		}
	}
	if r.Pattern != "POST /shops/{shop}/{kind}/{path...}" {
		t.Errorf("Pattern is %q", r.Pattern)
	}
	if r.Time.Before(before) || r.Time.After(time.Now()) {
		t.Errorf("Time is %v; want one between the request and now", r.Time)
	}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err != nil || host != "127.0.0.1" {
		t.Errorf("RemoteAddr is %q", r.RemoteAddr)
	}
	// The record is a copy.
	clear(r.Body)
	r.Header.Set("Idempotency-Key", "changed")
	r.URL.Path = "/changed"
	if again := orders.Requests()[0]; string(again.Body) != `{"amount": 100}` || again.Header.Get("Idempotency-Key") != "k1" || again.URL.Path == "/changed" {
		t.Error("what a test does to a request changes the record")
	}
}

// unsized hides how long a body is, so that it is sent in chunks.
type unsized struct{ io.Reader }

func TestBodies(t *testing.T) {
	t.Parallel()
	const limit = 64 << 10
	for _, size := range []int{0, 1, limit - 1, limit, limit + 1, 3 << 20} {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d chunked=%v", size, chunked), func(t *testing.T) {
				t.Parallel()
				srv := start(t, httpfake.Config{})
				srv.On("POST /stub")
				srv.HandleFunc("POST /handler", func(w http.ResponseWriter, r *http.Request) {
					n, err := io.Copy(io.Discard, r.Body)
					fmt.Fprint(w, n, err)
				})
				srv.HandleFunc("POST /careless", func(http.ResponseWriter, *http.Request) {})
				text := bytes.Repeat([]byte("x"), size)
				for _, path := range []string{"/stub", "/unmatched", "/handler"} {
					var body io.Reader = bytes.NewReader(text)
					if chunked {
						body = unsized{body}
					}
					response, err := srv.Client().Post(srv.URL()+path, "text/plain", body)
					if err != nil {
						t.Fatal(err)
					}
					answer := read(t, response)
					if want := fmt.Sprint(size, error(nil)); path == "/handler" && answer != want {
						t.Errorf("the handler read %s; want %s: all of the body", answer, want)
					}
				}
				for _, r := range srv.Requests() {
					if len(r.Body) != min(size, limit) || r.Truncated != (size > limit) {
						t.Errorf("%s: %d bytes recorded, truncated %v; want %d, %v", r.URL, len(r.Body), r.Truncated, min(size, limit), size > limit)
					}
				}
			})
		}
	}
}

// A body that a handler does not read is not recorded, and that is said.
func TestUnreadBody(t *testing.T) {
	t.Parallel()
	srv := start(t, httpfake.Config{})
	srv.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) { r.Body.Read(make([]byte, 2)) })
	response, err := srv.Client().Post(srv.URL(), "text/plain", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	read(t, response)
	if r := srv.Requests()[0]; string(r.Body) != "bo" || !r.Truncated || r.Status != 200 {
		t.Errorf("recorded %q, truncated %v, status %d; want \"bo\", true, 200", r.Body, r.Truncated, r.Status)
	}
}

// A body that breaks off is no call, and the answer is 400.
func TestBrokenBody(t *testing.T) {
	t.Parallel()
	srv := start(t, httpfake.Config{})
	stub := srv.On("POST /")
	c := dial(t, srv)
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nnot a chunk\r\n")
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if body := read(t, response); response.StatusCode != 400 || !strings.Contains(body, "broke off") {
		t.Errorf("answered %d %q; want 400 and that the body broke off", response.StatusCode, body)
	}
	if r := stub.Requests()[0]; string(r.Body) != "abc" || !r.Truncated || r.Status != 400 {
		t.Errorf("recorded %q, truncated %v, status %d; want \"abc\", true, 400", r.Body, r.Truncated, r.Status)
	}
	if err := srv.Check(); err == nil || !strings.Contains(err.Error(), "stub POST / was never called") {
		t.Errorf("Check counts a broken request as a call: %v", err)
	}
}

// The record is there as soon as the client has any of the answer, while the
// handler is still running.
func TestRecordedBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	srv := start(t, httpfake.Config{})
	done := make(chan struct{})
	srv.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(202)
		http.NewResponseController(w).Flush()
		<-done
	})
	response, err := srv.Client().Get(srv.URL())
	if err != nil {
		t.Fatal(err)
	}
	requests := srv.Requests()
	close(done)
	read(t, response)
	if len(requests) != 1 || requests[0].Status != 202 {
		t.Errorf("recorded while it ran: %v; want one request with status 202", requests)
	}
}

// A handler gets all that net/http's own ResponseWriter can do.
func TestHandlersResponseWriter(t *testing.T) {
	t.Parallel()
	srv := start(t, httpfake.Config{})
	srv.HandleFunc("/copy", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "a")
		w.(io.ReaderFrom).ReadFrom(strings.NewReader("b"))
		w.(http.Flusher).Flush()
		if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Errorf("SetWriteDeadline: %v", err)
		}
		w.Write([]byte("c"))
	})
	srv.HandleFunc("/hints", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusTeapot)
	})
	srv.HandleFunc("/hijack", func(w http.ResponseWriter, r *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Errorf("Hijack: %v", err)
			return
		}
		defer c.Close()
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
	})
	for path, want := range map[string]string{"/copy": "200 abc", "/hints": "418 ", "/hijack": "200 hi"} {
		status, body := get(t, srv, path)
		if got := fmt.Sprint(status, " ", body); got != want {
			t.Errorf("%s answered %q; want %q", path, got, want)
		}
	}
	for _, r := range srv.Requests() {
		if want := map[string]int{"/copy": 200, "/hints": 418, "/hijack": 0}[r.URL.Path]; r.Status != want {
			t.Errorf("%s is recorded with status %d; want %d", r.URL.Path, r.Status, want)
		}
	}
	if err := srv.Check(); err != nil {
		t.Errorf("handlers need not be called: %v", err)
	}
}

// The log keeps the latest requests only, whatever their number and size; the
// counts go on.
func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	t.Run("number", func(t *testing.T) {
		t.Parallel()
		srv := start(t, httpfake.Config{})
		const n = 10_050
		srv.On("GET /{n}").Times(n)
		c := dial(t, srv)
		answers := bufio.NewReader(c)
		for i := range n {
			fmt.Fprintf(c, "GET /%d HTTP/1.1\r\nHost: x\r\n\r\n", i)
			response, err := http.ReadResponse(answers, nil)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
		}
		requests := srv.Requests()
		if len(requests) != 10_000 || requests[0].URL.Path != "/50" {
			t.Errorf("%d requests recorded, the oldest %s; want the latest 10,000, from /50", len(requests), requests[0].URL.Path)
		}
		if err := srv.Check(); err != nil {
			t.Errorf("requests that are no longer recorded were calls:\n%.300v", err)
		}
		if text := srv.Transcript(); strings.Count(text, "\n") > 40 || !strings.Contains(text, "… 50 requests before these, no longer recorded") || !strings.Contains(text, "… 9970 more\n") {
			t.Errorf("transcript:\n%.3000s\nwant the first and last of them, and how many are not shown", text)
		}
	})
	t.Run("bytes", func(t *testing.T) {
		t.Parallel()
		srv := start(t, httpfake.Config{})
		srv.On("POST /")
		body := strings.Repeat("x", 64<<10)
		for range 300 {
			response, err := srv.Client().Post(srv.URL(), "text/plain", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
		}
		if n := len(srv.Requests()); n < 240 || n > 256 {
			t.Errorf("%d requests of 64 KiB recorded; want about as many as 16 MiB hold", n)
		}
	})
}

func dial(tb testing.TB, srv *httpfake.Server) net.Conn {
	tb.Helper()
	c, err := net.Dial("tcp", srv.Addr())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	return c
}
