package forecast

import (
	"fmt"
	"math"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

// Exclusion is a stretch of history that must not teach: its slots count as not known, neither
// as zero nor as closed, with a record or without. A slot is excluded when any part of it lies
// inside.
type Exclusion struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`     // first instant after it
	Reason string    `json:"reason"` // why a person took it out; required
}

// Excluded is an exclusion and what it took out of the history.
type Excluded struct {
	Exclusion
	Slots    int     `json:"slots"`    // records taken out
	Contacts float64 `json:"contacts"` // contacts in them
}

func exclusionProblems(list []Exclusion) []fault.Field {
	var bad []fault.Field
	for i, x := range list {
		path := fmt.Sprintf("exclude[%d]", i)
		switch {
		case x.From.IsZero() || x.To.IsZero():
			bad = append(bad, fault.Field{Path: path, Problem: "needs from and to"})
		case !x.From.Before(x.To):
			bad = append(bad, fault.Field{Path: path + ".to", Value: stamp(x.To), Problem: "must be after from " + stamp(x.From)})
		}
		if x.Reason == "" {
			bad = append(bad, fault.Field{Path: path + ".reason", Problem: "must not be empty: a later reader must know why"})
		}
	}
	return bad
}

// exclude turns the records of excluded slots into missing ones and remembers which they were.
// Where exclusions overlap a record belongs to the first of them.
func (g *grid) exclude() {
	if len(g.opt.Exclude) == 0 {
		return
	}
	g.out, g.void = make([]bool, len(g.y)), make([]bool, len(g.y))
	for _, x := range g.opt.Exclude {
		took := Excluded{Exclusion: x}
		first := max(0, g.dayOf(x.From)) * g.perDay
		for i := first; i < len(g.y); i++ {
			start := wallInstant(g.firstDay+i/g.perDay, i%g.perDay, g.slot, g.loc)
			if !start.Before(x.To) {
				break
			}
			if !start.Add(g.slot).After(x.From) {
				continue
			}
			if g.void[i] = true; math.IsNaN(g.y[i]) {
				continue
			}
			took.Slots++
			took.Contacts += g.y[i]
			g.y[i], g.out[i] = math.NaN(), true
		}
		g.excluded = append(g.excluded, took)
		if took.Slots > 0 {
			g.doubt("%s was left out: %s (%d records, %.0f contacts)", between(x.From.In(g.loc), x.To.In(g.loc)), x.Reason, took.Slots, took.Contacts)
		} else {
			g.doubt("%s was left out: %s (it holds no record, which counts as nothing known)", between(x.From.In(g.loc), x.To.In(g.loc)), x.Reason)
		}
	}
}

// isOut reports a record that an exclusion took out.
func (g *grid) isOut(i int) bool { return g.out != nil && g.out[i] }

// isVoid reports a slot that an exclusion covers, with a record or without.
func (g *grid) isVoid(i int) bool { return g.void != nil && g.void[i] }

// tookPart reports that day d had a record before exclusions: it was open, whatever is left of it.
func (g *grid) tookPart(d int) bool {
	for k := range g.perDay {
		if g.isOut(d*g.perDay + k) {
			return true
		}
	}
	return false
}

// allOut reports that exclusions left no record at all.
func (g *grid) allOut() bool {
	if g.out == nil {
		return false
	}
	for _, v := range g.y {
		if !math.IsNaN(v) {
			return false
		}
	}
	return true
}
