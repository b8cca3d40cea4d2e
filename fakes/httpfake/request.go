package httpfake

import (
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Request is the record of a request: a copy, which does not change any more.
type Request struct {
	Method string
	URL    *url.URL // as in http.Request: Path, RawQuery and Query() are of interest
	Host   string   // of the Host field or the absolute URL
	Header http.Header

	// Body is the beginning of the body, up to 64 KiB: for a stub, and an
	// unmatched request, of all that came; for a handler, of what it read.
	Body []byte
	// Truncated says that there was more of the body than Body has, or that
	// its end never came or was not read.
	Truncated bool

	Pattern    string    // that of the stub or handler; "" if the request was unmatched
	RemoteAddr string    // the client's host and port
	Time       time.Time // when the header had come
	Status     int       // of the answer; 0 if there is none (yet)

	names, values []string
}

// PathValue returns the value of a wildcard of the pattern, or "", as
// http.Request.PathValue does.
func (r *Request) PathValue(name string) string {
	if i := slices.Index(r.names, name); i >= 0 {
		return r.values[i]
	}
	return ""
}

// Requests returns the recorded requests, oldest first, as they are now: those
// that are still running may have no Status yet and no Body. The latest 10,000
// are recorded, and no more of them than take 16 MiB; see Request.Body. A
// request is there before its answer begins.
func (s *Server) Requests() []*Request {
	return s.recorded(func(*Request) bool { return true })
}

func (s *Server) recorded(wanted func(*Request) bool) []*Request {
	s.mu.Lock()
	all := slices.Clone(s.log.all())
	s.mu.Unlock()
	var requests []*Request
	for _, x := range all {
		if r := x.snapshot(); wanted(r) {
			requests = append(requests, r)
		}
	}
	return requests
}
