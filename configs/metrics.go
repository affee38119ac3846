package configs

import (
	"fmt"
	"slices"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/kpi"
)

const neutralFile = "metrics/neutral.yaml"

// aggregateStates are the sums that the roll-ups keep; a definition may name only these.
// "within" is the one with a parameter: first human responses within kpi.Query.Within.
var aggregateStates = []string{
	"offered", "answered", "abandoned",
	"first_response_seconds", "first_response_count", "within",
	"rounds", "rounds_answered", "round_response_seconds", "rounds_within_60", "rounds_within_180",
	"resolved", "resolved_known",
	"rating_sum", "rating_count", "rating_good",
	"agent_messages", "buyer_messages",
	"handle_seconds", "busy_seconds", "ready_seconds", "on_seconds",
}

type metricPack struct {
	Pack    string           `yaml:"pack"`
	Metrics []kpi.Definition `yaml:"metrics"`
}

// Metrics returns the metric definitions that ship with the binary, in the order reports show
// them. A broken file is a config.pack or config.metrics fault with every bad field.
func Metrics() ([]kpi.Definition, error) {
	var pack metricPack
	if err := readPack(neutralFile, &pack); err != nil {
		return nil, err
	}
	if err := validateMetrics(neutralFile, pack.Metrics); err != nil {
		return nil, err
	}
	return pack.Metrics, nil
}

func validateMetrics(file string, defs []kpi.Definition) error {
	var bad []fault.Field
	for i, d := range defs {
		for _, f := range definitionFaults(d) {
			f.File, f.Path = file, fmt.Sprintf("metrics[%d].%s", i, f.Path)
			bad = append(bad, f)
		}
		for _, o := range defs[:i] {
			if o.Metric != d.Metric {
				continue
			}
			if o.Version == d.Version {
				bad = append(bad, fault.Field{File: file, Path: fmt.Sprintf("metrics[%d].version", i), Value: d.Version, Problem: "is there twice"})
			} else if o.Effective.Overlaps(d.Effective) {
				bad = append(bad, fault.Field{File: file, Path: fmt.Sprintf("metrics[%d].effective", i), Value: d.Version, Problem: "overlaps version " + o.Version})
			}
		}
	}
	return fault.Bad("config.metrics", "metric definitions", bad)
}

// definitionFaults reports what one definition lacks; paths are relative to it.
func definitionFaults(d kpi.Definition) []fault.Field {
	var bad []fault.Field
	need := func(path, value string) {
		if value == "" {
			bad = append(bad, fault.Field{Path: path, Value: string(d.Metric), Problem: "is missing"})
		}
	}
	need("metric", string(d.Metric))
	need("version", d.Version)
	need("effective.from", d.Effective.From.String())
	need("name", d.Name)
	need("name_zh", d.NameZH)
	need("base", d.Base)
	need("text", d.Text)
	need("source", d.Source)
	if !slices.Contains([]kpi.Unit{kpi.Count, kpi.Share, kpi.Seconds, kpi.Rating, kpi.Ratio}, d.Unit) {
		bad = append(bad, fault.Field{Path: "unit", Value: string(d.Unit), Problem: "must be count, share, seconds, rating or ratio"})
	}
	if !slices.Contains([]string{"A", "B", "C", "GK"}, d.Quality) {
		bad = append(bad, fault.Field{Path: "quality", Value: d.Quality, Problem: "must be A, B, C or GK"})
	}
	if !slices.Contains(aggregateStates, d.Numerator) {
		bad = append(bad, fault.Field{Path: "numerator", Value: d.Numerator, Problem: "is not an aggregate state"})
	}
	counts := d.Unit == kpi.Count
	if counts != (d.Denominator == "") || !counts && !slices.Contains(aggregateStates, d.Denominator) {
		bad = append(bad, fault.Field{Path: "denominator", Value: d.Denominator, Problem: "must name an aggregate state, or be empty for a count"})
	}
	return bad
}
