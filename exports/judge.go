package exports

import (
	"fmt"
	"math"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/kpi"
)

// tolerance is relative: a mean of millions of float seconds carries rounding of this size, and
// a target that is met exactly must not be missed by it. It is far below one contact in a share.
const tolerance = 1e-9

// Judge compares one reading with its term and says why in one sentence, Chinese then English.
//
// The order of the reasons not to judge is fixed: the no-KPI period (磨合期), no data, fewer samples
// than the term asks for, then fewer than the metric's own definition asks for. The sample is the
// reading's denominator: sessions, rounds or ratings, as the metric counts. A target met exactly
// passes in both directions.
func Judge(term contracts.Term, reading kpi.Reading, noKPI bool) (Verdict, string) {
	if noKPI {
		return NotJudged, "磨合期内不考核 / no-KPI period"
	}
	if reading.Value == nil || math.IsNaN(*reading.Value) || math.IsInf(*reading.Value, 0) {
		return NotJudged, "本期无数据 / no data in the period"
	}
	if reading.Denominator < float64(term.MinSample) {
		return NotJudged, fmt.Sprintf("样本 %.0f 少于最低样本 %d / %.0f samples, the minimum is %d",
			reading.Denominator, term.MinSample, reading.Denominator, term.MinSample)
	}
	if reading.TooFew {
		return NotJudged, fmt.Sprintf("样本 %.0f 少于指标口径的最低样本 / too few samples: %.0f is below the minimum of the metric's definition",
			reading.Denominator, reading.Denominator)
	}
	if Met(term, *reading.Value) {
		return Pass, "达到目标 / target met"
	}
	return Fail, "未达到目标 / target missed"
}

// Met reports whether a value is on the good side of the term's target or exactly on it.
func Met(term contracts.Term, value float64) bool {
	slack := tolerance * math.Max(math.Abs(term.Target), math.Abs(value))
	if term.Direction == contracts.AtMost {
		return value <= term.Target+slack
	}
	return value >= term.Target-slack
}
