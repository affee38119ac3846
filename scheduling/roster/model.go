package roster

import (
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// model is a Problem compiled to integers on the finest grid that fits every slot, start, length
// and pause. It is immutable and shared by all chains.
type model struct {
	p       *Problem
	frame   *workrules.Frame
	grid    time.Duration
	perHour float64 // grid slots per hour
	inside  int     // grid slots of the range; demand exists only here
	slots   int     // inside plus room for shifts that end after the range
	queues  []ids.Queue
	target  []int16   // [slot*len(queues)+queue]
	value   []float64 // yuan per head and grid slot: Prices.value
	price   []int32   // where the prices of the heads are in prices, of cells with a target
	prices  priceTable
	covered []int16 // heads that locked shifts give and nobody can change
	days    []calendar.Date
	weekend []bool
	occ     [][]occurrence // per day
	longest int            // slots of the longest template
	agents  []agentModel

	siteOf []int     // per agent: index in Problem.Sites, -1 none
	free   [][]int16 // per site and slot: seats that the optimiser may fill
	block  int       // slots of the least block on one queue

	previousOf map[ids.Agent][]scheduling.Shift
}

// occurrence is a template on a day.
type occurrence struct {
	template   int
	start, len int // grid slots
	duty       workrules.Duty
	pauses     []pauseModel
	calm       bool // wherever the pauses go, no stretch of work is too long
	calmCloud  bool // and none lies where cloud agents take none
	mixed      bool // over midnight between days that are paid differently
}

type pauseModel struct {
	kind             scheduling.ActivityKind
	len, early, late int // grid slots after the start of the shift
	apart            int // least slots after the end of the pause before it, where the windows do not see to it; else 0
}

// agentModel is what is fixed about an agent.
type agentModel struct {
	skills   [][]int16  // per day: queues in ascending order
	sets     [][]uint64 // per day: skills as a set
	choices  [][]choice // per day: occurrences that no rule forbids on their own
	fixed    []workrules.Duty
	softBase int32   // soft rules that the activities of locked shifts break
	wage     float64 // yuan per plain hour of a shift, weighted; 0 when a salary pays it
	rate     float64 // yuan per hour of premium, weighted
	basePaid float64 // premiums of what is fixed
	cloud    bool
	conflict bool   // what is fixed breaks a hard rule
	locked   []bool // per day: has a locked shift, so the optimiser adds none
	lockWork int32  // minutes of locked work in the range
	nights   int    // of the ledger and of locked shifts
	weekends int
	wishes   [][]wish
	previous []int16 // per day: template of Problem.Previous, -1 none, -2 unknown kind
}

// choice is an occurrence that an agent may work on a day.
type choice struct {
	occ int16
	// alone counts the soft rules that the shift breaks by itself.
	alone int16
	// own is what the shift costs by itself: wage, premium, wishes, stability and those soft rules, less
	// what a day off costs.
	own float64
	// premium is the part of own that is paid beyond the wage whatever else the agent works.
	premium float64
	// rest is what the shift costs more on a rest day, at the least.
	rest float64
}

type wish struct {
	template int16 // -1: any
	weight   float64
}

func gcd(a, b time.Duration) time.Duration {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// compile expects a valid problem.
func compile(p *Problem) *model {
	m := &model{p: p, frame: workrules.NewFrame(p.Range, p.Holidays, p.Location, p.Rules)}
	m.grid = m.commonGrid()
	m.perHour = float64(time.Hour) / float64(m.grid)
	m.inside = int((p.Range.Duration() + m.grid - 1) / m.grid)
	m.slots = m.inside + int(24*time.Hour/m.grid)
	for d := range p.Range.Dates(p.Location) {
		m.days = append(m.days, d)
		m.weekend = append(m.weekend, d.Weekday() == time.Saturday || d.Weekday() == time.Sunday)
	}
	m.compileDemand()
	m.compileShifts()
	m.previousOf = map[ids.Agent][]scheduling.Shift{}
	for _, s := range p.Previous {
		m.previousOf[s.Agent] = append(m.previousOf[s.Agent], s)
	}
	for i := range p.Agents {
		m.agents = append(m.agents, m.compileAgent(&p.Agents[i]))
	}
	m.applyLocked()
	m.compileSites()
	m.block = roundUp(p.MinBlock, m.grid)
	return m
}

func (m *model) commonGrid() time.Duration {
	p := m.p
	g := time.Hour
	mix := func(ds ...time.Duration) {
		for _, d := range ds {
			if d != 0 {
				g = gcd(g, d)
			}
		}
	}
	mix(p.Range.Start.Sub(calendar.DateOf(p.Range.Start, p.Location).In(p.Location)), p.Range.Duration())
	for _, t := range p.Templates {
		mix(t.Start, t.Length)
		for _, q := range t.Pauses {
			mix(q.Length, q.Earliest, q.Latest, q.Apart)
		}
	}
	for _, s := range p.Sites {
		for _, w := range s.Windows {
			mix(w.From, w.Until)
		}
	}
	for _, r := range p.Demand {
		mix(r.Slot)
		for _, n := range r.Needs {
			mix(n.Start.Sub(p.Range.Start).Abs())
		}
	}
	return max(g, finest)
}

// TargetOf is the head count to roster: at least the heads that must be ready, and the paid heads
// (which carry shrinkage) rounded to the nearest whole person.
func TargetOf(n scheduling.Need) int { return max(n.Heads, int(math.Round(n.Paid))) }

func (m *model) compileDemand() {
	q := len(m.p.Demand)
	m.target = make([]int16, m.slots*q)
	m.value = make([]float64, m.slots*q)
	m.price = make([]int32, m.slots*q)
	m.covered = make([]int16, m.slots*q)
	for i, r := range m.p.Demand {
		m.queues = append(m.queues, r.Queue)
		for _, n := range r.Needs {
			prices := PricesOf(n, r.Slot, m.grid, m.p.Weights)
			value, at := prices.value(n), m.prices.add(n, prices)
			first := int(n.Start.Sub(m.p.Range.Start) / m.grid)
			for t := max(0, first); t < min(m.inside, first+int(r.Slot/m.grid)); t++ {
				m.target[t*q+i], m.value[t*q+i], m.price[t*q+i] = int16(TargetOf(n)), value, at
			}
		}
	}
}

func (m *model) compileShifts() {
	for _, date := range m.days {
		var list []occurrence
		for i, t := range m.p.Templates {
			if len(t.Weekdays) > 0 && !slices.Contains(t.Weekdays, date.Weekday()) {
				continue
			}
			start := time.Date(date.Year, date.Month, date.Day, 0, 0, int(t.Start/time.Second), 0, m.p.Location)
			if !m.p.Range.Contains(start) {
				continue
			}
			o := occurrence{template: i, start: int(start.Sub(m.p.Range.Start) / m.grid), len: int(t.Length / m.grid)}
			work := t.Length
			for _, q := range t.Pauses {
				x := pauseModel{kind: q.Kind, len: int(q.Length / m.grid), early: int(q.Earliest / m.grid), late: int(q.Latest / m.grid)}
				if n := len(o.pauses); n > 0 {
					if least := roundUp(q.Apart, m.grid); x.early-(o.pauses[n-1].late+o.pauses[n-1].len) < least {
						x.apart = least
					}
				}
				o.pauses = append(o.pauses, x)
				if q.Kind.Unpaid() {
					work -= q.Length
				}
			}
			duty, ok := m.frame.DutyOf(start, start.Add(t.Length), work)
			if !ok {
				continue
			}
			duty.Add(scheduling.Break, 0) // planned, even without a pause
			for _, q := range t.Pauses {
				duty.Add(q.Kind, q.Length)
			}
			o.duty, o.mixed = duty, m.frame.Mixed(duty)
			m.calm(&o)
			m.longest = max(m.longest, o.len)
			list = append(list, o)
		}
		m.occ = append(m.occ, list)
	}
}

func (m *model) compileAgent(a *Agent) agentModel {
	judge := workrules.NewJudge(m.frame, a.Person)
	am := agentModel{
		nights: a.Ledger.Nights, weekends: a.Ledger.Weekends,
		locked: make([]bool, len(m.days)), wishes: make([][]wish, len(m.days)), previous: make([]int16, len(m.days)),
		cloud: a.Person.Engagement == workrules.Cloud,
	}
	for d, date := range m.days {
		var skills []int16
		for q, name := range m.queues {
			if judge.MayServe(name, date) {
				skills = append(skills, int16(q))
			}
		}
		set := make([]uint64, (len(m.queues)+63)/64)
		for _, q := range skills {
			set[q>>6] |= 1 << (q & 63)
		}
		am.skills, am.sets = append(am.skills, skills), append(am.sets, set)
		am.previous[d] = -1
	}
	for _, s := range slices.Concat(a.History, a.Later) {
		if duty, ok := m.frame.Duty(s); ok {
			am.fixed = append(am.fixed, duty)
		}
	}
	m.compileWishes(a, &am)
	m.compilePay(a, &am)
	plain := workrules.NewJudge(m.frame, workrules.Person{Regime: a.Person.Regime, Period: a.Person.Period})
	none := judge.SoftCount(nil) - judge.SoftBetween(nil)
	one := make([]workrules.Duty, 1)
	for d := range m.days {
		var list []choice
		for i, o := range m.occ[d] {
			ok := a.MayWork(m.p.Templates[o.template].Code)
			if one[0] = o.duty; !ok || judge.Broken(one) != nil {
				continue
			}
			c := choice{occ: int16(i), alone: int16(judge.SoftCount(one) - judge.SoftBetween(one) - none)}
			c.premium = am.rate * ownPremium(plain, &o, a.Salaried)
			c.rest = max(0, am.rate*restPremium(&o, a.Salaried)-c.premium)
			c.own = am.wage*float64(o.duty.Work)/60 + c.premium + m.p.Weights.SoftRule*float64(c.alone) +
				am.dayCost(m, d, int16(o.template)) - am.dayCost(m, d, -1)
			list = append(list, c)
		}
		am.choices = append(am.choices, list)
	}
	return am
}

// dayCost is what wishes and stability cost on a day with a template (-1: off).
func (a *agentModel) dayCost(m *model, day int, template int16) float64 {
	return a.wishCost(day, template) + a.unrest(m, day, template)
}

// unrest is what a day costs with a template (-1: off) for being another one than before.
func (a *agentModel) unrest(m *model, day int, template int16) float64 {
	if len(m.p.Previous) == 0 {
		return 0
	}
	return m.p.Weights.Stability * differs(a.previous[day], template)
}

func (m *model) compileWishes(a *Agent, am *agentModel) {
	codes := map[string]int16{}
	for i, t := range m.p.Templates {
		codes[t.Code] = int16(i)
	}
	first := calendar.DateOf(m.p.Range.Start, m.p.Location)
	for _, w := range a.Preferences {
		if d := w.Date.Sub(first); d >= 0 && d < len(m.days) {
			code := int16(-1)
			if w.Template != "" {
				code = codes[w.Template]
			}
			am.wishes[d] = append(am.wishes[d], wish{code, w.Weight * m.p.Weights.Preference})
		}
	}
	for _, s := range m.previousOf[a.Person.ID] {
		if d := calendar.DateOf(s.Start, m.p.Location).Sub(first); d >= 0 && d < len(m.days) {
			code, ok := codes[s.Code]
			if !ok {
				code = -2
			}
			am.previous[d] = code
		}
	}
}

// applyLocked adds the locked shifts: their duties bind, and the queues that their activities
// name are covered. A locked shift without activities binds but covers nothing, since nobody has
// said what it is for.
func (m *model) applyLocked() {
	first := calendar.DateOf(m.p.Range.Start, m.p.Location)
	defer m.barConflicted()
	index := map[ids.Agent]int{}
	for i := range m.p.Agents {
		index[m.p.Agents[i].Person.ID] = i
	}
	held := map[int][]scheduling.Shift{}
	for _, s := range m.p.Locked {
		i := index[s.Agent]
		a := &m.agents[i]
		held[i] = append(held[i], s)
		day := calendar.DateOf(s.Start, m.p.Location).Sub(first)
		a.locked[day] = true
		if m.weekend[day] {
			a.weekends++
		}
		a.lockWork += int32(s.WorkTime() / time.Minute)
		if duty, ok := m.frame.Duty(s); ok {
			a.fixed = append(a.fixed, duty)
			if duty.Night {
				a.nights++
			}
		}
		for _, act := range s.Activities {
			q := slices.Index(m.queues, act.Queue)
			if act.Kind != scheduling.Work || q < 0 {
				continue
			}
			// A slot counts when it is worked from its beginning to its end.
			from := int((act.Start.Sub(m.p.Range.Start) + m.grid - 1) / m.grid)
			until := int(act.End.Sub(m.p.Range.Start) / m.grid)
			for t := max(0, from); t < min(until, m.slots); t++ {
				m.covered[t*len(m.queues)+q]++
			}
		}
	}
	for i := range m.agents {
		slices.SortStableFunc(m.agents[i].fixed, func(x, y workrules.Duty) int { return int(x.Start - y.Start) })
		m.agents[i].basePaid = m.paid(i, workrules.NewJudge(m.frame, m.p.Agents[i].Person), m.agents[i].fixed)
		if len(held[i]) == 0 {
			continue
		}
		slices.SortStableFunc(held[i], func(x, y scheduling.Shift) int { return x.Start.Compare(y.Start) })
		for _, v := range workrules.NewJudge(m.frame, m.p.Agents[i].Person).Explain(held[i]) {
			if v.Rule == "breaks.stretch" || v.Rule == "cloud.pauses" {
				m.agents[i].softBase++
			}
		}
	}
}

// barConflicted gives no shift to agents whose locked shifts and sessions break a hard rule already
// (Problem.LeastViolating): any further shift could only add to it.
func (m *model) barConflicted() {
	for i := range m.agents {
		a := &m.agents[i]
		if workrules.NewJudge(m.frame, m.p.Agents[i].Person).Broken(a.fixed) == nil {
			continue
		}
		a.conflict = true
		for d := range m.days {
			a.choices[d] = nil
		}
	}
}

func (m *model) at(slot int) time.Time {
	return m.p.Range.Start.Add(time.Duration(slot) * m.grid)
}

// wishCost is what the preferences of an agent cost on a day with a template (-1: off).
func (a *agentModel) wishCost(day int, template int16) (cost float64) {
	for _, w := range a.wishes[day] {
		met := template >= 0 && (w.template == -1 || w.template == template)
		if w.weight > 0 && !met {
			cost += w.weight
		}
		if w.weight < 0 && met {
			cost -= w.weight
		}
	}
	return cost
}
