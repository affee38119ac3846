package revise

import (
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
)

// Kind is what somebody does to a shift.
type Kind string

// The kinds of edit.
const (
	Add       Kind = "add"        // a new shift: Shift
	Remove    Kind = "remove"     // the agent does not work it
	Move      Kind = "move"       // to NewStart with everything in it, and to another agent when To is given
	Resize    Kind = "resize"     // to NewStart and NewEnd; what is empty stays
	Assign    Kind = "assign"     // to the agent To
	Swap      Kind = "swap"       // with the shift of To that starts at ToStart; without ToStart it is given away
	MovePause Kind = "move_pause" // the break or meal that starts at Pause, to NewStart
	Put       Kind = "put"        // Shift takes its place
)

// Kinds of edit in the order in which they are listed to people.
var Kinds = []Kind{Add, Remove, Move, Resize, Assign, Swap, MovePause, Put}

// Edit is one change by hand. Agent and Start name the shift; add needs neither Start nor, when the
// shift names one, Agent.
type Edit struct {
	Kind     Kind              `json:"kind"`
	Agent    ids.Agent         `json:"agent,omitempty"`
	Start    time.Time         `json:"start,omitzero"`
	To       ids.Agent         `json:"to,omitempty"`
	ToStart  time.Time         `json:"to_start,omitzero"`
	NewStart time.Time         `json:"new_start,omitzero"`
	NewEnd   time.Time         `json:"new_end,omitzero"`
	Pause    time.Time         `json:"pause,omitzero"`
	Shift    *scheduling.Shift `json:"shift,omitempty"`
}

// Touches names the agents of edits.
func Touches(edits []Edit) []ids.Agent {
	var out []ids.Agent
	for _, e := range edits {
		for _, a := range []ids.Agent{e.Agent, e.To} {
			if a != "" {
				out = append(out, a)
			}
		}
		if e.Shift != nil && e.Shift.Agent != "" {
			out = append(out, e.Shift.Agent)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Apply makes edits one after the other on a copy of shifts. Whether the result is legal is not asked
// here, only whether it is a roster at all.
//
// Errors: roster.edit with every bad field as edits[i].name: a kind that does not exist, a shift that
// is not there, a time that is missing or not on a whole minute, a pause that does not fit; and shifts
// that overlap afterwards.
func Apply(shifts []scheduling.Shift, edits []Edit) ([]scheduling.Shift, error) {
	r := scheduling.Roster{Shifts: slices.Clone(shifts)}
	d := desk{shifts: &r.Shifts}
	if len(edits) == 0 {
		d.bad = append(d.bad, fault.Field{Path: "edits", Problem: "is empty"})
	}
	for i, e := range edits {
		d.at = fmt.Sprintf("edits[%d].", i)
		d.apply(e)
	}
	r.Sort()
	if len(d.bad) == 0 {
		if err := r.Validate(); err != nil {
			for _, f := range fault.Of(err).Fields {
				d.bad = append(d.bad, fault.Field{Path: "edits", Value: f.Value, Problem: f.Problem})
			}
		}
	}
	return r.Shifts, fault.Bad("roster.edit", "edit", d.bad)
}

// desk is the shifts under work and what is wrong with the edits.
type desk struct {
	shifts *[]scheduling.Shift
	at     string // path of the edit
	bad    []fault.Field
}

func (d *desk) report(name, value, problem string) {
	d.bad = append(d.bad, fault.Field{Path: d.at + name, Value: value, Problem: problem})
}

// find is the index of a shift, or -1 and a complaint.
func (d *desk) find(name string, agent ids.Agent, start time.Time) int {
	i := slices.IndexFunc(*d.shifts, func(s scheduling.Shift) bool { return s.Agent == agent && s.Start.Equal(start) })
	if i < 0 {
		d.report(name, start.Format(time.RFC3339), fmt.Sprintf("is not the start of a shift of %s in this roster", agent))
	}
	return i
}

// minute complains about a time that is missing or falls between minutes.
func (d *desk) minute(name string, t time.Time) bool {
	if t.IsZero() {
		d.report(name, "", "is needed")
		return false
	}
	if t.Second() != 0 || t.Nanosecond() != 0 {
		d.report(name, t.Format(time.RFC3339Nano), "must be on a whole minute")
		return false
	}
	return true
}

func (d *desk) apply(e Edit) {
	if e.Kind == Add {
		d.add(e)
		return
	}
	if !slices.Contains(Kinds, e.Kind) {
		d.report("kind", string(e.Kind), fmt.Sprintf("must be one of %s", fault.Names(Kinds)))
		return
	}
	if e.Agent == "" {
		d.report("agent", "", "is needed: whose shift")
	}
	if e.Start.IsZero() {
		d.report("start", "", "is needed: when the shift begins")
	}
	if e.Agent == "" || e.Start.IsZero() {
		return
	}
	i := d.find("start", e.Agent, e.Start)
	if i < 0 {
		return
	}
	s := &(*d.shifts)[i]
	switch e.Kind {
	case Remove:
		*d.shifts = slices.Delete(*d.shifts, i, i+1)
	case Move:
		if d.minute("new_start", e.NewStart) {
			moved := s.Moved(e.NewStart.Sub(s.Start))
			moved.Code = roster.Recoded(*s, moved)
			*s = moved
			if e.To != "" {
				s.Agent = e.To
			}
		}
	case Resize:
		d.resize(s, e)
	case Assign:
		if e.To == "" {
			d.report("to", "", "is needed: who takes the shift")
		}
		s.Agent = e.To
	case Swap:
		d.swap(i, e)
	case MovePause:
		d.movePause(s, e)
	case Put:
		if e.Shift == nil {
			d.report("shift", "", "is needed")
			return
		}
		agent := s.Agent
		if *s = *e.Shift; s.Agent == "" {
			s.Agent = agent
		}
	}
}

func (d *desk) add(e Edit) {
	if e.Shift == nil {
		d.report("shift", "", "is needed")
		return
	}
	s := *e.Shift
	if e.Agent != "" {
		s.Agent = e.Agent
	}
	if s.Agent == "" {
		d.report("agent", "", "is needed")
	}
	if d.minute("shift.start", s.Start) && d.minute("shift.end", s.End) {
		*d.shifts = append(*d.shifts, s)
	}
}

func (d *desk) swap(i int, e Edit) {
	if e.To == "" || e.To == e.Agent {
		d.report("to", string(e.To), "must be another agent")
		return
	}
	if !e.ToStart.IsZero() {
		k := d.find("to_start", e.To, e.ToStart)
		if k < 0 {
			return
		}
		(*d.shifts)[k].Agent = e.Agent
	}
	(*d.shifts)[i].Agent = e.To
}

func (d *desk) resize(s *scheduling.Shift, e Edit) {
	start, end := s.Start, s.End
	if !e.NewStart.IsZero() && d.minute("new_start", e.NewStart) {
		start = e.NewStart
	}
	if !e.NewEnd.IsZero() && d.minute("new_end", e.NewEnd) {
		end = e.NewEnd
	}
	if e.NewStart.IsZero() && e.NewEnd.IsZero() {
		d.report("new_start", "", "or new_end is needed")
		return
	}
	if !start.Before(end) {
		d.report("new_end", end.Format(time.RFC3339), "must come after the start")
		return
	}
	*s = resized(*s, start, end)
}

func (d *desk) movePause(s *scheduling.Shift, e Edit) {
	if !d.minute("new_start", e.NewStart) {
		return
	}
	i := slices.IndexFunc(s.Activities, func(a scheduling.Activity) bool { return a.Start.Equal(e.Pause) && isPause(a) })
	if i < 0 {
		d.report("pause", e.Pause.Format(time.RFC3339), "is not the start of a break or meal of this shift")
		return
	}
	out, ok := withPauseAt(*s, i, e.NewStart)
	if !ok {
		d.report("new_start", e.NewStart.Format(time.RFC3339), "leaves no room for the pause inside the work of the shift")
		return
	}
	*s = out
}

func isPause(a scheduling.Activity) bool {
	return a.Kind == scheduling.Break || a.Kind == scheduling.Meal
}

// resized cuts activities at the new ends; where the shift grows, its first or last work grows with it.
func resized(s scheduling.Shift, start, end time.Time) scheduling.Shift {
	out := s.Within(start, end)
	out.Code = roster.Recoded(s, out)
	if len(out.Activities) == 0 {
		return out
	}
	if first := out.Activities[0]; start.Before(first.Start) && start.Before(s.Start) {
		out.Activities = slices.Insert(out.Activities, 0, scheduling.Activity{
			Kind: scheduling.Work, Start: start, End: first.Start, Queue: nearestQueue(out.Activities, 0),
		})
	}
	if last := out.Activities[len(out.Activities)-1]; last.End.Before(end) && s.End.Before(end) {
		out.Activities = append(out.Activities, scheduling.Activity{
			Kind: scheduling.Work, Start: last.End, End: end, Queue: nearestQueue(out.Activities, len(out.Activities)-1),
		})
	}
	out.Activities = joined(out.Activities)
	return out
}

// nearestQueue is what is worked next to an activity.
func nearestQueue(activities []scheduling.Activity, i int) ids.Queue {
	for away := range len(activities) {
		for _, k := range []int{i - away, i + away} {
			if k >= 0 && k < len(activities) && activities[k].Kind == scheduling.Work {
				return activities[k].Queue
			}
		}
	}
	return ""
}

// joined makes one activity of neighbours of the same kind and queue.
func joined(activities []scheduling.Activity) []scheduling.Activity {
	out := activities[:0:0]
	for _, a := range activities {
		if n := len(out); n > 0 && out[n-1].Kind == a.Kind && out[n-1].Queue == a.Queue && out[n-1].End.Equal(a.Start) && !isPause(a) {
			out[n-1].End = a.End
			continue
		}
		out = append(out, a)
	}
	return out
}

// withPauseAt takes a pause out, works meanwhile on what is next to it, and puts the pause in again at
// another time; ok is false when there is no work to interrupt for its whole length.
func withPauseAt(s scheduling.Shift, i int, at time.Time) (scheduling.Shift, bool) {
	pause := s.Activities[i]
	length := pause.End.Sub(pause.Start)
	list := slices.Clone(s.Activities)
	list[i].Kind, list[i].Queue = scheduling.Work, nearestQueue(s.Activities, i)
	list = joined(list)
	pause.Start, pause.End = at, at.Add(length)
	var out []scheduling.Activity
	left := length
	for _, a := range list {
		if !pause.Start.Before(a.End) || !a.Start.Before(pause.End) {
			out = append(out, a)
			continue
		}
		if a.Kind != scheduling.Work {
			return s, false
		}
		if a.Start.Before(pause.Start) {
			before := a
			before.End = pause.Start
			out = append(out, before)
		}
		if left == length {
			out = append(out, pause)
		}
		after := a
		if after.Start.Before(pause.End) {
			after.Start = pause.End
		}
		left -= calendar.Earlier(a.End, pause.End).Sub(calendar.Later(a.Start, pause.Start))
		if after.Start.Before(after.End) {
			out = append(out, after)
		}
	}
	s.Activities = out
	return s, left == 0
}
