package forecast

import (
	"math"
	"slices"
)

// Backtest is the measured quality on rolling origins inside the history. The noise ratios were
// chosen on the same history, and days on which the queue turned out to be closed are known to it,
// so figures on fresh data will be a little worse.
type Backtest struct {
	Origins     int       `json:"origins"` // 0 = the history is too short to test
	HorizonDays int       `json:"horizon_days"`
	Points      int       `json:"points"`
	WAPE        float64   `json:"wape"`       // sum |error| / sum actual; 0.08 = 8 %
	Bias        float64   `json:"bias"`       // sum (forecast - actual) / sum actual
	Pinball     float64   `json:"pinball"`    // mean over points and levels, in contacts
	Coverage    []float64 `json:"coverage"`   // per level: share of actuals at or below the quantile; see Score.Below
	Reached     []float64 `json:"reached"`    // per level: the same with ties shared, the level itself for a right forecast of whole numbers (Czado, Gneiting and Held 2009)
	NaiveWAPE   float64   `json:"naive_wape"` // weekly seasonal naive on the same points
	NaiveBias   float64   `json:"naive_bias"`
	NaiveWins   bool      `json:"naive_wins"`
	// NaiveWins and MeanOfFourWins are about slots, or about whole days when a slot has less than
	// one contact on average.
	MeanOfFourWins bool      `json:"mean_of_four_wins"`
	MASE           float64   `json:"mase"`         // mean |error| over mean |change from week to week| before the first origin; 0 = unknown
	DayCoverage    []float64 `json:"day_coverage"` // per level, of whole-day totals
	DayReached     []float64 `json:"day_reached"`
	Naive          PeerScore `json:"naive"`        // the weekly seasonal naive in full
	MeanOfFour     PeerScore `json:"mean_of_four"` // the mean of the last four same weekdays
}

const (
	maxOrigins  = 20
	testedDays  = 240 // days of forecast that a short horizon is tested on, by more origins
	mostOrigins = 80
	originStep  = 5 // days; with a week of seven every weekday becomes an origin
	maxTestDays = 70
)

// point is one back-tested slot.
type point struct {
	origin, lead int
	day          int32
	slot         int32
	actual       float64
	naive, four  float64
	means        [candidates]float64
	mean         float64 // of the combination
}

// backtest forecasts from past origins, weighs the candidates and learns the spread.
func (e *engine) backtest() {
	origins, horizon := e.origins()
	wanted := map[int]bool{e.g.originDay: true}
	for _, t := range origins {
		wanted[t] = true
	}
	e.snapshotProfiles(wanted)
	var points []point
	for _, t := range origins {
		points = e.replay(points, t, horizon)
	}
	e.weigh(points)
	for i := range points {
		for c, w := range e.weights {
			points[i].mean += w * points[i].means[c]
		}
	}
	e.score = Backtest{HorizonDays: horizon, Points: len(points)}
	if len(points) > 0 {
		e.score.Origins = len(origins)
	}
	e.measure(points)
	e.measureSpread(points)
	e.spread = e.fitSpread(points)
	tested := byOrigin(points)
	e.carry = carried(tested, &e.spread)
	e.totalPIT, _ = totalErrors(tested, &e.spread, e.carry)
}

// origins are the last days of the histories that the back-test pretends to have, latest last.
func (e *engine) origins() (days []int, horizon int) {
	last := e.g.lastDay()
	horizon = min(e.g.days-e.g.originDay, maxTestDays, last/3)
	if horizon < 1 {
		return nil, 0
	}
	most := min(max(maxOrigins, testedDays/horizon), mostOrigins)
	step := max(originStep, horizon/3)
	for t := last - horizon; t >= max(13, last/3) && len(days) < most; t -= step {
		days = append(days, t)
	}
	slices.Reverse(days)
	return days, horizon
}

// replay forecasts from one origin and pairs every open slot that has a record.
func (e *engine) replay(points []point, t, horizon int) []point {
	v := e.at(t)
	var each [candidates][]float64
	for c := range each {
		each[c] = make([]float64, e.g.perDay)
	}
	for d := t + 1; d <= t+horizon; d++ {
		if !e.openDays[d] {
			continue
		}
		v.all(d, &each)
		for k, y := range e.slots(d) {
			if math.IsNaN(y) {
				continue
			}
			p := point{origin: t, lead: d - t, day: int32(d), slot: int32(k), actual: y, naive: v.naive(d, k), four: v.plainFour(d, k)}
			for c := range each {
				p.means[c] = each[c][k]
			}
			points = append(points, p)
		}
	}
	return points
}

// weigh searches the simplex in tenths for the least absolute error; a mixture must beat the
// structural model by half a percent to replace it, because the search itself overfits.
func (e *engine) weigh(points []point) {
	e.weights = [candidates]float64{structural: 1}
	if len(points) == 0 {
		return
	}
	best := mixLoss(points, e.weights) * 0.995
	mostYear := 10
	if math.IsNaN(e.at(e.g.originDay).growth) {
		mostYear = 0 // no year to look back on: that candidate is the structural one in disguise
	}
	for a := 0; a <= 10; a++ {
		for b := 0; a+b <= 10 && b <= mostYear; b++ {
			w := [candidates]float64{structural: float64(10-a-b) / 10, recentMean: float64(a) / 10, lastYear: float64(b) / 10}
			if l := mixLoss(points, w); l < best {
				best, e.weights = l, w
			}
		}
	}
}

func mixLoss(points []point, w [candidates]float64) float64 {
	var loss float64
	for i := range points {
		var m float64
		for c := range w {
			m += w[c] * points[i].means[c]
		}
		loss += math.Abs(points[i].actual - m)
	}
	return loss
}

// measure fills the figures that need no quantiles, ours and those of the plain methods; WAPE
// and bias beside the naive are on the points where the naive exists.
func (e *engine) measure(points []point) {
	var scale float64
	if len(points) > 0 {
		scale = e.g.weeklyChange(points[0].origin + 1)
	}
	t, onNaive := newTally(e.opt.Levels), NewTally(nil)
	for _, p := range points {
		t.add(scored{p.actual, p.mean, p.naive, p.four})
		if !math.IsNaN(p.naive) {
			onNaive.Add(p.actual, p.mean, nil)
		}
	}
	same, s := onNaive.Score(0), &e.score
	s.MASE, s.Naive, s.MeanOfFour = known(t.ours.Score(scale).MASE), t.naive.score(scale), t.four.score(scale)
	s.WAPE, s.Bias, s.NaiveWAPE, s.NaiveBias = known(same.WAPE), known(same.Bias), s.Naive.WAPE, s.Naive.Bias
	s.NaiveWins, s.MeanOfFourWins = s.Naive.Wins(), s.MeanOfFour.Wins()
	if sums := t.ours.score; sums.Actual < float64(sums.Points) {
		days := tallyDays(points)
		s.NaiveWins, s.MeanOfFourWins = days.naive.score(0).Wins(), days.four.score(0).Wins()
	}
}

// tallyDays scores whole days. With less than one contact a slot the absolute error of slots
// likes a forecast of nothing best, so who wins is asked of the days.
func tallyDays(points []point) *tally {
	t := newTally(nil)
	for i := 0; i < len(points); {
		var s scored
		j := i
		for ; j < len(points) && points[j].day == points[i].day && points[j].origin == points[i].origin; j++ {
			s.actual += points[j].actual
			s.mean += points[j].mean
			s.naive += points[j].naive
			s.four += points[j].four
		}
		t.add(s)
		i = j
	}
	return t
}

// measureSpread scores quantiles out of sample: those of the even origins are learnt on the odd
// ones and the other way round.
func (e *engine) measureSpread(points []point) {
	levels := e.opt.Levels
	if len(points) == 0 || len(levels) == 0 {
		return
	}
	covered, dayCovered := make([]float64, len(levels)), make([]float64, len(levels))
	reached, dayReached := make([]float64, len(levels)), make([]float64, len(levels))
	var loss, days float64
	for half := range 2 {
		var train, test []point
		for _, p := range points {
			if e.originIndex(p.origin)%2 == half {
				test = append(test, p)
			} else {
				train = append(train, p)
			}
		}
		s := e.fitSpread(train)
		for _, p := range test {
			variance := s.slotVariance(p.mean, p.lead, int(p.slot))
			for i, q := range s.invert(p.mean, variance, s.slotBent) {
				loss += pinballLoss(levels[i], p.actual, q)
				covered[i] += indicator(p.actual <= q)
				reached[i] += s.reached(p.mean, variance, p.actual, s.slotBent[i])
			}
		}
		for _, d := range dayErrors(test) {
			days++
			variance := s.dayVariance(d.mean, d.lead)
			for i, q := range s.invert(d.mean, variance, s.dayBent) {
				dayCovered[i] += indicator(d.actual <= q)
				dayReached[i] += s.reached(d.mean, variance, d.actual, s.dayBent[i])
			}
		}
	}
	for i := range covered {
		covered[i] /= float64(len(points))
		reached[i] /= float64(len(points))
		dayCovered[i] /= days
		dayReached[i] /= days
	}
	e.score.Reached, e.score.DayReached = reached, dayReached
	e.score.Coverage, e.score.DayCoverage, e.score.Pinball = covered, dayCovered, loss/float64(len(points)*len(levels))
}

func (e *engine) originIndex(t int) int {
	return (e.g.lastDay() - e.score.HorizonDays - t) / max(originStep, e.score.HorizonDays/3)
}
