package pgprograms_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/standin-go/standin/internal/pgprograms"
)

func TestParseVersion(t *testing.T) {
	t.Parallel()
	cases := []struct {
		text string
		want pgprograms.Version
		bad  bool
	}{
		{text: "postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)\n", want: pgprograms.Version{Major: 15, Minor: 13}},
		{text: "postgres (PostgreSQL) 17.5 (Homebrew)", want: pgprograms.Version{Major: 17, Minor: 5}},
		{text: "postgres (PostgreSQL) 18beta1", want: pgprograms.Version{Major: 18, Stage: "beta1"}},
		{text: "postgres (PostgreSQL) 18rc2", want: pgprograms.Version{Major: 18, Stage: "rc2"}},
		{text: "postgres (PostgreSQL) 19devel", want: pgprograms.Version{Major: 19, Stage: "devel"}},
		{text: "postgres (EnterpriseDB Advanced Server) 16.4.1", want: pgprograms.Version{Major: 16, Minor: 4}},
		{text: "postgres (PostgreSQL) 9.6.24", want: pgprograms.Version{Major: 9, Minor: 6}},
		{text: "postgres (PostgreSQL) 13", want: pgprograms.Version{Major: 13}},
		{text: "postgres (PostgreSQL) 15.x", bad: true},
		{text: "postgres (PostgreSQL) fifteen", bad: true},
		{text: "postgres (PostgreSQL) 99999999999999999999.1", bad: true},
		{text: "bash: postgres: command not found", bad: true},
		{text: "", bad: true},
	}
	for _, c := range cases {
		got, err := pgprograms.ParseVersion(c.text)
		if got != c.want || (err != nil) != c.bad {
			t.Errorf("ParseVersion(%q) = %+v, %v; want %+v, an error: %t", c.text, got, err, c.want, c.bad)
		}
	}
}

func FuzzParseVersion(f *testing.F) {
	f.Add("postgres (PostgreSQL) 15.13 (Debian)")
	f.Add("postgres (PostgreSQL) 18beta1")
	f.Fuzz(func(t *testing.T, text string) {
		v, err := pgprograms.ParseVersion(text)
		if err != nil {
			return
		}
		again, err := pgprograms.ParseVersion("postgres (PostgreSQL) " + v.String())
		if err != nil {
			t.Fatalf("%q was read as %s, which cannot be read: %v", text, v, err)
		}
		if again.Major != v.Major || again.Stage != v.Stage {
			t.Errorf("%q was read as %+v, and that as %+v", text, v, again)
		}
	})
}

// Each case lays out the programs of a machine; the version is in the file.
func TestFind(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, os string
		env      map[string]string // $ROOT stands for the machine's root
		tree     []string          // folders with postgres and initdb
		broken   []string          // folders with postgres alone
		want     []string
	}{
		{
			name: "Debian takes the newest, by number", os: "linux",
			tree: []string{"usr/lib/postgresql/9.6/bin", "usr/lib/postgresql/15/bin", "usr/lib/postgresql/17/bin"},
			want: []string{"usr/lib/postgresql/17/bin", "usr/lib/postgresql/15/bin", "usr/lib/postgresql/9.6/bin"},
		},
		{
			name: "PATH comes first and is not named twice", os: "linux",
			env:  map[string]string{"PATH": "$ROOT/bin:$ROOT/usr/lib/postgresql/15/bin"},
			tree: []string{"usr/lib/postgresql/15/bin", "usr/lib/postgresql/17/bin"},
			want: []string{"usr/lib/postgresql/15/bin", "usr/lib/postgresql/17/bin"},
		},
		{name: "Red Hat", os: "linux", tree: []string{"usr/pgsql-16/bin"}, want: []string{"usr/pgsql-16/bin"}},
		{name: "SUSE", os: "linux", tree: []string{"usr/lib/postgresql16/bin"}, want: []string{"usr/lib/postgresql16/bin"}},
		{name: "Alpine", os: "linux", tree: []string{"usr/libexec/postgresql17"}, want: []string{"usr/libexec/postgresql17"}},
		{
			name: "Homebrew and Postgres.app", os: "darwin",
			tree: []string{"opt/homebrew/opt/postgresql@17/bin", "Applications/Postgres.app/Contents/Versions/16/bin"},
			want: []string{"opt/homebrew/opt/postgresql@17/bin", "Applications/Postgres.app/Contents/Versions/16/bin"},
		},
		{name: "a Mac does not look where Debian does", os: "darwin", tree: []string{"usr/lib/postgresql/17/bin"}},
		{
			name: "the variable and nothing else", os: "linux",
			env:  map[string]string{"STANDIN_POSTGRES_BIN": "$ROOT/mine", "PATH": "$ROOT/usr/lib/postgresql/15/bin"},
			tree: []string{"mine", "usr/lib/postgresql/15/bin"},
			want: []string{"mine"},
		},
		{
			name: "the variable names nothing", os: "linux",
			env:  map[string]string{"STANDIN_POSTGRES_BIN": "$ROOT/typo"},
			tree: []string{"usr/lib/postgresql/15/bin"},
		},
		{name: "clients without a server", os: "linux", broken: []string{"usr/lib/postgresql/15/bin"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			for _, dir := range c.tree {
				install(t, filepath.Join(root, dir), "postgres", "initdb")
			}
			for _, dir := range c.broken {
				install(t, filepath.Join(root, dir), "postgres")
			}
			system := pgprograms.System{OS: c.os, Root: root, Getenv: func(name string) string {
				return strings.ReplaceAll(c.env[name], "$ROOT", root)
			}}
			found, err := system.Find()
			var got []string
			for _, p := range found {
				rel, _ := filepath.Rel(root, p.Dir)
				got = append(got, filepath.ToSlash(rel))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
			var none *pgprograms.NotFoundError
			if (len(c.want) == 0) != errors.As(err, &none) {
				t.Errorf("error %v; a *NotFoundError is wanted exactly when nothing is found", err)
			}
		})
	}
}

func TestChoosePassesOverWhatIsTooOldOrBroken(t *testing.T) {
	t.Parallel()
	versions := map[string]string{"12": "postgres (PostgreSQL) 12.22", "14": "postgres (PostgreSQL) 14.18"}
	cases := []struct {
		name      string
		installed []string
		want      string
		complaint string
	}{
		{name: "the newest does not answer", installed: []string{"12", "14", "99"}, want: "14.18"},
		{name: "only an old one", installed: []string{"12"}, complaint: "version 12.22, and 13 is the oldest that will do"},
		{name: "only a broken one", installed: []string{"99"}, complaint: "exec format error"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			for _, v := range c.installed {
				install(t, filepath.Join(root, "usr/lib/postgresql", v, "bin"), "postgres", "initdb")
			}
			system := pgprograms.System{
				OS: "linux", Root: root,
				Getenv: func(string) string { return "" },
				Run: func(_ context.Context, program string, _ ...string) (string, error) {
					if text, ok := versions[filepath.Base(filepath.Dir(filepath.Dir(program)))]; ok {
						return text, nil
					}
					return "", errors.New("exec format error")
				},
			}
			_, v, err := system.Choose(t.Context())
			if c.want != "" && (err != nil || v.String() != c.want) {
				t.Errorf("chose %s, error %v; want %s", v, err, c.want)
			}
			if c.complaint != "" && (err == nil || !strings.Contains(err.Error(), c.complaint)) {
				t.Errorf("error %v; want one that says %q", err, c.complaint)
			}
		})
	}
}

func TestTheErrorSaysHowToGetOne(t *testing.T) {
	t.Parallel()
	cases := []struct{ os, place, remedy string }{
		{"linux", "/usr/lib/postgresql/*/bin", "sudo apt-get install postgresql"},
		{"linux", "/usr/pgsql-*/bin", "STANDIN_POSTGRES=download"},
		{"darwin", "/Applications/Postgres.app/Contents/Versions/*/bin", "brew install postgresql@17"},
		{"windows", "PostgreSQL/*/bin", "https://www.postgresql.org/download/windows/"},
	}
	for _, c := range cases {
		system := pgprograms.System{OS: c.os, Root: t.TempDir(), Getenv: func(name string) string {
			return map[string]string{"ProgramFiles": "Program Files", "HOME": "/home/me"}[name]
		}}
		_, err := system.Find()
		if err == nil {
			t.Errorf("%s: found programs in an empty folder", c.os)
			continue
		}
		for _, want := range []string{"PATH", c.place, c.remedy, "STANDIN_POSTGRES_BIN=", "STANDIN_POSTGRES=postgres://"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: the error does not name %q:\n%v", c.os, want, err)
			}
		}
	}
}

// install writes empty programs into dir.
func install(t *testing.T, dir string, programs ...string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, p := range programs {
		if err := os.WriteFile(filepath.Join(dir, p), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
