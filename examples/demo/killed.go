package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// showKilled kills test binaries in the middle of their tests.
func (d *demo) showKilled() error {
	d.heading("Test runs are killed half-way")
	children, err := d.kill("./checkout", "stand-in at")
	if err != nil {
		return err
	}
	d.say("SIGKILL to the tests of the checkout, with their stand-ins and %s under way: no Cleanup ran.", count(children, "child program"))
	if !d.postgres {
		return nil
	}
	if children, err = d.kill("./orders", "database standin_"); err != nil {
		return err
	}
	d.say("SIGKILL to the tests of the orders, with their databases and %s of the server.", count(children, "process"))
	return nil
}

// kill starts the tests of a package and kills them when they have logged 20
// lines with mark in them. It returns how many processes they had started.
func (d *demo) kill(tests, mark string) (children int, err error) {
	binary := filepath.Join(d.folder, filepath.Base(tests)+".test")
	if out, err := d.command("go", "test", "-c", "-o", binary, tests).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("compile the test: %w\n%s", err, out)
	}
	defer func() { err = errors.Join(err, os.Remove(binary)) }()
	cmd := d.command(binary, "-test.v", "-test.parallel=16")
	cmd.Dir = tests
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	// Some lines in, tests have what they asked for.
	seen := 0
	for lines := bufio.NewScanner(stdout); seen < 20 && lines.Scan(); {
		if strings.Contains(lines.Text(), mark) {
			seen++
		}
	}
	running := d.processes()
	if err := cmd.Process.Kill(); err != nil {
		return 0, err
	}
	if err := cmd.Wait(); err == nil {
		return 0, fmt.Errorf("the test binary ended before it was killed")
	}
	return max(0, len(running)-1), nil
}

func count(n int, what string) string {
	switch {
	case n != 1 && strings.HasSuffix(what, "s"):
		what += "es"
	case n != 1:
		what += "s"
	}
	return fmt.Sprint(n, " ", what)
}
