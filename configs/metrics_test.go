package configs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/kpi"
)

func shipped(t *testing.T) kpi.Definitions {
	t.Helper()
	defs, err := Metrics()
	require.NoError(t, err)
	return defs
}

func TestNeutralPackIsComplete(t *testing.T) {
	var names []kpi.Metric
	for _, d := range shipped(t) {
		if len(d.Platforms) > 0 {
			continue
		}
		names = append(names, d.Metric)
		if d.Rule == nil {
			assert.Contains(t, aggregateStates, d.Numerator)
		}
	}
	for _, want := range []kpi.Metric{
		"offered", "handled", "abandoned", "abandonment", "first_response", "answered_within",
		"avg_response", "round_within_60", "resolution", "satisfaction", "satisfaction_share",
		"answer_question_ratio", "handle_time", "occupancy", "ticket_on_time",
	} {
		assert.Contains(t, names, want)
	}
}

// What the platforms' pages say of their rules: domain.md 2.1 and field.md 2.2, checked field by field.
func TestPlatformPacksSayWhatTheirSourcesSay(t *testing.T) {
	defs := shipped(t)
	for _, c := range []struct {
		metric  kpi.Metric
		version string
		base    string
		window  string
		limit   int
		judge   string
		stop    string
		cut     string
	}{
		{"taobao.wangwang_3min", "v2020", kpi.BaseRound, "08:00-24:00", 180, "first", "human", "event"},
		{"tmall.human_3min", "v2023", kpi.BaseRound, "09:00-23:00", 180, "first", "human", "event"},
		{"jd.first_30s", "v2021-11", kpi.BaseSession, "08:00-24:00", 30, "first", "human", "session"},
		{"jd.first_30s", "v2021-12", kpi.BaseSession, "09:00-23:00", 30, "first", "human", "session"},
		{"pdd.effective_reply", "v2019", kpi.BaseBuyerDay, "08:00-23:00", 3600, "every", "human", "event"},
		{"pdd.reply_5min", "v2019", kpi.BaseBuyerDay, "08:00-23:00", 300, "every", "human", "event"},
		{"pdd.human_3min", "v2020-02", kpi.BaseBuyerDay, "08:00-23:00", 180, "every", "human", "event"},
		{"douyin.human_3min", "v-conversation", kpi.BaseSession, "08:00-23:00", 180, "every", "human", "event"},
		{"douyin.human_3min", "v2025-12", kpi.BaseRound, "08:00-23:00", 180, "first", "human", "event"},
		{"kuaishou.human_3min", "v2018", kpi.BaseBuyerDay, "08:00-24:00", 180, "every", "any", "event"},
		{"kuaishou.human_3min", "v2023-03", kpi.BaseBuyerDay, "08:00-23:00", 180, "every", "human", "event"},
	} {
		d, err := defs.Version(c.metric, c.version)
		require.NoError(t, err, "%s %s", c.metric, c.version)
		r := d.Rule.WithDefaults()
		assert.Equal(t, c.base, d.Base, d.Key())
		assert.Equal(t, kpi.Within, r.Measure, d.Key())
		assert.Equal(t, c.window, r.Window, d.Key())
		assert.Equal(t, c.limit, r.Limit, d.Key())
		assert.Equal(t, []string{c.judge, c.stop, c.cut}, []string{r.Judge, r.Stop, r.Cut}, d.Key())
		assert.Equal(t, "miss", r.Unanswered, "%s: an unanswered item is a miss, not left out", d.Key())
	}

	tmall, err := defs.Version("tmall.human_3min", "v2023")
	require.NoError(t, err)
	assert.Equal(t, 100, tmall.MinSample, "the platform does not judge fewer than 100 rounds")

	long, err := defs.Version("tmall.human_response_time", "v2020")
	require.NoError(t, err)
	assert.Equal(t, kpi.Rule{Measure: kpi.Mean, Cap: 600, Stop: "human", ZeroSecond: "exclude", CrossDay: "exclude", Unanswered: "exclude", Closing: "open"}, *long.Rule)
}

// The dates on which a rule replaced another: JD 2021-12-01 and 2025-09, PDD 2020-02-03, Kuaishou 2023-03.
func TestVersionsChangeOnTheDaysTheirSourcesName(t *testing.T) {
	defs := shipped(t)
	for _, c := range []struct {
		metric    kpi.Metric
		first     calendar.Date // of the later version
		was, then string
	}{
		{"jd.first_30s", calendar.MakeDate(2021, 12, 1), "v2021-11", "v2021-12"},
		{"jd.avg_response", calendar.MakeDate(2025, 9, 1), "v2021-12", "v2025-09"},
		{"douyin.human_3min", calendar.MakeDate(2025, 12, 1), "v-conversation", "v2025-12"},
		{"kuaishou.human_3min", calendar.MakeDate(2023, 3, 1), "v2018", "v2023-03"},
	} {
		before, err := defs.On(c.metric, c.first.Add(-1))
		require.NoError(t, err, c.metric)
		after, err := defs.On(c.metric, c.first)
		require.NoError(t, err, c.metric)
		assert.Equal(t, []string{c.was, c.then}, []string{before.Version, after.Version}, c.metric)
	}
	_, err := defs.On("pdd.reply_5min", calendar.MakeDate(2020, 2, 2))
	require.NoError(t, err)
	_, err = defs.On("pdd.reply_5min", calendar.MakeDate(2020, 2, 3))
	assert.Equal(t, "kpi.metric.not_effective", fault.CodeOf(err))
	_, err = defs.On("pdd.human_3min", calendar.MakeDate(2020, 2, 3))
	require.NoError(t, err)
}

// JD did not assess 2024-02-04 to 02-17, both included.
func TestSpringFestivalExemption(t *testing.T) {
	d, err := shipped(t).Version("jd.avg_response", "v2021-12")
	require.NoError(t, err)
	for day, exempt := range map[int]bool{3: false, 4: true, 17: true, 18: false} {
		assert.Equal(t, exempt, d.Exempted(calendar.MakeDate(2024, 2, day)), "2024-02-%02d", day)
	}
}

func TestEveryPlatformMetricIsNamedAfterAPlatformItCounts(t *testing.T) {
	for _, d := range shipped(t) {
		if len(d.Platforms) == 0 {
			assert.NotContains(t, d.Metric, ".")
			continue
		}
		assert.Regexp(t, `^(taobao|tmall|jd|pdd|douyin|kuaishou)\.[a-z0-9_]+$`, string(d.Metric))
		named := slices.ContainsFunc(d.Platforms, func(p string) bool { return len(p) < len(d.Metric) && string(d.Metric[:len(p)+1]) == p+"." })
		assert.True(t, named, d.Key())
	}
}

func TestBrokenDefinitionsAreAllReported(t *testing.T) {
	defs := shipped(t)
	rule, err := defs.Version("jd.avg_response", "v2021-12")
	require.NoError(t, err)
	cases := map[string]struct {
		change func(*kpi.Definition)
		path   string
	}{
		"no source":                {func(d *kpi.Definition) { d.Source = "" }, "source"},
		"no start":                 {func(d *kpi.Definition) { d.Effective = calendar.Dates{} }, "effective.from"},
		"ends before it starts":    {func(d *kpi.Definition) { d.Effective.Until = d.Effective.From }, "effective.until"},
		"unknown state":            {func(d *kpi.Definition) { d.Numerator = "happiness" }, "numerator"},
		"unknown unit":             {func(d *kpi.Definition) { d.Unit = "hours" }, "unit"},
		"count with a denominator": {func(d *kpi.Definition) { d.Denominator = "offered" }, "denominator"},
		"unknown quality":          {func(d *kpi.Definition) { d.Quality = "Z" }, "quality"},
		"unknown platform":         {func(d *kpi.Definition) { d.Platforms = []string{"ebay"} }, "platforms[0]"},
		"negative sample":          {func(d *kpi.Definition) { d.MinSample = -1 }, "min_sample"},
		"id with a space":          {func(d *kpi.Definition) { d.Metric = "a b" }, "metric"},
		"platform of sums":         {func(d *kpi.Definition) { d.Platforms = []string{"jd"} }, "platforms"},
		"exemption of sums":        {func(d *kpi.Definition) { d.Exempt = rule.Exempt }, "exempt"},
		"both ways to count":       {func(d *kpi.Definition) { d.Rule, d.Base = &kpi.Rule{Measure: kpi.Items}, kpi.BaseRound }, "numerator"},
	}
	for name, c := range cases {
		d := defs[0]
		c.change(&d)
		fields := definitionFaults(d)
		assert.True(t, slices.ContainsFunc(fields, func(f fault.Field) bool { return f.Path == c.path }), "%s: %v", name, fields)
	}
	byRule := map[string]struct {
		change func(*kpi.Definition)
		path   string
	}{
		"unknown choice":       {func(d *kpi.Definition) { d.Rule = &kpi.Rule{Measure: kpi.Mean, Stop: "robot"} }, "rule.stop"},
		"window":               {func(d *kpi.Definition) { d.Rule = &kpi.Rule{Measure: kpi.Mean, Window: "9-23"} }, "rule.window"},
		"a mean is no share":   {func(d *kpi.Definition) { d.Unit = kpi.Share }, "unit"},
		"open exemption":       {func(d *kpi.Definition) { d.Exempt[0].Until = calendar.Date{} }, "exempt[0]"},
		"exemption of nothing": {func(d *kpi.Definition) { d.Exempt[0].Source = "" }, "exempt[0]"},
	}
	for name, c := range byRule {
		d := rule
		d.Exempt = slices.Clone(rule.Exempt)
		c.change(&d)
		fields := definitionFaults(d)
		require.Len(t, fields, 1, name)
		assert.Equal(t, c.path, fields[0].Path, name)
	}
}

// write makes a pack directory of an operator.
func write(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "own.yaml"), []byte(text), 0o600))
	return dir
}

const ownVersion = `
pack: own
metrics:
  - metric: jd.first_30s
    version: v2027
    effective: {from: 2027-01-01}
    name: First reply within 30 s
    name_zh: 咚咚首次30秒应答率
    unit: share
    higher_is_better: true
    platforms: [jd]
    base: session
    rule: {measure: within, limit_s: 30, cut: session, window: "08:00-23:00"}
    text: As agreed with JD.
    source: "letter of 2026-12-01"
    quality: B
`

func TestOperatorsPackFollowsTheShippedVersion(t *testing.T) {
	defs, err := MetricsWith(write(t, ownVersion))
	require.NoError(t, err)
	for date, want := range map[calendar.Date]string{
		calendar.MakeDate(2021, 11, 30): "v2021-11", calendar.MakeDate(2026, 12, 31): "v2021-12", calendar.MakeDate(2027, 1, 1): "v2027",
	} {
		d, err := defs.On("jd.first_30s", date)
		require.NoError(t, err)
		assert.Equal(t, want, d.Version)
	}
	plain, err := shipped(t).Version("jd.first_30s", "v2021-12")
	require.NoError(t, err)
	assert.True(t, plain.Effective.Until.IsZero(), "what ships stays as it is")
}

func TestOperatorsPackIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ old, new, code, says string }{
		"a shipped version":    {"version: v2027", "version: v2021-12", "config.metrics", "is there twice, see metrics/jd.yaml"},
		"inside an older one":  {"from: 2027-01-01", "from: 2021-06-01", "config.metrics", "overlaps version v2021-11"},
		"another unit":         {"unit: share", "unit: seconds", "config.metrics", "one metric has one unit"},
		"unknown key":          {"base: session", "base: session\n    colour: red", "config.pack", "colour"},
		"unknown key of rules": {"limit_s: 30", "limit: 30", "config.pack", "limit"},
		"no source":            {`source: "letter of 2026-12-01"`, `source: ""`, "config.metrics", "is missing"},
	} {
		text := replaceOnce(t, ownVersion, c.old, c.new)
		_, err := MetricsWith(write(t, text))
		assert.Equal(t, c.code, fault.CodeOf(err), name)
		assert.ErrorContains(t, err, c.says, name)
		assert.ErrorContains(t, err, "own.yaml", name)
	}
	_, err := MetricsWith(filepath.Join(t.TempDir(), "none"))
	assert.Equal(t, "config.file", fault.CodeOf(err))
}

func replaceOnce(t *testing.T, text, from, to string) string {
	t.Helper()
	before, after, ok := strings.Cut(text, from)
	require.True(t, ok, from)
	return before + to + after
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
