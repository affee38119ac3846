package nrp

import (
	"context"
	"math"
	"slices"

	"github.com/chaoban/chaoban/scheduling/roster/search"
)

// stager improves a first roster of a long problem: window after window everybody's rows are solved as a problem
// of its own, column generation with a dive, beside the days around it. Hours and weekends are shared out over
// the windows by the days that can be worked, or the first windows would use them up. It ends with multipliers for
// all cells as well; the neighbourhoods mend the seams.
type stager struct {
	p       *problem
	pricers []*pricer
	who     []int // everybody
	rows    [][]int8
	heads   []int16
	guide
	b   search.Budget
	ctx context.Context
}

// Shares of the time: when the first rows and the stages must be done, the latter sooner when a root follows, and
// what of a window's part the column generation may take.
const (
	annealLong      = 0.1
	annealLongest   = 0.5 // where there is no time for stages
	stagesUntil     = 0.6
	stagesUntilRoot = 0.26
	generateShare   = 0.6
)

// stageLoose is the share of its value within which a window's master is solved: its dive loses more.
const stageLoose = 0.002

func newStager(ctx context.Context, p *problem, b search.Budget, rows [][]int8, known guide) *stager {
	s := &stager{p: p, rows: cloneRows(rows), heads: p.count(rows), guide: known, b: b, ctx: ctx}
	s.pricers, s.who = newPricers(p, b.Threads), p.everybody()
	return s
}

// run makes the roster; ok is false where there is no time for it.
func (s *stager) run() (ok bool) {
	p, length := s.p, 7*s.p.windowWeeks
	if length >= p.days || !p.long {
		return true
	}
	windows, last := (p.days+length-1)/length, stagesUntil
	if s.whole {
		last = stagesUntilRoot
	}
	for i := range windows {
		win := window{i * length, min(p.days, (i+1)*length)}
		s.save(win)
		if !s.window(win, s.until(windows-i, last)) {
			return false
		}
	}
	return true
}

// until is when a window must be done, as a share of the time: an even part of what is left for some windows.
func (s *stager) until(windows int, last float64) float64 {
	now := s.b.Spent(0)
	return now + max(0, last-now)/float64(windows)
}

// save lets nobody use up more of the hours and weekends until the end of a window than goes with the days that can be
// worked until then, give or take a shift.
func (s *stager) save(win window) {
	slack, shares := int(slices.Max(s.p.minutes)), make([]float64, len(s.who))
	for e, off := range s.p.off {
		before, all := 0, 0
		for d, gone := range off {
			if !gone {
				if all++; d < win.to {
					before++
				}
			}
		}
		shares[e] = float64(before) / float64(max(1, all))
	}
	for _, x := range s.pricers {
		x.limits = func(e int) limits { return limits{least: 1, most: shares[e], thrifty: true, slack: slack} }
	}
}

// window makes everybody's rows in a window anew, from the rows found until its time is up; ok is false when there was
// none for a single pricing.
func (s *stager) window(win window, until float64) (ok bool) {
	start := s.b.Spent(0)
	g := newGroup(s.p, s.pricers, nil, s.rows, s.heads, s.who, win, halting(s.ctx, s.b, start+generateShare*(until-start)))
	g.loose, g.steps = stageLoose, stageSteps
	g.open(s.lambda, 0)
	g.generate(stageRounds, rowsPerPricing(len(s.who)), float64(g.cost))
	if g.failed || math.IsInf(g.bound, -1) {
		return false
	}
	copy(s.lambda[g.first:], g.center)
	g.halt = halting(s.ctx, s.b, until)
	if s.b.Time > 0 {
		now := s.b.Spent(0)
		g.steps = max(leastSteps, min(stageSteps, int(stageSteps*(until-now)/max(1e-9, diveTime*(now-start)))))
	}
	columns := g.dive(g.cost, s.b.Random(0), 0)
	if columns == nil && g.halt() {
		columns = g.polished(g.leading())
	}
	if columns != nil && g.total(columns) < g.cost {
		g.apply(columns, s.rows, s.heads)
	}
	return true
}

// A window's column generation takes some dozens of rounds; a dive of stageSteps takes about diveTime times as long.
const (
	stageRounds = 200
	diveTime    = 4
)
