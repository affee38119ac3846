package pricing

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/staffing/exposure"
)

// Cost is what plans need and cost, in heads, hours and yuan.
type Cost struct {
	Contacts      float64 `json:"contacts"`       // planned for, at the level of the plan
	Peak          int     `json:"peak"`           // most heads in a slot: of one queue, or of all together
	HeadHours     float64 `json:"head_hours"`     // on the queues
	PaidHours     float64 `json:"paid_hours"`     // with shrinkage
	OvertimeHours float64 `json:"overtime_hours"` // of them beyond the ordinary hours of those who know the queues, at 150 %
	HolidayHours  float64 `json:"holiday_hours"`  // of them on statutory holidays, at 300 %
	WagesYuan     float64 `json:"wages_yuan"`
	PenaltyYuan   float64 `json:"penalty_yuan"` // expected under the forecast distribution
	Unmet         int     `json:"unmet"`        // slots in which the ceiling cut the need

	ExpectedContacts float64 `json:"expected_contacts"`
	Missed           float64 `json:"missed"` // of them, those expected outside the limit
	ExpectedShare    float64 `json:"share"`  // of them within it
}

// TotalYuan is wages and expected penalty.
func (c Cost) TotalYuan() float64 { return c.WagesYuan + c.PenaltyYuan }

// QueueCost is the cost of one queue.
type QueueCost struct {
	Queue    ids.Queue    `json:"queue"`
	Merchant ids.Merchant `json:"merchant"`
	Cost
}

// DayCost is the cost of one business day.
type DayCost struct {
	Date calendar.Date `json:"date"`
	Cost
}

// TermCost is what one contract term is expected to deduct.
type TermCost struct {
	AgreedTerm
	Month   calendar.Month `json:"month"`
	Days    int            `json:"days"`     // of the month that are planned: they stand for the whole of it
	FeeYuan float64        `json:"fee_yuan"` // of these days
	Target  float64        `json:"target"`
	Share   float64        `json:"share"` // at the median of demand
	exposure.Risk
}

// Price is what plans cost: by queue, by day, and what the contracts may deduct.
type Price struct {
	Total         Cost          `json:"total"`
	Risk          exposure.Risk `json:"risk"` // of all deductions together
	Queues        []QueueCost   `json:"queues"`
	Days          []DayCost     `json:"days"`
	Terms         []TermCost    `json:"terms"`
	OrdinaryHours float64       `json:"ordinary_hours"` // that those who know the queues have in these days

	Pooled *Pooled `json:"pooled,omitempty"` // of method pooled
	Money  *Money  `json:"money,omitempty"`  // of method margin
}

// piece is one slot of a plan with its place in the price.
type piece struct {
	queue    ids.Queue
	day      calendar.Date
	part     *PlanPart
	contacts float64 // planned for
	course   exposure.Course
	judged   bool // the term's daily window holds it
}

// price adds up what plans cost. The heads of every slot are taken times a factor, rounded; 1 is the
// plan itself.
func (p *Pricing) price(ctx context.Context, view *store.View, plans []store.Plan, dates calendar.Dates, factor float64) (Price, error) {
	pay, err := p.payroll(ctx, view)
	if err != nil {
		return Price{}, err
	}
	b := newBill(p.gate.Zone, pay)
	b.measure(plans, dates, factor)
	var pieces []piece
	for _, plan := range plans {
		if err := ctx.Err(); err != nil {
			return Price{}, fault.Of(err)
		}
		found, err := p.pieces(ctx, view, plan, factor)
		if err != nil {
			return Price{}, err
		}
		pieces = append(pieces, found...)
		b.hours(plan, factor)
	}
	terms, risk, err := p.deductions(ctx, view, pieces, dates)
	if err != nil {
		return Price{}, err
	}
	return b.finish(pieces, terms, risk), nil
}

// pieces evaluates every slot of a plan under the distribution of its demand.
func (p *Pricing) pieces(ctx context.Context, view *store.View, plan store.Plan, factor float64) ([]piece, error) {
	figures, slot := FiguresOf(plan), plan.Requirement.Slot
	heads := map[time.Time]int{}
	for i, n := range plan.Requirement.Needs {
		serving := n.Heads
		if i < len(figures.Alone) {
			serving = figures.Alone[i]
		}
		heads[n.Start.UTC()] = headsTimes(serving, factor)
	}
	o := figures.Options.withDefaults()
	var out []piece
	for i := range figures.Parts {
		part := &figures.Parts[i]
		d, _, err := p.demandBehind(ctx, view, *part)
		if err != nil {
			return nil, err
		}
		judged, err := p.window(ctx, view, part.Agreed)
		if err != nil {
			return nil, err
		}
		curve := d.in(part.Range, o)
		length := min(curve.Slot, slot)
		for _, x := range curve.Points {
			share := 1 / float64(curve.Slot/length)
			small := x
			small.Mean *= share
			small.Quantiles = slices.Clone(x.Quantiles)
			for j := range small.Quantiles {
				small.Quantiles[j] *= share
			}
			for at := x.Start; at.Before(x.Start.Add(curve.Slot)); at = at.Add(length) {
				contacts, _ := curve.At(small, o.Level)
				out = append(out, piece{
					queue: plan.Queue, day: calendar.DateOf(at, p.gate.Zone), part: part, contacts: contacts, judged: judged(at),
					course: exposure.CourseOf(exposure.Slot{
						Start: at, Length: length, Heads: heads[at.Truncate(slot).UTC()], HandleTime: cmp.Or(x.HandleTime, part.Target.HandleTime),
						Target: &part.Target, Levels: curve.Levels, Demand: small,
					}),
				})
			}
		}
	}
	return out, nil
}

// headsTimes is heads times a factor, rounded, and nobody only where nobody was planned.
func headsTimes(heads int, factor float64) int {
	if heads == 0 {
		return 0
	}
	return max(1, int(math.Round(float64(heads)*factor)))
}

// window tells which instants a term judges: those in its daily window, after the months without KPI.
func (p *Pricing) window(ctx context.Context, view *store.View, named *AgreedTerm) (func(time.Time) bool, error) {
	always := func(time.Time) bool { return true }
	if named == nil {
		return always, nil
	}
	c, err := view.Contract(ctx, named.Contract)
	if err != nil {
		return nil, err
	}
	v, term, _ := termOf(c.Value, *named)
	inside := func(time.Duration) bool { return true }
	if term.Window != "" {
		w, err := contracts.ParseWindow(term.Window)
		if err != nil {
			return nil, err
		}
		inside = w.Contains
	}
	return func(at time.Time) bool {
		local := at.In(p.gate.Zone)
		clock := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute
		return !calendar.DateOf(at, p.gate.Zone).Before(v.NoKPIUntil) && inside(clock)
	}, nil
}

// judgedKey is one term in one month.
type judgedKey struct {
	term  AgreedTerm
	month calendar.Month
}

// deductions puts the slots of each term and month under its ladder. The planned days stand for the whole
// month, and the fee is their part of it.
func (p *Pricing) deductions(ctx context.Context, view *store.View, pieces []piece, dates calendar.Dates) ([]TermCost, exposure.Risk, error) {
	courses := map[judgedKey]exposure.Course{}
	for _, x := range pieces {
		if x.part.Agreed != nil && x.judged {
			k := judgedKey{*x.part.Agreed, x.day.MonthOf()}
			courses[k] = courses[k].Plus(x.course)
		}
	}
	keys := slices.SortedFunc(maps.Keys(courses), func(a, b judgedKey) int {
		return cmp.Or(cmp.Compare(a.term.Contract, b.term.Contract), a.term.Version-b.term.Version, cmp.Compare(a.term.Term, b.term.Term), cmp.Compare(a.month.String(), b.month.String()))
	})
	var terms []TermCost
	var all []exposure.Judged
	for _, k := range keys {
		c, err := view.Contract(ctx, k.term.Contract)
		if err != nil {
			return nil, exposure.Risk{}, err
		}
		v, term, _ := termOf(c.Value, k.term)
		t := TermCost{AgreedTerm: k.term, Month: k.month, Target: term.Target}
		for day := dates.From; day.Before(dates.Until); day = day.Add(1) {
			if day.MonthOf() == k.month && v.Contains(day) {
				t.Days++
			}
		}
		t.FeeYuan = float64(monthlyFee(v)) / 100 * float64(t.Days) / float64(k.month.Days())
		j := exposure.Judged{Course: courses[k], Ladder: ladderOf(term, t.FeeYuan)}
		_, t.Share = j.Course.At(0.5)
		t.Risk = exposure.Price([]exposure.Judged{j})
		terms, all = append(terms, t), append(all, j)
	}
	return terms, exposure.Price(all), nil
}

func ladderOf(term contracts.Term, fee float64) exposure.Ladder {
	l := exposure.Ladder{Target: term.Target, FeeYuan: fee}
	for _, s := range term.Ladder {
		l.Steps = append(l.Steps, exposure.Step{Miss: s.Miss, Rate: float64(s.Deduct) / float64(money.Whole)})
	}
	return l
}
