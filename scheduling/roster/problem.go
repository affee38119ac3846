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
	"regexp"
	"slices"
	"strconv"
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
	PastRules []PastRules // by which earlier days are paid, oldest first; only what accounts for shifts reads them, Solve does not
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
	// get nothing more (but where only seats are too few), and Solution.Violations names what they break:
	// no roster breaks less.
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

	// What pay of days that are over rests on, which no problem file has.
	PastPay []PastPay                       // what held before Wage, Salaried and Person.Regime, oldest first
	Lieu    map[calendar.Date]time.Duration // worked rest-day hours that are given back as time off: no 200 % (劳动法 §44(2))
	Unpaid  map[calendar.Date]time.Duration // leave and time off that a salary does not pay
	Salary  *float64                        // yuan that a salary pays in the range; nil: the wage of MinWork, or of the normal days
}

// MayWork tells whether an agent may work a template, by its code.
func (a *Agent) MayWork(code string) bool {
	return len(a.Templates) == 0 || slices.Contains(a.Templates, code)
}

// PastRules are rules by which shifts are paid that start before a date.
type PastRules struct {
	Until calendar.Date
	Rules workrules.Params
}

// PastPay is by what an agent was paid before a date.
type PastPay struct {
	Until    calendar.Date
	Wage     float64 // yuan per ordinary hour
	Salaried bool
	Regime   workrules.Regime
}

// RulesOn are the rules by which shifts are paid that start on a date.
func (p *Problem) RulesOn(d calendar.Date) workrules.Params {
	for _, x := range p.PastRules {
		if d.Before(x.Until) {
			return x.Rules
		}
	}
	return p.Rules
}

// PayOn is by what the agent is paid on a date.
func (a *Agent) PayOn(d calendar.Date) PastPay {
	for _, x := range a.PastPay {
		if d.Before(x.Until) {
			return x
		}
	}
	return PastPay{Wage: a.Wage, Salaried: a.Salaried, Regime: a.Person.Regime}
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
	Apart    time.Duration // least time after the end of the pause before it; 0 = none
}

// LatestPauses are the latest starts of the pauses, after the start of the shift, that leave room for those after them.
func (t Template) LatestPauses() []time.Duration {
	out := make([]time.Duration, len(t.Pauses))
	for k := len(t.Pauses) - 1; k >= 0; k-- {
		out[k] = t.Pauses[k].Latest
		if k+1 < len(t.Pauses) {
			out[k] = min(out[k], out[k+1]-t.Pauses[k+1].Apart-t.Pauses[k].Length)
		}
	}
	return out
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
			out = append(out, Template{Code: w.Prefix + clockCode(s, l), Start: s, Length: l, Weekdays: w.Weekdays, Pauses: w.Pauses})
		}
	}
	return out
}

// clockCode is the end of a generated code: "0830-9h", "0830-8.5h", "0830-9h5m".
func clockCode(start, length time.Duration) string {
	return time.Time{}.Add(start).Format("1504") + "-" + hourText(length)
}

// generatedCode takes a code apart that StartWindow generated: the prefix, the clock of the start, the rest.
var generatedCode = regexp.MustCompile(`^(.*?)(\d\d)(\d\d)(-[\d.hm]+)$`)

// Recoded is the code of a shift after it was moved or made longer or shorter. A code that says start and length, as
// those of a StartWindow do, says the new ones; another code is of a template that the shift is no longer, so there
// is none. A shift of the same times keeps its code.
func Recoded(was, now scheduling.Shift) string {
	if was.Start.Equal(now.Start) && was.End.Equal(now.End) {
		return now.Code
	}
	parts := generatedCode.FindStringSubmatch(was.Code)
	if parts == nil {
		return ""
	}
	hour, _ := strconv.Atoi(parts[2]) // digits
	minute, _ := strconv.Atoi(parts[3])
	start := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute
	if was.Code != parts[1]+clockCode(start, was.End.Sub(was.Start)) {
		return ""
	}
	const day = 24 * time.Hour
	start = ((start+now.Start.Sub(was.Start))%day + day) % day
	return parts[1] + clockCode(start, now.End.Sub(now.Start))
}

// Solution is a roster with its account.
type Solution struct {
	Roster     scheduling.Roster     `json:"roster"`
	Cost       float64               `json:"cost"`     // yuan, the sum of Parts
	Parts      Parts                 `json:"parts"`    // what the cost is made of
	Bound      float64               `json:"bound"`    // no roster can cost less
	Gap        float64               `json:"gap"`      // (Cost - Bound) / Cost, 0 when Cost is 0
	Savable    float64               `json:"savable"`  // Cost - Bound: another roster saves this at most
	Salaries   float64               `json:"salaries"` // yuan of fixed salaries, no part of Cost: Problem.Salaries
	Needed     float64               `json:"needed_hours"`
	Missing    float64               `json:"missing_hours"`  // head-hours below target
	Uncovered  []Uncovered           `json:"uncovered"`      // every stretch of slots below target, with the reason
	FixesFor   int                   `json:"fixes_for"`      // so many of the stretches, the dearest, have their fixes worked out
	Idle       []Idle                `json:"idle,omitempty"` // who works no shift, with the reason
	Violations []workrules.Violation `json:"violations"`     // soft rules only; a hard one is never broken unless LeastViolating
	Seed       uint64                `json:"seed"`
	Stopped    bool                  `json:"stopped"` // the context ended the search early
}

// Weigh sets the cost as the sum of the parts, and the bound with what it says of the cost.
func (s *Solution) Weigh(bound float64) {
	s.Cost = s.Parts.Total()
	s.Bound = min(bound, s.Cost)
	s.Savable, s.Gap = s.Cost-s.Bound, 0
	if s.Cost > 0 {
		s.Gap = s.Savable / s.Cost
	}
}

// Salaries are the yuan that salaries pay in the range whatever the roster is: Agent.Salary, or where that is not known
// the wage of the hours that the contract wants (MinWork), or where it names none, of the normal days in employment.
func (p *Problem) Salaries() (sum float64) {
	for i := range p.Agents {
		a := &p.Agents[i]
		if a.Salary != nil {
			sum += *a.Salary
			continue
		}
		if !a.Salaried {
			continue
		}
		owed := a.MinWork
		if owed == 0 {
			for d := range p.Range.Dates(p.Location) {
				if p.Holidays.Kind(d).Working() && (a.Person.Employed == calendar.Dates{} || a.Person.Employed.Contains(d)) {
					owed += p.Rules.NormalDay
				}
			}
		}
		sum += a.Wage * owed.Hours()
	}
	return sum
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
	Fixes   []Fix          `json:"fixes,omitempty"` // what brings most beyond its price first; for the dearest stretches
	Says    workrules.Text `json:"says"`            // one sentence
	Worth   float64        `json:"worth,omitempty"` // yuan lost in the stretch
}

// Reason counts the agents that cannot (or better do not) help, by cause.
type Reason struct {
	Code  string         `json:"code"` // "no_skill", "serving", "working", "pause", "not_worth" and their like, or the code of the rule that blocks: an exam, a pack or too many shops too
	Count int            `json:"count"`
	Says  workrules.Text `json:"says"`
}
