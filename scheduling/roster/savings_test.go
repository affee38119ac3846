package roster_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Twelve people on three queues for three days, short nearly everywhere: the fixes of each stretch save what one head
// saves there, though the experiments for the stretch before it left people on other queues.
func TestFixesSaveWhatTheirStretchLists(t *testing.T) {
	for seed := range uint64(12) {
		p := shortEverywhere(seed)
		s, err := roster.Solve(t.Context(), p, roster.Options{Seed: 1, Iterations: 50, Threads: 1})
		require.NoError(t, err)
		requireHonest(t, p, s)
	}
}

func shortEverywhere(seed uint64) roster.Problem {
	rng := rand.New(rand.NewPCG(seed, 0))
	queues := []ids.Queue{"q0", "q1", "q2"}
	first := calendar.MakeDate(2026, 11, 9)
	p := roster.Problem{
		Range: calendar.Range{Start: first.In(zone), End: first.Add(3).In(zone)}, Location: zone, Rules: workrules.DefaultParams(), Weights: roster.DefaultWeights(),
		Templates: roster.StartWindow{Prefix: "S", From: 8 * time.Hour, Until: 22 * time.Hour, Step: 2 * time.Hour, Lengths: []time.Duration{9 * time.Hour, 10 * time.Hour}, Pauses: []roster.Pause{
			{Kind: scheduling.Meal, Length: time.Hour, Earliest: 3 * time.Hour, Latest: 5 * time.Hour},
		}}.Expand(),
	}
	for _, q := range queues {
		d := scheduling.Requirement{Queue: q, Slot: time.Hour}
		for day := range 3 {
			for h := 8; h < 24; h++ {
				d.Needs = append(d.Needs, scheduling.Need{Start: first.Add(day).In(zone).Add(time.Duration(h) * time.Hour), Heads: 2 + rng.IntN(6), Value: float64(20 * (1 + rng.IntN(3)))})
			}
		}
		p.Demand = append(p.Demand, d)
	}
	for i := range 12 {
		left := rng.IntN(3)
		a := roster.Agent{Person: workrules.Person{ID: ids.Agent(fmt.Sprintf("a%02d", i)), OvertimeAgreed: true}}
		for k, q := range queues {
			if k != left {
				a.Person.Skills = append(a.Person.Skills, workrules.Skill{Queue: q})
			}
		}
		p.Agents = append(p.Agents, a)
	}
	return p
}
