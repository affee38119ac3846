package reconcile_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/chatlog/platformfile"
	"github.com/chaoban/chaoban/kpi/reconcile"
)

var day = calendar.MakeDate(2026, 11, 11)

var definitions = kpi.Definitions{
	{Metric: "m.rate", Version: "v1", Unit: kpi.Share, Base: kpi.BaseRound},
	{Metric: "m.count", Version: "v1", Unit: kpi.Count, Base: kpi.BaseBuyerDay},
	{Metric: "m.time", Version: "v1", Unit: kpi.Seconds, Base: kpi.BaseRound},
}

var pairs = []reconcile.Pair{
	{Platform: "tmall", Item: "rate", Metric: "m.rate", Step: 0.0001},
	{Platform: "tmall", Item: "buyers", Metric: "m.count"},
	{Platform: "tmall", Item: "time", Metric: "m.time", Step: 1},
	{Platform: "tmall", Item: "time_all", Metric: "m.time", Step: 1, Differs: "all day"},
}

func figure(item, base string, value float64) chatlog.DailyFigure {
	return chatlog.DailyFigure{Platform: "tmall", Merchant: "m", Shop: "s", Date: day.String(), Item: item, Unit: "share", Base: base, Value: value, Closed: true}
}

func own(metric kpi.Metric, numerator, denominator float64) reconcile.Own {
	r := kpi.Reading{Metric: metric, Version: "v1", Merchant: "m", Shop: "s", Numerator: numerator, Denominator: denominator}
	if denominator > 0 {
		v := numerator / denominator
		r.Value = &v
	}
	return reconcile.Own{Date: day, Reading: r}
}

func compare(t require.TestingT, figures []chatlog.DailyFigure, ours ...reconcile.Own) []reconcile.Line {
	lines, err := reconcile.Compare(pairs, figures, ours, definitions, map[ids.Shop]string{"s": "taobao"})
	require.NoError(t, err)
	return lines
}

// 183 of 187 rounds are 97.8609...%, which a platform writes as 97.86 %, or 97.87 % when it rounds
// up; 97.85 % is another figure.
func TestVerdicts(t *testing.T) {
	for name, c := range map[string]struct {
		figure chatlog.DailyFigure
		own    reconcile.Own
		want   reconcile.Verdict
	}{
		"rounded":                {figure("rate", "round", 0.9786), own("m.rate", 183, 187), reconcile.Equal},
		"rounded up":             {figure("rate", "round", 0.9787), own("m.rate", 183, 187), reconcile.Equal},
		"one step away":          {figure("rate", "round", 0.9785), own("m.rate", 183, 187), reconcile.Different},
		"exact":                  {figure("rate", "round", 0.5), own("m.rate", 1, 2), reconcile.Equal},
		"a step exactly":         {figure("rate", "round", 0.5001), own("m.rate", 1, 2), reconcile.Different},
		"base not said":          {figure("rate", "", 0.5), own("m.rate", 1, 2), reconcile.Equal},
		"another base":           {figure("rate", "session", 0.5), own("m.rate", 1, 2), reconcile.OtherBase},
		"a count by one":         {figure("buyers", "buyer-day", 41), own("m.count", 42, 1), reconcile.Different},
		"a count":                {figure("buyers", "buyer-day", 42), own("m.count", 42, 1), reconcile.Equal},
		"seconds cut off":        {figure("time", "round", 12), own("m.time", 129, 10), reconcile.Equal},
		"a second":               {figure("time", "round", 12), own("m.time", 130, 10), reconcile.Different},
		"we have nothing":        {figure("rate", "round", 0.5), own("m.rate", 0, 0), reconcile.OnlyPlatform},
		"nobody counts it":       {figure("login_time", "agent", 5), own("m.count", 0, 0), reconcile.Unpaired},
		"not the same figure":    {figure("time_all", "round", 13), own("m.time", 130, 10), reconcile.OtherBase},
		"zero on both":           {figure("buyers", "buyer-day", 0), own("m.count", 0, 1), reconcile.Equal},
		"zero on the platform's": {figure("buyers", "buyer-day", 0), own("m.count", 3, 1), reconcile.Different},
	} {
		lines := compare(t, []chatlog.DailyFigure{c.figure}, c.own)
		line := lines[0]
		for _, l := range lines {
			if l.Item == c.figure.Item {
				line = l
			}
		}
		assert.Equal(t, c.want, line.Verdict, "%s: %+v", name, line)
		assert.NotEmpty(t, line.Reason, name)
		if line.Verdict == reconcile.Different || line.Verdict == reconcile.OtherBase {
			assert.InDelta(t, *line.OurValue-*line.PlatformValue, *line.Difference, 1e-12, name)
		}
	}
}

func TestOnlyOurs(t *testing.T) {
	lines := compare(t, nil, own("m.rate", 1, 2), own("m.count", 0, 0))
	require.Len(t, lines, 1, "what nobody has is no line")
	assert.Equal(t, reconcile.OnlyOurs, lines[0].Verdict)
	assert.Equal(t, "tmall", lines[0].Platform, "a Taobao shop gets Tmall's files")
	assert.Nil(t, lines[0].Difference)
}

func TestSubAccountsAreNotTheShop(t *testing.T) {
	f := figure("rate", "round", 0.5)
	f.Account = "xiaomei"
	assert.Empty(t, compare(t, []chatlog.DailyFigure{f}))
}

// The platform's 0.90 against our 0.99 is 10 % of the platform's figure.
func TestSummary(t *testing.T) {
	open := own("m.count", 50, 1)
	open.Reading.Provisional = true
	lines := compare(t, []chatlog.DailyFigure{figure("rate", "round", 0.9), figure("buyers", "buyer-day", 40), figure("time_all", "round", 1), figure("login_time", "", 1)},
		own("m.rate", 99, 100), open, own("m.time", 10, 10))
	got := reconcile.Summarize(lines, 0.05)
	require.Len(t, got, 1)
	assert.Equal(t, reconcile.Summary{
		Date: day, Merchant: "m", Shop: "s", Platform: "tmall", Closed: false, Compared: 2, Different: 2,
		Beyond: 1, // the open one may still come right
		// time is only ours, time_all is another base
		Missing: 2, Worst: 0.25, WorstItem: "buyers",
	}, got[0])
	assert.Zero(t, reconcile.Summarize(lines, 0.11)[0].Beyond)
}

// Swapping the sides turns the sign of the difference and keeps the verdict, whatever the figures.
func TestDifferenceIsSymmetric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.IntRange(0, 1000).Draw(t, "a"), rapid.IntRange(0, 1000).Draw(t, "b")
		one := compare(t, []chatlog.DailyFigure{figure("buyers", "buyer-day", float64(a))}, own("m.count", float64(b), 1))[0]
		two := compare(t, []chatlog.DailyFigure{figure("buyers", "buyer-day", float64(b))}, own("m.count", float64(a), 1))[0]
		require.Equal(t, one.Verdict, two.Verdict)
		require.Equal(t, a == b, one.Verdict == reconcile.Equal)
		require.InDelta(t, -*one.Difference, *two.Difference, 0)
	})
}

// Every pair names a column that a file of its platform has, once.
func TestPairsNameColumns(t *testing.T) {
	columns := map[[2]string]platformfile.Column{}
	for _, f := range platformfile.Formats() {
		for _, c := range f.Columns {
			columns[[2]string{f.Platform, c.Item}] = c
		}
	}
	seen := map[[2]string]bool{}
	for _, p := range reconcile.Pairs() {
		key := [2]string{p.Platform, p.Item}
		c, found := columns[key]
		assert.True(t, found, "%s %s is no column of any file", p.Platform, p.Item)
		assert.False(t, seen[key], "%s %s is there twice", p.Platform, p.Item)
		seen[key] = true
		assert.Equal(t, c.Unit == platformfile.Count, p.Step == 0, "%s %s: only counts are exact", p.Platform, p.Item)
	}
}
