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

// fixes are the best ways to put one more head on a gap, one of each person.
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
		return cmp.Or(cmp.Compare(b.Brings(), a.Brings()), cmp.Compare(a.Agent, b.Agent))
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
		Hours: float64(more.Extended+more.RestDay+more.Statutory) / 60, Parts: r.partsOf(p, t, g),
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
	what := r.told(f, p, t.shift)
	if f.Range != g.Range {
		part := r.clock(f.Range)
		what.ZH += "，只顶 " + part
		what.EN += ", covers " + part + " only"
	}
	f.Tell(what, *w.Agent, roster.Relief{})
	return f, true
}

// partsOf is what a trial brings and costs.
func (r *repairer) partsOf(p proposal, t trial, g gap) roster.FixParts {
	soft := r.p.Weights.SoftRule * float64(len(t.soft))
	here := r.costOver(g)
	r.exchange(p.drop, &t.shift)
	here -= r.costOver(g)
	r.exchange(&t.shift, p.drop)
	return roster.FixParts{Stretch: here, Elsewhere: t.saves - here, Pay: t.costs - p.costs - soft, Disturbance: p.costs, SoftRules: soft}
}

// costOver is what a gap loses as people stand.
func (r *repairer) costOver(g gap) (sum float64) {
	for c := g.from; c < g.until; c++ {
		sum += r.costOf(g.queue*r.board.cells + c)
	}
	return sum
}

// covered is from when to when a shift serves the queue of a gap.
func (r *repairer) covered(s scheduling.Shift, g gap) (out calendar.Range) {
	for _, a := range s.Activities {
		if a.Kind != scheduling.Work || a.Queue != g.Queue || !g.Range.Overlaps(calendar.Range{Start: a.Start, End: a.End}) {
			continue
		}
		if out.Start.IsZero() {
			out.Start = calendar.Later(a.Start, g.Range.Start)
		}
		out.End = calendar.Earlier(a.End, g.Range.End)
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

// told says what a fix is.
func (r *repairer) told(f roster.Fix, p proposal, s scheduling.Shift) workrules.Text {
	zh, en := "", ""
	if f.Kind == "overtime" {
		zh, en = "征得同意后 ", "if it agrees to overtime, "
	}
	from, to := s.Start.In(r.p.Location).Format("15:04"), s.End.In(r.p.Location).Format("15:04")
	switch {
	case p.kind == Extend && s.Start.Before(p.drop.Start):
		return workrules.Text{
			ZH: fmt.Sprintf("%s %s%s 提前到 %s 上班", f.Agent, zh, f.Date, from),
			EN: fmt.Sprintf("%s: %scomes at %s on %s", f.Agent, en, from, f.Date),
		}
	case p.kind == Extend:
		return workrules.Text{
			ZH: fmt.Sprintf("%s %s%s 延到 %s 下班", f.Agent, zh, f.Date, to),
			EN: fmt.Sprintf("%s: %sstays till %s on %s", f.Agent, en, to, f.Date),
		}
	case !f.Off.IsZero():
		return workrules.Text{
			ZH: fmt.Sprintf("%s %s休 %s，改上 %s %s-%s", f.Agent, zh, f.Off, f.Date, from, to),
			EN: fmt.Sprintf("%s: %sis off on %s and works %s %s-%s instead", f.Agent, en, f.Off, f.Date, from, to),
		}
	case p.kind == Exchange:
		return workrules.Text{
			ZH: fmt.Sprintf("%s %s%s 改上 %s-%s", f.Agent, zh, f.Date, from, to),
			EN: fmt.Sprintf("%s: %sworks %s-%s on %s instead", f.Agent, en, from, to, f.Date),
		}
	}
	return workrules.Text{
		ZH: fmt.Sprintf("%s %s%s 加上 %s-%s", f.Agent, zh, f.Date, from, to),
		EN: fmt.Sprintf("%s: %sworks %s-%s on %s as well", f.Agent, en, from, to, f.Date),
	}
}
