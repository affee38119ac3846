package pool_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing"
	"github.com/chaoban/chaoban/scheduling/staffing/pool"
	"github.com/chaoban/chaoban/scheduling/staffing/simulate"
)

var noon = time.Date(2026, time.November, 24, 4, 0, 0, 0, time.UTC)

// chats is a queue of three-at-once conversations with the same contacts in each of its slots.
func chats(name string, slot time.Duration, contacts ...float64) pool.Queue {
	target := staffing.DefaultTarget()
	target.OccupancyCap, target.Overhead = 0, 0.2 // ten seconds per reply: a free agent answers 95 % within 30
	q := pool.Queue{Merchant: "m", Shop: ids.Shop("shop-" + name), Target: target, Curve: scheduling.Curve{Queue: ids.Queue(name), Slot: slot}}
	for i, n := range contacts {
		q.Curve.Points = append(q.Curve.Points, scheduling.Point{Start: noon.Add(time.Duration(i) * slot), Mean: n})
	}
	return q
}

func group(id string, skills ...ids.Queue) pool.Group {
	return pool.Group{ID: id, Skills: skills, Limit: 3, Cost: 30}
}

func solve(t testing.TB, p pool.Problem, o pool.Options) pool.Plan {
	t.Helper()
	plan, err := pool.Solve(t.Context(), p, o)
	require.NoError(t, err)
	return plan
}

// One queue and one group: the analytic plan of package staffing, which knows nothing of the search.
func TestOneQueueNeedsWhatStaffingPlans(t *testing.T) {
	for _, contacts := range []float64{12, 90} {
		for _, share := range []float64{0.8, 0.9} {
			q := chats("a", time.Hour, contacts, contacts, contacts, contacts)
			q.Target.Share = share
			alone, err := staffing.Plan(staffing.Input{Curve: q.Curve, Target: q.Target})
			require.NoError(t, err)
			plan := solve(t, pool.Problem{Queues: []pool.Queue{q}, Groups: []pool.Group{group("g", "a")}}, pool.Options{Seed: 7, Replications: 40, Verify: 40})
			require.True(t, plan.Verified)
			for i, s := range plan.Slots {
				assert.InDelta(t, alone.Requirement.Needs[i].Heads, s.Pool, 1, "%g contacts, %g: %s", contacts, share, s.Reason)
			}
			assert.InDelta(t, plan.Parts.Hours, plan.Pool.Hours, 1, "a lone queue is its own part")
		}
	}
}

// A call queue is Erlang A.
func TestCallsNeedWhatErlangAPlans(t *testing.T) {
	q := chats("a", time.Hour, 120, 120, 120, 120)
	q.Target = staffing.Target{Within: 20 * time.Second, Share: 0.8, HandleTime: 4 * time.Minute, Patience: 2 * time.Minute, AbandonCap: 0.05}
	alone, err := staffing.Plan(staffing.Input{Curve: q.Curve, Target: q.Target})
	require.NoError(t, err)
	g := group("g", "a")
	g.Limit = 1
	plan := solve(t, pool.Problem{Queues: []pool.Queue{q}, Groups: []pool.Group{g}}, pool.Options{Replications: 60})
	for i, s := range plan.Slots {
		assert.InDelta(t, alone.Requirement.Needs[i].Heads, s.Pool, 1, s.Reason)
	}
}

// random is a small day of two to four queues; some agents know one queue, some two, some all.
func random(seed uint64) pool.Problem {
	rng := rand.New(rand.NewPCG(seed, 1))
	var p pool.Problem
	n := 2 + rng.IntN(3)
	var names []ids.Queue
	for i := range n {
		base := 5 + 40*rng.Float64()
		q := chats(fmt.Sprintf("q%d", i), time.Hour, base, base*(0.5+rng.Float64()), base, base/2)
		q.Target.Share = 0.7 + 0.2*rng.Float64()
		q.Target.HandleTime = time.Duration(180+rng.IntN(200)) * time.Second
		p.Queues = append(p.Queues, q)
		names = append(names, q.Curve.Queue)
	}
	for i, q := range names {
		p.Groups = append(p.Groups, group("only-"+string(q), q))
		p.Groups = append(p.Groups, group("pair-"+string(q), q, names[(i+1)%n]))
	}
	if n > 2 {
		p.Groups = append(p.Groups, group("all", names...))
	}
	return p
}

var quick = pool.Options{Seed: 3, Replications: 40, Verify: 60, Steps: 60}

func TestAPoolNeverTakesMoreThanItsParts(t *testing.T) {
	seeds := uint64(3)
	if os.Getenv("CHAOBAN_LONG") != "" {
		seeds = 40
	}
	for seed := range seeds {
		p := random(seed)
		plan := solve(t, p, quick)
		assert.LessOrEqual(t, plan.Pool.Cost, plan.Parts.Cost, "seed %d", seed)
		assert.True(t, plan.Verified, "seed %d", seed)
		hours := 0.0
		for _, s := range plan.Slots {
			sum := 0
			for _, h := range s.Heads {
				sum += h.Heads
			}
			assert.Equal(t, s.Pool, sum)
			hours += float64(sum)
		}
		assert.InDelta(t, plan.Pool.Hours, hours, 1e-9, "slots of one hour sum to the total")
		for i, got := range replay(t, p, plan, 250) {
			// 250 fresh days leave about half a point of noise.
			assert.GreaterOrEqual(t, got, p.Queues[i].Target.Share-0.01, "seed %d, queue %d: replayed outside the planner", seed, i)
			assert.InDelta(t, plan.Queues[i].Pool.Share, got, 0.02, "seed %d, queue %d", seed, i)
		}
	}
}

// replay simulates the plan's heads on fresh days without the planner, and returns each queue's share in time.
func replay(t *testing.T, p pool.Problem, plan pool.Plan, days int) []float64 {
	t.Helper()
	config := simulate.Config{Horizon: 4 * time.Hour, Slot: time.Hour}
	index := map[ids.Queue]int{}
	for i, q := range p.Queues {
		index[q.Curve.Queue] = i
		alone := q.Target.HandleTime.Seconds()
		s := simulate.Queue{
			Rounds: q.Target.Rounds, Patience: simulate.Span{Mean: q.Target.Patience}, FirstWithin: q.Target.Within, Priority: q.Priority,
			Work:  simulate.Span{Mean: time.Duration(alone * q.Target.Overhead / q.Target.Rounds * 1e9)},
			Think: simulate.Span{Mean: time.Duration(alone * (1 - q.Target.Overhead) / (q.Target.Rounds - 1) * 1e9)},
		}
		for _, pt := range q.Curve.Points {
			s.Rates = append(s.Rates, pt.Mean)
		}
		config.Queues = append(config.Queues, s)
	}
	for _, g := range p.Groups {
		a := simulate.Agent{Limit: g.Limit, Slowdown: 0.03}
		for _, s := range g.Skills {
			a.Queues = append(a.Queues, index[s])
		}
		for i := range 40 { // head i is there in the slots that ask for more than i; it stays if the next one does too
			a.Duty = []simulate.Interval{}
			for _, slot := range plan.Slots {
				for _, h := range slot.Heads {
					if h.Group == g.ID && h.Heads > i {
						at := slot.Start.Sub(noon)
						a.Duty = append(a.Duty, simulate.Interval{Start: at, End: at + time.Hour})
					}
				}
			}
			config.Agents = append(config.Agents, a)
		}
	}
	in, all := make([]int, len(p.Queues)), make([]int, len(p.Queues))
	for day := range days {
		config.Seed = 5_000_000 + uint64(day)
		s, err := simulate.Run(config, nil)
		require.NoError(t, err)
		for i, q := range s.Queues {
			in[i] += q.FirstWithin
			all[i] += q.Arrived
		}
	}
	out := make([]float64, len(in))
	for i := range in {
		out[i] = float64(in[i]) / float64(all[i])
	}
	return out
}

// The same queues with agents who know one queue, then also agents at the same price who know two, then three ...
// (To make everybody know more is another matter: in one team the strictest goal binds for all.)
func TestMoreSkillsNeverCostMore(t *testing.T) {
	for seed := range uint64(2) {
		p := random(seed + 20)
		var all []ids.Queue
		for _, q := range p.Queues {
			all = append(all, q.Curve.Queue)
		}
		before := 1e18
		p.Groups = nil
		for width := 1; width <= len(all); width++ {
			for i := range all {
				g := group(fmt.Sprintf("g%d-%d", width, i))
				for k := range width {
					g.Skills = append(g.Skills, all[(i+k)%len(all)])
				}
				p.Groups = append(p.Groups, g)
			}
			plan := solve(t, p, quick)
			// One head of one slot is what the noise of 40 repetitions can turn.
			assert.LessOrEqual(t, plan.Pool.Hours, before+1, "seed %d, up to %d skills", seed, width)
			before = plan.Pool.Hours
		}
	}
}

func seat(count int, dedicated bool) pool.Seat {
	return pool.Seat{Range: calendar.Range{Start: noon.Add(time.Hour), End: noon.Add(3 * time.Hour)}, Count: count, Dedicated: dedicated}
}

func TestSeatsArePresentInTheirWindow(t *testing.T) {
	p := pool.Problem{
		Queues: []pool.Queue{chats("a", time.Hour, 20, 20, 20, 20), chats("b", time.Hour, 20, 20, 20, 20)},
		Groups: []pool.Group{group("ab", "a", "b"), group("only-a", "a")},
	}
	free := solve(t, p, quick)
	p.Queues[0].Seats = []pool.Seat{seat(7, false)}
	shared := solve(t, p, quick)
	for i, s := range shared.Slots {
		n := 0
		for _, h := range s.Heads {
			n += h.Heads // both groups know a
		}
		if i == 1 || i == 2 {
			assert.GreaterOrEqual(t, n, 7, s.Reason)
			assert.Contains(t, s.Reason, "promised seats hold the heads of a")
			assert.GreaterOrEqual(t, s.Parts, 8, "the queue alone must keep the promise too")
		} else {
			assert.InDelta(t, free.Slots[i].Pool, n, 1, "outside the window nothing is promised")
		}
	}

	p.Queues[0].Seats = []pool.Seat{seat(3, true)}
	dedicated := solve(t, p, quick)
	for i, s := range dedicated.Slots {
		var aside []pool.DedicatedFor
		for _, h := range s.Heads {
			aside = append(aside, h.Dedicated...)
		}
		if i == 1 || i == 2 {
			assert.Equal(t, []pool.DedicatedFor{{Queue: "a", Heads: 3}}, aside, "taken from the group with the fewest skills")
			assert.GreaterOrEqual(t, s.Pool, free.Slots[i].Pool, "agents set aside help nobody else")
		} else {
			assert.Empty(t, aside)
		}
	}
	assert.True(t, dedicated.Verified)
}

// Two like queues and one team: the class of the first decides who waits.
func TestTheHigherClassIsServedFirst(t *testing.T) {
	p := pool.Problem{
		Queues: []pool.Queue{chats("vip", time.Hour, 40, 40, 40), chats("plain", time.Hour, 40, 40, 40)},
		Groups: []pool.Group{group("g", "vip", "plain")},
	}
	p.Groups[0].Max = 3 // too few, so that somebody waits
	even := solve(t, p, quick)
	p.Queues[0].Priority = 1
	ranked := solve(t, p, quick)
	assert.InDelta(t, even.Queues[0].Pool.Share, even.Queues[1].Pool.Share, 0.02, "without classes they are alike")
	assert.Greater(t, ranked.Queues[0].Pool.Share, ranked.Queues[1].Pool.Share+0.02)
	assert.Less(t, ranked.Queues[0].Pool.Abandon, ranked.Queues[1].Pool.Abandon)
}

func TestOverflowSavesHeadsOfTheQueuesOwn(t *testing.T) {
	p := pool.Problem{
		Queues: []pool.Queue{chats("a", time.Hour, 25, 25, 25), chats("b", time.Hour, 25, 25, 25)},
		Groups: []pool.Group{group("team-a", "a"), group("team-b", "b")},
	}
	apart := solve(t, p, quick)
	p.Queues[0].Overflow, p.Queues[1].Overflow = []string{"team-b"}, []string{"team-a"}
	joined := solve(t, p, quick)
	assert.InDelta(t, apart.Parts.Hours, apart.Pool.Hours, 1, "teams that share nothing save nothing")
	assert.LessOrEqual(t, joined.Pool.Hours, apart.Pool.Hours)
	assert.True(t, joined.Verified)
	for i := range p.Queues {
		p.Queues[i].Seats = []pool.Seat{seat(6, false)}
	}
	for i, s := range solve(t, p, quick).Slots {
		if i == 1 || i == 2 {
			assert.GreaterOrEqual(t, s.Pool, 12, "an agent who only overflows fills no seat")
		}
	}
}

func TestTheSamePlanOnAnyNumberOfProcessors(t *testing.T) {
	p := random(4)
	o := pool.Options{Seed: 3, Replications: 12, Verify: 20, Steps: 40, MatchParts: true}
	before := runtime.GOMAXPROCS(1)
	one, err := json.Marshal(solve(t, p, o))
	require.NoError(t, err)
	runtime.GOMAXPROCS(3)
	many, err := json.Marshal(solve(t, p, o))
	runtime.GOMAXPROCS(before)
	require.NoError(t, err)
	assert.Equal(t, string(one), string(many))
}

func TestMatchedServiceIsThatOfTheParts(t *testing.T) {
	o := quick
	o.MatchParts = true
	plan := solve(t, random(2), o)
	require.True(t, plan.Verified)
	for _, q := range plan.Queues {
		assert.GreaterOrEqual(t, q.Pool.Share, q.Parts.Share, q.Queue)
	}
}

// patient is a context that ends at its n-th question, so that where it strikes does not depend on time.
type patient struct {
	context.Context
	left *int
}

func (p patient) Err() error {
	if *p.left--; *p.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestACancelledSearchKeepsItsBest(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // the questions are counted one by one
	p := random(1)
	o := pool.Options{Seed: 3, Replications: 12, Verify: 20, Steps: 40}
	_, err := pool.Solve(patient{t.Context(), new(int)}, p, o)
	assert.Equal(t, fault.Canceled, fault.KindOf(err))

	whole := solve(t, p, o)
	left := o.Replications * (whole.Parts.Steps + whole.Pool.Steps - 1)
	plan, err := pool.Solve(patient{t.Context(), &left}, p, o)
	assert.Equal(t, fault.Canceled, fault.KindOf(err))
	assert.False(t, plan.Verified)
	assert.Positive(t, plan.Pool.Hours)
	assert.Contains(t, plan.Slots[0].Reason, "not verified")
}

func TestTooFewPeopleAreNamed(t *testing.T) {
	p := pool.Problem{Queues: []pool.Queue{chats("a", time.Hour, 60, 60)}, Groups: []pool.Group{group("g", "a")}}
	p.Groups[0].Available = []pool.Window{{Range: calendar.Range{Start: noon, End: noon.Add(time.Hour)}, Max: 2}}
	plan := solve(t, p, quick)
	assert.False(t, plan.Verified)
	assert.Equal(t, 2, plan.Slots[0].Pool)
	assert.Equal(t, 0, plan.Slots[1].Pool, "nobody outside the windows")
	assert.Contains(t, plan.Slots[0].Reason, "no available head helps a any more, goal missed")
}

// Agents of the pool would be busier than the cap allows at the least heads for the goal.
func TestOccupancyCapAddsHeads(t *testing.T) {
	q := chats("a", time.Hour, 120, 120)
	q.Target.Share = 0.4
	p := pool.Problem{Queues: []pool.Queue{q}, Groups: []pool.Group{group("g", "a")}}
	loose := solve(t, p, quick)
	p.Groups[0].OccupancyCap = 0.4
	capped := solve(t, p, quick)
	assert.Greater(t, loose.Groups[0].Occupancy, 0.43)
	assert.LessOrEqual(t, capped.Groups[0].Occupancy, 0.41)
	// 120 contacts of 5 minutes x 20 % own work are 2 agents' work, a little more by switching.
	assert.GreaterOrEqual(t, capped.Slots[1].Pool, 5)
}

// An opening: half of a slot's contacts come within minutes. The pool is sized for it, and a simulation that knows nothing of the
// planner agrees; a pool that takes the slot as even has fewer heads there and falls short.
func TestAnOpeningIsStaffed(t *testing.T) {
	q := chats("a", 30*time.Minute, 40, 90, 60, 40)
	q.Target.Share = 0.8
	problem := pool.Problem{Queues: []pool.Queue{q}, Groups: []pool.Group{group("g", "a")}}
	options := pool.Options{Seed: 3, Replications: 30, Verify: 60}
	even := solve(t, problem, options)
	at := q.Curve.Points[1].Start
	problem.Queues[0].Rushes = []staffing.Rush{{At: at, Share: 0.5, Decay: 2 * time.Minute}}
	crowd := solve(t, problem, options)
	served := func(plan pool.Plan) float64 {
		work := q.Target.HandleTime.Seconds() * q.Target.Overhead / q.Target.Rounds
		s := simulate.Queue{
			Rates: []float64{40, 45, 60, 40}, Spikes: []simulate.Spike{{At: 30 * time.Minute, Contacts: 45, Decay: 2 * time.Minute}},
			Rounds: q.Target.Rounds, Patience: simulate.Span{Mean: q.Target.Patience},
			Work:  simulate.Span{Mean: time.Duration(work * 1e9)},
			Think: simulate.Span{Mean: time.Duration(q.Target.HandleTime.Seconds() * (1 - q.Target.Overhead) / (q.Target.Rounds - 1) * 1e9)},
		}
		config := simulate.Config{Horizon: 2 * time.Hour, Slot: 30 * time.Minute, Queues: []simulate.Queue{s}}
		for i := range 60 {
			duty := []simulate.Interval{}
			for n, slot := range plan.Slots {
				if slot.Pool > i {
					duty = append(duty, simulate.Interval{Start: time.Duration(n) * 30 * time.Minute, End: time.Duration(n+1) * 30 * time.Minute})
				}
			}
			config.Agents = append(config.Agents, simulate.Agent{Queues: []int{0}, Limit: 3, Slowdown: q.Target.Slowdown, Duty: duty})
		}
		within, all := 0, 0
		for seed := range uint64(200) {
			config.Seed = 1000 + seed
			_, err := simulate.Run(config, func(c *simulate.Conversation) {
				if c.Arrived < 30*time.Minute || c.Arrived >= time.Hour {
					return
				}
				all++
				if r := c.FirstResponse(); r != simulate.Never && r <= q.Target.Within {
					within++
				}
			})
			require.NoError(t, err)
		}
		return float64(within) / float64(all)
	}
	assert.Greater(t, crowd.Slots[1].Pool, even.Slots[1].Pool)
	assert.Greater(t, served(crowd), 0.8-0.025)
	assert.Less(t, served(even), 0.8-0.05)
}
