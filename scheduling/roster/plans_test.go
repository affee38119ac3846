package roster_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
)

// The bound is true only when the planner promises at least what every legal row earns. Where the planned
// row is legal itself, it is the best one.
func TestNoLegalRowEarnsMoreThanThePlannedOne(t *testing.T) {
	exact := 0
	rapid.Check(t, func(t *rapid.T) {
		p := randomProblem(t)
		rows := func() float64 { return math.Pow(float64(len(p.Templates)+1), p.Range.Duration().Hours()/24) }
		for rows() > 3000 {
			p.Range.End = p.Range.End.AddDate(0, 0, -1)
		}
		if rapid.Bool().Draw(t, "whole week") {
			p.Rules.WeekStart = strings.ToLower(p.Range.Start.In(p.Location).Weekday().String())
		}
		randomCeilings(t, &p)
		randomLater(t, &p)
		p.Rules.ConsecutiveDays = rapid.IntRange(2, 8).Draw(t, "days in a row")
		p.Rules.RestWarn = time.Duration(rapid.IntRange(8, 14).Draw(t, "rest")) * time.Hour
		p.Rules.NightRun = rapid.SampledFrom([]int{2, 31}).Draw(t, "nights in a row")
		planned, best, same := roster.EveryRow(p, rapid.IntRange(0, len(p.Agents)-1).Draw(t, "agent"), rapid.Uint64().Draw(t, "prices"))
		require.GreaterOrEqual(t, planned, best-1e-6)
		if same {
			require.InDelta(t, best, planned, 1e-6)
			exact++
		}
	})
	require.Positive(t, exact)
}

// randomCeilings draws ceilings of overtime that a few days reach.
func randomCeilings(t *rapid.T, p *roster.Problem) {
	p.Rules.OvertimeMonth = time.Duration(rapid.SampledFrom([]int{4, 10, 36}).Draw(t, "overtime of a month")) * time.Hour
	p.Rules.OvertimeWeek = min(p.Rules.OvertimeMonth, time.Duration(rapid.SampledFrom([]int{6, 18}).Draw(t, "overtime of a week"))*time.Hour)
	for i := range p.Agents {
		if p.Agents[i].Person.OvertimeAgreed && rapid.Bool().Draw(t, "a full week before") {
			for d := 1; d <= 5; d++ {
				at := p.Range.Start.AddDate(0, 0, -d).Add(12 * time.Hour)
				if !slices.ContainsFunc(p.Agents[i].History, func(s scheduling.Shift) bool { return at.Before(s.End) && s.Start.Before(at.Add(6*time.Hour)) }) {
					p.Agents[i].History = append(p.Agents[i].History, scheduling.Shift{Agent: p.Agents[i].Person.ID, Start: at, End: at.Add(6 * time.Hour)})
				}
			}
		}
	}
	for i := range p.Agents {
		if p.Validate() == nil {
			break
		}
		p.Agents[i].Person.Sessions = nil // they may break a ceiling by themselves now
	}
}

// randomLater fixes work on days after the range, so that a shift inside can make it dearer, for whom it is lawful there.
func randomLater(t *rapid.T, p *roster.Problem) {
	for i := range p.Agents {
		was := slices.Clone(p.Agents[i].Later)
		days := rapid.SampledFrom([]int{0, 3, 5, 6}).Draw(t, "days after")
		off := rapid.IntRange(0, 5).Draw(t, "off")
		for d := range days {
			if at := p.Range.End.AddDate(0, 0, d).Add(12 * time.Hour); d != off {
				p.Agents[i].Later = append(p.Agents[i].Later, scheduling.Shift{Agent: p.Agents[i].Person.ID, Start: at, End: at.Add(7 * time.Hour)})
			}
		}
		if p.Validate() != nil {
			p.Agents[i].Later = was
		}
	}
}

// Over four weeks nobody can try every row. Rows made of the plans themselves come close to the promises,
// so a promise that is too small, from a ceiling that no rule sets, would show. These rows are made shift by shift
// and pay premiums that the plans avoid.
func TestLegalRowsOfFourWeeksComeCloseToTheirPlans(t *testing.T) {
	for seed := range uint64(2) {
		promised, earned, beyond := roster.LegalRows(makeHouse(60, 0.9, seed+1), 12)
		assert.LessOrEqual(t, beyond, 1e-6)
		assert.Greater(t, earned, 0.9*promised)
		t.Logf("promised %.0f, earned %.0f", promised, earned)
	}
}

// What mixtures hold is told in three places: weights, shares and heads. By weak duality no bound lies
// above the cost of fractions.
func TestMixturesKeepTheirBooks(t *testing.T) {
	weights, slots, heads, gap := roster.Mixtures(makeHouse(40, 0.9, 3), 25)
	assert.InDelta(t, 0, weights, 1e-6)
	assert.InDelta(t, 0, slots, 1e-3)
	assert.InDelta(t, 0, heads, 1e-3)
	assert.Positive(t, gap)
	assert.Less(t, gap, 0.15)
	t.Logf("gap of the fractions %.2f %%", gap*100)
}

// The bound against the truth: no roster of a small problem costs less, and Solve's costs no less than the
// cheapest one.
func TestNoRosterOfASmallProblemCostsLessThanTheBound(t *testing.T) {
	met, all := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		p := randomProblem(t)
		p.Agents = p.Agents[:min(2, len(p.Agents))]
		for i := range p.Templates {
			p.Templates[i].Pauses, p.Templates[i].Length = nil, min(p.Templates[i].Length, 8*time.Hour)
		}
		rows := func() float64 {
			return math.Pow(float64(len(p.Templates)+1), p.Range.Duration().Hours()/24*float64(len(p.Agents)))
		}
		for rows() > 3000 && p.Range.Duration() > 48*time.Hour {
			p.Range.End = p.Range.End.AddDate(0, 0, -1)
		}
		for i := range p.Demand {
			p.Demand[i].Needs = slices.DeleteFunc(p.Demand[i].Needs, func(n scheduling.Need) bool { return !n.Start.Before(p.Range.End) })
		}
		randomCeilings(t, &p)
		randomLater(t, &p)
		s := solve(t, p, 30)
		cheapest := roster.Cheapest(p)
		require.LessOrEqual(t, s.Bound, cheapest+1e-6)
		require.GreaterOrEqual(t, s.Cost, cheapest-1e-6)
		if all++; s.Bound > 0.9*cheapest {
			met++
		}
	})
	t.Logf("within a tenth of the cheapest: %d of %d", met, all)
	require.Positive(t, met)
}
