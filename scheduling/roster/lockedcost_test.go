package roster_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/check"
)

func lockedAt(p *roster.Problem, agent, day int, from, until time.Duration) {
	at := p.Range.Start.Add(time.Duration(24*day) * time.Hour)
	p.Locked = append(p.Locked, scheduling.Shift{Agent: p.Agents[agent].Person.ID, Code: "X", Start: at.Add(from), End: at.Add(until)})
}

// A locked night of Saturday is one night and one weekend shift: with two of either before, each costs 3² - 2². What
// nobody can decide, a wish for that day and another shift than before, costs nothing.
func TestLockedShiftsAreNightsAndWeekendsWorked(t *testing.T) {
	p := small(1)
	p.Weights.Fairness = 1
	p.Agents[0].Ledger = roster.Ledger{Nights: 2, Weekends: 2}
	p.Agents[0].Preferences = []roster.Preference{{Date: calendar.MakeDate(2026, 11, 14), Template: "D", Weight: 30}}
	p.Previous = []scheduling.Shift{{Agent: "A0", Code: "D", Start: p.Range.Start.Add(129 * time.Hour), End: p.Range.Start.Add(138 * time.Hour)}}
	lockedAt(&p, 0, 5, 22*time.Hour, 26*time.Hour)
	s := solve(t, p, 20)
	assert.InDelta(t, 5+5, s.Parts.Fairness, 1e-9)
	assert.InDelta(t, 10, s.Cost, 1e-9)
	assert.InDelta(t, 10, s.Bound, 1e-6, "nobody can undo it")
	assert.InDelta(t, 10, check.Roster(p, s.Roster.Shifts).Cost, 1e-9)
}

// Whoever has a locked weekend already leaves the next one to the other: with two locked ones 3² - 2² against 1².
func TestTheNextWeekendGoesToWhoHasNoneLocked(t *testing.T) {
	for _, has := range []int{0, 1} {
		p := small(2)
		p.Weights.Fairness = 1
		p.Range.End = p.Range.Start.AddDate(0, 0, 14)
		lockedAt(&p, has, 5, 9*time.Hour, 13*time.Hour)
		lockedAt(&p, has, 6, 9*time.Hour, 13*time.Hour)
		need(&p, "q", 1, 9, 12, 12)
		s := solve(t, p, 30)
		for _, shift := range s.Roster.Shifts {
			if shift.Code == "D" {
				assert.Equal(t, fmt.Sprintf("A%d", 1-has), string(shift.Agent))
			}
		}
		assert.InDelta(t, 4+1, s.Parts.Fairness, 1e-9)
	}
}

// Whatever is locked on a Saturday and Sunday, the bound is below every roster of these days, each counted by the checker,
// which counts what the search says too.
func TestTheBoundHoldsBesideLockedShifts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := small(rapid.IntRange(1, 2).Draw(t, "agents"))
		p.Weights.Fairness, p.Weights.SoftRule = rapid.Float64Range(0, 200).Draw(t, "fairness"), 0
		p.Range = calendar.Range{Start: p.Range.Start.AddDate(0, 0, 5), End: p.Range.End}
		p.Templates = []roster.Template{{Code: "D", Start: 9 * time.Hour, Length: 4 * time.Hour}, {Code: "N", Start: 20 * time.Hour, Length: 6 * time.Hour}}
		for a := range p.Agents {
			p.Agents[a].Ledger = roster.Ledger{Nights: rapid.IntRange(0, 3).Draw(t, "nights"), Weekends: rapid.IntRange(0, 3).Draw(t, "weekends")}
			for day := range 2 {
				switch rapid.IntRange(0, 5).Draw(t, "locked") {
				case 0:
					lockedAt(&p, a, day, 10*time.Hour, 14*time.Hour)
				case 1:
					lockedAt(&p, a, day, 18*time.Hour, 24*time.Hour)
				}
			}
		}
		need(&p, "q", rapid.IntRange(1, 2).Draw(t, "heads"), 9, 13, 0, 1)
		if p.Validate() != nil {
			t.Skip("not legal")
		}
		s := solve(t, p, 20)
		counted := check.Roster(p, s.Roster.Shifts)
		require.InDelta(t, counted.Cost, s.Cost, 1e-6)
		require.InDelta(t, counted.Parts["fairness"], s.Parts.Fairness, 1e-6)
		require.LessOrEqual(t, s.Bound, cheapestOf(p, 0, 0, p.Locked)+1e-6)
	})
}

// cheapestOf tries every template and none on every day of every agent from one on.
func cheapestOf(p roster.Problem, agent, day int, shifts []scheduling.Shift) float64 {
	switch {
	case agent == len(p.Agents):
		if r := check.Roster(p, shifts); len(r.Violations) == 0 {
			return r.Cost
		}
		return math.Inf(1)
	case day == 2:
		return cheapestOf(p, agent+1, 0, shifts)
	}
	best := cheapestOf(p, agent, day+1, shifts)
	date := p.Range.Start.AddDate(0, 0, day)
	if slices.ContainsFunc(p.Locked, func(s scheduling.Shift) bool {
		return s.Agent == p.Agents[agent].Person.ID && !s.Start.Before(date) && s.Start.Before(date.AddDate(0, 0, 1))
	}) {
		return best
	}
	for _, t := range p.Templates {
		s := scheduling.Shift{Agent: p.Agents[agent].Person.ID, Code: t.Code, Start: date.Add(t.Start)}
		s.End = s.Start.Add(t.Length)
		s.Activities = []scheduling.Activity{{Kind: scheduling.Work, Queue: "q", Start: s.Start, End: s.End}}
		best = min(best, cheapestOf(p, agent, day+1, append(slices.Clip(shifts), s)))
	}
	return best
}
