package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// forecastFile runs the command the way a shell would.
func forecastFile(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := newForecastFileCommand()
	var out, errs bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	cmd.SetArgs(args)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err = cmd.ExecuteContext(t.Context())
	return out.String(), errs.String(), err
}

func historyFileWith(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "h.csv")
	require.NoError(t, os.WriteFile(path, []byte(body), 0o600))
	return path
}

// twoShops is five weeks of hourly rows, 9:00 to 18:00, of two shops: 10 and 20 an hour.
func twoShops(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("shop,at,n\n")
	for d := range 35 {
		for h := 9; h < 18; h++ {
			at := time.Date(2026, 3, 2+d, h, 0, 0, 0, time.UTC).Format("2006-01-02 15:04:05")
			fmt.Fprintf(&b, "二号,%s,20\n一号,%s,5\n一号,%s,5\n", at, at, at)
		}
	}
	return historyFileWith(t, b.String())
}

func basic(path string, more ...string) []string {
	return append([]string{"--in", path, "--time-col", "at", "--value-col", "n", "--slot", "60m", "--calendar", "none"}, more...)
}

func TestForecastFileTable(t *testing.T) {
	path := twoShops(t)
	out := filepath.Join(t.TempDir(), "f.csv")
	plot := filepath.Join(t.TempDir(), "f.svg")
	summary, stderr, err := forecastFile(t, basic(path, "--group-cols", "shop", "--horizon", "2d", "--quantiles", "0.9,0.1",
		"--origin", "2026-04-05T13:30:00", "--out", out, "--plot", plot)...)
	require.NoError(t, err)
	assert.Empty(t, stderr, "no bar in a pipe")
	assert.Contains(t, summary, "一号: 18 slots from 2026-04-05 13:30:00")
	file, err := os.Open(out)
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	rows, err := csv.NewReader(file).ReadAll()
	require.NoError(t, err)
	assert.Equal(t, []string{"shop", "time", "mean", "q0.1", "q0.9"}, rows[0])
	// 14:00 to 18:00, a whole day of nine hours, and 9:00 to 14:00: 18 slots for each shop.
	require.Len(t, rows, 1+2*18)
	assert.Equal(t, []string{"一号", "2026-04-05 14:00:00"}, rows[1][:2], "sorted by group, input's time style")
	for _, row := range rows[1:] {
		want := map[string]float64{"一号": 10, "二号": 20}[row[0]]
		mean, err := strconv.ParseFloat(row[2], 64)
		require.NoError(t, err)
		assert.InEpsilon(t, want, mean, 0.03, "equal times of one group are summed")
	}
	svg, err := os.ReadFile(plot)
	require.NoError(t, err)
	assert.Contains(t, string(svg), "h.csv · 二号")
	assert.NotContains(t, string(svg), "NaN")
}

func TestForecastFileJSON(t *testing.T) {
	events := filepath.Join(t.TempDir(), "e.yaml")
	require.NoError(t, os.WriteFile(events, []byte("events:\n  - {family: live, start: 2026-04-06T09:00:00, end: 2026-04-07}\n"), 0o600))
	stdout, _, err := forecastFile(t, basic(twoShops(t), "--horizon", "1w", "--json", "--events", events)...)
	require.NoError(t, err)
	var got struct {
		Origin string
		Series []struct {
			Points int
			Hours  string
			Curve  []struct{ Mean float64 }
			Doubts []string
		}
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	assert.Equal(t, "2026-04-05 18:00:00", got.Origin, "the end of the data")
	require.Len(t, got.Series, 1)
	assert.Equal(t, "Mon-Sun 09:00-18:00", got.Series[0].Hours)
	assert.Len(t, got.Series[0].Curve, 63)
	assert.InEpsilon(t, 30, got.Series[0].Curve[62].Mean, 0.03, "without groups both shops add up")
	assert.Greater(t, got.Series[0].Curve[0].Mean, 33.0, "an event without a past is believed to bring more")
	assert.Contains(t, strings.Join(got.Series[0].Doubts, "\n"), "event live")
}

func TestForecastFileEncodings(t *testing.T) {
	body := "时间,量\n"
	for d := range 20 {
		body += fmt.Sprintf("2026年3月%d日,%d\n", d+1, 100)
	}
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(body)
	require.NoError(t, err)
	for name, text := range map[string]string{"utf-8": body, "bom": "\ufeff" + body, "gbk": gbk, "tabs": strings.ReplaceAll(body, ",", "\t"), "crlf": strings.ReplaceAll(body, "\n", "\r\n")} {
		stdout, _, err := forecastFile(t, "--in", historyFileWith(t, text), "--time-col", "时间", "--value-col", "量", "--slot", "24h", "--horizon", "2d")
		require.NoError(t, err, name)
		assert.Contains(t, stdout, "\n2026年3月21日,100", name)
	}
}

func TestForecastFileBadInput(t *testing.T) {
	good := "at,n\n2026-03-02 09:00:00,1\n"
	for name, c := range map[string]struct {
		body, code, want string
	}{
		"empty":         {"", "forecast.file", "the file is empty"},
		"blank":         {"\ufeff \n", "forecast.file", "the file is empty"},
		"header only":   {"at,n\n", "forecast.file", "no row with a value"},
		"bad number":    {good + "2026-03-02 10:00:00,abc\n", "forecast.file", `h.csv:3: column "n": must be a number (got "abc")`},
		"negative":      {good + "2026-03-02 10:00:00,-4\n", "forecast.file", `h.csv:3: column "n": must not be negative (got "-4")`},
		"nan":           {good + "2026-03-02 10:00:00,NaN\n", "forecast.file", `h.csv:3: column "n": must be a finite number`},
		"infinite":      {good + "2026-03-02 10:00:00,1e999\n", "forecast.file", "must be a finite number"},
		"absurd":        {good + "2026-03-02 10:00:00,1e15\n", "forecast.file", "absurdly large"},
		"mixed styles":  {good + "2026/3/2 10:00,4\n", "forecast.file", `h.csv:3: column "at": is written in another style than the first row`},
		"no time":       {good + "yesterday,4\n", "forecast.file", `h.csv:3: column "at": is not a time`},
		"day only":      {"at,n\n2026-03-02,1\n", "forecast.file", "use --slot 24h"},
		"twice":         {"at,n,n\n", "forecast.file", `h.csv:1: column "n": the header names this column twice`},
		"unknown":       {"time,count\n", "forecast.file", "is named by --time-col but is not in the header (time, count)"},
		"ragged":        {good + "2026-03-02 10:00:00\n", "forecast.file", "h.csv:3: the row must have 2 fields"},
		"far date":      {good + "1026-03-02 10:00:00,1\n", "forecast.file", "more than 20 years away"},
		"workbook":      {"PK\x03\x04...", "forecast.file", "save the sheet as CSV"},
		"utf-16":        {"\xff\xfea\x00", "forecast.file", "UTF-16"},
		"binary":        {"a\x00b", "forecast.file", "not a text file"},
		"endless line":  {good + strings.Repeat("9", 3<<20), "forecast.file", "more than 1 MB"},
		"10000 columns": {strings.Repeat("a,", 12000) + "b\n", "forecast.file", "more than 10,000 columns"},
	} {
		_, _, err := forecastFile(t, basic(historyFileWith(t, c.body), "--horizon", "1d")...)
		require.Error(t, err, name)
		assert.Equal(t, c.code, fault.CodeOf(err), name)
		assert.Contains(t, err.Error(), c.want, name)
	}
	_, _, err := forecastFile(t, basic("no-such-file.csv", "--horizon", "1d")...)
	assert.Equal(t, fault.NotFound, fault.KindOf(err))
}

func TestForecastFileBadFlags(t *testing.T) {
	_, _, err := forecastFile(t, "--slot", "7m", "--hours", "always", "--missing", "maybe", "--quantiles", "0.5,2", "--calendar", "uk", "--horizon", "99w")
	require.Equal(t, "cli.flags", fault.CodeOf(err))
	for _, flag := range []string{"--in", "--time-col", "--value-col", "--slot", "--hours", "--missing", "--quantiles", "--calendar", "--horizon"} {
		assert.Contains(t, err.Error(), flag+":", "every bad flag at once")
	}
	_, _, err = forecastFile(t, basic(twoShops(t), "--horizon", "1d", "--origin", "2026-04-05T13:30:00+08:00")...)
	assert.ErrorContains(t, err, "has a zone, but the times of the data have none")
	_, _, err = forecastFile(t, basic(twoShops(t), "--horizon", "1d", "--origin", "2026-01-01")...)
	assert.Equal(t, "forecast.no_history", fault.CodeOf(err))
}

// TestForecastFileIgnoresLaterRows has nonsense after the origin.
func TestForecastFileIgnoresLaterRows(t *testing.T) {
	path := twoShops(t)
	body, err := os.ReadFile(path)
	require.NoError(t, err)
	args := []string{"--horizon", "1d", "--origin", "2026-04-06 00:00:00", "--group-cols", "shop"}
	want, _, err := forecastFile(t, basic(path, args...)...)
	require.NoError(t, err)
	got, _, err := forecastFile(t, basic(historyFileWith(t, string(body)+"三号,2026-04-07 09:00:00,nonsense\n"), args...)...)
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestParseEvents(t *testing.T) {
	style, _, ok := styleOf("2026-01-01 00:00:00")
	require.True(t, ok)
	events, err := parseEvents("e.yaml", strings.NewReader(`
events:
  - family: double11
    start: 2021-10-20T20:00:00
    end:   2021-11-14T00:00:00
    phases: [{kind: presale, start: 2021-10-20T20:00:00, end: 2021-10-31T22:00:00}, {kind: spot, start: 2021-11-01, end: 2021-11-12}]
    openings: [2021-11-01T00:00:00, 2021-11-11T00:00:00]
  - {family: "618", start: 2022-05-31 20:00, end: 2022-06-21}
`), style)
	require.NoError(t, err)
	require.Len(t, events, 2)
	assert.Equal(t, forecast.Event{Family: "618", Start: time.Date(2022, 5, 31, 20, 0, 0, 0, time.UTC), End: time.Date(2022, 6, 21, 0, 0, 0, 0, time.UTC)}, events[1])
	assert.Len(t, events[0].Phases, 2)
	assert.Len(t, events[0].Openings, 2)
	for body, want := range map[string]string{
		"events:\n  - {family: a, start: 2021-01-01, end: 2021-01-02, uplift: 3}":                                               "line 2: field uplift is not known here",
		"events:\n  - {family: a, start: 2021-01-01}":                                                                           "e.yaml: events[0].end: is required",
		"events:\n  - {family: a, start: soon, end: 2021-01-02}":                                                                `events[0].start: write times like`,
		"events:\n  - {family: a, start: 2021-01-01, end: 2021-01-05}\n  - {family: a, start: 2021-01-04, end: 2021-01-06}":     "events[1]: overlaps events[0] of the same family",
		"events:\n  - {family: a, start: 2021-01-05, end: 2021-01-01}":                                                          "must be after start",
		"events:\n  - {family: a, start: 2021-01-01, end: 2021-01-05, openings: [2021-02-01]}":                                  "openings[0]: must lie inside the event",
		"events:\n  - {family: a, start: 2021-01-01, end: 2021-01-05, phases: [{kind: x, start: 2021-02-01, end: 2021-02-02}]}": "must start before it ends and lie inside the event",
	} {
		_, err := parseEvents("e.yaml", strings.NewReader(body), style)
		require.Error(t, err, body)
		assert.Equal(t, "forecast.events", fault.CodeOf(err))
		assert.Contains(t, err.Error(), want)
	}
}

func TestParseSpan(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30m": 30 * time.Minute, "120h": 120 * time.Hour, "5d": 120 * time.Hour, "12w": 12 * 7 * 24 * time.Hour,
		"1w3d": 240 * time.Hour, "1.5h": 90 * time.Minute, "1h30m": 90 * time.Minute,
	} {
		got, err := parseSpan(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "5", "d", "5 d", "-5d", "1e9w", "5x", "1..5h", "99999999999999w"} {
		_, err := parseSpan(text)
		assert.Error(t, err, text)
	}
}

// BenchmarkReadHistory reads a million rows of call log lines.
func BenchmarkReadHistory(b *testing.B) {
	const rows = 1_000_000
	for b.Loop() {
		r, w := io.Pipe()
		go func() {
			var line []byte
			line = append(line, "at,n\n"...)
			start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
			for i := range rows {
				line = start.Add(time.Duration(i)*40*time.Second).AppendFormat(line, "2006-01-02 15:04:05")
				line = append(line, ",1\n"...)
				if len(line) > 60<<10 {
					_, _ = w.Write(line)
					line = line[:0]
				}
			}
			_, _ = w.Write(line)
			_ = w.Close()
		}()
		h, err := readHistory(b.Context(), r, historySpec{file: "h.csv", timeCol: "at", valueCol: "n", slot: 15 * time.Minute})
		if err != nil || len(h.series) != 1 {
			b.Fatal(err)
		}
	}
	b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
