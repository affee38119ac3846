package margin

import (
	"context"
	"math"
)

// values are the expectations of one slot by number of heads, 0 to len(earned)-1; more heads change
// nothing. They hold for every price of service, so the search over prices costs only additions.
type values struct {
	earned []float32   // yuan from contacts
	met    [][]float32 // by term: contacts that meet its metric; nil where the slot does not count
}

// expect fills values and counts the contacts of each term.
func (q *queue) expect(ceiling int) {
	n := len(q.loads[0])
	worst := score(1 - 0.5/float64(n))
	found := make([]values, len(q.loads))
	sum := make([]float32, n)
	for i := range q.loads {
		top := q.useful(i, ceiling, worst)
		t := q.tables[i]
		figure := func(f int) []float32 {
			out := make([]float32, top+1)
			for h := range top + 1 {
				clear(sum)
				q.add(sum, i, f, h, 1)
				total := 0.0
				for _, v := range sum {
					total += float64(v)
				}
				out[h] = float32(total / float64(n))
			}
			return out
		}
		v := values{met: make([][]float32, len(q.terms))}
		if t.paying() {
			v.earned = figure(len(t.metrics))
		} else {
			v.earned = make([]float32, top+1)
		}
		known := make([][]float32, len(t.metrics))
		for k, term := range q.terms {
			if !term.within[i] {
				continue
			}
			if known[term.figure] == nil {
				known[term.figure] = figure(term.figure)
			}
			v.met[k] = known[term.figure]
		}
		found[i] = v
		q.least[i] = q.leastHeads(v, i)
	}
	q.values = found
}

// leastHeads is the floor of a slot: what is promised, and those whose expected share reaches that of Service.
func (q *queue) leastHeads(v values, slot int) int {
	floor := q.spec.floor(slot)
	if q.watch < 0 || q.spec.Service.Least == 0 {
		return floor
	}
	expected := 0.0
	for _, c := range q.loads[slot] {
		expected += float64(c) / float64(len(q.loads[slot]))
	}
	met := v.met[q.watch]
	for floor < len(met)-1 && float64(met[floor]) < (q.spec.Service.Least-touch)*expected {
		floor++
	}
	return floor
}

// slopes are yuan per contact that meets the metric, by term and day: the shadow price of service.
type slopes [][]float64

// linear is the problem with the contract replaced by shadow prices: it falls apart into slots.
type linear struct {
	value [][]float64 // by slot and heads, before wages
	price []float64   // yuan per head, by slot
	floor []int
	most  []int // heads, by slot
}

// forbidden is the loss per head outside [floor, most]: above anything that a contract can pay. Too many
// heads are worse than too few, because seats are physical.
const forbidden = 1e12

// linear problem for shadow prices. price and most run over the slots of q.
func (q *queue) linear(p slopes, price []float64, most []int) *linear {
	l := &linear{value: make([][]float64, len(q.at)), price: price, floor: q.least, most: most}
	for i, v := range q.values {
		row := make([]float64, len(v.earned))
		for h, y := range v.earned {
			row[h] = float64(y)
		}
		for k, met := range v.met {
			if met == nil {
				continue
			}
			if w := p[k][q.day[i]]; w != 0 {
				for h, y := range met {
					row[h] += w * float64(y)
				}
			}
		}
		l.value[i] = row
	}
	return l
}

// at is the net value of heads in a slot.
func (l *linear) at(slot, heads int) float64 {
	row := l.value[slot]
	v := row[min(max(heads, 0), len(row)-1)] - l.price[slot]*float64(heads)
	switch {
	case heads > l.most[slot]:
		v -= 2 * forbidden * float64(heads-l.most[slot])
	case heads < l.floor[slot]:
		v -= forbidden * float64(l.floor[slot]-heads)
	}
	return v
}

// best heads of a slot on its own, the fewest of equals. The value need not be concave (one agent under a
// flood answers nobody in time), so every number is looked at.
func (l *linear) best(slot int) (heads int, value float64) {
	low := min(l.floor[slot], l.most[slot])
	heads, value = low, l.at(slot, low)
	for h := low + 1; h <= min(l.most[slot], len(l.value[slot])-1); h++ {
		if v := l.at(slot, h); v > value+1e-9*math.Abs(value) {
			heads, value = h, v
		}
	}
	return heads, value
}

// severity is the shadow price per contact at which a ladder or bonus would pay off if it were one
// straight line from nothing to its last stair over the whole period.
func (t *term) severity(days int) float64 {
	top := 0.0
	for _, s := range append(append([]stair(nil), t.steps...), t.rewards...) {
		top = max(top, t.part*s.yuan)
	}
	contacts := 0.0
	for _, c := range t.sum {
		contacts += c / float64(len(t.sum))
	}
	switch t.spec.Period {
	case Daily:
		contacts /= float64(days)
	case Run:
		contacts *= float64(t.spec.RunDays) / float64(days)
	default:
		contacts += t.part * t.spec.OutsideContacts
	}
	if contacts == 0 {
		return 0
	}
	return top / (contacts * t.unit())
}

// slopesAt are shadow prices at multiples of the severities.
func (q *queue) slopesAt(multiple []float64, days int) slopes {
	p := make(slopes, len(q.terms))
	for k := range p {
		t := &q.terms[k]
		p[k] = make([]float64, days)
		for d := range p[k] {
			p[k][d] = t.weight[d] * (t.spec.PerMissedYuan + multiple[k]*t.severity(days))
		}
	}
	return p
}

// slopesNow are the expected slopes of what the contract deducts and pays around the present books: by how
// much a hundredth more or less of the contacts of a day (average: of the horizon) moves them.
func (b *books) slopesNow(days int) slopes {
	const nudge = 0.01
	p := make(slopes, len(b.ledgers))
	for k, l := range b.ledgers {
		p[k] = make([]float64, days)
		if l.spec.Period == Average {
			low, high, sum := 0.0, 0.0, 0.0
			for s, all := range l.sum {
				if l.rest != nil {
					all += l.rest.all[s]
				}
				step := nudge * all * l.unit()
				low += net(l, s, l.total[s]-step)
				high += net(l, s, l.total[s]+step)
				sum += 2 * step
			}
			for d := range p[k] {
				p[k][d] = ratio(low-high, sum)
			}
			continue
		}
		for d := range p[k] {
			up := change{d, make([]float32, l.scenarios)}
			down := change{d, make([]float32, l.scenarios)}
			low, high, sum := 0.0, 0.0, 0.0
			for s, all := range l.all[d] {
				step := nudge * all * float32(l.unit())
				up.met[s], down.met[s] = step, -step
				due, won := l.after(s, []change{down})
				low += l.capped(due) - won
				due, won = l.after(s, []change{up})
				high += l.capped(due) - won
				sum += 2 * float64(step)
			}
			p[k][d] = ratio(low-high, sum)
		}
	}
	return p
}

func net(l *ledger, s int, met float64) float64 {
	due, won := l.average(s, met)
	return l.capped(due) - won
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return max(0, a/b)
}

// candidate is a staffing of one queue with its expected margin at the prices it was made for.
type candidate struct {
	staff  *staff
	slopes slopes
	margin float64
}

// multiples of the severity that the search tries: from a contract that is ignored to one that is kept
// at any cost, in steps of a power of 2. A step ladder's slope near its step is many times its severity.
func multiples(step float64) []float64 {
	out := []float64{0}
	for e := -3.0; e <= 7; e += step {
		out = append(out, math.Exp2(e))
	}
	return out
}

// seeker searches the shadow prices of one queue for the staffing of largest expected margin. Every price
// gives the best staffing of its linear problem; its true margin is taken from the scenarios, so steps, caps
// and runs count as they are.
type seeker struct {
	*Model
	q     *queue
	b     *books
	price []float64
	most  []int
	best  candidate
}

// along solves one queue at prices of a head by slot: first one multiple for all terms, then one per term, then
// for daily terms one per day, then the expected slopes themselves (a fixed point of Lagrange multipliers). Where it
// has been solved before at other prices of a head, the search starts from there.
func (m *Model) along(ctx context.Context, q *queue, price []float64, most []int, before candidate) candidate {
	s := &seeker{Model: m, q: q, b: m.open(q, make([]int, len(q.at))), price: price, most: most}
	at := make([]float64, len(q.terms))
	if before.staff != nil {
		for _, f := range []float64{1, 0, 0.5, 0.7, 0.85, 1.2, 1.5, 2} {
			s.try(before.slopes.times(f))
		}
		s.settle()
		return s.best
	}
	s.try(s.multiple(at))
	if !q.steep() {
		return s.best
	}
	start := 0.0
	for _, x := range multiples(0.5) {
		for k := range at {
			at[k] = x
		}
		if ctx.Err() != nil {
			return s.best
		}
		if s.try(s.multiple(at)) {
			start = x
		}
	}
	if len(at) > 1 {
		s.perTerm(at, start)
	}
	s.perDay(ctx)
	s.settle()
	s.reachEvery()
	return s.best
}

// settle takes the expected slopes of the best staffing as prices until that gains nothing.
func (s *seeker) settle() {
	for range 4 {
		s.run(s.best.slopes)
		if !s.try(s.b.slopesNow(len(s.days))) {
			return
		}
	}
}

// steep reports that some term has a ladder or bonus.
func (q *queue) steep() bool {
	for k := range q.terms {
		if q.terms[k].severity(len(q.contacts)) > 0 {
			return true
		}
	}
	return false
}

func (s *seeker) multiple(at []float64) slopes { return s.q.slopesAt(at, len(s.days)) }

// run puts the best staffing at some shadow prices into the books.
func (s *seeker) run(p slopes) *staff {
	st := s.newStaff(s.q)
	st.cover(s.q.linear(p, s.price, s.most))
	copy(s.b.heads, st.heads)
	s.b.post()
	return st
}

// try shadow prices and keep the staffing if it is the best so far.
func (s *seeker) try(p slopes) bool {
	return s.keep(s.run(p), p)
}

// offer is try for a staffing that is there.
func (s *seeker) offer(st *staff, p slopes) {
	copy(s.b.heads, st.heads)
	s.b.post()
	s.keep(st, p)
}

// keep a staffing that is in the books if it is the best so far.
func (s *seeker) keep(st *staff, p slopes) bool {
	margin := s.b.earned() - cost(st.heads, s.price)
	if s.best.staff != nil && margin <= s.best.margin+1e-9*math.Abs(s.best.margin) {
		return false
	}
	s.best = candidate{st, p, margin}
	return true
}

// perTerm varies the multiple of one term after the other around a common start.
func (s *seeker) perTerm(at []float64, start float64) {
	for k := range at {
		at[k] = start
	}
	start = max(start, 1)
	for k := range at {
		if s.q.terms[k].severity(len(s.days)) == 0 {
			continue
		}
		keep := at[k]
		for _, f := range []float64{0, 0.25, 0.5, 0.7, 1.4, 2, 4} {
			at[k] = f * start
			if s.try(s.multiple(at)) {
				keep = at[k]
			}
		}
		at[k] = keep
	}
}

// perDay gives every day its own price of the daily terms: on one day the target is worth reaching, on the next it
// is out of reach. Given the price of the averages the days fall apart (but for blocks over midnight).
func (s *seeker) perDay(ctx context.Context) {
	var daily []int
	for k := range s.q.terms {
		if s.q.terms[k].spec.Period == Daily && s.q.terms[k].severity(len(s.days)) > 0 {
			daily = append(daily, k)
		}
	}
	if daily == nil {
		return
	}
	bases := []slopes{s.best.slopes}
	at := make([]float64, len(s.q.terms))
	for _, x := range []float64{2, 8} {
		for k := range at {
			at[k] = x
		}
		bases = append(bases, s.multiple(at))
	}
	for i, base := range bases {
		if i > 0 && len(daily) == len(s.q.terms) || ctx.Err() != nil {
			break // nothing but daily terms: every base is the same
		}
		s.try(s.dayByDay(base.times(1), daily))
	}
}

// dayByDay is base, which it changes, with the best multiple of the daily terms on each day.
func (s *seeker) dayByDay(base slopes, daily []int) slopes {
	for _, k := range daily {
		clear(base[k])
	}
	rest := s.q.linear(base, s.price, s.most)
	out := base.times(1)
	ranges := s.q.dayRanges()
	best := make([]float64, len(ranges))
	for n := range best {
		best[n] = math.Inf(-1)
	}
	at := make([]float64, len(s.q.terms))
	for _, x := range multiples(1) {
		for k := range at {
			at[k] = x
		}
		p, own := base.times(1), s.multiple(at)
		for _, k := range daily {
			p[k] = own[k]
		}
		st := s.run(p)
		for n, r := range ranges {
			v := 0.0
			for slot := r.from; slot < r.until; slot++ {
				v += rest.at(slot, st.heads[slot])
			}
			d := s.q.day[r.from]
			for _, k := range daily {
				v -= s.b.ledgers[k].expectedDay(d)
			}
			if v > best[n] {
				best[n] = v
				for _, k := range daily {
					out[k][d] = own[k][d]
				}
			}
		}
	}
	return out
}

// expectedDay is what a daily term takes on a day, before its cap.
func (l *ledger) expectedDay(day int) (sum float64) {
	for s, due := range l.dayDue[day] {
		sum += due - l.dayWon[day][s]
	}
	return sum / float64(l.scenarios)
}

// cost of heads at a price by slot.
func cost(heads []int, price []float64) (sum float64) {
	for i, h := range heads {
		sum += float64(h) * price[i]
	}
	return sum
}
