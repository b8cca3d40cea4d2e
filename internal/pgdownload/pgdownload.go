// Package pgdownload fetches the programs of a PostgreSQL server: the archives
// that the project zonkyio/embedded-postgres-binaries publishes in Maven
// repositories, and that fergusstrange/embedded-postgres runs. They are checked
// against their sum, unpacked once and shared by all processes of the user.
//
// It downloads when it is asked to and never by itself. It starts nothing, and
// what an archive holds it takes on trust once the sum is right: a sum that the
// mirror itself offers finds damage and not deceit; a pinned one finds both.
package pgdownload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/standin-go/standin/internal/backend"
	"github.com/standin-go/standin/internal/pgprograms"
)

// The environment variables that say where archives come from and which one is
// the right one.
const (
	MirrorVariable = "STANDIN_POSTGRES_MIRROR"
	SumVariable    = "STANDIN_POSTGRES_SHA256"
)

// DefaultMirror is Maven Central.
const DefaultMirror = "https://repo1.maven.org/maven2"

// DefaultVersion is the version of those who name none.
const DefaultVersion = "17.5.0"

// suggested are versions that are known to have been published, for errors.
var suggested = []string{"18.0.0", "17.5.0", "16.9.0", "15.13.0", "14.18.0", "13.21.0"}

// Source says which programs are wanted, and from where.
type Source struct {
	Version  string // of the archive: "17.5.0", "13.1.0-1"
	Platform string // as the archives are named: "linux-amd64", "linux-arm64v8-alpine"
	Mirror   *url.URL
	SHA256   string // of the archive, in lower-case hexadecimal; empty: what the mirror says
}

// versionForm is the three numbers of a version, and the archive's own.
var versionForm = regexp.MustCompile(`^([0-9]{1,4})\.[0-9]{1,4}\.[0-9]{1,4}(-[0-9]{1,4})?$`)

// NewSource makes the source of a version, by default DefaultVersion, for this
// machine, as the environment says.
func NewSource(version string, getenv func(string) string) (Source, error) {
	if version == "" {
		version = DefaultVersion
	}
	s := Source{Version: version}
	m := versionForm.FindStringSubmatch(version)
	if m == nil {
		return Source{}, fmt.Errorf("%q is not a version of an archive; one has three numbers: %s", version, strings.Join(suggested, ", "))
	}
	if major, err := strconv.Atoi(m[1]); err != nil || major < pgprograms.Oldest {
		return Source{}, fmt.Errorf("version %s, and %d is the oldest that will do", version, pgprograms.Oldest)
	}
	var err error
	if s.Platform, err = thisMachine(); err != nil {
		return Source{}, err
	}
	if s.SHA256, err = pinned(getenv(SumVariable)); err != nil {
		return Source{}, err
	}
	s.Mirror, err = mirror(getenv(MirrorVariable), s.SHA256 != "")
	return s, err
}

var sumForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

func pinned(text string) (string, error) {
	sum := strings.ToLower(strings.TrimSpace(text))
	if sum != "" && !sumForm.MatchString(sum) {
		return "", fmt.Errorf("%s=%s is not a SHA-256 sum: that has 64 hexadecimal digits", SumVariable, text)
	}
	return sum, nil
}

// mirror reads the address of a Maven repository.
func mirror(text string, pinned bool) (*url.URL, error) {
	if text == "" {
		text = DefaultMirror
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%s is not the address of a Maven repository; one looks like %s", MirrorVariable, DefaultMirror) // it may hold a password
	}
	if u.Scheme == "http" && !pinned && !loopback(u.Hostname()) {
		return nil, fmt.Errorf("%s=%s: what comes over http may be anybody's, and it will be run; use https, or pin the archive with %s", MirrorVariable, u.Redacted(), SumVariable)
	}
	return u, nil
}

func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// name is the archive's and, with a sum behind it, that of the folder in which
// its programs are kept.
func (s Source) name() string { return s.Platform + "-" + s.Version }

// URL is the address of the archive.
func (s Source) URL() *url.URL {
	artifact := "embedded-postgres-binaries-" + s.Platform
	return s.Mirror.JoinPath("io/zonky/test/postgres", artifact, s.Version, artifact+"-"+s.Version+".jar")
}

// Store returns the folder in which programs are kept between runs, made when
// missing.
func Store() (string, error) { return backend.PublicCache("postgres-programs") }

// Fetch returns the programs, from store where they are, or downloads them
// there, which report is told before. Of processes that fetch the same programs
// at once, one downloads. The programs appear in store whole or not at all.
func (s Source) Fetch(ctx context.Context, store string, report func(string)) (pgprograms.Programs, error) {
	if dir, err := s.find(store); dir != "" || err != nil {
		return use(dir, err)
	}
	unlock, err := backend.LockFile(ctx, filepath.Join(store, s.name()+".lock"))
	if err != nil {
		return pgprograms.Programs{}, fmt.Errorf("wait for another process that downloads PostgreSQL: %w", err)
	}
	defer unlock()
	if dir, err := s.find(store); dir != "" || err != nil {
		return use(dir, err)
	}
	report(fmt.Sprintf("downloading PostgreSQL %s, once, from %s to %s", s.Version, s.URL().Redacted(), store))
	dir, err := s.install(ctx, store)
	if err != nil {
		return pgprograms.Programs{}, fmt.Errorf("download PostgreSQL: %w", err)
	}
	return use(dir, nil)
}

// find returns the folder of the programs, or "". With a pinned sum only what
// came from the archive that has it will do.
func (s Source) find(store string) (string, error) {
	entries, err := os.ReadDir(store)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		sum, ok := strings.CutPrefix(e.Name(), s.name()+"-")
		if ok && sumForm.MatchString(sum) && (s.SHA256 == "" || s.SHA256 == sum) {
			return filepath.Join(store, e.Name()), nil
		}
	}
	return "", nil
}

// use returns the programs of a folder, and keeps it from being forgotten.
func use(dir string, err error) (pgprograms.Programs, error) {
	if err != nil {
		return pgprograms.Programs{}, err
	}
	now := time.Now()
	if err := os.Chtimes(dir, now, now); err != nil {
		return pgprograms.Programs{}, err
	}
	return pgprograms.System{}.In(filepath.Join(dir, "bin"))
}

// install downloads and unpacks; the caller holds the lock.
func (s Source) install(ctx context.Context, store string) (dir string, err error) {
	work := filepath.Join(store, unfinished+s.name())
	if err := os.RemoveAll(work); err != nil { // of a process that was killed
		return "", err
	}
	if err := os.Mkdir(work, 0o700); err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()

	archive, err := os.Create(filepath.Join(work, "archive.jar"))
	if err != nil {
		return "", err
	}
	defer archive.Close()
	sum, err := s.download(ctx, archive)
	if err != nil {
		return "", err
	}
	programs := filepath.Join(work, "programs")
	if err := unpack(ctx, archive, programs); err != nil {
		return "", fmt.Errorf("%s: %w", s.URL().Redacted(), err)
	}
	if _, err := (pgprograms.System{}).In(filepath.Join(programs, "bin")); err != nil {
		return "", fmt.Errorf("%s: %w", s.URL().Redacted(), err)
	}
	dir = filepath.Join(store, s.name()+"-"+sum)
	if err := os.Rename(programs, dir); err != nil {
		return "", err
	}
	return dir, forget(store, dir)
}

// unfinished begins the name of a folder that is being filled, or emptied.
const unfinished = "unfinished-"

// kept is how many versions' programs stay, and unused how long the others do.
const (
	kept   = 4
	unused = 24 * time.Hour
)

// forget removes the programs that were not used for the longest time, until
// kept are left, and what killed processes left. What was used of late may
// still run, or be on its way.
func forget(store, except string) error {
	entries, err := os.ReadDir(store)
	if err != nil {
		return err
	}
	var whole, remove []string
	age := map[string]time.Duration{}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) || !e.IsDir() || e.Name() == filepath.Base(except) {
			continue
		}
		if err != nil {
			return err
		}
		age[e.Name()] = time.Since(info.ModTime())
		if strings.HasPrefix(e.Name(), unfinished) {
			remove = append(remove, e.Name())
		} else {
			whole = append(whole, e.Name())
		}
	}
	slices.SortFunc(whole, func(a, b string) int { return cmp.Compare(age[a], age[b]) })
	if len(whole) > kept-1 {
		remove = append(remove, whole[kept-1:]...)
	}
	for _, name := range remove {
		if age[name] < unused {
			continue
		}
		// First of all it goes out of sight: what is there is whole.
		gone := unfinished + strings.TrimPrefix(name, unfinished)
		if err := os.Rename(filepath.Join(store, name), filepath.Join(store, gone)); err != nil {
			return err
		}
		if err := os.RemoveAll(filepath.Join(store, gone)); err != nil {
			return err
		}
	}
	return nil
}
