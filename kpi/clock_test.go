package kpi

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestClockRunsInItsHoursOnly(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	at := func(s string) time.Time {
		instant, err := time.ParseInLocation("2006-01-02 15:04:05", s, zone)
		require.NoError(t, err)
		return instant
	}
	for _, c := range []struct {
		hours, from, to string
		want            time.Duration
	}{
		{"", "2026-11-06 16:30:00", "2026-11-09 09:30:00", 65 * time.Hour},
		// Friday 16:30 and one hour of business is Monday 09:30.
		{"Mon-Fri 09:00-17:00", "2026-11-06 16:30:00", "2026-11-09 09:30:00", time.Hour},
		{"Mon-Fri 09:00-17:00", "2026-11-07 00:00:00", "2026-11-09 00:00:00", 0},
		{"Mon-Fri 09:00-17:00", "2026-11-02 00:00:00", "2026-11-09 00:00:00", 40 * time.Hour},
		{"Mon-Fri 09:00-17:00; Sat 10:00-12:00", "2026-11-02 00:00:00", "2026-11-09 00:00:00", 42 * time.Hour},
		{"Mon-Sun 08:00-24:00", "2026-11-02 23:59:59", "2026-11-03 08:00:02", 3 * time.Second},
		{"Mon-Fri 09:00-17:00", "2026-11-02 17:00:00", "2026-11-02 17:00:00", 0},
		{"Mon-Fri 09:00-17:00", "2026-11-02 12:00:00", "2026-11-02 11:00:00", 0}, // never less than nothing
	} {
		clock, err := ParseClock(c.hours)
		require.NoError(t, err, c.hours)
		assert.Equal(t, c.want, clock.Elapsed(at(c.from), at(c.to), zone), "%s from %s to %s", c.hours, c.from, c.to)
	}
}

func TestClockHoursThatAreNone(t *testing.T) {
	for _, hours := range []string{
		"09:00-17:00", "Mon-Fri", "Mon-Fri 17:00-09:00", "Fri-Mon 09:00-17:00", "Mon-Mo 09:00-17:00", "Mon 09:00-17:00; Mon 18:00-19:00",
		"Mon 09:00-25:00", "Mon 09:00", ";",
	} {
		_, err := ParseClock(hours)
		assert.Error(t, err, hours)
	}
}

// What a clock shows over two spans is the sum of both, and never more than the wall clock.
func TestClockAddsUp(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	start := time.Date(2026, 10, 30, 0, 0, 0, 0, zone)
	rapid.Check(t, func(t *rapid.T) {
		clock, err := ParseClock(rapid.SampledFrom([]string{"Mon-Fri 09:00-17:00", "Sat 00:00-24:00", "Mon-Sun 00:00-00:01", "Tue 12:30-12:31"}).Draw(t, "hours"))
		require.NoError(t, err)
		span := func(label string) time.Duration {
			return time.Duration(rapid.Int64Range(0, 20*86400*1000).Draw(t, label)) * time.Millisecond
		}
		a := start.Add(span("a"))
		b := a.Add(span("b"))
		c := b.Add(span("c"))
		whole := clock.Elapsed(a, c, zone)
		require.Equal(t, whole, clock.Elapsed(a, b, zone)+clock.Elapsed(b, c, zone))
		require.LessOrEqual(t, whole, c.Sub(a))
	})
}
