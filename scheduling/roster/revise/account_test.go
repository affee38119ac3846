package revise_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// The account of a roster's shifts is the one that the optimiser made them with, part by part: understaffing and
// overstaffing, wages and overtime, contract hours, fairness with a ledger, wishes, soft rules and changes of queue.
func TestTheAccountIsThatOfTheOptimiser(t *testing.T) {
	p := week(5, 0, 1, 2, 3, 4, 5, 6)
	p.Weights.Switch = 2
	second := scheduling.Requirement{Queue: "r", Slot: time.Hour}
	for day := range 7 {
		for hour := 9; hour < 20; hour += 2 {
			second.Needs = append(second.Needs, scheduling.Need{Start: at(day, float64(hour)), Heads: 1 + day%2})
		}
	}
	p.Demand = append(p.Demand, second)
	for i := range p.Agents {
		a := &p.Agents[i]
		a.Salaried, a.MinWork = i%2 == 0, time.Duration(i%2)*30*time.Hour
		a.Ledger = roster.Ledger{Nights: i, Weekends: 2 * i}
		a.Person.Skills = append(a.Person.Skills, workrules.Skill{Queue: "r"})
		a.Person.OvertimeAgreed = true
		a.Preferences = []roster.Preference{{Date: calendar.DateOf(at(i, 0), zone), Weight: -30}, {Date: calendar.DateOf(at(6-i, 0), zone), Weight: 25}}
	}
	made, err := roster.Solve(context.Background(), p, roster.Options{Seed: 1, Iterations: 300, Threads: 1})
	require.NoError(t, err)
	parts := revise.Account(p, made.Roster.Shifts, roster.Judge(p, made.Roster.Shifts))
	assert.InDelta(t, made.Cost, parts.Total(), 1e-6)
	for name, pair := range map[string][2]float64{
		"short": {made.Parts.Short, parts.Short}, "over": {made.Parts.Over, parts.Over}, "wages": {made.Parts.Wages, parts.Wages},
		"premiums": {made.Parts.Premiums, parts.Premiums}, "contract": {made.Parts.MinWork, parts.MinWork}, "fairness": {made.Parts.Fairness, parts.Fairness},
		"wishes": {made.Parts.Preference, parts.Preference}, "soft": {made.Parts.SoftRules, parts.SoftRules}, "switches": {made.Parts.Switches, parts.Switches},
	} {
		assert.InDelta(t, pair[0], pair[1], 1e-6, name)
	}
	assert.Positive(t, parts.Fairness)
	assert.Positive(t, parts.Short+parts.Over)
}

// A day made anew between the other days of its roster costs what the whole roster is paid more with its shifts than
// without them, counted on the whole roster: for the optimiser, for the account and for the payroll of edits. The other
// days are random, so the new shift moves rest days and the end of the normal hours onto them.
func TestADayMadeAnewCostsWhatItAddsToThePayOfTheRoster(t *testing.T) {
	moved := 0
	rapid.Check(t, func(t *rapid.T) {
		p := week(3, 0)
		whole := calendar.Range{Start: at(0, 0), End: at(21, 0)}
		p.Rules.RestDays = rapid.SampledFrom([]workrules.RestDayReading{workrules.RestDaysPlaced, workrules.RestDaysCalendar}).Draw(t, "rest days")
		p.Rules.ComprehensiveMonth = time.Duration(rapid.IntRange(30, 120).Draw(t, "normal month")) * time.Hour
		p.Holidays = calendar.NewHolidays("test", []calendar.Holiday{{Date: calendar.DateOf(at(3, 0), zone), Kind: calendar.Statutory}})
		day := rapid.IntRange(0, 20).Draw(t, "day")
		p.Range = calendar.Range{Start: at(day, 0), End: at(day+1, 0)}
		p.Demand = []scheduling.Requirement{{Queue: "q", Slot: time.Hour}}
		for hour := 9; hour < 17; hour++ {
			p.Demand[0].Needs = append(p.Demand[0].Needs, scheduling.Need{Start: at(day, float64(hour)), Heads: 3, Value: 500})
		}
		for i := range p.Agents {
			a := &p.Agents[i]
			a.Salaried, a.Person.OvertimeAgreed = rapid.Bool().Draw(t, "salaried"), true
			a.Person.Regime = rapid.SampledFrom([]workrules.Regime{workrules.Standard, workrules.Comprehensive, workrules.PartTime}).Draw(t, "regime")
			for d := range 21 {
				if d == day || rapid.IntRange(0, 3).Draw(t, "works") == 0 {
					continue
				}
				start := at(d, 9)
				s := scheduling.Shift{Agent: a.Person.ID, Start: start, End: start.Add(time.Duration(rapid.IntRange(3, 9).Draw(t, "hours")) * time.Hour)}
				if d < day {
					a.History = append(a.History, s)
				} else {
					a.Later = append(a.Later, s)
				}
			}
		}
		made, err := roster.Solve(context.Background(), p, roster.Options{Seed: 1, Iterations: 20, Threads: 1})
		require.NoError(t, err)
		want := 0.0
		for i := range p.Agents {
			a := &p.Agents[i]
			own := shiftsOf(made.Roster.Shifts, a.Person.ID)
			with, without := paidWhole(p, a, whole, own), paidWhole(p, a, whole, nil)
			want += p.Weights.Wage * (with - without)
			if len(own) > 0 && with-without > a.Wage*8.5 {
				moved++
			}
		}
		require.InDelta(t, want, made.Parts.Wages+made.Parts.Premiums, 1e-6)
		parts := revise.Account(p, made.Roster.Shifts, made.Violations)
		require.InDelta(t, made.Parts.Wages, parts.Wages, 1e-6)
		require.InDelta(t, made.Parts.Premiums, parts.Premiums, 1e-6)
		_, dues := revise.NewPayroll(&p).Of(made.Roster.Shifts)
		require.InDelta(t, want, p.Weights.Wage*dues, 1e-6)
		require.LessOrEqual(t, made.Bound, made.Cost+1e-6)
	})
	require.Positive(t, moved)
}

func shiftsOf(shifts []scheduling.Shift, agent ids.Agent) (out []scheduling.Shift) {
	for _, s := range shifts {
		if s.Agent == agent {
			out = append(out, s)
		}
	}
	return out
}

// paidWhole is what an agent is paid for a whole roster in yuan, as its listing says.
func paidWhole(p roster.Problem, a *roster.Agent, whole calendar.Range, own []scheduling.Shift) (yuan float64) {
	for _, part := range workrules.PayHours(workrules.Case{
		Person: a.Person, Shifts: slices.Concat(a.History, own, a.Later),
		Range: whole, Holidays: p.Holidays, Location: p.Location, Params: p.Rules,
	}) {
		if part.Kind != workrules.PayNormal || !a.Salaried {
			yuan += a.Wage * part.Time.Hours() * float64(part.Kind) / 100
		}
	}
	return yuan
}
