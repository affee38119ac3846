package roster

import (
	"math"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// What the bound knows of premiums beside those of single shifts: whoever works more days of a week than it has
// official workdays works the last ones on rest days (200 %, all of it overtime), so the planner counts the days of the
// week. Hours
// beyond the normal month of comprehensive hours are extended time (150 %). Statutory holidays count nothing there.

// cellsOf lays out the cells of a week of an agent.
func (m *model) cellsOf(a int, w weekSpan, t *workTerms, week *weekTerms) {
	before, busy := 0, 0
	if t.rests {
		week.workdays = m.workdays(w)
		if week.strict {
			week.workdays = max(0, week.workdays-m.daysAfter(a, w))
		}
		before, busy = m.daysBefore(a, w), m.busyDays(w, t)
	}
	least, most := m.unitsOfDay(a, w, t)
	before = min(before, week.workdays)
	for days := range week.workdays + 1 {
		low, high := max(0, days-before-busy)*least, week.most
		if t.rests {
			high = min(high, max(0, days-before)*most)
		}
		week.low, week.first = append(week.low, low), append(week.first, 0)
		if days >= before {
			week.first[days] = max(0, high-low+1)
		}
	}
	sum := 0
	for days, n := range week.first {
		week.first[days], sum = sum, sum+n
	}
	week.first = append(week.first, sum)
}

// daysBefore is the number of days with work in a week before its part in the range, statutory holidays left out.
func (m *model) daysBefore(a int, w weekSpan) int {
	first := m.frameDay(w.from)
	return m.daysWorked(a, w, first-int32(m.days[w.from].Sub(m.weekStart(w))), first)
}

// daysAfter is the number of those behind it.
func (m *model) daysAfter(a int, w weekSpan) int {
	first := m.frameDay(w.from)
	return m.daysWorked(a, w, first+int32(w.to-w.from), first+7-int32(m.days[w.from].Sub(m.weekStart(w))))
}

// daysWorked is the number of days of the frame from one to before another with fixed work, statutory holidays left out.
func (m *model) daysWorked(a int, w weekSpan, from, until int32) (n int) {
	first, day := m.frameDay(w.from), int32(math.MinInt32)
	for _, d := range m.withSessions(a) {
		if d.Day >= from && d.Day < until && d.Day != day && m.p.Holidays.Kind(m.days[w.from].Add(int(d.Day-first))) != calendar.Statutory {
			day = d.Day
			n++
		}
	}
	return n
}

// busyDays is the number of days of a week with fixed work.
func (m *model) busyDays(w weekSpan, t *workTerms) (n int) {
	for d := w.from; d < w.to; d++ {
		if t.days[d].busy {
			n++
		}
	}
	return n
}

// unitsOfDay is the least and the most that a shift takes of a week.
func (m *model) unitsOfDay(a int, w weekSpan, t *workTerms) (least, most int) {
	least = math.MaxInt
	for d := w.from; d < w.to; d++ {
		for _, c := range m.agents[a].choices[d] {
			n := int(m.weekMinutes(t, &m.occ[d][c.occ].duty) / t.unit)
			least, most = min(least, n), max(most, n)
		}
	}
	return min(least, most), most
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
