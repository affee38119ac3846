// Package operations owns the use cases: one method per verb, the same for HTTP, commands and
// jobs. A method goes permission -> validate -> one transaction -> domain -> audit.
//
// The three trees meet here and only here, as values: a contract term becomes a
// staffing.Target, measured readings become report lines, a contact history becomes a
// forecast.Series. Now lives here; domain functions take the instant.
//
// This package wires the groups, one package each: administration, measuring, planning, pricing,
// requesting, rostering, settling.
// They stand on gate and never import each other. It also owns what belongs to none of them: runs of
// jobs, answers to repeated requests, and the types that doors pass through.
//
// It does not own HTTP, files on disk beyond the readers it is handed, or schedules.
package operations

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/administration"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/internal/operations/pricing"
	"github.com/chaoban/chaoban/internal/operations/requesting"
	"github.com/chaoban/chaoban/internal/operations/revising"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/internal/operations/settling"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Config sets the use cases.
type Config struct {
	SessionLifetime time.Duration `yaml:"session_lifetime"`
	LoginAttempts   int           `yaml:"login_attempts"` // failures per login and address before it waits
	LoginWindow     time.Duration `yaml:"login_window"`
	RetentionYears  int           `yaml:"retention_years"` // at least 2
	FreezeDay       int           `yaml:"freeze_day"`      // of the next month, on which a month's scorecards are frozen, 1 to 28; 0 = 5
	Tolerance       float64       `yaml:"tolerance"`       // relative difference from a platform's closed figure that is told, 0 to 1; 0 = 0.02
}

// DefaultConfig is what default.yaml says.
func DefaultConfig() Config {
	return Config{SessionLifetime: 12 * time.Hour, LoginAttempts: 5, LoginWindow: 15 * time.Minute, RetentionYears: 3, FreezeDay: 5, Tolerance: 0.02}
}

// Validate reports every bad field.
func (c Config) Validate() error {
	var bad []fault.Field
	if c.SessionLifetime < time.Minute {
		bad = append(bad, fault.Field{Path: "session_lifetime", Value: c.SessionLifetime.String(), Problem: "must be at least 1m"})
	}
	if c.LoginAttempts < 1 {
		bad = append(bad, fault.Field{Path: "login_attempts", Problem: "must be at least 1"})
	}
	if c.LoginWindow < time.Second {
		bad = append(bad, fault.Field{Path: "login_window", Value: c.LoginWindow.String(), Problem: "must be at least 1s"})
	}
	if c.RetentionYears < 2 {
		bad = append(bad, fault.Field{Path: "retention_years", Problem: "must be at least 2: evidence is kept two years"})
	}
	if c.FreezeDay < 0 || c.FreezeDay > 28 {
		bad = append(bad, fault.Field{Path: "freeze_day", Value: fmt.Sprint(c.FreezeDay), Problem: "must be a day from 1 to 28"})
	}
	if !(c.Tolerance >= 0 && c.Tolerance <= 1) { // so that NaN is refused too
		bad = append(bad, fault.Field{Path: "tolerance", Value: fmt.Sprint(c.Tolerance), Problem: "must be from 0 to 1: 0.02 is two per cent"})
	}
	return fault.Bad("operations.config", "operations", bad)
}

func (c Config) freezeDay() int     { return cmp.Or(c.FreezeDay, DefaultConfig().FreezeDay) }
func (c Config) tolerance() float64 { return cmp.Or(c.Tolerance, DefaultConfig().Tolerance) }

// Deps are what the use cases stand on. Warehouse may be down at any time.
type Deps struct {
	Store       *store.DB
	Warehouse   *warehouse.Warehouse
	Zone        *time.Location // business time zone
	Holidays    calendar.Holidays
	Promotions  []planning.Promotion // that ship with the binary, past and planned
	Definitions kpi.Definitions
	Closing     chatlog.ClosingRule // marks buyers' messages that only close; the zero rule marks none
	Rules       workrules.Params
	Node        string // names this process among the nodes that share the stores
	Log         *slog.Logger
	Now         func() time.Time
}

// gate is what all groups of use cases are given.
func (d Deps) gate() gate.Gate {
	return gate.Gate{Store: d.Store, Warehouse: d.Warehouse, Zone: d.Zone, Definitions: d.Definitions, Log: d.Log, Now: d.Now}
}

// Operations is every use case, grouped by who asks.
type Operations struct {
	Planning       *planning.Planning             // supervisors: history, forecast
	Pricing        *pricing.Pricing               // supervisors: heads and what they cost, what-if scenarios
	Rostering      *rostering.Rostering           // supervisors: rosters and their life; agents: their shifts
	Requesting     *requesting.Requesting         // agents and supervisors: leave, swaps, offers, bidding
	Measuring      *measuring.Measuring           // everyone: events in, figures out
	Settling       *settling.Settling             // finance, merchants and agents: SLA reports, scorecards
	Administration *administration.Administration // operators: master data, users, audit
	deps           Deps
	jobs           *jobCounters
}

// New connects the use cases; it does no I/O.
func New(cfg Config, deps Deps) *Operations {
	g := deps.gate()
	policy := planning.Policy{Holidays: deps.Holidays, Promotions: deps.Promotions}
	planned := planning.New(g, policy)
	desk := revising.New(revising.Policy{Zone: deps.Zone, Holidays: deps.Holidays, Rules: deps.Rules})
	requests := requesting.New(g, desk, requesting.Policy{
		Holidays: deps.Holidays, Promotions: func(ctx context.Context) ([]leave.PromotionDays, error) {
			return promotionDays(ctx, planned, deps.Zone)
		},
	})
	return &Operations{
		Planning:   planned,
		Rostering:  rostering.New(g, desk, rostering.Policy{Holidays: deps.Holidays, RecordLeave: leaveOf(requests)}),
		Pricing:    pricing.New(g, pricing.Policy{Holidays: deps.Holidays, Events: planning.EventsOf(g, policy), Tickets: ticketsOf(planned)}),
		Requesting: requests,
		Measuring:  measuring.New(g, measuring.Policy{PutAgents: desk.PutAgents, Closing: deps.Closing, RetentionYears: cfg.RetentionYears, Tolerance: cfg.tolerance()}),
		Settling:   settling.New(g, settling.Policy{FreezeDay: cfg.freezeDay()}),
		Administration: administration.New(g, administration.Policy{
			PutAgents:       desk.PutAgents,
			SessionLifetime: cfg.SessionLifetime, LoginAttempts: cfg.LoginAttempts, LoginWindow: cfg.LoginWindow,
		}),
		deps: deps, jobs: newJobCounters(),
	}
}

// leaveOf lets repairs enter absences as leave.
func leaveOf(q *requesting.Requesting) func(context.Context, *store.Tx, access.Principal, leave.LeaveKind, []rostering.AbsentShifts, string) ([]ids.Request, error) {
	return func(ctx context.Context, tx *store.Tx, who access.Principal, kind leave.LeaveKind, absent []rostering.AbsentShifts, reason string) ([]ids.Request, error) {
		notes := make([]requesting.AbsenceNote, len(absent))
		for i, a := range absent {
			notes[i] = requesting.AbsenceNote{Agent: a.Agent, Range: a.Range, Effect: a.Effect}
		}
		return requesting.RecordAbsences(ctx, q, tx, who, kind, notes, reason)
	}
}

// ticketsOf hands plans the tickets that orders bring; the groups know each other as values only.
func ticketsOf(p *planning.Planning) func(ctx context.Context, who access.Principal, queue ids.Queue, dates calendar.Dates, level float64) (pricing.TicketDemand, error) {
	return func(ctx context.Context, who access.Principal, queue ids.Queue, dates calendar.Dates, level float64) (pricing.TicketDemand, error) {
		in := planning.AfterSalesInput{Queue: queue, From: dates.From, Days: dates.Until.Sub(dates.From)}
		if level > 0 {
			in.Levels = []float64{level}
		}
		found, err := p.AfterSales(ctx, who, in)
		out := pricing.TicketDemand{Doubts: found.Doubts}
		for _, d := range found.Total.Days {
			count := d.Mean
			if level > 0 && len(d.Quantiles) == 1 {
				count = d.Quantiles[0]
			}
			out.Days = append(out.Days, pricing.TicketDay{Date: d.Date, Count: count})
		}
		return out, err
	}
}

// promotionDays are the days of the promotions that forecasts know, and of their phases.
func promotionDays(ctx context.Context, plans *planning.Planning, zone *time.Location) ([]leave.PromotionDays, error) {
	known, err := plans.Promotions(ctx, access.System("requests"))
	var out []leave.PromotionDays
	days := func(family, phase string, start, end time.Time) {
		out = append(out, leave.PromotionDays{Family: family, Phase: phase, Dates: calendar.Dates{
			From: calendar.DateOf(start, zone), Until: calendar.DateOf(end.Add(-1), zone).Add(1),
		}})
	}
	for _, p := range known {
		days(p.Family, "", p.Start, p.End)
		for _, phase := range p.Phases {
			days(p.Family, phase.Kind, phase.Start, phase.End)
		}
	}
	return out, err
}

// Start tells the warehouse what it needs of the stores before the first question. Call it once the
// stores are open. It does not need the engine.
func (o *Operations) Start(ctx context.Context) error { return o.deps.gate().TellShops(ctx) }

// Now is the clock of the use cases.
func (o *Operations) Now() time.Time { return o.deps.Now() }

// Zone is the business time zone.
func (o *Operations) Zone() *time.Location { return o.deps.Zone }
