package kpi

import (
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
)

// Definitions is a set of metric definitions, at most one version of a metric per date.
type Definitions []Definition

// On returns the version of a metric that is effective on a civil date.
// Errors: kpi.metric.unknown, kpi.metric.not_effective.
func (d Definitions) On(metric Metric, date calendar.Date) (Definition, error) {
	known := false
	for _, candidate := range d {
		if candidate.Metric != metric {
			continue
		}
		known = true
		if candidate.Effective.Contains(date) {
			return candidate, nil
		}
	}
	if known {
		return Definition{}, notEffective(metric, date)
	}
	return Definition{}, unknownMetric(metric)
}

// Version returns a named version of a metric, whatever the date: a past period can be computed
// under any version. Errors: kpi.metric.unknown.
func (d Definitions) Version(metric Metric, version string) (Definition, error) {
	for _, candidate := range d {
		if candidate.Metric == metric && candidate.Version == version {
			return candidate, nil
		}
	}
	return Definition{}, unknownMetric(metric)
}

func unknownMetric(metric Metric) error {
	return fault.New(fault.NotFound, "kpi.metric.unknown", "there is no metric %q", fault.Shorten(string(metric)))
}

func notEffective(metric Metric, date calendar.Date) error {
	return fault.New(fault.Invalid, "kpi.metric.not_effective", "metric %q has no version that is effective on %s", metric, date)
}

// Segment is a part of a range of instants with the one version that counts in it.
type Segment struct {
	Definition Definition
	Range      calendar.Range
}

// Segments are the versions of a metric in force over a range, in order of time: each from the
// start of its first business date to the start of the first one it is no longer effective on, cut
// to the range. Dates without a version are in no segment. A figure over the range is the sum of
// the figures of the segments.
func (d Definitions) Segments(metric Metric, r calendar.Range, zone *time.Location) []Segment {
	var segments []Segment
	for _, candidate := range d {
		if candidate.Metric != metric {
			continue
		}
		part := r
		if from := candidate.Effective.From.In(zone); from.After(part.Start) {
			part.Start = from
		}
		if until := candidate.Effective.Until; !until.IsZero() && until.In(zone).Before(part.End) {
			part.End = until.In(zone)
		}
		if part.Start.Before(part.End) {
			segments = append(segments, Segment{candidate, part})
		}
	}
	slices.SortFunc(segments, func(a, b Segment) int { return a.Range.Start.Compare(b.Range.Start) })
	return segments
}

// Lookup resolves a query's metrics, in order, to the segments that make up their figures: the
// pinned version over the whole range when the query names one, otherwise the versions in force,
// which must leave no gap. Errors: kpi.metric.unknown, kpi.metric.not_effective.
func (d Definitions) Lookup(q Query, zone *time.Location) ([][]Segment, error) {
	found := make([][]Segment, 0, len(q.Metrics))
	for _, metric := range q.Metrics {
		segments, err := d.segments(metric, q, zone)
		if err != nil {
			return nil, err
		}
		found = append(found, segments)
	}
	return found, nil
}

func (d Definitions) segments(metric Metric, q Query, zone *time.Location) ([]Segment, error) {
	if q.Version != "" {
		definition, err := d.Version(metric, q.Version)
		return []Segment{{definition, q.Range}}, err
	}
	if !slices.ContainsFunc(d, func(candidate Definition) bool { return candidate.Metric == metric }) {
		return nil, unknownMetric(metric)
	}
	segments := d.Segments(metric, q.Range, zone)
	covered := q.Range.Start
	for _, s := range segments {
		if s.Range.Start.After(covered) {
			break
		}
		covered = s.Range.End
	}
	if covered.Before(q.Range.End) {
		return nil, notEffective(metric, calendar.DateOf(covered, zone))
	}
	return segments, nil
}
