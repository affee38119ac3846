package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	"github.com/chaoban/chaoban/internal/fault"
)

// Result codes of SQLite, https://sqlite.org/rescode.html. The low byte is the primary code.
const (
	sqliteBusy       = 5
	sqliteLocked     = 6
	sqliteReadOnly   = 8
	sqliteIOErr      = 10
	sqliteFull       = 13
	sqliteCantOpen   = 14
	sqliteNotADB     = 26
	sqliteForeignKey = 787  // SQLITE_CONSTRAINT_FOREIGNKEY
	sqlitePrimaryKey = 1555 // SQLITE_CONSTRAINT_PRIMARYKEY
	sqliteUnique     = 2067 // SQLITE_CONSTRAINT_UNIQUE
)

// PostgreSQL error codes, https://www.postgresql.org/docs/current/errcodes-appendix.html.
const (
	pgForeignKey     = "23503"
	pgUnique         = "23505"
	pgBadText        = "22021"
	pgSerialization  = "40001"
	pgDeadlock       = "40P01"
	pgLockTimeout    = "55P03"
	pgConnection     = "08"  // class
	pgResources      = "53"  // class: disk full, too many connections
	pgOperator       = "57P" // shutdown, crash, cannot connect now
	pgAuthentication = "28"  // class
)

// contended reports that another writer was in the way, so the same transaction may succeed later.
func contended(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		code := e.Code() & 0xff
		return code == sqliteBusy || code == sqliteLocked
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == pgSerialization || e.Code == pgDeadlock || e.Code == pgLockTimeout
	}
	return false
}

// translate turns what a driver says into a fault. Faults and nil pass.
func translate(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return wrap(err, ErrNotFound)
	case contended(err):
		e := wrap(err, ErrBusy)
		e.RetryAfter = time.Second
		return e
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(err, fault.Timeout, "store.timeout", "the database took too long")
	case errors.Is(err, context.Canceled):
		return fault.Wrap(err, fault.Canceled, "store.canceled", "the request was given up")
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return fromSQLite(e, err)
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return fromPostgres(e, err)
	}
	if isConnection(err) {
		return down(err)
	}
	return fault.Wrap(err, fault.Internal, "store.internal", "the database failed")
}

func fromSQLite(e *sqlite.Error, err error) error {
	switch e.Code() {
	case sqliteForeignKey:
		return wrap(err, ErrReference)
	case sqlitePrimaryKey, sqliteUnique:
		return fault.Wrap(err, fault.Conflict, ErrConflict.Code, "this exists already")
	}
	switch e.Code() & 0xff {
	case sqliteReadOnly, sqliteIOErr, sqliteFull, sqliteCantOpen:
		return down(err)
	case sqliteNotADB:
		return fault.Wrap(err, fault.Invalid, "store.config", "the file is not a SQLite database")
	}
	return fault.Wrap(err, fault.Internal, "store.internal", "the database failed")
}

func fromPostgres(e *pgconn.PgError, err error) error {
	switch {
	case e.Code == pgForeignKey:
		return wrap(err, ErrReference)
	case e.Code == pgUnique:
		return fault.Wrap(err, fault.Conflict, ErrConflict.Code, "this exists already")
	case e.Code == pgBadText:
		return fault.Wrap(err, fault.Invalid, "store.text", "a text is not valid UTF-8 or holds a zero byte")
	case strings.HasPrefix(e.Code, pgConnection), strings.HasPrefix(e.Code, pgResources),
		strings.HasPrefix(e.Code, pgOperator), strings.HasPrefix(e.Code, pgAuthentication):
		return down(err)
	}
	return fault.Wrap(err, fault.Internal, "store.internal", "the database failed")
}

func isConnection(err error) bool {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || pgconn.SafeToRetry(err)
}

func down(err error) error {
	e := wrap(err, ErrDown)
	e.RetryAfter = 5 * time.Second
	return e
}

// wrap makes a fault like the sentinel around a cause.
func wrap(cause error, like *fault.Error) *fault.Error {
	return fault.Wrap(cause, like.Kind, like.Code, "%s", like.Message)
}

// missing is ErrNotFound for a named thing.
func missing(kind, id string) error {
	return fault.New(fault.NotFound, ErrNotFound.Code, "there is no %s %q", kind, fault.Shorten(id))
}

// found turns "no row" into ErrNotFound for a named thing and translates the rest.
func found(err error, kind, id string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return missing(kind, id)
	}
	return translate(err)
}
