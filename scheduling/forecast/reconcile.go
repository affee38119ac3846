package forecast

import (
	"fmt"
	"math"
	"slices"
)

const (
	shareDays    = 56   // history of a share
	weightTrials = 10.0 // origins of a series worth as much as all its siblings in the choice of its weight
	weightSteps  = 10
	coherent     = 1e-9 // relative
)

var shareHalfLives = [...]float64{3.5, 7, 14, 28}

// reconcile moves the drafts of a tree until they add up.
func (n *node) reconcile(st stage) {
	n.bottomUp(st)
	n.topDown(st)
}

// bottomUp replaces the forecast of each sum by the better mixture of its own model and the sum
// of its children.
func (n *node) bottomUp(st stage) {
	for _, k := range n.all {
		if k.leaf < 0 {
			k.bottomUp(st)
		}
	}
	if n.draft == nil {
		return
	}
	below := n.sumOfKids(st)
	var losses [][weightSteps + 1]float64
	for i, t := range st.origins {
		if n.rehearsed[i] == nil || below.rehearsed[i] == nil {
			continue
		}
		var loss [weightSteps + 1]float64
		for lead, own := range n.rehearsed[i] {
			actual := n.on(t + lead + 1)
			for w := range loss {
				loss[w] += math.Abs(mix(w, own, below.rehearsed[i][lead]) - actual)
			}
		}
		losses = append(losses, loss)
	}
	best := simplest(losses)
	n.ownWeight = float64(best) / weightSteps
	n.mixRuns(n.ownWeight, func(i, k int) float64 { return n.kidsRun(i, k) })
	for i := range n.rehearsed {
		for lead := range n.rehearsed[i] {
			n.rehearsed[i][lead] = mix(best, n.rehearsed[i][lead], below.rehearsed[i][lead])
		}
	}
	for i := range n.draft.days {
		day := &n.draft.days[i]
		day.setTotal(mix(best, day.total(), n.kidsTotal(day.unix)))
	}
	n.draft.refit(n, st)
}

// kidsRun adds up the children's forecasts of a day of a past event.
func (n *node) kidsRun(i, day int) float64 {
	var sum float64
	for _, k := range n.kids {
		if i < len(k.runs) && k.runs[i].means != nil {
			sum += k.runs[i].means[day]
		}
	}
	return sum
}

// mix is w tenths of a and the rest of b.
func mix(w int, a, b float64) float64 {
	f := float64(w) / weightSteps
	return f*a + (1-f)*b
}

// simplest is the largest weight of a sum's own model that is not worse than the best weight by
// more than one standard error over the origins (the rule of Breiman, Friedman, Olshen and Stone,
// Classification and Regression Trees, 1984, sec. 3.4.3): origins are few and overlap.
func simplest(losses [][weightSteps + 1]float64) int {
	var total [weightSteps + 1]float64
	for _, l := range losses {
		for w := range total {
			total[w] += l[w]
		}
	}
	best, n := leastLoss(total), float64(len(losses))
	for w := weightSteps; w > best; w-- {
		var sum, squares float64
		for _, l := range losses {
			sum += l[w] - l[best]
			squares += (l[w] - l[best]) * (l[w] - l[best])
		}
		if n > 1 && sum/n <= math.Sqrt(max(0, squares/n-sum/n*sum/n)/(n-1)) {
			return w
		}
	}
	return best
}

// leastLoss prefers the middle when nothing tells the two apart.
func leastLoss(loss [weightSteps + 1]float64) int {
	best := weightSteps / 2
	for w, l := range loss {
		if l < loss[best]*0.9999 {
			best = w
		}
	}
	return best
}

// sumOfKids adds up the children's rehearsals.
func (n *node) sumOfKids(st stage) *node {
	sum := &node{rehearsed: make([][]float64, len(st.origins))}
	for i := range st.origins {
		sum.rehearsed[i] = make([]float64, st.horizon)
		for _, k := range n.kids {
			if k.rehearsed == nil || k.rehearsed[i] == nil {
				continue
			}
			for lead, v := range k.rehearsed[i] {
				sum.rehearsed[i][lead] += v
			}
		}
	}
	return sum
}

func (n *node) kidsTotal(unix int) float64 {
	var sum float64
	for _, k := range n.kids {
		if day := k.day(unix); day != nil {
			sum += day.total()
		}
	}
	return sum
}

func (n *node) day(unix int) *draftDay {
	if n.draft == nil {
		return nil
	}
	i, ok := slices.BinarySearchFunc(n.draft.days, unix, func(d draftDay, u int) int { return d.unix - u })
	if !ok {
		return nil
	}
	return &n.draft.days[i]
}

// setTotal moves the day's means to a total; a day without any contacts gets them evenly.
func (d *draftDay) setTotal(total float64) {
	if sum := d.total(); sum > 0 {
		d.factor *= total / sum
		return
	}
	for i := range d.slots {
		d.slots[i].Mean = total / float64(len(d.slots))
	}
	d.factor = 1
}

// topDown mixes each child with its share of this node and makes the children add up to it.
func (n *node) topDown(st stage) {
	halfLife := n.shareHalfLife(st)
	n.weighKids(st, halfLife)
	origin := n.lastDay()
	for _, k := range n.kids {
		if k.draft == nil || k.asleep {
			continue
		}
		share := k.share(n, origin, halfLife)
		for i := range k.draft.days {
			day := &k.draft.days[i]
			if p := n.day(day.unix); p != nil {
				day.setTotal(k.ownWeight*day.total() + (1-k.ownWeight)*share*p.total())
			}
		}
		k.draft.refit(k, st)
		k.note()
	}
	for i := range n.draft.days {
		n.close(&n.draft.days[i])
	}
	for _, k := range n.all {
		if k.leaf < 0 && k.draft != nil {
			k.topDown(st)
		}
	}
	n.poolTotals(st)
	n.addApart()
	n.takeSlots()
}

func (n *node) lastDay() int { return n.first + len(n.volume) - 1 }

// share is the part of the parent's recent volume, older days counting less.
func (n *node) share(parent *node, t int, halfLife float64) float64 {
	var mine, all float64
	decay, w := math.Exp2(-1/halfLife), 1.0
	for d := t; d > t-shareDays; d-- {
		mine += w * n.on(d)
		all += w * parent.on(d)
		w *= decay
	}
	if all <= 0 {
		return 0
	}
	return mine / all
}

// shareHalfLife is the one with which shares of this node forecast its children best.
func (n *node) shareHalfLife(st stage) float64 {
	best, least := shareHalfLives[1], math.Inf(1)
	for _, h := range shareHalfLives {
		var loss float64
		for i, t := range st.origins {
			if n.rehearsed[i] == nil {
				continue
			}
			for _, k := range n.kids {
				share := k.share(n, t, h)
				for lead, total := range n.rehearsed[i] {
					loss += math.Abs(share*total - k.on(t+lead+1))
				}
			}
		}
		if loss < least*0.9999 {
			best, least = h, loss
		}
	}
	return best
}

// weighKids settles how much each child believes itself, by its own errors and, as far as those
// are few, by the errors of all its siblings.
func (n *node) weighKids(st stage, halfLife float64) {
	var pooled [weightSteps + 1]float64
	var volume float64
	losses := make([][weightSteps + 1]float64, len(n.kids))
	sizes, trials := make([]float64, len(n.kids)), make([]float64, len(n.kids))
	for j, k := range n.kids {
		for i, t := range st.origins {
			if n.rehearsed[i] == nil || k.rehearsed == nil || k.rehearsed[i] == nil {
				continue
			}
			trials[j]++
			share := k.share(n, t, halfLife)
			for lead, own := range k.rehearsed[i] {
				actual := k.on(t + lead + 1)
				sizes[j] += actual
				for w := range losses[j] {
					losses[j][w] += math.Abs(mix(w, own, share*n.rehearsed[i][lead]) - actual)
				}
			}
		}
		for w, l := range losses[j] {
			pooled[w] += l
		}
		volume += sizes[j]
	}
	for j, k := range n.kids {
		var loss [weightSteps + 1]float64
		own := trials[j] / (trials[j] + weightTrials)
		if sizes[j] <= 0 {
			own = 0
		}
		for w := range loss {
			loss[w] = (1-own)*pooled[w]/max(volume, 1e-9) + own*losses[j][w]/max(sizes[j], 1e-9)
		}
		best := leastLoss(loss)
		k.ownWeight = float64(best) / weightSteps
		shares := make([]float64, len(st.events))
		for i, s := range st.events {
			shares[i] = k.share(n, s.origin, halfLife)
		}
		k.mixRuns(k.ownWeight, func(i, day int) float64 {
			if n.runs[i].means == nil {
				return k.runs[i].means[day]
			}
			return shares[i] * n.runs[i].means[day]
		})
		for i, t := range st.origins {
			if k.rehearsed == nil || k.rehearsed[i] == nil || n.rehearsed[i] == nil {
				continue
			}
			share := k.share(n, t, halfLife)
			for lead := range k.rehearsed[i] {
				k.rehearsed[i][lead] = mix(best, k.rehearsed[i][lead], share*n.rehearsed[i][lead])
			}
		}
	}
}

// close makes the children of a day add up to it: the gap goes to them by error variance; what
// would fall below zero stays at zero and the others take it.
func (n *node) close(day *draftDay) {
	type part struct {
		day            *draftDay
		mean, variance float64
	}
	var parts []part
	var sum float64
	for _, k := range n.kids {
		if d := k.day(day.unix); d != nil {
			m := d.total()
			parts = append(parts, part{d, m, k.draft.spread.dayVariance(m, d.lead) + d.extra*m*m})
			sum += m
		}
	}
	target := day.total()
	if sum <= 0 {
		day.setTotal(0)
		return
	}
	for range 20 {
		gap := target - sum
		var variance float64
		for _, p := range parts {
			variance += p.variance
		}
		if math.Abs(gap) <= coherent*target || variance <= 0 {
			break
		}
		sum = 0
		for i := range parts {
			p := &parts[i]
			p.mean += gap * p.variance / variance
			if p.mean <= 0 {
				p.mean, p.variance = 0, 0
			}
			sum += p.mean
		}
	}
	for _, p := range parts {
		if p.mean != p.day.total() {
			p.day.setTotal(p.mean)
		}
	}
}

// takeSlots gives a sum the slots of its children, so that slots add up as days do.
func (n *node) takeSlots() {
	for i := range n.draft.days {
		day := &n.draft.days[i]
		inside := day.total()
		sums := map[int64]float64{}
		for _, k := range n.all {
			if d := k.day(day.unix); d != nil {
				for _, p := range d.slots {
					sums[p.Start.Unix()] += p.Mean * d.factor
				}
			}
		}
		day.factor = 1
		for j := range day.slots {
			day.slots[j].Mean = sums[day.slots[j].Start.Unix()]
		}
		if m := day.total(); day.apart > 0 && m > 0 {
			day.extra = (day.extra*inside*inside + day.apart) / (m * m)
		}
	}
}

// refit learns the spread of the mixed forecast from its rehearsals.
func (d *draft) refit(n *node, st stage) {
	var all []dayError
	var origins [][]dayError
	for i, t := range st.origins {
		if n.rehearsed == nil || n.rehearsed[i] == nil {
			continue
		}
		var days []dayError
		for lead, mean := range n.rehearsed[i] {
			if mean > negligible {
				days = append(days, dayError{lead + 1, mean, n.on(t + lead + 1)})
			}
		}
		all = append(all, days...)
		origins = append(origins, days)
	}
	if len(all) < 10 {
		return
	}
	s := &d.spread
	s.fitDays(all, n.engine.noise)
	s.dayPIT = nil
	for _, day := range all {
		s.dayPIT = append(s.dayPIT, s.around(day.mean, s.dayVariance(day.mean, day.lead), day.actual))
	}
	s.slotUnits = float64(len(all))
	s.dayBent = s.bend(s.dayPIT)
	if s.perDay == 1 {
		s.slotPIT, s.slotBent = s.dayPIT, s.dayBent
	}
	d.carry = carried(origins, s)
	pit, scores := totalErrors(origins, s, d.carry)
	d.totalBent, d.pastScores = bendLevels(s.levels, pit, float64(len(pit))/float64(len(totalWindows))), scores
}

// note tells in the model of a series how much its share of the whole decided.
func (n *node) note() {
	m := &n.draft.result.Model
	weights := map[string]float64{}
	for name, w := range m.Weights {
		if n.ownWeight > 0 {
			weights[name] = w * n.ownWeight
		}
	}
	if n.ownWeight < 1 {
		weights["share of the whole"] = 1 - n.ownWeight
		m.Summary += fmt.Sprintf("; %.0f %% its recent share of the forecast of all series", 100*(1-n.ownWeight))
	}
	m.Weights = weights
}
