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
	slot     time.Duration
	rows     []row // by heads, 1-based; nil for the rate model, which is exact
}

// metric is what a term looks at.
type metric struct {
	name   string
	within time.Duration
}

// row is the figures of one number of heads: figure f at load i*fullest/cells is at[f*(cells+1)+i].
type row struct{ at []float32 }

// figures of an arriving contact: each metric, then the yuan.
func (t *table) width() int { return len(t.metrics) + 1 }

// add the number of contacts (or yuan) of a figure with some heads, per scenario, times sign, to out.
func (t *table) add(out []float32, figure, heads int, contacts loads, sign float32) {
	if heads <= 0 {
		return // nobody answers: nothing met, nothing earned
	}
	most := float32(t.capacity * float64(heads))
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
	beyond := figure < len(t.metrics) && t.metrics[figure].name == RoundWithin
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
	out := make([]float64, t.width())
	var abandon, reply float64
	for i, m := range t.metrics {
		switch t.work.Model {
		case Chats:
			p := t.chats(contacts).At(heads, m.within, m.within)
			abandon, reply = p.Abandon, p.FirstResponseSeconds
			out[i] = map[string]float64{FirstWithin: p.FirstWithin, RoundWithin: p.RoundWithin, Abandoned: 1 - p.Abandon}[m.name]
		default:
			p := staffing.Evaluate(t.callModel(), t.calls(contacts), float64(heads), m.within)
			abandon, reply = p.Abandon, p.AnsweredWait
			if t.work.PatienceS == 0 { // nobody leaves, but a crowd beyond capacity is not taken up
				abandon = max(0, 1-float64(heads)*t.capacity/contacts)
			}
			out[i] = p.ServiceLevel
			if m.name == Abandoned {
				out[i] = 1 - abandon
			}
		}
	}
	earned := t.prices.PerContactYuan
	if !math.IsInf(reply, 0) && !math.IsNaN(reply) {
		earned += t.sold(reply)
	}
	out[len(t.metrics)] = (1 - abandon) * earned
	return out
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

// monotoneCubic fills out with the interpolation of Fritsch & Carlson (SIAM J. Numer. Anal. 17 (1980))
// in the harmonic form of Fritsch & Butland (1984): no new hills between the nodes.
func monotoneCubic(xs, ys []float64, out []float32) {
	n := len(xs)
	slope, chord := make([]float64, n), make([]float64, n-1)
	for i := range chord {
		chord[i] = (ys[i+1] - ys[i]) / (xs[i+1] - xs[i])
	}
	slope[0], slope[n-1] = chord[0], chord[n-2]
	for i := 1; i < n-1; i++ {
		if chord[i-1]*chord[i] > 0 {
			a, b := xs[i]-xs[i-1], xs[i+1]-xs[i]
			w := (a + 2*b) / (3 * (a + b))
			slope[i] = chord[i-1] * chord[i] / (w*chord[i] + (1-w)*chord[i-1])
		}
	}
	j := 0
	for i := range out {
		x := float64(i) * fullest / cells
		for j < n-2 && x > xs[j+1] {
			j++
		}
		h := xs[j+1] - xs[j]
		u := (x - xs[j]) / h
		out[i] = float32((1+2*u)*(1-u)*(1-u)*ys[j] + u*(1-u)*(1-u)*h*slope[j] +
			u*u*(3-2*u)*ys[j+1] + u*u*(u-1)*h*slope[j+1])
	}
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

// fill interpolates the rows between solved ones.
func (t *table) fill(at []int) {
	for i := 1; i < len(at); i++ {
		low, high := at[i-1], at[i]
		for h := low + 1; h < high; h++ {
			w := float32(h-low) / float32(high-low)
			mixed := make([]float32, len(t.rows[low].at))
			for j, y := range t.rows[low].at {
				mixed[j] = (1-w)*y + w*t.rows[high].at[j]
			}
			t.rows[h] = row{mixed}
		}
	}
}

// tabulate builds the tables of all queues; queues with the same parameters share one.
func (m *Model) tabulate(ctx context.Context) error {
	known := map[string]*table{}
	most := map[*table]int{}
	var all []*table // in order of first use
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
			key := fmt.Sprint(work, metrics, q.spec.Prices, q.spec.Commission)
			if q.spec.Commission != nil {
				key += fmt.Sprint(*q.spec.Commission)
			}
			t := known[key]
			if t == nil {
				t = newTable(q.spec, work, metrics, m.step)
				known[key] = t
				all = append(all, t)
			}
			q.tables = append(q.tables, t)
			most[t] = max(most[t], q.useful(i, m.ceiling(q), worst))
		}
	}
	return build(ctx, all, most)
}

// build solves the rows of all tables in parallel.
func build(ctx context.Context, all []*table, most map[*table]int) error {
	type job struct {
		t     *table
		heads int
	}
	var jobs []job
	for _, t := range all {
		if t.work.Model == Rate {
			continue
		}
		t.rows = make([]row, most[t]+1)
		for _, h := range rungs(most[t]) {
			jobs = append(jobs, job{t, h})
		}
	}
	err := parallel(ctx, len(jobs), func(i int) { jobs[i].t.rows[jobs[i].heads] = jobs[i].t.solve(jobs[i].heads) })
	if err != nil {
		return err
	}
	for _, t := range all {
		if t.rows != nil {
			t.fill(rungs(most[t]))
		}
	}
	return nil
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
	busy := q.spec.Demand.Slots[slot].marginal(q.spec.Demand.Levels).at(worst) / q.tables[slot].capacity
	enough := busy + 1
	if q.spec.Handling.Model != Rate {
		enough = 3*busy + 6
	}
	return max(1, q.spec.MinHeads, min(ceiling, int(math.Ceil(enough))))
}

// paying reports that contacts earn anything.
func (t *table) paying() bool {
	return t.prices.PerContactYuan > 0 || t.sales.Rate*t.sales.BasketYuan*t.sales.Conversion > 0
}
