// Package pgprograms finds the PostgreSQL server programs of this machine:
// where PATH, the packages of the systems and the installers put them, and
// which version they are. It looks at files and asks "postgres --version"; it
// installs and starts nothing.
package pgprograms

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Variable names the environment variable that says which folder to use.
const Variable = "STANDIN_POSTGRES_BIN"

// Oldest is the oldest major version that a stand-in may run on.
const Oldest = 13

// Programs is a folder that has the programs of a server.
type Programs struct {
	Dir    string // absolute
	system *System
}

// Path is the path of a program: "postgres", "initdb", "psql". It need not
// exist; the folder is known to have postgres and initdb.
func (p Programs) Path(program string) string {
	return filepath.Join(p.Dir, program+p.system.suffix())
}

// Version asks the server program for its version.
func (p Programs) Version(ctx context.Context) (Version, error) {
	text, err := p.system.run(ctx, p.Path("postgres"), "--version")
	if err != nil {
		return Version{}, err
	}
	v, err := ParseVersion(text)
	if err != nil {
		return Version{}, fmt.Errorf("%s --version: %w", p.Path("postgres"), err)
	}
	return v, nil
}

// System is where programs are looked for. The zero value is this machine.
type System struct {
	OS     string                   // as runtime.GOOS; default: this one's
	Root   string                   // what stands for / (C:\ on Windows); default: the real one
	Getenv func(name string) string // default: os.Getenv
	// Run runs a program and returns what it printed. Default: it is run.
	Run func(ctx context.Context, program string, args ...string) (string, error)
}

// In returns the programs of a folder, which has to have those of a server.
func (s System) In(dir string) (Programs, error) {
	if missing := s.missing(dir); missing != "" {
		return Programs{}, errors.New(missing)
	}
	return Programs{Dir: dir, system: &s}, nil
}

// Find returns the folders that have a server's programs, best first: the one
// that Variable names and no other, or that of PATH, and then the known places,
// newest version first. Its error is a *NotFoundError when there is none.
func (s System) Find() ([]Programs, error) {
	var looked []Looked
	if dir := s.getenv(Variable); dir != "" {
		programs, err := s.In(dir)
		if err != nil {
			return nil, &NotFoundError{OS: s.os(), Named: dir, Looked: []Looked{{Place: dir, Found: err.Error()}}}
		}
		return []Programs{programs}, nil
	}
	var found []Programs
	for _, dir := range filepath.SplitList(s.getenv("PATH")) {
		if filepath.IsAbs(dir) && s.missing(dir) == "" {
			found = append(found, Programs{Dir: dir, system: &s})
			break
		}
	}
	if len(found) == 0 {
		looked = append(looked, Looked{Place: "PATH", Found: "no folder with both postgres and initdb"})
	}
	for _, place := range s.places() {
		dirs := s.glob(place)
		slices.SortStableFunc(dirs, func(a, b string) int { return compareNatural(b, a) })
		note := "no such folder"
		for _, dir := range dirs {
			missing := s.missing(dir)
			switch {
			case missing != "":
				note = missing
			case !slices.ContainsFunc(found, func(p Programs) bool { return p.Dir == dir }):
				found = append(found, Programs{Dir: dir, system: &s})
			}
		}
		looked = append(looked, Looked{Place: place, Found: note})
	}
	if len(found) == 0 {
		return nil, &NotFoundError{OS: s.os(), Looked: looked}
	}
	return found, nil
}

// Choose returns the first of Find whose version is Oldest or newer.
func (s System) Choose(ctx context.Context) (Programs, Version, error) {
	all, err := s.Find()
	if err != nil {
		return Programs{}, Version{}, err
	}
	none := &NotFoundError{OS: s.os(), Named: s.getenv(Variable)}
	for _, p := range all {
		v, err := p.Version(ctx)
		switch {
		case ctx.Err() != nil:
			return Programs{}, Version{}, ctx.Err()
		case err != nil:
			none.Looked = append(none.Looked, Looked{Place: p.Dir, Found: err.Error()})
		case v.Major < Oldest:
			none.Looked = append(none.Looked, Looked{Place: p.Dir, Found: fmt.Sprintf("version %s, and %d is the oldest that will do", v, Oldest)})
		default:
			return p, v, nil
		}
	}
	return Programs{}, Version{}, none
}

// missing says what the folder lacks, or nothing.
func (s System) missing(dir string) string {
	for _, program := range []string{"postgres", "initdb"} {
		file := filepath.Join(dir, program+s.suffix())
		info, err := os.Stat(file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return "no " + program + " in " + dir
		case err != nil:
			return err.Error()
		case info.IsDir() || s.suffix() == "" && info.Mode()&0o111 == 0:
			return file + " is not a program"
		}
	}
	return ""
}

func (s System) glob(place string) []string {
	pattern := filepath.Join(s.Root, filepath.FromSlash(place))
	if s.Root == "" && s.os() == "windows" {
		pattern = filepath.FromSlash(place)
	}
	dirs, err := filepath.Glob(pattern)
	if err != nil {
		return nil // the patterns are constant: only a folder's name can spoil one
	}
	return dirs
}

// places are the patterns of folders in which packages and installers put the
// programs, with slashes.
func (s System) places() []string {
	home := filepath.ToSlash(s.getenv("HOME"))
	switch s.os() {
	case "windows":
		places := []string{}
		for _, variable := range []string{"ProgramFiles", "ProgramW6432"} {
			if dir := filepath.ToSlash(s.getenv(variable)); dir != "" {
				places = append(places, path.Join(dir, "PostgreSQL/*/bin"))
			}
		}
		if profile := filepath.ToSlash(s.getenv("USERPROFILE")); profile != "" {
			places = append(places, path.Join(profile, "scoop/apps/postgresql/current/bin"))
		}
		return slices.Compact(places)
	case "darwin":
		places := []string{
			"/opt/homebrew/opt/postgresql*/bin", // Homebrew, Apple silicon
			"/usr/local/opt/postgresql*/bin",    // Homebrew, Intel
			"/Applications/Postgres.app/Contents/Versions/*/bin",
			"/Library/PostgreSQL/*/bin",      // the EDB installer
			"/opt/local/lib/postgresql*/bin", // MacPorts
		}
		if home != "" {
			places = append(places, path.Join(home, "Applications/Postgres.app/Contents/Versions/*/bin"))
		}
		return places
	}
	return []string{
		"/usr/lib/postgresql/*/bin",                      // Debian, Ubuntu
		"/usr/pgsql-*/bin",                               // Red Hat and Fedora, from postgresql.org
		"/usr/lib/postgresql*/bin",                       // SUSE
		"/usr/libexec/postgresql*",                       // Alpine
		"/usr/local/pgsql/bin",                           // built from source
		"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin", // Homebrew
		"/usr/bin", "/usr/local/bin", "/opt/postgresql*/bin", // Red Hat, Arch, the BSDs, when PATH is bare
	}
}

func (s System) os() string {
	if s.OS == "" {
		return runtime.GOOS
	}
	return s.OS
}

func (s System) suffix() string {
	if s.os() == "windows" {
		return ".exe"
	}
	return ""
}

func (s System) getenv(name string) string {
	if s.Getenv == nil {
		return os.Getenv(name)
	}
	return s.Getenv(name)
}

func (s System) run(ctx context.Context, program string, args ...string) (string, error) {
	if s.Run != nil {
		return s.Run(ctx, program, args...)
	}
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}
