package pgdownload_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/standin-go/standin/internal/pgdownload"
	"github.com/ulikunitz/xz"
)

// entry is one of a tar file: a file, if kind says nothing else.
type entry struct {
	name, text string
	kind       byte
	link       string
	mode       int64
	size       int64 // if it shall lie
}

// server is the least that an archive of programs has, as the real ones have
// it: with and without ./ before the names, and links.
var server = []entry{
	{name: "./bin/postgres", text: "#!/bin/sh\n", mode: 0o700},
	{name: "bin/initdb", text: "#!/bin/sh\n", mode: 0o755},
	{name: "share/postgresql/postgres.bki", text: "# PostgreSQL\n", mode: 0o600},
	{name: "lib/", kind: tar.TypeDir, mode: 0o700},
	{name: "lib/libpq.so.5", kind: tar.TypeSymlink, link: "libpq.so.5.17"},
	{name: "lib/libpq.so.5.17", text: "ELF"},
	{name: "lib/postgresql/lib", kind: tar.TypeSymlink, link: "../../lib"},
	{name: "share/same", kind: tar.TypeLink, link: "./share/postgresql/postgres.bki"},
}

func pack(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		header := &tar.Header{Name: e.name, Typeflag: e.kind, Linkname: e.link, Mode: e.mode, Size: int64(len(e.text)) + e.size}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.text); err != nil {
			t.Fatal(err)
		}
		if e.size != 0 {
			return b.Bytes() // cut off
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func compress(t testing.TB, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := xz.WriterConfig{DictCap: 1 << 16}.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// wrap returns a jar with a file.
func wrap(t testing.TB, name string, inside []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(inside); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestExtract(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := pgdownload.Extract(t.Context(), bytes.NewReader(pack(t, server...)), dir); err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		name, text string
		mode       fs.FileMode
	}{
		{"bin/postgres", "#!/bin/sh\n", 0o755},
		{"share/postgresql/postgres.bki", "# PostgreSQL\n", 0o644},
		{"share/same", "# PostgreSQL\n", 0o644},
		{"lib/libpq.so.5", "ELF", 0o644},
		{"lib/postgresql/lib/libpq.so.5.17", "ELF", 0o644},
		{"lib", "", fs.ModeDir | 0o755},
		{"share/postgresql", "", fs.ModeDir | 0o755},
	} {
		path := filepath.Join(dir, want.name)
		info, err := os.Stat(path)
		if err != nil {
			t.Error(err)
			continue
		}
		if info.Mode() != want.mode {
			t.Errorf("%s is %v, want %v", want.name, info.Mode(), want.mode)
		}
		if info.IsDir() {
			continue
		}
		if text, err := os.ReadFile(path); err != nil || string(text) != want.text {
			t.Errorf("%s has %q, error %v; want %q", want.name, text, err, want.text)
		}
	}
}

func TestExtractRefuses(t *testing.T) {
	t.Parallel()
	folder := entry{name: "a/b/c/", kind: tar.TypeDir}
	cases := []struct {
		name    string
		entries []entry
		want    string
	}{
		{"a file above", []entry{{name: "../evil", text: "x"}}, "outside"},
		{"a file above, by a detour", []entry{{name: "a/../../evil", text: "x"}}, "outside"},
		{"a file from the root", []entry{{name: "/tmp/evil", text: "x"}}, "outside"},
		{"a folder above", []entry{{name: "../evil/", kind: tar.TypeDir}}, "outside"},
		{"a link to above", []entry{{name: "l", kind: tar.TypeSymlink, link: ".."}}, "escapes"},
		{"a link to what is above", []entry{{name: "l", kind: tar.TypeSymlink, link: "../canary"}}, "escapes"},
		{"a link to the root", []entry{{name: "l", kind: tar.TypeSymlink, link: "/etc/passwd"}}, "escapes"},
		{"a link above", []entry{{name: "../evil", kind: tar.TypeSymlink, link: "x"}}, "outside"},
		{"a link through a link", []entry{
			folder,
			{name: "short", kind: tar.TypeSymlink, link: "a"},
			{name: "a/b/c/up", kind: tar.TypeSymlink, link: "../../../short/../../canary"},
		}, "escapes"},
		{"a link below a link", []entry{
			folder,
			{name: "x/y/z", kind: tar.TypeSymlink, link: "../../a"},
			{name: "x/y/z/up", kind: tar.TypeSymlink, link: "../../canary"},
		}, "no folder"},
		{"a link to itself", []entry{{name: "l", kind: tar.TypeSymlink, link: "l"}}, "too many"},
		{"a file through a link", []entry{
			{name: "l", kind: tar.TypeSymlink, link: "/tmp"},
			{name: "l/evil", text: "x"},
		}, "exists"},
		{"a hard link to above", []entry{{name: "l", kind: tar.TypeLink, link: "../canary"}}, "outside"},
		{"a hard link to nothing", []entry{{name: "l", kind: tar.TypeLink, link: "nothing"}}, "no such file"},
		{"a device", []entry{{name: "null", kind: tar.TypeChar}}, "neither a file nor a folder"},
		{"a disk", []entry{{name: "sda", kind: tar.TypeBlock}}, "neither a file nor a folder"},
		{"a pipe", []entry{{name: "pipe", kind: tar.TypeFifo}}, "neither a file nor a folder"},
		{"a file twice", []entry{{name: "f", text: "x"}, {name: "./f", text: "y"}}, "exists"},
		{"a file where a folder is", []entry{{name: "f", text: "x"}, {name: "f/g", text: "y"}}, "no folder"},
		{"too much", []entry{{name: "f", size: 1<<30 + 1}}, "more than 1024 MB"},
		{"a file that is cut off", []entry{{name: "f", size: 1000}}, "unexpected EOF"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := inHouse(t)
			err := pgdownload.Extract(t.Context(), bytes.NewReader(pack(t, c.entries...)), dir)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v; want one that says %q", err, c.want)
			}
			wantHouse(t, dir)
		})
	}
}

func TestExtractHeedsItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := pgdownload.Extract(ctx, bytes.NewReader(pack(t, server...)), t.TempDir()); err == nil {
		t.Error("it went on")
	}
}

// inHouse returns a folder beside a canary.
func inHouse(t testing.TB) string {
	t.Helper()
	house := t.TempDir()
	if err := os.WriteFile(filepath.Join(house, "canary"), []byte("alive"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(house, "dir")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// wantHouse checks that nothing was written beside dir.
func wantHouse(t testing.TB, dir string) {
	t.Helper()
	house := filepath.Dir(dir)
	entries, err := os.ReadDir(house)
	if err != nil {
		t.Fatal(err)
	}
	canary, err := os.ReadFile(filepath.Join(house, "canary"))
	if err != nil || string(canary) != "alive" || len(entries) != 2 {
		t.Errorf("beside the folder there are %v, and the canary says %q, error %v", entries, canary, err)
	}
}

// Whatever a tar file says, nothing is written outside of the folder, and what
// was taken leads nowhere else.
func FuzzExtract(f *testing.F) {
	f.Add(pack(f, server...))
	f.Add(pack(f, entry{name: "../evil", text: "x"}))
	f.Add(pack(f, entry{name: "l", kind: tar.TypeSymlink, link: ".."}, entry{name: "l/evil", text: "x"}))
	f.Add(pack(f, entry{name: "a/", kind: tar.TypeDir}, entry{name: "b", kind: tar.TypeSymlink, link: "a"}, entry{name: "c", kind: tar.TypeSymlink, link: "b/../.."}))
	f.Add(pack(f, entry{name: "l", kind: tar.TypeLink, link: "../canary"}))
	f.Fuzz(func(t *testing.T, archive []byte) {
		dir := inHouse(t)
		err := pgdownload.Extract(t.Context(), bytes.NewReader(archive), dir)
		wantHouse(t, dir)
		if err != nil {
			return
		}
		walkErr := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if e.Type()&^(fs.ModeDir|fs.ModeSymlink) != 0 {
				t.Errorf("%s is %v", path, e.Type())
			}
			real, err := filepath.EvalSymlinks(path)
			if err == nil && real != dir && !strings.HasPrefix(real, dir+string(filepath.Separator)) {
				t.Errorf("%s leads to %s", path, real)
			}
			return nil
		})
		if walkErr != nil {
			t.Error(walkErr)
		}
	})
}
