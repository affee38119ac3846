package pricing

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing"
	"github.com/chaoban/chaoban/scheduling/staffing/margin"
	"github.com/chaoban/chaoban/scheduling/staffing/simulate"
)

// opening is a stretch whose quarter hour at 20:00 of November 10 has an opening: of 90 contacts 60 % in a crowd that fades with
// two minutes.
func opening() stretch {
	target := staffing.DefaultTarget()
	target.OccupancyCap, target.Overhead = 0, 0.2
	at := time.Date(2026, 11, 10, 20, 0, 0, 0, time.FixedZone("CST", 8*3600))
	s := stretch{
		queue: store.Queue{Queue: contracts.Queue{ID: "q", Skill: "pre"}, Shop: "s"},
		curve: scheduling.Curve{Queue: "q", Slot: calendar.Slot},
		part:  PlanPart{Target: target, Rushes: []Rush{{Rush: staffing.Rush{At: at, Share: 0.6, Decay: 2 * time.Minute}}}},
	}
	for i, contacts := range []float64{40, 40, 90, 60} {
		s.curve.Points = append(s.curve.Points, scheduling.Point{Start: at.Add(time.Duration(i-2) * calendar.Slot), Mean: contacts})
	}
	return s
}

// simulated share of the contacts of the opening that get their first reply in time, with some heads by slot.
func simulated(t *testing.T, s stretch, heads []int) float64 {
	t.Helper()
	g := s.part.Target
	alone := g.HandleTime.Seconds()
	config := simulate.Config{Horizon: time.Hour, Slot: 15 * time.Minute, Queues: []simulate.Queue{{
		Rates: []float64{40, 40, 36, 60}, Spikes: []simulate.Spike{{At: 30 * time.Minute, Contacts: 54, Decay: 2 * time.Minute}},
		Rounds: g.Rounds, Patience: simulate.Span{Mean: g.Patience},
		Work:  simulate.Span{Mean: time.Duration(alone * g.Overhead / g.Rounds * 1e9)},
		Think: simulate.Span{Mean: time.Duration(alone * (1 - g.Overhead) / (g.Rounds - 1) * 1e9)},
	}}}
	for i := range 100 {
		duty := []simulate.Interval{}
		for n, h := range heads {
			if h > i {
				duty = append(duty, simulate.Interval{Start: time.Duration(n) * 15 * time.Minute, End: time.Duration(n+1) * 15 * time.Minute})
			}
		}
		config.Agents = append(config.Agents, simulate.Agent{Queues: []int{0}, Limit: g.Concurrency, Slowdown: g.Slowdown, Duty: duty})
	}
	within, all := 0, 0
	for seed := range uint64(300) {
		config.Seed = seed
		_, err := simulate.Run(config, func(c *simulate.Conversation) {
			if c.Arrived < 30*time.Minute || c.Arrived >= 45*time.Minute {
				return
			}
			all++
			if r := c.FirstResponse(); r != simulate.Never && r <= g.Within {
				within++
			}
		})
		require.NoError(t, err)
	}
	return float64(within) / float64(all)
}

// The margin engine staffs the opening as the plain method does: enough, says the simulator, for the least share that is asked for,
// which the same engine misses when it takes the contacts as even.
func TestMarginStaffsAnOpening(t *testing.T) {
	s := opening()
	best := func(crowded bool) []int {
		q := &moneyQueue{stretch: s, Queue: margin.Queue{
			Queue: "q", Handling: handlingOf(s),
			Service: &margin.Service{Metric: margin.FirstWithin, WithinS: s.part.Target.Within.Seconds(), Least: s.part.Target.Share},
		}}
		one := s
		if !crowded {
			one.part.Rushes = nil
		}
		q.expect(one, question{zone: time.FixedZone("CST", 8*3600)})
		day := calendar.Date{Year: 2026, Month: 11, Day: 10}
		m, err := margin.New(t.Context(), margin.Input{From: day, Until: day.Add(1), Scenarios: 4, Wage: margin.Wage{HourYuan: 25}, Queues: []margin.Queue{q.finish()}})
		require.NoError(t, err)
		r, err := m.Optimise(t.Context())
		require.NoError(t, err)
		return r.Plan.Queues[0].Heads
	}
	plain, err := staffing.Plan(staffing.Input{Curve: s.curve, Target: s.part.Target, Rushes: s.part.followed(s.curve.Slot)})
	require.NoError(t, err)
	crowd, even := best(true), best(false)
	t.Log(crowd, even, plain.Requirement.Needs[2].Heads)
	assert.InDelta(t, plain.Requirement.Needs[2].Heads, crowd[2], 1)
	for _, i := range []int{0, 1, 3} {
		assert.Equal(t, even[i], crowd[i], "the slots without an opening stay")
	}
	with, without := simulated(t, s, crowd), simulated(t, s, even)
	t.Logf("%.3f with the crowd, %.3f as even", with, without)
	assert.Greater(t, with, s.part.Target.Share-0.03)
	assert.Less(t, without, s.part.Target.Share-0.05)
}

// Where all come at once, so many times as many that come evenly need the same heads; without an opening once as many.
func TestACrowdIsReadOffTheHeads(t *testing.T) {
	s := opening()
	c := s.crowding(s.curve)
	require.Len(t, c, 1)
	factor := c[s.curve.Points[2].Start]
	assert.Greater(t, factor, 1.1)
	need := func(points []scheduling.Point, rushes []staffing.Rush) int {
		out, err := staffing.Plan(staffing.Input{Curve: scheduling.Curve{Queue: "q", Slot: calendar.Slot, Points: points}, Target: s.part.Target, Rushes: rushes})
		require.NoError(t, err)
		return out.Requirement.Needs[len(points)-1].Heads
	}
	many := s.curve.Points[2]
	many.Mean *= factor
	assert.InDelta(t, need(s.curve.Points[1:3], s.part.followed(s.curve.Slot)), need([]scheduling.Point{many}, nil), 1)
	s.part.Rushes = nil
	assert.Empty(t, s.crowding(s.curve))
}

// An opening keeps its contacts when the slots of the pool are longer than those of the forecast.
func TestACrowdKeepsItsContacts(t *testing.T) {
	s := opening()
	half := scheduling.Curve{Queue: "q", Slot: poolSlot, Points: []scheduling.Point{
		{Start: s.curve.Points[0].Start, Mean: 80}, {Start: s.curve.Points[2].Start, Mean: 150},
	}}
	in := s.crowdsIn(half, 0)
	require.Len(t, in, 1)
	assert.InDelta(t, 0.6*90/150, in[0].Share, 1e-12)
}
