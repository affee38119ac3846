// Package check owns the slow, obvious checkers of rosters: they recompute feasibility and cost
// from the input and the roster alone and share no code with the optimisers' evaluation, nor with
// workrules, so that an error in either shows as a disagreement.
//
// Times are as in the format checked: instants for rosters, day indexes for the benchmarks.
package check

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Report is the verdict on one roster.
type Report struct {
	Violations []string           `json:"violations"` // hard rules broken, one sentence each; empty = feasible
	Cost       float64            `json:"cost"`
	Parts      map[string]float64 `json:"parts"`                   // named addends of Cost
	Soft       int                `json:"soft_rules_broken"`       // how often; of product rosters
	Needed     float64            `json:"needed_hours,omitempty"`  // head-hours wanted; of product rosters
	Missing    float64            `json:"missing_hours,omitempty"` // head-hours below target; of product rosters
	False      []Figure           `json:"false_figures,omitempty"` // what the roster file says otherwise
	Unread     []string           `json:"not_checked,omitempty"`   // what of a file is taken as it stands

	marks []mark       // of Violations, in their order
	softs map[mark]int // how often each soft rule is broken
	cells []cell       // of Demand, every five minutes

	seatless []workrules.Violation // where seats are too few, as a file names it
}

// mark is the rule of the pack that a violation breaks; a violation of the format has none.
type mark struct {
	rule  string
	agent ids.Agent
}

func (r *Report) broken(format string, args ...any) {
	r.keep(mark{}, fmt.Sprintf(format, args...))
}

// breaks notes a broken rule of the pack. What is said twice is one violation.
func (r *Report) breaks(rule string, who ids.Agent, format string, args ...any) {
	r.keep(mark{rule, who}, fmt.Sprintf("%s %s", who, fmt.Sprintf(format, args...)))
}

func (r *Report) keep(m mark, says string) {
	if !slices.Contains(r.Violations, says) {
		r.Violations, r.marks = append(r.Violations, says), append(r.marks, m)
	}
}

func (r *Report) add(part string, cost float64) {
	if r.Parts == nil {
		r.Parts = map[string]float64{}
	}
	r.Parts[part] += cost
	r.Cost += cost
}

// Merge adds what the rule pack finds, each breach once: where both find that an agent breaks a rule, the
// sentences of the pack stand, with their article; what only one of the two finds stands as it is.
func (r *Report) Merge(found []workrules.Violation, loc *time.Location) {
	article := map[string]string{}
	for _, rule := range workrules.Rules() {
		article[rule.Code] = rule.Article
	}
	known := map[mark]bool{}
	for _, v := range found {
		known[mark{v.Rule, v.Agent}] = known[mark{v.Rule, v.Agent}] || v.Hard
	}
	var says []string
	var marks []mark
	for i, m := range r.marks {
		if !known[m] {
			says, marks = append(says, r.Violations[i]), append(marks, m)
		}
	}
	r.Violations, r.marks = says, marks
	type told struct {
		mark
		day  calendar.Date
		says string
	}
	once := map[told]bool{}
	for _, v := range found {
		this := told{mark{v.Rule, v.Agent}, calendar.DateOf(v.Range.Start, loc), v.Sentence.EN}
		if !v.Hard || once[this] {
			continue // a shift in several parts breaks a rule in each
		}
		once[this] = true
		at := "" // what concerns whole days names them
		if start := v.Range.Start.In(loc); !calendar.DateOf(start, loc).In(loc).Equal(start) {
			at = " " + start.Format("2006-01-02 15:04")
		}
		r.keep(this.mark, fmt.Sprintf("%s%s %s: %s (%s)", v.Agent, at, v.Rule, v.Sentence.EN, article[v.Rule]))
	}
}

// clock is an instant for people, in the zone of the problem.
func clock(p roster.Problem, t time.Time) string { return t.In(p.Location).Format("2006-01-02 15:04") }

// hours is a length of time for people: "9.5 h".
func hours(d time.Duration) string { return fmt.Sprintf("%.4g h", d.Hours()) }

// restRule is the rule that too little time between two shifts breaks.
func restRule(gap time.Duration) string {
	if gap < 0 {
		return "shift.overlap"
	}
	return "rest.between_block"
}

// cell is one queue for five minutes.
type cell struct {
	queue        ids.Queue
	at           int64 // Unix time
	target, have int
	need         scheduling.Need
	slot         time.Duration
}

func compareCells(a, b cell) int {
	return cmp.Or(cmp.Compare(a.queue, b.queue), cmp.Compare(a.at, b.at))
}
