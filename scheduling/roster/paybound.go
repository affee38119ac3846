package roster

import (
	"slices"

	"github.com/chaoban/chaoban/scheduling/workrules"
)

// What the bound knows of premiums beside those of single shifts: an hour of normal days beyond the normal week
// falls on a day beyond the official workdays, which is a rest day (200 %), since these days hold no more than the
// normal week. Hours beyond the normal month of comprehensive hours are extended time (150 %). Statutory holidays count nothing there. A shift that
// reaches into one from the day before is in the sum; what its holiday hours would cost there is given back.

// weekDues is how many minutes of a week of standard hours the plain wage still pays, and the yuan that each
// further one costs more. Where Saturdays are rest days by name the single shift pays for them, and the week
// nothing.
func (m *model) weekDues(a int, w weekSpan, normal int32) (plain int32, extra float64) {
	if m.p.Rules.RestDays == workrules.RestDaysCalendar {
		return 0, 0
	}
	extra = m.agents[a].rate * workrules.PayMinutes{RestDay: 60}.Premium(m.p.Agents[a].Salaried) / 60
	return max(0, normal-m.plainWork(a, w)), extra
}

// monthDues prices the meter of a month of comprehensive hours.
func (m *model) monthDues(a int, x *meter) {
	person := &m.p.Agents[a].Person
	if person.Regime != workrules.Comprehensive || len(person.Carried) > 0 {
		return
	}
	x.plain = min(x.most, int32(m.p.Rules.ComprehensiveMonth.Minutes()))
	x.extra = m.agents[a].rate * workrules.PayMinutes{Extended: 60}.Premium(m.p.Agents[a].Salaried) / 60
}

// plainWork is the most of the normal week that history and locked shifts can use up: their days up to the
// normal day, without what reaches into a statutory holiday.
func (m *model) plainWork(a int, w weekSpan) int32 {
	plain := slices.DeleteFunc(slices.Clone(m.agents[a].fixed), func(d workrules.Duty) bool { return d.Holiday > 0 })
	start := m.weekStart(w)
	end := start.Add(7).In(m.p.Location)
	if m.p.Range.End.Before(end) {
		end = m.p.Range.End
	}
	return m.fixedBetween(plain, start.In(m.p.Location), end, int32(m.p.Rules.NormalDay.Minutes()))
}
