package configs

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

func find(t *testing.T, family, platform string, year int) Promotion {
	t.Helper()
	all, err := Promotions()
	require.NoError(t, err)
	for _, p := range all {
		if p.Family == family && p.Platform == platform && p.Year == year {
			return p
		}
	}
	require.Fail(t, "no such promotion")
	return Promotion{}
}

func TestDouble11Of2020OnTmall(t *testing.T) {
	p := find(t, "double11", "tmall", 2020)
	assert.Equal(t, "2020-10-20T16:00:00Z", p.Start.UTC().Format(time.RFC3339), "10-21 00:00 in Beijing")
	assert.Equal(t, "2020-11-11T16:00:00Z", p.End.UTC().Format(time.RFC3339), "the midnight after 11-11")
	require.Len(t, p.Phases, 6)
	assert.Equal(t, "presale", p.Phases[0].Kind)
	assert.Equal(t, "2020-10-31 22:00", p.Phases[0].End.Format("2006-01-02 15:04"), "21:59 inclusive is 22:00 exclusive")
	assert.Len(t, p.Openings, 5)
}

func TestSalesOpenAtEightInTheEveningSince2022(t *testing.T) {
	for year := 2022; year <= 2025; year++ {
		for _, o := range find(t, "double11", "tmall", year).Openings {
			assert.Equal(t, 20, o.Hour(), "%d", year)
		}
	}
}

func TestEveryPromotionSaysWhereItIsFrom(t *testing.T) {
	all, err := Promotions()
	require.NoError(t, err)
	years := map[int]bool{}
	for i, p := range all {
		years[p.Year] = true
		assert.NotEmpty(t, p.Source)
		assert.NotEmpty(t, p.Quality)
		if p.Quality == "GK" {
			assert.True(t, p.Approximate, "%s %d has no source, so its dates are approximate", p.Family, p.Year)
		}
		if i > 0 {
			assert.False(t, p.Start.Before(all[i-1].Start), "in order of start")
		}
	}
	for y := 2020; y <= 2026; y++ {
		assert.True(t, years[y], "%d", y)
	}
}

// Black Friday is the day after the fourth Thursday, which is not always the fourth Friday.
func TestBlackFridayIsTheDayAfterTheFourthThursday(t *testing.T) {
	for year := 2020; year <= 2026; year++ {
		first := time.Date(year, time.November, 1, 0, 0, 0, 0, beijing)
		thursday := first.AddDate(0, 0, (int(time.Thursday)-int(first.Weekday())+7)%7+21)
		assert.Equal(t, thursday.AddDate(0, 0, 1), find(t, "black_friday", "all", year).Start)
	}
}

func TestPromotionLoaderReportsEveryBadField(t *testing.T) {
	text := `families: [{family: "618", names: [], usual_end: "13-40", habit: ""}, {family: "618", names: [x], habit: y}]
promotions:
  - family: "618"
    year: 2024
    platform: tmall
    start: "2025-06-01 00:00"
    end: "2025-05-01 00:00"
    source: ""
    quality: D
  - family: party
    year: 2025
    platform: ""
    start: "2025-06-01 25:00"
    source: s
    quality: B
  - family: "618"
    year: 2025
    platform: jd
    start: "2025-06-01 20:00 B/X"
    end: "2025-06-18"
    source: s
    quality: B
  - family: "618"
    year: 2025
    platform: pdd
    start: "2025-06-01"
    end: "2025-06-18"
    phases: [{kind: party, start: "2025-06-02 00:00", end: "2025-06-01 00:00"}, {kind: spot}]
    openings: ["2026-01-01 00:00", "2025-06-02"]
    protected_until: "2025-01-01"
    source: s
    quality: B
`
	_, err := ParsePromotions("p.yaml", []byte(text))
	assert.Equal(t, "config.promotions", fault.CodeOf(err))
	var paths []string
	for _, f := range fault.Of(err).Fields {
		assert.Equal(t, "p.yaml", f.File)
		paths = append(paths, f.Path)
	}
	assert.Equal(t, []string{
		"families[0].names", "families[0].habit", "families[0].usual_end", "families[1].family",
		"promotions[0].source", "promotions[0].quality", "promotions[0].end", "promotions[0].year",
		"promotions[1].family", "promotions[1].platform", "promotions[1].start", "promotions[1].end",
		"promotions[2].start",
		"promotions[3].phases[0].kind", "promotions[3].phases[0]",
		"promotions[3].openings[0]", "promotions[3].openings[1]", "promotions[3].openings[1]", "promotions[3].protected_until",
	}, paths)
	_, err = ParsePromotions("p.yaml", []byte("promotions: [{phase: x}]"))
	assert.Equal(t, "config.pack", fault.CodeOf(err))
}

func TestPromotionsOfOneFamilyAndPlatformNeverOverlap(t *testing.T) {
	entry := `  - {family: "618", year: 2025, platform: jd, start: "2025-06-01", end: "2025-06-18", source: s, quality: B}
`
	_, err := ParsePromotions("p.yaml", []byte("families: [{family: \"618\", names: [x], habit: y}]\npromotions:\n"+entry+entry))
	assert.ErrorContains(t, err, "overlaps the occurrence of 2025")
}

// The openings of Tmall as the planners' notes give them, written down a second time: year, instants
// that are sourced or remembered. 2020 and 2021 also have the instants of balance payment.
func TestOpeningsOfTmallAgreeWithTheNotes(t *testing.T) {
	for _, c := range []struct {
		family   string
		year     int
		openings []string
	}{
		{"618", 2020, []string{"05-25 00:00", "06-01 00:00", "06-01 01:00", "06-16 00:00"}},
		{"618", 2021, []string{"05-24 20:00", "06-01 00:00"}},
		{"618", 2022, []string{"05-26 20:00", "05-31 20:00"}},
		{"618", 2023, []string{"05-26 20:00", "05-31 20:00"}},
		{"618", 2024, []string{"05-20 20:00", "05-31 20:00"}},
		{"618", 2025, []string{"05-13 20:00", "05-16 20:00"}},
		{"618", 2026, nil},
		{"double11", 2020, []string{"10-21 00:00", "11-01 00:00", "11-01 00:30", "11-11 00:00", "11-11 00:30"}},
		{"double11", 2021, []string{"10-20 20:00", "11-01 00:00", "11-01 00:30", "11-04 20:00", "11-11 00:00"}},
		{"double11", 2022, []string{"10-24 20:00", "10-31 20:00", "11-10 20:00"}},
		{"double11", 2023, []string{"10-24 20:00", "10-31 20:00", "11-10 20:00"}},
		{"double11", 2024, []string{"10-14 20:00", "10-21 20:00", "10-31 20:00"}},
		{"double11", 2025, []string{"10-15 20:00", "10-20 20:00"}},
	} {
		var got []string
		for _, o := range find(t, c.family, "tmall", c.year).Openings {
			got = append(got, o.Format("01-02 15:04"))
			assert.Equal(t, c.year, o.Year())
		}
		assert.Equal(t, c.openings, got, "%s %d", c.family, c.year)
	}
}

// Starts and known ends of the other platforms, from the same notes. An end in brackets is assumed.
func TestOtherPlatformsAgreeWithTheNotes(t *testing.T) {
	const form = "01-02 15:04"
	for _, c := range []struct{ family, platform, start, end string }{
		{"618", "jd", "2022-05-23", ""},
		{"618", "pdd", "2022-05-23", ""},
		{"618", "jd", "2023-05-23", ""},
		{"618", "jd", "2024-05-31 20:00", ""},
		{"618", "pdd", "2024-05-20", ""},
		{"618", "vip", "2024-05-17", ""},
		{"618", "pdd", "2025-05-13 00:00", "06-21 00:00"},
		{"618", "jd", "2025-05-13 20:00", ""},
		{"618", "douyin", "2025-05-13 00:00", ""},
		{"double11", "jd", "2022-10-20 20:00", "11-14 00:00"},
		{"double11", "jd", "2023-10-23 20:00", ""},
		{"double11", "jd", "2024-10-14", ""},
		{"double11", "pdd", "2024-10-14", ""},
		{"double11", "douyin", "2024-10-08", ""},
		{"double11", "kuaishou", "2024-10-10", ""},
		{"double11", "xiaohongshu", "2024-10-12", ""},
		{"double11", "jd", "2025-10-09 20:00", "11-15 00:00"},
		{"double11", "douyin", "2025-10-09", "11-12 00:00"},
	} {
		layout := "2006-01-02 15:04"
		start, err := time.ParseInLocation(layout[:len(c.start)], c.start, beijing)
		require.NoError(t, err)
		p := find(t, c.family, c.platform, start.Year())
		assert.True(t, p.Start.Equal(start), "%s %s %s", c.family, c.platform, p.Start)
		told := strings.Join(p.Unsure, "; ")
		assert.Equal(t, len(c.start) == 10, strings.Contains(told, "the hour of the start is not known"), told)
		if c.end != "" {
			assert.Equal(t, c.end, p.End.Format(form))
			assert.NotContains(t, told, "the end is not known")
		} else {
			assert.Contains(t, told, "the end is not known, the usual")
		}
	}
}

func TestDouble11Of2022OnTmall(t *testing.T) {
	e := find(t, "double11", "tmall", 2022).Event()
	var openings []string
	for _, o := range e.Openings {
		openings = append(openings, o.Format("01-02 15:04"))
	}
	assert.Contains(t, openings, "10-31 20:00")
	assert.Contains(t, openings, "11-10 20:00")
	var phases []string
	for _, ph := range e.Phases {
		phases = append(phases, ph.Kind+" "+ph.Start.Format("01-02 15:04")+" "+ph.End.Format("01-02 15:04"))
	}
	assert.Equal(t, []string{
		"warmup 10-24 14:00 10-24 20:00", "presale 10-24 20:00 10-31 18:00",
		"spot 10-31 20:00 11-04 00:00", "spot 11-10 20:00 11-14 00:00",
	}, phases, "balance payment lies under the spot sale")
}

// The forecaster takes what each platform has of its own, and what is said of all of them.
func TestEventsOfEveryPlatformAreValid(t *testing.T) {
	all, err := Promotions()
	require.NoError(t, err)
	events := map[string][]forecast.Event{}
	for _, p := range all {
		events[p.Platform] = append(events[p.Platform], p.Event())
	}
	for platform, list := range events {
		require.NoError(t, forecast.ValidateEvents(list), platform)
	}
	assert.GreaterOrEqual(t, len(events["all"]), 20, "38, 99, Double 12 and black Friday of five years at least")
	assert.GreaterOrEqual(t, len(events["tmall"]), 12, "618 and Double 11 of six years at least")
}

// Days without a phase of a known kind keep the phase in the calendar, but the forecaster's phases
// never overlap, lie inside and keep every instant's strongest kind.
func TestForecastPhasesNeverOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := time.Date(2025, 5, 1, 0, 0, 0, 0, beijing)
		p := Promotion{Family: "x", Start: start, End: start.AddDate(0, 0, 30)}
		for range rapid.IntRange(0, 6).Draw(t, "phases") {
			from := rapid.IntRange(0, 700).Draw(t, "from")
			to := rapid.IntRange(from+1, 720).Draw(t, "to")
			p.Phases = append(p.Phases, Phase{rapid.SampledFrom(PhaseKinds).Draw(t, "kind"), start.Add(time.Duration(from) * time.Hour), start.Add(time.Duration(to) * time.Hour)})
		}
		e := p.Event()
		require.NoError(t, forecast.ValidateEvents([]forecast.Event{e}))
		for i := 1; i < len(e.Phases); i++ {
			require.False(t, e.Phases[i].Start.Before(e.Phases[i-1].End))
		}
		for hour := range 720 {
			at := start.Add(time.Duration(hour) * time.Hour)
			kind, want := "", ""
			for _, ph := range e.Phases {
				if !at.Before(ph.Start) && at.Before(ph.End) {
					kind = ph.Kind
				}
			}
			for _, k := range PhaseKinds {
				for _, ph := range p.Phases {
					if want == "" && ph.Kind == k && !at.Before(ph.Start) && at.Before(ph.End) {
						want = k
					}
				}
			}
			require.Equal(t, want, kind)
		}
	})
}

// An end without an hour includes its day; with an hour it is the first instant after.
func TestAnEndByDayIncludesTheDay(t *testing.T) {
	text := `families: [{family: "99", names: ["99"], usual_end: "09-10", habit: h}]
promotions:
  - {family: "99", year: 2024, platform: all, start: "2024-09-01", source: s, quality: B}
  - {family: "99", year: 2025, platform: all, start: "~2025-09-01", end: "~2025-09-10", source: s, quality: GK}
  - {family: "99", year: 2025, platform: jd, start: "2025-08-30 20:00", end: "2025-09-09 00:00", source: s, quality: B}
  - {family: "99", year: 2025, platform: pdd, start: "2025-09-01 00:00", end: "2025-09-09 24:00", phases: [{kind: spot, start: "2025-09-01 00:00", end: "2025-09-03"}], source: s, quality: B}
`
	c, err := ParsePromotions("p.yaml", []byte(text))
	require.NoError(t, err)
	ends := map[string]string{}
	for _, p := range c.Promotions {
		ends[p.Platform+" "+strconv.Itoa(p.Year)] = p.End.Format("2006-01-02 15:04")
		switch {
		case p.Quality == "GK":
			assert.Len(t, p.Unsure, 4, "no source, the hour of the start, about that start, about that end")
		case p.Platform == "pdd":
			assert.Equal(t, "2025-09-04 00:00", p.Phases[0].End.Format("2006-01-02 15:04"), "so for a phase")
			assert.Empty(t, p.Unsure)
		}
	}
	assert.Equal(t, map[string]string{
		"all 2024": "2024-09-11 00:00", "all 2025": "2025-09-11 00:00", "jd 2025": "2025-09-09 00:00", "pdd 2025": "2025-09-10 00:00",
	}, ends)
}

func TestParseMarkedNeverPanics(t *testing.T) {
	for text, want := range map[string]string{
		"2025-06-20 24:00": "2025-06-21 00:00", "~2025-06-20": "2025-06-20 00:00", "2022-05-26 20:00 B/GK": "2022-05-26 20:00", "2022-05-26 GK": "2022-05-26 00:00",
	} {
		d, err := parseMarked(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, d.at.Format("2006-01-02 15:04"))
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`~?20\d\d-\d\d-\d\d( \d\d:\d\d)?( [A-Z]{1,3})?(/[A-Z]{1,2})?.?`).Draw(t, "text")
		if d, err := parseMarked(text); err == nil {
			require.False(t, d.at.IsZero())
		}
	})
}
