// Package lifetime is a testing.TB outside of a test: for runnable examples,
// which get none, and for measuring what a fixture costs from its start to its
// end. It is for this project only, and no way to use fixtures in programs.
package lifetime

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
)

// T takes the cleanups of fixtures until End. What it does not have, such as
// Run, panics.
type T struct {
	testing.TB
	ctx    context.Context
	cancel context.CancelFunc

	mu       sync.Mutex
	cleanups []func()
	failures []string
}

// New begins a lifetime.
func New() *T {
	t := new(T)
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t
}

// End ends the context and runs the cleanups, last first, as a test does, and
// returns what failed.
func (t *T) End() error {
	t.cancel()
	for f := t.pop(); f != nil; f = t.pop() {
		f()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.failures) > 0 {
		return fmt.Errorf("the fixture failed: %s", strings.Join(t.failures, "\n"))
	}
	return nil
}

func (t *T) pop() func() {
	t.mu.Lock()
	defer t.mu.Unlock()
	last := len(t.cleanups) - 1
	if last < 0 {
		return nil
	}
	f := t.cleanups[last]
	t.cleanups = slices.Delete(t.cleanups, last, last+1)
	return f
}

func (t *T) fail(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failures = append(t.failures, text)
}

// What follows is of testing.TB. A fatal failure panics: nothing would catch
// the end of the goroutine.

func (t *T) Cleanup(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cleanups = append(t.cleanups, f)
}

func (t *T) Failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.failures) > 0
}

func (t *T) Context() context.Context          { return t.ctx }
func (t *T) Error(args ...any)                 { t.fail(fmt.Sprintln(args...)) }
func (t *T) Errorf(format string, args ...any) { t.fail(fmt.Sprintf(format, args...)) }
func (t *T) Fatal(args ...any)                 { panic(fmt.Sprintln(args...)) }
func (t *T) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (*T) Helper()                             {}
func (*T) Log(...any)                          {}
func (*T) Logf(string, ...any)                 {}
func (*T) Name() string                        { return "outside of a test" }
func (*T) Output() io.Writer                   { return io.Discard }
