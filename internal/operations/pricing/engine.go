package pricing

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/staffing/margin"
)

// engine prices plans: whatever found their heads, service and deductions come from the same model under the same scenarios.
type engine struct {
	ask   question
	books ledgers
	in    margin.Input
	model *margin.Model
	plans []store.Plan
	slots []planSlot // of all plans
	lost  float64    // yuan that a buyer who leaves costs beside the contracts, as declared; model leaves it out
}

// planSlot is one slot of a plan.
type planSlot struct {
	queue   ids.Queue
	start   time.Time
	heads   int // on the queue
	serving int // that serve it as if they were its own
}

// engineOf makes the model of plans. Options are those of the first plan; the heads of a plan do not enter it.
func (p *Pricing) engineOf(ctx context.Context, view *store.View, plans []store.Plan, dates calendar.Dates) (*engine, error) {
	pay, err := p.payroll(ctx, view)
	if err != nil {
		return nil, err
	}
	e := &engine{plans: plans, ask: question{zone: p.gate.Zone, dates: dates, pay: pay}}
	for i, plan := range plans {
		figures := FiguresOf(plan)
		o := figures.Options.withDefaults()
		if i == 0 {
			e.ask.options = o
		}
		t, err := p.terms(ctx, view, plan.Queue, pay.people, o)
		if err != nil {
			return nil, err
		}
		for _, part := range figures.Parts {
			d, _, err := p.demandBehind(ctx, view, part)
			if err != nil {
				return nil, err
			}
			e.ask.all = append(e.ask.all, stretch{
				queue: t.queue, part: part, curve: d.in(part.Range, o), days: d.wholeDays(part.Range, p.gate.Zone, o), agreed: t.agreed,
			})
		}
		for j, n := range plan.Requirement.Needs {
			s := planSlot{queue: plan.Queue, start: n.Start.UTC(), heads: n.Heads, serving: n.Heads}
			if j < len(figures.Alone) {
				s.serving = figures.Alone[j]
			}
			e.slots = append(e.slots, s)
		}
	}
	away, own := paidShares(plans)
	e.ask.options.Shrinkage = away
	e.lost, e.ask.options.LostContactYuan = e.ask.options.LostContactYuan, 0
	e.in, e.books = e.ask.marginInput()
	if len(e.in.Queues) == 0 {
		return e, nil
	}
	for i := range e.in.Queues { // an hour on a queue costs by the queue's own share away from it
		q := &e.in.Queues[i]
		q.HourYuan *= (1 - away) / (1 - own[e.books.owner(i)])
		q.Terms = append(q.Terms, margin.Term{ID: whoLeave, Metric: margin.Abandoned, Period: margin.Average, Target: 1, Ladder: []margin.Step{{}}})
	}
	e.in.Seed = moneySeed + 1 // what no search has seen
	if e.model, err = margin.New(ctx, e.in); err != nil {
		return nil, gate.Placed(fault.Of(err), "price")
	}
	return e, nil
}

// whoLeave is a term without money that counts the buyers who leave unanswered.
const whoLeave = "who-leave"

// valued is the model with what a lost buyer is declared to cost, for what heads are worth.
func (e *engine) valued(ctx context.Context) (*margin.Model, error) {
	if e.lost == 0 {
		return e.model, nil
	}
	in := e.in
	in.Queues = slices.Clone(in.Queues)
	for i := range in.Queues {
		q := &in.Queues[i]
		q.Terms = append(slices.Clone(q.Terms), lostContacts(e.lost))
	}
	m, err := margin.New(ctx, in)
	if err != nil {
		return nil, gate.Placed(fault.Of(err), "price")
	}
	return m, nil
}

// earned is what the merchants pay and how many buyers leave, beside wages and deductions.
func (e *engine) earned(o margin.Outcome) *Earned {
	out := &Earned{RevenueYuan: o.Revenue.Mean + o.Bonus.Mean}
	for _, q := range o.Queues {
		for _, t := range q.Terms {
			if t.ID == whoLeave {
				out.LostContacts += max(0, t.Contacts-t.Met)
			}
		}
	}
	out.LostYuan = e.lost * out.LostContacts
	return out
}

// paidShares is the share of paid time away from the queue that plans have in their paid heads, whatever it came from: of all plans
// together, and of each queue.
func paidShares(plans []store.Plan) (all float64, queues map[ids.Queue]float64) {
	share := func(heads, paid float64) float64 {
		if paid <= heads {
			return 0
		}
		return 1 - heads/paid
	}
	queues = map[ids.Queue]float64{}
	heads, paid := 0.0, 0.0
	for _, plan := range plans {
		h, p := 0.0, 0.0
		for _, n := range plan.Requirement.Needs {
			h, p = h+float64(n.Heads), p+n.Paid
		}
		queues[plan.Queue] = share(h, p)
		heads, paid = heads+h, paid+p
	}
	return share(heads, paid), queues
}

// heads are the serving heads times a factor, as a plan of the model.
func (e *engine) heads(factor float64) margin.Plan {
	at := map[ids.Queue]map[time.Time]int{}
	for _, s := range e.slots {
		if at[s.queue] == nil {
			at[s.queue] = map[time.Time]int{}
		}
		at[s.queue][s.start] = headsTimes(s.serving, factor)
	}
	return planOf(e.in, e.books, at)
}

// headsTimes is heads times a factor, rounded, and nobody only where nobody was planned.
func headsTimes(heads int, factor float64) int {
	if heads == 0 {
		return 0
	}
	return max(1, int(math.Round(float64(heads)*factor)))
}

// headHours are the hours on the queues with the heads of the plans times a factor.
func (e *engine) headHours(factor float64) (hours float64) {
	for _, s := range e.slots {
		hours += float64(headsTimes(s.heads, factor)) * calendar.Slot.Hours()
	}
	return hours
}

// price adds up what the plans cost with their heads times a factor; 1 is the plans themselves.
func (e *engine) price(ctx context.Context, factor float64) (Price, error) {
	b := newBill(e.ask)
	b.measure(e.plans, factor)
	for _, plan := range e.plans {
		b.hours(plan, factor)
	}
	b.planned(e.plans)
	if e.model == nil {
		return b.finish(margin.Outcome{}), nil
	}
	o, err := e.model.Evaluate(ctx, e.heads(factor))
	if err != nil {
		return Price{}, fault.Of(err)
	}
	for i, q := range o.Queues {
		b.served(e.books.owner(i), q)
	}
	out := b.finish(o)
	out.Terms, out.LeftOut, out.Earned = e.books.costs(o), e.books.left(), e.earned(o)
	return out, e.atMedian(ctx, out.Terms, factor)
}

// atMedian says of terms what they would be if every slot brought the contacts of its P50.
func (e *engine) atMedian(ctx context.Context, terms []TermCost, factor float64) error {
	known, err := e.model.Certain(ctx, 0.5)
	if err != nil {
		return fault.Of(err)
	}
	o, err := known.Evaluate(ctx, e.heads(factor))
	if err != nil {
		return fault.Of(err)
	}
	for i, t := range e.books.costs(o) { // in the same order
		terms[i].AtP50 = t.Share
	}
	return nil
}

// priced is the price of plans with the worth of single blocks.
func (p *Pricing) priced(ctx context.Context, view *store.View, plans []store.Plan, dates calendar.Dates) (Price, error) {
	e, err := p.engineOf(ctx, view, plans, dates)
	if err != nil {
		return Price{}, err
	}
	price, err := e.price(ctx, 1)
	if err != nil {
		return Price{}, err
	}
	return price, e.worth(ctx, &price)
}

// blockHours is the length of the blocks of which a price tells the worth.
const blockHours = 4.0

// worth tells where one agent more earns most, and where one earns least.
func (e *engine) worth(ctx context.Context, into *Price) error {
	into.More, into.Fewer = []string{}, []string{}
	if e.model == nil {
		return nil
	}
	whole := float64(e.ask.dates.Until.Sub(e.ask.dates.From)) * 24
	m, err := e.valued(ctx)
	if err != nil {
		return err
	}
	best, worst, err := m.Marginals(ctx, e.heads(1), min(blockHours, whole), listed)
	if err != nil {
		return fault.Of(err)
	}
	for _, x := range best {
		if into.More = append(into.More, x.Text); x.NetYuan > 0 {
			into.MorePay++
		}
	}
	for _, x := range worst {
		if into.Fewer = append(into.Fewer, x.Text); x.NetYuan > 0 {
			into.FewerPay++
		}
	}
	return nil
}

// costs are the terms in the order of contract, version, term and month.
func (l *ledgers) costs(o margin.Outcome) []TermCost {
	judged := map[string]margin.TermOutcome{}
	for _, t := range o.Joint {
		judged[t.ID] = t
	}
	var out []TermCost
	for _, t := range l.judged {
		line := t.cost
		if found, ok := judged[t.name]; ok {
			if line.Contacts = found.Contacts; line.Contacts > 0 {
				line.Share, line.Kept = &found.Share.P50, &found.Kept
			}
			line.Risk = riskOf(found.Penalty)
		}
		out = append(out, line)
	}
	slices.SortStableFunc(out, func(a, b TermCost) int {
		return cmp.Or(cmp.Compare(a.Contract, b.Contract), a.Version-b.Version, cmp.Compare(a.Term, b.Term), cmp.Compare(a.Month.String(), b.Month.String()))
	})
	return out
}

// Risk is a distribution of money.
type Risk struct {
	MeanYuan float64 `json:"mean_yuan"`
	P50Yuan  float64 `json:"p50_yuan"`
	P90Yuan  float64 `json:"p90_yuan"` // not exceeded with a probability of 90 %
	P95Yuan  float64 `json:"p95_yuan"`
}

func riskOf(s margin.Spread) Risk { return Risk{s.Mean, s.P50, s.P90, s.P95} }
