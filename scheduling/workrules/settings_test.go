package workrules

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
)

// What Settings shows With takes back, for the defaults and for a house of its own.
func TestSettingsAreReadAsTheyAreShown(t *testing.T) {
	house := DefaultParams()
	house.RestBlock, house.RestWarn, house.ConsecutiveDays, house.ShopsAtOnce, house.HardMeals = 9*time.Hour, 12*time.Hour+30*time.Minute, 5, 12, true
	house.SpecialDates = []calendar.Dates{
		{From: calendar.MakeDate(2026, 11, 10), Until: calendar.MakeDate(2026, 11, 13)},
		{From: calendar.MakeDate(2026, 12, 12), Until: calendar.MakeDate(2026, 12, 13)},
	}
	for _, p := range []Params{DefaultParams(), house} {
		values := map[string]string{}
		for _, s := range p.Settings() {
			assert.NotEmpty(t, s.Meaning, s.Name)
			values[s.Name] = s.Value
		}
		back, bad := DefaultParams().With(values)
		assert.Empty(t, bad)
		assert.Equal(t, p, back)
	}
}

// Three days at Double 11 are three dates, the last one included.
func TestSpecialDatesIncludeTheLast(t *testing.T) {
	p, bad := DefaultParams().With(map[string]string{"special_dates": "2026-11-10:2026-11-12, 2026-12-12"})
	require.Empty(t, bad)
	for day, special := range map[int]bool{9: false, 10: true, 12: true, 13: false} {
		assert.Equal(t, special, p.SpecialDates[0].Contains(calendar.MakeDate(2026, 11, day)), day)
	}
	assert.True(t, p.SpecialDates[1].Contains(calendar.MakeDate(2026, 12, 12)))
}

func TestEveryBadSettingIsNamed(t *testing.T) {
	_, bad := DefaultParams().With(map[string]string{
		"rest_block": "9", "consecutive_days": "many", "hard_meals": "yes", "special_dates": "2026-11-12:2026-11-10", "naps": "1", "queues": "x",
		"overtime_month": "40h", "week_start": "someday",
	})
	var paths []string
	for _, f := range bad {
		paths = append(paths, f.Path)
	}
	assert.ElementsMatch(t, []string{
		"rules.rest_block", "rules.consecutive_days", "rules.hard_meals", "rules.special_dates", "rules.naps", "rules.queues",
		"rules.overtime_month", "rules.week_start",
	}, paths)
}
