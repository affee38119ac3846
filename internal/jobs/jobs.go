// Package jobs owns the gocron table: name, schedule, timeout and one call into operations.
//
// Schedules are cron expressions of five fields in the business time zone. A job runs once at a
// time on all nodes together (a lease in the operational store), its runs are kept as history, and
// a run missed while no node was up is caught up once at start. A run that fails for a reason that
// can pass by itself is tried again after a pause that doubles; each attempt is history. A job
// whose due times fail twice in a row raises an alert, which its next success resolves.
//
// The due time of a run is the instant the schedule names, not the instant the clock ticked: two
// nodes that tick some milliseconds apart mean the same run by it. Where a zone has summer time, a
// due time in the skipped hour is left out that day and one in the repeated hour comes twice, at
// two instants.
package jobs

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-co-op/gocron/v2"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations"
)

// Config sets the job table.
type Config struct {
	Enabled   bool              `yaml:"enabled"`
	Timeout   time.Duration     `yaml:"timeout"`             // upper limit of one run, 1 s to 24 h
	Attempts  int               `yaml:"attempts"`            // of one due time, 1 to 10; 0 = 4
	Backoff   time.Duration     `yaml:"backoff"`             // pause before the second attempt, 10 ms to 1 h, 0 = 15 s; it doubles with each, up to 15 min
	Schedules map[string]string `yaml:"schedules,omitempty"` // cron expression per job name, replaces the default
}

// longestBackoff is how long the pauses between attempts grow.
const longestBackoff = 15 * time.Minute

// DefaultConfig runs every job on its default schedule.
func DefaultConfig() Config {
	return Config{Enabled: true, Timeout: 30 * time.Minute, Attempts: 4, Backoff: 15 * time.Second}
}

// Validate reports every bad field. Errors: jobs.config.
func (c Config) Validate() error {
	var bad []fault.Field
	if c.Timeout < time.Second || c.Timeout > 24*time.Hour {
		bad = append(bad, fault.Field{Path: "timeout", Value: c.Timeout.String(), Problem: "must be from 1s to 24h"})
	}
	if c.Attempts < 0 || c.Attempts > 10 {
		bad = append(bad, fault.Field{Path: "attempts", Value: fmt.Sprint(c.Attempts), Problem: "must be from 1 to 10"})
	}
	if c.Backoff != 0 && c.Backoff < 10*time.Millisecond || c.Backoff > time.Hour {
		bad = append(bad, fault.Field{Path: "backoff", Value: c.Backoff.String(), Problem: "must be from 10ms to 1h"})
	}
	names := Names()
	for _, name := range slices.Sorted(maps.Keys(c.Schedules)) {
		path, expression := "schedules."+name, c.Schedules[name]
		if !slices.Contains(names, name) {
			bad = append(bad, fault.Field{Path: path, Problem: "is not a job; jobs are " + strings.Join(names, ", ")})
		}
		if _, err := parse(expression); err != nil {
			bad = append(bad, fault.Field{Path: path, Value: expression, Problem: err.Error()})
		}
	}
	return fault.Bad("jobs.config", "jobs", bad)
}

// Job is one row of the table.
type Job struct {
	Name     string
	Schedule string        // cron, five fields, business time zone
	Timeout  time.Duration // 0 = Config.Timeout
	CatchUp  bool          // run once at start when the last due time was missed
	Run      operations.JobFunc
}

// Table is the job table over the use cases.
func Table(ops *operations.Operations) []Job {
	return []Job{
		{Name: "rollup-check", Schedule: "*/15 * * * *", Timeout: 10 * time.Minute, Run: ops.Measuring.CheckRollups},
		{Name: "rollup-verification", Schedule: "30 4 * * *", CatchUp: true, Run: ops.Measuring.VerifyRollups},
		{Name: "daily-scorecards", Schedule: "30 6 * * *", CatchUp: true, Run: ops.Settling.DailyScorecards},
		{Name: "conversion-closing", Schedule: "45 6 * * *", CatchUp: true, Run: ops.Measuring.CloseConversions},
		{Name: "monthly-sla-reports", Schedule: "0 7 2 * *", CatchUp: true, Run: ops.Settling.MonthlyReports},
		{Name: "reconciliation", Schedule: "30 7 * * *", CatchUp: true, Run: ops.Measuring.ReconcileAll},
		{Name: "scorecard-freeze", Schedule: "0 8 * * *", CatchUp: true, Run: ops.Settling.FreezeDue},
		{Name: "forecast-refresh", Schedule: "0 5 * * *", CatchUp: true, Run: ops.Planning.RefreshForecasts},
		{Name: "forecast-accuracy", Schedule: "45 5 * * *", CatchUp: true, Run: ops.Planning.MeasureForecasts},
		{Name: "forecast-drift", Schedule: "15 6 * * *", CatchUp: true, Run: ops.Planning.TellDrift},
		{Name: "request-expiry", Schedule: "*/15 * * * *", Timeout: 5 * time.Minute, Run: ops.Requesting.ExpireRequests},
		{Name: "retention", Schedule: "15 3 * * *", CatchUp: true, Run: ops.Measuring.Retain},
		{Name: "housekeeping", Schedule: "45 3 * * *", CatchUp: true, Run: ops.Administration.Housekeep},
	}
}

// Names lists the jobs.
func Names() []string {
	return []string{
		"rollup-check", "rollup-verification", "daily-scorecards", "conversion-closing", "monthly-sla-reports", "reconciliation",
		"scorecard-freeze", "forecast-refresh", "forecast-accuracy", "forecast-drift", "request-expiry", "retention", "housekeeping",
	}
}

// Scheduler runs the table.
type Scheduler struct {
	ops    *operations.Operations
	zone   *time.Location
	log    *slog.Logger
	table  []Job
	retry  operations.Retry
	cron   gocron.Scheduler
	cancel context.CancelFunc // ends what Start began

	mu      sync.Mutex // guards the two below: no run may begin once Stop waits
	stopped bool
	running sync.WaitGroup // ticks and catch-up in flight
}

// New prepares a scheduler; nothing runs before Start.
func New(cfg Config, ops *operations.Operations, zone *time.Location, log *slog.Logger) *Scheduler {
	return newScheduler(cfg, Table(ops), ops, zone, log)
}

func newScheduler(cfg Config, table []Job, ops *operations.Operations, zone *time.Location, log *slog.Logger) *Scheduler {
	for i := range table {
		if expression, ok := cfg.Schedules[table[i].Name]; ok {
			table[i].Schedule = expression
		}
		if table[i].Timeout == 0 || table[i].Timeout > cfg.Timeout {
			table[i].Timeout = cfg.Timeout
		}
	}
	usual := DefaultConfig()
	retry := operations.Retry{Attempts: cmp.Or(cfg.Attempts, usual.Attempts), First: cmp.Or(cfg.Backoff, usual.Backoff), Longest: longestBackoff}
	return &Scheduler{ops: ops, zone: zone, log: log, table: table, retry: retry}
}

// Start schedules every job and catches up missed runs in the background. It is called once.
// The end of ctx cancels running jobs and begins no others; Stop waits for them.
// Errors: jobs.start, jobs.schedule; then nothing runs.
func (s *Scheduler) Start(ctx context.Context) error {
	c, err := gocron.NewScheduler(gocron.WithLocation(s.zone), gocron.WithStopTimeout(time.Second))
	if err != nil {
		return fault.Wrap(err, fault.Internal, "jobs.start", "the job scheduler cannot start")
	}
	ctx, cancel := context.WithCancel(ctx)
	for _, job := range s.table {
		task := gocron.NewTask(func() { s.tick(ctx, job) })
		_, err := c.NewJob(gocron.CronJob(job.Schedule, false), task,
			gocron.WithName(job.Name), gocron.WithSingletonMode(gocron.LimitModeReschedule))
		if err != nil {
			cancel()
			_ = c.Shutdown() // it has run nothing
			return fault.Wrap(err, fault.Invalid, "jobs.schedule", "the schedule %q of job %s cannot be used", job.Schedule, job.Name)
		}
	}
	s.cron, s.cancel = c, cancel
	c.Start()
	if s.enter(ctx) {
		go func() { defer s.running.Done(); s.catchUp(ctx) }()
	}
	return nil
}

// Stop cancels running jobs, waits until they have recorded how they ended, at most until ctx ends,
// and ends the table. Errors: jobs.stop, of kind Timeout when a job does not heed its context.
func (s *Scheduler) Stop(ctx context.Context) error {
	if s.cron == nil {
		return nil
	}
	s.mu.Lock()
	again := s.stopped
	s.stopped = true
	s.mu.Unlock()
	if again {
		return nil
	}
	s.cancel()
	done := make(chan error, 1)
	go func() { s.running.Wait(); done <- s.cron.Shutdown() }()
	select {
	case err := <-done:
		if err != nil {
			return fault.Wrap(err, fault.Internal, "jobs.stop", "the job scheduler did not stop in order")
		}
		return nil
	case <-ctx.Done():
		return fault.New(fault.Timeout, "jobs.stop", "jobs were still running at the end")
	}
}

// enter counts a piece of work that Stop has to wait for; false when it is too late to begin.
func (s *Scheduler) enter(ctx context.Context) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped || ctx.Err() != nil {
		return false
	}
	s.running.Add(1)
	return true
}

// Spec is a manual run of a job, for operations.RunJob. Errors: jobs.unknown.
func (s *Scheduler) Spec(name string) (operations.JobSpec, error) {
	i := slices.IndexFunc(s.table, func(j Job) bool { return j.Name == name })
	if i < 0 {
		return operations.JobSpec{}, fault.New(fault.NotFound, "jobs.unknown", "there is no job %q; jobs are %s", name, strings.Join(Names(), ", "))
	}
	return s.spec(s.table[i], s.ops.Now(), operations.Manual), nil
}

// Jobs is the table with the schedules in force.
func (s *Scheduler) Jobs() []Job { return slices.Clone(s.table) }

func (s *Scheduler) spec(job Job, due time.Time, trigger operations.Trigger) operations.JobSpec {
	return operations.JobSpec{Name: job.Name, Due: due, Trigger: trigger, Timeout: job.Timeout, Retry: s.retry, Run: job.Run}
}

// tick runs a job because its time has come.
func (s *Scheduler) tick(ctx context.Context, job Job) {
	if s.enter(ctx) {
		defer s.running.Done()
		s.run(ctx, job, s.dueOf(job, s.ops.Now()), operations.Scheduled)
	}
}

func (s *Scheduler) run(ctx context.Context, job Job, due time.Time, trigger operations.Trigger) {
	run, err := s.ops.RunScheduled(ctx, s.spec(job, due, trigger))
	switch {
	case err != nil && fault.CodeOf(err) == operations.CodeJobElsewhere:
		s.log.DebugContext(ctx, "job runs on another node", "job", job.Name, "due", due)
	case err != nil && ctx.Err() != nil:
		s.log.WarnContext(ctx, "job was stopped with the service", "job", job.Name, "due", due)
	case err != nil:
		s.log.ErrorContext(ctx, "job failed", "job", job.Name, "due", due, "error", fault.InternalText(err))
	default:
		s.log.InfoContext(ctx, "job done", "job", job.Name, "due", due, "rows", run.Rows, "duration", run.FinishedAt.Sub(run.StartedAt))
	}
}

// catchUp runs each job once whose last due time has no successful run.
func (s *Scheduler) catchUp(ctx context.Context) {
	for _, job := range s.table {
		if !job.CatchUp || ctx.Err() != nil {
			continue
		}
		due := s.lastDue(job, s.ops.Now())
		if due.IsZero() {
			continue
		}
		missed, err := s.ops.JobMissed(ctx, job.Name, due)
		if err != nil {
			s.log.ErrorContext(ctx, "cannot tell whether a job was missed", "job", job.Name, "error", fault.InternalText(err))
			continue
		}
		if missed {
			s.run(ctx, job, due, operations.CatchUp)
		}
	}
}
