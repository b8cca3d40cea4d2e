package main

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// showFailing runs a test that has a mistake in it.
func (d *demo) showFailing() error {
	d.heading("A test fails, on purpose")
	d.say(`Whoever wrote this test took the provider's path for /charge; the client
requests /charges. This is all of what go test says:
`)
	const test = "TestWithAMistake"
	d.say("$ go test -tags=mistake -run=%s ./checkout/payments", test)
	out, err := d.command("go", "test", "-count=1", "-tags=mistake", "-run="+test, "./checkout/payments").CombinedOutput()
	d.say("%s", out)
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return fmt.Errorf("the test should have failed, and go test ended with %v", err)
	}
	for _, want := range []string{test, "POST /charges", "POST /charge", "mistake_test.go:"} {
		if !strings.Contains(string(out), want) {
			return fmt.Errorf("the report does not say %q", want)
		}
	}
	return nil
}
