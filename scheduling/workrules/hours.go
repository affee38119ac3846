package workrules

import (
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

func hours(minutes int32) float64 { return float64(minutes) / 60 }

// say words one sentence in both languages, a length of time in the words of each.
func say(zh, en string, args ...any) Text {
	chinese, english := slices.Clone(args), slices.Clone(args)
	for i, a := range args {
		if d, ok := a.(time.Duration); ok {
			chinese[i], english[i] = lengthText(d), clockText(d)
		}
	}
	return Text{fmt.Sprintf(zh, chinese...), fmt.Sprintf(en, english...)}
}

// lengthText is a length in whole minutes as "1小时30分钟", "2小时" or "45分钟".
func lengthText(d time.Duration) string {
	h, m := int(d/time.Hour), int(d%time.Hour/time.Minute)
	switch {
	case h == 0:
		return fmt.Sprintf("%d分钟", m)
	case m == 0:
		return fmt.Sprintf("%d小时", h)
	}
	return fmt.Sprintf("%d小时%d分钟", h, m)
}

func shorten(by int32) Text {
	return say("缩短%.4g小时，或改派他人", "shorten by %.4g h or give the shift to somebody else", hours(by))
}

// dailyHours: 劳动法 §36, 国务院规定(1995) §3: 8 h a day; beyond it overtime must be agreed (劳动合同法 §31).
func dailyHours(j *Judge, _ []Duty, _ []scheduling.Shift, out *findings) {
	for _, l := range j.days {
		if l.overDay == 0 || !l.judged {
			continue
		}
		if out.quickly() {
			return
		}
		out.add(j.frame.dayRange(l.day), hours(l.overDay),
			say("%s 工作%.4g小时，超过每日标准工时，且未同意加班", "%s: %.4g h of work, above the normal day, and overtime is not agreed", j.frame.date[l.day], hours(l.work)),
			shorten(l.overDay))
	}
}

// weeklyHours: 国务院规定(1995) §3: 40 h a week, 劳动法 §44(2): rest days; what is beyond them is overtime, which must be
// agreed (劳动合同法 §31).
func weeklyHours(j *Judge, _ []Duty, _ []scheduling.Shift, out *findings) {
	j.eachPeriod(j.frame.week, func(l *dayLoad) int32 { return l.overWeek }, func(from *dayLoad, over int32) bool {
		if over == 0 || out.quickly() {
			return over != 0
		}
		out.add(j.weekRange(from.day), hours(over),
			say("%s 所在周有%.4g小时超过每周标准工时或在休息日，且未同意加班", "week of %s: %.4g h of work above the normal week or on rest days, and overtime is not agreed", j.weekFirst(from.day), hours(over)),
			say("本周减少%.4g小时", "take %.4g h out of the week", hours(over)))
		return false
	})
}

// overtimeDaily: 劳动法 §41: 1 h a day, for special reasons and after consultation 3 h.
func overtimeDaily(j *Judge, _ []Duty, _ []scheduling.Shift, out *findings) {
	usual, special := int32(j.frame.params.OvertimeDay/time.Minute), int32(j.frame.params.OvertimeSpecial/time.Minute)
	for _, l := range j.days {
		limit := usual
		if j.frame.special[l.day] {
			limit = special
		}
		over := l.overDay - limit
		if over <= 0 || !l.judged {
			continue
		}
		if out.quickly() {
			return
		}
		out.add(j.frame.dayRange(l.day), hours(over),
			say("%s 加班%.4g小时，当日上限%.4g小时", "%s: %.4g h of overtime, the ceiling that day is %.4g h", j.frame.date[l.day], hours(l.overDay), hours(limit)),
			shorten(over))
	}
}

// overtimeWeekly: house rule, since the law names no weekly ceiling. Statutory-holiday work is not
// part of it.
func overtimeWeekly(j *Judge, _ []Duty, _ []scheduling.Shift, out *findings) {
	limit := int32(j.frame.params.OvertimeWeek / time.Minute)
	overtime := func(l *dayLoad) int32 {
		if l.holiday > 0 {
			return l.overWeek
		}
		return l.overDay + l.overWeek
	}
	j.eachPeriod(j.frame.week, overtime, func(from *dayLoad, sum int32) bool {
		if sum <= limit || out.quickly() {
			return sum > limit
		}
		out.add(j.weekRange(from.day), hours(sum-limit),
			say("%s 所在周加班%.4g小时，上限%.4g小时", "week of %s: %.4g h of overtime, the ceiling is %.4g h", j.weekFirst(from.day), hours(sum), hours(limit)),
			say("本周减少%.4g小时加班", "take %.4g h of overtime out of the week", hours(sum-limit)))
		return false
	})
}

// overtimeMonthly: 劳动法 §41: 36 h a month, of workdays, rest days and statutory holidays. Holidays count when the house
// says so (Params.HolidayIsOvertime, the cautious reading). Work late in a month can make overtime of a day of the same
// week in the next one, so who works there is asked about both.
func overtimeMonthly(j *Judge, _ []Duty, _ []scheduling.Shift, out *findings) {
	limit := int32(j.frame.params.OvertimeMonth / time.Minute)
	month, week := j.frame.month, j.frame.week
	for i, k := 0, 0; i < len(j.days); i = k {
		sum, judged := int32(0), false
		for k = i; k < len(j.days) && month[j.days[k].day] == month[j.days[i].day]; k++ {
			sum += j.days[k].overtime
			judged = judged || j.days[k].judged
		}
		if sum <= limit {
			continue
		}
		for b := i - 1; !judged && b >= 0 && week[j.days[b].day] == week[j.days[i].day]; b-- {
			judged = j.days[b].judged
		}
		if !judged {
			continue
		}
		if out.quickly() {
			return
		}
		at := j.frame.date[j.days[i].day].MonthOf()
		out.add(at.Range(j.frame.loc), hours(sum-limit),
			say("%s 月加班%.4g小时，上限%.4g小时", "%s: %.4g h of overtime, the ceiling is %.4g h", at, hours(sum), hours(limit)),
			say("本月减少%.4g小时加班", "take %.4g h of overtime out of the month", hours(sum-limit)))
	}
}

// partTimeDaily: 劳动合同法 §68: at most 4 h a day on average with one employer; the house reads it
// as a ceiling for each day.
func partTimeDaily(j *Judge, _ []Duty, _ []scheduling.Shift, out *findings) {
	j.dailyCeiling(j.frame.params.PartTimeDay, out,
		"%s 非全日制工作%.4g小时，上限%.4g小时", "%s: part-time work of %.4g h, the ceiling is %.4g h")
}

// dailyCeiling reports the judged days with more work than the ceiling; the texts name date, work and ceiling.
func (j *Judge) dailyCeiling(ceiling time.Duration, out *findings, zh, en string) {
	limit := int32(ceiling / time.Minute)
	for _, l := range j.days {
		if l.work <= limit || !l.judged {
			continue
		}
		if out.quickly() {
			return
		}
		out.add(j.frame.dayRange(l.day), hours(l.work-limit),
			say(zh, en, j.frame.date[l.day], hours(l.work), hours(limit)), shorten(l.work-limit))
	}
}

// partTimeWeekly: 劳动合同法 §68: at most 24 h a week.
func partTimeWeekly(j *Judge, _ []Duty, _ []scheduling.Shift, out *findings) {
	limit := int32(j.frame.params.PartTimeWeek / time.Minute)
	j.eachPeriod(j.frame.week, func(l *dayLoad) int32 { return l.work }, func(from *dayLoad, sum int32) bool {
		if sum <= limit || out.quickly() {
			return sum > limit
		}
		out.add(j.weekRange(from.day), hours(sum-limit),
			say("%s 所在周非全日制工作%.4g小时，上限%.4g小时", "week of %s: part-time work of %.4g h, the ceiling is %.4g h", j.weekFirst(from.day), hours(sum), hours(limit)),
			say("本周减少%.4g小时", "take %.4g h out of the week", hours(sum-limit)))
		return false
	})
}

// eachPeriod sums a measure over the worked days of each week or month that a judged duty takes
// part in. visit returns true to stop.
func (j *Judge) eachPeriod(index []int32, measure func(*dayLoad) int32, visit func(from *dayLoad, sum int32) bool) {
	for i := 0; i < len(j.days); {
		k, sum, judged := i, int32(0), false
		for ; k < len(j.days) && index[j.days[k].day] == index[j.days[i].day]; k++ {
			sum += measure(&j.days[k])
			judged = judged || j.days[k].judged
		}
		if judged && visit(&j.days[i], sum) {
			return
		}
		i = k
	}
}

// eachOvertime visits the days with overtime that judged work takes part in: on the day itself, and in its week. Work
// early in a week makes overtime of a later day, which whoever judges the early day alone must see.
// visit returns true to stop.
func (j *Judge) eachOvertime(visit func(l *dayLoad, over int32) bool) {
	for i := 0; i < len(j.days); {
		k, judged := i, false
		for ; k < len(j.days) && j.frame.week[j.days[k].day] == j.frame.week[j.days[i].day]; k++ {
			judged = judged || j.days[k].judged
		}
		for ; i < k; i++ {
			l, over := &j.days[i], int32(0)
			if judged {
				over = l.overWeek
			}
			if l.judged {
				over += l.overDay
			}
			if over > 0 && visit(l, over) {
				return
			}
		}
	}
}

func (j *Judge) weekFirst(day int32) calendar.Date {
	return j.frame.date[day].Add(-int(j.frame.ofWeek[day]))
}

func (j *Judge) weekRange(day int32) calendar.Range {
	first := j.weekFirst(day)
	return calendar.Range{Start: first.In(j.frame.loc), End: first.Add(7).In(j.frame.loc)}
}
