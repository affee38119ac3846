package revise

import (
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Account is what shifts cost as they are, part by part as Solve prices its own roster, whether or not a template
// describes them, with the soft rules that they break (roster.Judge). Nothing is unstable: stability is the price of
// a change and not of a roster. Problem.Previous and Problem.Locked are left out.
func Account(p roster.Problem, shifts []scheduling.Shift, broken []workrules.Violation) (parts roster.Parts) {
	w := p.Weights
	demand := Demand{Needs: p.Demand, Weights: w}
	parts.Short, parts.Over = demand.Board(p.Range, shifts).Price()
	own := map[ids.Agent][]scheduling.Shift{}
	for _, s := range shifts {
		own[s.Agent] = append(own[s.Agent], s)
		parts.Switches += w.Switch * float64(Switches(s))
	}
	frame := workrules.NewFrame(p.Range, p.Holidays, p.Location, p.Rules)
	payroll := NewPayroll(&p)
	for i := range p.Agents {
		a := &p.Agents[i]
		mine := own[a.Person.ID]
		work := WorkOf(mine)[a.Person.ID]
		_, dues := payroll.Of(mine)
		plain := 0.0
		for _, s := range mine {
			if held := a.PayOn(calendar.DateOf(s.Start, p.Location)); !held.Salaried {
				plain += w.Wage * held.Wage * s.WorkTime().Hours()
			}
		}
		parts.Wages += plain
		parts.Premiums += w.Wage*dues - plain
		parts.MinWork += w.MinWork * max(0, a.MinWork-work).Hours()
		nights, weekends := burdens(frame, mine, p.Location)
		parts.Fairness += w.Fairness * (grown(a.Ledger.Nights, nights) + grown(a.Ledger.Weekends, weekends))
		parts.Preference += w.Preference * wishes(a, mine, p)
	}
	for _, v := range broken {
		if !v.Hard {
			parts.SoftRules += w.SoftRule
		}
	}
	return parts
}

// burdens counts the nights and the weekend days of shifts.
func burdens(frame *workrules.Frame, shifts []scheduling.Shift, zone *time.Location) (nights, weekends int) {
	for _, s := range shifts {
		if d, known := frame.Duty(s); known && d.Night {
			nights++
		}
		if day := calendar.DateOf(s.Start, zone).Weekday(); day == time.Saturday || day == time.Sunday {
			weekends++
		}
	}
	return nights, weekends
}

// grown is how much the square of a count grows by some more.
func grown(before, more int) float64 {
	return float64((before+more)*(before+more) - before*before)
}

// wishes is the weight of the wishes of an agent that are not met, and of those against which it works.
func wishes(a *roster.Agent, shifts []scheduling.Shift, p roster.Problem) (sum float64) {
	for _, wish := range a.Preferences {
		if !p.Range.Contains(wish.Date.In(p.Location)) {
			continue
		}
		met := slices.ContainsFunc(shifts, func(s scheduling.Shift) bool {
			return calendar.DateOf(s.Start, p.Location) == wish.Date && (wish.Template == "" || s.Code == wish.Template)
		})
		if met == (wish.Weight < 0) {
			sum += math.Abs(wish.Weight)
		}
	}
	return sum
}

// Switches are the changes of queue inside a shift, over pauses as well.
func Switches(s scheduling.Shift) (n int) {
	last := ids.Queue("")
	for _, a := range s.Activities {
		if a.Kind != scheduling.Work {
			continue
		}
		if last != "" && last != a.Queue {
			n++
		}
		last = a.Queue
	}
	return n
}
