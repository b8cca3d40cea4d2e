package portpool_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"

	"github.com/standin-go/standin/portpool"
)

func ExampleListen() {
	l, err := portpool.Listen()
	if err != nil {
		panic(err)
	}
	defer l.Close()
	go http.Serve(l, http.NotFoundHandler())

	response, err := http.Get("http://" + l.Addr().String())
	if err != nil {
		panic(err)
	}
	defer response.Body.Close()
	fmt.Println(response.Status)
	// Output: 404 Not Found
}

func ExampleListenPacket() {
	c, err := portpool.ListenPacket()
	if err != nil {
		panic(err)
	}
	defer c.Close()
	fmt.Println(c.LocalAddr().Network())
	// Output: udp
}

// A program that binds its port by itself gets the number, while the lease
// keeps everybody else away.
func ExampleReserve() {
	lease, err := portpool.Reserve()
	if err != nil {
		panic(err)
	}
	defer lease.Release()

	server := http.Server{Addr: lease.Addr(), Handler: http.NotFoundHandler()}
	defer server.Close()
	bound := make(chan net.Listener)
	go func() {
		l, err := net.Listen("tcp", server.Addr) // by number: the lease does not stand in the way
		if err != nil {
			panic(err)
		}
		bound <- l
		server.Serve(l)
	}()
	fmt.Println((<-bound).Addr().String() == lease.Addr())
	// Output: true
}

func ExampleReserveN() {
	leases, err := portpool.ReserveN(3) // all or none
	if err != nil {
		panic(err)
	}
	for _, l := range leases {
		defer l.Release()
	}
	fmt.Println(len(leases))
	// Output: 3
}

func ExampleReserveContiguous() {
	leases, err := portpool.ReserveContiguous(2)
	if err != nil {
		panic(err)
	}
	for _, l := range leases {
		defer l.Release()
	}
	fmt.Println(leases[1].Port() - leases[0].Port())
	// Output: 1
}

// Two programs that insist on one port run side by side.
func ExampleReserveAddress() {
	for range 2 {
		a, err := portpool.ReserveAddress(5432)
		if err != nil {
			panic(err)
		}
		defer a.Release()
		l, err := net.Listen("tcp", a.AddrPort(5432).String())
		if err != nil {
			panic(err)
		}
		defer l.Close()
		fmt.Println(a.Addr().IsLoopback(), a.AddrPort(5432).Port())
	}
	// Output:
	// true 5432
	// true 5432
}

func ExampleNew() {
	pool, err := portpool.New(portpool.Config{
		Network: portpool.TCP | portpool.UDP, // one number for both
		Range:   portpool.Range{First: 20000, Last: 20999},
	})
	if err != nil {
		panic(err)
	}
	lease, err := pool.Reserve()
	if err != nil {
		panic(err)
	}
	defer lease.Release()
	fmt.Println(lease.Port() >= 20000 && lease.Port() <= 20999)
	// Output: true
}

// A child takes over a socket that listens already.
func ExampleStart() {
	lease, err := portpool.Reserve()
	if err != nil {
		panic(err)
	}
	defer lease.Release()

	cmd := exec.Command("sh", "-c", `echo "$LISTEN_FDS $LISTEN_FDNAMES"; test "$LISTEN_PID" = $$`)
	out, err := cmd.StdoutPipe()
	if err != nil {
		panic(err)
	}
	if err := portpool.Start(cmd, lease); err != nil {
		panic(err)
	}
	said, _ := io.ReadAll(out)
	fmt.Printf("%s%v", said, cmd.Wait())
	// Output:
	// 1 tcp
	// <nil>
}

func ExampleExplain() {
	first, err := portpool.Listen()
	if err != nil {
		panic(err)
	}
	defer first.Close()
	_, err = net.Listen("tcp", first.Addr().String())
	fmt.Println(portpool.Explain(err).(*portpool.Diagnosis).Cause != "")
	// Output: true
}

func ExampleOwner() {
	l, err := portpool.Listen()
	if err != nil {
		panic(err)
	}
	defer l.Close()
	holders, err := portpool.Owner(portpool.TCP, l.Addr().(*net.TCPAddr).AddrPort())
	if err != nil {
		fmt.Println("this system does not tell") // anything but Linux
		return
	}
	fmt.Println(len(holders), holders[0].State)
}
