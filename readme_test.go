package standin_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The Go code of the README compiles in a module that requires this one, and
// its complete tests pass there.
func TestReadmeCode(t *testing.T) {
	t.Parallel()
	blocks := goBlocks(readFile(t, "README.md"))
	if len(blocks) == 0 {
		t.Fatal("README.md has no Go block: this test looks for the wrong thing")
	}
	if err := testBlocks(t, "README.md", blocks); err != nil {
		t.Error(err)
	}
}

// The check itself: what it cannot compile it names by the README's line.
func TestReadmeCodeFailsByLine(t *testing.T) {
	t.Parallel()
	markdown := strings.Join([]string{
		"# A page",             // 1
		"```go",                // 2
		"srv := 1",             // 3
		"_ = srv.Missing",      // 4
		"```",                  // 5
		"```sh",                // 6
		"not Go",               // 7
		"```",                  // 8
		"  ```go",              // 9
		"  package shop_test",  // 10
		"",                     // 11
		"  import \"testing\"", // 12
		"",                     // 13
		"  func TestShop(t *testing.T) { t.Error(\"out of stock\") }", // 14
		"  ```",                   // 15
		"```go",                   // 16
		"func f(t *testing.T) {",  // 17
		"\tt.Logf(\"%d\", \"a\")", // 18
		"}",                       // 19
		"```",
	}, "\n")
	err := testBlocks(t, "PAGE.md", goBlocks(markdown))
	if err == nil {
		t.Fatal("three broken blocks passed")
	}
	for _, want := range []string{"PAGE.md:4: srv.Missing undefined", "PAGE.md:14: out of stock", "PAGE.md:18:"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the failure does not say %q:\n%v", want, err)
		}
	}
}

// block is a fenced Go block; line is that of its first line of code.
type block struct {
	line int
	code string
}

func goBlocks(markdown string) []block {
	var blocks []block
	var inside bool
	for i, line := range strings.Split(markdown, "\n") {
		switch fence := strings.TrimSpace(line); {
		case inside && fence == "```":
			inside = false
		case inside:
			blocks[len(blocks)-1].code += line + "\n"
		case fence == "```go":
			inside = true
			blocks = append(blocks, block{line: i + 2})
		}
	}
	return blocks
}

// testBlocks vets, compiles and runs each block in a package of its own, in a
// module that requires what the block uses.
func testBlocks(t *testing.T, page string, blocks []block) error {
	t.Helper()
	files := map[string]map[string]string{}
	for _, b := range blocks {
		source, err := b.source(page)
		if err != nil {
			return err
		}
		folder := "."
		if strings.Contains(source, module+"/fixture/containers") {
			folder = "fixture/containers"
		}
		if files[folder] == nil {
			if files[folder], err = reader(t, folder); err != nil {
				return err
			}
		}
		files[folder][fmt.Sprintf("line%d/page_test.go", b.line)] = source
	}
	var errs []error
	for _, tree := range files {
		cmd := exec.CommandContext(t.Context(), "go", "test", "-vet=all", "-count=1", "./...")
		cmd.Dir = writeTree(t, tree)
		cmd.Env = append(os.Environ(), "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			errs = append(errs, fmt.Errorf("the Go code of %s: %w\n%s", page, err, out))
		}
	}
	return errors.Join(errs...)
}

// reader is the module of somebody who uses the module in a folder.
func reader(t *testing.T, folder string) (map[string]string, error) {
	t.Helper()
	root, err := filepath.Abs(".")
	if err != nil {
		return nil, err
	}
	gomod := readFile(t, path.Join(folder, "go.mod"))
	gomod = regexp.MustCompile(`(?m)^module .*$`).ReplaceAllString(gomod, "module example.com/reader")
	gomod = regexp.MustCompile(`(?m)^replace .*$`).ReplaceAllString(gomod, "")
	for _, m := range []string{"", "fixture/containers"} {
		name := path.Join(module, m)
		if !strings.Contains(gomod, name+" v") && (m == "" || m == folder) {
			gomod += fmt.Sprintf("\nrequire %s v0.0.0\n", name)
		}
		gomod += fmt.Sprintf("\nreplace %s => %q\n", name, filepath.ToSlash(filepath.Join(root, m)))
	}
	return map[string]string{"go.mod": gomod, "go.sum": readFile(t, path.Join(folder, "go.sum"))}, nil
}

// source makes a file of the block. A fragment gets a package clause and the
// imports it uses, and statements a test to stand in. Positions are the page's.
func (b block) source(page string) (string, error) {
	at := fmt.Sprintf("//line %s:%d\n", page, b.line)
	if parses(b.code) {
		return at + b.code, nil
	}
	before, after := "", ""
	if !parses("package page\n" + b.code) {
		before, after = "func _(t *testing.T) {\n", "}\n"
	}
	file, err := parser.ParseFile(token.NewFileSet(), "", "package page\n"+before+at+b.code+after, 0)
	if err != nil {
		return "", fmt.Errorf("the block at %s:%d is neither a file, nor declarations, nor statements: %w", page, b.line, err)
	}
	var imports strings.Builder
	for _, p := range importsOf(file) {
		fmt.Fprintf(&imports, "import %q\n", p)
	}
	return "package page\n" + imports.String() + before + at + b.code + after, nil
}

func parses(code string) bool {
	_, err := parser.ParseFile(token.NewFileSet(), "", code, 0)
	return err == nil
}

// importable are the packages that a fragment may use without an import.
var importable = []string{
	"context", "errors", "fmt", "io", "net", "net/http", "os", "os/exec", "strconv", "strings", "testing", "testing/fstest", "time",
	module + "/fakes/httpfake", module + "/fakes/proxyfake", module + "/fixture", module + "/fixture/containers", module + "/fixture/postgres", module + "/portpool",
}

// importsOf returns the importable packages that file uses and does not import.
func importsOf(file *ast.File) []string {
	used := map[string]bool{}
	for _, ident := range file.Unresolved {
		used[ident.Name] = true
	}
	for _, spec := range file.Imports {
		delete(used, path.Base(strings.Trim(spec.Path.Value, `"`)))
	}
	return slices.DeleteFunc(slices.Clone(importable), func(p string) bool { return !used[path.Base(p)] })
}
