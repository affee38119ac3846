package kpi

import (
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

// Clock is a weekly pattern of hours in which a response clock runs: for each weekday, Monday
// first, the local minutes [from, until) of the day. The zero Clock always runs.
type Clock struct {
	Always bool
	Days   [7]Window // Monday first; From = Until = 0 is a day on which the clock stands
}

var weekdays = []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}

// ParseClock reads "Mon-Fri 09:00-17:00" or several of them, "Mon-Fri 09:00-17:00; Sat 10:00-12:00";
// "" always runs. One span per weekday, on whole minutes, not over midnight. Errors: kpi.clock.invalid.
func ParseClock(s string) (Clock, error) {
	if s == "" {
		return Clock{Always: true}, nil
	}
	var c Clock
	for _, part := range strings.Split(s, ";") {
		days, hours, ok := strings.Cut(strings.TrimSpace(part), " ")
		window, err := parseMinutes(hours, 1)
		first, last, isRange := strings.Cut(days, "-")
		if !isRange {
			last = first
		}
		from, until := slices.Index(weekdays, first), slices.Index(weekdays, last)
		if !ok || err != nil || window.From >= window.Until || from < 0 || until < from {
			return Clock{}, fault.New(fault.Invalid, "kpi.clock.invalid", "must be hours like Mon-Fri 09:00-17:00")
		}
		for day := from; day <= until; day++ {
			if c.Days[day] != (Window{}) {
				return Clock{}, fault.New(fault.Invalid, "kpi.clock.invalid", "names %s twice", weekdays[day])
			}
			c.Days[day] = window
		}
	}
	return c, nil
}

// Elapsed is how long the clock ran from one instant to a later one, on the wall clock of a zone.
func (c Clock) Elapsed(from, to time.Time, zone *time.Location) time.Duration {
	if c.Always {
		return to.Sub(from)
	}
	var sum time.Duration
	local := from.In(zone)
	for day := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC); ; day = day.AddDate(0, 0, 1) {
		begin, end := wall(from, zone), wall(to, zone)
		if day.After(end) {
			return sum
		}
		w := c.Days[(int(day.Weekday())+6)%7]
		open, shut := day.Add(time.Duration(w.From)*time.Minute), day.Add(time.Duration(w.Until)*time.Minute)
		if open.Before(begin) {
			open = begin
		}
		if shut.After(end) {
			shut = end
		}
		if shut.After(open) {
			sum += shut.Sub(open)
		}
	}
}

// wall is what the clock on the wall shows, as if it were UTC.
func wall(t time.Time, zone *time.Location) time.Time {
	l := t.In(zone)
	return time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), l.Second(), l.Nanosecond(), time.UTC)
}
