package httpfake

import (
	"net"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
)

// explained is for how many unmatched requests the nearest stub is looked for,
// in the answer and in the report. All routes are looked at each time.
const explained = 5

// near is the route that is nearest to a request.
type near struct {
	route     *route
	cost      int // 0 if it matches
	want, got target
}

// target is what the choice of a route looks at, in the form that is compared.
type target struct {
	Method string
	Host   string
	Path   []string
}

// nearest returns the route that is nearest to x, the first of equals, or nil
// if there are none.
func (s *Server) nearest(x *exchange) *near {
	s.mu.Lock()
	routes := s.routes
	s.mu.Unlock()
	r := &x.record // these fields do not change
	host, path := r.Host, shortened(segmentsOf(r))
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	var best *near
	for _, rt := range routes {
		n := rt.template.compare(r.Method, host, path)
		if !strings.HasPrefix(r.URL.Path, "/") { // "OPTIONS *", CONNECT: no pattern matches
			n.cost += otherCost
			n.want.Path, n.got.Path = rt.template.texts(), []string{r.URL.Path + " (not a path)"}
		}
		if best == nil || n.cost < best.cost {
			n.route = rt
			best = &n
		}
		if best.cost == 0 {
			break
		}
	}
	return best
}

// maxSegments bounds the work on one path; what is beyond is one segment.
const maxSegments = 32

func shortened(path []string) []string {
	if len(path) <= maxSegments {
		return path
	}
	return append(path[:maxSegments-1:maxSegments-1], strings.Join(path[maxSegments-1:], "/"))
}

// The costs of differences. What is often mistaken costs less.
const (
	methodCost = 3
	hostCost   = 3
	caseCost   = 1
	typoCost   = 2
	otherCost  = 4
	slashCost  = 1
)

// compare says how far a request is from t. What a wildcard accepts is no
// difference: want has the text of the request there.
func (t template) compare(method, host string, path []string) near {
	n := near{got: target{Method: method, Path: path}, want: target{Method: method}}
	if t.method != "" && t.method != method && (t.method != "GET" || method != "HEAD") {
		n.want.Method = t.method
		n.cost += methodCost
	}
	if t.host != "" {
		n.got.Host, n.want.Host = host, t.host
		if !strings.EqualFold(t.host, host) {
			n.cost += hostCost
		}
	}
	cost, want := align(t.segments, path)
	n.cost += cost
	n.want.Path = want
	return n
}

// align finds the cheapest way to change the path of the pattern into that of
// the request, and returns its cost with the path that the pattern wants.
func align(pattern []segment, path []string) (cost int, want []string) {
	pattern = pattern[:min(len(pattern), maxSegments)]
	rows, columns := len(pattern)+1, len(path)+1
	costs := make([]int, rows*columns)
	moves := make([]byte, rows*columns) // the last step: 'b'oth, 'p'attern, 'r'equest
	for i := range rows {
		for j := range columns {
			if i == 0 && j == 0 {
				continue
			}
			best, move := int(^uint(0)>>1), byte(0)
			try := func(from, step int, by byte) {
				if c := costs[from] + step; c < best {
					best, move = c, by
				}
			}
			if i > 0 && j > 0 {
				try((i-1)*columns+j-1, pattern[i-1].differs(path[j-1]), 'b')
			}
			if i > 0 {
				try((i-1)*columns+j, missing(pattern[i-1].kind == end || pattern[i-1].text == ""), 'p')
			}
			if j > 0 {
				step := missing(path[j-1] == "")
				if i > 0 && pattern[i-1].kind == rest && moves[i*columns+j-1] != 'p' {
					step = 0 // one more segment of the rest
				}
				try(i*columns+j-1, step, 'r')
			}
			costs[i*columns+j], moves[i*columns+j] = best, move
		}
	}
	for i, j := rows-1, columns-1; i > 0 || j > 0; {
		switch moves[i*columns+j] {
		case 'b':
			i, j = i-1, j-1
			want = append(want, pattern[i].wants(path[j]))
		case 'p':
			i--
			want = append(want, pattern[i].wants(""))
		default:
			j--
			if i > 0 && pattern[i-1].kind == rest {
				want = append(want, path[j])
			}
		}
	}
	slices.Reverse(want)
	return costs[len(costs)-1], want
}

func missing(slash bool) int {
	if slash {
		return slashCost
	}
	return otherCost
}

// differs returns the cost of text in the place of s.
func (s segment) differs(text string) int {
	switch {
	case s.kind == rest, s.kind == one && text != "", s.kind == end && text == "", s.kind == literal && s.text == text:
		return 0
	case s.kind == literal && strings.EqualFold(s.text, text):
		return caseCost
	case s.kind == literal && similar(s.text, text):
		return typoCost
	}
	return otherCost
}

// wants returns what s wants in the place of text.
func (s segment) wants(text string) string {
	switch {
	case s.kind == end:
		return ""
	case s.kind == literal, text == "" && s.kind == one:
		return s.text
	}
	return text
}

// similar reports whether few letters are different: up to a third of them.
func similar(a, b string) bool {
	const longest = 64
	allowed := max(len(a), len(b)) / 3
	if len(a) > longest || len(b) > longest || max(len(a)-len(b), len(b)-len(a)) > allowed {
		return false
	}
	var row [longest + 1]int
	for j := range len(b) + 1 {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			above := row[j+1]
			step := diagonal
			if a[i] != b[j] {
				step = 1 + min(diagonal, above, row[j])
			}
			row[j+1], diagonal = step, above
		}
	}
	return row[len(b)] <= allowed
}

// differences names what is different, in words.
func (n *near) differences() string {
	var words []string
	if n.want.Method != n.got.Method {
		words = append(words, "the method")
	}
	if !strings.EqualFold(n.want.Host, n.got.Host) {
		words = append(words, "the host")
	}
	if !slices.Equal(n.want.Path, n.got.Path) {
		words = append(words, "the path")
	}
	switch len(words) {
	case 0:
		return "" // it matches
	case 1:
		return words[0] + " differs"
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last] + " differ"
}

// diff is the difference as go-cmp shows it, with common spaces: cmp now and
// then uses others, so that nobody relies on its output.
func (n *near) diff() string {
	diff := cmp.Diff(n.want, n.got)
	if n.want.Host == "" { // one line less
		type target struct {
			Method string
			Path   []string
		}
		diff = cmp.Diff(target{n.want.Method, n.want.Path}, target{n.got.Method, n.got.Path})
	}
	return strings.ReplaceAll(strings.TrimRight(diff, "\n"), "\u00a0", " ")
}
