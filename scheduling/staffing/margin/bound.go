package margin

import "math"

// bound is an upper bound of the expected margin over all staffings, by weak duality. For any prices p >= 0 per
// contact that meets a metric, and in every scenario,
//
//	due(x) - won(x)  >=  min over x' of [due(x') - won(x') + p x']  -  p x,
//
// so the margin is at most the best of the linear problem minus the expected minimum. The linear problem is
// solved slot by slot, which also drops the blocks: a relaxation. Seats and regular hours are priced
// in. Every p is valid; the smallest result of several counts. Runs are taken as free of charge.
func (s *shared) bound(last []slopes) float64 {
	sum := 0.0
	for _, price := range s.seat {
		sum += price * float64(s.in.MaxHeads)
	}
	for _, price := range s.hour {
		sum += price * s.in.Wage.RegularHours
	}
	for i, q := range s.queues {
		price, most := s.full(q), s.uniform(q)
		best := math.Inf(1)
		try := func(p slopes) {
			q.withoutRuns(p)
			l := q.linear(p, price, most)
			v := q.spec.Prices.FeeYuan - q.least(p)
			for slot := range q.at {
				_, y := l.best(slot)
				v += y
			}
			best = min(best, v)
		}
		at := make([]float64, len(q.terms))
		for _, x := range multiples() {
			for k := range at {
				at[k] = x
			}
			try(q.slopesAt(at, len(s.days)))
		}
		for _, f := range []float64{1, 0.8, 0.6, 0.4, 0.2} {
			for _, p := range []slopes{last[i], s.found[i].slopes} {
				try(p.times(f))
			}
		}
		sum += best
	}
	return sum
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

// withoutRuns sets the prices of run terms to 0: their least is 0 then, whatever the service.
func (q *queue) withoutRuns(p slopes) {
	for k := range q.terms {
		if q.terms[k].spec.Period == Run {
			clear(p[k])
		}
	}
}

// least is the expected minimum of due - won + p x over all services x. A cap of the queue, or of a daily term,
// cuts the sum of several dues; cutting never takes more than the share that the largest possible sum
// exceeds the cap by, so dues times that share are still a lower bound.
func (q *queue) least(p slopes) float64 {
	sum := 0.0
	for s := range len(q.loads[0]) {
		worst := 0.0
		for k := range q.terms {
			worst += q.terms[k].capped(q.terms[k].worst(s))
		}
		whole := keep(q.spec.PenaltyCapYuan, worst)
		for k := range q.terms {
			sum += q.terms[k].least(s, p[k], whole)
		}
	}
	return sum / float64(len(q.loads[0]))
}

// keep is the share of dues up to worst that a limit (0: none) leaves for certain.
func keep(limit, worst float64) float64 {
	if limit > 0 && worst > limit {
		return limit / worst
	}
	return 1
}

// worst is the largest due of a term in a scenario: nobody is answered in time.
func (t *term) worst(s int) (due float64) {
	switch t.spec.Period {
	case Average:
		due, _ = t.average(0, t.sum[s])
	case Daily:
		for d := range t.all {
			y, _ := t.daily(d, 0, float64(t.all[d][s]))
			due += y
		}
	}
	return due
}

func (t *term) least(s int, p []float64, whole float64) float64 {
	switch t.spec.Period {
	case Average:
		return t.corner(t.sum[s], t.spec.OutsideContacts, t.spec.OutsideMet, func(met float64) float64 {
			due, won := t.average(met, t.sum[s])
			return whole*t.capped(due) - won + p[0]*met
		})
	case Daily:
		sum := 0.0
		whole *= keep(t.spec.CapYuan, t.worst(s))
		for d := range t.all {
			all := float64(t.all[d][s])
			sum += t.corner(all, 0, 0, func(met float64) float64 {
				due, won := t.daily(d, met, all)
				return whole*due - won + p[d]*met
			})
		}
		return sum
	default:
		return 0
	}
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
