package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/fault"
)

// Reply is the remembered answer to a request that carried an idempotency key.
type Reply struct {
	Status      int
	ContentType string
	Body        []byte
}

type keyRow struct {
	bun.BaseModel `bun:"table:idempotency_keys,alias:t"`
	Principal     string `bun:",pk"`
	Key           string `bun:",pk"`
	RequestHash   string
	ClaimedAt     int64
	ExpiresAt     int64
	Done          bool
	Status        int
	ContentType   string
	Body          []byte
}

// A claim on a key is void when its request must have ended: claimMargin after the deadline of the
// request, or after claimTime when it has none. Where several services may share the store a claim is void
// claimLease after it was last renewed, too: the process of a request that still works renews it.
const (
	claimTime   = 5 * time.Minute
	claimMargin = time.Minute
	claimLease  = 30 * time.Second
)

// ClaimLimit is the longest that the request of a context may hold a claim, renewed or not. The same request has the
// same deadline each time it comes, so who comes later knows it of who came first.
func ClaimLimit(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return max(0, time.Until(deadline)) + claimMargin // how long, not when: the caller's now says when
	}
	return claimTime
}

// ClaimLease is how long a claim holds without being renewed; 0 where claims need no renewal: the embedded store
// belongs to one service, which frees the claims of the process before it when it starts (FreeClaims).
func (db *DB) ClaimLease() time.Duration {
	if db.dialect == SQLite {
		return 0
	}
	return claimLease
}

// void is how old a claim must be that the request of a context may take over.
func (db *DB) void(ctx context.Context) time.Duration {
	if lease := db.ClaimLease(); lease > 0 {
		return min(lease, ClaimLimit(ctx))
	}
	return ClaimLimit(ctx)
}

// ClaimKey begins a request that carries an idempotency key of a principal. When the key is new it
// is claimed and reply is nil: the caller does the work and then calls CompleteKey, or ReleaseKey
// when it failed in a way worth repeating. When the same request was completed before, its reply
// comes back. ErrConflict when the key was used for another request (requestHash differs) or the
// first request is still being worked on, which it may be until a minute after the deadline that ctx
// carries, or until its ClaimLease ends. Keys are forgotten after keep.
func (db *DB) ClaimKey(ctx context.Context, principal, key, requestHash string, now time.Time, keep time.Duration) (reply *Reply, err error) {
	mine := keyRow{
		Principal: clean(principal), Key: clean(key), RequestHash: requestHash, ClaimedAt: micros(now),
		ExpiresAt: micros(now.Add(keep)), Body: []byte{},
	}
	err = db.plain(ctx, func(tx bun.Tx) error {
		reply = nil
		result, err := tx.NewInsert().Model(&mine).On("CONFLICT (principal, key) DO UPDATE").
			Set("request_hash = EXCLUDED.request_hash").Set("claimed_at = EXCLUDED.claimed_at").
			Set("expires_at = EXCLUDED.expires_at").Set("done = EXCLUDED.done").
			Where("t.expires_at <= ? OR (NOT t.done AND t.request_hash = EXCLUDED.request_hash AND t.claimed_at <= ?)",
				micros(now), micros(now.Add(-db.void(ctx)))).
			Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 1 {
			return err
		}
		there := keyRow{Principal: mine.Principal, Key: mine.Key}
		if err := tx.NewSelect().Model(&there).WherePK().Scan(ctx); err != nil {
			return err
		}
		switch {
		case there.RequestHash != requestHash:
			return fault.New(fault.Conflict, ErrConflict.Code, "this idempotency key was used for another request")
		case !there.Done:
			return fault.New(fault.Conflict, ErrConflict.Code, "the first request with this idempotency key is still being worked on")
		}
		reply = &Reply{there.Status, there.ContentType, there.Body}
		return nil
	})
	return reply, err
}

// RenewKey extends a claim that was made or renewed last at an instant. held is false when the claim is another's by
// now, or over.
func (db *DB) RenewKey(ctx context.Context, principal, key string, last, now time.Time) (held bool, err error) {
	err = db.plain(ctx, func(tx bun.Tx) error {
		result, err := tx.NewUpdate().Model((*keyRow)(nil)).Set("claimed_at = ?", micros(now)).
			Where("principal = ? AND key = ? AND NOT done AND claimed_at = ?", clean(principal), clean(key), micros(last)).Exec(ctx)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		held = n == 1
		return err
	})
	return held, err
}

// FreeClaims gives up every claim of the embedded store and returns how many there were: their requests ended with
// the process that the caller follows. Elsewhere other services may be at work, so leases end by themselves.
func (db *DB) FreeClaims(ctx context.Context) (n int64, err error) {
	if db.ClaimLease() > 0 {
		return 0, nil
	}
	err = db.plain(ctx, func(tx bun.Tx) error {
		result, err := tx.NewDelete().Model((*keyRow)(nil)).Where("NOT done").Exec(ctx)
		if err == nil {
			n, err = result.RowsAffected()
		}
		return err
	})
	return n, err
}

// CompleteKey remembers the reply to the claimed request.
func (db *DB) CompleteKey(ctx context.Context, principal, key string, r Reply) error {
	if r.Body == nil {
		r.Body = []byte{}
	}
	return db.plain(ctx, func(tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*keyRow)(nil)).Set("done = ?", true).Set("status = ?", r.Status).
			Set("content_type = ?", clean(r.ContentType)).Set("body = ?", r.Body).
			Where("principal = ? AND key = ? AND NOT done", clean(principal), clean(key)).Exec(ctx)
		return err
	})
}

// ReleaseKey gives up the claim, so that the request may come again.
func (db *DB) ReleaseKey(ctx context.Context, principal, key string) error {
	return db.plain(ctx, func(tx bun.Tx) error {
		_, err := tx.NewDelete().Model((*keyRow)(nil)).
			Where("principal = ? AND key = ? AND NOT done", clean(principal), clean(key)).Exec(ctx)
		return err
	})
}

// Pruned counts what Prune removed.
type Pruned struct {
	Sessions      int64 `json:"sessions"`
	LoginAttempts int64 `json:"login_attempts"`
	Keys          int64 `json:"keys"`
	JobRuns       int64 `json:"job_runs"`
	Quarantined   int64 `json:"quarantined"`
}

// Kept says how long Prune keeps what is over.
type Kept struct {
	Attempts time.Duration // login attempts
	Runs     time.Duration // finished job runs; the newest of each job stays
	Settled  time.Duration // quarantined lines that landed or were dropped, from then on
}

// Prune removes plumbing that serves no purpose any more: sessions and idempotency keys that have
// expired, and what Kept names. A quarantined line that waits stays however old it is, and the audit
// trail tells of those that are gone.
func (db *DB) Prune(ctx context.Context, now time.Time, keep Kept) (Pruned, error) {
	var p Pruned
	err := db.plain(ctx, func(tx bun.Tx) error {
		for _, step := range []struct {
			count *int64
			sql   string
			args  []any
		}{
			{&p.Sessions, "DELETE FROM sessions WHERE expires_at <= ?", []any{micros(now)}},
			{&p.LoginAttempts, "DELETE FROM login_attempts WHERE at < ?", []any{micros(now.Add(-keep.Attempts))}},
			{&p.Keys, "DELETE FROM idempotency_keys WHERE expires_at <= ?", []any{micros(now)}},
			{
				&p.JobRuns, `DELETE FROM job_runs WHERE state <> ? AND started_at < ? AND EXISTS (SELECT 1 FROM job_runs AS newer
				WHERE newer.job = job_runs.job AND newer.state = job_runs.state AND newer.scheduled_for > job_runs.scheduled_for)`,
				[]any{Running, micros(now.Add(-keep.Runs))},
			},
			{&p.Quarantined, "DELETE FROM quarantine WHERE state <> ? AND settled_at < ?", []any{string(Waiting), micros(now.Add(-keep.Settled))}},
		} {
			result, err := tx.NewRaw(step.sql, step.args...).Exec(ctx)
			if err != nil {
				return err
			}
			if *step.count, err = result.RowsAffected(); err != nil {
				return err
			}
		}
		return nil
	})
	return p, err
}
