package proxyfake_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/standin-go/standin/fakes/proxyfake"
)

func newProxy(t *testing.T, c proxyfake.Config) *proxyfake.Server {
	t.Helper()
	p, err := proxyfake.NewServer(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(p.Close(), p.Close()); err != nil {
			t.Error(err)
		}
		if n := p.Connections(); n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
	return p
}

// behind is a proxy before an HTTP server that answers with a text.
func behind(t *testing.T, text string) (*proxyfake.Server, *http.Client) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.Header().Set("X-Sum", string(body))
		io.WriteString(w, text)
	}))
	t.Cleanup(s.Close)
	p := newProxy(t, proxyfake.Config{Upstream: s.Listener.Addr().String()})
	transport := &http.Transport{DisableKeepAlives: true}
	t.Cleanup(transport.CloseIdleConnections)
	return p, &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func fetch(c *http.Client, p *proxyfake.Server) (string, error) {
	response, err := c.Get("http://" + p.Addr())
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

// What an HTTP client sees of each fault.
func TestFaultsOfAStream(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("0123456789", 1000)
	for name, c := range map[string]struct {
		up, down []proxyfake.Fault
		timeout  time.Duration
		least    time.Duration
		want     error  // nil is success; errAny any other
		says     string // of the error
	}{
		"none":              {},
		"latency":           {down: []proxyfake.Fault{proxyfake.Latency{Delay: 200 * time.Millisecond}}, least: 200 * time.Millisecond},
		"latency up":        {up: []proxyfake.Fault{proxyfake.Latency{Delay: 200 * time.Millisecond, Jitter: 20 * time.Millisecond}}, least: 180 * time.Millisecond},
		"latency both ways": {up: []proxyfake.Fault{proxyfake.Latency{Delay: 100 * time.Millisecond}}, down: []proxyfake.Fault{proxyfake.Latency{Delay: 100 * time.Millisecond}}, least: 200 * time.Millisecond},
		"bandwidth":         {down: []proxyfake.Fault{proxyfake.Bandwidth{Rate: 20_000}}, least: 450 * time.Millisecond},
		"slices":            {down: []proxyfake.Fault{proxyfake.Slice{Size: 100, Variation: 50, Delay: time.Millisecond}}, least: 50 * time.Millisecond},
		"slices up":         {up: []proxyfake.Fault{proxyfake.Slice{Size: 1}}},
		"several":           {down: []proxyfake.Fault{proxyfake.Slice{Size: 1000}, proxyfake.Latency{Delay: 100 * time.Millisecond}, proxyfake.Bandwidth{Rate: 1_000_000}}, least: 100 * time.Millisecond},
		"black hole":        {down: []proxyfake.Fault{proxyfake.BlackHole{}}, timeout: 300 * time.Millisecond, least: 300 * time.Millisecond, want: os.ErrDeadlineExceeded},
		"black hole up":     {up: []proxyfake.Fault{proxyfake.BlackHole{}}, timeout: 300 * time.Millisecond, least: 300 * time.Millisecond, want: os.ErrDeadlineExceeded},
		"reset":             {down: []proxyfake.Fault{proxyfake.Reset{}}, want: syscall.ECONNRESET},
		"reset later":       {down: []proxyfake.Fault{proxyfake.After(5000, 0, proxyfake.Reset{})}, want: syscall.ECONNRESET},
		"close":             {down: []proxyfake.Fault{proxyfake.Close{}}, want: io.EOF},
		"limit":             {down: []proxyfake.Fault{proxyfake.Limit{Bytes: 5000}}, want: io.ErrUnexpectedEOF},
		"limit of nothing":  {down: []proxyfake.Fault{proxyfake.Limit{}}, want: io.EOF},
		"half-close":        {down: []proxyfake.Fault{proxyfake.After(5000, 0, proxyfake.HalfClose{})}, want: io.ErrUnexpectedEOF},
		"corruption":        {down: []proxyfake.Fault{proxyfake.Corrupt{Rate: 1}}, want: errAny, says: "malformed HTTP"},
		"timeout":           {up: []proxyfake.Fault{proxyfake.Timeout(0, 300*time.Millisecond)}, least: 300 * time.Millisecond, want: io.EOF},
		"after a time":      {down: []proxyfake.Fault{proxyfake.After(0, time.Hour, proxyfake.Reset{})}},
		"after more bytes":  {down: []proxyfake.Fault{proxyfake.After(1<<20, 0, proxyfake.Reset{})}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, client := behind(t, text)
			must(t, p.Up(c.up...))
			must(t, p.Down(c.down...))
			if c.timeout > 0 {
				client.Timeout = c.timeout
			}
			begin := time.Now()
			got, err := fetch(client, p)
			took := time.Since(begin)
			var timeout net.Error
			switch {
			case c.want == nil:
				if err != nil || got != text {
					t.Errorf("error %v, %d bytes of %d, all the same: %v", err, len(got), len(text), got == text)
				}
			case c.want == errAny:
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("error %v; want one that says %q", err, c.says)
				}
			case c.want == os.ErrDeadlineExceeded:
				if !errors.As(err, &timeout) || !timeout.Timeout() {
					t.Errorf("error %v; want one of time", err)
				}
			case c.want == io.EOF && err != nil && strings.Contains(err.Error(), "server closed idle connection"):
				// The same, before the request was written.
			case !errors.Is(err, c.want):
				t.Errorf("error %v; want %v", err, c.want)
			}
			if took < c.least || c.least > 0 && took > c.least+10*time.Second {
				t.Errorf("it took %v; want %v and little more", took, c.least)
			}
			// And all is well again without them.
			must(t, p.Up())
			must(t, p.Down())
			client.Timeout = 30 * time.Second
			if got, err := fetch(client, p); err != nil || got != text {
				t.Errorf("without the faults: error %v, %d bytes of %d", err, len(got), len(text))
			}
		})
	}
}

var errAny = errors.New("any error")

func TestConnectionsThatFail(t *testing.T) {
	t.Parallel()
	p, client := behind(t, "hello")
	must(t, p.Refuse(true))
	must(t, p.Refuse(true))
	if _, err := fetch(client, p); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("it refuses, and the client sees %v", err)
	}
	must(t, p.Refuse(false))
	must(t, p.Refuse(false))
	must(t, p.Drop(2, 3))
	for i, fails := range []bool{false, true, true, false} {
		_, err := fetch(client, p)
		if fails != (err != nil) || fails && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
			t.Errorf("connection %d: %v; to be dropped: %v", i+1, err, fails)
		}
	}
	silent := newProxy(t, proxyfake.Config{Upstream: "127.0.0.1:1"})
	if _, err := fetch(client, silent); err == nil {
		t.Error("there is no server, and the client sees an answer")
	}
}

// Faults come and go on a connection that is open, and nothing of what was sent
// is lost, whatever is under way.
func TestFaultsThatChange(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	sums := make(chan [32]byte, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		h := sha256.New()
		io.Copy(h, c)
		sums <- [32]byte(h.Sum(nil))
	}()
	p := newProxy(t, proxyfake.Config{Upstream: l.Addr().String()})
	c, err := net.Dial("tcp", p.Addr())
	must(t, err)
	done := make(chan struct{})
	var changer sync.WaitGroup
	changer.Go(func() {
		r := rand.New(rand.NewPCG(1, 2))
		for {
			faults := [][]proxyfake.Fault{
				nil, nil,
				{proxyfake.Latency{Delay: time.Duration(r.IntN(20)) * time.Millisecond}},
				{proxyfake.Latency{Delay: time.Hour}},
				{proxyfake.Slice{Size: 1 + r.IntN(5000)}},
				{proxyfake.Bandwidth{Rate: 10_000_000}, proxyfake.Slice{Size: 3000}},
			}
			if err := p.Up(faults[r.IntN(len(faults))]...); err != nil {
				t.Error(err)
			}
			select {
			case <-time.After(time.Duration(r.IntN(5)) * time.Millisecond):
			case <-done:
				if err := p.Up(); err != nil {
					t.Error(err)
				}
				return
			}
		}
	})
	sent := sha256.New()
	r := rand.NewChaCha8([32]byte{1})
	block := make([]byte, 64<<10)
	for range 300 {
		r.Read(block)
		sent.Write(block)
		if _, err := c.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	must(t, c.(*net.TCPConn).CloseWrite())
	close(done)
	changer.Wait()
	select {
	case got := <-sums:
		if got != [32]byte(sent.Sum(nil)) {
			t.Error("what came is not what was sent")
		}
	case <-time.After(30 * time.Second):
		t.Error("the end of the stream has not come")
	}
	c.Close()
}

// A half-closed connection goes on in the other direction, without faults and
// with them.
func TestHalfClose(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				all, _ := io.ReadAll(c)
				c.Write(bytes.ToUpper(all))
			}()
		}
	}()
	p := newProxy(t, proxyfake.Config{Upstream: l.Addr().String()})
	for _, faults := range [][]proxyfake.Fault{nil, {proxyfake.Latency{Delay: 20 * time.Millisecond}}} {
		must(t, p.Up(faults...))
		c, err := net.Dial("tcp", p.Addr())
		must(t, err)
		_, err = c.Write([]byte("all of it"))
		must(t, err)
		must(t, c.(*net.TCPConn).CloseWrite())
		must(t, c.SetReadDeadline(time.Now().Add(20*time.Second)))
		if got, err := io.ReadAll(c); string(got) != "ALL OF IT" {
			t.Errorf("%v: the answer is %q, error %v", faults, got, err)
		}
		c.Close()
	}
}

// The same seed breaks the same bytes.
func TestSeed(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Write(make([]byte, 10_000))
			c.Close()
		}
	}()
	read := func(seed uint64) string {
		p := newProxy(t, proxyfake.Config{Upstream: l.Addr().String(), Seed: seed})
		must(t, p.Down(proxyfake.Corrupt{Rate: 0.01}))
		c, err := net.Dial("tcp", p.Addr())
		must(t, err)
		defer c.Close()
		got, err := io.ReadAll(c)
		must(t, err)
		return string(got)
	}
	one, same, other := read(7), read(7), read(8)
	changed := len(one) - strings.Count(one, "\x00")
	if one != same || one == other || changed < 50 || changed > 200 {
		t.Errorf("the same seed gives the same: %v; another another: %v; %d of 10000 bytes are changed, want about 100", one == same, one != other, changed)
	}
}

func TestReset(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	p := newProxy(t, proxyfake.Config{Upstream: l.Addr().String()})
	c, err := net.Dial("tcp", p.Addr())
	must(t, err)
	defer c.Close()
	server, err := l.Accept()
	must(t, err)
	defer server.Close()
	if n := p.Connections(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	p.Reset()
	for name, end := range map[string]net.Conn{"client": c, "server": server} {
		must(t, end.SetReadDeadline(time.Now().Add(20*time.Second)))
		if _, err := end.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the %s sees %v", name, err)
		}
	}
}

func TestFaultsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	tcp := newProxy(t, proxyfake.Config{Upstream: "127.0.0.1:1"})
	udp := newProxy(t, proxyfake.Config{Upstream: "127.0.0.1:1", Network: "udp"})
	for _, c := range []struct {
		err  error
		says string
	}{
		{tcp.Up(nil), "fault 0 is nil"},
		{tcp.Up(proxyfake.Latency{Delay: -1}), "a time is negative"},
		{tcp.Up(proxyfake.Bandwidth{}), "the rate is not positive"},
		{tcp.Up(proxyfake.Slice{Size: 5, Variation: 5}), "the variation smaller"},
		{tcp.Up(proxyfake.Corrupt{Rate: 1.1}), "not between 0 and 1"},
		{tcp.Up(proxyfake.Lose{Rate: 0.5}), "a stream loses nothing"},
		{tcp.Up(proxyfake.Limit{Bytes: -1}), "negative"},
		{tcp.Up(proxyfake.After(1, 0, nil)), "there is no fault"},
		{tcp.Up(proxyfake.After(-1, 0, proxyfake.Close{})), "negative"},
		{tcp.Up(proxyfake.Timeout(0, -1)), "negative"},
		{udp.Up(proxyfake.Slice{Size: 5}), "Slice is for streams"},
		{udp.Up(proxyfake.After(1, 0, proxyfake.Reset{})), "Reset is for streams"},
		{udp.Refuse(true), "for streams"},
		{udp.Drop(1), "for streams"},
		{second(proxyfake.NewServer(proxyfake.Config{Upstream: "nowhere"})), `the upstream "nowhere"`},
		{second(proxyfake.NewServer(proxyfake.Config{Upstream: "127.0.0.1:1", Network: "sctp"})), `the network "sctp"`},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.says) {
			t.Errorf("error %v; want one that says %q", c.err, c.says)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// A client that stays, and says nothing, keeps neither a closed connection nor
// the proxy open.
func TestAClientThatStays(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	for range 20 {
		p := newProxy(t, proxyfake.Config{Upstream: l.Addr().String()})
		must(t, p.Up(proxyfake.Latency{Delay: time.Millisecond}))
		must(t, p.Down(proxyfake.Close{}))
		c, err := net.Dial("tcp", p.Addr())
		must(t, err)
		defer c.Close()
		must(t, c.SetReadDeadline(time.Now().Add(20*time.Second)))
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("it sees %v, want the end", err)
		}
		for end := time.Now().Add(10 * time.Second); p.Connections() > 0; <-time.After(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the connection was closed ten seconds ago, and is still there")
			}
		}
	}
}
