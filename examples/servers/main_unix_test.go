//go:build unix

package servers

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// need returns the path of a program, the first of some names that is there. A
// test without its program is skipped, except with CI=true.
func need(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("none of %q is here; .ci/setup installs it", names)
	}
	t.Skipf("none of %q is here; make setup installs it", names)
	return ""
}

// python is the system's, which has the packages that the system installs.
func python(t *testing.T, module string) string {
	t.Helper()
	path := need(t, "/usr/bin/python3", "python3")
	if out, err := exec.Command(path, "-c", "import "+module).CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no %s; .ci/setup installs it: %v\n%s", module, err, out)
		}
		t.Skipf("no %s; make setup installs it", module)
	}
	return path
}

// build builds a program of this folder.
func build(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("go", "build", "-o", path, "./"+name).CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, out)
	}
	return path
}

func get(t *testing.T, url string) (body string, header http.Header) {
	t.Helper()
	client := http.Client{Timeout: 30 * time.Second}
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Errorf("GET %s: %s\n%s", url, response.Status, text)
	}
	return string(text), response.Header
}
