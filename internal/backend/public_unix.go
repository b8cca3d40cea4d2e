//go:build unix && !solaris && !aix

package backend

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// PublicCache is like Cache, for what a server reads too. When this process is
// root's the server is another user's, and root's cache folder is closed to
// that one. Then the folder is standin-<kind> in the first of the user's cache
// folder, the folder of temporary files and /tmp that is open to all, and that
// nobody but root can replace.
func PublicCache(kind string) (string, error) {
	if os.Getuid() != 0 {
		return Cache(kind)
	}
	bases := []string{os.TempDir(), "/tmp"}
	if base, err := os.UserCacheDir(); err == nil {
		bases = append([]string{base}, bases...)
	}
	var errs []error
	for _, base := range bases {
		dir, err := publicFolder(base, "standin-"+kind)
		if err == nil {
			return dir, nil
		}
		errs = append(errs, err)
	}
	return "", fmt.Errorf("the test runs as root and the server does not, and no folder is safe for the one and open to the other: %w; name one with XDG_CACHE_HOME", errors.Join(errs...))
}

// publicFolder makes a folder in base, of root's, where it is missing.
func publicFolder(base, name string) (string, error) {
	base, err := filepath.EvalSymlinks(base)
	if err != nil {
		return "", err
	}
	for dir := base; ; dir = filepath.Dir(dir) {
		mode, err := rootsOwn(dir)
		switch {
		case err != nil:
			return "", err
		case mode.Perm()&0o001 == 0:
			return "", fmt.Errorf("%s is closed to other users (%v)", dir, mode)
		case mode.Perm()&0o022 != 0 && mode&fs.ModeSticky == 0:
			return "", fmt.Errorf("others may change %s (%v)", dir, mode)
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	dir := filepath.Join(base, name)
	err = os.Mkdir(dir, 0o755)
	if err == nil {
		err = os.Chmod(dir, 0o755) // whatever the umask
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	mode, err := rootsOwn(dir)
	if err != nil {
		return "", err
	}
	if mode.Perm()&0o022 != 0 {
		return "", fmt.Errorf("others may change %s (%v): it was not made for this; remove it", dir, mode)
	}
	return dir, nil
}

// rootsOwn returns the mode of a folder that belongs to root.
func rootsOwn(dir string) (fs.FileMode, error) {
	info, err := os.Lstat(dir)
	if err != nil {
		return 0, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() {
		return 0, fmt.Errorf("%s is not a folder", dir)
	}
	if stat.Uid != 0 {
		return 0, fmt.Errorf("%s belongs to user %d", dir, stat.Uid)
	}
	return info.Mode(), nil
}
