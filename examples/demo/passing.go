package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// event is a line of go test -json; see go doc test2json.
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

// tally is what the events of a run add up to.
type tally struct {
	passed, failed int
	packages       int
	standins       map[string]bool // by address
	printed        bytes.Buffer
}

var standin = regexp.MustCompile(`http://(127\.\d+\.\d+\.\d+:\d+)`)

func read(r io.Reader) (*tally, error) {
	t := &tally{standins: make(map[string]bool)}
	isParent := make(map[string]bool)
	for decoder := json.NewDecoder(r); ; {
		var e event
		if err := decoder.Decode(&e); err == io.EOF {
			return t, nil
		} else if err != nil {
			return nil, fmt.Errorf("read go test's events: %w", err)
		}
		if e.Action == "run" {
			if i := strings.LastIndexByte(e.Test, '/'); i >= 0 {
				isParent[e.Package+" "+e.Test[:i]] = true
			}
		}
		if m := standin.FindStringSubmatch(e.Output); m != nil {
			t.standins[m[1]] = true
		}
		isTest := e.Test != "" && !isParent[e.Package+" "+e.Test]
		switch {
		case e.Action == "pass" && isTest:
			t.passed++
		case e.Action == "pass" && e.Test == "":
			t.packages++
		case e.Action == "fail" && isTest:
			t.failed++
		case e.Action == "output":
			t.printed.WriteString(e.Output)
		}
	}
}

// showPassing runs the tests of the service.
func (d *demo) showPassing() error {
	d.heading("A checkout service is tested")
	d.say(`It talks to a payment provider and a warehouse over HTTP, to a tax daemon that
is a program of its own, and to a carrier whose port is always 62893. Every
test gets all of these for itself, on 127.x.y.z, and all tests run at once.
`)
	d.say("$ go test %s    (compiling first)", packages)
	t, elapsed, err := d.test(packages)
	if err != nil {
		return err
	}
	d.say("%d tests passed in %d packages, in %.1f s, with %d HTTP stand-ins on as many ports.",
		t.passed, t.packages, elapsed.Seconds(), len(t.standins))
	if t.passed < 300 || len(t.standins) < 300 {
		return fmt.Errorf("%d tests with %d stand-ins are fewer than there should be", t.passed, len(t.standins))
	}
	return nil
}
