package intake

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func shanghai(t testing.TB) *time.Location {
	zone, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	return zone
}

func TestMoment(t *testing.T) {
	zone := shanghai(t)
	at := func(h, m, s int) time.Time { return time.Date(2026, 4, 17, h, m, s, 0, zone) }
	good := map[string]time.Time{
		"2026-04-17":                at(0, 0, 0),
		"2026/4/17":                 at(0, 0, 0),
		"2026.4.17":                 at(0, 0, 0),
		"20260417":                  at(0, 0, 0),
		"20260417 09:30":            at(9, 30, 0),
		"2026年4月17日":                at(0, 0, 0),
		"2026年4月17日 9时30分5秒":        at(9, 30, 5),
		"2026年04月17日09:30":          at(9, 30, 0),
		"2026-04-17 9:30":           at(9, 30, 0),
		"2026-04-17T09:30:05":       at(9, 30, 5),
		"2026-04-17 09:30:05.250":   at(9, 30, 5).Add(250 * time.Millisecond),
		"2026-04-17T01:30:05Z":      at(9, 30, 5),
		"2026-04-17T03:30:05+02:00": at(9, 30, 5),
		"2026-04-17 03:30:05 +0200": at(9, 30, 5),
		"46129":                     at(0, 0, 0), // Excel: DATE(2026,4,17) = 46129
		"46129.5":                   at(12, 0, 0),
		"46129.39583333333":         at(9, 30, 0),
	}
	for text, want := range good {
		c := &column{at: []int{0}, zone: zone}
		got, problem := c.moment(text)
		require.Empty(t, problem, text)
		require.True(t, want.Equal(got), "%s: %s", text, got)
	}
	for _, text := range []string{
		"17/04/2026", "4/17/26", "2026-13-01", "2026-02-29", "2026-04-31", "2026-04-17 24:00", "2026-04-17 9", "2026-4", "tomorrow",
		"20261301", "12345", "2026-04/17", "2026-04-17 09:30 +8", "2026-04-17x", "0", "2026", "1e5", "99999", "2026-04-17 09:60",
	} {
		_, problem := (&column{at: []int{0}, zone: zone}).moment(text)
		require.NotEmpty(t, problem, text)
	}
}

func TestMomentMixedStyles(t *testing.T) {
	c := &column{at: []int{0}, zone: shanghai(t), row: 2}
	_, problem := c.moment("2026-04-17")
	require.Empty(t, problem)
	c.row = 9
	_, problem = c.moment("2026/4/17")
	require.Contains(t, problem, "row 2")
	require.Contains(t, problem, "mixed")
}

func TestMomentSkippedHour(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	// Clocks went from 02:00 to 03:00 on 2003-04-06.
	_, problem := (&column{at: []int{0}, zone: zone}).moment("2003-04-06 02:30")
	require.Contains(t, problem, "does not exist")
}

func TestMoment1904(t *testing.T) {
	// The two date systems are 1,462 days apart (Microsoft, "Date systems in Excel").
	got, problem := (&column{at: []int{0}, zone: time.UTC, epoch: true}).moment("44667")
	require.Empty(t, problem)
	require.Equal(t, time.Date(2026, 4, 17, 0, 0, 0, 0, time.UTC), got)
}

func TestMomentFormat(t *testing.T) {
	zone := shanghai(t)
	got, problem := (&column{at: []int{0}, zone: zone, spec: Column{Format: "02/01/2006 15:04"}}).moment("03/04/2026 09:05")
	require.Empty(t, problem)
	require.True(t, time.Date(2026, 4, 3, 9, 5, 0, 0, zone).Equal(got))
	got, problem = (&column{at: []int{0}, zone: zone, spec: Column{Format: "unix_ms"}}).moment("1776389400000")
	require.Empty(t, problem)
	require.True(t, time.UnixMilli(1776389400000).Equal(got))
}

func TestDuration(t *testing.T) {
	cases := []struct {
		text, unit string
		want       time.Duration
	}{
		{"90", "", 90 * time.Second},
		{"1.5", "min", 90 * time.Second},
		{"1,200", "s", 20 * time.Minute},
		{"250", "ms", 250 * time.Millisecond},
		{"2", "h", 2 * time.Hour},
		{"00:01:30", "", 90 * time.Second},
		{"1:02:03", "hms", 3723 * time.Second},
		{"25:00:00", "", 25 * time.Hour},
		{"1.6550925925925926E-3", "hms", 143 * time.Second},
		{"0.5", "hms", 12 * time.Hour},
		{"11秒", "", 11 * time.Second},
		{"2分30秒", "", 150 * time.Second},
		{"7小时41分52秒", "", 7*time.Hour + 41*time.Minute + 52*time.Second},
		{"3分钟", "", 3 * time.Minute},
		{"1m30s", "", 90 * time.Second},
		{"2.5 min", "", 150 * time.Second},
		{"02:30", "mm:ss", 150 * time.Second},
		{"90:00", "mm:ss", 90 * time.Minute},
		{"02:30", "hh:mm", 150 * time.Minute},
		{"-5", "", -5 * time.Second},
		{"00:00:01.5", "", 1500 * time.Millisecond},
		{"5m", "", 5 * time.Minute},
	}
	for _, c := range cases {
		got, problem := (&column{spec: Column{Unit: c.unit}}).duration(c.text)
		require.Empty(t, problem, c.text)
		require.Equal(t, c.want, got, c.text)
	}
	for _, text := range []string{"02:30", "1:60:00", "1:00:61", "abc", "5 parsecs", "1s2m", "1s1s", "::", "1:2:3:4", "1e300", "0x10", "NaN", "1,5", "inf", "1_000", "秒", "+5", "1..2"} {
		_, problem := (&column{}).duration(text)
		require.NotEmpty(t, problem, text)
	}
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string]float64{"1,234.5": 1234.5, "1,234,567": 1234567, "-3": -3, "0.25": 0.25} {
		got, problem := decimal(text)
		require.Empty(t, problem, text)
		require.Equal(t, want, got)
	}
	for _, text := range []string{"1,5", "1,23,456", "1.5,000", "12,3456", "--3", "", "3 4", "½"} {
		_, problem := decimal(text)
		require.NotEmpty(t, problem, text)
	}
	n, problem := whole("3.0")
	require.Empty(t, problem)
	require.Equal(t, 3, n)
	_, problem = whole("3.5")
	require.NotEmpty(t, problem)
}

// What Go formats, we read back, in every style and for every second of 120 years.
func TestMomentRoundTrip(t *testing.T) {
	layouts := []string{"2006-01-02 15:04:05", "2006/1/2 15:04:05", "20060102 15:04:05", "2006年1月2日 15:04:05", "2006.01.02T15:04:05", time.RFC3339}
	rapid.Check(t, func(t *rapid.T) {
		want := time.Unix(rapid.Int64Range(0, 120*365*86400).Draw(t, "unix"), 0).UTC()
		text := want.Format(rapid.SampledFrom(layouts).Draw(t, "layout"))
		got, problem := (&column{at: []int{0}, zone: time.UTC}).moment(text)
		require.Empty(t, problem, text)
		require.True(t, want.Equal(got), text)
	})
}

// A serial number names the same second as the date it was made from.
func TestSerialRoundTrip(t *testing.T) {
	epoch := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.Int64Range(20000*86400, 79999*86400).Draw(t, "seconds")
		got, problem := parseSerial(trimFloat(float64(seconds)/86400), false)
		require.Empty(t, problem)
		at, problem := got.in(time.UTC)
		require.Empty(t, problem)
		require.True(t, epoch.Add(time.Duration(seconds)*time.Second).Equal(at))
	})
}

func trimFloat(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
