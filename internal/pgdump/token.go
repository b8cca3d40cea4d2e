package pgdump

import "strings"

// The tokens are those of the PostgreSQL documentation, section 4.1, as far as
// one needs them to know where a statement ends.

const (
	blank   = " \t\n\r\f\v"
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
	digits  = "0123456789"
)

func isLetter(c byte) bool { return c >= 0x80 || strings.IndexByte(letters, c) >= 0 }

func isDigit(c byte) bool { return strings.IndexByte(digits, c) >= 0 }

// skipBlank passes over white space and comments.
func (s *splitter) skipBlank() error {
	for s.at < len(s.text) {
		rest := s.text[s.at:]
		switch {
		case strings.IndexByte(blank, rest[0]) >= 0:
			s.at++
		case strings.HasPrefix(rest, "--"):
			s.skipLine()
		case strings.HasPrefix(rest, "/*"):
			if err := s.blockComment(); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

func (s *splitter) skipLine() {
	if i := strings.IndexAny(s.text[s.at:], "\r\n"); i >= 0 {
		s.at += i
	} else {
		s.at = len(s.text)
	}
}

// blockComment passes over a comment, in which there may be others.
func (s *splitter) blockComment() error {
	start, depth := s.at, 0
	for s.at < len(s.text) {
		switch rest := s.text[s.at:]; {
		case strings.HasPrefix(rest, "/*"):
			depth++
			s.at += 2
		case strings.HasPrefix(rest, "*/"):
			depth--
			s.at += 2
		default:
			s.at++
		}
		if depth == 0 {
			return nil
		}
	}
	return s.errorAt(start, "the comment that begins here does not end")
}

// token passes over one token, and notes what matters of it.
func (s *splitter) token() error {
	c := s.text[s.at]
	switch {
	case isLetter(c):
		s.word()
		if s.last == "e" && s.at < len(s.text) && s.text[s.at] == '\'' {
			return s.quoted(true)
		}
		return nil
	case c == '$':
		s.last = ""
		return s.dollarQuoted()
	}
	s.last = ""
	switch c {
	case '\'':
		return s.quoted(s.backslashes)
	case '"':
		end := strings.IndexByte(s.text[s.at+1:], '"')
		if end < 0 {
			return s.errorAt(s.at, "the name that begins here does not end")
		}
		s.at += end + 2
	case '(':
		s.parens++
		s.at++
	case ')':
		s.parens = max(0, s.parens-1)
		s.at++
	default:
		s.at++
	}
	return nil
}

// word passes over a key word or a name without quotes.
func (s *splitter) word() {
	start := s.at
	for s.at < len(s.text) && (isLetter(s.text[s.at]) || isDigit(s.text[s.at]) || s.text[s.at] == '$') {
		s.at++
	}
	word := strings.ToLower(s.text[start:s.at])
	if s.parens > 0 {
		s.last = word
		return
	}
	if len(s.words) < 4 {
		s.words = append(s.words, word)
	}
	if s.words[0] == "copy" && s.last == "from" && word == "stdin" {
		s.fromCopy = true
	}
	s.block(word)
	s.last = word
}

// block follows the body of a routine in SQL, whose semicolons end nothing.
func (s *splitter) block(word string) {
	if !s.isRoutine() {
		return
	}
	switch {
	case word == "begin", word == "case" && s.blocks > 0:
		s.blocks++
	case word == "end" && s.blocks > 0:
		s.blocks--
	}
}

func (s *splitter) isRoutine() bool {
	words := s.words
	if len(words) == 0 || words[0] != "create" {
		return false
	}
	words = words[1:]
	if len(words) > 1 && words[0] == "or" && words[1] == "replace" {
		words = words[2:]
	}
	return len(words) > 0 && (words[0] == "function" || words[0] == "procedure")
}

// quoted passes over a string, and over those of the next lines that continue
// it. In one with escapes a backslash takes the meaning of what follows.
func (s *splitter) quoted(escapes bool) error {
	start := s.at
	s.at++
	for s.at < len(s.text) {
		c := s.text[s.at]
		s.at++
		switch {
		case c == '\\' && escapes && s.at < len(s.text):
			s.at++
		case c == '\'':
			if s.at < len(s.text) && s.text[s.at] == '\'' {
				s.at++
				continue
			}
			if !s.continued() {
				s.last = ""
				return nil
			}
		}
	}
	return s.errorAt(start, "the string that begins here does not end")
}

// continued passes over what lies between a string and its continuation: white
// space and comments, with a line's end among them.
func (s *splitter) continued() bool {
	at, newline := s.at, false
	for ; at < len(s.text) && strings.IndexByte(blank, s.text[at]) >= 0 || strings.HasPrefix(s.text[at:], "--"); at++ {
		if s.text[at] == '-' {
			end := strings.IndexAny(s.text[at:], "\r\n")
			if end < 0 {
				return false
			}
			at += end
		}
		newline = newline || s.text[at] == '\n' || s.text[at] == '\r'
	}
	if !newline || at == len(s.text) || s.text[at] != '\'' {
		return false
	}
	s.at = at + 1
	return true
}

// dollarQuoted passes over a string in dollars, or over a dollar.
func (s *splitter) dollarQuoted() error {
	start := s.at
	end := start + 1
	for end < len(s.text) && (isLetter(s.text[end]) || end > start+1 && isDigit(s.text[end])) {
		end++
	}
	if end == len(s.text) || s.text[end] != '$' {
		s.at++
		return nil
	}
	tag := s.text[start : end+1]
	length := strings.Index(s.text[end+1:], tag)
	if length < 0 {
		return s.errorAt(start, "the string that begins here with %s does not end", tag)
	}
	s.at = end + 1 + length + len(tag)
	return nil
}
