package roster

import (
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// workTerms say how one agent's shifts bind each other, as far as the bound knows. Every legal roster
// keeps them; not every roster that keeps them is legal. Hours of a week, rest between shifts and runs
// of days are kept exactly. Meters (overtime, hours of a month or of the range) are kept by prices.
type workTerms struct {
	unit   int32 // minutes that the hours of a week are counted in; they are rounded down, ceilings too
	width  int   // most cells of a week
	weeks  []weekTerms
	meters []meter
	days   []dayTerms
	run    int  // days in a row with work before the first one
	over   bool // meters read overtime, otherwise all work
	shifts bool // the units are shifts, not hours: interns, whose days are limited and no longer than normal
	rests  bool // days beyond the official workdays of a week are rest days: paid as such, and overtime
	pay    bool // statutory holidays count in the week: part-time hours
}

type weekTerms struct {
	most   int   // units of work
	normal int32 // minutes of work; what is beyond is overtime
	month  int   // meter of the period, -1 = none
	week   int   // meter of the week, -1 = none
	strict bool  // nobody works on its rest days: overtime is not agreed, or barred

	// A week is told apart by the days with work, rest days all alike, and the units, those of rest days left out:
	// cells in order of both. What differs in neither is one cell.
	workdays int   // days of work that are no rest days
	first    []int // cell of the fewest units per number of days, and the number of cells
	low      []int // those units
}

func (t *weekTerms) cells() int { return t.first[len(t.low)] }

// units of a cell.
func (t *weekTerms) units(cell int) int {
	days := t.daysOf(cell)
	return t.low[days] + cell - t.first[days]
}

// daysOf a cell.
func (t *weekTerms) daysOf(cell int) (days int) {
	for cell >= t.first[days+1] {
		days++
	}
	return days
}

// after is the number of days told apart when one more is worked.
func (t *weekTerms) after(days int) int { return min(days+1, t.workdays) }

// reach is the cells of a number of days that reach those of another one with some units more, and how far
// behind they lie there.
func (t *weekTerms) reach(days, then, units int) (from, until, shift int) {
	shift = t.first[then] - t.low[then] - t.first[days] + t.low[days] + units
	from = max(t.first[days], t.first[then]-shift)
	return from, max(from, min(t.first[days+1], t.first[then+1]-shift)), shift
}

// meter is a ceiling in minutes over several days. What lies beyond plain costs extra yuan a minute.
type meter struct {
	most, plain int32
	extra       float64
}

// cost is what a reading costs.
func (m *meter) cost(used int32) float64 { return m.extra * float64(max(0, used-m.plain)) }

// credit is the most that price * minutes less their cost can be under the ceiling (the conjugate of cost).
func (m *meter) credit(price float64) float64 {
	if price <= m.extra {
		return price * float64(m.plain)
	}
	return price*float64(m.most) - m.extra*float64(m.most-m.plain)
}

// aim is the reading that a price makes best.
func (m *meter) aim(price float64) int32 {
	if price < m.extra {
		return m.plain
	}
	return m.most
}

// dayTerms are what fixed shifts and sessions around a day mean for it.
type dayTerms struct {
	busy   bool  // work is fixed on it, so it counts in a run of days
	open   bool  // a session lies between it and the day before, so the rest between them is not judged
	after  int32 // end of a fixed shift of the day before, minutes of the frame; 0 = none
	before int32 // start of a fixed shift of the next day; 0 = none
}

// weekSpan is the part of a rule week in the range, as days [from, to).
type weekSpan struct{ from, to int }

func weekSpans(m *model) (out []weekSpan) {
	start := m.p.Rules.WeekStartDay()
	for d, date := range m.days {
		if d == 0 || date.Weekday() == start {
			out = append(out, weekSpan{d, d + 1})
		} else {
			out[len(out)-1].to = d + 1
		}
	}
	return out
}

// noUnit counts no hours of a week.
const noUnit = 1 << 30

// workTerms reads the ceilings off the person. Work on statutory holidays is paid by itself and
// counts towards none of them, except for part-time hours.
func (m *model) workTerms(a int, weeks []weekSpan) (out workTerms) {
	agent, rules := &m.p.Agents[a], &m.p.Rules
	person := &agent.Person
	standard := person.Regime == "" || person.Regime == workrules.Standard
	out.pay = person.Regime == workrules.PartTime
	out.shifts = person.Engagement == workrules.Intern && !out.pay
	out.over = standard && person.OvertimeAgreed && !out.shifts
	out.rests = standard && !out.shifts && rules.RestDays != workrules.RestDaysCalendar
	out.unit = m.unitOf(a, &out)
	month := map[calendar.Month]int{}
	meterOf := func(most int32) int {
		out.meters = append(out.meters, meter{most: max(0, most), plain: max(0, most)})
		return len(out.meters) - 1
	}
	for _, w := range weeks {
		t := weekTerms{month: -1, week: -1, most: -1}
		fixed := m.fixedWork(a, w)
		normal := int32(m.frame.NormalWeek(m.days[w.from]) / time.Minute)
		weekly := func(most int32) { t.most = int(max(0, most-fixed) / out.unit) }
		switch {
		case out.shifts:
			t.most = m.freeWorkdays(a, w)
		case out.pay:
			weekly(int32(rules.PartTimeWeek / time.Minute))
		case standard && !person.OvertimeAgreed:
			weekly(normal)
			t.strict = true
		case standard && m.protected(person, w):
			weekly(normal)
			t.normal, t.strict = math.MaxInt32, true
		case standard:
			t.normal = max(0, normal-fixed)
			if m.mayExceed(a, w, &out, normal, int32(rules.OvertimeWeek/time.Minute)) {
				t.week = meterOf(int32(rules.OvertimeWeek / time.Minute))
			}
		case !person.OvertimeAgreed && periodOf(person, rules) == workrules.ByWeek:
			weekly(int32(rules.ComprehensiveWeek / time.Minute))
		}
		if first, ok := m.monthOf(w); ok {
			if most := m.monthlyCap(a, first); most > 0 {
				if _, known := month[first]; !known {
					month[first] = meterOf(most)
					m.monthDues(a, &out.meters[month[first]])
				}
				t.month = month[first]
			}
		}
		out.weeks = append(out.weeks, t)
	}
	if len(out.meters) == 0 && agent.MaxWork > 0 {
		k := meterOf(int32(agent.MaxWork/time.Minute) - m.agents[a].lockWork)
		for i := range out.weeks {
			out.weeks[i].month = k
		}
	}
	m.dayTerms(a, &out)
	m.widthOf(a, weeks, &out)
	return out
}

// unitOf is the coarsest unit of at least half an hour that fits all hours of an agent's shifts that
// count in a week. Who has no ceiling of the week needs none.
func (m *model) unitOf(a int, t *workTerms) int32 {
	if t.shifts {
		return 1
	}
	unit := int32(0)
	for d := range m.days {
		for i := range m.agents[a].choices[d] {
			for x, y := unit, m.weekMinutes(t, &m.occ[d][m.agents[a].choices[d][i].occ].duty); ; {
				if y == 0 {
					unit = x
					break
				}
				x, y = y, x%y
			}
		}
	}
	return max(unit, 30)
}

// weekMinutes is the part of a shift that fills the normal hours of a week.
func (m *model) weekMinutes(t *workTerms, d *workrules.Duty) int32 {
	if t.shifts {
		return 1
	}
	if t.over {
		return d.Work - m.beyond(d)
	}
	return d.Work
}

// beyond is the part of a shift of standard hours that is overtime whatever else is worked: beyond the normal day, or
// on a rest day that the calendar names.
func (m *model) beyond(d *workrules.Duty) int32 {
	over := max(0, d.Work-int32(m.p.Rules.NormalDay/time.Minute))
	if m.p.Rules.RestDays == workrules.RestDaysCalendar {
		over = max(over, d.Rest)
	}
	return over
}

// widthOf finds the units of a week that can be reached, and where no ceiling needs them.
func (m *model) widthOf(a int, weeks []weekSpan, t *workTerms) {
	needed := false
	for i, w := range weeks {
		reach := m.reach(a, w, t)
		if t.weeks[i].most < 0 || t.weeks[i].most > reach {
			t.weeks[i].most = reach
		} else if t.weeks[i].most < reach {
			needed = true
		}
		if t.over && (t.weeks[i].month >= 0 || t.weeks[i].week >= 0) && reach*int(t.unit) > int(t.weeks[i].normal) {
			needed = true
		}
	}
	if !needed {
		t.unit = noUnit
		for i := range t.weeks {
			t.weeks[i].most = 0
		}
	}
	for i, w := range weeks {
		m.cellsOf(a, w, t, &t.weeks[i])
		t.width = max(t.width, t.weeks[i].cells())
	}
}

// reach is the most units of a week that shifts can take.
func (m *model) reach(a int, w weekSpan, t *workTerms) (units int) {
	var days []int
	for d := w.from; d < w.to; d++ {
		day := int32(0)
		for _, c := range m.agents[a].choices[d] {
			day = max(day, m.weekMinutes(t, &m.occ[d][c.occ].duty))
		}
		days = append(days, int(day/t.unit))
	}
	if t.rests { // more days than these are rest days, whose hours are no units
		slices.SortFunc(days, func(x, y int) int { return y - x })
		days = days[:min(len(days), max(0, m.workdays(w)-m.daysBefore(a, w)))]
	}
	for _, n := range days {
		units += n
	}
	return units
}

// mayExceed reports whether the shifts of a week could hold more overtime than its ceiling.
func (m *model) mayExceed(a int, w weekSpan, t *workTerms, normal, most int32) bool {
	sum, hours := int32(0), int32(0)
	var days []int32
	for d := w.from; d < w.to; d++ {
		over, within := int32(0), int32(0)
		for _, c := range m.agents[a].choices[d] {
			duty := &m.occ[d][c.occ].duty
			over, within = max(over, m.beyond(duty)), max(within, duty.Work-m.beyond(duty))
		}
		days = append(days, within)
		sum, hours = sum+over, hours+within
	}
	rest := int32(0)
	if t.rests {
		slices.SortFunc(days, func(x, y int32) int { return int(y - x) })
		for _, within := range days[:max(0, len(days)-m.workdays(w))] {
			rest += within // the longest ones may be the rest days
		}
	}
	return sum+max(rest, hours-normal) > most
}

// dayTerms finds what is fixed around each day.
func (m *model) dayTerms(a int, t *workTerms) {
	t.days = make([]dayTerms, len(m.days))
	busy, session := map[int32]bool{}, map[int32]bool{}
	first := m.frameDay(0)
	for _, f := range m.withSessions(a) {
		if busy[f.Day] = true; f.Session {
			session[f.Day] = true
			continue
		}
		if d := int(f.Day-first) + 1; d >= 0 && d < len(m.days) {
			t.days[d].after = max(t.days[d].after, f.End)
		}
		if d := int(f.Day-first) - 1; d >= 0 && d < len(m.days) && (t.days[d].before == 0 || f.Start < t.days[d].before) {
			t.days[d].before = f.Start
		}
	}
	for d := range t.days {
		x, day := &t.days[d], first+int32(d)
		x.busy = busy[day]
		x.open = session[day] || session[day-1]
		if x.open {
			x.after = 0
		}
		if session[day] || session[day+1] {
			x.before = 0
		}
	}
	for t.run = 0; busy[first-int32(t.run)-1]; t.run++ {
	}
}

// frameDay is a day of the range in the days of the rules' frame.
func (m *model) frameDay(d int) int32 {
	duty, _ := m.frame.DutyOf(m.days[d].In(m.p.Location), m.days[d].In(m.p.Location), 0)
	return duty.Day
}

func periodOf(p *workrules.Person, rules *workrules.Params) workrules.Period {
	if p.Period != "" {
		return p.Period
	}
	return rules.ComprehensivePeriod
}

// monthlyCap is the ceiling of a month in minutes, of overtime for standard hours and of all work
// for comprehensive ones, less the work that is fixed; 0 = none that the bound knows.
func (m *model) monthlyCap(a int, month calendar.Month) int32 {
	p, rules := &m.p.Agents[a].Person, &m.p.Rules
	switch {
	case p.Regime == workrules.Comprehensive && periodOf(p, rules) == workrules.ByMonth:
		most := rules.ComprehensiveMonth
		if p.OvertimeAgreed {
			most += rules.OvertimeMonth
		}
		fixed := int32(0)
		if len(p.Carried) == 0 {
			span := month.Range(m.p.Location)
			fixed = m.fixedBetween(m.withSessions(a), span.Start, span.End, math.MaxInt32)
		}
		return max(1, int32(most/time.Minute)-fixed)
	case (p.Regime == "" || p.Regime == workrules.Standard) && p.OvertimeAgreed && p.Engagement != workrules.Intern:
		return int32(rules.OvertimeMonth / time.Minute)
	}
	return 0
}

// monthOf is the month that holds a whole week.
func (m *model) monthOf(w weekSpan) (calendar.Month, bool) {
	first, last := m.days[w.from], m.days[w.to-1]
	return first.MonthOf(), first.MonthOf() == last.MonthOf()
}

// freeWorkdays is the number of official workdays of a rule week less the days with fixed shifts (rule
// interns.rest_days).
func (m *model) freeWorkdays(a int, w weekSpan) (n int) {
	first := m.weekStart(w)
	n = m.workdays(w)
	from, until := m.frame.Minute(first.In(m.p.Location)), m.frame.Minute(first.Add(7).In(m.p.Location))
	day := int32(-1)
	for _, d := range m.agents[a].fixed {
		if d.Start >= from && d.Start < until && d.Day != day {
			day = d.Day
			n--
		}
	}
	return max(0, n)
}

// workdays is the number of official workdays of a rule week.
func (m *model) workdays(w weekSpan) (n int) {
	first := m.weekStart(w)
	for i := range 7 {
		if m.p.Holidays.Kind(first.Add(i)).Working() {
			n++
		}
	}
	return n
}

func (m *model) weekStart(w weekSpan) calendar.Date {
	first := m.days[w.from]
	for first.Weekday() != m.p.Rules.WeekStartDay() {
		first = first.Add(-1)
	}
	return first
}

// protected reports whether the law allows no overtime in a whole week (rule protected.overtime).
func (m *model) protected(p *workrules.Person, w weekSpan) bool {
	for d := w.from; d < w.to; d++ {
		if p.ProtectedOn(m.days[d]) == "" {
			return false
		}
	}
	return w.to-w.from == 7
}

// fixedWork is the work that history, locked shifts and sessions bring into a rule week, holidays left
// out, and of standard hours no more than the normal day. With agreed overtime sessions are left out:
// beside a shift they may lie beyond the normal day.
func (m *model) fixedWork(a int, w weekSpan) int32 {
	first := m.weekStart(w)
	most := int32(math.MaxInt32)
	if r := m.p.Agents[a].Person.Regime; r == "" || r == workrules.Standard {
		most = int32(m.p.Rules.NormalDay / time.Minute)
	}
	fixed := m.agents[a].fixed
	if p := &m.p.Agents[a].Person; !p.OvertimeAgreed {
		fixed = m.withSessions(a)
	}
	return m.fixedBetween(fixed, first.In(m.p.Location), first.Add(7).In(m.p.Location), most)
}

// withSessions are an agent's fixed shifts and sessions in order of start.
func (m *model) withSessions(a int) []workrules.Duty {
	fixed := m.agents[a].fixed
	if len(m.p.Agents[a].Person.Sessions) == 0 {
		return fixed
	}
	fixed = slices.Clone(fixed)
	for _, s := range m.p.Agents[a].Person.Sessions {
		if d, ok := m.frame.DutyOf(s.Range.Start, s.Range.End, s.Range.Duration()); ok {
			d.Session = true
			fixed = append(fixed, d)
		}
	}
	slices.SortStableFunc(fixed, func(x, y workrules.Duty) int { return int(x.Start - y.Start) })
	return fixed
}

// fixedBetween is the work of duties that start in a span, holidays left out, with a most per day.
func (m *model) fixedBetween(duties []workrules.Duty, start, end time.Time, most int32) (sum int32) {
	from, until := m.frame.Minute(start), m.frame.Minute(end)
	day, work := int32(-1), int32(0)
	for _, d := range duties {
		if d.Start < from || d.Start >= until || m.p.Holidays.Kind(calendar.DateOf(m.frame.At(d.Start), m.p.Location)) == calendar.Statutory {
			continue
		}
		if d.Day != day {
			day, work = d.Day, 0
		}
		sum += min(most, work+d.Work) - min(most, work)
		work += d.Work
	}
	return sum
}
