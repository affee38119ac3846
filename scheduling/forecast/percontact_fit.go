package forecast

import (
	"math"
	"time"
)

// fit learns variances, level and effects in turn until they have settled.
func (f *figures) fit() {
	if len(f.rows) == 0 {
		f.level = f.start(levelBelief)
		f.hyper = levelBelief
		f.settleUntaught()
		return
	}
	for round := range figureRounds {
		f.fitLevel(round == figureRounds/2 || round == figureRounds-2)
		for i := range f.sets {
			f.fitSet(i)
		}
		f.fitVariances()
	}
	f.fitLevel(false)
}

// settleUntaught gives every effect the doubt of its set.
func (f *figures) settleUntaught() {
	for i := range f.sets {
		for g := range f.sets[i].doubt2 {
			f.sets[i].doubt2[g] = f.sets[i].between
		}
	}
}

// eta is a row's place on the link scale.
func (f *figures) eta(r figureRow) float64 {
	eta := f.path[r.day]
	for i, at := range r.at {
		if at >= 0 {
			eta += f.sets[i].shift[at]
		}
	}
	return eta
}

// residual is a row's error on the link scale, to first order, and its variance. A positive figure
// that is wildly high counts as one at the limit.
func (f *figures) residual(r figureRow) (u, variance float64) {
	mu := f.link.from(f.eta(r))
	if f.link == logitLink {
		spread := max(mu*(1-mu), 1e-6)
		return (r.y - mu) / spread, f.perContact/(r.n*spread) + f.perSlot
	}
	variance = f.perContact/r.n + f.perSlot
	return min(r.y/mu-1, max(0.5, wildLimit*math.Sqrt(variance))), variance
}

// teaches reports whether a row teaches the effects of a set.
func (f *figures) teaches(r figureRow, s *effectSet) bool {
	return s.event == (r.event >= 0) || f.all && !s.event
}

// groupSums is what the rows say on the effects of one set.
type groupSums struct{ score, information, days, occasions, contacts []float64 }

func (f *figures) sums(i int) groupSums {
	s := &f.sets[i]
	n := len(s.names)
	g := groupSums{make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)}
	lastDay, lastEvent := make([]int, n), make([]int, n)
	for k := range n {
		lastDay[k], lastEvent[k] = -1, -1
	}
	for _, r := range f.rows {
		k := r.at[i]
		if k < 0 || !f.teaches(r, s) {
			continue
		}
		u, v := f.residual(r)
		g.score[k] += u / v
		g.information[k] += 1 / v
		g.contacts[k] += r.n
		if r.day != lastDay[k] {
			g.days[k]++
			lastDay[k] = r.day
		}
		if r.event >= 0 && r.event != lastEvent[k] {
			g.occasions[k]++
			lastEvent[k] = r.event
		}
	}
	return g
}

// fitSet takes one step for the effects of a set: own estimate, variance between, shrinkage. Slots
// also hear their neighbours (a triangle of slotReach minutes) so that 96 slots are not 96 guesses.
func (f *figures) fitSet(i int) {
	s := &f.sets[i]
	g := f.sums(i)
	own, variance := make([]float64, len(s.names)), make([]float64, len(s.names))
	for k := range own {
		variance[k] = math.Inf(1)
		if g.information[k] > 0 {
			own[k] = s.shift[k] - s.prior[k] + f.step(g.score[k]/g.information[k])
			variance[k] = 1 / g.information[k]
		}
	}
	switch {
	case i == bySlot:
		own, variance = neighbours(own, variance, int(slotReach*time.Minute/f.slot))
	case s.event:
		for k := range variance {
			variance[k] += f.hyper.daily/max(1, g.days[k]) + occasionBelief/max(1, g.occasions[k])
		}
	default:
		for k := range variance {
			variance[k] += f.hyper.daily / max(1, g.days[k])
		}
	}
	s.between = betweenVariance(own, variance, betweenBelief[i])
	for k := range own {
		keep := 0.0
		s.doubt2[k] = s.between
		if !math.IsInf(variance[k], 1) {
			keep = s.between / (s.between + variance[k])
			s.doubt2[k] = keep * variance[k]
		}
		s.shift[k] = min(max(s.prior[k]+keep*own[k], -wildestShift), wildestShift)
		s.contacts[k] = g.contacts[k]
	}
	if !s.event {
		f.centre(s, g.information)
	}
}

// step turns the mean residual of many rows into a step of the effect: for a positive figure the
// exact factor that would make the mean residual zero, for a share a bounded Newton step.
func (f *figures) step(mean float64) float64 {
	if f.link == logLink {
		return math.Log(max(1+mean, 0.05))
	}
	return min(max(mean, -1), 1)
}

// centre moves what the effects of a base set have in common into the level, which filters it.
func (f *figures) centre(s *effectSet, information []float64) {
	if f.prior != nil {
		return // the prior's effects are centred; own ones are deviations from them
	}
	var sum, n float64
	for k, w := range information {
		sum += w * s.shift[k]
		n += w
	}
	if n == 0 {
		return
	}
	for k := range s.shift {
		s.shift[k] -= sum / n
	}
	for d := range f.path {
		f.path[d] += sum / n
	}
}

// neighbours is the weighted mean over near slots around the clock.
func neighbours(own, variance []float64, reach int) (mean, spread []float64) {
	n := len(own)
	mean, spread = make([]float64, n), make([]float64, n)
	reach = min(reach, n/2)
	for k := range n {
		spread[k] = math.Inf(1)
		var sum, weight, squares float64
		for j := -reach; j <= reach; j++ {
			at := (k + j + n) % n
			if math.IsInf(variance[at], 1) {
				continue
			}
			w := (1 - math.Abs(float64(j))/float64(reach+1)) / variance[at]
			sum += w * own[at]
			weight += w
			squares += w * w * variance[at]
		}
		if weight > 0 {
			mean[k], spread[k] = sum/weight, squares/(weight*weight)
		}
	}
	return mean, spread
}

// betweenVariance is a method of moments estimate of how much true effects differ, each weighed by
// what it can say, mixed with the belief (DerSimonian and Laird 1986 in spirit).
func betweenVariance(own, variance []float64, belief float64) float64 {
	w0 := 1 / belief
	sum, weight := beliefGroups*w0*w0*belief, beliefGroups*w0*w0
	for k, e := range own {
		if math.IsInf(variance[k], 1) {
			continue
		}
		w := 1 / (variance[k] + belief)
		sum += w * w * (e*e - variance[k])
		weight += w * w
	}
	return max(sum/weight, belief/20)
}

// fitVariances fits perContact and perSlot to the squared residuals, each weighed by how well it is
// known; residuals beyond five standard deviations count as five.
func (f *figures) fitVariances() {
	var a11, a12, a22, b1, b2, rows float64
	for _, r := range f.rows {
		u, v := f.residual(r)
		scale := 1 / r.n
		if f.link == logitLink {
			mu := f.link.from(f.eta(r))
			scale = 1 / (r.n * max(mu*(1-mu), 1e-6))
		}
		w := 1 / (v * v)
		square := min(u*u, 25*v)
		a11 += w * scale * scale
		a12 += w * scale
		a22 += w
		b1 += w * scale * square
		b2 += w * square
		rows++
	}
	contact0, slot0 := 1.0, 0.02
	if f.prior != nil {
		contact0, slot0 = f.prior.PerContact, f.prior.PerSlot
	}
	contact, slot := 1.0, 0.0
	if f.link == logitLink { // a yes or no has no variance of its own to learn
		slot = max(0, (b2-a12)/a22)
	} else {
		contact, slot = solveNonNegative(a11, a12, a22, b1, b2)
	}
	mix := func(x, belief float64) float64 { return (rows*x + variancePrior*belief) / (rows + variancePrior) }
	f.perContact = min(max(mix(contact, contact0), 1e-3), wildestVariance)
	f.perSlot = min(max(mix(slot, slot0), 1e-5), wildestVariance)
}

// wildestVariance keeps nonsense finite: a hundred times the mean as standard deviation.
const wildestVariance = 1e4

// wildestShift bounds an effect on the link scale: a factor of a million.
const wildestShift = 14

// solveNonNegative solves two normal equations for x, y >= 0.
func solveNonNegative(a11, a12, a22, b1, b2 float64) (x, y float64) {
	det := a11*a22 - a12*a12
	if det > 1e-9*a11*a22 {
		x, y = (b1*a22-b2*a12)/det, (a11*b2-a12*b1)/det
	} else {
		x = b1 / a11
	}
	if y < 0 {
		x, y = b1/a11, 0
	}
	if x < 0 {
		x, y = 0, b2/a22
	}
	return max(x, 0), max(y, 0)
}

// expected is a coming slot on the link scale and the variance of that, without the sampling of its
// contacts. The curve's slot may be longer than the history's: then the slots inside are averaged.
func (f *figures) expected(start time.Time, slot time.Duration) (eta, variance float64) {
	day, k := wallSlot(start, f.slot, f.loc)
	s := f.level.ahead(min(max(day-f.firstDay-f.level.lastDay, 0), maxLeadDays), f.jumps)
	eta, variance = s.m+s.a, s.variance()+f.perSlot
	event := f.eventAt(start)
	at := f.effectsAt(start, day, k, event)
	d := &f.sets[byDay]
	eta += d.shift[at[byDay]]
	variance += d.doubt2[at[byDay]]
	inside := max(1, min(int(slot/f.slot), f.perDay-k))
	var sum, doubt float64
	for j := range inside {
		sum += f.sets[bySlot].shift[k+j]
		doubt += f.sets[bySlot].doubt2[k+j]
	}
	eta += sum / float64(inside)
	variance += doubt / float64(inside)
	if event >= 0 {
		variance += occasionBelief
		for i := byKind; i <= byFamily; i++ {
			set := &f.sets[i]
			if at[i] < 0 {
				variance += set.between
				continue
			}
			eta += set.shift[at[i]]
			variance += set.doubt2[at[i]]
		}
	}
	return eta, min(variance, 4)
}

// maxLeadDays bounds the walk of the level into the future: the longest horizon and some.
const maxLeadDays = 500

// taughtEvent reports whether past slots taught the family's phase that holds at an instant.
func (f *figures) taughtEvent(event int, start time.Time) bool {
	e := f.events[event]
	k := index(f.sets[byFamily].names, e.Family+" "+kindAt(e, start))
	return k >= 0 && f.sets[byFamily].contacts[k] > 0
}
