package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/ids"
)

type attemptRow struct {
	bun.BaseModel `bun:"table:login_attempts,alias:t"`
	ID            string `bun:",pk"`
	Login         string
	Remote        string
	At            int64
	Succeeded     bool
}

// attempt is the type of the identifiers of login attempts.
type attempt string

// AddLoginAttempt records that somebody tried to log in from a remote address. It leaves no audit
// row: an attacker must not be able to make the chain grow.
func (db *DB) AddLoginAttempt(ctx context.Context, login, remote string, at time.Time, succeeded bool) error {
	row := attemptRow{
		ID: string(ids.New[attempt](at)), Login: bounded(loginText(login)), Remote: bounded(clean(remote)), At: micros(at), Succeeded: succeeded,
	}
	return db.plain(ctx, func(tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&row).Exec(ctx)
		return err
	})
}

// bounded keeps what a stranger sends from filling the disk or an index row.
func bounded(s string) string {
	const limit = 200
	if len(s) > limit {
		return clean(s[:limit])
	}
	return s
}

// LoginFailures counts failed attempts for throttling.
type LoginFailures struct {
	ByLogin  int       // of the login since its last success in the period
	ByRemote int       // of the remote address in the period, for any login
	Last     time.Time // the newest of both, zero when there is none
}

// LoginFailures counts the failed attempts at or after since.
func (db *DB) LoginFailures(ctx context.Context, login, remote string, since time.Time) (LoginFailures, error) {
	login, remote = bounded(loginText(login)), bounded(clean(remote))
	var f LoginFailures
	var success, lastLogin, lastRemote int64
	err := db.snapshot(ctx, func(q bun.IDB) error {
		err := q.NewRaw(`SELECT COALESCE(max(at), 0) FROM login_attempts WHERE login = ? AND at >= ? AND succeeded`,
			login, micros(since)).Scan(ctx, &success)
		if err != nil {
			return err
		}
		err = q.NewRaw(`SELECT count(*), COALESCE(max(at), 0) FROM login_attempts
			WHERE login = ? AND at >= ? AND at > ? AND NOT succeeded`, login, micros(since), success).Scan(ctx, &f.ByLogin, &lastLogin)
		if err != nil {
			return err
		}
		return q.NewRaw(`SELECT count(*), COALESCE(max(at), 0) FROM login_attempts
			WHERE remote = ? AND at >= ? AND NOT succeeded`, remote, micros(since)).Scan(ctx, &f.ByRemote, &lastRemote)
	})
	f.Last = instant(max(lastLogin, lastRemote))
	return f, translate(err)
}
