package pgdump_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/standin-go/standin/internal/pgdump"
)

// show writes the statements as "line:text", and their rows after a "<".
func show(text string, statements []pgdump.Statement) []string {
	var shown []string
	for _, s := range statements {
		one := fmt.Sprintf("%d:%s", s.Line, text[s.Start:s.End])
		if s.Copy {
			one += fmt.Sprintf("<%d:%s", s.RowsLine, text[s.RowsStart:s.RowsEnd])
		}
		shown = append(shown, one)
	}
	return shown
}

func TestSplit(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, text string
		want       []string
	}{
		{"nothing", "", nil},
		{"blanks and comments", " -- a;\n/* b; /* c */ ; */ ;;\n", nil},
		{"lines", "A;\n\nB\n  ;C", []string{"1:A", "3:B", "4:C"}},
		{"comments inside", "A -- ;'\n/* ; */ B -- c\n; D", []string{"1:A -- ;'\n/* ; */ B", "3:D"}},
		{"strings", `A ';' ''';'; B '\'; C`, []string{`1:A ';' ''';'`, `1:B '\'`, "1:C"}},
		{"strings with escapes", `A E'\';' e'\\'; B e 'x\'; C`, []string{`1:A E'\';' e'\\'`, `1:B e 'x\'`, "1:C"}},
		{"other strings", `A U&'\' N'\' B'1' x'\'; B type'\'; C`, []string{`1:A U&'\' N'\' B'1' x'\'`, `1:B type'\'`, "1:C"}},
		{"a continued string", "A E'a'\n-- it's\n 'b\\';'; B '' '\\'; C", []string{"1:A E'a'\n-- it's\n 'b\\';'", `3:B '' '\'`, "3:C"}},
		{"nonstandard strings", "SET standard_conforming_strings = off; A '\\';'; SET standard_conforming_strings = 'on'; B '\\'; C", []string{
			"1:SET standard_conforming_strings = off", `1:A '\';'`, "1:SET standard_conforming_strings = 'on'", `1:B '\'`, "1:C",
		}},
		{"names", `A ";" "x"";"; B "\"; C`, []string{`1:A ";" "x"";"`, `1:B "\"`, "1:C"}},
		{"dollars", "A $$;'$$ $a1$;$$;$a$;$a1$; B $1; C a$$; D $é$;$é$", []string{"1:A $$;'$$ $a1$;$$;$a$;$a1$", "1:B $1", "1:C a$$", "1:D $é$;$é$"}},
		{"parentheses", "CREATE RULE r AS DO (A; B); C);D", []string{"1:CREATE RULE r AS DO (A; B)", "1:C)", "1:D"}},
		{"routines in SQL", "CREATE OR REPLACE FUNCTION f() BEGIN ATOMIC SELECT CASE 1 WHEN 1 THEN 2 END; A; END; B; CREATE PROCEDURE p() BEGIN ATOMIC END; CREATE VIEW v AS CASE; C", []string{
			"1:CREATE OR REPLACE FUNCTION f() BEGIN ATOMIC SELECT CASE 1 WHEN 1 THEN 2 END; A; END", "1:B",
			"1:CREATE PROCEDURE p() BEGIN ATOMIC END", "1:CREATE VIEW v AS CASE", "1:C",
		}},
		{"transactions", "BEGIN; A; END;", []string{"1:BEGIN", "1:A", "1:END"}},
		{"rows", "COPY t (\"a;\", b) FROM stdin;\n1\t';\n\\\\.\n\\.\nA;\ncopy t from STDIN (FORMAT csv) ; \r\n\\.\r\nB", []string{
			"1:COPY t (\"a;\", b) FROM stdin<2:1\t';\n\\\\.\n", "5:A", "6:copy t from STDIN (FORMAT csv)<7:", "8:B",
		}},
		{"no rows", "COPY t FROM 'stdin'; COPY (SELECT 1 FROM stdin) TO 'x'; COPY stdin FROM PROGRAM 'x'; SELECT 1 FROM stdin;", []string{
			"1:COPY t FROM 'stdin'", "1:COPY (SELECT 1 FROM stdin) TO 'x'", "1:COPY stdin FROM PROGRAM 'x'", "1:SELECT 1 FROM stdin",
		}},
		{"restricted", "\\restrict aB1\nA;\n\\unrestrict aB1", []string{"2:A"}},
		{"a whole dump", "--\r\n-- PostgreSQL database dump\r\n--\r\nA;\n--\r\n-- PostgreSQL database dump complete\r\n--", []string{"4:A"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := pgdump.Split(c.text)
			if shown := show(c.text, got); err != nil || !slices.Equal(shown, c.want) {
				t.Errorf("error %v, statements\n\t%s\nwant\n\t%s", err, strings.Join(shown, "\n\t"), strings.Join(c.want, "\n\t"))
			}
		})
	}
}

func TestSplitRefuses(t *testing.T) {
	t.Parallel()
	cases := []struct {
		text, says string
		line       int
	}{
		{"A;\n\\connect shop\nB;", `\connect leaves the database`, 2},
		{"\\c", `\c leaves the database`, 1},
		{"A;\n\n\\i other.sql", `\i is a command of psql's`, 3},
		{"\\.\n", `\. without rows`, 1},
		{"A\n\\gexec\n", `\gexec in the middle of a statement`, 2},
		{"A 'it''s\n;", "the string that begins here does not end", 1},
		{"A;\nB $x$ $ $y$", "the string that begins here with $x$ does not end", 2},
		{"A \"b", "the name that begins here does not end", 1},
		{"A; /* /* */", "the comment that begins here does not end", 1},
		{"COPY t FROM stdin;\n1\n2\n", `the rows that begin in line 2 do not end with \.`, 4},
		{"COPY t FROM stdin", "no rows after COPY", 1},
		{"COPY t FROM stdin; SELECT 1;\n\\.\n", "rows are to follow in the next line", 1},
		{"A;\nB (;", "the statement that begins here does not end", 2},
		{"A;\x00", "a zero byte", 1},
		{"--\n-- PostgreSQL database dump\n--\n\nA;\n", "the dump is cut off", 6},
	}
	for _, c := range cases {
		_, err := pgdump.Split(c.text)
		var at *pgdump.Error
		if !errors.As(err, &at) || at.Line != c.line || !strings.Contains(at.What, c.says) {
			t.Errorf("Split(%q): error %v; want one in line %d that says %q", c.text, err, c.line, c.says)
		}
	}
}

// Put together again, the statements are those that they were.
func FuzzSplit(f *testing.F) {
	for _, text := range []string{
		"SET standard_conforming_strings = off; A '\\';';", "A E'\\''\n'\\'';B", "$a$;$a$;\"", "COPY a FROM stdin;\n1\n\\.\n",
		"CREATE FUNCTION f() BEGIN ATOMIC A; END; B", "\\restrict a\nA (;);\n\\unrestrict a", "/* /* */ */ -- \nA",
		"--\n-- PostgreSQL database dump\n--\nA", "copy /*'*/ a from -- \n stdin ;\n\\.",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		statements, err := pgdump.Split(text)
		if err != nil {
			return
		}
		var again strings.Builder
		end := 0
		for _, s := range statements {
			if s.Start < end || s.End <= s.Start || s.Copy && (s.RowsStart < s.End || s.RowsEnd < s.RowsStart) {
				t.Fatalf("%q: %+v comes after byte %d", text, s, end)
			}
			if want := 1 + strings.Count(text[:s.Start], "\n"); s.Line != want {
				t.Errorf("%q: %+v begins in line %d", text, s, want)
			}
			again.WriteString(text[s.Start:s.End] + ";\n")
			end = s.End
			if s.Copy {
				again.WriteString(text[s.RowsStart:s.RowsEnd] + "\\.\n")
				end = s.RowsEnd
			}
		}
		again.WriteString("\n-- PostgreSQL database dump complete\n")
		same, err := pgdump.Split(again.String())
		if err != nil || len(same) != len(statements) {
			t.Fatalf("%q has the statements %q, and put together %q: %d and %v", text, show(text, statements), again.String(), len(same), err)
		}
		for i, s := range same {
			if got, want := again.String()[s.Start:s.End], text[statements[i].Start:statements[i].End]; got != want {
				t.Errorf("%q became %q", want, got)
			}
		}
	})
}

func TestDetect(t *testing.T) {
	t.Parallel()
	tar := "toc.dat" + strings.Repeat("\x00", 250) + "ustar  \x00"
	cases := []struct {
		name, content string
		want          pgdump.Format
		refused       string
	}{
		{name: "plain.sql", content: "SELECT 1;"},
		{name: "empty.sql"},
		{name: "custom.dump", content: "PGDMP\x01\x0e\x00", want: pgdump.Archive},
		{name: "dump.tar", content: tar, want: pgdump.Archive},
		{name: "folder/toc.dat", content: "PGDMP", want: pgdump.Archive},
		{name: "folder/readme", refused: "is a folder that pg_dump has not made"},
		{name: "dump.sql.gz", content: "\x1f\x8b\x08", refused: "gunzip it first"},
		{name: "dump.sql.zst", content: "\x28\xb5\x2f\xfd", refused: "unzstd it first"},
		{name: "powershell.sql", content: "\xff\xfeS\x00", refused: "make the dump with --file"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, filepath.FromSlash(c.name))
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(c.content), 0o644)); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(c.name, "/") {
				path = filepath.Dir(path)
			}
			got, err := pgdump.Detect(path)
			if c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("error %v; want one that says %q", err, c.refused)
				}
				return
			}
			if err != nil || got != c.want {
				t.Errorf("format %d, error %v; want %d", got, err, c.want)
			}
		})
	}
}

func TestSumChangesWithAnyFileOfAFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	seen := map[string]string{}
	for _, change := range []struct{ name, content string }{{"toc.dat", "a"}, {"toc.dat", "b"}, {"1.dat", ""}, {"1.dat", "x"}, {"2.dat", "x"}} {
		if err := os.WriteFile(filepath.Join(dir, change.name), []byte(change.content), 0o644); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			sum, err := pgdump.Sum(dir)
			if err != nil {
				t.Fatal(err)
			}
			what := change.name + change.content
			if other, ok := seen[sum]; ok && other != what {
				t.Errorf("after %q the sum is as after %q", what, other)
			}
			seen[sum] = what
		}
	}
	if len(seen) != 5 {
		t.Errorf("%d sums of 5 contents", len(seen))
	}
}
