// Package drivers holds the proof that a database from fixture/postgres is one
// like any other to the drivers that programs use.
package drivers_test

import (
	"database/sql"
	"testing"

	"github.com/lib/pq"

	"github.com/standin-go/standin/fixture/postgres"
)

// lib/pq knows nothing of pgx, on which the fixture is built.
func TestPqConnects(t *testing.T) {
	t.Parallel()
	fixture := postgres.New(t, postgres.SkipIfMissing())
	connector, err := pq.NewConnector(fixture.URL())
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	var sum int
	err = db.QueryRow("SELECT sum(n) FROM unnest($1::int[]) n", pq.Array([]int{1, 2, 3})).Scan(&sum)
	if err != nil {
		t.Fatal(err)
	}
	if sum != 6 {
		t.Errorf("the sum is %d, want 6", sum)
	}
	copied, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Rollback()
	if _, err := copied.Exec("CREATE TABLE words (word text)"); err != nil {
		t.Fatal(err)
	}
	in, err := copied.Prepare("COPY words (word) FROM STDIN")
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"a", "b"} {
		if _, err := in.Exec(word); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := in.Exec(); err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := copied.QueryRow("SELECT count(*) FROM words").Scan(&sum); err != nil {
		t.Fatal(err)
	}
	if sum != 2 {
		t.Errorf("%d rows were copied, want 2", sum)
	}
}
