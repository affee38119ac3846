package check

import (
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// overtimeDesk counts what of a week is no ordinary time. Shifts count on the date they start on; unpaid parts are
// taken off the ordinary minutes of a shift before those on rest days and those after a holiday.
type overtimeDesk struct {
	p        roster.Problem
	standard bool                            // only standard hours have rest days
	work     map[calendar.Date]time.Duration // by date
	rest     map[calendar.Date]time.Duration // of it on Saturdays, Sundays and bridge days
	after    map[calendar.Date]time.Duration // of a statutory holiday: of it after midnight, past the holidays
	eve      map[calendar.Date]time.Duration // of any other date: of it after midnight, on a statutory holiday
}

// atMidnight looks which days the minutes of the shifts lie on.
func (d *overtimeDesk) atMidnight(all []scheduling.Shift) {
	d.rest, d.after, d.eve = map[calendar.Date]time.Duration{}, map[calendar.Date]time.Duration{}, map[calendar.Date]time.Duration{}
	if !d.standard {
		return
	}
	for _, s := range all {
		start := dateOf(d.p, s)
		rest, after, holiday := time.Duration(0), time.Duration(0), time.Duration(0)
		for t := s.Start; t.Before(s.End); t = t.Add(time.Minute) {
			on := start
			if d.p.Rules.SplitAtMidnight {
				on = calendar.DateOf(t, d.p.Location)
			}
			switch d.p.Holidays.Kind(on) {
			case calendar.Statutory:
				holiday += time.Minute
				continue
			case calendar.RestDay, calendar.Bridge:
				rest += time.Minute
			}
			after += time.Minute
		}
		d.rest[start] += min(rest, s.WorkTime())
		if d.p.Holidays.Kind(start) == calendar.Statutory {
			d.after[start] += min(after, s.WorkTime())
		} else {
			d.eve[start] += min(holiday, s.WorkTime())
		}
	}
}

// week is, for each of its days, the work that is no ordinary time: beyond the normal day, on a rest day or beyond the
// normal week. Of statutory holidays it is counted only what follows them.
func (d *overtimeDesk) week(monday calendar.Date) (beyond [7]time.Duration) {
	left, days := normalWeekOf(d.p, monday), map[calendar.Date]time.Duration{} // the normal time left of each worked day
	for i := range beyond {
		date := monday.Add(i)
		work, on := d.work[date], date
		if d.p.Holidays.Kind(date) == calendar.Statutory {
			for work = d.after[date]; d.p.Holidays.Kind(on) == calendar.Statutory; on = on.Add(1) {
			}
		}
		if work == 0 {
			continue
		}
		if _, known := days[on]; !known {
			days[on] = d.p.Rules.NormalDay
		}
		ordinary := work
		switch {
		case !d.standard:
		case d.p.Rules.RestDays == workrules.RestDaysCalendar:
			ordinary -= min(work, d.rest[date])
		case len(days) > workdaysOf(d.p, monday):
			ordinary = 0
		}
		paid := max(0, min(ordinary, days[on], left))
		days[on], left = days[on]-ordinary, left-paid
		beyond[i] = work - paid
	}
	return beyond
}
