package gate

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// A span of days is seldom covered by one document. Here the newest document of a queue decides
// every instant that it covers, older ones the rest, and the open days that nobody covers are named.

// GapDays are the open days of a queue for which there is no plan.
type GapDays struct {
	Queue ids.Queue       `json:"queue"`
	Days  []calendar.Date `json:"days"` // ascending
}

// Without is what of some ranges lies outside others.
func Without(ranges, taken []calendar.Range) []calendar.Range {
	for _, t := range taken {
		var left []calendar.Range
		for _, r := range ranges {
			if !r.Overlaps(t) {
				left = append(left, r)
				continue
			}
			for _, piece := range []calendar.Range{{Start: r.Start, End: t.Start}, {Start: t.End, End: r.End}} {
				if piece.Valid() {
					left = append(left, piece)
				}
			}
		}
		ranges = left
	}
	return ranges
}

// shareOut gives each of several covers, newest first, the parts of a span that no newer one has,
// and returns what is left over.
func shareOut(span calendar.Range, covers [][]calendar.Range) (shares [][]calendar.Range, left []calendar.Range) {
	left = []calendar.Range{span}
	for _, cover := range covers {
		rest := Without(left, cover)
		shares = append(shares, Without(left, rest))
		left = rest
	}
	return shares, left
}

// Covered is the documents of one queue with the parts of a span that each of them decides.
type Covered[D any] struct {
	Queue  ids.Queue
	Docs   []D
	Shares [][]calendar.Range // one list per document, not empty
	Left   []calendar.Range   // what none of them speaks about
}

// Divide shares a span out among the documents of each queue, which come newest first. A document
// that decides nothing is left out, and so is a queue without any. The queues ascend.
func Divide[D any](docs []D, queue func(D) ids.Queue, cover func(D) []calendar.Range, span calendar.Range) []Covered[D] {
	own := map[ids.Queue][]D{}
	for _, d := range docs {
		own[queue(d)] = append(own[queue(d)], d)
	}
	var out []Covered[D]
	for _, q := range slices.Sorted(maps.Keys(own)) {
		covers := make([][]calendar.Range, len(own[q]))
		for i, d := range own[q] {
			covers[i] = cover(d)
		}
		shares, left := shareOut(span, covers)
		one := Covered[D]{Queue: q, Left: left}
		for i, d := range own[q] {
			if len(shares[i]) > 0 {
				one.Docs, one.Shares = append(one.Docs, d), append(one.Shares, shares[i])
			}
		}
		if len(one.Docs) > 0 {
			out = append(out, one)
		}
	}
	return out
}

// Clashes are the named documents that speak about days of a span about which another one of the
// same queue speaks too: whoever names both does not say which of them holds.
func Clashes[D any](path string, docs []D, queue func(D) ids.Queue, cover func(D) []calendar.Range, span calendar.Range) (bad []fault.Field) {
	all := []calendar.Range{span}
	for i, d := range docs {
		mine := Without(all, Without(all, cover(d)))
		for j, other := range docs[:i] {
			both := Without(mine, Without(mine, cover(other)))
			if queue(other) == queue(d) && len(both) > 0 {
				bad = append(bad, fault.Field{
					Path: fmt.Sprintf("%s[%d]", path, i), Value: string(queue(d)),
					Problem: fmt.Sprintf("covers days of its queue that %s[%d] covers too", path, j),
				})
			}
		}
	}
	return bad
}

// Repeats are the names that a list holds twice.
func Repeats[T ~string](path string, names []T) (bad []fault.Field) {
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("%s[%d]", path, i), Value: string(name), Problem: "is named twice"})
		}
	}
	return bad
}

// OpenDays are the business days of some ranges on which a queue is open in them; a queue without
// known hours is open always.
func OpenDays(left []calendar.Range, hours string, zone *time.Location) ([]calendar.Date, error) {
	open := forecast.AlwaysOpen()
	if hours != "" {
		var err error
		if open, err = forecast.ParseHours(hours); err != nil {
			return nil, err
		}
	}
	var days []calendar.Date
	for _, r := range left {
		for slot := range r.Slots(calendar.Slot) {
			local := slot.Start.In(zone)
			if day := calendar.DateOf(slot.Start, zone); open.Open(local.Weekday(), local.Hour()*60+local.Minute()) && !slices.Contains(days, day) {
				days = append(days, day)
			}
		}
	}
	return days, nil
}

// ForecastCover is what a forecast speaks about: from its origin to its horizon, closed hours
// included. Its own range is that of its first and last open slot only.
func ForecastCover(f store.Forecast) []calendar.Range {
	if r, ok := ForecastFigures(f); ok && r.Horizon > 0 && !r.Origin.IsZero() {
		return []calendar.Range{{Start: r.Origin, End: r.Origin.Add(time.Duration(r.Horizon))}}
	}
	return []calendar.Range{f.Range}
}

// ForecastFigures reads the account of a forecast; one that was not made here may have none.
func ForecastFigures(f store.Forecast) (forecast.Result, bool) {
	var r forecast.Result
	err := json.Unmarshal(f.Figures, &r)
	return r, err == nil
}

// planParts is what the figures of a plan say about its parts; empty for a plan that was not made here.
func planParts(p store.Plan) []planPart {
	var figures struct {
		Parts []planPart `json:"parts"`
	}
	_ = json.Unmarshal(p.Figures, &figures) // one that was not made here has none
	return figures.Parts
}

type planPart struct {
	Range    calendar.Range `json:"range"`
	Forecast ids.Forecast   `json:"forecast"`
}

// PlanCover is what a plan speaks about, closed hours included.
func PlanCover(p store.Plan) []calendar.Range {
	parts := planParts(p)
	if len(parts) == 0 {
		return []calendar.Range{p.Range}
	}
	out := make([]calendar.Range, len(parts))
	for i, part := range parts {
		out[i] = part.Range
	}
	return out
}

// PlanForecasts are the forecasts that a plan is made of.
func PlanForecasts(p store.Plan) []ids.Forecast {
	out := []ids.Forecast{p.Forecast}
	for _, part := range planParts(p) {
		out = append(out, part.Forecast)
	}
	return out
}

// Inside reports an instant that lies in one of some ranges.
func Inside(ranges []calendar.Range, at time.Time) bool {
	return slices.ContainsFunc(ranges, func(r calendar.Range) bool { return r.Contains(at) })
}

// Placed puts the place before the message of a fault from an engine that does not know it.
func Placed(err error, place string) error {
	e := *fault.Of(err)
	e.Message = place + ": " + e.Message
	return &e
}
