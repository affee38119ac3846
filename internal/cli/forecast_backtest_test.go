package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
)

func forecastBacktest(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := newForecastBacktestCommand()
	var out, errs bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	cmd.SetArgs(args)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err = cmd.ExecuteContext(t.Context())
	return out.String(), errs.String(), err
}

// TestForecastBacktest: two shops of 10 and 20 contacts an hour, nine hours a day, for five weeks;
// three origins a day and a half apart, one day ahead.
func TestForecastBacktest(t *testing.T) {
	path := twoShops(t)
	out, plot := filepath.Join(t.TempDir(), "p.csv"), filepath.Join(t.TempDir(), "p.svg")
	args := basic(path, "--group-cols", "shop", "--horizon", "1d", "--step", "36h", "--from", "2026-03-30", "--to", "2026-04-03T12:00:00")
	summary, stderr, err := forecastBacktest(t, append(args, "--out", out, "--plot", plot)...)
	require.NoError(t, err)
	assert.Empty(t, stderr)
	assert.Contains(t, summary, "3 origins from 2026-03-30 00:00:00, 1d ahead, every 36h; 2 series; 54 slots scored")
	assert.Regexp(t, `ours +0\.\d\d%`, summary)
	assert.Regexp(t, `naive +0\.00%`, summary)
	assert.Contains(t, summary, "mean_of_4_weeks")
	file, err := os.Open(out)
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	rows, err := csv.NewReader(file).ReadAll()
	require.NoError(t, err)
	assert.Equal(t, []string{"shop", "origin", "time", "mean", "q0.1", "q0.5", "q0.9"}, rows[0])
	require.Len(t, rows, 1+54)
	assert.Equal(t, []string{"一号", "2026-03-30 00:00:00", "2026-03-30 09:00:00"}, rows[1][:3])
	origins := map[string]int{}
	for _, r := range rows[1:] {
		origins[r[1]]++
	}
	assert.Equal(t, map[string]int{"2026-03-30 00:00:00": 18, "2026-03-31 12:00:00": 18, "2026-04-02 00:00:00": 18}, origins, "the next one would end after --to")
	svg, err := os.ReadFile(plot)
	require.NoError(t, err)
	assert.Contains(t, string(svg), "h.csv · 二号")

	stdout, _, err := forecastBacktest(t, append(args, "--json")...)
	require.NoError(t, err)
	var got struct {
		From   string
		Scores struct {
			Origins int
			Ours    struct {
				Points   int
				WAPE     *float64
				Coverage []float64
			}
			Rivals []struct{ Name string }
		}
		Series []struct{ Group map[string]string }
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	assert.Equal(t, "2026-03-30 00:00:00", got.From)
	assert.Equal(t, 54, got.Scores.Ours.Points)
	assert.Len(t, got.Scores.Ours.Coverage, 3)
	assert.Len(t, got.Scores.Rivals, 2)
	assert.Equal(t, "一号", got.Series[0].Group["shop"])
}

// TestForecastBacktestSeesNothingAhead changes what comes after an origin; nothing that was said at it
// may change.
func TestForecastBacktestSeesNothingAhead(t *testing.T) {
	path := twoShops(t)
	args := []string{"--horizon", "2d", "--step", "2d", "--from", "2026-03-28", "--train-until", "2026-03-28"}
	said := func(path string) (before string) {
		stdout, _, err := forecastBacktest(t, basic(path, args...)...)
		require.NoError(t, err)
		for line := range strings.Lines(stdout) {
			if at, _, _ := strings.Cut(line, ","); at < "2026-04-01" {
				before += line
			}
		}
		return before
	}
	body, err := os.ReadFile(path)
	require.NoError(t, err)
	later := strings.ReplaceAll(string(body), "2026-04-01 10:00:00,20", "2026-04-01 10:00:00,2000")
	require.NotEqual(t, string(body), later)
	assert.Equal(t, said(path), said(historyFileWith(t, later)))
}

func TestForecastBacktestBadFlags(t *testing.T) {
	_, _, err := forecastBacktest(t, "--slot", "7m", "--step", "soon")
	require.Equal(t, "cli.flags", fault.CodeOf(err))
	for _, flag := range []string{"--in", "--time-col", "--value-col", "--slot", "--horizon", "--step", "--from"} {
		assert.Contains(t, err.Error(), flag+":", "every bad flag at once")
	}
	path := twoShops(t)
	_, _, err = forecastBacktest(t, basic(path, "--horizon", "1d", "--step", "1d", "--from", "never", "--to", "nor then")...)
	require.Equal(t, "forecast.time", fault.CodeOf(err))
	assert.Len(t, fault.Of(err).Fields, 2)
	_, _, err = forecastBacktest(t, basic(path, "--horizon", "1d", "--step", "1d", "--from", "2027-01-01")...)
	assert.Equal(t, fault.Invalid, fault.KindOf(err), "no origin fits into the data")
	_, _, err = forecastBacktest(t, basic(path, "--horizon", "1d", "--step", "1d", "--from", "2020-01-01")...)
	assert.Equal(t, fault.Invalid, fault.KindOf(err), "no history before the first origin")
}
