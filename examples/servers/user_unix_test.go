//go:build unix

package servers

import (
	"os"
	"testing"
)

// asRoot is a line of a configuration for a server that root starts: it would
// become another user, who cannot read the folder of a test.
func asRoot(line string) string {
	if os.Getuid() == 0 {
		return line
	}
	return ""
}

// openFolder is one that other users can read: a server of root becomes one.
func openFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "servers-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	return folder
}
