package staffing_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

// 100 calls of 180 s in 30 min are 10 erlangs; with 30 calls of a minute in an hour one agent is M/M/1 with
// rho = 1/2. Each inverse is checked against a closed form.
func TestInversesHaveClosedForms(t *testing.T) {
	half := staffing.Queue{Contacts: 30, Interval: time.Hour, HandleTime: time.Minute}
	ten := calls(100, 180, 0)
	for _, c := range []struct {
		name  string
		model staffing.Model
		queue staffing.Queue
		goal  staffing.Goal
		whole float64
		real  float64 // NaN: no closed form between whole numbers
	}{
		// Occupancy of Erlang C is a/c: 10/0.85 = 11.76.
		{"occupancy", staffing.ModelC, ten, staffing.Goal{Occupancy: 0.85}, 12, 10 / 0.85},
		// M/M/1: W = rho/(mu-lambda) = 60 s exactly, so 60 s need one and 59 s two agents.
		{"asa met", staffing.ModelC, half, staffing.Goal{ASA: time.Minute + time.Microsecond}, 1, math.NaN()},
		{"asa missed", staffing.ModelC, half, staffing.Goal{ASA: 59 * time.Second}, 2, math.NaN()},
		// B(1, 1/2) = 1/3, B(2, 1/2) = 1/13.
		{"blocking met", staffing.ModelB, half, staffing.Goal{Abandon: 1.0/3 + 1e-9}, 1, math.NaN()},
		{"blocking missed", staffing.ModelB, half, staffing.Goal{Abandon: 1.0/3 - 1e-9}, 2, math.NaN()},
		{"service of B", staffing.ModelB, half, staffing.Goal{ServiceLevel: 12.0/13 + 1e-9}, 3, math.NaN()},
		// M/M/1: SL = 1 - 0.5 exp(-0.5) = 0.696735 within a minute.
		{"service met", staffing.ModelC, half, staffing.Goal{ServiceLevel: 0.6967, Within: time.Minute}, 1, math.NaN()},
		{"service missed", staffing.ModelC, half, staffing.Goal{ServiceLevel: 0.6968, Within: time.Minute}, 2, math.NaN()},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := staffing.Least(c.model, c.queue, c.goal)
			require.NoError(t, err)
			assert.Equal(t, c.whole, p.Agents)
			f, err := staffing.LeastFractional(c.model, c.queue, c.goal)
			require.NoError(t, err)
			assert.LessOrEqual(t, f.Agents, p.Agents)
			assert.Greater(t, f.Agents, p.Agents-1)
			if !math.IsNaN(c.real) {
				assert.InDelta(t, c.real, f.Agents, 1e-7)
			}
		})
	}
}

// With patience = AHT the number present is Poisson(a), whatever the agents, and P(abandon) = E[(N-c)+]/a.
func TestAbandonmentInverseInTheInfiniteServerCase(t *testing.T) {
	lost := func(c int) float64 {
		sum, weight := 0.0, math.Exp(-2)
		for n := 0; n < 60; n++ {
			sum += float64(max(0, n-c)) * weight
			weight *= 2 / float64(n+1)
		}
		return sum / 2
	}
	q := staffing.Queue{Contacts: 2, Interval: time.Minute, HandleTime: time.Minute, Patience: time.Minute}
	for c := 1; c < 9; c++ {
		p, err := staffing.Least(staffing.ModelA, q, staffing.Goal{Abandon: lost(c) * 1.0001})
		require.NoError(t, err)
		assert.Equal(t, float64(c), p.Agents)
		p, err = staffing.Least(staffing.ModelA, q, staffing.Goal{Abandon: lost(c) * 0.9999})
		require.NoError(t, err)
		assert.Equal(t, float64(c+1), p.Agents)
	}
}

// A queue that grows without end reaches no goal, not even an occupancy of 100 %.
func TestUnstableQueuesReachNothing(t *testing.T) {
	for _, g := range []staffing.Goal{{Occupancy: 1}, {Abandon: 0.5}} {
		p, err := staffing.Least(staffing.ModelC, calls(100, 180, 0), g)
		require.NoError(t, err)
		assert.Equal(t, 11.0, p.Agents)
	}
}

func TestUnreachableSaysWhyAndWhatIsBest(t *testing.T) {
	best, err := staffing.Least(staffing.ModelC, calls(100, 180, 0), staffing.Goal{ServiceLevel: 0.8, Occupancy: 1e-5})
	require.Error(t, err)
	assert.Equal(t, "staffing.unreachable", fault.CodeOf(err))
	assert.ErrorContains(t, err, "occupancy of 0.000100 (wanted 1e-05)")
	assert.NotContains(t, err.Error(), "service level")
	assert.InDelta(t, 1e-4, best.Occupancy, 1e-12)
}

func TestGoalsNameEveryBadField(t *testing.T) {
	err := staffing.Goal{ServiceLevel: 1, Within: -1, ASA: -1, Abandon: math.NaN(), Occupancy: 1.01}.Validate()
	require.Error(t, err)
	for _, field := range []string{"target", "within", "asa", "abandon", "occupancy"} {
		assert.ErrorContains(t, err, field+":")
	}
	err = staffing.Queue{Contacts: math.Inf(1), Patience: -1}.ValidateAt("x", math.NaN(), -1)
	require.Error(t, err)
	for _, field := range []string{"model", "contacts", "interval", "handle_time", "patience", "agents", "within"} {
		assert.ErrorContains(t, err, field+":")
	}
}

func TestPointsThatOverlapAreMoreThanADay(t *testing.T) {
	in := staffing.Input{Curve: curve(30*time.Minute, 10, 10), Target: phoneTarget()}
	in.Curve.Points[1].Start = monday.Add(15 * time.Minute)
	assert.ErrorContains(t, in.Validate(), "curve.points[1].start")
	assert.ErrorContains(t, in.Validate(), "more than 24 h")
	in.Curve.Points[0].Mean, in.Shrinkage = math.NaN(), 2
	assert.ErrorContains(t, in.Validate(), "curve.points[0].mean")
	assert.ErrorContains(t, in.Validate(), "shrinkage", "all at once")
}
