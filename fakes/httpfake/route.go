package httpfake

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// route is one pattern and what answers it.
type route struct {
	pattern  string
	template template
	place    place
	written  time.Time
	stub     *Stub        // or
	handler  http.Handler // never both
}

func (rt *route) kind() string {
	if rt.stub != nil {
		return "stub"
	}
	return "handler"
}

// ServeHTTP is called by the ServeMux alone, with the exchange as w.
func (rt *route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := w.(*exchange)
	x.match(rt, r)
	if rt.stub != nil {
		rt.stub.serve(x, r)
		return
	}
	if r.Body != http.NoBody {
		r.Body = &teeBody{ReadCloser: r.Body, x: x}
	}
	rt.handler.ServeHTTP(x, r)
}

// On adds a stub for the requests that match pattern, a pattern of
// http.ServeMux: "GET /orders/{id}". Without more it answers 200 with no body,
// and has to be called at least once.
//
// It is a mistake if the pattern is malformed or conflicts with another. The
// stub answers from here on: write it, with its replies, before the request
// can come.
func (s *Server) On(pattern string) *Stub {
	stub := &Stub{server: s, pattern: pattern, replies: []*reply{(&reply{status: http.StatusOK, implicit: true}).seal()}}
	s.add(&route{pattern: pattern, stub: stub})
	return stub
}

// Handle lets handler answer the requests that match pattern, as
// http.ServeMux.Handle does. It need not be called. Requests are recorded with
// the part of the body that handler reads; a panic of handler other than
// http.ErrAbortHandler is reported by Check.
func (s *Server) Handle(pattern string, handler http.Handler) {
	if isNil(handler) {
		s.mistake("handler of %q is nil", pattern)
		return
	}
	s.add(&route{pattern: pattern, handler: handler})
}

// HandleFunc is Handle with a function.
func (s *Server) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	s.Handle(pattern, http.HandlerFunc(handler))
}

func isNil(handler http.Handler) bool {
	f, ok := handler.(http.HandlerFunc)
	return handler == nil || ok && f == nil
}

// add registers rt, or tells the mistake in it.
func (s *Server) add(rt *route) {
	rt.place = caller()
	if problem := s.tryAdd(rt); problem != "" {
		s.mistakeAt(rt.place, problem)
	}
}

func (s *Server) tryAdd(rt *route) (problem string) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return fmt.Sprintf("%s %q is written after Close: nothing can call it", rt.kind(), rt.pattern)
	}
	if err := handle(&s.mux, rt.pattern, rt); err != nil {
		return s.explainRefusal(rt, err)
	}
	rt.template = parseTemplate(rt.pattern)
	rt.written = time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.routes = append(s.routes, rt)
	return ""
}

// handle is mux.Handle with an error in place of the panic.
func handle(mux *http.ServeMux, pattern string, handler http.Handler) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%v", v)
		}
	}()
	mux.Handle(pattern, handler)
	return nil
}

// explainRefusal says why the ServeMux refused rt: its pattern is malformed, or
// conflicts with that of another route.
func (s *Server) explainRefusal(rt *route, refusal error) string {
	nothing := http.NotFoundHandler()
	if err := handle(new(http.ServeMux), rt.pattern, nothing); err != nil {
		why := strings.TrimPrefix(err.Error(), fmt.Sprintf("parsing %q: ", rt.pattern))
		return fmt.Sprintf("%s has a malformed pattern %q: %s\n\ta pattern is [METHOD ][HOST]/[PATH], such as \"POST /orders/{id}\"",
			rt.kind(), rt.pattern, strings.TrimPrefix(why, "http: "))
	}
	s.mu.Lock()
	routes := s.routes
	s.mu.Unlock()
	for _, other := range routes {
		mux := new(http.ServeMux)
		mux.Handle(other.pattern, nothing)
		err := handle(mux, rt.pattern, nothing)
		if err == nil {
			continue
		}
		_, why, _ := strings.Cut(err.Error(), "\n")
		advice := "make one of them more specific"
		if other.pattern == rt.pattern {
			why, advice = "they are the same", "several replies in turn are one stub with several calls of Reply"
		}
		return fmt.Sprintf("%s %q conflicts with\n\t%s: %s %q\n\t%s\n\t%s",
			rt.kind(), rt.pattern, other.place, other.kind(), other.pattern, strings.ReplaceAll(why, "\n", "\n\t"), advice)
	}
	return fmt.Sprintf("%s %q is refused by http.ServeMux: %v", rt.kind(), rt.pattern, refusal)
}
