// Package jobs owns the gocron table: name, schedule, timeout and one call into operations.
//
// Schedules are cron expressions in the business time zone. A job runs once at a time on all
// nodes together (a lease in the operational store), its runs are kept as history, and a run
// missed while no node was up is caught up once at start.
package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/robfig/cron/v3"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations"
)

// Config sets the job table.
type Config struct {
	Enabled   bool              `yaml:"enabled"`
	Timeout   time.Duration     `yaml:"timeout"`             // upper limit of one run
	Schedules map[string]string `yaml:"schedules,omitempty"` // cron expression per job name, replaces the default
}

// DefaultConfig runs every job on its default schedule.
func DefaultConfig() Config { return Config{Enabled: true, Timeout: 30 * time.Minute} }

// Validate reports every bad field.
func (c Config) Validate() error {
	var bad []fault.Field
	if c.Timeout < time.Second {
		bad = append(bad, fault.Field{Path: "timeout", Value: c.Timeout.String(), Problem: "must be at least 1s"})
	}
	names := Names()
	for name, expr := range c.Schedules {
		if !slices.Contains(names, name) {
			bad = append(bad, fault.Field{Path: "schedules." + name, Problem: "is not a job; jobs are " + fmt.Sprint(names)})
		}
		if _, err := cron.ParseStandard(expr); err != nil {
			bad = append(bad, fault.Field{Path: "schedules." + name, Value: expr, Problem: "is not a cron expression of five fields"})
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
		{Name: "daily-scorecards", Schedule: "30 6 * * *", CatchUp: true, Run: ops.Measuring.DailyScorecards},
		{Name: "monthly-sla-reports", Schedule: "0 7 2 * *", CatchUp: true, Run: ops.Settling.MonthlyReports},
		{Name: "retention", Schedule: "15 3 * * *", CatchUp: true, Run: ops.Measuring.Retain},
		{Name: "housekeeping", Schedule: "45 3 * * *", CatchUp: true, Run: ops.Administration.Housekeep},
	}
}

// Names lists the jobs.
func Names() []string {
	return []string{"rollup-check", "daily-scorecards", "monthly-sla-reports", "retention", "housekeeping"}
}

// Scheduler runs the table.
type Scheduler struct {
	cfg   Config
	ops   *operations.Operations
	zone  *time.Location
	log   *slog.Logger
	table []Job
	cron  gocron.Scheduler
	wg    sync.WaitGroup
}

// New prepares a scheduler; nothing runs before Start.
func New(cfg Config, ops *operations.Operations, zone *time.Location, log *slog.Logger) *Scheduler {
	table := Table(ops)
	for i := range table {
		if expr, ok := cfg.Schedules[table[i].Name]; ok {
			table[i].Schedule = expr
		}
		if table[i].Timeout == 0 || table[i].Timeout > cfg.Timeout {
			table[i].Timeout = cfg.Timeout
		}
	}
	return &Scheduler{cfg: cfg, ops: ops, zone: zone, log: log, table: table}
}

// Start schedules every job and catches up missed runs in the background.
// Cancelling ctx cancels running jobs; Stop waits for them.
func (s *Scheduler) Start(ctx context.Context) error {
	c, err := gocron.NewScheduler(gocron.WithLocation(s.zone), gocron.WithStopTimeout(5*time.Second))
	if err != nil {
		return fault.Wrap(err, fault.Internal, "jobs.start", "the job scheduler cannot start")
	}
	s.cron = c
	for _, job := range s.table {
		task := gocron.NewTask(func() { s.run(ctx, job, s.lastDue(job, s.ops.Now()), operations.Scheduled) })
		_, err := c.NewJob(gocron.CronJob(job.Schedule, false), task,
			gocron.WithName(job.Name), gocron.WithSingletonMode(gocron.LimitModeReschedule))
		if err != nil {
			return fault.Wrap(err, fault.Invalid, "jobs.schedule", "the schedule %q of job %s cannot be used", job.Schedule, job.Name)
		}
	}
	c.Start()
	s.wg.Go(func() { s.catchUp(ctx) })
	return nil
}

// Stop ends the table and waits for running jobs, at most until ctx ends.
func (s *Scheduler) Stop(ctx context.Context) error {
	if s.cron == nil {
		return nil
	}
	done := make(chan error, 1)
	go func() { err := s.cron.Shutdown(); s.wg.Wait(); done <- err }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fault.New(fault.Timeout, "jobs.stop", "jobs were still running at the end")
	}
}

// Spec is a manual run of a job, for operations.RunJob.
func (s *Scheduler) Spec(name string) (operations.JobSpec, error) {
	i := slices.IndexFunc(s.table, func(j Job) bool { return j.Name == name })
	if i < 0 {
		return operations.JobSpec{}, fault.New(fault.NotFound, "jobs.unknown", "there is no job %q; jobs are %v", name, Names())
	}
	return s.spec(s.table[i], s.ops.Now(), operations.Manual), nil
}

// Jobs is the table with the schedules in force.
func (s *Scheduler) Jobs() []Job { return slices.Clone(s.table) }

func (s *Scheduler) spec(job Job, due time.Time, trigger operations.Trigger) operations.JobSpec {
	return operations.JobSpec{Name: job.Name, Due: due, Trigger: trigger, Timeout: job.Timeout, Run: job.Run}
}

func (s *Scheduler) run(ctx context.Context, job Job, due time.Time, trigger operations.Trigger) {
	run, err := s.ops.RunScheduled(ctx, s.spec(job, due, trigger))
	switch {
	case err != nil && fault.CodeOf(err) == operations.CodeJobElsewhere:
		s.log.DebugContext(ctx, "job runs on another node", "job", job.Name)
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

// lastDue is the newest due time at or before now. Cron has no "previous", so it is found by
// walking forward from a start that lies far enough back.
func (s *Scheduler) lastDue(job Job, now time.Time) time.Time {
	schedule, err := cron.ParseStandard(job.Schedule)
	if err != nil {
		return now // Validate has refused such a schedule
	}
	now = now.In(s.zone)
	for _, back := range []time.Duration{time.Hour, 25 * time.Hour, 32 * 24 * time.Hour, 367 * 24 * time.Hour} {
		var last time.Time
		for t := schedule.Next(now.Add(-back)); !t.IsZero() && !t.After(now); t = schedule.Next(t) {
			last = t
		}
		if !last.IsZero() {
			return last
		}
	}
	return now
}
