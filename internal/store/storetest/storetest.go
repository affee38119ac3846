// Package storetest gives tests an empty operational database of each engine: SQLite in a temporary
// directory, and PostgreSQL from a private server that it starts itself and that ends with the test
// binary.
//
// It owns no schema and no data: what it opens is a store.DB like any other.
package storetest

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/store"
)

// SQLite opens an empty database in a temporary directory and closes it at the end of the test.
func SQLite(t testing.TB) *store.DB {
	t.Helper()
	return Open(t, SQLiteDSN(t))
}

// SQLiteDSN names a database file that does not exist yet.
func SQLiteDSN(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "chaoban.db")
}

// PostgreSQL opens an empty database of the private server and closes it at the end of the test.
// Without PostgreSQL on the machine the test is skipped; where CI=true it fails.
func PostgreSQL(t testing.TB) *store.DB {
	t.Helper()
	return Open(t, PostgreSQLDSN(t))
}

// Open opens a database by its DSN and closes it at the end of the test.
func Open(t testing.TB, dsn string) *store.DB {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	db, err := store.Open(ctx, store.Config{DSN: dsn})
	if err != nil {
		t.Fatalf("open the store: %s", fault.InternalText(err))
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return db
}
