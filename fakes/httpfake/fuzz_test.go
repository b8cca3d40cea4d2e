package httpfake_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/standin-go/standin/fakes/httpfake"
)

// Whatever a client sends, the server lives, ends, and reports it in plain text.
func FuzzRawRequest(f *testing.F) {
	for _, seed := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST /orders/7 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
		"POST /orders/7 HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhello",
		"POST /handled HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		"POST /handled HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello",
		"GET //a/../b?x=%zz HTTP/1.1\r\nHost: a\r\n\r\nGET /orders/ HTTP/1.0\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "\x16\x03\x01\x02\x00", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"GET /\x1b[31m HTTP/1.1\r\nHost: \x07\r\n\r\n", "HEAD /orders/%1b%5b31m HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		srv, _, err := play(httpfake.Config{}, func(srv *httpfake.Server) {
			srv.On("/orders/{id}").Reply(201).JSON(`{"id": 7}`)
			srv.HandleFunc("POST /handled", func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
		}, sent)
		if err != nil {
			t.Fatal(err)
		}
		reports := srv.Transcript()
		if err := srv.Check(); err != nil {
			reports += err.Error()
		}
		for _, r := range reports {
			if r != '\n' && r != '\t' && r != ' ' && !unicode.IsPrint(r) {
				t.Fatalf("the report has %q in it:\n%q", r, reports)
			}
		}
	})
}

// A pattern is accepted, matches and is reported as http.ServeMux has it.
func FuzzPattern(f *testing.F) {
	for _, seed := range [][3]string{
		{"GET /orders/{id}", "GET", "/orders/7"},
		{"/a/{rest...}", "PUT", "/a/b/c%2Fd"},
		{"/a/{$}", "GET", "/a"},
		{"a.example/", "GET", "/"},
		{"GET /{a}/{b}", "HEAD", "/x/"},
		{"GET /a%20b/", "GET", "/a b"},
		{"/", "OPTIONS", "*"},
		{"//a", "GET", "//a"},
		{"{x}/y", "GET", "/"},
		{"GET  /", "get", "/"},
		{"/{a}/{a}", "GET", "/1/2"},
		{"/x{a}", "GET", "/"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, pattern, method, target string) {
		u, err := url.ParseRequestURI(target)
		request, requestErr := http.NewRequest(method, "http://a.example/", nil)
		if err != nil || requestErr != nil || u.Host != "" || strings.ContainsAny(target, " \r\n") || method == "CONNECT" || method == "" {
			return // nothing that a client could send
		}
		request.URL = u

		mux := http.NewServeMux()
		refused := func() (refused bool) {
			defer func() { refused = recover() != nil }()
			mux.Handle(pattern, http.NotFoundHandler())
			return
		}()
		var mistake error
		config := httpfake.Config{Fail: func(err error) { mistake = err }}
		srv, answer, err := play(config, func(srv *httpfake.Server) { srv.On(pattern).Maybe() }, requestOf(method, target))
		if err != nil {
			t.Fatal(err)
		}
		if refused != (mistake != nil) {
			t.Fatalf("pattern %q: the ServeMux refuses it: %v; the server: %v", pattern, refused, mistake)
		}
		if refused {
			return
		}
		response, err := http.ReadResponse(bufio.NewReader(answer), request)
		if err != nil {
			t.Fatal(err)
		}
		status := response.StatusCode
		if status == http.StatusTemporaryRedirect || len(srv.Requests()) == 0 {
			return // the ServeMux has answered, or net/http before that
		}
		got := srv.Requests()[0].Pattern
		_, want := mux.Handler(request)
		if target == "*" { // ServeMux.ServeHTTP looks at that, Handler does not
			want = ""
		}
		if got != want {
			t.Errorf("%s %s: pattern %q matched %q; with a ServeMux %q", method, target, pattern, got, want)
		}
		if err := srv.Check(); (err == nil) != (got != "") {
			t.Errorf("%s %s: pattern %q matched %q; Check says: %v", method, target, pattern, got, err)
		} else if err != nil && !strings.Contains(err.Error(), "(-stub +request)") {
			t.Errorf("%s %s is unmatched, and the report shows no difference from %q:\n%v", method, target, pattern, err)
		}
	})
}

func requestOf(method, target string) []byte {
	return fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: a.example\r\n\r\n", method, target)
}

func bodyOf(t *testing.T, answer io.Reader) string {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(answer), nil)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, response)
}

// What is no JSON is refused with its place; what is, is sent as it is.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{`{"id": 7}`, `[1,]`, "", "nul", "\"\xff\"", "{\n\t\"a\": 1,\n}", `"ä" x`, "1e999", "\u2028"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var mistake error
		config := httpfake.Config{Fail: func(err error) { mistake = err }}
		_, answer, err := play(config, func(srv *httpfake.Server) { srv.On("GET /").JSON(text) }, requestOf("GET", "/"))
		if err != nil {
			t.Fatal(err)
		}
		if want := json.Valid([]byte(text)) && utf8.ValidString(text); want != (mistake == nil) {
			t.Fatalf("JSON %q: valid is %v, mistake %v", text, want, mistake)
		}
		if mistake != nil {
			if !strings.Contains(mistake.Error(), "malformed JSON") {
				t.Errorf("the mistake does not say what is wrong: %v", mistake)
			}
			return
		}
		if body := bodyOf(t, answer); body != text {
			t.Errorf("body %q; want the text as it was given, %q", body, text)
		}
	})
}
