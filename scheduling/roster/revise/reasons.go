package revise

import (
	"cmp"
	"slices"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// reasonTexts say why somebody does not help.
var reasonTexts = map[string]workrules.Text{
	"over":     {ZH: "该时段已过去", EN: "cannot help any more: it is over"},
	"absent":   {ZH: "缺勤", EN: "are absent"},
	"no_skill": {ZH: "没有该队列技能", EN: "lack the skill"},
	"serving":  {ZH: "已在该队列上班", EN: "already work this queue then"},
	"working":  {ZH: "当时在其他更值钱的队列上班", EN: "work another queue then that is worth as much"},
	"pause":    {ZH: "当时在用餐或休息", EN: "are on a meal or break"},

	"other_shift": {ZH: "当天已排其他时间的班，改班不划算或不合规", EN: "have a shift at another time that day, and changing it is not legal or does not pay"},
	"not_worth":   {ZH: "可排但代价高于收益", EN: "could, at a higher cost than the gap"},
}

// reasons asks every agent why a gap stays.
func (r *repairer) reasons(g gap) []roster.Reason {
	counts := map[string]int{}
	if g.from < r.first {
		counts["over"] = len(r.workers)
		return roster.Reasons(counts, reasonTexts, r.p.Rules)
	}
	for i := range r.workers {
		counts[r.reason(&r.workers[i], g)]++
	}
	return roster.Reasons(counts, reasonTexts, r.p.Rules)
}

func (r *repairer) reason(w *worker, g gap) string {
	day := calendar.DateOf(g.Range.Start, r.p.Location)
	switch rule := w.judge.Barred(g.Queue, day); rule {
	case "":
	case "fit.skill":
		return "no_skill"
	default:
		return rule
	}
	for _, away := range w.person.Unavailable[len(w.Person.Unavailable):] {
		if away.Overlaps(g.Range) {
			return "absent"
		}
	}
	for _, s := range w.shifts {
		if s.Range().Contains(g.Range.Start) {
			return onDuty(s, g)
		}
		if calendar.DateOf(s.Start, r.p.Location) == day {
			return "other_shift"
		}
	}
	never := ""
	for _, o := range r.options(w, g) {
		if !w.MayWork(r.p.Templates[o.template].Code) {
			continue
		}
		s := r.shiftOf(w, o)()
		next := append(slices.Clone(w.shifts), s)
		slices.SortFunc(next, func(x, y scheduling.Shift) int { return x.Start.Compare(y.Start) })
		rule := hardRule(workrules.Worse(w.judge.Explain(r.all(w, next)), w.was))
		if rule == "" {
			return "not_worth"
		}
		if hardRule(w.judge.Explain([]scheduling.Shift{s})) == "" {
			return rule
		}
		never = rule // no shift for this agent, whatever else it works: another one may say what stands in the way
	}
	return cmp.Or(never, "not_worth")
}

func hardRule(all []workrules.Violation) string {
	for _, v := range all {
		if v.Hard {
			return v.Rule
		}
	}
	return ""
}

// onDuty is what somebody does when a gap begins.
func onDuty(s scheduling.Shift, g gap) string {
	for _, a := range s.Activities {
		switch {
		case !(calendar.Range{Start: a.Start, End: a.End}).Contains(g.Range.Start):
		case a.Kind != scheduling.Work:
			return "pause"
		case a.Queue == g.Queue:
			return "serving"
		}
	}
	return "working"
}
