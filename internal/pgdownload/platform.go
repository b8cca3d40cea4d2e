package pgdownload

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// thisMachine is the platform of this machine.
func thisMachine() (string, error) {
	machine := ""
	if runtime.GOARCH == "arm" {
		out, err := exec.Command("uname", "-m").Output()
		if err != nil {
			return "", fmt.Errorf("ask for the kind of this machine: %w", err)
		}
		machine = strings.TrimSpace(string(out))
	}
	_, notAlpine := os.Stat("/etc/alpine-release")
	return Platform(runtime.GOOS, runtime.GOARCH, machine, notAlpine == nil)
}

// Platform names a platform as the archives do. A machine with 32-bit ARM also
// has a name of its own, that of uname -m; musl tells Alpine's C library from
// that of other Linux systems.
func Platform(goos, goarch, machine string, musl bool) (string, error) {
	architectures := map[string]string{}
	switch goos {
	case "linux":
		architectures = map[string]string{"amd64": "amd64", "arm64": "arm64v8", "386": "i386", "ppc64le": "ppc64le", "arm": "arm32v7"}
		if strings.HasPrefix(machine, "armv6") || musl { // there is no other for Alpine
			architectures["arm"] = "arm32v6"
		}
	case "darwin":
		architectures = map[string]string{"amd64": "amd64", "arm64": "arm64v8"}
	case "windows":
		architectures = map[string]string{"amd64": "amd64"}
	}
	architecture := architectures[goarch]
	if architecture == "" {
		return "", fmt.Errorf("there are no PostgreSQL programs to download for %s/%s, but for linux (amd64, arm64, arm, 386, ppc64le), darwin (amd64, arm64) and windows (amd64)", goos, goarch)
	}
	if musl && goos == "linux" {
		architecture += "-alpine"
	}
	return goos + "-" + architecture, nil
}
