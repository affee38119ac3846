// Package store owns the operational database: merchants, contracts, people, users, forecasts,
// plans, rosters, reports, job runs and the audit chain. SQLite is the embedded default and
// PostgreSQL takes over when users outgrow one machine; both behave the same, one suite tells.
//
// It does not own measurements (kpi/warehouse), permissions (access decides, operations asks) or
// the meaning of what it keeps: documents are validated before they come here. It keeps only the
// invariants that need the database: references, uniqueness, versions of one contract do not
// overlap, nobody is in two published shifts at once.
//
// Reads hang off a scope (DB.In, DB.Read), so nobody can ask an unscoped question. Changes run in
// one transaction (DB.Change) that also appends hash-chained audit rows. What happens before
// anybody is known (logging in) or beside people (job leases, idempotency keys) hangs off DB with
// the key it concerns.
//
// Times: every time.Time is an instant, stored as microseconds since 1970 in UTC and returned in
// UTC; finer parts are cut off. The zero time means "none". The store never reads the clock: the
// caller passes now. calendar.Date is a civil date in the business time zone, stored as text.
package store

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
)

// Dialect names the database engine behind a DB.
type Dialect string

// The dialects.
const (
	SQLite     Dialect = "sqlite"
	PostgreSQL Dialect = "postgres"
)

// The faults of this package; compare with errors.Is. A returned fault carries the same code and
// a message that names the thing.
var (
	ErrNotFound    = fault.New(fault.NotFound, "store.not_found", "there is no such thing")
	ErrConflict    = fault.New(fault.Conflict, "store.conflict", "somebody changed this in the meantime")
	ErrReference   = fault.New(fault.Invalid, "store.reference", "this names something that does not exist")
	ErrInUse       = fault.New(fault.Conflict, "store.in_use", "something else still refers to this")
	ErrNewerSchema = fault.New(fault.Conflict, "store.newer_schema", "the database was written by a newer chaoban")
	ErrBusy        = fault.New(fault.Unavailable, "store.busy", "the database is busy, try again")
	ErrDown        = fault.New(fault.Unavailable, "store.down", "the database does not answer")
	ErrAuditBroken = fault.New(fault.Conflict, "store.audit_broken", "the audit chain is broken")
	ErrBadPage     = fault.New(fault.Invalid, "store.bad_page", "this page cannot be shown")
)

// Config says where the operational database is.
type Config struct {
	// DSN is "sqlite:PATH", "postgres://user:password@host/database?..." or empty for the default
	// SQLite file.
	DSN string `json:"dsn" koanf:"dsn" yaml:"dsn"`
	// BusyTimeout is how long a change waits for another writer before it is retried; 0 means 5 s.
	BusyTimeout time.Duration `json:"busy_timeout" koanf:"busy_timeout" yaml:"busy_timeout"`
	// Readers is the most connections that read at once; 0 means 8.
	Readers int `json:"readers" koanf:"readers" yaml:"readers"`
}

// DefaultConfig is a SQLite file below the working directory.
func DefaultConfig() Config {
	return Config{DSN: "sqlite:data/chaoban.db", BusyTimeout: 5 * time.Second, Readers: 8}
}

// withDefaults fills the zero values.
func (c Config) withDefaults() Config {
	d := DefaultConfig()
	if c.DSN == "" {
		c.DSN = d.DSN
	}
	if c.BusyTimeout == 0 {
		c.BusyTimeout = d.BusyTimeout
	}
	if c.Readers == 0 {
		c.Readers = d.Readers
	}
	return c
}

// Validate reports every bad field at once, code "store.config".
func (c Config) Validate() error {
	c = c.withDefaults()
	var bad []fault.Field
	report := func(path, value, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: value, Problem: problem})
	}
	switch dialect, rest := c.split(); dialect {
	case SQLite:
		if rest == "" || strings.Contains(rest, ":memory:") || strings.ContainsRune(rest, 0) {
			report("dsn", c.Masked(), "must name a file, as in sqlite:data/chaoban.db")
		}
	case PostgreSQL:
		if u, err := url.Parse(rest); err != nil || u.Path == "" || u.Path == "/" {
			report("dsn", c.Masked(), "must name a database, as in postgres://user:password@host/chaoban")
		}
	default:
		report("dsn", c.Masked(), "must start with sqlite: or postgres://")
	}
	if c.BusyTimeout < time.Millisecond || c.BusyTimeout > 10*time.Minute {
		report("busy_timeout", c.BusyTimeout.String(), "must be between 1ms and 10m")
	}
	if c.Readers < 1 || c.Readers > 1000 {
		report("readers", "", "must be between 1 and 1000")
	}
	return fault.Bad("store.config", "operational database", bad)
}

// Masked is the DSN without its password, for people and logs.
func (c Config) Masked() string {
	dsn := c.withDefaults().DSN
	if strings.HasPrefix(dsn, "sqlite:") {
		return dsn
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return "(unreadable dsn)"
	}
	if q := u.Query(); q.Has("password") {
		q.Set("password", "xxxxx")
		u.RawQuery = q.Encode()
	}
	return u.Redacted()
}

// split returns the dialect and the SQLite path or the PostgreSQL URL.
func (c Config) split() (Dialect, string) {
	if path, ok := strings.CutPrefix(c.DSN, "sqlite:"); ok {
		return SQLite, filepath.Clean(path)
	}
	if strings.HasPrefix(c.DSN, "postgres://") || strings.HasPrefix(c.DSN, "postgresql://") {
		return PostgreSQL, c.DSN
	}
	return "", c.DSN
}

// DB is the operational database. It is safe for concurrent use.
type DB struct {
	config  Config
	dialect Dialect
	write   *bun.DB // SQLite: the one connection that writes
	read    *bun.DB // PostgreSQL: the same pool as write
}

// Open connects, and brings the schema up to date. It creates the SQLite file and its directory.
// It fails with ErrNewerSchema when a newer chaoban wrote the database, with ErrDown when the
// server does not answer, and with code "store.config" on a bad configuration.
func Open(ctx context.Context, config Config) (*DB, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	config = config.withDefaults()
	dialect, place := config.split()
	open := openPostgres
	if dialect == SQLite {
		open = openSQLite
	}
	db, err := open(config, place)
	if err != nil {
		return nil, translate(err)
	}
	if err := db.migrate(ctx); err != nil {
		return nil, errors.Join(translate(err), db.Close())
	}
	return db, nil
}

// Close waits for running statements and closes every connection.
func (db *DB) Close() error {
	err := db.read.Close()
	if db.write != db.read {
		err = errors.Join(err, db.write.Close())
	}
	return err
}

// Dialect of the engine behind the DB.
func (db *DB) Dialect() Dialect { return db.dialect }

// Ping asks the database for an answer; ErrDown when there is none.
func (db *DB) Ping(ctx context.Context) error {
	_, err := db.read.ExecContext(ctx, "SELECT 1")
	return translate(err)
}

// In returns the reads that a scope allows. Each method sees its own moment; use Read to see one
// moment in several.
func (db *DB) In(scope access.Scope) *View { return &View{db: db, q: db.read, scope: scope} }

// Read calls fn with a View in which every method sees the same moment.
func (db *DB) Read(ctx context.Context, scope access.Scope, fn func(*View) error) error {
	return translate(db.snapshot(ctx, func(q bun.IDB) error {
		return fn(&View{db: db, q: q, scope: scope, frozen: true})
	}))
}

// snapshot runs fn in a read-only transaction that sees one moment.
func (db *DB) snapshot(ctx context.Context, fn func(bun.IDB) error) error {
	var options *sql.TxOptions // a SQLite read transaction is a snapshot by itself
	if db.dialect == PostgreSQL {
		options = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	return db.read.RunInTx(ctx, options, func(_ context.Context, tx bun.Tx) error { return fn(tx) })
}

// View is the reads of one scope:
//   - a scope of everything sees all rows;
//   - a scope of merchants sees the rows of these merchants: merchants, shops, queues, contracts,
//     forecasts and what is kept about them, plans, reports and imports; no people, no rosters, no plumbing;
//   - a scope of an agent sees its own agent row, its own published shifts, scorecards, leave ledger
//     and facts, and the requests that concern it or are open to it, nothing else.
//
// What a scope may not see is not there: lists leave it out and single reads answer ErrNotFound.
type View struct {
	db     *DB
	q      bun.IDB
	scope  access.Scope
	frozen bool // q is a transaction that already sees one moment
}

// everything reports whether the scope may see rows that belong to nobody in particular. An agent
// in the scope always narrows it, whatever else the scope says.
func (v *View) everything() bool { return v.scope.Everything && v.scope.Agent == "" }

// general starts a query of rows that only a scope of everything sees.
func (v *View) general(rows any) *bun.SelectQuery {
	q := v.q.NewSelect().Model(rows)
	if !v.everything() {
		q = q.Where("1 = 0")
	}
	return q
}

// ofMerchants starts a query of rows that belong to the merchant in the column.
func (v *View) ofMerchants(rows any, column string) *bun.SelectQuery {
	q := v.q.NewSelect().Model(rows)
	switch {
	case v.everything():
		return q
	case v.scope.Agent != "" || len(v.scope.Merchants) == 0:
		return q.Where("1 = 0")
	default:
		return q.Where("? IN (?)", bun.Ident(column), bun.List(v.scope.Merchants))
	}
}

// ofAgents starts a query of rows that belong to the agent in the column.
func (v *View) ofAgents(rows any, column string) *bun.SelectQuery {
	q := v.q.NewSelect().Model(rows)
	switch {
	case v.everything():
		return q
	case v.scope.Agent == "":
		return q.Where("1 = 0")
	default:
		return q.Where("? = ?", bun.Ident(column), v.scope.Agent)
	}
}

// moment runs fn with a View that sees one moment.
func (v *View) moment(ctx context.Context, fn func(*View) error) error {
	if v.frozen {
		return fn(v)
	}
	return v.db.Read(ctx, v.scope, fn)
}
