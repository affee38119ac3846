package check

import (
	"math"
	"sort"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// premiums is what the law adds to the plain wage for an agent's shifts, in yuan, less what it adds for
// those that nobody chose: history, locked shifts and sessions.
func premiums(p roster.Problem, a *roster.Agent, list []scheduling.Shift) float64 {
	var fixed []scheduling.Shift
	for _, s := range list {
		if locked(p, s) {
			fixed = append(fixed, s)
		}
	}
	return p.Weights.Wage * a.Wage * (premiumHours(p, a, list) - premiumHours(p, a, fixed))
}

// payDesk walks minute after minute of work and asks for each what it is paid.
type payDesk struct {
	p      roster.Problem
	a      *roster.Agent
	days   map[calendar.Date]map[calendar.Date]bool // per week: the worked dates that are no statutory holidays
	day    map[payDay]int                           // minutes that count towards the normal day
	week   map[calendar.Date]int                    // normal minutes
	period map[calendar.Date]int                    // of comprehensive hours
}

// payDay is a worked day in the week that its shifts start in.
type payDay struct{ week, date calendar.Date }

func premiumHours(p roster.Problem, a *roster.Agent, list []scheduling.Shift) float64 {
	sum := 0
	for percent, minutes := range minutesPaid(p, a, list) {
		switch {
		case percent == 100:
		case a.Salaried:
			sum += percent * minutes
		default:
			sum += (percent - 100) * minutes
		}
	}
	return float64(sum) / 60 / 100
}

// minutesPaid counts the minutes of work from the range on, the later shifts included, by the percentage that they are
// paid at, in the light of history and sessions.
func minutesPaid(p roster.Problem, a *roster.Agent, list []scheduling.Shift) map[int]int {
	all := append(append(append([]scheduling.Shift{}, a.History...), list...), a.Later...)
	for _, s := range a.Person.Sessions {
		all = append(all, scheduling.Shift{Start: s.Range.Start, End: s.Range.End})
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].Start.Before(all[j].Start) })
	d := payDesk{
		p: p, a: a, days: map[calendar.Date]map[calendar.Date]bool{}, day: map[payDay]int{},
		week: map[calendar.Date]int{}, period: map[calendar.Date]int{},
	}
	if a.Person.Regime == workrules.Comprehensive {
		key, _, _, _ := periodOf(p, a.Person)
		for _, c := range a.Person.Carried {
			d.period[key(c.Dates.From)] += int(math.Round(c.Hours * 60))
		}
	}
	sum := map[int]int{}
	for _, s := range all {
		for percent, minutes := range d.shift(s) {
			if !s.Start.Before(p.Range.Start) {
				sum[percent] += minutes
			}
		}
	}
	return sum
}

// shift counts the minutes of a shift by percentage.
func (d *payDesk) shift(s scheduling.Shift) map[int]int {
	minutes := map[int]int{}
	start := dateOf(d.p, s)
	week := weekOf(d.p, start)
	if d.days[week] == nil {
		d.days[week] = map[calendar.Date]bool{}
	}
	day := start // what follows the statutory holidays that a shift starts on is work of the day after them
	for d.p.Holidays.Kind(day) == calendar.Statutory {
		day = day.Add(1)
	}
	if day == start {
		d.days[week][day] = true
	}
	on, midnight := start, start.Add(1).In(d.p.Location)
	for t := s.Start; t.Before(s.End); t = t.Add(time.Minute) {
		if !t.Before(midnight) && d.p.Rules.SplitAtMidnight {
			on = calendar.DateOf(t, d.p.Location)
			midnight = on.Add(1).In(d.p.Location)
		}
		unpaid := false
		for _, act := range s.Activities {
			unpaid = unpaid || act.Kind.Unpaid() && !t.Before(act.Start) && t.Before(act.End)
		}
		if unpaid {
			continue
		}
		if d.p.Holidays.Kind(on) != calendar.Statutory {
			d.days[week][day] = true
		}
		minutes[d.minute(start, payDay{week, day}, d.p.Holidays.Kind(on))]++
	}
	return minutes
}

// minute is the percentage that one more minute of work is paid at.
func (d *payDesk) minute(start calendar.Date, day payDay, on calendar.DayKind) int {
	rules := d.p.Rules
	switch {
	case on == calendar.Statutory:
		return 300
	case d.a.Person.Regime == workrules.PartTime:
		return 100
	case d.a.Person.Regime == workrules.Comprehensive:
		for _, c := range d.a.Person.Carried {
			if c.Dates.Contains(start) {
				return 100
			}
		}
		key, normal, _, _ := periodOf(d.p, d.a.Person)
		k := key(start)
		if d.period[k]++; d.period[k] > int(normal.Minutes()) {
			return 150
		}
		return 100
	case rules.RestDays == workrules.RestDaysCalendar && (on == calendar.RestDay || on == calendar.Bridge):
		return 200
	case rules.RestDays != workrules.RestDaysCalendar && len(d.days[day.week]) > workdaysOf(d.p, day.week):
		return 200
	}
	d.day[day]++
	if d.day[day] > int(rules.NormalDay.Minutes()) || d.week[day.week] >= int(normalWeekOf(d.p, day.week).Minutes()) {
		return 150
	}
	d.week[day.week]++
	return 100
}

// workdaysOf counts the official workdays of a week.
func workdaysOf(p roster.Problem, first calendar.Date) (n int) {
	for i := range 7 {
		if p.Holidays.Kind(first.Add(i)).Working() {
			n++
		}
	}
	return n
}
