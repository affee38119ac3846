package revise

import (
	"cmp"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Payroll prices shifts as the law pays them (劳动法 §44): 100, 150, 200 or 300 % of the wage, for a salary only
// what is paid on top of it. A day is paid by the rules and the wage that held on it (roster.PastRules, PastPay), and a
// shift by those of the day on which it starts. Rest-day work that is given back as time off (Agent.Lieu) is paid like
// ordinary hours. Whoever is not in it costs nothing. It is for one goroutine.
type Payroll struct {
	people map[ids.Agent]payee
}

type payee struct {
	*roster.Agent
	spells []spell
}

// spell is a stretch of days that are paid by the same rules and wage.
type spell struct {
	workrules.Case // without shifts
	last           bool
	wage           float64
	salaried       bool
	judge          *workrules.Judge
	base           workrules.PayMinutes // of sessions and what lies around
}

// NewPayroll compiles the agents of a problem by its range, calendar and rules; the range says which shifts are paid for.
func NewPayroll(p *roster.Problem) *Payroll {
	r := &Payroll{people: make(map[ids.Agent]payee, len(p.Agents))}
	frames := frames{}
	for i := range p.Agents {
		a := payee{Agent: &p.Agents[i]}
		a.spells = spellsOf(p, a.Agent, frames)
		for k := range a.spells {
			s := &a.spells[k]
			s.base = s.pay(a.Agent, nil)
		}
		r.people[a.Person.ID] = a
	}
	return r
}

// frames are the compiled calendars of stretches of a range. The rules of a stretch are those of its start.
type frames map[calendar.Range]*workrules.Frame

func (f frames) of(c workrules.Case) *workrules.Frame {
	if f[c.Range] == nil {
		f[c.Range] = workrules.NewFrame(c.Range, c.Holidays, c.Location, c.Params)
	}
	return f[c.Range]
}

// spellsOf cuts the range of a problem where the rules or what an agent is paid by change.
func spellsOf(p *roster.Problem, a *roster.Agent, frames frames) (out []spell) {
	cuts := []time.Time{p.Range.End}
	cut := func(d calendar.Date) {
		if at := d.In(p.Location); p.Range.Contains(at) && at.After(p.Range.Start) {
			cuts = append(cuts, at)
		}
	}
	for _, x := range p.PastRules {
		cut(x.Until)
	}
	for _, x := range a.PastPay {
		cut(x.Until)
	}
	slices.SortFunc(cuts, time.Time.Compare)
	start := p.Range.Start
	for _, end := range slices.CompactFunc(cuts, time.Time.Equal) {
		s := spell{
			Case: workrules.Case{Person: a.Person, Range: calendar.Range{Start: start, End: end}, Holidays: p.Holidays, Location: p.Location, Params: p.RulesOn(calendar.DateOf(start, p.Location))},
			last: end.Equal(p.Range.End),
		}
		held := a.PayOn(calendar.DateOf(start, p.Location))
		s.wage, s.salaried, s.Person.Regime = held.Wage, held.Salaried, held.Regime
		if !s.last { // what comes after is paid otherwise
			s.Person.Sessions = slices.DeleteFunc(slices.Clone(s.Person.Sessions), func(x workrules.Session) bool { return !x.Range.Start.Before(end) })
		}
		s.judge = workrules.NewJudge(frames.of(s.Case), s.Person)
		out = append(out, s)
		start = end
	}
	return out
}

// shifts are those that a spell looks at: the walk through a week goes in order of time, so what comes after the spell
// changes nothing in it.
func (s *spell) shifts(a *roster.Agent, own []scheduling.Shift) []scheduling.Shift {
	all := slices.Concat(a.History, own, a.Later)
	if s.last {
		return all
	}
	return slices.DeleteFunc(all, func(x scheduling.Shift) bool { return !x.Start.Before(s.Range.End) })
}

// pay is the paid time of shifts in a spell; the hours that are given back as time off are among the normal ones.
func (s *spell) pay(a *roster.Agent, own []scheduling.Shift) workrules.PayMinutes {
	shifts := s.shifts(a, own)
	m := s.judge.PayShifts(shifts)
	if len(a.Lieu) > 0 {
		for _, p := range s.parts(a, shifts) {
			back := int32(p.Lieu / time.Minute)
			m.RestDay, m.Normal = m.RestDay-back, m.Normal+back
		}
	}
	return m
}

// PaidPart is working time of one kind on one date, with what it is paid by.
type PaidPart struct {
	workrules.PayPart
	Lieu     time.Duration // of the Time of a rest day: given back as time off, so paid like ordinary hours
	Wage     float64       // yuan per ordinary hour
	Salaried bool          // a salary pays the hours at 100 %
}

// Yuan is what the time is paid; of a salary what comes on top of it.
func (p PaidPart) Yuan() float64 {
	full := (p.Time - p.Lieu).Hours() * float64(p.Kind) / 100
	if p.Salaried {
		if p.Kind == workrules.PayNormal {
			return 0
		}
		return p.Wage * full
	}
	return p.Wage * (full + p.Lieu.Hours())
}

func (s *spell) parts(a *roster.Agent, shifts []scheduling.Shift) (out []PaidPart) {
	c := s.Case
	c.Shifts = shifts
	for _, x := range workrules.PayHours(c) {
		p := PaidPart{PayPart: x, Wage: s.wage, Salaried: s.salaried}
		if x.Kind == workrules.PayRestDay {
			p.Lieu = min(x.Time, a.Lieu[x.Date])
		}
		out = append(out, p)
	}
	return out
}

// Parts lists the paid time of one agent in the range, its sessions too, in order of date and kind. Hours after
// midnight stand on the next date, unless the house counts them where the shift starts.
func (r *Payroll) Parts(agent ids.Agent, own []scheduling.Shift) (out []PaidPart) {
	p, known := r.people[agent]
	if !known {
		return nil
	}
	for i := range p.spells {
		s := &p.spells[i]
		out = append(out, s.parts(p.Agent, s.shifts(p.Agent, own))...)
	}
	slices.SortStableFunc(out, func(a, b PaidPart) int { return cmp.Or(a.Date.Sub(b.Date), int(a.Kind-b.Kind)) })
	return out
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
		p, known := r.people[a]
		if !known {
			continue
		}
		for i := range p.spells {
			s := &p.spells[i]
			pay := s.pay(p.Agent, own[a]).Minus(s.base)
			minutes = minutes.Plus(pay)
			yuan += s.wage * pay.Dues(s.salaried)
		}
	}
	return minutes, yuan
}
