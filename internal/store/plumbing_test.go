package store_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
)

func testJobRuns(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	due := now.Add(time.Hour)
	run := store.JobRun{ID: "run2", Job: "rollup", ScheduledFor: due, Attempt: 1, Node: "n1", StartedAt: due.Add(time.Second)}
	require.NoError(t, db.StartJobRun(ctx, run))
	other := run
	other.ID, other.Node = "run3", "n2"
	codeIs(t, db.StartJobRun(ctx, other), store.ErrConflict)
	other.Attempt = 2
	require.NoError(t, db.StartJobRun(ctx, other))

	require.NoError(t, db.FinishJobRun(ctx, "run2", store.Succeeded, 42, "", due.Add(time.Minute)))
	codeIs(t, db.FinishJobRun(ctx, "run2", store.Failed, 0, "late", due.Add(time.Minute)), store.ErrConflict)
	got, err := view.JobRun(ctx, "run2")
	require.NoError(t, err)
	run.State, run.Rows = store.Succeeded, 42
	run.ScheduledFor, run.StartedAt = nowStored.Add(time.Hour), nowStored.Add(time.Hour+time.Second)
	run.FinishedAt = nowStored.Add(time.Hour + time.Minute)
	assert.Equal(t, run, got)

	n, err := db.AbandonJobRuns(ctx, "n1", due)
	require.NoError(t, err)
	assert.Equal(t, 1, n, "run1 of the fixture; n2 is another node")
	list, _, err := view.JobRuns(ctx, store.JobRunFilter{Job: "rollup", State: store.Running}, store.Page{})
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, ids.Run("run3"), list[0].ID)
	last, err := view.LastJobRun(ctx, "rollup", store.Succeeded)
	require.NoError(t, err)
	assert.Equal(t, ids.Run("run2"), last.ID)
	last, err = view.LastJobRun(ctx, "rollup", "")
	require.NoError(t, err)
	assert.Equal(t, ids.Run("run3"), last.ID)
	_, err = view.LastJobRun(ctx, "report", "")
	codeIs(t, err, store.ErrNotFound)
}

func testLeases(t *testing.T, db *store.DB) {
	ctx := t.Context()
	l, err := db.AcquireLease(ctx, "rollup", "n1", now, time.Minute)
	require.NoError(t, err)
	assert.Equal(t, store.Lease{Name: "rollup", Holder: "n1", Fence: 1, ExpiresAt: nowStored.Add(time.Minute)}, l)
	_, err = db.AcquireLease(ctx, "rollup", "n2", now.Add(59*time.Second), time.Minute)
	codeIs(t, err, store.ErrConflict)
	l, err = db.AcquireLease(ctx, "rollup", "n1", now.Add(30*time.Second), time.Minute)
	require.NoError(t, err, "the holder renews")
	assert.Equal(t, int64(1), l.Fence)
	stolen, err := db.AcquireLease(ctx, "rollup", "n2", now.Add(90*time.Second), time.Minute)
	require.NoError(t, err, "it has expired")
	assert.Equal(t, int64(2), stolen.Fence)
	require.NoError(t, db.ReleaseLease(ctx, l), "too late, no effect")
	_, err = db.AcquireLease(ctx, "rollup", "n1", now.Add(91*time.Second), time.Minute)
	codeIs(t, err, store.ErrConflict)
	require.NoError(t, db.ReleaseLease(ctx, stolen))
	l, err = db.AcquireLease(ctx, "rollup", "n1", now.Add(92*time.Second), time.Minute)
	require.NoError(t, err)
	assert.Equal(t, int64(3), l.Fence)

	var winners atomic.Int64
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			_, err := db.AcquireLease(ctx, "race", fmt.Sprint("n", i), now, time.Minute)
			if err == nil {
				winners.Add(1)
			} else {
				assert.Equal(t, store.ErrConflict.Code, fault.CodeOf(err), fault.InternalText(err))
			}
		})
	}
	wg.Wait()
	assert.Equal(t, int64(1), winners.Load())

	_, err = db.AcquireLease(ctx, "job:dead", "n1/run%", now, time.Hour)
	require.NoError(t, err)
	_, err = db.AcquireLease(ctx, "job:alive", "n10/run", now, time.Hour)
	require.NoError(t, err)
	freed, err := db.FreeLeases(ctx, "n1/")
	require.NoError(t, err)
	assert.Equal(t, 1, freed, "n10 is another node")
	_, err = db.AcquireLease(ctx, "job:dead", "n2/run", now, time.Hour)
	require.NoError(t, err)
	_, err = db.AcquireLease(ctx, "job:alive", "n2/run", now, time.Hour)
	codeIs(t, err, store.ErrConflict)
}

func testIdempotency(t *testing.T, db *store.DB) {
	ctx := t.Context()
	claim := func(hash string, at time.Time) (*store.Reply, error) {
		return db.ClaimKey(ctx, "u1", "key", hash, at, 24*time.Hour)
	}
	reply, err := claim("h", now)
	require.NoError(t, err)
	assert.Nil(t, reply)
	_, err = claim("h", now.Add(time.Second))
	codeIs(t, err, store.ErrConflict)
	_, err = db.ClaimKey(ctx, "u2", "key", "h", now, time.Hour)
	require.NoError(t, err, "another principal, another key")
	require.NoError(t, db.ReleaseKey(ctx, "u1", "key"))
	_, err = claim("h", now)
	require.NoError(t, err)
	_, err = claim("h", now.Add(10*time.Minute))
	require.NoError(t, err, "the first request died long ago")
	long, cancel := context.WithTimeout(ctx, 10*time.Minute) // a request that may take ten minutes
	defer cancel()
	held, err := db.RenewKey(ctx, "u1", "key", now.Add(10*time.Minute), now.Add(19*time.Minute-20*time.Second))
	require.NoError(t, err)
	assert.True(t, held)
	_, err = db.ClaimKey(long, "u1", "key", "h", now.Add(19*time.Minute), time.Hour)
	codeIs(t, err, store.ErrConflict) // the one at ten minutes is still at work
	_, err = db.ClaimKey(long, "u1", "key", "h", now.Add(30*time.Minute), 24*time.Hour)
	require.NoError(t, err)
	want := store.Reply{Status: 201, ContentType: "application/json", Body: []byte("{\"a\":\x00\xff}")}
	require.NoError(t, db.CompleteKey(ctx, "u1", "key", want))
	reply, err = claim("h", now.Add(time.Hour))
	require.NoError(t, err)
	assert.Equal(t, &want, reply)
	_, err = claim("other", now.Add(time.Hour))
	codeIs(t, err, store.ErrConflict)
	require.NoError(t, db.ReleaseKey(ctx, "u1", "key"), "what is complete stays")
	reply, err = claim("h", now.Add(20*time.Hour))
	require.NoError(t, err)
	assert.NotNil(t, reply)
	reply, err = claim("other", now.Add(25*time.Hour))
	require.NoError(t, err, "forgotten after a day")
	assert.Nil(t, reply)
}

// testUnfinishedImports: an import that begins is listed as unfinished, is no acknowledged one, and a
// repeat goes on with it.
func testUnfinishedImports(t *testing.T, db *store.DB) {
	ctx := t.Context()
	add := func(i store.Import) error {
		return db.Change(ctx, system, now, func(tx *store.Tx) error { return tx.AddImport(i) })
	}
	begin := func(batch ids.Batch) (kept ids.Batch) {
		change(t, db, func(tx *store.Tx) (err error) {
			kept, err = tx.BeginImport(store.Import{Batch: batch, Kind: "contacts", Key: "cut", File: "cut.csv"})
			return err
		})
		return kept
	}
	assert.Equal(t, ids.Batch("cut-1"), begin("cut-1"))
	assert.Equal(t, ids.Batch("cut-1"), begin("cut-2"))
	_, err := db.In(everything).ImportByKey(ctx, "contacts", "cut")
	codeIs(t, err, store.ErrNotFound)
	unfinished := func() (n int) {
		list, _, err := db.In(everything).Imports(ctx, store.ImportFilter{Kind: "contacts"}, store.Page{})
		require.NoError(t, err)
		for _, i := range list {
			if i.Rows == store.Unfinished {
				n++
				assert.Equal(t, ids.Batch("cut-1"), i.Batch)
			}
		}
		return n
	}
	assert.Equal(t, 1, unfinished())
	done := store.Import{Batch: "cut-1", Kind: "contacts", Key: "cut", File: "cut.csv", Rows: 7, Rejected: 1}
	require.NoError(t, add(done))
	assert.Zero(t, unfinished())
	i, err := db.In(everything).ImportByKey(ctx, "contacts", "cut")
	require.NoError(t, err)
	assert.Equal(t, int64(7), i.Rows)
	codeIs(t, add(done), store.ErrConflict)
	err = db.Change(ctx, system, now, func(tx *store.Tx) error {
		_, err := tx.BeginImport(done)
		return err
	})
	codeIs(t, err, store.ErrConflict)
}

// A process that died frees its keys: in the embedded store when the next one starts, elsewhere after a lease that a
// living process renews. What was answered stays.
func testClaimsOfADeadProcess(t *testing.T, db *store.DB) {
	ctx := t.Context()
	claim := func(key string, at time.Duration) error {
		_, err := db.ClaimKey(ctx, "u1", key, "h", now.Add(at), 24*time.Hour)
		return err
	}
	require.NoError(t, claim("answered", 0))
	require.NoError(t, db.CompleteKey(ctx, "u1", "answered", store.Reply{Status: 201}))
	require.NoError(t, claim("cut off", 0))
	codeIs(t, claim("cut off", 29*time.Second), store.ErrConflict)
	free, err := db.FreeClaims(ctx)
	require.NoError(t, err)
	if db.Dialect() == store.SQLite {
		assert.Zero(t, db.ClaimLease())
		assert.Equal(t, int64(1), free)
		require.NoError(t, claim("cut off", 29*time.Second))
	} else {
		assert.Zero(t, free, "another service may be at work on it")
		held, err := db.RenewKey(ctx, "u1", "cut off", now, now.Add(10*time.Second))
		require.NoError(t, err)
		assert.True(t, held)
		codeIs(t, claim("cut off", 39*time.Second), store.ErrConflict)
		require.NoError(t, claim("cut off", 40*time.Second))
		held, err = db.RenewKey(ctx, "u1", "cut off", now.Add(10*time.Second), now.Add(41*time.Second))
		require.NoError(t, err)
		assert.False(t, held, "it is another's by now")
	}
	reply, err := db.ClaimKey(ctx, "u1", "answered", "h", now.Add(time.Hour), 24*time.Hour)
	require.NoError(t, err)
	assert.Equal(t, 201, reply.Status)
}

func testPrune(t *testing.T, db *store.DB) {
	ctx := t.Context()
	_, _, err := db.BeginLogin(ctx, "x", "y", now, now, store.LoginLimits{})
	require.NoError(t, err)
	_, err = db.ClaimKey(ctx, "u1", "key", "h", now, time.Minute)
	require.NoError(t, err)
	for i := range 3 {
		at := now.Add(time.Duration(i) * time.Minute)
		id := ids.Run(fmt.Sprint("daily", i))
		require.NoError(t, db.StartJobRun(ctx, store.JobRun{ID: id, Job: "daily", ScheduledFor: at, Attempt: 1, Node: "n", StartedAt: at}))
		require.NoError(t, db.FinishJobRun(ctx, id, store.Succeeded, 0, "", at))
	}
	p, err := db.Prune(ctx, now, store.Kept{Attempts: time.Hour, Runs: time.Hour, Settled: time.Hour})
	require.NoError(t, err)
	assert.Zero(t, p)
	p, err = db.Prune(ctx, now.Add(2*time.Hour), store.Kept{Attempts: time.Hour, Runs: time.Hour, Settled: time.Hour})
	require.NoError(t, err)
	assert.Equal(t, store.Pruned{Sessions: 1, LoginAttempts: 1, Keys: 1, JobRuns: 2}, p)
	last, err := db.In(everything).LastJobRun(ctx, "daily", store.Succeeded)
	require.NoError(t, err)
	assert.Equal(t, ids.Run("daily2"), last.ID)
	_, err = db.In(everything).JobRun(ctx, "run1")
	require.NoError(t, err, "a run that is running stays")
}

// testConcurrent lets many change the same thing from two handles: every change that was
// acknowledged is there, and the chain has no fork.
func testConcurrent(t *testing.T, db *store.DB) {
	ctx := t.Context()
	const workers, rounds = 6, 10
	var conflicts atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for range rounds {
				for {
					m, err := db.In(everything).Merchant(ctx, "a")
					if !assert.NoError(t, err) {
						return
					}
					m.Value.Category += fmt.Sprint(w)
					err = db.Change(ctx, system, now, func(tx *store.Tx) error {
						_, err := tx.PutMerchant(m.Value, m.Version)
						return err
					})
					if err == nil {
						break
					}
					conflicts.Add(1)
					if !assert.Equal(t, store.ErrConflict.Code, fault.CodeOf(err), fault.InternalText(err)) {
						return
					}
				}
			}
		})
	}
	wg.Wait()
	m, err := db.In(everything).Merchant(ctx, "a")
	require.NoError(t, err)
	assert.Equal(t, 1+workers*rounds, m.Version)
	assert.Len(t, m.Value.Category, len("apparel")+workers*rounds, "no update was lost, %d were refused", conflicts.Load())
	_, err = db.VerifyAudit(ctx)
	require.NoError(t, err)
}
