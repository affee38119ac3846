package forecast

import "math"

// PeerScore is how a plain method did on the same points. It has no quantiles: its pinball
// takes the one number for every level, as a planner without a spread would.
type PeerScore struct {
	Points  int     `json:"points"` // points on which the method has an answer; the other figures are on them
	WAPE    float64 `json:"wape"`
	MASE    float64 `json:"mase"`
	Bias    float64 `json:"bias"`
	Pinball float64 `json:"pinball"`
	Ours    float64 `json:"ours"` // our WAPE on these points
}

// Wins reports that the plain method had the smaller error on the points it could answer.
func (p PeerScore) Wins() bool { return p.Points > 0 && p.WAPE < p.Ours }

// Scores are the figures of a replay over all its origins.
type Scores struct {
	Origins     int       `json:"origins"`
	Points      int       `json:"points"` // forecast slots that have a record
	WAPE        float64   `json:"wape"`   // sum |error| / sum actual; 0.08 = 8 %
	MASE        float64   `json:"mase"`   // mean |error| over mean |change from week to week| before the first origin (Hyndman and Koehler, IJF 22, 2006); 0 = unknown
	Bias        float64   `json:"bias"`   // sum (forecast - actual) / sum actual
	Pinball     float64   `json:"pinball"`
	Levels      []float64 `json:"levels"`
	Coverage    []float64 `json:"coverage"`     // per level: share of actuals at or below the quantile
	Days        int       `json:"days"`         // whole days whose every open slot has a record
	DayWAPE     float64   `json:"day_wape"`     // of their totals
	DayCoverage []float64 `json:"day_coverage"` // per level, of their totals
	Naive       PeerScore `json:"naive"`        // weekly seasonal naive: the same slot of the latest known week
	MeanOfFour  PeerScore `json:"mean_of_four"`
}

// scored is one slot with what everybody said about it.
type scored struct {
	actual, mean, naive, four float64 // naive and four are NaN where they have no answer
	quantiles                 []float64
}

// tally adds scored slots up. scale is the mean absolute week-to-week change, 0 = unknown.
type tally struct {
	levels           []float64
	scale            float64
	points           float64
	actual, err, off float64
	pinball          float64
	covered          []float64
	naive, four      peerTally
}

type peerTally struct{ points, actual, err, off, ours, pinball float64 }

func (t *tally) add(s scored) {
	t.points++
	t.actual += s.actual
	t.err += math.Abs(s.actual - s.mean)
	t.off += s.mean - s.actual
	if t.covered == nil {
		t.covered = make([]float64, len(t.levels))
	}
	for i, q := range s.quantiles {
		t.pinball += pinball(t.levels[i], q, s.actual)
		t.covered[i] += indicator(s.actual <= q)
	}
	t.naive.add(s, s.naive, t.levels)
	t.four.add(s, s.four, t.levels)
}

func (p *peerTally) add(s scored, said float64, levels []float64) {
	if math.IsNaN(said) {
		return
	}
	p.points++
	p.actual += s.actual
	p.err += math.Abs(s.actual - said)
	p.off += said - s.actual
	p.ours += math.Abs(s.actual - s.mean)
	for _, l := range levels {
		p.pinball += pinball(l, said, s.actual)
	}
}

// pinball loss of a quantile (Koenker and Bassett, Econometrica 46, 1978), in contacts.
func pinball(level, quantile, actual float64) float64 {
	return max(level*(actual-quantile), (level-1)*(actual-quantile))
}

func (t *tally) scores(origins int) Scores {
	s := Scores{
		Origins: origins, Points: int(t.points), Levels: t.levels, Coverage: make([]float64, len(t.levels)),
		WAPE: share(t.err, t.actual), Bias: share(t.off, t.actual), MASE: share(share(t.err, t.points), t.scale),
		Pinball: share(t.pinball, t.points*float64(len(t.levels))),
	}
	for i := range t.covered {
		s.Coverage[i] = share(t.covered[i], t.points)
	}
	s.Naive, s.MeanOfFour = t.peer(t.naive), t.peer(t.four)
	return s
}

func (t *tally) peer(p peerTally) PeerScore {
	return PeerScore{
		Points: int(p.points), WAPE: share(p.err, p.actual), Bias: share(p.off, p.actual), MASE: share(share(p.err, p.points), t.scale),
		Pinball: share(p.pinball, p.points*float64(len(t.levels))), Ours: share(p.ours, p.actual),
	}
}

// share is a/b, 0 when b is 0.
func share(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// weeklyChange is the mean absolute change of an open slot from week to week on the days
// [0, until): the scale of MASE.
func (g *grid) weeklyChange(until int) float64 {
	var sum, n float64
	week := 7 * g.perDay
	for i := week; i < min(until*g.perDay, len(g.y)); i++ {
		if change := g.y[i] - g.y[i-week]; !math.IsNaN(change) {
			sum += math.Abs(change)
			n++
		}
	}
	return share(sum, n)
}
