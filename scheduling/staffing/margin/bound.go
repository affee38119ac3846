package margin

import (
	"context"
	"math"
	"slices"
)

// bound is an upper bound of the expected margin over all staffings, by weak duality. For any prices p >= 0 per
// contact that meets a metric, and in every scenario,
//
//	due(x) - won(x)  >=  min over x' of [due(x') - won(x') + p x']  -  p x,
//
// so the margin is at most the best of the linear problem minus the expected minimum. The linear problem is
// solved slot by slot, which also drops the blocks: a relaxation. Seats and regular hours are priced
// in. Every p is valid, so the smallest result of several counts: averages have one price over the horizon, daily
// terms one per day, and given the price of the averages each day may take its own best. A cap is exact, because the
// minimum of min(cap, due) + p x is the smaller of the cap with the least p x and the minimum of due + p x. Runs are taken as
// free. That is the plain bound; rungs starts from its prices. found is the margin of the staffing that was found.
func (s *shared) bound(ctx context.Context, last []slopes, found float64) (float64, error) {
	trials := make([][]slopes, len(s.queues))
	for i, q := range s.queues {
		trials[i] = q.trials(len(s.days), last[i], s.found[i].slopes)
	}
	for _, g := range s.groups { // one price of service for all members
		for _, x := range g.members[1:] {
			for n := range trials[x.queue] {
				trials[x.queue][n][x.term] = trials[g.members[0].queue][n][g.members[0].term]
			}
		}
	}
	bounds, prices := make([][]float64, len(s.queues)), make([][]slopes, len(s.queues))
	err := parallel(ctx, len(s.queues), func(i int) {
		q := s.queues[i]
		bounds[i], prices[i] = q.bound(trials[i], s.full(q), s.uniform(q))
	})
	if err != nil {
		return 0, err
	}
	parts := s.linked()
	plain, best := s.together(parts, bounds, prices, trials)
	sum := total(plain) + s.rent()
	rungs, err := s.rungs(ctx, parts, best, found)
	return min(sum, rungs), err
}

// linked are the queues that joint terms link, each once, in order of the first queue.
func (s *shared) linked() [][]int {
	of := make([]int, len(s.queues))
	for i := range of {
		of[i] = i
	}
	for _, g := range s.groups {
		for _, x := range g.members {
			from, to := of[x.queue], of[g.members[0].queue]
			for i := range of {
				if of[i] == max(from, to) {
					of[i] = min(from, to)
				}
			}
		}
	}
	var out [][]int
	for first := range of {
		var part []int
		for i, o := range of {
			if o == first {
				part = append(part, i)
			}
		}
		if part != nil {
			out = append(out, part)
		}
	}
	return out
}

// together takes the best prices of every part: the same choice for all of its queues. It returns the bounds and the prices by queue.
func (s *shared) together(parts [][]int, bounds [][]float64, prices, trials [][]slopes) (least []float64, best []slopes) {
	best = make([]slopes, len(s.queues))
	for _, part := range parts {
		sums := make([]float64, len(bounds[part[0]]))
		for _, i := range part {
			for n, v := range bounds[i] {
				sums[n] += v
			}
		}
		for _, g := range s.groups {
			if slices.Contains(part, g.members[0].queue) {
				for n, v := range s.floorsOf(g, trials[g.members[0].queue]) {
					sums[n] -= v
				}
			}
		}
		at := 0
		for n, v := range sums {
			if v < sums[at] {
				at = n
			}
		}
		least = append(least, sums[at])
		for _, i := range part {
			best[i] = prices[i][at]
		}
	}
	return least, best
}

// trials are the prices that a bound tries: the multiples of the search and those around what it ended with.
func (q *queue) trials(days int, ends ...slopes) []slopes {
	var out []slopes
	at := make([]float64, len(q.terms))
	for _, x := range multiples(1) {
		for k := range at {
			at[k] = x
		}
		out = append(out, q.slopesAt(at, days))
	}
	for _, f := range []float64{1, 0.8, 0.6, 0.4, 0.2} {
		for _, p := range ends {
			out = append(out, p.times(f))
		}
	}
	for _, p := range out {
		for k := range q.terms {
			if q.terms[k].spec.Period == Run {
				clear(p[k])
			}
		}
	}
	return out
}

// only the prices of terms of a period.
func (q *queue) only(p slopes, period string) slopes {
	out := make(slopes, len(p))
	for k := range p {
		if out[k] = p[k]; q.terms[k].spec.Period != period {
			out[k] = make([]float64, len(p[k]))
		}
	}
	return out
}

// bound of one queue at prices of a head by slot, for each choice of the prices of the averages, and the prices that gave it.
func (q *queue) bound(trials []slopes, price []float64, most []int) (best []float64, at []slopes) {
	averages, dailies := q.choices(trials, Average), q.choices(trials, Daily)
	days := q.dayRanges()
	f := q.floors(averages, dailies, days)
	best, at = make([]float64, len(averages)), make([]slopes, len(averages))
	value, pick := make([][]float64, len(dailies)), make([]int, len(days))
	for i, a := range averages {
		best[i] = math.Inf(1)
		for j, d := range dailies {
			l := q.linear(a.plus(d), price, most)
			value[j] = make([]float64, len(days))
			for n, r := range days {
				for slot := r.from; slot < r.until; slot++ {
					_, y := l.best(slot)
					value[j][n] += y
				}
			}
		}
		try := func() {
			prices := a.plus(q.picked(dailies, pick, days))
			sum := q.spec.Prices.FeeYuan - q.floor(f, i, pick, days, prices)
			for n, j := range pick {
				sum += value[j][n]
			}
			if sum < best[i] {
				best[i], at[i] = sum, prices
			}
		}
		for j := range dailies {
			for n := range pick {
				pick[n] = j
			}
			try()
		}
		for n := range pick {
			for j := range dailies {
				if value[j][n]-f.mean[j][n] < value[pick[n]][n]-f.mean[pick[n]][n] {
					pick[n] = j
				}
			}
		}
		try()
	}
	return best, at
}

// picked are the prices of the choice of each range of days.
func (q *queue) picked(choices []slopes, pick []int, days []span) slopes {
	out := choices[0].times(0)
	for n, j := range pick {
		d := q.day[days[n].from]
		for k := range out {
			out[k][d] = choices[j][k][d]
		}
	}
	return out
}

// floors are the minima of due - won + p x over all services x.
type floors struct {
	average [][]float64     // by choice and scenario
	daily   [][][][]float64 // by choice, term (nil for others), range of days and scenario, before caps
	mean    [][]float64     // of daily over terms and scenarios, by choice and range of days
}

func (q *queue) floors(averages, dailies []slopes, days []span) floors {
	var f floors
	n := len(q.loads[0])
	for _, p := range averages {
		row := make([]float64, n)
		for s := range row {
			row[s] = q.leastAverage(p, s)
		}
		f.average = append(f.average, row)
	}
	for _, p := range dailies {
		terms, mean := make([][][]float64, len(q.terms)), make([]float64, len(days))
		for k := range q.terms {
			if q.terms[k].spec.Period != Daily {
				continue
			}
			for i, r := range days {
				row := make([]float64, n)
				for s := range row {
					row[s] = q.terms[k].leastDay(p[k][q.day[r.from]], q.day[r.from], s)
					mean[i] += row[s] / float64(n)
				}
				terms[k] = append(terms[k], row)
			}
		}
		f.daily, f.mean = append(f.daily, terms), append(f.mean, mean)
	}
	return f
}

// floor is the expected minimum for a choice of the averages and one of the daily terms per range of days, with caps: a cap
// counts with the best bonus and the worst service that there can be.
func (q *queue) floor(f floors, average int, pick []int, days []span, prices slopes) (sum float64) {
	n := len(q.loads[0])
	for s := range n {
		total, spared := f.average[average][s], 0.0
		for k := range q.terms {
			t := &q.terms[k]
			spare := t.topReward() - prices[k][0]*t.nobody(t.sum[s])
			if t.spec.Period == Daily {
				due := 0.0
				spare = 0
				for i, j := range pick {
					d := q.day[days[i].from]
					due += f.daily[j][k][i][s]
					spare += t.weight[d]*t.topReward() - prices[k][d]*t.nobody(float64(t.all[d][s]))
				}
				if t.spec.CapYuan > 0 {
					due = min(due, t.spec.CapYuan-spare)
				}
				total += due
			}
			spared += spare
		}
		if limit := q.spec.PenaltyCapYuan; limit > 0 {
			total = min(total, limit-spared)
		}
		sum += total
	}
	return sum / float64(n)
}

// topReward is the largest bonus of one judgement.
func (t *term) topReward() float64 {
	if len(t.rewards) == 0 {
		return 0
	}
	return t.rewards[len(t.rewards)-1].yuan
}

// choices of prices for the terms of a period; a single one when there is no such term.
func (q *queue) choices(trials []slopes, period string) []slopes {
	var out []slopes
	for _, p := range trials {
		out = append(out, q.only(p, period))
	}
	for k := range q.terms {
		if q.terms[k].spec.Period == period {
			return out
		}
	}
	return out[:1]
}

func (p slopes) plus(o slopes) slopes {
	out := make(slopes, len(p))
	for k := range p {
		for d := range p[k] {
			out[k] = append(out[k], p[k][d]+o[k][d])
		}
	}
	return out
}

func (p slopes) times(f float64) slopes {
	out := make(slopes, len(p))
	for k := range p {
		for _, v := range p[k] {
			out[k] = append(out[k], f*v)
		}
	}
	return out
}

// leastAverage is the minimum of due - won + p x over all services x of the averages in a scenario.
func (q *queue) leastAverage(p slopes, s int) (sum float64) {
	for k := range q.terms {
		if t := &q.terms[k]; t.spec.Period == Average && t.spec.Joint == "" {
			sum += q.leastOf(k, p[k][0], s)
		}
	}
	return sum
}

// leastOf is the part of one of them.
func (q *queue) leastOf(k int, price float64, s int) float64 {
	t := &q.terms[k]
	return t.corner(t.sum[s], t.spec.OutsideContacts, t.spec.OutsideMet, func(met float64) float64 {
		due, won := t.average(met, t.sum[s], 1)
		if t.spec.CapYuan > 0 {
			due = min(due, t.spec.CapYuan)
		}
		return due - won + price*met
	})
}

// leastDay is the same for a daily term on one day, before its cap.
func (t *term) leastDay(p float64, day, s int) float64 {
	all := float64(t.all[day][s])
	return t.corner(all, 0, 0, func(met float64) float64 {
		due, won := t.daily(day, met, all)
		return due - won + p*met
	})
}

// corner is the minimum of a function that is linear between the stairs and jumps at them.
func (t *term) corner(all, outside, outsideMet float64, f func(met float64) float64) float64 {
	least := math.Inf(1)
	t.corners(all, outside, outsideMet, t.nobody(all), t.everybody(all), func(met float64) { least = min(least, f(met)) })
	return least
}

// nobody and everybody are what counts where nobody and where all are served in time; of times, how long all wait.
func (t *term) nobody(all float64) float64 {
	if timed(t.spec.Metric) { // nobody waits longer than an endless wait
		return -endless * all
	}
	return 0
}

func (t *term) everybody(all float64) float64 {
	if timed(t.spec.Metric) {
		return 0
	}
	return all
}

// corners calls look at both ends and with both sides of every jump between them.
func (t *term) corners(all, outside, outsideMet, low, high float64, look func(met float64)) {
	look(low)
	look(high)
	at := func(share float64) {
		for _, share := range [2]float64{share, share + 3*touch} {
			if met := share*(all+outside) - outsideMet; met > low && met < high {
				look(met)
			}
		}
	}
	at(t.target)
	for _, s := range t.steps {
		at(t.target - s.from)
	}
	for _, r := range t.rewards {
		at(t.target + r.from)
	}
}
