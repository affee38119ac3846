package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
)

// rowsEvery is a history of n rows a step apart, written in a layout.
func rowsEvery(t *testing.T, n int, step time.Duration, layout string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("at,n\n")
	for i := range n {
		fmt.Fprintf(&b, "%s,%d\n", time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC).Add(time.Duration(i)*step).Format(layout), 5+i%3)
	}
	return historyFileWith(t, b.String())
}

func TestForecastFileSlotFinerThanTheRecords(t *testing.T) {
	for _, c := range []struct {
		rows int
		step time.Duration
		slot string
		want string
	}{
		{480, 30 * time.Minute, "15m", "holds a record every 30m, which do not fill slots of 15m: use --slot 30m or 60m or 24h"},
		{480, 15 * time.Minute, "20m", "holds a record every 15m, which do not fill slots of 20m"},
		{480, time.Hour, "30m", "use --slot 60m or 24h"},
		{40, 24 * time.Hour, "30m", "holds one record a day at midnight: use --slot 24h, not 30m"},
		{480, 30 * time.Minute, "60m", ""},
		{480, 15 * time.Minute, "30m", ""},
		{40, 24 * time.Hour, "24h", ""},
		{4000, 7*time.Minute + 13*time.Second, "5m", ""}, // a log of single contacts
	} {
		args := []string{"--in", rowsEvery(t, c.rows, c.step, "2006-01-02 15:04:05"), "--time-col", "at", "--value-col", "n", "--slot", c.slot, "--calendar", "none", "--horizon", "1d"}
		_, _, err := forecastFile(t, args...)
		if c.want == "" {
			require.NoError(t, err, "%s in %s", c.step, c.slot)
			continue
		}
		require.Error(t, err, "%s in %s", c.step, c.slot)
		assert.Equal(t, "forecast.file", fault.CodeOf(err))
		assert.Contains(t, err.Error(), c.want)
	}
}

func TestForecastFileSeveralOffsets(t *testing.T) {
	var b strings.Builder
	b.WriteString("at,n\n")
	for i := range 24 * 20 {
		at := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Hour)
		if i >= 24*10 {
			at = at.In(time.FixedZone("", 8*3600))
		} else {
			at = at.In(time.FixedZone("", 9*3600))
		}
		fmt.Fprintf(&b, "%s,7\n", at.Format(time.RFC3339))
	}
	_, stderr, err := forecastFile(t, basic(historyFileWith(t, b.String()), "--horizon", "1d")...)
	require.NoError(t, err)
	assert.Contains(t, stderr, "note: the times carry 2 different offsets (+09:00, +08:00); every day and hour is read on the clock of the first row, +09:00")
	_, stderr, err = forecastFile(t, basic(rowsEvery(t, 480, time.Hour, time.RFC3339), "--horizon", "1d")...)
	require.NoError(t, err)
	assert.NotContains(t, stderr, "offsets")
}

// TestOutFileSaysTheReason: an error of the computation is not one of the file, and no half file stays.
func TestOutFileSaysTheReason(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "o.csv")
	_, _, err := forecastBacktest(t, basic(twoShops(t), "--group-cols", "shop", "--horizon", "1d", "--step", "1d", "--from", "2027-01-01", "--out", out)...)
	require.Error(t, err)
	assert.Contains(t, err.Error(), "leaves no room for one horizon")
	assert.NotContains(t, err.Error(), "cannot be written")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)

	out = filepath.Join(dir, "none", "o.csv")
	_, _, err = forecastFile(t, basic(twoShops(t), "--group-cols", "shop", "--horizon", "1d", "--out", out)...)
	require.Error(t, err)
	assert.Equal(t, "cli.output", fault.CodeOf(err))
	assert.Contains(t, err.Error(), out+" cannot be written: no such file or directory")
}
