package check

import (
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

const step = 5 * time.Minute

// Roster checks a product roster against its problem: every hard rule by walking dates and shifts,
// and the cost by counting heads every five minutes.
func Roster(p roster.Problem, shifts []scheduling.Shift) Report {
	r := Report{softs: map[mark]int{}}
	if err := (scheduling.Roster{Shifts: shifts}).Validate(); err != nil {
		for _, f := range fault.Of(err).Fields {
			r.broken("%s of %s: %s", f.Path, f.Value, f.Problem)
		}
	}
	own := map[ids.Agent][]scheduling.Shift{}
	for _, s := range shifts {
		own[s.Agent] = append(own[s.Agent], s)
		if !p.Range.Contains(s.Start) {
			r.broken("%s: the shift of %s starts outside the range", s.Agent, clock(p, s.Start))
		}
	}
	for i := range p.Agents {
		a := &p.Agents[i]
		list := own[a.Person.ID]
		delete(own, a.Person.ID)
		sort.Slice(list, func(i, j int) bool { return list[i].Start.Before(list[j].Start) })
		agentRules(&r, p, a, list)
		agentCost(&r, p, a, list)
	}
	for _, id := range slices.Sorted(maps.Keys(own)) {
		r.broken("%s is not an agent of the problem", id)
	}
	for _, l := range p.Locked {
		found, same := false, false
		for _, s := range shifts {
			if s.Agent == l.Agent && s.Start.Equal(l.Start) && s.End.Equal(l.End) {
				found, same = true, same || s.Code == l.Code && sameParts(s.Activities, l.Activities)
			}
		}
		switch {
		case !found:
			r.broken("%s: the locked shift of %s is gone", l.Agent, clock(p, l.Start))
		case !same:
			r.broken("%s: the locked shift of %s has another code or other activities", l.Agent, clock(p, l.Start))
		}
	}
	templates(&r, p, shifts)
	filled(&r, p, shifts)
	coverage(&r, p, shifts)
	blocks(&r, p, shifts)
	seats(&r, p, shifts)
	return r
}

func locked(p roster.Problem, s scheduling.Shift) bool {
	for _, l := range p.Locked {
		if l.Agent == s.Agent && l.Start.Equal(s.Start) {
			return true
		}
	}
	return false
}

func agentRules(r *Report, p roster.Problem, a *roster.Agent, list []scheduling.Shift) {
	who := a.Person.ID
	total := time.Duration(0)
	for _, s := range list {
		date := calendar.DateOf(s.Start, p.Location)
		total += s.WorkTime()
		if e := a.Person.Employed; (e != calendar.Dates{}) && !e.Contains(date) {
			r.breaks("fit.employed", who, "%s: outside the contract", date)
		}
		for _, u := range a.Person.Unavailable {
			if u.Start.Before(s.End) && s.Start.Before(u.End) {
				r.breaks("fit.available", who, "%s: not available", date)
			}
		}
		if b := a.Person.Born; !b.IsZero() && s.Start.Before(time.Date(b.Year+16, b.Month, b.Day, 0, 0, 0, 0, p.Location)) {
			r.breaks("minors.age", who, "%s: under 16", date)
		}
		for _, act := range s.Activities {
			if act.Kind == scheduling.Work && act.Queue != "" {
				service(r, p, &a.Person, act.Queue, date)
			}
		}
		if shielded(a.Person, date) || shielded(a.Person, calendar.DateOf(s.End.Add(-time.Minute), p.Location)) {
			for t := s.Start; t.Before(s.End); t = t.Add(time.Minute) {
				if atNight(p, t) {
					r.breaks("protected.night", who, "%s: protected, but works at night", date)
					break
				}
			}
		}
	}
	if a.MaxWork > 0 && total > a.MaxWork {
		r.broken("%s: %s of work, agreed are %s", who, hours(total), hours(a.MaxWork))
	}
	all := append(append([]scheduling.Shift{}, a.History...), list...)
	for _, s := range a.Person.Sessions {
		for _, own := range list {
			if s.Range.Start.Before(own.End) && own.Start.Before(s.Range.End) {
				r.breaks("training.work_time", who, "%s: a shift during training, a meeting or a check", clock(p, own.Start))
			}
		}
		all = append(all, scheduling.Shift{Agent: who, Code: session, Start: s.Range.Start, End: s.Range.End})
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].Start.Before(all[j].Start) })
	rests(r, p, who, all)
	dates(r, p, a.Person, all)
	bonds(r, p, a.Person, list)
	agreements(r, p, a.Person, list, all)
	periods(r, p, a.Person, all)
	pauses(r, p, a.Person, list)
	softDays(r, p, a.Person, all)
}

// session marks working time outside the shifts.
const session = "(session)"

func shielded(p workrules.Person, d calendar.Date) bool {
	for _, c := range p.Conditions {
		if c.Dates.Contains(d) {
			return true
		}
	}
	return !p.Born.IsZero() && d.Before(calendar.MakeDate(p.Born.Year+18, p.Born.Month, p.Born.Day))
}

func rests(r *Report, p roster.Problem, who ids.Agent, all []scheduling.Shift) {
	for i := 1; i < len(all); i++ {
		gap := all[i].Start.Sub(all[i-1].End)
		training := all[i].Code == session || all[i-1].Code == session
		if !p.Range.Contains(all[i].Start) && !p.Range.Contains(all[i-1].Start) || training && (gap < 0 || dateOf(p, all[i]) == dateOf(p, all[i-1])) {
			continue
		}
		if gap < p.Rules.RestBlock {
			r.breaks(restRule(gap), who, "%s: only %s of rest before this shift", clock(p, all[i].Start), hours(gap))
		} else if gap < p.Rules.RestWarn {
			soft(r, p, false, "rest.between_warn", who, "")
		}
	}
}

// dates walks the civil dates from well before the range to its end and sums days, weeks, months.
func dates(r *Report, p roster.Problem, who workrules.Person, all []scheduling.Shift) {
	rules := p.Rules
	work, touched, starts, judged, reached := datesOf(p, all)
	overtime := map[calendar.Month]time.Duration{}
	inMonth := map[calendar.Month]bool{}
	first := calendar.DateOf(p.Range.Start, p.Location)
	for first = first.Add(-40); first.Weekday() != rules.WeekStartDay(); first = first.Add(-1) {
	}
	runs(r, p, who, starts, judged, first)
	desk := overtimeDesk{p: p, standard: isStandard(who), work: work}
	desk.atMidnight(all)
	for monday := first; !monday.In(p.Location).After(p.Range.End); monday = monday.Add(7) { // the last shift may end a week later
		weekWork, worked := time.Duration(0), 0
		inWeek, tail := false, false
		for i := range 7 {
			inWeek, tail = inWeek || judged[monday.Add(i)], tail || reached[monday.Add(i)]
		}
		beyond, weekOver, weekExtra, known := desk.week(monday), time.Duration(0), time.Duration(0), false
		for i := range 7 {
			d := monday.Add(i)
			if touched[d] {
				worked++
			}
			weekWork += work[d]
			known = known || judged[d] // it can make overtime of the days behind it
			inMonth[d.MonthOf()] = inMonth[d.MonthOf()] || judged[d] || known && starts[d]
			over := dayRules(r, p, who, d, work[d], judged[d])
			extra := beyond[i]
			if p.Holidays.Kind(d) == calendar.Statutory {
				if weekOver += extra; rules.HolidayIsOvertime {
					over = max(over, work[d]-desk.after[d]+extra)
				}
			} else {
				extra -= over
				weekOver += over + extra
				if over += extra; rules.HolidayIsOvertime {
					over = max(over, desk.eve[d])
				}
			}
			if extra > 0 && inWeek && shielded(who, d) && who.Regime != workrules.PartTime {
				r.breaks("protected.overtime", who.ID, "%s: protected, but works on a rest day or beyond the normal week", d)
			}
			weekExtra += extra
			overtime[d.MonthOf()] += over
		}
		if tail && worked == 7 {
			r.breaks("rest.weekly_day", who.ID, "week of %s: no rest day", monday)
		}
		if !inWeek {
			continue
		}
		if who.Regime == workrules.PartTime {
			if weekWork > rules.PartTimeWeek {
				r.breaks("hours.part_time_weekly", who.ID, "week of %s: part-time %s", monday, hours(weekWork))
			}
		} else if who.Regime == workrules.Comprehensive {
			continue
		} else if weekOver > rules.OvertimeWeek {
			r.breaks("hours.overtime_weekly", who.ID, "week of %s: %s of overtime", monday, hours(weekOver))
		} else if !who.OvertimeAgreed && weekExtra > 0 {
			r.breaks("hours.weekly", who.ID, "week of %s: %s on rest days or beyond the normal week without agreed overtime", monday, hours(weekExtra))
		}
	}
	for m, t := range overtime {
		if isStandard(who) && inMonth[m] && t > rules.OvertimeMonth {
			r.breaks("hours.overtime_monthly", who.ID, "%s: %s of overtime", m, hours(t))
		}
	}
}

// datesOf lays shifts on the dates they start on: work, whether one starts, and whether one of the range does; and on
// the dates they touch: whether any does, and whether one of the range does.
func datesOf(p roster.Problem, all []scheduling.Shift) (work map[calendar.Date]time.Duration, touched, starts, judged, reached map[calendar.Date]bool) {
	work = map[calendar.Date]time.Duration{}
	touched, starts, judged, reached = map[calendar.Date]bool{}, map[calendar.Date]bool{}, map[calendar.Date]bool{}, map[calendar.Date]bool{}
	for _, s := range all {
		d, own := calendar.DateOf(s.Start, p.Location), p.Range.Contains(s.Start)
		work[d] += s.WorkTime()
		starts[d] = true
		judged[d] = judged[d] || own
		for t := s.Start; t.Before(s.End); t = t.Add(time.Minute) {
			on := calendar.DateOf(t, p.Location)
			touched[on] = true
			reached[on] = reached[on] || own
		}
	}
	return work, touched, starts, judged, reached
}

// atNight goes by the clock on the wall, also on days on which clocks change.
func atNight(p roster.Problem, t time.Time) bool {
	at := t.In(p.Location)
	clock := time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute
	return clock < p.Rules.NightUntil || clock >= p.Rules.NightFrom
}

func isStandard(p workrules.Person) bool {
	return p.Regime == "" || p.Regime == workrules.Standard
}

// normalWeekOf counts a make-up workday of the week in and a weekday that is a bridge day or a statutory holiday out.
func normalWeekOf(p roster.Problem, first calendar.Date) time.Duration {
	t := p.Rules.NormalWeek
	for i := range 7 {
		d := first.Add(i)
		weekend := d.Weekday() == time.Saturday || d.Weekday() == time.Sunday
		switch k := p.Holidays.Kind(d); {
		case k == calendar.Makeup:
			t += p.Rules.NormalDay
		case (k == calendar.Bridge || k == calendar.Statutory) && !weekend:
			t -= p.Rules.NormalDay
		}
	}
	return max(0, t)
}

// runs counts working days in a row, by the date a shift starts on.
func runs(r *Report, p roster.Problem, who workrules.Person, starts, judged map[calendar.Date]bool, first calendar.Date) {
	run, inRun := 0, false
	for d := first; d.In(p.Location).Before(p.Range.End); d = d.Add(1) {
		if !starts[d] {
			run, inRun = 0, false
			continue
		}
		run++
		inRun = inRun || judged[d]
		if run > p.Rules.ConsecutiveDays && inRun {
			r.breaks("days.consecutive", who.ID, "%s: %d working days in a row", d, run)
		}
	}
}

// dayRules judges one date and returns its overtime beyond the normal day.
func dayRules(r *Report, p roster.Problem, who workrules.Person, d calendar.Date, work time.Duration, judged bool) time.Duration {
	rules := p.Rules
	if who.Regime == workrules.PartTime {
		if judged && work > rules.PartTimeDay {
			r.breaks("hours.part_time_daily", who.ID, "%s: part-time %s", d, hours(work))
		}
		return 0
	}
	over := max(0, work-rules.NormalDay)
	limit := rules.OvertimeDay
	for _, s := range rules.SpecialDates {
		if s.Contains(d) {
			limit = rules.OvertimeSpecial
		}
	}
	switch {
	case who.Regime == workrules.Comprehensive:
		if judged && work > rules.ComprehensiveDay {
			r.breaks("hours.comprehensive_daily", who.ID, "%s: %s under comprehensive hours", d, hours(work))
		}
	case !judged || over == 0:
	case !who.OvertimeAgreed:
		r.breaks("hours.daily", who.ID, "%s: %s without agreed overtime", d, hours(work))
	case over > limit:
		r.breaks("hours.overtime_daily", who.ID, "%s: %s of overtime", d, hours(over))
	case shielded(who, d):
		r.breaks("protected.overtime", who.ID, "%s: protected, but works overtime", d)
	}
	return over
}

func agentCost(r *Report, p roster.Problem, a *roster.Agent, list []scheduling.Shift) {
	w := p.Weights
	total := time.Duration(0)
	nights, weekends := a.Ledger.Nights, a.Ledger.Weekends
	on, fixed := map[calendar.Date]string{}, map[calendar.Date]bool{}
	for _, s := range list {
		date := calendar.DateOf(s.Start, p.Location)
		total += s.WorkTime()
		if date.Weekday() == time.Saturday || date.Weekday() == time.Sunday {
			weekends++
		}
		for t := s.Start; t.Before(s.End); t = t.Add(time.Minute) {
			if atNight(p, t) {
				nights++
				break
			}
		}
		if locked(p, s) {
			fixed[date] = true
			continue
		}
		on[date] = s.Code
		if !a.Salaried {
			r.add("wages", w.Wage*a.Wage*s.WorkTime().Hours())
		}
	}
	r.add("premiums", premiums(p, a, list))
	r.add("min_work", w.MinWork*max(0, (a.MinWork-total).Hours()))
	r.add("fairness", w.Fairness*float64(nights*nights-a.Ledger.Nights*a.Ledger.Nights+weekends*weekends-a.Ledger.Weekends*a.Ledger.Weekends))
	before := map[calendar.Date]string{}
	for _, s := range p.Previous {
		if s.Agent == a.Person.ID {
			before[calendar.DateOf(s.Start, p.Location)] = s.Code
		}
	}
	for d := range p.Range.Dates(p.Location) {
		if fixed[d] {
			continue
		}
		code, works := on[d]
		for _, wish := range a.Preferences {
			met := works && (wish.Template == "" || wish.Template == code)
			if wish.Date == d && (wish.Weight > 0) != met {
				r.add("preference", w.Preference*max(wish.Weight, -wish.Weight))
			}
		}
		if was, had := before[d]; len(p.Previous) > 0 && (had != works || was != code) {
			r.add("stability", w.Stability)
		}
	}
}

// coverage counts heads on every queue every five minutes.
func coverage(r *Report, p roster.Problem, shifts []scheduling.Shift) {
	for _, d := range p.Demand {
		heads := map[int64]int{}
		for _, s := range shifts {
			for _, a := range s.Activities {
				if a.Kind != scheduling.Work || a.Queue != d.Queue {
					continue
				}
				for t := a.Start; !t.Add(step).After(a.End); t = t.Add(step) {
					if p.Range.Contains(t) {
						heads[t.Unix()]++
					}
				}
			}
		}
		for _, n := range d.Needs {
			target := max(n.Heads, int(n.Paid+0.5))
			for t := n.Start; t.Before(n.Start.Add(d.Slot)); t = t.Add(step) {
				if !p.Range.Contains(t) {
					continue
				}
				c := cell{queue: d.Queue, at: t.Unix(), target: target, have: heads[t.Unix()], need: n, slot: d.Slot}
				delete(heads, t.Unix())
				r.cells = append(r.cells, c)
				r.Needed += step.Hours() * float64(target)
				r.Missing += step.Hours() * float64(max(0, target-c.have))
				r.add("short", c.short(p, c.have))
				r.add("over", p.Weights.Over*step.Hours()*float64(max(0, c.have-target)))
			}
		}
		for _, have := range heads {
			r.add("over", p.Weights.Over*step.Hours()*float64(have))
		}
	}
}

// short is what five minutes of a queue lose with some heads.
func (c cell) short(p roster.Problem, have int) float64 {
	missing := float64(c.target - have)
	if missing <= 0 {
		return 0
	}
	if len(c.need.Worth) > 0 {
		return lost(c.need, have, c.target) * float64(step) / float64(c.slot)
	}
	value := c.need.Value * float64(step) / float64(c.slot)
	if c.need.Value == 0 {
		value = p.Weights.Short * step.Hours()
	}
	return value * (missing + p.Weights.Depth*missing*(missing-1)/2/float64(c.target))
}

// saves is what one more head saves in five minutes of a queue that has some.
func (c cell) saves(p roster.Problem, have int) float64 {
	if have >= c.target {
		return -p.Weights.Over * step.Hours()
	}
	return c.short(p, have) - c.short(p, have+1)
}

// lost is what a slot loses along its curve with fewer people than its target: of them so many heads are ready as of the whole target
// are Heads, and every step loses its value for the heads that are not.
func lost(n scheduling.Need, have, target int) (sum float64) {
	ready := float64(have) * float64(n.Heads) / float64(target)
	from := 0.0
	for _, s := range n.Worth {
		until := float64(s.Heads)
		if ready < until {
			sum += s.Value * (until - max(from, ready))
		}
		from = until
	}
	return sum
}
