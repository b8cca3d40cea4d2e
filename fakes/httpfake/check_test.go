package httpfake_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/standin-go/standin/fakes/httpfake"
	"github.com/standin-go/standin/internal/golden"
)

var reports = golden.New()

// The reports of Check, as a reader gets them. See testdata.
func TestReports(t *testing.T) {
	t.Parallel()
	send := func(t *testing.T, srv *httpfake.Server, method, target, contentType, body string) {
		t.Helper()
		request, err := http.NewRequest(method, srv.URL()+target, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if contentType != "" {
			request.Header.Set("Content-Type", contentType)
		}
		response, err := srv.Client().Do(request)
		if err == nil {
			read(t, response)
		}
	}
	cases := map[string]func(*testing.T, *httpfake.Server){
		"path": func(t *testing.T, srv *httpfake.Server) {
			srv.On("GET /health").Maybe()
			srv.On("POST /v1/orders/{id}/items").Reply(201).JSON(`{"id": 1}`)
			srv.On("GET /v1/orders/{id}/items").Maybe()
			send(t, srv, "POST", "/v1/order/7/items", "application/json", `{"sku": "A-1", "amount": 3}`)
		},
		"method": func(t *testing.T, srv *httpfake.Server) {
			srv.On("PUT /orders/{id}").Maybe()
			srv.HandleFunc("POST /orders/{id}", func(http.ResponseWriter, *http.Request) {})
			send(t, srv, "PATCH", "/orders/7", "", "")
		},
		"several": func(t *testing.T, srv *httpfake.Server) {
			srv.On("GET api.example/v1/{rest...}").Once()
			srv.On("DELETE /a/{$}").Reply(204)
			srv.On("GET /Users/{id}").Reply(200)
			send(t, srv, "GET", "/v1/a/b", "", "")
			send(t, srv, "DELETE", "/a", "", "")
			send(t, srv, "GET", "/users/7", "", "")
			send(t, srv, "POST", "/upload", "application/octet-stream", "\x00\x01\xff")
		},
		"no stubs": func(t *testing.T, srv *httpfake.Server) {
			send(t, srv, "GET", "/charges?limit=3", "", "")
		},
		"written late": func(t *testing.T, srv *httpfake.Server) {
			send(t, srv, "GET", "/charges", "", "")
			srv.On("GET /charges")
		},
		"counts": func(t *testing.T, srv *httpfake.Server) {
			srv.On("GET /never")
			srv.On("GET /few").Times(3)
			srv.On("GET /many").Times(2)
			srv.On("GET /none").Times(0)
			srv.On("GET /enough").Times(1)
			for _, path := range []string{"/few", "/many", "/many", "/many", "/none", "/enough"} {
				send(t, srv, "GET", path, "", "")
			}
		},
		"handlers": func(t *testing.T, srv *httpfake.Server) {
			srv.HandleFunc("GET /panic", func(w http.ResponseWriter, r *http.Request) {
				orders := strings.Fields(r.PathValue("orders"))
				io.WriteString(w, orders[7])
			})
			srv.HandleFunc("GET /abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
			send(t, srv, "GET", "/panic", "", "")
			send(t, srv, "GET", "/abort", "", "")
		},
		"again": func(t *testing.T, srv *httpfake.Server) {
			srv.On("GET /orders/{id}").Maybe()
			srv.On("GET /orders/{id}/state").Maybe()
			for range 3 {
				send(t, srv, "GET", "/orders/7/status", "", "")
			}
		},
		"many": func(t *testing.T, srv *httpfake.Server) {
			srv.On("GET /orders/{id}").Maybe()
			for i := range 30 {
				srv.On(fmt.Sprintf("GET /uncalled/%d", i))
			}
			for i := range 40 {
				send(t, srv, "GET", fmt.Sprintf("/orders/%d", i), "", "")
				send(t, srv, "GET", fmt.Sprintf("/order/%d", i), "", "")
			}
		},
	}
	for name, run := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := start(t, httpfake.Config{})
			run(t, srv)
			if err := srv.Close(); err != nil {
				t.Fatal(err)
			}
			err := srv.Check()
			if err == nil {
				t.Fatal("Check found nothing")
			}
			reports.Check(t, strings.ReplaceAll(name, " ", "_"), err.Error())
		})
	}
}

// The client that sent an unmatched request learns of it at once.
func TestUnmatchedAnswer(t *testing.T) {
	t.Parallel()
	srv := start(t, httpfake.Config{})
	srv.On("POST /charges").Maybe()
	status, body := get(t, srv, "/charges")
	if status != http.StatusNotImplemented {
		t.Errorf("status %d; want 501", status)
	}
	for _, want := range []string{
		"standin: no stub or handler matches GET /charges\n", "nearest:  POST /charges, stub written at check_test.go:",
		"the method differs (-stub +request):",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the answer does not say %q:\n%s", want, body)
		}
	}
}

// Nothing is wrong where all came that was expected.
func TestCheckPasses(t *testing.T) {
	t.Parallel()
	srv := start(t, httpfake.Config{})
	srv.On("GET /once").Once()
	srv.On("GET /twice").Times(2)
	srv.On("GET /often")
	srv.On("GET /maybe").Maybe()
	srv.On("GET /must/not/come").Times(0)
	srv.HandleFunc("GET /handled", func(http.ResponseWriter, *http.Request) {})
	for _, path := range []string{"/once", "/twice", "/twice", "/often", "/often", "/often"} {
		get(t, srv, path)
	}
	for range 2 {
		if err := srv.Check(); err != nil {
			t.Errorf("Check found what is not wrong:\n%v", err)
		}
	}
	get(t, srv, "/once")
	if srv.Check() == nil {
		t.Error("a call too many after a Check is not found")
	}
}

// What net/http has to say is in the transcript, not on the standard error.
func TestServerLog(t *testing.T) {
	t.Parallel()
	srv := start(t, httpfake.Config{})
	srv.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		w.WriteHeader(201)
	})
	get(t, srv, "/")
	if text := srv.Transcript(); !strings.Contains(text, "net/http says:\n  http: superfluous response.WriteHeader call") {
		t.Errorf("transcript:\n%s\nwant the complaint about the second WriteHeader", text)
	}
}
