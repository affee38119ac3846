package store

import "github.com/uptrace/bun"

// Raw gives tests the database behind the store, to break it.
func (db *DB) Raw() *bun.DB { return db.write }

// DSN names the database, to open it again.
func (db *DB) DSN() string { return db.config.DSN }
