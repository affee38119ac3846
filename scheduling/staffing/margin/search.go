package margin

import (
	"cmp"
	"context"
	"slices"
)

// climber improves a staffing of one queue on the true expected margin over the common scenarios. The
// linear problem at the present slopes ranks the moves; only the most promising are priced in full.
type climber struct {
	m     *Model
	b     *books
	staff *staff
	price []float64 // of a head by slot, in the linear problem
	most  []int
	// pay and hours replace price in true gains once queues are improved one after the other: wages without
	// overtime by slot, and the paid hours of each day over all queues, shared and kept up to date.
	pay    []float64
	hours  []float64
	extra  []float64   // buffer: hours of a move by day
	deltas [][2]*delta // by slot: one head more, one head less
	chains bool        // also look over the edges of stairs
	e      effects     // buffer
}

// delta is what one head more or less in a slot changes, by scenario.
type delta struct {
	revenue []float32
	met     [][]float32 // by term, nil where the slot does not count
}

const (
	priced    = 12 // moves priced in full before one is taken
	perDay    = 60 // moves taken on a day in one sweep
	sweeps    = 4
	chained   = 24   // moves of a chain
	worthless = 1e-6 // yuan of gain that ends a climb
)

// climb until no priced move gains, and return the gain. Errors are the context's, found by the caller.
func (c *climber) climb(ctx context.Context) (gain float64) {
	c.deltas = make([][2]*delta, len(c.staff.heads))
	copy(c.b.heads, c.staff.heads)
	c.b.post()
	for sweep := range sweeps {
		swept := 0.0
		for _, day := range c.b.dayRanges() {
			if ctx.Err() != nil {
				return gain
			}
			swept += c.day(day)
			if sweep == 0 && c.chains {
				for _, x := range []float64{0, 1, 4, 16} {
					swept += c.chain(day, x)
				}
			}
		}
		gain += swept
		copy(c.b.heads, c.staff.heads)
		c.b.post() // sums without the rounding of the updates
		if swept <= worthless {
			break
		}
	}
	return gain
}

// day takes the best priced move that starts on a day until none gains.
func (c *climber) day(day span) (gain float64) {
	l := c.b.linear(c.b.slopesNow(len(c.m.days)), c.price, c.most)
	marg := c.staff.marginals(l)
	for range perDay {
		best, most := move{}, worthless
		for _, mv := range c.promising(day, marg) {
			if g := c.gain(mv); g > most {
				best, most = mv, g
			}
		}
		if most <= worthless {
			break
		}
		c.take(best, l, marg)
		gain += most
	}
	return gain
}

// chain looks over the edge of a stair: it takes the moves of a day that would be best if service were worth
// some multiple of the severity of its contract (0: nothing), whatever they cost, and keeps the best
// beginning of the chain if that gains (variable depth search; Lin & Kernighan, Oper. Res. 21 (1973)).
func (c *climber) chain(day span, multiple float64) float64 {
	at := make([]float64, len(c.b.terms))
	for k := range at {
		at[k] = multiple
	}
	l := c.b.linear(c.b.slopesAt(at, len(c.m.days)), c.price, c.most)
	marg := c.staff.marginals(l)
	var done []move
	sum, best, kept := 0.0, worthless, 0
	for range chained {
		mv, score := move{}, worthless
		c.staff.moves(day.from, day.until, func(x move) {
			if v := marg.score(c.staff, x); v > score && v < 1e8 {
				mv, score = x, v
			}
		})
		if score <= worthless {
			break
		}
		sum += c.gain(mv)
		c.take(mv, l, marg)
		if done = append(done, mv); sum > best {
			best, kept = sum, len(done)
		}
	}
	for i := len(done) - 1; i >= kept; i-- {
		c.take(done[i].back(), l, marg)
	}
	if kept == 0 {
		return 0
	}
	return best
}

// promising are the moves of a day with the largest linear gain. A forbidden one is never among them.
func (c *climber) promising(day span, marg *marginals) []move {
	type scored struct {
		move
		score float64
	}
	var all []scored
	c.staff.moves(day.from, day.until, func(mv move) {
		if v := marg.score(c.staff, mv); v > -1e8 {
			all = append(all, scored{mv, v})
		}
	})
	slices.SortStableFunc(all, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	out := []move{}
	for _, s := range all[:min(len(all), priced)] {
		out = append(out, s.move)
	}
	return out
}

// one is the delta of a slot, remembered until its heads change.
func (c *climber) one(slot, sign int) *delta {
	side := (1 - sign) / 2
	if d := c.deltas[slot][side]; d != nil {
		return d
	}
	d := c.b.delta(slot, c.b.heads[slot]+sign)
	c.deltas[slot][side] = d
	return d
}

// delta of a slot from its present heads to others.
func (b *books) delta(slot, heads int) *delta {
	t, load := b.tables[slot], b.loads[slot]
	d := &delta{met: make([][]float32, len(b.ledgers))}
	figure := func(f int) []float32 {
		out := make([]float32, len(load))
		b.add(out, slot, f, heads, 1)
		b.add(out, slot, f, b.heads[slot], -1)
		return out
	}
	if t.paying() {
		d.revenue = figure(len(t.metrics))
	}
	for k, l := range b.ledgers {
		if l.within[slot] {
			d.met[k] = figure(l.figure)
		}
	}
	return d
}

// effects sums the deltas of a change of heads: revenue by scenario, and the changes of each term by day.
type effects struct {
	revenue []float32
	changes [][]change // by term
	cost    float64
	spare   [][]float32 // buffers of earlier changes
}

// reset for a new sum over the same terms and scenarios.
func (e *effects) reset(terms, scenarios int) {
	if e.revenue == nil {
		e.revenue, e.changes = make([]float32, scenarios), make([][]change, terms)
	}
	clear(e.revenue)
	e.cost = 0
	for k := range e.changes {
		for _, c := range e.changes[k] {
			e.spare = append(e.spare, c.met)
		}
		e.changes[k] = e.changes[k][:0]
	}
}

// on is the sum of a term on a day.
func (e *effects) on(term, day int) []float32 {
	for _, c := range e.changes[term] {
		if c.day == day {
			return c.met
		}
	}
	var sum []float32
	if last := len(e.spare) - 1; last >= 0 {
		sum, e.spare = e.spare[last], e.spare[:last]
		clear(sum)
	} else {
		sum = make([]float32, len(e.revenue))
	}
	e.changes[term] = append(e.changes[term], change{day, sum})
	return sum
}

func (e *effects) add(d *delta, day int) {
	for s, v := range d.revenue {
		e.revenue[s] += v
	}
	for k, met := range d.met {
		if met == nil {
			continue
		}
		sum := e.on(k, day)
		for s, v := range met {
			sum[s] += v
		}
	}
}

// effects of a move.
func (c *climber) effects(mv move) *effects {
	c.e.reset(len(c.b.ledgers), c.m.in.Scenarios)
	lose, gain := c.staff.effect(mv)
	c.sum(lose, -1)
	c.sum(gain, 1)
	return &c.e
}

func (c *climber) sum(list spans, sign int) {
	for _, r := range list.each() {
		for i := r.from; i < r.until; i++ {
			c.e.add(c.one(i, sign), c.b.day[i])
			c.e.cost += float64(sign) * c.price[i]
		}
	}
}

// gain of a move in expected margin.
func (c *climber) gain(mv move) float64 {
	e := c.effects(mv)
	sum := 0.0
	for s := range e.revenue {
		due, won := c.b.dues(s, e.changes)
		sum += float64(e.revenue[s]) - due + c.b.due[s] + won - c.b.won[s]
	}
	return sum/float64(len(e.revenue)) - c.cost(mv, e.cost)
}

// cost of a move: at the linear price, or in true wages with the overtime premium where hours are known.
func (c *climber) cost(mv move, linear float64) (yuan float64) {
	if c.hours == nil {
		return linear
	}
	if c.extra == nil {
		c.extra = make([]float64, len(c.hours))
	}
	clear(c.extra)
	lose, gain := c.staff.effect(mv)
	add := func(list spans, sign float64) {
		for _, r := range list.each() {
			for i := r.from; i < r.until; i++ {
				yuan += sign * c.pay[i]
				c.extra[c.b.day[i]] += sign * c.m.paid()
			}
		}
	}
	add(lose, -1)
	add(gain, 1)
	for d, h := range c.extra {
		if h != 0 {
			yuan += c.m.overtimeOn(d, c.hours[d]+h) - c.m.overtimeOn(d, c.hours[d])
		}
	}
	return yuan
}

// take a move and update the books and the marginals of a linear problem.
func (c *climber) take(mv move, l *linear, marg *marginals) {
	e := c.effects(mv)
	lose, gain := c.staff.effect(mv)
	if c.hours != nil {
		c.cost(mv, 0)
		for d, h := range c.extra {
			c.hours[d] += h
		}
	}
	c.staff.apply(mv)
	marg.refresh(c.staff, l, lose, gain)
	for _, list := range []spans{lose, gain} {
		for _, r := range list.each() {
			for i := r.from; i < r.until; i++ {
				c.deltas[i] = [2]*delta{}
				c.b.heads[i] = c.staff.heads[i]
			}
		}
	}
	for s, v := range e.revenue {
		c.b.revenue[s] += v
	}
	for k, ledger := range c.b.ledgers {
		ledger.apply(e.changes[k])
	}
	for s := range c.b.due {
		c.b.due[s], c.b.won[s] = c.b.dues(s, nil)
	}
}
