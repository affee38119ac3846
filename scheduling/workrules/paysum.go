package workrules

import (
	"cmp"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

// PayMinutes is working time by what the law pays for it (劳动法 §44), in minutes.
type PayMinutes struct {
	Normal    int32 // 100 %
	Extended  int32 // 150 %
	RestDay   int32 // 200 %
	Statutory int32 // 300 %
}

// Minus is what one has that another has not.
func (m PayMinutes) Minus(o PayMinutes) PayMinutes {
	return PayMinutes{m.Normal - o.Normal, m.Extended - o.Extended, m.RestDay - o.RestDay, m.Statutory - o.Statutory}
}

// Plus is the sum of both.
func (m PayMinutes) Plus(o PayMinutes) PayMinutes {
	return PayMinutes{m.Normal + o.Normal, m.Extended + o.Extended, m.RestDay + o.RestDay, m.Statutory + o.Statutory}
}

// Premium is what is paid beyond the plain wage of the hours, in hours of that wage. A salary pays the
// normal hours already, so that whoever has one gets the whole 150, 200 or 300 % on top of it
// (工资支付暂行规定 §13).
func (m PayMinutes) Premium(salaried bool) float64 {
	if salaried {
		return (1.5*float64(m.Extended) + 2*float64(m.RestDay) + 3*float64(m.Statutory)) / 60
	}
	return (0.5*float64(m.Extended) + float64(m.RestDay) + 2*float64(m.Statutory)) / 60
}

// Dues is what the hours cost in hours of the plain wage: all of them, or for a salary what it does not
// pay already.
func (m PayMinutes) Dues(salaried bool) float64 {
	if salaried {
		return m.Premium(true)
	}
	return float64(m.Normal+m.Extended+m.RestDay+m.Statutory)/60 + m.Premium(false)
}

// Shares lists what is not zero, by rising percentage.
func (m PayMinutes) Shares() []PayShare {
	var out []PayShare
	for _, s := range []PayShare{{PayNormal, int(m.Normal)}, {PayExtended, int(m.Extended)}, {PayRestDay, int(m.RestDay)}, {PayStatutory, int(m.Statutory)}} {
		if s.Minutes != 0 {
			out = append(out, s)
		}
	}
	return out
}

// RestDayMoved explains a change of pay by which hours that were paid 100 % become rest-day work: another day of the
// week than the one that changed is its last one now. ok is false when that is not so.
func (m PayMinutes) RestDayMoved() (says Text, ok bool) {
	if m.Normal >= 0 || m.RestDay <= 0 {
		return Text{}, false
	}
	return say("该周的工作天数超过法定工作日，其中最后一天按休息日200%%支付，原按100%%支付的工时因此改按200%%",
		"the week then has more worked days than official workdays; the last of them is the rest day (200 %%), so hours that were paid 100 %% are paid 200 %%"), true
}

// PayShare is working time at one percentage of the hourly wage.
type PayShare struct {
	Percent PayKind `json:"percent"` // 100, 150, 200, 300
	Minutes int     `json:"minutes"` // below 0: saved
}

// Pay is what duties are paid from the start of the judged range on, for an optimiser: duties are sorted by start and
// include history, and shifts lie on whole minutes. Unlike PayHours it counts what lies after the range too, since a
// shift inside moves the rest day of its week, or the end of the normal hours of its month, onto it: what shifts cost
// is the difference of Pay with and without them, everything fixed in both. What lies before the range is paid
// the same whatever is in it.
func (j *Judge) Pay(duties []Duty) (sum PayMinutes) {
	if len(j.sessions) > 0 {
		duties = j.withSessions(duties)
	}
	w := j.payWalk()
	for i := range duties {
		d := &duties[i]
		if part := w.duty(d); d.Start >= j.frame.from {
			sum = sum.Plus(part)
		}
	}
	return sum
}

// payWalk goes through duties in order of time and remembers the running day, week and period.
type payWalk struct {
	j                 *Judge
	normalDay         int32
	week, day, period int32
	weekDays          int32 // worked days in the running week, statutory holidays left out (see enter)
	dayTime, weekTime int32 // normal-kind minutes so far
	periodTime        int32 // of comprehensive hours, carried sums included
}

func (j *Judge) payWalk() payWalk {
	return payWalk{j: j, week: -1, day: -1, period: -1, normalDay: int32(j.frame.params.NormalDay / time.Minute)}
}

// duty is what the law pays for the next duty, in the order in which its kinds exclude each other.
func (w *payWalk) duty(d *Duty) PayMinutes {
	j, f := w.j, w.j.frame
	holiday, weekend := d.Holiday, d.RestDay
	if !f.params.SplitAtMidnight {
		holiday, weekend = 0, 0
		switch kind := f.kind[d.Day]; {
		case kind == calendar.Statutory:
			holiday = d.Work
		case restsOn(kind):
			weekend = d.Work
		}
	}
	rest := d.Work - holiday
	w.enter(d, rest)
	switch {
	case j.person.Regime == PartTime:
		return PayMinutes{Normal: rest, Statutory: holiday}
	case j.person.Regime == Comprehensive:
		normal := w.comprehensive(d, rest)
		return PayMinutes{Normal: normal, Extended: rest - normal, Statutory: holiday}
	case f.params.RestDays != RestDaysCalendar:
		if weekend = 0; w.weekDays > f.workdays[d.Day] {
			weekend = rest
		}
	}
	rest -= weekend
	normal := max(0, min(rest, w.normalDay-w.dayTime, f.normal[d.Day]-w.weekTime))
	w.dayTime += rest
	w.weekTime += normal
	return PayMinutes{Normal: normal, Extended: rest - normal, RestDay: weekend, Statutory: holiday}
}

// enter begins the week and the day that a duty counts on. Its week is that of its start. A shift of a statutory
// holiday counts on no day, but what it works after the holidays does: on the day that it lies on, which is a worked
// day like any other.
func (w *payWalk) enter(d *Duty, ordinary int32) {
	if week := w.j.frame.week[d.Day]; week != w.week {
		w.week, w.day, w.weekDays, w.weekTime = week, -1, 0, 0
	}
	day := w.j.frame.ordinaryDay(d.Day)
	if day != d.Day && ordinary == 0 {
		return
	}
	if day > w.day {
		w.day, w.dayTime = day, 0
		w.weekDays++
	}
}

// ordinaryDay is a day, or the first one after the statutory holidays that it is one of.
func (f *Frame) ordinaryDay(day int32) int32 {
	for int(day)+1 < len(f.date) && f.kind[day] == calendar.Statutory {
		day++
	}
	return day
}

// restsOn says that nobody works officially on a day, without its being a statutory holiday.
func restsOn(kind calendar.DayKind) bool { return kind == calendar.RestDay || kind == calendar.Bridge }

// comprehensive is the part of some work that the normal hours of its period still hold.
func (w *payWalk) comprehensive(d *Duty, work int32) int32 {
	j := w.j
	if period := j.period[d.Day]; period != w.period {
		w.period = period
		w.periodTime, _ = j.carriedIn(period)
	}
	if j.isCarried(d.Day) {
		return work
	}
	left := int32(j.frame.params.periodNormal(j.periodOf())/time.Minute) - w.periodTime
	w.periodTime += work
	return max(0, min(work, left))
}

// PayShifts is Pay of shifts in any order, those of other people left out.
func (j *Judge) PayShifts(shifts []scheduling.Shift) PayMinutes {
	var duties []Duty
	for _, s := range shifts {
		if s.Agent != j.person.ID && s.Agent != "" {
			continue
		}
		if d, ok := j.frame.Duty(s); ok {
			duties = append(duties, d)
		}
	}
	slices.SortStableFunc(duties, func(a, b Duty) int { return cmp.Compare(a.Start, b.Start) })
	return j.Pay(duties)
}
