package people

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
)

// Window replaces the share of a cause where all its parts apply: a training day in October, the
// meeting on Monday from 14:00 to 15:00. An empty part always applies; of several windows the last one wins.
type Window struct {
	Share    float64          `json:"share" yaml:"share"`                           // [0,1)
	Weekdays []string         `json:"weekdays,omitempty" yaml:"weekdays,omitempty"` // "monday" … "sunday", or 周一 … 周日
	From     string           `json:"from,omitempty" yaml:"from,omitempty"`         // "HH:MM"
	Until    string           `json:"until,omitempty" yaml:"until,omitempty"`       // "HH:MM", up to "24:00"; before From = over midnight
	Dates    []calendar.Dates `json:"dates,omitempty" yaml:"dates,omitempty"`       // civil dates of the slot's start
}

// moment is a slot's start on the wall.
type moment struct {
	date    calendar.Date
	weekday time.Weekday
	minute  int // since midnight
}

func (in Input) local(t time.Time) moment {
	loc := in.Location
	if loc == nil {
		loc = time.UTC
	}
	l := t.In(loc)
	return moment{calendar.DateOf(t, loc), l.Weekday(), 60*l.Hour() + l.Minute()}
}

// share is that of the last window that applies, or the usual one.
func (m moment) share(usual float64, windows []Window) float64 {
	for _, w := range slices.Backward(windows) {
		if w.applies(m) {
			return w.Share
		}
	}
	return usual
}

func (w Window) applies(m moment) bool {
	if len(w.Weekdays) > 0 && !slices.ContainsFunc(w.Weekdays, func(s string) bool { return isWeekday(s, m.weekday) }) {
		return false
	}
	if len(w.Dates) > 0 && !slices.ContainsFunc(w.Dates, func(d calendar.Dates) bool { return d.Contains(m.date) }) {
		return false
	}
	if w.From == "" && w.Until == "" {
		return true
	}
	from, until := 0, 24*60
	if w.From != "" {
		from, _ = clock(w.From)
	}
	if w.Until != "" {
		until, _ = clock(w.Until)
	}
	if from < until {
		return m.minute >= from && m.minute < until
	}
	return m.minute >= from || m.minute < until
}

// isWeekday takes a day by its English name or a Chinese one: 周二, 星期二, 礼拜二; Sunday is 日 or 天.
func isWeekday(s string, d time.Weekday) bool {
	if strings.EqualFold(s, d.String()) {
		return true
	}
	for _, before := range []string{"周", "星期", "礼拜"} {
		if rest, ok := strings.CutPrefix(s, before); ok {
			return rest == string([]rune("日一二三四五六")[d]) || d == time.Sunday && rest == "天"
		}
	}
	return false
}

// clock reads "HH:MM" into minutes since midnight; "24:00" is the end of the day.
func clock(s string) (int, bool) {
	hour, minute, ok := strings.Cut(s, ":")
	h, err1 := strconv.Atoi(hour)
	m, err2 := strconv.Atoi(minute)
	ok = ok && err1 == nil && err2 == nil && len(hour) == 2 && len(minute) == 2
	return 60*h + m, ok && h >= 0 && m >= 0 && m < 60 && 60*h+m <= 24*60
}
