package workrules

import (
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

// internNight: 职业学校学生实习管理规定(2021) §17: no night shifts for interns.
func internNight(j *Judge, duties []Duty, _ []scheduling.Shift, out *findings) {
	for _, d := range duties {
		if !d.Night || !d.Judged {
			continue
		}
		if out.quickly() {
			return
		}
		out.add(j.frame.span(d.Start, d.End), 1,
			say("实习生被安排了夜班", "night work for an intern"), say("改为白班", "give a day shift"))
	}
}

// internOvertime: 职业学校学生实习管理规定(2021) §17: no overtime for interns, agreed or not.
func internOvertime(j *Judge, _ []Duty, _ []scheduling.Shift, out *findings) {
	j.eachOvertime(func(l *dayLoad, over int32) bool {
		if out.quickly() {
			return true
		}
		out.add(j.frame.dayRange(l.day), hours(over),
			say("%s 实习生加班%.4g小时", "%s: an intern has %.4g h of overtime", j.frame.date[l.day], hours(over)), shorten(over))
		return false
	})
}

// internHoliday: 职业学校学生实习管理规定(2021) §17: no internship on statutory holidays. A shift of
// the eve must end at midnight.
func internHoliday(j *Judge, duties []Duty, _ []scheduling.Shift, out *findings) {
	for _, d := range duties {
		if !d.Judged {
			continue
		}
		at, over, ok := j.statutory(d)
		if !ok {
			continue
		}
		if out.quickly() {
			return
		}
		out.add(at, hours(over),
			say("实习生在法定节假日实习%.4g小时", "an intern works %.4g h on a statutory holiday", hours(over)), say("换到其他日期", "move it to another day"))
	}
}

// statutory is the first stretch of a duty on statutory holidays, and its minutes of work on all of them.
// ok is false when the duty touches none.
func (j *Judge) statutory(d Duty) (at calendar.Range, minutes int32, ok bool) {
	f := j.frame
	for day := d.Day; int(day) < len(f.date) && f.dayStart[day] < d.End; day++ {
		if f.kind[day] == calendar.Statutory {
			return f.span(max(d.Start, f.dayStart[day]), min(d.End, f.dayStart[day+1])), d.Holiday, true
		}
	}
	return at, 0, false
}

// internRestDays: 职业学校学生实习管理规定(2021) §17: no internship on rest days: an intern works at
// most as many days of a week as it has official workdays.
func internRestDays(j *Judge, _ []Duty, _ []scheduling.Shift, out *findings) {
	one := func(*dayLoad) int32 { return 1 }
	j.eachPeriod(j.frame.week, one, func(from *dayLoad, sum int32) bool {
		limit := j.frame.workdays[from.day]
		if sum <= limit || out.quickly() {
			return sum > limit
		}
		out.add(j.weekRange(from.day), float64(sum-limit),
			say("%s 所在周实习%d天，工作日只有%d天", "week of %s: an intern works on %d days, the week has %d workdays", j.weekFirst(from.day), sum, limit),
			say("取消%d天的班次", "take %d days' shifts away", sum-limit))
		return false
	})
}

// agencyTerm: 劳动合同法 §66: a temporary post lasts at most six months.
func agencyTerm(j *Judge, duties []Duty, _ []scheduling.Shift, out *findings) {
	from := j.person.Assigned.From
	end := calendar.MakeDate(from.Year, from.Month+time.Month(j.frame.params.AgencyMonths), from.Day)
	if until := j.person.Assigned.Until; !until.IsZero() && until.Before(end) {
		end = until
	}
	term := j.frame.days(calendar.Dates{From: from, Until: end})
	for _, d := range duties {
		if !d.Judged || term.contains(d.Day) {
			continue
		}
		if out.quickly() {
			return
		}
		out.add(j.frame.span(d.Start, d.End), 1,
			say("%s 不在派遣期内（%s 至 %s）", "%s is outside the agency post (%s until %s)", j.frame.date[d.Day], from, end),
			say("改派他人，或转为直接用工", "give the shift to somebody else, or employ directly"))
	}
}

// cloudSlots: house rule: cloud agents book whole slots.
func cloudSlots(j *Judge, duties []Duty, _ []scheduling.Shift, out *findings) {
	slot := int32(j.frame.params.CloudSlot / time.Minute)
	for _, d := range duties {
		off := (d.Start-j.frame.dayStart[d.Day])%slot + (d.End-d.Start)%slot
		if off == 0 || !d.Judged || d.Session {
			continue
		}
		if out.quickly() {
			return
		}
		out.add(j.frame.span(d.Start, d.End), hours(off),
			say("云客服班次须为整%.4g小时时段", "a cloud agent's shift must be whole slots of %.4g h", hours(slot)),
			say("按整点时段开始和结束", "begin and end with a slot"))
	}
}

// cloudDay: house rule: the number of slots a day.
func cloudDay(j *Judge, _ []Duty, _ []scheduling.Shift, out *findings) {
	p := &j.frame.params
	limit := int32(p.CloudSlot/time.Minute) * int32(p.CloudSlots)
	for _, l := range j.days {
		if l.work <= limit || !l.judged {
			continue
		}
		if out.quickly() {
			return
		}
		out.add(j.frame.dayRange(l.day), hours(l.work-limit),
			say("%s 云客服工作%.4g小时，每日最多%d个时段", "%s: %.4g h for a cloud agent, %d slots a day are the most", j.frame.date[l.day], hours(l.work), p.CloudSlots),
			shorten(l.work-limit))
	}
}

// cloudPauses: house rule: no break in the first and last minutes of a cloud agent's shift.
func cloudPauses(j *Judge, duties []Duty, shifts []scheduling.Shift, out *findings) {
	p := &j.frame.params
	for i, s := range shifts {
		if !duties[i].Judged {
			continue
		}
		first, last := s.Start.Add(p.CloudNoBreakFirst), s.End.Add(-p.CloudNoBreakLast)
		for _, a := range s.Activities {
			if a.Kind != scheduling.Break && a.Kind != scheduling.Meal || !a.Start.Before(first) && !a.End.After(last) {
				continue
			}
			if out.quickly() {
				return
			}
			r := calendar.Range{Start: a.Start, End: a.End}
			out.add(r, r.Duration().Hours(),
				say("云客服开班%.0f分钟内及下班前%.0f分钟内不休息", "a cloud agent takes no break in the first %.0f or last %.0f minutes", p.CloudNoBreakFirst.Minutes(), p.CloudNoBreakLast.Minutes()),
				say("把休息移到班次中段", "move the break to the middle of the shift"))
		}
	}
}
