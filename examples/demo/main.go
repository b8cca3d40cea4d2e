// Command demo shows what standin does: it tests a checkout service, lets one
// test fail so that its report can be seen, kills a test half-way, and then
// looks for anything that was left behind.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	d := &demo{out: os.Stdout}
	err := d.run()
	err = errors.Join(err, os.RemoveAll(d.folder), os.RemoveAll(d.servers))
	if err != nil {
		fmt.Fprintln(os.Stderr, "\nThe demo did not go as it should:", err)
		os.Exit(1)
	}
}

// packages are the packages under test, each a test binary of its own.
const packages = "./checkout/..."

// demo is one run.
type demo struct {
	out      io.Writer
	folder   string // for every temporary file of the tests
	servers  string // for the data of database servers
	mark     string // by which the processes of the tests are known
	postgres bool   // there are its programs
	headings int
}

func (d *demo) run() (err error) {
	if _, err := exec.LookPath("go"); err != nil {
		return fmt.Errorf("%w: install Go 1.26 or later", err)
	}
	if d.folder, err = os.MkdirTemp("", "standin-demo-"); err != nil {
		return err
	}
	if err := d.makeServerFolder(); err != nil {
		return err
	}
	d.mark = "STANDIN_DEMO=" + filepath.Base(d.folder)
	before, err := listening()
	if err != nil {
		return err
	}
	for _, step := range []func() error{d.showPassing, d.showDatabase, d.showFailing, d.showKilled} {
		if err := step(); err != nil {
			return err
		}
	}
	if err := d.audit(before); err != nil {
		return err
	}
	d.say(`
That is standin. Read examples/checkout and examples/orders to see how the tests
are written; README.md begins with a test of your own.`)
	return nil
}

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.out, format+"\n", args...) }

func (d *demo) heading(title string) {
	d.headings++
	title = fmt.Sprintf("%d. %s", d.headings, title)
	d.say("\n%s\n%s", title, strings.Repeat("─", len([]rune(title))))
}

// command runs in the folder for temporary files and bears the mark.
func (d *demo) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), d.mark, "TMPDIR="+d.folder, "TEMP="+d.folder, "TMP="+d.folder, "STANDIN_DIR="+d.servers)
	return cmd
}
