package forecast_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// busyHours draws twelve weeks of Poisson counts, 9:00 to 21:00, weekends at half.
func busyHours(t testing.TB, seed uint64, days int, change func(d, k int, v float64) float64) forecast.Series {
	random := newLCG(seed)
	return steady(t, time.Hour, days, func(d, k int) float64 {
		if k < 9 || k >= 21 {
			return math.NaN()
		}
		mean := 60 + 25*math.Sin(float64(k)/24*2*math.Pi)
		if d%7 > 4 {
			mean /= 2
		}
		v := random.poisson(mean)
		if change != nil {
			v = change(d, k, v)
		}
		return v
	})
}

// TestCleanHistoryHasNoFindings counts alarms on honest counts: forty histories are nine years,
// in which the budget allows a handful.
func TestCleanHistoryHasNoFindings(t *testing.T) {
	alarms := 0
	for seed := range uint64(40) {
		found := forecast.Inspect(busyHours(t, seed, 84, nil), forecast.Options{})
		for _, f := range found {
			t.Log(f.Text)
		}
		alarms += len(found)
	}
	t.Logf("%d alarms in %.1f years", alarms, 40*84/365.)
	assert.LessOrEqual(t, alarms, 3)
}

// TestFirstWeekendIsNoFinding has less than two weeks: nobody can know that weekends are quiet.
func TestFirstWeekendIsNoFinding(t *testing.T) {
	for days := 1; days <= 16; days++ {
		s := steady(t, day, days, func(d, _ int) float64 {
			if d%7 > 4 {
				return 2001 + float64(d)
			}
			return 9000 + float64(d*7919%601)
		})
		for _, f := range forecast.Inspect(s, forecast.Options{}) {
			t.Errorf("%d days: %s", days, f.Text)
		}
	}
}

func slotAt(d, k int) time.Time { return monday.AddDate(0, 0, d).Add(time.Duration(k) * time.Hour) }

func TestInspectFindsWhatWasBroken(t *testing.T) {
	random := newLCG(5)
	for name, c := range map[string]struct {
		kind     forecast.FindingKind
		from, to time.Time
		change   func(d, k int, v float64) float64
		origin   time.Time
		missing  forecast.Missing
		text     string
	}{
		"outage": {
			kind: forecast.Outage, from: slotAt(30, 13), to: slotAt(30, 16), text: "rest of the day",
			change: func(d, k int, v float64) float64 {
				if d == 30 && k >= 13 && k < 16 {
					return math.Floor(v / 10)
				}
				return v
			},
		},
		"outage with a rebound": {
			kind: forecast.Outage, from: slotAt(30, 13), to: slotAt(30, 16), text: "a rebound",
			change: func(d, k int, v float64) float64 {
				switch {
				case d == 30 && k >= 13 && k < 16:
					return 0
				case d == 30 && k >= 16 && k < 18:
					return math.Floor(1.6 * v)
				}
				return v
			},
		},
		"incident": {
			kind: forecast.Incident, from: slotAt(44, 18), to: slotAt(44, 20), text: "platform incident",
			change: func(d, k int, v float64) float64 {
				if d == 44 && k >= 18 && k < 20 {
					return 3 * v
				}
				return v
			},
		},
		"spike": {
			kind: forecast.Spike, from: slotAt(50, 11), to: slotAt(50, 12), text: "no other slot comes near",
			change: func(d, k int, v float64) float64 {
				if d == 50 && k == 11 {
					return 99999
				}
				return v
			},
		},
		"gap inside a day": {
			kind: forecast.ImportGap, from: slotAt(25, 14), to: slotAt(25, 17), text: "no record",
			change: func(d, k int, v float64) float64 {
				if d == 25 && k >= 14 && k < 17 {
					return math.NaN()
				}
				return v
			},
		},
		"gap that would count as zeros": {
			kind: forecast.ImportGap, from: slotAt(25, 14), to: slotAt(25, 17), text: "no record", missing: forecast.MissingZero,
			change: func(d, k int, v float64) float64 {
				if d == 25 && k >= 14 && k < 17 {
					return math.NaN()
				}
				return v
			},
		},
		"closed day": {
			kind: forecast.ClosedDay, from: slotAt(37, 0), to: slotAt(38, 0), text: "this weekday is open",
			change: func(d, _ int, v float64) float64 {
				if d == 37 {
					return math.NaN()
				}
				return v
			},
		},
		"a week is missing": {
			kind: forecast.ImportGap, from: slotAt(35, 0), to: slotAt(42, 0), text: "7 open days in a row",
			change: func(d, _ int, v float64) float64 {
				if d >= 35 && d < 42 {
					return math.NaN()
				}
				return v
			},
		},
		"level shift": {
			kind: forecast.LevelShift, from: slotAt(42, 0), to: slotAt(56, 0), text: "lasting",
			change: func(d, _ int, v float64) float64 {
				if d >= 42 {
					return v + random.poisson(v*0.6)
				}
				return v
			},
		},
		"frozen": {
			kind: forecast.Frozen, from: slotAt(60, 10), to: slotAt(60, 17), text: "are all 47",
			change: func(d, k int, v float64) float64 {
				if d == 60 && k >= 10 && k < 17 {
					return 47
				}
				return v
			},
		},
		"day imported twice": {
			kind: forecast.Doubled, from: slotAt(29, 9), to: slotAt(29, 21), text: "imported twice",
			change: func(d, _ int, v float64) float64 {
				if d == 29 {
					return 2 * v
				}
				return v
			},
		},
		"ends early": {
			kind: forecast.EndsEarly, from: slotAt(83, 15), to: slotAt(84, 0), origin: slotAt(84, 0), text: "The last record ends",
			change: func(d, k int, v float64) float64 {
				if d == 83 && k >= 15 {
					return math.NaN()
				}
				return v
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := forecast.Options{Origin: c.origin, Missing: c.missing}
			found := forecast.Inspect(busyHours(t, 11, 84, c.change), o)
			require.Len(t, found, 1)
			f := found[0]
			assert.Equal(t, c.kind, f.Kind)
			// Edges may differ by a slot where chance makes the slot beside look broken too, and
			// a run of even counts beside a doubled day looks doubled.
			slack := 3 * time.Hour
			if c.kind == forecast.LevelShift {
				slack = 3 * day
			}
			if c.kind == forecast.Doubled {
				slack = 15 * time.Hour
			}
			assert.WithinDuration(t, c.from, f.From, slack)
			if c.kind != forecast.LevelShift {
				assert.WithinDuration(t, c.to, f.To, slack)
			}
			assert.Contains(t, f.Text, c.text)
			assert.NotEmpty(t, f.Handling)
			assert.True(t, f.Confidence >= 0.5 && f.Confidence <= 1, f.Confidence)
		})
	}
}

// TestCopiedDay repeats last Tuesday under this Tuesday's date.
func TestCopiedDay(t *testing.T) {
	s := busyHours(t, 3, 84, nil)
	copy(s.Values[36*24:37*24], s.Values[29*24:30*24])
	found := forecast.Inspect(s, forecast.Options{})
	require.Len(t, found, 1)
	assert.Equal(t, forecast.Frozen, found[0].Kind)
	assert.Contains(t, found[0].Text, "repeats 2026-03-31")
}

// TestKnownDaysAreNoFindings plants a tripled week and gives it as an event.
func TestKnownDaysAreNoFindings(t *testing.T) {
	s := busyHours(t, 9, 84, func(d, _ int, v float64) float64 {
		if d >= 40 && d < 47 {
			return 3*v + 1
		}
		return v
	})
	assert.NotEmpty(t, forecast.Inspect(s, forecast.Options{}))
	event := forecast.Event{Family: "live", Start: slotAt(40, 0), End: slotAt(47, 0)}
	assert.Empty(t, forecast.Inspect(s, forecast.Options{Events: []forecast.Event{event}}))
}

// TestFindingsAreShownAndNothingIsCleaned compares a run with its own findings excluded.
func TestFindingsAreShownAndNothingIsCleaned(t *testing.T) {
	broken := func(d, k int, v float64) float64 {
		if d >= 77 && d < 80 && k >= 12 && k < 18 {
			return 0
		}
		return v
	}
	o := forecast.Options{Horizon: 7 * day}
	sum := func(r forecast.Result) (total float64) {
		for _, p := range r.Curve.Points {
			total += p.Mean
		}
		return total
	}
	clean, err := forecast.Run(busyHours(t, 21, 84, nil), o)
	require.NoError(t, err)
	assert.Empty(t, clean.Findings)
	dirty, err := forecast.Run(busyHours(t, 21, 84, broken), o)
	require.NoError(t, err)
	require.Len(t, dirty.Findings, 3)
	assert.Contains(t, strings.Join(dirty.Doubts, "\n"), "outage 3")
	for _, missing := range []forecast.Missing{forecast.MissingClosed, forecast.MissingZero} {
		o.Missing = missing
		o.Exclude = nil
		for _, f := range dirty.Findings {
			o.Exclude = append(o.Exclude, f.Exclusion())
		}
		healed, err := forecast.Run(busyHours(t, 21, 84, broken), o)
		require.NoError(t, err)
		assert.Empty(t, healed.Findings, "what a planner took out is not found again")
		require.Len(t, healed.Excluded, 3)
		assert.Equal(t, 6, healed.Excluded[0].Slots)
		assert.Zero(t, healed.Excluded[0].Contacts)
		assert.InEpsilon(t, sum(clean), sum(healed), 0.02, missing)
		assert.Less(t, sum(dirty), 0.99*sum(healed), "as zeros the outage pulls the forecast down")
	}
}

// TestAnExcludedGapIsNotZero loses a day and a half in an import. Where missing records mean that
// nobody came, the gap pulls the forecast down until a planner takes it out; then it is as little
// known as where missing records mean nothing.
func TestAnExcludedGapIsNotZero(t *testing.T) {
	whole := busyHours(t, 3, 84, nil)
	lost := whole
	lost.Values = slices.Clone(whole.Values)
	per := len(lost.Values) / 84
	for i := 81*per + per/2; i < 83*per; i++ {
		lost.Values[i] = math.NaN()
	}
	sum := func(o forecast.Options) float64 {
		o.Horizon = 7 * day
		r, err := forecast.Run(lost, o)
		require.NoError(t, err)
		total := 0.0
		for _, p := range r.Curve.Points {
			total += p.Mean
		}
		return total
	}
	hours, err := forecast.ParseHours("Mon-Sun 09:00-21:00")
	require.NoError(t, err)
	zero := forecast.Options{Missing: forecast.MissingZero, Hours: hours}
	out := zero
	for _, f := range forecast.Inspect(lost, zero) {
		if f.Kind == forecast.ImportGap || f.Kind == forecast.ClosedDay {
			out.Exclude = append(out.Exclude, f.Exclusion())
		}
	}
	require.NotEmpty(t, out.Exclude)
	unknown := sum(forecast.Options{Missing: forecast.MissingClosed, Hours: hours})
	assert.Less(t, sum(zero), 0.98*unknown, "zeros pull")
	assert.InEpsilon(t, unknown, sum(out), 0.005)
	for _, f := range forecast.Inspect(lost, out) {
		assert.NotContains(t, []forecast.FindingKind{forecast.ImportGap, forecast.ClosedDay}, f.Kind, "what a planner took out is not found again")
	}
}

func TestExclusions(t *testing.T) {
	s := busyHours(t, 2, 84, nil)
	run := func(o forecast.Options) (forecast.Result, error) {
		o.Horizon = 3 * day
		return forecast.Run(s, o)
	}
	_, err := run(forecast.Options{Exclude: []forecast.Exclusion{
		{From: slotAt(3, 0), To: slotAt(2, 0)},
		{To: slotAt(2, 0), Reason: "x"},
	}})
	require.Equal(t, "forecast.options", fault.CodeOf(err))
	require.Len(t, fault.Of(err).Fields, 3)

	_, err = run(forecast.Options{Exclude: []forecast.Exclusion{{From: slotAt(-9, 0), To: slotAt(90, 0), Reason: "all"}}})
	require.Equal(t, "forecast.no_history", fault.CodeOf(err))
	assert.ErrorContains(t, err, "excluded")

	// Five weeks taken out at the end are not a queue that fell silent, nor a closed one.
	r, err := run(forecast.Options{Origin: slotAt(84, 0), Complete: slotAt(84, 0), Exclude: []forecast.Exclusion{
		{From: slotAt(49, 0), To: slotAt(84, 0), Reason: "another shop was moved in"},
	}})
	require.NoError(t, err)
	assert.InEpsilon(t, 60*12, r.Days[0].Mean, 0.3)
	assert.Contains(t, strings.Join(r.Doubts, "\n"), "another shop was moved in (420 records")
	assert.NotContains(t, strings.Join(r.Doubts, "\n"), "asleep")
	assert.False(t, slices.ContainsFunc(r.Findings, func(f forecast.Finding) bool { return f.Kind == forecast.ImportGap }))

	// An exclusion outside the history changes no number.
	plain, err := run(forecast.Options{})
	require.NoError(t, err)
	same, err := run(forecast.Options{Exclude: []forecast.Exclusion{{From: slotAt(200, 0), To: slotAt(201, 0), Reason: "later"}}})
	require.NoError(t, err)
	assert.Equal(t, plain.Curve, same.Curve)
}

// TestDailyHoursOpenTheWholeDay gives office hours to a series of whole days.
func TestDailyHoursOpenTheWholeDay(t *testing.T) {
	hours, err := forecast.ParseHours("Mon-Fri 09:00-18:00")
	require.NoError(t, err)
	s := steady(t, day, 60, func(d, _ int) float64 {
		if d%7 > 4 {
			return math.NaN()
		}
		return 100
	})
	r, err := forecast.Run(s, forecast.Options{Horizon: 7 * day, Hours: hours, Origin: monday.AddDate(0, 0, 63)})
	require.NoError(t, err)
	require.Len(t, r.Curve.Points, 5)
	assert.InEpsilon(t, 100, r.Curve.Points[0].Mean, 0.01)
}
