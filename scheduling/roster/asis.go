package roster

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

// Question says which short stretches of a roster are asked about.
type Question struct {
	Queue    ids.Queue // only of this queue; empty = all
	At       time.Time // only stretches that hold this instant; zero = all
	AllFixes bool      // fixes for every stretch asked about; else for the dearest ones
}

// Answer is what Explain says.
type Answer struct {
	Uncovered []Uncovered // by start and queue
	FixesFor  int         // so many of them, the dearest, have their fixes worked out
	Idle      []Idle      // who works no shift, with the reason
}

// Explain says what is short when shifts are worked as they are, why nobody fills it, and what would: the same
// that Solve says of its own roster, of one that was edited or repaired since. A shift that no template describes,
// or that serves a queue without need or skill, stays as if it were locked. Problem.Locked is left out: what is
// locked is among the shifts.
//
// Errors: Invalid for a bad problem.
func Explain(p Problem, shifts []scheduling.Shift, ask Question) (Answer, error) {
	p.Locked, p.LeastViolating = nil, true
	if p.Relief == (Relief{}) {
		p.Relief = DefaultRelief()
	}
	p.Agents = withStrangers(p.Agents, shifts)
	if err := p.Validate(); err != nil {
		return Answer{}, err
	}
	s := standing(p, shifts)
	var out []Uncovered
	short, cells := s.short()
	for i, u := range short {
		if (ask.Queue == "" || u.Queue == ask.Queue) && (ask.At.IsZero() || u.Range.Contains(ask.At)) {
			out = append(out, u)
			cells[len(out)-1] = cells[i]
		}
	}
	cells = cells[:len(out)]
	most := maxRelieved
	if ask.AllFixes {
		most = len(out)
	}
	fixed := s.relieve(out, cells, most)
	s.explain(out, cells)
	slices.SortStableFunc(out, byStart)
	return Answer{out, fixed, s.idle()}, nil
}

// withStrangers adds who works a shift without being an agent of the problem: somebody who has left since.
func withStrangers(agents []Agent, shifts []scheduling.Shift) []Agent {
	known := map[ids.Agent]bool{}
	for i := range agents {
		known[agents[i].Person.ID] = true
	}
	agents = slices.Clip(agents)
	for _, s := range shifts {
		if !known[s.Agent] {
			known[s.Agent] = true
			var a Agent
			a.Person.ID = s.Agent
			agents = append(agents, a)
		}
	}
	return agents
}

// standing is the state in which shifts are worked as they are.
func standing(p Problem, shifts []scheduling.Shift) *state {
	m := compile(&p)
	first := calendar.DateOf(p.Range.Start, p.Location)
	index := map[ids.Agent]int{}
	for i := range p.Agents {
		index[p.Agents[i].Person.ID] = i
	}
	type worked struct {
		agent  int
		occ    int16
		op     option
		queues []int16
	}
	var all []worked
	taken := map[[2]int]bool{}
	for _, x := range shifts {
		if !p.Range.Contains(x.Start) {
			continue
		}
		a, day := index[x.Agent], calendar.DateOf(x.Start, p.Location).Sub(first)
		op, queues, ok := m.described(a, day, x)
		if !ok || taken[[2]int{a, day}] {
			p.Locked = append(p.Locked, x)
			continue
		}
		taken[[2]int{a, day}] = true
		all = append(all, worked{a, m.agents[a].choices[day][op.at].occ, op, queues})
	}
	if len(p.Locked) > 0 {
		m = compile(&p)
	}
	s := newState(m, rand.New(rand.NewPCG(0, 0)))
	s.pool.still = true
	for _, w := range all {
		if m.agents[w.agent].choices[w.op.day] == nil { // what is locked breaks rules, so nothing more is judged
			s.coverOnly(&m.occ[w.op.day][w.occ], w.queues)
			continue
		}
		s.put(w.agent, w.op)
		s.retake(w.agent, w.op.day, w.queues)
	}
	s.pool.hold(s)
	s.cost = s.account().Total()
	return s
}

// described finds the template that a shift is of, with its pauses and queues slot by slot.
func (m *model) described(a, day int, x scheduling.Shift) (op option, queues []int16, ok bool) {
	if day < 0 || day >= len(m.days) {
		return op, nil, false
	}
	for _, named := range []bool{true, false} { // the template of its code first
		for i := range m.agents[a].choices[day] {
			o := &m.occ[day][m.agents[a].choices[day][i].occ]
			if (m.p.Templates[o.template].Code == x.Code) != named || !m.at(o.start).Equal(x.Start) || time.Duration(o.len)*m.grid != x.End.Sub(x.Start) {
				continue
			}
			op = option{day: day, at: int16(i)}
			if queues, ok = m.partsOf(a, day, o, x, &op.pause); ok {
				op.tired = m.tired(o, &op.pause, m.agents[a].cloud)
				return op, queues, true
			}
		}
	}
	return op, nil, false
}

// partsOf lays the activities of a shift on the slots of an occurrence; false where they are others.
func (m *model) partsOf(a, day int, o *occurrence, x scheduling.Shift, pause *[maxPauses]int16) (queues []int16, ok bool) {
	queues = make([]int16, 0, o.len)
	paused := 0
	for _, act := range x.Activities {
		from, length := int(act.Start.Sub(x.Start)/m.grid), int(act.End.Sub(act.Start)/m.grid)
		if from != len(queues) || length <= 0 || time.Duration(length)*m.grid != act.End.Sub(act.Start) {
			return nil, false
		}
		q := int16(-1)
		if act.Kind == scheduling.Work {
			q = int16(slices.Index(m.queues, act.Queue))
			if q < 0 || !contains(m.agents[a].skills[day], q) {
				return nil, false
			}
		} else {
			if paused == len(o.pauses) {
				return nil, false
			}
			if p := o.pauses[paused]; p.kind != act.Kind || p.len != length || from < p.early || from > p.late {
				return nil, false
			}
			pause[paused] = int16(from)
			paused++
		}
		for range length {
			queues = append(queues, q)
		}
	}
	return queues, paused == len(o.pauses) && len(queues) == o.len
}

// coverOnly counts the heads of a shift and nothing else.
func (s *state) coverOnly(o *occurrence, queues []int16) {
	for i, q := range queues {
		if t := o.start + i; q >= 0 && t < s.m.inside {
			s.cover[t*len(s.m.queues)+int(q)]++
		}
	}
}
