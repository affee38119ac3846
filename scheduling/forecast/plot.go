package forecast

import (
	"math"
	"time"

	"github.com/chaoban/chaoban/scheduling"
)

const (
	longestSlotPlot         = 21 * 24 * time.Hour // a longer span is drawn as day totals
	shortestTail, dailyTail = 7 * 24 * time.Hour, 60 * 24 * time.Hour
	historyColour           = "#475569"
	actualColour            = "#0f172a"
	forecastColour          = "#1d4ed8"
	adjustedColour          = "#7c3aed"
	clientColour            = "#c2410c"
)

// Plot draws the end of the history, the mean, the band between the quantiles, and the events with
// their phases and openings, as an SVG file. Records after the origin, when the series has any, are
// drawn over the band. Horizons over three weeks are drawn as day totals.
func Plot(s Series, r Result, events []Event, title string) []byte {
	horizon := time.Duration(r.Horizon)
	hours, _ := ParseHours(r.Hours) // written by this package; everything is drawn if it were not
	p := Panel{
		Title: title, Slot: s.Slot, Location: s.zone(), Hours: hours, Origin: r.Origin, Levels: r.Curve.Levels,
		Band: r.Curve.Points, BandName: "forecast (mean)", Events: events,
	}
	if s.Slot < 24*time.Hour && horizon > longestSlotPlot && len(r.Days) > 1 {
		p.Band, p.Slot = r.Days, 24*time.Hour
	}
	tail := max(shortestTail, min(2*horizon, 400*24*time.Hour))
	if p.Slot == 24*time.Hour {
		tail = max(tail, dailyTail)
	}
	p.From, p.To = r.Origin.Add(-tail), r.Origin.Add(horizon)
	past := s
	if p.Slot > s.Slot {
		past = DailyActuals(s)
	}
	marks := past.marks(p.From, p.To, hours)
	before, after := split(marks, r.Origin)
	if len(before) > 0 && before[0].Start.After(p.From) {
		p.From = before[0].Start
	}
	p.Lines = []Line{{Name: "history", Colour: historyColour, Points: before}}
	if len(after) > 0 {
		p.Lines = append(p.Lines, Line{Name: "actual", Colour: actualColour, Points: after})
	}
	return Draw(p)
}

// PlotBacktest draws replayed forecasts over what came: the last two weeks slot by slot with the
// quantile band of the newest origin before each slot, and, when the back-test is longer, all of it
// as day totals above.
func PlotBacktest(s Series, replays []Version, events []Event, title string) []byte {
	if len(replays) == 0 {
		return Draw(Panel{Title: title, Slot: s.Slot, Location: s.zone()})
	}
	band := Stitch(replays)
	if len(band.Points) == 0 {
		return Draw(Panel{Title: title, Slot: s.Slot, Location: s.zone()})
	}
	from, to := band.Points[0].Start, band.Points[len(band.Points)-1].Start.Add(s.Slot)
	const near = 14 * 24 * time.Hour
	var panels []Panel
	if to.Sub(from) > longestSlotPlot {
		days, actual := band, s
		if s.Slot < 24*time.Hour {
			days, actual = stitchedDays(replays, band, s.zone()), DailyActuals(s)
		}
		panels = append(panels, Panel{
			Title: title, Slot: 24 * time.Hour, Location: s.zone(), From: from, To: to, Levels: days.Levels, Band: days.Points, BandName: "forecast (mean)",
			Lines: []Line{{Name: "actual", Colour: actualColour, Points: actual.marks(from, to, Hours{})}}, Events: events,
		})
		title = "the last two weeks"
	}
	if s.Slot < 24*time.Hour || len(panels) == 0 {
		if len(panels) > 0 && to.Add(-near).After(from) {
			from = to.Add(-near)
		}
		shown := Panel{
			Title: title, Slot: s.Slot, Location: s.zone(), From: from, To: to, Levels: band.Levels, BandName: "forecast (mean)", Events: events,
			Lines: []Line{{Name: "actual", Colour: actualColour, Points: s.marks(from, to, Hours{})}},
		}
		for _, p := range band.Points {
			if !p.Start.Before(from) {
				shown.Band = append(shown.Band, p)
			}
		}
		if len(panels) == 0 {
			shown.Origin = replays[0].Origin
			tail := min(7*24*time.Hour, to.Sub(from))
			shown.From = from.Add(-tail)
			shown.Lines[0].Points = s.marks(shown.From, to, Hours{})
		}
		panels = append(panels, shown)
	}
	return Draw(panels...)
}

// Stitch takes each slot from the newest forecast that has it, as if every origin had replaced
// the one before.
func Stitch(replays []Version) scheduling.Curve {
	t := newTrackIndex(replays)
	out := scheduling.Curve{Queue: replays[0].Curve.Queue, Slot: replays[0].Curve.Slot, Levels: t.levels}
	var last time.Time
	for i, v := range t.versions {
		var next time.Time
		if i+1 < len(t.versions) {
			next = t.versions[i+1].Origin
		}
		for _, p := range v.Curve.Points {
			if (next.IsZero() || p.Start.Before(next)) && (last.IsZero() || p.Start.After(last)) && len(p.Quantiles) == len(t.levels) {
				out.Points = append(out.Points, p)
				last = p.Start
			}
		}
	}
	return out
}

// stitchedDays takes each day from the newest forecast that has it as a whole, or sums the slots
// where no forecast has whole days.
func stitchedDays(replays []Version, band scheduling.Curve, loc *time.Location) scheduling.Curve {
	whole := make([]Version, 0, len(replays))
	for _, r := range replays {
		whole = append(whole, Version{Origin: r.Origin, Curve: scheduling.Curve{Queue: band.Queue, Slot: 24 * time.Hour, Levels: r.Curve.Levels, Points: r.Days}})
	}
	if days := Stitch(whole); len(days.Points) > 0 {
		return days
	}
	return ByDay(band, loc)
}

// marks are the records of a span that lie in the open hours.
func (s Series) marks(from, to time.Time, hours Hours) []scheduling.Point {
	var out []scheduling.Point
	per := int(24 * time.Hour / s.Slot)
	first, _ := wallSlot(from, s.Slot, s.zone())
	for i := max(0, first-unixDay(s.First)) * per; i < len(s.Values); i++ {
		at := wallInstant(unixDay(s.First)+i/per, i%per, s.Slot, s.zone())
		if !at.Before(to) || at.Add(s.Slot).After(s.End()) {
			break
		}
		l := at.In(s.zone())
		closed := s.Slot < 24*time.Hour && !hours.IsZero() && !hours.Open(l.Weekday(), 60*l.Hour()+l.Minute())
		if v := s.Values[i]; !math.IsNaN(v) && !at.Before(from) && !closed {
			out = append(out, scheduling.Point{Start: at, Mean: v})
		}
	}
	return out
}

// Marks are the records of a span, for a Panel.
func (s Series) Marks(from, to time.Time) []scheduling.Point {
	if len(s.Values) == 0 {
		return nil
	}
	return s.marks(from, to, Hours{})
}

// split cuts points at an instant.
func split(points []scheduling.Point, at time.Time) (before, after []scheduling.Point) {
	for i, p := range points {
		if !p.Start.Before(at) {
			return points[:i], points[i:]
		}
	}
	return points, nil
}
