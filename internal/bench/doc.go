// Package main measures standin against its peers, all in one interleaved
// run, and prints ratios. It is a module of its own so that the peers stay out
// of the requirements of standin's users. It is not a test: nothing here passes
// or fails on a time.
package main
