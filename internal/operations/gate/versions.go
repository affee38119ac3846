package gate

import (
	"slices"
	"strings"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/kpi"
)

// DefinitionsOf are the definitions that readings were made with, each once.
func (g Gate) DefinitionsOf(readings []kpi.Reading) []kpi.Definition {
	var out []kpi.Definition
	seen := map[string]bool{}
	for _, r := range readings {
		for version := range strings.SplitSeq(r.Version, VersionJoin) {
			d, err := g.Definitions.Version(r.Metric, version)
			if err == nil && !seen[d.Key()] {
				seen[d.Key()] = true
				out = append(out, d)
			}
		}
	}
	return out
}

// VersionJoin stands between the versions of a reading over several; no version has it in its name.
const VersionJoin = "+"

// JoinVersions names every version of readings that are merged, once, in their order.
func JoinVersions(parts []kpi.Reading) string {
	var names []string
	for _, p := range parts {
		for version := range strings.SplitSeq(p.Version, VersionJoin) {
			if !slices.Contains(names, version) {
				names = append(names, version)
			}
		}
	}
	return strings.Join(names, VersionJoin)
}

// Version finds one version of a metric; when there is none of the name it says which there are. Errors:
// kpi.metric.unknown, kpi.version.unknown.
func (g Gate) Version(metric kpi.Metric, version string) (kpi.Definition, error) {
	d, err := g.Definitions.Version(metric, version)
	if err == nil {
		return d, nil
	}
	known := g.VersionsOf(metric)
	if len(known) == 0 {
		return d, fault.New(fault.NotFound, "kpi.metric.unknown", "there is no metric %q; `chaoban kpi metrics` lists them", fault.Shorten(string(metric)))
	}
	return d, fault.New(fault.NotFound, "kpi.version.unknown", "metric %q has no version %q; it has %s", metric, fault.Shorten(version), strings.Join(known, ", "))
}

// VersionsOf names the versions of a metric, in the order of the packs.
func (g Gate) VersionsOf(metric kpi.Metric) []string {
	var known []string
	for _, d := range g.Definitions {
		if d.Metric == metric {
			known = append(known, d.Version)
		}
	}
	return known
}

// InForceOver reports whether a metric has a version in force on every day of a range.
func (g Gate) InForceOver(metric kpi.Metric, r calendar.Range) bool {
	_, err := g.Definitions.Lookup(kpi.Query{Metrics: []kpi.Metric{metric}, Range: r}, g.Zone)
	return err == nil
}
