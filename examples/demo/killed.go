package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// showKilled kills a test binary in the middle of its tests.
func (d *demo) showKilled() error {
	d.heading("3. A test run is killed half-way")
	binary := filepath.Join(d.folder, "checkout.test")
	if out, err := d.command("go", "test", "-c", "-o", binary, "./checkout").CombinedOutput(); err != nil {
		return fmt.Errorf("compile the test: %w\n%s", err, out)
	}
	cmd := d.command(binary, "-test.v", "-test.parallel=16")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	// Some lines in, tests have their stand-ins and programs.
	started := 0
	for lines := bufio.NewScanner(stdout); started < 20 && lines.Scan(); {
		if strings.Contains(lines.Text(), "stand-in at") {
			started++
		}
	}
	running := d.processes()
	if err := cmd.Process.Kill(); err != nil {
		return err
	}
	if err := cmd.Wait(); err == nil {
		return fmt.Errorf("the test binary ended before it was killed")
	}
	d.say("SIGKILL to the test binary, with its tests and %s under way: no Cleanup ran.", count(max(0, len(running)-1), "child program"))
	return os.Remove(binary)
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprint(n, " ", what)
}
