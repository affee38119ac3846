package scheduling_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

var monday = time.Date(2026, 11, 9, 0, 0, 0, 0, time.UTC)

func at(hour float64) time.Time { return monday.Add(time.Duration(hour * float64(time.Hour))) }

func shift(agent ids.Agent, start, end float64, activities ...scheduling.Activity) scheduling.Shift {
	return scheduling.Shift{Agent: agent, Start: at(start), End: at(end), Activities: activities}
}

func activity(kind scheduling.ActivityKind, start, end float64) scheduling.Activity {
	return scheduling.Activity{Kind: kind, Start: at(start), End: at(end)}
}

// paths are the places that an error complains about.
func paths(err error) []string {
	if err == nil {
		return nil
	}
	var out []string
	for _, f := range fault.Of(err).Fields {
		out = append(out, f.Path)
	}
	return out
}

func curve(change func(*scheduling.Curve)) scheduling.Curve {
	c := scheduling.Curve{
		Slot: 30 * time.Minute, Levels: []float64{0.1, 0.5, 0.9},
		Points: []scheduling.Point{
			{Start: at(9), Mean: 10, Quantiles: []float64{5, 10, 16}, HandleTime: time.Minute},
			{Start: at(9.5), Mean: 0, Quantiles: []float64{0, 0, 0}},
			{Start: at(12), Mean: 3, Quantiles: []float64{1, 3, 7}}, // the slots between are closed
		},
	}
	change(&c)
	return c
}

func TestCurveValidate(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*scheduling.Curve)
		paths  []string
	}{
		"good":               {func(*scheduling.Curve) {}, nil},
		"a day":              {func(c *scheduling.Curve) { c.Slot = 24 * time.Hour }, nil},
		"no levels":          {func(c *scheduling.Curve) { c.Levels = nil; c.Points = nil }, nil},
		"no slot":            {func(c *scheduling.Curve) { c.Slot = 0 }, []string{"slot"}},
		"a tiny slot":        {func(c *scheduling.Curve) { c.Slot = time.Minute }, []string{"slot"}},
		"a crooked slot":     {func(c *scheduling.Curve) { c.Slot = 7 * time.Minute }, []string{"slot"}},
		"a long slot":        {func(c *scheduling.Curve) { c.Slot = 2 * time.Hour }, []string{"slot"}},
		"a certain level":    {func(c *scheduling.Curve) { c.Levels[2] = 1 }, []string{"levels[2]"}},
		"levels descend":     {func(c *scheduling.Curve) { c.Levels[1] = 0.1 }, []string{"levels[1]"}},
		"level is no number": {func(c *scheduling.Curve) { c.Levels[0] = math.NaN() }, []string{"levels[0]"}},
		"points descend":     {func(c *scheduling.Curve) { c.Points[1].Start = at(9) }, []string{"points[1].start"}},
		"negative mean":      {func(c *scheduling.Curve) { c.Points[0].Mean = -1 }, []string{"points[0].mean"}},
		"mean no number":     {func(c *scheduling.Curve) { c.Points[0].Mean = math.NaN() }, []string{"points[0].mean"}},
		"endless mean":       {func(c *scheduling.Curve) { c.Points[0].Mean = math.Inf(1) }, []string{"points[0].mean"}},
		"quantiles cross":    {func(c *scheduling.Curve) { c.Points[0].Quantiles[0] = 11 }, []string{"points[0].quantiles"}},
		"quantile no number": {func(c *scheduling.Curve) { c.Points[0].Quantiles[0] = math.NaN() }, []string{"points[0].quantiles"}},
		"negative quantile":  {func(c *scheduling.Curve) { c.Points[1].Quantiles[0] = -1 }, []string{"points[1].quantiles"}},
		"quantile missing":   {func(c *scheduling.Curve) { c.Points[1].Quantiles = nil }, []string{"points[1].quantiles"}},
		"negative handling":  {func(c *scheduling.Curve) { c.Points[0].HandleTime = -1 }, []string{"points[0].handle_time"}},
		"everything at once": {func(c *scheduling.Curve) {
			c.Slot = -1
			c.Points[0].Mean = -1
			c.Points[0].HandleTime = -1
			c.Points[2].Start = at(1)
		}, []string{"slot", "points[0].mean", "points[0].handle_time", "points[2].start"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := curve(c.change).Validate()
			assert.Equal(t, c.paths, paths(err))
			if err != nil {
				assert.Equal(t, "curve.invalid", fault.CodeOf(err))
			}
		})
	}
}

func TestCurveAt(t *testing.T) {
	c := curve(func(*scheduling.Curve) {})
	for level, want := range map[float64]float64{0: 10, 0.1: 5, 0.5: 10, 0.9: 16} {
		got, ok := c.At(c.Points[0], level)
		assert.True(t, ok)
		assert.InDelta(t, want, got, 0)
	}
	_, ok := c.At(c.Points[0], 0.8)
	assert.False(t, ok, "a level that was not forecast is not made up")
}

func TestWorkTimeLeavesOutMealsOnly(t *testing.T) {
	s := shift("a", 9, 18,
		activity(scheduling.Work, 9, 12), activity(scheduling.Meal, 12, 13),
		activity(scheduling.Break, 15, 15.25), activity(scheduling.Training, 16, 17))
	assert.Equal(t, 8*time.Hour, s.WorkTime())
	assert.Equal(t, 9*time.Hour, shift("a", 22, 31).WorkTime(), "over midnight")
}

func TestRosterValidate(t *testing.T) {
	for name, c := range map[string]struct {
		shifts []scheduling.Shift
		paths  []string
	}{
		"empty":                {nil, nil},
		"back to back":         {[]scheduling.Shift{shift("a", 9, 17), shift("a", 17, 18)}, nil},
		"two agents":           {[]scheduling.Shift{shift("b", 9, 17), shift("a", 9, 17)}, nil},
		"24 hours":             {[]scheduling.Shift{shift("a", 0, 24)}, nil},
		"longer":               {[]scheduling.Shift{shift("a", 0, 24.25)}, []string{"shifts[0]"}},
		"no length":            {[]scheduling.Shift{shift("a", 9, 9)}, []string{"shifts[0]"}},
		"in two places":        {[]scheduling.Shift{shift("a", 12, 20), shift("b", 9, 17), shift("a", 9, 17)}, []string{"shifts[0]"}},
		"twice the same":       {[]scheduling.Shift{shift("a", 9, 17), shift("a", 9, 17)}, []string{"shifts[1]"}},
		"activities in order":  {[]scheduling.Shift{shift("a", 9, 17, activity(scheduling.Work, 9, 12), activity(scheduling.Meal, 12, 13))}, nil},
		"activity too early":   {[]scheduling.Shift{shift("a", 9, 17, activity(scheduling.Work, 8, 12))}, []string{"shifts[0]"}},
		"activity too late":    {[]scheduling.Shift{shift("a", 9, 17, activity(scheduling.Work, 16, 18))}, []string{"shifts[0]"}},
		"activities overlap":   {[]scheduling.Shift{shift("a", 9, 17, activity(scheduling.Work, 9, 12), activity(scheduling.Meal, 11, 13))}, []string{"shifts[0]"}},
		"activity of no time":  {[]scheduling.Shift{shift("a", 9, 17, activity(scheduling.Break, 10, 10))}, []string{"shifts[0]"}},
		"each is told at once": {[]scheduling.Shift{shift("b", 9, 8), shift("a", 9, 17), shift("a", 16, 20)}, []string{"shifts[2]", "shifts[0]"}},
	} {
		t.Run(name, func(t *testing.T) {
			before := slices.Clone(c.shifts)
			err := scheduling.Roster{Shifts: c.shifts}.Validate()
			assert.Equal(t, c.paths, paths(err))
			assert.Equal(t, before, c.shifts, "checking changes nothing")
		})
	}
}

// A roster is valid exactly when no quarter hour holds one agent twice: the slow way to say it.
func TestNobodyIsInTwoPlaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r scheduling.Roster
		seats := map[string]int{}
		double := false
		for range rapid.IntRange(0, 8).Draw(t, "shifts") {
			agent := ids.Agent(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "agent"))
			start := rapid.IntRange(0, 4*72).Draw(t, "start")
			length := rapid.IntRange(1, 4*12).Draw(t, "length")
			s := shift(agent, float64(start)/4, float64(start+length)/4)
			r.Shifts = append(r.Shifts, s)
			for slot := range s.Range().Slots(calendar.Slot) {
				key := fmt.Sprint(agent, slot.Start.Unix())
				seats[key]++
				double = double || seats[key] > 1
			}
		}
		assert.Equal(t, double, r.Validate() != nil)

		sorted := scheduling.Roster{Shifts: slices.Clone(r.Shifts)}
		sorted.Sort()
		require.ElementsMatch(t, r.Shifts, sorted.Shifts)
		assert.True(t, slices.IsSortedFunc(sorted.Shifts, func(a, b scheduling.Shift) int {
			if a.Agent != b.Agent {
				return map[bool]int{true: -1, false: 1}[a.Agent < b.Agent]
			}
			return a.Start.Compare(b.Start)
		}))
		assert.Equal(t, sorted.Validate() == nil, r.Validate() == nil, "order does not matter")
	})
}
