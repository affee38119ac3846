package workrules

import (
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

var shieldNames = map[ConditionKind]Text{
	PregnantLate: {"怀孕7个月以上", "pregnant, seventh month or later"},
	Nursing:      {"哺乳期", "nursing"},
	Minor:        {"未成年", "a minor"},
}

// bars say why somebody may not work overtime whatever was agreed. For minors it is a house rule.
var bars = map[ConditionKind]Text{
	PregnantLate: {"怀孕7个月以上不得加班（劳动法 §61; 女职工劳动保护特别规定 §6）", "no overtime from the seventh month of pregnancy (劳动法 §61; 女职工劳动保护特别规定 §6)"},
	Nursing:      {"哺乳期不得加班（劳动法 §63; 女职工劳动保护特别规定 §9）", "no overtime while nursing a child under one (劳动法 §63; 女职工劳动保护特别规定 §9)"},
	Minor:        {"未成年人不安排加班（内部规定）", "no overtime for minors (内部规定)"},
}

// OvertimeBar says why, and on which dates, somebody works no overtime on or after a date even with consent. ok is
// false when nothing bars it.
func (p *Person) OvertimeBar(on calendar.Date) (says Text, dates calendar.Dates, ok bool) {
	if p.Engagement == Intern {
		return say("实习生不得加班（职业学校学生实习管理规定(2021) §17）", "no overtime for interns (职业学校学生实习管理规定(2021) §17)"), calendar.Dates{}, true
	}
	for _, c := range p.Conditions {
		if c.Dates.Until.IsZero() || on.Before(c.Dates.Until) {
			return bars[c.Kind], c.Dates, true
		}
	}
	if adult := p.birthday(18); !p.Born.IsZero() && on.Before(adult) {
		return bars[Minor], calendar.Dates{From: p.Born, Until: adult}, true
	}
	return Text{}, calendar.Dates{}, false
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

// protectedOvertime: 劳动法 §61, §63; 女职工劳动保护特别规定 §6, §9: no overtime, agreed or not.
func protectedOvertime(j *Judge, _ []Duty, _ []scheduling.Shift, out *findings) {
	j.eachOvertime(func(l *dayLoad, over int32) bool {
		if j.shield[l.day] == "" {
			return false
		}
		if out.quickly() {
			return true
		}
		out.add(j.frame.dayRange(l.day), hours(over),
			say("%s 受保护员工加班%.4g小时", "%s: a protected person has %.4g h of overtime", j.frame.date[l.day], hours(over)),
			shorten(over))
		return false
	})
}

// pregnantRest: 女职工劳动保护特别规定 §6: from the seventh month some rest inside working time. The
// law names no length; the house does. A shift without planned activities is not judged.
func pregnantRest(j *Judge, duties []Duty, _ []scheduling.Shift, out *findings) {
	due := int32(j.frame.params.PregnantRest / time.Minute)
	for _, d := range duties {
		if !d.Judged || d.Session || d.Pause == notPlanned || d.Pause >= due || !j.inCondition(PregnantLate, d.Day) {
			continue
		}
		if out.quickly() {
			return
		}
		out.add(j.frame.span(d.Start, d.End), hours(due-d.Pause),
			say("怀孕7个月以上员工的班次缺少%.0f分钟工间休息", "the shift of a pregnant person lacks %.0f minutes of paid rest", float64(due-d.Pause)),
			say("安排工间休息", "plan paid breaks"))
	}
}

// nursingHour: 劳动法 §63, 女职工劳动保护特别规定 §9: one hour a day inside working time for a child
// under one year, one more for each further child. It is kept by paid breaks of half an hour at
// least (see NursingPause) or by a day that is as much shorter than the normal day.
func nursingHour(j *Judge, duties []Duty, _ []scheduling.Shift, out *findings) {
	p := &j.frame.params
	for i := 0; i < len(duties); {
		first, service, judged := duties[i], int32(0), false
		for ; i < len(duties) && duties[i].Day == first.Day; i++ {
			d := duties[i]
			judged = judged || d.Judged
			if d.Pause != notPlanned {
				service += d.Work - d.Care
			}
		}
		children := j.nursed(first.Day)
		due := int32(time.Duration(children) * p.NursingHour / time.Minute)
		missing := min(due, service+due-int32(p.NormalDay/time.Minute))
		if children == 0 || missing <= 0 || !judged {
			continue
		}
		if out.quickly() {
			return
		}
		out.add(j.frame.dayRange(first.Day), hours(missing),
			say("%s 缺少%.4g小时哺乳时间", "%s: %.4g h of nursing time are missing", j.frame.date[first.Day], hours(missing)),
			say("安排带薪哺乳时间，或缩短班次", "plan paid nursing time, or shorten the shift"))
	}
}

func (j *Judge) inCondition(kind ConditionKind, day int32) bool {
	for _, c := range j.person.Conditions {
		if c.Kind == kind && c.Dates.Contains(j.frame.date[day]) {
			return true
		}
	}
	return false
}

// nursed is the number of children nursed on a day.
func (j *Judge) nursed(day int32) (children int) {
	for _, c := range j.person.Conditions {
		if c.Kind == Nursing && c.Dates.Contains(j.frame.date[day]) {
			children += max(1, c.Children)
		}
	}
	return children
}
