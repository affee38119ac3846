package workrules

import (
	"math"
	"strings"
	"time"

	"github.com/chaoban/chaoban/scheduling"
)

// agreement is an Agreement compiled: lengths in minutes, 0 when nothing is agreed.
type agreement struct {
	days                span
	day, week           int32
	notBefore, notAfter time.Duration // clock times
	noNights            bool
	off                 [7]bool // by time.Weekday
}

func (j *Judge) compileAgreements() {
	minutes := func(h float64) int32 { return int32(math.Round(h * 60)) }
	for _, a := range j.person.Agreements {
		c := agreement{
			days: j.frame.days(a.Dates), day: minutes(a.DayHours), week: minutes(a.WeekHours),
			notBefore: time.Duration(minutes(a.NotBefore)) * time.Minute,
			notAfter:  time.Duration(minutes(a.NotAfter)) * time.Minute, noNights: a.NoNights,
		}
		for _, name := range a.DaysOff {
			c.off[weekdays[strings.ToLower(name)]] = true
		}
		j.agreements = append(j.agreements, c)
	}
}

// clock is the minute at which the clocks of a day show a time after midnight; from 24 h on, of
// the next day. Days on which clocks change are shorter or longer, so it is not a sum.
func (f *Frame) clock(day int32, t time.Duration) int32 {
	d := f.date[day]
	return f.minute(time.Date(d.Year, d.Month, d.Day, 0, int(t/time.Minute), 0, 0, f.loc))
}

// agreedDay: 劳动合同法 §3, §17: what was agreed in person about the length of a day binds.
func agreedDay(j *Judge, _ []Duty, _ []scheduling.Shift, out *findings) {
	for _, l := range j.days {
		for _, a := range j.agreements {
			if a.day == 0 || l.work <= a.day || !l.judged || !a.days.contains(l.day) {
				continue
			}
			if out.quickly() {
				return
			}
			out.add(j.frame.dayRange(l.day), hours(l.work-a.day),
				say("%s 工作%.4g小时，个人约定最多%.4g小时", "%s: %.4g h of work, the personal agreement allows %.4g h", j.frame.date[l.day], hours(l.work), hours(a.day)),
				shorten(l.work-a.day))
		}
	}
}

// agreedWeek: an agreed weekly length; in a week with several agreements the shortest one holds
// that covers a worked day.
func agreedWeek(j *Judge, _ []Duty, _ []scheduling.Shift, out *findings) {
	for i := 0; i < len(j.days); {
		first, sum, limit, judged := j.days[i], int32(0), int32(math.MaxInt32), false
		for ; i < len(j.days) && j.frame.week[j.days[i].day] == j.frame.week[first.day]; i++ {
			l := j.days[i]
			sum, judged = sum+l.work, judged || l.judged
			for _, a := range j.agreements {
				if a.week > 0 && a.days.contains(l.day) {
					limit = min(limit, a.week)
				}
			}
		}
		if sum <= limit || !judged {
			continue
		}
		if out.quickly() {
			return
		}
		out.add(j.weekRange(first.day), hours(sum-limit),
			say("%s 所在周工作%.4g小时，个人约定最多%.4g小时", "week of %s: %.4g h of work, the personal agreement allows %.4g h", j.weekFirst(first.day), hours(sum), hours(limit)),
			say("本周减少%.4g小时", "take %.4g h out of the week", hours(sum-limit)))
	}
}

// agreedClock: the agreed earliest start and latest end.
func agreedClock(j *Judge, duties []Duty, _ []scheduling.Shift, out *findings) {
	for _, d := range duties {
		if !d.Judged || d.Session {
			continue
		}
		for _, a := range j.agreements {
			if !a.days.contains(d.Day) {
				continue
			}
			early, late := int32(0), int32(0)
			if a.notBefore > 0 {
				early = max(0, j.frame.clock(d.Day, a.notBefore)-d.Start)
			}
			if a.notAfter > 0 {
				late = max(0, d.End-j.frame.clock(d.Day, a.notAfter))
			}
			if early+late == 0 {
				continue
			}
			if out.quickly() {
				return
			}
			out.add(j.frame.span(d.Start, d.End), hours(early+late),
				say("班次超出个人约定的上班时段%.4g小时", "%.4g h of the shift lie outside the agreed hours of the day", hours(early+late)),
				say("推迟%.4g小时开始，提前%.4g小时结束", "start %.4g h later, end %.4g h earlier", hours(early), hours(late)))
		}
	}
}

// agreedNights: an agreement to work no nights.
func agreedNights(j *Judge, duties []Duty, _ []scheduling.Shift, out *findings) {
	for _, d := range duties {
		if !d.Judged || !d.Night {
			continue
		}
		for _, a := range j.agreements {
			if !a.noNights || !a.days.contains(d.Day) {
				continue
			}
			if out.quickly() {
				return
			}
			out.add(j.frame.span(d.Start, d.End), 1,
				say("个人约定不上夜班", "the personal agreement excludes night work"), say("改为白班", "give a day shift"))
			break
		}
	}
}

// agreedDaysOff: weekdays on which the agent agreed not to work. A night shift of the day before
// may end in it.
func agreedDaysOff(j *Judge, duties []Duty, _ []scheduling.Shift, out *findings) {
	for _, d := range duties {
		if !d.Judged || d.Session {
			continue
		}
		weekday := j.frame.date[d.Day].Weekday()
		for _, a := range j.agreements {
			if !a.off[weekday] || !a.days.contains(d.Day) {
				continue
			}
			if out.quickly() {
				return
			}
			out.add(j.frame.span(d.Start, d.End), 1,
				say("%s 是个人约定的休息日", "%s is an agreed day off", j.frame.date[d.Day]), say("换到其他日期", "move it to another day"))
			break
		}
	}
}
