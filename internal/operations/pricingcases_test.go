package operations_test

import (
	"context"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/pricing"
	"github.com/chaoban/chaoban/internal/store"
)

func pricingCases() map[string]useCase {
	const read, write = "APS", "APS"
	type who = access.Principal
	ofPlan := func(f store.Plan) owner { return owner{merchant: f.Merchant} }
	return map[string]useCase{
		"Pricing.MakePlans": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Pricing.MakePlans(ctx, p, pricing.PlanInput{}))
		}},
		"Pricing.Plans": {read, "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Pricing.Plans(ctx, p, operations.ForecastFilter{}, operations.Page{})
			return list(rows, next, err, ofPlan)
		}},
		"Pricing.Plan": {read, "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return each(func(id ids.Plan) (store.Plan, error) { return w.Pricing.Plan(ctx, p, id) }, ofPlan, "p-lumi", "p-orca")
		}},
		"Pricing.Explain": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Pricing.Explain(ctx, p, pricing.ExplainInput{Plan: "p-lumi"}))
		}},
		"Pricing.DrawPlan": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Pricing.DrawPlan(ctx, p, "nothing"))
		}},
		"Pricing.DrawSlot": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Pricing.DrawSlot(ctx, p, pricing.ExplainInput{Plan: "nothing"}))
		}},
		"Pricing.MakeScenario": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Pricing.MakeScenario(ctx, p, pricing.ScenarioInput{}))
		}},
		// A scenario may be about both merchants, so no client ever sees one.
		"Pricing.Scenarios": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Pricing.Scenarios(ctx, p, operations.Page{})
			return list(rows, next, err, nobody)
		}},
		"Pricing.Scenario": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Pricing.Scenario(ctx, p, "nothing"))
		}},
		"Pricing.DiffScenarios": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Pricing.DiffScenarios(ctx, p, "nothing", "nothing"))
		}},
		"Pricing.DrawScenario": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Pricing.DrawScenario(ctx, p, "nothing"))
		}},
		"Pricing.PromoteScenario": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Pricing.PromoteScenario(ctx, p, "nothing", ""))
		}},
		"Pricing.DeleteScenario": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return nil, w.Pricing.DeleteScenario(ctx, p, "nothing")
		}},
	}
}
