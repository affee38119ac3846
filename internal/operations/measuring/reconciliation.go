package measuring

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/exports/workbook"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/reconcile"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// Limits of a reconciliation: one question's days, and how far back the daily job looks, because
// platforms' files arrive late and roll over 30 days.
const (
	reconcileLimit = 92
	reconcileBack  = 35
)

// ReconcileInput says which shops and days to hold against the platforms' files.
type ReconcileInput struct {
	Merchant ids.Merchant // empty = all in scope
	Shops    []ids.Shop   // empty = all of the merchant
	Dates    calendar.Dates
}

func (in ReconcileInput) validate() error {
	days := in.Dates.Until.Sub(in.Dates.From)
	if in.Dates.From.IsZero() || in.Dates.Until.IsZero() || days < 1 || days > reconcileLimit {
		return fault.Bad("reconcile.input", "reconciliation", []fault.Field{{
			Path: "dates", Value: in.Dates.From.String() + " to " + in.Dates.Until.String(), Problem: fmt.Sprintf("must be 1 to %d days", reconcileLimit),
		}})
	}
	return nil
}

// Reconcile puts what the platforms say about shops and days beside our own figures from raw
// events, under the definition in force on each day: difference, relative difference and a verdict
// per item. Whoever may see the figures of a merchant may see where the platform disagrees.
func (m *Measuring) Reconcile(ctx context.Context, who access.Principal, in ReconcileInput) (exports.Reconciliation, error) {
	view, scope, err := m.gate.Read(who, access.ReadKPI)
	if err != nil {
		return exports.Reconciliation{}, err
	}
	if err := in.validate(); err != nil {
		return exports.Reconciliation{}, err
	}
	shops, err := shopsOf(ctx, view, in)
	if err != nil {
		return exports.Reconciliation{}, err
	}
	out := exports.Reconciliation{
		Dates: in.Dates, TimeZone: m.gate.Zone.String(), GeneratedAt: m.gate.Now().UTC().Truncate(time.Second), Tolerance: m.policy.Tolerance,
		Lines: []reconcile.Line{}, Days: []reconcile.Summary{},
	}
	for _, s := range shops {
		out.Shops = append(out.Shops, exports.ReconciledShop{Shop: s.ID, Merchant: s.Merchant, Name: s.Name, Platform: string(s.Platform)})
	}
	if len(shops) == 0 {
		return out, nil
	}
	if out.Lines, err = m.reconciled(ctx, m.gate.Measured(scope), shops, in.Dates); err != nil {
		return exports.Reconciliation{}, err
	}
	out.Days = reconcile.Summarize(out.Lines, out.Tolerance)
	seen := map[string]bool{}
	for _, l := range out.Lines {
		if d, err := m.gate.Definitions.Version(l.Metric, l.Version); err == nil && !seen[d.Key()] {
			seen[d.Key()] = true
			out.Definitions = append(out.Definitions, d)
		}
	}
	return out, nil
}

// ReconciliationWorkbook is the Excel form of a reconciliation.
func (m *Measuring) ReconciliationWorkbook(r exports.Reconciliation) ([]byte, error) {
	var out bytes.Buffer
	if err := workbook.Reconciliation(&out, r); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// shopsOf are the shops asked for, by id; a named one that does not exist is refused.
func shopsOf(ctx context.Context, view *store.View, in ReconcileInput) ([]store.Shop, error) {
	if in.Merchant != "" {
		if _, err := view.Merchant(ctx, in.Merchant); err != nil {
			return nil, err
		}
	}
	all, err := store.All(func(p store.Page) ([]store.Shop, string, error) { return view.Shops(ctx, in.Merchant, p) })
	if err != nil || len(in.Shops) == 0 {
		return all, err
	}
	var out []store.Shop
	for _, id := range in.Shops {
		i := slices.IndexFunc(all, func(s store.Shop) bool { return s.ID == id })
		if i < 0 {
			return nil, fault.New(fault.NotFound, store.ErrNotFound.Code, "there is no shop %q", fault.Shorten(string(id)))
		}
		out = append(out, all[i])
	}
	return out, nil
}

// reconciled compares both sides of some shops.
func (m *Measuring) reconciled(ctx context.Context, reader warehouse.Reader, shops []store.Shop, days calendar.Dates) ([]reconcile.Line, error) {
	var wanted []ids.Shop
	platforms := map[ids.Shop]string{}
	for _, s := range shops {
		wanted = append(wanted, s.ID)
		platforms[s.ID] = string(s.Platform)
	}
	figures, err := reader.PlatformFigures(ctx, warehouse.FigureFilter{Dates: days, Shops: wanted, Accounts: []string{""}})
	if err != nil {
		return nil, err
	}
	var own []reconcile.Own
	for _, platform := range filePlatforms(shops) {
		some := slices.DeleteFunc(slices.Clone(wanted), func(id ids.Shop) bool { return reconcile.FilesOf(platforms[id]) != platform })
		part, err := m.ownFigures(ctx, reader, platform, some, days)
		if err != nil {
			return nil, err
		}
		own = append(own, part...)
	}
	return reconcile.Compare(reconcile.Pairs(), figures, own, m.gate.Definitions, platforms)
}

// filePlatforms are the platforms whose files the shops get, each once.
func filePlatforms(shops []store.Shop) (out []string) {
	for _, s := range shops {
		if p := reconcile.FilesOf(string(s.Platform)); !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// ownFigures asks for what stands beside a platform's columns, each metric under the version in
// force on each day.
func (m *Measuring) ownFigures(ctx context.Context, reader warehouse.Reader, platform string, shops []ids.Shop, days calendar.Dates) ([]reconcile.Own, error) {
	within := map[kpi.Metric]time.Duration{}
	for _, p := range reconcile.Pairs() {
		if p.Platform == platform {
			within[p.Metric] = p.Within
		}
	}
	var out []reconcile.Own
	for _, d := range m.gate.Definitions {
		limit, paired := within[d.Metric]
		span, some := inForce(d, days)
		if !paired || !some {
			continue
		}
		readings, err := reader.Query(ctx, kpi.Query{
			Metrics: []kpi.Metric{d.Metric}, Version: d.Version, Within: limit, By: []kpi.Dimension{kpi.ByMerchant, kpi.ByShop}, Grain: kpi.Day, Shops: shops,
			Range: calendar.Range{Start: span.From.In(m.gate.Zone), End: span.Until.In(m.gate.Zone)},
		})
		if err != nil {
			return nil, err
		}
		for _, r := range readings {
			if r.Shop != "" {
				out = append(out, reconcile.Own{Date: calendar.DateOf(r.Start, m.gate.Zone), Reading: r})
			}
		}
	}
	return out, nil
}

// ReconcileAll compares the last days of every shop of which a platform's file was imported, keeps
// the counts, and raises an alert while a closed figure differs by more than Config.Tolerance or nothing was
// imported of a day. Days
// without a platform's figure are left out. rows is how many items were compared.
func (m *Measuring) ReconcileAll(ctx context.Context, who access.Principal, due time.Time) (rows int64, err error) {
	reader, err := m.gate.Figures(who, access.RunJobs)
	if err != nil {
		return 0, err
	}
	today := calendar.DateOf(due, m.gate.Zone)
	days := calendar.Dates{From: today.Add(-reconcileBack), Until: today}
	figures, err := reader.PlatformFigures(ctx, warehouse.FigureFilter{Dates: days, Accounts: []string{""}})
	if err != nil {
		return 0, err
	}
	shops, err := m.shopsWith(ctx, figures)
	if err != nil || len(shops) == 0 {
		return 0, err
	}
	lines, err := m.reconciled(ctx, reader, shops, days)
	if err != nil {
		return 0, err
	}
	var kept []store.Reconciliation
	beyond, worst := 0, store.Reconciliation{}
	var missing []string // days that were not imported
	for _, s := range reconcile.Summarize(ofKnownDays(lines, figures), m.policy.Tolerance) {
		rows += int64(s.Compared)
		r := store.Reconciliation{
			Merchant: s.Merchant, Shop: s.Shop, Platform: s.Platform, Date: s.Date, Closed: s.Closed, Compared: s.Compared, Equal: s.Equal,
			Different: s.Different, Beyond: s.Beyond, Missing: s.Missing, Worst: s.Worst, WorstItem: s.WorstItem,
		}
		kept = append(kept, r)
		if s.NotImported() {
			missing = append(missing, fmt.Sprintf("%s of %s", s.Date, s.Shop))
		}
		if beyond += s.Beyond; s.Beyond > 0 && s.Worst > worst.Worst {
			worst = r
		}
	}
	err = m.gate.Store.Change(ctx, who, m.gate.Now(), func(tx *store.Tx) error {
		_, err := tx.PutReconciliations(kept)
		return err
	})
	if err != nil {
		return rows, err
	}
	text := fmt.Sprintf("%d closed figures differ from the platform's by more than %.2f %%; worst: %s of %s on %s, by %.1f %%",
		beyond, 100*m.policy.Tolerance, worst.WorstItem, worst.Shop, worst.Date, 100*worst.Worst)
	if len(missing) > 0 {
		unseen := fmt.Sprintf("nothing was imported of %d days that the platform has figures of: %s", len(missing), strings.Join(missing[:min(len(missing), 5)], ", "))
		if text = text + "; " + unseen; beyond == 0 {
			text = unseen
		}
	}
	return rows, m.gate.Found(ctx, alertReconciliation, beyond+len(missing), text)
}

// shopsWith are the known shops that figures are about.
func (m *Measuring) shopsWith(ctx context.Context, figures []chatlog.DailyFigure) ([]store.Shop, error) {
	named := map[ids.Shop]bool{}
	for _, f := range figures {
		named[f.Shop] = true
	}
	all, err := store.All(func(p store.Page) ([]store.Shop, string, error) { return m.gate.Everything().Shops(ctx, "", p) })
	return slices.DeleteFunc(all, func(s store.Shop) bool { return !named[s.ID] }), err
}

// ofKnownDays keeps the lines of shops and days that a platform says anything about.
func ofKnownDays(lines []reconcile.Line, figures []chatlog.DailyFigure) []reconcile.Line {
	type key struct {
		shop ids.Shop
		date string
	}
	known := map[key]bool{}
	for _, f := range figures {
		known[key{f.Shop, f.Date}] = true
	}
	return slices.DeleteFunc(lines, func(l reconcile.Line) bool { return !known[key{l.Shop, l.Date.String()}] })
}

// Reconciliations lists how the days compared when the daily job compared them last, newest first.
func (m *Measuring) Reconciliations(ctx context.Context, who access.Principal, f store.ReconciliationFilter, p store.Page) ([]store.Reconciliation, string, error) {
	view, scope, err := m.gate.Read(who, access.ReadKPI)
	if err != nil {
		return nil, "", err
	}
	if err := m.gate.Named(ctx, scope, gate.Names{Merchants: gate.One(f.Merchant), Shops: gate.One(f.Shop)}); err != nil {
		return nil, "", err
	}
	return view.Reconciliations(ctx, f, p)
}
