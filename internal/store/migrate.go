package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/chaoban/chaoban/internal/fault"
)

// One set of scripts serves both engines. Two words differ and are filled in by scriptWords; a
// type that both engines know is written plainly.
//
//go:embed migrations/*.sql
var scripts embed.FS

// scriptWords: {key} is text that sorts by bytes on both engines, so that pages come in the same
// order; {bytes} is binary.
var scriptWords = map[Dialect]*strings.Replacer{
	SQLite:     strings.NewReplacer("{key}", "TEXT", "{bytes}", "BLOB"),
	PostgreSQL: strings.NewReplacer("{key}", `TEXT COLLATE "C"`, "{bytes}", "BYTEA"),
}

// migrations turns each script into a goose migration that runs in one transaction, forward only.
func migrations(dialect Dialect) ([]*goose.Migration, int64, error) {
	names, err := fs.Glob(scripts, "migrations/*.sql")
	if err != nil {
		return nil, 0, err
	}
	var list []*goose.Migration
	var newest int64
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return nil, 0, err
		}
		text, err := scripts.ReadFile(name)
		if err != nil {
			return nil, 0, err
		}
		script := scriptWords[dialect].Replace(string(text))
		up := &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, script)
			return err
		}}
		list = append(list, goose.NewGoMigration(version, up, nil))
		newest = max(newest, version)
	}
	return list, newest, nil
}

// migrate brings the schema up to date, or fails with ErrNewerSchema. Two processes may start at
// once: PostgreSQL lets one wait for the other, and on SQLite the loser finds the work done.
func (db *DB) migrate(ctx context.Context) error {
	list, newest, err := migrations(db.dialect)
	if err != nil {
		return err
	}
	dialect := goose.DialectSQLite3
	options := []goose.ProviderOption{goose.WithGoMigrations(list...), goose.WithDisableGlobalRegistry(true)}
	if db.dialect == PostgreSQL {
		dialect = goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 120))
		if err != nil {
			return err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(dialect, db.write.DB, nil, options...)
	if err != nil {
		return err
	}
	const attempts = 5
	for i := 1; ; i++ {
		if err = db.refuseNewer(ctx, provider, newest); err == nil {
			_, err = provider.Up(ctx)
		}
		if err == nil || i == attempts || errors.Is(err, ErrNewerSchema) || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// refuseNewer checks before anything is written.
func (db *DB) refuseNewer(ctx context.Context, provider *goose.Provider, newest int64) error {
	there, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("schema version: %w", err)
	}
	if there > newest {
		return fault.New(ErrNewerSchema.Kind, ErrNewerSchema.Code,
			"the database has schema %d, this chaoban knows %d: start the newer chaoban again", there, newest)
	}
	return nil
}

// SchemaVersion is the version of the schema in the database, for doctor.
func (db *DB) SchemaVersion(ctx context.Context) (int64, error) {
	var version int64
	err := db.read.NewRaw("SELECT max(version_id) FROM goose_db_version").Scan(ctx, &version)
	return version, translate(err)
}
