package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// workerVariable has the order of a process that this program starts of itself.
const workerVariable = "STANDIN_BENCH_WORKER"

// order is what a worker process does.
type order struct {
	Tool    string // "" for the noise process
	Workers int
	Picks   int           // of all workers together
	Hold    time.Duration // at most, between a pick and its bind
	Bind    bool          // whether a port is bound by its number

	First string // what database it takes, in place of ports
	URL   string // of the database for a bare connection
}

// outcome is what came of it.
type outcome struct {
	Picks, Collisions int
	Seconds           float64
}

func runWorker(text string) int {
	var o order
	err := json.Unmarshal([]byte(text), &o)
	var result outcome
	switch {
	case err != nil:
	case o.First != "":
		result, err = o.first()
	case o.Tool == "":
		err = makeNoise(os.Stdin)
	default:
		result, err = o.work()
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(result)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func (o order) work() (outcome, error) {
	t := toolNamed(o.Tool)
	var left, collisions atomic.Int64
	left.Store(int64(o.Picks))
	errs := make([]error, o.Workers)
	started := time.Now()
	var wg sync.WaitGroup
	for i := range o.Workers {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				collided, err := o.pickAndBind(t)
				if err != nil {
					errs[i] = err
					return
				}
				if collided {
					collisions.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return outcome{o.Picks, int(collisions.Load()), time.Since(started).Seconds()}, errors.Join(errs...)
}

// pickAndBind picks, waits as long as a server may take to start, and binds
// the port as the server would.
func (o order) pickAndBind(t tool) (collided bool, err error) {
	port, done, err := t.pick()
	if err != nil {
		return false, err
	}
	defer done()
	if !o.Bind {
		return false, nil
	}
	<-time.After(rand.N(o.Hold))
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	<-time.After(5 * time.Millisecond) // the server serves
	return false, l.Close()
}

// makeNoise binds port 0 and connects, until its input ends.
func makeNoise(input io.Reader) error {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		for {
			c, err := server.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(io.Discard, c)
				c.Close()
			}()
		}
	}()
	stop := make(chan struct{})
	go func() {
		io.Copy(io.Discard, input)
		close(stop)
	}()
	var held [200]io.Closer
	tick := time.NewTicker(200 * time.Microsecond) // busy, and not the only one
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-stop:
			return nil
		case <-tick.C:
		}
		var opened io.Closer
		if i%2 == 0 {
			opened, err = net.Listen("tcp", "127.0.0.1:0")
		} else {
			var c net.Conn
			if c, err = net.Dial("tcp", server.Addr().String()); err == nil {
				c.(*net.TCPConn).SetLinger(0)
				opened = c
			}
		}
		if err != nil {
			continue // the kernel's range is full for a moment
		}
		if old := held[i%len(held)]; old != nil {
			old.Close()
		}
		held[i%len(held)] = opened
	}
}

// startWorker starts this program again as a worker.
func startWorker(o order) (*exec.Cmd, *strings.Builder, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.Command(os.Args[0])
	// The race detector waits for a second when a process ends: nobody reads on.
	cmd.Env = append(os.Environ(), workerVariable+"="+string(text), "GORACE="+os.Getenv("GORACE")+" atexit_sleep_ms=0")
	stderr := new(strings.Builder)
	cmd.Stderr = stderr
	return cmd, stderr, nil
}

// inProcess runs the order in a process of its own.
func (o order) inProcess() (result outcome, err error) {
	cmd, stderr, err := startWorker(o)
	if err != nil {
		return result, err
	}
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &result)
	}
	if err != nil {
		err = fmt.Errorf("%s%s in a worker process: %w: %.600s", o.Tool, o.First, err, stderr)
	}
	return result, err
}

// underLoad runs the order in several processes at once, beside a noise
// process, and adds up what came of it.
func underLoad(processes int, o order) (total outcome, err error) {
	noise, _, err := startWorker(order{})
	if err != nil {
		return total, err
	}
	stop, err := noise.StdinPipe()
	if err != nil {
		return total, err
	}
	if err := noise.Start(); err != nil {
		return total, err
	}
	defer noise.Wait()
	defer stop.Close()

	results, errs := make([]outcome, processes), make([]error, processes)
	var wg sync.WaitGroup
	for i := range processes {
		wg.Go(func() { results[i], errs[i] = o.inProcess() })
	}
	wg.Wait()
	for _, r := range results {
		total.Picks += r.Picks
		total.Collisions += r.Collisions
		total.Seconds = max(total.Seconds, r.Seconds)
	}
	return total, errors.Join(errs...)
}
