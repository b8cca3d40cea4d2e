package httpfake

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// How many requests a transcript shows.
const (
	firstShown = 10
	lastShown  = 20
)

// Transcript returns the requests, oldest first, a line for each: when it came,
// what it was, how it was answered and by what. Of many the first 10 and the
// last 20 are shown. What net/http had to say comes after them.
func (s *Server) Transcript() string {
	s.mu.Lock()
	all := slices.Clone(s.log.all())
	came, serverLog := s.log.came, s.serverLog
	s.mu.Unlock()

	var b strings.Builder
	fmt.Fprintf(&b, "%s to %s", count(came, "request"), s.url)
	if came > 0 {
		b.WriteString(", oldest first:")
	}
	b.WriteString("\n")
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	if n := came - len(all); n > 0 {
		fmt.Fprintf(table, "  … %s before these, no longer recorded\n", count(n, "request"))
	}
	for i, x := range all {
		if hidden := len(all) - firstShown - lastShown; hidden > 0 && i >= firstShown && i < firstShown+hidden {
			if i == firstShown {
				fmt.Fprintf(table, "  … %s more\n", strconv.Itoa(hidden))
			}
			continue
		}
		fmt.Fprintln(table, "  "+s.line(x))
	}
	table.Flush()
	if serverLog.count > 0 {
		b.WriteString("net/http says:\n")
		for _, text := range serverLog.first {
			b.WriteString("  " + printable(strings.TrimSpace(text), 500) + "\n")
		}
		if n := serverLog.count - len(serverLog.first); n > 0 {
			fmt.Fprintf(&b, "  and %s\n", count(n, "more line"))
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

// line is a line of the transcript, in columns divided by tabs.
func (s *Server) line(x *exchange) string {
	x.mu.Lock()
	note, rt := x.note, x.route
	x.mu.Unlock()
	r := x.snapshot()
	status := "–"
	if r.Status != 0 {
		status = strconv.Itoa(r.Status)
	}
	by := "no stub matches"
	if rt != nil {
		by = fmt.Sprintf("%s %s at %s", rt.kind(), rt.pattern, rt.place)
	}
	switch {
	case strings.HasPrefix(note, redirected):
		by = note
	case note != "":
		by += "; " + note
	}
	if len(r.Body) > 0 {
		by += "\t" + bodyText(r, 60)
	}
	return fmt.Sprintf("#%d\t%s\t%s\t%s\t%s", x.number, span(r.Time.Sub(s.start)), requestLine(r), status, by)
}
