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

// AttemptID names an attempt to log in.
type AttemptID string

// Failures are failed attempts of one kind in a period.
type Failures struct {
	Count int
	Last  time.Time // the newest; zero when there is none
}

// LoginFailures are the failed attempts that throttle the next one.
type LoginFailures struct {
	Here   Failures // of the login from the remote address, since its last success from there
	Login  Failures // of the login from any address; a success wipes nothing here
	Remote Failures // from the remote address for any login
}

// LoginLimits are the numbers of failures at which the next attempt is barred; 0 bars nothing.
type LoginLimits struct {
	Here, Login, Remote int
}

// Bars returns the newest failure among those that reached their limit; false when none did.
func (l LoginLimits) Bars(f LoginFailures) (last time.Time, barred bool) {
	for _, k := range []struct {
		limit int
		Failures
	}{{l.Here, f.Here}, {l.Login, f.Login}, {l.Remote, f.Remote}} {
		if k.limit > 0 && k.Count >= k.limit {
			barred = true
			if k.Last.After(last) {
				last = k.Last
			}
		}
	}
	return last, barred
}

// BeginLogin records that somebody tries to log in from a remote address, as a failure until
// LoginSucceeded says otherwise, unless the failures at or after since bar it: then nothing is
// recorded, id is empty and the failures say why. Counting and recording are one transaction, and
// such transactions run one after the other, so parallel guesses do not slip through. It leaves no
// audit row: an attacker must not be able to make the chain grow.
func (db *DB) BeginLogin(ctx context.Context, login, remote string, at, since time.Time, limits LoginLimits) (id AttemptID, f LoginFailures, err error) {
	row := attemptRow{Login: bounded(loginText(login)), Remote: bounded(clean(remote)), At: micros(at)}
	err = db.plain(ctx, func(tx bun.Tx) error {
		id = ""
		if db.dialect == PostgreSQL { // SQLite has one writer anyway
			if _, err := tx.NewRaw("SELECT pg_advisory_xact_lock(?)", loginLock).Exec(ctx); err != nil {
				return err
			}
		}
		if f, err = failures(ctx, tx, row.Login, row.Remote, since); err != nil {
			return err
		}
		if _, barred := limits.Bars(f); barred {
			return nil
		}
		row.ID = string(ids.New[AttemptID](at))
		if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
			return err
		}
		id = AttemptID(row.ID)
		return nil
	})
	return id, f, err
}

// loginLock is the key of the advisory lock under which PostgreSQL counts and records attempts.
const loginLock = 0x6c6f67696e // "login"

// LoginSucceeded turns a recorded attempt into a success.
func (db *DB) LoginSucceeded(ctx context.Context, id AttemptID) error {
	return db.plain(ctx, func(tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*attemptRow)(nil)).Set("succeeded = ?", true).Where("id = ?", string(id)).Exec(ctx)
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

// LoginFailures counts the failed attempts at or after since, without recording one.
func (db *DB) LoginFailures(ctx context.Context, login, remote string, since time.Time) (f LoginFailures, err error) {
	err = db.snapshot(ctx, func(q bun.IDB) error {
		f, err = failures(ctx, q, bounded(loginText(login)), bounded(clean(remote)), since)
		return err
	})
	return f, translate(err)
}

func failures(ctx context.Context, q bun.IDB, login, remote string, since time.Time) (f LoginFailures, err error) {
	var success int64
	err = q.NewRaw(`SELECT COALESCE(max(at), 0) FROM login_attempts WHERE login = ? AND remote = ? AND at >= ? AND succeeded`,
		login, remote, micros(since)).Scan(ctx, &success)
	if err != nil {
		return f, err
	}
	for _, k := range []struct {
		into  *Failures
		where string
		args  []any
	}{
		{&f.Here, "login = ? AND remote = ? AND at > ?", []any{login, remote, success}},
		{&f.Login, "login = ?", []any{login}},
		{&f.Remote, "remote = ?", []any{remote}},
	} {
		var last int64
		err := q.NewRaw("SELECT count(*), COALESCE(max(at), 0) FROM login_attempts WHERE "+k.where+" AND at >= ? AND NOT succeeded",
			append(k.args, micros(since))...).Scan(ctx, &k.into.Count, &last)
		if err != nil {
			return f, err
		}
		k.into.Last = instant(last)
	}
	return f, nil
}
