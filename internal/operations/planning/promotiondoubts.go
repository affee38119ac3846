package planning

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// promotionDoubts are what a planner should check of the calendar before a forecast over a span is
// believed: shipped promotions whose dates are not sure, and families that had a promotion at this
// time of an earlier year and have no date in this one. What somebody entered is not doubted.
func promotionDoubts(entered, shipped []Promotion, platform contracts.Platform, span calendar.Range, zone *time.Location) []string {
	var doubts []string
	known := felt(entered, shipped, platform)
	day := func(t time.Time) string { return t.In(zone).Format(time.DateOnly) }
	for _, p := range known {
		if len(p.Unsure) > 0 && span.Overlaps(calendar.Range{Start: p.Start, End: p.End}) {
			doubts = append(doubts, fmt.Sprintf("the calendar is not sure of %s from %s to %s: %s; a promotion that somebody enters replaces it",
				p.Family, day(p.Start), day(p.End.Add(-1)), strings.Join(p.Unsure, "; ")))
		}
	}
	var asked []string
	for _, s := range shipped {
		if slices.Contains(asked, s.Family) {
			continue
		}
		asked = append(asked, s.Family)
		last, year, missing := undated(s.Family, known, span)
		if missing {
			doubts = append(doubts, fmt.Sprintf("no date of %s in %d is known; the last one, %s to %s, had its place in this forecast, which knows of none: enter it among the promotions",
				s.Family, year, day(last.Start), day(last.End.Add(-1))))
		}
	}
	return doubts
}

// undated finds the newest occurrence of a family before a span whose anniversary lies in the span,
// when no occurrence is known within half a year of that anniversary.
func undated(family string, known []Promotion, span calendar.Range) (last forecast.Event, year int, missing bool) {
	const halfYear = 183 * 24 * time.Hour
	for _, p := range known {
		if p.Family == family && p.Start.Before(span.End) && p.Start.After(last.Start) {
			last = p.Event
		}
	}
	if last.Family == "" {
		return last, 0, false
	}
	for years := 1; years <= 3; years++ {
		again := calendar.Range{Start: last.Start.AddDate(years, 0, 0), End: last.End.AddDate(years, 0, 0)}
		if !again.Overlaps(span) {
			continue
		}
		near := func(p Promotion) bool { return p.Family == family && p.Start.Sub(again.Start).Abs() < halfYear }
		return last, again.Start.Year(), !slices.ContainsFunc(known, near)
	}
	return last, 0, false
}
