package margin

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/chaoban/chaoban/scheduling"
)

// loads are the contacts of one slot, by scenario.
type loads []float32

// score is the standard normal quantile.
func score(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }

// marginal is the quantile function of one slot: straight lines in the normal score between the given
// quantiles, continued at both ends and cut at 0. Two quantiles of a normal variable give it back exactly.
type marginal struct{ scores, values []float64 }

func (s Slot) marginal(levels []float64) marginal {
	if len(levels) < 2 || len(s.Quantiles) < 2 {
		return marginal{values: []float64{s.Mean}}
	}
	m := marginal{values: s.Quantiles}
	for _, p := range levels {
		m.scores = append(m.scores, score(p))
	}
	return m
}

// Quantile reads the contacts of a point of a forecast at any probability, as the scenarios do; without two quantiles the
// mean is certain. levels are those of the point's quantiles, ascending in (0,1); u lies in (0,1).
func Quantile(levels []float64, p scheduling.Point, u float64) float64 {
	s := Slot{Mean: p.Mean, Quantiles: p.Quantiles}
	if len(p.Quantiles) != len(levels) {
		s.Quantiles = nil
	}
	return s.marginal(levels).at(score(u))
}

// at is the number of contacts at a normal score.
func (m marginal) at(z float64) float64 {
	last := len(m.values) - 1
	if last == 0 {
		return m.values[0]
	}
	i := 1
	for i < last && z > m.scores[i] {
		i++
	}
	slope := (m.values[i] - m.values[i-1]) / (m.scores[i] - m.scores[i-1])
	return max(0, m.values[i-1]+slope*(z-m.scores[i-1]))
}

// spread is the standard deviation of a normal variable with the same outermost quantiles.
func (m marginal) spread() float64 {
	last := len(m.values) - 1
	if last == 0 {
		return 0
	}
	return (m.values[last] - m.values[0]) / (m.scores[last] - m.scores[0])
}

// strata draws one factor over all scenarios: every one of S equally likely strata of the normal
// distribution once, in random order (a Latin hypercube).
type strata struct{ scores []float64 }

func newStrata(scenarios int) strata {
	s := strata{make([]float64, scenarios)}
	for i := range s.scores {
		s.scores[i] = score((float64(i) + 0.5) / float64(scenarios))
	}
	return s
}

// factor named by owner and number. The same name gives the same draw whatever else is in the input.
func (s strata) factor(seed uint64, owner string, number int) []float64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(owner)) // never fails
	r := rand.New(rand.NewPCG(seed, h.Sum64()+uint64(number)*0x9e3779b97f4a7c15))
	out := slices.Clone(s.scores)
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// paths draws the contacts of every slot of a queue. The normal score of slot t on day d is
//
//	sqrt(r) F_d + sqrt(1-r) A_t,   F_d = sqrt(g) G_d + sqrt(1-g) H_d
//
// with G shared by all queues, H the queue's own, both equally correlated over days, and A an
// autoregression of the first order. Within a slot the scores are then replaced by the S midpoint
// quantiles in the same order (Iman & Conover 1982), so that every slot has
// its marginal distribution exactly and the draws decide only how slots hang together.
func (m *Model) paths(q *queue, seed uint64) []loads {
	st, n := newStrata(m.in.Scenarios), m.in.Scenarios
	own := string(q.id)
	days := m.dayFactors(st, own, seed)
	shared := m.dayShares(q)
	carry := *m.in.Uncertainty.Carry
	out := make([]loads, len(q.at))
	part, z, order := make([]float64, n), make([]float64, n), make([]int, n)
	for t, s := range q.spec.Demand.Slots {
		keep := 0.0
		if t > 0 {
			keep = math.Pow(carry, float64(q.at[t]-q.at[t-1]))
		}
		fresh, r := st.factor(seed, own+"/slot", q.at[t]), shared[q.day[t]]
		for i := range z {
			part[i] = keep*part[i] + math.Sqrt(1-keep*keep)*fresh[i]
			z[i] = math.Sqrt(r)*days[q.day[t]][i] + math.Sqrt(1-r)*part[i]
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int {
			switch {
			case z[a] < z[b]:
				return -1
			case z[a] > z[b]:
				return 1
			default:
				return a - b
			}
		})
		dist := s.marginal(q.spec.Demand.Levels)
		out[t] = make(loads, n)
		for rank, i := range order {
			out[t][i] = float32(dist.at(st.scores[rank]))
		}
	}
	return out
}

// dayFactors are the F_d of paths, by day and scenario.
func (m *Model) dayFactors(st strata, own string, seed uint64) [][]float64 {
	const everybody = "\x00all queues" // no id starts so
	g, k := *m.in.Uncertainty.Queues, *m.in.Uncertainty.Days
	mix := func(owner string) func(day, i int) float64 {
		whole := st.factor(seed, owner+"/horizon", 0)
		daily := make([][]float64, len(m.days))
		for d := range daily {
			daily[d] = st.factor(seed, owner+"/day", d)
		}
		return func(day, i int) float64 { return math.Sqrt(k)*whole[i] + math.Sqrt(1-k)*daily[day][i] }
	}
	common, single := mix(everybody), mix(own)
	out := make([][]float64, len(m.days))
	for d := range out {
		out[d] = make([]float64, len(st.scores))
		for i := range out[d] {
			out[d][i] = math.Sqrt(g)*common(d, i) + math.Sqrt(1-g)*single(d, i)
		}
	}
	return out
}

// dayShares is the share r of a slot's variance that its day has in common. Where the forecast gives
// the total of the day, r makes the spread of the simulated total equal to that of the forecast:
//
//	spread^2 = r (sum s_t)^2 + (1-r) sum_tu carry^|t-u| s_t s_u,   a line in r, cut to [0,1].
func (m *Model) dayShares(q *queue) []float64 {
	shares := make([]float64, len(m.days))
	for d := range shares {
		shares[d] = *m.in.Uncertainty.Slots
	}
	carry := *m.in.Uncertainty.Carry
	for _, total := range q.spec.Demand.DayTotals {
		day := total.Date.Sub(m.in.From)
		// tail is sum over earlier u of carry^(t-u) s_u, so the double sum takes one pass.
		sum, own, tail, last := 0.0, 0.0, 0.0, -1
		for t, s := range q.spec.Demand.Slots {
			if q.day[t] != day {
				continue
			}
			spread := s.marginal(q.spec.Demand.Levels).spread()
			if last >= 0 {
				tail *= math.Pow(carry, float64(q.at[t]-last))
			}
			own += spread*spread + 2*spread*tail
			tail, last, sum = tail+spread, q.at[t], sum+spread
		}
		want := Slot{Quantiles: total.Quantiles}.marginal(q.spec.Demand.Levels).spread()
		if sum*sum > own*(1+1e-12) {
			shares[day] = min(1, max(0, (want*want-own)/(sum*sum-own)))
		}
	}
	return shares
}
