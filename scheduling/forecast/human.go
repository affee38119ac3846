package forecast

import (
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling"
)

// Counted says what a contact history counts.
type Counted string

// The two ways. A platform's export of conversations that people received counts people (人工接待); a
// log of all conversations counts arrivals, the bot's own among them.
const (
	CountsArrivals Counted = "arrivals"
	CountsPeople   Counted = "people"
)

// Least evidence that tells which of the two a history counts: days and contacts that both know. One
// reading must lie at least twice as close to the history as the other.
const (
	toldDays     = 5
	toldContacts = 200
	toldRatio    = 2
)

// WhatCounts compares a contact history with the arrivals and what a bot ended alone on the days that
// both know, in the slots that the history records. "" = it cannot be told.
func WhatCounts(s Series, h DeflectionHistory) Counted {
	if h.Slot < time.Minute || s.Slot < time.Minute {
		return ""
	}
	loc := zoneOf(s.Location)
	perDay := int(24 * time.Hour / s.Slot)
	first := unixDay(s.First)
	type day struct{ history, arrivals, people float64 }
	known := map[int]*day{}
	for _, r := range h.Records {
		d, k := wallSlot(r.Start, s.Slot, loc)
		i := (d-first)*perDay + k
		recorded := false
		for j := range max(1, int(h.Slot/s.Slot)) {
			recorded = recorded || i >= 0 && i+j < len(s.Values) && !math.IsNaN(s.Values[i+j])
		}
		if !recorded {
			continue
		}
		if known[d] == nil {
			known[d] = &day{}
		}
		known[d].arrivals += r.Arrivals
		known[d].people += r.Arrivals - r.Deflected
	}
	var all, asArrivals, asPeople float64
	for d, one := range known {
		for k := range perDay {
			if i := (d-first)*perDay + k; i >= 0 && i < len(s.Values) && !math.IsNaN(s.Values[i]) {
				one.history += s.Values[i]
			}
		}
	}
	days := make([]int, 0, len(known))
	for d := range known {
		days = append(days, d)
	}
	slices.Sort(days) // sums must not depend on the order of a map
	for _, d := range days {
		one := known[d]
		all += one.arrivals
		asArrivals += math.Abs(one.history - one.arrivals)
		asPeople += math.Abs(one.history - one.people)
	}
	switch {
	case len(days) < toldDays || all < toldContacts:
		return ""
	case asPeople > toldRatio*asArrivals:
		return CountsArrivals
	case asArrivals > toldRatio*asPeople:
		return CountsPeople
	}
	return ""
}

// HumanForecast is what a bot leaves of a forecast for people.
type HumanForecast struct {
	Counts   Counted            // what the history counts; "" = not known, taken as people
	Curve    scheduling.Curve   // contacts that reach a person
	Days     []scheduling.Point // their whole-day totals
	Events   []EventForecast    // and their totals over coming events and phases
	Arrivals float64            // expected over the horizon, the bot's own included
	Human    float64            // of them reach a person
	Share    float64            // that the bot ends alone, over the horizon
	Model    FigureModel
	Doubts   []string
}

// ForecastHuman makes the forecast of a history net of a bot. Where the history counts arrivals, people
// get what the bot leaves. Where it counts people, or nobody knows what it counts, the volume stays as it
// is but for planned changes after the origin: a bot that takes one more of ten arrivals takes it
// from what people get. Without a record of the bot its share now is taken as none. counts "" lets
// WhatCounts decide. Errors: as ForecastDeflection, and "forecast.deflection" for an unknown counts.
func ForecastHuman(s Series, r Result, h DeflectionHistory, counts Counted, o DeflectionOptions) (HumanForecast, error) {
	o.Origin = r.Origin
	noBot := len(h.Records) == 0
	switch counts {
	case "":
		counts = WhatCounts(s, h)
	case CountsArrivals, CountsPeople:
	default:
		return HumanForecast{}, fault.Bad("forecast.deflection", "bot deflection", []fault.Field{{Path: "counts", Value: string(counts), Problem: "must be arrivals or people"}})
	}
	if noBot && o.Prior == nil {
		o.Prior = &FigureModel{}
	}
	if counts == "" && !h.deflects() {
		counts = CountsPeople // both are the same
	}
	out := HumanForecast{Counts: counts, Curve: r.Curve, Days: r.Days, Events: r.Events}
	arrivals := r.Curve
	if counts != CountsArrivals {
		before := o
		before.Changes = slices.DeleteFunc(slices.Clone(o.Changes), func(c DeflectionChange) bool { return !c.From.Before(r.Origin) })
		now, err := ForecastDeflection(h, r.Curve, before)
		if err != nil {
			return HumanForecast{}, err
		}
		arrivals = undo(r.Curve, now.Share)
	}
	f, err := ForecastDeflection(h, arrivals, o)
	if err != nil {
		return HumanForecast{}, err
	}
	out.Model, out.Doubts = f.Model, f.Doubts
	from := time.Time{} // of what the bot changes
	if counts != CountsArrivals {
		from = firstAfter(o.Changes, r.Origin)
	}
	out.Curve.Points = slices.Clone(r.Curve.Points)
	for i := range out.Curve.Points {
		if !from.IsZero() && !out.Curve.Points[i].Start.Before(from) || counts == CountsArrivals {
			out.Curve.Points[i] = f.Human.Points[i]
		}
		out.Arrivals += arrivals.Points[i].Mean
		out.Human += out.Curve.Points[i].Mean
	}
	if out.Arrivals > 0 {
		out.Share = 1 - out.Human/out.Arrivals
	}
	effect := botEffect{before: r.Curve.Points, arrivals: arrivals.Points, after: out.Curve.Points, share: f.Share, levels: r.Curve.Levels}
	out.Days, out.Events = effect.days(r.Days, zoneOf(s.Location)), effect.events(r.Events)
	out.Doubts = append(out.Doubts, countsDoubts(counts, noBot, !from.IsZero(), out.Share)...)
	return out, nil
}

// deflects reports that the bot ended anything alone.
func (h DeflectionHistory) deflects() bool {
	return slices.ContainsFunc(h.Records, func(r DeflectionRecord) bool { return r.Deflected > 0 })
}

// firstAfter is when the first change that lies at or after an instant begins; zero = none does.
func firstAfter(changes []DeflectionChange, origin time.Time) (first time.Time) {
	for _, c := range changes {
		if !c.From.Before(origin) && (first.IsZero() || c.From.Before(first)) {
			first = c.From
		}
	}
	return first
}

// mostDeflected keeps arrivals finite where a bot takes nearly everything.
const mostDeflected = 0.95

// undo is the arrivals of which people get a curve.
func undo(people scheduling.Curve, share []RatioPoint) scheduling.Curve {
	out := people
	out.Points = make([]scheduling.Point, len(people.Points))
	for i, p := range people.Points {
		left := 1 - min(share[i].Mean, mostDeflected)
		p.Mean /= left
		p.Quantiles = slices.Clone(p.Quantiles)
		for j := range p.Quantiles {
			p.Quantiles[j] /= left
		}
		out.Points[i] = p
	}
	return out
}

// botTaken adds up what a bot takes of the slots of a total.
type botTaken struct{ before, after, belief, chance float64 }

// botEffect is what a bot does to each slot of a forecast.
type botEffect struct {
	before, arrivals, after []scheduling.Point
	share                   []RatioPoint
	levels                  []float64
}

// add adds slot i to a total.
func (b botEffect) add(to *botTaken, i int) {
	to.before += b.before[i].Mean
	to.after += b.after[i].Mean
	if b.before[i].Mean == b.after[i].Mean {
		return
	}
	a, share, n := b.arrivals[i].Mean, b.share[i], len(b.levels)
	if n > 1 {
		width := distuv.UnitNormal.Quantile(b.levels[n-1]) - distuv.UnitNormal.Quantile(b.levels[0])
		to.belief += a * (share.Quantiles[n-1] - share.Quantiles[0]) / width
	}
	to.chance += a * share.Mean * (1 - share.Mean)
}

// net is a total net of the bot. The deviation of its arrivals shrinks as its mean does; to it comes
// that the share may be wrong, in all slots alike, and which arrivals it takes.
func (b botEffect) net(total scheduling.Point, s botTaken) scheduling.Point {
	if s.before <= 0 || s.before == s.after {
		return total
	}
	ratio, mean := s.after/s.before, total.Mean
	total.Mean *= ratio
	quantiles := make([]float64, len(total.Quantiles))
	for j, q := range total.Quantiles {
		z := distuv.UnitNormal.Quantile(b.levels[j])
		sum := signedSquare(ratio*(q-mean)) + signedSquare(z*s.belief) + math.Copysign(z*z*s.chance, z)
		quantiles[j] = max(0, total.Mean+math.Copysign(math.Sqrt(math.Abs(sum)), sum))
		if j > 0 {
			quantiles[j] = max(quantiles[j], quantiles[j-1])
		}
	}
	total.Quantiles = quantiles
	return total
}

// days makes day totals net of the bot.
func (b botEffect) days(totals []scheduling.Point, loc *time.Location) []scheduling.Point {
	byDay := map[calendar.Date]botTaken{}
	for i, p := range b.before {
		date := calendar.DateOf(p.Start, loc)
		s := byDay[date]
		b.add(&s, i)
		byDay[date] = s
	}
	days := make([]scheduling.Point, len(totals))
	for i, d := range totals {
		days[i] = b.net(d, byDay[calendar.DateOf(d.Start, loc)])
	}
	return days
}

// span makes the total of a span net of the bot.
func (b botEffect) span(total scheduling.Point, from, until time.Time) scheduling.Point {
	var s botTaken
	for i, p := range b.before {
		if !p.Start.Before(from) && p.Start.Before(until) {
			b.add(&s, i)
		}
	}
	return b.net(total, s)
}

// events makes the totals of events and phases net of the bot.
func (b botEffect) events(events []EventForecast) []EventForecast {
	out := slices.Clone(events)
	for i := range out {
		out[i].Total = b.span(out[i].Total, out[i].From, out[i].Until)
		out[i].Phases = slices.Clone(out[i].Phases)
		for j, p := range out[i].Phases {
			out[i].Phases[j].Total = b.span(p.Total, p.From, p.Until)
		}
	}
	return out
}

func countsDoubts(counts Counted, noBot, planned bool, share float64) []string {
	switch {
	case noBot && !planned:
		return nil
	case noBot:
		return []string{"no conversation is recorded that a bot ended alone: its share before the planned change is taken as none"}
	case counts == CountsArrivals:
		return []string{fmt.Sprintf("the contact history counts conversations that the bot ends alone; %.0f %% are taken off, and back-test and findings are of the history as it is", 100*share)}
	case counts == "" && planned:
		return []string{"whether the contact history counts conversations that the bot ends alone cannot be told: only the planned change is taken off"}
	case counts == "":
		return []string{"whether the contact history counts conversations that the bot ends alone cannot be told: nothing is taken off"}
	}
	return nil
}
