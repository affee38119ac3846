package configs

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// Unsure is what a planner should check before a forecast relies on the calendar.
type Unsure struct {
	Family string `json:"family"`
	Name   string `json:"name"`
	Year   int    `json:"year"`
	What   string `json:"what"`
}

// Events are the events of a span that a platform feels, as the forecaster takes them, in order of
// start, and what is unsure of them: also families with no known date in a year of the span. What
// holds for tmall holds for taobao; an entry for all platforms stands back where the platform has
// its own of the same family and time.
func (c PromotionCalendar) Events(platform string, span calendar.Range) ([]forecast.Event, []Unsure) {
	var events []forecast.Event
	var unsure []Unsure
	known := map[string]bool{}
	for _, p := range c.felt(platform) {
		known[fmt.Sprintf("%s %d", p.Family, p.Year)] = true
		if !span.Overlaps(calendar.Range{Start: p.Start, End: p.End}) {
			continue
		}
		events = append(events, p.Event())
		for _, what := range p.Unsure {
			unsure = append(unsure, Unsure{p.Family, p.Name, p.Year, what})
		}
	}
	if !span.Valid() {
		return events, unsure
	}
	for year := span.Start.In(beijing).Year(); year <= span.End.Add(-1).In(beijing).Year(); year++ {
		for _, f := range c.Families {
			if !known[fmt.Sprintf("%s %d", f.Family, year)] {
				unsure = append(unsure, Unsure{f.Family, f.name(), year, fmt.Sprintf("no date is known for %s; the habit: %s", platform, f.Habit)})
			}
		}
	}
	return events, unsure
}

func (f PromotionFamily) name() string { return strings.Join(f.Names[:min(1, len(f.Names))], "") }

// felt are the promotions of a platform, and those of all platforms that it has none of its own for.
func (c PromotionCalendar) felt(platform string) []Promotion {
	if platform == "taobao" {
		platform = "tmall"
	}
	own := func(p Promotion) bool { return p.Platform == platform }
	var out []Promotion
	for _, p := range c.Promotions {
		same := func(o Promotion) bool {
			return own(o) && o.Family == p.Family && o.Start.Before(p.End) && p.Start.Before(o.End)
		}
		if own(p) || p.Platform == "all" && !slices.ContainsFunc(c.Promotions, same) {
			out = append(out, p)
		}
	}
	return out
}

// Event is the promotion as the forecaster takes it: its phases do not overlap. Where they do in the
// calendar, a spot sale wins over balance payment, that over presale, and of one kind the later one;
// so the evening on which balance payment and spot sale open together is of one kind in every year.
func (p Promotion) Event() forecast.Event {
	e := forecast.Event{Family: p.Family, Start: p.Start, End: p.End, Openings: slices.Clone(p.Openings)}
	var cuts []time.Time
	for _, ph := range p.Phases {
		cuts = append(cuts, ph.Start, ph.End)
	}
	slices.SortFunc(cuts, time.Time.Compare)
	last := -1 // the phase that the last part of the event belongs to
	for i := 0; i+1 < len(cuts); i++ {
		from, to := cuts[i], cuts[i+1]
		at := p.phaseAt(from)
		if !from.Before(to) {
			continue
		}
		switch {
		case at >= 0 && at == last:
			e.Phases[len(e.Phases)-1].End = to
		case at >= 0:
			e.Phases = append(e.Phases, forecast.Phase{Kind: p.Phases[at].Kind, Start: from, End: to})
		}
		last = at
	}
	return e
}

// phaseAt is the phase that counts at an instant, or -1.
func (p Promotion) phaseAt(t time.Time) int {
	best := -1
	for i, ph := range p.Phases {
		if t.Before(ph.Start) || !t.Before(ph.End) {
			continue
		}
		if best < 0 || stronger(ph, p.Phases[best]) {
			best = i
		}
	}
	return best
}

func stronger(a, b Phase) bool {
	x, y := slices.Index(PhaseKinds, a.Kind), slices.Index(PhaseKinds, b.Kind)
	return x < y || x == y && a.Start.After(b.Start)
}
