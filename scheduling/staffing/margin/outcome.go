package margin

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/chaoban/chaoban/internal/calendar"
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
	Margin       Spread         `json:"margin_yuan"`     // revenue + bonus - penalty - wage
	Joint        []TermOutcome  `json:"joint,omitempty"` // terms over several queues, by name; the queues have their parts of them
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

	Contacts float64    `json:"contacts"`        // expected
	Service  float64    `json:"service"`         // expected share of them that Queue.Service looks at; 1 without it
	Short    int        `json:"short,omitempty"` // slots below Service.Least
	Days     []QueueDay `json:"days"`            // in order
}

// QueueDay is one day of a queue, expected.
type QueueDay struct {
	Date        calendar.Date `json:"date"`
	Contacts    float64       `json:"contacts"`
	Met         float64       `json:"met"`          // of them, those that meet the metric of Queue.Service
	PenaltyYuan float64       `json:"penalty_yuan"` // averages and runs are shared out by what misses their metric
}

// TermOutcome is one SLA line. Steps[i] is the expected number of times that step i of the ladder is
// the one that counts: a probability for an average, a number of days for a daily term, of runs for a run.
type TermOutcome struct {
	ID       string  `json:"id"`
	Contacts float64 `json:"contacts"` // expected, that count
	Met      float64 `json:"met"`      // of them, expected to meet the metric (abandon: to stay); for times the seconds of all, negative
	// Kept is the probability that the target is kept: over the whole period for an average and a run, and for a daily term on
	// all its days together. 0 where nothing is expected.
	Kept    float64   `json:"kept"`
	Share   Spread    `json:"share"` // of the contacts that count; for abandon the share that left, for mean times seconds
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
		b.add(b.revenue, i, len(t.metrics), h, 1)
		for _, l := range b.ledgers {
			if l.within[i] {
				b.add(l.met[b.day[i]], i, l.figure, h, 1)
			}
		}
	}
	for _, l := range b.ledgers {
		l.settle()
	}
	b.sum()
}

// sum adds up what is due and won.
func (b *books) sum() {
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

// wages of the heads without overtime premium, in yuan.
func (b *books) wages() (sum float64) {
	for i, h := range b.heads {
		sum += float64(h) * b.pay[i]
	}
	return sum
}

// earned is the expected margin of the queue before wages and what its hours earn, which the price of a head contains.
func (b *books) earned() float64 {
	sum := 0.0
	for s, r := range b.revenue {
		sum += float64(r) - b.due[s] + b.won[s]
	}
	return b.spec.Prices.FeeYuan + sum/float64(len(b.revenue))
}

// Evaluate a plan. Errors: margin.plan when its shape does not fit the input or heads are negative.
func (m *Model) Evaluate(ctx context.Context, p Plan) (Outcome, error) {
	if err := m.fits(p); err != nil {
		return Outcome{}, err
	}
	if err := m.rowsOf(ctx, p); err != nil {
		return Outcome{}, err
	}
	all, err := m.openAll(ctx, func(i int) []int { return p.Queues[i].Heads })
	if err != nil {
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
	o := Outcome{Joint: m.jointOutcomes(all)}
	n := m.in.Scenarios
	revenue, due, won, margin := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for _, b := range all {
		q := m.queueOutcome(b)
		o.HeadHours += q.HeadHours
		o.WageYuan += q.WageYuan
		o.Queues = append(o.Queues, q)
		for s := range n {
			revenue[s] += b.fixed + float64(b.revenue[s])
			d, w := b.owed(s)
			due[s] += d
			won[s] += w
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
	q := QueueOutcome{Queue: b.id, WageYuan: b.wages()}
	for _, h := range b.heads {
		q.HeadHours += float64(h) * m.hours
	}
	revenue, margin := make([]float64, len(b.due)), make([]float64, len(b.due))
	dues, wons := make([]float64, len(b.due)), make([]float64, len(b.due))
	for s := range margin {
		dues[s], wons[s] = b.owed(s)
		revenue[s] = b.fixed + float64(b.revenue[s])
		margin[s] = revenue[s] - dues[s] + wons[s] - q.WageYuan
	}
	q.Revenue, q.Penalty, q.Bonus, q.Margin = spreadOf(revenue), spreadOf(dues), spreadOf(wons), spreadOf(margin)
	for k, l := range b.ledgers {
		if k != b.watch {
			q.Terms = append(q.Terms, l.outcome())
		}
	}
	m.report(&q, b)
	return q
}

// report fills in service and penalty by day.
func (m *Model) report(q *QueueOutcome, b *books) {
	n := float64(m.in.Scenarios)
	q.Days, q.Service = make([]QueueDay, len(m.days)), 1
	met := 0.0
	for d := range q.Days {
		day := &q.Days[d]
		day.Date = m.days[d]
		for s, c := range b.contacts[d] {
			day.Contacts += c / n
			if b.watch >= 0 {
				day.Met += float64(b.ledgers[b.watch].met[d][s]) / n
			}
		}
		q.Contacts += day.Contacts
		met += day.Met
	}
	if b.watch >= 0 && q.Contacts > 0 {
		q.Service = met / q.Contacts
	}
	q.Short = b.short()
	missed, all := make([]float64, len(m.days)), 0.0
	for k, l := range b.ledgers {
		if k == b.watch {
			continue
		}
		term := q.Terms[k].Penalty.Mean
		clear(missed)
		all = 0
		for d := range missed {
			for s := range l.scenarios {
				missed[d] += max(0, l.bestOf(d, s)-float64(l.met[d][s]))
			}
			all += missed[d]
		}
		for d := range missed {
			switch {
			case all > 0:
				q.Days[d].PenaltyYuan += term * missed[d] / all
			case q.Contacts > 0:
				q.Days[d].PenaltyYuan += term * q.Days[d].Contacts / q.Contacts
			}
		}
	}
}

// short counts the slots whose expected service is below the least.
func (b *books) short() (slots int) {
	if b.watch < 0 || b.spec.Service.Least == 0 {
		return 0
	}
	met := make([]float32, len(b.revenue))
	for i, h := range b.heads {
		clear(met)
		b.add(met, i, b.terms[b.watch].figure, h, 1)
		sum, all := 0.0, 0.0
		for s, c := range b.loads[i] {
			sum += float64(met[s])
			all += float64(c)
		}
		if sum < (b.spec.Service.Least-1e-6)*all {
			slots++
		}
	}
	return slots
}

// bestOf is what a day of a term would count if everybody met it.
func (l *ledger) bestOf(day, s int) float64 {
	if timed(l.spec.Metric) {
		return 0
	}
	return float64(l.all[day][s])
}

func (l *ledger) outcome() TermOutcome {
	shares, dues, wons := make([]float64, l.scenarios), make([]float64, l.scenarios), make([]float64, l.scenarios)
	steps := make([]float64, len(l.steps))
	stand := func(n int) {
		if n > 0 {
			steps[n-1] += 1 / float64(l.scenarios)
		}
	}
	for s := range l.scenarios {
		shares[s] = l.share(l.total[s], l.sum[s], l.part)
		if dues[s], wons[s] = l.capped(l.due[s]), l.won[s]; l.rest != nil {
			dues[s], wons[s] = l.ownDue[s], l.ownWon[s]
		}
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
	}
	contacts := total(l.sum) / float64(l.scenarios)
	kept := l.kept(shares, contacts)
	for s := range shares {
		shares[s] = l.told(shares[s])
	}
	return TermOutcome{ID: l.spec.ID, Contacts: contacts, Met: total(l.total) / float64(l.scenarios), Kept: kept, Share: spreadOf(shares), Penalty: spreadOf(dues), Bonus: spreadOf(wons), Steps: steps}
}

// kept is the part of the scenarios whose share keeps the target; 0 where nothing is expected.
func (l *ledger) kept(shares []float64, contacts float64) float64 {
	if contacts == 0 {
		return 0
	}
	n := 0
	for _, share := range shares {
		if share >= l.target-touch*l.unit() {
			n++
		}
	}
	return float64(n) / float64(len(shares))
}

// dayHours are the paid hours of each day over all queues.
func (m *Model) dayHours(all []*books) []float64 {
	hours := make([]float64, len(m.days))
	for _, b := range all {
		for i, h := range b.heads {
			hours[b.day[i]] += float64(h) * m.paid()
		}
	}
	return hours
}

// overtime is the premium of all days.
func (m *Model) overtime(all []*books) (yuan float64) {
	for d, h := range m.dayHours(all) {
		yuan += m.overtimeOn(d, h)
	}
	return yuan
}

// overtimeOn is the premium of the paid hours of a workday beyond the regular ones (Labour Law, art. 44 (1)).
func (m *Model) overtimeOn(day int, hours float64) float64 {
	if m.in.Wage.RegularHours == 0 || m.in.kind(m.days[day]) != Workday {
		return 0
	}
	return max(0, hours-m.in.Wage.RegularHours) * m.premium()
}

// paid are the hours that a head and slot cost.
func (m *Model) paid() float64 { return m.hours / (1 - m.in.Wage.Shrinkage) }

// premium of an overtime hour, yuan.
func (m *Model) premium() float64 { return (m.in.Wage.Overtime - 1) * m.in.Wage.HourYuan }
