package httpfake_test

import (
	"fmt"
	"math"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/standin-go/standin/fakes/httpfake"
)

// at is the place of its caller.
func at() string {
	_, _, line, _ := runtime.Caller(1)
	return fmt.Sprintf("mistake_test.go:%d", line)
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	type server = *httpfake.Server
	cases := []struct {
		place string
		write func(server)
		want  string
	}{
		{at(), func(s server) { s.On("") }, `stub has a malformed pattern "": invalid pattern`},
		{at(), func(s server) { s.On("GET") }, `stub has a malformed pattern "GET": at offset 0: host/path missing /`},
		{at(), func(s server) { s.On("G@T /") }, `stub has a malformed pattern "G@T /": at offset 0: invalid method "G@T"`},
		{at(), func(s server) { s.On("/{a}/{a}") }, `stub has a malformed pattern "/{a}/{a}": at offset 5: duplicate wildcard name "a"`},
		{at(), func(s server) { s.Handle("/{", http.NotFoundHandler()) }, `handler has a malformed pattern "/{": at offset 1: bad wildcard`},
		{at(), func(s server) { s.Handle("/", nil) }, `handler of "/" is nil`},
		{at(), func(s server) { s.HandleFunc("/", nil) }, `handler of "/" is nil`},

		{at(), func(s server) { s.On("/").Reply(0) }, `stub "/": Reply(0): a status is between 200 and 999`},
		{at(), func(s server) { s.On("/").Reply(1000) }, `Reply(1000): a status is between 200 and 999`},
		{at(), func(s server) { s.On("/").Reply(100) }, `Reply(100): a status of 1xx is not final`},
		{at(), func(s server) { s.On("/").Text("a").Reply(201) }, `Reply(201) comes after what is to be in the reply: call Reply first`},
		{at(), func(s server) { s.On("/").Header("A", "b").Reply(201) }, `Reply(201) comes after what is to be in the reply: call Reply first`},
		{at(), func(s server) { s.On("/").Reply(204).JSON(1) }, `JSON after Reply(204): a reply with that status has no body`},
		{at(), func(s server) { s.On("/").Text("a").JSON(1) }, `JSON after Text: the reply has its body already`},

		{at(), func(s server) { s.On("/").JSON("") }, "malformed JSON: the text is empty"},
		{at(), func(s server) { s.On("/").JSON(" \n") }, "malformed JSON: the text is empty"},
		{
			at(), func(s server) { s.On("/").JSON("{\n  \"id\": 7,\n  \"größe\": x\n}") },
			"malformed JSON at line 3, column 12: invalid character 'x' looking for beginning of value\n" +
				"\t3 |   \"größe\": x\n" +
				"\t               ^",
		},
		{
			at(), func(s server) { s.On("/").JSON([]byte("[1, 2\n")) },
			"malformed JSON at line 1, column 6: unexpected end of JSON input\n" +
				"\t1 | [1, 2\n" +
				"\t         ^",
		},
		{
			at(), func(s server) { s.On("/").JSON("{} {}") },
			"malformed JSON at line 1, column 4: invalid character '{' after top-level value\n" +
				"\t1 | {} {}\n" +
				"\t       ^",
		},
		{
			at(), func(s server) { s.On("/").JSON("\"a\xffb\"") },
			"malformed JSON at line 1, column 3: byte 0xff is not UTF-8\n" +
				"\t1 | \"a?b\"\n" +
				"\t      ^",
		},
		{
			at(), func(s server) { s.On("/").JSON("[" + strings.Repeat("1,", 100) + "]") },
			"malformed JSON at line 1, column 202: invalid character ']' looking for beginning of value\n" +
				"\t1 | …" + strings.Repeat("1,", 30) + "]\n" +
				"\t    " + strings.Repeat(" ", 61) + "^",
		},
		{at(), func(s server) { s.On("/").JSON(make(chan int)) }, `JSON: value of type chan int cannot be marshalled: json: unsupported type: chan int`},
		{at(), func(s server) { s.On("/").JSON(math.Inf(1)) }, `JSON: value of type float64 cannot be marshalled: json: unsupported value: +Inf`},

		{at(), func(s server) { s.On("/").Header("", "b") }, `Header: field name is empty`},
		{at(), func(s server) { s.On("/").Header("A b", "b") }, `Header: field name "A b" has ' ' in it`},
		{at(), func(s server) { s.On("/").Header("A", "b\r\nC: d") }, `Header: value of A has the control character '\r' in it`},
		{at(), func(s server) { s.On("/").Header("content-length", "3") }, `Header: Content-Length is the server's to set; for a reply with another one, use Server.Handle`},
		{at(), func(s server) { s.On("/").Header("Content-Type", "a/b").Header("Content-Type", "a/c") }, `Header: Content-Type is given twice`},
		{at(), func(s server) { s.On("/").Bytes("a\x00b", nil) }, `Bytes: value of Content-Type has the control character '\x00' in it`},

		{at(), func(s server) { s.On("/").Times(-1) }, `Times(-1): a stub cannot be called less than 0 times`},
		{at(), func(s server) { s.On("/").Once().Maybe() }, `Maybe() after Once(): say once how often the stub is to be called`},
		{at(), func(s server) { s.On("/").Times(2).Times(3) }, `Times(3) after Times(2): say once how often the stub is to be called`},
		{at(), func(s server) { s.On("/").Reply(200).Reply(201).Once() }, `Once() with 2 replies: the last could never be given`},
		{at(), func(s server) { s.On("/").Times(1).Reply(200).Reply(201) }, `Times(1) with 2 replies: the last could never be given`},

		{
			at(), func(s server) { s.On("/same/{a}"); s.On("/same/{b}") },
			"stub \"/same/{b}\" conflicts with\n\tPLACE: stub \"/same/{a}\"\n\t/same/{b} matches the same requests as /same/{a}",
		},
		{
			at(), func(s server) { s.On("GET /x"); s.HandleFunc("GET /x", http.NotFound) },
			"handler \"GET /x\" conflicts with\n\tPLACE: stub \"GET /x\"\n\tthey are the same\n\tseveral replies in turn are one stub with several calls of Reply",
		},
		{
			at(), func(s server) { s.On("/a/{x}"); s.On("/other"); s.On("/{x}/b") },
			"stub \"/{x}/b\" conflicts with\n\tPLACE: stub \"/a/{x}\"\n\t/{x}/b and /a/{x} both match some paths, like \"/a/b\".\n\t" +
				"But neither is more specific than the other.",
		},
		{at(), func(s server) { s.Close(); s.On("/late") }, `stub "/late" is written after Close: nothing can call it`},
	}
	for _, c := range cases {
		var told []error
		srv := start(t, httpfake.Config{Fail: func(err error) { told = append(told, err) }})
		c.write(srv)
		want := c.place + ": " + strings.ReplaceAll(c.want, "PLACE", c.place)
		if len(told) != 1 || !strings.HasPrefix(told[0].Error(), c.place+": ") ||
			!strings.Contains(told[0].Error(), strings.ReplaceAll(c.want, "PLACE", c.place)) {
			t.Errorf("told %v\nwant one mistake, with\n%s", told, want)
			continue
		}
		// Fail has returned, and so the mistake is not forgotten.
		if err := srv.Check(); err == nil || !strings.Contains(err.Error(), "a stub could not be written") {
			t.Errorf("%s: Check does not tell of the mistake: %v", c.place, err)
		}
	}
}

// Without Config.Fail a mistake panics, as in http.ServeMux.
func TestMistakePanics(t *testing.T) {
	t.Parallel()
	srv := start(t, httpfake.Config{})
	defer func() {
		err, ok := recover().(error)
		if !ok || !strings.HasPrefix(err.Error(), "mistake_test.go:") {
			t.Errorf("panicked with %v; want an error that begins with the place", err)
		}
	}()
	srv.On("no pattern")
}

// A mistake that nobody stops at leaves the server and the rest of the stub as
// they were.
func TestMistakeChangesNothing(t *testing.T) {
	t.Parallel()
	srv := start(t, httpfake.Config{Fail: func(error) {}})
	srv.On("/a").Reply(201).Text("first").JSON("{").Text("second").Header("A", "\n").Reply(7)
	srv.On("/a").Reply(500)
	srv.On("nothing").Reply(500).Text("x").Once()
	response, err := srv.Client().Get(srv.URL() + "/a")
	if err != nil {
		t.Fatal(err)
	}
	if body := read(t, response); response.StatusCode != 201 || body != "first" || response.Header.Get("A") != "" {
		t.Errorf("answered %d %q with A: %q; want 201 \"first\" without A", response.StatusCode, body, response.Header.Get("A"))
	}
	if n := len(srv.Requests()); n != 1 {
		t.Errorf("%d requests; want 1", n)
	}
}
