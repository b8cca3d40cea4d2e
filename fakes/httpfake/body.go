package httpfake

import (
	"io"
	"net/http"
)

// maxBody is how much of each body is recorded.
const maxBody = 64 << 10

// readBody reads all of a body, and records its beginning.
func (x *exchange) readBody(r *http.Request) error {
	if r.Body == http.NoBody {
		return nil
	}
	var body []byte
	var err error
	if n := r.ContentLength; 0 <= n && n <= maxBody {
		body = make([]byte, n)
		var got int
		got, err = io.ReadFull(r.Body, body)
		body = body[:got]
	} else {
		body, err = io.ReadAll(io.LimitReader(r.Body, maxBody))
	}
	var rest int64
	if err == nil {
		rest, err = io.Copy(io.Discard, r.Body)
	}
	x.mu.Lock()
	x.record.Body = body
	x.record.Truncated = rest > 0 || err != nil
	x.mu.Unlock()
	x.server.grow(x, len(body))
	return err
}

// teeBody records what a handler reads of a body.
type teeBody struct {
	io.ReadCloser
	x *exchange
}

func (b *teeBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	x := b.x
	x.mu.Lock()
	kept := min(n, maxBody-len(x.record.Body))
	x.record.Body = append(x.record.Body, p[:kept]...)
	if kept < n {
		x.record.Truncated, x.over = true, true
	}
	if err == io.EOF && !x.over {
		x.record.Truncated = false
	}
	x.mu.Unlock()
	if kept > 0 {
		x.server.grow(x, kept)
	}
	return n, err
}
