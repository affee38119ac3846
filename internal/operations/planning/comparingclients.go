package planning

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// clients fills in what the client expected. Finer slots than ours are added up. Longer ones are
// split by our forecast as computed: then the level is the client's and the shape inside is ours,
// which a note says.
func (c *comparison) clients(ctx context.Context) error {
	all := []store.ClientForecast{{ID: c.in.Client}}
	if c.in.Client == "" {
		var err error
		if all, err = store.All(func(page store.Page) ([]store.ClientForecast, string, error) {
			return c.view.ClientForecasts(ctx, store.ForecastFilter{Queue: c.in.Queue, Range: c.span}, page)
		}); err != nil {
			return err
		}
	}
	for _, f := range all {
		f, err := c.view.ClientForecast(ctx, f.ID)
		if err != nil {
			return err
		}
		if f.Queue != c.in.Queue {
			return fault.Bad("forecast.compare", "comparison", []fault.Field{{Path: "client", Value: string(f.ID), Problem: "is of the queue " + string(f.Queue)}})
		}
		if c.in.BySlot && c.slot == 0 {
			c.slot, c.grain = f.Curve.Slot, f.Curve.Slot
		}
		curve, fits := forecast.InSlots(f.Curve, c.grain, c.gate.Zone)
		if !fits {
			if curve, fits = c.split(f); !fits {
				continue
			}
		}
		used := false
		for i, x := range curve.Points {
			if !c.span.Contains(x.Start) {
				continue
			}
			if row := c.row(x.Start); row.Client == nil {
				row.Client, used = &curve.Points[i].Mean, true
			}
		}
		if used {
			c.out.Clients = append(c.out.Clients, f.ID)
		}
	}
	return nil
}

// split divides a client's forecast in longer slots than ours among our slots in each of them, in
// proportion to our forecast as computed, evenly where that is nothing. A client's slot that our forecasts
// do not cover whole, or in which we have no open slot, is left out: its sum would not be the client's.
func (c *comparison) split(f store.ClientForecast) (out scheduling.Curve, fits bool) {
	if f.Curve.Slot%c.grain != 0 {
		c.note("the client's version %d is in slots of %s, which %s does not divide: it is left out", f.Version, calendar.SlotName(f.Curve.Slot), calendar.SlotName(c.grain))
		return out, false
	}
	out.Slot = c.grain
	starts := slices.DeleteFunc(slices.Sorted(maps.Keys(c.rows)), func(at int64) bool { return c.rows[at].Model == nil })
	divided, left, contacts := 0, 0, 0.0
	for _, x := range f.Curve.Points {
		whole := calendar.Range{Start: x.Start, End: x.Start.Add(f.Curve.Slot)}
		if f.Curve.Slot == 24*time.Hour {
			whole = calendar.Day(calendar.DateOf(x.Start, c.gate.Zone), c.gate.Zone)
		}
		if !whole.Overlaps(c.span) {
			continue
		}
		from, _ := slices.BinarySearch(starts, whole.Start.UnixNano())
		until, _ := slices.BinarySearch(starts, whole.End.UnixNano())
		if from == until || len(gate.Without([]calendar.Range{whole}, c.covered)) > 0 {
			left, contacts = left+1, contacts+x.Mean
			continue
		}
		divided++
		sum := 0.0
		for _, at := range starts[from:until] {
			sum += *c.rows[at].Model
		}
		for _, at := range starts[from:until] {
			share := 1 / float64(until-from)
			if sum > 0 {
				share = *c.rows[at].Model / sum
			}
			out.Points = append(out.Points, scheduling.Point{Start: time.Unix(0, at), Mean: x.Mean * share})
		}
	}
	if divided > 0 {
		c.note("the client's version %d is in slots of %s: each is split by our forecast as computed, so its shape inside a slot is ours", f.Version, calendar.SlotName(f.Curve.Slot))
	}
	if left > 0 {
		c.note("%d slots of the client's version %d, %.0f contacts, are left out: our forecast does not cover them whole, or has nothing open in them", left, f.Version, contacts)
	}
	return out, divided > 0
}

// inside is what of some ranges lies in another.
func inside(ranges []calendar.Range, in calendar.Range) []calendar.Range {
	return gate.Without(ranges, gate.Without(ranges, []calendar.Range{in}))
}
