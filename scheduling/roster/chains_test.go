package roster

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// weeksOf is a problem of some weeks with day, evening and night shifts, two queues and agents of several regimes.
func weeksOf(t *testing.T, weeks, agents int) Problem {
	zone := time.FixedZone("CST", 8*3600)
	start := time.Date(2026, 11, 2, 0, 0, 0, 0, zone)
	hours := func(h float64) time.Duration { return time.Duration(h * float64(time.Hour)) }
	meal := Pause{Kind: scheduling.Meal, Length: time.Hour, Earliest: hours(3), Latest: hours(5)}
	p := Problem{
		Range: calendar.Range{Start: start, End: start.AddDate(0, 0, 7*weeks)}, Location: zone,
		Rules: workrules.DefaultParams(), Weights: DefaultWeights(),
		Templates: []Template{
			{Code: "D", Start: hours(8), Length: hours(9), Pauses: []Pause{meal}},
			{Code: "L", Start: hours(9), Length: hours(12), Pauses: []Pause{meal}},
			{Code: "E", Start: hours(14), Length: hours(9), Pauses: []Pause{meal}},
			{Code: "P", Start: hours(10), Length: hours(4)},
			{Code: "N", Start: hours(22), Length: hours(9), Pauses: []Pause{meal}},
		},
	}
	for q := range 2 {
		r := scheduling.Requirement{Queue: ids.Queue(fmt.Sprintf("q%d", q)), Slot: time.Hour}
		for k := range weeks * 7 * 24 {
			r.Needs = append(r.Needs, scheduling.Need{Start: start.Add(time.Duration(k) * time.Hour), Heads: 1 + agents*((k*7+q*5)%11)/40, Value: 60})
		}
		p.Demand = append(p.Demand, r)
	}
	for i := range agents {
		a := Agent{Person: workrules.Person{ID: ids.Agent(fmt.Sprintf("A%02d", i))}}
		for q := range 2 {
			if i%3 != q {
				a.Person.Skills = append(a.Person.Skills, workrules.Skill{Queue: ids.Queue(fmt.Sprintf("q%d", q))})
			}
		}
		switch i % 5 {
		case 1:
			a.Person.Regime, a.Wage = workrules.PartTime, 24
		case 2:
			a.Person.Regime, a.Person.Period = workrules.Comprehensive, workrules.ByMonth
		case 3:
			a.Person.OvertimeAgreed = true
		}
		p.Agents = append(p.Agents, a)
	}
	require.NoError(t, p.Validate())
	return p
}

// Chains change one roster at the same time: afterwards the cost they added up is the cost of the roster,
// every row is legal, and the plan that was kept makes a roster of the same cost.
func TestChainsShareOneRoster(t *testing.T) {
	p := weeksOf(t, 2, 20)
	run := func() *hunt {
		m := compile(&p)
		o := Options{Seed: 3, Threads: 3, Iterations: 6000}
		h := newHunt(m, newState(m, o.Random(0)), o)
		require.Len(t, h.chains, 3)
		for k := range 20 {
			h.round(100, float64(k)/20)
			require.InDelta(t, h.now.account().Total(), h.now.cost, 1e-6)
		}
		return h
	}
	h := run()
	for a := range h.now.place {
		assert.Nil(t, h.now.judges[a].Broken(h.now.dutiesOf(a, -1, 0)))
	}
	kept := newState(h.m, nil)
	kept.follow(h.best)
	assert.InDelta(t, h.cost, kept.cost, 1e-6)
	assert.Equal(t, h.best, run().best, "the same seed and threads")
}

// The stretches of the chains lie in the horizon with a day between two of them, since no shift reaches
// beyond the day after its start.
func TestStretchesOfChainsDoNotTouch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		threads := rapid.IntRange(1, 8).Draw(t, "threads")
		m := &model{days: make([]calendar.Date, rapid.IntRange(4*threads, 60).Draw(t, "days")), agents: make([]agentModel, 4*threads)}
		h := &hunt{m: m, rng: Options{Seed: rapid.Uint64().Draw(t, "seed")}.Random(0)}
		for range threads {
			h.chains = append(h.chains, &chain{})
		}
		h.share()
		byDay := slices.Clone(h.chains)
		slices.SortFunc(byDay, func(a, b *chain) int { return a.from - b.from })
		agents := 0
		for i, c := range byDay {
			agents += len(c.own)
			assert.LessOrEqual(t, c.from, c.to)
			if i > 0 {
				assert.Equal(t, byDay[i-1].to+2, c.from)
			}
		}
		assert.Equal(t, 4*threads, agents)
		assert.Equal(t, 0, byDay[0].from)
		assert.Equal(t, len(m.days)-1, byDay[threads-1].to)
	})
}

// Whatever day is barred, no shift of it is legal.
func TestBarredDaysTakeNoShift(t *testing.T) {
	p := weeksOf(t, 2, 15)
	m := compile(&p)
	barred := 0
	rapid.Check(t, func(t *rapid.T) {
		s := newState(m, Options{Seed: rapid.Uint64().Draw(t, "seed")}.Random(0))
		for range 200 {
			a, day := s.rng.IntN(len(p.Agents)), s.rng.IntN(len(m.days))
			if s.place[a][day].occ >= 0 {
				continue
			}
			legal := 0
			for i := range m.agents[a].choices[day] {
				if s.judges[a].Broken(s.dutiesOf(a, day, m.agents[a].choices[day][i].occ)) == nil {
					legal++
				}
			}
			if s.barred(a, day) {
				barred++
				assert.Zero(t, legal, "agent %d, day %d", a, day)
			} else if op, ok := s.bestLegal(a, day, day); ok {
				s.put(a, op)
			}
		}
	})
	assert.Positive(t, barred)
}
