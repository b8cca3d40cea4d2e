//go:build unix

package portpool_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/standin-go/standin/portpool"
)

// ledger is a file that all processes of the stress test have mapped: for
// each port of TCP and of UDP who holds its lease, or 0.
type ledger struct{ slots []uint32 }

const ledgerSize = 2 * 65536 * 4

func openLedger(path string) (ledger, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return ledger{}, err
	}
	defer f.Close()
	if err := f.Truncate(ledgerSize); err != nil {
		return ledger{}, err
	}
	data, err := unix.Mmap(int(f.Fd()), 0, ledgerSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return ledger{}, err
	}
	return ledger{unsafe.Slice((*uint32)(unsafe.Pointer(&data[0])), ledgerSize/4)}, nil
}

func (l ledger) slot(network portpool.Network, port int) *uint32 {
	if network == portpool.UDP {
		port += 65536
	}
	return &l.slots[port]
}

// stressOrder is what one process of the stress test does.
type stressOrder struct {
	Mode     portpool.Mode
	Ledger   string
	Dir      string // has the token file that programs serve
	Process  int
	Workers  int
	Leases   int // by all workers of the process
	Programs int // leases that programs get, one after the other
	Kinds    []string
}

// stressResult is what came of it.
type stressResult struct {
	Leases   int
	Programs map[string]int
	Broken   []string
}

type stressWorkers struct {
	stressOrder
	ledger ledger
	pools  map[portpool.Network]*portpool.Pool
	left   atomic.Int64
	mu     sync.Mutex
	result stressResult
}

func init() {
	children["stress"] = func(input string) (any, error) {
		w := &stressWorkers{pools: make(map[portpool.Network]*portpool.Pool)}
		w.result.Programs = make(map[string]int)
		if err := json.Unmarshal([]byte(input), &w.stressOrder); err != nil {
			return nil, err
		}
		var err error
		if w.ledger, err = openLedger(w.Ledger); err != nil {
			return nil, err
		}
		for _, network := range []portpool.Network{portpool.TCP, portpool.UDP} {
			if w.pools[network], err = portpool.New(portpool.Config{Mode: w.Mode, Network: network}); err != nil {
				return nil, err
			}
		}
		w.left.Store(int64(w.Leases))
		var wg sync.WaitGroup
		for i := range w.Workers {
			wg.Go(func() { w.work(uint32(w.Process*1000 + i + 1)) })
		}
		wg.Go(func() { w.runPrograms(uint32(w.Process*1000 + 999)) })
		wg.Wait()
		return w.result, nil
	}
}

func (w *stressWorkers) broken(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.result.Broken) < 20 {
		w.result.Broken = append(w.result.Broken, fmt.Sprintf(format, args...))
	}
}

func (w *stressWorkers) done(program string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.result.Leases++
	if program != "" {
		w.result.Programs[program]++
	}
}

// work leases ports, three of TCP for one of UDP, and binds each after a
// while, in this process.
func (w *stressWorkers) work(id uint32) {
	for n := 0; w.left.Add(-1) >= 0; n++ {
		network, use := portpool.TCP, w.serve
		if n%4 == 3 {
			network, use = portpool.UDP, w.receive
		}
		w.withLease(id, network, func(lease *portpool.Lease) {
			if err := use(lease, n%16 == 0); err != nil {
				w.broken("worker %d, lease %v: %v", id, lease, err)
			}
			w.done("")
		})
	}
}

// withLease leases a port, enters it into the ledger, and holds it 0 to 50 ms
// before it is used.
func (w *stressWorkers) withLease(id uint32, network portpool.Network, use func(*portpool.Lease)) {
	lease, err := w.pools[network].Reserve()
	if err != nil {
		w.broken("worker %d: %v", id, err)
		return
	}
	defer lease.Release()
	slot := w.ledger.slot(network, lease.Port())
	if !atomic.CompareAndSwapUint32(slot, 0, id) {
		w.broken("worker %d was leased %v, which worker %d has", id, lease, atomic.LoadUint32(slot))
	}
	defer atomic.StoreUint32(slot, 0)
	<-time.After(rand.N(50 * time.Millisecond))
	use(lease)
}

// serve binds the port by its number, as a foreign server would.
func (w *stressWorkers) serve(lease *portpool.Lease, exchange bool) error {
	l, err := net.Listen("tcp", lease.Addr())
	if err != nil {
		return portpool.Explain(err)
	}
	defer l.Close()
	if !exchange {
		return nil
	}
	c, err := net.Dial("tcp", lease.Addr())
	if err != nil {
		return err
	}
	defer c.Close()
	c.(*net.TCPConn).SetLinger(0) // leaves no TIME_WAIT, of which there would be thousands
	s, err := l.Accept()
	if err != nil {
		return err
	}
	defer s.Close()
	s.(*net.TCPConn).SetLinger(0)
	if s.RemoteAddr().String() != c.LocalAddr().String() {
		return fmt.Errorf("a stranger connected: %v", s.RemoteAddr())
	}
	return nil
}

func (w *stressWorkers) receive(lease *portpool.Lease, exchange bool) error {
	c, err := lease.ListenPacket()
	if err != nil {
		return err
	}
	defer c.Close()
	if !exchange {
		return nil
	}
	s, err := net.Dial("udp", lease.Addr())
	if err != nil {
		return err
	}
	defer s.Close()
	io.WriteString(s, lease.Addr())
	buf := make([]byte, 64)
	n, _, err := c.ReadFrom(buf)
	if err == nil && string(buf[:n]) != lease.Addr() {
		err = fmt.Errorf("received %q", buf[:n])
	}
	return err
}

func (w *stressWorkers) runPrograms(id uint32) {
	for n := range w.Programs {
		kind := w.Kinds[(w.Process+n)%len(w.Kinds)]
		w.withLease(id, portpool.TCP, func(lease *portpool.Lease) {
			if err := programs[kind].serve(lease, w.Dir); err != nil {
				w.broken("%s on %v: %v", kind, lease, err)
			}
			w.done(kind)
		})
	}
}

// noiseResult is what the noise process did.
type noiseResult struct {
	Binds, Connects int
	Broken          []string
}

func init() {
	// The program lets the kernel pick ports for it all the time, until its
	// input ends, and never is given one that the ledger has.
	children["noise"] = func(path string) (any, error) {
		ledger, err := openLedger(path)
		if err != nil {
			return nil, err
		}
		server, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		go func() {
			for {
				c, err := server.Accept()
				if err != nil {
					return
				}
				go func() {
					io.Copy(io.Discard, c) // until the other end is closed
					c.Close()
				}()
			}
		}()
		stop := make(chan struct{})
		go func() {
			io.Copy(io.Discard, os.Stdin)
			close(stop)
		}()
		var result noiseResult
		var held [300]io.Closer
		for i := 0; ; i++ {
			select {
			case <-stop:
				return result, nil
			default:
			}
			kind := noises[i%len(noises)]
			opened, port, err := kind.open(server.Addr().String())
			if errors.Is(err, unix.EADDRINUSE) || errors.Is(err, unix.EADDRNOTAVAIL) {
				continue // the range is full for a moment
			}
			if err != nil {
				return nil, err
			}
			if holder := atomic.LoadUint32(ledger.slot(kind.network, port)); holder != 0 && len(result.Broken) < 20 {
				result.Broken = append(result.Broken, fmt.Sprintf("the kernel gave %s port %d, which worker %d has", kind.what, port, holder))
			}
			if kind.what == "connect" {
				result.Connects++
			} else {
				result.Binds++
			}
			if old := held[i%len(held)]; old != nil {
				old.Close()
			}
			held[i%len(held)] = opened
		}
	}
}

// noise is one way to let the kernel pick.
type noise struct {
	what    string
	network portpool.Network
	open    func(server string) (io.Closer, int, error)
}

var noises = []noise{
	listenNoise("127.0.0.1:0"), listenNoise("127.0.0.2:0"), listenNoise("0.0.0.0:0"), listenNoise("[::1]:0"), listenNoise("[::]:0"),
	packetNoise("127.0.0.1:0"), packetNoise("0.0.0.0:0"), packetNoise("[::1]:0"),
	{"connect", portpool.TCP, func(server string) (io.Closer, int, error) {
		c, err := net.Dial("tcp", server)
		if err != nil {
			return nil, 0, err
		}
		c.(*net.TCPConn).SetLinger(0)
		return c, c.LocalAddr().(*net.TCPAddr).Port, nil
	}},
}

func listenNoise(addr string) noise {
	return noise{"tcp " + addr, portpool.TCP, func(string) (io.Closer, int, error) {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, 0, err
		}
		return l, l.Addr().(*net.TCPAddr).Port, nil
	}}
}

func packetNoise(addr string) noise {
	return noise{"udp " + addr, portpool.UDP, func(string) (io.Closer, int, error) {
		c, err := net.ListenPacket("udp", addr)
		if err != nil {
			return nil, 0, err
		}
		return c, c.LocalAddr().(*net.UDPAddr).Port, nil
	}}
}

// Many processes lease at once, while another lets the kernel pick all the
// time: no lease is handed out twice, and whoever binds one can.
func TestNoLeaseCollides(t *testing.T) {
	if onLinux {
		t.Run("guard", func(t *testing.T) { stress(t, portpool.Guard, 100_000, 96) })
	}
	t.Run("lockfile", func(t *testing.T) { stress(t, portpool.LockFile, 20_000, 24) })
}

func stress(t *testing.T, mode portpool.Mode, leases, programs int) {
	const processes, workers = 8, 16
	if testing.Short() {
		leases, programs = leases/20, programs/4
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, tokenFile), []byte(dir), 0o600); err != nil {
		t.Fatal(err)
	}
	kinds := availablePrograms(t)
	path := filepath.Join(t.TempDir(), "ledger")

	noise := child(t, "noise", path)
	noiseInput, err := noise.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var noised noiseResult
	var noiseErr error
	noiseDone := make(chan struct{})
	go func() {
		defer close(noiseDone)
		noised, noiseErr = outputOf[noiseResult](noise)
	}()

	results, errs := make([]stressResult, processes), make([]error, processes)
	started := time.Now()
	var wg sync.WaitGroup
	for p := range processes {
		order, err := json.Marshal(stressOrder{
			Mode: mode, Ledger: path, Dir: dir, Process: p + 1, Workers: workers,
			Leases: leases / processes, Programs: programs / processes, Kinds: kinds,
		})
		if err != nil {
			t.Fatal(err)
		}
		cmd := child(t, "stress", string(order))
		wg.Go(func() { results[p], errs[p] = outputOf[stressResult](cmd) })
	}
	wg.Wait()
	elapsed := time.Since(started)
	noiseInput.Close()
	<-noiseDone
	if err := errors.Join(append(errs, noiseErr)...); err != nil {
		t.Error(err)
	}

	total, served := 0, make(map[string]int)
	for _, r := range results {
		total += r.Leases
		for kind, n := range r.Programs {
			served[kind] += n
		}
		for _, broken := range r.Broken {
			t.Error(broken)
		}
	}
	for _, broken := range noised.Broken {
		t.Error(broken)
	}
	t.Logf("%s: %d leases in %v by %d processes of %d workers, programs %v; noise: %d binds, %d connects",
		mode, total, elapsed.Round(time.Millisecond), processes, workers, served, noised.Binds, noised.Connects)
	if want := leases/processes*processes + programs/processes*processes; total != want {
		t.Errorf("%d leases, want %s", total, strconv.Itoa(want))
	}
	if noised.Binds == 0 || noised.Connects == 0 {
		t.Errorf("the noise process bound %d ports and connected %d times", noised.Binds, noised.Connects)
	}
}
