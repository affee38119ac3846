package configs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
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
	for year := 2020; year <= 2025; year++ {
		first := time.Date(year, time.November, 1, 0, 0, 0, 0, beijing)
		thursday := first.AddDate(0, 0, (int(time.Thursday)-int(first.Weekday())+7)%7+21)
		assert.Equal(t, thursday.AddDate(0, 0, 1), find(t, "black_friday", "all", year).Start)
	}
}

func TestPromotionLoaderReportsEveryBadField(t *testing.T) {
	text := `promotions:
  - family: "618"
    year: 2024
    platform: tmall
    start: 2025-06-01 00:00
    end: 2025-05-01 00:00
    phases: [{kind: party, start: 2025-06-02 00:00, end: 2025-06-01 00:00}]
    openings: ["2026-01-01 00:00"]
    source: ""
    quality: D
`
	var pack promotionPack
	require.NoError(t, decodePack("p.yaml", []byte(text), &pack))
	_, err := pack.promotions()
	assert.Equal(t, "config.promotions", fault.CodeOf(err))
	assert.Len(t, fault.Of(err).Fields, 7)

	assert.Error(t, decodePack("p.yaml", []byte("promotions: [{start: 2025-06-01}]"), &pack), "a time needs an hour")
}

func TestPromotionsOfOneFamilyAndPlatformNeverOverlap(t *testing.T) {
	entry := promotionEntry{Family: "618", Year: 2025, Platform: "jd", Source: "s", Quality: "B"}
	require.NoError(t, entry.Start.UnmarshalText([]byte("2025-06-01 00:00")))
	require.NoError(t, entry.End.UnmarshalText([]byte("2025-06-18 24:00")))
	_, err := promotionPack{Promotions: []promotionEntry{entry, entry}}.promotions()
	assert.ErrorContains(t, err, "overlaps the occurrence of 2025")
}
