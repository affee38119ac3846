package pricing

import (
	"cmp"
	"slices"
	"time"

	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing"
	"github.com/chaoban/chaoban/scheduling/staffing/people"
)

// explainHandling tells the time per contact, and of chats by conversations open.
func (e *Explanation) explainHandling(x scheduling.Point, w contactWork, pace *Pace, used time.Duration) {
	h := ExplainedHandling{HandleTime: used, Source: assumed}
	if x.HandleTime > 0 {
		h.Source = "forecast"
		if w.HandleTime != nil {
			h.Source = w.HandleTime.Source
		}
	}
	if t := e.Target; t.Concurrency > 1 {
		h.Rounds = assumed
		if w.Rounds != nil && w.Rounds.Model.Contacts >= leastRounds {
			h.Rounds = w.Rounds.Source
		}
		h.Pace = pace
		for c := 1; c <= t.Concurrency; c++ {
			times := 1 + t.Slowdown*float64(c-1)
			if n := len(t.Slow); n > 0 {
				times = t.Slow[min(c, n)-1]
			}
			own := time.Duration(float64(used) * t.Overhead * times)
			one := OpenWork{Open: c, Work: own, HandleTime: own + time.Duration(float64(used)*(1-t.Overhead)), Source: assumed}
			if pace != nil && c <= len(pace.Levels) {
				l := pace.Levels[c-1]
				one.Lag, one.Source, one.Replies = time.Duration(l.LagSeconds*float64(time.Second)), l.Source, l.Replies
			}
			h.Open = append(h.Open, one)
		}
	}
	e.Handling = h
}

// explainTickets tells what tickets add to slot i of the plan.
func (e *Explanation) explainTickets(d *Deferred, i int, zone *time.Location) {
	if d == nil {
		return
	}
	out := ExplainedTickets{Plan: *d}
	out.Plan.Slots = nil
	if i < len(d.Slots) {
		out.Slot, out.Heads = d.Slots[i], d.Slots[i].Extra
		if until := out.Slot.ShortUntil; until >= 0 && until < len(d.Slots) && out.Heads > 0 {
			out.Until = d.Slots[until].Start.In(zone)
		}
	}
	e.Tickets = &out
}

// explainShrinkage opens the way to the paid heads into its causes, as the plan took them. A plan of a release that had one share
// only has that.
func (e *Explanation) explainShrinkage(s *Shrinkage, zone *time.Location) error {
	e.Shrinkage = ExplainedShrinkage{Share: e.Options.Shrinkage, Paid: e.Need.Paid, Flat: true}
	if s == nil || s.Flat {
		return nil
	}
	out, err := people.Plan(s.input([]people.Need{{Start: e.Need.Start, Heads: e.Need.Heads}}, zone))
	if err != nil {
		return err
	}
	e.Shrinkage.Flat, e.Shrinkage.Lines, e.Shrinkage.Sources, e.Shrinkage.Share = false, out.Slots[0].Lines, s.Sources, s.Share
	if e.Need.Paid > 0 {
		e.Shrinkage.Share = 1 - float64(e.Need.Heads)/e.Need.Paid
	}
	if len(s.Team) > 0 {
		e.Shrinkage.Mix = &out.Mix
	}
	return nil
}

// count evaluates the neighbours and the way from load to heads.
func (e *Explanation) count(reached staffing.Reached, seats []PromisedSeats) {
	t, slot := e.Target, min(e.Slot, e.Demand.Slot)
	heads, contacts, handle := e.Need.Heads, reached.Contacts, reached.HandleTime // heads of live contacts
	if e.Tickets != nil {
		heads -= e.Tickets.Heads
	}
	for n := max(0, heads-1); n <= heads+1; n++ {
		r := staffing.Serve(t, contacts, slot, handle, n)
		r.Start = e.Start
		e.Around = append(e.Around, r)
	}
	r := Rounding{Model: "chats", Erlangs: contacts * handle.Seconds() / slot.Seconds(), Needed: heads, Floor: e.Options.MinHeads, Ceiling: e.Options.MaxHeads, Heads: heads, Wanted: cmp.Or(reached.Wanted, heads), Seats: seats}
	q := staffing.Queue{Contacts: contacts, Interval: slot, HandleTime: handle, Patience: t.Patience}
	if t.Concurrency <= 1 {
		r.Model = "erlang_c"
		goal := staffing.Goal{ServiceLevel: t.Share, Within: t.Within, Abandon: t.AbandonCap, Occupancy: t.OccupancyCap}
		model := staffing.ModelC
		if t.Patience > 0 {
			r.Model, model = "erlang_a", staffing.ModelA
		}
		if p, err := staffing.LeastFractional(model, q, goal); err == nil {
			r.Fractional = p.Agents
		}
	}
	r.Needed = needed(t, contacts, slot, handle, heads)
	r.Bound = e.bound(r)
	e.Rounding = r
}

// bound is what decided the heads instead of the target in steady state.
func (e *Explanation) bound(r Rounding) string {
	opening := slices.ContainsFunc(e.Demand.Rushes, func(r Rush) bool { return r.Share >= faintRush })
	switch {
	case e.Options.Method == PooledMethod || e.Options.Method == MarginMethod:
		return string(e.Options.Method)
	case r.Heads < r.Wanted || r.Heads < r.Needed && r.Heads == r.Ceiling:
		return "ceiling"
	case r.Heads > r.Needed && r.Heads == e.Options.floor(r.Seats) && r.Heads > r.Floor:
		return "seats"
	case r.Heads > r.Needed && r.Heads == r.Floor:
		return "floor"
	case r.Heads != r.Needed && opening:
		return "rush"
	case r.Heads != r.Needed:
		return "backlog"
	}
	return ""
}

// needed is the least number of heads that reaches the target, near the planned number.
func needed(t staffing.Target, contacts float64, slot, handle time.Duration, near int) int {
	if contacts <= 0 {
		return 0
	}
	met := func(n int) bool { return staffing.Serve(t, contacts, slot, handle, n).Met }
	n := near
	for n > 1 && met(n-1) {
		n--
	}
	for n < staffing.MaxAgents && !met(n) {
		n++
	}
	return n
}
