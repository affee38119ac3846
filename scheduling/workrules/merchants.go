package workrules

import (
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

// MayServe reports whether the person may work a queue on a date: skill, merchant certificate,
// acknowledged promotion packs and the number of shops at once. It is what an optimiser asks
// before it puts a queue into a shift.
func (j *Judge) MayServe(q ids.Queue, d calendar.Date) bool { return j.Barred(q, d) == "" }

// Barred is the code of the rule that keeps the person from a queue on a date, the skill before all others; empty
// for nobody barred.
func (j *Judge) Barred(q ids.Queue, d calendar.Date) string {
	switch {
	case !j.person.Can(q, d):
		return "fit.skill"
	case !j.certified(q, d):
		return "certificate.merchant"
	case j.unreadPack(q, d) != "":
		return "certificate.pack"
	case j.tooManyShops(q):
		return "shops.at_once"
	}
	return ""
}

// shopLimit is the most shops that the person answers at once; 0 = no limit.
func (j *Judge) shopLimit() int {
	if j.person.Shops > 0 {
		return j.person.Shops
	}
	return j.frame.params.ShopsAtOnce
}

func (j *Judge) tooManyShops(q ids.Queue) bool {
	terms, limit := j.frame.queues[q], j.shopLimit()
	return terms != nil && limit > 0 && terms.Shops > limit
}

func (j *Judge) certified(q ids.Queue, d calendar.Date) bool {
	terms := j.frame.queues[q]
	if terms == nil || terms.Certificate == "" {
		return true
	}
	for _, c := range j.person.Certificates {
		if c.Code == terms.Certificate && (c.Dates == calendar.Dates{} || c.Dates.Contains(d)) {
			return true
		}
	}
	return false
}

// unreadPack is the first promotion pack that applies on a date and is not acknowledged by then.
func (j *Judge) unreadPack(q ids.Queue, d calendar.Date) string {
	terms := j.frame.queues[q]
	if terms == nil {
		return ""
	}
	for _, p := range terms.Packs {
		if (p.Dates == calendar.Dates{} || p.Dates.Contains(d)) && !j.read(p.Code, d) {
			return p.Code
		}
	}
	return ""
}

func (j *Judge) read(pack string, by calendar.Date) bool {
	for _, a := range j.person.Acknowledged {
		if a.Pack == pack && !a.On.After(by) {
			return true
		}
	}
	return false
}

// eachService visits every work activity of the judged shifts that names a queue, with the date on
// which the shift starts. visit returns true to stop.
func (j *Judge) eachService(duties []Duty, shifts []scheduling.Shift, visit func(a scheduling.Activity, d calendar.Date) bool) {
	for i, s := range shifts {
		if !duties[i].Judged {
			continue
		}
		for _, a := range s.Activities {
			if a.Kind == scheduling.Work && a.Queue != "" && visit(a, j.frame.date[duties[i].Day]) {
				return
			}
		}
	}
}

func spanOf(a scheduling.Activity) calendar.Range { return calendar.Range{Start: a.Start, End: a.End} }

// skillRequired: every work activity names a queue the agent has the skill for on that date.
func skillRequired(j *Judge, duties []Duty, shifts []scheduling.Shift, out *findings) {
	j.eachService(duties, shifts, func(a scheduling.Activity, d calendar.Date) bool {
		if j.person.Can(a.Queue, d) {
			return false
		}
		if out.quickly() {
			return true
		}
		out.add(spanOf(a), spanOf(a).Duration().Hours(),
			say("没有队列 %s 的技能", "no skill for queue %s", a.Queue),
			say("换到有技能的队列，或先完成培训", "assign a queue with skill, or train first"))
		return false
	})
}

// certificateRequired: house rule: a merchant that has an exam is served by those who passed it.
func certificateRequired(j *Judge, duties []Duty, shifts []scheduling.Shift, out *findings) {
	j.eachService(duties, shifts, func(a scheduling.Activity, d calendar.Date) bool {
		if j.certified(a.Queue, d) {
			return false
		}
		if out.quickly() {
			return true
		}
		code := j.frame.queues[a.Queue].Certificate
		out.add(spanOf(a), spanOf(a).Duration().Hours(),
			say("%s 没有队列 %s 要求的认证 %s", "on %s the certificate %[3]s for queue %[2]s is missing", d, a.Queue, code),
			say("先通过认证考试，或换队列", "pass the exam first, or change the queue"))
		return false
	})
}

// packRequired: house rule: the promotion pack of a merchant is acknowledged before serving it.
func packRequired(j *Judge, duties []Duty, shifts []scheduling.Shift, out *findings) {
	j.eachService(duties, shifts, func(a scheduling.Activity, d calendar.Date) bool {
		code := j.unreadPack(a.Queue, d)
		if code == "" {
			return false
		}
		if out.quickly() {
			return true
		}
		out.add(spanOf(a), spanOf(a).Duration().Hours(),
			say("%s 未确认队列 %s 的大促资料包 %s", "on %s the promotion pack %[3]s of queue %[2]s is not acknowledged", d, a.Queue, code),
			say("先阅读并确认资料包，或换队列", "read and acknowledge it first, or change the queue"))
		return false
	})
}

// shopsAtOnce: house rule: how many shops one person answers at the same time.
func shopsAtOnce(j *Judge, duties []Duty, shifts []scheduling.Shift, out *findings) {
	j.eachService(duties, shifts, func(a scheduling.Activity, _ calendar.Date) bool {
		if !j.tooManyShops(a.Queue) {
			return false
		}
		if out.quickly() {
			return true
		}
		shops, limit := j.frame.queues[a.Queue].Shops, j.shopLimit()
		out.add(spanOf(a), float64(shops-limit),
			say("队列 %s 同时接待%d家店铺，上限%d家", "queue %s means %d shops at once, the ceiling is %d", a.Queue, shops, limit),
			say("换到店铺较少的队列", "assign a queue with fewer shops"))
		return false
	})
}
