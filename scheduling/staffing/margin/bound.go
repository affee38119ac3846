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
// minimum of min(cap, due) + p x is the smaller of the cap and the minimum of due + p x. Runs are taken as free.
func (s *shared) bound(ctx context.Context, last []slopes) (float64, error) {
	sum := 0.0
	for _, price := range s.seat {
		sum += price * float64(s.in.MaxHeads)
	}
	for d, price := range s.hour {
		if s.regular(d) {
			sum += price * s.in.Wage.RegularHours
		}
	}
	bounds, trials := make([][]float64, len(s.queues)), make([][]slopes, len(s.queues))
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
	err := parallel(ctx, len(s.queues), func(i int) {
		q := s.queues[i]
		bounds[i] = q.bound(trials[i], s.full(q), s.uniform(q))
	})
	if err != nil {
		return 0, err
	}
	return sum + s.together(bounds, trials), nil
}

// together takes the best price of every queue, and one for all queues that are in groups.
func (s *shared) together(bounds [][]float64, trials [][]slopes) (sum float64) {
	grouped := map[int]bool{}
	var common []float64
	for _, g := range s.groups {
		if common == nil {
			common = make([]float64, len(trials[g.members[0].queue]))
		}
		for n, v := range s.floorsOf(g, trials[g.members[0].queue]) {
			common[n] -= v
		}
		for _, x := range g.members {
			grouped[x.queue] = true
		}
	}
	for i, b := range bounds {
		if !grouped[i] {
			sum += slices.Min(b)
			continue
		}
		for n, v := range b {
			common[n] += v
		}
	}
	if common != nil {
		sum += slices.Min(common)
	}
	return sum
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

// bound of one queue at prices of a head by slot, for each choice of the prices of the averages.
func (q *queue) bound(trials []slopes, price []float64, most []int) []float64 {
	averages, dailies := q.choices(trials, Average), q.choices(trials, Daily)
	days := q.dayRanges()
	f := q.floors(averages, dailies, days)
	best := make([]float64, len(averages))
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
			sum := q.spec.Prices.FeeYuan - q.floor(f, i, pick)
			for n, j := range pick {
				sum += value[j][n]
			}
			best[i] = min(best[i], sum)
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
	return best
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

// floor is the expected minimum for a choice of the averages and one of the daily terms per range of days, with caps.
func (q *queue) floor(f floors, average int, pick []int) (sum float64) {
	n := len(q.loads[0])
	for s := range n {
		total, rewards := f.average[average][s], 0.0
		for k := range q.terms {
			t := &q.terms[k]
			won := t.topReward()
			if t.spec.Period == Daily {
				won *= float64(len(pick))
				due := 0.0
				for i, j := range pick {
					due += f.daily[j][k][i][s]
				}
				if t.spec.CapYuan > 0 {
					due = min(due, t.spec.CapYuan-won)
				}
				total += due
			}
			rewards += won
		}
		if limit := q.spec.PenaltyCapYuan; limit > 0 {
			total = min(total, limit-rewards)
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
			sum += t.corner(t.sum[s], t.spec.OutsideContacts, t.spec.OutsideMet, func(met float64) float64 {
				due, won := t.average(met, t.sum[s], 1)
				if t.spec.CapYuan > 0 {
					due = min(due, t.spec.CapYuan)
				}
				return due - won + p[k][0]*met
			})
		}
	}
	return sum
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
	low, high := 0.0, all
	if timed(t.spec.Metric) { // nobody waits longer than an endless wait
		low, high = -endless*all, 0
	}
	least := min(f(low), f(high))
	look := func(share float64) {
		for _, share := range []float64{share, share + 3*touch} {
			if met := share*(all+outside) - outsideMet; met > low && met < high {
				least = min(least, f(met))
			}
		}
	}
	look(t.target)
	for _, s := range t.steps {
		look(t.target - s.from)
	}
	for _, r := range t.rewards {
		look(t.target + r.from)
	}
	return least
}
