package forecast_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/scheduling/forecast"
)

// spoilt is an office queue of 120 days, 9 to 21 o'clock, with some hours changed.
func spoilt(t *testing.T, from, to int, change func(v float64) float64) forecast.Series {
	s := busyHours(t, 3, 120, nil)
	s.Values = slices.Clone(s.Values)
	for i := from; i < to; i++ {
		if !math.IsNaN(s.Values[i]) {
			s.Values[i] = change(s.Values[i])
		}
	}
	return s
}

// TestOneFindingPerStretch spoils one stretch in ways that several tests see; one finding names it,
// with what it could be besides, whatever a missing record means.
func TestOneFindingPerStretch(t *testing.T) {
	lose := func(float64) float64 { return math.NaN() }
	for name, c := range map[string]struct {
		from, to int // hours
		change   func(float64) float64
		kind     forecast.FindingKind
		first    time.Time
		end      time.Time
	}{
		"lost from noon to the next night": {80*24 + 12, 82 * 24, lose, forecast.ImportGap, slotAt(80, 12), slotAt(82, 0)},
		"lost for six hours":               {80*24 + 12, 80*24 + 18, lose, forecast.ImportGap, slotAt(80, 12), slotAt(80, 18)},
		"a hanging counter for a week":     {80 * 24, 88 * 24, func(float64) float64 { return 200 }, forecast.Frozen, slotAt(80, 9), slotAt(87, 21)},
		"counted twice for a week":         {80 * 24, 88 * 24, func(v float64) float64 { return 2 * v }, forecast.Doubled, slotAt(80, 9), slotAt(88, 11)},
		"nobody for a day":                 {80 * 24, 81 * 24, func(float64) float64 { return 0 }, forecast.Outage, slotAt(80, 0), slotAt(81, 0)},
	} {
		for _, missing := range []forecast.Missing{forecast.MissingClosed, forecast.MissingZero} {
			found := forecast.Inspect(spoilt(t, c.from, c.to, c.change), forecast.Options{Missing: missing})
			require.Len(t, found, 1, "%s, missing %s: %v", name, missing, found)
			assert.Equal(t, c.kind, found[0].Kind, name)
			assert.True(t, found[0].From.Equal(c.first) && found[0].To.Equal(c.end), "%s: %s to %s", name, found[0].From, found[0].To)
		}
	}
	gap := forecast.Inspect(spoilt(t, 80*24+12, 82*24, lose), forecast.Options{Missing: forecast.MissingZero})[0]
	var kinds []forecast.FindingKind
	for _, a := range gap.Alternatives {
		kinds = append(kinds, a.Kind)
	}
	assert.ElementsMatch(t, []forecast.FindingKind{forecast.ClosedDay, forecast.Outage}, kinds, "a closure of the second day, an outage of the first")
}

// TestTwoStretchesAreTwoFindings: a lack and a surplus on one day are two things, and two closed days
// with a day between them are two.
func TestTwoStretchesAreTwoFindings(t *testing.T) {
	s := spoilt(t, 80*24+10, 80*24+15, func(float64) float64 { return 0 })
	for i := 80*24 + 17; i < 80*24+21; i++ {
		s.Values[i] *= 4
	}
	var kinds []forecast.FindingKind
	for _, f := range forecast.Inspect(s, forecast.Options{}) {
		kinds = append(kinds, f.Kind)
	}
	assert.Equal(t, []forecast.FindingKind{forecast.Outage, forecast.Incident}, kinds)

	s = spoilt(t, 80*24, 81*24, func(float64) float64 { return math.NaN() })
	for i := 82 * 24; i < 83*24; i++ {
		s.Values[i] = math.NaN()
	}
	assert.Len(t, forecast.Inspect(s, forecast.Options{}), 2)
}
