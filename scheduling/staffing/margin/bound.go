package margin

import (
	"context"
	"math"
)

// bound is an upper bound of the expected margin over all staffings, by weak duality. For any prices p >= 0 per
// contact that meets a metric, and in every scenario,
//
//	due(x) - won(x)  >=  min over x' of [due(x') - won(x') + p x']  -  p x,
//
// so the margin is at most the best of the linear problem minus the expected minimum. The linear problem is
// solved slot by slot, which also drops the blocks: a relaxation. Seats and regular hours are priced
// in. Every p is valid. Averages have one price over the horizon and daily terms one per day; given the price of
// the averages the days fall apart, and each takes its own best. Runs are taken as free of charge.
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
	bounds := make([]float64, len(s.queues))
	err := parallel(ctx, len(s.queues), func(i int) {
		q := s.queues[i]
		bounds[i] = q.bound(q.trials(len(s.days), last[i], s.found[i].slopes), s.full(q), s.uniform(q))
	})
	for _, v := range bounds {
		sum += v
	}
	return sum, err
}

// trials are the prices that a bound tries: the multiples of the search and those around what it ended with.
func (q *queue) trials(days int, ends ...slopes) []slopes {
	var out []slopes
	at := make([]float64, len(q.terms))
	for _, x := range multiples() {
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

// bound of one queue at prices of a head by slot.
func (q *queue) bound(trials []slopes, price []float64, most []int) float64 {
	averages, dailies := q.choices(trials, Average), q.choices(trials, Daily)
	days := q.dayRanges()
	leastOf := make([][]float64, len(dailies)) // by choice and range of days
	for j, p := range dailies {
		leastOf[j] = make([]float64, len(days))
		for n, r := range days {
			leastOf[j][n] = q.leastDay(p, q.day[r.from])
		}
	}
	best := math.Inf(1)
	for _, a := range averages {
		sum := q.spec.Prices.FeeYuan - q.leastAverage(a)
		least := make([]float64, len(days))
		for n := range least {
			least[n] = math.Inf(1)
		}
		for j, d := range dailies {
			l := q.linear(a.plus(d), price, most)
			for n, r := range days {
				v := -leastOf[j][n]
				for slot := r.from; slot < r.until; slot++ {
					_, y := l.best(slot)
					v += y
				}
				least[n] = min(least[n], v)
			}
		}
		for _, v := range least {
			sum += v
		}
		best = min(best, sum)
	}
	return best
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

// leastAverage is the expected minimum of due - won + p x over all services x, for the averages.
func (q *queue) leastAverage(p slopes) (sum float64) {
	n := len(q.loads[0])
	for s := range n {
		whole := q.whole(s)
		for k := range q.terms {
			if t := &q.terms[k]; t.spec.Period == Average {
				sum += t.corner(t.sum[s], t.spec.OutsideContacts, t.spec.OutsideMet, func(met float64) float64 {
					due, won := t.average(met, t.sum[s])
					return whole*t.capped(due) - won + p[k][0]*met
				})
			}
		}
	}
	return sum / float64(n)
}

// leastDay is the same for the daily terms of one day.
func (q *queue) leastDay(p slopes, day int) (sum float64) {
	n := len(q.loads[0])
	for s := range n {
		whole := q.whole(s)
		for k := range q.terms {
			if t := &q.terms[k]; t.spec.Period == Daily {
				all, part := float64(t.all[day][s]), whole*keep(t.spec.CapYuan, t.worst(s))
				sum += t.corner(all, 0, 0, func(met float64) float64 {
					due, won := t.daily(day, met, all)
					return part*due - won + p[k][day]*met
				})
			}
		}
	}
	return sum / float64(n)
}

// whole is the share of all dues that the cap of the queue leaves for certain. A cap cuts a sum of several
// dues by at most the share that the largest possible sum exceeds it by, so dues times that share are
// still a lower bound.
func (q *queue) whole(s int) float64 {
	if q.spec.PenaltyCapYuan == 0 {
		return 1
	}
	worst := 0.0
	for k := range q.terms {
		worst += q.terms[k].capped(q.terms[k].worst(s))
	}
	return keep(q.spec.PenaltyCapYuan, worst)
}

// keep is the share of dues up to worst that a limit (0: none) leaves for certain.
func keep(limit, worst float64) float64 {
	if limit > 0 && worst > limit {
		return limit / worst
	}
	return 1
}

// worst is the largest due of a term in a scenario: nobody is answered in time. A run is left out of a bound
// altogether, but it may use up the cap.
func (t *term) worst(s int) (due float64) {
	switch t.spec.Period {
	case Average:
		due, _ = t.average(0, t.sum[s])
	case Daily:
		for d := range t.all {
			y, _ := t.daily(d, 0, float64(t.all[d][s]))
			due += y
		}
	case Run:
		for _, w := range t.weight {
			due += w * t.steps[0].yuan
		}
	}
	return due
}

// corner is the minimum of a function that is linear between the stairs and jumps at them.
func (t *term) corner(all, outside, outsideMet float64, f func(met float64) float64) float64 {
	least := min(f(0), f(all))
	look := func(share float64) {
		for _, share := range []float64{share, share + 3*touch} {
			if met := share*(all+outside) - outsideMet; met > 0 && met < all {
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
