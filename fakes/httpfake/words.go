package httpfake

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

func wasWere(n int, thing string) string {
	if n == 1 {
		return count(n, thing) + " was"
	}
	return count(n, thing) + " were"
}

// span is a duration to about three digits.
func span(d time.Duration) string {
	for _, unit := range []time.Duration{time.Second, time.Millisecond, time.Microsecond} {
		if d >= unit {
			return d.Round(unit / 10).String()
		}
	}
	return d.String()
}

// clip shortens s to about n bytes.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// printable is s on one line, quoted if it has anything that does not print.
func printable(s string, n int) string {
	s = clip(s, n)
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

// requestLine is the request as it came: method and target.
func requestLine(r *Request) string {
	return printable(r.Method+" "+r.URL.RequestURI(), 200)
}

// bodyText is the beginning of the body on one line.
func bodyText(r *Request, n int) string {
	return printable(strings.TrimSpace(string(r.Body)), n)
}

func bodySize(r *Request) string {
	if r.Truncated {
		return fmt.Sprintf("more than %d bytes", len(r.Body))
	}
	return count(len(r.Body), "byte")
}
