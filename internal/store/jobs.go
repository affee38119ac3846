package store

import (
	"context"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// RunState is how a run of a job stands.
type RunState string

// The states of a run.
const (
	Running   RunState = "running"
	Succeeded RunState = "succeeded"
	Failed    RunState = "failed"
	TimedOut  RunState = "timed_out"
	Abandoned RunState = "abandoned" // the process died before it could say how it went
)

// JobRun is one attempt to do the work of a job that was due at an instant. Job runs leave no
// audit rows: they are a log by themselves, and what a job changes is audited where it changes it.
type JobRun struct {
	ID           ids.Run   `json:"id"`
	Job          string    `json:"job"`
	ScheduledFor time.Time `json:"scheduled_for"` // when the schedule wanted it; the same for every attempt
	Attempt      int       `json:"attempt"`       // 1, 2, 3 ...
	Node         string    `json:"node"`          // who runs it
	State        RunState  `json:"state"`
	StartedAt    time.Time `json:"started_at"`
	FinishedAt   time.Time `json:"finished_at,omitzero"`
	Rows         int64     `json:"rows"` // what the job counts
	Error        string    `json:"error,omitempty"`
}

type runRow struct {
	bun.BaseModel `bun:"table:job_runs,alias:t"`
	ID            string `bun:",pk"`
	Job           string
	ScheduledFor  int64
	Attempt       int
	Node          string
	State         string
	StartedAt     int64
	FinishedAt    int64
	RowsDone      int64
	Error         string
}

func (r runRow) value() JobRun {
	return JobRun{
		ID: ids.Run(r.ID), Job: r.Job, ScheduledFor: instant(r.ScheduledFor), Attempt: r.Attempt, Node: r.Node, State: RunState(r.State),
		StartedAt: instant(r.StartedAt), FinishedAt: instant(r.FinishedAt), Rows: r.RowsDone, Error: r.Error,
	}
}

// JobRunFilter narrows a list of runs; empty fields do not.
type JobRunFilter struct {
	Job   string
	State RunState
	Range calendar.Range // of StartedAt
}

// JobRuns lists runs, newest first.
func (v *View) JobRuns(ctx context.Context, f JobRunFilter, p Page) ([]JobRun, string, error) {
	var rows []runRow
	q := whereText(whereText(v.general(&rows), "job", f.Job), "state", string(f.State))
	q = whereWithin(q, "started_at", f.Range)
	next, err := listPage(ctx, q, p, order{"job_runs", []string{"started_at", "id"}, true}, &rows,
		func(r runRow) []any { return []any{r.StartedAt, r.ID} })
	return mapped(rows, runRow.value), next, err
}

// JobRun reads one run.
func (v *View) JobRun(ctx context.Context, id ids.Run) (JobRun, error) {
	var row runRow
	if err := v.general(&row).Where("id = ?", clean(string(id))).Scan(ctx); err != nil {
		return JobRun{}, found(err, "job run", string(id))
	}
	return row.value(), nil
}

// LastJobRun reads the run of a job with the newest ScheduledFor, in a state when one is given:
// catching up after a pause starts from the last Succeeded one. ErrNotFound when there is none.
func (v *View) LastJobRun(ctx context.Context, job string, state RunState) (JobRun, error) {
	var row runRow
	q := whereText(v.general(&row), "state", string(state)).Where("job = ?", clean(job))
	if err := q.OrderExpr("scheduled_for DESC, attempt DESC").Limit(1).Scan(ctx); err != nil {
		return JobRun{}, found(err, "run of the job", job)
	}
	return row.value(), nil
}

// StartJobRun records that a run began; State becomes Running. ErrConflict when this attempt for
// this instant was begun already, by this node or another: then it must not be run.
func (db *DB) StartJobRun(ctx context.Context, r JobRun) error {
	row := runRow{
		ID: string(r.ID), Job: clean(r.Job), ScheduledFor: micros(r.ScheduledFor), Attempt: r.Attempt, Node: clean(r.Node),
		State: string(Running), StartedAt: micros(r.StartedAt),
	}
	err := db.plain(ctx, func(tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&row).Exec(ctx)
		return err
	})
	if errors.Is(err, ErrConflict) {
		return fault.Wrap(err, fault.Conflict, ErrConflict.Code,
			"attempt %d of the job %s for %s was begun already", r.Attempt, r.Job, r.ScheduledFor.UTC().Format(time.RFC3339))
	}
	return err
}

// FinishJobRun records how a run went. ErrConflict when it is not running any more.
func (db *DB) FinishJobRun(ctx context.Context, id ids.Run, state RunState, rows int64, problem string, at time.Time) error {
	return db.plain(ctx, func(tx bun.Tx) error {
		result, err := tx.NewUpdate().Model((*runRow)(nil)).
			Set("state = ?", state).Set("rows_done = ?", rows).Set("error = ?", clean(problem)).Set("finished_at = ?", micros(at)).
			Where("id = ? AND state = ?", clean(string(id)), Running).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 1 {
			return err
		}
		return fault.New(fault.Conflict, ErrConflict.Code, "the job run %q is not running", id)
	})
}

// AbandonJobRuns marks the runs of a node that still say Running as Abandoned, and returns how
// many. A node calls it when it starts, before it runs anything.
func (db *DB) AbandonJobRuns(ctx context.Context, node string, at time.Time) (int, error) {
	var n int64
	err := db.plain(ctx, func(tx bun.Tx) error {
		result, err := tx.NewUpdate().Model((*runRow)(nil)).
			Set("state = ?", Abandoned).Set("error = ?", "the process ended before the run did").Set("finished_at = ?", micros(at)).
			Where("node = ? AND state = ?", clean(node), Running).Exec(ctx)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	return int(n), err
}

type leaseRow struct {
	bun.BaseModel `bun:"table:leases,alias:t"`
	Name          string `bun:",pk"`
	Holder        string
	Fence         int64
	ExpiresAt     int64
}

// Lease is the right of one holder to a name until it expires.
type Lease struct {
	Name      string
	Holder    string
	Fence     int64 // grows with every new holder; a late holder can be told by its smaller fence
	ExpiresAt time.Time
}

// AcquireLease takes or renews the lease on a name for a while. ErrConflict while another holder
// has it. The clocks of all nodes must agree much better than ttl.
func (db *DB) AcquireLease(ctx context.Context, name, holder string, now time.Time, ttl time.Duration) (Lease, error) {
	var row leaseRow
	err := db.plain(ctx, func(tx bun.Tx) error {
		row = leaseRow{Name: clean(name), Holder: clean(holder), Fence: 1, ExpiresAt: micros(now.Add(ttl))}
		// One statement decides, so that two nodes cannot both win.
		result, err := tx.NewInsert().Model(&row).
			On("CONFLICT (name) DO UPDATE").
			Set("fence = CASE WHEN t.holder = EXCLUDED.holder THEN t.fence ELSE t.fence + 1 END").
			Set("holder = EXCLUDED.holder").Set("expires_at = EXCLUDED.expires_at").
			Where("t.holder = EXCLUDED.holder OR t.expires_at <= ?", micros(now)).
			Returning("NULL").Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			if err == nil {
				err = fault.New(fault.Conflict, ErrConflict.Code, "the lease %q is held by somebody else", name)
			}
			return err
		}
		return tx.NewSelect().Model(&row).WherePK().Scan(ctx)
	})
	return Lease{row.Name, row.Holder, row.Fence, instant(row.ExpiresAt)}, err
}

// ReleaseLease gives a lease back, unless somebody else has it by now. The fence is kept.
func (db *DB) ReleaseLease(ctx context.Context, l Lease) error {
	return db.plain(ctx, func(tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*leaseRow)(nil)).Set("expires_at = 0").Set("holder = ''").
			Where("name = ? AND holder = ? AND fence = ?", clean(l.Name), clean(l.Holder), l.Fence).Exec(ctx)
		return err
	})
}

// FreeLeases gives back every lease whose holder's name begins with a prefix, and returns how many.
// Only who knows that these holders are dead may call it.
func (db *DB) FreeLeases(ctx context.Context, prefix string) (int, error) {
	var n int64
	prefix = clean(prefix)
	err := db.plain(ctx, func(tx bun.Tx) error {
		result, err := tx.NewUpdate().Model((*leaseRow)(nil)).Set("expires_at = 0").Set("holder = ''").
			Where("holder <> '' AND substr(holder, 1, ?) = ?", utf8.RuneCountInString(prefix), prefix).Exec(ctx)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	return int(n), err
}
