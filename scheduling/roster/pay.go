package roster

import "github.com/chaoban/chaoban/scheduling/workrules"

// compilePay fills in what an hour of an agent costs.
func (m *model) compilePay(a *Agent, am *agentModel) {
	am.rate = m.p.Weights.Wage * a.Wage
	if am.wage = am.rate; a.Salaried {
		am.wage = 0
	}
}

// paid is the yuan that an agent's duties cost beyond the plain wage.
func (m *model) paid(a int, judge *workrules.Judge, duties []workrules.Duty) float64 {
	am := &m.agents[a]
	if am.rate == 0 {
		return 0
	}
	return am.rate * judge.Pay(duties).Premium(m.p.Agents[a].Salaried)
}

// ownPremium is the least premium of a shift in hours of the wage, whatever else is worked and wherever
// its pauses go: what lies on statutory holidays and beyond the normal day. No other shift makes it less,
// so these add up to no more than the premiums of a roster, which the bound needs. plain judges a
// person without sessions and carried hours.
func ownPremium(plain *workrules.Judge, o *occurrence, salaried bool) float64 {
	duty := o.duty
	if o.mixed {
		unpaid := duty.End - duty.Start - duty.Work
		duty.Holiday, duty.RestDay = max(0, duty.Holiday-unpaid), max(0, duty.RestDay-unpaid)
	}
	return plain.Pay([]workrules.Duty{duty}).Premium(salaried)
}

// restPremium is the least premium of a shift on a rest day, in hours of the wage.
func restPremium(o *occurrence, salaried bool) float64 {
	holiday, unpaid := o.duty.Holiday, int32(0)
	if o.mixed {
		unpaid = o.duty.End - o.duty.Start - o.duty.Work
	}
	return workrules.PayMinutes{RestDay: max(0, o.duty.Work-holiday), Statutory: max(0, holiday-unpaid)}.Premium(salaried)
}

// dutyOf is the duty of a shift with its pauses placed.
func (m *model) dutyOf(o *occurrence, pause *[maxPauses]int16) workrules.Duty {
	duty := o.duty
	if !o.mixed {
		return duty
	}
	step := int32(m.grid.Minutes())
	var unpaid [maxPauses][2]int32
	n := 0
	for k, p := range o.pauses {
		if p.kind.Unpaid() {
			at := duty.Start + int32(pause[k])*step
			unpaid[n] = [2]int32{at, at + int32(p.len)*step}
			n++
		}
	}
	m.frame.Unpaid(&duty, unpaid[:n]...)
	return duty
}

// payWith is the pay of an agent that works an option beside its shifts of other days.
func (s *state) payWith(a, day, k int, pause *[maxPauses]int16) workrules.PayMinutes {
	return s.judges[a].Pay(s.placed(s.dutiesOf(a, day, int16(k)), &s.m.occ[day][k], pause))
}

// paidWith is paid of duties that hold an option whose pauses are placed.
func (s *state) paidWith(a int, duties []workrules.Duty, o *occurrence, pause *[maxPauses]int16) float64 {
	return s.m.paid(a, s.judges[a], s.placed(duties, o, pause))
}

// placed tells duties where the pauses of one of them go.
func (s *state) placed(duties []workrules.Duty, o *occurrence, pause *[maxPauses]int16) []workrules.Duty {
	if o.mixed {
		for i := range duties {
			if duties[i].Start == o.duty.Start {
				duties[i] = s.m.dutyOf(o, pause)
			}
		}
	}
	return duties
}
