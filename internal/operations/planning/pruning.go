package planning

import (
	"context"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
)

// keptNights is how long every version of a queue is kept. Accuracy judges up to a hundred days, of which it
// wants the versions of 56 days before.
const keptNights = 180

// pruneForecasts deletes versions that the system made more than keptNights days ago and that nobody
// needs. These stay for ever: what a person made, adjusted or agreed with a client, what a plan
// uses, the newest version of a queue, and of each queue the first version of each week, so that a day of any year
// can still be compared with a forecast from at most a week before. rows is how many were deleted.
func (p *Planning) pruneForecasts(ctx context.Context, who access.Principal, due time.Time) (rows int64, err error) {
	before := due.AddDate(0, 0, -keptNights)
	old, err := p.gate.Everything().UnusedForecasts(ctx, access.System("").User, before)
	if err != nil {
		return 0, err
	}
	gone := p.needless(old)
	if len(gone) == 0 {
		return 0, nil
	}
	planned, err := p.plannedWith(ctx, gone)
	if err != nil {
		return 0, err
	}
	byQueue, order := map[ids.Queue][]ids.Forecast{}, []ids.Queue{}
	for _, f := range gone {
		if planned[f.ID] {
			continue
		}
		if byQueue[f.Queue] == nil {
			order = append(order, f.Queue)
		}
		byQueue[f.Queue] = append(byQueue[f.Queue], f.ID)
	}
	for _, queue := range order {
		err := p.gate.Store.Change(ctx, who, p.gate.Now(), func(tx *store.Tx) error {
			n, err := tx.DropForecasts(queue, byQueue[queue])
			rows += n
			return err
		})
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// needless leaves out the first version of each week of a queue and its last one in the list, which may be
// the newest of all.
func (p *Planning) needless(old []store.ForecastRef) (gone []store.ForecastRef) {
	monday := func(at time.Time) calendar.Date {
		day := calendar.DateOf(at, p.gate.Zone)
		return day.Add(-((int(day.Weekday()) + 6) % 7))
	}
	for i, f := range old {
		first := i == 0 || old[i-1].Queue != f.Queue || monday(old[i-1].CreatedAt) != monday(f.CreatedAt)
		last := i == len(old)-1 || old[i+1].Queue != f.Queue
		if !first && !last {
			gone = append(gone, f)
		}
	}
	return gone
}

// plannedWith are those of some forecasts that a plan is made of.
func (p *Planning) plannedWith(ctx context.Context, list []store.ForecastRef) (map[ids.Forecast]bool, error) {
	span := list[0].Range
	for _, f := range list {
		if f.Range.Start.Before(span.Start) {
			span.Start = f.Range.Start
		}
		if f.Range.End.After(span.End) {
			span.End = f.Range.End
		}
	}
	used := map[ids.Forecast]bool{}
	for cursor := ""; ; {
		plans, next, err := p.gate.Everything().Plans(ctx, store.ForecastFilter{Range: span}, store.Page{Cursor: cursor})
		if err != nil {
			return nil, err
		}
		for _, plan := range plans {
			for _, id := range gate.PlanForecasts(plan) {
				used[id] = true
			}
		}
		if cursor = next; next == "" {
			return used, p.whatIf(ctx, used)
		}
	}
}

// whatIf adds the forecasts that what-if scenarios are made of: they may still be promoted.
func (p *Planning) whatIf(ctx context.Context, used map[ids.Forecast]bool) error {
	view := p.gate.Everything()
	all, err := store.All(func(page store.Page) ([]store.Scenario, string, error) { return view.Scenarios(ctx, page) })
	if err != nil {
		return err
	}
	for _, s := range all {
		if s, err = view.Scenario(ctx, string(s.ID)); err != nil {
			return err
		}
		for _, plan := range s.Plans {
			for _, id := range gate.PlanForecasts(plan) {
				used[id] = true
			}
		}
	}
	return nil
}
