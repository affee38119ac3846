// Package operations owns the use cases: one method per verb, the same for HTTP, commands and
// jobs. A method goes permission -> validate -> one transaction -> domain -> audit.
//
// The three trees meet here and only here, as values: a contract term becomes a
// staffing.Target, measured readings become report lines, a contact history becomes a
// forecast.Series. Now lives here; domain functions take the instant.
//
// It does not own HTTP, files on disk beyond the readers it is handed, or schedules.
package operations

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
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
	Promotions  []Promotion // that ship with the binary, past and planned
	Definitions kpi.Definitions
	Closing     chatlog.ClosingRule // marks buyers' messages that only close; the zero rule marks none
	Rules       workrules.Params
	Node        string // names this process among the nodes that share the stores
	Log         *slog.Logger
	Now         func() time.Time
}

// Operations is every use case, grouped by who asks.
type Operations struct {
	Planning       *Planning       // supervisors: history, forecast, staffing, roster
	Measuring      *Measuring      // everyone: events in, figures out
	Settling       *Settling       // finance and merchants: monthly SLA reports
	Administration *Administration // operators: master data, users, audit
	deps           Deps
	jobs           *jobCounters
}

// base is not embedded by its exported fields: a door that holds the use cases must not reach the
// stores around their permission checks.
type base struct {
	deps    Deps
	cfg     Config
	solving chan struct{} // holds one entry per roster being made
}

// maxSolving is how many rosters one process makes at a time.
const maxSolving = 2

// Planning answers who works when.
type Planning struct{ base }

// Measuring takes events in and gives figures out.
type Measuring struct{ base }

// Settling compares what was promised with what was measured.
type Settling struct {
	base
	measuring *Measuring
}

// Administration keeps master data, users and the audit trail.
type Administration struct{ base }

// New connects the use cases; it does no I/O.
func New(cfg Config, deps Deps) *Operations {
	b := base{deps: deps, cfg: cfg, solving: make(chan struct{}, maxSolving)}
	m := &Measuring{b}
	return &Operations{
		Planning: &Planning{b}, Measuring: m, Settling: &Settling{b, m}, Administration: &Administration{b},
		deps: deps, jobs: newJobCounters(),
	}
}

// Now is the clock of the use cases.
func (o *Operations) Now() time.Time { return o.deps.Now() }

// Zone is the business time zone.
func (o *Operations) Zone() *time.Location { return o.deps.Zone }

// read gives the scoped view of the operational store after the permission check.
func (b base) read(who access.Principal, perm access.Permission) (*store.View, access.Scope, error) {
	scope, err := access.Decide(who, perm)
	if err != nil {
		return nil, access.Scope{}, err
	}
	return b.deps.Store.In(scope), scope, nil
}

// figures gives the scoped view of the warehouse after the permission check.
func (b base) figures(who access.Principal, perm access.Permission) (warehouse.Reader, error) {
	scope, err := access.Decide(who, perm)
	if err != nil {
		return warehouse.Reader{}, err
	}
	return b.deps.Warehouse.In(warehouseScope(scope)), nil
}

func warehouseScope(s access.Scope) warehouse.Scope {
	return warehouse.Scope{Everything: s.Everything, Merchants: s.Merchants, Agent: s.Agent}
}
