package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

func TestBotChanges(t *testing.T) {
	zone := time.FixedZone("+8", 8*3600)
	got, err := parseBotChanges([]string{"2026-11-05:+0.10:新机器人: 退货", "2026-11-11T20:00:-0.05~0.02:sale", "2026-11-11T20:00:00+08:00:+0.2:x"}, zone)
	require.NoError(t, err)
	assert.Equal(t, []forecast.DeflectionChange{
		{From: time.Date(2026, 11, 5, 0, 0, 0, 0, zone), Points: 0.1, Reason: "新机器人: 退货"},
		{From: time.Date(2026, 11, 11, 20, 0, 0, 0, zone), Points: -0.05, Doubt: 0.02, Reason: "sale"},
	}, got[:2])
	assert.True(t, got[2].From.Equal(got[1].From))
	for _, bad := range []string{"", "2026-11-05", "2026-11-05:0.10:no sign", "2026-11-05:+0.10:", "noon:+0.1:x", "2026-11-05:+0.1.1:x"} {
		_, err := parseBotChanges([]string{bad}, zone)
		assert.Error(t, err, bad)
	}
}

func TestSalesPlans(t *testing.T) {
	write := func(name, body string) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, []byte(body), 0o600))
		return path
	}
	want := []planning.PlannedOrders{
		{Date: calendar.Date{Year: 2026, Month: 11, Day: 11}, Orders: 5200}, {Date: calendar.Date{Year: 2026, Month: 11, Day: 12}, Orders: 80.5},
	}
	for name, body := range map[string]string{
		"a.csv": "day,orders\n2026-11-11,5200\n2026-11-12,80.5\n", "b.csv": "\ufeff订单数,备注,日期\n5200,大促,2026-11-11\n80.5,,2026-11-12\n",
		"c.json": `[{"day":"2026-11-11","orders":5200},{"day":"2026-11-12","orders":80.5}]`,
	} {
		got, err := readSalesPlan(write(name, body))
		require.NoError(t, err, name)
		assert.Equal(t, want, got, name)
	}
	_, err := readSalesPlan(write("d.csv", "day,orders\n2026-13-11,5\n2026-11-12,-1\n2026-11-13\n"))
	fields := fault.Of(err).Fields
	require.Len(t, fields, 3)
	assert.Equal(t, 2, fields[0].Row)
	assert.Equal(t, "orders", fields[1].Column)
	for name, body := range map[string]string{"e.csv": "", "f.csv": "x,y\n", "g.json": `{"day":1}`, "h.json": `[{"tag":"x"}]`} {
		_, err := readSalesPlan(write(name, body))
		assert.Equal(t, "cli.sales_plan", fault.CodeOf(err), name)
	}
	none, err := readSalesPlan("")
	require.NoError(t, err)
	assert.Empty(t, none)
}

// A day without an hour is included, an instant is where the stretch ends.
func TestAnEndByDayIncludesTheDay(t *testing.T) {
	zone := time.FixedZone("UTC+8", 8*3600)
	for text, want := range map[string]string{"2025-11-11": "2025-11-12T00:00:00+08:00", "2025-11-11T00:00": "2025-11-11T00:00:00+08:00", "2025-11-11T13:30": "2025-11-11T13:30:00+08:00"} {
		got, err := parseEnd(text, zone)
		require.NoError(t, err)
		assert.Equal(t, want, got.Format(time.RFC3339), text)
	}
	_, err := parseEnd("soon", zone)
	assert.Equal(t, "cli.time", fault.CodeOf(err))

	style, _, _ := styleOf("2026-04-09 00:00:00")
	list, err := parseExclusions("x.yaml", []byte("exclude:\n  - {from: 2026-04-09, to: 2026-04-11, reason: x}\n  - {from: 2026-04-12, to: 2026-04-12, reason: y}\n"), style)
	require.NoError(t, err)
	assert.Equal(t, "2026-04-12", list[0].To.Format(time.DateOnly))
	assert.Equal(t, "2026-04-13", list[1].To.Format(time.DateOnly), "one day")
}

// A stretch in --exclude teaches nothing and is named in the summary.
func TestForecastFileExcludes(t *testing.T) {
	var b strings.Builder
	b.WriteString("at,n\n")
	for d := range 42 {
		for h := 9; h < 18; h++ {
			n := 20
			if d >= 38 && d < 41 {
				n = 400 // imported twenty times over
			}
			fmt.Fprintf(&b, "%s,%d\n", time.Date(2026, 3, 2+d, h, 0, 0, 0, time.UTC).Format("2006-01-02 15:04:05"), n)
		}
	}
	path := historyFileWith(t, b.String())
	mean := func(more ...string) (total float64, excluded []forecast.Excluded) {
		t.Helper()
		out, _, err := forecastFile(t, basic(path, append([]string{"--horizon", "7d", "--json"}, more...)...)...)
		require.NoError(t, err)
		var s struct {
			Series []struct {
				Mean     float64             `json:"mean_total"`
				Excluded []forecast.Excluded `json:"excluded"`
			}
		}
		require.NoError(t, json.Unmarshal([]byte(out), &s))
		return s.Series[0].Mean, s.Series[0].Excluded
	}
	file := filepath.Join(t.TempDir(), "exclude.yaml")
	require.NoError(t, os.WriteFile(file, []byte("exclude:\n  - {from: 2026-04-09, to: 2026-04-12T00:00:00, reason: 重复导入}\n"), 0o600))
	polluted, none := mean()
	assert.Empty(t, none)
	clean, excluded := mean("--exclude", file)
	require.Len(t, excluded, 1)
	assert.Equal(t, 27, excluded[0].Slots)
	assert.InEpsilon(t, 7*9*20, clean, 0.03)
	assert.GreaterOrEqual(t, polluted, clean-1e-6)

	summary, stderr, err := forecastFile(t, basic(path, "--horizon", "7d", "--exclude", file)...)
	require.NoError(t, err)
	assert.Contains(t, summary+stderr, "重复导入")

	require.NoError(t, os.WriteFile(file, []byte("exclude:\n  - {from: 2026-04-12, to: 2026-04-09, reason: x}\n  - {from: soon}\n"), 0o600))
	_, _, err = forecastFile(t, basic(path, "--horizon", "7d", "--exclude", file)...)
	var paths []string
	for _, f := range fault.Of(err).Fields {
		paths = append(paths, f.Path)
	}
	assert.Equal(t, "forecast.exclude", fault.CodeOf(err))
	assert.Contains(t, strings.Join(paths, " "), "exclude[0].to")
	assert.Contains(t, strings.Join(paths, " "), "exclude[1].to")
	assert.Contains(t, strings.Join(paths, " "), "exclude[1].reason")
	require.NoError(t, os.WriteFile(file, []byte("exclude:\n  - {form: 2026-04-12}\n"), 0o600))
	_, _, err = forecastFile(t, basic(path, "--horizon", "7d", "--exclude", file)...)
	assert.Contains(t, fault.Of(err).Error(), "form")
}

// FuzzExclusions reads any bytes as an exclusions file: stretches that the forecast takes, or a fault about the input.
func FuzzExclusions(f *testing.F) {
	for _, body := range []string{
		"exclude:\n  - {from: 2026-04-09, to: 2026-04-12T00:00:00, reason: x}\n", "exclude: []\n", "", "exclude: [{from: 1}]", "\x00", "a: &a [*a]",
		"exclude:\n- {from: 2026-04-09T00:00:00+08:00, to: 2026-04-09 09:00, reason: ' '}\n",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := parseExclusions("x.yaml", body, timeStyle{loc: time.UTC})
		if err != nil {
			requireInputFault(t, err)
			return
		}
		require.NoError(t, forecast.Options{Horizon: time.Hour, Exclude: list}.Validate())
	})
}
