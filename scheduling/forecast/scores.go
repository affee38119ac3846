package forecast

import (
	"math"
	"slices"
)

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

// scored is one slot of a back-test with what everybody said about it.
type scored struct {
	actual, mean, naive, four float64 // naive and four are NaN where they have no answer
}

// tally adds scored slots up.
type tally struct {
	ours        *Tally
	naive, four peerTally
}

// peerTally is a plain method and ours on the points it could answer.
type peerTally struct{ its, ours *Tally }

func newTally(levels []float64) *tally {
	peer := func() peerTally { return peerTally{NewTally(levels), NewTally(nil)} }
	return &tally{NewTally(nil), peer(), peer()}
}

func (t *tally) add(s scored) {
	t.ours.Add(s.actual, s.mean, nil)
	t.naive.add(s, s.naive)
	t.four.add(s, s.four)
}

func (p peerTally) add(s scored, said float64) {
	if math.IsNaN(said) {
		return
	}
	p.its.Add(s.actual, said, slices.Repeat([]float64{said}, len(p.its.levels)))
	p.ours.Add(s.actual, s.mean, nil)
}

func (p peerTally) score(scale float64) PeerScore {
	its := p.its.Score(scale)
	return PeerScore{
		Points: its.Points, WAPE: known(its.WAPE), Bias: known(its.Bias), MASE: known(its.MASE), Pinball: known(its.Pinball),
		Ours: known(p.ours.Score(0).WAPE),
	}
}

// known is a ratio, 0 where there was nothing to divide by.
func known(ratio *float64) float64 {
	if ratio == nil {
		return 0
	}
	return *ratio
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
