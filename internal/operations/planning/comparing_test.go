package planning_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// Forecasts are of what reaches people. Ten conversations start in each open quarter hour and the bot ends
// three alone: seven are what came, whether the imported history counts seven or ten.
func TestWhatCameIsNetOfTheBot(t *testing.T) {
	t.Parallel()
	for _, counted := range []float64{7, 10} {
		s := newStack(t)
		s.ApplyContracts(t, operationstest.MerchantsYAML)
		s.importHistory(t, today.Add(-21), today, func(at time.Time) (float64, int) { return min(counted, counted*demandAt(at)), -1 })
		s.Ingest(t, warehouse.Batch{Conversations: append(chats(today.Add(-7), today, 10, 3), chats(today.Add(-9), today.Add(-7), 10, 0)...)})
		ctx, p := t.Context(), s.Planning
		from := today.Add(-2)
		made, err := p.MakeForecasts(ctx, planner, planning.ForecastInput{Queues: []ids.Queue{pre}, Origin: from.In(shanghai), Horizon: 2 * 24 * time.Hour})
		ok(t, err)
		compared, err := p.CompareForecasts(ctx, planner, planning.CompareInput{Queue: pre, Dates: days(from, 2), Forecast: made[0].ID})
		ok(t, err)
		require.Len(t, compared.Rows, 2)
		for _, r := range compared.Rows {
			assert.InDelta(t, 7*36, *r.Actual, 1e-9, "%g are counted", counted)
			assert.InEpsilon(t, 7*36, *r.Ours, 0.1, "two days without the bot are remembered; with the bot in, it would be off by three of seven")
		}
		accuracy, err := p.MeasureAccuracy(ctx, planner, planning.AccuracyInput{Queue: pre, Dates: days(from, 2)})
		ok(t, err)
		assert.Less(t, *accuracy.Days[0].Ours.WAPE, 0.1)
		assert.InDelta(t, 2*7*36, accuracy.Days[0].Ours.Actual, 1e-9)
		assert.Less(t, *accuracy.Slots[0].Ours.WAPE, 0.1)

		// Eight and nine days ago the bot was off; before that nothing was measured: what it took is not known.
		before := days(today.Add(-11), 4)
		_, err = p.MakeForecasts(ctx, planner, planning.ForecastInput{Queues: []ids.Queue{pre}, Origin: before.From.In(shanghai), Horizon: 4 * 24 * time.Hour})
		ok(t, err)
		early, err := p.CompareForecasts(ctx, planner, planning.CompareInput{Queue: pre, Dates: before})
		ok(t, err)
		require.Len(t, early.Rows, 4)
		for i, r := range early.Rows {
			if counted == 10 && i < 2 {
				assert.Nil(t, r.Actual)
			} else {
				assert.InDelta(t, counted*36, *r.Actual, 1e-9)
			}
		}
	}
}

// clientSays imports what the client expects of each of some days.
func (s *stack) clientSays(t *testing.T, from calendar.Date, n int, slot time.Duration, contacts float64) {
	t.Helper()
	var text strings.Builder
	text.WriteString("start,offered\n")
	for d := range n {
		fmt.Fprintf(&text, "%s 00:00,%g\n", from.Add(d), contacts)
	}
	_, err := s.Planning.ImportClientForecast(t.Context(), planner, planning.ClientForecastInput{
		Source: operationstest.FileOf("客户.csv", text.String()), Mapping: operations.DefaultMapping(operations.ImportHistory), Queue: pre, Slot: slot,
	})
	ok(t, err)
}

// A client who forecasts days is compared by slot too: its day in the shape of ours. Days that our
// forecast does not cover whole are left out, and that is told.
func TestAClientsDaysAreSplitByOurShape(t *testing.T) {
	t.Parallel()
	s := planningStack(t)
	ctx, p := t.Context(), s.Planning
	_, err := p.MakeForecasts(ctx, planner, planning.ForecastInput{Queues: []ids.Queue{pre}, Origin: today.In(shanghai).Add(12 * time.Hour), Horizon: 4 * 24 * time.Hour})
	ok(t, err)
	s.clientSays(t, today, 6, 24*time.Hour, 500)
	compared, err := p.CompareForecasts(ctx, planner, planning.CompareInput{Queue: pre, Dates: days(today, 6), BySlot: true})
	ok(t, err)
	sums, model := map[calendar.Date]float64{}, map[calendar.Date]float64{}
	for _, r := range compared.Rows {
		model[calendar.DateOf(r.Start, shanghai)] += *r.Model
	}
	for _, r := range compared.Rows {
		day := calendar.DateOf(r.Start, shanghai)
		if r.Client == nil {
			assert.Contains(t, []calendar.Date{today, today.Add(4)}, day)
			continue
		}
		sums[day] += *r.Client
		assert.InEpsilon(t, *r.Model/model[day], *r.Client/500, 1e-9, "the shape is ours")
	}
	assert.Len(t, sums, 3, "today has begun, the fifth day ends after the forecast and nobody forecast the sixth")
	for day, sum := range sums {
		assert.InDelta(t, 500, sum, 1e-6, day)
	}
	require.Len(t, compared.Notes, 2)
	assert.Equal(t, "the client's version 1 is in slots of 24h: each is split by our forecast as computed, so its shape inside a slot is ours", compared.Notes[0])
	assert.Equal(t, "3 slots of the client's version 1, 1500 contacts, are left out: our forecast does not cover them whole, or has nothing open in them", compared.Notes[1])
	byDay, err := p.CompareForecasts(ctx, planner, planning.CompareInput{Queue: pre, Dates: days(today, 6)})
	ok(t, err)
	assert.Empty(t, byDay.Notes)
	assert.Len(t, byDay.Rows, 6)
}
