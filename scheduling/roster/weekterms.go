package roster

import (
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// workTerms say how much one agent may work, in units, as far as the bound knows. Every legal
// roster keeps them; not every roster that keeps them is legal.
type workTerms struct {
	weeks []weekTerms
	caps  []int // per period: the most of its measure
	dues  bool  // premiums are reckoned from the sums of work, not from single shifts
	// plain is the measure of a period that the wage pays, and extra the yuan per unit beyond it.
	plain int
	extra float64
}

type weekTerms struct {
	most   int     // units of work
	off    bool    // one of the seven days is free
	free   int     // units that count nothing towards the period
	period int     // index into caps; -1 = none
	plain  int     // units that the wage pays
	extra  float64 // yuan per unit beyond them
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

// workUnit is the coarsest unit that fits all working times, but at least half an hour: work is
// rounded down and ceilings are too, so that nothing legal gets lost.
func (m *model) workUnit() int32 {
	unit := time.Duration(0)
	for _, list := range m.occ {
		for i := range list {
			unit = gcd(unit, time.Duration(list[i].duty.Work)*time.Minute)
		}
	}
	return int32(max(unit, 30*time.Minute) / time.Minute)
}

// workTerms reads the ceilings off the person. Work on statutory holidays is paid by itself and
// counts towards none of them, except for part-time and personally agreed weeks.
func (m *model) workTerms(a int, weeks []weekSpan, unit int32) (out workTerms) {
	agent, rules := &m.p.Agents[a], &m.p.Rules
	person := &agent.Person
	longest := int32(0)
	for d := range m.days {
		for _, c := range m.agents[a].choices[d] {
			longest = max(longest, m.occ[d][c.occ].duty.Work)
		}
	}
	monthly := monthlyCap(person, rules)
	caps := map[calendar.Month]int{}
	for _, w := range weeks {
		fixed := m.fixedWork(a, w)
		limit := 7 * longest
		weekly := func(most int32) { limit = min(limit, max(0, most-fixed)) }
		normal := int32(m.frame.NormalWeek(m.days[w.from]) / time.Minute)
		standard := person.Regime == "" || person.Regime == workrules.Standard
		switch {
		case person.Regime == workrules.PartTime:
			weekly(int32(rules.PartTimeWeek / time.Minute))
		case standard && !person.OvertimeAgreed:
			weekly(normal)
		case standard:
			weekly(normal + int32(rules.OvertimeWeek/time.Minute))
		case !person.OvertimeAgreed && periodOf(person, rules) == workrules.ByWeek:
			weekly(int32(rules.ComprehensiveWeek / time.Minute))
		}
		t := weekTerms{most: int(limit / unit), off: w.to-w.from == 7 && 7*unit <= limit, period: -1}
		t.plain, t.extra = m.weekDues(a, w, unit)
		if month, ok := m.monthOf(w); ok && monthly > 0 {
			if _, known := caps[month]; !known {
				caps[month] = len(out.caps)
				out.caps = append(out.caps, int(monthly/unit))
			}
			t.period = caps[month]
			if standard {
				t.free = int((max(0, normal-fixed) + unit - 1) / unit)
			}
		}
		out.weeks = append(out.weeks, t)
	}
	if len(out.caps) > 0 { // weeks inside one month are summed up
		out.plain, out.extra = m.monthDues(a, unit)
	}
	out.dues = out.extra > 0 || len(out.weeks) > 0 && out.weeks[0].extra > 0
	if len(out.caps) == 0 && agent.MaxWork > 0 {
		out.caps = []int{int(max(0, int32(agent.MaxWork/time.Minute)-m.agents[a].lockWork) / unit)}
		for i := range out.weeks {
			out.weeks[i].period, out.weeks[i].free = 0, 0
		}
	}
	return out
}

func periodOf(p *workrules.Person, rules *workrules.Params) workrules.Period {
	if p.Period != "" {
		return p.Period
	}
	return rules.ComprehensivePeriod
}

// monthlyCap is the ceiling of a month in minutes, of overtime for standard hours and of all work
// for comprehensive ones; 0 = none that the bound knows. History is left out, which only widens it.
func monthlyCap(p *workrules.Person, rules *workrules.Params) int32 {
	switch {
	case p.Regime == workrules.Comprehensive && periodOf(p, rules) == workrules.ByMonth && p.OvertimeAgreed:
		return int32((rules.ComprehensiveMonth + rules.OvertimeMonth) / time.Minute)
	case p.Regime == workrules.Comprehensive && periodOf(p, rules) == workrules.ByMonth:
		return int32(rules.ComprehensiveMonth / time.Minute)
	case (p.Regime == "" || p.Regime == workrules.Standard) && p.OvertimeAgreed:
		return int32(rules.OvertimeMonth / time.Minute)
	}
	return 0
}

// monthOf is the month that holds a whole week.
func (m *model) monthOf(w weekSpan) (calendar.Month, bool) {
	first, last := m.days[w.from], m.days[w.to-1]
	return first.MonthOf(), first.MonthOf() == last.MonthOf()
}

// fixedWork is the work that history and locked shifts bring into a rule week, holidays left out.
func (m *model) fixedWork(a int, w weekSpan) (sum int32) {
	first := m.days[w.from]
	for first.Weekday() != m.p.Rules.WeekStartDay() {
		first = first.Add(-1)
	}
	from := m.frame.Minute(first.In(m.p.Location))
	until := m.frame.Minute(first.Add(7).In(m.p.Location))
	for _, d := range m.agents[a].fixed {
		if d.Start >= from && d.Start < until && m.p.Holidays.Kind(calendar.DateOf(m.frame.At(d.Start), m.p.Location)) != calendar.Statutory {
			sum += d.Work
		}
	}
	return sum
}
