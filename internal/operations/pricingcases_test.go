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
	}
}
