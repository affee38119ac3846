package pricing

import (
	"context"
	"fmt"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/scheduling/staffing/margin"
)

// moneySeed draws the scenarios of a search; its outcome is told under fresh ones.
const moneySeed = 1

// Money is what a staffing for expected margin earns, in yuan over the days, under scenarios of the forecast that
// its search has not seen.
type Money struct {
	MarginYuan        float64       `json:"margin_yuan"` // revenue less wages and penalty
	StandardErrorYuan float64       `json:"standard_error_yuan"`
	RevenueYuan       float64       `json:"revenue_yuan"` // expected
	WageYuan          float64       `json:"wage_yuan"`    // overtime and holidays included
	Penalty           margin.Spread `json:"penalty_yuan"`
	GapYuan           float64       `json:"gap_yuan"` // what a better search could at most still find
	Levels            []MoneyLevel  `json:"levels"`   // the plan, and the usual staffings at P50, P90 and P95, on the same scenarios
	More              []string      `json:"more"`     // where one agent more earns most, one sentence each
	Fewer             []string      `json:"fewer"`    // where an agent earns least
	LeftOut           []string      `json:"left_out"` // of the contracts, what has no place in these figures
}

// MoneyLevel is one staffing in heads and money.
type MoneyLevel struct {
	Name        string        `json:"name"`
	HeadHours   float64       `json:"head_hours"`
	WageYuan    float64       `json:"wage_yuan"`
	RevenueYuan float64       `json:"revenue_yuan"`
	Penalty     margin.Spread `json:"penalty_yuan"`
	MarginYuan  float64       `json:"margin_yuan"`
}

// listed is how many sentences of each kind a scenario keeps.
const listed = 5

// bestMargin finds the heads of the largest expected margin under the contracts in force.
func bestMargin(ctx context.Context, ask question) (answer, error) {
	base, err := eachQueue(ctx, ask)
	if err != nil {
		return answer{}, err
	}
	in, leftOut := ask.marginInput()
	if len(in.Queues) == 0 {
		return base, nil
	}
	report, err := margin.Price(ctx, in)
	if err != nil {
		return answer{}, gate.Placed(fault.Of(err), "method margin")
	}
	heads := map[ids.Queue]map[time.Time]int{}
	for i, q := range report.Plan.Queues {
		heads[q.Queue] = map[time.Time]int{}
		for j, s := range in.Queues[i].Demand.Slots {
			heads[q.Queue][s.Start.UTC()] = q.Heads[j]
		}
	}
	for i, s := range ask.all {
		base.staffed[i] = s.manned(base.staffed[i], ask.options, func(at time.Time) (int, int, string) {
			n := heads[s.queue.ID][at.UTC()]
			return n, n, fmt.Sprintf("%d heads earn most under the forecast's distribution, wages and contract together; the queue's target is not binding", n)
		})
	}
	base.money = moneyOf(report, leftOut)
	return base, nil
}

func moneyOf(r margin.Report, leftOut []string) *Money {
	f, s := r.Fresh, r.Outcome
	out := &Money{
		MarginYuan: f.Margin.Mean, StandardErrorYuan: f.Margin.SE, RevenueYuan: f.Revenue.Mean + f.Bonus.Mean, WageYuan: f.WageYuan, Penalty: f.Penalty,
		GapYuan: max(0, r.GapYuan), More: []string{}, Fewer: []string{}, LeftOut: leftOut,
		Levels: []MoneyLevel{{"the plan", s.HeadHours, s.WageYuan, s.Revenue.Mean + s.Bonus.Mean, s.Penalty, s.Margin.Mean}},
	}
	for _, l := range r.Usual {
		out.Levels = append(out.Levels, MoneyLevel{l.Name, l.HeadHours, l.WageYuan, l.RevenueYuan, l.Penalty, l.Margin.Mean})
	}
	for _, b := range r.Best[:min(listed, len(r.Best))] {
		out.More = append(out.More, b.Text)
	}
	for _, b := range r.Worst[:min(listed, len(r.Worst))] {
		out.Fewer = append(out.Fewer, b.Text)
	}
	return out
}

// marginInput is the question as values: forecast distributions, wages, prices and terms. Of several stretches
// of a queue the first says how contacts run. The second result names what the contracts have beside.
func (ask question) marginInput() (margin.Input, []string) {
	o := ask.options
	in := margin.Input{
		Location: ask.zone.String(), SlotMin: int(calendar.Slot / time.Minute), From: ask.dates.From, Until: ask.dates.Until, Seed: moneySeed,
		Wage: margin.Wage{Overtime: overtimeRate, Holiday: holidayRate, Shrinkage: o.Shrinkage},
	}
	books := ledgers{ask: ask, queues: map[ids.Queue]*moneyQueue{}}
	var names []ids.Queue
	for _, s := range ask.all {
		if len(s.curve.Points) == 0 {
			continue
		}
		q := books.queues[s.queue.ID]
		if q == nil {
			q = &moneyQueue{Queue: margin.Queue{Queue: s.queue.ID, Handling: handlingOf(s), MinHeads: o.MinHeads, MaxHeads: o.MaxHeads}, stretch: s}
			books.queues[s.queue.ID] = q
			names = append(names, s.queue.ID)
		}
		q.expect(s, ask.zone)
	}
	books.names = names
	books.post()
	for _, id := range names {
		in.Queues = append(in.Queues, books.queues[id].finish())
	}
	in.Wage.HourYuan = ask.pay.mean(names, ask.dates)
	in.Wage.RegularHours = ask.pay.capacity(names, ask.dates) / float64(ask.dates.Until.Sub(ask.dates.From))
	for day := ask.dates.From; day.Before(ask.dates.Until); day = day.Add(1) {
		if ask.pay.rate(day) > 1 {
			in.Days = append(in.Days, margin.Day{Date: day, Kind: margin.Holiday})
		}
	}
	return in, books.left()
}

// handlingOf is how the contacts of a stretch run.
func handlingOf(s stretch) margin.Handling {
	t := s.part.Target
	h := margin.Handling{Model: margin.Calls, HandleTimeS: t.HandleTime.Seconds(), PatienceS: t.Patience.Seconds()}
	if t.Concurrency > 1 {
		h.Model, h.Concurrency, h.Overhead, h.Rounds, h.Slowdown = margin.Chats, t.Concurrency, t.Overhead, t.Rounds, t.Slowdown
	}
	return h
}

// moneyQueue is a queue on its way to the engine.
type moneyQueue struct {
	margin.Queue
	stretch  stretch                   // the first
	contacts map[calendar.Date]float64 // expected, by day
	revenue  float64                   // of contacts, yuan
}

// expect adds the demand of a stretch.
func (q *moneyQueue) expect(s stretch, zone *time.Location) {
	d := margin.DemandOf(quarters(s.curve))
	if q.contacts == nil {
		q.contacts, q.Demand.Levels = map[calendar.Date]float64{}, d.Levels
	}
	same := fmt.Sprint(q.Demand.Levels) == fmt.Sprint(d.Levels)
	for _, x := range d.Slots {
		q.contacts[calendar.DateOf(x.Start, zone)] += x.Mean
		if n := len(q.Demand.Slots); n > 0 && !q.Demand.Slots[n-1].Start.Before(x.Start) {
			continue // a border cuts the slot: the stretch before it has it
		}
		if !same {
			x.Quantiles = readAt(q.Demand.Levels, d.Levels, x)
		}
		q.Demand.Slots = append(q.Demand.Slots, x)
	}
	for _, x := range s.days {
		if day := calendar.DateOf(x.Start, zone); same && q.contacts[day] > 0 {
			q.Demand.DayTotals = append(q.Demand.DayTotals, margin.DayTotal{Date: day, Quantiles: x.Quantiles})
		}
	}
}

// total is the expected contacts on some days.
func (q *moneyQueue) total(dates calendar.Dates) (sum float64) {
	for day := dates.From; day.Before(dates.Until); day = day.Add(1) {
		sum += q.contacts[day]
	}
	return sum
}

// finish is the queue with the mean price of its contacts.
func (q *moneyQueue) finish() margin.Queue {
	all := 0.0
	for _, s := range q.Demand.Slots {
		all += s.Mean
	}
	if all > 0 {
		q.Prices.PerContactYuan = q.revenue / all
	}
	return q.Queue
}
