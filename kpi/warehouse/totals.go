package warehouse

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
)

// spot is what a reading is about: the values of the groups, ” when not grouped by, and the grain
// step as seconds since 1970 or slot of the day.
type spot struct {
	merchant, shop, queue, agent string
	step                         int64
}

// cells are what a row of an answer begins with.
func (p *spot) cells() []any { return []any{&p.merchant, &p.shop, &p.queue, &p.agent, &p.step} }

func comparePlaces(a, b spot) int {
	return cmp.Or(strings.Compare(a.merchant, b.merchant), strings.Compare(a.shop, b.shop), strings.Compare(a.queue, b.queue),
		strings.Compare(a.agent, b.agent), cmp.Compare(a.step, b.step))
}

// sums2 is a numerator and a denominator, in the units of a reading.
type sums2 struct {
	numerator, denominator float64
	open                   bool // it can still rise
}

// total adds up the answers about one metric: of the segments of its range, and of the parts that a segment
// was asked in.
type total struct {
	query    kpi.Query
	segments []kpi.Segment
	zone     *time.Location
	sums     map[spot]sums2
}

func (t total) add(at spot, s sums2) {
	sum := t.sums[at]
	sum.numerator += s.numerator
	sum.denominator += s.denominator
	sum.open = sum.open || s.open
	t.sums[at] = sum
}

// readings are the figures in order of place.
func (t total) readings() []kpi.Reading {
	if len(t.sums) == 0 && t.query.Grain == kpi.Whole && len(t.query.By) == 0 {
		t.sums[spot{}] = sums2{}
	}
	readings := make([]kpi.Reading, 0, len(t.sums))
	for _, at := range slices.SortedFunc(maps.Keys(t.sums), comparePlaces) {
		readings = append(readings, t.reading(at, t.sums[at]))
	}
	return readings
}

// isCount reports a figure without a denominator.
func isCount(d kpi.Definition) bool {
	if d.Rule == nil {
		return d.Denominator == ""
	}
	return d.Rule.Measure == kpi.Items || d.Rule.Measure == kpi.Amount
}

func (t total) reading(at spot, s sums2) kpi.Reading {
	r := kpi.Reading{
		Merchant: ids.Merchant(at.merchant), Shop: ids.Shop(at.shop), Queue: ids.Queue(at.queue), Agent: ids.Agent(at.agent),
		Numerator: s.numerator, Denominator: s.denominator, Provisional: s.open,
	}
	span := t.query.Range
	switch t.query.Grain {
	case kpi.Whole:
	case kpi.SlotOfDay:
		r.Slot = int(at.step)
	default:
		r.Start = time.Unix(at.step, 0).UTC()
		span = t.stepRange(r.Start)
	}
	least := 0
	var versions []string
	for _, s := range t.segments {
		if s.Range.Overlap(span) > 0 {
			r.Metric = s.Definition.Metric
			versions = append(versions, s.Definition.Version)
			least = max(least, s.Definition.MinSample)
		}
	}
	r.Version = strings.Join(versions, "+")
	if isCount(t.segments[0].Definition) {
		r.Denominator = 1
	} else {
		r.TooFew = 0 < r.Denominator && r.Denominator < float64(least)
	}
	if r.Denominator > 0 {
		value := r.Numerator / r.Denominator
		r.Value = &value
	}
	return r
}

// stepRange is the time that a grain step covers.
func (t total) stepRange(start time.Time) calendar.Range {
	date := calendar.DateOf(start, t.zone)
	switch t.query.Grain {
	case kpi.Day:
		return calendar.Day(date, t.zone)
	case kpi.Month:
		return date.MonthOf().Range(t.zone)
	case kpi.Hour:
		return calendar.Range{Start: start, End: start.Add(time.Hour)}
	}
	return calendar.Range{Start: start, End: start.Add(calendar.Slot)}
}
