package planning

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

var beijing = time.FixedZone("UTC+8", 8*3600)

func sale(family string, platform contracts.Platform, from, until string, unsure ...string) Promotion {
	at := func(text string) time.Time { t, _ := time.ParseInLocation(time.DateOnly, text, beijing); return t }
	return Promotion{Platform: platform, Event: forecast.Event{Family: family, Start: at(from), End: at(until)}, Unsure: unsure}
}

func over(from, until string) calendar.Range {
	e := sale("", "", from, until)
	return calendar.Range{Start: e.Start, End: e.End}
}

// What a platform feels: its own dates before those of all platforms, entered ones before shipped ones,
// and Taobao feels what Tmall does.
func TestWhatAPlatformFeels(t *testing.T) {
	everywhere, onJD := sale("99", "all", "2025-09-01", "2025-09-11"), sale("99", "jd", "2025-08-30", "2025-09-09")
	onTmall := sale("618", "tmall", "2025-05-13", "2025-06-21")
	shipped := []Promotion{everywhere, onJD, onTmall}
	assert.Equal(t, []forecast.Event{onJD.Event}, eventsFor(nil, shipped, "jd"))
	assert.Equal(t, []forecast.Event{everywhere.Event}, eventsFor(nil, shipped, "pdd"))
	assert.Equal(t, []forecast.Event{everywhere.Event, onTmall.Event}, eventsFor(nil, shipped, "taobao"))
	own := sale("99", "all", "2025-09-03", "2025-09-06")
	for _, on := range []contracts.Platform{"jd", "pdd"} {
		assert.Equal(t, []forecast.Event{own.Event}, eventsFor([]Promotion{own}, shipped, on), on)
	}
	next := sale("99", "all", "2026-09-01", "2026-09-11")
	assert.Equal(t, []forecast.Event{onJD.Event, next.Event}, eventsFor(nil, append(shipped, next), "jd"), "another year")
}

// The planner is told what is not sure of a coming promotion, and of one that has no date at the time of last
// year's; not of what was entered, lies elsewhere or is on another platform.
func TestTheCalendarsDoubtsReachThePlanner(t *testing.T) {
	shipped := []Promotion{
		sale("double11", "tmall", "2025-10-15", "2025-11-15"),
		sale("618", "tmall", "2026-05-15", "2026-06-21", "the start is about 2026-05-15", "every date is inferred"),
		sale("818", "douyin", "2025-08-18", "2025-08-20"),
	}
	doubts := func(entered []Promotion, platform contracts.Platform, span calendar.Range) []string {
		return promotionDoubts(entered, shipped, platform, span, beijing)
	}
	june, november := over("2026-06-01", "2026-06-15"), over("2026-11-01", "2026-11-15")
	assert.Equal(t, []string{"the calendar is not sure of 618 from 2026-05-15 to 2026-06-20: the start is about 2026-05-15; every date is inferred; " +
		"a promotion that somebody enters replaces it"}, doubts(nil, "tmall", june))
	assert.Equal(t, []string{"no date of double11 in 2026 is known; the last one, 2025-10-15 to 2025-11-14, had its place in this forecast, " +
		"which knows of none: enter it among the promotions"}, doubts(nil, "taobao", november))
	assert.Len(t, doubts(nil, "tmall", over("2027-11-01", "2027-11-15")), 1, "two years on as well")
	assert.Empty(t, doubts(nil, "jd", june), "another platform")
	assert.Empty(t, doubts(nil, "jd", november))
	assert.Empty(t, doubts(nil, "tmall", over("2026-07-01", "2026-07-15")), "another season")
	assert.Empty(t, doubts([]Promotion{sale("618", "all", "2026-05-20", "2026-06-19")}, "tmall", june), "entered dates are believed")
	assert.Empty(t, doubts([]Promotion{sale("double11", "tmall", "2026-10-12", "2026-10-31")}, "tmall", november), "it has a date, elsewhere")
	assert.Empty(t, doubts(nil, "tmall", over("2025-11-01", "2025-11-05")), "the known one itself")
}
