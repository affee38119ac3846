package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/pricing"
)

// addStaffing registers what opens and prices plans.
func (s *Server) addStaffing() {
	const tag = "Staffing"
	huma.Register(s.api, operation(http.MethodGet, "/v1/plans/{plan}/explain", "explain-plan", tag, "One slot of a plan opened: demand, handling time, model, contract term, what a head is worth"), s.explain)
	huma.Register(s.api, operation(http.MethodGet, "/v1/plans/{plan}/explain/picture", "draw-slot", tag, "One slot as a picture (SVG): service against heads, and its day", picture), s.drawSlot)
	huma.Register(s.api, operation(http.MethodGet, "/v1/plans/{plan}/picture", "draw-plan", tag, "One plan as a picture (SVG): heads over demand, cost and risk", picture, long), s.drawPlan)
	huma.Register(s.api, operation(http.MethodGet, "/v1/scenarios", "list-scenarios", tag, "What-if scenarios, newest first, without their plans"), s.scenarios)
	huma.Register(s.api, operation(http.MethodPost, "/v1/scenarios", "make-scenario", tag, "Staff the days under other assumptions and keep the result with its price",
		describe("Nobody works by a scenario until it is promoted, and nothing changes it."), status(http.StatusCreated), long, repeatable), s.makeScenario)
	huma.Register(s.api, operation(http.MethodGet, "/v1/scenarios/{scenario}", "get-scenario", tag, "One scenario with its plans, by id or name"), s.scenario)
	huma.Register(s.api, operation(http.MethodDelete, "/v1/scenarios/{scenario}", "delete-scenario", tag, "Take a scenario away that was not promoted", status(http.StatusNoContent)), s.deleteScenario)
	huma.Register(s.api, operation(http.MethodGet, "/v1/scenarios/{scenario}/diff", "diff-scenarios", tag, "Another scenario against this one: heads, cost and risk by queue and day"), s.diffScenarios)
	huma.Register(s.api, operation(http.MethodGet, "/v1/scenarios/{scenario}/picture", "draw-scenario", tag, "One scenario as a picture (SVG): heads over demand, cost and risk", picture, long), s.drawScenario)
	huma.Register(s.api, operation(http.MethodPost, "/v1/scenarios/{scenario}/promote", "promote-scenario", tag, "Make the plans of a scenario the ones in force",
		describe("Once. Where newer plans cover days of it, a reason is needed, which the audit trail keeps."), repeatable), s.promoteScenario)
}

type explainInput struct {
	PlanPath
	At time.Time `query:"at" required:"true" doc:"any instant of the slot, RFC 3339"`
}

func (in explainInput) question() pricing.ExplainInput {
	return pricing.ExplainInput{Plan: ids.Plan(in.Plan), At: in.At}
}

func (s *Server) explain(ctx context.Context, in *explainInput) (*one[pricing.Explanation], error) {
	e, err := s.deps.Ops.Pricing.Explain(ctx, whoOf(ctx), in.question())
	if err != nil {
		return nil, err
	}
	return &one[pricing.Explanation]{Body: e}, nil
}

// drawn is the answer with a picture.
func drawn(svg []byte, err error) (*drawing, error) {
	if err != nil {
		return nil, err
	}
	return &drawing{ContentType: pictureType, Body: svg}, nil
}

func (s *Server) drawSlot(ctx context.Context, in *explainInput) (*drawing, error) {
	return drawn(s.deps.Ops.Pricing.DrawSlot(ctx, whoOf(ctx), in.question()))
}

func (s *Server) drawPlan(ctx context.Context, in *PlanPath) (*drawing, error) {
	return drawn(s.deps.Ops.Pricing.DrawPlan(ctx, whoOf(ctx), ids.Plan(in.Plan)))
}

func (s *Server) scenarios(ctx context.Context, in *struct{ Paging }) (*list[pricing.Scenario], error) {
	items, next, err := s.deps.Ops.Pricing.Scenarios(ctx, whoOf(ctx), in.page())
	return paged(ctx, items, next, err)
}

// StaffAssumed is what plans and scenarios may say about people and tickets.
type StaffAssumed struct {
	Shrinkage float64         `json:"shrinkage,omitempty" doc:"share of paid time away from the queue, instead of the causes"`
	People    *pricing.People `json:"people,omitempty" doc:"how heads become paid people, by cause; what is not given is taken from what is known, else assumed"`
	Tickets   *ticketsBody    `json:"tickets,omitempty" doc:"after-sales tickets beside live contacts"`
	Seats     string          `json:"seats,omitempty" enum:"dedicated,all,none" doc:"which seats of contracts are a floor of their queue; dedicated unless given"`
}

type ticketsBody struct {
	Off        bool    `json:"off,omitempty" doc:"no tickets in the plan"`
	HandleTime period  `json:"aht,omitempty" doc:"work in a ticket; 6m unless given"`
	Due        period  `json:"due,omitempty" doc:"from opened to due; as measured unless given, else 24h"`
	UsableIdle float64 `json:"usable_idle,omitempty" doc:"share of live agents' idle time that tickets can use; 0.5 unless given"`
}

func (b *ticketsBody) options() *pricing.TicketOptions {
	if b == nil {
		return nil
	}
	return &pricing.TicketOptions{Off: b.Off, HandleTime: b.HandleTime.d, Due: b.Due.d, UsableIdle: b.UsableIdle}
}

type scenarioInput struct {
	Body struct {
		Name         string        `json:"name" minLength:"1" maxLength:"64" doc:"unique; letters, digits and . _ - / : @"`
		Note         string        `json:"note,omitempty" maxLength:"2000"`
		Forecasts    []string      `json:"forecasts,omitempty" maxItems:"1000" doc:"empty: what was agreed with the client for the days, else the newest of each queue"`
		Merchant     string        `json:"merchant,omitempty" maxLength:"64"`
		Newest       bool          `json:"newest,omitempty" doc:"the newest forecast even on days that were agreed with the client"`
		From         calendar.Date `json:"from" doc:"first day"`
		Days         int           `json:"days" doc:"1 to 62"`
		Method       string        `json:"method,omitempty" maxLength:"20" doc:"each unless given: every queue for itself; pooled: agents share queues; margin: the largest expected margin"`
		Level        float64       `json:"level,omitempty" doc:"quantile to staff at; 0.9 unless given"`
		MinHeads     int           `json:"min_heads,omitempty" doc:"in every open slot; 1 unless given"`
		MaxHeads     int           `json:"max_heads,omitempty" doc:"seats; no ceiling unless given"`
		VolumeFactor float64       `json:"volume_factor,omitempty" doc:"contacts times this"`
		HandleFactor float64       `json:"aht_factor,omitempty" doc:"handle times times this"`
		TargetShare  float64       `json:"target_share,omitempty" doc:"share within the limit instead of the contracts'; with method margin what no slot may go below"`
		BasketYuan   float64       `json:"basket_yuan,omitempty" doc:"mean order of a buyer who asked; with conversion commission on sales is priced"`
		Conversion   float64       `json:"conversion,omitempty" doc:"share of answered buyers who buy, at reference_s"`
		ReferenceS   float64       `json:"reference_s,omitempty" doc:"mean first reply at which conversion was seen"`
		Elasticity   float64       `json:"elasticity,omitempty" doc:"per cent of conversion lost per per cent of first reply time"`
		LostContact  float64       `json:"lost_contact_yuan,omitempty" doc:"what a buyer who leaves unanswered costs beside the contract"`
		StaffAssumed
	}
}

func (s *Server) makeScenario(ctx context.Context, in *scenarioInput) (*one[pricing.Scenario], error) {
	b := in.Body
	made, err := s.deps.Ops.Pricing.MakeScenario(ctx, whoOf(ctx), pricing.ScenarioInput{
		Name: b.Name, Note: b.Note, PlanInput: pricing.PlanInput{
			Forecasts: typed[ids.Forecast](b.Forecasts), Merchant: ids.Merchant(b.Merchant), Newest: b.Newest, From: b.From, Days: b.Days,
			Options: pricing.Options{
				Method: pricing.Method(b.Method), Level: b.Level, Shrinkage: b.Shrinkage, MinHeads: b.MinHeads, MaxHeads: b.MaxHeads,
				VolumeFactor: b.VolumeFactor, HandleFactor: b.HandleFactor, TargetShare: b.TargetShare, People: b.People, Tickets: b.Tickets.options(), Seats: pricing.SeatRule(b.Seats),
				Sales: pricing.Sales{BasketYuan: b.BasketYuan, Conversion: b.Conversion, ReferenceS: b.ReferenceS, Elasticity: b.Elasticity, LostContactYuan: b.LostContact},
			},
		},
	})
	if err != nil {
		return nil, err
	}
	return &one[pricing.Scenario]{Body: made}, nil
}

// ScenarioPath is the address of a scenario.
type ScenarioPath struct {
	Scenario string `path:"scenario" maxLength:"64" doc:"id or name"`
}

func (s *Server) scenario(ctx context.Context, in *ScenarioPath) (*one[pricing.Scenario], error) {
	x, err := s.deps.Ops.Pricing.Scenario(ctx, whoOf(ctx), in.Scenario)
	if err != nil {
		return nil, err
	}
	return &one[pricing.Scenario]{Body: x}, nil
}

func (s *Server) deleteScenario(ctx context.Context, in *ScenarioPath) (*struct{}, error) {
	return nil, s.deps.Ops.Pricing.DeleteScenario(ctx, whoOf(ctx), in.Scenario)
}

type diffInput struct {
	ScenarioPath
	Other string `query:"other" required:"true" maxLength:"64" doc:"id or name; every change is this one minus that of the path"`
}

func (s *Server) diffScenarios(ctx context.Context, in *diffInput) (*one[pricing.ScenarioDiff], error) {
	d, err := s.deps.Ops.Pricing.DiffScenarios(ctx, whoOf(ctx), in.Scenario, in.Other)
	if err != nil {
		return nil, err
	}
	return &one[pricing.ScenarioDiff]{Body: d}, nil
}

func (s *Server) drawScenario(ctx context.Context, in *ScenarioPath) (*drawing, error) {
	return drawn(s.deps.Ops.Pricing.DrawScenario(ctx, whoOf(ctx), in.Scenario))
}

type promoteInput struct {
	ScenarioPath
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"2000" doc:"needed where newer plans cover days of the scenario"`
	}
}

func (s *Server) promoteScenario(ctx context.Context, in *promoteInput) (*one[pricing.Promoted], error) {
	done, err := s.deps.Ops.Pricing.PromoteScenario(ctx, whoOf(ctx), in.Scenario, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &one[pricing.Promoted]{Body: done}, nil
}
