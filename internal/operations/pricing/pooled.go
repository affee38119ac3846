package pricing

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
	"github.com/chaoban/chaoban/scheduling/staffing"
	"github.com/chaoban/chaoban/scheduling/staffing/pool"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// How a day is pooled: slots of half an hour, and an effort that keeps a day of a dozen queues to seconds.
const (
	poolSlot         = 30 * time.Minute
	poolSeed         = 1
	poolSteps        = 40
	poolReplications = 10
	poolVerify       = 30
	poolTolerance    = 0.01 // of a single half hour, beside noise; the horizon must hold the goal itself
)

// leastCost is what an hour of people without a wage counts, so that fewer heads are still better.
const leastCost = 0.01

// pooledQueues sizes agents who share queues, a day at a time. Groups are the people of the day with the same
// skills and limit; where they do not suffice, further people for one queue each are taken at the price of
// overtime.
func pooledQueues(ctx context.Context, ask question) (answer, error) {
	base, err := eachQueue(ctx, ask)
	if err != nil {
		return answer{}, err
	}
	days := ask.poolDays()
	if err := solveDays(ctx, days); err != nil {
		return answer{}, err
	}
	at := map[ids.Queue]map[time.Time]manning{}
	out := answer{staffed: base.staffed, alone: map[ids.Queue]map[time.Time]int{}, pooled: pooledFigures(days, ask.headsOf(base))}
	for _, d := range days {
		d.deal(at)
	}
	for i, s := range ask.all {
		queue := s.queue.ID
		if out.alone[queue] == nil {
			out.alone[queue] = map[time.Time]int{}
		}
		out.staffed[i] = s.manned(base.staffed[i], ask.options, func(start time.Time) manning {
			x := at[queue][start.Truncate(poolSlot).UTC()]
			out.alone[queue][start.UTC()] = x.serving
			return x
		})
	}
	return out, nil
}

// poolDay is one day to pool and what came of it.
type poolDay struct {
	date    calendar.Date
	zone    *time.Location
	problem pool.Problem
	plan    pool.Plan
}

// poolDays are the days on which some queue is open.
func (ask question) poolDays() (days []*poolDay) {
	for date := ask.dates.From; date.Before(ask.dates.Until); date = date.Add(1) {
		d := &poolDay{date: date, zone: ask.zone}
		whole := calendar.Day(date, ask.zone)
		for _, s := range ask.all {
			d.add(s, whole, ask.options)
		}
		if len(d.problem.Queues) > 0 {
			d.problem.Groups = ask.groups(d.problem, date)
			days = append(days, d)
		}
	}
	return days
}

// add puts what a stretch has in the day into the problem. Of several stretches of a queue the first has the target.
func (d *poolDay) add(s stretch, whole calendar.Range, o Options) {
	c := scheduling.Curve{Queue: s.queue.ID, Slot: poolSlot}
	fine := quarters(s.curve)
	for _, x := range fine.Points {
		if !whole.Contains(x.Start) {
			continue
		}
		contacts, _ := fine.At(x, o.Level)
		p := scheduling.Point{Start: x.Start.Truncate(poolSlot), Mean: contacts, HandleTime: cmp.Or(x.HandleTime, s.part.Target.HandleTime)}
		if n := len(c.Points); n > 0 && c.Points[n-1].Start.Equal(p.Start) {
			c.Points[n-1] = together(c.Points[n-1], p)
		} else {
			c.Points = append(c.Points, p)
		}
	}
	if len(c.Points) == 0 {
		return
	}
	if n := len(d.problem.Queues); n > 0 && d.problem.Queues[n-1].Curve.Queue == c.Queue {
		q := &d.problem.Queues[n-1]
		for _, p := range c.Points {
			if last := len(q.Curve.Points) - 1; q.Curve.Points[last].Start.Equal(p.Start) {
				q.Curve.Points[last] = together(q.Curve.Points[last], p)
			} else {
				q.Curve.Points = append(q.Curve.Points, p)
			}
		}
		q.Seats = d.seats(s, q.Curve, o)
		q.Rushes = append(q.Rushes, s.crowdsIn(q.Curve, o.Level)...)
		return
	}
	target := s.part.Target
	target.Level = 0 // the points are at the level
	d.problem.Queues = append(d.problem.Queues, pool.Queue{Merchant: s.queue.Merchant, Shop: s.queue.Shop, Curve: c, Target: target, Seats: d.seats(s, c, o), Rushes: s.crowdsIn(c, o.Level)})
}

// seats are the least heads of a queue in its open hours, at least those that contracts promise for its skill, and beside them the
// promised ones that serve nothing else. One shared agent counts for every queue that he knows.
func (d *poolDay) seats(s stretch, c scheduling.Curve, o Options) (out []pool.Seat) {
	add := func(from time.Time, count int, dedicated bool) {
		if count == 0 {
			return
		}
		for i := range out {
			if x := &out[i]; x.Dedicated == dedicated && x.Count == count && x.Range.End.Equal(from) {
				x.Range.End = from.Add(c.Slot)
				return
			}
		}
		out = append(out, pool.Seat{Range: calendar.Range{Start: from, End: from.Add(c.Slot)}, Count: count, Dedicated: dedicated})
	}
	for _, p := range c.Points {
		shared, own := counts(s.seatsAt(p.Start, d.zone))
		if o.Seats == NoSeats {
			shared, own = 0, 0
		}
		add(p.Start, max(o.MinHeads-own, shared), false)
		add(p.Start, own, true)
	}
	return out
}

// halfHours are the slots in which some queue is open, ascending.
func halfHours(p pool.Problem) (out []time.Time) {
	for _, q := range p.Queues {
		for _, x := range q.Curve.Points {
			out = append(out, x.Start.UTC())
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.CompactFunc(out, time.Time.Equal)
}

// present reports that an agent is neither on leave in a half hour nor outside the hours that were agreed.
func (ask question) present(a workforce.Agent, at time.Time) bool {
	slot := calendar.Range{Start: at, End: at.Add(poolSlot)}
	if slices.ContainsFunc(a.Unavailable, slot.Overlaps) {
		return false
	}
	if a.Availability == "" {
		return true
	}
	hours, err := forecast.ParseHours(a.Availability) // validated when the agent was stored
	local := at.In(ask.zone)
	return err == nil && hours.Open(local.Weekday(), local.Hour()*60+local.Minute())
}

// windows are how many are there, slot by slot; nil where everybody always is.
func windows(slots []time.Time, there []int) (out []pool.Window) {
	if slices.Min(there) == slices.Max(there) {
		return nil
	}
	for i, n := range there {
		if last := len(out) - 1; last >= 0 && out[last].Max == n && out[last].Range.End.Equal(slots[i]) {
			out[last].Range.End = slots[i].Add(poolSlot)
		} else if n > 0 {
			out = append(out, pool.Window{Range: calendar.Range{Start: slots[i], End: slots[i].Add(poolSlot)}, Max: n})
		}
	}
	return out
}

// groups are the people of a day by skills and limit, in order of their names, then further people for each queue.
func (ask question) groups(p pool.Problem, day calendar.Date) []pool.Group {
	queues, slots := p.Queues, halfHours(p)
	found, wages, there := map[string]*pool.Group{}, map[string]float64{}, map[string][]int{}
	var names []string
	for _, a := range ask.pay.people {
		g := pool.Group{Limit: min(max(1, a.Concurrency), staffing.MaxConcurrency)}
		for _, q := range queues {
			if !knows(a, q.Curve.Queue, day) {
				continue
			}
			g.Skills = append(g.Skills, q.Curve.Queue)
			if q.Target.Concurrency <= 1 {
				g.Limit = 1 // who takes calls holds nothing beside
			}
		}
		if len(g.Skills) == 0 {
			continue
		}
		g.ID = fmt.Sprintf("%v, %d at once", g.Skills, g.Limit)
		if found[g.ID] == nil {
			found[g.ID] = &g
			names = append(names, g.ID)
			there[g.ID] = make([]int, len(slots))
		}
		for i, at := range slots {
			if ask.present(a, at) {
				there[g.ID][i]++
			}
		}
		found[g.ID].Max++
		wages[g.ID] += float64(a.Wage) / 100
	}
	slices.Sort(names)
	var out []pool.Group
	for _, name := range names {
		g := *found[name]
		g.Cost = max(leastCost, wages[name]/float64(g.Max))
		g.Available = windows(slots, there[name])
		if g.Max = slices.Max(there[name]); g.Max > 0 { // all away: nobody to plan with
			out = append(out, g)
		}
	}
	dearest := leastCost
	for _, g := range out {
		dearest = max(dearest, g.Cost)
	}
	for _, q := range queues {
		out = append(out, pool.Group{
			ID: further + string(q.Curve.Queue), Skills: []ids.Queue{q.Curve.Queue}, Limit: max(1, q.Target.Concurrency), Cost: overtimeRate * dearest,
		})
	}
	return out
}

// further names the group of people for a queue beyond those that there are.
const further = "further people for "

// solveDays pools days side by side; each is computed from its own numbers alone.
func solveDays(ctx context.Context, days []*poolDay) error {
	var wait sync.WaitGroup
	errs := make([]error, len(days))
	turn := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, d := range days {
		wait.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			d.plan, errs[i] = pool.Solve(ctx, d.problem, pool.Options{
				Seed: poolSeed, Steps: poolSteps, Replications: poolReplications, Verify: poolVerify, Tolerance: poolTolerance,
			})
		})
	}
	wait.Wait()
	for i, err := range errs {
		if err != nil {
			e := *fault.Of(err)
			e.Message = days[i].date.String() + ": " + e.Message
			return &e
		}
	}
	return nil
}

// deal assigns the heads of each slot to queues: group by group, the narrowest first, each head to the queue of
// the group with most work per head so far (Sainte-Laguë: work over 2 heads + 1). The sum is that of the pool.
func (d *poolDay) deal(into map[ids.Queue]map[time.Time]manning) {
	work := map[ids.Queue]map[time.Time]float64{}
	for _, q := range d.problem.Queues {
		work[q.Curve.Queue] = map[time.Time]float64{}
		if into[q.Curve.Queue] == nil {
			into[q.Curve.Queue] = map[time.Time]manning{}
		}
		for _, x := range q.Curve.Points {
			work[q.Curve.Queue][x.Start.UTC()] = x.Mean * x.HandleTime.Seconds()
		}
	}
	skills := map[string][]ids.Queue{}
	for _, g := range d.problem.Groups {
		skills[g.ID] = g.Skills
	}
	for _, s := range d.plan.Slots {
		at, heads := s.Start.UTC(), map[ids.Queue]int{}
		groups := slices.Clone(s.Heads)
		slices.SortStableFunc(groups, func(a, b pool.GroupHead) int { return len(skills[a.Group]) - len(skills[b.Group]) })
		for _, g := range groups {
			for range g.Heads {
				if q, open := neediestOf(skills[g.Group], at, work, heads); open {
					heads[q]++
				}
			}
		}
		alone := map[ids.Queue]int{}
		for _, a := range s.Alone {
			alone[a.Queue] = a.Heads
		}
		for queue := range work {
			into[queue][at] = manning{on: heads[queue], serving: alone[queue], why: reason(s, queue, heads[queue], alone[queue])}
		}
	}
}

// neediestOf is the open queue with most work per head.
func neediestOf(queues []ids.Queue, at time.Time, work map[ids.Queue]map[time.Time]float64, heads map[ids.Queue]int) (best ids.Queue, open bool) {
	most := math.Inf(-1)
	for _, q := range queues {
		w, known := work[q][at]
		if !known {
			continue
		}
		if v := w / float64(2*heads[q]+1); v > most {
			best, most, open = q, v, true
		}
	}
	return best, open
}

func reason(s pool.SlotPlan, queue ids.Queue, heads, alone int) string {
	text := fmt.Sprintf("%d of the pool's %d heads by its part of the work, %d if it had its own", heads, s.Pool, alone)
	if slices.ContainsFunc(s.Heads, func(h pool.GroupHead) bool { return h.Group == further+string(queue) }) {
		text += ", some beyond the people who know it"
	}
	return text + "; pool: " + s.Reason
}
