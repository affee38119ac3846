package measuring

import (
	"cmp"
	"context"
	"slices"

	"github.com/chaoban/chaoban/internal/access"
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
	return m.gate.Definitions, nil
}

// Metric tells one metric in full: all its versions, oldest first, or the one that is named. Errors:
// kpi.metric.unknown, kpi.version.unknown, which lists the known ones.
func (m *Measuring) Metric(_ context.Context, who access.Principal, metric kpi.Metric, version string) ([]Explained, error) {
	if who.User == "" {
		return nil, fault.New(fault.Unauthenticated, "access.unauthenticated", "log in first")
	}
	if version != "" {
		d, err := m.gate.Version(metric, version)
		return []Explained{explained(d)}, err
	}
	var all []Explained
	for _, d := range m.gate.Definitions {
		if d.Metric == metric {
			all = append(all, explained(d))
		}
	}
	if len(all) == 0 {
		_, err := m.gate.Definitions.Version(metric, "")
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
	for _, d := range m.gate.DefinitionsOf(readings) {
		out = append(out, explained(d))
	}
	return out, nil
}
