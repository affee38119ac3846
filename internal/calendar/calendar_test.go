package calendar_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"
	_ "time/tzdata" // the tests name zones that a small machine may lack

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
)

func zone(t require.TestingT, name string) *time.Location {
	loc, err := time.LoadLocation(name)
	require.NoError(t, err)
	return loc
}

func date(y int, m time.Month, d int) calendar.Date { return calendar.Date{Year: y, Month: m, Day: d} }

func dates() *rapid.Generator[calendar.Date] {
	return rapid.Custom(func(t *rapid.T) calendar.Date {
		return date(1970, 1, 1).Add(rapid.IntRange(-40_000, 60_000).Draw(t, "days"))
	})
}

func instants() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		return time.Unix(rapid.Int64Range(0, 4_000_000_000).Draw(t, "unix"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns"))
	})
}

// The reference is package time: days are added with AddDate and compared as instants.
func TestDatesAgreeWithPackageTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := dates().Draw(t, "a"), dates().Draw(t, "b")
		n := rapid.IntRange(-4000, 4000).Draw(t, "n")
		at, bt := a.In(time.UTC), b.In(time.UTC)

		assert.Equal(t, at.AddDate(0, 0, n).Format(time.DateOnly), a.Add(n).String())
		assert.Equal(t, n, a.Add(n).Sub(a))
		assert.Equal(t, at.Weekday(), a.Weekday())
		assert.Equal(t, at.Before(bt), a.Before(b))
		assert.Equal(t, at.After(bt), a.After(b))
		assert.Equal(t, a == b, !a.Before(b) && !a.After(b))

		back, err := calendar.ParseDate(a.String())
		require.NoError(t, err)
		assert.Equal(t, a, back)
	})
}

func TestParseDateRefuses(t *testing.T) {
	for _, s := range []string{"", "2026-02-29", "2026-13-01", "2026/01/02", "26-01-02", "2026-1-2", "2026-01-02T00:00:00Z", "20260102"} {
		_, err := calendar.ParseDate(s)
		require.Error(t, err, s)
		assert.Equal(t, "calendar.date", fault.CodeOf(err), s)
	}
	_, err := calendar.ParseMonth("2026-11-01")
	require.Error(t, err)
	assert.Equal(t, "calendar.month", fault.CodeOf(err))
}

func TestDateAsText(t *testing.T) {
	type period struct {
		P calendar.Dates `json:"p"`
	}
	open := period{calendar.Dates{From: date(2026, 6, 1)}}
	raw, err := json.Marshal(open)
	require.NoError(t, err)
	assert.JSONEq(t, `{"p":{"from":"2026-06-01"}}`, string(raw))

	var back period
	require.NoError(t, json.Unmarshal([]byte(`{"p":{"from":"2026-06-01","until":""}}`), &back))
	assert.Equal(t, open, back)
	assert.Empty(t, calendar.Date{}.String())
}

// A business day starts at the first instant whose civil date it is, also where midnight is jumped
// over: Shanghai on 1 June 1940 and São Paulo on 4 November 2018 went from 24:00 to 01:00.
func TestDateInAZone(t *testing.T) {
	for _, c := range []struct {
		zone  string
		date  calendar.Date
		start string
		hours time.Duration
	}{
		{"Asia/Shanghai", date(2026, 11, 11), "2026-11-11T00:00:00+08:00", 24},
		{"Asia/Shanghai", date(1940, 6, 1), "1940-06-01T01:00:00+09:00", 23},
		{"America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T01:00:00-02:00", 23},
		{"America/New_York", date(2026, 3, 8), "2026-03-08T00:00:00-05:00", 23},
		{"America/New_York", date(2026, 11, 1), "2026-11-01T00:00:00-04:00", 25},
	} {
		loc := zone(t, c.zone)
		day := calendar.Day(c.date, loc)
		assert.Equal(t, c.start, day.Start.Format(time.RFC3339))
		assert.Equal(t, c.hours*time.Hour, day.Duration(), c.date)
		assert.Equal(t, c.date, calendar.DateOf(day.Start, loc))
		assert.Equal(t, c.date.Add(-1), calendar.DateOf(day.Start.Add(-1), loc))
	}
}

func TestMonths(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := dates().Draw(t, "date").MonthOf()
		first := time.Date(m.Year, m.Month, 1, 0, 0, 0, 0, time.UTC)
		next := first.AddDate(0, 1, 0)
		assert.Equal(t, next.Format("2006-01"), m.Next().String())
		assert.Equal(t, int(next.Sub(first).Hours()/24), m.Days())
		assert.Equal(t, calendar.Range{Start: first, End: next}, m.Range(time.UTC))

		back, err := calendar.ParseMonth(m.String())
		require.NoError(t, err)
		assert.Equal(t, m, back)
	})
	assert.Equal(t, 29, calendar.Month{Year: 2024, Month: time.February}.Days())
	assert.Equal(t, 28, calendar.Month{Year: 2100, Month: time.February}.Days())

	r := calendar.Month{Year: 2026, Month: time.November}.Range(zone(t, "Asia/Shanghai"))
	assert.Equal(t, "2026-10-31T16:00:00Z", r.Start.UTC().Format(time.RFC3339))
	assert.Equal(t, "2026-11-30T16:00:00Z", r.End.UTC().Format(time.RFC3339))
}

func TestRanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		minutes := rapid.IntRange(0, 60)
		from := func(name string) calendar.Range {
			start := time.Unix(0, 0).Add(time.Duration(minutes.Draw(t, name)) * time.Minute)
			return calendar.Range{Start: start, End: start.Add(time.Duration(1+minutes.Draw(t, name+" length")) * time.Minute)}
		}
		a, b := from("a"), from("b")
		// The slow way: count the minutes that lie in both.
		var shared time.Duration
		for m := range a.Slots(time.Minute) {
			if b.Contains(m.Start) {
				shared += time.Minute
			}
		}
		assert.Equal(t, shared, a.Overlap(b))
		assert.Equal(t, shared > 0, a.Overlaps(b))
		assert.Equal(t, a.Overlap(b), b.Overlap(a))
		assert.True(t, a.Contains(a.Start) && !a.Contains(a.End), "half-open")
	})
}

func TestSlots(t *testing.T) {
	day := calendar.Day(date(2026, 11, 11), time.UTC)
	slots := slices.Collect(day.Slots(calendar.Slot))
	assert.Len(t, slots, 96)
	assert.Equal(t, day.Start, slots[0].Start)
	assert.Equal(t, day.End, slots[95].End)
	assert.Empty(t, slices.Collect(day.Slots(0)))
	assert.Empty(t, slices.Collect(calendar.Range{Start: day.End, End: day.Start}.Slots(calendar.Slot)))
	for range day.Slots(calendar.Slot) {
		break // stopping early is allowed
	}
}

func TestDatesOfARange(t *testing.T) {
	shanghai := zone(t, "Asia/Shanghai")
	at := func(s string) time.Time {
		got, err := time.Parse(time.RFC3339, s)
		require.NoError(t, err)
		return got
	}
	for _, c := range []struct {
		start, end string
		want       []calendar.Date
	}{
		{"2026-11-11T00:00:00+08:00", "2026-11-12T00:00:00+08:00", []calendar.Date{date(2026, 11, 11)}},
		{"2026-11-11T22:00:00+08:00", "2026-11-12T06:00:00+08:00", []calendar.Date{date(2026, 11, 11), date(2026, 11, 12)}},
		{"2026-11-11T12:00:00+08:00", "2026-11-11T12:00:00+08:00", nil},
	} {
		r := calendar.Range{Start: at(c.start), End: at(c.end)}
		assert.Equal(t, c.want, slices.Collect(r.Dates(shanghai)))
	}
}

func TestEffectiveDating(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		period := func(name string) calendar.Dates {
			p := calendar.Dates{From: date(2026, 1, 1).Add(rapid.IntRange(0, 30).Draw(t, name))}
			if rapid.Bool().Draw(t, name+" ends") {
				p.Until = p.From.Add(rapid.IntRange(1, 30).Draw(t, name+" length"))
			}
			return p
		}
		a, b := period("a"), period("b")
		common := false
		for n := range 90 {
			d := date(2026, 1, 1).Add(n)
			common = common || a.Contains(d) && b.Contains(d)
		}
		assert.Equal(t, common, a.Overlaps(b))
		assert.Equal(t, common, b.Overlaps(a))
	})
}

// In a zone whose clocks never change, the floor is the arithmetic one since local midnight.
func TestFloorSlotInShanghai(t *testing.T) {
	shanghai := zone(t, "Asia/Shanghai")
	lengths := []time.Duration{5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 8 * time.Hour, 24 * time.Hour}
	rapid.Check(t, func(t *rapid.T) {
		at := instants().Filter(func(x time.Time) bool { return x.Year() > 1992 }).Draw(t, "t")
		length := rapid.SampledFrom(lengths).Draw(t, "length")
		midnight := calendar.DateOf(at, shanghai).In(shanghai)
		want := midnight.Add(at.Sub(midnight) / length * length)
		assert.True(t, want.Equal(calendar.FloorSlot(at, length, shanghai)))
	})
}

func TestFloorSlotWhereClocksChange(t *testing.T) {
	zones := []string{"America/New_York", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "America/Sao_Paulo"}
	rapid.Check(t, func(t *rapid.T) {
		loc := zone(t, rapid.SampledFrom(zones).Draw(t, "zone"))
		at := instants().Draw(t, "t")
		quarter := calendar.FloorSlot(at, calendar.Slot, loc)
		assert.Zero(t, quarter.Minute()%15+quarter.Second()+quarter.Nanosecond())
		late := at.Sub(quarter)
		assert.True(t, late >= 0 && late < calendar.Slot, "%s", late)
		assert.True(t, quarter.Equal(calendar.FloorSlot(quarter, calendar.Slot, loc)), "its own floor")
		assert.Equal(t, calendar.DateOf(at, loc).In(loc).Unix(), calendar.FloorSlot(at, 24*time.Hour, loc).Unix())
	})
	ny := zone(t, "America/New_York")
	noon := time.Date(2026, 3, 8, 12, 0, 0, 0, ny) // clocks went from 02:00 to 03:00
	assert.Equal(t, "2026-03-08T00:00:00-05:00", calendar.FloorSlot(noon, 24*time.Hour, ny).Format(time.RFC3339))
}

// State Council notice for 2026's National Day: 1 to 7 October off, 20 September and 10 October
// worked; 1 to 3 October are the statutory days (放假办法 §2).
func TestHolidays(t *testing.T) {
	h := calendar.NewHolidays("a notice", []calendar.Holiday{
		{Date: date(2026, 10, 1), Kind: calendar.Statutory, Name: "国庆节"},
		{Date: date(2026, 10, 5), Kind: calendar.Bridge, Name: "国庆节"},
		{Date: date(2026, 10, 10), Kind: calendar.Workday, Name: "overwritten"},
		{Date: date(2026, 10, 10), Kind: calendar.Makeup, Name: "国庆节"},
	})
	for _, c := range []struct {
		date    calendar.Date
		kind    calendar.DayKind
		name    string
		working bool
		holiday string
	}{
		{date(2026, 10, 1), calendar.Statutory, "statutory", false, "国庆节"},
		{date(2026, 10, 5), calendar.Bridge, "bridge", false, "国庆节"},
		{date(2026, 10, 10), calendar.Makeup, "makeup", true, "国庆节"}, // a Saturday
		{date(2026, 10, 17), calendar.RestDay, "rest_day", false, ""},
		{date(2026, 10, 19), calendar.Workday, "workday", true, ""},
	} {
		kind := h.Kind(c.date)
		assert.Equal(t, c.kind, kind, c.date)
		assert.Equal(t, c.name, kind.String())
		assert.Equal(t, c.working, kind.Working(), c.date)
		assert.Equal(t, c.holiday, h.Name(c.date))
	}
	assert.Equal(t, "a notice", h.Source())
	assert.True(t, h.Covers(2026))
	assert.False(t, h.Covers(2025) || h.Covers(2027))

	var none calendar.Holidays
	assert.Equal(t, calendar.RestDay, none.Kind(date(2026, 10, 3)))
	assert.False(t, none.Covers(2026))
}
