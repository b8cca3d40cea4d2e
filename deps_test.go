package standin_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/standin-go/standin"

// allowed names what the light packages may be built from besides the standard
// library, and why. Everything else is a weight that all users would carry.
var allowed = map[string]string{
	"golang.org/x/sys":         "the system calls behind a lease",
	"github.com/google/go-cmp": "the difference in a failure report",
	module + "/portpool":       "our own",
	module + "/fakes":          "our own",
	module + "/fixture":        "our own",
	module + "/internal":       "our own",
}

// light are the packages that have to stay light, each with what it must not
// import, however far away, and why not.
var light = []struct {
	pkg   string
	also  map[string]string // allowed as well
	never map[string]string
}{
	{pkg: "./portpool", never: map[string]string{
		"testing":  "a lease is of use outside tests, and testing adds its flags to every program",
		"net/http": "a port needs no protocol",
	}},
	{pkg: "./fakes/httpfake", never: map[string]string{
		"testing": "a fake runs outside tests too, and testing adds its flags to every program",
	}},
	{pkg: "./fakes/proxyfake", never: map[string]string{
		"testing":  "a fake runs outside tests too, and testing adds its flags to every program",
		"net/http": "it knows no protocol",
	}},
	{pkg: "./fixture"},
	{pkg: "./fixture/postgres", also: map[string]string{
		"github.com/jackc":        "pgx, the driver that tests speak to PostgreSQL with, and what it needs",
		"golang.org/x/text":       "pgx needs it for passwords",
		"golang.org/x/sync":       "pgx needs it for its pool",
		"github.com/ulikunitz/xz": "downloaded programs are packed so",
	}},
}

func TestLightPackagesStayLight(t *testing.T) {
	t.Parallel()
	for _, goos := range []string{"linux", "darwin", "windows"} {
		for _, l := range light {
			t.Run(goos+"/"+strings.TrimPrefix(l.pkg, "./"), func(t *testing.T) {
				t.Parallel()
				pkgs, err := listDeps(".", goos, l.pkg)
				if err != nil {
					t.Fatal(err)
				}
				all := maps.Clone(allowed)
				maps.Copy(all, l.also)
				for _, problem := range weigh(pkgs, all, l.never) {
					t.Error(problem)
				}
			})
		}
	}
}

// The check itself, on a small module that carries what it should not.
func TestWeighNamesTheChain(t *testing.T) {
	t.Parallel()
	dir := writeTree(t, map[string]string{
		"go.mod": "module example.com/light\n\ngo 1.26.0\n\nrequire example.com/docker v0.0.0\n\n" +
			"replace example.com/docker => ./docker\n",
		"light.go":                "package light\n\nimport _ \"example.com/light/deeper\"\n",
		"deeper/deeper.go":        "package deeper\n\nimport (\n\t_ \"example.com/docker/client\"\n\t_ \"testing\"\n)\n",
		"docker/go.mod":           "module example.com/docker\n\ngo 1.26.0\n",
		"docker/client/heavy.go":  "package client\n\nimport _ \"example.com/docker/engine\"\n",
		"docker/engine/engine.go": "package engine\n",
	})
	pkgs, err := listDeps(dir, "linux", ".")
	if err != nil {
		t.Fatal(err)
	}
	got := weigh(pkgs,
		map[string]string{"example.com/light": "our own"},
		map[string]string{"testing": "it adds flags"})
	want := []string{
		"example.com/docker/client must not be imported: it is neither in the standard library nor in the list of allowed modules\n" +
			"\tchain: example.com/light → example.com/light/deeper → example.com/docker/client",
		"testing must not be imported: it adds flags\n" +
			"\tchain: example.com/light → example.com/light/deeper → testing",
	}
	if !slices.Equal(got, want) {
		t.Errorf("weigh found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	got = weigh(pkgs, map[string]string{"example.com/light": "our own", "example.com/docker": "for once"}, nil)
	if len(got) != 0 {
		t.Errorf("weigh refused what its table allows:\n%s", strings.Join(got, "\n"))
	}
}

// pkg is what go list says of a package.
type pkg struct {
	ImportPath string
	Standard   bool
	Imports    []string
}

// listDeps lists what pattern is built from on goos, tests left out, the
// dependencies first and the package itself last.
func listDeps(dir, goos, pattern string) ([]pkg, error) {
	return goList(dir, goos, "-deps", pattern)
}

func goList(dir, goos string, args ...string) ([]pkg, error) {
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Standard,Imports"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0", "GOOS="+goos, "GOARCH=amd64")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%v (GOOS=%s): %w\n%s", cmd.Args, goos, err, stderr.Bytes())
	}
	var pkgs []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs, nil
		} else if err != nil {
			return nil, fmt.Errorf("what %v printed: %w", cmd.Args, err)
		}
		pkgs = append(pkgs, p)
	}
}

// weigh returns one complaint, with a shortest chain of imports, for each
// package that never names or that is neither standard nor below an allowed
// path. The last of pkgs is the package being weighed. What a refused package
// brings along goes unmentioned: it leaves with it.
func weigh(pkgs []pkg, allowed, never map[string]string) []string {
	byPath := make(map[string]pkg, len(pkgs))
	for _, p := range pkgs {
		byPath[p.ImportPath] = p
	}
	root := pkgs[len(pkgs)-1].ImportPath
	seen := map[string]bool{root: true}
	var problems []string
	for queue := [][]string{{root}}; len(queue) > 0; queue = queue[1:] {
		chain := queue[0]
		p := byPath[chain[len(chain)-1]]
		if why := refuse(p, allowed, never); why != "" {
			problems = append(problems, fmt.Sprintf("%s must not be imported: %s\n\tchain: %s",
				p.ImportPath, why, strings.Join(chain, " → ")))
			continue
		}
		for _, imported := range p.Imports {
			if _, listed := byPath[imported]; listed && !seen[imported] {
				seen[imported] = true
				queue = append(queue, append(slices.Clone(chain), imported))
			}
		}
	}
	slices.Sort(problems)
	return problems
}

// refuse says why p must not be imported, or nothing.
func refuse(p pkg, allowed, never map[string]string) string {
	if why, ok := never[p.ImportPath]; ok {
		return why
	}
	if p.Standard || belowAny(p.ImportPath, allowed) {
		return ""
	}
	return "it is neither in the standard library nor in the list of allowed modules"
}

func belowAny(path string, roots map[string]string) bool {
	for root := range roots {
		if below(path, root) {
			return true
		}
	}
	return false
}

func below(path, root string) bool {
	return path == root || strings.HasPrefix(path, root+"/")
}

// writeTree writes files into a new folder and returns it.
func writeTree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
