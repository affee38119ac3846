package jobs

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/store/storetest"
)

// text is a log that may be read while it is written.
type text struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (x *text) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.b.Write(p)
}

func (x *text) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.b.String()
}

// fixture is one operational store with a clock that a test moves; node opens it as one process.
type fixture struct {
	t     *testing.T
	deps  operations.Deps
	zone  *time.Location
	log   *slog.Logger
	said  *text
	clock atomic.Int64 // nanoseconds since 1970
}

func newFixture(t *testing.T) *fixture {
	f := &fixture{t: t, zone: zone(t, "Asia/Shanghai"), said: &text{}}
	f.log = slog.New(slog.NewTextHandler(f.said, &slog.HandlerOptions{Level: slog.LevelDebug}))
	f.set("2026-11-22 12:00:00")
	f.deps = operations.Deps{
		Store: storetest.SQLite(t), Zone: f.zone, Log: f.log,
		Now: func() time.Time { return time.Unix(0, f.clock.Load()) },
	}
	return f
}

func (f *fixture) set(now string) { f.clock.Store(at(f.t, f.zone, now).UnixNano()) }

func (f *fixture) node(name string) *operations.Operations {
	deps := f.deps
	deps.Node = name
	return operations.New(operations.DefaultConfig(), deps)
}

// scheduler is a table of the given jobs on a node of its own.
func (f *fixture) scheduler(node string, table ...Job) *Scheduler {
	return newScheduler(DefaultConfig(), table, f.node(node), f.zone, f.log)
}

// doing makes a job function of do. P is the principal, whose package is not for this one; the
// compiler learns it from of.
func doing[P any](of func(context.Context, P, time.Time) (int64, error), do func(ctx context.Context, due time.Time) (int64, error)) func(context.Context, P, time.Time) (int64, error) {
	return func(ctx context.Context, _ P, due time.Time) (int64, error) { return do(ctx, due) }
}

func job(name, schedule string, do func(ctx context.Context, due time.Time) (int64, error)) Job {
	return Job{Name: name, Schedule: schedule, Timeout: time.Minute, CatchUp: true, Run: doing(operations.JobFunc(nil), do)}
}

// counting is a job that succeeds, and how often it did.
func counting(name, schedule string) (Job, *atomic.Int64) {
	n := &atomic.Int64{}
	return job(name, schedule, func(context.Context, time.Time) (int64, error) { return n.Add(1), nil }), n
}

// list is a job that reads the history, because a job acts with a principal that may.
func list[P any](read func(context.Context, P, operations.JobRunFilter, operations.Page) ([]operations.JobRun, string, error), name string, out *[]operations.JobRun) func(context.Context, P, time.Time) (int64, error) {
	return func(ctx context.Context, who P, _ time.Time) (rows int64, err error) {
		*out, _, err = read(ctx, who, operations.JobRunFilter{Job: name}, operations.Page{})
		return 0, err
	}
}

// history lists the runs of a job, newest first.
func (f *fixture) history(name string) []operations.JobRun {
	f.t.Helper()
	var runs []operations.JobRun
	ops := f.node("reader")
	_, err := ops.RunScheduled(context.WithoutCancel(f.t.Context()), operations.JobSpec{
		Name: "reader", Due: time.Now(), Trigger: operations.Manual, Timeout: time.Minute, Run: list(ops.JobRuns, name, &runs),
	})
	require.NoError(f.t, err)
	return runs
}

// start starts a scheduler and waits for the end of its catch-up.
func (f *fixture) start(s *Scheduler) {
	f.t.Helper()
	require.NoError(f.t, s.Start(f.t.Context()))
	s.running.Wait()
}

func (f *fixture) stop(s *Scheduler) {
	f.t.Helper()
	require.NoError(f.t, s.Stop(f.t.Context()))
}

func TestAMissedRunIsCaughtUpOnce(t *testing.T) {
	f := newFixture(t)
	nightly, n := counting("nightly", "30 6 * * *")
	for range 3 { // every start but the first finds the run done
		s := f.scheduler("n1", nightly)
		f.start(s)
		f.stop(s)
		assert.EqualValues(t, 1, n.Load())
	}
	runs := f.history("nightly")
	require.Len(t, runs, 1)
	assert.EqualValues(t, "succeeded", runs[0].State)
	assert.True(t, runs[0].ScheduledFor.Equal(at(t, f.zone, "2026-11-22 06:30:00")), "the due time, not the time of the start")

	f.set("2026-11-26 05:00:00") // down for days: the last due time is caught up, not each of them
	s := f.scheduler("n1", nightly)
	f.start(s)
	f.stop(s)
	assert.EqualValues(t, 2, n.Load())
	assert.True(t, f.history("nightly")[0].ScheduledFor.Equal(at(t, f.zone, "2026-11-25 06:30:00")))
}

func TestWhatFailedIsCaughtUpAtTheNextStart(t *testing.T) {
	f := newFixture(t)
	fails := true
	nightly := job("nightly", "30 6 * * *", func(context.Context, time.Time) (int64, error) {
		if fails {
			return 0, errors.New("disk full")
		}
		return 1, nil
	})
	for _, state := range []string{"failed", "succeeded"} {
		s := f.scheduler("n1", nightly)
		f.start(s)
		f.stop(s)
		runs := f.history("nightly")
		assert.EqualValues(t, state, runs[0].State)
		fails = false
		f.set("2026-11-22 13:00:00")
	}
	assert.Equal(t, 2, f.history("nightly")[0].Attempt)
	assert.Contains(t, f.said.String(), "disk full", "the log knows why")
	assert.NotContains(t, f.history("nightly")[1].Error, "disk full", "people do not see foreign text")
}

func TestNoCatchUpWhereItIsNotWanted(t *testing.T) {
	f := newFixture(t)
	often, n := counting("often", "*/15 * * * *")
	often.CatchUp = false
	s := f.scheduler("n1", often)
	f.start(s)
	f.stop(s)
	assert.Zero(t, n.Load())
}

// Two nodes tick for the same due time, some milliseconds apart and on both sides of it.
func TestTwoNodesRunADueTimeOnce(t *testing.T) {
	f := newFixture(t)
	nightly, n := counting("nightly", "30 6 * * *")
	a, b := f.scheduler("n1", nightly), f.scheduler("n2", nightly)
	for _, tick := range []struct {
		s  *Scheduler
		at time.Duration
	}{{a, -4 * time.Millisecond}, {b, 7 * time.Millisecond}, {a, 8 * time.Millisecond}} {
		f.clock.Store(at(t, f.zone, "2026-11-23 06:30:00").Add(tick.at).UnixNano())
		tick.s.tick(t.Context(), nightly)
	}
	assert.EqualValues(t, 1, n.Load())
	f.clock.Store(at(t, f.zone, "2026-11-24 06:30:00").UnixNano())
	var both sync.WaitGroup
	for _, s := range []*Scheduler{a, b, a, b} {
		both.Go(func() { s.tick(t.Context(), nightly) })
	}
	both.Wait()
	assert.EqualValues(t, 2, n.Load(), "at the same moment too")
	assert.Len(t, f.history("nightly"), 2, "who came second leaves no run")

	late := f.scheduler("n3", nightly)
	f.start(late)
	f.stop(late)
	assert.EqualValues(t, 2, n.Load(), "nothing was missed")
}

func TestOneRunAtATime(t *testing.T) {
	f := newFixture(t)
	inside, enter := make(chan struct{}), make(chan struct{})
	var n atomic.Int64
	slow := job("slow", "* * * * *", func(context.Context, time.Time) (int64, error) {
		n.Add(1)
		close(inside)
		<-enter
		return 1, nil
	})
	a, b := f.scheduler("n1", slow), f.scheduler("n2", slow)
	var first sync.WaitGroup
	first.Go(func() { a.tick(t.Context(), slow) })
	<-inside
	f.set("2026-11-22 12:01:00") // the next due time comes while it still runs
	a.tick(t.Context(), slow)
	b.tick(t.Context(), slow)
	close(enter)
	first.Wait()
	assert.EqualValues(t, 1, n.Load())
	assert.Len(t, f.history("slow"), 1)
}

func TestATimeoutEndsARun(t *testing.T) {
	f := newFixture(t)
	endless := job("endless", "* * * * *", func(ctx context.Context, _ time.Time) (int64, error) {
		<-ctx.Done()
		return 3, ctx.Err()
	})
	endless.Timeout = 30 * time.Millisecond
	s := f.scheduler("n1", endless)
	s.tick(t.Context(), s.table[0])
	runs := f.history("endless")
	require.Len(t, runs, 1)
	assert.EqualValues(t, "timed_out", runs[0].State)
	assert.EqualValues(t, 3, runs[0].Rows)
	assert.Contains(t, runs[0].Error, "30ms")
}

func TestAPanicIsAFailedRun(t *testing.T) {
	f := newFixture(t)
	crashes := true
	frail := job("frail", "* * * * *", func(context.Context, time.Time) (int64, error) {
		if crashes {
			panic("index out of range")
		}
		return 1, nil
	})
	s := f.scheduler("n1", frail)
	s.tick(t.Context(), frail)
	runs := f.history("frail")
	require.Len(t, runs, 1)
	assert.EqualValues(t, "failed", runs[0].State)
	assert.NotContains(t, runs[0].Error, "out of range")
	assert.Contains(t, f.said.String(), "out of range")
	assert.Contains(t, f.said.String(), "jobs_test.go", "the log says where")

	manual, err := s.Spec("frail") // from the API or the command line
	require.NoError(t, err)
	_, err = f.node("n1").RunScheduled(t.Context(), manual)
	assert.Equal(t, "job.panic", fault.CodeOf(err))

	crashes = false
	f.set("2026-11-22 12:01:00")
	s.tick(t.Context(), frail)
	assert.EqualValues(t, "succeeded", f.history("frail")[0].State, "the lease was given back")
}

// Stop does not depend on whoever started the table cancelling its context.
func TestStopCancelsARunningJob(t *testing.T) {
	f := newFixture(t)
	began := make(chan struct{})
	long := job("long", "30 6 * * *", func(ctx context.Context, _ time.Time) (int64, error) {
		close(began)
		<-ctx.Done()
		return 0, ctx.Err()
	})
	never, n := counting("never", "30 6 * * *")
	s := f.scheduler("n1", long, never)
	require.NoError(t, s.Start(t.Context()))
	<-began
	asked := time.Now()
	f.stop(s)
	assert.Less(t, time.Since(asked), 3*time.Second)
	runs := f.history("long")
	require.Len(t, runs, 1)
	assert.EqualValues(t, "failed", runs[0].State, "the end is recorded, not left running")
	assert.False(t, runs[0].FinishedAt.IsZero())
	assert.Zero(t, n.Load(), "nothing new begins")
	s.tick(t.Context(), never)
	assert.Zero(t, n.Load())
	f.stop(s) // again, and without a start
	f.stop(f.scheduler("n1", never))

	f.set("2026-11-22 13:00:00")
	next := f.scheduler("n1", job("long", "30 6 * * *", func(context.Context, time.Time) (int64, error) { return 1, nil }))
	f.start(next)
	f.stop(next)
	assert.EqualValues(t, "succeeded", f.history("long")[0].State, "what was cut off is caught up")
}

func TestStopGivesUpOnAJobThatDoesNotHeedItsContext(t *testing.T) {
	f := newFixture(t)
	began, free := make(chan struct{}), make(chan struct{})
	s := f.scheduler("n1", job("deaf", "30 6 * * *", func(context.Context, time.Time) (int64, error) {
		close(began)
		<-free
		return 0, nil
	}))
	require.NoError(t, s.Start(t.Context()))
	<-began
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := s.Stop(ctx)
	close(free)
	require.Error(t, err)
	assert.Equal(t, "jobs.stop", fault.CodeOf(err))
	assert.Equal(t, fault.Timeout, fault.KindOf(err))
	s.running.Wait() // before the store closes
}

func TestStartRefusesABadSchedule(t *testing.T) {
	f := newFixture(t)
	good, n := counting("good", "30 6 * * *")
	bad, _ := counting("bad", "soon")
	s := f.scheduler("n1", good, bad)
	err := s.Start(t.Context())
	require.Error(t, err)
	assert.Equal(t, "jobs.schedule", fault.CodeOf(err))
	f.stop(s)
	assert.Zero(t, n.Load())
}

func TestSpecOfAnUnknownJob(t *testing.T) {
	f := newFixture(t)
	s := New(DefaultConfig(), f.node("n1"), f.zone, f.log)
	_, err := s.Spec("nightly")
	require.Error(t, err)
	assert.Equal(t, "jobs.unknown", fault.CodeOf(err))
	assert.Equal(t, fault.NotFound, fault.KindOf(err))
	assert.Contains(t, err.Error(), "rollup-check")
	for _, name := range Names() {
		spec, err := s.Spec(name)
		require.NoError(t, err)
		assert.Equal(t, operations.Manual, spec.Trigger)
		assert.True(t, spec.Due.Equal(f.node("n1").Now()))
		assert.Positive(t, spec.Timeout)
	}
}

// A night without a running service must not leave forecasts, their accuracy or the drift alert a day
// behind; only what runs every few minutes anyway is not caught up.
func TestEveryDailyJobIsCaughtUp(t *testing.T) {
	for _, j := range Table(newFixture(t).node("n1")) {
		assert.Equal(t, j.Name != "rollup-check" && j.Name != "request-expiry", j.CatchUp, j.Name)
	}
}
