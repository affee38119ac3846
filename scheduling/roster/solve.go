package roster

import (
	"context"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster/search"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Options say how long to search. With Iterations the result depends on Seed, Iterations and
// Threads only; with Time the caller supplies the clock.
type Options = search.Budget

// Solve makes a roster. It returns an Invalid error for a bad problem or budget. When the context
// ends it returns the best roster so far with Stopped set and no error. A hard rule is never
// broken: what cannot be covered legally stays uncovered and is explained.
func Solve(ctx context.Context, p Problem, o Options) (Solution, error) {
	if o.Threads == 0 {
		o.Threads = 1
	}
	if err := p.Validate(); err != nil {
		return Solution{}, err
	}
	if err := o.Validate(); err != nil {
		return Solution{}, err
	}
	if p.Relief == (Relief{}) {
		p.Relief = DefaultRelief()
	}
	m := compile(&p)
	s, relaxed, stopped := m.search(ctx, o)
	if m.stays() {
		s.settle()
		s.stay(o.Seed, queuesSpent(ctx, o), func(cost float64) {
			if o.Progress != nil {
				o.Progress(search.Progress{Done: o.Spent(o.Iterations), Cost: cost, Bound: relaxed.bound()})
			}
		})
	}
	out := s.solution(relaxed.bound())
	out.Seed, out.Stopped = o.Seed, stopped
	conflicts := map[ids.Agent]bool{}
	for i := range m.agents {
		conflicts[p.Agents[i].Person.ID] = m.agents[i].conflict
	}
	for _, v := range Judge(p, out.Roster.Shifts) {
		if v.Hard && !conflicts[v.Agent] {
			return Solution{}, fault.New(fault.Internal, "roster.broken_rule", "the optimiser broke %s for %s: %s", v.Rule, v.Agent, v.Sentence.EN)
		}
		out.Violations = append(out.Violations, v)
	}
	out.Violations = append(out.Violations, p.seatless()...)
	return out, nil
}

// Judge checks any shifts of a problem, made by hand or by Solve, under the whole rule pack,
// history and later shifts included.
func Judge(p Problem, shifts []scheduling.Shift) []workrules.Violation {
	people := make([]workrules.Person, len(p.Agents))
	all := slices.Clone(shifts)
	for i, a := range p.Agents {
		people[i] = a.Person
		all = append(append(all, a.History...), a.Later...)
	}
	return workrules.CheckAll(people, all, workrules.NewFrame(p.Range, p.Holidays, p.Location, p.Rules))
}

// solution turns a state into shifts and its account.
func (s *state) solution(bound float64) Solution {
	m := s.m
	short, cells := s.short()
	fixed := s.relieve(short, cells, maxRelieved)
	if !m.stays() {
		s.settle()
	}
	s.explain(short, cells)
	out := Solution{Roster: scheduling.Roster{Range: m.p.Range, Shifts: slices.Clone(m.p.Locked)}}
	for a := range s.place {
		for d := range s.place[a] {
			if s.place[a][d].occ >= 0 {
				out.Roster.Shifts = append(out.Roster.Shifts, s.shift(m.p.Agents[a].Person.ID, d, &s.place[a][d]))
			}
		}
	}
	out.Roster.Sort()
	out.Parts = s.account()
	out.Parts.Switches = m.p.Weights.Switch * float64(s.changes())
	out.Weigh(bound)
	out.Salaries = m.p.Salaries()
	for i := range m.target[:m.inside*len(m.queues)] {
		out.Needed += float64(m.target[i]) / m.perHour
		out.Missing += float64(max(0, m.target[i]-s.cover[i])) / m.perHour
	}
	out.Uncovered, out.FixesFor, out.Idle = short, fixed, s.idle()
	slices.SortStableFunc(out.Uncovered, byStart)
	return out
}

// shift builds the activities: one per stretch of the same queue or pause.
func (s *state) shift(agent ids.Agent, day int, p *placement) scheduling.Shift {
	m := s.m
	o := &m.occ[day][p.occ]
	start := m.at(o.start)
	out := scheduling.Shift{Agent: agent, Code: m.p.Templates[o.template].Code, Start: start, End: start.Add(time.Duration(o.len) * m.grid)}
	pause := 0
	for i := 0; i < o.len; {
		k := i + 1
		if p.queue[i] < 0 {
			k = i + o.pauses[pause].len
			out.Activities = append(out.Activities, m.activity(o, i, k, scheduling.Activity{Kind: o.pauses[pause].kind}))
			pause++
		} else {
			for k < o.len && p.queue[k] == p.queue[i] {
				k++
			}
			out.Activities = append(out.Activities, m.activity(o, i, k, scheduling.Activity{Kind: scheduling.Work, Queue: m.queues[p.queue[i]]}))
		}
		i = k
	}
	return out
}

func (m *model) activity(o *occurrence, from, to int, a scheduling.Activity) scheduling.Activity {
	a.Start, a.End = m.at(o.start+from), m.at(o.start+to)
	return a
}

// Days of the range in the business zone, for readers of a roster.
func (p Problem) Days() []calendar.Date { return slices.Collect(p.Range.Dates(p.Location)) }
