package httpfake

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// mistake tells the mistake of a call that writes a stub.
func (s *Server) mistake(format string, args ...any) {
	s.mistakeAt(caller(), fmt.Sprintf(format, args...))
}

func (s *Server) mistakeAt(at place, problem string) {
	err := errors.New(at.String() + ": " + problem)
	if s.fail == nil {
		panic(err)
	}
	s.fail(err)
	// It has returned: nobody has been stopped by the mistake.
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mistakes.add(err)
}

// place is where the user's code called this package. It is kept as program
// counters and resolved when it is read, since most places never are.
type place [8]uintptr

// caller returns the place of the call into this package.
func caller() place {
	var p place
	runtime.Callers(2, p[:])
	return p
}

// ours are the packages whose frames are not the user's.
var ours = []string{
	"github.com/standin-go/standin/fakes/httpfake.",
	"github.com/standin-go/standin/fixture.",
}

func isOurs(function string) bool {
	for _, prefix := range ours {
		if strings.HasPrefix(function, prefix) {
			return true
		}
	}
	return false
}

// String returns the file and line, as a path from the current folder if the
// file is below it.
func (p place) String() string {
	n := 0
	for n < len(p) && p[n] != 0 {
		n++
	}
	frames := runtime.CallersFrames(p[:n])
	for {
		frame, more := frames.Next()
		if !isOurs(frame.Function) && frame.File != "" {
			return fmt.Sprintf("%s:%d", fromHere(frame.File), frame.Line)
		}
		if !more {
			return "unknown place"
		}
	}
}

func fromHere(file string) string {
	wd, err := os.Getwd()
	if err != nil {
		return file
	}
	rel, err := filepath.Rel(wd, filepath.FromSlash(file))
	if err != nil || !filepath.IsLocal(rel) {
		return file
	}
	return filepath.ToSlash(rel)
}
