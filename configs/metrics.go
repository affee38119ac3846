package configs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
)

// metricFiles are the packs in the order in which reports and lists show their metrics.
var metricFiles = []string{
	"metrics/neutral.yaml", "metrics/tmall.yaml", "metrics/jd.yaml", "metrics/pdd.yaml", "metrics/douyin.yaml", "metrics/kuaishou.yaml",
}

// aggregateStates are the sums that the roll-ups keep; a definition without a rule may name only these.
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

// packed is a definition and where it was written.
type packed struct {
	kpi.Definition
	file string
	path string // "metrics[3]"
	own  bool   // of an operator's pack
}

// Metrics returns the metric definitions that ship with the binary, in the order reports show
// them. A broken file is a config.pack or config.metrics fault with every bad field.
func Metrics() (kpi.Definitions, error) { return MetricsWith("") }

// MetricsWith returns the shipped definitions followed by those of an operator's packs: every *.yaml
// file of a directory, in the order of the names, under the same checks. A version of the operator's
// that starts inside a shipped version without an end ends that version on the day before; nothing
// else of a shipped definition can be changed, and a shipped metric and version cannot be named
// again. An empty dir is no directory. Errors: config.file, config.pack, config.metrics.
func MetricsWith(dir string) (kpi.Definitions, error) {
	var all []packed
	for _, name := range metricFiles {
		var pack metricPack
		if err := readPack(name, &pack); err != nil {
			return nil, err
		}
		all = appendPack(all, name, pack, false)
	}
	own, err := ownPacks(dir)
	if err != nil {
		return nil, err
	}
	all = append(all, own...)
	succeed(all)
	if err := checkMetrics(all); err != nil {
		return nil, err
	}
	out := make(kpi.Definitions, len(all))
	for i, p := range all {
		out[i] = p.Definition
	}
	return out, nil
}

func appendPack(to []packed, file string, pack metricPack, own bool) []packed {
	for i, d := range pack.Metrics {
		to = append(to, packed{Definition: d, file: file, path: fmt.Sprintf("metrics[%d]", i), own: own})
	}
	return to
}

func ownPacks(dir string) ([]packed, error) {
	if dir == "" {
		return nil, nil
	}
	if _, err := os.ReadDir(dir); err != nil {
		return nil, fault.Wrap(err, fault.NotFound, "config.file", "the directory of metric packs %s cannot be read", dir)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.yaml")) // in the order of the names
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "config.file", "metrics_dir %s holds a character with a meaning in patterns", dir)
	}
	var all []packed
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fault.Wrap(err, fault.NotFound, "config.file", "the metric pack %s cannot be read", name)
		}
		var pack metricPack
		if err := decodePack(name, text, &pack); err != nil {
			return nil, err
		}
		all = appendPack(all, name, pack, true)
	}
	return all, nil
}

// succeed ends a shipped version without an end on the day the first of the operator's versions
// after it starts.
func succeed(all []packed) {
	for i := range all {
		was := &all[i]
		if was.own || !was.Effective.Until.IsZero() {
			continue
		}
		for _, next := range all {
			later := next.own && next.Metric == was.Metric && was.Effective.From.Before(next.Effective.From)
			if later && (was.Effective.Until.IsZero() || next.Effective.From.Before(was.Effective.Until)) {
				was.Effective.Until = next.Effective.From
			}
		}
	}
}

// checkMetrics reports every bad field of every definition, and versions that meet.
func checkMetrics(all []packed) error {
	var bad []fault.Field
	for i, d := range all {
		report := func(path, value, problem string) {
			bad = append(bad, fault.Field{File: d.file, Path: d.path + "." + path, Value: value, Problem: problem})
		}
		for _, f := range definitionFaults(d.Definition) {
			report(f.Path, f.Value, f.Problem)
		}
		for _, o := range all[:i] {
			switch {
			case o.Metric != d.Metric:
			case o.Version == d.Version:
				report("version", d.Version, "is there twice, see "+o.file)
			case o.Effective.Overlaps(d.Effective):
				report("effective", d.Version, "overlaps version "+o.Version)
			case o.Unit != d.Unit:
				report("unit", string(d.Unit), fmt.Sprintf("differs from version %s (%s): one metric has one unit", o.Version, o.Unit))
			}
		}
	}
	return fault.Bad("config.metrics", "metric definitions", bad)
}

var (
	units     = []kpi.Unit{kpi.Count, kpi.Share, kpi.Seconds, kpi.Rating, kpi.Ratio, kpi.Yuan}
	qualities = []string{"A", "B", "C", "GK"}
)

// definitionFaults reports what is wrong with one definition; paths are relative to it.
func definitionFaults(d kpi.Definition) []fault.Field {
	var bad []fault.Field
	report := func(path, value, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: value, Problem: problem})
	}
	for path, id := range map[string]string{"metric": string(d.Metric), "version": d.Version} {
		if problem := ids.Check(id); problem != "" {
			report(path, id, problem)
		}
	}
	for path, value := range map[string]string{
		"effective.from": d.Effective.From.String(), "name": d.Name, "name_zh": d.NameZH, "base": d.Base, "text": d.Text, "source": d.Source,
	} {
		if value == "" {
			report(path, string(d.Metric), "is missing")
		}
	}
	if problem := datesProblem(d.Effective); problem != "" {
		report("effective.until", d.Effective.Until.String(), problem)
	}
	if !slices.Contains(units, d.Unit) {
		report("unit", string(d.Unit), "must be count, share, seconds, rating, ratio or yuan")
	}
	if !slices.Contains(qualities, d.Quality) {
		report("quality", d.Quality, "must be A, B, C or GK")
	}
	for i, p := range d.Platforms {
		if !slices.Contains(contracts.Platforms, contracts.Platform(p)) {
			report(fmt.Sprintf("platforms[%d]", i), p, fmt.Sprintf("must be one of %s", fault.Names(contracts.Platforms)))
		}
	}
	bad = append(bad, d.ChannelProblems()...)
	if d.MinSample < 0 {
		report("min_sample", fmt.Sprint(d.MinSample), "must be 0 or more")
	}
	for i, e := range d.Exempt {
		at := fmt.Sprintf("exempt[%d]", i)
		if e.From.IsZero() || e.Until.IsZero() || datesProblem(e.Dates) != "" {
			report(at, e.Reason, "must have from and, after it, until: the first day that is assessed again")
		}
		if e.Reason == "" || e.Source == "" {
			report(at, e.Reason, "must say its reason and its source")
		}
	}
	if d.Rule != nil {
		bad = append(bad, ruleFaults(d)...)
	} else {
		bad = append(bad, sumFaults(d)...)
	}
	slices.SortFunc(bad, func(a, b fault.Field) int { return strings.Compare(a.Path, b.Path) })
	return bad
}

func datesProblem(p calendar.Dates) string {
	if !p.Until.IsZero() && !p.From.Before(p.Until) {
		return "must lie after from: it is the first day no longer in force"
	}
	return ""
}

// sumFaults checks a definition over the sums that every roll-up keeps.
func sumFaults(d kpi.Definition) []fault.Field {
	var bad []fault.Field
	if !slices.Contains(aggregateStates, d.Numerator) {
		bad = append(bad, fault.Field{Path: "numerator", Value: d.Numerator, Problem: "is not an aggregate state"})
	}
	counts := d.Unit == kpi.Count
	if counts != (d.Denominator == "") || !counts && !slices.Contains(aggregateStates, d.Denominator) {
		bad = append(bad, fault.Field{Path: "denominator", Value: d.Denominator, Problem: "must name an aggregate state, or be empty for a count"})
	}
	if len(d.Exempt) > 0 {
		bad = append(bad, fault.Field{Path: "exempt", Problem: "needs a rule: the plain sums know no exemption"})
	}
	if len(d.Platforms) > 0 {
		bad = append(bad, fault.Field{Path: "platforms", Problem: "needs a rule: the plain sums know no platform; ask by shop"})
	}
	return bad
}

// measureUnits is the unit of what a rule measures.
var measureUnits = map[kpi.Measure]kpi.Unit{
	kpi.Within: kpi.Share, kpi.Mean: kpi.Seconds, kpi.Items: kpi.Count, kpi.Converted: kpi.Share, kpi.Amount: kpi.Yuan,
}

// ruleFaults checks a definition that counts events.
func ruleFaults(d kpi.Definition) []fault.Field {
	var bad []fault.Field
	for _, f := range d.Rule.Problems(d.Base) {
		f.Path = "rule." + f.Path
		bad = append(bad, f)
	}
	if want, ok := measureUnits[d.Rule.Measure]; ok && d.Unit != want {
		bad = append(bad, fault.Field{Path: "unit", Value: string(d.Unit), Problem: fmt.Sprintf("must be %s: the rule measures %s", want, d.Rule.Measure)})
	}
	if d.Numerator != "" || d.Denominator != "" {
		bad = append(bad, fault.Field{Path: "numerator", Value: d.Numerator, Problem: "must be empty when there is a rule, and denominator too"})
	}
	return bad
}
