package forecast

import (
	"math"
	"slices"
)

// What is believed of an event that neither this series, nor a pool, nor another family has
// shown. The figures are the low end of what vendors of the field claim (consultations of
// Double 11 three to five times an ordinary day, traffic three to five times; none of them
// audited), halved in logs for families that are not a great promotion of the platforms. They
// are wide on purpose and always named in the doubts.
var (
	beliefGreat  = math.Log(3)
	beliefOther  = math.Log(3) / 2
	beliefSpread = 0.6 * 0.6 // relative variance

	greatFamilies = []string{"618", "double11"}
	phaseShare    = map[string]float64{ // of the log uplift of a selling phase
		"warmup": 0.2, "presale": 0.4, "balance": 1, "spot": 1, "wave": 1, "tail": 0.4,
	}
)

func belief(o occurrence, d int) expected {
	u := beliefOther
	if slices.Contains(greatFamilies, o.family) {
		u = beliefGreat
	}
	for _, p := range o.phases {
		if at := d - o.first; at >= p.first && at < p.first+p.length {
			if share, ok := phaseShare[p.kind]; ok {
				u *= share
			}
			break
		}
	}
	if len(o.phases) == 0 && o.length > 5 {
		u *= 0.5 // a long event without phases is not all peak
	}
	return expected{uplift: u, variance: beliefSpread, source: fromBelief}
}

// alike reports whether another family may lend its curve: it has the kinds of phases this one
// has, or neither has phases and their lengths are within a factor of two.
func (o occurrence) alike(p occurrence) bool {
	if p.builtIn || o.builtIn {
		return false
	}
	if len(o.phases) > 0 && len(p.phases) > 0 {
		for _, ph := range o.phases {
			if len(p.ofKind(ph.kind)) == 0 {
				return false
			}
		}
		return true
	}
	return o.length <= 2*p.length && p.length <= 2*o.length
}

// The elasticity of an uplift to a planned input, before any occurrence teaches it. Orders move
// contacts nearly one to one, a sales target is a hope, and advertising has a short-term
// elasticity of about 0.1 to 0.3 (Sethuraman, Tellis and Briesch, J. Marketing Research 48,
// 2011).
func priorElasticity(of string) float64 {
	switch of {
	case ScaleOrders:
		return 0.9
	case ScaleBudget:
		return 0.25
	}
	return 0.7
}

// elasticityDays is how much log-scale squared it takes to believe data as much as the prior:
// one occurrence planned at half or double.
const elasticityWeight = 0.5

// elasticity of the uplift to the planned scale: regression through the origin of the log ratio
// of two successive occurrences on the log of the scale that was planned for the later one,
// shrunk to the prior. learned says whether any occurrence taught it.
func (v *view) elasticity(o occurrence) (e float64, learned bool) {
	prior := priorElasticity(o.scaleOf)
	sxx, sxy := elasticityWeight, elasticityWeight*prior
	var before *teacher
	var beforeExcess float64
	for i := range v.e.taught {
		p := &v.e.taught[i]
		if p.family != o.family || p.first >= o.first || p.first+p.length > v.at+1 {
			continue
		}
		excess := v.excess(i)
		if before != nil && p.scale > 0 && p.scale != 1 && excess > 0 && beforeExcess > 0 && p.first > before.first {
			x := math.Log(p.scale)
			sxx += x * x
			sxy += x * math.Log(excess/beforeExcess)
			learned = true
		}
		before, beforeExcess = p, excess
	}
	return min(max(sxy/sxx, 0), 1.5), learned
}

// excess is the mean of the factor over the base, less one, over the days of a teacher.
func (v *view) excess(i int) float64 {
	var sum, n float64
	p := &v.e.taught[i]
	for k, l := range v.curve(i) {
		if l.known() && p.inside(p.first-leadDays+k) {
			sum += math.Exp(l.uplift) - 1
			n++
		}
	}
	return sum / max(n, 1)
}

// planned scales an uplift by what is planned for the occurrence against the last one: the
// contacts above the base are multiplied by scale^elasticity. Days at or below the base stay.
func (v *view) planned(o occurrence, uplift float64) float64 {
	if o.scale <= 0 || o.scale == 1 || uplift <= 0 {
		return uplift
	}
	e, _ := v.elasticity(o)
	return math.Log1p(math.Expm1(uplift) * math.Pow(o.scale, e))
}
