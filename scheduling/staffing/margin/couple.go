package margin

import (
	"context"
	"math"

	"github.com/chaoban/chaoban/scheduling"
)

// Result of Optimise.
type Result struct {
	Plan      Plan    `json:"plan"`
	Outcome   Outcome `json:"outcome"`
	BoundYuan float64 `json:"bound_yuan"` // no staffing has a larger expected margin on these scenarios
	GapYuan   float64 `json:"gap_yuan"`   // bound - expected margin: what a better search could at most still find
	// Worth is what each head of the plan saves, by queue and slot: revenue and what the contract takes without it.
	Worth  [][][]scheduling.Step `json:"-"`
	slopes []slopes
}

// Optimise finds the staffing of largest expected margin over the horizon. Queues share the seats
// (Input.MaxHeads) and the regular hours of each workday; both get a price, and queues are solved apart at
// these prices. Errors: only the context's.
func (m *Model) Optimise(ctx context.Context) (Result, error) {
	if err := m.ready(ctx); err != nil {
		return Result{}, err
	}
	s := &shared{Model: m, seat: make([]float64, len(m.day)), hour: make([]float64, len(m.days))}
	s.found = make([]candidate, len(m.queues))
	if err := s.along(ctx); err != nil {
		return Result{}, err
	}
	for range 2 {
		if !s.tight() {
			break
		}
		s.bargain()
		if err := s.along(ctx); err != nil {
			return Result{}, err
		}
	}
	s.evict()
	if err := s.climb(ctx); err != nil {
		return Result{}, err
	}
	if err := s.agree(ctx); err != nil {
		return Result{}, err
	}
	if err := s.finish(ctx); err != nil {
		return Result{}, err
	}
	if err := s.pairs(ctx); err != nil {
		return Result{}, err
	}
	r := Result{}
	all, err := m.openAll(ctx, func(i int) []int { return s.found[i].staff.heads })
	if err != nil {
		return Result{}, err
	}
	for i, q := range m.queues {
		st := s.found[i].staff
		r.Plan.Queues = append(r.Plan.Queues, QueuePlan{Queue: q.id, Heads: st.heads, Blocks: st.blocks(m)})
		r.slopes = append(r.slopes, all[i].slopesNow(len(m.days)))
	}
	r.Worth = m.worth(all)
	r.Outcome = m.outcome(all)
	if r.BoundYuan, err = s.bound(ctx, r.slopes, r.Outcome.Margin.Mean); err != nil {
		return Result{}, err
	}
	r.GapYuan = r.BoundYuan - r.Outcome.Margin.Mean
	return r, nil
}

// shared is the search over all queues with the prices of what they share.
type shared struct {
	*Model
	found []candidate
	seat  []float64 // yuan per head, by grid slot: Lagrange multiplier of MaxHeads
	hour  []float64 // yuan per paid hour, by day: multiplier of the regular hours, 0 to the premium
}

// money is what a head costs by slot of a queue, with the price of overtime.
func (s *shared) money(q *queue) []float64 {
	out := make([]float64, len(q.at))
	for i := range out {
		out[i] = q.wage[i] + s.hour[q.day[i]]*s.paid()
	}
	return out
}

// full is money with the price of a seat.
func (s *shared) full(q *queue) []float64 {
	out := s.money(q)
	for i, t := range q.at {
		out[i] += s.seat[t]
	}
	return out
}

// uniform ceilings of a queue.
func (s *shared) uniform(q *queue) []int {
	out := make([]int, len(q.at))
	for i := range out {
		out[i] = s.ceiling(q)
	}
	return out
}

// along solves every queue apart at the present prices.
func (s *shared) along(ctx context.Context) error {
	return parallel(ctx, len(s.queues), func(i int) {
		q := s.queues[i]
		s.found[i] = s.Model.along(ctx, q, s.full(q), s.uniform(q), s.found[i])
	})
}

// used are the heads of all queues by grid slot, and the paid hours by day.
func (s *shared) used() (heads []int, hours []float64) {
	heads, hours = make([]int, len(s.seat)), make([]float64, len(s.hour))
	for i, q := range s.queues {
		for j, h := range s.found[i].staff.heads {
			heads[q.at[j]] += h
			hours[q.day[j]] += float64(h) * s.paid()
		}
	}
	return heads, hours
}

// regular reports that hours of a day beyond the regular ones cost a premium.
func (s *shared) regular(day int) bool {
	return s.in.Wage.RegularHours > 0 && s.in.kind(s.days[day]) == Workday
}

// tight reports that the queues together want more than there is.
func (s *shared) tight() bool {
	heads, hours := s.used()
	for _, h := range heads {
		if s.in.MaxHeads > 0 && h > s.in.MaxHeads {
			return true
		}
	}
	for d, h := range hours {
		if s.regular(d) && h > s.in.Wage.RegularHours && s.hour[d] < s.premium() {
			return true
		}
	}
	return false
}

// bargain moves the prices by subgradient steps while the shadow prices of service stand still.
func (s *shared) bargain() {
	const rounds = 30
	scale := max(s.in.Wage.HourYuan, 1) * s.paid()
	for round := range rounds {
		heads, hours := s.used()
		step := 4 / math.Sqrt(float64(1+round))
		for t, h := range heads {
			if s.in.MaxHeads > 0 {
				s.seat[t] = max(0, s.seat[t]+step*scale*float64(h-s.in.MaxHeads)/float64(s.in.MaxHeads))
			}
		}
		for d, h := range hours {
			if s.regular(d) {
				over := step * s.premium() * (h - s.in.Wage.RegularHours) / s.in.Wage.RegularHours
				s.hour[d] = min(s.premium(), max(0, s.hour[d]+over))
			}
		}
		for i, q := range s.queues {
			st := s.newStaff(q)
			st.cover(q.linear(s.found[i].slopes, s.full(q), s.uniform(q)))
			s.found[i].staff = st
		}
	}
}

// evict takes out the blocks that are worth least until everybody has a seat.
func (s *shared) evict() {
	if s.in.MaxHeads == 0 {
		return
	}
	problems := make([]*linear, len(s.queues))
	sums := make([]*marginals, len(s.queues))
	for i, q := range s.queues {
		problems[i] = q.linear(s.found[i].slopes, s.money(q), s.uniform(q))
		sums[i] = s.found[i].staff.marginals(problems[i])
	}
	heads, _ := s.used()
	for t := range heads {
		for heads[t] > s.in.MaxHeads {
			who, what, least := -1, move{}, math.Inf(1)
			for i, q := range s.queues {
				st := s.found[i].staff
				st.covering(q, t, func(p piece) {
					mv := move{out: p, take: true}
					if loss := -sums[i].score(st, mv); loss < least {
						who, what, least = i, mv, loss
					}
				})
			}
			if who < 0 {
				break // only floors are left; Validate has checked that they fit
			}
			st := s.found[who].staff
			r := st.span(what.out)
			for i := r.from; i < r.until; i++ {
				heads[s.queues[who].at[i]]--
			}
			lose, gain := st.effect(what)
			st.apply(what)
			sums[who].refresh(st, problems[who], lose, gain)
		}
	}
}

// covering calls f with each kind of block that covers a grid slot.
func (st *staff) covering(q *queue, grid int, f func(piece)) {
	for l, length := range st.lengths {
		for i, n := range st.count[l] {
			if n > 0 && q.at[i] <= grid && grid < q.at[i]+length && grid <= q.at[q.end[i]-1] {
				f(piece{l, i})
			}
		}
	}
}

// climb improves all queues on the true objective. Free seats are shared out evenly, the remainder in turn,
// so that queues can climb side by side and still fit.
func (s *shared) climb(ctx context.Context) error {
	rounds := 1
	if s.in.MaxHeads > 0 {
		rounds = 3
	}
	for round := range rounds {
		heads, _ := s.used()
		gains := make([]float64, len(s.queues))
		err := parallel(ctx, len(s.queues), func(i int) {
			q, n := s.queues[i], len(s.queues)
			most := s.uniform(q)
			if s.in.MaxHeads > 0 {
				for j, t := range q.at {
					free := max(0, s.in.MaxHeads-heads[t])
					mine := free / n
					if (i+round)%n < free%n {
						mine++
					}
					most[j] = min(most[j], s.found[i].staff.heads[j]+mine)
				}
			}
			c := &climber{m: s.Model, b: s.open(q, s.found[i].staff.heads), staff: s.found[i].staff, price: s.money(q), most: most, chains: round == 0}
			gains[i] = c.climb(ctx)
		})
		if err != nil {
			return err
		}
		sum := 0.0
		for _, g := range gains {
			sum += g
		}
		if sum <= worthless {
			break
		}
	}
	return nil
}
