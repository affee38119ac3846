package forecast

import (
	"cmp"
	"math"
	"slices"
)

// The pooled curve of one occurrence over series i and days d,
//
//	u_id = mu_d + delta_i + eps_id + e_id
//	delta_i ~ N(0, omega^2)  eps_id ~ N(0, tau_d^2)  e_id ~ N(0, s2_i), plus an error of the
//	base that the days of a series share,
//
// by weighted means and the method of moments (DerSimonian and Laird, Controlled Clinical Trials
// 7, 1986), iterated; residuals are clipped at 2.5 standard deviations (Huber), because a series
// that was moved or merged during the event is no witness of the event.
const (
	poolRounds   = 12
	leastSpread2 = 0.02 * 0.02
	mostSpread2  = 1.0
	tauSeries    = 10.0 // series worth as much as the mean of all days in the spread of one day
)

type poolFit struct {
	said  []testimony
	mean  []float64
	tau2  []float64
	omega float64
	n     []int
	prior []float64 // mean of the parent pool; nil = none
	pull  []float64 // precision of that prior
}

// poolCurveOf fits a pool. A category is drawn to the pool of all: half of the variance between
// series is believed to be between categories.
func poolCurveOf(said []testimony, parent EventCurve, nested bool) EventCurve {
	said = slices.Clone(said)
	slices.SortFunc(said, func(a, b testimony) int {
		return cmp.Or(cmp.Compare(a.noise, b.noise), cmp.Compare(a.base, b.base), slices.CompareFunc(a.uplift, b.uplift, cmp.Compare[float64]))
	})
	days := len(said[0].uplift)
	f := &poolFit{said: said, mean: make([]float64, days), tau2: make([]float64, days), n: make([]int, days), omega: 0.05}
	for d := range f.tau2 {
		f.tau2[d] = 0.05
	}
	f.start()
	if nested {
		f.prior, f.pull = make([]float64, days), make([]float64, days)
		for d, p := range parent.Days {
			f.prior[d] = p.Log
			if p.Series > 0 {
				f.pull[d] = 2 / (parent.Spread*parent.Spread + p.Spread*p.Spread)
			}
		}
	}
	for range poolRounds {
		f.means()
		f.spreads()
	}
	c := EventCurve{Spread: math.Sqrt(f.omega), Series: len(said), Days: make([]CurveDay, days), Hours: poolHours(said)}
	for d := range c.Days {
		if f.n[d] > 0 {
			c.Days[d] = CurveDay{Log: f.mean[d], Spread: math.Sqrt(f.tau2[d]), Series: f.n[d]}
		}
	}
	return c
}

// poolHours are the hours around openings: contacts of all series over their ordinary days.
func poolHours(said []testimony) [][]float64 {
	var out [][]float64
	for _, s := range said {
		if len(s.hours) > len(out) {
			out = append(out, make([][]float64, len(s.hours)-len(out))...)
		}
	}
	taught := false
	for j := range out {
		var base float64
		sum := make([]float64, pooledHours)
		for _, s := range said {
			if j < len(s.hours) && s.hours[j] != nil {
				base += s.ordinary[j]
				for h, y := range s.hours[j] {
					sum[h] += y
				}
			}
		}
		if base <= 0 {
			continue
		}
		taught = true
		for h := range sum {
			sum[h] /= base
		}
		out[j] = sum
	}
	if !taught {
		return nil
	}
	return out
}

// start takes the median of the quieter half of the series.
func (f *poolFit) start() {
	quiet := f.said[:(len(f.said)+1)/2] // sorted by noise
	for d := range f.mean {
		var values []float64
		for _, s := range quiet {
			values = append(values, s.uplift[d])
		}
		f.mean[d], _ = median(values)
		for _, s := range f.said {
			f.n[d] += int(indicator(!math.IsNaN(s.uplift[d])))
		}
	}
}

func (f *poolFit) means() {
	for d := range f.mean {
		var sum, weights float64
		for _, s := range f.said {
			if math.IsNaN(s.uplift[d]) {
				continue
			}
			variance := f.omega + s.base + f.tau2[d] + s.noise
			sum += clip(s.uplift[d]-f.mean[d], clipAt*math.Sqrt(variance)) / variance
			weights += 1 / variance
		}
		if f.prior != nil {
			sum += f.pull[d] * (f.prior[d] - f.mean[d])
			weights += f.pull[d]
		}
		if weights > 0 {
			f.mean[d] += sum / weights
		}
	}
}

// spreads updates omega and tau by moments.
func (f *poolFit) spreads() {
	var omegaSum, omegaWeights, allSum, allWeights float64
	sums, weights := make([]float64, len(f.mean)), make([]float64, len(f.mean))
	for _, s := range f.said {
		var sum, precision float64
		for d, u := range s.uplift {
			if !math.IsNaN(u) {
				w := 1 / (f.tau2[d] + s.noise)
				sum += w * (u - f.mean[d])
				precision += w
			}
		}
		own := 1/precision + s.base
		common := clip(sum/precision, clipAt*math.Sqrt(f.omega+own))
		w := 1 / ((f.omega + own) * (f.omega + own))
		omegaSum += w * (common*common - own)
		omegaWeights += w
		for d, u := range s.uplift {
			if math.IsNaN(u) {
				continue
			}
			variance := f.tau2[d] + s.noise
			left := clip(u-f.mean[d]-common, clipAt*math.Sqrt(variance))
			w := 1 / (variance * variance)
			sums[d] += w * (left*left - s.noise)
			weights[d] += w
			allSum += w * (left*left - s.noise)
			allWeights += w
		}
	}
	f.omega = bounded(omegaSum / omegaWeights)
	overall := bounded(allSum / allWeights)
	for d := range f.tau2 {
		if weights[d] > 0 {
			n := float64(f.n[d])
			f.tau2[d] = bounded((n*sums[d]/weights[d] + tauSeries*overall) / (n + tauSeries))
		}
	}
}

func bounded(variance float64) float64 {
	return min(max(variance, leastSpread2), mostSpread2)
}
