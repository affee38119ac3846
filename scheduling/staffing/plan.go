package staffing

import (
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
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
	// Slow is the measured work time by conversations open (see Chats.Slow and Learn). Where it is given Slowdown
	// is only its mean slope, for models that take one number.
	Slow []float64 `json:"slow,omitempty"`

	// PenaltyPerMissedContact is what one contact outside Within costs by contract, in yuan. It prices a
	// missing head (Need.Worth); it does not move the target.
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
	// Promised are heads that stand on the queue in their time whatever comes, beside MinHeads. Of several in a slot of the curve the
	// most counts; MaxHeads comes first.
	Promised []Promise `json:"promised,omitempty"`
	// Slot of the requirement; 0 = that of the curve. A coarser curve is spread evenly over its slots; of a
	// finer one the neediest part decides. One must divide the other.
	Slot time.Duration `json:"slot"`
	// Rushes say how the contacts of a slot come when they do not come evenly. Chats only.
	Rushes []Rush `json:"rushes,omitempty"`
	// Settled sizes every slot of a chat queue on its own, as if it had always been so, without what the
	// slot before leaves behind.
	Settled bool `json:"settled,omitempty"`
}

// Promise is heads on the queue in a stretch of time.
type Promise struct {
	Range calendar.Range `json:"range"`
	Heads int            `json:"heads"`
}

// Rush is the crowd at an opening: of the contacts that the curve has for the slot around At, the share
// that comes from At on, at a rate that fades exponentially. The volume of the slot stays.
type Rush struct {
	At    time.Time     `json:"at"`
	Share float64       `json:"share"` // of the slot's contacts, (0,1]
	Decay time.Duration `json:"decay"` // time constant; 63 % of an unbounded rush comes within one
}

// Reached is what the heads of one slot achieve at the staffed volume.
type Reached struct {
	Start       time.Time     `json:"start"`
	Contacts    float64       `json:"contacts"`    // staffed volume, at Level
	HandleTime  time.Duration `json:"handle_time"` // used
	Heads       int           `json:"heads"`
	Wanted      int           `json:"wanted,omitempty"` // heads that the target asks for, where floor or ceiling moved them; else 0
	Share       float64       `json:"share"`            // within Target.Within
	Fewer       float64       `json:"fewer,omitempty"`  // share with one head less in a slot that is followed, where contacts have a price
	Abandon     float64       `json:"abandon"`          //
	Occupancy   float64       `json:"occupancy"`        //
	WaitSeconds float64       `json:"wait_s"`           // mean wait until taken up, over all arrivals; -1 = grows without end
	Met         bool          `json:"met"`              // false only where MaxHeads cut the need and the target is missed

	// Chats only.
	RoundWithin          float64 `json:"round_within,omitempty"`     // share of all rounds answered within one minute
	PlatformWithin       float64 `json:"platform_within,omitempty"`  // share of all rounds answered within PlatformLimit
	FirstResponseSeconds float64 `json:"first_response_s,omitempty"` // mean time to the first reply
	ResponseSeconds      float64 `json:"response_s,omitempty"`       // mean time to a reply, all rounds
	Open                 float64 `json:"open,omitempty"`             // mean conversations open per agent
	Queue                float64 `json:"queue,omitempty"`            // mean conversations that wait
	Carried              bool    `json:"carried,omitempty"`          // the slot before or a rush counts: see Input.Settled
	// A desk with two regimes, see Chats.Tips: so many conversations open or waiting at once tip it over, and then TippedShare
	// is within Target.Within. 0 = the desk has one regime.
	TipsAt      int     `json:"tips_at,omitempty"`
	TippedShare float64 `json:"tipped_share,omitempty"`
}

// Output of Plan; Reached runs parallel to Requirement.Needs.
type Output struct {
	Requirement scheduling.Requirement `json:"requirement"`
	Reached     []Reached              `json:"reached"`
}

// roundLimit is the limit of Reached.RoundWithin: every round within a minute.
const roundLimit = time.Minute

// Plan turns a whole curve into heads. Every slot is first sized in steady state; where a slot of a chat
// queue is not on its own (a rush, backlog, many conversations left open by the slot before), it is sized by
// following the queue through it (Chats.Day). Errors: staffing.input (every bad field),
// staffing.unreachable (the target cannot be met with any number of heads, and what is the best).
func Plan(in Input) (Output, error) {
	if err := in.Validate(); err != nil {
		return Output{}, err
	}
	slot := in.Slot
	if slot == 0 {
		slot = in.Curve.Slot
	}
	s := sizer{in: in}
	s.phrases = s.phrase()
	if in.Target.Concurrency > 1 {
		s.memory = newScratch(in.Target.Concurrency)
	}
	all, err := s.settled()
	if err != nil {
		return Output{}, err
	}
	if in.Target.Concurrency > 1 {
		if !in.Settled {
			s.follow(all)
		}
		s.tip(all)
	}
	slots := len(all) * max(1, int(in.Curve.Slot/slot))
	out := Output{Reached: slices.Grow([]Reached(nil), slots), Requirement: scheduling.Requirement{
		Queue: in.Curve.Queue, Slot: slot, Needs: slices.Grow([]scheduling.Need(nil), slots),
	}}
	for i, p := range in.Curve.Points {
		out.place(s.need(p, &all[i]), all[i].reached, in.Curve.Slot, slot)
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
		worth := onTop(o.Requirement.Needs[last].Worth, n.Worth)
		if n.Heads > o.Requirement.Needs[last].Heads {
			o.Requirement.Needs[last], o.Reached[last] = n, r
		}
		o.Requirement.Needs[last] = o.Requirement.Needs[last].Priced(worth)
		return
	}
	parts := int(from / to)
	n = n.Priced(apart(n.Worth, parts))
	r.Contacts /= float64(parts)
	for i := range parts {
		part, reached := n, r
		part.Start = n.Start.Add(time.Duration(i) * to)
		reached.Start = part.Start
		o.Requirement.Needs, o.Reached = append(o.Requirement.Needs, part), append(o.Reached, reached)
	}
}

// need puts a sized slot into the requirement.
func (s *sizer) need(p scheduling.Point, g *sized) scheduling.Need {
	heads := g.reached.Heads
	n := scheduling.Need{Start: p.Start, Heads: heads, Paid: float64(heads) / (1 - s.in.Shrinkage), Reason: s.reason(g)}
	return n.Priced(s.worth(g))
}

// used applies floor and ceiling.
func (s *sizer) used(heads int) int {
	heads = max(heads, s.in.MinHeads, s.floor)
	if s.in.MaxHeads > 0 {
		heads = min(heads, s.in.MaxHeads)
	}
	return heads
}

// promised are the heads promised in a slot of the curve that starts at an instant.
func (s *sizer) promised(start time.Time) (heads int) {
	slot := calendar.Range{Start: start, End: start.Add(s.in.Curve.Slot)}
	for _, p := range s.in.Promised {
		if p.Range.Overlaps(slot) {
			heads = max(heads, p.Heads)
		}
	}
	return heads
}

func (t Target) model() Model {
	if t.Patience > 0 {
		return ModelA
	}
	return ModelC
}

// Chats is a load of contacts that run as the target says.
func (t Target) Chats(contacts float64, interval, handle time.Duration) Chats {
	c := Chats{
		Contacts: contacts, Interval: interval, HandleTime: handle, Patience: t.Patience,
		Concurrency: t.Concurrency, Overhead: t.Overhead, Rounds: t.Rounds, Slowdown: t.Slowdown, Slow: t.Slow,
	}
	if len(c.Slow) > 0 {
		c.Slowdown = 0
	}
	return c
}

// table is the model of that load with the limits of the target.
func (s *sizer) table(contacts float64, handle time.Duration) *chatTable {
	return s.in.Target.Chats(contacts, s.in.Curve.Slot, handle).tableIn(s.memory, s.in.Target.Within, roundLimit)
}
