package operations_test

import (
	"context"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// demandCases are the use cases about what forecasts learn from and what follows orders.
func demandCases() map[string]useCase {
	const read, write = "APS", "APS"
	type who = access.Principal
	return map[string]useCase{
		"Planning.Findings": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Planning.Findings(ctx, p, planning.FindingsInput{Queue: "lumi-tmall/pre"}))
		}},
		"Planning.Exclusions": {read, "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, err := w.Planning.Exclusions(ctx, p, "", true)
			return owned(rows, func(x planning.Exclusion) owner {
				if x.Queue == "orca-jd/pre" {
					return owner{merchant: "orca"}
				}
				return owner{merchant: "lumi"}
			}), err
		}},
		"Planning.Exclude": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Planning.Exclude(ctx, p, "lumi-tmall/pre", forecast.Exclusion{}))
		}},
		"Planning.WithdrawExclusion": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Planning.WithdrawExclusion(ctx, p, "none", "reason"))
		}},
		"Planning.AfterSales": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Planning.AfterSales(ctx, p, planning.AfterSalesInput{Merchant: "lumi"}))
		}},
	}
}

// plantExclusions gives both merchants an exclusion.
func plantExclusions(tx *store.Tx) error {
	for _, queue := range []string{"lumi-tmall/pre", "orca-jd/pre"} {
		text := `[{"id":"x-` + queue + `","queue":"` + queue + `","from":"2026-05-03T01:00:00Z","to":"2026-05-03T02:00:00Z","reason":"test"}]`
		if _, err := tx.PutSetting("exclusions/"+queue, []byte(text), store.NewOnly); err != nil {
			return err
		}
	}
	return nil
}
