// Package pgdump reads the files that pg_dump writes: it tells their formats
// apart and splits the plain one into statements and rows, as psql does. It
// asks no server and runs nothing.
package pgdump

import (
	"fmt"
	"strings"
)

// Statement is one statement of a plain dump.
type Statement struct {
	Start, End int // its bytes in the text, without the semicolon
	Line       int // of Start, from 1
	// Copy says that rows follow, for COPY … FROM stdin: the bytes from
	// RowsStart to RowsEnd, the first of them in line RowsLine.
	Copy               bool
	RowsStart, RowsEnd int
	RowsLine           int
}

// Error says what in a dump cannot be followed, and in which line.
type Error struct {
	Line int
	What string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.What) }

// Header and trailer are comments of each plain dump, in whatever version.
const (
	header  = "\n-- PostgreSQL database dump\n"
	trailer = "\n-- PostgreSQL database dump complete\n"
)

// Split returns the statements of a plain dump, in order. Of psql's commands it
// knows those that pg_dump writes for its own safety, \restrict and
// \unrestrict; all others it refuses, and so a dump that is cut off. Errors are
// of type *Error.
func Split(text string) ([]Statement, error) {
	s := splitter{text: text, line: 1}
	if err := s.checkWhole(); err != nil {
		return nil, err
	}
	for {
		statement, err := s.next()
		if err != nil {
			return nil, err
		}
		if statement == nil {
			return s.found, nil
		}
		s.found = append(s.found, *statement)
	}
}

// splitter is at a place in a dump.
type splitter struct {
	text  string
	at    int
	found []Statement

	line, counted int // line of the byte counted

	backslashes bool // standard_conforming_strings is off

	// Of the statement at hand:
	words    []string // its first ones outside of parentheses, in lower case
	last     string   // the token before, if it was a word outside of parentheses
	parens   int
	blocks   int // depth of BEGIN ATOMIC … END, and of CASE … END in it
	fromCopy bool
}

// checkWhole refuses what is no text, and a dump without its end.
func (s *splitter) checkWhole() error {
	if i := strings.IndexByte(s.text, 0); i >= 0 {
		return s.errorAt(i, "a zero byte: this is no plain dump")
	}
	text := strings.ReplaceAll("\n"+s.text[:min(len(s.text), 4096)], "\r\n", "\n")
	if !strings.Contains(text, header) {
		return nil
	}
	end := strings.ReplaceAll(s.text[max(0, len(s.text)-1<<20):], "\r\n", "\n")
	if !strings.Contains(end+"\n", trailer) {
		return s.errorAt(len(s.text), `the dump is cut off: "PostgreSQL database dump complete" is not there`)
	}
	return nil
}

// lineAt returns the line of a byte. Asked in ascending order, it is quick.
func (s *splitter) lineAt(i int) int {
	if i < s.counted {
		return 1 + strings.Count(s.text[:i], "\n")
	}
	s.line += strings.Count(s.text[s.counted:i], "\n")
	s.counted = i
	return s.line
}

func (s *splitter) errorAt(i int, format string, args ...any) error {
	return &Error{Line: s.lineAt(i), What: fmt.Sprintf(format, args...)}
}

// next returns the next statement, or nil at the end.
func (s *splitter) next() (*Statement, error) {
	s.words, s.last, s.parens, s.blocks, s.fromCopy = s.words[:0], "", 0, 0, false
	start, end := -1, -1 // of the tokens so far
	for {
		if err := s.skipBlank(); err != nil {
			return nil, err
		}
		if s.at == len(s.text) {
			if start < 0 {
				return nil, nil
			}
			if s.parens > 0 || s.blocks > 0 {
				return nil, s.errorAt(start, "the statement that begins here does not end")
			}
			return s.finish(start, end)
		}
		switch c := s.text[s.at]; {
		case c == ';' && s.parens == 0 && s.blocks == 0:
			s.at++
			if start >= 0 {
				return s.finish(start, end)
			}
			continue
		case c == '\\':
			if err := s.command(start >= 0); err != nil {
				return nil, err
			}
			continue
		}
		if start < 0 {
			start = s.at
		}
		if err := s.token(); err != nil {
			return nil, err
		}
		end = s.at
	}
}

// commandEnd is what may stand behind the name of a psql command.
const commandEnd = " \t\r\n"

// command passes over a command of psql's, or refuses it.
func (s *splitter) command(inStatement bool) error {
	rest := s.text[s.at:]
	name := rest
	if i := strings.IndexAny(rest, commandEnd); i >= 0 {
		name = rest[:i]
	}
	switch {
	case inStatement:
		return s.errorAt(s.at, "%s in the middle of a statement", name)
	case name == `\restrict` || name == `\unrestrict`:
		if i := strings.IndexByte(rest, '\n'); i >= 0 {
			s.at += i + 1
		} else {
			s.at = len(s.text)
		}
		return nil
	case name == `\connect` || name == `\c`:
		return s.errorAt(s.at, "%s leaves the database: dump one database, without --create and not with pg_dumpall", name)
	case name == `\.`:
		return s.errorAt(s.at, `\. without rows before it`)
	}
	return s.errorAt(s.at, "%s is a command of psql's, which no dump of pg_dump has", name)
}

// finish makes the statement of the bytes from start to end, and passes over
// its rows.
func (s *splitter) finish(start, end int) (*Statement, error) {
	statement := &Statement{Start: start, End: end, Line: s.lineAt(start)}
	s.noteSetting(s.text[start:end])
	if !s.fromCopy {
		return statement, nil
	}
	statement.Copy = true
	rest, rows, more := strings.Cut(s.text[s.at:], "\n")
	if strings.TrimSpace(rest) != "" {
		return nil, s.errorAt(s.at, "rows are to follow in the next line, not in this one: %q", rest)
	}
	if !more {
		return nil, s.errorAt(len(s.text), "the dump is cut off: no rows after COPY … FROM stdin")
	}
	statement.RowsStart = len(s.text) - len(rows)
	statement.RowsLine = s.lineAt(statement.RowsStart)
	for at := statement.RowsStart; at < len(s.text); {
		line, _, ended := strings.Cut(s.text[at:], "\n")
		if strings.TrimSuffix(line, "\r") == `\.` {
			statement.RowsEnd = at
			s.at = at + len(line)
			return statement, nil
		}
		at += len(line)
		if ended {
			at++
		}
	}
	return nil, s.errorAt(len(s.text), `the dump is cut off: the rows that begin in line %d do not end with \.`, statement.RowsLine)
}

// noteSetting follows the one parameter that changes how strings are read.
func (s *splitter) noteSetting(statement string) {
	if len(s.words) < 2 || s.words[0] != "set" || s.words[1] != "standard_conforming_strings" {
		return
	}
	_, value, _ := strings.Cut(statement, "=")
	s.backslashes = strings.Trim(strings.ToLower(value), " \t\r\n'") == "off"
}
