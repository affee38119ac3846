package staffing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/scheduling/staffing"
	"github.com/chaoban/chaoban/scheduling/staffing/simulate"
)

// crowdable is a desk that keeps up with 2,718 contacts an hour while its agents have two open, and that finishes only 2,360 when
// all are full.
func crowdable() (c staffing.Chats, agents int) {
	return staffing.Chats{
		Contacts: 2718, Interval: time.Hour, HandleTime: 312 * time.Second, Patience: 211 * time.Second,
		Concurrency: 5, Overhead: 0.64, Rounds: 1.2, Slowdown: 0.08,
	}, 173
}

// afterBurst simulates 20 hours from empty with a burst in the seventh, and looks at the last five: share of first
// replies within 3 minutes, share that left.
func afterBurst(t *testing.T, c staffing.Chats, agents int, burst float64) (within, left float64) {
	t.Helper()
	const hours = 20
	q := simulate.Queue{
		Rounds: c.Rounds, Work: simulate.Span{Mean: seconds(c.HandleTime.Seconds() * c.Overhead / c.Rounds)},
		Think: simulate.Span{Mean: seconds(c.HandleTime.Seconds() * (1 - c.Overhead) / (c.Rounds - 1))}, Patience: simulate.Span{Mean: c.Patience},
		FirstWithin: 3 * time.Minute, ResponseWithin: 3 * time.Minute,
	}
	for range hours {
		q.Rates = append(q.Rates, c.Contacts)
	}
	if burst > 0 {
		q.Spikes = []simulate.Spike{{At: 6 * time.Hour, Contacts: burst, Decay: time.Minute}}
	}
	seats := make([]simulate.Agent, agents)
	for i := range seats {
		seats[i] = simulate.Agent{Queues: []int{0}, Limit: c.Concurrency, Slowdown: c.Slowdown}
	}
	s, err := simulate.Run(simulate.Config{Seed: 7, Horizon: hours * time.Hour, Slot: time.Hour, WarmUp: (hours - 5) * time.Hour, Queues: []simulate.Queue{q}, Agents: seats}, nil)
	require.NoError(t, err)
	sum := s.Total()
	return sum.Share(sum.FirstWithin), sum.Share(sum.Abandoned)
}

// A desk with two regimes stays in the calm one when it begins empty, also after a burst that does not reach the
// tipping point. One that goes beyond it leaves the desk full for hours. The simulator knows.
func TestADeskStaysCalmUntilABurstTipsItOver(t *testing.T) {
	c, agents := crowdable()
	tip, two := c.Tips(agents, 3*time.Minute)
	require.True(t, two)
	calm := c.At(agents, 3*time.Minute, time.Minute)
	here := calm.Open * float64(agents)
	require.Greater(t, float64(tip.Conversations), here+100)

	for _, burst := range []float64{0, (float64(tip.Conversations) - here) / 2} {
		within, left := afterBurst(t, c, agents, burst)
		assert.InDelta(t, within, calm.FirstWithin, 0.03, "burst of %.0f", burst)
		assert.InDelta(t, left, calm.Abandon, 0.005, "burst of %.0f", burst)
	}
	within, left := afterBurst(t, c, agents, 2*(float64(tip.Conversations)-here))
	assert.InDelta(t, within, tip.Within, 0.02)
	assert.Greater(t, left, 0.1)

	_, two = c.Tips(agents*6/5, 3*time.Minute)
	assert.False(t, two, "a fifth more agents finish what comes also when they are full")
	c.Slowdown = 0
	_, two = c.Tips(agents, 3*time.Minute)
	assert.False(t, two, "without slower replies there is one regime")
}

// Followed from empty through a day, the desk comes to the same calm state.
func TestADayFromEmptyStaysCalm(t *testing.T) {
	c, agents := crowdable()
	c.Rounds, c.HandleTime, c.Overhead = 4, 400*time.Second, 0.55 // several rounds: the day model has no memory of pauses
	c.Contacts = 1.06 * float64(agents) * 3600 * c.Capacity()
	_, two := c.Tips(agents, time.Minute)
	require.True(t, two)
	slots := make([]staffing.DaySlot, 20)
	for i := range slots {
		slots[i] = staffing.DaySlot{Contacts: c.Contacts, Heads: agents}
	}
	day := c.Day(slots, time.Minute, time.Minute)
	calm := c.At(agents, time.Minute, time.Minute)
	assert.InDelta(t, calm.FirstWithin, day[18].FirstWithin, 0.02)
	assert.InDelta(t, calm.Open, day[18].Open, 0.1)
}

// A plan names the slots whose desk a burst would tip over, and how many conversations that takes.
func TestPlanTellsWhatTipsADeskOver(t *testing.T) {
	c, _ := crowdable()
	target := staffing.DefaultTarget()
	target.HandleTime, target.Patience, target.Concurrency, target.Overhead = c.HandleTime, c.Patience, c.Concurrency, c.Overhead
	target.Rounds, target.Slowdown, target.Share, target.Within, target.OccupancyCap = 4, 0.08, 0.5, 2*time.Minute, 0
	out, err := staffing.Plan(staffing.Input{Curve: curve(15*time.Minute, 60, 700), Target: target})
	require.NoError(t, err)
	r := out.Reached[1]
	require.Positive(t, r.TipsAt, "%+v", r)
	assert.Greater(t, float64(r.TipsAt), r.Open*float64(r.Heads))
	assert.Less(t, r.TippedShare, 0.5)
	assert.Contains(t, out.Requirement.Needs[1].Reason, "tip this desk over")
	assert.NotContains(t, out.Requirement.Needs[0].Reason, "tip")
}
