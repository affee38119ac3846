package staffing

import (
	"math"
	"slices"
)

// flow is a queue on its way through a day: how many conversations there are, as a distribution, and what an
// agent's desk looks like, given how many it has open.
type flow struct {
	chatTable
	heads   int
	longest float64   // longest stride, seconds
	leave   float64   // abandonment rate of one who waits, per second
	n       []float64 // n[i]: chance of low+i conversations, open and waiting
	low     int
	joint   []float64 // chain of one agent over (open, at the desk); sums to 1
	drive   drive
	line    []float64 // see turns
	served  []float64
	gone    []float64 // expected agents off duty who finish, by (open, at the desk)
}

func newFlow(t *chatTable) *flow {
	k := t.Concurrency
	f := &flow{
		chatTable: *t, longest: longestStride, leave: 1 / t.Patience.Seconds(), n: []float64{1}, drive: newDrive(k),
		joint: make([]float64, index(k, k)+1), gone: make([]float64, index(k, k)+1),
		line: make([]float64, k), served: make([]float64, k),
	}
	t.start(&f.drive, 0, 0)
	f.joint[0] = 1
	return f
}

// settledFlow is the flow at rest, with arrivals at a rate per second.
func settledFlow(t *chatTable, heads int, rate float64) *flow {
	f := newFlow(t)
	f.heads = heads
	if heads <= 0 || rate <= 0 {
		return f
	}
	b := t.settleLikely(heads, rate, f.leave)
	f.drive.copyFrom(b.drive)
	copy(f.joint, b.weights)
	copy(f.line, b.line)
	copy(f.served, b.served)
	full := float64(heads) * b.seats[t.Concurrency].ends
	weights, weight, sum := []float64{1}, 1.0, 1.0
	for n := 1; ; n++ {
		deaths := full + float64(n-f.room())*f.leave
		if n < f.room() {
			here := spread(heads, n/heads, n%heads, rate, b.seats)
			deaths = here.ends(b.seats)
		}
		weight *= rate / deaths
		if weight < 1e-14*sum && rate < deaths || n == b.limit {
			break
		}
		weights = append(weights, weight)
		if sum += weight; sum > 1e200 {
			for i := range weights {
				weights[i] /= sum
			}
			weight, sum = weight/sum, 1
		}
	}
	f.n = weights
	f.trim()
	return f
}

// fork copies the flow, so that a slot can be tried with other heads.
func (f *flow) fork() *flow {
	g := *f
	g.n, g.joint, g.gone = slices.Clone(f.n), slices.Clone(f.joint), slices.Clone(f.gone)
	g.line, g.served = slices.Clone(f.line), slices.Clone(f.served)
	g.drive = newDrive(f.Concurrency)
	g.drive.copyFrom(&f.drive)
	return &g
}

func (f *flow) room() int { return f.heads * f.Concurrency }

// queued is the mean number that waits now, openNow the mean number open at agents on duty.
func (f *flow) queued() (sum float64) {
	for i, p := range f.n {
		sum += p * float64(max(0, f.low+i-f.room()))
	}
	return sum
}

func (f *flow) openNow() (sum float64) {
	for i, p := range f.n {
		sum += p * float64(min(f.low+i, f.room()))
	}
	return sum
}

// staff changes the agents on duty. Who goes takes the open conversations along and finishes them; who
// comes is free. What waits keeps waiting. The loads of those on duty are taken as even at once, which
// least-loaded routing brings about within the length of a conversation.
func (f *flow) staff(heads int) {
	if heads == f.heads {
		return
	}
	if heads < f.heads {
		for i, p := range f.joint {
			f.gone[i] += p * float64(f.heads-heads)
		}
		f.thin(heads)
	}
	f.heads = heads
}

// thin leaves each state the share of its open conversations that stays, split between the two whole
// numbers around it so that the mean is kept.
func (f *flow) thin(heads int) {
	keep := float64(heads) / float64(f.heads)
	stay := func(n int) (float64, int) { return keep * float64(min(n, f.room())), max(0, n-f.room()) }
	first, q0 := stay(f.low)
	last, q1 := stay(f.low + len(f.n) - 1)
	low := int(first) + q0
	out := make([]float64, int(last)+q1+2-low)
	for i, p := range f.n {
		s, q := stay(f.low + i)
		whole := int(s)
		at := whole + q - low
		out[at] += p * (1 - (s - float64(whole)))
		out[at+1] += p * (s - float64(whole))
	}
	f.n, f.low = out, low
}

// lost is the mass at an end of the distribution that is cut off in a step.
const lost = 1e-10

// widen makes room for what a step may bring, trim cuts the ends that nothing reaches.
func (f *flow) widen(dt, rate float64) {
	most := func(mean float64) int { return int(mean+6*math.Sqrt(mean)) + 4 }
	up := most(rate * dt)
	down := min(f.low, most(dt*(float64(f.heads)/f.work(1)+f.leave*float64(f.low+len(f.n)))))
	out := sizedBuffer(&f.spare, down+len(f.n)+up)
	clear(out)
	copy(out[down:], f.n)
	f.n, f.spare, f.low = out, f.n, f.low-down
}

func (f *flow) trim() {
	total := 0.0
	for _, p := range f.n {
		total += p
	}
	for i := range f.n {
		f.n[i] /= total
	}
	i, j := 0, len(f.n)
	for mass := 0.0; i < j-1 && mass+f.n[i] < lost; i++ {
		mass += f.n[i]
	}
	for mass := 0.0; j > i+1 && mass+f.n[j-1] < lost; j-- {
		mass += f.n[j-1]
	}
	f.n, f.low = f.n[i:j], f.low+i
}

// step moves the flow by dt seconds with arrivals at a rate per second and adds up what happens.
func (f *flow) step(dt, rate float64, sum *flowSum) {
	seats := f.look()
	f.widen(dt, rate)
	f.spreads(rate, seats)
	before := sizedBuffer(&f.before, len(f.n))
	copy(before, f.n)
	f.move(dt, rate)
	for i := range before {
		before[i] = (before[i] + f.n[i]) / 2
	}
	level := f.count(dt, rate, before, seats, sum)
	f.finish(dt, sum)
	if f.heads > 0 {
		f.desks(dt, rate, level)
	}
	f.trim()
}

// look describes the agents as they are now.
func (f *flow) look() []seat {
	seats := f.describeAll(f.joint, &f.drive)
	f.laterRounds(f.drive.begun, seats)
	f.turns(&f.drive, seats, f.line, f.served)
	f.drive.begun = f.pacing(&f.drive, f.joint)
	f.answer(&f.drive, seats)
	return seats
}

// spreads says for every state how its conversations are spread over the agents, and what leaves it.
func (f *flow) spreads(rate float64, seats []seat) {
	states, deaths := sizedBuffer(&f.states, len(f.n)), sizedBuffer(&f.deaths, len(f.n))
	full := float64(f.heads) * seats[f.Concurrency].ends
	for i := range f.n {
		n := f.low + i
		if n >= f.room() {
			states[i] = loads{lowest: -1}
			deaths[i] = full + float64(n-f.room())*f.leave
			continue
		}
		states[i] = spread(f.heads, n/f.heads, n%f.heads, max(rate, 1e-9*full/float64(f.room())), seats)
		deaths[i] = states[i].ends(seats)
	}
}

// move integrates the birth-death chain by one step of TR-BDF2 (Bank et al., IEEE Trans. CAD 4 (1985)),
// which keeps the first two moments of the counts of a step and damps what is faster than the step.
func (f *flow) move(dt, rate float64) {
	const gamma = 2 - math.Sqrt2
	h := gamma / 2 * dt
	x, n := f.n, len(f.n)
	birth := func(i int) float64 {
		if i == n-1 {
			return 0 // widen has left room: nothing is up there
		}
		return rate
	}
	right := sizedBuffer(&f.right, n)
	for i := range right {
		right[i] = x[i] * (1 - h*(birth(i)+f.deathFrom(i)))
		if i > 0 {
			right[i] += h * birth(i-1) * x[i-1]
		}
		if i+1 < n {
			right[i] += h * f.deathFrom(i+1) * x[i+1]
		}
	}
	pivot, upper := sizedBuffer(&f.pivot, n), sizedBuffer(&f.upper, n)
	for i := range n {
		pivot[i] = 1 + h*(birth(i)+f.deathFrom(i))
		if i > 0 {
			pivot[i] -= h * birth(i-1) * upper[i-1]
		}
		if i+1 < n {
			upper[i] = h * f.deathFrom(i+1) / pivot[i]
		}
	}
	solve := func(v []float64) {
		for i := range v {
			if i > 0 {
				v[i] += h * birth(i-1) * v[i-1]
			}
			v[i] /= pivot[i]
		}
		for i := n - 2; i >= 0; i-- {
			v[i] += upper[i] * v[i+1]
		}
	}
	solve(right)
	a, b := 1/(gamma*(2-gamma)), (1-gamma)*(1-gamma)/(gamma*(2-gamma))
	for i := range right {
		right[i] = a*right[i] - b*x[i]
	}
	solve(right)
	for i := range x {
		x[i] = max(0, right[i])
	}
}

// deathFrom is the rate down from entry i; the lowest entry kept has none unless there is a state below.
func (f *flow) deathFrom(i int) float64 {
	if i == 0 {
		return 0
	}
	return f.deaths[i]
}
