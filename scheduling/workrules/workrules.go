// Package workrules owns the labour-law and house rules that every roster, manual edit, swap and
// leave request is judged by: one rule = one named function, one sentence in Chinese and English,
// the article it rests on, and parameters that are data.
//
// Check judges what is; Case.Try judges a change before it is made; Case.Remedies says what would
// make a violation legal, each way judged again. Judge is the same for an optimiser: every hard rule
// that it asks is kept by every subset of a legal roster.
//
// It does not own what overtime costs (amounts are settled elsewhere; PayHours only says which
// hours are paid at which percentage) and it does not decide anything: it reports violations.
//
// Times: shifts are instants. A "day" is the civil day in the business time zone on which a shift
// starts, and all hours of a shift are counted on that day; only the pay split, statutory holidays,
// the weekly rest day, rest days of the calendar and the night rules look at the minutes on either side of midnight. Lengths
// are elapsed time; the night and agreed hours go by the clock on the wall. A "week" begins on
// Params.WeekStart, a "month" is the civil month. Sessions are working time outside shifts. Shifts before the judged range are history: they count towards every sum
// and run, but a violation is reported only where a judged shift takes part.
package workrules

import (
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

// Text is one sentence for the planner in the two languages of the console.
type Text struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// Violation is one broken rule of one agent.
type Violation struct {
	Rule     string         `json:"rule"` // code of the rule, e.g. "rest.between_block"
	Agent    ids.Agent      `json:"agent"`
	Range    calendar.Range `json:"range"` // the shift, gap, day, week or month that breaks it
	Hard     bool           `json:"hard"`
	Amount   float64        `json:"amount"` // how far over, in the rule's Unit
	Sentence Text           `json:"sentence"`
	Fix      Text           `json:"fix"`
}

// Case is everything needed to judge one agent.
type Case struct {
	Person   Person
	Shifts   []scheduling.Shift // any order; history before Range included, other agents' shifts ignored
	Range    calendar.Range     // violations are reported for shifts that start in it
	Holidays calendar.Holidays
	Location *time.Location // business time zone
	Params   Params
}

// CheckAll judges every person of a roster with its history and returns all violations, ordered
// by person as given. Shifts of unknown agents are ignored; roster validation reports those.
func CheckAll(people []Person, shifts []scheduling.Shift, frame *Frame) []Violation {
	byAgent := make(map[ids.Agent][]scheduling.Shift, len(people))
	for _, s := range shifts {
		byAgent[s.Agent] = append(byAgent[s.Agent], s)
	}
	var out []Violation
	for _, p := range people {
		own := byAgent[p.ID]
		slices.SortStableFunc(own, func(a, b scheduling.Shift) int { return a.Start.Compare(b.Start) })
		out = append(out, NewJudge(frame, p).Explain(own)...)
	}
	return out
}

// HasHard reports whether any violation forbids the roster.
func HasHard(vs []Violation) bool {
	return slices.ContainsFunc(vs, func(v Violation) bool { return v.Hard })
}
