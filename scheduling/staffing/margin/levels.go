package margin

import (
	"context"
	"fmt"
)

// Level is one staffing of a curve: cost against risk, heads against service.
type Level struct {
	Name        string  `json:"name"`
	HeadHours   float64 `json:"head_hours"`
	WageYuan    float64 `json:"wage_yuan"`
	RevenueYuan float64 `json:"revenue_yuan"` // expected, bonus included
	Penalty     Spread  `json:"penalty_yuan"`
	Margin      Spread  `json:"margin_yuan"`
	Service     float64 `json:"service"` // expected share of contacts that meet their metric, over all terms
	Heads       []int   `json:"heads"`   // of all queues by slot of the grid
}

// level tells an outcome in a line.
func (m *Model) level(name string, p Plan, o Outcome) Level {
	l := Level{
		Name: name, HeadHours: o.HeadHours, WageYuan: o.WageYuan, RevenueYuan: o.Revenue.Mean + o.Bonus.Mean,
		Penalty: o.Penalty, Margin: o.Margin, Heads: make([]int, len(m.day)),
	}
	met, all := 0.0, 0.0
	for i, q := range m.queues {
		for j, h := range p.Queues[i].Heads {
			l.Heads[q.at[j]] += h
		}
		for k := range q.terms {
			if timed(q.terms[k].spec.Metric) || k == q.watch && k > 0 {
				continue
			}
			share := o.Queues[i].Service
			if k != q.watch {
				if share = o.Queues[i].Terms[k].Share.Mean; q.terms[k].spec.Metric == Abandoned {
					share = 1 - share
				}
			}
			contacts := 0.0
			for _, c := range q.terms[k].sum {
				contacts += c
			}
			met, all = met+share*contacts, all+contacts
		}
	}
	if all > 0 {
		l.Service = met / all
	}
	return l
}

// AtQuantile is the staffing that a planner without money would make: in every slot the least heads that meet
// every target at that quantile of the forecast, made of blocks. It does not look at Input.MaxHeads.
func (m *Model) AtQuantile(ctx context.Context, level float64) (Plan, error) {
	if err := m.ready(ctx); err != nil {
		return Plan{}, err
	}
	plan := Plan{Queues: make([]QueuePlan, len(m.queues))}
	err := parallel(ctx, len(m.queues), func(i int) {
		q := m.queues[i]
		l := &linear{}
		for j := range q.at {
			l.floor = append(l.floor, q.spec.floor(j))
			need := q.need(j, score(level))
			const miss = 1e6 // far above any wage
			row := make([]float64, need+1)
			for h := range row {
				row[h] = miss * float64(h)
			}
			l.value, l.price, l.most = append(l.value, row), append(l.price, q.pay[j]), append(l.most, m.ceiling(q))
		}
		st := m.newStaff(q)
		st.cover(l)
		plan.Queues[i] = QueuePlan{Queue: q.id, Heads: st.heads, Blocks: st.blocks(m)}
	})
	return plan, err
}

// need of a slot at a normal score of its forecast: the least heads that meet the target of every term that
// counts there and has a ladder. At most what the tables hold.
func (q *queue) need(slot int, z float64) int {
	load := loads{float32(q.spec.Demand.Slots[slot].marginal(q.spec.Demand.Levels).at(z))}
	top := len(q.values[slot].earned) - 1
	if load[0] == 0 {
		return 0
	}
	heads := 0
	sum := make([]float32, 1)
	for k := range q.terms {
		t := &q.terms[k]
		if !t.within[slot] || len(t.steps) == 0 && !(k == q.watch && q.spec.Service.Least > 0) {
			continue
		}
		for heads < top {
			sum[0] = 0
			q.tables[slot].add(sum, t.figure, heads, load, q.spec.Demand.Slots[slot].crowd(), 1)
			if float64(sum[0]) >= t.target*float64(load[0])-touch {
				break
			}
			heads++
		}
	}
	return heads
}

// Around are the staffings that are best when service is worth less or more than the contract says: the curve
// of cost against risk through a result. Multiples of the expected slopes, ascending.
func (m *Model) Around(ctx context.Context, r Result, multiples []float64) ([]Level, error) {
	if err := m.ready(ctx); err != nil {
		return nil, err
	}
	out := make([]Level, 0, len(multiples))
	for _, f := range multiples {
		plan := Plan{Queues: make([]QueuePlan, len(m.queues))}
		err := parallel(ctx, len(m.queues), func(i int) {
			q := m.queues[i]
			most := make([]int, len(q.at))
			for j := range most {
				most[j] = m.ceiling(q)
			}
			st := m.newStaff(q)
			st.cover(q.linear(r.slopes[i].times(f), q.wage, most))
			plan.Queues[i] = QueuePlan{Queue: q.id, Heads: st.heads}
		})
		if err != nil {
			return nil, err
		}
		o, err := m.Evaluate(ctx, plan)
		if err != nil {
			return nil, err
		}
		out = append(out, m.level(fmt.Sprintf("service at %g times its worth", f), plan, o))
	}
	return out, nil
}

// Report answers an input: the staffing of largest expected margin, what it earns on the scenarios it was
// searched on and on fresh ones, the usual staffings beside it, and where one head matters most.
type Report struct {
	Result
	Fresh    Outcome    `json:"fresh"`    // the plan on scenarios of another seed: the honest figure
	Usual    []Level    `json:"usual"`    // staffed at P50, P90 and P95 of the forecast
	Frontier []Level    `json:"frontier"` // cost against risk
	Best     []Marginal `json:"best"`     // one head more
	Worst    []Marginal `json:"worst"`    // one head fewer
}

// Price runs everything for one input. Errors: margin.input, or the context's.
func Price(ctx context.Context, in Input) (Report, error) {
	m, err := New(ctx, in)
	if err != nil {
		return Report{}, err
	}
	var out Report
	if out.Result, err = m.Optimise(ctx); err != nil {
		return Report{}, err
	}
	fresh, err := m.Fresh(ctx, in.Seed+1)
	if err != nil {
		return Report{}, err
	}
	if out.Fresh, err = fresh.Evaluate(ctx, out.Plan); err != nil {
		return Report{}, err
	}
	for _, level := range []float64{0.5, 0.9, 0.95} {
		plan, err := m.AtQuantile(ctx, level)
		if err != nil {
			return Report{}, err
		}
		o, err := m.Evaluate(ctx, plan)
		if err != nil {
			return Report{}, err
		}
		out.Usual = append(out.Usual, m.level(fmt.Sprintf("P%g", 100*level), plan, o))
	}
	if out.Frontier, err = m.Around(ctx, out.Result, []float64{0, 0.25, 0.5, 1, 2, 4, 8}); err != nil {
		return Report{}, err
	}
	hours := 4.0
	if len(m.in.BlockHours) > 0 {
		hours = float64(m.lengths()[0]) * m.hours
	}
	const listed = 10
	out.Best, out.Worst, err = m.Marginals(ctx, out.Plan, min(hours, float64(len(m.day))*m.hours), listed)
	return out, err
}
