package pgdump

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Format is one of the two ways to read a dump.
type Format int

const (
	// Plain is text for psql.
	Plain Format = iota
	// Archive is for pg_restore: the formats custom, directory and tar.
	Archive
)

// refused are beginnings of files that people take for plain dumps.
var refused = []struct{ begins, what string }{
	{"\x1f\x8b", "compressed with gzip: gunzip it first"},
	{"\x28\xb5\x2f\xfd", "compressed with zstd: unzstd it first"},
	{"\x04\x22\x4d\x18", "compressed with lz4: unlz4 it first"},
	{"\xfd7zXZ\x00", "compressed with xz: unxz it first"},
	{"BZh", "compressed with bzip2: bunzip2 it first"},
	{"PK\x03\x04", "a zip archive: unzip it first"},
	{"\xff\xfe", "UTF-16, as > of PowerShell writes it: make the dump with --file"},
	{"\xfe\xff", "UTF-16: make the dump with --file"},
}

// Detect tells the format of a file, or of a folder that pg_dump has made.
func Detect(path string) (Format, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	if info.IsDir() {
		if _, err := os.Stat(filepath.Join(path, "toc.dat")); err != nil {
			return 0, fmt.Errorf("%s is a folder that pg_dump has not made: %w", path, err)
		}
		return Archive, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	begin := make([]byte, 512)
	n, err := io.ReadFull(f, begin)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, err
	}
	text := string(begin[:n])
	// A tar header has the first member's name at 0 and its magic at 257.
	if strings.HasPrefix(text, "PGDMP") || strings.HasPrefix(text, "toc.dat\x00") && strings.HasPrefix(text[min(n, 257):], "ustar") {
		return Archive, nil
	}
	for _, r := range refused {
		if strings.HasPrefix(text, r.begins) {
			return 0, fmt.Errorf("%s is %s", path, r.what)
		}
	}
	return Plain, nil
}

// Sum returns a sum of all that a dump holds: of a file's bytes, or of the
// names and bytes of a folder's files.
func Sum(path string) (string, error) {
	h := sha256.New()
	err := filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		one := sha256.New()
		if _, err := io.Copy(one, f); err != nil {
			return err
		}
		below, err := filepath.Rel(path, name)
		if err != nil {
			return err
		}
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(below))))
		io.WriteString(h, below) // a hash takes everything
		h.Write(one.Sum(nil))
		return nil
	})
	return hex.EncodeToString(h.Sum(nil)), err
}
