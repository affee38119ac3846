package margin

import (
	"context"
	"math"
	"slices"
)

// group is the terms of one name over several queues, which are judged as one: a contract counts the contacts of all its
// shops together, so a good queue makes up for a bad one.
type group struct {
	name    string
	members []member
}

type member struct{ queue, term int }

// rest is what the other queues of a group count, by scenario.
type rest struct{ met, all []float64 }

// gather finds the groups, in order of first use.
func (m *Model) gather() {
	at := map[string]int{}
	for i, q := range m.queues {
		for k := range q.terms {
			name := q.terms[k].spec.Joint
			if name == "" {
				continue
			}
			g, known := at[name]
			if !known {
				g = len(m.groups)
				at[name] = g
				m.groups = append(m.groups, group{name: name})
			}
			m.groups[g].members = append(m.groups[g].members, member{i, k})
		}
	}
}

// parts gives every term of a group its part of the ladder, by expected contacts: with it a queue is searched alone.
func (m *Model) parts() {
	for _, g := range m.groups {
		all := 0.0
		for _, x := range g.members {
			all += total(m.queues[x.queue].terms[x.term].sum)
		}
		for _, x := range g.members {
			t := &m.queues[x.queue].terms[x.term]
			if t.part = 1 / float64(len(g.members)); all > 0 {
				t.part = total(t.sum) / all
			}
		}
	}
}

func total(values []float64) (sum float64) {
	for _, v := range values {
		sum += v
	}
	return sum
}

// openAll are the books of all queues, with the terms of groups judged together.
func (m *Model) openAll(ctx context.Context, heads func(i int) []int) ([]*books, error) {
	all := make([]*books, len(m.queues))
	if err := parallel(ctx, len(all), func(i int) { all[i] = m.open(m.queues[i], heads(i)) }); err != nil {
		return nil, err
	}
	m.join(all)
	return all, nil
}

// join judges the terms of groups together, and shares out what they deduct and pay among the queues by what each misses.
func (m *Model) join(all []*books) {
	n := m.in.Scenarios
	for _, g := range m.groups {
		met, count := make([]float64, n), make([]float64, n)
		for _, x := range g.members {
			l := all[x.queue].ledgers[x.term]
			for s := range n {
				met[s] += l.total[s]
				count[s] += l.sum[s]
			}
		}
		for _, x := range g.members {
			l := all[x.queue].ledgers[x.term]
			r := &rest{make([]float64, n), make([]float64, n)}
			for s := range n {
				r.met[s], r.all[s] = met[s]-l.total[s], count[s]-l.sum[s]
			}
			l.rest = r
			l.settle()
			l.ownDue, l.ownWon = make([]float64, n), make([]float64, n)
			for s := range n {
				missed, part := -met[s], 0.0
				own := -l.total[s]
				if !timed(l.spec.Metric) {
					missed, own = missed+count[s], own+l.sum[s]
				}
				switch {
				case missed > touch:
					part = max(0, own) / missed
				case count[s] > 0:
					part = l.sum[s] / count[s]
				}
				l.ownDue[s], l.ownWon[s] = part*l.capped(l.due[s]), part*l.won[s]
			}
		}
	}
	if len(m.groups) > 0 {
		for _, b := range all {
			b.sum()
		}
	}
}

// owed is what the queue owes and is paid in a scenario, with its own part of what groups owe together.
func (b *books) owed(s int) (due, won float64) {
	due, won = b.due[s], b.won[s]
	for _, l := range b.ledgers {
		if l.rest != nil {
			due += l.ownDue[s] - l.capped(l.due[s])
			won += l.ownWon[s] - l.won[s]
		}
	}
	return due, won
}

// jointOutcomes are the terms of groups as they are judged.
func (m *Model) jointOutcomes(all []*books) []TermOutcome {
	var out []TermOutcome
	for _, g := range m.groups {
		l := all[g.members[0].queue].ledgers[g.members[0].term]
		shares, dues := make([]float64, l.scenarios), make([]float64, l.scenarios)
		steps := make([]float64, len(l.steps))
		contacts := (total(l.sum) + total(l.rest.all)) / float64(l.scenarios)
		for s := range shares {
			shares[s] = l.share(l.total[s]+l.rest.met[s], l.sum[s]+l.rest.all[s], 1)
			if n := l.step(shares[s]); n > 0 {
				steps[n-1] += 1 / float64(l.scenarios)
			}
			dues[s] = l.capped(l.due[s])
		}
		kept := l.kept(shares, contacts)
		for s := range shares {
			shares[s] = l.told(shares[s])
		}
		out = append(out, TermOutcome{ID: g.name, Contacts: contacts, Met: (total(l.total) + total(l.rest.met)) / float64(l.scenarios), Kept: kept, Share: spreadOf(shares), Penalty: spreadOf(dues), Bonus: spreadOf(l.won), Steps: steps})
	}
	return out
}

// floorsOf are the expected minima of due - won + p x over all services x of the groups, for each choice of prices of the averages.
func (m *Model) floorsOf(g group, prices []slopes) []float64 {
	first := &m.queues[g.members[0].queue].terms[g.members[0].term]
	out := make([]float64, len(prices))
	for s := range m.in.Scenarios {
		all := 0.0
		for _, x := range g.members {
			all += m.queues[x.queue].terms[x.term].sum[s]
		}
		for i, p := range prices {
			price := p[g.members[0].term][0]
			out[i] += first.corner(all, first.spec.OutsideContacts, first.spec.OutsideMet, func(met float64) float64 {
				due, won := first.average(met, all, 1)
				if first.spec.CapYuan > 0 {
					due = min(due, first.spec.CapYuan)
				}
				return due - won + price*met
			}) / float64(m.in.Scenarios)
		}
	}
	return out
}

// agree tries staffings in which all queues of groups see one price of service, which is what a joint ladder asks for, and keeps
// the best of them and of what the queues found alone.
func (s *shared) agree(ctx context.Context) error {
	if len(s.groups) == 0 {
		return nil
	}
	grouped := map[int]bool{}
	for _, g := range s.groups {
		for _, x := range g.members {
			grouped[x.queue] = true
		}
	}
	staffs := make([]*staff, len(s.queues))
	worth := func() (float64, error) {
		all, err := s.openAll(ctx, func(i int) []int { return staffs[i].heads })
		if err != nil {
			return 0, err
		}
		return s.outcome(all).Margin.Mean, nil
	}
	for i := range staffs {
		staffs[i] = s.found[i].staff
	}
	best, kept := math.Inf(-1), []*staff(nil)
	offer := func() error {
		v, err := worth()
		if err == nil && v > best {
			best, kept = v, slices.Clone(staffs)
		}
		return err
	}
	if err := offer(); err != nil {
		return err
	}
	for _, x := range multiples(0.5) {
		for i, q := range s.queues {
			if !grouped[i] {
				continue
			}
			staffs[i] = s.newStaff(q)
			staffs[i].cover(q.linear(q.slopesAt(slices.Repeat([]float64{x}, len(q.terms)), len(s.days)), s.full(q), s.uniform(q)))
		}
		if err := offer(); err != nil {
			return err
		}
	}
	for _, g := range s.groups {
		for _, reached := range s.reachJoint(g) {
			copy(staffs, kept)
			for n, x := range g.members {
				staffs[x.queue] = reached[n]
			}
			if err := offer(); err != nil {
				return err
			}
		}
	}
	for i := range kept {
		s.found[i].staff = kept[i]
	}
	s.evict()
	return nil
}
