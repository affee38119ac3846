package margin

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/scheduling/staffing"
)

// The performance table: service and revenue of one arriving contact as a function of heads and load,
// computed once per set of handling parameters and interpolated afterwards. DESIGN.md states the error.
const (
	cells      = 1024 // of a row, equal steps of the load per head
	fullest    = 4.0  // load over capacity at the end of a row; beyond it the answered number stays
	exactHeads = 48   // every number of heads has its own models up to here
	headStep   = 1.04 // and then every 4 %, with straight lines between
	// staffingLimit is the largest number of heads in a slot.
	staffingLimit = 5000
	// handleStep joins handle times that differ by less when a queue has more than handleKinds of them.
	handleStep  = 0.03
	handleKinds = 12
)

// table answers for one set of handling parameters. figures[:len-1] are shares of arrivals that meet a
// metric; the last figure is yuan earned per arrival.
type table struct {
	work     Handling
	metrics  []metric
	prices   Prices
	sales    Commission
	capacity float64 // contacts per slot of one head who is always busy
	worst    float64 // most contacts of any slot that asks
	slot     time.Duration
	rows     []row // by heads, 1-based, solved when they are asked for; nil for the rate model, which is exact
}

// top is the largest number of heads of a table; more change nothing.
func (t *table) top() int { return len(t.rows) - 1 }

// metric is what a term looks at.
type metric struct {
	name   string
	within time.Duration
}

// row is the figures of one number of heads: figure f at load i*fullest/cells is at[f*(cells+1)+i].
type row struct{ at []float32 }

// figures of an arriving contact: each metric, then the yuan.
func (t *table) width() int { return len(t.metrics) + 1 }

// add the number of contacts (or yuan) of a figure with some heads in a slot, per scenario, times sign, to out.
func (q *queue) add(out []float32, slot, figure, heads int, sign float32) {
	q.tables[slot].add(out, figure, heads, q.loads[slot], q.spec.Demand.Slots[slot].crowd(), sign)
}

// add is the same for some contacts. They meet the service of so many times as many that come evenly.
func (t *table) add(out []float32, figure, heads int, contacts loads, crowd float64, sign float32) {
	if heads <= 0 { // nobody answers: nothing met, nothing earned, everybody waits as long as they can
		if figure < len(t.metrics) && timed(t.metrics[figure].name) {
			for s, c := range contacts {
				out[s] -= sign * c * float32(t.longest())
			}
		}
		return
	}
	most := float32(t.capacity * float64(heads) / crowd)
	if t.rows == nil {
		unit := sign
		if figure == len(t.metrics) {
			unit *= float32(t.prices.PerContactYuan + t.sold(0))
		}
		for s, c := range contacts {
			out[s] += unit * min(c, most)
		}
		return
	}
	at := t.rows[min(heads, len(t.rows)-1)].at[figure*(cells+1):][:cells+1]
	scale := cells / fullest / most
	// Rounds are a share of the answered ones, which full agents settle; the other figures count arrivals.
	beyond := figure < len(t.metrics) && (t.metrics[figure].name == RoundWithin || timed(t.metrics[figure].name))
	for s, c := range contacts {
		x := c * scale
		if i := int(x); i < cells {
			low := at[i]
			out[s] += sign * c * (low + (x-float32(i))*(at[i+1]-low))
		} else if beyond {
			out[s] += sign * c * at[cells]
		} else {
			out[s] += sign * at[cells] * cells / scale
		}
	}
}

// endless stands for a wait without end, seconds.
const endless = 3600.0

// longest is the wait of those whom nobody answers, seconds.
func (t *table) longest() float64 {
	if t.work.PatienceS > 0 {
		return min(t.work.PatienceS, endless)
	}
	return endless
}

// sold is the commission of a contact taken up whose first reply comes after seconds on average.
func (t *table) sold(seconds float64) float64 {
	c := t.sales
	share := c.Conversion
	if c.Elasticity > 0 {
		fastest := c.FastestS
		if fastest == 0 {
			fastest = c.ReferenceS
		}
		share = min(1, share*math.Pow(max(seconds, fastest)/c.ReferenceS, -c.Elasticity))
	}
	return c.Rate * c.BasketYuan * share
}

// measure runs the queueing model for one number of heads and contacts per slot.
func (t *table) measure(heads int, contacts float64) []float64 {
	var out []float64
	var abandon, reply float64
	if t.work.Model == Chats {
		out, abandon, reply = t.measureChats(heads, contacts)
	} else {
		out, abandon, reply = t.measureCalls(heads, contacts)
	}
	earned := t.prices.PerContactYuan
	if !math.IsInf(reply, 0) && !math.IsNaN(reply) {
		earned += t.sold(reply)
	}
	out[len(t.metrics)] = (1 - abandon) * earned
	return out
}

func (t *table) measureCalls(heads int, contacts float64) (out []float64, abandon, reply float64) {
	out = make([]float64, t.width())
	for i, m := range t.metrics {
		p := staffing.Evaluate(t.callModel(), t.calls(contacts), float64(heads), m.within)
		abandon, reply = p.Abandon, p.AnsweredWait
		if t.work.PatienceS == 0 { // nobody leaves, but a crowd beyond capacity is not taken up
			abandon = max(0, 1-float64(heads)*t.capacity/contacts)
		}
		switch m.name {
		case Abandoned:
			out[i] = 1 - abandon
		case FirstMean:
			out[i] = -endless
			if reply < endless {
				out[i] = -reply
			}
		default:
			out[i] = p.ServiceLevel
		}
	}
	return out, abandon, reply
}

// measureChats runs the model once per limit: one run answers a first and a round limit.
func (t *table) measureChats(heads int, contacts float64) (out []float64, abandon, reply float64) {
	out = make([]float64, t.width())
	var first, round []int // metrics
	every := 0.0           // mean response of all rounds
	for i, m := range t.metrics {
		switch m.name {
		case FirstWithin:
			first = append(first, i)
		case RoundWithin:
			round = append(round, i)
		}
	}
	for i := range max(1, len(first), len(round)) {
		var limits [2]time.Duration
		if i < len(first) {
			limits[0] = t.metrics[first[i]].within
		}
		if i < len(round) {
			limits[1] = t.metrics[round[i]].within
		} else {
			limits[1] = limits[0] // equal limits cost the model less
		}
		p := t.chats(contacts).At(heads, limits[0], limits[1])
		abandon, reply, every = p.Abandon, p.FirstResponseSeconds, p.ResponseSeconds
		if i < len(first) {
			out[first[i]] = p.FirstWithin
		}
		if i < len(round) {
			out[round[i]] = p.RoundWithin
		}
	}
	for i, m := range t.metrics {
		switch m.name {
		case Abandoned:
			out[i] = 1 - abandon
		case FirstMean:
			out[i] = -min(reply, endless)
		case ResponseMean:
			out[i] = -min(every, endless)
		}
	}
	return out, abandon, reply
}

func (t *table) calls(contacts float64) staffing.Queue {
	return staffing.Queue{Contacts: contacts, Interval: t.slot, HandleTime: seconds(t.work.HandleTimeS), Patience: seconds(t.work.PatienceS)}
}

func (t *table) callModel() staffing.Model {
	if t.work.PatienceS > 0 {
		return staffing.ModelA
	}
	return staffing.ModelC
}

func (t *table) chats(contacts float64) staffing.Chats {
	w := t.work
	return staffing.Chats{
		Contacts: contacts, Interval: t.slot, HandleTime: seconds(w.HandleTimeS), Patience: seconds(w.PatienceS),
		Concurrency: w.Concurrency, Overhead: w.Overhead, Rounds: w.Rounds, Slowdown: w.Slowdown,
	}
}

func seconds(s float64) time.Duration { return time.Duration(math.Round(s * float64(time.Second))) }

// newTable knows the capacity but no rows yet.
func newTable(spec Queue, work Handling, metrics []metric, slot time.Duration) *table {
	t := &table{work: work, metrics: metrics, prices: spec.Prices, slot: slot}
	if spec.Commission != nil {
		t.sales = *spec.Commission
	}
	switch work.Model {
	case Rate:
		t.capacity = work.ContactsPerHour * slot.Hours()
	case Chats:
		t.capacity = t.chats(1).Capacity() * slot.Seconds()
	default:
		t.capacity = slot.Seconds() / work.HandleTimeS
	}
	return t
}

// nodes are the loads over capacity at which a row runs the model: evenly over the whole row, and
// densely where service turns, on the scale 1/sqrt(heads) on which it turns there (Halfin & Whitt, Oper. Res.
// 29 (1981)): where heads and load are equal, and where the wait of a crowd, ln(load) patiences, is the limit.
func (t *table) nodes(heads int) []float64 {
	at := []float64{0.03, 0.06}
	for x := 0.0; x < 1.21; x += 0.1 {
		at = append(at, x)
	}
	at = append(at, 1.35, 1.5, 1.65, 1.8, 2, 2.2, 2.5, 2.8, 3.2, 3.6, fullest)
	knees := []float64{1}
	for _, m := range t.metrics {
		if heads > exactHeads/2 && t.work.PatienceS > 0 && m.name == FirstWithin {
			knees = append(knees, math.Exp(m.within.Seconds()/t.work.PatienceS))
		}
	}
	for _, knee := range knees {
		for b := -3.0; b <= 3.01; b += 0.4 {
			at = append(at, knee*(1+b/math.Sqrt(float64(heads))))
		}
	}
	if t.work.PatienceS == 0 { // the wait grows without end just below 1
		at = append(at, 0.94, 0.96, 0.975, 0.985, 0.99, 0.995, 0.999)
	}
	slices.Sort(at)
	const apart = 0.004
	kept := at[:0]
	for _, x := range at {
		if x >= 0 && x <= fullest && (len(kept) == 0 || x > kept[len(kept)-1]+apart) {
			kept = append(kept, x)
		}
	}
	kept[len(kept)-1] = fullest
	// Heavier loads than any slot has are not needed; rows between two solved ones look a little further.
	const further = 1.1
	for i, x := range kept {
		if i > 0 && x*t.capacity*float64(heads) > further*t.worst {
			return kept[:i+1]
		}
	}
	return kept
}

// solve computes the row of one number of heads.
func (t *table) solve(heads int) row {
	xs := t.nodes(heads)
	ys := make([][]float64, t.width())
	for _, x := range xs {
		load := max(x, 1e-6) * t.capacity * float64(heads) // the limit of an empty queue, not the empty queue
		for f, y := range t.measure(heads, load) {
			ys[f] = append(ys[f], y)
		}
	}
	out := row{make([]float32, t.width()*(cells+1))}
	for f := range ys {
		monotoneCubic(xs, ys[f], out.at[f*(cells+1):][:cells+1])
	}
	return out
}

// rungs are the numbers of heads up to most that are solved; those between are interpolated.
func rungs(most int) []int {
	var at []int
	for h := 1; h < most; {
		at = append(at, h)
		if h < exactHeads {
			h++
		} else {
			h = max(h+1, int(float64(h)*headStep))
		}
	}
	return append(at, most)
}

// around are the rungs that a number of heads lies between, itself twice when it is one.
func around(heads int, at []int) (low, high int) {
	i, exact := slices.BinarySearch(at, heads)
	if exact {
		return heads, heads
	}
	return at[i-1], at[i]
}

// tabulate gives every slot its table; queues with the same parameters share one.
func (m *Model) tabulate() {
	known := map[string]*table{}
	most := map[*table]int{}
	worst := score(1 - 0.5/float64(m.in.Scenarios))
	for _, q := range m.queues {
		metrics := q.metrics()
		kinds := map[float64]bool{}
		for _, s := range q.spec.Demand.Slots {
			kinds[s.HandleTimeS] = true
		}
		for i, s := range q.spec.Demand.Slots {
			work := q.spec.Handling
			if s.HandleTimeS > 0 && work.Model != Rate {
				work.HandleTimeS = s.HandleTimeS
				if len(kinds) > handleKinds {
					work.HandleTimeS = math.Exp(handleStep * math.Round(math.Log(s.HandleTimeS)/handleStep))
				}
			}
			key := fmt.Sprint(work, metrics, q.spec.Prices.PerContactYuan)
			if q.spec.Commission != nil {
				key += fmt.Sprint(*q.spec.Commission)
			}
			t := known[key]
			if t == nil {
				t = newTable(q.spec, work, metrics, m.step)
				known[key] = t
				m.tables = append(m.tables, t)
			}
			q.tables = append(q.tables, t)
			most[t] = max(most[t], q.useful(i, m.ceiling(q), worst))
			t.worst = max(t.worst, s.crowd()*s.marginal(q.spec.Demand.Levels).at(worst))
		}
	}
	for _, t := range m.tables {
		if t.work.Model != Rate {
			t.rows = make([]row, most[t]+1)
		}
	}
}

// solveRows sees to the rows of some numbers of heads, in parallel.
func (m *Model) solveRows(ctx context.Context, heads func(t *table) []int) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	type job struct {
		t     *table
		heads int
	}
	var solve, mix []job
	asked := map[job]bool{}
	for _, t := range m.tables {
		if t.rows == nil {
			continue
		}
		at := rungs(t.top())
		for _, h := range heads(t) {
			h = min(h, t.top())
			if h < 1 || t.rows[h].at != nil || asked[job{t, h}] {
				continue
			}
			low, high := around(h, at)
			for _, rung := range []int{low, high} {
				if j := (job{t, rung}); t.rows[rung].at == nil && !asked[j] {
					asked[j] = true
					solve = append(solve, j)
				}
			}
			if low != high {
				asked[job{t, h}] = true
				mix = append(mix, job{t, h})
			}
		}
	}
	err := parallel(ctx, len(solve), func(i int) { solve[i].t.rows[solve[i].heads] = solve[i].t.solve(solve[i].heads) })
	if err != nil {
		return err
	}
	for _, j := range mix {
		low, high := around(j.heads, rungs(j.t.top()))
		j.t.rows[j.heads] = mixed(j.t.rows[low], j.t.rows[high], float32(j.heads-low)/float32(high-low))
	}
	return nil
}

// mixed is a row between two.
func mixed(low, high row, w float32) row {
	out := make([]float32, len(low.at))
	for j, y := range low.at {
		out[j] = (1-w)*y + w*high.at[j]
	}
	return row{out}
}

// rowsOf sees to the rows of a plan, and of some heads more and fewer.
func (m *Model) rowsOf(ctx context.Context, p Plan, more ...int) error {
	need := map[*table][]int{}
	for i, q := range m.queues {
		for j, h := range p.Queues[i].Heads {
			need[q.tables[j]] = append(need[q.tables[j]], h)
			for _, d := range more {
				need[q.tables[j]] = append(need[q.tables[j]], h+d)
			}
		}
	}
	return m.solveRows(ctx, func(t *table) []int { return need[t] })
}

// metrics of the terms of a queue, each once; there is always one, so that the model runs.
func (q *queue) metrics() []metric {
	var out []metric
	for i := range q.terms {
		t := &q.terms[i]
		m := metric{t.spec.Metric, seconds(t.spec.WithinS)}
		if t.figure = slices.Index(out, m); t.figure < 0 {
			t.figure = len(out)
			out = append(out, m)
		}
	}
	if out == nil {
		out = []metric{{name: Abandoned}}
	}
	return out
}

// useful is a number of heads beyond which a slot gains nothing that a search need look at: three times
// what the largest scenario keeps busy.
func (q *queue) useful(slot, ceiling int, worst float64) int {
	s := q.spec.Demand.Slots[slot]
	busy := s.crowd() * s.marginal(q.spec.Demand.Levels).at(worst) / q.tables[slot].capacity
	enough := busy + 1
	if q.spec.Handling.Model != Rate {
		enough = 3*busy + 6
	}
	return max(1, q.spec.floor(slot), min(ceiling, int(math.Ceil(enough))))
}

// paying reports that contacts earn anything.
func (t *table) paying() bool {
	return t.prices.PerContactYuan > 0 || t.sales.Rate*t.sales.BasketYuan*t.sales.Conversion > 0
}
