package httpfake

import (
	"net/http"
	"net/url"
	"path"
	"strings"
)

// template is a pattern of http.ServeMux in its parts, for reports. It has been
// accepted by a ServeMux: nothing is checked here.
type template struct {
	method   string // "" for any
	host     string // "" for any
	segments []segment
	names    []string // of the wildcards, in their order
}

// segment is a part of a path between slashes.
type segment struct {
	text string // as in the pattern, but a literal is unescaped
	kind segmentKind
}

type segmentKind int

const (
	literal segmentKind = iota
	one                 // {name}: one segment that is not empty
	rest                // {name...}, or a final slash: all segments from here on
	end                 // {$}: the path ends with this slash
)

func parseTemplate(pattern string) template {
	var t template
	target := pattern
	if i := strings.IndexAny(pattern, " \t"); i >= 0 {
		t.method, target = pattern[:i], strings.TrimLeft(pattern[i:], " \t")
	}
	t.host, target, _ = strings.Cut(target, "/")
	texts := strings.Split(target, "/")
	for i, text := range texts {
		s := parseSegment(text)
		if text == "" && i == len(texts)-1 {
			s.kind = rest
		}
		if name := strings.TrimSuffix(strings.Trim(text, "{}"), "..."); s.kind == one || s.kind == rest && text != "" {
			t.names = append(t.names, name)
		}
		t.segments = append(t.segments, s)
	}
	return t
}

func (t template) texts() []string {
	texts := make([]string, len(t.segments))
	for i, s := range t.segments {
		texts[i] = s.text
	}
	return texts
}

func parseSegment(text string) segment {
	switch {
	case text == "{$}":
		return segment{text, end}
	case strings.HasPrefix(text, "{") && strings.HasSuffix(text, "...}"):
		return segment{text, rest}
	case strings.HasPrefix(text, "{"):
		return segment{text, one}
	}
	return segment{unescaped(text), literal}
}

// segmentsOf divides the path of a request as ServeMux does: it is cleaned, and
// escaped slashes do not divide.
func segmentsOf(r *Request) []string {
	escaped := r.URL.EscapedPath()
	if r.Method != http.MethodConnect && strings.HasPrefix(escaped, "/") {
		clean := path.Clean(escaped)
		if strings.HasSuffix(escaped, "/") && clean != "/" {
			clean += "/"
		}
		escaped = clean
	}
	texts := strings.Split(strings.TrimPrefix(escaped, "/"), "/")
	for i, text := range texts {
		texts[i] = unescaped(text)
	}
	return texts
}

func unescaped(text string) string {
	if s, err := url.PathUnescape(text); err == nil {
		return s
	}
	return text
}
