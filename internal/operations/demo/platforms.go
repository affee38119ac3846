package demo

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/chatlog/platformfile"
	"github.com/chaoban/chaoban/kpi/reconcile"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// gaps are the shops whose platform's daily files the demo has, each with the day of the month on
// which the platform counted more than we did: somebody forgot to import a part of that day's log.
var gaps = map[ids.Shop]int{"lumi-tmall": 18, "xingchi-jd": 24}

// What the platform counted on the day of a gap, as a multiple of ours: more buyers, who waited
// longer, and a smaller share of them in time.
const (
	gapCounts  = 1.07
	gapSeconds = 1.2
	gapShares  = 0.96
)

// loadPlatformFigures writes the daily files of two shops as their platforms would export them: our
// own figures, rounded as the platform's format rounds, but for the day of the gap. Roll-ups must be
// up to date.
func (w *world) loadPlatformFigures(ctx context.Context, ops *operations.Operations, who access.Principal) error {
	definitions, err := ops.Measuring.Metrics(ctx, who)
	if err != nil {
		return err
	}
	for _, shop := range w.shops {
		gap, has := gaps[shop.ID]
		if !has {
			continue
		}
		var rows []chatlog.DailyFigure
		for _, p := range reconcile.Pairs() {
			column, in := columnOf(p)
			known := slices.ContainsFunc(definitions, func(d kpi.Definition) bool { return d.Metric == p.Metric })
			if p.Platform != string(shop.Platform) || p.Differs != "" || !in || !known {
				continue
			}
			readings, err := ops.Measuring.Figures(ctx, who, kpi.Query{
				Metrics: []kpi.Metric{p.Metric}, Within: p.Within, Grain: kpi.Day, Shops: []ids.Shop{shop.ID},
				By: []kpi.Dimension{kpi.ByMerchant}, Range: w.month.Range(w.zone),
			})
			if err != nil {
				return err
			}
			rows = append(rows, w.asExported(p, column, shop.ID, gap, readings)...)
		}
		if err := ops.Measuring.Ingest(ctx, who, warehouse.Batch{ID: ids.Batch(fmt.Sprintf("demo-platform-%s-%s", shop.ID, w.month)), Figures: rows}); err != nil {
			return err
		}
	}
	return nil
}

// columnOf is the column of a platform's files that holds an item.
func columnOf(p reconcile.Pair) (platformfile.Column, bool) {
	for _, f := range platformfile.Formats() {
		i := slices.IndexFunc(f.Columns, func(c platformfile.Column) bool { return c.Item == p.Item })
		if f.Platform == p.Platform && i >= 0 && len(f.Account) == 0 {
			return f.Columns[i], true
		}
	}
	return platformfile.Column{}, false
}

// asExported are the cells of a column in files that were downloaded on the day after the month.
func (w *world) asExported(p reconcile.Pair, c platformfile.Column, shop ids.Shop, gap int, ours []kpi.Reading) []chatlog.DailyFigure {
	var rows []chatlog.DailyFigure
	for _, r := range ours {
		if r.Value == nil {
			continue
		}
		date, value := calendar.DateOf(r.Start, w.zone), *r.Value
		if date.Day == gap {
			value *= map[string]float64{platformfile.Count: gapCounts, platformfile.Yuan: gapCounts, platformfile.Seconds: gapSeconds, platformfile.Share: gapShares, platformfile.Ratio: 1}[c.Unit]
		}
		step := p.Step
		if step == 0 {
			step = 1
		}
		rows = append(rows, chatlog.DailyFigure{
			Platform: p.Platform, Merchant: r.Merchant, Shop: shop, Date: date.String(), Item: c.Item, Header: c.Header, Unit: c.Unit, Base: c.Base,
			Value: math.Round(value/step) * step, Closed: date.Add(c.CloseDays).Before(w.month.Next().First()),
		})
	}
	return rows
}

// swapped is when the first two agents of each shop exchanged their accounts.
func (w *world) swapped() time.Time { return w.month.First().Add(15).In(w.zone) }

// accounts are the platforms' sub-accounts (子账号) of every agent of every shop. In the middle of the
// month the first two of each shop exchange theirs: an account is not a person.
func (w *world) accounts() []chatlog.Assignment {
	since := calendar.MakeDate(2026, time.January, 1).In(w.zone)
	var out []chatlog.Assignment
	for _, s := range w.shops {
		first := len(out)
		for _, a := range w.agents {
			served := slices.ContainsFunc(s.Queues, func(q contracts.Queue) bool { _, ok := a.SkillAt(q.ID, w.month.First()); return ok })
			if served {
				out = append(out, chatlog.Assignment{
					Platform: string(s.Platform), Shop: s.ID, Account: fmt.Sprintf("%s:客服%02d", s.Name, len(out)-first+1), Agent: a.ID, From: since,
				})
			}
		}
		for i := range 2 {
			after := out[first+i]
			out[first+i].Until = w.swapped()
			after.Agent, after.From = out[first+1-i].Agent, w.swapped()
			out = append(out, after)
		}
	}
	return out
}
