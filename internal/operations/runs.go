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
	Timeout time.Duration
	Run     JobFunc
}

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

// RunJob runs one job under a lease and keeps the run as history. It returns when the job has
// ended; on failure both the run and the error come back.
func (o *Operations) RunJob(ctx context.Context, who access.Principal, spec JobSpec) (store.JobRun, error) {
	if _, err := access.Decide(who, access.RunJobs); err != nil {
		return store.JobRun{}, err
	}
	db, now := o.deps.Store, o.deps.Now()
	id := ids.New[ids.Run](now)
	lease, err := db.AcquireLease(ctx, leaseName(spec.Name), o.leaseHolder(id), now, spec.Timeout+leaseMargin)
	if err != nil {
		return store.JobRun{}, elsewhere(err, spec.Name)
	}
	defer func() { _ = db.ReleaseLease(context.WithoutCancel(ctx), lease) }() // an expired lease frees itself
	run := store.JobRun{
		ID: id, Job: spec.Name, ScheduledFor: spec.Due, Attempt: 1, Node: o.deps.Node,
		State: store.Running, StartedAt: now,
	}
	if spec.Trigger != Manual && o.succeeded(ctx, spec) {
		return store.JobRun{}, fault.New(fault.Conflict, CodeJobElsewhere, "job %s has already run for %s", spec.Name, spec.Due.Format(time.RFC3339))
	}
	// Under the lease nobody else begins this job, so a taken attempt number is an earlier one's.
	err = db.StartJobRun(ctx, run)
	for err != nil && fault.KindOf(err) == fault.Conflict && run.Attempt < maxAttempts {
		run.Attempt++
		err = db.StartJobRun(ctx, run)
	}
	if err != nil {
		return store.JobRun{}, elsewhere(err, spec.Name)
	}
	return o.finish(ctx, who, spec, run)
}

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
// so that a job need not wait for the lease of a dead process. Call it before anything runs.
func (o *Operations) AbandonRuns(ctx context.Context) (int, error) {
	db, now := o.deps.Store, o.deps.Now()
	unfinished, err := store.All(func(p store.Page) ([]store.JobRun, string, error) {
		return db.In(access.Scope{Everything: true}).JobRuns(ctx, store.JobRunFilter{State: store.Running}, p)
	})
	if err != nil {
		return 0, err
	}
	for _, run := range unfinished {
		if run.Node != o.deps.Node {
			continue
		}
		lease, err := db.AcquireLease(ctx, leaseName(run.Job), o.leaseHolder(run.ID), now, leaseMargin)
		if err == nil {
			err = db.ReleaseLease(ctx, lease)
		}
		if err != nil && fault.KindOf(err) != fault.Conflict { // another node has it by now
			return 0, err
		}
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
