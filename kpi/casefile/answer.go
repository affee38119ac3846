package casefile

import (
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/tally"
)

// Answer computes an expected figure of a case with kpi/tally: under the version it names, else
// under the versions in force on each date of its range together. Definitions without a rule are
// passed over, and so are those for other platforms than the case's, when it names one. Errors:
// kpi.metric.unknown, kpi.query.grain.
func Answer(c Case, e Expect, definitions kpi.Definitions) (kpi.Reading, error) {
	var parts []kpi.Reading
	var unit kpi.Unit
	for _, d := range definitions {
		if d.Metric != e.Metric || d.Rule == nil || e.Version != "" && d.Version != e.Version || c.Platform != "" && !d.Covers(c.Platform) {
			continue
		}
		q := e.Query
		if e.Version == "" {
			q.Range = overlap(q.Range, d.Effective, c.Zone)
		}
		if !q.Range.Valid() {
			continue
		}
		if err := tally.Answerable(d, q, c.Zone); err != nil {
			return kpi.Reading{}, err
		}
		unit = d.Unit
		parts = append(parts, e.Pick(tally.Readings(d, q, c.Zone, items(c, d))))
	}
	switch len(parts) {
	case 0:
		_, err := definitions.Version(e.Metric, e.Version)
		return kpi.Reading{}, err
	case 1:
		return parts[0], nil
	}
	return kpi.Merged(unit, parts), nil
}

// items is what a definition counts in a case.
func items(c Case, d kpi.Definition) []tally.Item {
	switch d.Base {
	case kpi.BaseInquiry:
		return tally.Inquiries(d, c.Zone, c.Orders)
	case kpi.BaseTicket:
		return tally.Tickets(d, c.Zone, c.Tickets)
	}
	return tally.Items(d, c.Zone, c.Timelines)
}

// overlap is the part of a range in which a version is in force; not Valid when there is none.
func overlap(r calendar.Range, dates calendar.Dates, zone *time.Location) calendar.Range {
	if start := dates.From.In(zone); start.After(r.Start) {
		r.Start = start
	}
	if !dates.Until.IsZero() {
		if end := dates.Until.In(zone); end.Before(r.End) {
			r.End = end
		}
	}
	return r
}
