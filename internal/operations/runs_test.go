package operations_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/store"
)

// job makes a run of the job "nightly" that does fn.
func job(due time.Time, trigger operations.Trigger, fn func(context.Context) (int64, error)) operations.JobSpec {
	return operations.JobSpec{
		Name: "nightly", Due: due, Trigger: trigger, Timeout: time.Minute,
		Run: func(ctx context.Context, _ access.Principal, _ time.Time) (int64, error) { return fn(ctx) },
	}
}

func counts(n int64) func(context.Context) (int64, error) {
	return func(context.Context) (int64, error) { return n, nil }
}

func TestRunJobKeepsHistory(t *testing.T) {
	s := newStoreStack(t)
	ctx, due := t.Context(), s.Clock.Add(-time.Minute)
	run, err := s.RunScheduled(ctx, job(due, operations.Scheduled, counts(7)))
	ok(t, err)
	assert.Equal(t, store.Succeeded, run.State)
	assert.Equal(t, int64(7), run.Rows)

	_, err = s.RunScheduled(ctx, job(due, operations.Scheduled, counts(1)))
	_ = refused(t, err, operations.CodeJobElsewhere)
	manual, err := s.RunJob(ctx, planner, job(due, operations.Manual, counts(8)))
	ok(t, err)
	assert.Equal(t, 2, manual.Attempt, "a person may run it again")

	failed, err := s.RunScheduled(ctx, job(due.Add(time.Hour), operations.Scheduled, func(context.Context) (int64, error) {
		return 3, errors.New("password=secret refused")
	}))
	require.Error(t, err)
	assert.Equal(t, store.Failed, failed.State)
	assert.NotContains(t, failed.Error, "secret", "foreign text stays in the log")
	retried, err := s.RunScheduled(ctx, job(due.Add(time.Hour), operations.Scheduled, counts(4)))
	ok(t, err)
	assert.Equal(t, 2, retried.Attempt, "what failed may run again")

	list, _, err := s.JobRuns(ctx, supervisor, operations.JobRunFilter{Job: "nightly"}, operations.Page{})
	ok(t, err)
	states := map[store.RunState]int{}
	for _, r := range list {
		states[r.State]++
		assert.Equal(t, "n1", r.Node)
		assert.False(t, r.FinishedAt.IsZero())
	}
	assert.Equal(t, map[store.RunState]int{store.Succeeded: 3, store.Failed: 1}, states)
}

func TestRunJobOnOneNodeAtATime(t *testing.T) {
	s := newStoreStack(t)
	ctx := t.Context()
	deps := s.Deps
	deps.Node = "n2"
	other := operations.New(operations.DefaultConfig(), deps)
	inside := 0
	_, err := s.RunScheduled(ctx, job(s.Clock, operations.Scheduled, func(ctx context.Context) (int64, error) {
		for _, o := range []*operations.Operations{other, s.Operations} { // another node, and this one again
			_, err := o.RunScheduled(ctx, job(s.Clock.Add(time.Hour), operations.Manual, func(context.Context) (int64, error) {
				inside++
				return 0, nil
			}))
			assert.Equal(t, fault.Conflict, refused(t, err, operations.CodeJobElsewhere).Kind)
		}
		return 0, nil
	}))
	ok(t, err)
	assert.Zero(t, inside)
	_, err = other.RunScheduled(ctx, job(s.Clock.Add(time.Hour), operations.Scheduled, counts(1)))
	ok(t, err)
}

func TestRunJobTimesOut(t *testing.T) {
	s := newStoreStack(t)
	spec := job(s.Clock, operations.Scheduled, func(ctx context.Context) (int64, error) {
		<-ctx.Done()
		return 2, ctx.Err()
	})
	spec.Timeout = 20 * time.Millisecond
	run, err := s.RunScheduled(t.Context(), spec)
	assert.Equal(t, fault.Timeout, refused(t, err, "job.timeout").Kind)
	assert.Equal(t, store.TimedOut, run.State)
	list, _, err := s.JobRuns(t.Context(), admin, operations.JobRunFilter{}, operations.Page{})
	ok(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, store.TimedOut, list[0].State)
	assert.Equal(t, int64(2), list[0].Rows)
}

// A job that its caller cannot wait for did not exceed its own time.
func TestRunJobWhoseCallerRunsOutOfTime(t *testing.T) {
	s := newStoreStack(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	run, err := s.RunScheduled(ctx, job(s.Clock, operations.Manual, func(ctx context.Context) (int64, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	}))
	assert.Equal(t, fault.Timeout, refused(t, err, "job.timeout").Kind)
	assert.Equal(t, store.Failed, run.State)
	assert.NotContains(t, run.Error, "1m0s")
}

// A run whose caller goes away leaves neither its record open nor its lease held.
func TestRunJobSurvivesCancellation(t *testing.T) {
	s := newStoreStack(t)
	ctx, cancel := context.WithCancel(t.Context())
	run, err := s.RunScheduled(ctx, job(s.Clock, operations.Scheduled, func(ctx context.Context) (int64, error) {
		cancel()
		return 0, ctx.Err()
	}))
	require.Error(t, err)
	assert.Equal(t, store.Failed, run.State)
	again, err := s.RunScheduled(t.Context(), job(s.Clock, operations.Scheduled, counts(1)))
	ok(t, err)
	assert.Equal(t, 2, again.Attempt, "the lease was given back although the context had ended")
}

func TestJobMissed(t *testing.T) {
	s := newStoreStack(t)
	ctx, due := t.Context(), s.Clock
	missed := func(at time.Time) bool {
		t.Helper()
		m, err := s.JobMissed(ctx, "nightly", at)
		ok(t, err)
		return m
	}
	assert.True(t, missed(due), "it has never run")
	_, err := s.RunScheduled(ctx, job(due, operations.Scheduled, func(context.Context) (int64, error) { return 0, errors.New("no") }))
	require.Error(t, err)
	assert.True(t, missed(due), "it failed")
	_, err = s.RunScheduled(ctx, job(due, operations.CatchUp, counts(1)))
	ok(t, err)
	assert.False(t, missed(due))
	assert.False(t, missed(due.Add(-time.Hour)))
	assert.True(t, missed(due.Add(time.Second)))
}

// The key of a request that died with the service is free when the service is there again; who asks while it works
// hears that it does.
func TestAKeyIsFreeAfterARestart(t *testing.T) {
	s := newStoreStack(t)
	ctx := t.Context()
	_, cut, err := s.Once(ctx, planner, "repair-0001", "h")
	ok(t, err)
	require.NotNil(t, cut)
	_, _, err = s.Once(ctx, planner, "repair-0001", "h")
	_ = refused(t, err, "store.conflict")
	_, err = s.AbandonRuns(ctx)
	ok(t, err)
	_, done, err := s.Once(ctx, planner, "repair-0001", "h")
	ok(t, err)
	ok(t, done(ctx, &operations.Reply{Status: 200, ContentType: "text/plain", Body: []byte("x")}))
	_, err = s.AbandonRuns(ctx)
	ok(t, err)
	reply, _, err := s.Once(ctx, planner, "repair-0001", "h")
	ok(t, err)
	assert.Equal(t, 200, reply.Status, "an answer outlives the restart")
}

func TestAbandonedRunsAreNamed(t *testing.T) {
	s := newStoreStack(t)
	ctx := t.Context()
	ok(t, s.DB.StartJobRun(ctx, store.JobRun{ID: "dead", Job: "nightly", ScheduledFor: s.Clock, Attempt: 1, Node: "n1", StartedAt: s.Clock}))
	n, err := s.AbandonRuns(ctx)
	ok(t, err)
	assert.Equal(t, 1, n)
	missed, err := s.JobMissed(ctx, "nightly", s.Clock)
	ok(t, err)
	assert.True(t, missed)
}
