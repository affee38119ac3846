// Package revise owns what happens to the shifts of a roster after it was made: edits by hand, what
// two rosters differ in, what shifts are worth against a requirement, and the repair after absences.
//
// It does not own the rules (workrules judges every result), the making of rosters (roster), nor
// versions and who may change them. It does no I/O and has no clock; the same input gives the same
// output. Costs are in yuan by the weights of the optimiser, so that a repair and a roster compare.
//
// Times: shifts are instants. A "day" is the civil day on which a shift starts in the given zone.
package revise

import (
	"cmp"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

// Change is one shift before and after; nil is none. When both are given they are of one agent.
type Change struct {
	Before *scheduling.Shift `json:"before,omitempty"`
	After  *scheduling.Shift `json:"after,omitempty"`
}

// Agent whose shift it is.
func (c Change) Agent() ids.Agent {
	if c.Before != nil {
		return c.Before.Agent
	}
	return c.After.Agent
}

// At is when the earlier of the two starts.
func (c Change) At() time.Time {
	switch {
	case c.Before == nil:
		return c.After.Start
	case c.After == nil || c.Before.Start.Before(c.After.Start):
		return c.Before.Start
	}
	return c.After.Start
}

// Agents names whose shifts a list of changes touches, ascending.
func Agents(changes []Change) []ids.Agent {
	out := make([]ids.Agent, len(changes))
	for i, c := range changes {
		out[i] = c.Agent()
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Between lists what turns one list of shifts into another, by agent and time. A shift that goes and
// one that comes of the same agent on the same day are one change.
func Between(before, after []scheduling.Shift, zone *time.Location) []Change {
	type place struct {
		agent ids.Agent
		day   calendar.Date
	}
	gone, come := map[place][]*scheduling.Shift{}, map[place][]*scheduling.Shift{}
	collect := func(into map[place][]*scheduling.Shift, list []scheduling.Shift) {
		for i := range list {
			p := place{list[i].Agent, calendar.DateOf(list[i].Start, zone)}
			into[p] = append(into[p], &list[i])
		}
	}
	collect(gone, before)
	collect(come, after)
	var out []Change
	for p, was := range gone {
		out = append(out, pair(was, come[p])...)
		delete(come, p)
	}
	for _, becomes := range come {
		out = append(out, pair(nil, becomes)...)
	}
	slices.SortFunc(out, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Agent(), b.Agent()), a.At().Compare(b.At()), cmp.Compare(sides(a), sides(b)))
	})
	return out
}

// sides orders changes at one instant: what goes, what changes, what comes.
func sides(c Change) int {
	switch {
	case c.After == nil:
		return 0
	case c.Before != nil:
		return 1
	}
	return 2
}

// pair joins the shifts of one agent and day that go with those that come.
func pair(was, becomes []*scheduling.Shift) (out []Change) {
	var gone []*scheduling.Shift
	left := slices.Clone(becomes)
	for _, w := range was {
		if i := slices.IndexFunc(left, func(s *scheduling.Shift) bool { return Same(*w, *s) }); i >= 0 {
			left = slices.Delete(left, i, i+1)
		} else {
			gone = append(gone, w)
		}
	}
	for i := range max(len(gone), len(left)) {
		var c Change
		if i < len(gone) {
			c.Before = copied(gone[i])
		}
		if i < len(left) {
			c.After = copied(left[i])
		}
		out = append(out, c)
	}
	return out
}

func copied(s *scheduling.Shift) *scheduling.Shift {
	own := *s
	return &own
}

// Same reports two shifts that no reader could tell apart.
func Same(a, b scheduling.Shift) bool {
	return a.Agent == b.Agent && a.Code == b.Code && a.Start.Equal(b.Start) && a.End.Equal(b.End) &&
		slices.EqualFunc(a.Activities, b.Activities, func(x, y scheduling.Activity) bool {
			return x.Kind == y.Kind && x.Queue == y.Queue && x.Start.Equal(y.Start) && x.End.Equal(y.End)
		})
}
