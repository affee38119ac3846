package warehouse

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/chaoban/chaoban/internal/fault"
)

// The whole DDL is in this directory and nowhere else, so that a cluster form of it
// (ON CLUSTER, Replicated engines, Distributed tables) is one more directory.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema to this binary's version. Two processes may do it at once: every
// statement is IF NOT EXISTS. Errors: warehouse.schema_newer.
func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectClickHouse, db, files,
		goose.WithTableName("schema_versions"), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	sources := provider.ListSources()
	newest := sources[len(sources)-1].Version
	stored, err := provider.GetDBVersion(ctx)
	if err != nil {
		return err
	}
	if stored > newest {
		return fault.New(fault.Conflict, "warehouse.schema_newer",
			"the warehouse has schema %d, this program knows up to %d; use the newer program", stored, newest)
	}
	_, err = provider.Up(ctx)
	return err
}
