package margin

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
)

// The table against the queueing models it was made from, at random heads and loads. The bounds are those that
// DESIGN.md states.
func TestTableAgreesWithTheModels(t *testing.T) {
	for _, c := range []struct {
		name      string
		work      Handling
		heads     int
		tolerance float64
	}{
		{"calls", Handling{Model: Calls, HandleTimeS: 240, PatienceS: 120}, 300, 0.008},
		{"calls nobody leaves", Handling{Model: Calls, HandleTimeS: 240}, 120, 0.01},
		{"chats 3", Handling{Model: Chats, HandleTimeS: 300, PatienceS: 180, Concurrency: 3, Overhead: 0.35, Rounds: 6, Slowdown: 0.03}, 60, 0.008},
		{"chats 6", Handling{Model: Chats, HandleTimeS: 420, PatienceS: 90, Concurrency: 6, Overhead: 0.2, Rounds: 10}, 25, 0.008},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := Queue{Prices: Prices{PerContactYuan: 1}, Commission: &Commission{Rate: 0.02, BasketYuan: 100, Conversion: 0.5, ReferenceS: 20, Elasticity: 0.2}}
			metrics := []metric{{FirstWithin, 30 * time.Second}, {name: Abandoned}}
			if c.work.Model == Chats {
				metrics = append(metrics, metric{RoundWithin, time.Minute})
			}
			tab := newTable(spec, c.work, metrics, 15*time.Minute)
			tab.worst = math.Inf(1)
			tab.rows = make([]row, c.heads+1)
			m := &Model{tables: []*table{tab}, lock: &sync.Mutex{}}
			every := func(*table) (all []int) {
				for h := range c.heads {
					all = append(all, h+1)
				}
				return all
			}
			require.NoError(t, m.solveRows(context.Background(), every))
			r := rand.New(rand.NewPCG(1, 2))
			worst := 0.0
			for range 400 {
				heads := 1 + r.IntN(c.heads)
				load := tab.capacity * float64(heads) * 4.5 * math.Pow(r.Float64(), 2)
				if full := load / tab.capacity / float64(heads); c.work.PatienceS == 0 && full > 0.9 && full < 1.01 {
					continue // Erlang C falls off a cliff there; DESIGN.md says so
				}
				want := tab.measure(heads, load)
				for f := range want {
					got := make([]float32, 1)
					tab.add(got, f, heads, loads{float32(load)}, 1, 1)
					miss := math.Abs(float64(got[0])/load - want[f])
					worst = max(worst, miss)
					tolerance := c.tolerance
					if f == len(metrics) {
						tolerance = 0.02 // of about 2 yuan
					}
					assert.LessOrEqual(t, miss, tolerance, "figure %d, %d heads, load %.3f of capacity", f, heads, load/tab.capacity/float64(heads))
				}
			}
			t.Logf("largest difference %.4f", worst)
		})
	}
}

func grid(t *testing.T, q Queue, days int, u Uncertainty, scenarios int) *Model {
	from := calendar.Date{Year: 2026, Month: 11, Day: 9}
	m, err := New(context.Background(), Input{
		SlotMin: 60, From: from, Until: from.Add(days), Seed: 3, Scenarios: scenarios, Uncertainty: u, Queues: []Queue{q},
	})
	require.NoError(t, err)
	return m
}

// Day totals decide how slots hang together: the simulated total has the spread of the forecast of the day. Eight
// slots of deviation 10: independent (carry 0) their sum has 10 sqrt(8) = 28.3, together 80.
func TestDayTotalsHaveTheirSpread(t *testing.T) {
	none := 0.0
	for _, want := range []float64{28.3, 40, 60, 80} {
		q := hours(8, 100, 10)
		z := score(0.9)
		q.Demand.DayTotals = []DayTotal{{Date: calendar.Date{Year: 2026, Month: 11, Day: 9}, Quantiles: []float64{800 - z*want, 800 + z*want}}}
		m := grid(t, q, 1, Uncertainty{Carry: &none}, 4000)
		mean, square := 0.0, 0.0
		for s := range 4000 {
			sum := 0.0
			for _, l := range m.queues[0].loads {
				sum += float64(l[s])
			}
			mean += sum / 4000
			square += sum * sum / 4000
		}
		assert.InDelta(t, 800, mean, 0.1)
		assert.InEpsilon(t, want, math.Sqrt(square-mean*mean), 0.04)
	}
}

// hours is a queue with normal contacts in some hours of Nov 9.
func hours(n int, mean, deviation float64) Queue {
	q := Queue{Queue: "lumi/pre", Handling: Handling{Model: Rate, ContactsPerHour: 1}, Demand: Demand{Levels: []float64{0.1, 0.9}}}
	at, z := time.Date(2026, 11, 9, 9, 0, 0, 0, time.FixedZone("CST", 8*3600)), score(0.9)
	for i := range n {
		q.Demand.Slots = append(q.Demand.Slots, Slot{Start: at.Add(time.Duration(i) * time.Hour), Mean: mean, Quantiles: []float64{mean - z*deviation, mean + z*deviation}})
	}
	return q
}

// Every slot has the quantiles of its forecast, whatever the correlations.
func TestScenariosKeepEveryMarginal(t *testing.T) {
	q := hours(6, 50, 7)
	q.Demand.Levels = []float64{0.1, 0.5, 0.9}
	for i := range q.Demand.Slots {
		q.Demand.Slots[i].Quantiles = []float64{20, 30, 90} // skewed
	}
	m := grid(t, q, 1, Uncertainty{}, 999)
	for _, l := range m.queues[0].loads {
		sorted := slices.Clone(l)
		slices.Sort(sorted)
		assert.InDelta(t, 30, sorted[499], 1e-4, "the middle of 999")
		for _, p := range []struct{ share, value float64 }{{0.1, 20}, {0.9, 90}} {
			below := 0
			for _, v := range sorted {
				if float64(v) < p.value {
					below++
				}
			}
			assert.InDelta(t, p.share, float64(below)/999, 0.002)
		}
	}
}
