package revise

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

const (
	mostRelieved = 20 // stretches that get fixes, the dearest first
	mostFixes    = 3  // of each, what brings most first
	mostWeighed  = 60 // proposals for a stretch that are looked at closely
)

// relieve says what would cover the dearest stretches that a repair leaves short: what it may not do by
// itself (overtime that somebody agrees to, a temp) and what is legal but costs more than the stretch.
func (r *repairer) relieve(left []Left) {
	at := map[string]int{}
	for i, l := range left {
		at[l.key()] = i
	}
	open := slices.DeleteFunc(r.gaps(), func(g gap) bool { return g.from < r.first })
	slices.SortFunc(open, func(a, b gap) int {
		return cmp.Or(cmp.Compare(b.Worth, a.Worth), cmp.Compare(a.queue, b.queue), cmp.Compare(a.from, b.from))
	})
	for _, g := range open[:min(len(open), mostRelieved)] {
		left[at[g.Shortage.key()]].Fixes = r.fixes(g)
	}
}

// key names a stretch.
func (s Shortage) key() string { return fmt.Sprint(s.Queue, s.Range.Start.Unix()) }

// fixes are the best ways to put one more head on a gap, one of each person. A price is pay, changes and
// soft rules; what it saves is coverage of all queues and hours that it changes.
func (r *repairer) fixes(g gap) []roster.Fix {
	out := []roster.Fix{roster.Temp(&r.p, g.Range, cell, func(k int) float64 {
		if c := g.from + k; c >= r.first && c < r.board.cells {
			return r.gain(g.queue*r.board.cells + c)
		}
		return math.Inf(-1)
	})}
	var all []proposal
	for i := range r.workers {
		all = append(all, r.extensions(i, g)...)
		all = append(all, r.newShifts(i, g)...)
	}
	bestFirst(all)
	before, weighed := r.cost(), 0
	told := map[int]bool{}
	for _, p := range all {
		if weighed == mostWeighed || len(out) > mostFixes {
			break
		}
		if told[p.worker] {
			continue
		}
		weighed++
		if f, ok := r.fixOf(p, g, before); ok {
			out, told[p.worker] = append(out, f), true
		}
	}
	slices.SortStableFunc(out, func(a, b roster.Fix) int {
		return cmp.Or(cmp.Compare(b.Saves-b.Price, a.Saves-a.Price), cmp.Compare(a.Agent, b.Agent))
	})
	for i := range out {
		out[i].Pays = out[i].Saves > out[i].Price
	}
	return out[:min(len(out), mostFixes)]
}

// fixOf prices a proposal, with the agent's consent to overtime where it takes that.
func (r *repairer) fixOf(p proposal, g gap, before float64) (roster.Fix, bool) {
	w := &r.workers[p.worker]
	kind := "shift"
	t, ok := r.weigh(p, w.judge, before)
	if !ok && !w.person.OvertimeAgreed {
		kind = "overtime"
		t, ok = r.weigh(p, w.willing(r.frame), before)
	}
	if !ok || t.saves <= 0 {
		return roster.Fix{}, false
	}
	more := w.judge.PayShifts(r.all(w, t.next)).Minus(w.judge.PayShifts(r.all(w, w.shifts)))
	f := roster.Fix{
		Kind: kind, Agent: w.person.ID, Date: calendar.DateOf(t.shift.Start, r.p.Location), Template: t.shift.Code, Pay: more.Shares(),
		Hours: float64(more.Extended+more.RestDay+more.Statutory) / 60, Price: math.Round(t.costs*1e6) / 1e6, Saves: t.saves,
	}
	if p.kind == Exchange {
		if off := calendar.DateOf(p.drop.Start, r.p.Location); off != f.Date {
			f.Off = off
			if kind == "shift" {
				f.Kind = "swap"
			}
		}
	}
	f.Range = r.covered(t.shift, g)
	f.Says = r.told(f, p, t.shift)
	if f.Range != g.Range {
		part := r.clock(f.Range)
		f.Says.ZH += "，只顶 " + part
		f.Says.EN += ", covers " + part + " only"
	}
	return f, true
}

// covered is from when to when a shift serves the queue of a gap.
func (r *repairer) covered(s scheduling.Shift, g gap) (out calendar.Range) {
	for _, a := range s.Activities {
		if a.Kind != scheduling.Work || a.Queue != g.Queue || !g.Range.Overlaps(calendar.Range{Start: a.Start, End: a.End}) {
			continue
		}
		if out.Start.IsZero() {
			out.Start = maxTime(a.Start, g.Range.Start)
		}
		out.End = minTime(a.End, g.Range.End)
	}
	return out
}

func (r *repairer) clock(span calendar.Range) string {
	return span.Start.In(r.p.Location).Format("15:04") + "-" + span.End.In(r.p.Location).Format("15:04")
}

// willing judges as if the agent had agreed to overtime.
func (w *worker) willing(frame *workrules.Frame) *workrules.Judge {
	if w.agreed == nil {
		person := w.person
		person.OvertimeAgreed = true
		w.agreed = workrules.NewJudge(frame, person)
	}
	return w.agreed
}

// told is the sentence of a fix.
func (r *repairer) told(f roster.Fix, p proposal, s scheduling.Shift) workrules.Text {
	zh, en := "", ""
	if f.Kind == "overtime" {
		zh, en = "征得同意后 ", "if it agrees to overtime, "
	}
	from, to := s.Start.In(r.p.Location).Format("15:04"), s.End.In(r.p.Location).Format("15:04")
	pay := workrules.Text{}
	if len(f.Pay) > 0 {
		pay = workrules.Text{ZH: "（" + roster.PayText(f.Pay).ZH + "）", EN: " (" + roster.PayText(f.Pay).EN + ")"}
	}
	switch {
	case p.kind == Extend && s.Start.Before(p.drop.Start):
		return workrules.Text{
			ZH: fmt.Sprintf("%s %s%s 提前到 %s 上班%s，%.2f元", f.Agent, zh, f.Date, from, pay.ZH, f.Price),
			EN: fmt.Sprintf("%s: %scomes at %s on %s%s, %.2f yuan", f.Agent, en, from, f.Date, pay.EN, f.Price),
		}
	case p.kind == Extend:
		return workrules.Text{
			ZH: fmt.Sprintf("%s %s%s 延到 %s 下班%s，%.2f元", f.Agent, zh, f.Date, to, pay.ZH, f.Price),
			EN: fmt.Sprintf("%s: %sstays till %s on %s%s, %.2f yuan", f.Agent, en, to, f.Date, pay.EN, f.Price),
		}
	case !f.Off.IsZero():
		return workrules.Text{
			ZH: fmt.Sprintf("%s %s休 %s，改上 %s %s-%s%s，%.2f元", f.Agent, zh, f.Off, f.Date, from, to, pay.ZH, f.Price),
			EN: fmt.Sprintf("%s: %sis off on %s and works %s %s-%s instead%s, %.2f yuan", f.Agent, en, f.Off, f.Date, from, to, pay.EN, f.Price),
		}
	case p.kind == Exchange:
		return workrules.Text{
			ZH: fmt.Sprintf("%s %s%s 改上 %s-%s%s，%.2f元", f.Agent, zh, f.Date, from, to, pay.ZH, f.Price),
			EN: fmt.Sprintf("%s: %sworks %s-%s on %s instead%s, %.2f yuan", f.Agent, en, from, to, f.Date, pay.EN, f.Price),
		}
	}
	return workrules.Text{
		ZH: fmt.Sprintf("%s %s%s 加上 %s-%s%s，%.2f元", f.Agent, zh, f.Date, from, to, pay.ZH, f.Price),
		EN: fmt.Sprintf("%s: %sworks %s-%s on %s as well%s, %.2f yuan", f.Agent, en, from, to, f.Date, pay.EN, f.Price),
	}
}
