package staffing

import "math"

// Where a conversation has hardly more than one round, its rare pause is many times a reply. How many conversations
// pause then changes slowly, over minutes in which the agents without a reply to write stay idle while the queue
// moves. A chain of one agent forgets that; so the whole desk is followed instead: states (conversations n, of
// them pausing s). It is exact but for one thing, how the pauses are spread over the agents. See DESIGN.md, "Memory".

// Up to fewRounds the desk is followed as a whole, from severalRounds on the chain of one agent is used: pauses are then of the
// length of a few replies, and their number is no slower than the rest. Between them the figures of both are mixed, so
// that nothing jumps.
const fewRounds, severalRounds = 1.3, 2.0

// remembers is the part of the figures that a desk with memory gives. A pause shorter than a reply is forgotten at once.
func (t *chatTable) remembers() float64 {
	if t.Rounds <= 1 || t.back*t.reply >= 1 {
		return 0
	}
	return min(1, max(0, (severalRounds-t.Rounds)/(severalRounds-fewRounds)))
}

// memory is the chain over (conversations, pauses) on a lattice.
type memory struct {
	*chatTable
	agents      int
	rate, leave float64
	effort      int     // see reach
	begun       float64 // see drive
	pace        []float64
	seats       []seat // of the chain without memory: how loads are spread
	room, limit int    // conversations that fit; that the balance was ended at
	step        int    // of the lattice, the same in both directions
	from, count int    // conversations: from, from+step, ...; room is one of them
	pauses      int    // pauses: pauses, pauses+step, ...
	kinds       int
	desks       []deskState // by conversations and pauses
	weights     []float64
}

// deskState is what the agents do in one state.
type deskState struct {
	speed   float64 // replies in progress over the mean time of one, per second
	busy    float64 // agents who write
	tilt    float64 // weight of one pause more at an agent over one fewer, times the number
	spread  loads
	turn    float64 // of an idle agent at the lowest usual level, over that of any there; see turns
	lowest  int     // that level, and the place of it in spread
	factor  [3]float64
	law     [3][]float64 // by place in spread: chance of each number of pauses, given the sum over all agents
	present bool         // the state exists
}

// remembered refines a steady state. It needs more than one round.
func (t *chatTable) remembered(agents int, rate, leave float64, b *balance, effort int) *memory {
	m := &memory{
		chatTable: t, agents: agents, rate: rate, leave: leave, effort: effort,
		begun: b.drive.begun, pace: b.drive.pace, seats: b.seats, limit: b.limit, room: agents * t.Concurrency,
	}
	m.reach()
	m.desks, m.weights = make([]deskState, m.count*m.kinds), make([]float64, m.count*m.kinds)
	for i := range m.count {
		tilt := 0.0
		for j := range m.kinds {
			m.desks[i*m.kinds+j] = m.state(m.from+i*m.step, m.pauses+j*m.step, tilt)
			tilt = m.desks[i*m.kinds+j].tilt
		}
	}
	m.solve()
	return m
}

// state describes n conversations of which some pause. Loads are spread by the routing; given its load an
// agent's pauses come and go one by one, at a rate that does not depend on their number while it writes, so they
// are Poisson cut at the load, with the one parameter that gives the right sum.
func (m *memory) state(n, pausing int, near float64) deskState {
	open := min(n, m.room)
	d := deskState{present: pausing <= open, tilt: near}
	if !d.present {
		return d
	}
	if open == m.room {
		d.spread = loads{lowest: m.Concurrency, count: [3]float64{float64(m.agents)}}
	} else {
		d.spread = spread(m.agents, open/m.agents, open%m.agents, m.rate, m.seats)
	}
	d.lowest, d.turn, d.factor = -1, 1, [3]float64{1, 1, 1}
	m.share(&d, pausing)
	if m.agents > 1 && open < m.room && pausing > 0 && m.takeTurns(&d) {
		m.share(&d, pausing)
	}
	for i, count := range d.spread.count {
		level := d.spread.lowest + i
		if count <= 0 || level < 1 || level > m.Concurrency {
			continue
		}
		busy := count * (1 - d.pausing(i, level))
		d.busy += busy
		d.speed += busy / m.pace[level]
	}
	return d
}

// share spreads a number of pauses over the agents.
func (m *memory) share(d *deskState, pausing int) {
	if m.agents <= counted {
		m.shareExactly(d, pausing)
		return
	}
	d.tilt = m.tilted(d, float64(pausing), d.tilt)
	within := 0.0 // variance of the pauses of all agents if they were independent
	for i, count := range d.spread.count {
		if level := d.spread.lowest + i; count > 0 && level <= m.Concurrency {
			_, variance := m.pausesOf(d, i)
			within += count * variance
		}
	}
	for i, count := range d.spread.count {
		level := d.spread.lowest + i
		if count <= 0 || level > m.Concurrency {
			continue
		}
		// The sum is known, so the law of one is conditioned on it by the normal law of the rest.
		mean, variance := m.pausesOf(d, i)
		rest := max(within-variance, 1e-9)
		law, weight := d.lawAt(i, level), 1.0
		for s := range law {
			if s > 0 {
				weight *= d.tilt / float64(s)
			}
			x := float64(s) - mean
			law[s] = weight * d.boost(i, s) * math.Exp(-x*x/(2*rest))
		}
		normalised(law)
	}
}

// counted is the number of agents up to which pauses are spread over them by counting all ways.
const counted = 6

// lawAt is the law of a place, cleared.
func (d *deskState) lawAt(at, level int) []float64 {
	if d.law[at] == nil {
		d.law[at] = make([]float64, level+1)
	}
	clear(d.law[at])
	return d.law[at]
}

// pausing is the chance that an agent of a place in the spread has some pausing.
func (d *deskState) pausing(at, count int) float64 {
	if count < len(d.law[at]) {
		return d.law[at][count]
	}
	return 0
}

// shareExactly counts the ways in which pauses can be spread over few agents. How many stand behind is a mean; the two
// whole numbers around it are mixed.
func (m *memory) shareExactly(d *deskState, pausing int) {
	low := math.Floor(d.spread.count[0] + 1e-9)
	part := d.spread.count[0] - low
	if d.spread.chosen[0] == 1 || d.spread.chosen == [3]float64{} || part < 1e-9 {
		m.countWays(d, d.spread.count, 1, pausing)
	} else {
		few, more := d.spread.count[1]+2*d.spread.count[0], d.spread.count[2]-d.spread.count[0]
		for i := range d.law {
			if level := d.spread.lowest + i; level >= 0 && level <= m.Concurrency {
				d.lawAt(i, level)
			}
		}
		for i, p := range []float64{1 - part, part} {
			x := low + float64(i)
			if few-2*x >= 0 {
				m.countWays(d, [3]float64{x, few - 2*x, more + x}, p, pausing)
			}
		}
	}
	for i := range d.law {
		if d.law[i] != nil && total(d.law[i]) > 0 {
			normalised(d.law[i])
		}
	}
}

// countWays adds the laws of the places for whole numbers of agents, weighted by part and number.
func (m *memory) countWays(d *deskState, count [3]float64, part float64, pausing int) {
	own := [3][]float64{}
	for i := range own {
		level := d.spread.lowest + i
		if level < 0 || level > m.Concurrency {
			continue
		}
		own[i] = make([]float64, level+1)
		weight := 1.0
		for s := range own[i] {
			if s > 0 {
				weight /= float64(s)
			}
			own[i][s] = weight * d.boost(i, s)
		}
	}
	for i := range own {
		if own[i] == nil || count[i] < 0.5 {
			continue
		}
		rest := []float64{1}
		for j := range own {
			n := int(count[j] + 0.5)
			if j == i {
				n--
			}
			for range n {
				rest = convolved(rest, own[j], pausing)
			}
		}
		law := d.law[i]
		if law == nil {
			law = d.lawAt(i, len(own[i])-1)
		}
		sum := 0.0
		for s := range own[i] {
			if left := pausing - s; left >= 0 && left < len(rest) {
				sum += own[i][s] * rest[left]
			}
		}
		for s := range own[i] {
			if left := pausing - s; sum > 0 && left >= 0 && left < len(rest) {
				law[s] += part * count[i] * own[i][s] * rest[left] / sum
			}
		}
	}
}

// convolved is the product of two series up to a power.
func convolved(a, b []float64, last int) []float64 {
	out := make([]float64, min(len(a)+len(b)-1, last+1))
	for i, x := range a {
		for j, y := range b {
			if i+j < len(out) {
				out[i+j] += x * y
			}
		}
	}
	return out
}

// takeTurns corrects for the order in which agents are chosen. Those at the lowest usual level form a line, and
// whoever ends a conversation leaves it and comes back at its end. An agent whose buyers all pause ends nothing and so reaches
// the head, at which the line moves at the rate h; others get there only if they end nothing meanwhile, at the rate
// v each. With f in line, a share p of them idle, and the passage time T of the line
//
//	h T / f = p + (1-p) v T / (exp(v T) - 1),
//
// and an idle agent is chosen turn = f / (h T) times as often as one met at random. Between being idle at this level and
// having one to write to at the next it goes up at the rate turn h/f and back at v.
func (m *memory) takeTurns(d *deskState) bool {
	at := 0
	if d.spread.chosen[0] < 1 {
		at = 1
	}
	level, line := d.spread.lowest+at, d.spread.count[at]
	h := m.rate * d.spread.chosen[at]
	if line <= 1 || h <= 0 || level >= m.Concurrency {
		return false
	}
	idle := d.pausing(at, level)
	v := 1 / (m.pace[max(level, 1)] * m.Rounds)
	a := h / (line * v)
	x := 0.0 // v T; the left side less the right rises ever more slowly, so that Newton's rule comes to it from below
	for range 20 {
		f := fall(x)
		slope := -0.5
		if x > 1e-6 {
			slope = f * (1 - f - x) / x
		}
		step := (idle + (1-idle)*f - a*x) / (a - (1-idle)*slope)
		if x += step; step < 1e-12*x {
			break
		}
	}
	turn := 1 / (a * x)
	turn = 1 + (turn-1)*(line-1)/line // of a line of one the head is met as it is
	if turn <= 1 {
		return false
	}
	d.turn, d.lowest = turn, level
	calm := (v + h/line) / (v + turn*h/line)
	d.factor[at] = calm
	if at+1 < len(d.factor) {
		d.factor[at+1] = calm * turn
	}
	return true
}

// fall is x/(exp(x)-1).
func fall(x float64) float64 {
	if x < 1e-6 {
		return 1 - x/2
	}
	return x / math.Expm1(x)
}

// pausesOf is mean and variance of the pauses at an agent of a place in the spread: Poisson cut at its load, with
// the correction for turns.
func (m *memory) pausesOf(d *deskState, at int) (mean, variance float64) {
	weight, sum, square := 1.0, 0.0, 0.0
	for s := range d.spread.lowest + at + 1 {
		if s > 0 {
			weight *= d.tilt / float64(s)
		}
		w := weight * d.boost(at, s)
		sum += w
		mean += w * float64(s)
		square += w * float64(s*s)
		if sum > 1e200 {
			weight, sum, mean, square = weight/sum, 1, mean/sum, square/sum
		}
	}
	mean, square = mean/sum, square/sum
	return mean, max(0, square-mean*mean)
}

// boost is the correction for turns of the weight of some pauses at an agent of a place in the spread.
func (d *deskState) boost(at, s int) float64 {
	if d.lowest >= 0 && s >= d.lowest {
		return d.factor[at]
	}
	return 1
}

// tilted finds the parameter of the Poisson law that gives a sum of pauses, by Newton's rule on its logarithm (the slope is
// the variance) within an interval that holds it.
func (m *memory) tilted(d *deskState, pausing, near float64) float64 {
	if pausing <= 0 {
		return 0
	}
	low, high := 0.0, math.Inf(1)
	tilt := near
	if tilt <= 0 {
		tilt = pausing / float64(m.agents)
	}
	for range 60 {
		d.tilt = tilt
		all, slope := 0.0, 0.0
		for i, count := range d.spread.count {
			if level := d.spread.lowest + i; count > 0 && level <= m.Concurrency {
				mean, variance := m.pausesOf(d, i)
				all += count * mean
				slope += count * variance
			}
		}
		if all < pausing {
			low = tilt
		} else {
			high = tilt
		}
		if math.Abs(all-pausing) < 1e-9*pausing || tilt > mostTilt {
			break
		}
		next := tilt * math.Exp(min(3, max(-3, (pausing-all)/slope)))
		if !(next > low && next < high) {
			if next = math.Sqrt(low * high); low == 0 || math.IsInf(high, 1) {
				next = (low + min(high, 4*low+1)) / 2
			}
		}
		tilt = next
	}
	return tilt
}

// mostTilt is a parameter beyond which as good as everybody pauses.
const mostTilt = 1e9
