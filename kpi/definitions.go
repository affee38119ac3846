package kpi

import (
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
		return Definition{}, fault.New(fault.Invalid, "kpi.metric.not_effective",
			"metric %q has no version that is effective on %s", metric, date)
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

// Lookup resolves a query's metrics: the pinned version when the query names one, otherwise the
// version effective on the first date of the range. A range in which the version changes is
// refused: figures under two definitions are not one figure. Errors: kpi.metric.unknown,
// kpi.metric.not_effective, kpi.metric.changes.
func (d Definitions) Lookup(q Query, zone *time.Location) ([]Definition, error) {
	found := make([]Definition, 0, len(q.Metrics))
	for _, metric := range q.Metrics {
		definition, err := d.one(metric, q, zone)
		if err != nil {
			return nil, err
		}
		found = append(found, definition)
	}
	return found, nil
}

func (d Definitions) one(metric Metric, q Query, zone *time.Location) (Definition, error) {
	if q.Version != "" {
		return d.Version(metric, q.Version)
	}
	first := calendar.DateOf(q.Range.Start, zone)
	last := calendar.DateOf(q.Range.End.Add(-1), zone)
	definition, err := d.On(metric, first)
	if err == nil && !definition.Effective.Contains(last) {
		err = fault.New(fault.Invalid, "kpi.metric.changes",
			"the definition of %q changes on %s, inside the range; ask for each part or name a version",
			metric, definition.Effective.Until)
	}
	return definition, err
}
