package roster

import "slices"

// mixture is what one agent does in fractions: relaxed rosters with weights that sum to 1.
type mixture struct {
	rows []mixRow
	mean rowCount
}

// mixRow is a relaxed roster in a mixture.
type mixRow struct {
	weight float64
	idle   int        // passes without weight
	cost   float64    // yuan of its own: wages, wishes, soft rules
	spans  []slotSpan // slots at work
	count  rowCount
	earned float64 // at the last prices
	part   float64 // weight that it gives away in a turn
}

type slotSpan struct{ from, to int32 }

// rowCount is what the multipliers of an agent price.
type rowCount struct {
	weekends, nights, work float64 // work in minutes
	used                   []float64
}

func (c *rowCount) add(x *rowCount, part float64) {
	c.weekends += part * x.weekends
	c.nights += part * x.nights
	c.work += part * x.work
	for k, minutes := range x.used {
		c.used[k] += part * minutes
	}
}

// of is what the multipliers take of a roster.
func (u *agentDual) of(c *rowCount) float64 {
	sum := u.weekend*c.weekends + u.night*c.nights - u.hour*c.work
	for k, minutes := range c.used {
		sum += u.meters[k] * minutes
	}
	return sum
}

// count sets the mean of a mixture.
func (x *mixture) count(meters int) {
	x.mean = rowCount{used: append(x.mean.used[:0], make([]float64, meters)...)}
	for i := range x.rows {
		x.mean.add(&x.rows[i].count, x.rows[i].weight)
	}
}

// join adds a roster to a mixture, without weight unless it is the first.
func (x *mixture) join(row mixRow) {
	kept := x.rows[:0]
	for _, old := range x.rows {
		if old.idle++; old.weight > 0 {
			old.idle = 0
		}
		if old.idle < idlePasses {
			kept = append(kept, old)
		}
	}
	x.rows = append(kept, row)
}

// idlePasses is how long a roster without weight stays.
const idlePasses = 6

// mixer changes the mixture of one agent at fixed prices; what the slots gain and lose is told, so that
// several mixers can work at a time. It is scratch memory for one goroutine.
type mixer struct {
	f       *fluid
	w       *planner
	best    []float64 // prefix sums of the agent's best price per slot
	delta   []float64 // heads gained and lost per slot
	givers  []int
	todo    []slotPart // what a turn changes
	changes []cellPart // told to the fluid
}

type slotPart struct {
	slot  int32
	heads float64
}

type cellPart struct {
	cell  int32
	heads float32
}

func newMixer(f *fluid, w *planner) *mixer {
	return &mixer{f: f, w: w, best: make([]float64, f.r.m.inside+1), delta: make([]float64, f.r.m.inside)}
}

// respond adds the roster that earns most at the prices to an agent's mixture.
func (x *mixer) respond(a int) {
	r := x.f.r
	m, u, t, w := r.m, &r.duals[a], &r.terms[a], x.w
	value := w.plan(a, r.price, t, u)
	width := len(m.queues)
	gain, row := 0.0, mixRow{}
	slices.Reverse(w.picks)
	for i := range w.picks {
		p := &w.picks[i]
		can := m.agents[a].skills[p.day]
		m.eachSlot(a, p, func(slot int) {
			gain += r.price[slot*width+int(bestOf(r.price[slot*width:], can))]
			if n := len(row.spans); n > 0 && row.spans[n-1].to == int32(slot) {
				row.spans[n-1].to++
			} else {
				row.spans = append(row.spans, slotSpan{int32(slot), int32(slot) + 1})
			}
		})
	}
	row.count = rowCount{weekends: float64(w.weekends), nights: float64(w.nights), work: float64(w.work)}
	for k, minutes := range w.used {
		row.count.used = append(row.count.used, float64(minutes))
		value -= t.meters[k].credit(u.meters[k])
	}
	row.cost = gain - value - u.of(&row.count)
	mix := &x.f.mixes[a]
	mix.join(row)
	if f := x.f; f.passes < fluidEarly || len(mix.rows) == 1 {
		x.blend(a, 2/float64(f.passes+2))
	}
}

// blend moves an agent's mixture towards its last roster.
func (x *mixer) blend(a int, step float64) {
	f := x.f
	mix, skills, share := &f.mixes[a], f.skills[a], f.share[a]
	for i, part := range share {
		if part > 0 {
			x.tell(i/len(skills)*len(f.r.m.queues)+int(skills[i%len(skills)]), -float32(step)*part)
			share[i] -= float32(step) * part
		}
	}
	for i := range mix.rows {
		mix.rows[i].weight *= 1 - step
	}
	row := &mix.rows[len(mix.rows)-1]
	row.weight += step
	x.move(a, row, step)
}

// balance moves weight from the rosters of an agent that earn less to the one that earns most, as far
// as the prices allow, and heads between its queues.
func (x *mixer) balance(a int) {
	f := x.f
	mix := &f.mixes[a]
	if len(mix.rows) == 0 {
		return
	}
	x.sums(a)
	best := 0
	for i := range mix.rows {
		row := &mix.rows[i]
		row.earned = x.earned(a, row)
		if row.earned > mix.rows[best].earned {
			best = i
		}
	}
	if x.choose(mix, best) {
		x.turn(a, best)
	}
	mix.count(len(f.r.terms[a].meters))
	f.steer(a)
	x.level(a)
}

// mostGivers is the number of rosters that give weight away in one turn.
const mostGivers = 3

// choose picks the rosters from which the move to the best one wins most.
func (x *mixer) choose(mix *mixture, best int) (ok bool) {
	x.givers = x.givers[:0]
	to := &mix.rows[best]
	bend := x.f.stiff * (1 + 0.3*float64(to.slots())) // two rosters differ in more slots, but the line search follows
	for i := range mix.rows {
		row := &mix.rows[i]
		gap := to.earned - row.earned
		row.part = 0
		if i == best || row.weight == 0 || gap < 1e-3 {
			continue
		}
		row.part = min(row.weight, gap/bend)
		k := len(x.givers)
		for k > 0 && mix.won(x.givers[k-1], best) < mix.won(i, best) {
			k--
		}
		if k < mostGivers {
			x.givers = slices.Insert(x.givers, k, i)
			x.givers = x.givers[:min(len(x.givers), mostGivers)]
		}
	}
	return len(x.givers) > 0
}

// won is what the part of a roster wins on the best one.
func (x *mixture) won(i, best int) float64 {
	return x.rows[i].part * (x.rows[best].earned - x.rows[i].earned)
}

func (x *mixRow) slots() (n int) {
	for _, s := range x.spans {
		n += int(s.to - s.from)
	}
	return n
}

// turn moves parts of the givers to the best roster, as far as the prices allow in all.
func (x *mixer) turn(a, best int) {
	f := x.f
	mix := &f.mixes[a]
	to := &mix.rows[best]
	slope, given := 0.0, 0.0
	change := rowCount{used: make([]float64, len(f.r.terms[a].meters))}
	for _, i := range x.givers {
		row := &mix.rows[i]
		slope, given = slope+mix.won(i, best), given+row.part
		x.spread(row, -row.part)
		change.add(&row.count, -row.part)
	}
	x.spread(to, given)
	change.add(&to.count, given)
	fair := 2 * f.r.m.p.Weights.Fairness
	bend := fair * (change.weekends*change.weekends + change.nights*change.nights)
	for _, minutes := range change.used {
		bend += f.firm() * minutes * minutes
	}
	x.todo = x.todo[:0]
	for _, i := range append(x.givers, best) {
		for _, s := range mix.rows[i].spans {
			for t := s.from; t < s.to; t++ {
				if d := x.delta[t]; d != 0 {
					x.delta[t] = 0
					bend += f.stiff * d * d
					x.todo = append(x.todo, slotPart{t, d})
				}
			}
		}
	}
	step := min(1, slope/max(bend, 1e-9))
	for _, c := range x.todo {
		x.place(a, int(c.slot), step*c.heads)
	}
	for _, i := range x.givers {
		row := &mix.rows[i]
		if row.weight -= step * row.part; row.weight < 1e-9 {
			row.weight = 0
		}
	}
	to.weight += step * given
}

// spread adds part of a roster's slots to delta.
func (x *mixer) spread(row *mixRow, part float64) {
	for _, s := range row.spans {
		for t := s.from; t < s.to; t++ {
			x.delta[t] += part
		}
	}
}

// move gives an agent the slots of a roster.
func (x *mixer) move(a int, row *mixRow, part float64) {
	for _, s := range row.spans {
		for t := s.from; t < s.to; t++ {
			x.place(a, int(t), part)
		}
	}
}

// sums fills the prefix sums of an agent's best price per slot.
func (x *mixer) sums(a int) {
	m, price := x.f.r.m, x.f.r.price
	width := len(m.queues)
	sum := 0.0
	for t := range m.inside {
		if can := m.agents[a].skills[x.f.dayOf[t]]; len(can) > 0 {
			row := price[t*width : t*width+width]
			top := row[can[0]]
			for _, q := range can[1:] {
				if row[q] > top {
					top = row[q]
				}
			}
			sum += top
		}
		x.best[t+1] = sum
	}
}

// earned is what a roster earns at the prices and multipliers.
func (x *mixer) earned(a int, row *mixRow) float64 {
	sum := -row.cost - x.f.r.duals[a].of(&row.count)
	for _, s := range row.spans {
		sum += x.best[s.to] - x.best[s.from]
	}
	return sum
}

// place adds heads of an agent in a slot where the price is highest, or takes them where it is lowest.
func (x *mixer) place(a, t int, part float64) {
	f := x.f
	m := f.r.m
	width, skills := len(m.queues), f.skills[a]
	can := m.agents[a].skills[f.dayOf[t]]
	if len(can) == 0 {
		return
	}
	share := f.share[a][t*len(skills) : (t+1)*len(skills)]
	if part > 0 {
		q := bestOf(f.r.price[t*width:], can)
		share[f.rank[a][q]] += float32(part)
		x.tell(t*width+int(q), float32(part))
		return
	}
	for left := float32(-part); left > 0; {
		k := f.poorest(a, t)
		if k < 0 {
			return
		}
		take := min(left, share[k])
		if left -= take; share[k]-take < 1e-6 {
			take = share[k]
		}
		share[k] -= take
		x.tell(t*width+int(skills[k]), -take)
	}
}

func (x *mixer) tell(cell int, heads float32) {
	x.changes = append(x.changes, cellPart{int32(cell), heads})
}

// level moves an agent's share of each slot from the queue with the lowest price to that with the
// highest.
func (x *mixer) level(a int) {
	f := x.f
	m, price := f.r.m, f.r.price
	width, skills, share := len(m.queues), f.skills[a], f.share[a]
	if len(skills) < 2 {
		return
	}
	for t := range m.inside {
		k := f.poorest(a, t)
		if k < 0 {
			continue
		}
		can := m.agents[a].skills[f.dayOf[t]]
		if len(can) < 2 {
			continue
		}
		top := bestOf(price[t*width:], can)
		gap := price[t*width+int(top)] - price[t*width+int(skills[k])]
		if gap < 1e-3 {
			continue
		}
		have := &share[t*len(skills)+k]
		part := min(*have, float32(gap/(10*f.stiff))) // others of the block do the same
		*have -= part
		share[t*len(skills)+int(f.rank[a][top])] += part
		x.tell(t*width+int(skills[k]), -part)
		x.tell(t*width+int(top), part)
	}
}
