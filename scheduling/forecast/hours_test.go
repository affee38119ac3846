package forecast_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

func TestParseHours(t *testing.T) {
	for text, want := range map[string]string{
		"Mon-Fri 07:00-21:00":                          "Mon-Fri 07:00-21:00",
		"Mon-Fri 7:00-21:00; Sat,Sun 09:00-18:00":      "Mon-Fri 07:00-21:00; Sat-Sun 09:00-18:00",
		"mon 09:00-12:00,13:00-18:00, Wed 10:00-11:00": "Mon 09:00-12:00,13:00-18:00; Wed 10:00-11:00",
		"Daily 00:00-24:00":                            "Mon-Sun 00:00-24:00",
		"每天 9:00-24:00":                                "Mon-Sun 09:00-24:00",
		"周一至周五 09:00-18:00；周六 10:00-12:00":             "Mon-Fri 09:00-18:00; Sat 10:00-12:00",
		"Sat-Mon 10:00-11:00":                          "Mon 10:00-11:00; Sat-Sun 10:00-11:00",
		"Fri 20:00-02:00":                              "Fri 20:00-24:00; Sat 00:00-02:00",
		"Tue 08:00-10:00 10:00-12:00":                  "Tue 08:00-12:00",
	} {
		h, err := forecast.ParseHours(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, h.String())
		again, err := forecast.ParseHours(h.String())
		require.NoError(t, err)
		assert.Equal(t, h, again)
	}
	for _, text := range []string{"", "Mon", "09:00-10:00", "Mon 9-10", "Mon 25:00-26:00", "Mond 09:00-10:00", "Mon 09:61-10:00", "Mon-Fri 09:00"} {
		_, err := forecast.ParseHours(text)
		assert.Equal(t, "forecast.hours", fault.CodeOf(err), text)
	}
	h, err := forecast.ParseHours("Mon 09:00-10:00")
	require.NoError(t, err)
	assert.False(t, h.Open(time.Monday, 9*60-1))
	assert.True(t, h.Open(time.Monday, 9*60))
	assert.False(t, h.Open(time.Monday, 10*60))
	assert.False(t, h.Open(time.Tuesday, 9*60))
}

func TestSeriesSumsAndOrder(t *testing.T) {
	at := func(h, m int) time.Time { return time.Date(2026, 11, 11, h, m, 0, 0, time.UTC) }
	s, err := newSeries("q", 30*time.Minute, time.UTC, []observation{
		{at(10, 5), 2}, {at(10, 0), 1}, {at(10, 29), 4}, {at(9, 0), 0}, {at(10, 30), 8}, {at(10, 30).AddDate(0, 0, -2), 16},
	})
	require.NoError(t, err)
	assert.Equal(t, "2026-11-09", s.First.String())
	assert.Equal(t, 7.0, s.Values[2*48+20])
	assert.Equal(t, 8.0, s.Values[2*48+21])
	assert.Equal(t, 0.0, s.Values[2*48+18])
	assert.Equal(t, 16.0, s.Values[21])
	assert.True(t, s.Values[2*48+19] != s.Values[2*48+19], "no record is NaN, not zero")
	assert.Equal(t, at(11, 0), s.End())
	_, err = newSeries("q", 30*time.Minute, time.UTC, []observation{{at(1, 0), -1}})
	assert.Equal(t, "forecast.series", fault.CodeOf(err))
	_, err = newSeries("q", 7*time.Minute, time.UTC, nil)
	assert.Equal(t, "forecast.series", fault.CodeOf(err))
	_, err = newSeries("q", time.Hour, time.UTC, []observation{{at(1, 0), 1}, {at(1, 0).AddDate(300, 0, 0), 1}})
	assert.Equal(t, "forecast.series", fault.CodeOf(err))
}

// TestClockChange sums the hour that comes twice and has no slot in the hour that is skipped.
func TestClockChange(t *testing.T) {
	loc, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	var obs []observation
	start := time.Date(2026, 2, 1, 0, 0, 0, 0, loc)
	for at := start; at.Before(time.Date(2026, 3, 29, 0, 0, 0, 0, loc)); at = at.Add(time.Hour) {
		obs = append(obs, observation{Start: at, Value: 10})
	}
	s, err := newSeries("q", time.Hour, loc, obs)
	require.NoError(t, err)
	r, err := forecast.Run(s, forecast.Options{Horizon: 47 * time.Hour})
	require.NoError(t, err)
	requireSane(t, r)
	assert.Len(t, r.Curve.Points, 47, "29 March 2026 has 23 hours in Berlin")
	back := time.Date(2026, 10, 25, 0, 0, 0, 0, loc)
	s, err = newSeries("q", time.Hour, loc, []observation{{back.Add(2 * time.Hour), 1}, {back.Add(3 * time.Hour), 2}})
	require.NoError(t, err)
	assert.Equal(t, 3.0, s.Values[2], "02:00 comes twice on 25 October")
}
