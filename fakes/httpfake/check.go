package httpfake

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Check returns what is not as expected, now: mistakes in stubs, unmatched
// requests, stubs that were called too rarely or too often, and handlers that
// panicked; each with what came, what was expected and where that was written,
// and with a transcript of the requests. It returns nil if all is as expected.
// Call it when the program under test is done, best after Close.
func (s *Server) Check() error {
	var problems []string
	s.mu.Lock()
	routes, unmatched, panics, mistakes := slices.Clone(s.routes), s.unmatched, s.panics, s.mistakes
	s.mu.Unlock()

	for _, err := range mistakes.first {
		problems = append(problems, "a stub could not be written\n"+indent(err.Error(), "  "))
	}
	problems = append(problems, mistakes.more("mistake in stubs", "mistakes in stubs")...)

	closest := make(map[*Stub]string)
	for i, x := range unmatched.first {
		problem := fmt.Sprintf("no stub matches %s", requestLine(x.snapshot()))
		if i < explained {
			problem = s.explainUnmatched(x, closest)
		}
		problems = append(problems, problem)
	}
	problems = append(problems, unmatched.more("unmatched request", "unmatched requests")...)

	shown := 0
	for _, rt := range routes {
		if rt.stub == nil {
			continue
		}
		if problem := rt.stub.problem(rt, closest[rt.stub]); problem != "" {
			if shown++; shown <= tallied {
				problems = append(problems, problem)
			}
		}
	}
	if shown > tallied {
		problems = append(problems, fmt.Sprintf("and %s", count(shown-tallied, "more stub")))
	}

	for _, c := range panics.first {
		problems = append(problems, c.problem())
	}
	problems = append(problems, panics.more("handler panicked", "handlers panicked")...)
	if len(problems) == 0 {
		return nil
	}

	var b strings.Builder
	fmt.Fprintf(&b, "HTTP stand-in at %s: %s\n", s.url, count(len(problems), "problem"))
	for i, problem := range problems {
		fmt.Fprintf(&b, "\n%d. %s\n", i+1, indent(problem, "   ")[3:])
	}
	b.WriteString("\n" + s.Transcript())
	return errors.New(strings.TrimRight(b.String(), "\n"))
}

// more says how many are not shown.
func (t *tally[T]) more(one, many string) []string {
	switch n := t.count - len(t.first); n {
	case 0:
		return nil
	case 1:
		return []string{"and 1 more " + one}
	default:
		return []string{fmt.Sprintf("and %d more %s", n, many)}
	}
}

// explainUnmatched reports x, and notes in closest which stub was nearest.
func (s *Server) explainUnmatched(x *exchange, closest map[*Stub]string) string {
	r := x.snapshot()
	var b strings.Builder
	fmt.Fprintf(&b, "no stub matches %s\n", requestLine(r))
	fmt.Fprintf(&b, "came:     #%d, %s after the start; answered 501\n", x.number, span(r.Time.Sub(s.start)))
	if len(r.Body) > 0 {
		fmt.Fprintf(&b, "body:     %s, %s\n", bodySize(r), orElse(r.Header.Get("Content-Type"), "no Content-Type"))
		fmt.Fprintf(&b, "          %s\n", bodyText(r, 500))
	}
	near := s.nearest(x)
	b.WriteString(nearestText(x, near))
	if near != nil && near.route.stub != nil && closest[near.route.stub] == "" {
		closest[near.route.stub] = fmt.Sprintf("#%d, %s", x.number, requestLine(r))
	}
	return strings.TrimRight(b.String(), "\n")
}

// nearestText says which route is nearest to x, and the difference.
func nearestText(x *exchange, near *near) string {
	if near == nil {
		return "expected: nothing; no stub has been written\n"
	}
	rt := near.route
	name := fmt.Sprintf("nearest:  %s, %s written at %s\n", rt.pattern, rt.kind(), rt.place)
	switch {
	case near.cost == 0 && rt.written.After(x.record.Time):
		return name + "          it matches, but was written after the request had come: write stubs before the client starts\n"
	case near.cost == 0:
		return name + "          it matches now: it was being written when the request came\n"
	}
	return name + fmt.Sprintf("          %s (-%s +request):\n%s\n", near.differences(), rt.kind(), indent(near.diff(), "          "))
}

// problem says how the calls of the stub are not as expected, or nothing.
func (st *Stub) problem(rt *route, closest string) string {
	st.mu.Lock()
	calls, want := st.calls, st.want
	st.mu.Unlock()
	switch {
	case want.exact && calls == want.n, !want.exact && want.said != "", !want.exact && calls > 0:
		return ""
	}
	came := "never called"
	if calls > 0 {
		came = "called " + count(calls, "time")
	}
	text := fmt.Sprintf("stub %s was %s\nexpected: %s\nwritten:  %s", rt.pattern, came, want, rt.place)
	if closest != "" {
		text += "\nclosest:  " + closest
	}
	return text
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return printable(s, 100)
}

func indent(s, by string) string {
	return by + strings.ReplaceAll(s, "\n", "\n"+by)
}
