package workrules

import (
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

// employedDates: a shift needs a running contract on the day it starts.
func employedDates(j *Judge, duties []Duty, _ []scheduling.Shift, out *findings) {
	for _, d := range duties {
		if j.employed[d.Day] || !d.Judged {
			continue
		}
		if out.quickly() {
			return
		}
		out.add(j.frame.span(d.Start, d.End), 1,
			say("%s 不在合同期内", "no contract runs on %s", j.frame.date[d.Day]),
			say("改派他人", "give the shift to somebody else"))
	}
}

// available: leave (劳动法 §45 and its kin) and declared unavailability are kept free.
func available(j *Judge, duties []Duty, _ []scheduling.Shift, out *findings) {
	if len(j.away) == 0 {
		return
	}
	for _, d := range duties {
		for _, a := range j.away {
			start, end := max(d.Start, a.start), min(d.End, a.end)
			if start >= end || !d.Judged {
				continue
			}
			if out.quickly() {
				return
			}
			out.add(j.frame.span(start, end), hours(end-start),
				say("班次与请假或不可用时段重叠%.4g小时", "the shift overlaps leave or unavailability by %.4g h", hours(end-start)),
				say("改派他人，或撤回请假", "give the shift to somebody else, or withdraw the leave"))
		}
	}
}

// minimumAge: 劳动法 §15: nobody under 16.
func minimumAge(j *Judge, duties []Duty, _ []scheduling.Shift, out *findings) {
	for _, d := range duties {
		if !j.tooYoung[d.Day] || !d.Judged {
			continue
		}
		if out.quickly() {
			return
		}
		out.add(j.frame.span(d.Start, d.End), 1,
			say("%s 未满16周岁", "under 16 on %s", j.frame.date[d.Day]),
			say("不得排班", "no shift is possible"))
	}
}

// protectedNight: 劳动法 §61, §63; 女职工劳动保护特别规定 §6, §9. For minors a house rule.
func protectedNight(j *Judge, duties []Duty, _ []scheduling.Shift, out *findings) {
	for _, d := range duties {
		if !d.Night || !d.Judged {
			continue
		}
		shield := j.shield[d.Day]
		if int(d.Day)+1 < len(j.shield) && j.frame.dayStart[d.Day+1] < d.End && shield == "" {
			shield = j.shield[d.Day+1]
		}
		if shield == "" {
			continue
		}
		if out.quickly() {
			return
		}
		out.add(j.frame.span(d.Start, d.End), 1,
			Text{shieldNames[shield].ZH + "员工被安排了夜班", "night work for a person protected as " + shieldNames[shield].EN},
			say("改为白班", "give a day shift"))
	}
}

var shieldNames = map[ConditionKind]Text{
	PregnantLate: {"怀孕7个月以上", "pregnant, seventh month or later"},
	Nursing:      {"哺乳期", "nursing"},
	Minor:        {"未成年", "a minor"},
}

// protectedOvertime: 劳动法 §61, §63; 女职工劳动保护特别规定 §6, §9: no overtime, agreed or not.
func protectedOvertime(j *Judge, _ []Duty, _ []scheduling.Shift, out *findings) {
	for _, l := range j.days {
		over := l.overDay + l.overWeek
		if over == 0 || !l.judged || j.shield[l.day] == "" {
			continue
		}
		if out.quickly() {
			return
		}
		out.add(j.frame.dayRange(l.day), hours(over),
			say("%s 受保护员工加班%.4g小时", "%s: a protected person has %.4g h of overtime", j.frame.date[l.day], hours(over)),
			shorten(over))
	}
}

// skillRequired: every work activity names a queue the agent has the skill for on that date.
func skillRequired(j *Judge, duties []Duty, shifts []scheduling.Shift, out *findings) {
	for i, s := range shifts {
		if !duties[i].Judged {
			continue
		}
		date := j.frame.date[duties[i].Day]
		for _, a := range s.Activities {
			if a.Kind != scheduling.Work || a.Queue == "" || j.person.Can(a.Queue, date) {
				continue
			}
			if out.quickly() {
				return
			}
			out.add(calendar.Range{Start: a.Start, End: a.End}, a.End.Sub(a.Start).Hours(),
				say("没有队列 %s 的技能", "no skill for queue %s", a.Queue),
				say("换到有技能的队列，或先完成培训", "assign a queue with skill, or train first"))
		}
	}
}

// mealRequired: house rule: a long shift holds one meal of at least the minimum length. A shift
// whose activities are not planned yet is not judged.
func mealRequired(j *Judge, duties []Duty, shifts []scheduling.Shift, out *findings) {
	p := &j.frame.params
	for i, s := range shifts {
		if !duties[i].Judged || len(s.Activities) == 0 || s.End.Sub(s.Start) <= p.MealAfter {
			continue
		}
		longest := time.Duration(0)
		for _, a := range s.Activities {
			if a.Kind == scheduling.Meal {
				longest = max(longest, a.End.Sub(a.Start))
			}
		}
		if longest >= p.MealLength {
			continue
		}
		if out.quickly() {
			return
		}
		out.add(s.Range(), (p.MealLength - longest).Hours(),
			say("%.4g小时的班次没有足够的用餐时间", "a shift of %.4g h lacks a meal", s.End.Sub(s.Start).Hours()),
			say("安排%.0f分钟用餐", "plan a meal of %.0f minutes", p.MealLength.Minutes()))
	}
}
