// Package childtest lets a test binary run one of its tests, TestChild, in place
// of the others: for tests that are to fail or to be killed, which need a process
// of their own. It is for the tests of this project only.
package childtest

import (
	"flag"
	"os"
)

// Select picks what the binary runs, before m.Run: TestChild alone where the
// variable is set, and all but TestChild elsewhere. A -run or -skip on the
// command line goes before it.
func Select(variable string) (child bool) {
	flag.Parse()
	child = os.Getenv(variable) != ""
	which := "test.skip"
	if child {
		which = "test.run"
	}
	if flag.Lookup(which).Value.String() == "" {
		if err := flag.Set(which, "^TestChild$"); err != nil {
			panic(err) // testing has no such flag any more
		}
	}
	return child
}
