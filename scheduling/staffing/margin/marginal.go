package margin

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// Marginal is what some heads more (or fewer, negative) from one time to another are worth on top of a plan.
// Amounts are expected yuan; for fewer heads cost and gains are negative.
type Marginal struct {
	Queue             ids.Queue `json:"queue"`
	From              time.Time `json:"from"`
	Until             time.Time `json:"until"`
	Heads             int       `json:"heads"`
	CostYuan          float64   `json:"cost_yuan"`            // wages, overtime premium included
	AvoidedYuan       float64   `json:"avoided_penalty_yuan"` // deductions
	RevenueYuan       float64   `json:"gained_revenue_yuan"`  // from contacts, sales and hours
	BonusYuan         float64   `json:"gained_bonus_yuan"`
	NetYuan           float64   `json:"net_yuan"` // avoided + revenue + bonus - cost
	StandardErrorYuan float64   `json:"standard_error_yuan"`
	Text              string    `json:"text"` // the same in a sentence
}

// Block prices heads more or fewer than the plan has between two instants. Errors: margin.plan, margin.block (a
// queue that is not there, a time without open slots, fewer heads than none), or the context's.
func (m *Model) Block(ctx context.Context, p Plan, id ids.Queue, from, until time.Time, heads int) (Marginal, error) {
	if err := m.fits(p); err != nil {
		return Marginal{}, err
	}
	if err := m.rowsOf(ctx, p, heads); err != nil {
		return Marginal{}, err
	}
	i := slices.IndexFunc(m.queues, func(q *queue) bool { return q.id == id })
	if i < 0 {
		return Marginal{}, fault.New(fault.NotFound, "margin.block", "queue %q is not in the input", id)
	}
	q, r := m.queues[i], span{-1, -1}
	for s := range q.at {
		if at := m.start(q, s); !at.Before(from) && at.Before(until) {
			if r.from < 0 {
				r.from = s
			}
			r.until = s + 1
		}
	}
	if r.from < 0 {
		return Marginal{}, fault.New(fault.Invalid, "margin.block", "queue %q has no open slot from %s to %s", id, from.Format(time.RFC3339), until.Format(time.RFC3339))
	}
	all, err := m.openAll(ctx, func(i int) []int { return p.Queues[i].Heads })
	if err != nil {
		return Marginal{}, err
	}
	b := all[i]
	if worst := slices.Min(b.heads[r.from:r.until]); worst+heads < 0 {
		return Marginal{}, fault.New(fault.Invalid, "margin.block", "%d heads cannot leave: there are only %d", -heads, worst)
	}
	x := m.price(all, b, r, heads)
	x.Text = x.sentence()
	return x, nil
}

// price a change of heads on a span of slots.
func (m *Model) price(all []*books, b *books, r span, heads int) Marginal {
	return m.priced(m.dayHours(all), b, r, heads, func(slot int) *delta { return b.delta(slot, b.heads[slot]+heads) })
}

// priced is price with the paid hours of the days and the deltas of the slots.
func (m *Model) priced(before []float64, b *books, r span, heads int, change func(slot int) *delta) Marginal {
	var e effects
	e.reset(len(b.ledgers), m.in.Scenarios)
	hours := make([]float64, len(m.days))
	out := Marginal{Queue: b.id, From: m.start(b.queue, r.from), Until: m.start(b.queue, r.until-1).Add(m.step), Heads: heads}
	for i := r.from; i < r.until; i++ {
		e.add(change(i), b.day[i])
		out.CostYuan += float64(heads) * b.pay[i]
		out.RevenueYuan += float64(heads) * b.billed
		hours[b.day[i]] += float64(heads) * m.paid()
	}
	for d, h := range before {
		out.CostYuan += m.overtimeOn(d, h+hours[d]) - m.overtimeOn(d, h)
	}
	n := float64(m.in.Scenarios)
	nets := make([]float64, m.in.Scenarios)
	for s, v := range e.revenue {
		due, won := b.dues(s, e.changes)
		out.RevenueYuan += float64(v) / n
		out.AvoidedYuan += (b.due[s] - due) / n
		out.BonusYuan += (won - b.won[s]) / n
		nets[s] = float64(v) + b.due[s] - due + won - b.won[s]
	}
	out.NetYuan = out.AvoidedYuan + out.RevenueYuan + out.BonusYuan - out.CostYuan
	out.StandardErrorYuan = spreadOf(nets).SE
	return out
}

func (x Marginal) sentence() string {
	who, verb, saves := "one more agent", "costs", "avoids %s of expected penalty and earns %s"
	switch {
	case x.Heads > 1:
		who, verb, saves = fmt.Sprintf("%d more agents", x.Heads), "cost", "avoid %s of expected penalty and earn %s"
	case x.Heads == -1:
		who, verb, saves = "one agent fewer", "saves", "adds %s of expected penalty and loses %s"
	case x.Heads < -1:
		who, verb, saves = fmt.Sprintf("%d agents fewer", -x.Heads), "save", "add %s of expected penalty and lose %s"
	}
	sign := 1.0
	if x.Heads < 0 {
		sign = -1
	}
	until := x.Until.Format("15:04")
	if until == "00:00" {
		until = "24:00"
	}
	return fmt.Sprintf("%s: %s from %s to %s on %s %s %s, "+saves+": net %s", x.Queue, who, x.From.Format("15:04"), until, x.From.Format("Jan 2"), verb,
		yuan(sign*x.CostYuan), yuan(sign*x.AvoidedYuan), yuan(sign*(x.RevenueYuan+x.BonusYuan)), signed(x.NetYuan))
}

// signed is yuan with its sign; 0 has none.
func signed(v float64) string {
	if v >= 0.5 {
		return "+" + yuan(v)
	}
	return yuan(v)
}

// yuan with thousands separators, without decimals.
func yuan(v float64) string {
	text := fmt.Sprintf("%.0f", math.Abs(v))
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	if v <= -0.5 {
		return "-" + text
	}
	return text
}

// Marginals finds, on every day of every queue, the block of some hours where one head more earns most and
// the one where a head that is there earns least, and returns the n best and the n worst of all, each priced in
// full. The worst are told as one head fewer: a positive net says that the plan is better without.
// Errors: margin.plan, margin.block (hours), or the context's.
func (m *Model) Marginals(ctx context.Context, p Plan, hours float64, n int) (best, worst []Marginal, err error) {
	length := int(math.Round(hours / m.hours))
	if length < 1 || length > len(m.day) {
		return nil, nil, fault.New(fault.Invalid, "margin.block", "a block of %g hours is shorter than a slot or longer than the horizon", hours)
	}
	if err := m.fits(p); err != nil {
		return nil, nil, err
	}
	if err := m.rowsOf(ctx, p, -1, 1); err != nil {
		return nil, nil, err
	}
	all, err := m.openAll(ctx, func(i int) []int { return p.Queues[i].Heads })
	if err != nil {
		return nil, nil, err
	}
	hoursOf := m.dayHours(all)
	more, less := make([][]Marginal, len(m.queues)), make([][]Marginal, len(m.queues))
	err = parallel(ctx, len(m.queues), func(i int) {
		b := all[i]
		more[i], less[i] = m.dayBest(hoursOf, b, length, 1), m.dayBest(hoursOf, b, length, -1)
	})
	top := func(lists [][]Marginal) []Marginal {
		flat := slices.Concat(lists...)
		slices.SortStableFunc(flat, func(a, b Marginal) int { return cmp.Compare(b.NetYuan, a.NetYuan) })
		flat = flat[:min(n, len(flat))]
		for i := range flat {
			flat[i].Text = flat[i].sentence()
		}
		return flat
	}
	return top(more), top(less), err
}

// dayBest prices every block of a length, on the hour or the half hour, and keeps the best of each day.
func (m *Model) dayBest(hours []float64, b *books, length, sign int) (best []Marginal) {
	known := make([]*delta, len(b.heads))
	change := func(slot int) *delta {
		if known[slot] == nil {
			known[slot] = b.delta(slot, b.heads[slot]+sign)
		}
		return known[slot]
	}
	every := max(1, int(math.Round(0.5/m.hours)))
	st := &staff{q: b.queue, lengths: []int{length}, heads: b.heads}
	for _, day := range b.dayRanges() {
		found := false
		for i := day.from; i < day.until; i++ {
			p := st.fit(0, i)
			if r := st.span(p); p.start == i && (b.at[i]%every == 0 || i == day.from) && m.allowed(b, r, sign) {
				if x := m.priced(hours, b, r, sign, change); !found {
					best, found = append(best, x), true
				} else if last := len(best) - 1; x.NetYuan > best[last].NetYuan {
					best[last] = x
				}
			}
		}
	}
	return best
}

// allowed reports that floor and ceiling let the heads of a span change.
func (m *Model) allowed(b *books, r span, sign int) bool {
	for i := r.from; i < r.until; i++ {
		if h := b.heads[i] + sign; h < 0 || sign < 0 && h < b.least[i] || sign > 0 && h > m.ceiling(b.queue) {
			return false
		}
	}
	return true
}
