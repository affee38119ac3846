// Package check owns the slow, obvious checkers of rosters: they recompute feasibility and cost
// from the input and the roster alone and share no code with the optimisers' evaluation, nor with
// workrules, so that an error in either shows as a disagreement.
//
// Times are as in the format checked: instants for rosters, day indexes for the benchmarks.
package check

import "fmt"

// Report is the verdict on one roster.
type Report struct {
	Violations []string           `json:"violations"` // hard rules broken, one sentence each; empty = feasible
	Cost       float64            `json:"cost"`
	Parts      map[string]float64 `json:"parts"` // named addends of Cost
}

func (r *Report) broken(format string, args ...any) {
	r.Violations = append(r.Violations, fmt.Sprintf(format, args...))
}

func (r *Report) add(part string, cost float64) {
	if r.Parts == nil {
		r.Parts = map[string]float64{}
	}
	r.Parts[part] += cost
	r.Cost += cost
}
