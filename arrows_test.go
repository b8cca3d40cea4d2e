package standin_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

type floor struct {
	folder string
	height int
}

// floors are the folders of the project. A package imports from its own height
// or from below, so the arrows go one way. The first folder that holds a package
// decides.
var floors = []floor{
	{"internal/bench", 4},
	{"internal", 0},
	{"portpool", 1},
	{"fakes", 2},
	{"fixture", 3},
	{"cmd", 4},
	{"examples", 4},
	{"", 0}, // the front page
}

func TestArrowsGoOneWay(t *testing.T) {
	t.Parallel()
	for _, goos := range []string{"linux", "darwin", "windows"} {
		t.Run(goos, func(t *testing.T) {
			t.Parallel()
			pkgs, err := goList(".", goos, "./...")
			if err != nil {
				t.Fatal(err)
			}
			for _, problem := range wrongArrows(pkgs) {
				t.Error(problem)
			}
		})
	}
}

// The check itself, on arrows drawn for it.
func TestWrongArrowsAreNamed(t *testing.T) {
	t.Parallel()
	cases := []struct {
		from, to string
		wrong    bool
	}{
		{"portpool", "internal/guard", false},
		{"fakes/httpfake", "portpool", false},
		{"fakes/awsfake", "fakes/httpfake", false},
		{"fixture/postgres", "fixture", false},
		{"cmd/standin", "fixture", false},
		{"internal/bench", "fixture", false},
		{"examples/checkout", "fixture", false},
		{"internal/guard", "portpool", true},
		{"internal/guard", "internal/bench", true},
		{"portpool", "fakes/httpfake", true},
		{"fakes/httpfake", "fixture", true},
		{"fixture", "cmd/standin", true},
		{"", "fixture", true},
	}
	for _, c := range cases {
		from, to := strings.TrimSuffix(module+"/"+c.from, "/"), module+"/"+c.to
		got := wrongArrows([]pkg{{ImportPath: from, Imports: []string{"fmt", to}}})
		want := []string{}
		if c.wrong {
			want = []string{fmt.Sprintf("%s imports %s: the arrows go fixture → fakes → portpool → internal", from, to)}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s → %s: wrongArrows says %q, want %q", from, to, got, want)
		}
	}
}

// wrongArrows returns one complaint for each import that points up.
func wrongArrows(pkgs []pkg) []string {
	problems := []string{}
	for _, p := range pkgs {
		for _, imported := range p.Imports {
			if below(imported, module) && height(imported) > height(p.ImportPath) {
				problems = append(problems, fmt.Sprintf("%s imports %s: the arrows go fixture → fakes → portpool → internal", p.ImportPath, imported))
			}
		}
	}
	return problems
}

func height(path string) int {
	path = strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
	i := slices.IndexFunc(floors, func(f floor) bool { return f.folder == "" || below(path, f.folder) })
	return floors[i].height
}
