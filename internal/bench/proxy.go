package main

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/standin-go/standin/fakes/proxyfake"
)

// measureProxy compares a proxy without faults with one that does nothing but
// io.Copy, which lets the kernel move the bytes, and with toxiproxy.
func measureProxy(r *report, s scale) (err error) {
	upstream, closeUpstream, err := echoAndSink()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeUpstream()) }()
	ours, err := proxyfake.NewServer(proxyfake.Config{Upstream: upstream})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ours.Close()) }()
	bare, closeBare, err := copyProxy(upstream)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeBare()) }()
	toxic, closeToxic, err := startToxiproxy(upstream)
	if err != nil {
		return err
	}
	defer closeToxic()

	size := int64(s.requests) << 20 / 2 // 200 MB
	through := func(addr string) func() (float64, error) {
		return func() (float64, error) { return throughput(addr, size) }
	}
	rates, err := compare(s.rounds/8+1, through(ours.Addr()), through(bare))
	if err != nil {
		return err
	}
	r.atLeast("proxy/throughput of a connection vs bare io.Copy", rates[0], rates[1], 0.8, megabytes)
	// Apart from the others, since it leaves much for the garbage collector.
	if rates, err = compare(s.rounds/8+1, through(ours.Addr()), through(toxic)); err != nil {
		return err
	}
	r.add(figure{name: "proxy/throughput of a connection vs toxiproxy", ours: rates[0], peer: rates[1], format: megabytes})

	trips := func(addr string) func() ([]float64, error) {
		return func() ([]float64, error) { return roundTrips(addr, s.operations*4) }
	}
	times, err := collect(s.rounds/4+1, trips(ours.Addr()), trips(bare), trips(toxic))
	if err != nil {
		return err
	}
	own, io := median(times[0]), median(times[1])
	r.add(figure{
		name: "proxy/round trip vs bare io.Copy, p50", ours: own, peer: io, format: nanoseconds, goal: "+30µs",
		reached: func(ours, peer float64) bool { return ours <= peer+float64(30*time.Microsecond) },
	})
	r.add(figure{name: "proxy/round trip vs toxiproxy, p50", ours: own, peer: median(times[2]), format: nanoseconds})
	return nil
}

// echoAndSink is a server that takes a byte first: with e it sends back what
// follows, with s it takes as many bytes as the next eight say, and sends one.
func echoAndSink() (addr string, shut func() error, err error) {
	return serve(func(c *net.TCPConn) {
		verb := make([]byte, 1)
		if _, err := io.ReadFull(c, verb); err != nil {
			return
		}
		if verb[0] == 'e' {
			b := make([]byte, 1024)
			for {
				n, err := c.Read(b)
				if err != nil {
					return
				}
				if _, err := c.Write(b[:n]); err != nil {
					return
				}
			}
		}
		var size int64
		if err := binary.Read(c, binary.BigEndian, &size); err != nil {
			return
		}
		if _, err := io.CopyN(io.Discard, c, size); err == nil {
			_, _ = c.Write(verb)
		}
	})
}

// copyProxy is the least that a proxy can do.
func copyProxy(upstream string) (addr string, shut func() error, err error) {
	return serve(func(c *net.TCPConn) {
		up, err := net.Dial("tcp", upstream)
		if err != nil {
			return
		}
		defer up.Close()
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = io.Copy(c, up)
			_ = c.CloseWrite()
		}()
		_, _ = io.Copy(up, c)
		_ = up.(*net.TCPConn).CloseWrite()
		<-done
	})
}

// serve calls handle for each connection.
func serve(handle func(*net.TCPConn)) (addr string, shut func() error, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				handle(c.(*net.TCPConn))
			}()
		}
	}()
	return l.Addr().String(), l.Close, nil
}

func startToxiproxy(upstream string) (addr string, shut func(), err error) {
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	proxy := toxiproxy.NewProxy(server, "bench", "127.0.0.1:0", upstream)
	if err := proxy.Start(); err != nil {
		return "", nil, err
	}
	return proxy.Listen, proxy.Stop, nil
}

// throughput is in bytes for each second.
func throughput(addr string, size int64) (float64, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	block := make([]byte, 256<<10)
	if _, err := c.Write(binary.BigEndian.AppendUint64([]byte("s"), uint64(size))); err != nil {
		return 0, err
	}
	started := time.Now()
	for left := size; left > 0; left -= int64(len(block)) {
		if _, err := c.Write(block[:min(left, int64(len(block)))]); err != nil {
			return 0, err
		}
	}
	if _, err := io.ReadFull(c, block[:1]); err != nil {
		return 0, err
	}
	return float64(size) / time.Since(started).Seconds(), nil
}

// roundTrips are the times of small messages and their answers on a connection.
func roundTrips(addr string, n int) ([]float64, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if _, err := c.Write([]byte("e")); err != nil {
		return nil, err
	}
	b := make([]byte, 64)
	times := make([]float64, n)
	for i := range times {
		started := time.Now()
		if _, err := c.Write(b); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(c, b); err != nil {
			return nil, err
		}
		times[i] = float64(time.Since(started))
	}
	return times, nil
}
