package proxyfake_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"syscall"
	"time"

	"github.com/standin-go/standin/fakes/proxyfake"
)

func ExampleNewServer() {
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "open") }))
	defer shop.Close()
	proxy, err := proxyfake.NewServer(proxyfake.Config{Upstream: shop.Listener.Addr().String()})
	if err != nil {
		panic(err)
	}
	defer proxy.Close()

	if err := proxy.Down(proxyfake.Latency{Delay: 50 * time.Millisecond}); err != nil {
		panic(err)
	}
	begin := time.Now()
	response, err := http.Get("http://" + proxy.Addr())
	if err != nil {
		panic(err)
	}
	response.Body.Close()
	fmt.Println(response.Status, "after 50ms or more:", time.Since(begin) >= 50*time.Millisecond)

	if err := proxy.Refuse(true); err != nil {
		panic(err)
	}
	http.DefaultClient.CloseIdleConnections()
	_, err = http.Get("http://" + proxy.Addr())
	fmt.Println("refused:", errors.Is(err, syscall.ECONNREFUSED))
	// Output:
	// 200 OK after 50ms or more: true
	// refused: true
}
