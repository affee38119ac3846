package jobs

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/store/storetest"
)

// flaky is a job that fails so often before it succeeds.
func flaky(name string, kind fault.Kind, failures int64) (Job, *atomic.Int64) {
	n := &atomic.Int64{}
	return job(name, "30 6 * * *", func(context.Context, time.Time) (int64, error) {
		if n.Add(1) <= failures {
			return 0, fault.New(kind, "engine.trouble", "the engine is in trouble")
		}
		return 7, nil
	}), n
}

// quick makes the pauses between attempts short.
func (f *fixture) quick(node string, table ...Job) *Scheduler {
	cfg := DefaultConfig()
	cfg.Backoff = 10 * time.Millisecond
	return newScheduler(cfg, table, f.node(node), f.zone, f.log)
}

// state is how a job stands, asked by a job because a job may.
func (f *fixture) state(name string) operations.JobState {
	f.t.Helper()
	var out operations.JobState
	ops := f.node("reader")
	_, err := ops.RunScheduled(f.t.Context(), operations.JobSpec{
		Name: "reader", Due: time.Now(), Trigger: operations.Manual, Timeout: time.Minute, Run: standing(ops.JobState, name, &out),
	})
	require.NoError(f.t, err)
	return out
}

func standing[P any](read func(context.Context, P, string) (operations.JobState, error), name string, out *operations.JobState) func(context.Context, P, time.Time) (int64, error) {
	return func(ctx context.Context, who P, _ time.Time) (rows int64, err error) {
		*out, err = read(ctx, who, name)
		return 0, err
	}
}

// One due time has four attempts, three pauses of 10, 20 and 40 ms between them; each is history.
func TestWhatCanPassIsTriedAgain(t *testing.T) {
	f := newFixture(t)
	for name, c := range map[string]struct {
		kind     fault.Kind
		failures int64
		attempts int
		state    string
	}{
		"recovers":   {fault.Unavailable, 2, 3, "succeeded"},
		"slow":       {fault.Timeout, 1, 2, "succeeded"},
		"stays down": {fault.Unavailable, 100, 4, "failed"},
		"invalid":    {fault.Invalid, 100, 1, "failed"}, // trying again cannot help
		"broken":     {fault.Internal, 100, 1, "failed"},
	} {
		j, n := flaky(name, c.kind, c.failures)
		s := f.quick("n1", j)
		began := time.Now()
		s.tick(t.Context(), j)
		took := time.Since(began)
		assert.EqualValues(t, c.attempts, n.Load(), name)
		runs := f.history(name)
		require.Len(t, runs, c.attempts, name)
		numbers := map[int]bool{}
		for _, r := range runs {
			numbers[r.Attempt] = true
			assert.True(t, r.ScheduledFor.Equal(runs[0].ScheduledFor), "all attempts are of one due time")
			if r.Attempt == c.attempts {
				assert.EqualValues(t, c.state, r.State, name)
			} else {
				assert.EqualValues(t, "failed", r.State, name)
			}
		}
		assert.Len(t, numbers, c.attempts, name)
		assert.GreaterOrEqual(t, took, 10*time.Millisecond*time.Duration((1<<(c.attempts-1))-1), "%s: pauses double", name)
	}
}

// A stop does not wait for the pause before the next attempt.
func TestStopEndsThePause(t *testing.T) {
	f := newFixture(t)
	j, n := flaky("slow", fault.Unavailable, 100)
	cfg := DefaultConfig()
	cfg.Backoff = time.Hour
	s := newScheduler(cfg, []Job{j}, f.node("n1"), f.zone, f.log)
	require.NoError(t, s.Start(t.Context()))
	require.Eventually(t, func() bool { return strings.Contains(f.said.String(), "job is tried again") }, 5*time.Second, 5*time.Millisecond)
	began := time.Now()
	f.stop(s)
	assert.Less(t, time.Since(began), 3*time.Second)
	assert.EqualValues(t, 1, n.Load())
	assert.Nil(t, f.state("slow").Alert, "what the stop cut off is no failure of the job")
}

func TestAnAlertAfterTwoFailures(t *testing.T) {
	f := newFixture(t)
	fails := true
	j := job("nightly", "30 6 * * *", func(context.Context, time.Time) (int64, error) {
		if fails {
			return 0, fault.New(fault.Invalid, "x.y", "the file is torn")
		}
		return 3, nil
	})
	s := f.quick("n1", j)
	on := func(day string) operations.JobState {
		f.set("2026-11-" + day + " 06:30:01")
		s.tick(t.Context(), j)
		return f.state("nightly")
	}
	state := on("23")
	require.NotNil(t, state.Alert)
	assert.EqualValues(t, "quiet", state.Alert.State, "one failure is not told")
	assert.NotContains(t, f.said.String(), "ALERT")
	state = on("24")
	assert.EqualValues(t, "firing", state.Alert.State)
	assert.Equal(t, 2, state.Alert.Failures)
	assert.Contains(t, state.Alert.Text, "the file is torn")
	assert.Contains(t, f.said.String(), "level=ERROR msg=\"ALERT: a job fails again and again\" job=nightly")
	assert.Nil(t, state.LastSuccess)

	spec, err := s.Spec("nightly") // somebody looks, and it fails before their eyes
	require.NoError(t, err)
	_, err = f.node("n1").RunScheduled(t.Context(), spec)
	require.Error(t, err)
	assert.Equal(t, 2, f.state("nightly").Alert.Failures, "a manual run that fails is no further failure")

	fails = false
	state = on("25")
	assert.EqualValues(t, "resolved", state.Alert.State)
	require.NotNil(t, state.LastSuccess)
	assert.EqualValues(t, 3, state.LastSuccess.Rows)
	assert.Equal(t, 1, strings.Count(f.said.String(), "ALERT:"), "it was told once")
}

// gocron itself ticks a job that fails: the singleton, the history and the alert hold with the real
// scheduler and its clock.
func TestWithTheRealScheduler(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a full minute of the clock")
	}
	if os.Getenv("CHAOBAN_LONG") == "" {
		t.Skip("set CHAOBAN_LONG=1: cron has whole minutes, the test takes up to one")
	}
	f := newFixture(t)
	f.deps.Now = time.Now
	j, n := flaky("minutely", fault.Unavailable, 1)
	j.Schedule, j.CatchUp = "* * * * *", false
	s := f.quick("n1", j)
	require.NoError(t, s.Start(t.Context()))
	require.Eventually(t, func() bool { return n.Load() >= 2 }, 75*time.Second, 50*time.Millisecond)
	f.stop(s)
	assert.GreaterOrEqual(t, len(f.history("minutely")), 2)
}

// TestKilledChild is the body of the process that TestAKilledProcess kills; alone it does nothing.
func TestKilledChild(t *testing.T) {
	dsn, marker := os.Getenv("CHAOBAN_JOB_CHILD"), os.Getenv("CHAOBAN_JOB_MARKER")
	if dsn == "" {
		t.Skip("runs in a process of its own")
	}
	f := newFixture(t)
	f.deps.Store = storetest.Open(t, dsn)
	s := f.quick("n1", job("long", "30 6 * * *", func(ctx context.Context, _ time.Time) (int64, error) {
		if err := os.WriteFile(marker, []byte("x"), 0o600); err != nil {
			return 0, err
		}
		<-ctx.Done()
		return 0, ctx.Err()
	}))
	require.NoError(t, s.Start(t.Context())) // catches the run of 06:30 up
	time.Sleep(time.Minute)
}

// A process killed twice in the middle of a job leaves two interrupted runs, fires the alert, does
// not block the job by its lease, and the next process catches up.
func TestAKilledProcess(t *testing.T) {
	f := newFixture(t)
	dsn := storetest.SQLiteDSN(t)
	f.deps.Store = storetest.Open(t, dsn)
	for killed := 1; killed <= 2; killed++ {
		marker := filepath.Join(t.TempDir(), "began")
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestKilledChild$")
		child.Env = append(os.Environ(), "CHAOBAN_JOB_CHILD="+dsn, "CHAOBAN_JOB_MARKER="+marker)
		require.NoError(t, child.Start())
		require.Eventually(t, func() bool { _, err := os.Stat(marker); return err == nil }, 30*time.Second, 10*time.Millisecond)
		require.NoError(t, child.Process.Kill())
		_ = child.Wait()
		n, err := f.node("n1").AbandonRuns(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 1, n)
		runs := f.history("long")
		require.Len(t, runs, killed)
		assert.EqualValues(t, "abandoned", runs[0].State)
		assert.Contains(t, runs[0].Error, "the process ended")
		assert.Equal(t, killed, f.state("long").Alert.Failures)
	}
	assert.EqualValues(t, "firing", f.state("long").Alert.State)
	next, n := counting("long", "30 6 * * *")
	s := f.quick("n1", next)
	f.start(s)
	f.stop(s)
	assert.EqualValues(t, 1, n.Load(), "caught up at once: the dead process holds no lease")
	assert.EqualValues(t, "resolved", f.state("long").Alert.State)
	attempts := map[int]string{}
	for _, r := range f.history("long") {
		attempts[r.Attempt] = string(r.State)
	}
	assert.Equal(t, map[int]string{1: "abandoned", 2: "abandoned", 3: "succeeded"}, attempts)
}
