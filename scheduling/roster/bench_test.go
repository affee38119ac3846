package roster

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// demo is a simulated problem: n agents with two to four of `queues` queues each, demand with a
// midday and an evening hump that takes about `load` of their contract hours.
func demo(n, days, queues int, slot time.Duration, load float64) Problem {
	rng := rand.New(rand.NewPCG(7, 7))
	loc := time.FixedZone("CST", 8*3600)
	start := time.Date(2026, 11, 2, 0, 0, 0, 0, loc)
	p := Problem{
		Range: calendar.Range{Start: start, End: start.AddDate(0, 0, days)}, Location: loc,
		Rules: workrules.DefaultParams(), Weights: DefaultWeights(),
	}
	meal := []Pause{{Kind: scheduling.Meal, Length: time.Hour, Earliest: 3 * time.Hour, Latest: 5 * time.Hour}}
	for h := 7; h <= 15; h++ {
		p.Templates = append(p.Templates, Template{Code: fmt.Sprintf("D%02d", h), Start: time.Duration(h) * time.Hour, Length: 9 * time.Hour, Pauses: meal})
	}
	p.Templates = append(p.Templates, Template{
		Code: "N", Start: 23 * time.Hour, Length: 8 * time.Hour,
		Pauses: []Pause{{Kind: scheduling.Meal, Length: 30 * time.Minute, Earliest: 3 * time.Hour, Latest: 4 * time.Hour}},
	})
	for i := range n {
		a := Agent{Person: workrules.Person{ID: ids.Agent(fmt.Sprintf("A%04d", i)), OvertimeAgreed: i%3 == 0}}
		first := rng.IntN(queues)
		for k := range 2 + rng.IntN(3) {
			a.Person.Skills = append(a.Person.Skills, workrules.Skill{Queue: ids.Queue(fmt.Sprintf("q%02d", (first+k)%queues))})
		}
		p.Agents = append(p.Agents, a)
	}
	hump := func(hour float64) float64 {
		return math.Exp(-(hour-11)*(hour-11)/8) + 1.2*math.Exp(-(hour-20)*(hour-20)/8) + 0.08
	}
	sum := 0.0
	for h := 0.25; h < 24; h += 0.5 {
		sum += hump(h) / 2
	}
	perHour := load * float64(n) * 40 / 7 / sum / float64(queues) // heads per unit of hump
	for q := range queues {
		r := scheduling.Requirement{Queue: ids.Queue(fmt.Sprintf("q%02d", q)), Slot: slot}
		for t := p.Range.Start; t.Before(p.Range.End); t = t.Add(slot) {
			heads := int(perHour*hump(float64(t.Hour())+float64(t.Minute())/60)*(0.7+0.6*float64(q)/float64(queues)) + rng.Float64())
			if heads > 0 {
				r.Needs = append(r.Needs, scheduling.Need{Start: t, Heads: heads})
			}
		}
		p.Demand = append(p.Demand, r)
	}
	return p
}

// BenchmarkFortnight is the demo's size: 120 agents, 14 days, 12 queues, half-hour slots.
func BenchmarkFortnight(b *testing.B) {
	p := demo(120, 14, 12, 30*time.Minute, 0.8)
	for b.Loop() {
		s, err := Solve(context.Background(), p, Options{Seed: 1, Iterations: 2000, Threads: 2})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(s.Cost, "yuan")
		b.ReportMetric(s.Missing/s.Needed*100, "%missing")
	}
}

// BenchmarkGrowth shows how the cost of a step grows with the number of agents.
func BenchmarkGrowth(b *testing.B) {
	for _, n := range []int{100, 300, 1000} {
		p := demo(n, 28, 20, 15*time.Minute, 0.8)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if _, err := Solve(context.Background(), p, Options{Seed: 1, Iterations: 1, Threads: 1}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
