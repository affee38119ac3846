package pool

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing"
	"github.com/chaoban/chaoban/scheduling/staffing/simulate"
)

// maxSlots bounds the grid: a fortnight of quarter hours.
const maxSlots = 14 * 96

type faults []fault.Field

func (f *faults) add(value any, problem, path string, args ...any) {
	*f = append(*f, fault.Field{Path: fmt.Sprintf(path, args...), Value: fmt.Sprint(value), Problem: problem})
}

// Validate reports every bad field at once, as staffing.pool.
func (p Problem) Validate() error {
	var bad faults
	if len(p.Queues) == 0 {
		bad.add(0, "must hold at least one queue", "queues")
	}
	if len(p.Groups) == 0 {
		bad.add(0, "must hold at least one group", "groups")
	}
	queues, groups := map[ids.Queue]int{}, map[string]int{}
	for i, g := range p.Groups {
		if _, twice := groups[g.ID]; twice || g.ID == "" {
			bad.add(g.ID, "must be a name that no other group has", "groups[%d].id", i)
		}
		groups[g.ID] = i
	}
	for i, q := range p.Queues {
		if _, twice := queues[q.Curve.Queue]; twice || q.Curve.Queue == "" {
			bad.add(q.Curve.Queue, "must be a name that no other queue has", "queues[%d].curve.queue", i)
		}
		queues[q.Curve.Queue] = i
		q.check(&bad, i, p.Queues[0].Curve.Slot)
		for j, name := range q.Overflow {
			if g, ok := groups[name]; !ok || slices.Contains(p.Groups[g].Skills, q.Curve.Queue) {
				bad.add(name, "must be a group that does not have the queue as a skill", "queues[%d].overflow[%d]", i, j)
			}
		}
	}
	for i, g := range p.Groups {
		g.check(&bad, i)
		for j, s := range g.Skills {
			k, ok := queues[s]
			switch {
			case !ok || slices.Contains(g.Skills[:j], s):
				bad.add(s, "must be a queue of the problem, named once", "groups[%d].skills[%d]", i, j)
			case p.Queues[k].Target.Concurrency <= 1 && g.Limit > 1:
				bad.add(s, "takes calls; a group that does needs limit 1", "groups[%d].skills[%d]", i, j)
			}
		}
	}
	p.checkCover(&bad)
	if len(bad) == 0 {
		p.checkGrid(&bad)
	}
	return fault.Bad("staffing.pool", "pool", bad)
}

// checkCover reports queues that nobody can serve.
func (p Problem) checkCover(bad *faults) {
	for i, q := range p.Queues {
		if !slices.ContainsFunc(p.Groups, func(g Group) bool { return slices.Contains(g.Skills, q.Curve.Queue) }) {
			bad.add(q.Curve.Queue, "no group has it as a skill", "queues[%d]", i)
		}
	}
}

// checkGrid reports points off the common grid and a horizon that is too long.
func (p Problem) checkGrid(bad *faults) {
	first, last := p.span()
	slot := p.Queues[0].Curve.Slot
	if first.IsZero() {
		bad.add(0, "no queue has a point", "queues")
		return
	}
	if n := last.Sub(first)/slot + 1; n > maxSlots {
		bad.add(last.Sub(first), fmt.Sprintf("makes %d slots; at most %d are planned at once", n, maxSlots), "queues")
	}
	for i, q := range p.Queues {
		for j, pt := range q.Curve.Points {
			if pt.Start.Sub(first)%slot != 0 {
				bad.add(pt.Start.Format(time.RFC3339), fmt.Sprintf("must be a whole number of slots of %s after %s", slot, first.Format(time.RFC3339)), "queues[%d].curve.points[%d].start", i, j)
				break
			}
		}
	}
}

// span is the first and the last start of any point; zero when there is none.
func (p Problem) span() (first, last time.Time) {
	for _, q := range p.Queues {
		for _, pt := range q.Curve.Points {
			if first.IsZero() || pt.Start.Before(first) {
				first = pt.Start
			}
			if pt.Start.After(last) {
				last = pt.Start
			}
		}
	}
	return first, last
}

// checkRushes reports rushes that no slot can hold.
func (q Queue) checkRushes(bad *faults, i int) {
	share := map[int]float64{}
	for j, r := range q.Rushes {
		at := slices.IndexFunc(q.Curve.Points, func(p scheduling.Point) bool {
			return calendar.Range{Start: p.Start, End: p.Start.Add(q.Curve.Slot)}.Contains(r.At)
		})
		if at < 0 {
			bad.add(r.At.Format(time.RFC3339), "must lie in an open slot", "queues[%d].rushes[%d].at", i, j)
		}
		if share[at] += r.Share; !(r.Share > 0 && share[at] <= 1+1e-9) {
			bad.add(r.Share, "must be above 0, and at most 1 over the rushes of a slot", "queues[%d].rushes[%d].share", i, j)
		}
		if r.Decay < time.Second || r.Decay > 24*time.Hour {
			bad.add(r.Decay, "must be from 1s to 24h", "queues[%d].rushes[%d].decay", i, j)
		}
	}
}

func (q Queue) check(bad *faults, i int, slot time.Duration) {
	q.checkRushes(bad, i)
	if q.Curve.Slot != slot {
		bad.add(q.Curve.Slot, fmt.Sprintf("must be the slot of the first queue, %s", slot), "queues[%d].curve.slot", i)
	}
	if err := (staffing.Input{Curve: q.Curve, Target: q.Target}).Validate(); err != nil {
		for _, f := range fault.Of(err).Fields {
			bad.add(f.Value, f.Problem, "queues[%d].%s", i, f.Path)
		}
	}
	if q.Target.OccupancyCap != 0 {
		bad.add(q.Target.OccupancyCap, "must be 0: set occupancy_cap of the groups", "queues[%d].target.occupancy_cap", i)
	}
	if q.Target.Concurrency > 1 && q.Target.HandleTime <= 0 {
		bad.add(q.Target.HandleTime, "must be longer than 0", "queues[%d].target.handle_time", i)
	}
	for j, s := range q.Seats {
		if s.Count < 0 {
			bad.add(s.Count, "must be 0 or more", "queues[%d].seats[%d].count", i, j)
		}
		if !s.Range.Start.Before(s.Range.End) {
			bad.add(s.Range.Start.Format(time.RFC3339), "must start before it ends", "queues[%d].seats[%d].range", i, j)
		}
	}
	if q.Conduct == nil {
		return
	}
	c := *q.Conduct
	c.Rates, c.Spikes, c.Instants = nil, nil, nil
	if c.Work.Mean <= 0 {
		bad.add(c.Work.Mean, "must be longer than 0", "queues[%d].conduct.work.mean", i)
	}
	if c.Transfer != 0 {
		bad.add(c.Transfer, "must be 0: a transfer needs both queues in one plan", "queues[%d].conduct.transfer", i)
	}
	var e *fault.Error
	if errors.As((simulate.Config{Horizon: time.Hour, Queues: []simulate.Queue{c}}).Validate(), &e) {
		for _, f := range e.Fields {
			bad.add(f.Value, f.Problem, "queues[%d].conduct (as %s)", i, f.Path)
		}
	}
}

func (g Group) check(bad *faults, i int) {
	if len(g.Skills) == 0 {
		bad.add(0, "must hold at least one queue", "groups[%d].skills", i)
	}
	if g.Limit < 1 || g.Limit > staffing.MaxConcurrency {
		bad.add(g.Limit, fmt.Sprintf("must be 1 to %d conversations", staffing.MaxConcurrency), "groups[%d].limit", i)
	}
	if g.MaxShops < 0 {
		bad.add(g.MaxShops, "must be 0 (no limit) or more", "groups[%d].max_shops", i)
	}
	if !(g.Cost > 0) || math.IsInf(g.Cost, 0) {
		bad.add(g.Cost, "must be above 0", "groups[%d].cost", i)
	}
	if g.Max < 0 {
		bad.add(g.Max, "must be 0 (as many as needed) or more", "groups[%d].max", i)
	}
	if !(g.OccupancyCap >= 0 && g.OccupancyCap <= 1) {
		bad.add(g.OccupancyCap, "must be a share from 0 to 1", "groups[%d].occupancy_cap", i)
	}
	for j, w := range g.Available {
		if w.Max < 0 {
			bad.add(w.Max, "must be 0 or more", "groups[%d].available[%d].max", i, j)
		}
		if !w.Range.Start.Before(w.Range.End) {
			bad.add(w.Range.Start.Format(time.RFC3339), "must start before it ends", "groups[%d].available[%d].range", i, j)
		}
	}
}

// Validate reports every bad field at once, as staffing.pool.
func (o Options) Validate() error {
	var bad faults
	limit := func(name string, v, most int) {
		if v < 0 || v > most {
			bad.add(v, fmt.Sprintf("must be 0 (the default) to %d", most), "options.%s", name)
		}
	}
	limit("replications", o.Replications, 10_000)
	limit("verify", o.Verify, 10_000)
	limit("steps", o.Steps, 10_000)
	if o.Replications == 1 || o.Verify == 1 {
		bad.add(1, "one repetition has no spread; use at least 2", "options.replications")
	}
	if !(o.Tolerance >= 0 && o.Tolerance < 1) {
		bad.add(o.Tolerance, "must be a share from 0 to below 1", "options.tolerance")
	}
	return fault.Bad("staffing.pool", "pool options", bad)
}

// enough is the contacts of a typical open slot and queue that a trial should see: the standard error of its
// share is then about one point.
const enough = 1200

// orDefaults fills in what was left 0, from the contacts that a typical open slot of a queue has.
func (o Options) orDefaults(typical float64) Options {
	if o.Replications == 0 {
		o.Replications = int(min(60, max(10, math.Ceil(enough/max(typical, 1)))))
	}
	if o.Verify == 0 {
		o.Verify = 2 * o.Replications
	}
	if o.Steps == 0 {
		o.Steps = 90
	}
	if o.Tolerance == 0 {
		o.Tolerance = 0.01
	}
	return o
}
