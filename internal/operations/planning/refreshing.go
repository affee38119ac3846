package planning

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

const (
	// refreshHorizon is how far the nightly forecast looks: a roster is published two weeks ahead and
	// drafted two weeks before.
	refreshHorizon = 28 * 24 * time.Hour
	// judgedDays is how many days the nightly accuracy judges.
	judgedDays = 28
	// staleAfter is how old the end of a history may be for its drift to say anything about now.
	staleAfter = 3 * 24 * time.Hour
	// driftWindows is how many windows the drift test compares with: a year.
	driftWindows = 26

	alertDrift = "forecast-drift"
)

// RefreshForecasts lets all queues teach each other what sales events did, makes a new version of the
// forecast of every queue that has a history, and carries the adjustments in force over to it. A queue of which nothing new is known gets none. rows is how
// many versions were made. Then it deletes old ones that nobody needs.
func (p *Planning) RefreshForecasts(ctx context.Context, who access.Principal, due time.Time) (rows int64, err error) {
	if _, err := access.Decide(who, access.RunJobs); err != nil {
		return 0, err
	}
	if err := p.learnEvents(ctx, who); err != nil {
		return 0, err
	}
	made, err := p.makeForecasts(ctx, who, ForecastInput{Horizon: refreshHorizon, Carry: true}, true)
	if err != nil {
		return int64(len(made)), err
	}
	_, err = p.pruneForecasts(ctx, who, due)
	return int64(len(made)), err
}

// MeasureForecasts keeps how good the forecasts of the last four weeks were by lead time, and whether
// the forecast of each queue drifts. rows is how many queues were measured.
func (p *Planning) MeasureForecasts(ctx context.Context, who access.Principal, due time.Time) (rows int64, err error) {
	if _, err := access.Decide(who, access.RunJobs); err != nil {
		return 0, err
	}
	scope := access.Scope{Everything: true}
	view := p.gate.Everything()
	queues, _, err := p.queues(ctx, view, ForecastInput{})
	if err != nil {
		return 0, err
	}
	day := calendar.DateOf(due, p.gate.Zone)
	var all []store.ForecastAccuracy
	for _, q := range queues {
		measured, err := p.accuracy(ctx, scope, view, q, calendar.Dates{From: day.Add(-judgedDays), Until: day})
		if err != nil {
			return rows, err
		}
		if measured.Drift, err = p.drift(ctx, scope, view, q); err != nil {
			return rows, err
		}
		if len(measured.Slots) == 0 && len(measured.Days) == 0 && measured.Drift == nil {
			continue
		}
		measured.Date = day
		all = append(all, measured)
		rows++
	}
	err = p.gate.Store.Change(ctx, who, p.gate.Now(), func(tx *store.Tx) error {
		_, err := tx.PutForecastAccuracy(all)
		return err
	})
	return rows, err
}

// drift compares the day totals of the last two weeks with a year of earlier ones, all forecast from
// the evening before they began. nil when the history is too short or ends long ago.
func (p *Planning) drift(ctx context.Context, scope access.Scope, view *store.View, q store.Queue) (*forecast.Drift, error) {
	series, _, err := p.history(ctx, scope, q, 24*time.Hour, p.gate.Now())
	if err != nil {
		return nil, tolerable(err)
	}
	end := calendar.DateOf(series.End(), p.gate.Zone)
	if today := calendar.DateOf(p.gate.Now(), p.gate.Zone); today.Before(end) || today == end && series.End().After(p.gate.Now()) {
		end = today // the day that runs is not over
	}
	if p.gate.Now().Sub(end.In(p.gate.Zone)) > staleAfter+24*time.Hour {
		return nil, nil
	}
	events, err := p.eventsOf(ctx, view, q.ID)
	if err != nil {
		return nil, err
	}
	window := forecast.DriftDays
	first := end.Add(-window * (driftWindows + 1))
	for first.Before(series.First.Add(8 * 7)) {
		first = first.Add(window)
	}
	if !first.Add(window).Before(end.Add(1)) {
		return nil, nil
	}
	options, err := p.options(q, series, events, ForecastInput{Horizon: time.Duration(window) * 24 * time.Hour})
	if err != nil {
		return nil, err
	}
	if options.Exclude, err = p.excluded(ctx, q.ID); err != nil {
		return nil, err
	}
	replayed, err := forecast.Replay(ctx, series, options, forecast.Protocol{
		Horizon: options.Horizon, Step: options.Horizon, From: first.In(p.gate.Zone), To: end.In(p.gate.Zone),
	})
	if err != nil {
		return nil, tolerable(err)
	}
	var windows []forecast.Window
	for _, r := range replayed {
		if w, whole := forecast.NewWindow(options.Levels, r.Points, series); whole {
			windows = append(windows, w)
		}
	}
	if len(windows) == 0 {
		return nil, nil
	}
	last := len(windows) - 1
	found := forecast.FindDrift(windows[:last], windows[last])
	return &found, nil
}

// tolerable drops what only says that a queue cannot be replayed.
func tolerable(err error) error {
	if fault.KindOf(err) == fault.Invalid || fault.KindOf(err) == fault.NotFound {
		return nil
	}
	return err
}

// TellDrift raises an alert while the newest measurement of any queue found drift, and takes it back when
// none does. rows is how many queues drift.
func (p *Planning) TellDrift(ctx context.Context, who access.Principal, due time.Time) (rows int64, err error) {
	if _, err := access.Decide(who, access.RunJobs); err != nil {
		return 0, err
	}
	day := calendar.DateOf(due, p.gate.Zone)
	recent, err := store.All(func(page store.Page) ([]store.ForecastAccuracy, string, error) {
		return p.gate.Everything().ForecastAccuracies(ctx, store.AccuracyFilter{Dates: calendar.Dates{From: day.Add(-7)}}, page)
	})
	if err != nil {
		return 0, err
	}
	seen := map[ids.Queue]bool{}
	var texts []string
	for _, a := range recent { // newest day first
		if seen[a.Queue] {
			continue
		}
		seen[a.Queue] = true
		if a.Drift != nil && len(a.Drift.Findings) > 0 {
			texts = append(texts, fmt.Sprintf("%s: %s", a.Queue, a.Drift.Findings[0].Says))
		}
	}
	text := fmt.Sprintf("the forecasts of %d queues drift: %s", len(texts), strings.Join(texts[:min(len(texts), 5)], "; "))
	return int64(len(texts)), p.gate.Found(ctx, alertDrift, len(texts), text)
}
