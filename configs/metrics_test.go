package configs

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/kpi"
)

func TestNeutralPackIsComplete(t *testing.T) {
	defs, err := Metrics()
	require.NoError(t, err)
	var names []kpi.Metric
	for _, d := range defs {
		names = append(names, d.Metric)
		assert.NotEmpty(t, d.Version, d.Metric)
		assert.False(t, d.Effective.From.IsZero(), d.Metric)
		assert.NotEmpty(t, d.Source, d.Metric)
		assert.NotEmpty(t, d.Name, d.Metric)
		assert.NotEmpty(t, d.NameZH, d.Metric)
		assert.NotEmpty(t, d.Text, d.Metric)
		assert.Contains(t, aggregateStates, d.Numerator)
		if d.Denominator != "" {
			assert.Contains(t, aggregateStates, d.Denominator)
		}
	}
	for _, want := range []kpi.Metric{
		"offered", "handled", "abandoned", "abandonment", "first_response", "answered_within",
		"avg_response", "round_within_60", "resolution", "satisfaction", "satisfaction_share",
		"answer_question_ratio", "handle_time", "occupancy",
	} {
		assert.Contains(t, names, want)
	}
}

func TestBrokenDefinitionsAreAllReported(t *testing.T) {
	good, err := Metrics()
	require.NoError(t, err)
	cases := map[string]struct {
		change func(*kpi.Definition)
		path   string
	}{
		"no source":                {func(d *kpi.Definition) { d.Source = "" }, "source"},
		"no start":                 {func(d *kpi.Definition) { d.Effective = calendar.Dates{} }, "effective.from"},
		"unknown state":            {func(d *kpi.Definition) { d.Numerator = "happiness" }, "numerator"},
		"unknown unit":             {func(d *kpi.Definition) { d.Unit = "yuan" }, "unit"},
		"count with a denominator": {func(d *kpi.Definition) { d.Denominator = "offered" }, "denominator"},
		"unknown quality":          {func(d *kpi.Definition) { d.Quality = "Z" }, "quality"},
	}
	for name, c := range cases {
		d := good[0]
		c.change(&d)
		fields := definitionFaults(d)
		require.NotEmpty(t, fields, name)
		assert.Equal(t, c.path, fields[0].Path, name)
	}
	twice := validateMetrics("f.yaml", slices.Concat(good, good[:1]))
	assert.Equal(t, "config.metrics", fault.CodeOf(twice))
	overlap := good[0]
	overlap.Version = "neutral-2"
	assert.ErrorContains(t, validateMetrics("f.yaml", slices.Concat(good, []kpi.Definition{overlap})), "overlaps version neutral-1")
}

func TestPackLoaderIsStrict(t *testing.T) {
	var pack metricPack
	err := decodePack("m.yaml", []byte("pack: x\nmetrics:\n  - metric: a\n    colour: red\n"), &pack)
	require.Error(t, err)
	f := fault.Of(err).Fields
	require.Len(t, f, 1)
	assert.Equal(t, 4, f[0].Row)
	assert.Contains(t, f[0].Problem, "colour")
	assert.Equal(t, "config.pack", fault.CodeOf(err))

	assert.Error(t, decodePack("m.yaml", []byte("pack: x\n---\npack: y\n"), &pack), "two documents")
	assert.Error(t, decodePack("m.yaml", []byte("metrics: 3\n"), &pack), "wrong type")
	assert.Error(t, readPack("metrics/none.yaml", &pack))
}
