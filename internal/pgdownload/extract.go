package pgdownload

import (
	"archive/tar"
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/ulikunitz/xz"
)

// What an archive may hold at most. They hold 30 to 300 MB in 1,000 to 3,000
// entries.
const (
	maxBytes   = 1 << 30
	maxEntries = 50_000
)

// unpack writes the programs of an archive into dir, which is made: the archive
// is a zip file with one file .txz in it, a tar file that xz has compressed.
func unpack(ctx context.Context, archive *os.File, dir string) error {
	info, err := archive.Stat()
	if err != nil {
		return err
	}
	jar, err := zip.NewReader(archive, info.Size())
	if err != nil {
		return fmt.Errorf("it is no jar, which is a zip file: %w", err)
	}
	var inside []*zip.File
	var names []string
	for _, f := range jar.File {
		names = append(names, f.Name)
		if strings.HasSuffix(f.Name, ".txz") {
			inside = append(inside, f)
		}
	}
	if len(inside) != 1 {
		return fmt.Errorf("it has %d files *.txz where one should be, among %d: %.200q", len(inside), len(names), names)
	}
	compressed, err := inside[0].Open()
	if err != nil {
		return fmt.Errorf("%s: %w", inside[0].Name, err)
	}
	defer compressed.Close()
	plain, err := xz.NewReader(compressed)
	if err != nil {
		return fmt.Errorf("%s: %w", inside[0].Name, err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // whatever the umask
		return err
	}
	if err := Extract(ctx, plain, dir); err != nil {
		return fmt.Errorf("%s: %w", inside[0].Name, err)
	}
	return nil
}

// Extract writes the files, folders and links of a tar file into dir, readable
// by all users and writable by this one. It refuses whatever would be, or lead,
// outside of dir, all else than files, folders and links, and more than an
// archive of programs holds. What it wrote before an error stays.
func Extract(ctx context.Context, r io.Reader, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	x := extraction{root: root, archive: tar.NewReader(r), buffer: make([]byte, 256<<10)}
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		header, err := x.archive.Next()
		if errors.Is(err, io.EOF) {
			return x.link()
		}
		if err != nil {
			return err
		}
		if err := x.add(header); err != nil {
			return fmt.Errorf("entry %.200q: %w", header.Name, err)
		}
	}
}

type extraction struct {
	root    *os.Root
	archive *tar.Reader
	buffer  []byte
	entries int
	bytes   int64
	links   []*tar.Header
}

func (x *extraction) add(header *tar.Header) error {
	if x.entries++; x.entries > maxEntries {
		return fmt.Errorf("it is one of more than %d", maxEntries)
	}
	name, err := inside(header.Name)
	if err != nil {
		return err
	}
	switch header.Typeflag {
	case tar.TypeXGlobalHeader:
		return nil
	case tar.TypeDir:
		return x.folder(name)
	case tar.TypeReg:
		if x.bytes += header.Size; header.Size < 0 || x.bytes > maxBytes {
			return fmt.Errorf("with it there are more than %d MB", maxBytes>>20)
		}
		return x.file(name, header.FileInfo().Mode())
	case tar.TypeLink:
		other, err := inside(header.Linkname)
		if err != nil {
			return err
		}
		if err := x.folder(path.Dir(name)); err != nil {
			return err
		}
		return x.root.Link(filepath.FromSlash(other), filepath.FromSlash(name))
	case tar.TypeSymlink:
		// Until the end, no path leads through a link.
		x.links = append(x.links, header)
		return nil
	}
	return fmt.Errorf("it is neither a file nor a folder nor a link, but of type %q", header.Typeflag)
}

// inside returns the name of an entry, with slashes, without ./ before it.
func inside(name string) (string, error) {
	clean := path.Clean(name)
	if name == "" || !filepath.IsLocal(filepath.FromSlash(clean)) {
		return "", fmt.Errorf("%.200q is outside of the folder", name)
	}
	return clean, nil
}

// folder makes a folder and those that it is in.
func (x *extraction) folder(name string) error {
	if name == "." {
		return nil
	}
	local := filepath.FromSlash(name)
	info, err := x.root.Lstat(local)
	if err == nil && info.IsDir() {
		return nil
	}
	if err == nil {
		return fmt.Errorf("%s is already there, and no folder", name)
	}
	if err := x.folder(path.Dir(name)); err != nil {
		return err
	}
	if err := x.root.Mkdir(local, 0o755); err != nil {
		return err
	}
	return x.root.Chmod(local, 0o755) // whatever the umask
}

func (x *extraction) file(name string, mode fs.FileMode) error {
	if err := x.folder(path.Dir(name)); err != nil {
		return err
	}
	f, err := x.root.OpenFile(filepath.FromSlash(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	readable := fs.FileMode(0o644)
	if mode&0o111 != 0 {
		readable = 0o755
	}
	// Without ReadFrom and WriteTo, io.CopyBuffer uses the buffer.
	_, err = io.CopyBuffer(struct{ io.Writer }{f}, struct{ io.Reader }{x.archive}, x.buffer)
	return errors.Join(err, f.Chmod(readable), f.Close())
}

// link makes the symbolic links, and then looks where each of them leads, for
// one may lead through another.
func (x *extraction) link() error {
	for _, header := range x.links {
		name, err := inside(header.Name)
		if err != nil {
			return err
		}
		if err := x.folder(path.Dir(name)); err != nil {
			return fmt.Errorf("entry %.200q: %w", header.Name, err)
		}
		if err := x.root.Symlink(filepath.FromSlash(header.Linkname), filepath.FromSlash(name)); err != nil {
			return fmt.Errorf("entry %.200q: %w", header.Name, err)
		}
	}
	for _, header := range x.links {
		_, err := x.root.Stat(filepath.FromSlash(path.Clean(header.Name)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("entry %.200q is a link to %.200q: %w", header.Name, header.Linkname, err)
		}
	}
	return nil
}
