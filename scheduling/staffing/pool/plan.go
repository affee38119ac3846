package pool

import (
	"cmp"
	"context"
	"slices"

	"github.com/chaoban/chaoban/internal/fault"
)

const (
	verdicts  = 10      // most verdicts before a plan is handed out unverified
	verdictAt = 1 << 16 // where the verdicts' seeds begin within the block of a seed; the search stays below
	noise     = 2.0     // standard errors that a slot may miss by in a verdict
	certain   = 1.96    // of 95 % bounds
)

// Solve finds the heads of the pool and of its parts. The same problem and options give the same plan on
// any number of processors. Errors: staffing.pool (every bad field), staffing.unreachable (a goal that
// no number of agents meets), and timeout or canceled when the context ends; then the plan is the
// best found so far with Verified false, or zero if there was none.
func Solve(ctx context.Context, p Problem, o Options) (Plan, error) {
	if err := p.Validate(); err != nil {
		return Plan{}, err
	}
	if err := o.Validate(); err != nil {
		return Plan{}, err
	}
	m, err := compile(p)
	if err != nil {
		return Plan{}, err
	}
	o = o.orDefaults(m.typical())
	parts, pool := &side{model: m.separate()}, &side{model: m}
	err = parts.find(ctx, o, parts.model.start())
	if err == nil {
		err = pool.find(ctx, o, m.start())
	}
	if err == nil {
		err = pool.atMost(ctx, o, parts)
	}
	if err == nil {
		err = verify(ctx, o, pool, parts)
	}
	if err != nil {
		err = fault.Of(err)
	}
	if pool.heads == nil || parts.heads == nil {
		return Plan{}, err
	}
	return p.plan(o, pool, parts), err
}

// side is the pool or its parts on the way to a plan.
type side struct {
	model    *model
	heads    staffed
	steps    int
	stuck    [][]bool
	seen     tally // of the last verdict; n = 0 before one
	verified bool
}

func (s *side) find(ctx context.Context, o Options, from staffed) error {
	run := s.model.search(o)
	h, err := run.run(ctx, from)
	s.steps += run.steps
	s.stuck = run.stuck
	if err != nil {
		h = run.best // nil when nothing good was seen yet
	}
	s.heads = h
	return err
}

// atMost starts the pool again from the parts' own heads when the search ended dearer than they are: agents
// who can do more than the parts' need not cost more.
func (s *side) atMost(ctx context.Context, o Options, parts *side) error {
	if s.model.cost(s.heads) <= parts.model.cost(parts.heads) {
		return nil
	}
	from, ok := s.model.embed(parts)
	if !ok {
		return nil
	}
	first, stuck := s.heads, s.stuck
	err := s.find(ctx, o, from)
	if s.heads == nil || s.model.cost(s.heads) > s.model.cost(first) {
		s.heads, s.stuck = first, stuck
	}
	return err
}

// embed puts the parts' heads into crews of the pool, the cheapest first; false when they do not fit,
// because the parts were offered the same people twice.
func (m *model) embed(parts *side) (staffed, bool) {
	h := m.nobody()
	for t := range m.slots {
		for q := range m.queues {
			for range parts.model.present(parts.heads, q, t) - m.setAside(q, t) {
				order := slices.Clone(m.serving[q])
				slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(m.crews[a].cost, m.crews[b].cost) })
				i := slices.IndexFunc(order, func(k int) bool { return m.room(h, k, t) > 0 })
				if i < 0 {
					return nil, false
				}
				h[order[i]][t]++
			}
		}
	}
	return h, true
}

// setAside is the dedicated heads of a queue in a slot.
func (m *model) setAside(q, t int) int {
	n := 0
	for _, k := range m.serving[q] {
		if m.crews[k].fixed != nil {
			n += m.crews[k].fixed[t]
		}
	}
	return n
}

// verify judges both sides on the same fresh buyers, adds heads where a verdict finds a goal missed, and
// judges again on others, until one verdict has nothing to say about either side.
func verify(ctx context.Context, o Options, pool, parts *side) error {
	for round := range verdicts {
		seed := o.Seed<<20 + verdictAt + uint64(round*o.Verify)
		for _, s := range []*side{parts, pool} {
			r, err := s.model.trial(ctx, s.heads, seed, o.Verify)
			if err != nil {
				return err
			}
			s.seen = r
		}
		quiet := true
		for _, s := range []*side{parts, pool} {
			floors := make([]float64, len(s.model.queues))
			if s == pool && o.MatchParts {
				for q := range floors {
					floors[q] = parts.seen.queues[q].share()
				}
			}
			f := s.model.verdict(s.seen, s.heads, o, floors, s.stuck)
			s.verified = f.clean() && !s.anyStuck()
			if f.clean() {
				continue
			}
			quiet = false
			if round == verdicts-1 {
				continue // the figures must be those of the heads
			}
			for t, gaps := range f {
				if gaps != nil {
					s.model.help(s.heads, t, gaps, s.stuck)
				}
			}
		}
		if quiet {
			return nil
		}
	}
	return nil
}

func (s *side) anyStuck() bool {
	return slices.ContainsFunc(s.stuck, func(q []bool) bool { return slices.Contains(q, true) })
}

// verdict is the slots that miss a goal by more than tolerance and noise, and for queues that are not
// above their goal (or, over the horizon, the given floor) with 95 % certainty the slots where most
// contacts are late.
func (m *model) verdict(r tally, h staffed, o Options, floors []float64, stuck [][]bool) finding {
	f := m.missed(r, h, strictness{tolerance: o.Tolerance, deviations: noise})
	for t, gaps := range f {
		if gaps == nil {
			continue
		}
		for q := range gaps {
			if stuck[q][t] {
				gaps[q] = 0
			}
		}
		if !slices.ContainsFunc(gaps, func(g float64) bool { return g > 0 }) {
			f[t] = nil
		}
	}
	for q, s := range m.queues {
		all := r.queues[q]
		short := max(s.target.Share-(all.share()-certain*all.deviation(r.n)), floors[q]-all.share())
		if all.arrived > 0 && s.target.Share > 0 && short > 0 {
			m.raise(f, r, h, q, short*float64(all.arrived)/float64(r.n), stuck[q])
		}
	}
	return f
}

// raise asks for help in the slots where a queue is late most often, as many as should make up the contacts
// that it is short of over the horizon. One more head of n is taken to spare the 2/n-th part of the late
// ones: lateness falls faster than in proportion, and what is still missing the next verdict asks for.
func (m *model) raise(f finding, r tally, h staffed, q int, contacts float64, stuck []bool) {
	late := func(t int) float64 { c := r.cells[q][t]; return float64(c.arrived-c.within) / float64(r.n) }
	order := keep(upTo(m.slots), func(t int) bool { return !stuck[t] && late(t) > 0 })
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(late(b), late(a)) })
	for _, t := range order {
		if contacts <= 0 {
			return
		}
		gain := late(t) * min(1, 2/float64(1+m.present(h, q, t)))
		if f[t] == nil {
			f[t] = make([]float64, len(m.queues))
		}
		f[t][q] = max(f[t][q], min(gain, contacts))
		contacts -= gain
	}
}
