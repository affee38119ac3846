package staffing

import (
	"fmt"
	"math"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling"
)

// Target is what one queue must reach in every slot. Contract terms reach it as plain values.
type Target struct {
	Level        float64       `json:"level"`         // quantile of the curve to staff at, e.g. 0.9; 0 = the mean
	Within       time.Duration `json:"within"`        // first-response limit (calls: answer limit)
	Share        float64       `json:"share"`         // least share of ALL contacts within it, in [0,1); 0 = no such target
	OccupancyCap float64       `json:"occupancy_cap"` // largest share of time agents work on contacts, (0,1]; 0 = none
	AbandonCap   float64       `json:"abandon_cap"`   // largest share that leaves, (0,1); 0 = none
	HandleTime   time.Duration `json:"handle_time"`   // AHT for points of the curve that carry none
	Patience     time.Duration `json:"patience"`      // mean; 0 = nobody leaves (calls only)
	Concurrency  int           `json:"concurrency"`   // conversations per agent; 0 or 1 = calls, Erlang A or C
	Overhead     float64       `json:"overhead"`      // chats: share of handle time that is agent work, (0,1]
	Rounds       float64       `json:"rounds"`        // chats: mean rounds per conversation, 1 or more
	Slowdown     float64       `json:"slowdown"`      // chats: extra work time per further open conversation

	// PenaltyPerMissedContact is what one contact outside Within costs by contract, in yuan. It prices a
	// missing head (Need.Value); it does not move the target.
	PenaltyPerMissedContact float64 `json:"penalty_per_missed_contact"`
}

// DefaultTarget is 80 % of first replies within 30 s, at most 85 % occupied, three chats at once of which
// 35 % is the agent's own time, over six rounds, with buyers who wait three minutes on average.
func DefaultTarget() Target {
	return Target{
		Level: 0, Within: 30 * time.Second, Share: 0.8, OccupancyCap: 0.85, HandleTime: 5 * time.Minute,
		Patience: 3 * time.Minute, Concurrency: 3, Overhead: 0.35, Rounds: 6, Slowdown: 0.03,
	}
}

// Input is everything that Plan looks at.
type Input struct {
	Curve     scheduling.Curve `json:"curve"`
	Target    Target           `json:"target"`
	Shrinkage float64          `json:"shrinkage"` // share of paid time not on the queue (breaks, training, absence), [0,1)
	MinHeads  int              `json:"min_heads"` // floor in every open slot, also without contacts
	MaxHeads  int              `json:"max_heads"` // ceiling, e.g. seats; 0 = none
	// Slot of the requirement; 0 = that of the curve. A coarser curve is spread evenly over its slots; of a
	// finer one the neediest part decides. One must divide the other.
	Slot time.Duration `json:"slot"`
}

// Reached is what the heads of one slot achieve at the staffed volume.
type Reached struct {
	Start       time.Time     `json:"start"`
	Contacts    float64       `json:"contacts"`    // staffed volume, at Level
	HandleTime  time.Duration `json:"handle_time"` // used
	Heads       int           `json:"heads"`
	Share       float64       `json:"share"`     // within Target.Within
	Abandon     float64       `json:"abandon"`   //
	Occupancy   float64       `json:"occupancy"` //
	WaitSeconds float64       `json:"wait_s"`    // mean wait until taken up, over all arrivals; -1 = grows without end
	Met         bool          `json:"met"`       // false only where MaxHeads cut the need
}

// Output of Plan; Reached runs parallel to Requirement.Needs.
type Output struct {
	Requirement scheduling.Requirement `json:"requirement"`
	Reached     []Reached              `json:"reached"`
}

// Plan turns a whole curve into heads, slot by slot in steady state. It takes the curve as one value
// because a slot may leave work to the next. Errors: staffing.input (every bad field),
// staffing.unreachable (the target cannot be met with any number of heads, and what is the best).
func Plan(in Input) (Output, error) {
	if err := in.Validate(); err != nil {
		return Output{}, err
	}
	slot := in.Slot
	if slot == 0 {
		slot = in.Curve.Slot
	}
	out := Output{Requirement: scheduling.Requirement{Queue: in.Curve.Queue, Slot: slot}}
	s := sizer{in: in, known: map[sizeKey]sized{}}
	for i, p := range in.Curve.Points {
		need, reached, err := s.point(p)
		if err != nil {
			e := fault.Of(err)
			return Output{}, &fault.Error{Kind: e.Kind, Code: e.Code, Message: e.Message, Fields: append([]fault.Field{{
				Path: fmt.Sprintf("curve.points[%d]", i), Value: p.Start.Format(time.RFC3339), Problem: "cannot be staffed to the target",
			}}, e.Fields...)}
		}
		out.place(need, reached, in.Curve.Slot, slot)
	}
	return out, nil
}

// place puts the need of one point of the curve into the slots of the requirement.
func (o *Output) place(n scheduling.Need, r Reached, from, to time.Duration) {
	if to >= from {
		start := n.Start.Truncate(to)
		last := len(o.Requirement.Needs) - 1
		n.Start, r.Start = start, start
		if last < 0 || !o.Requirement.Needs[last].Start.Equal(start) {
			o.Requirement.Needs, o.Reached = append(o.Requirement.Needs, n), append(o.Reached, r)
			return
		}
		value := o.Requirement.Needs[last].Value + n.Value
		if n.Heads > o.Requirement.Needs[last].Heads {
			o.Requirement.Needs[last], o.Reached[last] = n, r
		}
		o.Requirement.Needs[last].Value = value
		return
	}
	parts := int(from / to)
	n.Value /= float64(parts)
	r.Contacts /= float64(parts)
	for i := range parts {
		part, reached := n, r
		part.Start = n.Start.Add(time.Duration(i) * to)
		reached.Start = part.Start
		o.Requirement.Needs, o.Reached = append(o.Requirement.Needs, part), append(o.Reached, reached)
	}
}

// sizer sizes single slots and remembers what it has seen: a curve repeats itself from week to week.
type sizer struct {
	in    Input
	known map[sizeKey]sized
}

type sizeKey struct {
	contacts float64
	handle   time.Duration
}

type sized struct {
	heads   int // that the target needs
	reached Reached
	fewer   float64 // share within the limit with one head less
}

func (s sizer) point(p scheduling.Point) (scheduling.Need, Reached, error) {
	contacts, _ := s.in.Curve.At(p, s.in.Target.Level)
	handle := p.HandleTime
	if handle == 0 {
		handle = s.in.Target.HandleTime
	}
	key := sizeKey{contacts, handle}
	got, ok := s.known[key]
	if !ok {
		var err error
		if got, err = s.size(contacts, handle); err != nil {
			return scheduling.Need{}, Reached{}, err
		}
		s.known[key] = got
	}
	got.reached.Start = p.Start
	heads := got.reached.Heads
	need := scheduling.Need{
		Start: p.Start, Heads: heads, Paid: float64(heads) / (1 - s.in.Shrinkage),
		Value:  s.in.Target.PenaltyPerMissedContact * contacts * max(0, got.reached.Share-got.fewer),
		Reason: s.reason(got, contacts, handle),
	}
	return need, got.reached, nil
}

// size finds the heads for a volume, applies floor and ceiling, and evaluates the result.
func (s sizer) size(contacts float64, handle time.Duration) (sized, error) {
	t := s.in.Target
	var heads int
	var at func(n int) Reached
	if t.Concurrency > 1 {
		c := t.chats(contacts, s.in.Curve.Slot, handle)
		table := c.table(t.Within, t.Within)
		at = func(n int) Reached {
			p := table.at(n)
			return Reached{Share: p.FirstWithin, Abandon: p.Abandon, Occupancy: p.Occupancy, WaitSeconds: p.ASASeconds}
		}
		p, err := LeastChats(c, t.Share, t.Within, t.OccupancyCap, t.AbandonCap)
		if err != nil {
			return sized{}, err
		}
		heads = p.Agents
	} else {
		q := Queue{Contacts: contacts, Interval: s.in.Curve.Slot, HandleTime: handle, Patience: t.Patience}
		at = func(n int) Reached {
			p := Evaluate(t.model(), q, float64(n), t.Within)
			return Reached{Share: p.ServiceLevel, Abandon: p.Abandon, Occupancy: p.Occupancy, WaitSeconds: p.ASASeconds}
		}
		p, err := Least(t.model(), q, Goal{ServiceLevel: t.Share, Within: t.Within, Abandon: t.AbandonCap, Occupancy: t.OccupancyCap})
		if err != nil {
			return sized{}, err
		}
		heads = int(p.Agents)
	}
	used := max(heads, s.in.MinHeads)
	if s.in.MaxHeads > 0 {
		used = min(used, s.in.MaxHeads)
	}
	r := at(used)
	if contacts == 0 {
		r = Reached{Share: 1}
	}
	r.Contacts, r.HandleTime, r.Heads, r.Met = contacts, handle, used, used >= heads
	if math.IsInf(r.WaitSeconds, 0) {
		r.WaitSeconds = -1 // JSON has no infinity: the queue grows without end
	}
	out := sized{heads: heads, reached: r, fewer: r.Share}
	if used > 0 && contacts > 0 {
		out.fewer = at(used - 1).Share
	}
	return out, nil
}

// reason tells in one line how the number came about.
func (s sizer) reason(g sized, contacts float64, handle time.Duration) string {
	t := s.in.Target
	level := "mean"
	if t.Level > 0 {
		level = fmt.Sprintf("P%g", 100*t.Level)
	}
	text := fmt.Sprintf("%s %.1f contacts in %s, AHT %s, %s: ", level, contacts, s.in.Curve.Slot, handle.Round(time.Second), t.describe(handle))
	if contacts == 0 {
		text += "nothing to answer"
	} else {
		text += fmt.Sprintf("%d rounded up to reach", g.heads)
		text += fmt.Sprintf(" %.1f%% within %s", 100*g.reached.Share, t.Within)
		if t.Share > 0 {
			text += fmt.Sprintf(" (target %g%%)", 100*t.Share)
		}
		text += fmt.Sprintf(", occupancy %.0f%%", 100*g.reached.Occupancy)
		if t.OccupancyCap > 0 {
			text += fmt.Sprintf(" (cap %g%%)", 100*t.OccupancyCap)
		}
	}
	switch {
	case g.reached.Heads > g.heads:
		text += fmt.Sprintf("; floor raises to %d", g.reached.Heads)
	case g.reached.Heads < g.heads:
		text += fmt.Sprintf("; ceiling cuts to %d, target missed", g.reached.Heads)
	}
	if s.in.Shrinkage > 0 {
		text += fmt.Sprintf("; shrinkage %g%% makes %.1f paid", 100*s.in.Shrinkage, float64(g.reached.Heads)/(1-s.in.Shrinkage))
	}
	return text
}

func (t Target) model() Model {
	if t.Patience > 0 {
		return ModelA
	}
	return ModelC
}

func (t Target) describe(handle time.Duration) string {
	switch {
	case t.Concurrency > 1:
		own := time.Duration(t.Overhead * float64(handle)).Round(time.Second)
		return fmt.Sprintf("chats open that long, up to %d at once (%g%% = %s own work, %g rounds), patience %s", t.Concurrency, 100*t.Overhead, own, t.Rounds, t.Patience)
	case t.Patience > 0:
		return fmt.Sprintf("Erlang A, patience %s", t.Patience)
	default:
		return "Erlang C"
	}
}

func (t Target) chats(contacts float64, interval, handle time.Duration) Chats {
	return Chats{
		Contacts: contacts, Interval: interval, HandleTime: handle, Patience: t.Patience,
		Concurrency: t.Concurrency, Overhead: t.Overhead, Rounds: t.Rounds, Slowdown: t.Slowdown,
	}
}
