package margin

import (
	"math"

	"github.com/chaoban/chaoban/internal/calendar"
)

// term is an SLA line compiled onto the grid. Every metric is a share that should be high here:
// abandonment at most x is "not abandoned, at least 1 - x".
type term struct {
	spec    Term
	figure  int     // of the table
	target  float64 // least share
	steps   []stair // of the ladder
	rewards []stair
	within  []bool      // by slot of the queue: it counts
	weight  []float64   // by day: event multiplier
	all     [][]float32 // contacts that count, by day and scenario
	sum     []float64   // the same over all days
	part    float64     // of the ladder, see Model.parts; 1 for a term of its own
}

// stair is an amount from a distance to the target on.
type stair struct{ from, yuan float64 }

// timed reports a target in seconds.
func timed(metric string) bool { return metric == FirstMean || metric == ResponseMean }

// unit is a distance in the metric that matters: the whole for shares, the target for times.
func (t *term) unit() float64 {
	if timed(t.spec.Metric) {
		return max(1, t.spec.Target)
	}
	return 1
}

// touch is how close a shortfall must come to a step to stand on it: shares are quotients of rounded sums.
const touch = 1e-9

func (m *Model) compileTerm(q *queue, spec Term) term {
	t := term{spec: spec, target: spec.Target, part: 1}
	switch spec.Metric {
	case Abandoned:
		t.target = 1 - spec.Target
	case FirstMean, ResponseMean: // more is better: the time counts as a loss
		t.target = -spec.Target
	}
	base := spec.FeeBaseYuan
	if base == 0 {
		base = q.spec.Prices.FeeYuan
	}
	for _, s := range spec.Ladder {
		t.steps = append(t.steps, stair{s.Miss, s.DeductRate*base + s.DeductYuan})
	}
	for _, r := range spec.Bonus {
		t.rewards = append(t.rewards, stair{r.Over, r.Rate*base + r.Bonus})
	}
	hours, limited := parseWindow(spec.Window)
	period := calendar.Dates{From: spec.From, Until: spec.Until}
	for _, s := range q.spec.Demand.Slots {
		local := s.Start.In(m.loc)
		t.within = append(t.within, (!limited || hours.contains(local)) && (period.From.IsZero() || period.Contains(calendar.DateOf(local, m.loc))))
	}
	for _, d := range m.days {
		w := 1.0
		if e := spec.Event; e != nil && (calendar.Dates{From: e.From, Until: e.Until}).Contains(d) {
			w = e.Multiplier
		}
		t.weight = append(t.weight, w)
	}
	return t
}

// count the contacts that the term looks at.
func (t *term) count(q *queue, days, scenarios int) {
	t.all, t.sum = newDays(days, scenarios), make([]float64, scenarios)
	for i, load := range q.loads {
		if !t.within[i] {
			continue
		}
		for s, c := range load {
			t.all[q.day[i]][s] += c
			t.sum[s] += float64(c)
		}
	}
}

func newDays(days, scenarios int) [][]float32 {
	out := make([][]float32, days)
	for d := range out {
		out[d] = make([]float32, scenarios)
	}
	return out
}

// owed is what the ladder deducts for a share, and what the bonus adds.
func (t *term) owed(share float64) (deduct, bonus float64) {
	miss := t.target - share
	if miss > touch {
		deduct = climb(t.steps, miss, t.spec.Linear)
	} else {
		bonus = climb(t.rewards, -miss, false)
	}
	return deduct, bonus
}

// climb stands on the last stair reached, or on the line to the next one.
func climb(stairs []stair, height float64, linear bool) float64 {
	yuan := 0.0
	for i, s := range stairs {
		if height < s.from-touch {
			if linear && i > 0 {
				low := stairs[i-1]
				yuan = low.yuan + (s.yuan-low.yuan)*(height-low.from)/(s.from-low.from)
			}
			break
		}
		yuan = s.yuan
	}
	return yuan
}

// step is the 1-based step of the ladder that a share stands on, 0 for none.
func (t *term) step(share float64) int {
	n := 0
	for _, s := range t.steps {
		if miss := t.target - share; miss > touch && miss >= s.from-touch {
			n++
		}
	}
	return n
}

// average judges the whole horizon with what lies outside it.
func (t *term) average(met, all, part float64) (due, won float64) {
	due, won = t.owed(t.share(met, all, part))
	return part*due + t.spec.PerMissedYuan*max(0, all-met), part * won
}

// share with what lies outside the horizon; without any contact nothing is missed and nothing won.
func (t *term) share(met, all, part float64) float64 {
	if all += part * t.spec.OutsideContacts; all > 0 {
		return (met + part*t.spec.OutsideMet) / all
	}
	return t.target
}

// daily judges one day.
func (t *term) daily(day int, met, all float64) (due, won float64) {
	if all <= 0 {
		return 0, 0
	}
	due, won = t.owed(met / all)
	return t.weight[day] * (due + t.spec.PerMissedYuan*max(0, all-met)), won
}

// badDay reports that a day counts for a run.
func (t *term) badDay(met, all float64) bool {
	return all > 0 && t.target-met/all > max(touch, t.steps[0].from-touch)
}

// ledger is the state of one term under one staffing.
type ledger struct {
	*term
	met             [][]float32 // contacts that met the metric, by day and scenario
	total           []float64   // the same over all days
	due, won        []float64   // yuan before the cap, by scenario
	dayDue, dayWon  [][]float64 // of each day (Daily)
	bad             [][]bool    // (Run)
	days, scenarios int
	changedBad      []bool // buffer of after, by day
	rest            *rest  // of a group that is judged together; nil = the queue is judged alone
	ownDue, ownWon  []float64
}

// average judges the horizon with some contacts that met the metric in a scenario, with the rest of the group.
func (l *ledger) average(s int, met float64) (due, won float64) {
	if l.rest == nil {
		return l.term.average(met, l.sum[s], l.part)
	}
	return l.term.average(met+l.rest.met[s], l.sum[s]+l.rest.all[s], 1)
}

// capped is what is deducted in the end.
func (l *ledger) capped(due float64) float64 {
	most := l.spec.CapYuan
	if l.rest == nil {
		most *= l.part
	}
	if most > 0 {
		return math.Min(due, most)
	}
	return due
}

// told is a share as reports tell it: what left, or seconds.
func (t *term) told(share float64) float64 {
	switch t.spec.Metric {
	case Abandoned:
		return 1 - share
	case FirstMean, ResponseMean:
		return -share
	default:
		return share
	}
}

func newLedger(t *term, days, scenarios int) *ledger {
	l := &ledger{
		term: t, met: newDays(days, scenarios), total: make([]float64, scenarios),
		due: make([]float64, scenarios), won: make([]float64, scenarios), days: days, scenarios: scenarios,
	}
	for range days {
		switch t.spec.Period {
		case Daily:
			l.dayDue, l.dayWon = append(l.dayDue, make([]float64, scenarios)), append(l.dayWon, make([]float64, scenarios))
		case Run:
			l.bad = append(l.bad, make([]bool, scenarios))
		}
	}
	l.changedBad = make([]bool, days)
	return l
}

// settle derives all amounts from met.
func (l *ledger) settle() {
	for s := range l.scenarios {
		l.total[s], l.due[s], l.won[s] = 0, 0, 0
		for d := range l.days {
			met, all := float64(l.met[d][s]), float64(l.all[d][s])
			l.total[s] += met
			switch l.spec.Period {
			case Daily:
				l.dayDue[d][s], l.dayWon[d][s] = l.daily(d, met, all)
				l.due[s] += l.dayDue[d][s]
				l.won[s] += l.dayWon[d][s]
			case Run:
				l.bad[d][s] = l.badDay(met, all)
			}
		}
		switch l.spec.Period {
		case Average:
			l.due[s], l.won[s] = l.average(s, l.total[s])
		case Run:
			l.due[s], _ = l.runs(s, func(d int) bool { return l.bad[d][s] })
		}
	}
}

// apply changes for good.
func (l *ledger) apply(changes []change) {
	if len(changes) == 0 {
		return
	}
	for s := range l.scenarios {
		l.due[s], l.won[s] = l.after(s, changes)
		for _, c := range changes {
			l.met[c.day][s] += c.met[s]
			met, all := float64(l.met[c.day][s]), float64(l.all[c.day][s])
			l.total[s] += float64(c.met[s])
			switch l.spec.Period {
			case Daily:
				l.dayDue[c.day][s], l.dayWon[c.day][s] = l.daily(c.day, met, all)
			case Run:
				l.bad[c.day][s] = l.badDay(met, all)
			}
		}
	}
}

// runs counts every RunDays bad days in a row once, and deducts at the weight of the day that completes
// them. A day without contacts neither counts nor breaks the row.
func (l *ledger) runs(s int, bad func(day int) bool) (due, times float64) {
	row := 0
	for d := range l.days {
		switch {
		case l.all[d][s] <= 0:
		case !bad(d):
			row = 0
		default:
			if row++; row == l.spec.RunDays {
				due += l.weight[d] * l.steps[0].yuan
				times++
				row = 0
			}
		}
	}
	return due, times
}

// change of the contacts that met the metric on one day, by scenario.
type change struct {
	day int
	met []float32
}

// after is what would be due and won in a scenario after some changes.
func (l *ledger) after(s int, changes []change) (due, won float64) {
	switch l.spec.Period {
	case Daily:
		due, won = l.due[s], l.won[s]
		for _, c := range changes {
			d, w := l.daily(c.day, float64(l.met[c.day][s]+c.met[s]), float64(l.all[c.day][s]))
			due += d - l.dayDue[c.day][s]
			won += w - l.dayWon[c.day][s]
		}
		return due, won
	case Run:
		flipped := false
		for d := range l.changedBad {
			l.changedBad[d] = l.bad[d][s]
		}
		for _, c := range changes {
			bad := l.badDay(float64(l.met[c.day][s]+c.met[s]), float64(l.all[c.day][s]))
			flipped = flipped || bad != l.bad[c.day][s]
			l.changedBad[c.day] = bad
		}
		if !flipped {
			return l.due[s], 0
		}
		due, _ = l.runs(s, func(d int) bool { return l.changedBad[d] })
		return due, 0
	default:
		met := l.total[s]
		for _, c := range changes {
			met += float64(c.met[s])
		}
		return l.average(s, met)
	}
}
