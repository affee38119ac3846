package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chaoban/chaoban/internal/calendar"
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
		Horizon  period    `json:"horizon,omitempty" doc:"14d unless given; 336h is the same"`
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
		Options: pricing.Options{Level: b.Level, Shrinkage: b.Shrinkage, MaxHeads: b.MaxHeads, People: b.People, Tickets: b.Tickets.options(), Seats: pricing.SeatRule(b.Seats)},
	})
	if err != nil {
		return nil, err
	}
	return &one[page[operations.Plan]]{Body: page[operations.Plan]{Items: made}}, nil
}
