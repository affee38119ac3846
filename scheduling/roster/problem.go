// Package roster owns the optimiser that turns a requirement into shifts: Problem in, Solution
// out, with a cost, a lower bound, and for every slot that stays short the reason why.
//
// It does not own the rules (workrules judges, here as everywhere), the requirement (staffing),
// or what happens to a roster after it is made. It does no I/O, has no clock and no random source
// of its own: the same Problem, seed, iteration budget and thread count give the same roster.
//
// Times: Problem.Range, shifts and needs are instants. A Template's Start is wall-clock time after
// local midnight in Problem.Location on the day the shift starts; shifts start inside the range
// and may end after it.
package roster

import (
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Problem is a snapshot of everything a roster depends on.
type Problem struct {
	Range     calendar.Range
	Location  *time.Location
	Holidays  calendar.Holidays
	Rules     workrules.Params
	Agents    []Agent
	Templates []Template
	Demand    []scheduling.Requirement
	Locked    []scheduling.Shift // kept as they are; must be legal together with history
	Previous  []scheduling.Shift // an earlier roster; Weights.Stability prices every difference
	Weights   Weights
	Relief    Relief // prices of the fixes that Uncovered names; zero = DefaultRelief
	Sites     []Site // whose seats are limited
	// MinBlock is the least time on one queue between two pauses or changes of queue, hard; a stretch
	// between two pauses that is shorter is worked on one queue. 0 = people may change in every slot.
	MinBlock time.Duration
	// LeastViolating accepts locked shifts and sessions that break hard rules. They stay, their agents
	// get nothing more, and Solution.Violations names what they break: no roster breaks less.
	LeastViolating bool
}

// Agent is one person with what the optimiser needs beyond the rules.
type Agent struct {
	Person      workrules.Person
	Wage        float64            // yuan per ordinary hour, the base of every premium; 0 = not known, costs nothing
	Salaried    bool               // a salary pays the normal hours: only what the law adds to it costs (劳动法 §44)
	MinWork     time.Duration      // wanted working time in the range, soft; 0 = none
	MaxWork     time.Duration      // ceiling of working time in the range, hard; 0 = none
	Templates   []string           // codes this agent may work; empty = all
	Preferences []Preference       // soft
	History     []scheduling.Shift // shifts before the range (6 weeks matter at most)
	Later       []scheduling.Shift // binding shifts after the range: the rules look both ways (a week matters at most)
	Ledger      Ledger             // nights and weekends already worked, for fairness
	Site        ids.Site           // one of Problem.Sites; "" = no seat is needed (home office)
}

// Ledger counts unpopular shifts of the past.
type Ledger struct {
	Nights   int `json:"nights,omitempty"`
	Weekends int `json:"weekends,omitempty"` // shifts starting on Saturday or Sunday
}

// Preference is a wish about one date.
type Preference struct {
	Date     calendar.Date
	Template string  // "" means any shift
	Weight   float64 // yuan: above 0 lost when the wish to work is not met, below 0 lost when worked against the wish
}

// Template is a kind of shift.
type Template struct {
	Code     string
	Start    time.Duration // after local midnight, 0 to under 24 h
	Length   time.Duration
	Weekdays []time.Weekday // days it may start on; empty = all
	Pauses   []Pause        // placed against demand, in this order
}

// Pause is a meal or break that the optimiser places.
type Pause struct {
	Kind     scheduling.ActivityKind // Meal (unpaid), Break (paid) or Gap (unpaid, makes a split shift)
	Length   time.Duration
	Earliest time.Duration // of its start, after the start of the shift
	Latest   time.Duration
}

// StartWindow generates templates: every start from From to Until in Steps, with every length.
type StartWindow struct {
	Prefix      string // of the generated codes: "A" gives "A0830-9h"
	From, Until time.Duration
	Step        time.Duration
	Lengths     []time.Duration
	Pauses      []Pause
	Weekdays    []time.Weekday
}

// Expand lists the templates of a window in order of start, then length as given.
func (w StartWindow) Expand() []Template {
	var out []Template
	for s := w.From; s <= w.Until; s += max(w.Step, time.Minute) {
		for _, l := range w.Lengths {
			clock := time.Time{}.Add(s).Format("1504")
			out = append(out, Template{Code: w.Prefix + clock + "-" + hourText(l), Start: s, Length: l, Weekdays: w.Weekdays, Pauses: w.Pauses})
		}
	}
	return out
}

// Solution is a roster with its account.
type Solution struct {
	Roster     scheduling.Roster     `json:"roster"`
	Cost       float64               `json:"cost"`  // yuan, the sum of Parts
	Parts      Parts                 `json:"parts"` // what the cost is made of
	Bound      float64               `json:"bound"` // no roster can cost less
	Gap        float64               `json:"gap"`   // (Cost - Bound) / Cost, 0 when Cost is 0
	Needed     float64               `json:"needed_hours"`
	Missing    float64               `json:"missing_hours"` // head-hours below target
	Uncovered  []Uncovered           `json:"uncovered"`     // every stretch of slots below target, with the reason
	Violations []workrules.Violation `json:"violations"`    // soft rules only; a hard one is never broken unless LeastViolating
	Seed       uint64                `json:"seed"`
	Stopped    bool                  `json:"stopped"` // the context ended the search early
}

// Parts of the cost in yuan.
type Parts struct {
	Short      float64 `json:"short"`
	Over       float64 `json:"over"`
	Wages      float64 `json:"wages"`    // the plain wage of every hour that no salary pays
	Premiums   float64 `json:"premiums"` // what the law adds: overtime 150 %, rest days 200 %, statutory holidays 300 %
	MinWork    float64 `json:"min_work"`
	Fairness   float64 `json:"fairness"`
	Preference float64 `json:"preference"`
	Stability  float64 `json:"stability"`
	SoftRules  float64 `json:"soft_rules"`
	Switches   float64 `json:"switches"`
}

// Total of the parts.
func (p Parts) Total() float64 {
	return p.Short + p.Over + p.Wages + p.Premiums + p.MinWork + p.Fairness + p.Preference + p.Stability + p.SoftRules + p.Switches
}

// Uncovered is a stretch of consecutive slots of one queue with the same shortage.
type Uncovered struct {
	Queue   ids.Queue      `json:"queue"`
	Range   calendar.Range `json:"range"`
	Target  int            `json:"target"`
	Missing int            `json:"missing"`         // heads
	Reasons []Reason       `json:"reasons"`         // most frequent first; their counts add up to the agents
	Fixes   []Fix          `json:"fixes,omitempty"` // cheapest first; for the dearest stretches
	Says    workrules.Text `json:"says"`            // one sentence
	Worth   float64        `json:"worth,omitempty"` // yuan lost in the stretch
}

// Reason counts the agents that cannot (or better do not) help, by cause.
type Reason struct {
	Code  string         `json:"code"` // "no_skill", "working", "pause", "unavailable", "no_template", "not_worth", or the code of the rule that blocks
	Count int            `json:"count"`
	Says  workrules.Text `json:"says"`
}
