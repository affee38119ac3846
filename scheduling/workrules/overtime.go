package workrules

import (
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
)

// overtime finds in order of time what of each day is overtime: all that the law does not let the house pay as
// ordinary hours (Judge.Pay). It is what exceeds the normal day, what lies on a rest day (劳动法 §44(2)) and what of the
// rest exceeds the normal week (国务院1995 §3), each hour once. Which days are rest days Params.RestDays says, for
// standard hours; the other regimes have none. Work of statutory holidays is all of it overtime and does not use up the
// normal week, but what follows them after midnight is work of the day it lies on. The hours of an eve's night on a
// holiday count as the eve's towards its day and week, and in the month whatever that leaves.
func (j *Judge) overtime() {
	f, normalDay := j.frame, int32(j.frame.params.NormalDay/time.Minute)
	week, day, count := int32(-1), int32(-1), int32(0)
	dayTime, weekTime := int32(0), int32(0)
	for i := range j.days {
		l := &j.days[i]
		if w := f.week[l.day]; w != week {
			week, day, count, weekTime = w, -1, 0, 0
		}
		l.overDay = max(0, l.work-normalDay)
		ordinary, counted := l.work, l.day
		if f.kind[l.day] == calendar.Statutory {
			l.holiday, l.overtime = l.work, l.overDay
			if f.params.HolidayIsOvertime {
				l.overtime = l.work
			}
			if ordinary, counted = l.after, f.ordinaryDay(l.day); ordinary == 0 || j.person.Regime != Standard {
				continue
			}
		}
		if counted > day {
			day, dayTime, count = counted, 0, count+1
		}
		rest := j.restIn(l, ordinary, count)
		normal := max(0, min(ordinary-rest, normalDay-dayTime, f.normal[l.day]-weekTime))
		dayTime, weekTime = dayTime+ordinary-rest, weekTime+normal
		if l.holiday > 0 {
			l.overWeek = ordinary - normal
			l.overtime = max(l.overDay, l.overtime-normal)
			continue
		}
		l.overtime, l.overWeek = ordinary-normal, ordinary-normal-l.overDay
		if f.params.HolidayIsOvertime {
			l.overtime = max(l.overtime, l.after)
		}
	}
}

// restIn is the part of a day's ordinary work that is rest-day work: by Params.RestDays all work of the days of a week
// beyond its official workdays, or what lies on Saturdays, Sundays and bridge days.
func (j *Judge) restIn(l *dayLoad, ordinary, daysOfWeek int32) int32 {
	switch {
	case j.person.Regime != Standard:
		return 0
	case j.frame.params.RestDays == RestDaysCalendar:
		return min(l.rest, ordinary)
	case daysOfWeek > j.frame.workdays[l.day]:
		return ordinary
	}
	return 0
}
