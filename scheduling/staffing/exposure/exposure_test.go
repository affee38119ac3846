package exposure_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing"
	"github.com/chaoban/chaoban/scheduling/staffing/exposure"
)

var calls = staffing.Target{Share: 0.8, Within: 20 * time.Second, Patience: 3 * time.Minute, HandleTime: 3 * time.Minute}

var chats = staffing.Target{
	Share: 0.8, Within: 30 * time.Second, Patience: 3 * time.Minute, HandleTime: 4 * time.Minute, Concurrency: 4, Overhead: 0.2, Rounds: 4, Slowdown: 0.05,
}

// What Plan says of the heads it finds is what Serve says of them.
func TestServeAgreesWithPlan(t *testing.T) {
	for name, target := range map[string]staffing.Target{"calls": calls, "chats": chats} {
		for _, contacts := range []float64{0, 1, 20, 130} {
			out, err := staffing.Plan(staffing.Input{Target: target, Curve: scheduling.Curve{
				Slot: 15 * time.Minute, Points: []scheduling.Point{{Start: time.Unix(0, 0), Mean: contacts}},
			}})
			assert.NoError(t, err)
			want := out.Reached[0]
			got := exposure.Serve(target, contacts, 15*time.Minute, target.HandleTime, want.Heads)
			assert.Equal(t, []float64{want.Share, want.Abandon, want.Occupancy, want.WaitSeconds}, []float64{got.Share, got.Abandon, got.Occupancy, got.WaitSeconds}, "%s %g", name, contacts)
			assert.True(t, got.Met, "%s %g", name, contacts)
			if want.Heads > 0 {
				assert.False(t, exposure.Serve(target, contacts, 15*time.Minute, target.HandleTime, want.Heads-1).Met, "one head less misses the target: %s %g", name, contacts)
			}
		}
	}
	assert.Equal(t, staffing.Reached{Contacts: 5, HandleTime: time.Minute, Abandon: 1, WaitSeconds: 180}, exposure.Serve(calls, 5, 15*time.Minute, time.Minute, 0), "nobody there")
	patient := calls
	patient.Patience = 0
	assert.Equal(t, -1.0, exposure.Serve(patient, 100, 15*time.Minute, 3*time.Minute, 2).WaitSeconds, "20 erlangs for two: the queue grows without end")
}

// A normal forecast is met exactly: 100 + 20 z.
func TestQuantile(t *testing.T) {
	levels := []float64{0.1, 0.5, 0.9}
	z90 := 1.2815515655446004
	p := scheduling.Point{Mean: 100, Quantiles: []float64{100 - 20*z90, 100, 100 + 20*z90}}
	assert.InDelta(t, 100+20*1.6448536269514722, exposure.Quantile(levels, p, 0.95), 1e-9)
	assert.InDelta(t, 100-20*0.6744897501960817, exposure.Quantile(levels, p, 0.25), 1e-9)
	assert.InDelta(t, 100, exposure.Quantile(levels, p, 0.5), 1e-9)
	assert.Zero(t, exposure.Quantile(levels, p, 1e-9), "never below nothing")
	assert.InDelta(t, 100, exposure.Quantile(nil, p, 0.95), 0, "without quantiles the mean is certain")
}

func TestLadder(t *testing.T) {
	l := exposure.Ladder{Target: 0.85, FeeYuan: 10_000, Steps: []exposure.Step{{0, 0.02}, {0.05, 0.05}, {0.10, 0.15}}}
	for share, want := range map[float64]float64{1: 0, 0.85: 0, 0.849: 200, 0.801: 200, 0.80: 500, 0.75: 1500, 0: 1500} {
		assert.InDelta(t, want, l.Deduct(share), 1e-9, "%g", share)
	}
}

// A share that falls in a straight line over the normal score misses its target with a known probability:
// share = 0.9 - 0.05 z, target 0.85, so the ladder is paid when z > 1, 15.87 % of the time.
func TestPriceIsTheProbabilityTimesTheStep(t *testing.T) {
	var c exposure.Course
	for _, z := range []float64{-1.6448536269514722, -0.6744897501960817, 0, 0.6744897501960817, 1.6448536269514722} {
		c.Contacts = append(c.Contacts, 1000)
		c.Within = append(c.Within, 1000*(0.9-0.05*z))
	}
	_, share := c.At(0.5)
	assert.InDelta(t, 0.9, share, 1e-12)
	r := exposure.Price([]exposure.Judged{{Course: c, Ladder: exposure.Ladder{Target: 0.85, FeeYuan: 10_000, Steps: []exposure.Step{{0, 0.1}}}}})
	assert.InDelta(t, 1000*(1-0.8413447460685429), r.MeanYuan, 1000*0.005, "to a step of the grid")
	assert.Equal(t, []float64{0, 1000, 1000}, []float64{r.P50Yuan, r.P90Yuan, r.P95Yuan})
	contacts, missed := c.Expected()
	assert.InDelta(t, 1000, contacts, 1e-9)
	assert.InEpsilon(t, 100, missed, 0.02, "a tenth of a thousand, the tails bent by the bounds of a share")
}

// More heads never serve worse and never cost more penalty; courses add up.
func TestMoreHeadsNeverCostMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		target := rapid.SampledFrom([]staffing.Target{calls, chats}).Draw(t, "target")
		median := rapid.Float64Range(0, 60).Draw(t, "contacts")
		wide := rapid.Float64Range(1, 3).Draw(t, "spread")
		slot := exposure.Slot{
			Length: 15 * time.Minute, Heads: rapid.IntRange(0, 20).Draw(t, "heads"), HandleTime: target.HandleTime, Target: &target,
			Levels: []float64{0.1, 0.5, 0.9}, Demand: scheduling.Point{Mean: median, Quantiles: []float64{median / wide, median, median * wide}},
		}
		ladder := exposure.Ladder{Target: 0.8, FeeYuan: 1000, Steps: []exposure.Step{{0, 0.02}, {0.1, 0.2}}}
		one := exposure.CourseOf(slot)
		slot.Heads++
		more := exposure.CourseOf(slot)
		a, b := exposure.Price([]exposure.Judged{{one, ladder}}), exposure.Price([]exposure.Judged{{more, ladder}})
		assert.LessOrEqual(t, b.MeanYuan, a.MeanYuan+1e-9)
		assert.LessOrEqual(t, b.P95Yuan, a.P95Yuan+1e-9)
		_, fewer := one.Expected()
		_, missed := more.Expected()
		assert.LessOrEqual(t, missed, fewer+1e-9)
		assert.LessOrEqual(t, a.P50Yuan, a.P90Yuan)
		assert.LessOrEqual(t, a.P90Yuan, a.P95Yuan)
		both := one.Plus(more).Plus(exposure.Course{})
		contacts, share := both.At(0.75)
		c1, s1 := one.At(0.75)
		c2, s2 := more.At(0.75)
		assert.InDelta(t, c1+c2, contacts, 1e-9*(1+contacts))
		assert.InDelta(t, c1*s1+c2*s2, contacts*share, 1e-9*(1+contacts))
		assert.False(t, math.IsNaN(share))
	})
}
