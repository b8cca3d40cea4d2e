package httpfake_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/standin-go/standin/fakes/httpfake"
)

func TestReplies(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("0123456789", 100_000)
	cases := []struct {
		name   string
		write  func(*httpfake.Stub)
		status int
		header map[string][]string // nil values: must be absent
		body   string
	}{
		{
			"nothing said", func(*httpfake.Stub) {},
			200,
			map[string][]string{"Content-Length": {"0"}, "Content-Type": nil},
			"",
		},
		{
			"a status", func(st *httpfake.Stub) { st.Reply(503) },
			503,
			map[string][]string{"Content-Length": {"0"}},
			"",
		},
		{
			"a status that no RFC names", func(st *httpfake.Stub) { st.Reply(999) },
			999, nil, "",
		},
		{
			"no content", func(st *httpfake.Stub) { st.Reply(204) },
			204,
			map[string][]string{"Content-Length": nil},
			"",
		},
		{
			"not modified", func(st *httpfake.Stub) { st.Reply(304).Header("Etag", `"1"`) },
			304,
			map[string][]string{"Content-Length": nil, "Etag": {`"1"`}},
			"",
		},
		{
			"JSON text stays as it is", func(st *httpfake.Stub) { st.JSON("{ \"a\": 1 }\n") },
			200,
			map[string][]string{"Content-Type": {"application/json"}, "Content-Length": {"11"}},
			"{ \"a\": 1 }\n",
		},
		{"JSON bytes", func(st *httpfake.Stub) { st.JSON([]byte(`[1,2]`)) }, 200, nil, `[1,2]`},
		{"raw JSON", func(st *httpfake.Stub) { st.JSON(json.RawMessage(`"x"`)) }, 200, nil, `"x"`},
		{"a value as JSON", func(st *httpfake.Stub) { st.Reply(201).JSON(map[string]int{"a": 1}) }, 201, nil, `{"a":1}`},
		{"nil as JSON", func(st *httpfake.Stub) { st.JSON(nil) }, 200, nil, `null`},
		{
			"text", func(st *httpfake.Stub) { st.Text("grüß dich") },
			200,
			map[string][]string{"Content-Type": {"text/plain; charset=utf-8"}},
			"grüß dich",
		},
		{
			"bytes", func(st *httpfake.Stub) { st.Bytes("image/png", []byte{0x89, 'P'}) },
			200,
			map[string][]string{"Content-Type": {"image/png"}},
			"\x89P",
		},
		{
			"a large body", func(st *httpfake.Stub) { st.Text(large) },
			200,
			map[string][]string{"Content-Length": {"1000000"}, "Transfer-Encoding": nil},
			large,
		},
		{
			"a field given twice is sent twice",
			func(st *httpfake.Stub) { st.Header("Set-Cookie", "a=1").Header("set-cookie", "b=2") },
			200,
			map[string][]string{"Set-Cookie": {"a=1", "b=2"}},
			"",
		},
		{
			"a Content-Type before the body",
			func(st *httpfake.Stub) { st.Header("content-type", "application/problem+json").JSON(`{}`) },
			200,
			map[string][]string{"Content-Type": {"application/problem+json"}},
			`{}`,
		},
		{
			"a Content-Type after the body",
			func(st *httpfake.Stub) { st.JSON(`{}`).Header("Content-Type", "application/problem+json") },
			200,
			map[string][]string{"Content-Type": {"application/problem+json"}},
			`{}`,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			srv := start(t, httpfake.Config{})
			c.write(srv.On("/"))
			for _, method := range []string{"GET", "HEAD", "POST"} {
				request, err := http.NewRequest(method, srv.URL(), nil)
				if err != nil {
					t.Fatal(err)
				}
				response, err := srv.Client().Do(request)
				if err != nil {
					t.Fatal(err)
				}
				want := c.body
				if method == "HEAD" {
					want = ""
				}
				if body := read(t, response); body != want {
					t.Errorf("%s: body %.100q; want %.100q", method, body, want)
				}
				if response.StatusCode != c.status {
					t.Errorf("%s: status %d; want %d", method, response.StatusCode, c.status)
				}
				if response.Proto != "HTTP/1.1" || len(response.TransferEncoding) > 0 {
					t.Errorf("%s: answered in %s with transfer encoding %q; want HTTP/1.1 and none", method, response.Proto, response.TransferEncoding)
				}
				for key, want := range c.header {
					if got := response.Header.Values(key); !slices.Equal(got, want) {
						t.Errorf("%s: %s is %q; want %q", method, key, got, want)
					}
				}
			}
		})
	}
}

// What the caller does to a slice afterwards does not change the reply.
func TestBodiesAreCopied(t *testing.T) {
	t.Parallel()
	srv := start(t, httpfake.Config{})
	text, raw := []byte(`[1]`), []byte("raw")
	srv.On("/json").JSON(text)
	srv.On("/bytes").Bytes("text/plain", raw)
	clear(text)
	clear(raw)
	if _, body := get(t, srv, "/json"); body != "[1]" {
		t.Errorf("JSON answered %q; want [1]", body)
	}
	if _, body := get(t, srv, "/bytes"); body != "raw" {
		t.Errorf("Bytes answered %q; want raw", body)
	}
}

func TestSequence(t *testing.T) {
	t.Parallel()
	srv := start(t, httpfake.Config{})
	srv.On("GET /").Reply(503).Header("Retry-After", "1").Reply(202).Text("soon").Reply(200).JSON(`{}`)
	var got []string
	for range 5 {
		response, err := srv.Client().Get(srv.URL())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(response.StatusCode, response.Header.Get("Retry-After"), read(t, response)))
	}
	want := []string{"5031", "202soon", "200{}", "200{}", "200{}"}
	if !slices.Equal(got, want) {
		t.Errorf("answers %q; want %q: the replies in their order, and the last again", got, want)
	}
}

// Many clients at once: each reply of the sequence is given once, a stub
// counts each call, and one call too many is one 501.
func TestCountsAndSequencesUnderConcurrency(t *testing.T) {
	t.Parallel()
	const calls = 200
	srv := start(t, httpfake.Config{})
	sequence := srv.On("POST /sequence")
	for i := range calls {
		sequence.Reply(200).Text(fmt.Sprint(i))
	}
	sequence.Times(calls)
	srv.On("GET /few").Times(calls - 3)

	var mu sync.Mutex
	seen := make(map[string]int)
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for range calls / 8 {
				response, err := srv.Client().Post(srv.URL()+"/sequence", "text/plain", strings.NewReader("x"))
				if err != nil {
					t.Error(err)
					return
				}
				text, err := io.ReadAll(response.Body)
				response.Body.Close()
				if err != nil {
					t.Error(err)
				}
				few, err := srv.Client().Get(srv.URL() + "/few")
				if err != nil {
					t.Error(err)
					return
				}
				few.Body.Close()
				mu.Lock()
				seen[string(text)]++
				seen[few.Status]++
				mu.Unlock()
			}
		})
	}
	clients.Wait()
	for i := range calls {
		if n := seen[fmt.Sprint(i)]; n != 1 {
			t.Errorf("reply %d was given %d times; want once", i, n)
		}
	}
	if seen["200 OK"] != calls-3 || seen["501 Not Implemented"] != 3 {
		t.Errorf("of %d calls, %d answered 200 and %d 501; want %d and 3", calls, seen["200 OK"], seen["501 Not Implemented"], calls-3)
	}
	err := srv.Check()
	if err == nil || !strings.Contains(err.Error(), "stub GET /few was called 200 times\n   expected: exactly 197 calls") {
		t.Errorf("Check does not tell of the calls too many:\n%v", err)
	}
}

// Stubs, handlers, records and reports, all while requests are served.
func TestEverythingAtOnce(t *testing.T) {
	t.Parallel()
	srv := start(t, httpfake.Config{})
	srv.HandleFunc("GET /handled/{n}", func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Changed", "by the handler")
		r.URL.Path = "/changed"
		io.Copy(w, r.Body)
	})
	var workers sync.WaitGroup
	for w := range 4 {
		workers.Go(func() {
			for i := range 50 {
				path := fmt.Sprintf("/stub/%d/%d", w, i)
				stub := srv.On("GET "+path).Reply(200).Header("A", "1").Text(path).Once()
				for _, target := range []string{path, fmt.Sprintf("/handled/%d", i), "/nothing"} {
					response, err := srv.Client().Get(srv.URL() + target)
					if err != nil {
						t.Error(err)
						return
					}
					io.Copy(io.Discard, response.Body)
					response.Body.Close()
				}
				if n := len(stub.Requests()); n != 1 {
					t.Errorf("stub %s has %d requests; want 1", path, n)
				}
				if i%10 == 0 {
					srv.Check()
					srv.Transcript()
				}
			}
		})
	}
	workers.Wait()
	if n := len(srv.Requests()); n != 600 {
		t.Errorf("%d requests recorded; want 600", n)
	}
	for _, r := range srv.Requests() {
		if r.Header.Get("Changed") != "" || r.URL.Path == "/changed" {
			t.Fatalf("a handler changed the record: %s %v", r.URL, r.Header)
		}
	}
}
