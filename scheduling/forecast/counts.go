package forecast

import "math"

// countPMF walks the probabilities of 0, 1, 2, ... of a negative binomial with the given mean
// and variance, or of a Poisson when the variance is not larger, until yield says stop.
// Recursions: Poisson p(k+1) = p(k) m/(k+1); negative binomial with size r and p = r/(r+m)
// p(k+1) = p(k) (k+r)/(k+1) (1-p).
func countPMF(mean, variance float64, yield func(k int, p float64) bool) {
	excess := variance - mean
	poisson := excess <= 1e-6*mean
	var size, success, p float64
	if poisson {
		p = math.Exp(-mean)
	} else {
		size = mean * mean / excess
		success = size / (size + mean)
		p = math.Exp(size * math.Log(success))
	}
	for k := 0; k < 1_000_000 && yield(k, p); k++ {
		if poisson {
			p *= mean / float64(k+1)
		} else {
			p *= (float64(k) + size) / float64(k+1) * (1 - success)
		}
	}
}

// countQuantiles writes the smallest k with P(Y <= k) >= level, for ascending levels.
func countQuantiles(mean, variance float64, levels, out []float64) {
	next := 0
	var sum float64
	stop := mean + 60*math.Sqrt(variance) + 10 // rounding must not walk on for ever
	countPMF(mean, variance, func(k int, p float64) bool {
		sum += p
		for next < len(levels) && (sum >= levels[next] || float64(k) > stop) {
			out[next] = float64(k)
			next++
		}
		return next < len(levels)
	})
}

// countAround is P(Y < y) and P(Y <= y).
func countAround(mean, variance, actual float64) (below, upTo float64) {
	countPMF(mean, variance, func(k int, p float64) bool {
		if upTo += p; float64(k) >= actual {
			return false
		}
		below = upTo
		return below < 1-1e-12 // an actual far out is certain to be above
	})
	return min(below, 1), min(upTo, 1)
}
