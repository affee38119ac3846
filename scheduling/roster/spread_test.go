package roster_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
)

// nine is a day of nine hours whose windows let a break follow the meal at once.
func nine(apart time.Duration) []roster.Pause {
	return []roster.Pause{
		{Kind: scheduling.Break, Length: 15 * time.Minute, Earliest: 90 * time.Minute, Latest: 150 * time.Minute},
		{Kind: scheduling.Meal, Length: time.Hour, Earliest: 3 * time.Hour, Latest: 5 * time.Hour, Apart: apart},
		{Kind: scheduling.Break, Length: 15 * time.Minute, Earliest: 6 * time.Hour, Latest: 7*time.Hour + 30*time.Minute, Apart: apart},
	}
}

// gaps are the lengths of work between the pauses of a shift.
func gaps(x scheduling.Shift) (out []time.Duration) {
	var end time.Time
	for _, a := range x.Activities {
		if a.Kind == scheduling.Work {
			continue
		}
		if !end.IsZero() {
			out = append(out, a.Start.Sub(end))
		}
		end = a.End
	}
	return out
}

// Nothing is needed between 14:00 and 15:15, so that is when a day from nine eats and rests at no loss. An hour apart
// the second break takes a quarter of an hour of need, at 100 yuan an hour, and no more.
func TestBreaksAreSpread(t *testing.T) {
	lost := map[time.Duration]float64{}
	for _, apart := range []time.Duration{0, time.Hour} {
		p := small(1)
		p.Weights.Depth = 0
		p.Templates[0].Pauses = nine(apart)
		r := scheduling.Requirement{Queue: "q", Slot: 15 * time.Minute}
		for at := 9 * time.Hour; at < 18*time.Hour; at += r.Slot {
			if at < 14*time.Hour || at >= 15*time.Hour+15*time.Minute {
				r.Needs = append(r.Needs, scheduling.Need{Start: p.Range.Start.Add(at), Heads: 1, Value: 25})
			}
		}
		p.Demand = []scheduling.Requirement{r}
		s := solve(t, p, 20)
		require.Len(t, s.Roster.Shifts, 1)
		lost[apart] = s.Parts.Short
		between := gaps(s.Roster.Shifts[0])
		require.Len(t, between, 2)
		for _, g := range between {
			assert.GreaterOrEqual(t, g, apart)
		}
		if apart == 0 {
			assert.Zero(t, between[1], "the break follows the meal where nothing sees to it")
		}
	}
	assert.InDelta(t, 25, lost[0], 1e-6, "the first break")
	assert.InDelta(t, 50, lost[time.Hour], 1e-6)
}

// Whatever the demand, no two pauses of a shift are nearer than they have to be, and the account is that of the shifts.
func TestPausesAreNeverTooNear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := small(4)
		p.Templates[0].Pauses = nine(time.Duration(rapid.IntRange(0, 8).Draw(t, "quarters")) * 15 * time.Minute)
		r := scheduling.Requirement{Queue: "q", Slot: 15 * time.Minute}
		for slot := range 36 {
			heads := rapid.IntRange(0, 4).Draw(t, "heads")
			r.Needs = append(r.Needs, scheduling.Need{Start: p.Range.Start.Add(9*time.Hour + time.Duration(slot)*r.Slot), Heads: heads, Value: 25})
		}
		p.Demand = []scheduling.Requirement{r}
		for _, x := range solve(t, p, 30).Roster.Shifts {
			for _, g := range gaps(x) {
				assert.GreaterOrEqual(t, g, p.Templates[0].Pauses[1].Apart)
			}
		}
	})
}

// A distance that no placing keeps is told by name.
func TestPausesThatCannotBeSoFarApart(t *testing.T) {
	p := small(1)
	need(&p, "q", 1, 9, 12, 0)
	p.Templates[0].Pauses = nine(2 * time.Hour)
	require.NoError(t, p.Validate())
	p.Templates[0].Pauses = nine(4 * time.Hour)
	err := p.Validate()
	require.Error(t, err)
	var paths []string
	for _, f := range fault.Of(err).Fields {
		paths = append(paths, f.Path)
	}
	assert.Contains(t, paths, "templates[0].pauses[1].apart")
}
