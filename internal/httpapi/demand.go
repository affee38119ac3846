package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// addDemand registers what forecasts learn from and what follows orders.
func (s *Server) addDemand() {
	const tag = "Planning"
	huma.Register(s.api, operation(http.MethodGet, "/v1/history-findings", "list-history-findings", tag, "What looks wrong with the contact history of a queue, each with the exclusion that it would become",
		long), s.historyFindings)
	huma.Register(s.api, operation(http.MethodGet, "/v1/exclusions", "list-exclusions", tag, "Stretches of contact history that people took out of what teaches forecasts"), s.exclusions)
	huma.Register(s.api, operation(http.MethodPost, "/v1/exclusions", "exclude-history", tag, "Take a stretch of contact history out of what teaches forecasts",
		status(http.StatusCreated), repeatable, describe("The stretch must touch the history and no other exclusion in force. What it takes out is told.")), s.exclude)
	huma.Register(s.api, operation(http.MethodPost, "/v1/exclusions/{exclusion}/withdrawal", "withdraw-exclusion", tag, "Let a stretch teach again; it stays on record", repeatable), s.withdrawExclusion)
	huma.Register(s.api, operation(http.MethodPost, "/v1/after-sales-forecasts", "forecast-after-sales", tag, "Forecast the after-sales tickets that orders bring, by tag and day",
		long, describe("Nothing is stored. Without a plan the coming orders are forecast from the recorded ones, with the promotions.")), s.afterSales)
}

type findingsInput struct {
	Queue  string    `query:"queue" required:"true" maxLength:"64"`
	Slot   period    `query:"slot" doc:"15m, or the grain of a coarser history"`
	Origin time.Time `query:"origin" doc:"the history ends here, RFC 3339; the end of the data unless given"`
}

func (s *Server) historyFindings(ctx context.Context, in *findingsInput) (*list[planning.QueueFinding], error) {
	found, err := s.deps.Ops.Planning.Findings(ctx, whoOf(ctx), planning.FindingsInput{Queue: ids.Queue(in.Queue), Slot: in.Slot.d, Origin: in.Origin})
	return paged(ctx, found, "", err)
}

type exclusionsInput struct {
	Queue     string `query:"queue" maxLength:"64"`
	Withdrawn bool   `query:"withdrawn" doc:"also those that were taken back"`
}

func (s *Server) exclusions(ctx context.Context, in *exclusionsInput) (*list[planning.Exclusion], error) {
	all, err := s.deps.Ops.Planning.Exclusions(ctx, whoOf(ctx), ids.Queue(in.Queue), in.Withdrawn)
	return paged(ctx, all, "", err)
}

type excludeInput struct {
	Body struct {
		Queue  string    `json:"queue" maxLength:"64"`
		From   time.Time `json:"from" doc:"first instant"`
		To     time.Time `json:"to" doc:"first instant after it: of whole days the midnight after the last one"`
		Reason string    `json:"reason" minLength:"1" maxLength:"2000"`
	}
}

func (s *Server) exclude(ctx context.Context, in *excludeInput) (*one[planning.ExclusionDone], error) {
	b := in.Body
	done, err := s.deps.Ops.Planning.Exclude(ctx, whoOf(ctx), ids.Queue(b.Queue), forecast.Exclusion{From: b.From, To: b.To, Reason: b.Reason})
	if err != nil {
		return nil, err
	}
	return &one[planning.ExclusionDone]{Body: done}, nil
}

type withdrawExclusionInput struct {
	Exclusion string `path:"exclusion" maxLength:"64"`
	Body      struct {
		Reason string `json:"reason" minLength:"1" maxLength:"2000"`
	}
}

func (s *Server) withdrawExclusion(ctx context.Context, in *withdrawExclusionInput) (*one[planning.Exclusion], error) {
	done, err := s.deps.Ops.Planning.WithdrawExclusion(ctx, whoOf(ctx), ids.Exclusion(in.Exclusion), in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &one[planning.Exclusion]{Body: done}, nil
}

type afterSalesInput struct {
	Body struct {
		Queue     string                   `json:"queue,omitempty" maxLength:"64" doc:"its tickets and the orders of its shop"`
		Merchant  string                   `json:"merchant,omitempty" maxLength:"64" doc:"or those of all shops of a merchant; one of the two"`
		From      *calendar.Date           `json:"from,omitempty" doc:"first day asked for; the day after the last recorded order unless given"`
		Days      int                      `json:"days,omitempty" minimum:"0" maximum:"448" doc:"30 unless given"`
		OrderKind string                   `json:"order_kind,omitempty" enum:"order,payment,shipment" doc:"which step is an order; payments unless given, or where there are none orders, else shipments"`
		Plan      []planning.PlannedOrders `json:"plan,omitempty" maxItems:"448" doc:"what is to be sold; other days are forecast"`
		Levels    []float64                `json:"levels,omitempty" maxItems:"19" doc:"quantiles; 0.1, 0.5 and 0.9 unless given"`
	}
}

func (s *Server) afterSales(ctx context.Context, in *afterSalesInput) (*one[planning.AfterSales], error) {
	b := in.Body
	q := planning.AfterSalesInput{
		Queue: ids.Queue(b.Queue), Merchant: ids.Merchant(b.Merchant), Days: b.Days, Kind: chatlog.OrderKind(b.OrderKind), Plan: b.Plan, Levels: b.Levels,
	}
	if b.From != nil {
		q.From = *b.From
	}
	made, err := s.deps.Ops.Planning.AfterSales(ctx, whoOf(ctx), q)
	if err != nil {
		return nil, err
	}
	return &one[planning.AfterSales]{Body: made}, nil
}

// botChange is a planned change of what a bot ends alone, as a client writes it.
type botChange struct {
	From   time.Time `json:"from"`
	Points float64   `json:"points" doc:"change of the share of arrivals: 0.10 is ten points more"`
	Doubt  float64   `json:"doubt,omitempty" doc:"standard deviation of points; half of them unless given"`
	Reason string    `json:"reason" minLength:"1" maxLength:"2000"`
}

func botChanges(changes []botChange) (out []forecast.DeflectionChange) {
	for _, c := range changes {
		out = append(out, forecast.DeflectionChange(c))
	}
	return out
}
