package nrp

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// dive decides days of the members one after the other where the columns agree best, prices again
// after each step, and ends with whole rows (Strandmark, Qu & Curtois 2020; Sadykov et al. 2019).
// Deciding days rather than whole rows keeps every member able to give way until late. It returns
// nil when nothing below the cutoff was found. The master is used up.
func (g *group) dive(cutoff int, rng *rand.Rand, noise float64) []*column {
	last := g.m.primal
	for !g.halt() {
		best := g.leading()
		if !g.decide(best, rng, noise) {
			if rows := g.polished(best); g.total(rows) < cutoff {
				return rows
			}
			return nil
		}
		g.bound = math.Inf(-1) // the old one held for the days decided so far
		g.m.solve(diveTarget, g.halt)
		if g.m.primal < last+settledRise {
			continue // the other rows give way for free, so new columns are not needed yet
		}
		copy(g.center, g.m.lambda)
		if g.generate(diveRounds, 1, float64(cutoff)) || g.failed {
			return nil
		}
		g.m.solve(diveTarget, g.halt)
		last = g.m.primal
	}
	return nil
}

// Rows are priced diveRounds times after a step of a dive that raised the value by settledRise. The
// masters of a dive are solved within diveTarget of their optimum, so that few columns share the
// weight.
const (
	diveRounds  = 6
	diveTarget  = 0.005
	settledRise = 0.3
)

// candidate is the leading column of a member.
type candidate struct {
	col    *column
	weight float64
}

// leading returns the heaviest column of each member.
func (g *group) leading() []candidate {
	best := make([]candidate, len(g.who))
	for j := range g.m.cols {
		c := &g.m.cols[j]
		if b := &best[c.who]; b.col == nil || c.x > b.weight {
			*b = candidate{c.col, c.x}
		}
	}
	return best
}

// polished starts from the leading columns and gives one member after the other the cheapest row
// beside the others, until that helps no more.
func (g *group) polished(best []candidate) []*column {
	rows := make([]*column, len(best))
	heads := make([]int, len(g.covers))
	for k := range rows {
		rows[k] = best[k].col
		for _, i := range rows[k].cells {
			heads[i]++
		}
	}
	for range polishRounds {
		better := false
		for k := range rows {
			if g.reroute(rows, heads, k) {
				better = true
			}
		}
		if !better {
			break
		}
	}
	return rows
}

const polishRounds = 3

// reroute replaces one member's row by the cheapest beside the others.
func (g *group) reroute(rows []*column, heads []int, k int) bool {
	p, x, e := g.p, g.pricers[0], g.who[k]
	for _, i := range rows[k].cells {
		heads[i]--
	}
	width := p.shifts + 1
	copy(x.entry[g.win.from*width:g.win.to*width], p.wish[e][g.win.from*width:g.win.to*width])
	price := func(i int) int32 {
		c := &g.covers[i]
		n := heads[i] + c.need - g.need[i]
		return int32(c.miss(n+1) - c.miss(n))
	}
	for i := range g.covers {
		c := &g.covers[i]
		x.entry[c.day*width+c.shift+1] += price(i)
	}
	now := rows[k].cost
	for _, i := range rows[k].cells {
		now += price(int(i))
	}
	found, _ := x.cheapest(e, g.win, g.rows[e], 1)
	better := len(found) > 0 && found[0].cost < now
	if better {
		rows[k] = g.column(e, found[0].row)
	}
	for _, i := range rows[k].cells {
		heads[i]++
	}
	return better
}

// item is a day of a member that a dive may decide.
type item struct {
	k, day int
	share  float64 // weight of the columns that agree with the leading one
}

// decide forces the days where the columns agree most with the leading one of their member, and
// drops the columns that do otherwise; the leading ones stay, so everybody keeps one. It returns
// false when there is nothing left to decide.
func (g *group) decide(best []candidate, rng *rand.Rand, noise float64) bool {
	days := g.win.to - g.win.from
	shares := make([]float64, len(g.who)*days)
	for j := range g.m.cols {
		c := &g.m.cols[j]
		for d, s := range best[c.who].col.row {
			if c.col.row[d] == s {
				shares[c.who*days+d] += c.x
			}
		}
	}
	var open []item
	for k := range g.who {
		if g.forced[k] == nil {
			g.forced[k] = make([]int8, days)
			for d := range g.forced[k] {
				g.forced[k][d] = free
			}
		}
		for d := range days {
			if g.forced[k][d] == free {
				open = append(open, item{k, d, shares[k*days+d] + noise*rng.Float64()})
			}
		}
	}
	if len(open) == 0 {
		return false
	}
	slices.SortStableFunc(open, func(a, b item) int { return cmp.Compare(b.share, a.share) })
	for _, o := range open[:min(len(open), 1+len(g.who)*days/g.steps)] {
		g.forced[o.k][o.day] = best[o.k].col.row[o.day]
	}
	g.m.keep(func(who int, row []int8) bool {
		for d, f := range g.forced[who] {
			if f != free && f != row[d] {
				return false
			}
		}
		return true
	})
	return true
}

// About how many steps a dive takes: few for a group, which has other tries, and many where everybody's rows are
// made once. Four weeks of 120 people ended 4.5 % above their bound after 25 steps and 0.5 % after 75.
const (
	groupSteps = 25
	stageSteps = 75
	leastSteps = 8
)

// total is the group's local cost of one column per member.
func (g *group) total(columns []*column) int {
	heads := make([]int, len(g.covers))
	sum := 0
	for _, c := range columns {
		sum += int(c.cost)
		for _, i := range c.cells {
			heads[i]++
		}
	}
	for i := range g.covers {
		sum += g.covers[i].miss(heads[i] + g.covers[i].need - g.need[i])
	}
	return sum
}
