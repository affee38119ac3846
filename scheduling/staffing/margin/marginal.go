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
// queue that is not there, a time without open slots, fewer heads than none).
func (m *Model) Block(p Plan, id ids.Queue, from, until time.Time, heads int) (Marginal, error) {
	if err := m.fits(p); err != nil {
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
	all := m.bare(p)
	b := m.open(q, p.Queues[i].Heads)
	if worst := slices.Min(b.heads[r.from:r.until]); worst+heads < 0 {
		return Marginal{}, fault.New(fault.Invalid, "margin.block", "%d heads cannot leave: there are only %d", -heads, worst)
	}
	return m.price(all, b, r, heads), nil
}

// bare books only know the heads: enough for hours.
func (m *Model) bare(p Plan) []*books {
	all := make([]*books, len(m.queues))
	for i, q := range m.queues {
		all[i] = &books{queue: q, heads: p.Queues[i].Heads}
	}
	return all
}

// price a change of heads on a span of slots.
func (m *Model) price(all []*books, b *books, r span, heads int) Marginal {
	var e effects
	e.reset(len(b.ledgers), m.in.Scenarios)
	hours := make([]float64, len(m.days))
	out := Marginal{Queue: b.id, From: m.start(b.queue, r.from), Until: m.start(b.queue, r.until-1).Add(m.step), Heads: heads}
	for i := r.from; i < r.until; i++ {
		e.add(b.delta(i, b.heads[i]+heads), b.day[i])
		out.CostYuan += float64(heads) * m.wage[b.at[i]]
		out.RevenueYuan += float64(heads) * b.billed
		hours[b.day[i]] += float64(heads) * m.hours / (1 - m.in.Wage.Shrinkage)
	}
	if m.in.Wage.RegularHours > 0 {
		for d, h := range m.dayHours(all) {
			if hours[d] != 0 && m.in.kind(m.days[d]) == Workday {
				over := func(h float64) float64 { return max(0, h-m.in.Wage.RegularHours) * m.premium() }
				out.CostYuan += over(h+hours[d]) - over(h)
			}
		}
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
	out.Text = out.sentence()
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
	return fmt.Sprintf("%s: %s from %s to %s on %s %s %s, "+saves, x.Queue, who, x.From.Format("15:04"), until, x.From.Format("Jan 2"), verb,
		yuan(sign*x.CostYuan), yuan(sign*x.AvoidedYuan), yuan(sign*(x.RevenueYuan+x.BonusYuan)))
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
	if length < 1 || length > len(m.wage) {
		return nil, nil, fault.New(fault.Invalid, "margin.block", "a block of %g hours is shorter than a slot or longer than the horizon", hours)
	}
	if err := m.fits(p); err != nil {
		return nil, nil, err
	}
	all := m.bare(p)
	more, less := make([][]Marginal, len(m.queues)), make([][]Marginal, len(m.queues))
	err = parallel(ctx, len(m.queues), func(i int) {
		q := m.queues[i]
		b := m.open(q, p.Queues[i].Heads)
		most := make([]int, len(q.at))
		for j := range most {
			most[j] = m.ceiling(q)
		}
		st := &staff{q: q, lengths: []int{length}, heads: b.heads}
		sums := st.marginals(q.linear(b.slopesNow(len(m.days)), q.wage, most))
		for _, day := range q.dayRanges() {
			if r, ok := st.pick(day, sums, 1); ok {
				more[i] = append(more[i], m.price(all, b, r, 1))
			}
			if r, ok := st.pick(day, sums, -1); ok {
				less[i] = append(less[i], m.price(all, b, r, -1))
			}
		}
	})
	top := func(lists [][]Marginal) []Marginal {
		flat := slices.Concat(lists...)
		slices.SortStableFunc(flat, func(a, b Marginal) int { return cmp.Compare(b.NetYuan, a.NetYuan) })
		return flat[:min(n, len(flat))]
	}
	return top(more), top(less), err
}

// pick the span of a day with the largest linear gain of one head more or less. false when none may.
func (s *staff) pick(day span, m *marginals, sign int) (span, bool) {
	best, most := span{}, -1e8 // below it a floor or a ceiling forbids
	for i := day.from; i < day.until; i++ {
		p := s.fit(0, i)
		if p.start != i {
			continue
		}
		mv := move{in: p, put: true}
		if sign < 0 {
			mv = move{out: p, take: true}
		}
		if v := m.score(s, mv); v > most {
			best, most = s.span(p), v
		}
	}
	return best, best.until > best.from
}
