//go:build !linux

package main

import (
	"fmt"
	"os"
)

// pickGuards has nothing to measure where there are no guards.
func pickGuards(*report, scale) error {
	fmt.Fprintln(os.Stderr, "bench: no guards on this system, so their cost is not measured")
	return nil
}
