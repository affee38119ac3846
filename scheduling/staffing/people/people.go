// Package people turns heads that a queue needs into people who must be present, rostered and paid.
//
// It owns shrinkage by cause and time, absence with its own distribution, adherence, the
// occupancy floor and the tenure ramp (new agents are slower and cause more complaints).
//
// It does not own the queueing models (scheduling/staffing), the roster, or who the people are
// (scheduling/workforce). All shares and factors are settings that come in as values.
//
// Four groups of people, each at least as large as the one before:
//
//	on queue   ready for contacts: what the requirement asks for
//	present    on queue, on a break, in a training or meeting, or away from the queue unplanned
//	rostered   present or absent today (sick, no-show): a random number of them comes
//	payroll    rostered or on planned leave: whom the house employs
//
// Times: an instant names the start of a half-open slot; windows compare its wall-clock time and civil
// date in the location of the input; tenure counts whole weeks since the first week on the queue.
package people

import (
	"fmt"
	"math"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

// Stage says between which two groups of people a cause takes its share.
type Stage string

// The stages at which a cause may be placed.
const (
	InShift    Stage = "in_shift"     // of those present: breaks 小休, training, meetings, coaching
	OutOfShift Stage = "out_of_shift" // of those on the payroll: planned leave 年假, long illness, parental leave
)

// Rule says how the shares of several causes of one stage combine.
type Rule string

// The rules. With shares of 10 % and 10 % the additive rule leaves 80 %, the multiplicative one 81 %.
const (
	// Additive: every share is a share of the same paid time, so shares add. Right when causes exclude
	// each other (nobody is in a meeting and on a break) and each was measured against all paid time.
	Additive Rule = "additive"
	// Multiplicative: each share is taken from what the causes listed before it left. Right when each was
	// measured against the time that the earlier ones leave. The order changes the lines, not the sum.
	Multiplicative Rule = "multiplicative"
)

// Cause is one reason why paid people are not on the queue.
type Cause struct {
	Name    string   `json:"name" yaml:"name"`   // "break", "training", "leave"; unique in the input
	Stage   Stage    `json:"stage" yaml:"stage"` //
	Share   float64  `json:"share" yaml:"share"` // of the people of the stage, [0,1), where no window applies
	Windows []Window `json:"windows,omitempty" yaml:"windows,omitempty"`
}

// Absence is the random part of shrinkage: who is on the roster and does not come. Each rostered
// person is absent with probability Share; Correlation is that between two people on the same day
// (flu, snow, the day after a festival), which makes the number absent beta-binomial.
type Absence struct {
	Share       float64  `json:"share" yaml:"share"`                       // mean, [0,1)
	Correlation float64  `json:"correlation,omitempty" yaml:"correlation"` // [0,1); 0 = people decide alone (binomial)
	Windows     []Window `json:"windows,omitempty" yaml:"windows,omitempty"`
	// Level is the least probability that enough people are present, (0,1). 0 = the mean rule
	// present / (1 - share), which is met only about every second day.
	Level float64 `json:"level,omitempty" yaml:"level"`
}

// Need is what one slot asks for.
type Need struct {
	Start time.Time `json:"start" yaml:"start"`
	Heads int       `json:"heads" yaml:"heads"` // trained agents on the queue
	// LoadErlangs is the work of the slot in agents' time; with OccupancyCap it sets a floor. 0 = no floor.
	LoadErlangs float64 `json:"load_erlangs,omitempty" yaml:"load_erlangs,omitempty"`
}

// Input is everything that Plan looks at.
type Input struct {
	Needs        []Need   `json:"needs" yaml:"needs"` // ascending by Start
	Causes       []Cause  `json:"causes" yaml:"causes"`
	Rule         Rule     `json:"rule" yaml:"rule"` // for each stage by itself; stages always multiply
	Absence      Absence  `json:"absence" yaml:"absence"`
	Adherence    float64  `json:"adherence" yaml:"adherence"`         // 排班遵从率: share of planned queue time really on the queue, (0,1]
	OccupancyCap float64  `json:"occupancy_cap" yaml:"occupancy_cap"` // largest share of queue time at work, (0,1]; 0 = none
	Ramp         Ramp     `json:"ramp" yaml:"ramp"`                   // used with Team
	Team         []Cohort `json:"team" yaml:"team"`                   // who is on the queue; empty = all trained
	// Shared leaves people in fractions and absence at its mean: who serves other queues in the same slot is not
	// rounded up to a whole person in each of them. It does not go with Absence.Level.
	Shared   bool           `json:"shared,omitempty" yaml:"shared,omitempty"`
	Location *time.Location `json:"-" yaml:"-"` // of windows; nil = UTC
}

// Slot is the answer for one slot.
type Slot struct {
	Start    time.Time `json:"start"`
	Required int       `json:"required_heads"` // trained agents on the queue, as asked
	OnQueue  float64   `json:"on_queue_heads"` // people of the team's mix on the queue, after occupancy and ramp
	Present  int       `json:"present_heads"`  // least whole number present
	Rostered int       `json:"rostered_heads"` // least whole number on the roster
	Payroll  float64   `json:"payroll_heads"`  // with planned leave; a share of a person is a share of a week
	// EnoughPresent is the probability that at least Present of the Rostered come.
	EnoughPresent float64 `json:"enough_present"`  // 0 with Shared, which does not ask
	MeanRule      int     `json:"mean_rule_heads"` // rostered heads if absence were always its mean
	Lines         []Line  `json:"lines"`           // add up to Payroll exactly
}

// Line is the part of the payroll heads that one cause takes.
type Line struct {
	Cause      string  `json:"cause"`           // "required", "occupancy", "ramp", a cause's name, "absence" …
	Share      float64 `json:"share,omitempty"` // the share or speed that was applied
	MilliHeads int64   `json:"milli_heads"`     // thousandths of a head; the sum of a slot is its payroll
	Text       string  `json:"text"`            // one sentence for the planner
}

// Output of Plan; Slots run parallel to Input.Needs.
type Output struct {
	Slots []Slot `json:"slots"`
	Mix   Mix    `json:"mix"` // of the team
}

// Plan finds present, rostered and payroll heads for each slot. Errors: people.input (every bad
// field), people.unreachable (the level of presence needs an absurd roster; says what is reached).
func Plan(in Input) (Output, error) {
	if err := in.Validate(); err != nil {
		return Output{}, err
	}
	mix := in.Ramp.Mix(in.Team)
	out := Output{Slots: make([]Slot, 0, len(in.Needs)), Mix: mix}
	known := map[presenceKey]presence{}
	for i, n := range in.Needs {
		s, err := in.slot(n, mix, known)
		if err != nil {
			e := fault.Of(err)
			e.Fields = append([]fault.Field{{Path: fmt.Sprintf("needs[%d]", i), Value: n.Start.Format(time.RFC3339), Problem: "cannot be staffed at this level of presence"}}, e.Fields...)
			return Output{}, e
		}
		out.Slots = append(out.Slots, s)
	}
	return out, nil
}

type presenceKey struct {
	need  int
	share float64
}

type presence struct {
	rostered int
	level    float64
}

// slot walks from the queue outwards and writes a line for every step.
func (in Input) slot(n Need, mix Mix, known map[presenceKey]presence) (Slot, error) {
	at := in.local(n.Start)
	l := ledger{}
	l.step("required", 0, float64(n.Heads), "%d trained heads on the queue", n.Heads)
	heads := float64(n.Heads)
	if in.OccupancyCap > 0 {
		if floor := math.Ceil(n.LoadErlangs/in.OccupancyCap - tiny); floor > heads {
			heads = floor
			l.step("occupancy", in.OccupancyCap, heads, "%.2f erlangs of work at most %.1f %% occupied", n.LoadErlangs, 100*in.OccupancyCap)
		}
	}
	if mix.Speed != 1 {
		heads /= mix.Speed
		l.step("ramp", mix.Speed, heads, "the team works at %.3f of a trained agent's speed", mix.Speed)
	}
	s := Slot{Start: n.Start, Required: n.Heads, OnQueue: heads}
	if in.Adherence != 1 {
		heads /= in.Adherence
		l.step("adherence", 1-in.Adherence, heads, "%.1f %% of planned queue time is lost", 100*(1-in.Adherence))
	}
	heads = l.stage(in.Causes, InShift, in.Rule, at, heads)
	s.Present = int(math.Ceil(heads - tiny))
	share := at.share(in.Absence.Share, in.Absence.Windows)
	if in.Shared {
		heads /= 1 - share
		s.Rostered = int(math.Ceil(heads - tiny))
		s.MeanRule = s.Rostered
		l.step("absence", share, heads, absentText, 100*share)
	} else {
		l.step("whole people", 0, float64(s.Present), "present people are whole")
		if err := in.roster(&s, &l, share, known); err != nil {
			return Slot{}, err
		}
		heads = float64(s.Rostered)
	}
	l.stage(in.Causes, OutOfShift, in.Rule, at, heads)
	s.Payroll, s.Lines = float64(l.sum)/1000, l.lines
	return s, nil
}

const absentText = "%.1f %% of the rostered do not come on average"

// roster finds how many must be rostered for those who must be present.
func (in Input) roster(s *Slot, l *ledger, share float64, known map[presenceKey]presence) error {
	mean := float64(s.Present) / (1 - share)
	s.MeanRule = int(math.Ceil(mean - tiny))
	got, ok := known[presenceKey{s.Present, share}]
	if !ok {
		var err error
		if got, err = in.Absence.least(s.Present, share); err != nil {
			return err
		}
		known[presenceKey{s.Present, share}] = got
	}
	s.Rostered, s.EnoughPresent = got.rostered, got.level
	l.step("absence", share, mean, absentText, 100*share)
	l.step("absence reserve", in.Absence.Level, float64(s.Rostered), "%d rostered: enough come with probability %.4f", s.Rostered, s.EnoughPresent)
	return nil
}

// tiny forgives the rounding of a division before a ceiling: a millionth of a millihead.
const tiny = 1e-9

// ledger writes the difference between two running totals, both in whole millihead: the lines
// telescope, so they add up exactly whatever was divided.
type ledger struct {
	sum   int64
	lines []Line
}

func (l *ledger) step(cause string, share, total float64, format string, args ...any) {
	milli := int64(math.Round(total * 1000))
	if len(l.lines) > 0 && milli == l.sum {
		return
	}
	l.lines = append(l.lines, Line{Cause: cause, Share: share, MilliHeads: milli - l.sum, Text: fmt.Sprintf(format, args...)})
	l.sum = milli
}

// stage adds the people whom the causes of one stage take away and returns how many are needed with them.
func (l *ledger) stage(causes []Cause, stage Stage, rule Rule, at moment, heads float64) float64 {
	total := 0.0
	for _, c := range causes {
		if c.Stage == stage {
			total += at.share(c.Share, c.Windows)
		}
	}
	all := heads / (1 - total) // under the additive rule
	for _, c := range causes {
		share := at.share(c.Share, c.Windows)
		if c.Stage != stage || share == 0 {
			continue
		}
		if rule == Additive {
			heads += all * share
			l.step(c.Name, share, heads, "%.1f %% of all %s", 100*share, stage.people())
		} else {
			heads /= 1 - share
			l.step(c.Name, share, heads, "%.1f %% of those that remain of the %s", 100*share, stage.people())
		}
	}
	return heads
}

// people names the group that a stage takes its shares from.
func (s Stage) people() string {
	if s == InShift {
		return "present"
	}
	return "payroll"
}
