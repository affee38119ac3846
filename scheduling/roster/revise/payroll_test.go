package revise_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// paidProblem is an agent of 20 yuan with random shifts in a fortnight that holds 端午节, before and after it.
func paidProblem(t *rapid.T) (p roster.Problem, own []scheduling.Shift) {
	zone := time.FixedZone("CST", 8*3600)
	first := calendar.MakeDate(2026, time.June, 15)
	p = roster.Problem{
		Range: calendar.Range{Start: first.In(zone), End: first.Add(14).In(zone)}, Location: zone, Rules: workrules.DefaultParams(),
		Holidays: calendar.NewHolidays("test", []calendar.Holiday{{Date: calendar.MakeDate(2026, time.June, 19), Kind: calendar.Statutory}}),
	}
	regime := rapid.SampledFrom([]workrules.Regime{workrules.Standard, workrules.Comprehensive, workrules.PartTime}).Draw(t, "regime")
	a := roster.Agent{Person: workrules.Person{ID: "a", Regime: regime}, Wage: 20, Salaried: rapid.Bool().Draw(t, "salaried")}
	for day := -7; day < 20; day++ {
		hours := rapid.SampledFrom([]int{0, 4, 8, 8, 10}).Draw(t, "hours")
		if hours == 0 {
			continue
		}
		start := first.Add(day).In(zone).Add(time.Duration(rapid.IntRange(8, 18).Draw(t, "start")) * time.Hour)
		s := scheduling.Shift{Agent: "a", Start: start, End: start.Add(time.Duration(hours) * time.Hour)}
		switch {
		case day < 0:
			a.History = append(a.History, s)
		case day < 14:
			own = append(own, s)
		default:
			a.Later = append(a.Later, s)
		}
	}
	p.Agents = []roster.Agent{a}
	return p, own
}

// Cutting the days where rules and wage stay the same changes nothing; giving a rest day back takes exactly its
// premium.
func TestPayrollInSpells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, own := paidProblem(t)
		whole := revise.NewPayroll(&p)
		minutes, yuan := whole.Of(own)
		cut := p
		cut.PastRules = []roster.PastRules{{Until: calendar.DateOf(p.Range.Start, p.Location).Add(rapid.IntRange(-3, 16).Draw(t, "rules")), Rules: p.Rules}}
		a := p.Agents[0]
		a.PastPay = []roster.PastPay{{Until: calendar.DateOf(p.Range.Start, p.Location).Add(rapid.IntRange(-3, 16).Draw(t, "pay")), Wage: a.Wage, Salaried: a.Salaried, Regime: a.Person.Regime}}
		cut.Agents = []roster.Agent{a}
		inSpells := revise.NewPayroll(&cut)
		got, paid := inSpells.Of(own)
		assert.Equal(t, minutes, got)
		assert.InDelta(t, yuan, paid, 1e-6)
		sum := func(r *revise.Payroll) (yuan float64) {
			for _, part := range r.Parts("a", own) {
				yuan += part.Yuan()
			}
			return yuan
		}
		assert.InDelta(t, sum(whole), sum(inSpells), 1e-6)

		a.Lieu = map[calendar.Date]time.Duration{}
		premium, back := 1.0, time.Duration(0) // times the wage: 200 % becomes 100 %, of a salary nothing
		if a.Salaried {
			premium = 2
		}
		for _, part := range whole.Parts("a", own) {
			if part.Kind == workrules.PayRestDay {
				a.Lieu[part.Date] += part.Time
				back += part.Time
			}
		}
		cut.Agents = []roster.Agent{a}
		lieu := revise.NewPayroll(&cut)
		_, paid = lieu.Of(own)
		assert.InDelta(t, yuan-20*premium*back.Hours(), paid, 1e-6)
		assert.InDelta(t, sum(whole)-20*premium*back.Hours(), sum(lieu), 1e-6)
		assert.Empty(t, lieu.Parts(ids.Agent("nobody"), own))
	})
}
