package workrules

import (
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

// withPause puts a pause into the middle of the longest work of a shift inside a range; ok is
// false when no work there is longer than the pause.
func withPause(s scheduling.Shift, kind scheduling.ActivityKind, length time.Duration, inside calendar.Range) (out scheduling.Shift, ok bool) {
	best, longest := -1, length
	for i, a := range s.Activities {
		if share := inside.Overlap(spanOf(a)); a.Kind == scheduling.Work && share > longest {
			best, longest = i, share
		}
	}
	if best < 0 {
		return s, false
	}
	a := s.Activities[best]
	first := a.Start
	if inside.Start.After(first) {
		first = inside.Start
	}
	start := first.Add(((longest - length) / 2).Truncate(remedyStep))
	pause := scheduling.Activity{Kind: kind, Start: start, End: start.Add(length)}
	before, after := a, a
	before.End, after.Start = pause.Start, pause.End
	out = s
	out.Activities = slices.Clone(s.Activities[:best])
	for _, part := range []scheduling.Activity{before, pause, after} {
		if part.Start.Before(part.End) {
			out.Activities = append(out.Activities, part)
		}
	}
	out.Activities = append(out.Activities, s.Activities[best+1:]...)
	return out, true
}

// withoutPause turns the pause at a range into work of the activity before or after it.
func withoutPause(s scheduling.Shift, r calendar.Range) (scheduling.Shift, scheduling.Activity) {
	out := s
	out.Activities = slices.Clone(s.Activities)
	for i := range out.Activities {
		a := &out.Activities[i]
		if !a.Start.Equal(r.Start) || a.Kind != scheduling.Break && a.Kind != scheduling.Meal {
			continue
		}
		was := *a
		a.Kind = scheduling.Work
		switch {
		case i > 0:
			a.Queue = out.Activities[i-1].Queue
		case len(out.Activities) > 1:
			a.Queue = out.Activities[1].Queue
		}
		return out, was
	}
	return out, scheduling.Activity{}
}

// pauses plans the pause that a rule about meals, breaks or care misses, or moves one that lies
// where none may.
func (s *remedySearch) pauses(i int) {
	sh, p, v := s.c.Shifts[i], &s.c.Params, s.violation
	missing := time.Duration(v.Amount*float64(time.Hour) + 0.5).Round(time.Minute)
	kind, inside := scheduling.Break, sh.Range()
	switch v.Rule {
	case "meal.required":
		kind, missing = scheduling.Meal, p.MealLength
	case "breaks.stretch":
		missing, inside = 15*time.Minute, v.Range
	case "protected.nursing_hour":
		missing = max(missing, NursingPause)
	case "protected.rest":
	case "cloud.pauses":
		var was scheduling.Activity
		if sh, was = withoutPause(sh, v.Range); was.Kind == "" {
			return
		}
		kind, missing = was.Kind, spanOf(was).Duration()
	default:
		return
	}
	if after, ok := withPause(sh, kind, missing, inside); ok {
		s.change(PlanPause, i, after, missing, say("%s 的班次中段安排%s休息", "plan %[2]s of pause in the middle of the shift of %[1]s", s.clock(sh), missing))
	}
}

// queues puts another queue of the person into the activity that may not serve its own.
func (s *remedySearch) queues(i int) {
	switch s.violation.Rule {
	case "fit.skill", "certificate.merchant", "certificate.pack", "shops.at_once":
	default:
		return
	}
	sh := s.c.Shifts[i]
	date := calendar.DateOf(sh.Start, s.c.Location)
	for _, skill := range s.c.Person.Skills {
		if !s.judge.MayServe(skill.Queue, date) {
			continue
		}
		after := sh
		after.Activities = slices.Clone(sh.Activities)
		by := time.Duration(0)
		for k := range after.Activities {
			if a := &after.Activities[k]; a.Kind == scheduling.Work && spanOf(*a).Overlaps(s.violation.Range) {
				a.Queue = skill.Queue
				by += spanOf(*a).Duration()
			}
		}
		if by > 0 && s.change(ChangeQueue, i, after, by, say("改为服务队列 %s", "serve queue %s instead", skill.Queue)) {
			return
		}
	}
}

// persons tries what changes the person instead of the shifts.
func (s *remedySearch) persons() {
	try := func(kind RemedyKind, p Person, says Text) {
		if ok, legal := s.cures(NewJudge(s.frame, p), s.c.Shifts); ok {
			s.offer(Remedy{Kind: kind, Legal: legal, Says: says})
		}
	}
	p := s.c.Person
	switch s.violation.Rule {
	case "hours.daily", "hours.weekly", "hours.comprehensive_period", "holidays.agreed":
		if !s.mayAgree() {
			return
		}
		p.OvertimeAgreed = true
		try(AgreeOvertime, p, say("征得本人同意加班", "get the agent's agreement to overtime"))
	case "fit.available":
		p.Unavailable = slices.DeleteFunc(slices.Clone(p.Unavailable), s.violation.Range.Overlaps)
		try(WithdrawLeave, p, say("撤回请假或不可用时段", "withdraw the leave or unavailability"))
	case "certificate.merchant":
		for _, q := range s.frame.params.Queues {
			if q.Certificate != "" {
				p.Certificates = append(slices.Clone(p.Certificates), Certificate{Code: q.Certificate})
				try(PassExam, p, say("先通过认证 %s", "pass the exam %s first", q.Certificate))
				p.Certificates = s.c.Person.Certificates
			}
		}
	case "certificate.pack":
		date := calendar.DateOf(s.violation.Range.Start, s.c.Location)
		p.Acknowledged = slices.Clone(p.Acknowledged)
		for _, q := range s.frame.params.Queues {
			for _, pack := range q.Packs {
				p.Acknowledged = append(p.Acknowledged, Acknowledgement{Pack: pack.Code, On: date.Add(-1)})
			}
		}
		try(ReadPack, p, say("在 %s 之前阅读并确认大促资料包", "read and acknowledge the promotion pack before %s", date))
	}
}

// mayAgree reports that the agent may be asked for overtime at all. Who is protected and who is an intern
// may not, consenting or not: 劳动法 §61, §63; 职业学校学生实习管理规定 §17.
func (s *remedySearch) mayAgree() bool {
	p := s.c.Person
	if p.Engagement == Intern {
		return false
	}
	for d := range s.violation.Range.Dates(s.c.Location) {
		if p.ProtectedOn(d) != "" {
			return false
		}
	}
	return true
}
