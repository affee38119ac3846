package roster

import (
	"fmt"
	"math"
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

// oneHour is a problem of a single hour: every agent may work it or not, on any queue of a random set.
func oneHour(t *rapid.T) Problem {
	zone := time.FixedZone("CST", 8*3600)
	start := time.Date(2026, 11, 9, 0, 0, 0, 0, zone)
	p := Problem{
		Range: calendar.Range{Start: start, End: start.AddDate(0, 0, 1)}, Location: zone,
		Rules: workrules.DefaultParams(), Weights: DefaultWeights(),
		Templates: []Template{{Code: "H", Start: 9 * time.Hour, Length: time.Hour}},
	}
	p.Weights.Depth = rapid.SampledFrom([]float64{0, 0.2, 1}).Draw(t, "depth")
	queues := rapid.IntRange(1, 4).Draw(t, "queues")
	for q := range queues {
		need := scheduling.Need{Start: start.Add(9 * time.Hour), Heads: rapid.IntRange(0, 3).Draw(t, "heads"), Value: float64(rapid.IntRange(1, 5).Draw(t, "value"))}
		if rapid.Bool().Draw(t, "curve") {
			need.Paid = float64(need.Heads) * rapid.Float64Range(1, 2).Draw(t, "paid")
			var worth []scheduling.Step
			for left := 20; need.Heads > len(worth); {
				left = rapid.IntRange(0, left).Draw(t, "saves")
				worth = append(worth, scheduling.Step{Heads: len(worth) + 1, Value: float64(left)})
			}
			need = need.Priced(worth)
		}
		p.Demand = append(p.Demand, scheduling.Requirement{Queue: ids.Queue(fmt.Sprintf("q%d", q)), Slot: time.Hour, Needs: []scheduling.Need{need}})
	}
	for i := range rapid.IntRange(1, 5).Draw(t, "agents") {
		a := Agent{Person: workrules.Person{ID: ids.Agent(fmt.Sprintf("A%d", i))}}
		for _, q := range rapid.SliceOfNDistinct(rapid.IntRange(0, queues-1), 1, queues, rapid.ID).Draw(t, "skills") {
			a.Person.Skills = append(a.Person.Skills, workrules.Skill{Queue: ids.Queue(fmt.Sprintf("q%d", q))})
		}
		p.Agents = append(p.Agents, a)
	}
	return p
}

// cheapestSeating tries every assignment of the agents at work to their queues.
func cheapestSeating(m *model, slot int, at []int, heads []int16) float64 {
	if len(at) == 0 {
		sum := 0.0
		for q, n := range heads {
			short, over := m.slotCost(slot*len(heads)+q, n)
			sum += short + over
		}
		return sum
	}
	best := math.Inf(1)
	for _, q := range m.agents[at[0]].skills[0] {
		heads[q]++
		best = min(best, cheapestSeating(m, slot, at[1:], heads))
		heads[q]--
	}
	return best
}

func TestPeopleAlwaysSitWhereTheyAreWorthMost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := oneHour(t)
		require.NoError(t, p.Validate())
		m := compile(&p)
		s := newState(m, nil)
		slot := m.occ[0][0].start
		for range 12 {
			a := rapid.IntRange(0, len(p.Agents)-1).Draw(t, "agent")
			worth, before := s.pool.worths(slot), s.cost
			if s.place[a][0].occ >= 0 {
				s.clear(a, 0)
			} else {
				most := math.Inf(-1)
				for _, q := range m.agents[a].skills[0] {
					most = max(most, worth[q])
				}
				s.put(a, option{})
				assert.InDelta(t, before-most, s.cost, 1e-9, "the worth foretells the saving")
			}
			var at []int
			for b := range s.place {
				if s.place[b][0].occ >= 0 {
					at = append(at, b)
					assert.Contains(t, m.agents[b].skills[0], s.place[b][0].queue[0])
				}
			}
			best := cheapestSeating(m, slot, at, make([]int16, len(m.queues)))
			parts := s.account()
			assert.InDelta(t, best, parts.Short+parts.Over-outside(m, slot), 1e-9)
			assert.InDelta(t, parts.Total(), s.cost, 1e-9)
		}
	})
}

// outside is the cost of all slots but one of an empty roster.
func outside(m *model, slot int) (sum float64) {
	for i := range m.target[:m.inside*len(m.queues)] {
		if i/len(m.queues) != slot {
			short, over := m.slotCost(i, 0)
			sum += short + over
		}
	}
	return sum
}

// Pauses are placed at the least loss of gain and soft rules: every plan on the grid is tried.
func TestPausesLieWhereTheyLoseLeast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := oneHour(t)
		p.Templates[0] = Template{Code: "T", Start: 8 * time.Hour, Length: 10 * time.Hour, Pauses: []Pause{
			{Kind: scheduling.Break, Length: 30 * time.Minute, Earliest: 1 * time.Hour, Latest: 3 * time.Hour},
			{Kind: scheduling.Meal, Length: time.Hour, Earliest: 4 * time.Hour, Latest: 7 * time.Hour},
		}}
		m := compile(&p)
		o := &m.occ[0][0]
		cloud := rapid.Bool().Draw(t, "cloud")
		gain := make([]float64, o.len+1)
		for i := range o.len {
			gain[i+1] = gain[i] + float64(rapid.IntRange(-3, 30).Draw(t, "gain"))
		}
		var plan pausePlan
		var at [maxPauses]int16
		lost, tired := plan.place(m, o, gain, o.start, cloud, &at)
		best := math.Inf(1)
		for i := o.pauses[0].early; i <= o.pauses[0].late; i++ {
			for k := o.pauses[1].early; k <= o.pauses[1].late; k++ {
				try := [maxPauses]int16{int16(i), int16(k)}
				loss := gain[i+o.pauses[0].len] - gain[i] + gain[k+o.pauses[1].len] - gain[k]
				best = min(best, loss+p.Weights.SoftRule*float64(m.tired(o, &try, cloud)))
			}
		}
		assert.InDelta(t, best, lost+p.Weights.SoftRule*float64(tired), 1e-9)
		assert.Equal(t, m.tired(o, &at, cloud), tired)
	})
}

// What an experiment left on other queues is put back: the pool seats everybody where the placement says and counts the
// same heads, so that the next experiment takes nobody from a queue without people.
func TestRestoredQueuesAreSeatedAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := oneHour(t)
		m := compile(&p)
		s := newState(m, nil)
		for a := range p.Agents {
			if rapid.Bool().Draw(t, "works") {
				s.put(a, option{})
			}
		}
		if rapid.Bool().Draw(t, "held") {
			s.pool.hold(s)
		}
		restore := s.keepQueues()
		for range rapid.IntRange(1, 6).Draw(t, "experiments") {
			if a := rapid.IntRange(0, len(p.Agents)-1).Draw(t, "agent"); s.place[a][0].occ >= 0 {
				s.clear(a, 0)
				s.put(a, option{})
			}
		}
		restore()
		slot, width := m.occ[0][0].start, len(m.queues)
		for q := range width {
			cell := slot*width + q
			require.Len(t, s.pool.seats[cell], int(s.cover[cell]))
			for _, x := range s.pool.seats[cell] {
				require.Equal(t, int16(q), *s.queueAt(x))
			}
		}
		for a := range p.Agents { // nobody is taken from an empty queue
			if s.place[a][0].occ >= 0 {
				s.clear(a, 0)
			}
		}
		require.Zero(t, s.cover[slot*width])
	})
}
