package capacity

import "math"

// infinity is a cost that no plan has.
var infinity = math.Inf(1)

// supply is what the ordered people give in each week.
type supply struct{ staff, heads, temps []float64 }

func (m *model) supply(n []int) supply {
	weeks := len(m.demand)
	s := supply{append([]float64(nil), m.staff...), append([]float64(nil), m.heads...), make([]float64, weeks)}
	for j, heads := range n {
		if heads == 0 {
			continue
		}
		c := &m.columns[j]
		for t := max(0, c.first); t < weeks; t++ {
			if c.kind == ClassKind {
				s.staff[t] += float64(heads) * c.hours[t]
				s.heads[t] += float64(heads) * c.heads[t]
			} else {
				s.temps[t] += float64(heads) * c.hours[t]
			}
		}
	}
	return s
}

// choice is what a week does beside its people.
type choice struct {
	perHead int // overtime hours of each who agreed
	cloud   int // paid hours
	cost    float64
}

// options are the choices of a week by overtime hours, from none up to where more no longer pays.
type options struct {
	staff, heads, temps float64 // for which they hold
	known               bool
	by                  []choice
}

// recourse finds the best overtime and cloud hours of all weeks for given people, exactly: per week the
// cost is convex in the overtime hours, and over the weeks a table runs on the hours that each head has
// used of the month so far. It keeps the options of weeks whose people have not changed.
type recourse struct {
	m     *model
	weeks []options
	// of the last best: cost[r] with r hours used of the month; from[t][r] the hours of week t behind it.
	cost, next []float64
	from       [][]pick
}

type pick struct{ used, perHead int }

func newRecourse(m *model) *recourse {
	r := &recourse{m: m, weeks: make([]options, len(m.demand))}
	month := 0
	if m.skill.Overtime != nil {
		month = m.skill.Overtime.HoursPerMonth
	}
	r.cost, r.next = make([]float64, month+1), make([]float64, month+1)
	r.from = make([][]pick, len(m.demand))
	for t := range r.from {
		r.from[t] = make([]pick, month+1)
	}
	return r
}

// option is the best a week can do with some overtime per head.
func (m *model) option(t, perHead int, staff, heads, temps float64) choice {
	price := yuan(m.skill.Weeks[t].Shortage)
	c := choice{perHead: perHead}
	hours := staff + temps
	if perHead > 0 {
		o := m.skill.Overtime
		worked := float64(perHead) * o.AgreedShare
		hours += worked * staff / m.skill.HoursPerWeek
		c.cost = worked * heads * m.overtimeCost()
	}
	most := m.cloudMost[t]
	if most == 0 || hours >= m.cloudWorth[t] {
		c.cost += price * m.demand[t].short(hours)
		return c
	}
	hourly, speed := yuan(m.skill.Cloud.CostPerHour), m.skill.Cloud.Speed
	at := func(k int) float64 {
		return hourly*float64(k) + price*m.demand[t].short(hours+speed*float64(k))
	}
	// Convex in the hours: the best whole number is next to the best fraction.
	c.cloud = int(min(float64(most), math.Floor((m.cloudWorth[t]-hours)/speed)))
	best := at(c.cloud)
	if c.cloud < most {
		if more := at(c.cloud + 1); more < best {
			best = more
			c.cloud++
		}
	}
	c.cost += best
	return c
}

// fill computes the options of a week unless they are known.
func (r *recourse) fill(t int, staff, heads, temps float64) {
	o := &r.weeks[t]
	if o.known && o.staff == staff && o.heads == heads && o.temps == temps {
		return
	}
	*o = options{staff, heads, temps, true, append(o.by[:0], r.m.option(t, 0, staff, heads, temps))}
	for u := 1; u <= r.m.overtime[t]; u++ {
		c := r.m.option(t, u, staff, heads, temps)
		if c.cost >= o.by[u-1].cost {
			return // convex: still more is no better
		}
		o.by = append(o.by, c)
	}
}

// best is the least cost of overtime, cloud hours and shortage over all weeks.
func (r *recourse) best(s supply) float64 {
	for i := range r.cost {
		r.cost[i] = infinity
	}
	r.cost[0] = 0
	for t := range r.weeks {
		r.fill(t, s.staff[t], s.heads[t], s.temps[t])
		r.step(t)
	}
	return r.cost[cheapest(r.cost)]
}

// step carries the table over one week. The month so far ends where the week begins a new one, and then the
// cheapest way to come here is what counts; a week over the end of a month counts in full in both.
func (r *recourse) step(t int) {
	months := r.m.months
	fresh := t > 0 && months[t].first != months[t-1].last
	least := 0
	if fresh {
		least = cheapest(r.cost)
		r.cost[0] = r.cost[least]
		for i := 1; i < len(r.cost); i++ {
			r.cost[i] = infinity
		}
	}
	for i := range r.next {
		r.next[i] = infinity
	}
	for used, cost := range r.cost {
		if math.IsInf(cost, 1) {
			continue
		}
		behind := used
		if fresh {
			behind = least
		}
		for _, o := range r.weeks[t].by {
			if used+o.perHead >= len(r.cost) {
				break
			}
			into := used + o.perHead
			if months[t].first != months[t].last {
				into = o.perHead
			}
			if c := cost + o.cost; c < r.next[into] {
				r.next[into] = c
				r.from[t][into] = pick{behind, o.perHead}
			}
		}
	}
	r.cost, r.next = r.next, r.cost
}

func cheapest(costs []float64) int {
	least := 0
	for i, c := range costs {
		if c < costs[least] {
			least = i
		}
	}
	return least
}

// choices reads the best back from the table that the last call of best left.
func (r *recourse) choices() []choice {
	used := cheapest(r.cost)
	out := make([]choice, len(r.weeks))
	for t := len(out) - 1; t >= 0; t-- {
		p := r.from[t][used]
		out[t] = r.weeks[t].by[p.perHead]
		used = p.used
	}
	return out
}
