package exports

import (
	"time"

	"github.com/chaoban/chaoban/kpi"
)

// Definition finds the definition behind a reading: the exact version, else any version of the
// metric, else a nameless one that shows the metric's id.
func (r SLAReport) Definition(metric kpi.Metric, version string) kpi.Definition {
	found := kpi.Definition{Metric: metric, Version: version, Name: string(metric), NameZH: string(metric)}
	for _, d := range r.Definitions {
		if d.Metric != metric {
			continue
		}
		if d.Version == version {
			return d
		}
		found = d
	}
	return found
}

// Target finds the term that a figure of the whole contract can be held against: same metric,
// all skills, all day, and for a metric with a limit the report's own limit.
func (r SLAReport) Target(metric kpi.Metric) (TermLine, bool) {
	for _, l := range r.Lines {
		t := l.Term
		if kpi.Metric(t.Metric) != metric || t.Skill != "" || t.Window != "" {
			continue
		}
		if t.Within == "" {
			return l, true
		}
		if limit, err := time.ParseDuration(t.Within); err == nil && limit == r.Within {
			return l, true
		}
	}
	return TermLine{}, false
}

// Judged counts the verdicts of the report.
func (r SLAReport) Judged() map[Verdict]int {
	counts := map[Verdict]int{}
	for _, l := range r.Lines {
		counts[l.Verdict]++
	}
	return counts
}
