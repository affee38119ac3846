package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/internal/operations/pricing"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

func (s *Server) addPlanning() {
	const tag = "Planning"
	huma.Register(s.api, operation(http.MethodGet, "/v1/forecasts", "list-forecasts", tag, "Forecasts, newest first, without their curves"), s.forecasts)
	huma.Register(s.api, operation(http.MethodGet, "/v1/forecasts/{forecast}", "get-forecast", tag, "One forecast with its curve"), s.forecast)
	huma.Register(s.api, operation(http.MethodPost, "/v1/forecasts", "make-forecasts", tag, "Forecast queues from their contact history",
		status(http.StatusCreated), long, repeatable), s.makeForecasts)
	huma.Register(s.api, operation(http.MethodGet, "/v1/promotions", "list-promotions", tag, "Sales events a forecast knows"), s.promotions)
	huma.Register(s.api, operation(http.MethodPut, "/v1/promotions", "put-promotions", tag, "Replace the sales events that people entered",
		describe("The answer names what was removed and added, and warns of removed ones that forecasts had learned from.")), s.putPromotions)
	huma.Register(s.api, operation(http.MethodGet, "/v1/plans", "list-plans", tag, "Staffing plans, newest first, without their slots"), s.plans)
	huma.Register(s.api, operation(http.MethodGet, "/v1/plans/{plan}", "get-plan", tag, "One staffing plan with the heads of each slot"), s.plan)
	huma.Register(s.api, operation(http.MethodPost, "/v1/plans", "make-plans", tag, "Turn forecasts into heads per slot, held against the contracts",
		status(http.StatusCreated), long, repeatable), s.makePlans)
}

type forecastsInput struct {
	Paging
	Span
	Merchant string `query:"merchant" maxLength:"64"`
	Queue    string `query:"queue" maxLength:"64"`
}

func (in forecastsInput) filter() (operations.ForecastFilter, error) {
	r, err := in.toRange()
	return operations.ForecastFilter{Merchant: ids.Merchant(in.Merchant), Queue: ids.Queue(in.Queue), Range: r}, err
}

func (s *Server) forecasts(ctx context.Context, in *forecastsInput) (*list[operations.Forecast], error) {
	filter, err := in.filter()
	if err != nil {
		return nil, err
	}
	items, next, err := s.deps.Ops.Planning.Forecasts(ctx, whoOf(ctx), filter, in.page())
	return paged(ctx, items, next, err)
}

type forecastPath struct {
	Forecast string `path:"forecast" maxLength:"64"`
}

func (s *Server) forecast(ctx context.Context, in *forecastPath) (*one[operations.Forecast], error) {
	f, err := s.deps.Ops.Planning.Forecast(ctx, whoOf(ctx), ids.Forecast(in.Forecast))
	if err != nil {
		return nil, err
	}
	return &one[operations.Forecast]{Body: f}, nil
}

type forecastInput struct {
	Body struct {
		Queues   []string  `json:"queues,omitempty" maxItems:"1000" doc:"empty: every queue of the merchant, or of everybody"`
		Merchant string    `json:"merchant,omitempty" maxLength:"64"`
		Slot     period    `json:"slot,omitempty" doc:"15m, or the grain of a coarser history"`
		Origin   time.Time `json:"origin,omitempty" doc:"history ends here; empty: at the end of the data"`
		Horizon  period    `json:"horizon,omitempty" doc:"336h unless given"`
		Levels   []float64 `json:"levels,omitempty" maxItems:"19" doc:"quantiles; 0.1, 0.5 and 0.9 unless given"`
		Carry    bool      `json:"carry,omitempty" doc:"carry the adjustments in force over from the newest version that has adjustments; without it figures.notes says how many stay behind"`

		BotChanges    []botChange `json:"bot_changes,omitempty" maxItems:"100" doc:"planned changes of the share of arrivals that a bot ends alone"`
		HistoryCounts string      `json:"history_counts,omitempty" enum:"arrivals,people" doc:"whether the contact history counts what a bot ended alone; found out where it can be unless given"`
	}
}

func (s *Server) makeForecasts(ctx context.Context, in *forecastInput) (*one[page[operations.Forecast]], error) {
	b := in.Body
	made, err := s.deps.Ops.Planning.MakeForecasts(ctx, whoOf(ctx), planning.ForecastInput{
		Queues: typed[ids.Queue](b.Queues), Merchant: ids.Merchant(b.Merchant), Slot: b.Slot.d, Origin: b.Origin,
		Horizon: b.Horizon.d, Levels: b.Levels, Carry: b.Carry,
		BotChanges: botChanges(b.BotChanges), HistoryCounts: forecast.Counted(b.HistoryCounts),
	})
	if err != nil {
		return nil, err
	}
	return &one[page[operations.Forecast]]{Body: page[operations.Forecast]{Items: made}}, nil
}

func (s *Server) promotions(ctx context.Context, _ *struct{}) (*one[page[planning.Promotion]], error) {
	all, err := s.deps.Ops.Planning.Promotions(ctx, whoOf(ctx))
	if err != nil {
		return nil, err
	}
	if all == nil {
		all = []planning.Promotion{}
	}
	return &one[page[planning.Promotion]]{Body: page[planning.Promotion]{Items: all}}, nil
}

type promotionsInput struct {
	Body struct {
		Items []planning.Promotion `json:"items" maxItems:"1000"`
	}
}

func (s *Server) putPromotions(ctx context.Context, in *promotionsInput) (*one[planning.PromotionsChange], error) {
	done, err := s.deps.Ops.Planning.PutPromotions(ctx, whoOf(ctx), in.Body.Items)
	if err != nil {
		return nil, err
	}
	return &one[planning.PromotionsChange]{Body: done}, nil
}

func (s *Server) plans(ctx context.Context, in *forecastsInput) (*list[operations.Plan], error) {
	filter, err := in.filter()
	if err != nil {
		return nil, err
	}
	items, next, err := s.deps.Ops.Pricing.Plans(ctx, whoOf(ctx), filter, in.page())
	return paged(ctx, items, next, err)
}

// PlanPath is the address of a plan.
type PlanPath struct {
	Plan string `path:"plan" maxLength:"64"`
}

func (s *Server) plan(ctx context.Context, in *PlanPath) (*one[operations.Plan], error) {
	p, err := s.deps.Ops.Pricing.Plan(ctx, whoOf(ctx), ids.Plan(in.Plan))
	if err != nil {
		return nil, err
	}
	return &one[operations.Plan]{Body: p}, nil
}

type planInput struct {
	Body struct {
		Forecasts []string      `json:"forecasts,omitempty" maxItems:"1000" doc:"empty: what was agreed with the client for the days, else the newest of each queue"`
		Merchant  string        `json:"merchant,omitempty" maxLength:"64"`
		Newest    bool          `json:"newest,omitempty" doc:"the newest forecast even on days that were agreed with the client"`
		From      calendar.Date `json:"from" doc:"first day"`
		Days      int           `json:"days" doc:"1 to 62"`
		Level     float64       `json:"level,omitempty" doc:"quantile to staff at; 0.9 unless given"`
		MaxHeads  int           `json:"max_heads,omitempty" doc:"seats; no ceiling unless given"`
		StaffAssumed
	}
}

func (s *Server) makePlans(ctx context.Context, in *planInput) (*one[page[operations.Plan]], error) {
	b := in.Body
	made, err := s.deps.Ops.Pricing.MakePlans(ctx, whoOf(ctx), pricing.PlanInput{
		Forecasts: typed[ids.Forecast](b.Forecasts), Merchant: ids.Merchant(b.Merchant), From: b.From, Days: b.Days,
		Newest:  b.Newest,
		Options: pricing.Options{Level: b.Level, Shrinkage: b.Shrinkage, MaxHeads: b.MaxHeads, People: b.People, Tickets: b.Tickets.options()},
	})
	if err != nil {
		return nil, err
	}
	return &one[page[operations.Plan]]{Body: page[operations.Plan]{Items: made}}, nil
}

func (s *Server) addRosters() {
	const tag = "Rosters"
	huma.Register(s.api, operation(http.MethodGet, "/v1/rosters", "list-rosters", tag, "Rosters, newest first, without their shifts"), s.rosters)
	huma.Register(s.api, operation(http.MethodGet, "/v1/rosters/{roster}/workbook", "get-roster-workbook", tag, "One roster as xlsx", workbook), s.rosterWorkbook)
	huma.Register(s.api, operation(http.MethodGet, "/v1/rosters/{roster}", "get-roster", tag, "One roster with its shifts and what stays short"), s.roster)
	huma.Register(s.api, operation(http.MethodPost, "/v1/rosters", "make-roster", tag, "Solve a roster and keep it as a draft",
		status(http.StatusCreated), long, repeatable), s.makeRoster)
	huma.Register(s.api, operation(http.MethodPost, "/v1/rosters/{roster}/publish", "publish-roster", tag, "Make a draft binding",
		describe("Every shift is judged by the rules once more; published rosters of the same days are archived.")), s.publishRoster)
	huma.Register(s.api, operation(http.MethodGet, "/v1/shifts", "list-shifts", tag, "Shifts by start; an agent sees its own published ones"), s.shifts)
}

type rostersInput struct {
	Paging
	Span
	State string `query:"state" enum:"draft,published,archived"`
}

func (s *Server) rosters(ctx context.Context, in *rostersInput) (*list[operations.Roster], error) {
	r, err := in.toRange()
	if err != nil {
		return nil, err
	}
	filter := operations.RosterFilter{State: operations.RosterState(in.State), Range: r}
	items, next, err := s.deps.Ops.Planning.Rosters(ctx, whoOf(ctx), filter, in.page())
	return paged(ctx, items, next, err)
}

// RosterPath is the address of a roster.
type RosterPath struct {
	Roster string `path:"roster" maxLength:"64"`
}

func (s *Server) roster(ctx context.Context, in *RosterPath) (*entity[operations.Roster], error) {
	r, err := s.deps.Ops.Planning.Roster(ctx, whoOf(ctx), ids.Roster(in.Roster))
	if err != nil {
		return nil, err
	}
	return &entity[operations.Roster]{ETag: r.ETag(), Body: r}, nil
}

func (s *Server) rosterWorkbook(ctx context.Context, in *RosterPath) (*file, error) {
	body, err := s.deps.Ops.Planning.RosterWorkbook(ctx, whoOf(ctx), ids.Roster(in.Roster))
	return attachment("roster-"+in.Roster+".xlsx", body, err)
}

type rosterInput struct {
	Body struct {
		Title      string        `json:"title,omitempty" maxLength:"200"`
		From       calendar.Date `json:"from" doc:"first day"`
		Days       int           `json:"days" doc:"1 to 62"`
		Plans      []string      `json:"plans,omitempty" maxItems:"1000" doc:"empty: the newest plan of every queue for the days"`
		Seed       uint64        `json:"seed,omitempty"`
		Iterations int           `json:"iterations,omitempty" minimum:"0" maximum:"100000000" doc:"search budget; the same seed and iterations give the same roster"`
		Time       period        `json:"time,omitempty" doc:"stop after this, at most 9m"`
		Threads    int           `json:"threads,omitempty" doc:"2 unless given"`
	}
}

// rosterTime keeps a search within the deadline of a long operation.
const rosterTime = 9 * time.Minute

func (s *Server) makeRoster(ctx context.Context, in *rosterInput) (*one[planning.RosterMade], error) {
	b := in.Body
	if d := b.Time.d; d < 0 || d > rosterTime {
		return nil, fault.Bad("roster.input", "roster", []fault.Field{{Path: "time", Value: d.String(), Problem: "must be from 0s to 9m"}})
	}
	made, err := s.deps.Ops.Planning.MakeRoster(ctx, whoOf(ctx), planning.RosterInput{
		Title: b.Title, From: b.From, Days: b.Days, Plans: typed[ids.Plan](b.Plans), Seed: b.Seed, Iterations: b.Iterations,
		Time: b.Time.d, Threads: b.Threads,
	})
	if err != nil {
		return nil, err
	}
	return &one[planning.RosterMade]{Body: made}, nil
}

type publishInput struct {
	RosterPath
	Precondition
}

func (s *Server) publishRoster(ctx context.Context, in *publishInput) (*entity[operations.Roster], error) {
	expect, err := in.expect()
	if err != nil {
		return nil, err
	}
	r, err := s.deps.Ops.Planning.PublishRoster(ctx, whoOf(ctx), ids.Roster(in.Roster), expect)
	if err != nil {
		return nil, in.failed(err)
	}
	return &entity[operations.Roster]{ETag: r.ETag(), Body: r}, nil
}

type shiftsInput struct {
	Paging
	Span
	Roster string `query:"roster" maxLength:"64"`
	State  string `query:"state" enum:"draft,published,archived" doc:"of the roster"`
	Agent  string `query:"agent" maxLength:"64"`
	Site   string `query:"site" maxLength:"64"`
	Team   string `query:"team" maxLength:"64"`
}

func (s *Server) shifts(ctx context.Context, in *shiftsInput) (*list[operations.Shift], error) {
	r, err := in.toRange()
	if err != nil {
		return nil, err
	}
	filter := operations.ShiftFilter{
		Roster: ids.Roster(in.Roster), State: operations.RosterState(in.State), Agent: ids.Agent(in.Agent), Site: ids.Site(in.Site),
		Team: ids.Team(in.Team), Range: r,
	}
	items, next, err := s.deps.Ops.Planning.Shifts(ctx, whoOf(ctx), filter, in.page())
	return paged(ctx, items, next, err)
}
