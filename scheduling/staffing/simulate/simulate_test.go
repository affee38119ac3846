package simulate_test

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/scheduling/staffing"
	"github.com/chaoban/chaoban/scheduling/staffing/simulate"
)

const hour = time.Hour

func team(n int, a simulate.Agent) []simulate.Agent {
	out := make([]simulate.Agent, n)
	for i := range out {
		out[i] = a
	}
	return out
}

func flat(perHour float64, hours int) []float64 {
	rates := make([]float64, hours)
	for i := range rates {
		rates[i] = perHour
	}
	return rates
}

// phone is an M/M/c(+M) queue: one round, one conversation per agent.
func phone(perHour float64, hours int, aht, patience time.Duration, agents int, within time.Duration) simulate.Config {
	return simulate.Config{
		Seed: 11, Horizon: time.Duration(hours) * hour, Slot: hour, WarmUp: 5 * hour,
		Queues: []simulate.Queue{{
			Rates: flat(perHour, hours), Work: simulate.Span{Mean: aht}, Patience: simulate.Span{Mean: patience}, FirstWithin: within,
		}},
		Agents: team(agents, simulate.Agent{Queues: []int{0}}),
	}
}

// The simulator must reproduce the exact Erlang formulas within the noise of its sample size.
func TestPhonePoolsAgreeWithErlang(t *testing.T) {
	for _, c := range []struct {
		perHour       float64
		aht, patience time.Duration
		agents        int
	}{
		{200, 180 * time.Second, 0, 12},
		{200, 180 * time.Second, 0, 14},
		{200, 180 * time.Second, 300 * time.Second, 9},
		{200, 180 * time.Second, 60 * time.Second, 10},
		{2000, 240 * time.Second, 120 * time.Second, 130},
		{20, 300 * time.Second, 600 * time.Second, 1},
	} {
		t.Run(fmt.Sprintf("%v_%v_%d", c.perHour, c.patience, c.agents), func(t *testing.T) {
			const within = 20 * time.Second
			hours := max(400, int(150_000/c.perHour))
			sum, err := simulate.Run(phone(c.perHour, hours, c.aht, c.patience, c.agents, within), nil)
			require.NoError(t, err)
			q := staffing.Queue{Contacts: c.perHour, Interval: hour, HandleTime: c.aht, Patience: c.patience}
			model := staffing.ModelA
			if c.patience == 0 {
				model = staffing.ModelC
			}
			want := staffing.Evaluate(model, q, float64(c.agents), within)
			got := sum.Total()
			assert.InDelta(t, want.Wait, got.Share(got.Waited), 0.02, "wait")
			assert.InDelta(t, want.Abandon, got.Share(got.Abandoned), 0.008, "abandon")
			assert.InDelta(t, want.ServiceLevel, got.Share(got.TakenWithin), 0.012, "service level")
			assert.InDelta(t, want.Occupancy, sum.Occupancy(), 0.01, "occupancy")
			assert.InEpsilon(t, want.ASASeconds, got.WaitSeconds/float64(got.Arrived), 0.06, "wait")
			// Little's law inside the simulation: two figures that are counted independently.
			assert.InEpsilon(t, got.WaitSeconds/sum.Span.Seconds(), got.QueueSeconds/sum.Span.Seconds(), 0.01)
		})
	}
}

func chatty(seed uint64) simulate.Config {
	day := 24
	pre := simulate.Queue{
		Rates: flat(120, day), Rounds: 5, Work: simulate.Span{Mean: 18 * time.Second, Shape: simulate.Lognormal, CV: 0.8},
		Think: simulate.Span{Mean: 40 * time.Second, Shape: simulate.Lognormal, CV: 1.2}, LongPause: 0.1, LongPauseTime: simulate.Span{Mean: 2 * time.Minute},
		Silent: 0.08, SilentTimeout: 5 * time.Minute, Patience: simulate.Span{Mean: 3 * time.Minute}, PatienceUntilReply: true,
		Transfer: 0.05, TransferTo: 1, BuyerMessages: 1.6, AgentMessages: 1.3, Rated: 0.3, Satisfied: 0.93, WaitAnnoyance: 0.6, Resolved: 0.85,
		Spikes:      []simulate.Spike{{At: 20 * hour, Contacts: 300, Decay: 5 * time.Minute}},
		FirstWithin: 30 * time.Second, ResponseWithin: time.Minute,
	}
	after := pre
	after.Transfer, after.Spikes, after.Priority = 0, nil, 1
	agents := team(14, simulate.Agent{Queues: []int{0}, Limit: 5, Slowdown: 0.03})
	agents = append(agents, team(10, simulate.Agent{Queues: []int{0, 1}, Limit: 4, Speed: 1.2})...)
	for i := range agents {
		agents[i].Duty = []simulate.Interval{{Start: 0, End: 12*hour + 30*time.Minute}, {Start: 13 * hour, End: 24 * hour}}
	}
	return simulate.Config{Seed: seed, Horizon: time.Duration(day) * hour, Slot: hour, Queues: []simulate.Queue{pre, after}, Agents: agents}
}

func TestSameSeedSameStream(t *testing.T) {
	digest := func(seed uint64) string {
		h := sha256.New()
		_, err := simulate.Run(chatty(seed), func(c *simulate.Conversation) { fmt.Fprintf(h, "%+v\n", *c) })
		require.NoError(t, err)
		return fmt.Sprintf("%x", h.Sum(nil))
	}
	assert.Equal(t, digest(7), digest(7))
	assert.NotEqual(t, digest(7), digest(8))
}

// Every record must tell a possible story, whatever the configuration.
func TestEveryConversationIsConsistent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := chatty(rapid.Uint64().Draw(t, "seed"))
		c.Agents = c.Agents[:rapid.IntRange(0, len(c.Agents)).Draw(t, "agents")]
		c.Queues[0].PatienceUntilReply = rapid.Bool().Draw(t, "until reply")
		c.Queues[0].Transfer = rapid.Float64Range(0, 1).Draw(t, "transfer")
		c.Queues[1].Patience.Mean = time.Duration(rapid.IntRange(0, 2).Draw(t, "patience")) * time.Minute
		seen := map[[2]int]bool{}
		open := make([][][2]time.Duration, len(c.Agents))
		replies := make([][][2]time.Duration, len(c.Agents))
		emitted := 0
		sum, err := simulate.Run(c, func(r *simulate.Conversation) {
			emitted++
			key := [2]int{r.Queue, r.Number}
			check(t, !seen[key], "twice: %+v", *r)
			seen[key] = true
			check(t, len(r.Rounds) > 0 && r.Arrived == r.Rounds[0].Opened && r.Arrived < c.Horizon && r.Ended >= r.Arrived, "frame: %+v", *r)
			at := r.Arrived
			for i, round := range r.Rounds {
				check(t, round.Opened >= at && round.BuyerMessages >= 1, "round %d: %+v", i, *r)
				at = round.Opened
				if round.Answered == simulate.Never {
					check(t, i == len(r.Rounds)-1 && r.Outcome >= simulate.Abandoned && round.AgentMessages == 0, "unanswered round %d: %+v", i, *r)
					continue
				}
				check(t, round.Opened <= round.Started && round.Started <= round.Answered && round.AgentMessages >= 1, "round %d: %+v", i, *r)
				at = round.Answered
				replies[round.Agent] = append(replies[round.Agent], [2]time.Duration{round.Started, round.Answered})
			}
			check(t, r.Ended >= at, "ends before its last reply: %+v", *r)
			check(t, (r.Agent < 0) == (r.Assigned == simulate.Never), "assignment: %+v", *r)
			if r.Assigned != simulate.Never {
				end := r.Ended
				if r.Transferred != simulate.Never {
					end = r.Transferred
				}
				open[r.FirstAgent] = append(open[r.FirstAgent], [2]time.Duration{r.Assigned, end})
				onDuty := false
				for _, d := range c.Agents[r.FirstAgent].Duty {
					onDuty = onDuty || r.Assigned >= d.Start && r.Assigned < d.End
				}
				check(t, onDuty, "taken up off duty: %+v", *r)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		total := sum.Total()
		check(t, total.Arrived == emitted && emitted == len(seen), "arrived %d, emitted %d", total.Arrived, emitted)
		check(t, total.Answered+total.Abandoned+unservedFresh(total) == total.Arrived, "outcomes do not add up: %+v", total)
		for i, spans := range replies {
			check(t, maxOverlap(spans) <= 1, "agent %d writes two replies at once", i)
			check(t, maxOverlap(open[i]) <= c.Agents[i].Limit, "agent %d over its limit", i)
		}
	})
}

// unservedFresh: conversations that never got a first reply and did not leave.
func unservedFresh(q simulate.QueueSummary) int { return q.Arrived - q.Answered - q.Abandoned }

func check(t *rapid.T, ok bool, format string, args ...any) {
	if !ok {
		t.Fatalf(format, args...)
	}
}

// maxOverlap counts how many half-open spans hold at once: a sweep where an end comes before a start.
func maxOverlap(spans [][2]time.Duration) int {
	var edges [][2]int
	for _, s := range spans {
		if s[1] > s[0] {
			edges = append(edges, [2]int{int(s[0]), 1}, [2]int{int(s[1]), -1})
		}
	}
	slices.SortFunc(edges, func(a, b [2]int) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	worst, now := 0, 0
	for _, e := range edges {
		now += e[1]
		worst = max(worst, now)
	}
	return worst
}

// Arrivals follow the rates: 40 per hour for 500 hours is 20,000 +- 3 sigma (424), none in closed slots,
// and a spike adds its contacts soon after its start.
func TestArrivalsFollowRatesAndSpikes(t *testing.T) {
	rates := flat(0, 1000)
	for i := range rates {
		rates[i] = float64(i%2) * 40
	}
	c := simulate.Config{
		Seed: 3, Horizon: 1000 * hour, Slot: hour,
		Queues: []simulate.Queue{{
			Rates: rates, Patience: simulate.Span{Mean: time.Second},
			Spikes:   []simulate.Spike{{At: 500 * hour, Contacts: 2000, Decay: 3 * time.Minute}},
			Instants: []time.Duration{hour / 2, hour / 2},
		}},
	}
	regular, spike, early := 0, 0, 0
	_, err := simulate.Run(c, func(r *simulate.Conversation) {
		slot := int(r.Arrived / hour)
		switch {
		case slot == 500:
			spike++
			if r.Arrived < 500*hour+3*time.Minute {
				early++
			}
		case slot%2 == 1:
			regular++
		default:
			assert.Equal(t, hour/2, r.Arrived)
		}
	})
	require.NoError(t, err)
	assert.InDelta(t, 20_000, regular, 424)
	assert.InDelta(t, 2000, spike, 135)
	assert.InDelta(t, 1-math.Exp(-1), float64(early)/float64(spike), 0.04)
}

// With one draw stream per buyer, a run with more agents sees the same buyers, so the comparison is paired.
func TestMoreAgentsAnswerMoreOfTheSameBuyers(t *testing.T) {
	last := -1
	for n := 4; n <= 24; n += 4 {
		c := chatty(5)
		c.Agents = c.Agents[:n]
		sum, err := simulate.Run(c, nil)
		require.NoError(t, err)
		assert.Greater(t, sum.Total().FirstWithin+1, last)
		last = sum.Total().FirstWithin
	}
}

// Ratings fall and resolution falls when buyers wait.
func TestWaitingCostsRatings(t *testing.T) {
	good := func(agents int) (rating, resolved float64) {
		c := chatty(9)
		c.Agents = c.Agents[:agents]
		c.Queues[0].PatienceUntilReply, c.Queues[0].WaitAnnoyance = false, 2
		n, done, total := 0, 0, 0.0
		_, err := simulate.Run(c, func(r *simulate.Conversation) {
			if r.Rating > 0 {
				n++
				total += float64(r.Rating)
			}
			if r.Resolved {
				done++
			}
		})
		require.NoError(t, err)
		return total / float64(n), float64(done)
	}
	busyRating, busyDone := good(3)
	calmRating, calmDone := good(24)
	assert.Greater(t, calmRating, busyRating)
	assert.Greater(t, calmDone, busyDone)
}

func TestBadConfigurationNamesEveryField(t *testing.T) {
	_, err := simulate.Run(simulate.Config{
		Queues: []simulate.Queue{{Rates: []float64{-1}, Rounds: 0.5, Silent: 2, Transfer: 0.1, Patience: simulate.Span{Mean: -1}}},
		Agents: []simulate.Agent{{Queues: []int{3}, Limit: -1, Duty: []simulate.Interval{{Start: 5, End: 5}}}},
	}, nil)
	for _, field := range []string{"horizon", "slot", "rates[0]", "rounds", "silent", "transfer_to", "patience", "agents[0].queues", "limit", "duty"} {
		assert.ErrorContains(t, err, field)
	}
}

// BenchmarkStaffingSimulateMillion prints the seconds that a million chat conversations of several rounds need with 200
// agents, on one core; the bar is 10 s on two. b.N counts millions.
func BenchmarkStaffingSimulateMillion(b *testing.B) {
	const perHour, hours, bar = 8000, 125, 10.0
	c := chatty(1)
	c.Queues = c.Queues[:1]
	c.Queues[0].Transfer, c.Queues[0].Spikes = 0, nil
	c.Queues[0].Rates, c.Horizon = flat(perHour, hours), hours*hour
	c.Agents = team(200, simulate.Agent{Queues: []int{0}, Limit: 5})
	rounds, conversations, occupancy := 0, 0, 0.0
	for b.Loop() {
		sum, err := simulate.Run(c, func(r *simulate.Conversation) { rounds += len(r.Rounds) })
		if err != nil {
			b.Fatal(err)
		}
		conversations += sum.Total().Arrived
		occupancy = sum.Occupancy()
	}
	perMillion := b.Elapsed().Seconds() * 1e6 / float64(conversations)
	b.ReportMetric(perMillion, "s/million")
	b.ReportMetric(bar, "s/million(bar)")
	b.ReportMetric(float64(rounds)/float64(conversations), "rounds")
	b.Logf("a million conversations of %.1f rounds, 200 agents %.0f %% occupied: %.1f s (bar %.0f s)",
		float64(rounds)/float64(conversations), 100*occupancy, perMillion, bar)
}
