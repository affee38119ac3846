package planning_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/internal/operations/pricing"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// Versions of every night for three weeks, more than half a year ago. One of each week stays, and so does
// what was adjusted, agreed, planned with or made by a person.
func TestOldNightlyForecastsAreDropped(t *testing.T) {
	t.Parallel()
	s := planningStack(t)
	ctx, system := t.Context(), access.System("forecast-refresh")
	monday := today.Add(-(int(today.Weekday()) + 6) % 7).Add(-30 * 7)
	add := func(who access.Principal, id string, day calendar.Date) {
		t.Helper()
		span := calendar.Day(day, shanghai)
		curve := scheduling.Curve{Queue: pre, Slot: 24 * time.Hour, Levels: []float64{0.9}, Points: []scheduling.Point{{Start: span.Start, Mean: 100, Quantiles: []float64{120}}}}
		ok(t, s.DB.Change(ctx, who, span.Start.Add(5*time.Hour), func(tx *store.Tx) error {
			return tx.AddForecast(store.Forecast{ID: ids.Forecast(id), Queue: pre, Range: span, Curve: curve})
		}))
	}
	for d := range 21 {
		add(system, fmt.Sprintf("night-%02d", d), monday.Add(d))
	}
	add(planner, "by-a-person", monday.Add(2))
	add(system, "recent", today.Add(-179))
	_, err := s.Planning.Adjust(ctx, planner, planning.AdjustInput{
		Forecast: "night-03", Kind: forecast.LayerPercent, Amount: 10, Target: forecast.Target{Days: days(monday.Add(3), 1)}, Reason: "直播",
	})
	ok(t, err)
	_, err = s.Planning.LockForecast(ctx, planner, planning.LockInput{Forecast: "night-04", Dates: days(monday.Add(4), 1), AgreedWith: "陈经理"})
	ok(t, err)
	figures, err := json.Marshal(pricing.PlanFigures{Parts: []pricing.PlanPart{{Forecast: "night-05"}, {Forecast: "night-06"}}})
	require.NoError(t, err)
	ok(t, s.DB.Change(ctx, planner, s.Clock, func(tx *store.Tx) error {
		return tx.AddPlan(store.Plan{ID: "plan", Queue: pre, Forecast: "night-05", Range: calendar.Range{Start: monday.Add(5).In(shanghai), End: monday.Add(7).In(shanghai)}, Figures: figures})
	}))

	made, err := s.Planning.RefreshForecasts(ctx, system, s.Clock)
	ok(t, err)
	assert.EqualValues(t, 1, made)
	all, err := store.All(func(page store.Page) ([]store.Forecast, string, error) {
		return s.Planning.Forecasts(ctx, planner, store.ForecastFilter{Queue: pre}, page)
	})
	ok(t, err)
	var left []string
	for _, f := range all[1:] { // the first is of this night
		left = append(left, string(f.ID))
	}
	assert.ElementsMatch(t, []string{
		"recent", "by-a-person", "night-03", "night-04", "night-05", "night-06", // somebody needs them
		"night-00", "night-07", "night-14", // the first of each week
		"night-20", // the last: there may be no newer one
	}, left)
	_, err = s.Planning.RefreshForecasts(ctx, system, s.Clock)
	ok(t, err)
	again, err := store.All(func(page store.Page) ([]store.Forecast, string, error) {
		return s.Planning.Forecasts(ctx, planner, store.ForecastFilter{Queue: pre}, page)
	})
	ok(t, err)
	assert.Len(t, again, len(all), "nothing more")
}
