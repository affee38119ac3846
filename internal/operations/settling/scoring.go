package settling

import (
	"fmt"
	"math"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
)

// A score is held against what the contract promises, and so made of the contract's terms:
//
//	attained = min(1, value / target)  of a term with at_least,
//	           1 when value <= target, else target / value  of a term with at_most,
//	share    = weight / sum of the weights that count,
//	points   = 100 x share x attained,    score = sum of the points, 0 to 100.
//
// Doing better than agreed earns nothing extra, so that one strong figure cannot hide a weak one. A
// term without data, with fewer items than its minimum sample or its metric's, or in the no-KPI
// period is left out and the weights of the others are scaled up. When no term of a version has a
// weight, all count the same. Of a month with several contract versions each term weighs its weight
// times the days of its version, and is measured on those days.

// attained is how much of a target a value reaches, 0 to 1.
func attained(direction contracts.Direction, target, value float64) float64 {
	switch {
	case direction == contracts.AtMost && value <= target:
		return 1
	case direction == contracts.AtMost:
		return math.Max(0, target/value) // value > target >= 0
	case target <= 0:
		return 1
	default:
		return math.Min(1, math.Max(0, value/target))
	}
}

// termWeights are the weights of the terms of a version, in their order.
func termWeights(v contracts.Version) []float64 {
	weights, sum := make([]float64, len(v.Terms)), 0.0
	for i, t := range v.Terms {
		weights[i] = math.Max(0, t.Weight)
		sum += weights[i]
	}
	if sum == 0 {
		for i := range weights {
			weights[i] = 1
		}
	}
	return weights
}

// scorePart holds one reading against one term. days are those in which it was measured; r is nil
// when there was nothing to measure.
func scorePart(v contracts.Version, term contracts.Term, weight float64, days calendar.Dates, d kpi.Definition, r *kpi.Reading) store.ScorePart {
	p := store.ScorePart{
		ContractVersion: v.Number, Dates: days, Term: term.ID, Metric: kpi.Metric(term.Metric), Version: d.Version,
		Direction: term.Direction, Target: term.Target, Weight: weight * float64(days.Until.Sub(days.From)),
	}
	if r != nil {
		p.Version, p.Numerator, p.Denominator, p.Value = r.Version, r.Numerator, r.Denominator, r.Value
	}
	switch minimum := max(term.MinSample, d.MinSample); {
	case !days.From.Before(days.Until):
		p.Left = "磨合期内不考核 / no-KPI period"
	case r == nil || r.Value == nil:
		p.Left = "无数据 / no data"
	case r.TooFew || r.Denominator < float64(minimum) && d.Unit != kpi.Count && d.Unit != kpi.Yuan:
		p.Left = fmt.Sprintf("样本 %.0f 少于最低样本 %d / %.0f samples, the minimum is %d", r.Denominator, minimum, r.Denominator, minimum)
	case p.Weight == 0:
		p.Left = "权重为零 / no weight"
	default:
		share := attained(term.Direction, term.Target, *r.Value)
		p.Attained = &share
	}
	return p
}

// unattributed reports whether a metric counts abandoned conversations and the log names the agent of none of them, so that
// every agent has 0. Nothing abandoned at all is a figure: everybody's.
func unattributed(d kpi.Definition, byAgent map[ids.Agent]kpi.Reading) bool {
	if d.Numerator != abandonedConversations || byAgent[""].Numerator == 0 {
		return false
	}
	for agent, r := range byAgent {
		if agent != "" && r.Numerator > 0 {
			return false
		}
	}
	return true
}

// abandonedConversations is the sum that definitions of abandonment count.
const abandonedConversations = "abandoned"

// scored fills in shares and points; the score is nil when nothing counts.
func scored(parts []store.ScorePart) (score *float64) {
	sum := 0.0
	for _, p := range parts {
		if p.Attained != nil {
			sum += p.Weight
		}
	}
	if sum == 0 {
		return nil
	}
	total := 0.0
	for i := range parts {
		p := &parts[i]
		if p.Attained == nil {
			continue
		}
		p.Share = p.Weight / sum
		p.Points = 100 * p.Share * *p.Attained
		total += p.Points
	}
	return &total
}
