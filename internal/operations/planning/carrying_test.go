package planning_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// A version that is made without the adjustments says how many stay behind, and the next may still take them
// over; what was withdrawn stays withdrawn, and a night brings nothing back.
func TestAdjustmentsThatStayBehind(t *testing.T) {
	t.Parallel()
	s := planningStack(t)
	ctx, p := t.Context(), s.Planning
	version := func(carry bool) store.Forecast {
		t.Helper()
		s.Clock = s.Clock.Add(time.Minute)
		made, err := p.MakeForecasts(ctx, planner, planning.ForecastInput{
			Queues: []ids.Queue{pre}, Origin: today.In(shanghai), Horizon: 7 * 24 * time.Hour, Carry: carry,
		})
		ok(t, err)
		return made[0]
	}
	inForce := func(id ids.Forecast) (list []store.Layer) {
		t.Helper()
		on, err := p.Adjusted(ctx, planner, id)
		ok(t, err)
		for _, l := range on.Layers {
			if l.Withdrawn == nil {
				list = append(list, l)
			}
		}
		return list
	}
	first := version(false)
	assert.Empty(t, planning.NotesOf(first), "nothing is before it")
	for i := range 2 {
		_, err := p.Adjust(ctx, planner, planning.AdjustInput{
			Forecast: first.ID, Kind: forecast.LayerPercent, Amount: 10, Target: forecast.Target{Days: days(today.Add(i), 1)}, Reason: "直播",
		})
		ok(t, err)
	}
	second := version(false)
	require.Len(t, planning.NotesOf(second), 1)
	assert.Contains(t, planning.NotesOf(second)[0], "2 adjustments of "+string(first.ID))
	assert.Contains(t, planning.NotesOf(second)[0], "stay behind; make --carry takes them over")
	assert.Empty(t, inForce(second.ID))

	night, err := p.RefreshForecasts(ctx, access.System("test"), s.Clock) // 28 days: another input
	ok(t, err)
	require.EqualValues(t, 1, night)
	list, _, err := p.Forecasts(ctx, planner, store.ForecastFilter{Queue: pre}, store.Page{Limit: 1})
	ok(t, err)
	assert.Empty(t, inForce(list[0].ID), "a planner left them behind")

	third := version(true)
	assert.Len(t, inForce(third.ID), 2)
	assert.Equal(t, first.ID, planning.CarriedOf(third).From)
	require.Len(t, planning.NotesOf(third), 1)
	assert.Contains(t, planning.NotesOf(third)[0], "those of "+string(first.ID))

	for _, l := range inForce(third.ID) {
		_, err := p.Withdraw(ctx, planner, l.ID, "取消")
		ok(t, err)
	}
	fourth := version(true)
	assert.Empty(t, inForce(fourth.ID), "the older ones were withdrawn by way of their copies")
	assert.Empty(t, planning.NotesOf(fourth))
}
