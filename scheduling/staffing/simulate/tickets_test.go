package simulate_test

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/scheduling/staffing/simulate"
)

func constant(d time.Duration) simulate.Span {
	return simulate.Span{Mean: d, Shape: simulate.Constant}
}

// One agent with calls before tickets is M/M/1 with two preemptive-resume classes: with load r1 of calls, r in all
// and handle time s for both, a ticket is open for s/(1-r1) + s r/((1-r1)(1-r)) on average, and the calls see
// a plain M/M/1 (Gross & Harris, Fundamentals of Queueing Theory, 3rd ed., sec. 3.4.3).
func TestTicketsArePreemptiveResume(t *testing.T) {
	const callsPerHour, ticketsPerHour, hours = 18.0, 24.0, 20_000
	c := phone(callsPerHour, hours, time.Minute, 0, 1, time.Minute)
	c.Tickets = []simulate.Tickets{{Rates: flat(ticketsPerHour, hours), Work: simulate.Span{Mean: time.Minute}, Due: 2 * time.Minute}}
	c.Agents[0].Tickets = []int{0}
	sum, err := simulate.Run(c, nil)
	require.NoError(t, err)
	r1, r := callsPerHour/60, (callsPerHour+ticketsPerHour)/60
	got := sum.Tickets[0]
	assert.InEpsilon(t, 60/(1-r1)+60*r/((1-r1)*(1-r)), got.OpenSeconds/float64(got.Done), 0.02)
	assert.InEpsilon(t, 60*r1/(1-r1), sum.Queues[0].WaitSeconds/float64(sum.Queues[0].Arrived), 0.02)
	assert.InDelta(t, r1, sum.Occupancy(), 0.005)
	assert.InDelta(t, ticketsPerHour/60, sum.Agents[0].TicketWork.Seconds()/sum.Span.Seconds(), 0.005)
	assert.Positive(t, got.ReopenedTimes)
}

// Live conversations do not notice tickets: of agents with one conversation at a time, any free one is as good.
func TestTicketsDoNotDelayBuyers(t *testing.T) {
	c := phone(200, 200, 3*time.Minute, 4*time.Minute, 11, 20*time.Second)
	without, err := simulate.Run(c, nil)
	require.NoError(t, err)
	c.Tickets = []simulate.Tickets{{Rates: flat(8, 200), Work: simulate.Span{Mean: 5 * time.Minute}, Due: 2 * time.Hour}}
	for i := range c.Agents {
		c.Agents[i].Tickets = []int{0}
	}
	with, err := simulate.Run(c, nil)
	require.NoError(t, err)
	assert.Equal(t, without.Queues, with.Queues)
	assert.Equal(t, with.Tickets[0].Arrived, with.Tickets[0].Done)
	assert.Greater(t, with.Tickets[0].OnTime*10, with.Tickets[0].Arrived*9)
}

// By hand: at 0 the agent takes the ticket due first (B, 10 min of work). A buyer interrupts from 4 to 6 min, so B is
// done at 12 and A, 10 min of work, is broken off at the end of the duty at 15 with 7 min left. A colleague
// starts at 60 at half the speed and needs 14.
func TestTicketsByHand(t *testing.T) {
	m := time.Minute
	c := simulate.Config{
		Horizon: 100 * m,
		Queues:  []simulate.Queue{{Instants: []time.Duration{4 * m}, Work: constant(2 * m)}},
		Tickets: []simulate.Tickets{
			{Instants: []time.Duration{0}, Work: constant(10 * m), Due: 75 * m},
			{Instants: []time.Duration{0}, Work: constant(10 * m), Due: 11 * m},
		},
		Agents: []simulate.Agent{
			{Queues: []int{0}, Tickets: []int{0, 1}, Duty: []simulate.Interval{{Start: 0, End: 15 * m}}},
			{Queues: []int{0}, Tickets: []int{0, 1}, Speed: 2, Duty: []simulate.Interval{{Start: 60 * m, End: 90 * m}}},
		},
	}
	c.Agents[0].Duty[0].Start = 1 // a nanosecond late, so that both tickets lie there
	sum, err := simulate.Run(c, nil)
	require.NoError(t, err)
	a, b := sum.Tickets[0], sum.Tickets[1]
	assert.InDelta(t, (12 * m).Seconds(), b.OpenSeconds, 1e-6)
	assert.InDelta(t, m.Seconds(), b.LateSeconds, 1e-6)
	assert.Equal(t, 0, b.OnTime)
	assert.Equal(t, 1, b.ReopenedTimes)
	assert.InDelta(t, (74 * m).Seconds(), a.OpenSeconds, 1e-6)
	assert.Equal(t, 1, a.ReopenedTimes)
	assert.Equal(t, 1, a.OnTime)
	assert.Equal(t, 13*m-1, sum.Agents[0].TicketWork)
	assert.Equal(t, 1, sum.Agents[1].Tickets)
}

// What the last shift leaves undone is told: Arrived - Done.
func TestTicketsThatNobodyFinishes(t *testing.T) {
	sum, err := simulate.Run(simulate.Config{
		Horizon: time.Hour, Queues: []simulate.Queue{{}},
		Tickets: []simulate.Tickets{{Instants: []time.Duration{0, 1, 2}, Work: constant(25 * time.Minute), Due: time.Hour}},
		Agents:  []simulate.Agent{{Tickets: []int{0}, Duty: []simulate.Interval{{Start: 0, End: time.Hour}}}},
	}, nil)
	require.NoError(t, err)
	assert.Equal(t, 2, sum.Tickets[0].Done)
	assert.Equal(t, 2, sum.Tickets[0].OnTime)
	assert.Equal(t, 3, sum.Tickets[0].Arrived)
}

// The agent finishes what is open after the duty and takes nothing new: a minute of work from 59:50 ends at 60:50.
func TestOpenConversationsAreFinishedAfterTheDuty(t *testing.T) {
	at := time.Hour - 10*time.Second
	var ended []time.Duration
	sum, err := simulate.Run(simulate.Config{
		Horizon: 2 * time.Hour,
		Queues:  []simulate.Queue{{Instants: []time.Duration{at, time.Hour + 10*time.Second}, Work: constant(time.Minute)}},
		Agents:  []simulate.Agent{{Queues: []int{0}, Limit: 3, Duty: []simulate.Interval{{Start: 0, End: time.Hour}}}},
	}, func(c *simulate.Conversation) { ended = append(ended, c.Ended) })
	require.NoError(t, err)
	assert.Equal(t, at+time.Minute, ended[0])
	assert.Equal(t, 50*time.Second, sum.Agents[0].AfterDuty)
	assert.Equal(t, time.Minute, sum.Agents[0].Busy)
	assert.Equal(t, 1, sum.Queues[0].Unserved)
}

// mall is one team for several shops with one queue each.
func mall(seed uint64, shops, agents, atOnce int) simulate.Config {
	c := chatty(seed)
	one := c.Queues[0]
	one.Transfer, one.Rates = 0, flat(120/float64(shops), 24)
	c.Queues = nil
	skills := []int{}
	for i := range shops {
		one.Shop = 100 + i
		c.Queues = append(c.Queues, one)
		skills = append(skills, i)
	}
	c.Agents = team(agents, simulate.Agent{Queues: skills, Limit: 5, MaxShops: atOnce})
	return c
}

func TestNobodyServesTooManyShopsAtOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shops, agents := rapid.IntRange(2, 6).Draw(t, "shops"), rapid.IntRange(1, 8).Draw(t, "agents")
		atOnce := rapid.IntRange(1, shops).Draw(t, "at once")
		type span struct {
			from, to time.Duration
			shop     int
		}
		held := make([][]span, agents)
		c := mall(rapid.Uint64().Draw(t, "seed"), shops, agents, atOnce)
		_, err := simulate.Run(c, func(r *simulate.Conversation) {
			if r.Agent >= 0 {
				held[r.Agent] = append(held[r.Agent], span{r.Assigned, r.Ended, c.Queues[r.Queue].Shop})
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, spans := range held {
			for _, at := range spans {
				open := map[int]bool{}
				for _, s := range spans {
					if s.from <= at.from && at.from < s.to {
						open[s.shop] = true
					}
				}
				check(t, len(open) <= atOnce, "%d shops at once at %v", len(open), at.from)
			}
		}
	})
}

// A limit that does not bind changes nothing; a tighter one never helps the buyers.
func TestShopLimitsThatDoNotBind(t *testing.T) {
	digest := func(atOnce int) (string, int) {
		h := sha256.New()
		sum, err := simulate.Run(mall(5, 4, 6, atOnce), func(c *simulate.Conversation) { fmt.Fprintf(h, "%+v\n", *c) })
		require.NoError(t, err)
		return fmt.Sprintf("%x", h.Sum(nil)), sum.Total().FirstWithin
	}
	free, most := digest(0)
	four, _ := digest(4)
	assert.Equal(t, free, four)
	_, one := digest(1)
	assert.Less(t, one, most)
}

// A table of the linear slowdown is the linear slowdown; its last entry holds beyond its end.
func TestPaceIsATableOfTheSlowdown(t *testing.T) {
	digest := func(change func(*simulate.Agent)) string {
		c := chatty(3)
		for i := range c.Agents {
			c.Agents[i].Slowdown = 0
			change(&c.Agents[i])
		}
		h := sha256.New()
		_, err := simulate.Run(c, func(c *simulate.Conversation) { fmt.Fprintf(h, "%+v\n", *c) })
		require.NoError(t, err)
		return fmt.Sprintf("%x", h.Sum(nil))
	}
	linear := digest(func(a *simulate.Agent) { a.Slowdown = 0.25 })
	assert.Equal(t, linear, digest(func(a *simulate.Agent) { a.Pace = []float64{1, 1.25, 1.5, 1.75, 2} }))
	assert.NotEqual(t, linear, digest(func(a *simulate.Agent) { a.Pace = []float64{1, 1.25} }))
	assert.Equal(t, digest(func(*simulate.Agent) {}), digest(func(a *simulate.Agent) { a.Pace = []float64{1} }))
}

func TestBadTicketsAndAgentsAreNamed(t *testing.T) {
	err := simulate.Config{
		Horizon: time.Hour, Queues: []simulate.Queue{{}},
		Tickets: []simulate.Tickets{{Rates: []float64{-1}, Instants: []time.Duration{-1}, Work: simulate.Span{Mean: -1}}},
		Agents:  []simulate.Agent{{Tickets: []int{1}, MaxShops: -1, Pace: []float64{0}, Slowdown: 0.1}},
	}.Validate()
	for _, field := range []string{
		"slot", "tickets[0].rates[0]", "tickets[0].instants", "tickets[0].work", "tickets[0].due",
		"agents[0].tickets", "agents[0].max_shops", "agents[0].pace[0]", "agents[0].slowdown",
	} {
		assert.ErrorContains(t, err, field)
	}
}
