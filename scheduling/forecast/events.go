package forecast

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
)

// Event is one occurrence of an event family (618, double11, a shop's live stream). Past
// occurrences teach the family's uplift; occurrences after the origin receive it.
type Event struct {
	Family   string      `json:"family"`             // names the family; occurrences of one family are alike
	Start    time.Time   `json:"start"`              // first instant
	End      time.Time   `json:"end"`                // first instant after it
	Phases   []Phase     `json:"phases,omitempty"`   // in order, inside the event; may leave gaps
	Openings []time.Time `json:"openings,omitempty"` // instants at which sales open, inside the event

	// Scale is a planned input as a ratio to the past occurrence: 1.3 = 30 % more orders, sales
	// or budget are planned than there were. It multiplies the contacts above the base by
	// Scale^elasticity. 0 = not given. A past occurrence's Scale teaches the elasticity.
	Scale   float64 `json:"scale,omitempty"`
	ScaleOf string  `json:"scale_of,omitempty"` // what is planned: ScaleOrders, ScaleSales, ScaleBudget; "" = ScaleSales
}

// What Event.Scale is a ratio of.
const (
	ScaleOrders = "orders" // prepaid or expected orders
	ScaleSales  = "sales"  // sales target (GMV)
	ScaleBudget = "budget" // advertising budget
)

// Phase is a part of an event with its own behaviour: warmup, presale, balance, spot, wave, tail.
type Phase struct {
	Kind  string    `json:"kind"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// maxEventDays keeps an event an event: longer than a quarter it is a season.
const maxEventDays = 92

// ValidateEvents reports every bad event at once, as "forecast.events".
func ValidateEvents(events []Event) error {
	return fault.Bad("forecast.events", "events", eventProblems(events))
}

func eventProblems(events []Event) []fault.Field {
	var bad []fault.Field
	for i, e := range events {
		report := func(path, value, format string, args ...any) {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("events[%d]%s", i, path), Value: value, Problem: fmt.Sprintf(format, args...)})
		}
		if e.Family == "" {
			report(".family", "", "must not be empty")
		}
		switch {
		case e.Start.IsZero():
			report(".start", "", "is required")
		case e.End.IsZero():
			report(".end", "", "is required")
		case !e.Start.Before(e.End):
			report(".end", stamp(e.End), "must be after start %s", stamp(e.Start))
		case e.End.Sub(e.Start) > maxEventDays*24*time.Hour:
			report(".end", stamp(e.End), "an event lasts at most %d days", maxEventDays)
		}
		if math.IsNaN(e.Scale) || e.Scale != 0 && (e.Scale < 0.01 || e.Scale > 100) {
			report(".scale", fmt.Sprint(e.Scale), "must lie between 0.01 and 100")
		}
		if !slices.Contains([]string{"", ScaleOrders, ScaleSales, ScaleBudget}, e.ScaleOf) {
			report(".scale_of", fault.Shorten(e.ScaleOf), "must be orders, sales or budget")
		}
		whole := calendar.Range{Start: e.Start, End: e.End}
		for j, p := range e.Phases {
			path := fmt.Sprintf(".phases[%d]", j)
			if p.Kind == "" {
				report(path+".kind", "", "must not be empty")
			}
			if !p.Start.Before(p.End) || p.Start.Before(e.Start) || p.End.After(e.End) {
				report(path, p.Kind, "must start before it ends and lie inside the event")
			}
			if j > 0 && p.Start.Before(e.Phases[j-1].Start) {
				report(path, p.Kind, "must not start before the phase above it")
			}
		}
		for j, at := range e.Openings {
			if !whole.Contains(at) {
				report(fmt.Sprintf(".openings[%d]", j), stamp(at), "must lie inside the event")
			}
		}
		for j, other := range events[:i] {
			if other.Family == e.Family && whole.Overlaps(calendar.Range{Start: other.Start, End: other.End}) {
				report("", e.Family, "overlaps events[%d] of the same family, which starts %s", j, stamp(other.Start))
			}
		}
	}
	return bad
}

// occurrence is an event on the day grid: days [first, first+length).
type occurrence struct {
	family  string
	start   time.Time
	end     time.Time
	first   int
	length  int
	phases  []occurrencePhase
	spans   []Phase // as they were given
	builtIn bool    // made from the holiday table, not given by the caller
	opens   []opening
	scale   float64 // planned size over the past one; 0 = not given
	scaleOf string

	gridStart int // unix day number of day 0 of the grid
}

type occurrencePhase struct {
	kind   string
	first  int // offset from occurrence.first
	length int
}

// opening is an instant at which sales open.
type opening struct {
	day  int           // day of the grid, by the clock
	at   time.Duration // since midnight of that day
	full int           // first day that lies mostly after the opening
}

// The days around an event that still feel it: buyers wait before, ask after.
const (
	leadDays = 2
	tailDays = 7
)

// covers reports whether a day lies in the event or in its shoulders.
func (o occurrence) covers(day int) bool {
	return day >= o.first-leadDays && day < o.first+o.length+tailDays
}

// inside reports whether a day lies in the event itself.
func (o occurrence) inside(day int) bool { return day >= o.first && day < o.first+o.length }

// align maps a day of this occurrence to the day of an earlier one that played the same part.
// Phases of one kind answer each other. Without phases, an event that starts at about the same
// date every year is aligned by date (the openings of 618 and Double 11 are dates), any other
// one, a lunar holiday say, by its place between start and end.
func (o occurrence) align(day int, past occurrence) int {
	at := day - o.first
	if at < 0 {
		return past.first + at
	}
	if at >= o.length {
		return past.first + past.length + at - o.length
	}
	for i, p := range o.phases {
		if at < p.first || at >= p.first+p.length {
			continue
		}
		if own, other, ok := o.matchPhase(i, past); ok {
			return past.first + other.first + alignOffset(at-own.first, own.length, other.length)
		}
	}
	if same, ok := o.alignOpening(day, past); ok {
		return same
	}
	if same := past.sameDate(day, o); same >= 0 && !o.builtIn {
		return o.offOpening(day, same, past)
	}
	return o.offOpening(day, past.first+alignOffset(at, o.length, past.length), past)
}

// offOpening keeps a day that is far from its own openings off the rush of a past opening.
func (o occurrence) offOpening(day, same int, past occurrence) int {
	const rush = 2
	if len(o.opens) == 0 {
		return same
	}
	for _, at := range o.opens {
		if distance(day, at.full) <= rush {
			return same
		}
	}
	for _, at := range past.opens {
		if same < at.full-1 || same > at.full+rush {
			continue
		}
		if before := at.full - 2; past.inside(before) {
			return before
		}
		return min(at.full+rush+1, past.first+past.length-1)
	}
	return same
}

// nearOpening is how many days an opening shapes on either side.
const nearOpening = 5

// alignOpening maps a day near an opening to the day as far from the opening that answers it.
func (o occurrence) alignOpening(day int, past occurrence) (int, bool) {
	if len(o.opens) == 0 || len(past.opens) == 0 {
		return 0, false
	}
	nearest := 0
	for i, at := range o.opens {
		if distance(day, at.full) < distance(day, o.opens[nearest].full) {
			nearest = i
		}
	}
	away := day - o.opens[nearest].full
	if away < -nearOpening || away > nearOpening {
		return 0, false
	}
	same := past.opens[o.answering(nearest, past)].full + away
	return same, past.inside(same)
}

// answering is the opening of a past occurrence that answers opening i: the n-th answers the
// n-th when there are as many, else the one nearest by its place in the event.
func (o occurrence) answering(i int, past occurrence) int {
	if len(o.opens) == len(past.opens) {
		return i
	}
	place := float64(o.opens[i].full-o.first) / float64(o.length)
	best, least := 0, math.Inf(1)
	for j, at := range past.opens {
		if gap := math.Abs(float64(at.full-past.first)/float64(past.length) - place); gap < least {
			best, least = j, gap
		}
	}
	return best
}

func distance(a, b int) int { return max(a-b, b-a) }

// matchPhase finds the phase of a past occurrence that answers phase i: the n-th of its kind
// when both years have as many, else everything from the first to the last of the kind.
func (o occurrence) matchPhase(i int, past occurrence) (own, other occurrencePhase, ok bool) {
	kind := o.phases[i].kind
	nth := 0
	for _, p := range o.phases[:i] {
		nth += int(indicator(p.kind == kind))
	}
	mine, theirs := o.ofKind(kind), past.ofKind(kind)
	switch {
	case len(theirs) == 0:
		return own, other, false
	case len(mine) == len(theirs):
		return mine[nth], theirs[nth], true
	}
	return envelope(mine), envelope(theirs), true
}

func (o occurrence) ofKind(kind string) (found []occurrencePhase) {
	for _, p := range o.phases {
		if p.kind == kind {
			found = append(found, p)
		}
	}
	return found
}

func envelope(phases []occurrencePhase) occurrencePhase {
	first, end := phases[0].first, 0
	for _, p := range phases {
		first, end = min(first, p.first), max(end, p.first+p.length)
	}
	return occurrencePhase{phases[0].kind, first, end - first}
}

// sameDate is the day of this past occurrence with the month and day of a day of a later one,
// or -1 when it lies outside or the two start more than ten days of the year apart.
func (o occurrence) sameDate(day int, later occurrence) int {
	const year = 365.2425
	years := math.Round(float64(later.first-o.first) / year)
	if years == 0 || math.Abs(float64(later.first-o.first)-years*year) > 10 {
		return -1
	}
	date := unixDate(later.gridStart + day)
	same := unixDay(calendar.MakeDate(date.Year-int(years), date.Month, date.Day)) - later.gridStart
	if !o.inside(same) {
		return -1
	}
	return same
}

// alignOffset counts the first half of a span from its start and the second half from its end,
// so that an opening and a closing peak both stay in place when the length changes.
func alignOffset(at, length, pastLength int) int {
	if 2*at >= length {
		at = pastLength - (length - at)
	}
	return min(max(at, 0), pastLength-1)
}

// occurrences puts the caller's events and the long holidays of the table on the day grid.
func (g *grid) occurrences(events []Event) []occurrence {
	var out []occurrence
	for _, e := range events {
		out = append(out, g.occurrence(e))
	}
	return append(out, g.longHolidays()...)
}

// occurrence puts one event on the day grid.
func (g *grid) occurrence(e Event) occurrence {
	o := occurrence{family: e.Family, start: e.Start, end: e.End, first: g.dayOf(e.Start), gridStart: g.firstDay, spans: e.Phases, scale: e.Scale, scaleOf: e.ScaleOf}
	o.length = g.dayOf(e.End.Add(-1)) - o.first + 1
	for _, p := range e.Phases {
		// A phase owns the days whose noon it holds: sales that open at 20:00 and sales that
		// open at midnight both have their first full day on the next date.
		first := g.dayOf(p.Start.Add(12*time.Hour-1)) - o.first
		if end := g.dayOf(p.End.Add(12*time.Hour-1)) - o.first; end > first {
			o.phases = append(o.phases, occurrencePhase{p.Kind, first, end - first})
		}
	}
	for _, at := range e.Openings {
		day := g.dayOf(at)
		wall := time.Duration(0)
		if _, second := wallSlot(at, time.Second, g.loc); second > 0 {
			wall = time.Duration(second) * time.Second
		}
		o.opens = append(o.opens, opening{day, wall, g.dayOf(at.Add(12*time.Hour - 1))})
	}
	slices.SortFunc(o.opens, func(a, b opening) int { return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.at, b.at)) })
	return o
}

// longHolidays turns each run of five or more days off under one name (春节, 国庆节) into an
// event family of its own: their dates move by the lunar calendar and their effect starts
// before and ends after the days off.
func (g *grid) longHolidays() []occurrence {
	var out []occurrence
	for d := -20; d < g.days+10; d++ {
		name := g.holidayName(d)
		if name == "" || g.holidayName(d-1) != "" {
			continue
		}
		n := 1
		for g.holidayName(d+n) != "" {
			n++
		}
		if n >= 5 {
			// A run shared by two holidays (国庆节、中秋节) belongs to the first name.
			name, _, _ = strings.Cut(name, "、")
			out = append(out, occurrence{family: "holiday " + name, start: g.date(d).In(g.loc), end: g.date(d + n).In(g.loc), first: d, length: n, gridStart: g.firstDay, builtIn: true})
		}
		d += n
	}
	return out
}

// holidayName is the name of the holiday a day is off for, or "".
func (g *grid) holidayName(d int) string {
	date := g.date(d)
	if k := g.opt.Holidays.Kind(date); k == calendar.Statutory || k == calendar.Bridge {
		return g.opt.Holidays.Name(date)
	}
	return ""
}
