package proxyfake_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/standin-go/standin/fakes/proxyfake"
)

// exchange sends datagrams to a server that answers each, through a proxy, and
// returns the answers that come until nothing has come for a while.
func exchange(t *testing.T, n int, up, down []proxyfake.Fault) (answers []string, first time.Duration) {
	t.Helper()
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	go func() {
		b := make([]byte, 100)
		for {
			n, from, err := l.ReadFrom(b)
			if err != nil {
				return
			}
			l.WriteTo(b[:n], from)
		}
	}()
	p := newProxy(t, proxyfake.Config{Upstream: l.LocalAddr().String(), Network: "udp"})
	must(t, p.Up(up...))
	must(t, p.Down(down...))
	c, err := net.Dial("udp", p.Addr())
	must(t, err)
	defer c.Close()
	begin := time.Now()
	for i := range n {
		_, err := fmt.Fprintf(c, "datagram %03d", i)
		must(t, err)
		if i%20 == 19 { // no more than a socket's buffer holds
			<-time.After(time.Millisecond)
		}
	}
	b := make([]byte, 100)
	for len(answers) < n {
		must(t, c.SetReadDeadline(time.Now().Add(time.Second)))
		n, err := c.Read(b)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		must(t, err)
		if len(answers) == 0 {
			first = time.Since(begin)
		}
		answers = append(answers, string(b[:n]))
	}
	if p.Connections() != 1 {
		t.Errorf("%d senders, want 1", p.Connections())
	}
	return answers, first
}

func TestFaultsOfDatagrams(t *testing.T) {
	t.Parallel()
	const n = 100
	inOrder := func(answers []string) bool {
		for i, a := range answers {
			if a != fmt.Sprintf("datagram %03d", i) {
				return false
			}
		}
		return true
	}
	for name, c := range map[string]struct {
		up, down    []proxyfake.Fault
		least, most int
		after       time.Duration
		ordered     bool
	}{
		"none":       {least: n, most: n, ordered: true},
		"latency":    {up: []proxyfake.Fault{proxyfake.Latency{Delay: 150 * time.Millisecond}}, least: n, most: n, after: 150 * time.Millisecond},
		"jitter":     {down: []proxyfake.Fault{proxyfake.Latency{Delay: 100 * time.Millisecond, Jitter: 100 * time.Millisecond}}, least: n, most: n},
		"loss":       {up: []proxyfake.Fault{proxyfake.Lose{Rate: 0.5}}, least: 30, most: 70},
		"all lost":   {down: []proxyfake.Fault{proxyfake.Lose{Rate: 1}}},
		"black hole": {down: []proxyfake.Fault{proxyfake.BlackHole{}}},
		"some first": {down: []proxyfake.Fault{proxyfake.After(12*40, 0, proxyfake.BlackHole{})}, least: 40, most: 40, ordered: true},
		"corruption": {down: []proxyfake.Fault{proxyfake.Corrupt{Rate: 1}}, least: n, most: n},
		"bandwidth":  {down: []proxyfake.Fault{proxyfake.Bandwidth{Rate: 12 * 1000}}, least: n, most: n},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answers, first := exchange(t, n, c.up, c.down)
			if len(answers) < c.least || len(answers) > c.most || first < c.after {
				t.Errorf("%d answers, the first after %v; want %d to %d, not before %v", len(answers), first, c.least, c.most, c.after)
			}
			if disturbed := name == "jitter" || name == "corruption"; len(answers) > 0 && (c.ordered || disturbed) && inOrder(answers) == disturbed {
				t.Errorf("the answers are as they were sent: %v\n%q", !disturbed, answers)
			}
		})
	}
}
