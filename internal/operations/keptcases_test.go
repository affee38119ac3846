package operations_test

import (
	"context"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/internal/operations/settling"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/reconcile"
)

// keptCases are the rows of what is kept about figures: scores, conversions, comparisons, retention,
// and how jobs stand.
func keptCases() map[string]useCase {
	const jobs, freeze, retention = "AP", "AP", "A"
	type who = access.Principal
	longAgo := at("2020-01-02", "00:00:00")
	return map[string]useCase{
		"Operations.Collectors": {},
		"Operations.JobState": {"APS", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.JobState(ctx, p, "nightly"))
		}},
		"Operations.Alerts": {"APS", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Alerts(ctx, p, "", operations.Page{})
			return list(rows, next, err, nobody)
		}},
		"Measuring.VerifyRollups": {jobs, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Measuring.VerifyRollups(ctx, p, w.Clock))
		}},
		"Measuring.CloseConversions": {jobs, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Measuring.CloseConversions(ctx, p, longAgo))
		}},
		"Measuring.ReconcileAll": {jobs, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Measuring.ReconcileAll(ctx, p, w.Clock))
		}},
		"Settling.FreezeDue": {jobs, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Settling.FreezeDue(ctx, p, longAgo))
		}},
		"Measuring.Conversions": {"APSQC", "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Measuring.Conversions(ctx, p, operations.ConversionFilter{}, operations.Page{})
			return list(rows, next, err, func(c store.Conversion) owner { return owner{merchant: c.Merchant} })
		}},
		"Measuring.Reconciliations": {"APSQC", "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Measuring.Reconciliations(ctx, p, operations.ReconciliationFilter{}, operations.Page{})
			return list(rows, next, err, func(c store.Reconciliation) owner { return owner{merchant: c.Merchant} })
		}},
		"Measuring.Reconcile": {"APSQC", "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			r, err := w.Measuring.Reconcile(ctx, p, measuring.ReconcileInput{Dates: calendar.Dates{From: may.First(), Until: may.First().Add(3)}})
			return owned(r.Lines, func(l reconcile.Line) owner { return owner{merchant: l.Merchant} }), err
		}},
		"Measuring.ReconciliationWorkbook": {}, // takes a value that its owner was handed before
		"Settling.MonthlyScorecards": {"APSQG", "agents", func(ctx context.Context, w *world, p who) ([]owner, error) {
			cards, err := w.Settling.MonthlyScorecards(ctx, p, settling.MonthCardInput{Month: may})
			return owned(cards.Cards, func(c settling.MonthCard) owner { return owner{agent: c.Agent} }), err
		}},
		"Settling.Freezes": {"APSQG", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Settling.Freezes(ctx, p, operations.Page{})
			return list(rows, next, err, nobody)
		}},
		"Settling.FreezeScorecards": {freeze, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Settling.FreezeScorecards(ctx, p, settling.FreezeInput{Month: calendar.Month{Year: 2099, Month: 1}}))
		}},
		"Settling.AmendScorecard": {freeze, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Settling.AmendScorecard(ctx, p, settling.AmendInput{}))
		}},
		"Measuring.PreviewRetention": {retention, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Measuring.PreviewRetention(ctx, p))
		}},
		"Measuring.HoldRetention": {retention, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			_, err := w.Measuring.HoldRetention(ctx, p, measuring.HoldInput{})
			return nil, err
		}},
		"Measuring.ReleaseRetention": {retention, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			_, err := w.Measuring.ReleaseRetention(ctx, p, measuring.HoldInput{Merchant: "lumi", Reason: "x"})
			return nil, err
		}},
		"Measuring.Holds": {retention, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Measuring.Holds(ctx, p))
		}},
		"Measuring.Deletions": {retention, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Measuring.Deletions(ctx, p))
		}},
	}
}

// plantKept gives each merchant a conversion figure and a comparison.
func plantKept(tx *store.Tx) error {
	for _, m := range lumiAndOrca {
		shop := map[ids.Merchant]string{"lumi": "lumi-tmall", "orca": "orca-jd"}[m]
		c := store.Conversion{Merchant: m, Metric: "tmall.inquiry_conversion_final", Version: "v1", State: store.Final, Date: may.First(), AsOf: may.First().Add(4), Denominator: 1}
		c.Shop = ids.Shop(shop)
		if err := tx.AddConversions([]store.Conversion{c}); err != nil {
			return err
		}
		if _, err := tx.PutReconciliations([]store.Reconciliation{{Merchant: m, Shop: ids.Shop(shop), Platform: "tmall", Date: may.First()}}); err != nil {
			return err
		}
	}
	return nil
}
