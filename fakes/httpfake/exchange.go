package httpfake

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// exchange is a request on its way, with its record. It is what a handler gets
// as its http.ResponseWriter, and is allocated once for all of that.
type exchange struct {
	server *Server
	w      http.ResponseWriter
	route  *route // nil while nothing matches

	// What the ServeMux itself answers, when nothing matches, goes here.
	muxStatus int
	muxHeader http.Header

	prev, next *exchange // in Server.running, and guarded by Server.mu
	number     int       // in the order of arrival, from 1; guarded by Server.mu
	size       int       // in the log; guarded by Server.mu

	mu     sync.Mutex // guards the rest
	record Request
	took   time.Duration // 0 while running
	note   string
	over   bool      // the body is longer than what is recorded
	values [2]string // room for record.values
}

// match is called when rt was chosen for the request.
func (x *exchange) match(rt *route, r *http.Request) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.route = rt
	x.record.Pattern = rt.pattern
	x.record.names = rt.template.names
	x.record.values = x.values[:0]
	for _, name := range rt.template.names {
		x.record.values = append(x.record.values, r.PathValue(name))
	}
	if rt.handler != nil { // it may change what is recorded
		x.record.Header = r.Header.Clone()
		u := *r.URL
		x.record.URL = &u
	}
}

// snapshot returns a copy of the record.
func (x *exchange) snapshot() *Request {
	x.mu.Lock()
	defer x.mu.Unlock()
	r := x.record
	u := *r.URL
	r.URL = &u
	r.Header = r.Header.Clone()
	r.Body = slices.Clone(r.Body)
	r.values = slices.Clone(r.values)
	return &r
}

func (x *exchange) setStatus(status int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.record.Status == 0 {
		x.record.Status = status
	}
}

// answer sends a text of the server's own.
func (x *exchange) answer(status int, text string) {
	x.setStatus(status)
	header := x.w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("X-Content-Type-Options", "nosniff")
	x.w.WriteHeader(status)
	io.WriteString(x.w, text)
}

// Header is of http.ResponseWriter.
func (x *exchange) Header() http.Header {
	if x.route != nil {
		return x.w.Header()
	}
	if x.muxHeader == nil {
		x.muxHeader = make(http.Header)
	}
	return x.muxHeader
}

// WriteHeader is of http.ResponseWriter.
func (x *exchange) WriteHeader(status int) {
	if x.route == nil {
		x.muxStatus = status
		return
	}
	if status >= 200 || status == http.StatusSwitchingProtocols {
		x.setStatus(status)
	}
	x.w.WriteHeader(status)
}

// Write is of http.ResponseWriter.
func (x *exchange) Write(p []byte) (int, error) {
	if x.route == nil {
		return len(p), nil
	}
	x.setStatus(http.StatusOK)
	return x.w.Write(p)
}

// WriteString is of io.StringWriter.
func (x *exchange) WriteString(s string) (int, error) {
	if x.route == nil {
		return len(s), nil
	}
	x.setStatus(http.StatusOK)
	return io.WriteString(x.w, s)
}

// ReadFrom is of io.ReaderFrom, for sendfile.
func (x *exchange) ReadFrom(r io.Reader) (int64, error) {
	x.setStatus(http.StatusOK)
	return io.Copy(x.w, r)
}

// Flush is of http.Flusher.
func (x *exchange) Flush() {
	x.setStatus(http.StatusOK)
	x.w.(http.Flusher).Flush() // that of net/http, as are those below
}

// Hijack is of http.Hijacker. The connection is closed with the server.
func (x *exchange) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := x.w.(http.Hijacker).Hijack()
	if err == nil {
		x.mu.Lock()
		x.note = "connection hijacked"
		x.mu.Unlock()
	}
	return c, rw, err
}

// Unwrap is for http.ResponseController.
func (x *exchange) Unwrap() http.ResponseWriter { return x.w }

// ended takes the place of exchange.w when the handler has returned, so that the
// log does not keep what net/http needed for the request.
type ended struct{}

var errEnded = errors.New("httpfake: the handler has returned")

func (ended) Header() http.Header       { return make(http.Header) }
func (ended) WriteHeader(int)           {}
func (ended) Write([]byte) (int, error) { return 0, errEnded }
func (ended) Flush()                    {}
func (ended) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, errEnded
}

// exchangeList is a list of exchanges that costs them no allocation.
type exchangeList struct {
	head *exchange
	n    int
}

func (l *exchangeList) add(x *exchange) {
	x.next = l.head
	if l.head != nil {
		l.head.prev = x
	}
	l.head = x
	l.n++
}

func (l *exchangeList) remove(x *exchange) {
	if x.prev != nil {
		x.prev.next = x.next
	} else {
		l.head = x.next
	}
	if x.next != nil {
		x.next.prev = x.prev
	}
	x.prev, x.next = nil, nil
	l.n--
}

// all returns the exchanges in the order of their arrival.
func (l *exchangeList) all() []*exchange {
	var all []*exchange
	for x := l.head; x != nil; x = x.next {
		all = append(all, x)
	}
	slices.Reverse(all)
	return all
}
