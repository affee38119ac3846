package revise

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Absence is a stretch in which somebody who may be rostered does not come.
type Absence struct {
	Agent ids.Agent      `json:"agent"`
	Range calendar.Range `json:"range"`
}

// MoveKind is what a repair does with somebody.
type MoveKind string

// The kinds of move, from the least change to the largest.
const (
	Retask   MoveKind = "retask"   // serves another queue for a while, inside the shift
	Extend   MoveKind = "extend"   // comes earlier or stays longer
	CallIn   MoveKind = "call_in"  // works on a free day
	Exchange MoveKind = "exchange" // works another shift instead of one on that day or near it
)

// RepairMove is one step of a repair.
type RepairMove struct {
	Kind    MoveKind `json:"kind"`
	Changes []Change `json:"changes"`
	Saves   float64  `json:"saves"` // yuan of coverage, before the move's own costs
	Costs   float64  `json:"costs"` // yuan of wages, changes and soft rules
	// Soft are the soft rules that the step breaks, none of which was broken as badly before.
	Soft []workrules.Violation `json:"soft_rules,omitempty"`
}

// Left is a stretch that the absences made short and that stays so, with why nobody helps and what would.
type Left struct {
	Shortage
	Reasons []roster.Reason `json:"reasons"`         // most frequent first; their counts add up to the agents
	Fixes   []roster.Fix    `json:"fixes,omitempty"` // of the dearest stretches that are still to come: what brings most for its price first
}

// Repaired is a repair and its account.
type Repaired struct {
	Absent  []Change              `json:"absent"` // shifts that fall away or are cut
	Moves   []RepairMove          `json:"moves"`
	Changes []Change              `json:"changes"` // all of it together
	Shifts  []scheduling.Shift    `json:"-"`       // the roster afterwards
	Left    []Left                `json:"left"`
	Soft    []workrules.Violation `json:"soft_rules"` // that the repaired roster breaks and the roster without a repair did not
	Range   calendar.Range        `json:"range"`      // what the totals are of: the whole roster
	Planned Totals                `json:"planned"`    // as it was before the absences
	Without Totals                `json:"without"`    // if nobody stepped in
	After   Totals                `json:"repaired"`   // with the repair
}

// RetaskShare is the part of Weights.Stability that other pauses and queues cost: the agent comes and goes as planned.
const RetaskShare = 0.25

// Limits of a repair.
const (
	mostMoves    = 400
	reachDays    = 3 // how far from a gap a shift may be exchanged
	shortestTask = 30 * time.Minute
	longestExtra = 3 * time.Hour // 劳动法 §41
	extraStep    = 30 * time.Minute
	shortestPart = 2 * time.Hour // of a shift that is kept when its agent is absent for the rest
)

// Repair fills the gaps that absences leave in a roster with as little change as pays. The roster is
// p.Previous; the gaps are what the absences take away, so what was short before stays short. Each
// move is legal for its agent under the whole rule pack, history and later shifts included: no hard
// rule is broken that was not broken before. It is worth more than it costs in wages, in changes
// (p.Weights.Stability for each agent and day) and in soft rules. What lies before the instant from stays
// as it is, but for the absences themselves; with a zero instant nothing is over yet.
//
// Errors: those of roster.Problem.Validate, and repair.absences with every bad field.
func Repair(p roster.Problem, absences []Absence, from time.Time) (Repaired, error) {
	if err := p.Validate(); err != nil {
		return Repaired{}, err
	}
	if err := fault.Bad("repair.absences", "absences", AbsenceProblems(p, absences)); err != nil {
		return Repaired{}, err
	}
	r := newRepairer(p, absences, from)
	out := Repaired{Absent: []Change{}, Moves: []RepairMove{}, Left: []Left{}, Range: p.Range}
	out.Planned = r.account()
	out.Absent = append(out.Absent, r.takeAway(absences)...)
	out.Without = r.account()
	out.Moves = append(out.Moves, r.moves()...)
	for _, gap := range r.gaps() {
		out.Left = append(out.Left, Left{Shortage: gap.Shortage, Reasons: r.reasons(gap)})
	}
	r.relieve(out.Left)
	out.After, out.Soft = r.account(), r.broken()
	out.Moves = fold(out.Moves, out.Soft, p.Location)
	out.Shifts = r.shifts()
	out.Changes = Between(p.Previous, out.Shifts, p.Location)
	return out, nil
}

// moves fills the dearest gap again and again; a gap that was given up is looked at once more when moves
// were made since.
func (r *repairer) moves() (out []RepairMove) {
	for last := -1; last < len(out) && len(out) < mostMoves; {
		last = len(out)
		tried := map[string]bool{}
		for len(out) < mostMoves {
			gap, ok := r.worst(tried)
			if !ok {
				break
			}
			if move, ok := r.fill(gap); ok {
				out = append(out, move)
			} else {
				tried[gap.key()] = true
			}
		}
	}
	return out
}

// AbsenceProblems lists what is wrong with absences in a roster: nobody is named, somebody is who does not work in its
// days, or a time lies outside of them.
func AbsenceProblems(p roster.Problem, absences []Absence) (bad []fault.Field) {
	if len(absences) == 0 {
		bad = append(bad, fault.Field{Path: "absent", Problem: "is empty: name who is absent and when"})
	}
	for i, a := range absences {
		if !slices.ContainsFunc(p.Agents, func(x roster.Agent) bool { return x.Person.ID == a.Agent }) {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("absent[%d].agent", i), Value: string(a.Agent), Problem: "is nobody who works in these days"})
		}
		switch {
		case !a.Range.Valid():
			bad = append(bad, a.Backwards(i))
		case !a.Range.Overlaps(p.Range):
			bad = append(bad, fault.Field{Path: fmt.Sprintf("absent[%d].from", i), Value: a.Range.Start.Format(time.RFC3339), Problem: "lies outside of the days of the roster"})
		}
	}
	return bad
}

// Backwards is what is wrong with absence i, which does not end after it begins.
func (a Absence) Backwards(i int) fault.Field {
	return fault.Field{Path: fmt.Sprintf("absent[%d].to", i), Value: a.Range.End.Format(time.RFC3339), Problem: "the end must be after the start"}
}

// worker is one agent in the course of a repair.
type worker struct {
	*roster.Agent
	person workrules.Person // absences included
	judge  *workrules.Judge
	agreed *workrules.Judge      // as if the agent had agreed to overtime; made when it is asked for
	shifts []scheduling.Shift    // in the roster, in order of start
	was    []workrules.Violation // what is not held against a step: broken before the repair, or paid for by a step
	began  []workrules.Violation // broken before the repair
	moved  bool                  // by a step
	queues []int                 // of the board
}

// repairer is a repair under way.
type repairer struct {
	p       roster.Problem
	from    time.Time // what lies before it cannot be changed any more
	first   int       // first cell of the board that can
	payroll *Payroll  // of the whole roster
	frame   *workrules.Frame
	board   *Board
	planned []int32 // heads of the board before the absences
	workers []worker
	places  *places
	values  map[valueKey][]option
}

func newRepairer(p roster.Problem, absences []Absence, from time.Time) *repairer {
	r := &repairer{p: p, from: from, frame: workrules.NewFrame(p.Range, p.Holidays, p.Location, p.Rules), values: map[valueKey][]option{}}
	span := calendar.Range{}
	for i, a := range absences {
		start := calendar.DateOf(a.Range.Start, p.Location).Add(-reachDays).In(p.Location)
		end := calendar.DateOf(a.Range.End, p.Location).Add(reachDays + 1).In(p.Location)
		if i == 0 || start.Before(span.Start) {
			span.Start = start
		}
		if i == 0 || end.After(span.End) {
			span.End = end
		}
	}
	span = calendar.Range{Start: calendar.Later(span.Start, p.Range.Start), End: calendar.Earlier(span.End, p.Range.End)}
	r.board = NewBoard(span, p.Demand, p.Weights)
	if from.After(span.Start) {
		r.first = min(int((from.Sub(span.Start)+cell-1)/cell), r.board.cells)
	}
	r.payroll = NewPayroll(&p)
	own := map[ids.Agent][]scheduling.Shift{}
	for _, s := range p.Previous {
		own[s.Agent] = append(own[s.Agent], s)
		r.board.Count(s, 1)
	}
	r.planned = slices.Clone(r.board.heads)
	for i := range p.Agents {
		a := &p.Agents[i]
		w := worker{Agent: a, person: a.Person, shifts: own[a.Person.ID]}
		slices.SortFunc(w.shifts, func(x, y scheduling.Shift) int { return x.Start.Compare(y.Start) })
		w.person.Unavailable = slices.Clone(a.Person.Unavailable)
		for _, x := range absences {
			if x.Agent == a.Person.ID {
				w.person.Unavailable = append(w.person.Unavailable, x.Range)
			}
		}
		w.judge = workrules.NewJudge(r.frame, w.person)
		for q, name := range r.board.names {
			if slices.ContainsFunc(a.Person.Skills, func(s workrules.Skill) bool { return s.Queue == name }) {
				w.queues = append(w.queues, q)
			}
		}
		r.workers = append(r.workers, w)
	}
	r.places = newPlaces(p, r.board)
	return r
}

// takeAway cuts or drops the shifts of who is absent.
func (r *repairer) takeAway(absences []Absence) []Change {
	var out []Change
	for i := range r.workers {
		w := &r.workers[i]
		before := w.shifts
		var kept []scheduling.Shift
		for _, s := range before {
			for _, a := range absences {
				if a.Agent == s.Agent && s.Range().Overlaps(a.Range) {
					s = outside(s, a.Range)
				}
			}
			if s.Start.Before(s.End) {
				kept = append(kept, s)
			}
		}
		if changes := Between(before, kept, r.p.Location); len(changes) > 0 {
			out = append(out, changes...)
			r.count(before, -1)
			r.count(kept, 1)
			w.shifts = kept
		}
	}
	for i := range r.workers {
		w := &r.workers[i]
		w.began = w.judge.Explain(r.all(w, w.shifts))
		w.was = w.began
	}
	return out
}

// broken are the soft rules that the steps break.
func (r *repairer) broken() []workrules.Violation {
	out := []workrules.Violation{}
	for i := range r.workers {
		if w := &r.workers[i]; w.moved {
			out = append(out, workrules.Worse(w.judge.Explain(r.all(w, w.shifts)), w.began)...)
		}
	}
	return out
}

// outside is what is left of a shift before or after an absence when that is worth coming for.
func outside(s scheduling.Shift, away calendar.Range) scheduling.Shift {
	if before := away.Start.Sub(s.Start); before >= shortestPart {
		return resized(s, s.Start, away.Start)
	}
	if after := s.End.Sub(away.End); after >= shortestPart {
		return resized(s, away.End, s.End)
	}
	return scheduling.Shift{}
}

func (r *repairer) count(shifts []scheduling.Shift, by int32) {
	for _, s := range shifts {
		r.board.Count(s, by)
		r.places.count(s, by)
	}
	clear(r.values)
}

// all is the shifts of an agent with those around the roster, in order.
func (r *repairer) all(w *worker, own []scheduling.Shift) []scheduling.Shift {
	out := slices.Concat(w.History, own, w.Later)
	slices.SortStableFunc(out, func(a, b scheduling.Shift) int { return a.Start.Compare(b.Start) })
	return out
}

// shifts is the roster as it is now.
func (r *repairer) shifts() []scheduling.Shift {
	out := scheduling.Roster{}
	known := map[ids.Agent]bool{}
	for i := range r.workers {
		known[r.workers[i].person.ID] = true
		out.Shifts = append(out.Shifts, r.workers[i].shifts...)
	}
	for _, s := range r.p.Previous { // of people who left: not ours to judge
		if !known[s.Agent] {
			out.Shifts = append(out.Shifts, s)
		}
	}
	out.Sort()
	return out.Shifts
}

// account prices the whole roster as it is now, as Compare and Priced do: a repair and the difference of the
// two revisions tell the same figures.
func (r *repairer) account() Totals {
	all := r.shifts()
	demand := Demand{Needs: r.p.Demand, Weights: r.p.Weights, Payroll: r.payroll}
	t := TotalsOf(all).Priced(demand.Board(r.p.Range, all))
	t.Wages = demand.Wages(all)
	return t
}

// gap is a stretch that the absences made short.
type gap struct {
	Shortage
	queue, from, until int // cells of the board
}

func (g gap) key() string { return fmt.Sprint(g.queue, g.from, g.until, g.Missing) }

// lost reports a cell with fewer heads than were planned and needed.
func (r *repairer) lost(i int) bool {
	return r.board.heads[i] < min(r.planned[i], r.board.target[i])
}

// gaps lists the lost stretches by queue and time.
func (r *repairer) gaps() []gap {
	b := r.board
	var out []gap
	for q, name := range b.names {
		for c := 0; c < b.cells; {
			i := q*b.cells + c
			if !r.lost(i) {
				c++
				continue
			}
			k := c
			worth, missing := 0.0, int32(0)
			for k < b.cells && r.lost(q*b.cells+k) && (k == c || k != r.first) { // what is over is a stretch of its own
				x := q*b.cells + k
				worth += r.costOf(x)
				missing = max(missing, min(r.planned[x], b.target[x])-b.heads[x])
				k++
			}
			out = append(out, gap{
				Shortage: Shortage{Queue: name, Range: calendar.Range{Start: b.at(c), End: b.at(k)}, Target: int(b.target[i]), Missing: int(missing), Worth: worth},
				queue:    q, from: c, until: k,
			})
			c = k
		}
	}
	return out
}

// costOf is what the absences cost in a cell of the board: what was short before is not a repair's
// business.
func (r *repairer) costOf(i int) float64 { return r.costAt(i, r.board.heads[i]) }

func (r *repairer) costAt(i int, heads int32) float64 {
	short, over := r.board.costAt(i, heads)
	if planned := r.planned[i]; planned < r.board.target[i] {
		before, _ := r.board.costAt(i, planned)
		short = max(0, short-before)
	}
	return short + over
}

// gain is what one more head in a cell saves; negative where it costs.
func (r *repairer) gain(i int) float64 {
	return r.costOf(i) - r.costAt(i, r.board.heads[i]+1)
}

// loss is what one head less in a cell costs; negative where it saves.
func (r *repairer) loss(i int) float64 {
	return r.costAt(i, r.board.heads[i]-1) - r.costOf(i)
}

// cost is what the absences cost as things are, in yuan.
func (r *repairer) cost() float64 {
	sum := 0.0
	for i := range r.board.heads {
		sum += r.costOf(i)
	}
	return sum
}

// worst is the dearest gap that was not given up.
func (r *repairer) worst(tried map[string]bool) (gap, bool) {
	all := slices.DeleteFunc(r.gaps(), func(g gap) bool { return tried[g.key()] || g.from < r.first })
	if len(all) == 0 {
		return gap{}, false
	}
	return slices.MinFunc(all, func(a, b gap) int {
		return cmp.Or(cmp.Compare(b.Worth, a.Worth), cmp.Compare(a.queue, b.queue), cmp.Compare(a.from, b.from))
	}), true
}
