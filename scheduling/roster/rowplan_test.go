package roster

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/chaoban/chaoban/scheduling/workrules"
)

// EveryRow holds the planner against all legal rows of one agent at random prices: it returns the
// value that the planner promises, and the most that a legal row earns, found by trying every row.
// same says that the planned row is legal and nothing is priced by a meter, so that the two are equal.
func EveryRow(p Problem, a int, seed uint64) (planned, best float64, same bool) {
	m := compile(&p)
	r := newRelaxation(m, 1)
	rng := rand.New(rand.NewPCG(seed, 1))
	for i := range r.price {
		r.price[i] = 30*rng.Float64() - 3
	}
	u := &r.duals[a]
	u.weekend, u.night, u.hour = 4*rng.Float64(), 4*rng.Float64(), rng.Float64()/60
	same = true
	for k := range u.meters {
		if rng.IntN(2) == 0 {
			u.meters[k], same = 0.5*rng.Float64(), false
		}
	}
	w := r.workers[0]
	planned = w.plan(a, r.price, &r.terms[a], u)
	rows := &rowTrial{m: m, w: w, u: u, price: r.price, judge: workrules.NewJudge(m.frame, p.Agents[a].Person), a: a, state: newState(m, nil)}
	rows.base = rows.judge.SoftBetween(m.agents[a].fixed)
	for _, x := range w.picks {
		rows.state.place[a][x.day].occ = m.agents[a].choices[x.day][x.at].occ
	}
	rows.work = w.work
	same = same && m.agents[a].rate == 0 && rows.legal() && len(p.Agents[a].Person.Sessions) == 0 && p.Rules.NightRun > len(m.days) // what the planner does not judge
	for d := range m.days {
		rows.state.place[a][d].occ = -1
	}
	rows.work = 0
	rows.try(0, 0)
	return planned, rows.best, same
}

// rowTrial tries the rows of an agent day by day; a row that breaks a rule is not continued, since
// whatever holds it breaks the rule too.
type rowTrial struct {
	m     *model
	w     *planner
	u     *agentDual
	price []float64
	judge *workrules.Judge
	state *state
	a     int
	base  int
	work  int32
	best  float64
}

func (r *rowTrial) legal() bool {
	limit := int32(r.m.p.Agents[r.a].MaxWork.Minutes())
	return r.judge.Broken(r.state.dutiesOf(r.a, -1, 0)) == nil && (limit == 0 || r.work+r.m.agents[r.a].lockWork <= limit)
}

func (r *rowTrial) try(d int, reward float64) {
	if d == len(r.m.days) {
		short := r.judge.SoftBetween(r.state.dutiesOf(r.a, -1, 0)) - r.base
		r.best = max(r.best, reward-r.m.p.Weights.SoftRule*float64(short)-r.dues())
		return
	}
	r.try(d+1, reward)
	am := &r.m.agents[r.a]
	if am.locked[d] || len(am.skills[d]) == 0 {
		return
	}
	for i := range am.choices[d] {
		c := &am.choices[d][i]
		o := &r.m.occ[d][c.occ]
		r.state.place[r.a][d].occ = c.occ
		r.work += o.duty.Work
		if r.legal() {
			r.try(d+1, reward+r.earns(d, c))
		}
		r.work -= o.duty.Work
		r.state.place[r.a][d].occ = -1
	}
}

// dues are the premiums of the row that single shifts don't tell.
func (r *rowTrial) dues() float64 {
	am := &r.m.agents[r.a]
	yuan := r.m.paid(r.a, r.judge, r.state.dutiesOf(r.a, -1, 0)) - am.basePaid
	for d := range r.m.days {
		for i := range am.choices[d] {
			if c := &am.choices[d][i]; c.occ == r.state.place[r.a][d].occ {
				yuan -= c.premium
			}
		}
	}
	return yuan
}

// earns is what one shift earns with its pauses where they lose least.
func (r *rowTrial) earns(d int, c *choice) float64 {
	m, o := r.m, &r.m.occ[d][c.occ]
	var at [maxPauses]int16
	lo, hi := m.window(r.a, d)
	r.w.prefix(m.agents[r.a].skills[d], r.price, lo, hi)
	lost, tired := r.w.pauses.place(m, o, r.w.gain, lo, m.agents[r.a].cloud, &at)
	reward := r.w.gain[o.start+o.len-lo] - r.w.gain[o.start-lo] - lost - c.own - m.p.Weights.SoftRule*float64(tired)
	if m.weekend[d] {
		reward -= r.u.weekend
	}
	if o.duty.Night {
		reward -= r.u.night
	}
	return reward + r.u.hour*float64(o.duty.Work)
}

// LegalRows plans every agent at the prices of a roster in fractions and makes a legal row of the plan:
// its shifts, dearest first, as far as they break no rule, then other shifts on free days. It returns
// what the plans promise, what the rows earn, and the most that a row earns beyond its promise.
func LegalRows(p Problem, passes int) (promised, earned, beyond float64) {
	m := compile(&p)
	r := newRelaxation(m, 1)
	f := newFluid(r)
	for range passes {
		n := 0
		f.run(func() bool { n++; return n == 1 })
	}
	w, s := r.workers[0], newState(m, nil)
	beyond = math.Inf(-1)
	for a := range m.agents {
		u := &r.duals[a]
		planned := w.plan(a, f.centre, &r.terms[a], u)
		row := &rowTrial{m: m, w: w, u: u, price: f.centre, judge: s.judges[a], a: a, state: s, work: 0}
		type try struct {
			day    int
			at     int16
			reward float64
		}
		var tries []try
		for _, x := range w.picks {
			tries = append(tries, try{x.day, x.at, 1e6 + row.earns(x.day, &m.agents[a].choices[x.day][x.at])})
		}
		for d := range m.days {
			for i := range m.agents[a].choices[d] {
				if !m.agents[a].locked[d] && len(m.agents[a].skills[d]) > 0 {
					tries = append(tries, try{d, int16(i), row.earns(d, &m.agents[a].choices[d][i])})
				}
			}
		}
		slices.SortStableFunc(tries, func(x, y try) int { return cmp.Compare(y.reward, x.reward) })
		reward := 0.0
		for _, x := range tries {
			if x.reward <= 0 || s.place[a][x.day].occ >= 0 || !s.fits(a, x.day, x.at) {
				continue
			}
			c := &m.agents[a].choices[x.day][x.at]
			before := row.dues()
			s.place[a][x.day].occ = c.occ
			if row.earns(x.day, c) < row.dues()-before {
				s.place[a][x.day].occ = -1
				continue
			}
			reward += row.earns(x.day, c)
		}
		reward -= m.p.Weights.SoftRule * float64(s.judges[a].SoftBetween(s.dutiesOf(a, -1, 0))-s.judges[a].SoftBetween(m.agents[a].fixed))
		reward -= row.dues()
		promised, earned, beyond = promised+planned, earned+reward, max(beyond, reward-planned)
	}
	return promised, earned, beyond
}

// Cheapest is the cost of the cheapest legal roster of a problem without pauses, found by trying all.
func Cheapest(p Problem) float64 {
	s := newState(compile(&p), nil)
	return s.cheapest(0, 0)
}

func (s *state) cheapest(a, d int) float64 {
	if a == len(s.m.agents) {
		return s.account().Total()
	}
	nextA, nextD := a, d+1
	if nextD == len(s.m.days) {
		nextA, nextD = a+1, 0
	}
	best := s.cheapest(nextA, nextD)
	am := &s.m.agents[a]
	if am.locked[d] || len(am.skills[d]) == 0 {
		return best
	}
	for i := range am.choices[d] {
		if s.fits(a, d, int16(i)) {
			o := option{day: d, at: int16(i)}
			o.tired = s.m.tired(&s.m.occ[d][am.choices[d][i].occ], &o.pause, am.cloud)
			s.put(a, o)
			best = min(best, s.cheapest(nextA, nextD))
			s.clear(a, d)
		}
	}
	return best
}
