package httpfake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// reply is one answer of a stub, ready to be sent.
type reply struct {
	status      int
	implicit    bool // the 200 of a stub for which Reply was not called
	header      []headerField
	contentType string // of the body; a Content-Type in header goes before it
	bodyOf      string // the method that gave the body: "JSON", "Text", "Bytes"
	body        []byte
	sent        []headerField // header with what goes with the body; see seal
}

// headerField is a field in the form in which http.Header keeps it, shared by
// all answers.
type headerField struct {
	key    string
	values []string
}

func (rp *reply) write(w http.ResponseWriter) {
	header := w.Header()
	for _, f := range rp.sent {
		header[f.key] = f.values
	}
	w.WriteHeader(rp.status)
	if len(rp.body) > 0 {
		w.Write(rp.body) // an error means that the client has gone
	}
}

// seal works out the header once, so that an answer only points to it.
func (rp *reply) seal() *reply {
	rp.sent = slices.Clip(slices.Clone(rp.header))
	if rp.bodyOf != "" && rp.values("Content-Type") == nil {
		rp.sent = append(rp.sent, headerField{"Content-Type", []string{rp.contentType}})
	}
	if bodyAllowed(rp.status) {
		rp.sent = append(rp.sent, headerField{"Content-Length", []string{strconv.Itoa(len(rp.body))}})
	}
	return rp
}

// bodyAllowed reports whether a reply with status has a body (RFC 9110, 6.4.1).
func bodyAllowed(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

// Reply begins another reply. The status has three digits; 1xx are refused,
// since they are not final.
func (st *Stub) Reply(status int) *Stub {
	return st.change(func() string {
		first := st.replies[0]
		switch {
		case status >= 100 && status < 200:
			return fmt.Sprintf("Reply(%d): a status of 1xx is not final, and no answer of its own", status)
		case status < 200 || status > 999:
			return fmt.Sprintf("Reply(%d): a status is between 200 and 999", status)
		case first.implicit && (first.bodyOf != "" || len(first.header) > 0):
			return fmt.Sprintf("Reply(%d) comes after what is to be in the reply: call Reply first", status)
		}
		if first.implicit {
			st.replies = nil
		}
		st.replies = append(slices.Clip(st.replies), (&reply{status: status}).seal())
		return st.surplus()
	})
}

// JSON gives the reply a body of type application/json. A string, []byte or
// json.RawMessage is JSON text, which is checked and sent as it is; anything
// else is marshalled now, by encoding/json.
func (st *Stub) JSON(v any) *Stub {
	body, problem := jsonText(v)
	if problem != "" {
		st.server.mistake("stub %q: %s", st.pattern, problem)
		return st
	}
	return st.setBody("JSON", "application/json", body)
}

// Text gives the reply a body of type text/plain; charset=utf-8.
func (st *Stub) Text(text string) *Stub {
	return st.setBody("Text", "text/plain; charset=utf-8", []byte(text))
}

// Bytes gives the reply a body of any type.
func (st *Stub) Bytes(contentType string, body []byte) *Stub {
	if problem := checkField("Content-Type", contentType); problem != "" {
		st.server.mistake("stub %q: Bytes: %s", st.pattern, problem)
		return st
	}
	return st.setBody("Bytes", contentType, bytes.Clone(body))
}

func (st *Stub) setBody(method, contentType string, body []byte) *Stub {
	return st.modify(func(rp *reply) string {
		switch {
		case rp.bodyOf != "":
			return fmt.Sprintf("%s after %s: the reply has its body already", method, rp.bodyOf)
		case !bodyAllowed(rp.status):
			return fmt.Sprintf("%s after Reply(%d): a reply with that status has no body", method, rp.status)
		}
		rp.bodyOf, rp.contentType, rp.body = method, contentType, body
		return ""
	})
}

// Header adds a field to the reply's header. A field given twice is sent twice
// (Set-Cookie), except that Content-Type replaces the one of the body.
// Content-Length and Transfer-Encoding are the server's, and are refused.
func (st *Stub) Header(key, value string) *Stub {
	return st.modify(func(rp *reply) string {
		if problem := checkField(key, value); problem != "" {
			return "Header: " + problem
		}
		key := http.CanonicalHeaderKey(key)
		switch key {
		case "Content-Length", "Transfer-Encoding", "Trailer":
			return fmt.Sprintf("Header: %s is the server's to set; for a reply with another one, use Server.Handle", key)
		case "Content-Type":
			if rp.values(key) != nil {
				return "Header: Content-Type is given twice"
			}
		}
		rp.add(key, value)
		return ""
	})
}

func (rp *reply) values(key string) []string {
	for _, f := range rp.header {
		if f.key == key {
			return f.values
		}
	}
	return nil
}

func (rp *reply) add(key, value string) {
	rp.header = slices.Clone(rp.header)
	for i, f := range rp.header {
		if f.key == key {
			rp.header[i].values = append(slices.Clip(f.values), value)
			return
		}
	}
	rp.header = append(rp.header, headerField{key, []string{value}})
}

// modify changes the reply begun last.
func (st *Stub) modify(f func(*reply) (problem string)) *Stub {
	return st.change(func() string {
		changed := *st.replies[len(st.replies)-1]
		if problem := f(&changed); problem != "" {
			return problem
		}
		st.replies = slices.Clone(st.replies)
		st.replies[len(st.replies)-1] = changed.seal()
		return ""
	})
}

// checkField checks a header field (RFC 9110, 5.1 and 5.5).
func checkField(key, value string) (problem string) {
	for i := range len(key) {
		if c := key[i]; !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) && !isAlphanumeric(c) {
			return fmt.Sprintf("field name %q has %q in it", key, c)
		}
	}
	if key == "" {
		return "field name is empty"
	}
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return fmt.Sprintf("value of %s has the control character %q in it", key, c)
		}
	}
	return ""
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func jsonText(v any) (text []byte, problem string) {
	switch v := v.(type) {
	case string:
		text = []byte(v)
	case []byte:
		text = bytes.Clone(v)
	case json.RawMessage:
		text = bytes.Clone(v)
	default:
		text, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Sprintf("JSON: value of type %T cannot be marshalled: %v", v, err)
		}
		return text, ""
	}
	return text, malformedJSON(text)
}

// malformedJSON points at what is wrong with text.
func malformedJSON(text []byte) (problem string) {
	var raw json.RawMessage
	err := json.Unmarshal(text, &raw)
	at := len(bytes.TrimRight(text, " \t\r\n"))
	switch syntax, ok := err.(*json.SyntaxError); {
	case err == nil && utf8.Valid(text):
		return ""
	case err == nil:
		at = invalidUTF8(text)
		err = fmt.Errorf("byte %#x is not UTF-8", text[at])
	case ok && !strings.HasPrefix(syntax.Error(), "unexpected end"):
		at = max(int(syntax.Offset)-1, 0) // Offset is how much was read
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return "malformed JSON: the text is empty"
	}
	before := text[:at]
	line := bytes.Count(before, []byte("\n")) + 1
	start := bytes.LastIndexByte(before, '\n') + 1
	column := utf8.RuneCount(text[start:at]) + 1
	shown, rest := excerpt(text[start:], at-start)
	margin := strconv.Itoa(line) + " | "
	return fmt.Sprintf("malformed JSON at line %d, column %d: %v\n\t%s%s\n\t%*s^",
		line, column, err, margin, shown, len(margin)+rest, "")
}

func invalidUTF8(text []byte) int {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
	return len(text)
}

// excerpt returns the part of a line around at, on one line, and how many
// columns come before at.
func excerpt(line []byte, at int) (shown string, before int) {
	const around = 60
	if end := bytes.IndexByte(line, '\n'); end >= 0 && end >= at {
		line = line[:end]
	}
	from, to := max(0, at-around), min(len(line), at+around)
	clean := func(b []byte) string {
		return strings.Map(func(r rune) rune {
			if r < ' ' {
				return ' '
			}
			return r
		}, strings.ToValidUTF8(string(b), "?"))
	}
	left, right := clean(line[from:at]), clean(line[at:to])
	if from > 0 {
		left = "…" + left
	}
	if to < len(line) {
		right += "…"
	}
	return left + right, utf8.RuneCountInString(left)
}
