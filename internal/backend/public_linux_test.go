package backend_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/standin-go/standin/internal/backend"
)

// Each case lays out the two folders that the environment names; /tmp is the
// last resort. For other users than root there is one answer to all.
func TestPublicCache(t *testing.T) {
	const kind = "backend-test"
	closed, open := fs.FileMode(0o700), fs.FileMode(0o755)
	shared := fs.ModeSticky | 0o777
	cases := []struct {
		name        string
		cache, temp fs.FileMode
		spoil       func(cache, temp string) error
		want        string // for root: which of the two
	}{
		{name: "the cache folder is open", cache: open, temp: shared, want: "cache"},
		{name: "root's own is closed", cache: closed, temp: shared, want: "temp"},
		{name: "others may rename in it", cache: 0o777, temp: shared, want: "temp"},
		{name: "the group may rename in it", cache: 0o775, temp: shared, want: "temp"},
		{name: "there is none yet", cache: closed, temp: shared, want: "temp", spoil: func(cache, _ string) error {
			return os.Remove(cache)
		}},
		{name: "somebody else was quicker", cache: open, temp: shared, want: "temp", spoil: func(cache, _ string) error {
			dir := filepath.Join(cache, "standin-"+kind)
			return errors.Join(os.Mkdir(dir, 0o755), os.Chown(dir, 65534, 65534))
		}},
		{name: "somebody else left a link", cache: open, temp: shared, want: "temp", spoil: func(cache, temp string) error {
			return os.Symlink(temp, filepath.Join(cache, "standin-"+kind))
		}},
		{name: "somebody else may write there", cache: open, temp: shared, want: "temp", spoil: func(cache, _ string) error {
			dir := filepath.Join(cache, "standin-"+kind)
			return errors.Join(os.Mkdir(dir, 0o755), os.Chmod(dir, 0o777))
		}},
		{name: "somebody else owns the way there", cache: open, temp: shared, want: "temp", spoil: func(cache, _ string) error {
			return os.Chown(cache, 65534, 65534)
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			top := openFolder(t)
			cache, temp := filepath.Join(top, "cache"), filepath.Join(top, "temp")
			err := errors.Join(os.Mkdir(cache, 0o700), os.Chmod(cache, c.cache), os.Mkdir(temp, 0o700), os.Chmod(temp, c.temp))
			root := os.Getuid() == 0
			if root && c.spoil != nil {
				err = errors.Join(err, c.spoil(cache, temp))
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Setenv("XDG_CACHE_HOME", cache)
			t.Setenv("TMPDIR", temp)
			want := filepath.Join(top, c.want, "standin-"+kind)
			if !root {
				if want, err = backend.Cache(kind); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 { // it is made, and then found
				dir, err := backend.PublicCache(kind)
				if err != nil {
					t.Fatal(err)
				}
				if dir != want {
					t.Errorf("the folder is %s, want %s", dir, want)
				}
			}
			if info, err := os.Stat(want); root && (err != nil || info.Mode() != fs.ModeDir|0o755) {
				t.Errorf("the folder is %v, error %v; want one that others may read", info.Mode(), err)
			}
		})
	}
}

// openFolder returns a folder that other users may enter, as those of
// testing.TB are not.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "backend-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
