// Package golden compares what a test got with a file of its testdata folder, so
// that a report is read and reviewed as the reader gets it. It is for the tests
// of this project only.
//
//	go test ./fixture -update
//
// writes the files anew.
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Changing is a part of a text that is another in each run, and what stands for
// it in the file. As may use the groups of Pattern: "${1}".
type Changing struct {
	Pattern *regexp.Regexp
	As      string
}

// Files compares texts with files, or writes them.
type Files struct {
	update   *bool
	changing []Changing
}

// New defines the flag -update, so it is for a variable of a test package. What
// is another in each run everywhere is known: ports of 127.0.0.1, times, lines of
// test files.
func New(changing ...Changing) *Files {
	return &Files{
		update: flag.Bool("update", false, "write testdata anew instead of comparing with it"),
		changing: append([]Changing{
			{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:PORT"},
			{regexp.MustCompile(`(?m)^( *#\d+ +)\d[0-9.]*[nµm]?s +`), "${1}TIME  "},
			{regexp.MustCompile(`\b\d[0-9.]*[nµm]?s after the start`), "TIME after the start"},
			{regexp.MustCompile(`\(\d+\.\d+s\)`), "(TIME)"},
			{regexp.MustCompile(`(_test\.go):\d+`), "${1}:LINE"},
			{regexp.MustCompile(`\.func\d+(\.\d+)*`), ".func"}, // the compiler's name
		}, changing...),
	}
}

// Check compares text with testdata/name.txt, line by line.
func (f *Files) Check(t *testing.T, name, text string) {
	t.Helper()
	for _, c := range f.changing {
		text = c.Pattern.ReplaceAllString(text, c.As)
	}
	text = strings.TrimRight(text, "\n") + "\n"
	file := filepath.Join("testdata", name+".txt")
	if *f.update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; write it with go test -run '%s' -update", err, t.Name())
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(text, "\n")); diff != "" {
		t.Errorf("the text is not that of %s (-file +text); if it is better, write it with -update:\n%s", file, diff)
	}
}
