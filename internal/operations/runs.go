package operations

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
)

// CodeJobElsewhere says that another node runs the job now or has run it for this due time.
const CodeJobElsewhere = "job.elsewhere"

// leaseMargin is how long a lease outlives the timeout of its job.
const leaseMargin = time.Minute

// JobSpec is one run of a job that somebody wants.
type JobSpec struct {
	Name    string
	Due     time.Time // when the schedule wanted it, or now for a manual run
	Trigger Trigger
	Timeout time.Duration // of one attempt
	Retry   Retry         // not for manual runs: whoever asked sees the failure and asks again
	Run     JobFunc
}

// Retry says how often a failed attempt is followed by another, and after what pause. Only what
// can pass by itself is tried again: a fault of kind Unavailable or Timeout. An attempt that took
// the whole time of its job is not: the next would too, and its due time would be over.
type Retry struct {
	Attempts int           // in all, 1 or less = never again
	First    time.Duration // pause after the first attempt; it doubles with each further one
	Longest  time.Duration // pauses grow no longer; 0 = no limit
}

// pause is how long to wait after the attempt of a number, 1 being the first.
func (r Retry) pause(attempt int) time.Duration {
	pause := r.First
	for range attempt - 1 {
		if pause *= 2; r.Longest > 0 && pause >= r.Longest {
			return r.Longest
		}
	}
	if r.Longest > 0 {
		pause = min(pause, r.Longest)
	}
	return pause
}

// alertAfter is how many due times in a row a job fails before somebody is told.
const alertAfter = 2

// JobFunc is the one call into a use case that a job makes; rows is what it counts.
type JobFunc func(ctx context.Context, who access.Principal, due time.Time) (rows int64, err error)

// Trigger says why a job runs.
type Trigger string

// The triggers.
const (
	Scheduled Trigger = "schedule"
	CatchUp   Trigger = "catch-up"
	Manual    Trigger = "manual"
)

// RunScheduled is RunJob for the job table itself.
func (o *Operations) RunScheduled(ctx context.Context, spec JobSpec) (JobRun, error) {
	return o.RunJob(ctx, access.System("job:"+spec.Name), spec)
}

// RunJob runs one job under a lease and keeps every attempt as history. It returns when the job
// has ended; on failure both the last attempt and the error come back.
func (o *Operations) RunJob(ctx context.Context, who access.Principal, spec JobSpec) (store.JobRun, error) {
	if _, err := access.Decide(who, access.RunJobs); err != nil {
		return store.JobRun{}, err
	}
	db, now := o.deps.Store, o.deps.Now()
	holder := o.leaseHolder(ids.New[ids.Run](now))
	lease, err := db.AcquireLease(ctx, leaseName(spec.Name), holder, now, spec.Timeout+leaseMargin)
	if err != nil {
		return store.JobRun{}, elsewhere(err, spec.Name)
	}
	defer func() { _ = db.ReleaseLease(context.WithoutCancel(ctx), lease) }() // an expired lease frees itself
	if spec.Trigger != Manual && o.succeeded(ctx, spec) {
		return store.JobRun{}, fault.New(fault.Conflict, CodeJobElsewhere, "job %s has already run for %s", spec.Name, spec.Due.Format(time.RFC3339))
	}
	number := 0
	for attempt := 1; ; attempt++ {
		run, err := o.begin(ctx, spec, number+1)
		if err != nil {
			return store.JobRun{}, err
		}
		number = run.Attempt
		run, err = o.finish(ctx, who, spec, run)
		if err == nil || spec.Trigger == Manual || attempt >= spec.Retry.Attempts || !transient(run, err) {
			o.tell(context.WithoutCancel(ctx), ctx.Err() != nil, spec, err)
			return run, err
		}
		pause := spec.Retry.pause(attempt)
		o.deps.Log.WarnContext(ctx, "job is tried again", "job", spec.Name, "due", spec.Due, "attempt", run.Attempt, "pause", pause, "error", fault.InternalText(err))
		select {
		case <-ctx.Done():
			return run, err
		case <-time.After(pause):
		}
		if lease, err = db.AcquireLease(ctx, leaseName(spec.Name), holder, o.deps.Now(), spec.Timeout+leaseMargin); err != nil {
			return run, elsewhere(err, spec.Name)
		}
	}
}

// begin records that an attempt begins, under the first free number from one on: under the lease
// nobody else begins this job, so a taken number is an earlier attempt's.
func (o *Operations) begin(ctx context.Context, spec JobSpec, number int) (store.JobRun, error) {
	now := o.deps.Now()
	run := store.JobRun{
		ID: ids.New[ids.Run](now), Job: spec.Name, ScheduledFor: spec.Due, Attempt: number, Node: o.deps.Node,
		State: store.Running, StartedAt: now,
	}
	err := o.deps.Store.StartJobRun(ctx, run)
	for err != nil && fault.KindOf(err) == fault.Conflict && run.Attempt < maxAttempts {
		run.Attempt++
		err = o.deps.Store.StartJobRun(ctx, run)
	}
	if err != nil {
		return store.JobRun{}, elsewhere(err, spec.Name)
	}
	return run, nil
}

// transient reports whether a failed attempt may do better without anybody's help.
func transient(run store.JobRun, err error) bool {
	kind := fault.KindOf(err)
	return run.State == store.Failed && (kind == fault.Unavailable || kind == fault.Timeout)
}

// tell keeps the alert of a job: the second due time in a row that fails fires it, the next
// success resolves it. A run that ended with the service, or that somebody asked for and saw fail,
// is no failure of the job; a success always counts.
func (o *Operations) tell(ctx context.Context, stopped bool, spec JobSpec, failure error) {
	db, now := o.deps.Store, o.deps.Now()
	if failure == nil {
		alert, resolved, err := db.SettleAlert(ctx, alertName(spec.Name), now)
		if resolved {
			o.deps.Log.InfoContext(ctx, "job works again", "job", spec.Name, "since", alert.Since)
		}
		o.untold(ctx, spec.Name, err)
		return
	}
	if stopped || spec.Trigger == Manual {
		return
	}
	o.raise(ctx, spec.Name, fault.Of(failure).Error(), now)
}

// raise counts one more failed due time of a job.
func (o *Operations) raise(ctx context.Context, job, text string, now time.Time) {
	alert, fired, err := o.deps.Store.RaiseAlert(ctx, alertName(job), store.AlertJob, text, alertAfter, now)
	if fired {
		o.deps.Log.ErrorContext(ctx, "ALERT: a job fails again and again", "job", job, "failures", alert.Failures, "since", alert.Since, "text", alert.Text)
	}
	o.untold(ctx, job, err)
}

func (o *Operations) untold(ctx context.Context, job string, err error) {
	if err != nil {
		o.deps.Log.ErrorContext(ctx, "the alert of a job cannot be kept", "job", job, "error", fault.InternalText(err))
	}
}

// alertName is the name of the alert that a job fails.
func alertName(job string) string { return "job:" + job }

// maxAttempts bounds how often one due time of a job can be tried by hand.
const maxAttempts = 1000

// succeeded reports whether the newest run of a job did the work of this due time.
func (o *Operations) succeeded(ctx context.Context, spec JobSpec) bool {
	last, err := o.deps.Store.In(access.Scope{Everything: true}).LastJobRun(ctx, spec.Name, store.Succeeded)
	return err == nil && last.ScheduledFor.Equal(spec.Due.UTC().Truncate(time.Microsecond))
}

// finish does the work and records how it went, also when the context has ended.
func (o *Operations) finish(ctx context.Context, who access.Principal, spec JobSpec, run store.JobRun) (store.JobRun, error) {
	work, cancel := context.WithTimeout(ctx, spec.Timeout)
	defer cancel()
	rows, err := o.guarded(work, who, spec)
	run.Rows, run.State, run.FinishedAt = rows, store.Succeeded, o.deps.Now()
	switch {
	case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded): // the caller's time, not the job's
		run.State, run.Error = store.Failed, "whoever started it could not wait for its end"
		err = fault.Wrap(err, fault.Timeout, "job.timeout", "job %s was given up: the time of the request that started it was over", spec.Name)
	case err != nil && errors.Is(work.Err(), context.DeadlineExceeded):
		run.State, run.Error = store.TimedOut, "did not end within "+spec.Timeout.String()
		err = fault.Wrap(err, fault.Timeout, "job.timeout", "job %s did not end within %s", spec.Name, spec.Timeout)
	case err != nil:
		run.State, run.Error = store.Failed, fault.Of(err).Error()
	}
	o.counted(run)
	saved := o.deps.Store.FinishJobRun(context.WithoutCancel(ctx), run.ID, run.State, rows, run.Error, run.FinishedAt)
	return run, errors.Join(err, saved)
}

// guarded keeps a job that panics from ending the service: the run fails, the stack is logged.
func (o *Operations) guarded(ctx context.Context, who access.Principal, spec JobSpec) (rows int64, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			o.deps.Log.ErrorContext(ctx, "job panicked", "job", spec.Name, "cause", cause, "stack", string(debug.Stack()))
			err = fault.New(fault.Internal, "job.panic", "job %s broke off", spec.Name)
		}
	}()
	return spec.Run(ctx, who, spec.Due)
}

func elsewhere(err error, job string) error {
	if fault.KindOf(err) != fault.Conflict {
		return err
	}
	return fault.Wrap(err, fault.Conflict, CodeJobElsewhere, "job %s is already running", job)
}

// JobMissed reports whether no run of the job has succeeded for the due time or a later one.
func (o *Operations) JobMissed(ctx context.Context, job string, due time.Time) (bool, error) {
	last, err := o.deps.Store.In(access.Scope{Everything: true}).LastJobRun(ctx, job, store.Succeeded)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			return true, nil
		}
		return false, err
	}
	return last.ScheduledFor.Before(due.Truncate(time.Microsecond)), nil
}

// AbandonRuns marks the runs that this node left unfinished when it died, and frees their leases,
// so that a job need not wait for the lease of a dead process. In the embedded store it frees the
// idempotency keys of requests that died with it, too. Call it before anything runs.
func (o *Operations) AbandonRuns(ctx context.Context) (int, error) {
	db, now := o.deps.Store, o.deps.Now()
	unfinished, err := store.All(func(p store.Page) ([]store.JobRun, string, error) {
		return db.In(access.Scope{Everything: true}).JobRuns(ctx, store.JobRunFilter{State: store.Running}, p)
	})
	if err != nil {
		return 0, err
	}
	for _, run := range unfinished {
		if run.Node == o.deps.Node {
			o.raise(ctx, run.Job, "the process ended before the run did", now)
		}
	}
	if _, err := db.FreeLeases(ctx, o.leaseHolder("")); err != nil {
		return 0, err
	}
	if _, err := db.FreeClaims(ctx); err != nil {
		return 0, err
	}
	return db.AbandonJobRuns(ctx, o.deps.Node, now)
}

func leaseName(job string) string { return "job:" + job }

// leaseHolder names the run, not the node: a holder may renew, so two runs of one node would share
// a lease.
func (o *Operations) leaseHolder(run ids.Run) string { return o.deps.Node + "/" + string(run) }

// JobRuns lists runs, newest first.
func (o *Operations) JobRuns(ctx context.Context, who access.Principal, f store.JobRunFilter, p store.Page) ([]store.JobRun, string, error) {
	scope, err := access.Decide(who, access.ReadJobs)
	if err != nil {
		return nil, "", err
	}
	return o.deps.Store.In(scope).JobRuns(ctx, f, p)
}

// JobState is how a job stands: its newest run, its newest success and its alert.
type JobState struct {
	Job         string        `json:"job"`
	Last        *store.JobRun `json:"last,omitempty"`
	LastSuccess *store.JobRun `json:"last_success,omitempty"`
	Alert       *store.Alert  `json:"alert,omitempty"` // nil when the job never failed
}

// JobState tells how one job stands. A job that nobody ever ran has no state.
func (o *Operations) JobState(ctx context.Context, who access.Principal, job string) (JobState, error) {
	scope, err := access.Decide(who, access.ReadJobs)
	if err != nil {
		return JobState{}, err
	}
	state := JobState{Job: job}
	view := o.deps.Store.In(scope)
	runs, _, err := view.JobRuns(ctx, store.JobRunFilter{Job: job}, store.Page{Limit: 1})
	if err != nil {
		return state, err
	}
	if len(runs) > 0 {
		state.Last = &runs[0]
	}
	if run, err := view.LastJobRun(ctx, job, store.Succeeded); err == nil {
		state.LastSuccess = &run
	} else if fault.KindOf(err) != fault.NotFound {
		return state, err
	}
	if alert, err := view.Alert(ctx, alertName(job)); err == nil {
		state.Alert = &alert
	} else if fault.KindOf(err) != fault.NotFound {
		return state, err
	}
	return state, nil
}

// Alerts lists what went wrong with the house's own work, by name: jobs that fail and what jobs
// found, of one state when one is given.
func (o *Operations) Alerts(ctx context.Context, who access.Principal, state store.AlertState, p store.Page) ([]store.Alert, string, error) {
	scope, err := access.Decide(who, access.ReadJobs)
	if err != nil {
		return nil, "", err
	}
	return o.deps.Store.In(scope).Alerts(ctx, state, p)
}
