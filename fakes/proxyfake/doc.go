// Package proxyfake is a proxy of TCP or UDP on the loopback that breaks what
// passes through it: on purpose, the same way each time, changed while it runs.
//
//	proxy, err := proxyfake.NewServer(proxyfake.Config{Upstream: "127.0.0.1:5432"})
//	proxy.Down(proxyfake.Latency{Delay: 50 * time.Millisecond, Jitter: 10 * time.Millisecond})
//	proxy.Up(proxyfake.After(1000, 0, proxyfake.Reset{}))
//
// Without faults the kernel moves the bytes of a connection, where it can.
// Up is what goes to the server, Down what comes from it. Faults are applied in
// the order in which they are given; new ones take the place of the old at once,
// on connections that are open as well, and lose nothing that has been sent.
//
// It knows no protocol and no tests: package fixture ties it to one.
package proxyfake
