package scheduling_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/scheduling"
)

// A curve is written with units and read back as it was, to the nanosecond; what was stored as bare
// nanoseconds is read too.
func TestCurvesAreWrittenWithUnits(t *testing.T) {
	start := time.Date(2026, 11, 10, 12, 0, 0, 0, time.UTC)
	c := scheduling.Curve{Queue: "a/pre", Slot: 30 * time.Minute, Levels: []float64{0.5}, Points: []scheduling.Point{
		{Start: start, Mean: 2, Quantiles: []float64{1}, HandleTime: 210500 * time.Millisecond}, {Start: start.Add(30 * time.Minute), Quantiles: []float64{0}},
	}}
	text, err := json.Marshal(c)
	require.NoError(t, err)
	assert.JSONEq(t, `{"queue":"a/pre","slot":"30m","levels":[0.5],"points":[
		{"start":"2026-11-10T12:00:00Z","mean":2,"quantiles":[1],"handle_time_s":210.5},{"start":"2026-11-10T12:30:00Z","mean":0,"quantiles":[0]}]}`, string(text))
	var back, old scheduling.Curve
	require.NoError(t, json.Unmarshal(text, &back))
	assert.Equal(t, c, back)
	require.NoError(t, json.Unmarshal([]byte(`{"queue":"a/pre","slot":1800000000000,"levels":[0.5],"points":[
		{"start":"2026-11-10T12:00:00Z","mean":2,"quantiles":[1],"handle_time":210500000000},{"start":"2026-11-10T12:30:00Z","mean":0,"quantiles":[0]}]}`), &old))
	assert.Equal(t, c, old)
	assert.Error(t, json.Unmarshal([]byte(`{"slot":"soon"}`), &old))

	rapid.Check(t, func(t *rapid.T) {
		p := scheduling.Point{Start: start, HandleTime: time.Duration(rapid.Int64Range(0, int64(48*time.Hour)).Draw(t, "time"))}
		text, err := json.Marshal(p)
		require.NoError(t, err)
		var back scheduling.Point
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, p, back)
	})
}
