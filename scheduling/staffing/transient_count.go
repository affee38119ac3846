package staffing

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// levels is what the chain of one agent needs to know of the conversations.
type levels struct {
	tally
	waiting float64 // chance that somebody waits
}

// count adds up one step, for the mean distribution over it.
func (f *flow) count(dt, rate float64, n []float64, seats []seat, sum *flowSum) levels {
	k := f.Concurrency
	l := levels{tally: f.counted}
	l.clear()
	came := rate * dt
	sum.seconds += dt
	sum.arrived += came
	sum.duty += dt * float64(f.heads)
	var after *refilled
	for i, p := range n {
		if p == 0 {
			continue
		}
		at := f.low + i
		sum.open += dt * p * float64(min(at, f.room()))
		if at >= f.room() {
			if after == nil {
				after = f.afterWait(seats[k])
			}
			q := at - f.room()
			sum.queue += dt * p * float64(q)
			sum.left += dt * p * float64(q) * f.leave
			sum.waited += came * p
			after.count(q, came*p, sum)
			l.there[k] += p * float64(f.heads)
			if q > 0 {
				l.waiting += p
			}
			continue
		}
		f.countBelow(&f.states[i], p, rate, came, seats, &l, sum)
	}
	for open := range seats {
		s := &seats[open]
		agents := l.there[open] * dt
		sum.busy += agents * (1 - s.desk[0])
		f.countLater(agents, open, s, sum)
	}
	return l
}

// countBelow adds up one state in which somebody has room for another conversation.
func (f *flow) countBelow(s *loads, p, rate, came float64, seats []seat, l *levels, sum *flowSum) {
	for i, count := range s.count {
		level := s.lowest + i
		if count <= 0 || level > f.Concurrency {
			continue
		}
		l.there[level] += p * count
		chosen := s.chosen[i]
		if chosen <= 0 || level >= f.Concurrency {
			continue
		}
		l.given[level] += p * chosen * rate
		l.line[level] += p * chosen * count
		l.served[level] += p * chosen * chosen * rate
		seat, part := &seats[level], came*p*chosen
		sum.taken += part
		sum.first += part * seat.first
		sum.firstSeconds += part * seat.mean
		for r := range seat.prompt {
			sum.prompt[r] += part * seat.prompt[r]
		}
	}
}

// countLater adds up the rounds that buyers open who come back to agents of one level.
func (f *flow) countLater(agents float64, open int, s *seat, sum *flowSum) {
	endsAtReply, back := f.endsAtReply, f.back
	if endsAtReply == 0 || f.Rounds == 1 {
		return
	}
	asked := 0.0
	for m, p := range s.desk {
		asked += p * float64(open-m)
	}
	asked *= agents * back
	sum.later += asked
	sum.laterSeconds += asked * s.later
	for r := range s.each {
		sum.each[r] += asked * s.each[r]
	}
}

// refilled is what happens to those who find everybody full. One with q ahead is taken up after q+1
// departures at the rates drain + i leave, i = 0...q, if its own patience outlasts them; given that it
// does, the rates are those with i+1 (the density is tilted by exp(-leave t)). The sum of these exponentials and
// the reply is matched by a gamma variable of the same mean and variance.
type refilled struct {
	drain, leave         float64
	limits               [3]float64 // first, round limits
	replyMean, replyVar  float64
	mean, variance, kept []float64 // of the tilted wait with q ahead, and the chance to be taken up
}

func (f *flow) afterWait(full seat) *refilled {
	r := &f.after
	*r = refilled{
		drain: float64(f.heads) * full.ends, leave: f.leave, limits: [3]float64{f.first, f.round[0], f.round[1]},
		mean: r.mean[:0], variance: r.variance[:0], kept: r.kept[:0],
	}
	desk, work := f.afterRefill(full), f.work(f.Concurrency)
	mean, square := 0.0, 0.0
	for m, p := range desk {
		mean += p * float64(m)
		square += p * float64(m*m)
	}
	r.replyMean = (mean + 1) * work
	r.replyVar = (mean + 1 + square - mean*mean) * work * work
	return r
}

func (r *refilled) count(q int, contacts float64, sum *flowSum) {
	for i := len(r.mean); i <= q; i++ {
		mean, variance := 0.0, 0.0
		if i > 0 {
			mean, variance = r.mean[i-1], r.variance[i-1]
		}
		rate := r.drain + float64(i+1)*r.leave
		r.mean = append(r.mean, mean+1/rate)
		r.variance = append(r.variance, variance+1/rate/rate)
		r.kept = append(r.kept, r.drain/rate)
	}
	if r.drain == 0 || contacts < 1e-9 {
		return
	}
	contacts *= r.kept[q]
	mean, variance := r.mean[q]+r.replyMean, r.variance[q]+r.replyVar
	sum.taken += contacts
	sum.firstSeconds += contacts * mean
	within := func(limit float64) float64 {
		if limit <= 0 || mean-limit > 8*math.Sqrt(variance) {
			return 0
		}
		return mathext.GammaIncReg(mean*mean/variance, limit*mean/variance)
	}
	first := within(r.limits[0])
	sum.first += contacts * first
	for i, limit := range r.limits[1:] {
		if limit == r.limits[0] { // asked for a minute in both, as the platforms do
			sum.prompt[i] += contacts * first
			continue
		}
		sum.prompt[i] += contacts * within(limit)
	}
}

// desks moves the chain of one agent: the fluxes between the levels are those of the conversations, what
// happens at the desk between them is integrated implicitly.
func (f *flow) desks(dt, rate float64, l levels) {
	k, agents := f.Concurrency, float64(f.heads)
	least := 1e-9 * (rate + 1e-9) / agents
	for j := range f.drive.arrivals {
		f.drive.arrivals[j] = least
		if l.there[j] > 0 {
			f.drive.arrivals[j] = max(least, l.given[j]/l.there[j])
		}
		f.line[j], f.served[j] = 0, 0
		if l.given[j] > 0 {
			f.line[j], f.served[j] = l.line[j]*rate/l.given[j], l.served[j]*rate/l.given[j]
		}
	}
	f.drive.refill = 0
	if l.there[k] > 0 {
		f.drive.refill = min(agents*l.waiting/l.there[k], alwaysRefilled)
	}
	f.relax(f.joint, &f.drive, dt)
	for open := range k + 1 {
		own := f.joint[index(open, 0) : index(open, open)+1]
		sum := 0.0
		for _, p := range own {
			sum += p
		}
		want := max(l.there[open]/agents, 1e-12)
		if sum <= 0 {
			own[open] = want
			continue
		}
		for m := range own {
			own[m] *= want / sum
		}
	}
}

// finish moves the agents who went off duty: they take nothing new.
func (f *flow) finish(dt float64, sum *flowSum) {
	total := 0.0
	for i, p := range f.gone {
		if i > 0 {
			total += p
		}
	}
	if total < 1e-4 {
		clear(f.gone)
		return
	}
	alone := &f.alone
	f.start(alone, 0, 0)
	seats := f.describeAll(f.gone, alone)
	f.laterRounds(alone.begun, seats)
	for open := 1; open < len(seats); open++ {
		there := 0.0
		for m := range open + 1 {
			there += f.gone[index(open, m)]
		}
		f.countLater(there*dt, open, &seats[open], sum)
	}
	f.relax(f.gone, alone, dt)
	f.gone[0] = 0
}

// close lets everybody finish after the last slot, for the rounds that are still to come.
func (f *flow) close(sum *flowSum) {
	f.staff(0)
	for f.gone[0] = 0; ; {
		left := 0.0
		for _, p := range f.gone {
			left += p
		}
		if left < 1e-4 {
			return
		}
		f.finish(longestStride, sum)
	}
}

// relax moves weights over the states of one agent by dt seconds, by the implicit Euler rule: weights stay
// positive, and at rest they are those of seats. Elimination in the band without pivots, because
// the matrix is dominated by its diagonal.
func (f *flow) relax(weights []float64, d *drive, dt float64) {
	states, band := len(weights), f.Concurrency+2
	width := 2*band + 1
	f.layOut(d, states, band)
	a := f.rates // a[i*width + j-i+band]: rate from i to j
	for i := range states {
		out := 0.0
		row := a[i*width : (i+1)*width]
		for c := range row {
			out += row[c]
			row[c] *= -dt
		}
		row[band] = 1 + dt*out
	}
	// Solve x A = w: columns are the equations, so eliminate along rows of the transpose.
	for p := range states {
		pivot := a[p*width+band]
		last := min(states-1, p+band)
		factors := a[p*width+1+band : p*width+last+1-p+band] // of the equations p+1...last, which lose x[p]
		for j := range factors {
			factors[j] /= pivot
			weights[p+1+j] -= factors[j] * weights[p]
		}
		for i := p + 1; i <= last; i++ {
			at := i*width - i + band
			own := a[at+p]
			if own == 0 {
				continue
			}
			for j, part := range a[at+p+1 : at+last+1] {
				a[at+p+1+j] = part - factors[j]*own
			}
		}
	}
	for p := states - 1; p >= 0; p-- {
		sum := weights[p]
		for i := p + 1; i <= min(states-1, p+band); i++ {
			sum -= weights[i] * a[i*width+p-i+band]
		}
		weights[p] = max(0, sum/a[p*width+band])
	}
}
