package childtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"testing"
)

// Quick is this test binary without the race detector, for children of which
// there are many. It is built anew where this one has it.
func Quick(tb testing.TB) string {
	tb.Helper()
	info, ok := debug.ReadBuildInfo()
	if ok && !slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		return os.Args[0]
	}
	binary := filepath.Join(tb.TempDir(), "quick.test")
	cmd := exec.Command("go", "test", "-c", "-o", binary, ".")
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	return binary
}
