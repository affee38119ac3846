package pool

import (
	"cmp"
	"context"
	"slices"
)

// The search follows the cutting planes of Cezik & L'Ecuyer, "Staffing multiskill call centers via linear
// programming and simulation" (Management Science 54 (2008)) and Atlason, Epelman & Henderson (ibid.): a
// cheap relaxation proposes, the simulator says which queue misses its goal in which slot, and that
// becomes the next constraint. Instead of an integer program the constraint is met by the head that helps
// most per yuan, and a second pass takes back every head whose absence the simulator does not notice.
// All slots move in one simulation: a slot touches the next through its backlog only.

// finding is how much a trial misses: contacts per repetition and queue that should have been in time.
type finding [][]float64 // per slot, nil where all is well; then per queue

// strictness is when a cell counts as missed.
type strictness struct {
	tolerance  float64 // share by which it may miss
	deviations float64 // or this many standard errors, if that is more
}

func (f finding) clean() bool {
	return !slices.ContainsFunc(f, func(g []float64) bool { return g != nil })
}

// missed lists what falls short of the goals.
func (m *model) missed(r tally, h staffed, s strictness) finding {
	out := make(finding, m.slots)
	add := func(t, q int, contacts float64) {
		if out[t] == nil {
			out[t] = make([]float64, len(m.queues))
		}
		out[t][q] += contacts / float64(r.n)
	}
	for q := range m.queues {
		for t, c := range r.cells[q] {
			target := m.queues[q].target
			slack := max(s.tolerance, s.deviations*c.deviation(r.n))
			if gap := target.Share - c.share(); gap > slack {
				add(t, q, gap*float64(c.arrived))
			}
			if gap := c.abandon() - target.AbandonCap; target.AbandonCap > 0 && gap > slack {
				add(t, q, gap*float64(c.arrived))
			}
		}
	}
	for k, c := range m.crews {
		for t, n := range h[k] {
			if c.occupancy == 0 || n == 0 {
				continue
			}
			if gap := m.occupied(r, h, k, t) - c.occupancy; gap > s.tolerance {
				for _, q := range c.queues {
					add(t, q, gap*m.queues[q].contacts[t]*float64(r.n))
				}
			}
		}
	}
	return out
}

// occupied is the share of a crew's duty in a slot spent reading and writing.
func (m *model) occupied(r tally, h staffed, k, t int) float64 {
	return r.busy[k][t] / (float64(r.n*h[k][t]) * m.slot.Seconds())
}

// search is one run of the method on one model.
type search struct {
	model *model
	o     Options
	steps int
	best  staffed // cheapest state in which a trial found nothing; nil before there is one
	stuck [][]bool
}

func (m *model) search(o Options) *search {
	s := &search{model: m, o: o, stuck: make([][]bool, len(m.queues))}
	for q := range s.stuck {
		s.stuck[q] = make([]bool, m.slots)
	}
	return s
}

// run improves h until no step is left or nothing moves. The context ends it early with ctx.Err(); h and best
// are then what it had.
func (s *search) run(ctx context.Context, h staffed) (staffed, error) {
	h, r, err := s.repair(ctx, h)
	if err != nil {
		return h, err
	}
	if h, err = s.trim(ctx, h, r); err != nil {
		return h, err
	}
	// The trimmed slots were accepted side by side; one more look finds what they do to each other.
	h, _, err = s.repair(ctx, h)
	return h, err
}

func (s *search) trial(ctx context.Context, h staffed) (tally, finding, error) {
	s.steps++
	r, err := s.model.trial(ctx, h, s.o.Seed<<20, s.o.Replications)
	if err != nil {
		return r, nil, err
	}
	f := s.model.missed(r, h, strictness{})
	s.forget(f)
	if f.clean() && (s.best == nil || s.model.cost(h) < s.model.cost(s.best)) {
		s.best = h.clone()
	}
	return r, f, nil
}

// forget drops what no head can mend.
func (s *search) forget(f finding) {
	for t, gaps := range f {
		left := 0.0
		for q := range gaps {
			if s.stuck[q][t] {
				gaps[q] = 0
			}
			left += gaps[q]
		}
		if left == 0 {
			f[t] = nil
		}
	}
}

// repair adds heads until a trial misses nothing that heads can mend.
func (s *search) repair(ctx context.Context, h staffed) (staffed, tally, error) {
	h = h.clone()
	for {
		r, f, err := s.trial(ctx, h)
		if err != nil || f.clean() || s.steps >= s.o.Steps {
			return h, r, err
		}
		for t, gaps := range f {
			if gaps != nil {
				s.model.help(h, t, gaps, s.stuck)
			}
		}
	}
}

// help adds heads in a slot for the queues with a gap, each to the crew whose queues miss most per yuan.
// A queue that nobody can help any more is marked stuck.
func (m *model) help(h staffed, t int, gaps []float64, stuck [][]bool) {
	left := slices.Clone(gaps)
	for q := range left {
		if left[q] > 0 && float64(m.present(h, q, t)) > m.ample(q, t) {
			left[q], stuck[q][t] = 0, true
		}
	}
	for {
		k := m.helper(h, t, left)
		if k < 0 {
			break
		}
		// Far below the goal one head per step would take for ever: add in proportion, a tenth of the team at most.
		worst, team := 0.0, 0
		for _, q := range slices.Concat(m.crews[k].queues, m.crews[k].overflow) {
			if n := m.queues[q].contacts[t]; left[q] > 0 && n > 0 {
				worst, team = max(worst, left[q]/n), max(team, m.present(h, q, t))
			}
			left[q] = 0
		}
		h[k][t] += max(1, min(m.room(h, k, t), int(min(worst, 0.1)*float64(team))))
	}
	for q := range left {
		if left[q] > 0 && !m.relieve(h, t, q) {
			stuck[q][t] = true
		}
	}
}

// helper is the crew with room whose queues miss most contacts per yuan, or -1.
func (m *model) helper(h staffed, t int, gaps []float64) int {
	best, worth := -1, 0.0
	for k, c := range m.crews {
		if c.fixed != nil {
			continue
		}
		sum := 0.0
		for _, q := range c.queues {
			sum += gaps[q]
		}
		for _, q := range c.overflow {
			sum += gaps[q] / 2 // of use only when the queue's own agents are full
		}
		if v := sum / c.cost; v > 0 && (v > worth*(1+tie) || v > worth*(1-tie) && m.broader(k, best)) && m.room(h, k, t) > 0 {
			best, worth = k, v
		}
	}
	return best
}

// tie is how near two values per yuan are when breadth decides: at the same price an agent who knows more helps
// more than any one slot can show.
const tie = 1e-9

// breadth is how many queues a crew serves as its own.
func (m *model) breadth(k int) int { return len(m.crews[k].queues) }

func (m *model) broader(k, than int) bool { return than >= 0 && m.breadth(k) > m.breadth(than) }

// ample is more agents than any goal that can be reached needs: for a queue and all that share its agents one
// for every contact present, as many again, and what is promised.
func (m *model) ample(q, t int) float64 {
	heads := 8.0
	for _, o := range m.parts[m.partOf[q]] {
		s := m.queues[o]
		heads += 2*s.contacts[t]*s.target.HandleTime.Seconds()/m.slot.Seconds() + float64(m.floor[o][t])
	}
	return heads
}

// relieve helps a queue whose own crews are exhausted through others: breadth first from the queue over the
// agents it shares to the nearest queue whose crews have room. It reports false when there is none.
func (m *model) relieve(h staffed, t, q int) bool {
	seen := make([]bool, len(m.queues))
	seen[q] = true
	for line := []int{q}; len(line) > 0; line = line[1:] {
		best := -1
		for _, k := range m.serving[line[0]] {
			if m.room(h, k, t) > 0 && (best < 0 || m.crews[k].cost < m.crews[best].cost) {
				best = k
			}
		}
		if best >= 0 {
			h[best][t]++
			return true
		}
		for _, k := range m.serving[line[0]] {
			for _, next := range m.crews[k].queues {
				if h[k][t] > 0 && !seen[next] {
					seen[next] = true
					line = append(line, next)
				}
			}
		}
	}
	return false
}

// giveUp is how many heads of one slot may prove needed before the rest is taken to be needed too.
const giveUp = 5

// trim takes heads away that nobody misses. One simulation tries one head per part in every second slot, so
// that each removal answers for its own slot and the next.
func (s *search) trim(ctx context.Context, h staffed, r tally) (staffed, error) {
	m := s.model
	tried := make([][]bool, len(m.crews))
	for k := range tried {
		tried[k] = make([]bool, m.slots)
	}
	fails := make([][]int, m.slots)
	for t := range fails {
		fails[t] = make([]int, len(m.parts))
	}
	for idle, parity := 0, 0; idle < 2 && s.steps < s.o.Steps*9/10; parity = 1 - parity {
		next := h.clone()
		var moves []move
		for t := parity; t < m.slots; t += 2 {
			for part := range m.parts {
				if fails[t][part] >= giveUp {
					continue
				}
				if k := s.sparest(h, r, t, part, tried); k >= 0 {
					next[k][t]--
					moves = append(moves, move{part, k, t})
				}
			}
		}
		if len(moves) == 0 {
			idle++
			continue
		}
		idle = 0
		seen, f, err := s.trial(ctx, next)
		if err != nil {
			return h, err
		}
		for _, v := range moves {
			if m.hurt(f, v.part, v.slot) {
				next[v.crew][v.slot]++
				tried[v.crew][v.slot] = true
				fails[v.slot][v.part]++
				continue
			}
			for q := range r.cells {
				r.cells[q][v.slot] = seen.cells[q][v.slot]
			}
		}
		h = next
	}
	return h, nil
}

// move is one head of a crew taken from a slot.
type move struct{ part, crew, slot int }

// hurt reports that a queue of the part misses its goal in the slot or the next.
func (m *model) hurt(f finding, part, t int) bool {
	for u := t; u < min(t+2, m.slots); u++ {
		for _, q := range m.parts[part] {
			if f[u] != nil && f[u][q] > 0 {
				return true
			}
		}
	}
	return false
}

// sparest is the crew of a part to lose a head in a slot: the dearest, of these the narrowest, of these
// the one whose tightest queue has most contacts to spare; -1 when every head is promised, has proved
// needed, or serves a queue that misses its goal anyway.
func (s *search) sparest(h staffed, r tally, t, part int, tried [][]bool) int {
	m := s.model
	best, spare := -1, 0.0
	for k, c := range m.crews {
		if h[k][t] == 0 || c.fixed != nil || tried[k][t] || m.partOf[c.queues[0]] != part {
			continue
		}
		if slices.ContainsFunc(c.queues, func(q int) bool { return s.stuck[q][t] || m.present(h, q, t) <= m.floor[q][t] }) {
			continue
		}
		tightest := 1e18
		for _, q := range c.queues {
			cell := r.cells[q][t]
			if cell.arrived == 0 {
				continue
			}
			tightest = min(tightest, (cell.share()-m.queues[q].target.Share)*float64(cell.arrived))
		}
		if best < 0 || cmp.Or(cmp.Compare(c.cost, m.crews[best].cost), cmp.Compare(m.breadth(best), m.breadth(k)), cmp.Compare(tightest, spare)) > 0 {
			best, spare = k, tightest
		}
	}
	return best
}

// cost of a plan, in yuan.
func (m *model) cost(h staffed) float64 {
	sum := 0.0
	for k, c := range m.crews {
		for _, n := range h[k] {
			sum += float64(n) * c.cost
		}
	}
	return sum * m.slot.Hours()
}

// hours of a plan.
func (m *model) hours(h staffed) float64 {
	n := 0
	for k := range h {
		for _, x := range h[k] {
			n += x
		}
	}
	return float64(n) * m.slot.Hours()
}
