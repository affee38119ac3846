package pricing

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

// drafted is plans that are not stored, and what their method says beside.
type drafted struct {
	plans  []store.Plan
	pooled *Pooled
	money  *Money
}

// draft computes the plans of every queue that something covers; nothing is stored.
func (p *Pricing) draft(ctx context.Context, by asker, in PlanInput) (drafted, error) {
	in.Options = in.withDefaults()
	chosen, err := p.sourcesFor(ctx, by, in)
	if err != nil {
		return drafted{}, err
	}
	pay, err := p.payroll(ctx, by.view)
	if err != nil {
		return drafted{}, err
	}
	known, err := p.history(ctx, by, in, pay)
	if err != nil {
		return drafted{}, err
	}
	ask := question{options: in.Options, flat: in.Shrinkage, zone: p.gate.Zone, dates: calendar.Dates{From: in.From, Until: in.From.Add(in.Days)}, pay: pay}
	queues := make([]queueDraft, len(chosen))
	for i, c := range chosen {
		if queues[i], err = p.queueDraft(ctx, by, c, known, &ask); err != nil {
			return drafted{}, err
		}
	}
	ask.options.Shrinkage = meanShare(queues) // one number for methods that take one
	found, err := methods[in.Method](ctx, ask)
	if err != nil {
		return drafted{}, err
	}
	made := drafted{pooled: found.pooled, money: found.money}
	for i := range queues {
		plan, err := queues[i].plan(ask, found, in.Options)
		if err != nil {
			return drafted{}, err
		}
		if len(plan.Requirement.Needs) > 0 {
			made.plans = append(made.plans, plan)
		}
	}
	if len(made.plans) == 0 {
		return drafted{}, fault.New(fault.NotFound, "plan.no_forecast",
			"no forecast in slots of an hour or less covers %s to %s; make one first", in.From, in.From.Add(in.Days-1))
	}
	return made, nil
}

// stretch is a part of a queue's plan with the demand in it.
type stretch struct {
	queue  store.Queue
	part   PlanPart
	curve  scheduling.Curve
	days   []scheduling.Point   // totals of the whole days in it, where the forecast has them
	agreed []contracts.Contract // about the shop of the queue
}

// stretches cuts what the sources of a queue decide where forecast or target changes.
func (p *Pricing) stretches(ctx context.Context, view *store.View, c gate.Covered[source], t planTerms, known history) (out []stretch, err error) {
	for i, s := range c.Docs {
		d, err := p.demandOf(ctx, view, s)
		if err != nil {
			return nil, err
		}
		for _, part := range t.split(c.Shares[i], p.gate.Zone) {
			part.Forecast, part.Layers = s.forecast, d.layers
			if s.lock != nil {
				part.Lock = s.lock.ID
			}
			if err := s.has(t.asked, d.curve.Levels); err != nil {
				return nil, err
			}
			one := stretch{
				queue: t.queue, part: part, curve: d.in(part.Range, t.asked), days: d.wholeDays(part.Range, p.gate.Zone, t.asked), agreed: t.agreed,
			}
			if err := one.learn(d, known); err != nil {
				return nil, err
			}
			out = append(out, one)
		}
	}
	slices.SortFunc(out, func(a, b stretch) int { return a.part.Range.Start.Compare(b.part.Range.Start) })
	return out, nil
}

// has refuses a level that the forecast of a source does not have. Method margin looks at all levels.
func (s source) has(o Options, levels []float64) error {
	if o.Method == MarginMethod || slices.Contains(levels, o.Level) {
		return nil
	}
	known := make([]string, len(levels))
	for i, l := range levels {
		known[i] = fmt.Sprint(l)
	}
	return fault.Bad("plan.input", "plan", []fault.Field{{
		Path: "level", Value: fmt.Sprint(o.Level), Problem: fmt.Sprintf("is not in the forecast %s of %s, which has %s: take one of these, or make a forecast with that level",
			s.forecast, s.queue, strings.Join(known, ", ")),
	}})
}

// learn puts into a stretch what is known about its contacts: rounds, pace, and the crowds at openings.
func (s *stretch) learn(d demand, known history) error {
	s.part.Target = worked(s.part.Target, d.work)
	if s.part.Target.Concurrency <= 1 {
		return nil
	}
	pace := known.paces.of(s.queue.ID, s.part.Target.Concurrency)
	s.part.Target = paced(s.part.Target, &pace, d.work.handle())
	s.part.Pace = &pace
	return s.rush(d.events, known.rushes)
}

// queueDraft is the stretches of one queue among those of all, what makes its heads paid people, its tickets, and
// the days that nothing covers.
type queueDraft struct {
	queue        store.Queue
	first, parts int
	shrinkage    Shrinkage
	tickets      *awaited
	uncovered    []calendar.Date
}

// queueDraft reads everything about one queue and adds its stretches to the question.
func (p *Pricing) queueDraft(ctx context.Context, by asker, c gate.Covered[source], known history, ask *question) (q queueDraft, err error) {
	t, err := p.terms(ctx, by.view, c.Queue, ask.pay.people, ask.options)
	if err != nil {
		return q, err
	}
	parts, err := p.stretches(ctx, by.view, c, t, known)
	if err != nil {
		return q, err
	}
	q = queueDraft{queue: t.queue, first: len(ask.all), parts: len(parts)}
	ask.all = append(ask.all, parts...)
	if q.uncovered, err = gate.OpenDays(c.Left, t.queue.Hours, p.gate.Zone); err != nil {
		return q, err
	}
	if q.shrinkage, err = known.staff.shrinkage(t.queue.ID, ask.options); err != nil {
		return q, err
	}
	if len(parts) == 0 {
		return q, nil
	}
	dates := calendar.Dates{From: calendar.DateOf(parts[0].part.Range.Start, p.gate.Zone), Until: calendar.DateOf(parts[len(parts)-1].part.Range.End.Add(-1), p.gate.Zone).Add(1)}
	q.tickets, err = p.awaited(ctx, by, known.before, t.queue, dates, ask.options)
	return q, err
}

// meanShare is the share of paid time away from the queues, a head each.
func meanShare(queues []queueDraft) (share float64) {
	for _, q := range queues {
		share += q.shrinkage.Share / float64(len(queues))
	}
	return share
}

// plan joins the staffed stretches. Its own forecast and target are those of its first part.
func (q *queueDraft) plan(ask question, found answer, o Options) (store.Plan, error) {
	figures := PlanFigures{Options: o, Uncovered: q.uncovered, Shrinkage: &q.shrinkage}
	var out staffing.Output
	for i := q.first; i < q.first+q.parts; i++ {
		figures.Parts = append(figures.Parts, ask.all[i].part)
		out = join(out, found.staffed[i])
		for _, x := range ask.all[i].curve.Points {
			figures.Expected += x.Mean
		}
		figures.Seats = ask.all[i].seatFigures(figures.Seats, found.staffed[i], ask.options, ask.zone)
	}
	if len(figures.Parts) == 0 {
		return store.Plan{}, nil
	}
	if err := q.finish(&out, &figures, o, ask.zone); err != nil {
		return store.Plan{}, gate.Placed(err, "queue "+string(q.queue.ID))
	}
	figures.count(out)
	if alone, pooled := found.alone[q.queue.ID]; pooled {
		for _, n := range out.Requirement.Needs {
			figures.Alone = append(figures.Alone, alone[n.Start.UTC()])
		}
	}
	first, last := figures.Parts[0], figures.Parts[len(figures.Parts)-1]
	text, err := json.Marshal(figures)
	if err != nil {
		return store.Plan{}, fault.Wrap(err, fault.Internal, "plan.figures", "the plan of %s cannot be stored", q.queue.ID)
	}
	target, err := json.Marshal(first.Target)
	if err != nil {
		return store.Plan{}, fault.Wrap(err, fault.Internal, "plan.target", "the plan of %s cannot be stored", q.queue.ID)
	}
	return store.Plan{
		Queue: q.queue.ID, Merchant: q.queue.Merchant, Forecast: first.Forecast, Range: calendar.Range{Start: first.Range.Start, End: last.Range.End},
		Target: target, Figures: text, Requirement: out.Requirement,
	}, nil
}

// finish adds the heads for tickets and turns heads into paid people.
func (q *queueDraft) finish(out *staffing.Output, figures *PlanFigures, o Options, zone *time.Location) (err error) {
	live := make([]int, len(out.Requirement.Needs))
	for i, n := range out.Requirement.Needs {
		live[i] = n.Heads
	}
	if figures.Deferred, err = q.tickets.onto(out, o, zone); err != nil {
		return err
	}
	if d := figures.Deferred; d != nil && d.PeakExtra > 0 {
		figures.Alone = live
	}
	if err := q.shrinkage.pay(&out.Requirement, zone); err != nil {
		return err
	}
	for i := range out.Requirement.Needs {
		if n := &out.Requirement.Needs[i]; n.Heads > 0 && (!q.shrinkage.Flat || n.Heads != live[i]) {
			n.Reason += fmt.Sprintf("; %.1f paid", n.Paid)
		}
	}
	return nil
}

// join puts two staffed stretches together. Where a border cuts a slot, the greater need holds.
func join(a, b staffing.Output) staffing.Output {
	type slot struct {
		need    scheduling.Need
		reached staffing.Reached
	}
	var all []slot
	for _, part := range []staffing.Output{a, b} {
		for i, n := range part.Requirement.Needs {
			all = append(all, slot{n, part.Reached[i]})
		}
	}
	slices.SortStableFunc(all, func(x, y slot) int {
		return cmp.Or(x.need.Start.Compare(y.need.Start), cmp.Compare(y.need.Heads, x.need.Heads))
	})
	out := staffing.Output{Requirement: scheduling.Requirement{Queue: b.Requirement.Queue, Slot: b.Requirement.Slot}}
	for i, s := range all {
		if i == 0 || !all[i-1].need.Start.Equal(s.need.Start) {
			out.Requirement.Needs, out.Reached = append(out.Requirement.Needs, s.need), append(out.Reached, s.reached)
		}
	}
	return out
}
