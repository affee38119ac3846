package check

import (
	"math"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

func dateOf(p roster.Problem, s scheduling.Shift) calendar.Date {
	return calendar.DateOf(s.Start, p.Location)
}

// minutesOn counts the minutes of a shift for which keep holds.
func minutesOn(s scheduling.Shift, keep func(t time.Time) bool) (n int) {
	for t := s.Start; t.Before(s.End); t = t.Add(time.Minute) {
		if keep(t) {
			n++
		}
	}
	return n
}

func nightly(p roster.Problem, s scheduling.Shift) bool {
	return minutesOn(s, func(t time.Time) bool { return atNight(p, t) }) > 0
}

func onHoliday(p roster.Problem, s scheduling.Shift) bool {
	return minutesOn(s, func(t time.Time) bool {
		return p.Holidays.Kind(calendar.DateOf(t, p.Location)) == calendar.Statutory
	}) > 0
}

// service judges one activity on a queue: skill, exam, promotion packs, shops at once.
func service(r *Report, p roster.Problem, who *workrules.Person, q ids.Queue, date calendar.Date) {
	skilled := false
	for _, s := range who.Skills {
		skilled = skilled || s.Queue == q && (s.Dates == calendar.Dates{} || s.Dates.Contains(date))
	}
	if !skilled {
		r.broken("%s %s: no skill for %s", who.ID, date, q)
	}
	for _, terms := range p.Rules.Queues {
		if terms.Queue != q {
			continue
		}
		passed := terms.Certificate == ""
		for _, c := range who.Certificates {
			passed = passed || c.Code == terms.Certificate && (c.Dates == calendar.Dates{} || c.Dates.Contains(date))
		}
		if !passed {
			r.broken("%s %s: no certificate %s", who.ID, date, terms.Certificate)
		}
		for _, pack := range terms.Packs {
			read := pack.Dates != calendar.Dates{} && !pack.Dates.Contains(date)
			for _, a := range who.Acknowledged {
				read = read || a.Pack == pack.Code && !date.Before(a.On)
			}
			if !read {
				r.broken("%s %s: pack %s not read", who.ID, date, pack.Code)
			}
		}
		most := p.Rules.ShopsAtOnce
		if who.Shops > 0 {
			most = who.Shops
		}
		if most > 0 && terms.Shops > most {
			r.broken("%s %s: %d shops at once on %s", who.ID, date, terms.Shops, q)
		}
	}
}

// bonds judges what agency, intern and cloud agents may not do.
func bonds(r *Report, p roster.Problem, who workrules.Person, list []scheduling.Shift) {
	slot := p.Rules.CloudSlot
	perDay := map[calendar.Date]time.Duration{}
	for _, s := range list {
		date := dateOf(p, s)
		perDay[date] += s.WorkTime()
		switch who.Engagement {
		case workrules.Intern:
			if nightly(p, s) {
				r.broken("%s %s: an intern at night", who.ID, date)
			}
			if onHoliday(p, s) {
				r.broken("%s %s: an intern on a statutory holiday", who.ID, date)
			}
		case workrules.Agency:
			from, until := who.Assigned.From, who.Assigned.Until
			end := calendar.MakeDate(from.Year, from.Month+time.Month(p.Rules.AgencyMonths), from.Day)
			if !from.IsZero() && (date.Before(from) || !date.Before(end) || !until.IsZero() && !date.Before(until)) {
				r.broken("%s %s: outside the agency post", who.ID, date)
			}
		case workrules.Cloud:
			if s.Start.Sub(date.In(p.Location))%slot != 0 || s.End.Sub(s.Start)%slot != 0 {
				r.broken("%s %s: not whole cloud slots", who.ID, date)
			}
			if perDay[date] > slot*time.Duration(p.Rules.CloudSlots) {
				r.broken("%s %s: too many cloud slots", who.ID, date)
			}
		}
	}
}

// agreements judges what one person agreed.
func agreements(r *Report, p roster.Problem, who workrules.Person, list, all []scheduling.Shift) {
	hours := func(h float64) time.Duration { return time.Duration(math.Round(h*60)) * time.Minute }
	for _, a := range who.Agreements {
		for _, s := range list {
			date := dateOf(p, s)
			if !a.Dates.Contains(date) {
				continue
			}
			sum := time.Duration(0)
			for _, o := range all {
				if dateOf(p, o) == date {
					sum += o.WorkTime()
				}
			}
			clock := func(h float64) time.Time {
				return time.Date(date.Year, date.Month, date.Day, 0, int(math.Round(h*60)), 0, 0, p.Location)
			}
			switch {
			case a.DayHours > 0 && sum > hours(a.DayHours):
				r.broken("%s %s: %s, agreed are %v h a day", who.ID, date, sum, a.DayHours)
			case a.NotBefore > 0 && s.Start.Before(clock(a.NotBefore)), a.NotAfter > 0 && s.End.After(clock(a.NotAfter)):
				r.broken("%s %s: outside the agreed hours", who.ID, date)
			case a.NoNights && nightly(p, s):
				r.broken("%s %s: agreed are no nights", who.ID, date)
			}
			for _, name := range a.DaysOff {
				if strings.EqualFold(name, date.Weekday().String()) {
					r.broken("%s %s: an agreed day off", who.ID, date)
				}
			}
			week := time.Duration(0)
			for _, o := range all {
				if weekOf(p, dateOf(p, o)) == weekOf(p, date) {
					week += o.WorkTime()
				}
			}
			if a.WeekHours > 0 && week > hours(a.WeekHours) {
				r.broken("%s %s: %s, agreed are %v h a week", who.ID, date, week, a.WeekHours)
			}
		}
	}
}

// weekOf is the first day of the rule week of a date.
func weekOf(p roster.Problem, d calendar.Date) calendar.Date {
	for d.Weekday() != p.Rules.WeekStartDay() {
		d = d.Add(-1)
	}
	return d
}

// periods judges comprehensive hours by their week, month, quarter or year, and interns by the week.
func periods(r *Report, p roster.Problem, who workrules.Person, all []scheduling.Shift) {
	worked := map[calendar.Date]map[calendar.Date]bool{}
	for _, s := range all {
		w := weekOf(p, dateOf(p, s))
		if worked[w] == nil {
			worked[w] = map[calendar.Date]bool{}
		}
		worked[w][dateOf(p, s)] = true
	}
	judgedWeek := map[calendar.Date]bool{}
	for _, s := range all {
		judgedWeek[weekOf(p, dateOf(p, s))] = judgedWeek[weekOf(p, dateOf(p, s))] || p.Range.Contains(s.Start)
	}
	for w, days := range worked {
		if who.Engagement == workrules.Intern && judgedWeek[w] && len(days) > workdaysOf(p, w) {
			r.broken("%s week of %s: an intern on %d days", who.ID, w, len(days))
		}
	}
	if who.Regime == workrules.Comprehensive {
		comprehensive(r, p, who, all)
	}
}

// periodOf tells how comprehensive hours are summed: the first day of a date's period, the normal hours of
// one, the months that it has, and its kind.
func periodOf(p roster.Problem, who workrules.Person) (key func(calendar.Date) calendar.Date, normal time.Duration, months int, kind workrules.Period) {
	if kind = who.Period; kind == "" {
		kind = p.Rules.ComprehensivePeriod
	}
	key, normal, months = func(d calendar.Date) calendar.Date { return calendar.MakeDate(d.Year, d.Month, 1) }, p.Rules.ComprehensiveMonth, 1
	switch kind {
	case workrules.ByWeek:
		key, normal = func(d calendar.Date) calendar.Date { return weekOf(p, d) }, p.Rules.ComprehensiveWeek
	case workrules.ByQuarter:
		key = func(d calendar.Date) calendar.Date { return calendar.MakeDate(d.Year, (d.Month-1)/3*3+1, 1) }
		normal, months = p.Rules.ComprehensiveQuarter, 3
	case workrules.ByYear:
		key = func(d calendar.Date) calendar.Date { return calendar.MakeDate(d.Year, 1, 1) }
		normal, months = p.Rules.ComprehensiveYear, 12
	}
	return key, normal, months, kind
}

func comprehensive(r *Report, p roster.Problem, who workrules.Person, all []scheduling.Shift) {
	key, normal, months, kind := periodOf(p, who)
	work, extra, judged := map[calendar.Date]time.Duration{}, map[calendar.Date]time.Duration{}, map[calendar.Date]bool{}
	monthOver, monthJudged := map[calendar.Month]time.Duration{}, map[calendar.Month]bool{}
	for _, c := range who.Carried {
		k := key(c.Dates.From)
		work[k] += time.Duration(math.Round(c.Hours*60)) * time.Minute
		extra[k] += time.Duration(math.Round(c.HolidayHours*60)) * time.Minute
	}
	for _, s := range all {
		d := dateOf(p, s)
		k, m := key(d), d.MonthOf()
		judged[k], monthJudged[m] = judged[k] || p.Range.Contains(s.Start), monthJudged[m] || p.Range.Contains(s.Start)
		carried := false
		for _, c := range who.Carried {
			carried = carried || c.Dates.Contains(d)
		}
		switch holiday := p.Holidays.Kind(d) == calendar.Statutory; {
		case carried && kind != workrules.ByWeek:
		case holiday:
			extra[k] += s.WorkTime()
			if p.Rules.HolidayIsOvertime {
				monthOver[m] += s.WorkTime()
			}
		default:
			before := max(0, work[k]-normal)
			work[k] += s.WorkTime()
			monthOver[m] += max(0, work[k]-normal) - before
		}
	}
	for k, t := range work {
		over := max(0, t-normal)
		if judged[k] && over > 0 && !who.OvertimeAgreed {
			r.broken("%s period of %s: %s beyond the normal hours, not agreed", who.ID, k, over)
		}
		if p.Rules.HolidayIsOvertime {
			over += extra[k]
		}
		if kind != workrules.ByWeek && judged[k] && over > p.Rules.OvertimeMonth*time.Duration(months) {
			r.broken("%s period of %s: %s of overtime", who.ID, k, over)
		}
	}
	for m, over := range monthOver {
		if kind == workrules.ByWeek && monthJudged[m] && over > p.Rules.OvertimeMonth {
			r.broken("%s %s: %s of overtime", who.ID, m, over)
		}
	}
}
