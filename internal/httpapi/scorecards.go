package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/settling"
	"github.com/chaoban/chaoban/kpi"
)

// addKeeping registers what is kept about figures beyond the figures themselves: scores of closed
// months, conversion figures as they moved, comparisons with the platforms, retention.
func (s *Server) addKeeping() {
	const tag = "Scorecards"
	score := describe("attained = value/target, at most 1 (target/value when less is better); points = 100 x share of the weights x attained; " +
		"the points sum to the score. Terms without data or under the minimum sample are left out and the other weights scaled up; so is " +
		"one on abandonment when the log names the agent of no abandoned conversation. " +
		"A frozen month never changes: what later data say stands beside in now, and an amendment adds a revision.")
	huma.Register(s.api, operation(http.MethodGet, "/v1/scorecards/months/{month}", "list-month-scorecards", tag, "Scores of agents by contract in a month; an agent gets its own", score), s.monthScorecards)
	huma.Register(s.api, operation(http.MethodPost, "/v1/scorecards/months/{month}/freeze", "freeze-scorecards", tag, "Close a month: its scores are kept as they are",
		status(http.StatusCreated), long), s.freezeScorecards)
	huma.Register(s.api, operation(http.MethodPost, "/v1/scorecards/months/{month}/amendments", "amend-scorecard", tag, "Add a revision to a frozen score, as the data say now",
		status(http.StatusCreated), long), s.amendScorecard)
	huma.Register(s.api, operation(http.MethodGet, "/v1/scorecards/freezes", "list-freezes", tag, "Frozen months, newest first"), s.freezes)
	huma.Register(s.api, operation(http.MethodGet, "/v1/kpi/conversions", "list-conversions", "Measuring", "Conversion figures, provisional to final, newest day first",
		describe("Each figure has its revisions: provisional ones as it moved, the final one after its closing days, and amended ones when data came later still.")), s.conversions)
	s.addReconciliation()
	s.addRetention()
}

type monthScorecardsInput struct {
	Month    calendar.Month `path:"month" doc:"2026-11"`
	Contract string         `query:"contract" maxLength:"64"`
	Agent    string         `query:"agent" maxLength:"64"`
}

func (s *Server) monthScorecards(ctx context.Context, in *monthScorecardsInput) (*one[settling.MonthCards], error) {
	cards, err := s.deps.Ops.Settling.MonthlyScorecards(ctx, whoOf(ctx), settling.MonthCardInput{
		Month: in.Month, Contract: ids.Contract(in.Contract), Agent: ids.Agent(in.Agent),
	})
	if err != nil {
		return nil, err
	}
	return &one[settling.MonthCards]{Body: cards}, nil
}

type freezeInput struct {
	Month calendar.Month `path:"month" doc:"2026-11"`
	Empty bool           `query:"empty" doc:"close the month although nobody has a card"`
}

func (s *Server) freezeScorecards(ctx context.Context, in *freezeInput) (*one[operations.Freeze], error) {
	done, err := s.deps.Ops.Settling.FreezeScorecards(ctx, whoOf(ctx), settling.FreezeInput{Month: in.Month, Empty: in.Empty})
	if err != nil {
		return nil, err
	}
	return &one[operations.Freeze]{Body: done}, nil
}

type amendInput struct {
	Month calendar.Month `path:"month" doc:"2026-11"`
	Body  struct {
		Contract string `json:"contract" maxLength:"64"`
		Agent    string `json:"agent" maxLength:"64"`
		Reason   string `json:"reason" maxLength:"500" doc:"why the frozen score changes"`
	}
}

func (s *Server) amendScorecard(ctx context.Context, in *amendInput) (*one[operations.KeptCard], error) {
	done, err := s.deps.Ops.Settling.AmendScorecard(ctx, whoOf(ctx), settling.AmendInput{
		Month: in.Month, Contract: ids.Contract(in.Body.Contract), Agent: ids.Agent(in.Body.Agent), Reason: in.Body.Reason,
	})
	if err != nil {
		return nil, err
	}
	return &one[operations.KeptCard]{Body: done}, nil
}

func (s *Server) freezes(ctx context.Context, in *Paging) (*list[operations.Freeze], error) {
	items, next, err := s.deps.Ops.Settling.Freezes(ctx, whoOf(ctx), in.page())
	return paged(ctx, items, next, err)
}

type conversionsInput struct {
	Paging
	Merchant string        `query:"merchant" maxLength:"64"`
	Shop     string        `query:"shop" maxLength:"64"`
	Metric   string        `query:"metric" maxLength:"64"`
	State    string        `query:"state" enum:"provisional,final,amended"`
	From     calendar.Date `query:"from" doc:"first day of the inquiries"`
	Until    calendar.Date `query:"until" doc:"first day that no longer counts"`
}

func (s *Server) conversions(ctx context.Context, in *conversionsInput) (*list[operations.Conversion], error) {
	items, next, err := s.deps.Ops.Measuring.Conversions(ctx, whoOf(ctx), operations.ConversionFilter{
		Merchant: ids.Merchant(in.Merchant), Shop: ids.Shop(in.Shop), Metric: kpi.Metric(in.Metric), State: operations.ConversionState(in.State),
		Dates: calendar.Dates{From: in.From, Until: in.Until},
	}, in.page())
	return paged(ctx, items, next, err)
}
