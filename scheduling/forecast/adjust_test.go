package forecast_test

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// shelf is a base of three days with four open hours each: 10, 20, 30 and 40 contacts, P10 at
// 80 % and P90 at 130 % of the mean; day totals at 90 % and 115 %.
func shelf() forecast.Base {
	b := forecast.Base{Curve: scheduling.Curve{Queue: "q", Slot: time.Hour, Levels: []float64{0.1, 0.9}}, Location: time.UTC}
	for d := range 3 {
		for h := range 4 {
			m := float64(10 * (h + 1))
			b.Curve.Points = append(b.Curve.Points, scheduling.Point{
				Start: monday.AddDate(0, 0, d).Add(time.Duration(9+h) * time.Hour), Mean: m, Quantiles: []float64{0.8 * m, 1.3 * m}, HandleTime: time.Minute,
			})
		}
		b.Days = append(b.Days, scheduling.Point{Start: monday.AddDate(0, 0, d), Mean: 100, Quantiles: []float64{90, 115}})
	}
	return b
}

func layer(kind forecast.LayerKind, amount float64, from, until time.Duration) forecast.Layer {
	r := calendar.Range{Start: monday.Add(from), End: monday.Add(until)}
	return forecast.Layer{ID: "l", Kind: kind, Amount: amount, Target: forecast.Target{Range: r}, Spans: []calendar.Range{r}, Author: "u", Reason: "直播"}
}

func means(points []scheduling.Point) (out []float64) {
	for _, p := range points {
		out = append(out, p.Mean)
	}
	return out
}

func TestAdjustByHand(t *testing.T) {
	for name, c := range map[string]struct {
		layers []forecast.Layer
		want   []float64 // slots of the first two days
		days   []float64
	}{
		"percent on two hours":      {[]forecast.Layer{layer(forecast.LayerPercent, 50, 9*time.Hour, 11*time.Hour)}, []float64{15, 30, 30, 40, 10, 20, 30, 40}, []float64{115, 100, 100}},
		"added over a day":          {[]forecast.Layer{layer(forecast.LayerAbsolute, 50, 0, day)}, []float64{15, 30, 45, 60, 10, 20, 30, 40}, []float64{150, 100, 100}},
		"taken off over two days":   {[]forecast.Layer{layer(forecast.LayerAbsolute, -100, 0, 2*day)}, []float64{5, 10, 15, 20, 5, 10, 15, 20}, []float64{50, 50, 100}},
		"more taken off than there": {[]forecast.Layer{layer(forecast.LayerAbsolute, -101, 0, day)}, []float64{0, 0, 0, 0, 10, 20, 30, 40}, []float64{0, 100, 100}},
		"set to a total":            {[]forecast.Layer{layer(forecast.LayerSet, 400, 0, 2*day)}, []float64{20, 40, 60, 80, 20, 40, 60, 80}, []float64{200, 200, 100}},
		"percent, then set":         {[]forecast.Layer{layer(forecast.LayerPercent, 100, 0, day), layer(forecast.LayerSet, 50, 0, day)}, []float64{5, 10, 15, 20, 10, 20, 30, 40}, []float64{50, 100, 100}},
		"set, then percent":         {[]forecast.Layer{layer(forecast.LayerSet, 50, 0, day), layer(forecast.LayerPercent, 100, 0, day)}, []float64{10, 20, 30, 40, 10, 20, 30, 40}, []float64{100, 100, 100}},
		"set each slot": {[]forecast.Layer{func() forecast.Layer {
			l := layer(forecast.LayerSet, 7, 10*time.Hour, 12*time.Hour)
			l.Per = forecast.PerSlot
			return l
		}()}, []float64{10, 7, 7, 40, 10, 20, 30, 40}, []float64{64, 100, 100}},
		"added to each day": {[]forecast.Layer{func() forecast.Layer {
			l := layer(forecast.LayerAbsolute, 10, 0, 2*day)
			l.Per = forecast.PerDay
			return l
		}()}, []float64{11, 22, 33, 44, 11, 22, 33, 44}, []float64{110, 110, 100}},
		"to nothing and back": {[]forecast.Layer{layer(forecast.LayerSet, 0, 0, day), layer(forecast.LayerSet, 80, 0, day)}, []float64{20, 20, 20, 20, 10, 20, 30, 40}, []float64{80, 100, 100}},
	} {
		a, err := forecast.Adjust(shelf(), c.layers)
		require.NoError(t, err, name)
		assert.InDeltaSlice(t, c.want, means(a.Curve.Points[:8]), 1e-9, name)
		assert.InDeltaSlice(t, c.days, means(a.Days), 1e-9, name)
		require.NoError(t, a.Curve.Validate(), name)
		for _, p := range a.Curve.Points {
			assert.InDeltaSlice(t, []float64{0.8 * p.Mean, 1.3 * p.Mean}, p.Quantiles, 1e-9, "%s: the ratios are kept", name)
			assert.Equal(t, time.Minute, p.HandleTime)
		}
		for _, p := range a.Days {
			assert.InDeltaSlice(t, []float64{0.9 * p.Mean, 1.15 * p.Mean}, p.Quantiles, 1e-9, name)
		}
	}
}

func TestAdjustTells(t *testing.T) {
	withdrawn := layer(forecast.LayerPercent, 10, 0, day)
	withdrawn.Withdrawn = &forecast.Withdrawal{Author: "u", Reason: "直播取消"}
	a, err := forecast.Adjust(shelf(), []forecast.Layer{
		layer(forecast.LayerAbsolute, -500, 0, day), withdrawn, layer(forecast.LayerPercent, 10, 20*time.Hour, 22*time.Hour), layer(forecast.LayerSet, 60, day, 2*day),
	})
	require.NoError(t, err)
	assert.Equal(t, []forecast.Step{
		{Layer: "l", Slots: 4, Before: 100, After: 0, Note: "more was to be taken off than there is: the rest is zero"},
		{Layer: "l", Note: "withdrawn"},
		{Layer: "l", Note: "no open slot of the forecast lies in the target"},
		{Layer: "l", Slots: 4, Before: 100, After: 60},
	}, a.Steps)

	// The total of an event over the last two days follows: 200 became 160.
	event := scheduling.Point{Start: monday.Add(day), Mean: 200, Quantiles: []float64{150, 260}}
	got := a.Total(calendar.Range{Start: monday.Add(day), End: monday.Add(3 * day)}, event)
	assert.InDelta(t, 160, got.Mean, 1e-9)
	assert.InDeltaSlice(t, []float64{120, 208}, got.Quantiles, 1e-9)

	// So does the event forecast with its phases: the first phase is untouched.
	whole := []forecast.EventForecast{{
		Family: "618", From: monday.Add(day), Until: monday.Add(3 * day), Total: event,
		Phases: []forecast.PhaseForecast{
			{Kind: "tail", Until: monday.Add(3 * day), Total: scheduling.Point{Start: monday.Add(2 * day), Mean: 100, Quantiles: []float64{80, 120}}},
			{Kind: "spot", Until: monday.Add(2 * day), Total: scheduling.Point{Start: monday.Add(day), Mean: 100, Quantiles: []float64{80, 120}}},
		},
	}}
	moved := a.Events(whole)
	assert.InDelta(t, 160, moved[0].Total.Mean, 1e-9)
	assert.Equal(t, whole[0].Phases[0], moved[0].Phases[0])
	assert.InDelta(t, 60, moved[0].Phases[1].Total.Mean, 1e-9)
	assert.InDelta(t, 100, whole[0].Phases[1].Total.Mean, 0, "the forecast itself stays as it was")

	up := layer(forecast.LayerPercent, 10_000, 0, 3*day)
	_, err = forecast.Adjust(shelf(), slices.Repeat([]forecast.Layer{up}, 200))
	assert.Equal(t, "forecast.layer", fault.CodeOf(err), "beyond all reason")
}

// TestAdjustFewContacts raises slots whose quantiles are those of single contacts.
func TestAdjustFewContacts(t *testing.T) {
	b := shelf()
	for i := range 4 {
		b.Curve.Points[i].Mean, b.Curve.Points[i].Quantiles = 0.1, []float64{0, 0}
	}
	a, err := forecast.Adjust(b, []forecast.Layer{layer(forecast.LayerSet, 400, 0, day)})
	require.NoError(t, err)
	p := a.Curve.Points[0]
	assert.InDelta(t, 100, p.Mean, 1e-9)
	assert.InDelta(t, 80, p.Quantiles[0], 3, "the ratios of the busy slots, not nothing")
	assert.InDelta(t, 130, p.Quantiles[1], 3)

	// Nothing is known of an empty forecast but chance: 400 contacts in a slot lie within
	// 1.28 standard deviations of 20 with 80 %.
	for i := range b.Curve.Points {
		b.Curve.Points[i].Mean, b.Curve.Points[i].Quantiles = 0, []float64{0, 0}
	}
	b.Days = nil
	l := layer(forecast.LayerSet, 400, 0, 3*day)
	l.Per = forecast.PerSlot
	a, err = forecast.Adjust(b, []forecast.Layer{l})
	require.NoError(t, err)
	assert.InDeltaSlice(t, []float64{400 - 1.2816*20, 400 + 1.2816*20}, a.Curve.Points[0].Quantiles, 0.01)
}

func TestLayerProblems(t *testing.T) {
	r := calendar.Range{Start: monday, End: monday.Add(day)}
	for name, c := range map[string]struct {
		l     forecast.Layer
		paths []string
	}{
		"all empty":   {forecast.Layer{}, []string{"kind", "reason", "target"}},
		"percent":     {forecast.Layer{Kind: forecast.LayerPercent, Amount: -101, Per: forecast.PerDay, Reason: "x", Target: forecast.Target{Range: r}}, []string{"amount", "per"}},
		"not finite":  {forecast.Layer{Kind: forecast.LayerAbsolute, Amount: math.NaN(), Per: "week", Reason: "x", Target: forecast.Target{Range: r}}, []string{"amount", "per"}},
		"negative":    {forecast.Layer{Kind: forecast.LayerSet, Amount: -1, Reason: "x", Target: forecast.Target{Range: r}}, []string{"amount"}},
		"two targets": {forecast.Layer{Kind: forecast.LayerSet, Reason: "x", Target: forecast.Target{Range: r, Family: "618"}}, []string{"target"}},
		"backwards":   {forecast.Layer{Kind: forecast.LayerSet, Reason: "x", Target: forecast.Target{Range: calendar.Range{Start: monday, End: monday}}}, []string{"target.range"}},
		"open days":   {forecast.Layer{Kind: forecast.LayerSet, Reason: "x", Target: forecast.Target{Days: calendar.Dates{From: calendar.MakeDate(2026, 3, 2)}}}, []string{"target.days"}},
		"lone phase":  {forecast.Layer{Kind: forecast.LayerSet, Reason: "x", Target: forecast.Target{Range: r, Phase: "spot"}}, []string{"target.family"}},
		"nth of none": {forecast.Layer{Kind: forecast.LayerSet, Reason: "x", Target: forecast.Target{Family: "618", Nth: 2}}, []string{"target.nth"}},
	} {
		err := c.l.Validate()
		require.Equal(t, "forecast.layer", fault.CodeOf(err), name)
		var paths []string
		for _, f := range fault.Of(err).Fields {
			paths = append(paths, f.Path)
		}
		assert.ElementsMatch(t, c.paths, paths, name)
	}
}

func TestPlaceTarget(t *testing.T) {
	shanghai := time.FixedZone("CST", 8*3600)
	at := func(d, h int) time.Time { return time.Date(2026, 11, d, h, 0, 0, 0, shanghai) }
	events := []forecast.Event{
		{Family: "double11", Start: at(1, 20), End: at(14, 0), Phases: []forecast.Phase{{Kind: "spot", Start: at(1, 20), End: at(4, 0)}, {Kind: "warmup", Start: at(4, 0), End: at(10, 20)}, {Kind: "spot", Start: at(10, 20), End: at(12, 0)}}},
		{Family: "live", Start: at(2, 20), End: at(3, 0)},
		{Family: "live", Start: at(9, 20), End: at(10, 0)},
	}
	for name, c := range map[string]struct {
		target forecast.Target
		want   []calendar.Range
	}{
		"days":        {forecast.Target{Days: calendar.Dates{From: calendar.MakeDate(2026, 11, 3), Until: calendar.MakeDate(2026, 11, 5)}}, []calendar.Range{{Start: at(3, 0), End: at(5, 0)}}},
		"event":       {forecast.Target{Family: "double11"}, []calendar.Range{{Start: at(1, 20), End: at(14, 0)}}},
		"both waves":  {forecast.Target{Family: "double11", Phase: "spot"}, []calendar.Range{{Start: at(1, 20), End: at(4, 0)}, {Start: at(10, 20), End: at(12, 0)}}},
		"second wave": {forecast.Target{Family: "double11", Phase: "spot", Nth: 2}, []calendar.Range{{Start: at(10, 20), End: at(12, 0)}}},
		"one of two":  {forecast.Target{Family: "live", Start: at(9, 20).UTC()}, []calendar.Range{{Start: at(9, 20), End: at(10, 0)}}},
	} {
		got, err := c.target.Place(shanghai, events)
		require.NoError(t, err, name)
		assert.Equal(t, c.want, got, name)
	}
	for path, target := range map[string]forecast.Target{
		"target.family": {Family: "618"}, "target.start": {Family: "live"}, "target.phase": {Family: "double11", Phase: "spot", Nth: 3}, "target": {},
	} {
		_, err := target.Place(shanghai, events)
		require.Equal(t, "forecast.layer", fault.CodeOf(err), path)
		assert.Equal(t, path, fault.Of(err).Fields[0].Path)
	}
	for want, target := range map[string]forecast.Target{
		"only double11, live": {Family: "618"}, "only spot, warmup": {Family: "double11", Phase: "spots"},
		"has 2 phases of this kind": {Family: "double11", Phase: "spot", Nth: 3}, "has no phases": {Family: "live", Start: at(2, 20), Phase: "spot"},
	} {
		_, err := target.Place(shanghai, events)
		assert.ErrorContains(t, err, want)
	}
}

func TestCarryLayers(t *testing.T) {
	older := shelf()
	newer := scheduling.Curve{Slot: time.Hour, Points: older.Curve.Points[6:]} // from the second day, 11:00
	perDay := layer(forecast.LayerAbsolute, 50, 0, 3*day)
	perDay.Per = forecast.PerDay
	over := layer(forecast.LayerPercent, 10, 0, day)
	back := layer(forecast.LayerPercent, 10, 0, 3*day)
	back.Withdrawn = &forecast.Withdrawal{}
	carried, told := forecast.Carry(older.Curve, time.UTC, []forecast.Layer{layer(forecast.LayerPercent, 10, 0, 3*day), layer(forecast.LayerSet, 600, 0, 3*day), perDay, over, back}, newer)
	require.Len(t, carried, 3)
	assert.InDelta(t, 10, carried[0].Amount, 0)
	// 130 of the 300 contacts are over, so 170/300 of the 600 lie ahead.
	assert.InDelta(t, 340, carried[1].Amount, 1e-9)
	assert.Equal(t, monday.Add(2*day), carried[2].Spans[0].Start, "half a day gets no whole day's amount")
	assert.Len(t, told, 3)
	assert.Contains(t, told[2], "touches no slot")
}

// drawLayers makes arbitrary layers, some of them withdrawn.
func drawLayers(t *rapid.T) []forecast.Layer {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) forecast.Layer {
		from := time.Duration(rapid.IntRange(-10, 70).Draw(t, "from")) * time.Hour
		l := layer(rapid.SampledFrom([]forecast.LayerKind{forecast.LayerPercent, forecast.LayerAbsolute, forecast.LayerSet}).Draw(t, "kind"), 0,
			from, from+time.Duration(rapid.IntRange(1, 60).Draw(t, "hours"))*time.Hour)
		switch l.Kind {
		case forecast.LayerPercent:
			l.Amount = rapid.Float64Range(-100, 400).Draw(t, "percent")
		case forecast.LayerSet:
			l.Amount = rapid.SampledFrom([]float64{0, 0.001, 3, 1000, 1e9}).Draw(t, "set")
		default:
			l.Amount = rapid.Float64Range(-500, 5000).Draw(t, "contacts")
		}
		if l.Kind != forecast.LayerPercent {
			l.Per = rapid.SampledFrom([]forecast.LayerPer{"", forecast.PerTarget, forecast.PerDay, forecast.PerSlot}).Draw(t, "per")
		}
		if rapid.IntRange(0, 3).Draw(t, "withdrawn") == 0 {
			l.Withdrawn = &forecast.Withdrawal{Author: "u", Reason: "x"}
		}
		return l
	}), 0, 8).Draw(t, "layers")
}

// drawBase makes an arbitrary sane forecast.
func drawBase(t *rapid.T) forecast.Base {
	b := shelf()
	for i := range b.Curve.Points {
		m := rapid.SampledFrom([]float64{0, 1e-12, 0.02, 1, 12.5, 4e5}).Draw(t, "mean")
		low := rapid.Float64Range(0, 1.5).Draw(t, "low") * m
		b.Curve.Points[i].Mean, b.Curve.Points[i].Quantiles = m, []float64{low, low + rapid.Float64Range(0, 3).Draw(t, "more")*m}
	}
	for d := range b.Days {
		var sum float64
		for _, p := range b.Curve.Points[4*d : 4*d+4] {
			sum += p.Mean
		}
		b.Days[d].Mean, b.Days[d].Quantiles = sum, []float64{0.9 * sum, 1.1 * sum}
	}
	return b
}

func text(t require.TestingT, v any) string {
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

// TestAdjustInvariants: whatever layers lie on whatever forecast, the result is a sane forecast,
// its days are the sums of their slots, untouched slots are untouched, the base stays as it was,
// and withdrawing everything gives back the very bytes.
func TestAdjustInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base, layers := drawBase(t), drawLayers(t)
		before := text(t, base)
		a, err := forecast.Adjust(base, layers)
		require.NoError(t, err)
		require.Equal(t, before, text(t, base))
		requireSane(t, forecast.Result{Curve: a.Curve, Days: a.Days})
		for d, total := range a.Days {
			var sum float64
			for _, p := range a.Curve.Points[4*d : 4*d+4] {
				sum += p.Mean
			}
			require.InDelta(t, sum, total.Mean, 1e-9*max(1, sum))
		}
		for i, p := range a.Curve.Points {
			touched := slices.ContainsFunc(layers, func(l forecast.Layer) bool { return l.Withdrawn == nil && l.Target.Range.Contains(p.Start) })
			if !touched {
				require.Equal(t, base.Curve.Points[i], p)
			}
		}

		inForce := slices.DeleteFunc(slices.Clone(layers), func(l forecast.Layer) bool { return l.Withdrawn != nil })
		same, err := forecast.Adjust(base, inForce)
		require.NoError(t, err)
		require.Equal(t, text(t, same.Curve), text(t, a.Curve), "a withdrawn layer does nothing")
		for i := range layers {
			layers[i].Withdrawn = &forecast.Withdrawal{Author: "u", Reason: "x"}
		}
		none, err := forecast.Adjust(base, layers)
		require.NoError(t, err)
		require.Equal(t, text(t, base.Curve), text(t, none.Curve))
		require.Equal(t, text(t, base.Days), text(t, none.Days))
	})
}

// TestAdjustInTurn: putting on a part of the layers and then the rest is putting on all.
func TestAdjustInTurn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base, layers := shelf(), drawLayers(t)
		cut := rapid.IntRange(0, len(layers)).Draw(t, "cut")
		whole, err := forecast.Adjust(base, layers)
		require.NoError(t, err)
		first, err := forecast.Adjust(base, layers[:cut])
		require.NoError(t, err)
		second, err := forecast.Adjust(forecast.Base{Curve: first.Curve, Days: first.Days, Location: time.UTC}, layers[cut:])
		require.NoError(t, err)
		require.InDeltaSlice(t, means(whole.Curve.Points), means(second.Curve.Points), 1e-3)
	})
}
