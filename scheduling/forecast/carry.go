package forecast

import (
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

// Carry takes layers over to a newer forecast of the same queue: those in force that still touch
// an open slot of it. older is the adjusted curve under them. A part of a target that the newer
// forecast does not cover any more takes its share of an amount along, split by the older curve,
// and an amount per day starts at the first whole day. told says so in one sentence each, also
// for layers that are left behind.
func Carry(older scheduling.Curve, loc *time.Location, layers []Layer, newer scheduling.Curve) (carried []Layer, told []string) {
	if len(newer.Points) == 0 {
		return nil, nil
	}
	reach := calendar.Range{Start: newer.Points[0].Start, End: newer.Points[len(newer.Points)-1].Start.Add(newer.Slot)}
	for _, l := range layers {
		if l.Withdrawn != nil {
			continue
		}
		l, note := l.onto(newer.Slot, loc).within(older, loc, reach)
		if !slices.ContainsFunc(newer.Points, func(p scheduling.Point) bool { return l.covers(p.Start) }) {
			told = append(told, fmt.Sprintf("the adjustment %q touches no slot of the newer forecast", l.Reason))
			continue
		}
		if note != "" {
			told = append(told, fmt.Sprintf("the adjustment %q %s", l.Reason, note))
		}
		l.From = l.ID
		carried = append(carried, l)
	}
	return carried, told
}

// within is the layer as far as it lies in a reach.
func (l Layer) within(older scheduling.Curve, loc *time.Location, reach calendar.Range) (Layer, string) {
	var all, gone float64
	lost, cut := 0, false // slots out of reach; the first day in reach has some
	first := calendar.DateOf(reach.Start, loc)
	for _, p := range older.Points {
		if !l.covers(p.Start) {
			continue
		}
		all += p.Mean
		if !reach.Contains(p.Start) {
			gone += p.Mean
			lost++
			cut = cut || calendar.DateOf(p.Start, loc) == first
		}
	}
	switch {
	case lost == 0 || l.Kind == LayerPercent || l.Per == PerSlot:
		return l, ""
	case l.Per == PerDay && cut:
		l.Spans = after(l.Spans, first.Add(1).In(loc))
		return l, fmt.Sprintf("starts on %s: the day before is not whole any more", first.Add(1))
	case l.Per == PerDay || all < negligibleContacts:
		return l, ""
	}
	asked := l.Amount
	l.Amount *= (all - gone) / all
	return l, fmt.Sprintf("is carried with %.0f of its %.0f contacts: the rest is over", l.Amount, asked)
}

// after cuts off what lies before an instant.
func after(spans []calendar.Range, from time.Time) []calendar.Range {
	var left []calendar.Range
	for _, s := range spans {
		if s.Start.Before(from) {
			s.Start = from
		}
		if s.Valid() {
			left = append(left, s)
		}
	}
	return left
}
