package matsp

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/chaoban/chaoban/scheduling/roster/search"
)

// Duty is one shift: its first period and the task of each period.
type Duty struct {
	Start int
	Tasks []int8
}

func (d Duty) end() int { return d.Start + len(d.Tasks) }

// Solution of an instance.
type Solution struct {
	Roster  [][]Duty // [employee], in order of time
	Cost    int      // heads above the maximum cover, summed over periods and tasks
	Bound   int      // no roster can cost less
	Stopped bool
}

const chunk = 10

// Solve searches by ruin and recreate: some shifts are taken away, and each employee gets the best
// shift back that a dynamic programme over starts, lengths and task blocks finds. It returns a
// Conflict error when no roster covers every minimum within all contracts, with what collides where that
// can be shown beforehand, or else when none was found, with what the nearest leaves short.
func Solve(ctx context.Context, in *Instance, b search.Budget) (Solution, error) {
	if b.Threads == 0 {
		b.Threads = 1
	}
	if err := b.Validate(); err != nil {
		return Solution{}, err
	}
	if proof := in.impossible(); len(proof) > 0 {
		return Solution{}, infeasible("no roster can keep this: %s", proof)
	}
	bound := in.bound()
	if show := b.Progress; show != nil {
		b.Progress = func(p search.Progress) {
			if p.Bound = float64(bound); p.Cost >= shortPrice {
				p.Cost = math.Inf(1)
			}
			show(p)
		}
	}
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	finish := cancel
	if b.Iterations > 0 {
		finish = func() {} // what a chain does must not depend on how fast another one is
	}
	chains := make([]*chain, b.Threads)
	for i := range chains {
		chains[i] = newChain(in, b.Random(i), finish)
	}
	best, _ := search.Run(inner, b, chains, chunk, (*chain).adopt)
	stopped := ctx.Err() != nil
	c := chains[best]
	if c.bestCost >= shortPrice {
		return Solution{Stopped: stopped}, infeasible("no roster that covers every minimum within all contracts was found; the nearest leaves short: %s. Search longer", c.missed())
	}
	return Solution{Roster: c.best, Cost: c.bestCost, Bound: bound, Stopped: stopped}, nil
}

// bound: everyone works at least the contract minimum, and the cover takes at most its maximum.
func (in *Instance) bound() int {
	work := 0
	for _, e := range in.Staff {
		work += (e.MinMinutes + 14) / 15
	}
	for _, row := range in.Max {
		for _, m := range row {
			work -= int(m)
		}
	}
	return max(0, work)
}

// shortPrice is what one missing head or one missing period of contract work costs the search; it
// outweighs any surplus that a single shift can cause.
const shortPrice = 1 << 20

// searchPrice is the same while searching, low enough for annealing to move.
const searchPrice = 30

type chain struct {
	in       *Instance
	rng      *rand.Rand
	rows     [][]Duty
	heads    [][]int16
	minutes  []int // periods worked, by employee
	cost     int   // in search prices
	best     [][]Duty
	bestCost int
	done     float64
	worth    []int32   // [period*tasks+task]: what one more head saves in search prices
	block    []int32   // the same summed over the ShortTask periods that begin here
	total    [][]int32 // scratch of design: best gain of i periods ending with task k
	from     [][]int16 // where that last block began
	last     []int8    // the best last task after i periods
	bound    int
	finish   func() // called when the cost meets the bound
}

func newChain(in *Instance, rng *rand.Rand, finish func()) *chain {
	c := &chain{
		in: in, rng: rng, rows: make([][]Duty, len(in.Staff)), minutes: make([]int, len(in.Staff)), bestCost: math.MaxInt,
		worth: make([]int32, in.Periods()*in.Tasks), block: make([]int32, in.Periods()*in.Tasks), bound: in.bound(), finish: finish,
	}
	for range in.Periods() {
		c.heads = append(c.heads, make([]int16, in.Tasks))
	}
	for range LongShift + 1 {
		c.total = append(c.total, make([]int32, in.Tasks))
		c.from = append(c.from, make([]int16, in.Tasks))
	}
	c.last = make([]int8, LongShift+1)
	c.repriceAll()
	c.cost = c.recount(searchPrice)
	order := rng.Perm(len(in.Staff))
	for range MostDaysRun {
		for _, e := range order {
			c.insertBest(e, 0, in.Days-1, false)
		}
	}
	c.keep()
	return c
}

// Cost of the best roster so far.
func (c *chain) Cost() float64 { return float64(c.bestCost) }

func (c *chain) adopt(from *chain) {
	if from.bestCost >= c.bestCost || from.done < 0.45 {
		return
	}
	c.bestCost = from.bestCost
	c.best = cloneRows(from.best)
	c.rows = cloneRows(from.best)
	for t := range c.heads {
		clear(c.heads[t])
	}
	for e, row := range c.rows {
		c.minutes[e] = 0
		for _, d := range row {
			c.minutes[e] += len(d.Tasks)
			for i, k := range d.Tasks {
				c.heads[d.Start+i][k]++
			}
		}
	}
	c.repriceAll()
	c.cost = c.recount(searchPrice)
}

func (c *chain) repriceAll() {
	for t := range c.heads {
		for k := range c.in.Tasks {
			c.reprice(t, k)
		}
	}
}

func cloneRows(rows [][]Duty) [][]Duty {
	out := make([][]Duty, len(rows))
	for i, row := range rows {
		out[i] = slices.Clone(row) // task slices are never changed in place
	}
	return out
}

// count changes the heads of one period and task, and what another one would save.
func (c *chain) count(t, k int, by int16) {
	c.heads[t][k] += by
	c.reprice(t, k)
}

func (c *chain) reprice(t, k int) {
	tasks := c.in.Tasks
	gain := c.gain(t, k)
	change := gain - c.worth[t*tasks+k]
	if change == 0 {
		return
	}
	c.worth[t*tasks+k] = gain
	for s := max(0, t-ShortTask+1); s <= t; s++ {
		c.block[s*tasks+k] += change
	}
}

// recount sums the cost from nothing with a price for each shortage.
func (c *chain) recount(price int) int {
	sum := 0
	for t, row := range c.heads {
		for k, n := range row {
			sum += max(0, int(c.in.Min[t][k]-n))*price + max(0, int(n-c.in.Max[t][k]))
		}
	}
	for e := range c.in.Staff {
		sum += c.contract(e, c.minutes[e]) * price
	}
	return sum
}

// contract is how many periods an employee is below the minimum.
func (c *chain) contract(e, periods int) int {
	return max(0, (c.in.Staff[e].MinMinutes+14)/15-periods)
}

func (c *chain) keep() {
	if c.cost >= searchPrice && c.bestCost < shortPrice && c.cost >= c.bestCost {
		return
	}
	if exact := c.recount(shortPrice); exact < c.bestCost {
		c.bestCost = exact
		c.best = cloneRows(c.rows)
	}
}

// gain is what one more head saves in search prices.
func (c *chain) gain(t, k int) int32 {
	switch n := c.heads[t][k]; {
	case n < c.in.Min[t][k]:
		return searchPrice
	case n >= c.in.Max[t][k]:
		return -1
	}
	return 0
}

func (c *chain) remove(e, i int) {
	d := c.rows[e][i]
	c.rows[e] = slices.Delete(c.rows[e], i, i+1)
	for j, k := range d.Tasks {
		t := d.Start + j
		c.count(t, int(k), -1)
		c.cost += int(c.worth[t*c.in.Tasks+int(k)])
	}
	c.cost += searchPrice * (c.contract(e, c.minutes[e]-len(d.Tasks)) - c.contract(e, c.minutes[e]))
	c.minutes[e] -= len(d.Tasks)
}

func (c *chain) insert(e int, d Duty) {
	i := 0
	for i < len(c.rows[e]) && c.rows[e][i].Start < d.Start {
		i++
	}
	c.rows[e] = slices.Insert(c.rows[e], i, d)
	for j, k := range d.Tasks {
		t := d.Start + j
		c.cost -= int(c.worth[t*c.in.Tasks+int(k)])
		c.count(t, int(k), 1)
	}
	c.cost += searchPrice * (c.contract(e, c.minutes[e]+len(d.Tasks)) - c.contract(e, c.minutes[e]))
	c.minutes[e] += len(d.Tasks)
}

// Temperatures in surplus heads; a missing head costs searchPrice.
const (
	hottest = 5.0
	coldest = 0.15
)

// Run makes steps at the temperature of done.
func (c *chain) Run(steps int, done float64) {
	c.done = done
	temperature := hottest * math.Pow(coldest/hottest, done)
	for range steps {
		if c.bestCost <= c.bound {
			c.finish()
			return
		}
		c.step(temperature)
	}
}

func (c *chain) step(temperature float64) {
	before := c.cost
	n := 1 + c.rng.IntN(3)
	chosen := make([]int, 0, n)
	old := make([][]Duty, 0, n)
	day := c.rng.IntN(c.in.Days)
	for range n {
		e := c.rng.IntN(len(c.rows))
		if slices.Contains(chosen, e) {
			continue
		}
		chosen, old = append(chosen, e), append(old, slices.Clone(c.rows[e]))
		c.takeNear(e, day)
	}
	for _, e := range chosen {
		for c.insertBest(e, max(0, day-2), min(c.in.Days-1, day+2), true) && c.rng.IntN(3) > 0 {
		}
		if c.contract(e, c.minutes[e]) > 0 {
			c.insertBest(e, 0, c.in.Days-1, true)
		}
	}
	if float64(c.cost) <= float64(before)-temperature*math.Log(1-c.rng.Float64()) {
		if c.cost < before || c.bestCost >= shortPrice {
			c.keep()
		}
		return
	}
	for i, e := range chosen {
		for len(c.rows[e]) > 0 {
			c.remove(e, len(c.rows[e])-1)
		}
		for _, d := range old[i] {
			c.insert(e, d)
		}
	}
}

// takeNear removes one or two shifts of an employee, the nearest to a day first.
func (c *chain) takeNear(e, day int) {
	for range 1 + c.rng.IntN(2) {
		best, where := math.MaxInt, -1
		for i, d := range c.rows[e] {
			if dist := (d.Start/PerDay - day) * (d.Start/PerDay - day); dist < best {
				best, where = dist, i
			}
		}
		if where >= 0 {
			c.remove(e, where)
		}
	}
}

// insertBest gives an employee the shift that saves most among those starting on horizon days
// [from, to]; with spread only a random third of the starts is looked at. False when none saves.
func (c *chain) insertBest(e, from, to int, spread bool) bool {
	var best Duty
	most := 0
	room := c.in.Staff[e].MaxMinutes/15 - c.minutes[e]
	if room < ShortShift {
		return false
	}
	for day := from; day <= to; day++ {
		for t := day * PerDay; t < (day+1)*PerDay; t++ {
			if !MayStart(t) || spread && c.rng.IntN(3) > 0 {
				continue
			}
			longest := min(LongShift, room, c.in.Periods()-t, c.free(e, t))
			if longest < ShortShift {
				continue
			}
			if d, saved := c.design(e, t, longest, most); saved > most {
				best, most = d, saved
			}
		}
	}
	if most <= 0 {
		return false
	}
	c.insert(e, best)
	return true
}

// free is how many periods an employee may work from t on: enough rest on both sides, no second
// start on a day, no sixth day in a row. "Day" is read both ways, as the civil day and as the
// horizon's day from 06:00, so the roster is legal under either reading.
func (c *chain) free(e, t int) int {
	limit := LongShift
	civil := [16]int{}
	horizon := [16]int{}
	n := 0
	for _, d := range c.rows[e] {
		if d.Start < t && d.end()+LeastRest > t {
			return 0
		}
		if d.Start >= t {
			limit = min(limit, d.Start-LeastRest-t)
		}
		if (d.Start+dayOne)/PerDay == (t+dayOne)/PerDay || d.Start/PerDay == t/PerDay {
			return 0
		}
		if n < len(civil) {
			civil[n], horizon[n] = (d.Start+dayOne)/PerDay, d.Start/PerDay
			n++
		}
	}
	if runWith(civil[:n], (t+dayOne)/PerDay) > MostDaysRun || runWith(horizon[:n], t/PerDay) > MostDaysRun {
		return 0
	}
	return limit
}

// runWith is the length of the run of days through day when it is added.
func runWith(days []int, day int) int {
	run := 1
	for d := day - 1; slices.Contains(days, d); d-- {
		run++
	}
	for d := day + 1; slices.Contains(days, d); d++ {
		run++
	}
	return run
}

// design finds the best shift from t with at most longest periods: total[i][k] is the best gain of
// i periods ending in a block of task k that has lasted at least ShortTask periods.
func (c *chain) design(e, t, longest, atLeast int) (Duty, int) {
	tasks := c.in.Tasks
	const none = math.MinInt32 / 2
	var ends [LongShift + 1]int32 // best over tasks, a block ends here
	for i := 1; i < ShortTask; i++ {
		ends[i] = none
	}
	best, bestLen := none, 0
	for i := ShortTask; i <= longest; i++ {
		ends[i] = none
		total, from := c.total[i][:tasks], c.from[i][:tasks]
		before, began := c.total[i-1][:tasks], c.from[i-1][:tasks]
		worth := c.worth[(t+i-1)*tasks:][:tasks]
		block := c.block[(t+i-ShortTask)*tasks:][:tasks]
		open := ends[i-ShortTask] // a new block of the shortest length after this
		for k, w := range worth {
			v, at := int32(none), int16(-1)
			if i > ShortTask && before[k] > none {
				v, at = before[k]+w, began[k]
			}
			if n := open + block[k]; open > none && n > v {
				v, at = n, int16(i-ShortTask)
			}
			total[k], from[k] = v, at
			if v > ends[i] {
				ends[i], c.last[i] = v, int8(k)
			}
		}
		if i >= ShortShift {
			v := int(ends[i]) + searchPrice*(c.contract(e, c.minutes[e])-c.contract(e, c.minutes[e]+i))
			if v > best {
				best, bestLen = v, i
			}
		}
	}
	if best <= atLeast {
		return Duty{}, best
	}
	d := Duty{Start: t, Tasks: make([]int8, bestLen)}
	for i := bestLen; i > 0; {
		k := c.last[i]
		from := int(c.from[i][k])
		for j := from; j < i; j++ {
			d.Tasks[j] = k
		}
		i = from
	}
	return d, best
}
