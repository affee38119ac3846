package workrules

import (
	"math"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

// carried is Person.Carried compiled: the days that it answers for and its sums in minutes.
type carried struct {
	days          span
	period        int32
	work, holiday int32
}

// periodOf is the period that comprehensive hours are summed over.
func (j *Judge) periodOf() Period {
	if j.person.Period != "" {
		return j.person.Period
	}
	return j.frame.params.ComprehensivePeriod
}

// periodKey numbers the periods: equal for two dates exactly when they lie in the same period.
func (f *Frame) periodKey(d calendar.Date, p Period) int32 {
	quarter := (int32(d.Month) - 1) / 3
	switch p {
	case ByWeek:
		// Weeks are counted from the first day of the frame's first rule week.
		days := d.Sub(f.date[0]) + int(f.ofWeek[0])
		return int32(math.Floor(float64(days) / 7))
	case ByQuarter:
		return int32(d.Year)*4 + quarter
	case ByYear:
		return int32(d.Year)
	default:
		return int32(d.Year)*12 + int32(d.Month)
	}
}

func (j *Judge) compilePeriods() {
	if j.person.Regime != Comprehensive {
		return
	}
	f, p := j.frame, j.periodOf()
	j.period = make([]int32, len(f.date))
	for i, d := range f.date {
		j.period[i] = f.periodKey(d, p)
	}
	for _, c := range j.person.Carried {
		j.carried = append(j.carried, carried{
			days: f.days(c.Dates), period: f.periodKey(c.Dates.From, p),
			work: int32(math.Round(c.Hours * 60)), holiday: int32(math.Round(c.HolidayHours * 60)),
		})
	}
}

// periodNormal is the normal time of one period (人社部发〔2025〕2号 gives the workdays).
func (p *Params) periodNormal(of Period) time.Duration {
	switch of {
	case ByWeek:
		return p.ComprehensiveWeek
	case ByQuarter:
		return p.ComprehensiveQuarter
	case ByYear:
		return p.ComprehensiveYear
	default:
		return p.ComprehensiveMonth
	}
}

// periodOvertime is the overtime that one period allows: OvertimeMonth on average per month
// (劳部发[1997]271 §5). Weeks are judged by the month they lie in.
func (p *Params) periodOvertime(of Period) time.Duration {
	switch of {
	case ByQuarter:
		return p.OvertimeMonth * 3
	case ByYear:
		return p.OvertimeMonth * 12
	default:
		return p.OvertimeMonth
	}
}

// eachComprehensive sums work and statutory-holiday work over each period with a judged duty,
// carried sums included. visit returns true to stop.
func (j *Judge) eachComprehensive(visit func(first dayLoad, work, holiday int32) bool) {
	for i := 0; i < len(j.days); {
		key := j.period[j.days[i].day]
		work, holiday := j.carriedIn(key)
		judged := false
		first := j.days[i]
		for ; i < len(j.days) && j.period[j.days[i].day] == key; i++ {
			l := j.days[i]
			judged = judged || l.judged
			if j.isCarried(l.day) {
				continue
			}
			if l.holiday > 0 {
				holiday += l.holiday
			} else {
				work += l.work
			}
		}
		if judged && visit(first, work, holiday) {
			return
		}
	}
}

func (j *Judge) carriedIn(period int32) (work, holiday int32) {
	for _, c := range j.carried {
		if c.period == period {
			work, holiday = work+c.work, holiday+c.holiday
		}
	}
	return work, holiday
}

func (j *Judge) isCarried(day int32) bool {
	for _, c := range j.carried {
		if c.days.contains(day) {
			return true
		}
	}
	return false
}

// periodRange is the calendar range of the period that a day lies in.
func (j *Judge) periodRange(day int32) calendar.Range {
	d, loc := j.frame.date[day], j.frame.loc
	first := calendar.MakeDate(d.Year, time.January, 1)
	next := calendar.MakeDate(d.Year+1, time.January, 1)
	switch j.periodOf() {
	case ByWeek:
		return j.weekRange(day)
	case ByMonth:
		return d.MonthOf().Range(loc)
	case ByQuarter:
		month := (d.Month-1)/3*3 + 1
		first, next = calendar.MakeDate(d.Year, month, 1), calendar.MakeDate(d.Year, month+3, 1)
	}
	return calendar.Range{Start: first.In(loc), End: next.In(loc)}
}

// comprehensiveDaily: house rule after 劳部发[1997]271 §6, which limits heavy work to 11 h.
func comprehensiveDaily(j *Judge, _ []Duty, _ []scheduling.Shift, out *findings) {
	j.dailyCeiling(j.frame.params.ComprehensiveDay, out,
		"%s 综合工时工作%.4g小时，当日上限%.4g小时", "%s: %.4g h under comprehensive hours, the ceiling that day is %.4g h")
}

// comprehensivePeriod: 劳动法 §39, 劳部发[1994]503 §5: the period as a whole keeps the normal
// hours; what is beyond them is overtime, which must be agreed (劳动合同法 §31).
func comprehensivePeriod(j *Judge, _ []Duty, _ []scheduling.Shift, out *findings) {
	limit := int32(j.frame.params.periodNormal(j.periodOf()) / time.Minute)
	j.eachComprehensive(func(first dayLoad, work, _ int32) bool {
		if work <= limit || out.quickly() {
			return work > limit
		}
		r := j.periodRange(first.day)
		out.add(r, hours(work-limit),
			say("%s 起的综合周期工作%.5g小时，超过标准%.5g小时，且未同意加班", "period from %s: %.5g h of work, above the normal %.5g h, and overtime is not agreed", calendar.DateOf(r.Start, j.frame.loc), hours(work), hours(limit)),
			say("本周期减少%.4g小时", "take %.4g h out of the period", hours(work-limit)))
		return false
	})
}

// comprehensiveOvertime: 劳部发[1997]271 §5: overtime of the period, on average 36 h a month.
func comprehensiveOvertime(j *Judge, _ []Duty, _ []scheduling.Shift, out *findings) {
	p := &j.frame.params
	normal := int32(p.periodNormal(j.periodOf()) / time.Minute)
	limit := int32(p.periodOvertime(j.periodOf()) / time.Minute)
	report := func(r calendar.Range, over int32) (stop bool) {
		if over <= limit || out.quickly() {
			return over > limit
		}
		out.add(r, hours(over-limit),
			say("%s 起的综合周期加班%.4g小时，上限%.4g小时", "period from %s: %.4g h of overtime, the ceiling is %.4g h", calendar.DateOf(r.Start, j.frame.loc), hours(over), hours(limit)),
			say("本周期减少%.4g小时加班", "take %.4g h of overtime out of the period", hours(over-limit)))
		return false
	}
	if j.periodOf() == ByWeek {
		j.weeklyPeriods(normal, report)
		return
	}
	j.eachComprehensive(func(first dayLoad, work, holiday int32) bool {
		over := max(0, work-normal)
		if p.HolidayIsOvertime {
			over += holiday
		}
		return report(j.periodRange(first.day), over)
	})
}

// weeklyPeriods sums by month what exceeds the normal hours of each week, found in order of time.
func (j *Judge) weeklyPeriods(normal int32, report func(r calendar.Range, over int32) (stop bool)) {
	f := j.frame
	week, done := int32(-1), int32(0)
	for i := 0; i < len(j.days); {
		first, over, judged := j.days[i], int32(0), false
		for ; i < len(j.days) && f.month[j.days[i].day] == f.month[first.day]; i++ {
			l := j.days[i]
			judged = judged || l.judged
			if f.week[l.day] != week {
				week, done = f.week[l.day], 0
			}
			if l.holiday > 0 {
				if f.params.HolidayIsOvertime {
					over += l.holiday
				}
				continue
			}
			before := max(0, done-normal)
			done += l.work
			over += max(0, done-normal) - before
		}
		if judged && report(f.date[first.day].MonthOf().Range(f.loc), over) {
			return
		}
	}
}
