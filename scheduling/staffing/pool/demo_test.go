package pool_test

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing"
	"github.com/chaoban/chaoban/scheduling/staffing/pool"
	"github.com/chaoban/chaoban/scheduling/staffing/simulate"
)

//go:embed testdata/demo.json
var demoFile []byte

type demoDay struct {
	Date   string `json:"date"`
	Queues []struct {
		Queue    ids.Queue    `json:"queue"`
		Merchant ids.Merchant `json:"merchant"`
		Shop     ids.Shop     `json:"shop"`
		Kind     string       `json:"kind"`
		Goal     float64      `json:"goal"`
		Seats    int          `json:"seats"`
		Rates    []float64    `json:"rates"` // per quarter hour
	} `json:"queues"`
	Groups []struct {
		Skills  []ids.Queue `json:"skills"`
		Members int         `json:"members"`
	} `json:"groups"`
}

// goalOfPlanner is what the demo's planner uses where a contract names no first-response goal.
const goalOfPlanner = 0.8

func demo(t testing.TB) demoDay {
	t.Helper()
	var d demoDay
	require.NoError(t, json.Unmarshal(demoFile, &d))
	return d
}

// conduct is how the demo's buyers and agents talk: the same figures as its month of conversations.
func conduct(kind string) *simulate.Queue {
	q := simulate.Queue{
		Rounds: 4, Work: simulate.Span{Mean: 11 * time.Second, Shape: simulate.Lognormal, CV: 0.7},
		Think: simulate.Span{Mean: 38 * time.Second, Shape: simulate.Lognormal, CV: 1}, Linger: simulate.Span{Mean: 30 * time.Second},
		LongPause: 0.06, LongPauseTime: simulate.Span{Mean: 4 * time.Minute},
		Silent: 0.06, SilentTimeout: 2 * time.Minute, Patience: simulate.Span{Mean: 6 * time.Minute},
	}
	if kind == "after" {
		q.Rounds, q.Work.Mean = 5, 13*time.Second
	}
	return &q
}

// problem plans the day in slots of several quarter hours. Every agent holds four chats, the demo's usual
// number, and costs the same, so that hours and money rank plans alike.
func (d demoDay) problem(quarters int) pool.Problem {
	day, _ := time.ParseInLocation(time.DateOnly, d.Date, time.FixedZone("CST", 8*3600))
	var p pool.Problem
	for _, q := range d.Queues {
		target := staffing.DefaultTarget()
		target.OccupancyCap, target.Concurrency, target.Slowdown, target.Share = 0, 4, 0.05, goalOfPlanner
		if q.Goal > 0 {
			target.Share = q.Goal
		}
		curve := scheduling.Curve{Queue: q.Queue, Slot: time.Duration(quarters) * calendar.Slot}
		for i := 0; i < len(q.Rates); i += quarters {
			sum := 0.0
			for _, r := range q.Rates[i : i+quarters] {
				sum += r
			}
			if sum > 0 {
				curve.Points = append(curve.Points, scheduling.Point{Start: day.Add(time.Duration(i) * calendar.Slot), Mean: sum})
			}
		}
		p.Queues = append(p.Queues, pool.Queue{Merchant: q.Merchant, Shop: q.Shop, Curve: curve, Target: target, Conduct: conduct(q.Kind)})
	}
	for i, g := range d.Groups {
		p.Groups = append(p.Groups, pool.Group{ID: fmt.Sprintf("g%02d", i), Skills: g.Skills, Limit: 4, Cost: 30, Max: g.Members})
	}
	return p
}

// late is what fresh buyers meet, counted outside the planner: contacts and first replies in time per queue.
type late struct{ contacts, inTime []int }

func (l late) share(q int) float64 { return float64(l.inTime[q]) / float64(max(1, l.contacts[q])) }

// replay simulates heads on days that no search has seen, from the demo's own quarter hours: nothing of the
// planner is used but the heads.
func (d demoDay) replay(t testing.TB, agents []simulate.Agent, days int) late {
	t.Helper()
	l := late{make([]int, len(d.Queues)), make([]int, len(d.Queues))}
	config := simulate.Config{Horizon: 24 * time.Hour, Slot: calendar.Slot, Agents: agents}
	for _, q := range d.Queues {
		c := *conduct(q.Kind)
		c.Rates, c.FirstWithin = q.Rates, staffing.DefaultTarget().Within
		config.Queues = append(config.Queues, c)
	}
	for day := range days {
		config.Seed = 99_000_000 + uint64(day)
		s, err := simulate.Run(config, nil)
		require.NoError(t, err)
		for q := range s.Queues {
			l.contacts[q] += s.Queues[q].Arrived
			l.inTime[q] += s.Queues[q].FirstWithin
		}
	}
	return l
}

// people puts a person behind every head: head i of a group is on duty in the slots that ask for more than i.
func people(p pool.Problem, plan pool.Plan, day time.Time) (agents []simulate.Agent) {
	index := map[ids.Queue]int{}
	for i, q := range p.Queues {
		index[q.Curve.Queue] = i
	}
	for _, g := range p.Groups {
		a := simulate.Agent{Limit: g.Limit, Slowdown: 0.05}
		for _, s := range g.Skills {
			a.Queues = append(a.Queues, index[s])
		}
		for i := range g.Max {
			a.Duty = []simulate.Interval{}
			for _, s := range plan.Slots {
				at := s.Start.Sub(day)
				for _, h := range s.Heads {
					if h.Group == g.ID && h.Heads > i {
						a.Duty = append(a.Duty, simulate.Interval{Start: at, End: at + plan.Slot})
					}
				}
			}
			agents = append(agents, a)
		}
	}
	return agents
}

// shopTeams is the day with teams that know both queues of one shop and nothing else.
func (d demoDay) shopTeams(quarters int) pool.Problem {
	p := d.problem(quarters)
	p.Groups = nil
	for _, q := range p.Queues {
		if n := len(p.Groups); n > 0 && p.Groups[n-1].ID == string(q.Shop) {
			p.Groups[n-1].Skills = append(p.Groups[n-1].Skills, q.Curve.Queue)
			continue
		}
		p.Groups = append(p.Groups, pool.Group{ID: string(q.Shop), Skills: []ids.Queue{q.Curve.Queue}, Limit: 4, Cost: 30})
	}
	return p
}

// The bar: the pool takes at least 10 % fewer hours than the sum of its parts, at the same simulated service.
// It is shown twice: both reach every goal; and the pool also reaches, queue by queue, what the parts reach
// beyond their goals because their heads are whole. Teams per shop stand beside it for comparison.
func BenchmarkStaffingPooledDemo(b *testing.B) {
	const bar = 0.10
	d := demo(b)
	p := d.problem(2)
	o := pool.Options{Seed: 1, Replications: 30, Verify: 80}
	for b.Loop() {
		for _, match := range []bool{false, true} {
			o.MatchParts = match
			begin := time.Now()
			plan, err := pool.Solve(b.Context(), p, o)
			require.NoError(b, err)
			midnight := plan.Slots[0].Start.Add(-8 * time.Hour) // the first shop opens at eight
			fresh := d.replay(b, people(p, plan, midnight), 100)
			name, unit := "goals reached", "saved"
			if match {
				name, unit = "service of the parts reached too", "saved_at_same_service"
			}
			b.Logf("%s: pool %.1f h, parts %.1f h, saved %.1f %% (bar %.0f %%), verified %v, %s", name, plan.Pool.Hours, plan.Parts.Hours, 100*plan.Share, 100*bar, plan.Verified, time.Since(begin).Round(time.Second))
			for i, q := range plan.Queues {
				b.Logf("  %-18s goal %.2f  pool %.3f (%.3f-%.3f, replayed %.3f)  parts %.3f (%.3f-%.3f)", q.Queue, q.Goal,
					q.Pool.Share, q.Pool.Low, q.Pool.High, fresh.share(i), q.Parts.Share, q.Parts.Low, q.Parts.High)
				if fresh.share(i) < q.Goal || match && fresh.share(i) < q.Parts.Share-0.01 {
					b.Errorf("%s: replayed %.3f, goal %.2f, parts %.3f", q.Queue, fresh.share(i), q.Goal, q.Parts.Share)
				}
			}
			b.ReportMetric(100*plan.Share, unit+"_%")
			if !plan.Verified || plan.Share < bar {
				b.Errorf("%s: saved %.3f of the hours, bar %.2f, verified %v", name, plan.Share, bar, plan.Verified)
			}
		}
		o.MatchParts = false
		teams, err := pool.Solve(b.Context(), d.shopTeams(2), o)
		require.NoError(b, err)
		b.Logf("teams per shop, goals reached: %.1f h, verified %v", teams.Pool.Hours, teams.Verified)
	}
}
