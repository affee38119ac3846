package revise

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// valueKey names those who are worth the same on a day: the same queues.
type valueKey struct {
	day    calendar.Date
	queues string
}

// option is a template on a day with its pauses placed, for people of certain queues.
type option struct {
	template int
	day      calendar.Date
	start    time.Time
	pauses   []time.Time
	value    float64 // yuan saved, an estimate: queues are chosen in blocks later
}

// proposal is a change for one agent and what it would bring.
type proposal struct {
	kind   MoveKind
	worker int
	order  int // of several of one worker
	drop   *scheduling.Shift
	make   func() scheduling.Shift
	costs  float64 // of changes
	net    float64 // an estimate: pay is reckoned when it is tried
}

// mostProposals is how many of the best proposals for a gap are looked at closely.
const mostProposals = 300

// mostBetter is how many further proposals are looked at closely once one pays: an estimate knows neither the
// lawful pay nor the soft rules that a step would break.
const mostBetter = 20

// mostDoubtful is how many of those that seem not to pay are.
const mostDoubtful = 20

// mostOptions is how many templates are proposed to people of the same queues.
const mostOptions = 4

// fill makes the best move for a gap; false when none is legal and pays.
func (r *repairer) fill(g gap) (RepairMove, bool) {
	var all []proposal
	for i := range r.workers {
		all = append(all, r.retasks(i, g)...)
		all = append(all, r.extensions(i, g)...)
		all = append(all, r.newShifts(i, g)...)
	}
	bestFirst(all)
	good := 0
	for good < len(all) && all[good].net > 0 {
		good++
	}
	before := r.cost()
	// An estimate of another shift on the same day counts the hours that both hold against it, so the best of
	// those that seem not to pay are looked at too.
	best, chosen, left := trial{}, -1, mostBetter
	for i, p := range all[:min(len(all), min(good, mostProposals)+mostDoubtful)] {
		if chosen >= 0 && (p.net <= best.brings()+1e-9 || left == 0) {
			break // what the others promise is no more than this one brings
		}
		if chosen >= 0 {
			left--
		}
		t, ok := r.weigh(p, r.workers[p.worker].judge, before)
		if ok && t.brings() > 1e-9 && (chosen < 0 || t.brings() > best.brings()+1e-9) {
			best, chosen = t, i
		}
	}
	if chosen < 0 {
		return RepairMove{}, false
	}
	return r.take(all[chosen], best), true
}

// bestFirst orders proposals by what they bring.
func bestFirst(all []proposal) {
	slices.SortFunc(all, func(a, b proposal) int {
		return cmp.Or(cmp.Compare(b.net, a.net), cmp.Compare(a.worker, b.worker), cmp.Compare(a.order, b.order), cmp.Compare(a.kind, b.kind))
	})
}

// trial is a proposal that was looked at closely.
type trial struct {
	shift scheduling.Shift
	next  []scheduling.Shift    // of the agent, with it
	saves float64               // yuan of coverage
	costs float64               // yuan of wages, changes and soft rules
	soft  []workrules.Violation // that it breaks anew
}

// brings is what a trial saves beyond its costs.
func (t trial) brings() float64 { return t.saves - t.costs }

// weigh makes a proposal on the board, prices it and takes it back; false when it makes no roster, is not
// legal by the judge, has no seat or changes what is over.
func (r *repairer) weigh(p proposal, judge *workrules.Judge, before float64) (trial, bool) {
	w := &r.workers[p.worker]
	t := trial{shift: p.make(), next: slices.Clone(w.shifts)}
	if p.drop != nil {
		t.next = slices.DeleteFunc(t.next, func(x scheduling.Shift) bool { return Same(x, *p.drop) })
	}
	t.next = append(t.next, t.shift)
	slices.SortFunc(t.next, func(x, y scheduling.Shift) int { return x.Start.Compare(y.Start) })
	if (scheduling.Roster{Shifts: t.next}).Validate() != nil || !r.p.Range.Contains(t.shift.Start) || len(Past([]Change{{Before: p.drop, After: &t.shift}}, r.from)) > 0 {
		return t, false
	}
	soft, ok := r.legal(w, judge, t.next)
	if !ok || !r.places.room(w.Site, p.drop, t.shift) || r.choppier(p.drop, t.shift) {
		return t, false
	}
	pay := r.duesOf(w, t.next) - r.duesOf(w, w.shifts)
	r.exchange(p.drop, &t.shift)
	t.saves, t.costs, t.soft = before-r.cost(), p.costs+pay+r.p.Weights.SoftRule*float64(len(soft)), soft
	r.exchange(&t.shift, p.drop)
	return t, true
}

// take makes a proposal that was weighed.
func (r *repairer) take(p proposal, t trial) RepairMove {
	w := &r.workers[p.worker]
	r.exchange(p.drop, &t.shift)
	clear(r.values)
	old := w.shifts
	w.shifts = t.next
	w.moved, w.was = true, slices.Concat(w.was, t.soft) // so that a further step is not charged for it again
	return RepairMove{Kind: p.kind, Changes: Between(old, t.next, r.p.Location), Saves: t.saves, Costs: t.costs, Soft: t.soft}
}

// duesOf is what an agent's shifts cost as the law pays them, weighted.
func (r *repairer) duesOf(w *worker, shifts []scheduling.Shift) float64 {
	return r.p.Weights.Wage * w.Wage * w.judge.PayShifts(r.all(w, shifts)).Dues(w.Salaried)
}

// plainWage is what a further hour costs at least, weighted.
func (r *repairer) plainWage(w *worker) float64 {
	if w.Salaried {
		return 0
	}
	return r.p.Weights.Wage * w.Wage
}

// exchange counts one shift out and another in.
func (r *repairer) exchange(out, in *scheduling.Shift) {
	if out != nil {
		r.board.Count(*out, -1)
		r.places.count(*out, -1)
	}
	if in != nil {
		r.board.Count(*in, 1)
		r.places.count(*in, 1)
	}
}

// legal judges an agent's shifts and lists the soft rules that they break anew.
func (r *repairer) legal(w *worker, judge *workrules.Judge, shifts []scheduling.Shift) (soft []workrules.Violation, ok bool) {
	soft = workrules.Worse(judge.Explain(r.all(w, shifts)), w.was)
	return soft, !slices.ContainsFunc(soft, func(v workrules.Violation) bool { return v.Hard })
}

// queuesOn are the queues of the board that an agent may serve on a day.
func (r *repairer) queuesOn(w *worker, day calendar.Date) (out []int) {
	for _, q := range w.queues {
		if w.judge.MayServe(r.board.names[q], day) {
			out = append(out, q)
		}
	}
	return out
}

// retasks let somebody on duty serve the gap's queue for a while.
func (r *repairer) retasks(i int, g gap) (out []proposal) {
	w, b := &r.workers[i], r.board
	day := calendar.DateOf(g.Range.Start, r.p.Location)
	if !slices.Contains(w.queues, g.queue) || !w.judge.MayServe(g.Queue, day) {
		return nil
	}
	for si := range w.shifts {
		s := w.shifts[si]
		if !s.Range().Overlaps(g.Range) {
			continue
		}
		var tasks []task
		saves, inGap := 0.0, false
		for ai, a := range s.Activities {
			from, known := b.queues[a.Queue]
			if a.Kind != scheduling.Work || !known || from == g.queue || !b.span.Overlaps(calendar.Range{Start: a.Start, End: a.End}) {
				continue
			}
			lo, hi := b.cellsOf(calendar.Range{Start: a.Start, End: a.End})
			if lo = max(lo, r.first); lo >= hi {
				continue
			}
			first, until, best := r.bestStretch(from, g.queue, lo, hi)
			first, until, best = r.wholeBlocks(from, g.queue, calendar.Range{Start: b.at(lo), End: b.at(hi)}, first, until, best)
			if until-first < int(shortestTask/cell) {
				continue
			}
			tasks = append(tasks, task{ai, calendar.Range{Start: b.at(first), End: b.at(until)}})
			saves, inGap = saves+best, inGap || first < g.until && g.from < until
		}
		if !inGap {
			continue
		}
		costs := RetaskShare * r.p.Weights.Stability
		out = append(out, proposal{
			kind: Retask, worker: i, order: len(out), drop: &w.shifts[si], costs: costs, net: saves - costs,
			make: func() scheduling.Shift { return retasked(s, tasks, g) },
		})
	}
	return out
}

// task is a part of an activity that serves another queue.
type task struct {
	activity int
	span     calendar.Range
}

// bestStretch is the run of cells in which a head is worth most on another queue (Kadane's scan).
func (r *repairer) bestStretch(from, to, lo, hi int) (first, until int, best float64) {
	sum, start := 0.0, lo
	for c := lo; c < hi; c++ {
		sum += r.gain(to*r.board.cells+c) - r.loss(from*r.board.cells+c)
		if sum <= 0 {
			sum, start = 0, c+1
		} else if sum > best {
			first, until, best = start, c+1, sum
		}
	}
	return first, until, best
}

// retasked puts another queue into parts of activities.
func retasked(s scheduling.Shift, tasks []task, g gap) scheduling.Shift {
	var out []scheduling.Activity
	for i, a := range s.Activities {
		k := slices.IndexFunc(tasks, func(t task) bool { return t.activity == i })
		if k < 0 {
			out = append(out, a)
			continue
		}
		for _, p := range []scheduling.Activity{
			{Kind: a.Kind, Queue: a.Queue, Start: a.Start, End: tasks[k].span.Start},
			{Kind: a.Kind, Queue: g.Queue, Start: tasks[k].span.Start, End: tasks[k].span.End},
			{Kind: a.Kind, Queue: a.Queue, Start: tasks[k].span.End, End: a.End},
		} {
			if p.Start.Before(p.End) {
				out = append(out, p)
			}
		}
	}
	s.Activities = joined(out)
	return s
}

// extensions let somebody stay longer or come earlier.
func (r *repairer) extensions(i int, g gap) (out []proposal) {
	w := &r.workers[i]
	day := calendar.DateOf(g.Range.Start, r.p.Location)
	if !slices.Contains(w.queues, g.queue) || !w.judge.MayServe(g.Queue, day) {
		return nil
	}
	add := func(s *scheduling.Shift, extra, span calendar.Range) {
		saves := 0.0
		from, until := r.board.cellsOf(extra)
		for c := from; c < until; c++ {
			saves += r.gain(g.queue*r.board.cells + c)
		}
		costs := r.p.Weights.Stability
		was := *s
		out = append(out, proposal{
			kind: Extend, worker: i, order: len(out), drop: s, costs: costs, net: saves - costs - r.plainWage(w)*extra.Duration().Hours(),
			make: func() scheduling.Shift {
				longer := was
				longer.Start, longer.End = span.Start, span.End
				longer.Activities = append(slices.Clone(was.Activities), scheduling.Activity{Kind: scheduling.Work, Queue: g.Queue, Start: extra.Start, End: extra.End})
				slices.SortFunc(longer.Activities, func(a, b scheduling.Activity) int { return a.Start.Compare(b.Start) })
				longer.Activities = joined(longer.Activities)
				longer.Code = roster.Recoded(was, longer)
				return longer
			},
		})
	}
	for si := range w.shifts {
		s := &w.shifts[si]
		for extra := extraStep; extra <= longestExtra; extra += extraStep {
			if later := s.End.Add(extra); s.End.Before(g.Range.End) && g.Range.Start.Before(later) {
				add(s, calendar.Range{Start: s.End, End: later}, calendar.Range{Start: s.Start, End: later})
			}
			if earlier := s.Start.Add(-extra); earlier.Before(g.Range.End) && g.Range.Start.Before(s.Start) {
				add(s, calendar.Range{Start: earlier, End: s.Start}, calendar.Range{Start: earlier, End: s.End})
			}
		}
	}
	return out
}

// newShifts call somebody in on a free day, or exchange a shift of that day or one near it.
func (r *repairer) newShifts(i int, g gap) (out []proposal) {
	w := &r.workers[i]
	if !slices.Contains(w.queues, g.queue) {
		return nil
	}
	for _, o := range r.options(w, g) {
		t := &r.p.Templates[o.template]
		if !w.MayWork(t.Code) {
			continue
		}
		wage := r.plainWage(w)
		free := !slices.ContainsFunc(w.shifts, func(s scheduling.Shift) bool { return calendar.DateOf(s.Start, r.p.Location) == o.day })
		for si := range w.shifts {
			s := &w.shifts[si]
			away := calendar.DateOf(s.Start, r.p.Location).Sub(o.day)
			if away != 0 && !free || max(away, -away) > reachDays || !r.board.span.Contains(s.Start) {
				continue
			}
			costs := r.p.Weights.Stability
			if away != 0 {
				costs += r.p.Weights.Stability // a free day changes too
			}
			out = append(out, proposal{
				kind: Exchange, worker: i, order: len(out), drop: s, costs: costs, net: o.value - r.lossOf(*s) - costs - wage*(workOf(t)-s.WorkTime()).Hours(), make: r.shiftOf(w, o),
			})
		}
		if free {
			costs := r.p.Weights.Stability
			out = append(out, proposal{kind: CallIn, worker: i, order: len(out), costs: costs, net: o.value - costs - wage*workOf(t).Hours(), make: r.shiftOf(w, o)})
		}
	}
	return out
}

// lossOf is what is lost when a shift is not worked.
func (r *repairer) lossOf(s scheduling.Shift) (sum float64) {
	for _, a := range s.Activities {
		q, known := r.board.queues[a.Queue]
		if !known || a.Kind != scheduling.Work {
			continue
		}
		from, until := r.board.cellsOf(calendar.Range{Start: a.Start, End: a.End})
		for c := from; c < until; c++ {
			sum += r.loss(q*r.board.cells + c)
		}
	}
	return sum
}

// options are the best templates over a gap for an agent's queues.
func (r *repairer) options(w *worker, g gap) []option {
	day := calendar.DateOf(g.Range.Start, r.p.Location)
	var out []option
	for _, d := range []calendar.Date{day.Add(-1), day} {
		queues := r.queuesOn(w, d)
		if len(queues) == 0 {
			continue
		}
		key := valueKey{d, fmt.Sprint(queues)}
		known, ok := r.values[key]
		if !ok {
			known = r.valued(d, queues)
			r.values[key] = known
		}
		for _, o := range known {
			if o.value > 0 && g.Range.Overlaps(calendar.Range{Start: o.start, End: o.start.Add(r.p.Templates[o.template].Length)}) {
				out = append(out, o)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b option) int { return cmp.Compare(b.value, a.value) })
	return out[:min(len(out), mostOptions)]
}

// valued prices every template of a day for people of some queues.
func (r *repairer) valued(day calendar.Date, queues []int) []option {
	b := r.board
	sums := make([]float64, b.cells+1)
	for c := range b.cells {
		best := r.gain(queues[0]*b.cells + c)
		for _, q := range queues[1:] {
			best = max(best, r.gain(q*b.cells+c))
		}
		sums[c+1] = sums[c] + best
	}
	sum := func(span calendar.Range) float64 {
		from, until := b.cellsOf(span)
		if from >= b.cells || until <= 0 {
			return 0
		}
		return sums[until] - sums[from]
	}
	var out []option
	for i, t := range r.p.Templates {
		if len(t.Weekdays) > 0 && !slices.Contains(t.Weekdays, day.Weekday()) {
			continue
		}
		o := option{template: i, day: day, start: time.Date(day.Year, day.Month, day.Day, 0, 0, int(t.Start/time.Second), 0, r.p.Location)}
		o.value = sum(calendar.Range{Start: o.start, End: o.start.Add(t.Length)})
		after := o.start
		latest := t.LatestPauses()
		for k, p := range t.Pauses {
			least, where := 0.0, time.Time{}
			for at := o.start.Add(p.Earliest); !at.After(o.start.Add(latest[k])); at = at.Add(cell) {
				if k > 0 && at.Before(after.Add(p.Apart)) {
					continue
				}
				if lost := sum(calendar.Range{Start: at, End: at.Add(p.Length)}); where.IsZero() || lost < least {
					least, where = lost, at
				}
			}
			o.pauses, o.value, after = append(o.pauses, where), o.value-least, where.Add(p.Length)
		}
		out = append(out, o)
	}
	return out
}

// block is how long somebody stays on a queue in a shift that a repair makes.
const block = 30 * time.Minute

// shiftOf makes the shift of an option: in each block the queue on which a head is worth most.
func (r *repairer) shiftOf(w *worker, o option) func() scheduling.Shift {
	return func() scheduling.Shift {
		t := &r.p.Templates[o.template]
		out := scheduling.Shift{Agent: w.person.ID, Code: t.Code, Start: o.start, End: o.start.Add(t.Length)}
		queues := r.queuesOn(w, o.day)
		at, last := o.start, -1
		work := func(until time.Time) {
			for at.Before(until) {
				end := calendar.Earlier(at.Add(max(block, r.p.MinBlock)), until)
				if until.Sub(end) < r.p.MinBlock {
					end = until
				}
				last = r.bestQueue(queues, last, calendar.Range{Start: at, End: end})
				out.Activities = append(out.Activities, scheduling.Activity{Kind: scheduling.Work, Queue: r.board.names[last], Start: at, End: end})
				at = end
			}
		}
		for k, p := range t.Pauses {
			work(o.pauses[k])
			at = o.pauses[k].Add(p.Length)
			out.Activities = append(out.Activities, scheduling.Activity{Kind: p.Kind, Start: o.pauses[k], End: at})
		}
		work(out.End)
		out.Activities = joined(out.Activities)
		return out
	}
}

func (r *repairer) bestQueue(queues []int, last int, span calendar.Range) int {
	best, most := queues[0], 0.0
	for n, q := range queues {
		sum := 0.0
		if from, until := r.board.cellsOf(span); from < r.board.cells && until > 0 {
			for c := from; c < until; c++ {
				sum += r.gain(q*r.board.cells + c)
			}
		}
		if n == 0 || sum > most+1e-9 || sum > most-1e-9 && q == last {
			best, most = q, sum
		}
	}
	return best
}

// workOf is the working time of a template: its length without meals.
func workOf(t *roster.Template) time.Duration {
	work := t.Length
	for _, p := range t.Pauses {
		if p.Kind == scheduling.Meal {
			work -= p.Length
		}
	}
	return work
}
