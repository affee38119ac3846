package margin

import "context"

// finish improves all queues one after the other on the true objective with everything that they share: the
// seats that are left, and the premium of the very hours that exceed the regular ones. Then queues trade
// blocks: one gives a seat for which another has a better use.
func (s *shared) finish(ctx context.Context) error {
	if s.in.MaxHeads == 0 && s.in.Wage.RegularHours == 0 && len(s.groups) == 0 {
		return nil
	}
	heads, hours := s.used()
	all := make([]*climber, len(s.queues))
	for i, q := range s.queues {
		st := s.found[i].staff
		all[i] = &climber{m: s.Model, b: s.open(q, st.heads), staff: st, price: s.money(q), pay: q.wage, hours: hours, chains: len(s.groups) > 0}
	}
	ledgers := make([]*books, len(all))
	for i, c := range all {
		ledgers[i] = c.b
	}
	for range 2 {
		gain := 0.0
		for i, c := range all {
			c.most = s.uniform(s.queues[i])
			for j, t := range s.queues[i].at {
				heads[t] -= c.staff.heads[j]
				if s.in.MaxHeads > 0 {
					c.most[j] = min(c.most[j], s.in.MaxHeads-heads[t])
				}
			}
			s.join(ledgers)
			gain += c.climb(ctx)
			for j, t := range s.queues[i].at {
				heads[t] += c.staff.heads[j]
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		if s.in.MaxHeads > 0 {
			gain += s.trade(all, ledgers)
		}
		if gain <= worthless {
			break
		}
	}
	return nil
}

// trade lets, for every time and length of a block, the queue that loses least by one give it to the queue that
// gains most, as long as both together gain.
func (s *shared) trade(all []*climber, ledgers []*books) (gain float64) {
	const deals = 5 // for one time and length
	problems, sums := make([]*linear, len(all)), make([]*marginals, len(all))
	at := make([]map[int]int, len(all)) // slot of the queue by slot of the grid
	for i, c := range all {
		problems[i] = c.b.linear(c.b.slopesNow(len(s.days)), c.price, s.uniform(s.queues[i]))
		sums[i] = c.staff.marginals(problems[i])
		at[i] = map[int]int{}
		for j, t := range s.queues[i].at {
			at[i][t] = j
		}
	}
	for t := range s.day {
		for length := range all[0].staff.lengths {
			for range deals {
				to, put := s.partner(all, sums, at, t, length, true)
				from, take := s.partner(all, sums, at, t, length, false)
				if to < 0 || from < 0 || to == from || all[to].staff.span(put.in).len() != all[from].staff.span(take.out).len() {
					break
				}
				won := all[from].gain(take)
				all[from].take(take, problems[from], sums[from])
				s.join(ledgers)
				won += all[to].gain(put) // with the hours that have just become free
				if won <= worthless {
					all[from].take(take.back(), problems[from], sums[from])
					s.join(ledgers)
					break
				}
				all[to].take(put, problems[to], sums[to])
				s.join(ledgers)
				gain += won
			}
		}
	}
	return gain
}

// partner is the queue with the largest linear gain of putting a block in (or taking one out) at a slot of the grid.
func (s *shared) partner(all []*climber, sums []*marginals, at []map[int]int, grid, length int, put bool) (who int, what move) {
	who, most := -1, -1e8
	for i, c := range all {
		slot, open := at[i][grid]
		if !open || !put && c.staff.count[length][slot] == 0 || c.staff.fit(length, slot).start != slot {
			continue
		}
		mv := move{out: piece{length, slot}, take: true}
		if put {
			mv = move{in: piece{length, slot}, put: true}
		}
		if v := sums[i].score(c.staff, mv); v > most {
			who, what, most = i, mv, v
		}
	}
	return who, what
}
