package roster

import (
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// What the bound knows of premiums. Every hour beyond the normal week or the normal hours of a month is paid
// 150 % at least: as extended time, or more on a rest day. Statutory holidays count nothing there; who starts
// on one pays for the single shift. A shift that reaches into one from the day before has its holiday hours
// counted in the sum instead, which is less than they cost.

// weekDues is how many units of a week the plain wage pays, and the yuan that each further one costs more.
func (m *model) weekDues(a int, w weekSpan, unit int32) (plain int, extra float64) {
	person, rules := &m.p.Agents[a].Person, &m.p.Rules
	var left int32
	switch {
	case person.Regime == "" || person.Regime == workrules.Standard:
		left = int32(m.frame.NormalWeek(m.days[w.from])/time.Minute) - m.plainWork(a, w)
	case person.Regime == workrules.Comprehensive && len(person.Carried) == 0 && periodOf(person, rules) == workrules.ByWeek:
		left = int32(rules.ComprehensiveWeek / time.Minute)
	default:
		return 0, 0
	}
	return int((max(0, left) + unit - 1) / unit), m.extendedUnit(a, unit)
}

// monthDues is the same for the month of comprehensive hours.
func (m *model) monthDues(a int, unit int32) (plain int, extra float64) {
	person, rules := &m.p.Agents[a].Person, &m.p.Rules
	if person.Regime != workrules.Comprehensive || len(person.Carried) > 0 || periodOf(person, rules) != workrules.ByMonth {
		return 0, 0
	}
	return int((int32(rules.ComprehensiveMonth/time.Minute) + unit - 1) / unit), m.extendedUnit(a, unit)
}

// extendedUnit is what a unit at 150 % costs beyond the plain wage.
func (m *model) extendedUnit(a int, unit int32) float64 {
	return m.agents[a].rate * workrules.PayMinutes{Extended: unit}.Premium(m.p.Agents[a].Salaried)
}

// plainWork is the most of the normal week that history and locked shifts can use up: their days up to the
// normal day. Where Saturdays are rest days by name their work uses nothing up, so nothing is said.
func (m *model) plainWork(a int, w weekSpan) (sum int32) {
	if m.p.Rules.RestDays == workrules.RestDaysCalendar {
		return 0
	}
	first := m.days[w.from]
	for first.Weekday() != m.p.Rules.WeekStartDay() {
		first = first.Add(-1)
	}
	normal := int32(m.p.Rules.NormalDay / time.Minute)
	end := min(m.frame.Minute(first.Add(7).In(m.p.Location)), m.frame.Minute(m.p.Range.End))
	from, day, work := m.frame.Minute(first.In(m.p.Location)), int32(-1), int32(0)
	for _, d := range m.agents[a].fixed {
		if d.Start < from || d.Start >= end || d.Holiday > 0 || m.p.Holidays.Kind(calendar.DateOf(m.frame.At(d.Start), m.p.Location)) == calendar.Statutory {
			continue
		}
		if d.Day != day {
			day, work = d.Day, 0
		}
		more := min(d.Work, normal-work)
		sum, work = sum+more, work+more
	}
	return sum
}

// payBeyond takes the premium off the value of each sum of units.
func payBeyond(value []float64, plain int, extra float64) {
	if extra == 0 {
		return
	}
	for h := plain + 1; h < len(value); h++ {
		value[h] -= extra * float64(h-plain)
	}
}
