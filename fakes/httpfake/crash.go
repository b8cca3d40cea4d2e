package httpfake

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
)

// crash is a handler that did not return.
type crash struct {
	x     *exchange
	value any // of the panic; nil for runtime.Goexit
	stack []uintptr
}

// crashed keeps what is to be reported of a handler that did not return. It is
// called from the deferred function that recovered v.
func (s *Server) crashed(x *exchange, v any) {
	switch v {
	case http.ErrAbortHandler: // how a handler asks to be dropped
		x.remark("dropped by its handler")
		return
	case nil:
		x.remark("its handler ended its goroutine")
	default:
		x.remark("its handler panicked")
	}
	c := crash{x: x, value: v, stack: make([]uintptr, 64)}
	c.stack = c.stack[:runtime.Callers(0, c.stack)]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.panics.add(c)
}

func (c crash) problem() string {
	r := c.x.snapshot()
	what, advice := "panicked: "+printable(fmt.Sprint(c.value), 500), ""
	if c.value == nil {
		what = "ended its goroutine (runtime.Goexit)"
		advice = "\nadvice:   t.Fatal, t.FailNow and t.Skip are for the test's own goroutine; a handler runs on\n" +
			"          one of the server: use t.Error and return"
	}
	return fmt.Sprintf("the handler of %s %s\ncame:     #%d, %s\nwritten:  %s%s\nstack:    %s",
		r.Pattern, what, c.x.number, requestLine(r), c.x.route.place, advice, strings.Join(c.frames(), "\n          "))
}

// frames are the part of the stack between the panic and this package.
func (c crash) frames() []string {
	var kept []string
	frames := runtime.CallersFrames(c.stack)
	for {
		frame, more := frames.Next()
		ours := isOurs(frame.Function)
		if ours && len(kept) > 0 || !more {
			break
		}
		if !ours && !strings.HasPrefix(frame.Function, "runtime.") && !strings.HasPrefix(frame.Function, "testing.") {
			kept = append(kept, fmt.Sprintf("%s:%d %s", fromHere(frame.File), frame.Line, frame.Function))
		}
	}
	if last := len(kept) - 1; last > 0 && strings.HasSuffix(kept[last], " net/http.HandlerFunc.ServeHTTP") {
		kept = kept[:last]
	}
	return kept
}
