package httpfake_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/standin-go/standin/fakes/httpfake"
	"github.com/standin-go/standin/portpool"
)

func TestCloseIsIdempotent(t *testing.T) {
	t.Parallel()
	lease, err := portpool.Reserve() // or the port may be another's after Close
	if err != nil {
		t.Fatal(err)
	}
	defer lease.Release()
	l, err := lease.Listen()
	if err != nil {
		t.Fatal(err)
	}
	srv := start(t, httpfake.Config{Listener: l})
	srv.On("/").Maybe()
	get(t, srv, "/")
	var closers sync.WaitGroup
	for range 8 {
		closers.Go(func() {
			if err := srv.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
			// Whichever Close returns first: nobody listens.
			if _, err := net.Dial("tcp", srv.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("dialling after Close: error %v; want connection refused", err)
			}
		})
	}
	closers.Wait()
	if srv.URL() == "" || srv.Client() == nil || len(srv.Requests()) != 1 || srv.Check() != nil {
		t.Error("after Close the server does not tell what it was any more")
	}
}

// Connections that wait for a request, used or not, do not hold up Close.
func TestCloseClosesIdleConnections(t *testing.T) {
	t.Parallel()
	srv := start(t, httpfake.Config{CloseTimeout: time.Hour})
	srv.On("/")
	conns := map[string]net.Conn{"new": dial(t, srv), "half a header": dial(t, srv), "used": dial(t, srv)}
	io.WriteString(conns["half a header"], "GET / HTTP/1.1\r\nHo")
	io.WriteString(conns["used"], "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if _, err := io.ReadFull(conns["used"], make([]byte, 12)); err != nil {
		t.Fatal(err)
	}
	get(t, srv, "/") // so that the client has an idle one too
	if err := srv.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range conns {
		if _, err := io.Copy(io.Discard, c); err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the %s connection: %v; want it closed", name, err)
		}
	}
}

func TestCloseWaitsForRunningRequests(t *testing.T) {
	t.Parallel()
	srv := start(t, httpfake.Config{CloseTimeout: time.Hour})
	running, finish := make(chan struct{}), make(chan struct{})
	srv.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		close(running)
		<-finish
		io.WriteString(w, "finished")
	})
	answer := make(chan string)
	go func() {
		response, err := srv.Client().Get(srv.URL())
		if err != nil {
			answer <- err.Error()
			return
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		answer <- string(body)
	}()
	<-running
	closed := make(chan error)
	go func() { closed <- srv.Close() }()
	for { // until Close has begun
		c, err := net.Dial("tcp", srv.Addr())
		if err != nil {
			break
		}
		c.Close()
	}
	select {
	case err := <-closed:
		t.Fatalf("Close returned %v while a request was running", err)
	default:
	}
	close(finish)
	if got := <-answer; got != "finished" {
		t.Errorf("the running request ended with %q; want its answer", got)
	}
	if err := <-closed; err != nil {
		t.Errorf("Close: %v", err)
	}
}

func TestCloseNamesStuckRequests(t *testing.T) {
	t.Parallel()
	srv, err := httpfake.NewServer(httpfake.Config{CloseTimeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	started, never := make(chan struct{}, 3), make(chan struct{})
	t.Cleanup(func() { close(never) })
	srv.HandleFunc("GET /deaf/{x}", func(http.ResponseWriter, *http.Request) { started <- struct{}{}; <-never })
	srv.HandleFunc("POST /polite", func(_ http.ResponseWriter, r *http.Request) {
		started <- struct{}{}
		io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	srv.HandleFunc("GET /hijacked", func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
		}
		started <- struct{}{}
		io.Copy(io.Discard, c)
	})
	srv.On("PUT /slow").Maybe()

	for i, request := range []string{
		"GET /deaf/1?a=b HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST /polite HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab",
		"GET /hijacked HTTP/1.1\r\nHost: x\r\n\r\n",
		"PUT /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab", // three bytes never come
	} {
		io.WriteString(dial(t, srv), request)
		if i < 3 {
			<-started
		}
	}
	for len(srv.Requests()) < 4 {
		runtime.Gosched()
	}
	err = srv.Close()
	if err == nil {
		t.Fatal("Close returned no error, though four requests were stuck")
	}
	got := regexp.MustCompile(`after [0-9.]+m?s,`).ReplaceAllString(err.Error(), "after a while,")
	got = regexp.MustCompile(`close_test.go:\d+`).ReplaceAllString(got, "PLACE")
	const by, ended = `, after a while, by handler "%s", written at PLACE; it %s`, "ended when it was cut off"
	want := "httpfake: 4 requests were still running 20ms after Close, and cut off:" +
		"\n\t#1 GET /deaf/1?a=b" + fmt.Sprintf(by, "GET /deaf/{x}", "runs on: it does not look at its request's context") +
		"\n\t#2 POST /polite" + fmt.Sprintf(by, "POST /polite", ended) +
		"\n\t#3 GET /hijacked" + fmt.Sprintf(by, "GET /hijacked", ended) +
		"\n\t#4 PUT /slow" + strings.Replace(fmt.Sprintf(by, "PUT /slow", ended), "handler", "stub", 1)
	if got != want {
		t.Errorf("Close says\n%s\nwant\n%s", got, want)
	}
	if again := srv.Close(); again != err {
		t.Errorf("Close says then %v; want the same error again", again)
	}
}

// Close joins every goroutine of the server: those of the listener, of its
// connections and of its handlers. They carry the label of whoever started it.
func TestCloseJoinsGoroutines(t *testing.T) {
	t.Parallel()
	var srv *httpfake.Server
	pprof.Do(t.Context(), pprof.Labels("server", t.Name()), func(context.Context) { srv = start(t, httpfake.Config{}) })
	srv.On("/stub")
	srv.HandleFunc("/hijack", func(w http.ResponseWriter, _ *http.Request) {
		if _, _, err := http.NewResponseController(w).Hijack(); err != nil {
			t.Error(err)
		}
	})
	get(t, srv, "/stub")
	hijacked := dial(t, srv)
	io.WriteString(hijacked, "GET /hijack HTTP/1.1\r\nHost: x\r\n\r\n")
	for len(srv.Requests()) < 2 {
		runtime.Gosched()
	}
	if n, all := labelled(t); n < 2 {
		t.Fatalf("%d goroutines of the server are found while it runs; want the listener's and a connection's\n%s", n, all)
	}
	if err := srv.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, hijacked); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a hijacked connection is still open: %v", err)
	}
	// The last that net/http does for a connection is to tell that it is
	// closed; the goroutine is then about to end.
	for deadline := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		n, all := labelled(t)
		if n == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are left after Close:\n%s", n, all)
		}
	}
}

// labelled counts the goroutines that carry the label of this test.
func labelled(t *testing.T) (n int, all string) {
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, 1); err != nil {
		t.Fatal(err)
	}
	return strings.Count(b.String(), fmt.Sprintf("%q:%q", "server", t.Name())), b.String()
}

// Close in the middle of everything neither hangs nor panics.
func TestCloseUnderLoad(t *testing.T) {
	t.Parallel()
	for range 20 {
		srv := start(t, httpfake.Config{})
		srv.On("/")
		var clients sync.WaitGroup
		served := make(chan struct{}, 1000)
		for range 4 {
			clients.Go(func() {
				for {
					response, err := srv.Client().Get(srv.URL())
					if err != nil {
						return // closed
					}
					response.Body.Close()
					select {
					case served <- struct{}{}:
					default:
					}
				}
			})
		}
		<-served
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		clients.Wait()
	}
}
