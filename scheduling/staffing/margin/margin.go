// Package margin staffs for money: it turns a forecast distribution, wages, prices and SLA terms
// into the heads per slot that earn the most, and says what each head is worth.
//
// It owns the scenarios (scenario.go), the performance table of a queue (table.go), what a contract
// deducts for a given service (ladder.go), the outcome of a staffing (outcome.go), the search for the
// best one (shadow.go, blocks.go, relief.go, frontier.go, search.go, couple.go, trade.go, pairs.go), its upper bound (bound.go,
// rungs.go, branch.go, reach.go) and the statements about single blocks and whole levels (marginal.go, levels.go).
// DESIGN.md of staffing, "Money", derives them.
//
// It does not own the queueing models (staffing), the forecast, the contract or the invoice: terms and
// prices come in as plain values, and every amount here is an expectation in yuan, not a settlement.
//
// Times: a slot is half-open and named by its start, an instant; a date is a civil date in
// Input.Location and owns the slots that start on it; a window is wall-clock time of that place.
package margin

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
)

// Model is an Input made ready: scenarios drawn. The service of a number of heads is tabulated when it is first asked for.
// It may be used from several goroutines.
type Model struct {
	in     Input
	loc    *time.Location
	step   time.Duration
	origin time.Time
	days   []calendar.Date
	hours  float64 // of one slot
	day    []int   // of each slot of the grid
	queues []*queue
	groups []group
	tables []*table // of all queues, in order of first use
	lock   *sync.Mutex
}

// queue is one queue, compiled. Its slots are the open ones, in order; at maps them to the grid.
type queue struct {
	id       ids.Queue
	spec     Queue
	at       []int     // slot of the grid
	day      []int     // day of the horizon
	end      []int     // first slot after the run of adjoining open slots that this one is in
	begin    []int     // first slot of that run
	loads    []loads   // contacts by scenario
	tables   []*table  // by slot
	terms    []term    // compiled SLA terms
	values   []values  // expectations by heads, for the linear search
	pay      []float64 // yuan per head and slot
	wage     []float64 // the same net of the merchant's price per hour
	least    []int     // heads by slot, see Service
	watch    int       // the term that stands for Service, -1 for none
	billed   float64   // yuan per head and slot that the merchant pays
	contacts [][]float64
}

// Plan is a number of heads for every open slot of every queue. Queues stand in the order of the input.
type Plan struct {
	Queues []QueuePlan `json:"queues"`
}

// QueuePlan is the staffing of one queue.
type QueuePlan struct {
	Queue  ids.Queue `json:"queue"`
	Heads  []int     `json:"heads"`            // parallel to the slots of the queue's demand
	Blocks []Block   `json:"blocks,omitempty"` // what the heads are made of, ascending; absent in a plan made by hand
}

// Block is people who come and go together: [Start, End).
type Block struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	Heads int       `json:"heads"`
}

// New checks the input and draws the scenarios. Errors: margin.input (every bad
// field at once), or the context's error.
func New(ctx context.Context, in Input) (*Model, error) {
	in = in.withDefaults()
	if err := in.Validate(); err != nil {
		return nil, err
	}
	m := newGrid(in)
	for _, q := range in.Queues {
		m.queues = append(m.queues, m.compile(q))
	}
	m.tabulate()
	m.gather()
	return m, m.draw(ctx, in.Seed)
}

// newGrid lays out slots, days and wages. in is valid.
func newGrid(in Input) *Model {
	m := &Model{in: in, step: time.Duration(in.SlotMin) * time.Minute, lock: &sync.Mutex{}}
	m.loc, _ = time.LoadLocation(in.Location) // validated
	m.origin = in.From.In(m.loc)
	m.hours = m.step.Hours()
	for d := in.From; d.Before(in.Until); d = d.Add(1) {
		m.days = append(m.days, d)
	}
	for t := m.origin; t.Before(in.Until.In(m.loc)); t = t.Add(m.step) {
		d := calendar.DateOf(t, m.loc).Sub(in.From)
		m.day = append(m.day, d)
	}
	return m
}

// compile a valid queue onto the grid.
func (m *Model) compile(spec Queue) *queue {
	q := &queue{id: spec.Queue, spec: spec, billed: spec.Prices.PerHourYuan * m.hours}
	wage := m.in.Wage
	if spec.HourYuan > 0 {
		wage.HourYuan = spec.HourYuan
	}
	for _, s := range spec.Demand.Slots {
		t := int(s.Start.Sub(m.origin) / m.step)
		q.at, q.day = append(q.at, t), append(q.day, m.day[t])
		pay := m.hours * wage.hour(m.in.kind(m.days[m.day[t]]), s.Start.In(m.loc)) / (1 - wage.Shrinkage)
		q.pay, q.wage = append(q.pay, pay), append(q.wage, pay-q.billed)
		q.least = append(q.least, spec.floor(len(q.least)))
	}
	n := len(q.at)
	q.begin, q.end = make([]int, n), make([]int, n)
	for i := range q.at {
		if q.begin[i] = i; i > 0 && q.at[i] == q.at[i-1]+1 {
			q.begin[i] = q.begin[i-1]
		}
	}
	for i := n - 1; i >= 0; i-- {
		if q.end[i] = i + 1; i+1 < n && q.begin[i+1] == q.begin[i] {
			q.end[i] = q.end[i+1]
		}
	}
	for _, t := range spec.Terms {
		q.terms = append(q.terms, m.compileTerm(q, t))
	}
	if q.watch = -1; spec.Service != nil { // a term without money: it only counts
		q.watch = len(q.terms)
		q.terms = append(q.terms, m.compileTerm(q, Term{Metric: spec.Service.Metric, WithinS: spec.Service.WithinS, Target: spec.Service.Least, Period: Average}))
	}
	return q
}

// draw fills the scenarios and what follows from them.
func (m *Model) draw(ctx context.Context, seed uint64) error {
	return m.fill(ctx, func(q *queue) []loads { return m.paths(q, seed) })
}

// fill sets the contacts of every queue and what follows from them.
func (m *Model) fill(ctx context.Context, contacts func(q *queue) []loads) error {
	err := parallel(ctx, len(m.queues), func(i int) {
		q := m.queues[i]
		q.loads = contacts(q)
		q.contacts = make([][]float64, len(m.days))
		for d := range q.contacts {
			q.contacts[d] = make([]float64, m.in.Scenarios)
		}
		for t, load := range q.loads {
			for s, c := range load {
				q.contacts[q.day[t]][s] += float64(c)
			}
		}
		for k := range q.terms {
			q.terms[k].count(q, len(q.contacts), m.in.Scenarios)
		}
		q.values = nil
	})
	m.parts()
	return err
}

// ready tabulates the service of every number of heads that a search may look at, and takes expectations.
func (m *Model) ready(ctx context.Context) error {
	every := func(t *table) []int {
		all := make([]int, t.top())
		for i := range all {
			all[i] = i + 1
		}
		return all
	}
	if err := m.solveRows(ctx, every); err != nil {
		return err
	}
	return parallel(ctx, len(m.queues), func(i int) {
		if q := m.queues[i]; q.values == nil {
			q.expect(m.ceiling(q))
		}
	})
}

// Fresh is the same model under scenarios of another seed. A plan is fitted to the scenarios it was
// searched on; its outcome under fresh ones is the honest figure. Errors: only the context's.
func (m *Model) Fresh(ctx context.Context, seed uint64) (*Model, error) {
	f := m.copied()
	f.in.Seed = seed
	return f, f.draw(ctx, seed)
}

// Certain is the same model with one scenario: every slot brings the contacts that its forecast does not exceed with probability
// level, in (0,1). Errors: only the context's.
func (m *Model) Certain(ctx context.Context, level float64) (*Model, error) {
	f, z := m.copied(), score(level)
	f.in.Scenarios = 1
	return f, f.fill(ctx, func(q *queue) []loads {
		out := make([]loads, len(q.at))
		for t, s := range q.spec.Demand.Slots {
			out[t] = loads{float32(s.marginal(q.spec.Demand.Levels).at(z))}
		}
		return out
	})
}

// copied is a model whose scenarios can be replaced.
func (m *Model) copied() *Model {
	f := *m
	f.queues = make([]*queue, len(m.queues))
	for i, q := range m.queues {
		copied := *q
		copied.terms, copied.least = slices.Clone(q.terms), slices.Clone(q.least)
		f.queues[i] = &copied
	}
	return &f
}

// floor is the least heads of a slot.
func (q Queue) floor(slot int) int { return max(q.MinHeads, q.Demand.Slots[slot].MinHeads) }

// ceiling is the largest number of heads that a queue may have in any slot.
func (m *Model) ceiling(q *queue) int {
	most := staffingLimit
	for _, limit := range []int{m.in.MaxHeads, q.spec.MaxHeads} {
		if limit > 0 {
			most = min(most, limit)
		}
	}
	return most
}

// parallel calls f for 0..n-1 on all processors. The calls must not depend on each other, so that the
// number of processors changes nothing but the time.
func parallel(ctx context.Context, n int, f func(i int)) error {
	var next sync.Mutex
	var wait sync.WaitGroup
	at := 0
	for range min(n, runtime.GOMAXPROCS(0)) {
		wait.Go(func() {
			for ctx.Err() == nil {
				next.Lock()
				i := at
				at++
				next.Unlock()
				if i >= n {
					return
				}
				f(i)
			}
		})
	}
	wait.Wait()
	return ctx.Err()
}
