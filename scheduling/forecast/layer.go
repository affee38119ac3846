package forecast

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// LayerKind says what an adjustment does with the contacts of its target.
type LayerKind string

// The kinds of layer.
const (
	LayerPercent  LayerKind = "percent"  // +20 = 20 % more in every slot
	LayerAbsolute LayerKind = "absolute" // contacts added (or taken off), split over the slots by the curve
	LayerSet      LayerKind = "set"      // the contacts there shall be, split over the slots by the curve
)

// LayerPer says what an absolute or set amount is an amount of.
type LayerPer string

// What an amount may stand for.
const (
	PerTarget LayerPer = "target" // the whole target together; also the meaning of ""
	PerDay    LayerPer = "day"    // each local day of the target
	PerSlot   LayerPer = "slot"   // each slot of the target
)

// Target is which slots a layer touches, as a planner says it: exactly one of Range, Days and
// Family is given.
type Target struct {
	Range  calendar.Range `json:"range,omitzero"`   // slots that start in it
	Days   calendar.Dates `json:"days,omitzero"`    // local days; Until must be given
	Family string         `json:"family,omitempty"` // an event; with Phase only that phase of it
	Start  time.Time      `json:"start,omitzero"`   // start of the occurrence; needed when the family occurs twice
	Phase  string         `json:"phase,omitempty"`  // kind of phase
	Nth    int            `json:"nth,omitempty"`    // 1 = the first phase of the kind; 0 = all of them
}

// Layer is one adjustment over an immutable forecast. Layers are applied in their order; a
// withdrawn one stays on record and does nothing.
type Layer struct {
	ID        ids.Layer        `json:"id"`
	Kind      LayerKind        `json:"kind"`
	Amount    float64          `json:"amount"` // percent, or contacts
	Per       LayerPer         `json:"per,omitempty"`
	Target    Target           `json:"target"` // as it was said
	Spans     []calendar.Range `json:"spans"`  // as it was meant: events may be moved later, a layer may not
	Author    ids.User         `json:"author"`
	Reason    string           `json:"reason"`
	At        time.Time        `json:"at"`
	From      ids.Layer        `json:"from,omitempty"` // the layer of an older forecast that it was carried over from
	Withdrawn *Withdrawal      `json:"withdrawn,omitempty"`
}

// Withdrawal says who took a layer back, and why.
type Withdrawal struct {
	Author ids.User  `json:"author"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// Bounds of one layer: more is a slip of the keyboard.
const (
	maxPercent  = 10_000
	maxContacts = 1e9
	maxReason   = 2000 // bytes
)

// Validate reports every bad field at once, as "forecast.layer".
func (l Layer) Validate() error {
	var bad []fault.Field
	report := func(path, value, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: fault.Shorten(value), Problem: problem})
	}
	amount := fmt.Sprint(l.Amount)
	switch l.Kind {
	case LayerPercent:
		if !(l.Amount >= -100 && l.Amount <= maxPercent) {
			report("amount", amount, "must be a percentage from -100 to 10000")
		}
		if l.Per != "" {
			report("per", string(l.Per), "has no meaning for a percentage: leave it out")
		}
	case LayerAbsolute:
		if !(math.Abs(l.Amount) <= maxContacts) {
			report("amount", amount, "must be a number of contacts between -1e9 and 1e9")
		}
	case LayerSet:
		if !(l.Amount >= 0 && l.Amount <= maxContacts) {
			report("amount", amount, "must be a number of contacts from 0 to 1e9")
		}
	default:
		report("kind", string(l.Kind), "must be percent, absolute or set")
	}
	if l.Per != "" && l.Per != PerTarget && l.Per != PerDay && l.Per != PerSlot {
		report("per", string(l.Per), "must be target, day or slot")
	}
	switch {
	case strings.TrimSpace(l.Reason) == "":
		report("reason", "", "is empty: say why the forecast is changed")
	case len(l.Reason) > maxReason:
		report("reason", l.Reason, "is longer than 2000 bytes")
	}
	for i, s := range l.Spans {
		if !s.Valid() {
			report(fmt.Sprintf("spans[%d]", i), stamp(s.Start), "must start before it ends")
		}
	}
	return fault.Bad("forecast.layer", "adjustment", append(bad, l.Target.problems()...))
}

// problems of what can be told without the events.
func (t Target) problems() []fault.Field {
	var bad []fault.Field
	report := func(path, value, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: fault.Shorten(value), Problem: problem})
	}
	ways := 0
	if t.Range != (calendar.Range{}) {
		ways++
		if !t.Range.Valid() {
			report("target.range", stamp(t.Range.Start), "must start before it ends")
		}
	}
	if t.Days != (calendar.Dates{}) {
		ways++
		if t.Days.From.IsZero() || t.Days.Until.IsZero() || !t.Days.From.Before(t.Days.Until) {
			report("target.days", t.Days.From.String(), "must have a first day and a later day before which it ends")
		}
	}
	if t.Family != "" {
		ways++
	} else if t.Phase != "" || t.Nth != 0 || !t.Start.IsZero() {
		report("target.family", "", "is needed to name a phase or an occurrence")
	}
	if t.Nth < 0 || t.Nth > 0 && t.Phase == "" {
		report("target.nth", fmt.Sprint(t.Nth), "must be 1 or more and stand beside a phase")
	}
	if ways != 1 {
		report("target", "", "must be exactly one of a range, days and an event")
	}
	return bad
}

// Place turns a target into spans of instants: days by the local clock, an event or phase by the
// events that the forecast was made with. Errors: "forecast.layer" for a target that is not
// sound, or an event that is not there or there twice.
func (t Target) Place(loc *time.Location, events []Event) ([]calendar.Range, error) {
	if err := fault.Bad("forecast.layer", "adjustment", t.problems()); err != nil {
		return nil, err
	}
	switch {
	case t.Family == "" && t.Days != (calendar.Dates{}):
		return []calendar.Range{{Start: t.Days.From.In(loc), End: t.Days.Until.In(loc)}}, nil
	case t.Family == "":
		return []calendar.Range{t.Range}, nil
	}
	event, err := t.occurrence(events)
	if err != nil {
		return nil, err
	}
	if t.Phase == "" {
		return []calendar.Range{{Start: event.Start, End: event.End}}, nil
	}
	var spans []calendar.Range
	nth := 0
	for _, p := range event.Phases {
		if p.Kind != t.Phase {
			continue
		}
		if nth++; t.Nth == 0 || t.Nth == nth {
			spans = append(spans, calendar.Range{Start: p.Start, End: p.End})
		}
	}
	if len(spans) == 0 {
		return nil, t.unknown("target.phase", t.Phase, event.lacks(nth))
	}
	return spans, nil
}

// lacks says what there is instead of a phase that an event does not have; of its kind there are n.
func (e Event) lacks(n int) string {
	var kinds []string
	for _, p := range e.Phases {
		if !slices.Contains(kinds, p.Kind) {
			kinds = append(kinds, p.Kind)
		}
	}
	switch {
	case n > 0:
		return fmt.Sprintf("the event has %d phases of this kind", n)
	case len(kinds) == 0:
		return "the event has no phases"
	}
	return "the event has no phase of this kind, only " + strings.Join(kinds, ", ")
}

// occurrence finds the one event that is meant.
func (t Target) occurrence(events []Event) (Event, error) {
	var found []Event
	for _, e := range events {
		if e.Family == t.Family && (t.Start.IsZero() || t.Start.Equal(e.Start)) {
			found = append(found, e)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		problem := "the forecast knows no such event"
		var known []string
		for _, e := range events {
			if !slices.Contains(known, e.Family) {
				known = append(known, e.Family)
			}
		}
		if len(known) > 0 {
			problem += ", only " + strings.Join(known, ", ")
		}
		return Event{}, t.unknown("target.family", t.Family, problem)
	}
	starts := make([]string, len(found))
	for i, e := range found {
		starts[i] = e.Start.Format(time.RFC3339)
	}
	return Event{}, t.unknown("target.start", t.Family, "occurs more than once, say which start: "+strings.Join(starts, ", "))
}

func (t Target) unknown(path, value, problem string) error {
	return fault.Bad("forecast.layer", "adjustment", []fault.Field{{Path: path, Value: fault.Shorten(value), Problem: problem}})
}

// onto is the layer as it lies on a curve: over figures of days its spans are whole days, the same
// ones that totals of events count.
func (l Layer) onto(slot time.Duration, loc *time.Location) Layer {
	if slot != 24*time.Hour {
		return l
	}
	l.Spans = slices.Clone(l.Spans)
	for i, s := range l.Spans {
		l.Spans[i] = noonDays(s, loc)
	}
	return l
}

// covers reports whether a slot belongs to the layer: slots belong by their start.
func (l Layer) covers(slot time.Time) bool {
	return slices.ContainsFunc(l.Spans, func(r calendar.Range) bool { return r.Contains(slot) })
}
