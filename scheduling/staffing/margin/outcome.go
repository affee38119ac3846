package margin

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// Outcome is what a plan earns under the scenarios. Amounts are yuan over the horizon.
type Outcome struct {
	HeadHours    float64        `json:"head_hours"`    // on the queues
	PaidHours    float64        `json:"paid_hours"`    // with shrinkage
	WageYuan     float64        `json:"wage_yuan"`     // certain
	OvertimeYuan float64        `json:"overtime_yuan"` // premium contained in WageYuan
	Revenue      Spread         `json:"revenue_yuan"`
	Penalty      Spread         `json:"penalty_yuan"` // deductions
	Bonus        Spread         `json:"bonus_yuan"`
	Margin       Spread         `json:"margin_yuan"` // revenue + bonus - penalty - wage
	Queues       []QueueOutcome `json:"queues"`
}

// QueueOutcome is one queue's part. Margin is before the overtime premium, which no queue owns.
type QueueOutcome struct {
	Queue     ids.Queue     `json:"queue"`
	HeadHours float64       `json:"head_hours"`
	WageYuan  float64       `json:"wage_yuan"`
	Revenue   Spread        `json:"revenue_yuan"`
	Penalty   Spread        `json:"penalty_yuan"`
	Bonus     Spread        `json:"bonus_yuan"`
	Margin    Spread        `json:"margin_yuan"`
	Terms     []TermOutcome `json:"terms"`
}

// TermOutcome is one SLA line. Steps[i] is the expected number of times that step i of the ladder is
// the one that counts: a probability for an average, a number of days for a daily term, of runs for a run.
type TermOutcome struct {
	ID      string    `json:"id"`
	Share   Spread    `json:"share"` // of the contacts that count; for abandon the share that left
	Penalty Spread    `json:"penalty_yuan"`
	Bonus   Spread    `json:"bonus_yuan"`
	Steps   []float64 `json:"steps"`
}

// Spread is a distribution over the scenarios.
type Spread struct {
	Mean float64 `json:"mean"`
	SE   float64 `json:"standard_error"` // of the mean, as if scenarios were independent; stratified ones do better
	P5   float64 `json:"p5"`
	P10  float64 `json:"p10"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P95  float64 `json:"p95"`
}

// spreadOf values, one per scenario. Quantiles are the smallest value with at least that share at or below.
func spreadOf(values []float64) Spread {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	n := float64(len(sorted))
	at := func(p float64) float64 { return sorted[max(0, int(math.Ceil(p*n-1e-9))-1)] }
	mean, square := 0.0, 0.0
	for _, v := range sorted {
		mean += v / n
	}
	for _, v := range sorted {
		square += (v - mean) * (v - mean)
	}
	s := Spread{Mean: mean, P5: at(0.05), P10: at(0.1), P50: at(0.5), P90: at(0.9), P95: at(0.95)}
	if n > 1 {
		s.SE = math.Sqrt(square / (n - 1) / n)
	}
	return s
}

// books are all sums of a queue under one staffing.
type books struct {
	*queue
	heads    []int
	revenue  []float32 // of contacts, by scenario
	fixed    float64   // fee and hours
	ledgers  []*ledger
	due, won []float64 // by scenario, after all caps
}

// open the books of a staffing.
func (m *Model) open(q *queue, heads []int) *books {
	b := &books{
		queue: q, heads: slices.Clone(heads), revenue: make([]float32, m.in.Scenarios),
		due: make([]float64, m.in.Scenarios), won: make([]float64, m.in.Scenarios),
	}
	for k := range q.terms {
		b.ledgers = append(b.ledgers, newLedger(&q.terms[k], len(m.days), m.in.Scenarios))
	}
	b.post()
	return b
}

// post fills the books from the heads.
func (b *books) post() {
	clear(b.revenue)
	b.fixed = b.spec.Prices.FeeYuan
	for _, l := range b.ledgers {
		for d := range l.met {
			clear(l.met[d])
		}
	}
	for i, h := range b.heads {
		t := b.tables[i]
		b.fixed += float64(h) * b.billed
		t.add(b.revenue, len(t.metrics), h, b.loads[i], 1)
		for _, l := range b.ledgers {
			if l.within[i] {
				t.add(l.met[b.day[i]], l.figure, h, b.loads[i], 1)
			}
		}
	}
	for _, l := range b.ledgers {
		l.settle()
	}
	for s := range b.due {
		b.due[s], b.won[s] = b.dues(s, nil)
	}
}

// dues of all terms in one scenario after changes (by term; nil for none), with every cap.
func (b *books) dues(s int, changes [][]change) (due, won float64) {
	for k, l := range b.ledgers {
		d, w := l.due[s], l.won[s]
		if changes != nil {
			d, w = l.after(s, changes[k])
		}
		due += l.capped(d)
		won += w
	}
	if limit := b.spec.PenaltyCapYuan; limit > 0 {
		due = min(due, limit)
	}
	return due, won
}

// wages of the heads without overtime premium, in yuan, for a price list by grid slot.
func (b *books) wages(price []float64) (sum float64) {
	for i, h := range b.heads {
		sum += float64(h) * price[b.at[i]]
	}
	return sum
}

// expected margin of the queue before wages.
func (b *books) earned() float64 {
	sum := 0.0
	for s, r := range b.revenue {
		sum += float64(r) - b.due[s] + b.won[s]
	}
	return b.fixed + sum/float64(len(b.revenue))
}

// Evaluate a plan. Errors: margin.plan when its shape does not fit the input or heads are negative.
func (m *Model) Evaluate(ctx context.Context, p Plan) (Outcome, error) {
	if err := m.fits(p); err != nil {
		return Outcome{}, err
	}
	all := make([]*books, len(m.queues))
	if err := parallel(ctx, len(all), func(i int) { all[i] = m.open(m.queues[i], p.Queues[i].Heads) }); err != nil {
		return Outcome{}, err
	}
	return m.outcome(all), nil
}

// fits checks a plan against the model.
func (m *Model) fits(p Plan) error {
	var bad []fault.Field
	if len(p.Queues) != len(m.queues) {
		bad = append(bad, fault.Field{Path: "queues", Value: fmt.Sprint(len(p.Queues)), Problem: fmt.Sprintf("must be %d, as in the input", len(m.queues))})
		return fault.Bad("margin.plan", "plan", bad)
	}
	for i, q := range p.Queues {
		path := fmt.Sprintf("queues[%d].heads", i)
		if len(q.Heads) != len(m.queues[i].at) {
			bad = append(bad, fault.Field{Path: path, Value: fmt.Sprint(len(q.Heads)), Problem: fmt.Sprintf("must be %d, one per slot of the demand", len(m.queues[i].at))})
		} else if worst := slices.Min(q.Heads); worst < 0 {
			bad = append(bad, fault.Field{Path: path, Value: fmt.Sprint(worst), Problem: "must be 0 or more"})
		}
	}
	return fault.Bad("margin.plan", "plan", bad)
}

// outcome sums the books of all queues.
func (m *Model) outcome(all []*books) Outcome {
	var o Outcome
	n := m.in.Scenarios
	revenue, due, won, margin := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for _, b := range all {
		q := m.queueOutcome(b)
		o.HeadHours += q.HeadHours
		o.WageYuan += q.WageYuan
		o.Queues = append(o.Queues, q)
		for s := range n {
			revenue[s] += b.fixed + float64(b.revenue[s])
			due[s] += b.due[s]
			won[s] += b.won[s]
		}
	}
	o.PaidHours = o.HeadHours / (1 - m.in.Wage.Shrinkage)
	o.OvertimeYuan = m.overtime(all)
	o.WageYuan += o.OvertimeYuan
	for s := range margin {
		margin[s] = revenue[s] - due[s] + won[s] - o.WageYuan
	}
	o.Revenue, o.Penalty, o.Bonus, o.Margin = spreadOf(revenue), spreadOf(due), spreadOf(won), spreadOf(margin)
	return o
}

func (m *Model) queueOutcome(b *books) QueueOutcome {
	q := QueueOutcome{Queue: b.id, WageYuan: b.wages(m.wage)}
	for _, h := range b.heads {
		q.HeadHours += float64(h) * m.hours
	}
	revenue, margin := make([]float64, len(b.due)), make([]float64, len(b.due))
	for s := range margin {
		revenue[s] = b.fixed + float64(b.revenue[s])
		margin[s] = revenue[s] - b.due[s] + b.won[s] - q.WageYuan
	}
	q.Revenue, q.Penalty, q.Bonus, q.Margin = spreadOf(revenue), spreadOf(b.due), spreadOf(b.won), spreadOf(margin)
	for _, l := range b.ledgers {
		q.Terms = append(q.Terms, l.outcome())
	}
	return q
}

func (l *ledger) outcome() TermOutcome {
	shares, dues := make([]float64, l.scenarios), make([]float64, l.scenarios)
	steps := make([]float64, len(l.steps))
	stand := func(n int) {
		if n > 0 {
			steps[n-1] += 1 / float64(l.scenarios)
		}
	}
	for s := range l.scenarios {
		shares[s] = l.share(l.total[s], l.sum[s])
		dues[s] = l.capped(l.due[s])
		switch l.spec.Period {
		case Average:
			stand(l.step(shares[s]))
		case Daily:
			for d := range l.days {
				if l.all[d][s] > 0 {
					stand(l.step(float64(l.met[d][s] / l.all[d][s])))
				}
			}
		case Run:
			_, times := l.runs(s, func(d int) bool { return l.bad[d][s] })
			steps[0] += times / float64(l.scenarios)
		}
		if l.spec.Metric == Abandoned {
			shares[s] = 1 - shares[s]
		}
	}
	return TermOutcome{ID: l.spec.ID, Share: spreadOf(shares), Penalty: spreadOf(dues), Bonus: spreadOf(l.won), Steps: steps}
}

// dayHours are the paid hours of each day over all queues.
func (m *Model) dayHours(all []*books) []float64 {
	hours := make([]float64, len(m.days))
	for _, b := range all {
		for i, h := range b.heads {
			hours[b.day[i]] += float64(h) * m.hours / (1 - m.in.Wage.Shrinkage)
		}
	}
	return hours
}

// overtime is the premium of the hours of workdays beyond the regular ones (Labour Law, art. 44 (1)).
func (m *Model) overtime(all []*books) (yuan float64) {
	if m.in.Wage.RegularHours == 0 {
		return 0
	}
	for d, h := range m.dayHours(all) {
		if m.in.kind(m.days[d]) == Workday {
			yuan += max(0, h-m.in.Wage.RegularHours) * m.premium()
		}
	}
	return yuan
}

// premium of an overtime hour, yuan.
func (m *Model) premium() float64 { return (m.in.Wage.Overtime - 1) * m.in.Wage.HourYuan }
