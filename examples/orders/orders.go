// Package orders keeps the orders of a shop in PostgreSQL.
package orders

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed migrations
var embedded embed.FS

// Migrations are the files that make the schema.
func Migrations() fs.FS {
	files, err := fs.Sub(embedded, "migrations")
	if err != nil {
		panic(err) // the name is not a path: a mistake in this file
	}
	return files
}

// ErrOutOfStock says that there are not as many of an item as were ordered.
var ErrOutOfStock = errors.New("out of stock")

// Store is the shop's database.
type Store struct{ db *pgxpool.Pool }

// New returns a store in a database that has the schema of Migrations.
func New(db *pgxpool.Pool) *Store { return &Store{db: db} }

// Place takes the items out of the stock and returns the number of the order:
// all of it, or nothing happens.
func (s *Store) Place(ctx context.Context, customer string, items map[string]int) (id int64, err error) {
	err = pgx.BeginFunc(ctx, s.db, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, "INSERT INTO orders (customer) VALUES ($1) RETURNING id", customer).Scan(&id); err != nil {
			return err
		}
		for _, sku := range slices.Sorted(maps.Keys(items)) { // in the same order everywhere, so no two block each other
			if err := place(ctx, tx, id, sku, items[sku]); err != nil {
				return fmt.Errorf("%s: %w", sku, err)
			}
		}
		return nil
	})
	return id, err
}

const checkViolation = "23514" // of PostgreSQL's appendix A

func place(ctx context.Context, tx pgx.Tx, order int64, sku string, quantity int) error {
	_, err := tx.Exec(ctx, "UPDATE stock SET quantity = quantity - $2 WHERE sku = $1", sku, quantity)
	var violation *pgconn.PgError
	if errors.As(err, &violation) && violation.Code == checkViolation {
		return ErrOutOfStock
	}
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO items (order_id, sku, quantity) VALUES ($1, $2, $3)", order, sku, quantity)
	return err
}

// InStock returns how many of an item are left.
func (s *Store) InStock(ctx context.Context, sku string) (n int, err error) {
	err = s.db.QueryRow(ctx, "SELECT quantity FROM stock WHERE sku = $1", sku).Scan(&n)
	return n, err
}

// Of returns the numbers of a customer's orders, oldest first.
func (s *Store) Of(ctx context.Context, customer string) ([]int64, error) {
	rows, err := s.db.Query(ctx, "SELECT id FROM orders WHERE customer = $1 ORDER BY id", customer)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}
