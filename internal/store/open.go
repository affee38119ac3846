package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/chaoban/chaoban/internal/fault"
)

// openSQLite opens the one writing connection and the reading pool of a file.
//
// synchronous=FULL: an acknowledged change survives a power cut, not only the end of the process.
// The writer begins IMMEDIATE, so that it never fails half way because another process writes.
func openSQLite(config Config, path string) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "store.config", "the path of the database cannot be resolved")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "store.config", "the directory %s cannot be made", filepath.Dir(path))
	}
	if err := claimFile(path); err != nil {
		return nil, err
	}
	connect := func(connections int, extra ...string) (*bun.DB, error) {
		q := url.Values{"_pragma": append([]string{
			fmt.Sprintf("busy_timeout(%d)", config.BusyTimeout.Milliseconds()),
			"foreign_keys(1)", "synchronous(FULL)",
		}, extra...)}
		if connections == 1 {
			q.Set("_txlock", "immediate")
		}
		u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}
		pool, err := sql.Open("sqlite", u.String())
		if err != nil {
			return nil, err
		}
		pool.SetMaxOpenConns(connections)
		pool.SetMaxIdleConns(connections)
		return bun.NewDB(pool, sqlitedialect.New()), nil
	}
	write, err := connect(1, "journal_mode(WAL)")
	if err != nil {
		return nil, err
	}
	read, err := connect(max(2, config.Readers), "query_only(1)")
	if err != nil {
		return nil, err
	}
	return &DB{config: config, dialect: SQLite, write: write, read: read}, nil
}

// claimFile creates the file for its owner only: it holds password hashes and personal data.
// SQLite gives its journal files the mode of the database file.
func claimFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "store.config", "the database file %s cannot be opened for writing", path)
	}
	return f.Close()
}

// openPostgres opens one pool. Nothing is sent yet.
func openPostgres(config Config, dsn string) (*DB, error) {
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "store.config", "the PostgreSQL address cannot be read")
	}
	// bun writes the values into the text, so a prepared statement would never be used twice.
	c.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 10 * time.Second
	}
	c.RuntimeParams["application_name"] = "chaoban"
	c.RuntimeParams["timezone"] = "UTC"
	c.RuntimeParams["client_encoding"] = "UTF8"
	c.RuntimeParams["standard_conforming_strings"] = "on"
	c.RuntimeParams["lock_timeout"] = strconv.FormatInt(config.BusyTimeout.Milliseconds(), 10)
	pool := stdlib.OpenDB(*c)
	pool.SetMaxOpenConns(config.Readers + 2)
	pool.SetMaxIdleConns(config.Readers + 2)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	db := bun.NewDB(pool, pgdialect.New())
	return &DB{config: config, dialect: PostgreSQL, write: db, read: db}, nil
}

// retry runs fn again while another writer is in the way. fn must have no effect when it fails.
func (db *DB) retry(ctx context.Context, fn func() error) error {
	const attempts = 6
	pause := 10 * time.Millisecond
	for i := 1; ; i++ {
		err := fn()
		if err == nil || !contended(err) {
			return translate(err)
		}
		if i == attempts {
			return translate(err)
		}
		select {
		case <-ctx.Done():
			return translate(ctx.Err())
		case <-time.After(pause):
		}
		pause *= 2
	}
}

// plain runs one transaction that leaves no audit row: attempts, leases, idempotency keys.
func (db *DB) plain(ctx context.Context, fn func(bun.Tx) error) error {
	return db.retry(ctx, func() error {
		return db.write.RunInTx(ctx, nil, func(_ context.Context, tx bun.Tx) error { return fn(tx) })
	})
}
