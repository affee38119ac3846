package operations

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/kpi"
)

// Explained is one version of a metric with what it counts in plain words.
type Explained struct {
	kpi.Definition
	Plain kpi.Words `json:"plain"`
}

func explained(d kpi.Definition) Explained { return Explained{d, d.Plain()} }

// Metrics lists the metric definitions, every version, in the order of the packs.
func (m *Measuring) Metrics(_ context.Context, who access.Principal) ([]kpi.Definition, error) {
	if who.User == "" {
		return nil, fault.New(fault.Unauthenticated, "access.unauthenticated", "log in first")
	}
	return m.deps.Definitions, nil
}

// Metric tells one metric in full: all its versions, oldest first, or the one that is named. Errors:
// kpi.metric.unknown, kpi.version.unknown, which lists the known ones.
func (m *Measuring) Metric(_ context.Context, who access.Principal, metric kpi.Metric, version string) ([]Explained, error) {
	if who.User == "" {
		return nil, fault.New(fault.Unauthenticated, "access.unauthenticated", "log in first")
	}
	if version != "" {
		d, err := m.version(metric, version)
		return []Explained{explained(d)}, err
	}
	var all []Explained
	for _, d := range m.deps.Definitions {
		if d.Metric == metric {
			all = append(all, explained(d))
		}
	}
	if len(all) == 0 {
		_, err := m.deps.Definitions.Version(metric, "")
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b Explained) int { return cmp.Compare(a.Effective.From.Sub(b.Effective.From), 0) })
	return all, nil
}

// Behind tells the definitions behind readings, each once, in the order in which the readings name
// them. A reading over a change of definition ("v1+v2") names both.
func (m *Measuring) Behind(_ context.Context, who access.Principal, readings []kpi.Reading) ([]Explained, error) {
	if who.User == "" {
		return nil, fault.New(fault.Unauthenticated, "access.unauthenticated", "log in first")
	}
	var out []Explained
	for _, d := range m.definitionsOf(readings) {
		out = append(out, explained(d))
	}
	return out, nil
}

// definitionsOf are the definitions that readings were made with, each once.
func (b base) definitionsOf(readings []kpi.Reading) []kpi.Definition {
	var out []kpi.Definition
	seen := map[string]bool{}
	for _, r := range readings {
		for version := range strings.SplitSeq(r.Version, versionJoin) {
			d, err := b.deps.Definitions.Version(r.Metric, version)
			if err == nil && !seen[d.Key()] {
				seen[d.Key()] = true
				out = append(out, d)
			}
		}
	}
	return out
}

// versionJoin stands between the versions of a reading over several; no version has it in its name.
const versionJoin = "+"

// joinVersions names every version of readings that are merged, once, in their order.
func joinVersions(parts []kpi.Reading) string {
	var names []string
	for _, p := range parts {
		for version := range strings.SplitSeq(p.Version, versionJoin) {
			if !slices.Contains(names, version) {
				names = append(names, version)
			}
		}
	}
	return strings.Join(names, versionJoin)
}

// version finds one version of a metric; when there is none of the name it says which there are.
func (b base) version(metric kpi.Metric, version string) (kpi.Definition, error) {
	d, err := b.deps.Definitions.Version(metric, version)
	if err == nil {
		return d, nil
	}
	known := b.versionsOf(metric)
	if len(known) == 0 {
		return d, fault.New(fault.NotFound, "kpi.metric.unknown", "there is no metric %q; `chaoban kpi metrics` lists them", fault.Shorten(string(metric)))
	}
	return d, fault.New(fault.NotFound, "kpi.version.unknown", "metric %q has no version %q; it has %s", metric, fault.Shorten(version), strings.Join(known, ", "))
}

func (b base) versionsOf(metric kpi.Metric) []string {
	var known []string
	for _, d := range b.deps.Definitions {
		if d.Metric == metric {
			known = append(known, d.Version)
		}
	}
	return known
}

// inForceOver reports whether a metric has a version in force on every day of a range.
func (b base) inForceOver(metric kpi.Metric, r calendar.Range) bool {
	_, err := b.deps.Definitions.Lookup(kpi.Query{Metrics: []kpi.Metric{metric}, Range: r}, b.deps.Zone)
	return err == nil
}
