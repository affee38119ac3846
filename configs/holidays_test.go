package configs

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
)

func date(t *testing.T, s string) calendar.Date {
	t.Helper()
	d, err := calendar.ParseDate(s)
	require.NoError(t, err)
	return d
}

// Expected days are those of the 2024 amendment as published for 2025 and 2026.
func TestStatutoryDaysOf2025And2026(t *testing.T) {
	want := map[int]string{
		2025: "01-01 01-28 01-29 01-30 01-31 04-04 05-01 05-02 05-31 10-01 10-02 10-03 10-06",
		2026: "01-01 02-16 02-17 02-18 02-19 04-05 05-01 05-02 06-19 09-25 10-01 10-02 10-03",
	}
	for year, days := range want {
		assert.Equal(t, days, strings.Join(datesOfKind(year, calendar.Statutory), " "))
	}
	assert.Equal(t, "01-04 02-14 02-28 05-09 09-20 10-10", strings.Join(datesOfKind(2026, calendar.Makeup), " "))
}

func datesOfKind(year int, kind calendar.DayKind) []string {
	var out []string
	for d := (calendar.Date{Year: year, Month: 1, Day: 1}); d.Year == year; d = d.Add(1) {
		if Holidays().Kind(d) == kind {
			out = append(out, d.String()[5:])
		}
	}
	return out
}

// The number of statutory dates follows the text in force: 10 days to 2007, 11 to 2024, 13 since
// 2025, one less where 中秋 falls on a 国庆 day (2009, 2020).
func TestStatutoryDayCountsFollowTheTextInForce(t *testing.T) {
	for year := 2007; year <= 2026; year++ {
		want := 11
		switch {
		case year == 2007:
			want = 10
		case year >= 2025:
			want = 13
		case year == 2009 || year == 2020:
			want = 10
		}
		assert.Len(t, datesOfKind(year, calendar.Statutory), want, "%d", year)
	}
}

// Spring Festival is paid from New Year's Eve in 2008-2013 and since 2025, from 正月初一 otherwise.
func TestSpringFestivalRulePerAct(t *testing.T) {
	var pack holidayPack
	require.NoError(t, readPack(holidayFile, &pack))
	for _, y := range pack.Years {
		first, days := 0, 3
		switch {
		case y.Year >= 2025:
			first, days = -1, 4
		case y.Year >= 2008 && y.Year < 2014:
			first = -1
		}
		for _, h := range y.Holidays {
			if h.Name != "春节" {
				continue
			}
			var want []calendar.Date
			for i := range days {
				want = append(want, h.Festival.Add(first+i))
			}
			assert.Equal(t, want, h.Statutory, "%d", y.Year)
		}
	}
}

func TestJointHolidayKeepsTheNameOfEachStatutoryDay(t *testing.T) {
	h := Holidays()
	assert.Equal(t, "中秋节", h.Name(date(t, "2025-10-06")))
	assert.Equal(t, "国庆节", h.Name(date(t, "2025-10-07")))
	assert.Equal(t, "中秋节", h.Name(date(t, "2012-09-30")))
	assert.Equal(t, calendar.Statutory, h.Kind(date(t, "2012-09-30")))
	assert.Equal(t, calendar.Bridge, h.Kind(date(t, "2025-10-08")))
	assert.Equal(t, calendar.RestDay, h.Kind(date(t, "2025-10-12")))
	assert.Equal(t, "", h.Name(date(t, "2025-10-12")))
}

func TestCoveredYears(t *testing.T) {
	h := Holidays()
	assert.False(t, h.Covers(2006), "two make-up days of 2006 do not make a covered year")
	assert.True(t, h.Covers(2007))
	assert.True(t, h.Covers(2026))
	assert.False(t, h.Covers(2027))
}

// The day-by-day table was compiled independently of the notices and agrees with two packages.
func TestWorkdaysAgreeWithTheDailyTable(t *testing.T) {
	rows := readDailyTable(t)
	h, makeups := Holidays(), 0
	for _, row := range rows {
		d := date(t, row[0])
		assert.Equal(t, row[1] == "1", h.Kind(d).Working(), row[0])
		if row[3] == "1" {
			makeups++
			assert.Equal(t, calendar.Makeup, h.Kind(d), row[0])
		}
	}
	assert.Equal(t, 7305, len(rows))
	assert.Equal(t, 130, makeups)
}

func readDailyTable(t *testing.T) [][]string {
	t.Helper()
	dir := os.Getenv("CHAOBAN_SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	f, err := os.Open(filepath.Join(dir, "cn_holidays", "workday_calendar_2007_2026.csv"))
	if err != nil || os.Getenv("CI") == "true" {
		t.Skip("the daily table is not here")
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	return rows[1:]
}

func TestHolidayPackRefusesBrokenData(t *testing.T) {
	bad := holidayPack{Source: "x", Years: []holidayYear{
		{Year: 2025, Notices: []string{"n"}, Holidays: []festival{{Name: "元旦", Statutory: []calendar.Date{{Year: 2025, Month: time.January, Day: 1}}}}},
		{Year: 2027},
	}}
	err := bad.validate()
	require.Error(t, err)
	assert.Equal(t, "config.holidays", fault.CodeOf(err))
	assert.Len(t, fault.Of(err).Fields, 3)
}

// What the text gives for 2025 and 2026 is what was published for them, names included.
func TestStatutoryDaysFollowFromTheText(t *testing.T) {
	for _, year := range []int{2025, 2026} {
		days, complete := calendar.StatutoryDays(year)
		require.True(t, complete)
		computed := map[string]string{}
		for _, d := range days {
			computed[d.Date.String()[5:]] = d.Name
		}
		published := map[string]string{}
		for _, d := range datesOfKind(year, calendar.Statutory) {
			published[d] = Holidays().Name(date(t, strconv.Itoa(year)+"-"+d))
		}
		assert.Equal(t, published, computed)
	}
}

// 2027 has no notice yet: its statutory days are known (domain list of the labour rules), nothing else is.
func TestAYearWithoutANoticeHasItsStatutoryDays(t *testing.T) {
	assert.Equal(t, "01-01 02-05 02-06 02-07 02-08 04-05 05-01 05-02 06-09 09-15 10-01 10-02 10-03", strings.Join(datesOfKind(2027, calendar.Statutory), " "))
	assert.Empty(t, datesOfKind(2027, calendar.Bridge))
	assert.Equal(t, "01-01 05-01 05-02 10-01 10-02 10-03", strings.Join(datesOfKind(2040, calendar.Statutory), " "), "beyond the lunar table the fixed dates")
	year := calendar.Range{Start: time.Date(2026, 12, 28, 0, 0, 0, 0, time.UTC), End: time.Date(2027, 1, 4, 0, 0, 0, 0, time.UTC)}
	assert.Equal(t, []int{2027}, Holidays().Unannounced(year, time.UTC))
	year.End = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	assert.Empty(t, Holidays().Unannounced(year, time.UTC))
}
