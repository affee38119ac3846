package revise

import (
	"slices"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Payroll prices shifts as the law pays them (劳动法 §44): 100, 150, 200 or 300 % of the wage, for a salary only
// what is paid on top of it. Whoever is not in it costs nothing. It is for one goroutine.
type Payroll struct {
	people map[ids.Agent]payee
}

type payee struct {
	*roster.Agent
	judge *workrules.Judge
	base  workrules.PayMinutes // of sessions and what lies around
}

// NewPayroll compiles people; the frame's range says which shifts are paid for.
func NewPayroll(frame *workrules.Frame, people []roster.Agent) *Payroll {
	r := &Payroll{people: make(map[ids.Agent]payee, len(people))}
	for i := range people {
		p := payee{Agent: &people[i], judge: workrules.NewJudge(frame, people[i].Person)}
		p.base = p.pay(nil)
		r.people[people[i].Person.ID] = p
	}
	return r
}

func (p payee) pay(own []scheduling.Shift) workrules.PayMinutes {
	return p.judge.PayShifts(slices.Concat(p.History, own, p.Later))
}

// Of is the paid time and the yuan of shifts.
func (r *Payroll) Of(shifts []scheduling.Shift) (minutes workrules.PayMinutes, yuan float64) {
	own := map[ids.Agent][]scheduling.Shift{}
	var order []ids.Agent
	for _, s := range shifts {
		if own[s.Agent] == nil {
			order = append(order, s.Agent)
		}
		own[s.Agent] = append(own[s.Agent], s)
	}
	for _, a := range order {
		if p, known := r.people[a]; known {
			pay := p.pay(own[a]).Minus(p.base)
			minutes = minutes.Plus(pay)
			yuan += p.Wage * pay.Dues(p.Salaried)
		}
	}
	return minutes, yuan
}
