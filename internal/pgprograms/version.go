package pgprograms

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Version is the version of a server. For 9.6.24 and older, Major is 9.
type Version struct {
	Major, Minor int
	Stage        string // "beta1", "rc2", "devel"; empty for a release
}

// String has the form "15.13", "18beta1".
func (v Version) String() string {
	if v.Stage != "" {
		return strconv.Itoa(v.Major) + v.Stage
	}
	return fmt.Sprintf("%d.%d", v.Major, v.Minor)
}

// versionLine is what "postgres --version" prints: the name of the server in
// parentheses, and the version. Packagers add theirs after it.
var versionLine = regexp.MustCompile(`^\S+ \([^)]+\) (\d+)(?:\.(\d+))?(?:\.\d+)?((?:alpha|beta|rc)\d+|devel)?(?:\s|$)`)

// ParseVersion reads what "postgres --version" printed.
func ParseVersion(text string) (Version, error) {
	m := versionLine.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return Version{}, fmt.Errorf("%q is not a version; one looks like \"postgres (PostgreSQL) 15.13\"", text)
	}
	major, err := strconv.Atoi(m[1])
	if err != nil {
		return Version{}, fmt.Errorf("the version in %q: %w", text, err)
	}
	minor := 0
	if m[2] != "" {
		if minor, err = strconv.Atoi(m[2]); err != nil {
			return Version{}, fmt.Errorf("the version in %q: %w", text, err)
		}
	}
	return Version{Major: major, Minor: minor, Stage: m[3]}, nil
}

// compareNatural orders names as people do, "9.6" before "15": runs of digits
// by their value, all else by its bytes.
func compareNatural(a, b string) int {
	for a != "" && b != "" {
		da, db := digits(a), digits(b)
		if da == "" || db == "" {
			if c := cmp.Compare(a[0], b[0]); c != 0 {
				return c
			}
			a, b = a[1:], b[1:]
			continue
		}
		na, nb := strings.TrimLeft(da, "0"), strings.TrimLeft(db, "0")
		if c := cmp.Or(cmp.Compare(len(na), len(nb)), cmp.Compare(na, nb)); c != 0 {
			return c
		}
		a, b = a[len(da):], b[len(db):]
	}
	return cmp.Compare(len(a), len(b))
}

// digits returns the digits with which s begins.
func digits(s string) string {
	return s[:len(s)-len(strings.TrimLeft(s, "0123456789"))]
}
