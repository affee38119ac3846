package check

import (
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// soft prices one broken soft rule, or forbids it where the house made the rule hard.
func soft(r *Report, p roster.Problem, hard bool, rule string, who ids.Agent, format string, args ...any) {
	if hard {
		r.breaks(rule, who, format, args...)
	} else {
		r.Soft++
		r.softs[mark{rule, who}]++
		r.add("soft_rules", p.Weights.SoftRule)
	}
}

// pauses judges the plan of each shift: meal, stretches of work, rest in pregnancy, cloud pauses, and
// consent to statutory holidays. A shift without activities is not planned.
func pauses(r *Report, p roster.Problem, who workrules.Person, list []scheduling.Shift) {
	for _, s := range list {
		if len(s.Activities) == 0 {
			continue
		}
		meal, rest, date := time.Duration(0), time.Duration(0), dateOf(p, s)
		worked := s.Start
		stretch := func(until time.Time) {
			if until.Sub(worked) > p.Rules.WorkStretch {
				soft(r, p, false, "breaks.stretch", who.ID, "")
			}
		}
		for _, a := range s.Activities {
			length := a.End.Sub(a.Start)
			switch a.Kind {
			case scheduling.Meal, scheduling.Gap:
				meal = max(meal, length)
			case scheduling.Break:
				rest += length
			default:
				continue
			}
			stretch(a.Start)
			worked = a.End
			if who.Engagement == workrules.Cloud &&
				(a.Start.Before(s.Start.Add(p.Rules.CloudNoBreakFirst)) || a.End.After(s.End.Add(-p.Rules.CloudNoBreakLast))) {
				soft(r, p, false, "cloud.pauses", who.ID, "")
			}
		}
		stretch(s.End)
		if s.End.Sub(s.Start) > p.Rules.MealAfter && meal < p.Rules.MealLength {
			soft(r, p, p.Rules.HardMeals, "meal.required", who.ID, "%s: no meal", date)
		}
		for _, c := range who.Conditions {
			if c.Kind == workrules.PregnantLate && c.Dates.Contains(date) && rest < p.Rules.PregnantRest {
				soft(r, p, p.Rules.HardCare, "protected.rest", who.ID, "%s: no rest in pregnancy", date)
				break
			}
		}
	}
}

// softDays judges statutory holidays, nursing time and runs of nights over the dates.
func softDays(r *Report, p roster.Problem, who workrules.Person, all []scheduling.Shift) {
	service, judged := map[calendar.Date]time.Duration{}, map[calendar.Date]bool{}
	nights := map[calendar.Date]bool{}
	for _, s := range all {
		d := dateOf(p, s)
		judged[d] = judged[d] || p.Range.Contains(s.Start)
		nights[d] = nights[d] || nightly(p, s)
		if p.Range.Contains(s.Start) && !who.OvertimeAgreed && onHoliday(p, s) {
			soft(r, p, false, "holidays.agreed", who.ID, "")
		}
		if s.Code == session {
			service[d] += s.End.Sub(s.Start)
		} else if len(s.Activities) > 0 {
			service[d] += s.WorkTime()
			for _, a := range s.Activities {
				if a.Kind == scheduling.Break && a.End.Sub(a.Start) >= 30*time.Minute { // shorter ones everybody has
					service[d] -= a.End.Sub(a.Start)
				}
			}
		}
	}
	for d, t := range service {
		children := 0
		for _, c := range who.Conditions {
			if c.Kind == workrules.Nursing && c.Dates.Contains(d) {
				children += max(1, c.Children)
			}
		}
		if children > 0 && judged[d] && t > p.Rules.NormalDay-time.Duration(children)*p.Rules.NursingHour {
			soft(r, p, p.Rules.HardCare, "protected.nursing_hour", who.ID, "%s: no nursing time", d)
		}
	}
	for d := range nights {
		if !nights[d] || nights[d.Add(-1)] {
			continue
		}
		run, inRun := 0, false
		for e := d; nights[e]; e = e.Add(1) {
			run++
			inRun = inRun || judged[e]
		}
		if run > p.Rules.NightRun && inRun {
			soft(r, p, false, "night.run", who.ID, "")
		}
	}
}
