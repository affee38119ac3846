package pricing

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

// Method names how heads are found.
type Method string

// The methods.
const (
	Each         Method = "each"   // every queue for itself, to its target
	PooledMethod Method = "pooled" // agents who share queues, to the targets of all, by simulation
	MarginMethod Method = "margin" // the largest expected margin under the contracts
)

// question is everything that a method looks at.
type question struct {
	all     []stretch // of all queues, queue by queue, ascending
	options Options   // with defaults
	zone    *time.Location
	flat    float64 // the share of paid time away from the queue, where one was asked for; 0 = by cause
	dates   calendar.Dates
	pay     payroll
}

// answer of a method.
type answer struct {
	staffed []staffing.Output               // one per stretch in the same order
	alone   map[ids.Queue]map[time.Time]int // pooled: heads that serve as well by themselves, by slot in UTC
	pooled  *Pooled
	money   *Money
}

// staffer turns the stretches of all queues into heads.
type staffer func(ctx context.Context, ask question) (answer, error)

// methods are those that a plan or scenario may name.
var methods = map[Method]staffer{Each: eachQueue, PooledMethod: pooledQueues, MarginMethod: bestMargin}

func methodNames() string {
	var names []string
	for _, m := range slices.Sorted(maps.Keys(methods)) {
		names = append(names, string(m))
	}
	return strings.Join(names, ", ")
}

func eachQueue(ctx context.Context, ask question) (answer, error) {
	out, o := make([]staffing.Output, len(ask.all)), ask.options
	for i, s := range ask.all {
		if err := ctx.Err(); err != nil {
			return answer{}, fault.Of(err)
		}
		var err error
		out[i], err = staffing.Plan(staffing.Input{
			Curve: s.curve, Target: s.part.Target, Shrinkage: ask.flat, MinHeads: o.MinHeads, MaxHeads: o.MaxHeads, Slot: calendar.Slot,
			Rushes: s.part.followed(s.curve.Slot), Promised: s.promises(o, ask.zone),
		})
		if err != nil {
			return answer{}, gate.Placed(withoutPoints(err), "queue "+string(s.queue.ID))
		}
	}
	return answer{staffed: out}, nil
}

// manning is what a method found for a queue in a slot: how many heads stand on it, how many serve it as if they were its own, and
// why. worth is what those on the queue save, where the method knows.
type manning struct {
	on, serving int
	why         string
	worth       []scheduling.Step
}

// withoutPoints is the error of a target that nobody reaches without the number of a point that no caller gave.
func withoutPoints(err error) error {
	e := *fault.Of(err)
	if e.Code == "staffing.unreachable" {
		e.Fields = slices.DeleteFunc(slices.Clone(e.Fields), func(f fault.Field) bool { return strings.HasPrefix(f.Path, "curve.points[") })
	}
	return &e
}

// headsOf are the heads of an answer by queue and slot in UTC; where a border cuts a slot, the greater need holds.
func (ask question) headsOf(a answer) map[ids.Queue]map[time.Time]int {
	heads := map[ids.Queue]map[time.Time]int{}
	for i, s := range ask.all {
		if heads[s.queue.ID] == nil {
			heads[s.queue.ID] = map[time.Time]int{}
		}
		for _, n := range a.staffed[i].Requirement.Needs {
			at := n.Start.UTC()
			heads[s.queue.ID][at] = max(heads[s.queue.ID][at], n.Heads)
		}
	}
	return heads
}

// manned is a staffed stretch with heads that another method found. Where it does not say what they save, each on the queue is worth
// its part of what those who serve save at the price of the target.
func (s stretch) manned(out staffing.Output, o Options, find func(at time.Time) manning) staffing.Output {
	t, slot := s.part.Target, min(calendar.Slot, s.curve.Slot)
	for i, need := range out.Requirement.Needs {
		x, before := find(need.Start), out.Reached[i]
		serve := func(n int) staffing.Reached { return staffing.Serve(t, before.Contacts, slot, before.HandleTime, n) }
		if price := t.PenaltyPerMissedContact * before.Contacts * float64(calendar.Slot/slot); len(x.worth) == 0 && price > 0 {
			alone := scheduling.Need{Worth: staffing.Worth(x.serving, func(n int) float64 { return price * serve(n).Share })}
			x.worth = staffing.Worth(x.on, func(n int) float64 { return alone.Saved(float64(n*x.serving) / float64(x.on)) })
		}
		r := serve(x.serving)
		r.Start, r.Heads, r.Met = before.Start, x.on, true // no ceiling cut it
		out.Requirement.Needs[i] = scheduling.Need{Start: need.Start, Heads: x.on, Paid: float64(x.on) / (1 - o.Shrinkage), Reason: x.why}.Priced(x.worth)
		out.Reached[i] = r
	}
	return out
}

// quarters is a curve in the slots of a requirement: a longer slot is spread evenly, shorter ones are added up,
// quantile by quantile.
func quarters(c scheduling.Curve) scheduling.Curve {
	out := scheduling.Curve{Queue: c.Queue, Slot: calendar.Slot, Levels: c.Levels}
	parts := max(1, int(c.Slot/calendar.Slot))
	for _, x := range c.Points {
		for i := range parts {
			part := scheduling.Point{Start: x.Start.Add(time.Duration(i) * calendar.Slot).Truncate(calendar.Slot), HandleTime: x.HandleTime, Mean: x.Mean / float64(parts)}
			for _, q := range x.Quantiles {
				part.Quantiles = append(part.Quantiles, q/float64(parts))
			}
			if n := len(out.Points); n > 0 && out.Points[n-1].Start.Equal(part.Start) {
				out.Points[n-1] = together(out.Points[n-1], part)
			} else {
				out.Points = append(out.Points, part)
			}
		}
	}
	return out
}

// together adds up two points; the handle time is the mean by contacts.
func together(a, b scheduling.Point) scheduling.Point {
	if sum := a.Mean + b.Mean; sum > 0 {
		a.HandleTime = time.Duration((float64(a.HandleTime)*a.Mean + float64(b.HandleTime)*b.Mean) / sum)
	}
	a.Mean += b.Mean
	a.Quantiles = slices.Clone(a.Quantiles)
	for i := range min(len(a.Quantiles), len(b.Quantiles)) {
		a.Quantiles[i] += b.Quantiles[i]
	}
	return a
}
