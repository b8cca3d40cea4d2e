package httpfake_test

import (
	"fmt"
	"io"
	"net/http"

	"github.com/standin-go/standin/fakes/httpfake"
)

func ExampleNewServer() {
	srv, err := httpfake.NewServer(httpfake.Config{})
	if err != nil {
		panic(err)
	}
	defer srv.Close()
	srv.On("GET /orders/{id}").Reply(503).Text("busy").Reply(200).JSON(`{"id": 7}`)

	// Here the program under test would make the calls.
	for range 2 {
		response, err := http.Get(srv.URL() + "/orders/7")
		if err != nil {
			panic(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			panic(err)
		}
		fmt.Println(response.StatusCode, string(body))
	}

	fmt.Println("as expected:", srv.Check() == nil)
	// Output:
	// 503 busy
	// 200 {"id": 7}
	// as expected: true
}

func ExampleServer_Handle() {
	srv, err := httpfake.NewServer(httpfake.Config{})
	if err != nil {
		panic(err)
	}
	defer srv.Close()
	srv.Handle("GET /files/", http.StripPrefix("/files", http.FileServer(http.Dir("testdata"))))

	response, err := srv.Client().Get(srv.URL() + "/files/no_stubs.txt")
	if err != nil {
		panic(err)
	}
	response.Body.Close()
	fmt.Println(response.Status, srv.Requests()[0].URL.Path)
	// Output: 200 OK /files/no_stubs.txt
}
