package httpfake

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Check returns what is not as expected, now: mistakes in stubs, unmatched
// requests, stubs that were called too rarely or too often, and handlers that
// panicked; each with what came, what was expected and where that was written,
// and with a transcript of the requests. It returns nil if all is as expected.
// Call it when the program under test is done, best after Close.
func (s *Server) Check() error {
	s.mu.Lock()
	routes, unmatched, panics, mistakes := slices.Clone(s.routes), s.unmatched, s.panics, s.mistakes
	s.mu.Unlock()

	var rp report
	for i, err := range mistakes.first {
		rp.addUpTo(i, tallied, "a stub could not be written\n"+indent(err.Error(), "  "))
	}
	rp.addMore(mistakes.count-tallied, "stub that could not be written", "stubs that could not be written")

	closest := make(map[*Stub]string)
	groups := alike(unmatched.first)
	explainable := 0
	for i, group := range groups[:min(len(groups), explained)] {
		rp.addUpTo(i, explained, s.explainUnmatched(group, closest))
		explainable += len(group)
	}
	rp.addMore(unmatched.count-explainable, "unmatched request", "unmatched requests")

	uncalled := 0
	for _, rt := range routes {
		if rt.stub == nil {
			continue
		}
		if problem := rt.stub.problem(rt, closest[rt.stub]); problem != "" {
			rp.addUpTo(uncalled, shownStubs, problem)
			uncalled++
		}
	}
	rp.addMore(uncalled-shownStubs, "stub that was not called as expected", "stubs that were not called as expected")

	for i, c := range panics.first {
		rp.addUpTo(i, shownPanics, c.problem())
	}
	rp.addMore(panics.count-shownPanics, "handler that did not return", "handlers that did not return")
	if len(rp) == 0 {
		return nil
	}
	return errors.New(rp.text("HTTP stand-in at "+s.url) + "\n" + s.Transcript())
}

// How many of each kind a report shows.
const (
	shownStubs  = 10
	shownPanics = 5
)

// report is a list of problems.
type report []string

// addUpTo adds the problem with index i of its kind, if i is below limit.
func (rp *report) addUpTo(i, limit int, problem string) {
	if i < limit {
		*rp = append(*rp, problem)
	}
}

// addMore says how many of a kind are not shown.
func (rp *report) addMore(n int, one, many string) {
	switch {
	case n == 1:
		*rp = append(*rp, "one more "+one)
	case n > 1:
		*rp = append(*rp, fmt.Sprintf("%d more %s", n, many))
	}
}

func (rp report) text(title string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: not as expected\n", title)
	for i, problem := range rp {
		number := strconv.Itoa(i+1) + ". "
		margin := strings.Repeat(" ", len(number))
		fmt.Fprintf(&b, "\n%s%s\n", number, strings.TrimPrefix(indent(problem, margin), margin))
	}
	return b.String()
}

// alike groups the requests that differ in nothing but their time, as those of
// a client that tries again.
func alike(requests []*exchange) [][]*exchange {
	var groups [][]*exchange
	index := make(map[string]int)
	for _, x := range requests {
		line := requestLine(&x.record)
		i, found := index[line]
		if !found {
			i = len(groups)
			index[line] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], x)
	}
	return groups
}

// explainUnmatched reports requests that are alike, and notes in closest which
// stub was nearest.
func (s *Server) explainUnmatched(group []*exchange, closest map[*Stub]string) string {
	x := group[0]
	r := x.snapshot()
	var b strings.Builder
	fmt.Fprintf(&b, "no stub matches %s\n", requestLine(r))
	fmt.Fprintf(&b, "came:     #%d, %s after the start; answered 501\n", x.number, span(r.Time.Sub(s.start)))
	if len(group) > 1 {
		b.WriteString("          and again:")
		for _, again := range group[1:] {
			fmt.Fprintf(&b, " #%d", again.number)
		}
		b.WriteString("\n")
	}
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
