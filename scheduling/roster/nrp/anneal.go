package nrp

import (
	"math"
	"math/rand/v2"
)

// chunk is how many moves run between two looks at the clock and the price of illegality.
const chunk = 2000

// chain is one annealing run.
type chain struct {
	p        *problem
	rng      *rand.Rand
	rows     [][]int8
	heads    []int16 // [day*shifts+shift]
	wishes   []int32 // by employee
	broken   []int32
	cover    int32
	soft     int32 // wishes + cover
	illegal  int32 // sum of broken
	price    int32 // of one broken unit; rises while the rows are illegal and falls while they are legal
	best     [][]int8
	bestCost int32
	done     float64
	trial    [2][]int8
	pricer   *pricer
}

func newChain(p *problem, rng *rand.Rand) *chain {
	c := &chain{p: p, rng: rng, bestCost: math.MaxInt32, price: leastPrice, heads: make([]int16, p.days*p.shifts)}
	for e := range p.workers {
		row := make([]int8, p.days)
		for d := range row {
			row[d] = Off
		}
		c.rows = append(c.rows, row)
		c.best = append(c.best, make([]int8, p.days))
		w, b := p.row(e, row)
		c.wishes, c.broken = append(c.wishes, w), append(c.broken, b)
		c.soft += w
		c.illegal += b
	}
	c.trial[0], c.trial[1] = make([]int8, p.days), make([]int8, p.days)
	for i := range c.heads {
		c.cover += p.cover[i][0]
	}
	c.soft += c.cover
	c.pricer = newPricer(p)
	for _, e := range rng.Perm(p.workers) {
		c.optimiseRow(e)
	}
	c.keep()
	return c
}

// Cost of the best legal roster, +Inf before there is one.
func (c *chain) Cost() float64 {
	if c.bestCost == math.MaxInt32 {
		return math.Inf(1)
	}
	return float64(c.bestCost)
}

// adopt takes over a better roster late in the run, when the temperature no longer forgets it.
func (c *chain) adopt(from *chain) {
	if from.bestCost >= c.bestCost || from.done < 0.55 {
		return
	}
	c.bestCost = from.bestCost
	for e := range c.best {
		copy(c.best[e], from.best[e])
		copy(c.rows[e], from.best[e])
		c.wishes[e], c.broken[e] = c.p.row(e, c.rows[e])
	}
	c.recount()
}

// recount rebuilds every sum from the rows.
func (c *chain) recount() {
	clear(c.heads)
	c.cover, c.soft, c.illegal = 0, 0, 0
	for e, row := range c.rows {
		for d, s := range row {
			if s >= 0 {
				c.heads[d*c.p.shifts+int(s)]++
			}
		}
		c.soft += c.wishes[e]
		c.illegal += c.broken[e]
	}
	for i, n := range c.heads {
		c.cover += c.p.cover[i][n]
	}
	c.soft += c.cover
}

func (c *chain) keep() {
	if c.illegal > 0 || c.soft >= c.bestCost {
		return
	}
	c.bestCost = c.soft
	for e := range c.rows {
		copy(c.best[e], c.rows[e])
	}
}

// Temperatures of the geometric schedule in cost units: request weights are 1 to 3, cover 100.
const (
	hottest = 60.0
	coldest = 0.25
)

// Run makes moves at the temperature of done.
func (c *chain) Run(steps int, done float64) {
	c.done = done
	temperature := hottest * math.Pow(coldest/hottest, done)
	for range steps {
		switch x := c.rng.IntN(100); {
		case x < 40:
			c.change(temperature)
		case x < 85:
			c.exchange(temperature)
		default:
			c.shuffleRow(temperature)
		}
	}
	c.reprice()
	c.intensify(done)
}

// intensify gives one employee the cheapest legal row now and then: rarely while hot, after every
// few chunks when cold, an illegal row first.
func (c *chain) intensify(done float64) {
	if c.rng.Float64() > 0.05+0.5*done*done {
		return
	}
	e := c.rng.IntN(c.p.workers)
	if done > 0.5 {
		for k := range c.p.workers {
			if i := (e + k) % c.p.workers; c.broken[i] > 0 {
				e = i
				break
			}
		}
	}
	c.optimiseRow(e)
}

// The price of a broken unit moves between these: around the usual cover weight of 100, so that the
// search crosses illegal ground (strategic oscillation, Glover 1989) but returns from it.
const (
	leastPrice = 150
	mostPrice  = 4000
)

func (c *chain) priced(broken int32) int32 { return broken * c.price / fine }

// reprice adapts the price after a chunk of moves.
func (c *chain) reprice() {
	if c.illegal > 0 {
		c.price = min(mostPrice, c.price+c.price/20+1)
	} else {
		c.price = max(leastPrice, c.price-c.price/30)
	}
}

// limit is the largest increase that this step accepts (Metropolis, drawn first).
func (c *chain) limit(temperature float64) int32 {
	return int32(-temperature * math.Log(1-c.rng.Float64()))
}

// blockLength prefers short blocks: 1, 2, 3 … with falling weight.
func (c *chain) blockLength(most int) int {
	n := 1
	for n < most && c.rng.IntN(100) < 55 {
		n++
	}
	return n
}

// change gives one employee a block of days of one shift type, or off.
func (c *chain) change(temperature float64) {
	p := c.p
	e := c.rng.IntN(p.workers)
	n := c.blockLength(min(6, p.days))
	d := c.rng.IntN(p.days - n + 1)
	to := int8(Off)
	if k := c.rng.IntN(len(p.usable[e]) + 1); k > 0 {
		to = p.usable[e][k-1]
	}
	row := c.trial[0]
	copy(row, c.rows[e])
	differs := false
	for i := d; i < d+n; i++ {
		t := to
		if p.off[e][i] {
			t = Off
		}
		differs = differs || row[i] != t
		row[i] = t
	}
	if differs {
		c.tryRow(e, row, d, d+n, c.limit(temperature))
	}
}

// shuffleRow exchanges two blocks of one employee's days, which keeps the minutes.
func (c *chain) shuffleRow(temperature float64) {
	p := c.p
	e := c.rng.IntN(p.workers)
	n := c.blockLength(min(5, p.days/2))
	a, b := c.rng.IntN(p.days-n+1), c.rng.IntN(p.days-n+1)
	if a > b {
		a, b = b, a
	}
	if b-a < n {
		return
	}
	row := c.trial[0]
	copy(row, c.rows[e])
	differs := false
	for i := range n {
		row[a+i], row[b+i] = row[b+i], row[a+i]
		differs = differs || row[a+i] != row[b+i]
	}
	if differs {
		c.tryRow(e, row, a, b+n, c.limit(temperature))
	}
}

// tryRow replaces a row if the increase stays within the limit; days outside [from, to) are equal.
func (c *chain) tryRow(e int, row []int8, from, to int, limit int32) {
	p, old := c.p, c.rows[e]
	wishes, broken := p.row(e, row)
	delta := wishes - c.wishes[e] + c.priced(broken-c.broken[e])
	cover := int32(0)
	for d := from; d < to; d++ {
		if row[d] == old[d] {
			continue
		}
		if s := int(old[d]); s >= 0 {
			i := d*p.shifts + s
			cover += p.cover[i][c.heads[i]-1] - p.cover[i][c.heads[i]]
		}
		if s := int(row[d]); s >= 0 {
			i := d*p.shifts + s
			cover += p.cover[i][c.heads[i]+1] - p.cover[i][c.heads[i]]
		}
	}
	if delta+cover > limit {
		return
	}
	for d := from; d < to; d++ {
		if row[d] == old[d] {
			continue
		}
		if s := int(old[d]); s >= 0 {
			c.heads[d*p.shifts+s]--
		}
		if s := int(row[d]); s >= 0 {
			c.heads[d*p.shifts+s]++
		}
	}
	copy(old, row)
	c.soft += wishes - c.wishes[e] + cover
	c.cover += cover
	c.illegal += broken - c.broken[e]
	c.wishes[e], c.broken[e] = wishes, broken
	c.keep()
}

// exchange swaps a block of days between two employees; coverage stays.
func (c *chain) exchange(temperature float64) {
	p := c.p
	if p.workers < 2 {
		return
	}
	a := c.rng.IntN(p.workers)
	b := c.rng.IntN(p.workers - 1)
	if b >= a {
		b++
	}
	n := c.blockLength(min(14, p.days))
	d := c.rng.IntN(p.days - n + 1)
	ra, rb := c.trial[0], c.trial[1]
	copy(ra, c.rows[a])
	copy(rb, c.rows[b])
	differs := false
	for i := d; i < d+n; i++ {
		differs = differs || ra[i] != rb[i]
		ra[i], rb[i] = rb[i], ra[i]
	}
	if !differs {
		return
	}
	limit := c.limit(temperature)
	wa, ba := p.row(a, ra)
	delta := wa - c.wishes[a] + c.priced(ba-c.broken[a])
	if delta-c.wishes[b]-c.priced(c.broken[b]) > limit {
		return // even a perfect other row would not make up for it
	}
	wb, bb := p.row(b, rb)
	delta += wb - c.wishes[b] + c.priced(bb-c.broken[b])
	if delta > limit {
		return
	}
	copy(c.rows[a], ra)
	copy(c.rows[b], rb)
	c.soft += wa + wb - c.wishes[a] - c.wishes[b]
	c.illegal += ba + bb - c.broken[a] - c.broken[b]
	c.wishes[a], c.broken[a], c.wishes[b], c.broken[b] = wa, ba, wb, bb
	c.keep()
}

// optimiseRow replaces an employee's row by the cheapest legal one beside the others, when
// there is one.
func (c *chain) optimiseRow(e int) {
	x := c.pricer
	c.p.marginal(e, c.rows[e], c.heads, x.entry)
	rows, floor := x.cheapest(e, window{0, c.p.days}, nil, 1)
	switch {
	case len(rows) > 0:
		c.tryRow(e, rows[0].row, 0, c.p.days, math.MaxInt32/4)
	case floor != unreachable && c.broken[e] > 0:
		row := x.staged(e, false)
		if row == nil {
			row = x.staged(e, true)
		}
		if row != nil {
			c.tryRow(e, row, 0, c.p.days, math.MaxInt32/4)
		}
	}
}

// marginal sets the price of every entry of one employee to what it adds to the cost beside the
// others' rows.
func (p *problem) marginal(e int, row []int8, heads []int16, entry []int32) {
	width := p.shifts + 1
	copy(entry, p.wish[e])
	for d, now := range row {
		for s := range p.shifts {
			i := d*p.shifts + s
			n := heads[i]
			if int(now) == s {
				n--
			}
			entry[d*width+s+1] += p.cover[i][n+1] - p.cover[i][n]
		}
	}
}
