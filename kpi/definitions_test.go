package kpi

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
)

func TestLookupFollowsEffectiveDates(t *testing.T) {
	change := calendar.MakeDate(2021, 12, 15)
	definitions := Definitions{
		{Metric: "first_30s", Version: "v2", Effective: calendar.Dates{From: change, Until: calendar.MakeDate(2022, 3, 1)}},
		{Metric: "first_30s", Version: "v1", Effective: calendar.Dates{From: calendar.MakeDate(2020, 1, 1), Until: change}},
	}
	zone := time.FixedZone("business", 8*3600)
	look := func(from, until calendar.Date, version string) (string, string) {
		found, err := definitions.Lookup(Query{
			Metrics: []Metric{"first_30s"}, Version: version,
			Range: calendar.Range{Start: from.In(zone), End: until.In(zone)},
		}, zone)
		if err != nil {
			return "", fault.CodeOf(err)
		}
		text := ""
		for _, s := range found[0] {
			first, last := calendar.DateOf(s.Range.Start, zone), calendar.DateOf(s.Range.End, zone)
			text += fmt.Sprintf("%s from %s until %s, ", s.Definition.Version, first, last)
		}
		return strings.TrimSuffix(text, ", "), ""
	}
	first, next := calendar.MakeDate(2021, 12, 1), calendar.MakeDate(2022, 1, 1)
	for _, c := range []struct {
		from, until   calendar.Date
		pinned        string
		version, code string
	}{
		{first, change, "", "v1 from 2021-12-01 until 2021-12-15", ""}, // the range ends where the new version begins
		{change, next, "", "v2 from 2021-12-15 until 2022-01-01", ""},
		{first, next, "", "v1 from 2021-12-01 until 2021-12-15, v2 from 2021-12-15 until 2022-01-01", ""},
		{first, next, "v1", "v1 from 2021-12-01 until 2022-01-01", ""}, // any period under any version
		{first, next, "v2", "v2 from 2021-12-01 until 2022-01-01", ""},
		{first, next, "v3", "", "kpi.metric.unknown"},
		{calendar.MakeDate(2019, 1, 1), calendar.MakeDate(2019, 2, 1), "", "", "kpi.metric.not_effective"},
		{calendar.MakeDate(2019, 12, 31), next, "", "", "kpi.metric.not_effective"}, // a day without a version
		{calendar.MakeDate(2022, 2, 1), calendar.MakeDate(2022, 3, 2), "", "", "kpi.metric.not_effective"},
	} {
		version, code := look(c.from, c.until, c.pinned)
		assert.Equal(t, c.version, version, "%v", c)
		assert.Equal(t, c.code, code, "%v", c)
	}
}

func TestWindow(t *testing.T) {
	for text, want := range map[string]Window{
		"": {}, "09:00-23:00": {540, 1380}, "00:00-24:00": {0, 1440}, "22:15-06:00": {1335, 360},
	} {
		got, err := ParseWindow(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"9-23", "09:00", "09:00-09:00", "09:01-10:00", "24:00-09:00", "09:00-25:00", "x"} {
		_, err := ParseWindow(text)
		assert.Equal(t, "kpi.window.invalid", fault.CodeOf(err), text)
	}
	night := Window{1335, 360}
	assert.True(t, night.Contains(1335))
	assert.True(t, night.Contains(0))
	assert.False(t, night.Contains(360))
	assert.True(t, Window{}.Contains(1439))
	assert.False(t, Window{540, 1380}.Contains(1380))
}

func TestMergedKeepsNumeratorsOfPartsWithoutDenominator(t *testing.T) {
	// 9 agent messages in a slot without a buyer message, then 4 over 2: the day is 13/2.
	value := 2.0
	merged := Merged(Ratio, []Reading{{Numerator: 9}, {Numerator: 4, Denominator: 2, Value: &value}})
	assert.Equal(t, 6.5, *merged.Value)
	assert.Nil(t, Merged(Ratio, []Reading{{Numerator: 9}}).Value)
	assert.Equal(t, 1.0, Merged(Count, []Reading{{Numerator: 2, Denominator: 1, Value: &value}, {Numerator: 2, Denominator: 1, Value: &value}}).Denominator)
}
