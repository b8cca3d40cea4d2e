package pgprograms

import (
	"fmt"
	"strings"
)

// Looked is a place that was looked at, and why it did not do.
type Looked struct{ Place, Found string }

// NotFoundError says that no server program was found that will do.
type NotFoundError struct {
	OS     string
	Named  string // what Variable named, if it did
	Looked []Looked
}

// Error lists the places, and how to get the programs.
func (e *NotFoundError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "no PostgreSQL server program (%d or newer) was found:", Oldest)
	width := 0
	for _, l := range e.Looked {
		width = max(width, len(l.Place))
	}
	for _, l := range e.Looked {
		fmt.Fprintf(&b, "\n  %-*s  %s", width, l.Place, l.Found)
	}
	if e.Named != "" {
		fmt.Fprintf(&b, "\n%s=%s has to name the folder of postgres and initdb; without it the usual places are looked at.", Variable, e.Named)
		return b.String()
	}
	b.WriteString("\nTo get one:")
	for _, remedy := range remedies(e.OS) {
		b.WriteString("\n  " + remedy)
	}
	if e.OS != "windows" {
		b.WriteString("\n  a download, kept for later runs: STANDIN_POSTGRES=download")
	}
	fmt.Fprintf(&b, "\n  programs elsewhere: %s=/folder/of/postgres/and/initdb", Variable)
	b.WriteString("\n  a server that runs already: STANDIN_POSTGRES=postgres://user:password@host:5432/postgres")
	return b.String()
}

func remedies(os string) []string {
	switch os {
	case "windows":
		return []string{
			"installer: https://www.postgresql.org/download/windows/",
			"Scoop: scoop install postgresql",
		}
	case "darwin":
		return []string{
			"Homebrew: brew install postgresql@17",
			"Postgres.app: https://postgresapp.com",
			"MacPorts: sudo port install postgresql17-server",
		}
	}
	return []string{
		"Debian, Ubuntu: sudo apt-get install postgresql",
		"Fedora, Red Hat: sudo dnf install postgresql-server",
		"Alpine: sudo apk add postgresql",
		"Arch: sudo pacman -S postgresql",
		"SUSE: sudo zypper install postgresql-server",
	}
}
