package pricing

import (
	"context"
	"fmt"
	"slices"
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
	Levels            []MoneyLevel  `json:"levels"`   // the plan, and what method each staffs at P50, P90 and P95, on the same scenarios
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
	in, books := ask.marginInput()
	for i := range in.Queues {
		if s := in.Queues[i].Service; s != nil {
			s.Least = ask.options.TargetShare
		}
	}
	if len(in.Queues) == 0 {
		return base, nil
	}
	report, err := margin.Price(ctx, in)
	if err != nil {
		return answer{}, gate.Placed(fault.Of(err), "method margin")
	}
	found := map[ids.Queue]map[time.Time]manning{}
	for i, q := range report.Plan.Queues {
		queue := books.owner(i)
		if found[queue] == nil {
			found[queue] = map[time.Time]manning{}
		}
		for j, s := range in.Queues[i].Demand.Slots {
			n := q.Heads[j]
			found[queue][s.Start.UTC()] = manning{
				on: n, serving: n, worth: report.Worth[i][j],
				why: fmt.Sprintf("%d heads earn most under the forecast's distribution, wages and contract together; %s", n, ask.floored()),
			}
		}
	}
	for i, s := range ask.all {
		base.staffed[i] = s.manned(base.staffed[i], ask.options, func(at time.Time) manning { return found[s.queue.ID][at.UTC()] })
	}
	base.money = moneyOf(report, books.left())
	usual, err := ask.usual(ctx, in, books)
	base.money.Levels = append(base.money.Levels, usual...)
	return base, err
}

// usualLevels of demand are staffed beside a plan for money.
var usualLevels = []float64{0.5, 0.9, 0.95}

// usual are the staffings of method each at the usual levels that the forecasts have, under the scenarios of the search.
func (ask question) usual(ctx context.Context, in margin.Input, books ledgers) ([]MoneyLevel, error) {
	m, err := margin.New(ctx, in)
	if err != nil {
		return nil, gate.Placed(fault.Of(err), "method margin")
	}
	var out []MoneyLevel
	for _, level := range usualLevels {
		if slices.ContainsFunc(ask.all, func(s stretch) bool { return !slices.Contains(s.curve.Levels, level) }) {
			continue
		}
		other := ask
		other.all, other.options.Level = slices.Clone(ask.all), level
		for i := range other.all {
			other.all[i].part.Target.Level = level
		}
		found, err := eachQueue(ctx, other)
		if err != nil {
			return nil, err
		}
		o, err := m.Evaluate(ctx, planOf(in, books, ask.headsOf(found)))
		if err != nil {
			return nil, fault.Of(err)
		}
		out = append(out, MoneyLevel{fmt.Sprintf("each at P%g", 100*level), o.HeadHours, o.WageYuan, o.Revenue.Mean + o.Bonus.Mean, o.Penalty, o.Margin.Mean})
	}
	return out, nil
}

// planOf is heads by queue and slot as a plan of the engine.
func planOf(in margin.Input, books ledgers, heads map[ids.Queue]map[time.Time]int) (out margin.Plan) {
	for i, q := range in.Queues {
		line := margin.QueuePlan{Queue: q.Queue, Heads: make([]int, len(q.Demand.Slots))}
		for j, s := range q.Demand.Slots {
			line.Heads[j] = heads[books.owner(i)][s.Start.UTC()]
		}
		out.Queues = append(out.Queues, line)
	}
	return out
}

// floored tells what the heads may not go below.
func (ask question) floored() string {
	if ask.options.TargetShare > 0 {
		return fmt.Sprintf("no slot may expect fewer than %g%% within the limit", 100*ask.options.TargetShare)
	}
	return "the queue's target is not binding"
}

func moneyOf(r margin.Report, leftOut []string) *Money {
	f, s := r.Fresh, r.Outcome
	out := &Money{
		MarginYuan: f.Margin.Mean, StandardErrorYuan: f.Margin.SE, RevenueYuan: f.Revenue.Mean + f.Bonus.Mean, WageYuan: f.WageYuan, Penalty: f.Penalty,
		GapYuan: max(0, r.GapYuan), LeftOut: leftOut,
		Levels: []MoneyLevel{{"the plan", s.HeadHours, s.WageYuan, s.Revenue.Mean + s.Bonus.Mean, s.Penalty, s.Margin.Mean}},
	}
	return out
}

// marginInput is the question as values: forecast distributions, wages, prices and terms. A queue whose contacts run
// differently on later days is a further queue of the engine from then on. The second result says whose they are, and how terms are named.
func (ask question) marginInput() (margin.Input, ledgers) {
	o := ask.options
	in := margin.Input{
		Location: ask.zone.String(), SlotMin: int(calendar.Slot / time.Minute), From: ask.dates.From, Until: ask.dates.Until, Seed: moneySeed,
		Wage: margin.Wage{Overtime: overtimeRate, Holiday: holidayRate, Shrinkage: o.Shrinkage},
	}
	books := ledgers{ask: ask, out: map[string]bool{}}
	var names []ids.Queue
	seen := map[ids.Queue]int{}
	for _, s := range ask.all {
		if len(s.curve.Points) == 0 {
			continue
		}
		last := len(books.queues) - 1
		if last < 0 || books.queues[last].stretch.queue.ID != s.queue.ID || books.queues[last].Handling != handlingOf(s) || books.queues[last].stretch.part.Target.Within != s.part.Target.Within {
			id := s.queue.ID
			if seen[id]++; seen[id] > 1 {
				id = ids.Queue(fmt.Sprintf("%s@%d", id, seen[id]))
			} else {
				names = append(names, id)
			}
			books.queues = append(books.queues, &moneyQueue{stretch: s, Queue: margin.Queue{
				Queue: id, Handling: handlingOf(s), MinHeads: o.MinHeads, MaxHeads: o.MaxHeads, HourYuan: ask.pay.mean([]ids.Queue{s.queue.ID}, ask.dates),
				Service: &margin.Service{Metric: margin.FirstWithin, WithinS: s.part.Target.Within.Seconds()},
			}})
		}
		books.queues[len(books.queues)-1].expect(s, ask)
	}
	books.post()
	for _, q := range books.queues {
		in.Queues = append(in.Queues, q.finish())
	}
	in.Wage.HourYuan = ask.pay.mean(names, ask.dates)
	in.Wage.RegularHours = ask.pay.regular(names, ask.dates)
	for day := ask.dates.From; day.Before(ask.dates.Until); day = day.Add(1) {
		if ask.pay.rate(day) > 1 {
			in.Days = append(in.Days, margin.Day{Date: day, Kind: margin.Holiday})
		}
	}
	return in, books
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
func (q *moneyQueue) expect(s stretch, ask question) {
	fine := quarters(s.curve)
	d, crowds := margin.DemandOf(fine), s.crowding(fine)
	for i := range d.Slots {
		d.Slots[i].MinHeads = ask.options.floor(s.seatsAt(d.Slots[i].Start, ask.zone))
	}
	if q.contacts == nil {
		q.contacts, q.Demand.Levels = map[calendar.Date]float64{}, d.Levels
	}
	same := fmt.Sprint(q.Demand.Levels) == fmt.Sprint(d.Levels)
	for _, x := range d.Slots {
		q.contacts[calendar.DateOf(x.Start, ask.zone)] += x.Mean
		if n := len(q.Demand.Slots); n > 0 && !q.Demand.Slots[n-1].Start.Before(x.Start) {
			continue // a border cuts the slot: the stretch before it has it
		}
		if !same {
			x.Quantiles = readAt(q.Demand.Levels, d.Levels, x)
		}
		x.Crowd = crowds[x.Start]
		q.Demand.Slots = append(q.Demand.Slots, x)
	}
	for _, x := range s.days {
		if day := calendar.DateOf(x.Start, ask.zone); same && q.contacts[day] > 0 {
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
