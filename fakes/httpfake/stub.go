package httpfake

import (
	"fmt"
	"net/http"
	"sync"
)

// Stub answers the requests of one pattern. Its methods return the stub itself,
// so that it can be written in one line:
//
//	srv.On("GET /orders/{id}").Reply(503).Reply(200).JSON(`{"id": 7}`).Times(3)
//
// Reply begins a reply; JSON, Text, Bytes and Header are about the reply begun
// last, or about a 200 if there is none. Replies are given in their order, and
// the last one again and again.
type Stub struct {
	server  *Server
	pattern string

	mu      sync.Mutex
	replies []*reply // each is replaced, never changed: it may be on its way
	want    want
	calls   int
}

// want is how often a stub has to be called.
type want struct {
	said  string // "Times(2)", "Once()", "Maybe()"; "" for the default
	exact bool
	n     int // with exact, how often; otherwise at least
}

func (w want) String() string {
	switch {
	case w.exact && w.n == 0:
		return "no call"
	case w.exact:
		return "exactly " + count(w.n, "call")
	case w.said == "":
		return "at least 1 call"
	}
	return "any number of calls"
}

// Times makes it a failure to call the stub more or less than n times. A call
// too many is answered 501. Times(0) means that it must not be called.
func (st *Stub) Times(n int) *Stub {
	return st.expect(want{said: fmt.Sprintf("Times(%d)", n), exact: true, n: n})
}

// Once is Times(1).
func (st *Stub) Once() *Stub { return st.expect(want{said: "Once()", exact: true, n: 1}) }

// Maybe lets the stub be called any number of times, or never.
func (st *Stub) Maybe() *Stub { return st.expect(want{said: "Maybe()"}) }

func (st *Stub) expect(w want) *Stub {
	return st.change(func() string {
		switch {
		case w.n < 0:
			return w.said + ": a stub cannot be called less than 0 times"
		case st.want.said != "":
			return fmt.Sprintf("%s after %s: say once how often the stub is to be called", w.said, st.want.said)
		}
		st.want = w
		return st.surplus()
	})
}

// surplus finds a reply that could never be given.
func (st *Stub) surplus() string {
	if n := len(st.replies); st.want.exact && n > max(st.want.n, 1) {
		return fmt.Sprintf("%s with %d replies: the last could never be given", st.want.said, n)
	}
	return ""
}

// change runs f, which changes the stub or says what is wrong.
func (st *Stub) change(f func() (problem string)) *Stub {
	st.mu.Lock()
	problem := f()
	st.mu.Unlock()
	if problem != "" {
		st.server.mistake("stub %q: %s", st.pattern, problem)
	}
	return st
}

// Requests returns the recorded requests that the stub answered, oldest first.
// See Server.Requests.
func (st *Stub) Requests() []*Request {
	return st.server.recorded(func(r *Request) bool { return r.Pattern == st.pattern })
}

// next counts a call and returns its reply, or nil if it is one too many.
func (st *Stub) next() *reply {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.calls++
	if st.want.exact && st.calls > st.want.n {
		return nil
	}
	return st.replies[min(st.calls, len(st.replies))-1]
}

func (st *Stub) serve(x *exchange, r *http.Request) {
	if err := x.readBody(r); err != nil {
		x.remark("its body broke off: " + err.Error())
		x.answer(http.StatusBadRequest, fmt.Sprintf("standin: the body of the request broke off: %v\n", err))
		return
	}
	reply := st.next()
	if reply == nil {
		x.remark("one call too many")
		st.mu.Lock()
		text := fmt.Sprintf("standin: one call too many: the stub %q expects %s\n", st.pattern, st.want)
		st.mu.Unlock()
		x.answer(http.StatusNotImplemented, text)
		return
	}
	x.setStatus(reply.status)
	reply.write(x.w)
}
