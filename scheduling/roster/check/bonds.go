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
		r.breaks("fit.skill", who.ID, "%s: no skill for %s", date, q)
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
			r.breaks("certificate.merchant", who.ID, "%s: no certificate %s", date, terms.Certificate)
		}
		for _, pack := range terms.Packs {
			read := pack.Dates != calendar.Dates{} && !pack.Dates.Contains(date)
			for _, a := range who.Acknowledged {
				read = read || a.Pack == pack.Code && !date.Before(a.On)
			}
			if !read {
				r.breaks("certificate.pack", who.ID, "%s: pack %s not read", date, pack.Code)
			}
		}
		most := p.Rules.ShopsAtOnce
		if who.Shops > 0 {
			most = who.Shops
		}
		if most > 0 && terms.Shops > most {
			r.breaks("shops.at_once", who.ID, "%s: %d shops at once on %s", date, terms.Shops, q)
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
				r.breaks("interns.night", who.ID, "%s: an intern at night", date)
			}
			if onHoliday(p, s) {
				r.breaks("interns.holiday", who.ID, "%s: an intern on a statutory holiday", date)
			}
		case workrules.Agency:
			from, until := who.Assigned.From, who.Assigned.Until
			end := calendar.MakeDate(from.Year, from.Month+time.Month(p.Rules.AgencyMonths), from.Day)
			if !from.IsZero() && (date.Before(from) || !date.Before(end) || !until.IsZero() && !date.Before(until)) {
				r.breaks("agency.term", who.ID, "%s: outside the agency post", date)
			}
		case workrules.Cloud:
			if s.Start.Sub(date.In(p.Location))%slot != 0 || s.End.Sub(s.Start)%slot != 0 {
				r.breaks("cloud.slots", who.ID, "%s: not whole cloud slots", date)
			}
			if perDay[date] > slot*time.Duration(p.Rules.CloudSlots) {
				r.breaks("cloud.day", who.ID, "%s: too many cloud slots", date)
			}
		}
	}
}

// agreements judges what one person agreed.
func agreements(r *Report, p roster.Problem, who workrules.Person, list, all []scheduling.Shift) {
	agreed := func(h float64) time.Duration { return time.Duration(math.Round(h*60)) * time.Minute }
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
			at := func(h float64) time.Time {
				return time.Date(date.Year, date.Month, date.Day, 0, int(math.Round(h*60)), 0, 0, p.Location)
			}
			switch {
			case a.DayHours > 0 && sum > agreed(a.DayHours):
				r.breaks("agreement.day", who.ID, "%s: %s, agreed are %v h a day", date, hours(sum), a.DayHours)
			case a.NotBefore > 0 && s.Start.Before(at(a.NotBefore)), a.NotAfter > 0 && s.End.After(at(a.NotAfter)):
				r.breaks("agreement.clock", who.ID, "%s: outside the agreed hours", date)
			case a.NoNights && nightly(p, s):
				r.breaks("agreement.nights", who.ID, "%s: agreed are no nights", date)
			}
			for _, name := range a.DaysOff {
				if strings.EqualFold(name, date.Weekday().String()) {
					r.breaks("agreement.days_off", who.ID, "%s: an agreed day off", date)
				}
			}
			week := time.Duration(0)
			for _, o := range all {
				if weekOf(p, dateOf(p, o)) == weekOf(p, date) {
					week += o.WorkTime()
				}
			}
			if a.WeekHours > 0 && week > agreed(a.WeekHours) {
				r.breaks("agreement.week", who.ID, "week of %s: %s, agreed are %v h a week", weekOf(p, date), hours(week), a.WeekHours)
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
			r.breaks("interns.rest_days", who.ID, "week of %s: an intern on %d days", w, len(days))
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
			r.breaks("hours.comprehensive_period", who.ID, "period of %s: %s beyond the normal hours, not agreed", k, hours(over))
		}
		if p.Rules.HolidayIsOvertime {
			over += extra[k]
		}
		if kind != workrules.ByWeek && judged[k] && over > p.Rules.OvertimeMonth*time.Duration(months) {
			r.breaks("hours.comprehensive_overtime", who.ID, "period of %s: %s of overtime", k, hours(over))
		}
	}
	for m, over := range monthOver {
		if kind == workrules.ByWeek && monthJudged[m] && over > p.Rules.OvertimeMonth {
			r.breaks("hours.comprehensive_overtime", who.ID, "%s: %s of overtime", m, hours(over))
		}
	}
}
