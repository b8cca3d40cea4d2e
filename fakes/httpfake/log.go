package httpfake

import "net/http"

const (
	maxLogged      = 10_000
	maxLoggedBytes = 16 << 20
	recordBytes    = 1 << 10 // what a record takes besides its texts, about
)

// requestLog holds the latest requests.
type requestLog struct {
	entries []*exchange // from first on
	first   int
	bytes   int
	came    int // how many came in all
}

func (l *requestLog) all() []*exchange { return l.entries[l.first:] }

func (l *requestLog) add(x *exchange) {
	l.came++
	x.number = l.came
	x.size = recordBytes + len(x.record.URL.Path) + len(x.record.URL.RawQuery) + headerBytes(x.record.Header)
	l.entries = append(l.entries, x)
	l.bytes += x.size
	l.trim()
}

// trim forgets the oldest entries. The last stays in any case.
func (l *requestLog) trim() {
	for n := len(l.entries) - l.first; n > maxLogged || n > 1 && l.bytes > maxLoggedBytes; n-- {
		oldest := l.entries[l.first]
		l.entries[l.first] = nil
		l.first++
		l.bytes -= oldest.size
		oldest.size = -1
	}
	if l.first > 1024 && l.first > len(l.entries)/2 {
		n := copy(l.entries, l.entries[l.first:])
		clear(l.entries[n:])
		l.entries, l.first = l.entries[:n], 0
	}
}

// grow counts n more bytes for x, if it is still in the log.
func (s *Server) grow(x *exchange, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.size < 0 {
		return
	}
	x.size += n
	s.log.bytes += n
	s.log.trim()
}

func headerBytes(h http.Header) int {
	n := 0
	for key, values := range h {
		n += len(key) + 64
		for _, v := range values {
			n += len(v)
		}
	}
	return n
}
