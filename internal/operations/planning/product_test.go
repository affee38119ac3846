package planning_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/internal/operations/pricing"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// came imports what came on some days: the usual demand times a factor.
func (s *stack) came(t *testing.T, from, until calendar.Date, factor float64) {
	t.Helper()
	var text strings.Builder
	text.WriteString("merchant,queue,start,slot,offered,handle_time\n")
	for slot := range (calendar.Range{Start: from.In(shanghai), End: until.In(shanghai)}).Slots(calendar.Slot) {
		if n := demandAt(slot.Start); n > 0 {
			fmt.Fprintf(&text, "lumi,lumi-tmall/pre,%s,15m,%g,150\n", slot.Start.In(shanghai).Format("2006-01-02 15:04"), n*factor)
		}
	}
	_, err := s.Measuring.Import(t.Context(), planner, measuring.ImportInput{
		Source: operationstest.FileOf(from.String()+".csv", text.String()), Mapping: operations.DefaultMapping(operations.ImportHistory),
	})
	ok(t, err)
}

// dayTotal is what comes on a day as usual: 9 hours of 12 or 6 a quarter, twice that for three hours.
func dayTotal(d calendar.Date) float64 {
	if w := d.Weekday(); w == time.Saturday || w == time.Sunday {
		return 9 * 4 * 6
	}
	return 6*4*12 + 3*4*24
}

func days(from calendar.Date, n int) calendar.Dates {
	return calendar.Dates{From: from, Until: from.Add(n)}
}

// A forecast is made, adjusted, agreed, compared with the client's and with what came, and the
// nightly jobs carry on from there.
func TestForecastAsAProduct(t *testing.T) {
	t.Parallel()
	s := planningStack(t)
	ctx, p := t.Context(), s.Planning
	spot := forecast.Phase{Kind: "spot", Start: today.Add(2).In(shanghai).UTC(), End: today.Add(3).In(shanghai).UTC()}
	event := promotion("tmall", "live", "2026-06-11", "2026-06-14")
	event.Phases = []forecast.Phase{spot}
	// The same live stream two weeks before changed nothing, so nothing is expected of this one.
	ok(t, second(p.PutPromotions(ctx, planner, []planning.Promotion{promotion("tmall", "live", "2026-05-28", "2026-05-31"), event})))
	made, err := p.MakeForecasts(ctx, planner, planning.ForecastInput{Queues: []ids.Queue{pre}, Origin: today.In(shanghai), Horizon: 7 * 24 * time.Hour})
	ok(t, err)
	f := made[0]

	// Adjust: 50 % more in the spot phase, 100 contacts more over two other days, and one taken back.
	adjust := func(in planning.AdjustInput) (planning.Adjustment, error) {
		in.Forecast = f.ID
		return p.Adjust(ctx, planner, in)
	}
	up, err := adjust(planning.AdjustInput{Kind: forecast.LayerPercent, Amount: 50, Target: forecast.Target{Family: "live", Phase: "spot"}, Reason: "直播加场"})
	ok(t, err)
	assert.Equal(t, 36, up.Step.Slots)
	assert.InEpsilon(t, 1.5*up.Step.Before, up.Step.After, 1e-9)
	assert.InEpsilon(t, up.Model+up.Step.After-up.Step.Before, up.Contacts, 1e-9)
	more, err := adjust(planning.AdjustInput{Kind: forecast.LayerAbsolute, Amount: 100, Target: forecast.Target{Days: days(today.Add(4), 2)}, Reason: "满减"})
	ok(t, err)
	gone, err := adjust(planning.AdjustInput{Kind: forecast.LayerSet, Amount: 0, Target: forecast.Target{Days: days(today.Add(6), 1)}, Reason: "停业"})
	ok(t, err)
	back, err := p.Withdraw(ctx, planner, gone.Layer.ID, "照常营业")
	ok(t, err)
	assert.InEpsilon(t, more.Contacts, back.Contacts, 1e-9)
	_, err = p.Withdraw(ctx, planner, gone.Layer.ID, "again")
	assert.Equal(t, fault.Conflict, fault.KindOf(err))
	assert.Equal(t, "target", refused(t, second(adjust(planning.AdjustInput{Kind: forecast.LayerSet, Target: forecast.Target{Days: days(today.Add(60), 1)}, Reason: "x"})), "forecast.layer").Fields[0].Path)
	assert.Equal(t, "target.family", refused(t, second(adjust(planning.AdjustInput{Kind: forecast.LayerSet, Target: forecast.Target{Family: "618"}, Reason: "x"})), "forecast.layer").Fields[0].Path)
	// An amount for more days than the forecast covers would land on the covered ones; a percentage means the same everywhere.
	for _, kind := range []forecast.LayerKind{forecast.LayerAbsolute, forecast.LayerSet} {
		e := refused(t, second(adjust(planning.AdjustInput{Kind: kind, Amount: 700, Target: forecast.Target{Days: days(today.Add(6), 10)}, Reason: "x"})), "forecast.layer")
		assert.Equal(t, "target.days", e.Fields[0].Path)
		assert.Contains(t, e.Fields[0].Problem, today.Add(7).String()+" to "+today.Add(15).String()+" is missing")
	}
	_ = refused(t, second(p.Adjust(ctx, operationstest.Quality, planning.AdjustInput{Forecast: f.ID})), "access.forbidden")

	on, err := p.Adjusted(ctx, supervisor, f.ID)
	ok(t, err)
	require.Len(t, on.Layers, 3, "what is withdrawn stays on record; what was refused leaves nothing")
	assert.InEpsilon(t, 1.5*dayTotal(today.Add(2)), on.Days[2].Mean, 0.02)
	again, err := p.Forecast(ctx, planner, f.ID)
	ok(t, err)
	assert.InEpsilon(t, dayTotal(today.Add(2)), sumOn(again.Curve.Points, today.Add(2)), 0.02, "and stays as it was")

	// Plans staff what was adjusted and say so.
	plans, err := s.Pricing.MakePlans(ctx, planner, pricing.PlanInput{From: today, Days: 7, Options: pricing.Options{Level: 0.5}})
	ok(t, err)
	var figures pricing.PlanFigures
	require.NoError(t, json.Unmarshal(plans[0].Figures, &figures))
	assert.Equal(t, []ids.Layer{up.Layer.ID, more.Layer.ID}, figures.Parts[0].Layers)

	// A list of an unknown queue is an error, not an empty list.
	for _, err := range []error{
		third(p.Layers(ctx, planner, store.LayerFilter{Queue: "nosuch/pre"}, store.Page{})),
		third(p.Locks(ctx, planner, store.LockFilter{Queue: "nosuch/pre"}, store.Page{})),
		third(p.Forecasts(ctx, planner, store.ForecastFilter{Queue: "nosuch/pre"}, store.Page{})),
	} {
		require.Error(t, err)
		assert.Contains(t, err.Error(), "nosuch/pre")
	}

	lockAndCompare(t, s, f.ID)
	nightlyJobs(t, s, f.ID)
}

func second[T any](_ T, err error) error { return err }

func third[T, U any](_ T, _ U, err error) error { return err }

func sumOn(points []scheduling.Point, d calendar.Date) (sum float64) {
	for _, x := range points {
		if calendar.DateOf(x.Start, shanghai) == d {
			sum += x.Mean
		}
	}
	return sum
}

// lockAndCompare agrees on three days with the client, whose own forecast is 20 % too low; then the
// week comes as usual.
func lockAndCompare(t *testing.T, s *stack, id ids.Forecast) {
	t.Helper()
	ctx, p := t.Context(), s.Planning
	lock := planning.LockInput{Forecast: id, Dates: days(today.Add(1), 3), AgreedWith: "陈经理", Note: "邮件 6/10"}
	first, err := p.LockForecast(ctx, planner, lock)
	ok(t, err)
	assert.Equal(t, today, first.AgreedOn)
	assert.Len(t, first.Days, 3)
	assert.Len(t, first.Layers, 2)
	assert.InEpsilon(t, 1.5*dayTotal(today.Add(2)), first.Days[1].Mean, 0.02, "as adjusted")
	_ = refused(t, second(p.LockForecast(ctx, planner, lock)), "store.invalid")
	lockRefused := func(path string, change func(*planning.LockInput)) {
		t.Helper()
		in := lock
		change(&in)
		e := refused(t, second(p.LockForecast(ctx, planner, in)), "forecast.lock")
		require.Len(t, e.Fields, 1)
		assert.Equal(t, path, e.Fields[0].Path)
	}
	lockRefused("dates", func(in *planning.LockInput) { in.Dates = days(today.Add(6), 2) })
	lockRefused("dates", func(in *planning.LockInput) { in.Dates = calendar.Dates{} })
	lockRefused("agreed_with", func(in *planning.LockInput) { in.AgreedWith = " " })
	lockRefused("agreed_on", func(in *planning.LockInput) { in.AgreedOn = in.Dates.Until })
	_, err = p.Adjust(ctx, planner, planning.AdjustInput{Forecast: id, Kind: forecast.LayerPercent, Amount: 10, Target: forecast.Target{Days: days(today.Add(1), 1)}, Reason: "改主意"})
	ok(t, err)
	kept, err := p.Lock(ctx, planner, first.ID)
	ok(t, err)
	assert.Equal(t, first, kept, "a later adjustment changes nothing that was agreed")

	var text strings.Builder
	text.WriteString("时间,接待量\n")
	for d := range 7 {
		for h := 9; h < 18; h++ {
			at := today.Add(d).In(shanghai).Add(time.Duration(h) * time.Hour)
			fmt.Fprintf(&text, "%s,%g\n", at.Format("2006-01-02 15:04"), 0.8*4*demandAt(at))
		}
	}
	mapping := operations.DefaultMapping(operations.ImportHistory)
	mapping.Columns = map[string]intake.Column{"start": {From: []string{"时间"}}, "offered": {From: []string{"接待量"}}}
	in := planning.ClientForecastInput{Source: operationstest.FileOf("客户.csv", text.String()), Mapping: mapping, Queue: pre, Slot: time.Hour, StatedAt: today.Add(-1).In(shanghai)}
	done, err := p.ImportClientForecast(ctx, planner, in)
	ok(t, err)
	require.Len(t, done.Made, 1)
	assert.Equal(t, 63, done.Made[0].Points)
	in.Source = operationstest.FileOf("客户.csv", text.String())
	done, err = p.ImportClientForecast(ctx, planner, in)
	ok(t, err)
	assert.Empty(t, done.Made, "the same again is no new version")
	assert.Len(t, done.Already, 1)
	in.Source = operationstest.FileOf("客户.csv", text.String()+"2026-06-10 09:00,7\n")
	_ = refused(t, second(p.ImportClientForecast(ctx, planner, in)), "forecast.client")

	// A week later.
	s.Clock = today.Add(7).In(shanghai).Add(8 * time.Hour)
	s.came(t, today, today.Add(7), 1)
	compare := func(slot bool) planning.ForecastComparison {
		t.Helper()
		c, err := p.CompareForecasts(ctx, supervisor, planning.CompareInput{Queue: pre, Dates: days(today, 7), BySlot: slot})
		ok(t, err)
		return c
	}
	byDay := compare(false)
	require.Len(t, byDay.Rows, 7)
	for i, r := range byDay.Rows {
		usual := dayTotal(today.Add(i))
		assert.InDelta(t, usual, *r.Actual, 1e-6)
		assert.InEpsilon(t, 0.8*usual, *r.Client, 1e-9)
		assert.InEpsilon(t, usual, *r.Model, 0.02)
		assert.Equal(t, i >= 1 && i < 4, r.Agreed != nil, "day %d", i)
		assert.LessOrEqual(t, *r.Low, *r.Ours)
	}
	assert.InEpsilon(t, 1.5, *byDay.Rows[2].Ours / *byDay.Rows[2].Model, 1e-9)
	assert.InEpsilon(t, 1.1, *byDay.Rows[1].Ours / *byDay.Rows[1].Agreed, 1e-9)
	scores := map[string]forecast.Score{}
	for _, c := range byDay.Scores {
		scores[c.Name] = c.Score
	}
	assert.InDelta(t, 0.2, *scores["client"].WAPE, 1e-9)
	assert.InDelta(t, -0.2, *scores["client"].Bias, 1e-9)
	assert.Less(t, *scores["model"].WAPE, 0.02)
	assert.Equal(t, 3, scores["agreed"].Points)
	bySlot := compare(true)
	assert.Len(t, bySlot.Rows, 7*36)
	hour := 0.0
	for _, r := range bySlot.Rows[:4] {
		hour += *r.Client
	}
	assert.InDelta(t, 0.8*4*demandAt(bySlot.Rows[0].Start), hour, 1e-6, "the client's hours are split, not changed")
	require.Len(t, bySlot.Notes, 1)
	_ = refused(t, second(p.CompareForecasts(ctx, supervisor, planning.CompareInput{Queue: pre})), "forecast.compare")

	accuracy, err := p.MeasureAccuracy(ctx, supervisor, planning.AccuracyInput{Queue: pre, Dates: days(today, 7)})
	ok(t, err)
	lead := accuracy.Days[0]
	assert.Equal(t, 1, lead.Lead)
	assert.Equal(t, 7, lead.Ours.Points)
	assert.Equal(t, 1, accuracy.Days[3].Ours.Points, "one day lies seven days ahead of the origin")
	names := map[string]forecast.Duel{}
	for _, r := range lead.Rivals {
		names[r.Name] = r
	}
	assert.InDelta(t, 0.2, *names["client"].Its.WAPE, 1e-9)
	assert.InDelta(t, 0, *names[forecast.NaiveName].Its.WAPE, 1e-9, "a history that repeats itself")
	assert.Contains(t, names, "adjusted")
	assert.Contains(t, names, "agreed")
	assert.NotEmpty(t, accuracy.Slots)

	svg, err := p.DrawForecast(ctx, supervisor, id)
	ok(t, err)
	for _, want := range []string{"lumi-tmall/pre", ">actual<", ">adjusted<", ">agreed<", "live", "spot", "P10–P90"} {
		assert.Contains(t, string(svg), want)
	}
}

// nightlyJobs runs the jobs of a night: a new version that carries the adjustments, its accuracy, and
// an alert when the queue doubles.
func nightlyJobs(t *testing.T, s *stack, before ids.Forecast) {
	t.Helper()
	ctx, p := t.Context(), s.Planning
	system := access.System("test")
	summer, err := p.Adjust(ctx, planner, planning.AdjustInput{Forecast: before, Kind: forecast.LayerPercent, Amount: 30, Target: forecast.Target{Range: calendar.Range{Start: today.In(shanghai), End: today.Add(20).In(shanghai)}}, Reason: "夏季活动"})
	ok(t, err)
	assert.Contains(t, summer.Step.Note, "does not cover "+today.Add(7).String()+" to "+today.Add(19).String())
	rows, err := p.RefreshForecasts(ctx, system, s.Clock)
	ok(t, err)
	assert.EqualValues(t, 1, rows)
	newest, _, err := p.Forecasts(ctx, planner, store.ForecastFilter{Queue: pre}, store.Page{Limit: 1})
	ok(t, err)
	require.NotEqual(t, before, newest[0].ID)
	on, err := p.Adjusted(ctx, planner, newest[0].ID)
	ok(t, err)
	require.Len(t, on.Layers, 1, "what is over stays behind")
	assert.Equal(t, "夏季活动", on.Layers[0].Reason)
	assert.NotEmpty(t, on.Layers[0].From)
	carried := planning.CarriedOf(on.Forecast)
	require.NotNil(t, carried)
	assert.Equal(t, before, carried.From)
	assert.Equal(t, 1, carried.Layers)
	assert.Equal(t, []string{
		`the adjustment "直播加场" touches no slot of the newer forecast`, `the adjustment "满减" touches no slot of the newer forecast`,
		`the adjustment "改主意" touches no slot of the newer forecast`,
	}, carried.Told)
	rows, err = p.RefreshForecasts(ctx, system, s.Clock)
	ok(t, err)
	assert.Zero(t, rows, "nothing new is known")

	rows, err = p.MeasureForecasts(ctx, system, s.Clock)
	ok(t, err)
	assert.EqualValues(t, 1, rows)
	records, _, err := p.ForecastAccuracies(ctx, supervisor, store.AccuracyFilter{Queue: pre}, store.Page{})
	ok(t, err)
	require.Len(t, records, 1)
	assert.Equal(t, today.Add(7), records[0].Date)
	rows, err = p.TellDrift(ctx, system, s.Clock)
	ok(t, err)
	assert.Zero(t, rows)

	test, err := p.Backtest(ctx, planner, planning.BacktestInput{Queue: pre, Slot: time.Hour, Horizon: 48 * time.Hour, Step: 24 * time.Hour, From: today.In(shanghai)})
	ok(t, err)
	var scores forecast.Benchmarks
	require.NoError(t, json.Unmarshal(test.Figures, &scores))
	assert.Equal(t, 5, scores.Origins, "the data end at 18:00 of the seventh day")
	assert.Less(t, *scores.Ours.WAPE, 0.05)
	got, err := p.KeptBacktest(ctx, supervisor, test.ID)
	ok(t, err)
	assert.Len(t, got.Origins, 5)
	_ = refused(t, second(p.Backtest(ctx, planner, planning.BacktestInput{Queue: pre, Slot: calendar.Slot, Horizon: 24 * time.Hour, Step: time.Minute, From: today.In(shanghai)})), "forecast.backtest")
	assert.Len(t, refused(t, second(p.Backtest(ctx, planner, planning.BacktestInput{})), "forecast.backtest").Fields, 4)
}

// Twice as many contacts as ever for two weeks are drift, and an alert until it is over.
func TestDriftIsTold(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	ctx, p, system := t.Context(), s.Planning, access.System("test")
	// Some noise: a history that repeats itself to the contact would call any change drift.
	for week := range 40 {
		from := today.Add(-7 * (40 - week))
		s.came(t, from, from.Add(7), 1+0.05*float64(week*7%5-2))
	}
	measure := func() int64 {
		t.Helper()
		_, err := p.MeasureForecasts(ctx, system, s.Clock)
		ok(t, err)
		rows, err := p.TellDrift(ctx, system, s.Clock)
		ok(t, err)
		return rows
	}
	assert.Zero(t, measure())
	s.Clock = s.Clock.AddDate(0, 0, 14)
	s.came(t, today, today.Add(14), 2)
	assert.EqualValues(t, 1, measure())
	alerts, _, err := s.Alerts(ctx, admin, store.Firing, store.Page{})
	ok(t, err)
	require.Len(t, alerts, 1)
	assert.Equal(t, "forecast-drift", alerts[0].Name)
	assert.Contains(t, alerts[0].Text, "lumi-tmall/pre: ")
	found, _, err := p.ForecastAccuracies(ctx, supervisor, store.AccuracyFilter{Drifting: true}, store.Page{})
	ok(t, err)
	require.Len(t, found, 1)
	assert.GreaterOrEqual(t, found[0].Drift.Reference, 6)
}
