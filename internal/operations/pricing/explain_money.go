package pricing

import (
	"context"
	"math"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
)

// Marginal is what heads are worth in this slot, in yuan, by the engine that prices scenarios: expected over Dates under the
// forecast's distribution, with the plans that were made together. Ladders step, so a head for a quarter hour may move nothing where
// four hours of one do.
type Marginal struct {
	OneMoreYuan float64        `json:"one_more_yuan"` // expected deduction that one more head avoids, and what it earns
	LastYuan    float64        `json:"last_yuan"`     // that the last one avoids and earns
	CostYuan    float64        `json:"cost_yuan"`     // of a head more: paid time with shrinkage, at the rate of the day, overtime included
	Dates       calendar.Dates `json:"dates"`         // that stand for their months
	Queues      int            `json:"queues"`        // priced together
	Block       *BlockWorth    `json:"block,omitempty"`
}

// BlockWorth is one head more in some hours around the slot.
type BlockWorth struct {
	Range       calendar.Range `json:"range"`
	CostYuan    float64        `json:"cost_yuan"`
	AvoidedYuan float64        `json:"avoided_yuan"` // expected deductions
	EarnedYuan  float64        `json:"earned_yuan"`
	NetYuan     float64        `json:"net_yuan"`
}

// madeTogether are the plans of one request: those of the same instant, with their requirements, in the order of the store.
func (p *Pricing) madeTogether(ctx context.Context, view *store.View, plan store.Plan) ([]store.Plan, calendar.Dates, error) {
	all, err := store.All(func(page store.Page) ([]store.Plan, string, error) {
		return view.Plans(ctx, store.ForecastFilter{Range: plan.Range}, page)
	})
	if err != nil {
		return nil, calendar.Dates{}, err
	}
	dates, out := daysOf(plan, p.gate.Zone), []store.Plan{plan}
	for _, other := range all {
		if other.ID == plan.ID || !other.CreatedAt.Equal(plan.CreatedAt) {
			continue
		}
		whole, err := view.Plan(ctx, other.ID)
		if err != nil {
			return nil, dates, err
		}
		days := daysOf(whole, p.gate.Zone)
		if days.From.Before(dates.From) {
			dates.From = days.From
		}
		if dates.Until.Before(days.Until) {
			dates.Until = days.Until
		}
		out = append(out, whole)
	}
	return out, dates, nil
}

// explainMoney prices one head more and the last one.
func (p *Pricing) explainMoney(ctx context.Context, view *store.View, e *Explanation, plan store.Plan) error {
	plans, dates, err := p.madeTogether(ctx, view, plan)
	if err != nil {
		return err
	}
	e.Marginal = Marginal{Dates: dates, Queues: len(plans)}
	g, err := p.engineOf(ctx, view, plans, dates)
	if err != nil || g.model == nil {
		return err
	}
	at := g.named(plan.Queue, e.Start)
	if at == "" {
		return nil
	}
	heads := g.heads(1)
	valued, err := g.valued(ctx)
	if err != nil {
		return err
	}
	more, err := valued.Block(ctx, heads, at, e.Start, e.Start.Add(e.Slot), 1)
	if err != nil {
		return fault.Of(err)
	}
	e.Marginal.CostYuan, e.Marginal.OneMoreYuan = more.CostYuan, cents(more.NetYuan+more.CostYuan)
	if g.serving(plan.Queue, e.Start) > 0 {
		last, err := valued.Block(ctx, heads, at, e.Start, e.Start.Add(e.Slot), -1)
		if err != nil {
			return fault.Of(err)
		}
		e.Marginal.LastYuan = cents(-last.NetYuan - last.CostYuan)
	}
	from := e.Start.Add(-time.Duration(blockHours/2) * time.Hour)
	block, err := valued.Block(ctx, heads, at, from, from.Add(time.Duration(blockHours)*time.Hour), 1)
	if err != nil {
		return fault.Of(err)
	}
	e.Marginal.Block = &BlockWorth{
		Range: calendar.Range{Start: block.From, End: block.Until}, CostYuan: block.CostYuan, AvoidedYuan: block.AvoidedYuan,
		EarnedYuan: block.RevenueYuan + block.BonusYuan, NetYuan: block.NetYuan,
	}
	return nil
}

// named is the queue of the engine that has a slot of a queue; "" for none.
func (e *engine) named(queue ids.Queue, at time.Time) ids.Queue {
	for i, q := range e.in.Queues {
		if e.books.owner(i) != queue {
			continue
		}
		for _, s := range q.Demand.Slots {
			if s.Start.Equal(at) {
				return q.Queue
			}
		}
	}
	return ""
}

// serving are the heads that serve a slot of a queue as if they were its own.
func (e *engine) serving(queue ids.Queue, at time.Time) int {
	for _, s := range e.slots {
		if s.queue == queue && s.start.Equal(at) {
			return s.serving
		}
	}
	return 0
}

// cents is yuan in which what rounds to nothing is nothing.
func cents(yuan float64) float64 {
	if math.Abs(yuan) < 0.005 {
		return 0
	}
	return yuan
}
