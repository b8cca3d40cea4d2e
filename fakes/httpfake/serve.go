package httpfake

import (
	"fmt"
	"net/http"
	"time"
)

// serve is the handler of the http.Server.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	x := &exchange{server: s, w: w}
	x.record = Request{
		Method: r.Method, URL: r.URL, Host: r.Host, Header: r.Header,
		RemoteAddr: r.RemoteAddr, Time: time.Now(), Truncated: r.Body != http.NoBody,
	}
	s.begin(x)
	returned := false
	defer func() {
		if returned {
			s.end(x)
			return
		}
		v := recover() // nil if the handler ended its goroutine
		s.crashed(x, v)
		s.end(x)
		if v != nil {
			panic(http.ErrAbortHandler) // net/http drops the connection, as for any panic
		}
	}()
	s.mux.ServeHTTP(x, r)
	switch {
	case x.route != nil: // has answered
	case r.Pattern != "":
		x.redirect()
	default:
		s.unmatch(x, r)
	}
	returned = true
}

func (s *Server) begin(x *exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.add(x)
	s.running.add(x)
}

func (s *Server) end(x *exchange) {
	x.mu.Lock()
	x.took = max(time.Since(x.record.Time), 1)
	if x.record.Status == 0 && x.note == "" && x.route != nil && x.route.handler != nil {
		x.record.Status = http.StatusOK // net/http's, for a handler that wrote nothing
	}
	x.mu.Unlock()
	x.w = ended{}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running.remove(x)
	s.settle()
}

func (x *exchange) remark(note string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.note = note
}

const redirected = "redirected to "

// redirect sends the ServeMux's own answer, to a path that matches.
func (x *exchange) redirect() {
	x.setStatus(x.muxStatus)
	x.remark(redirected + x.muxHeader.Get("Location"))
	x.w.Header().Set("Location", x.muxHeader.Get("Location"))
	x.w.WriteHeader(x.muxStatus)
}

// unmatch answers a request that matches nothing.
func (s *Server) unmatch(x *exchange, r *http.Request) {
	if err := x.readBody(r); err != nil {
		x.remark(fmt.Sprintf("its body broke off: %v", err))
	}
	s.mu.Lock()
	s.unmatched.add(x)
	n := s.unmatched.count
	s.mu.Unlock()
	text := fmt.Sprintf("standin: no stub or handler matches %s\n", requestLine(&x.record))
	if n <= explained {
		text += nearestText(x, s.nearest(x))
	}
	x.answer(http.StatusNotImplemented, text)
}
