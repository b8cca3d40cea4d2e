package standin_test

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A module that the Makefile or go.work does not know is a module that nobody
// tests.
func TestEveryModuleIsTested(t *testing.T) {
	t.Parallel()
	var found []string
	walkFiles(t, func(name string) {
		if path.Base(name) == "go.mod" && path.Dir(name) != "tools" {
			found = append(found, path.Dir(name))
		}
	})
	slices.Sort(found)

	makefile := readFile(t, "Makefile")
	line := regexp.MustCompile(`(?m)^MODULES\s*:=(.*)$`).FindStringSubmatch(makefile)
	if line == nil {
		t.Fatal("Makefile has no line MODULES := …")
	}
	if got := strings.Fields(line[1]); !slices.Equal(got, found) {
		t.Errorf("Makefile tests the modules %q; the tree has %q", got, found)
	}

	var used []string
	for _, m := range regexp.MustCompile(`(?m)^\t(\.\S*)$`).FindAllStringSubmatch(readFile(t, "go.work"), -1) {
		used = append(used, path.Clean(m[1]))
	}
	slices.Sort(used)
	if !slices.Equal(used, found) {
		t.Errorf("go.work uses the modules %q; the tree has %q", used, found)
	}
}

// One file, one idea.
func TestFilesStayShort(t *testing.T) {
	t.Parallel()
	const limit = 500
	seen := 0
	walkFiles(t, func(name string) {
		if path.Ext(name) != ".go" {
			return
		}
		seen++
		if n := strings.Count(readFile(t, name), "\n"); n > limit {
			t.Errorf("%s has %d lines; a file over %d holds more than one idea: divide it", name, n, limit)
		}
	})
	if seen == 0 {
		t.Fatal("no Go file found: this test looks in the wrong place")
	}
}

// walkFiles calls visit with the slash-separated name of every file of the
// project, test data and hidden folders left out.
func walkFiles(t *testing.T, visit func(name string)) {
	t.Helper()
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if base := entry.Name(); name != "." && (base == "testdata" || strings.HasPrefix(base, ".")) {
				return fs.SkipDir
			}
			return nil
		}
		visit(name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
