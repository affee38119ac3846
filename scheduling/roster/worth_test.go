package roster_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/check"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Two heads at 45 and two at 5 yuan an hour: four people stand for two heads of which the first saves 90 and the second 10.
func TestPricesSpreadTheCurveOverThePeople(t *testing.T) {
	need := scheduling.Need{Heads: 2, Paid: 4}.Priced([]scheduling.Step{{Heads: 1, Value: 90}, {Heads: 2, Value: 10}})
	p := roster.PricesOf(need, time.Hour, time.Hour, roster.DefaultWeights())
	assert.InDeltaSlice(t, []float64{45, 45, 5, 5}, p.Saves, 1e-12)
	assert.InDeltaSlice(t, []float64{100, 55, 10, 5, 0}, p.Lost, 1e-12)
	p = roster.PricesOf(need, time.Hour, 15*time.Minute, roster.DefaultWeights())
	assert.InDeltaSlice(t, []float64{25, 13.75, 2.5, 1.25, 0}, p.Lost, 1e-12)

	need = scheduling.Need{Heads: 2, Value: 10} // depth 0.2: the second missing head costs a tenth more
	p = roster.PricesOf(need, time.Hour, time.Hour, roster.DefaultWeights())
	assert.InDeltaSlice(t, []float64{11, 10}, p.Saves, 1e-12)
	assert.InDeltaSlice(t, []float64{21, 10, 0}, p.Lost, 1e-12)
	need.Value = 0
	assert.InDeltaSlice(t, []float64{100.0 / 4 * 2.1, 25, 0}, roster.PricesOf(need, time.Hour, 15*time.Minute, roster.DefaultWeights()).Lost, 1e-12)
}

// Queue a loses 90 yuan an hour with nobody and 10 more without its second head; queue b loses 40. By the last head b (40 against 10)
// would come first. By the money the first of three people goes to a, the second to b, the third to a.
func TestASpareHeadGoesWhereTheCurveSays(t *testing.T) {
	for people, want := range map[int]struct {
		a, b int
		cost float64
	}{0: {0, 0, 140}, 1: {1, 0, 50}, 2: {1, 1, 10}, 3: {2, 1, 0}} {
		p := small(people)
		p.Templates = []roster.Template{{Code: "H", Start: 9 * time.Hour, Length: time.Hour}}
		at := p.Range.Start.Add(9 * time.Hour)
		p.Demand = []scheduling.Requirement{
			{Queue: "a", Slot: time.Hour, Needs: []scheduling.Need{scheduling.Need{Start: at, Heads: 2}.Priced([]scheduling.Step{{Heads: 1, Value: 90}, {Heads: 2, Value: 10}})}},
			{Queue: "b", Slot: time.Hour, Needs: []scheduling.Need{scheduling.Need{Start: at, Heads: 1}.Priced([]scheduling.Step{{Heads: 1, Value: 40}})}},
		}
		for i := range p.Agents {
			p.Agents[i].Person.Skills = []workrules.Skill{{Queue: "a"}, {Queue: "b"}}
		}
		s := solve(t, p, 20)
		heads := map[ids.Queue]int{}
		for _, x := range s.Roster.Shifts {
			heads[x.Activities[0].Queue]++
		}
		assert.Equal(t, want.a, heads["a"], "%d people", people)
		assert.Equal(t, want.b, heads["b"], "%d people", people)
		assert.InDelta(t, want.cost, s.Cost, 1e-9)
		assert.InDelta(t, want.cost, s.Bound, 1e-3, "nothing binds but the heads")
		assert.InDelta(t, want.cost, check.Roster(p, s.Roster.Shifts).Cost, 1e-9)
		for _, u := range s.Uncovered {
			if u.Queue == "a" && people == 1 {
				assert.InDelta(t, 10, u.Worth, 1e-9, "one of two missing")
				require.NotEmpty(t, u.Fixes)
				assert.InDelta(t, 10, u.Fixes[0].Saves, 1e-9)
			}
		}
	}
}

// A stretch adds up the money of its slots, which have curves of their own.
func TestAGapIsWorthTheSumOfItsSlots(t *testing.T) {
	p := small(0)
	need(&p, "q", 2, 9, 11, 0)
	needs := p.Demand[0].Needs
	needs[0] = needs[0].Priced([]scheduling.Step{{Heads: 1, Value: 50}, {Heads: 2, Value: 5}})
	needs[1] = needs[1].Priced([]scheduling.Step{{Heads: 2, Value: 20}})
	s := solve(t, p, 1)
	require.Len(t, s.Uncovered, 1)
	assert.InDelta(t, 95, s.Uncovered[0].Worth, 1e-9)
	assert.InDelta(t, 95, s.Cost, 1e-9)
}

func TestACurveInAFileIsReadAndChecked(t *testing.T) {
	file := func(worth string) string {
		return `{"version": 1, "from": "2026-11-09", "until": "2026-11-10", "templates": [{"code": "D", "start": "09:00", "length": "8h"}],
 "agents": [{"id": "A", "skills": [{"queue": "q"}]}],
 "demand": [{"queue": "q", "slot": "1h", "needs": [{"start": "2026-11-09T10:00:00+08:00", "heads": 3, "paid": 3.4, "worth": ` + worth + `}]}]}`
	}
	p, err := roster.ReadProblem("p.json", strings.NewReader(file(`[{"heads": 1, "value": 80}, {"heads": 3, "value": 12.5}]`)), false)
	require.NoError(t, err)
	assert.Equal(t, []scheduling.Step{{Heads: 1, Value: 80}, {Heads: 3, Value: 12.5}}, p.Demand[0].Needs[0].Worth)
	for worth, field := range map[string]string{
		`[{"heads": 1, "value": 8}, {"heads": 3, "value": 9}]`: "demand[0].needs[0].worth[1].value",
		`[{"heads": 4, "value": 8}]`:                           "demand[0].needs[0].worth[0].heads",
		`[{"heads": 0, "value": 8}]`:                           "demand[0].needs[0].worth[0].heads",
	} {
		_, err := roster.ReadProblem("p.json", strings.NewReader(file(worth)), false)
		require.ErrorContains(t, err, field)
	}
}
