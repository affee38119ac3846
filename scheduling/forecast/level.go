package forecast

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// The day model is a structural time series in the log of the day total (Harvey, Forecasting,
// Structural Time Series Models and the Kalman Filter, 1989, ch. 2 and 3):
//
//	x_d = m_d + a_d + z_d'b_d + e_d          e_d ~ N(0, s2 / share observed)
//	m_d = m_{d-1} + N(0, s2*meanNoise)       slow level
//	a_d = persist*a_{d-1} + N(0, s2*levelNoise)   damped deviation from it
//	b_d = b_{d-1} + N(0, s2*drift)           effects; prior N(0, prior^2) is the ridge penalty
//
// Innovations beyond 2.5 standard deviations are clipped (Huber), so that one outlier does not
// move the level, while a lasting change does within a few days.

// hyper are the noise ratios of the day model.
type hyper struct {
	persist      float64
	levelNoise   float64
	meanNoise    float64
	weekdayDrift float64
}

// startHyper is where the search starts: a level that drifts by a few per cent a week.
var startHyper = hyper{persist: 0.95, levelNoise: 0.1, meanNoise: 0.003, weekdayDrift: 0.0005}

const (
	fixedStates = 2 // m and a
	clipAt      = 2.5
)

// dayFit is the filtered state after every day of history.
type dayFit struct {
	hyper  hyper
	states int
	state  []float64 // days x states
	oneDay []float64 // one-day-ahead prediction of x
}

func (f *dayFit) at(d int) []float64 { return f.state[d*f.states : (d+1)*f.states] }

// level of day d as known on day d.
func (f *dayFit) level(d int) float64 { s := f.at(d); return s[0] + s[1] }

// filter runs the Kalman filter over the history.
func (e *engine) filter(h hyper) *dayFit {
	n := fixedStates + len(e.columns)
	fit := &dayFit{hyper: h, states: n, state: make([]float64, len(e.x)*n), oneDay: make([]float64, len(e.x))}
	a, p, noise := e.prior(h, n)
	gain := make([]float64, n)
	for d := range e.x {
		a[1] *= h.persist
		for j := range n {
			p[n+j] *= h.persist
			p[j*n+1] *= h.persist
		}
		for j, q := range noise {
			p[j*n+j] += q
		}
		fit.oneDay[d] = a[0] + a[1] + dot(e.terms[d], a)
		if !math.IsNaN(e.x[d]) && e.weight[d] > 0 {
			e.update(a, p, gain, e.terms[d], e.x[d]-fit.oneDay[d], e.noise/e.weight[d])
		}
		copy(fit.at(d), a)
	}
	return fit
}

// prior is the state before the first day: the level near the first weeks, effects near zero.
func (e *engine) prior(h hyper, n int) (a, p, noise []float64) {
	a, p, noise = make([]float64, n), make([]float64, n*n), make([]float64, n)
	a[0] = e.firstLevel
	p[0] = 0.5 + e.noise
	p[n+1] = e.noise * h.levelNoise / max(0.02, 1-h.persist*h.persist)
	noise[0], noise[1] = e.noise*h.meanNoise, e.noise*h.levelNoise
	for i, f := range e.columns {
		j := i + fixedStates
		p[j*n+j] = f.prior * f.prior
		noise[j] = e.noise * f.drift
		if i < 7 && f.prior == 1 {
			noise[j] = e.noise * h.weekdayDrift
		}
	}
	return a, p, noise
}

// update is one measurement step with a clipped innovation v of observation variance r.
func (e *engine) update(a, p, gain []float64, z []term, v, r float64) {
	n := len(a)
	copy(gain, p[:n]) // the covariance is symmetric: rows stand for columns
	floats.Add(gain, p[n:2*n])
	for _, t := range z {
		floats.AddScaled(gain, t.value, p[t.at*n:(t.at+1)*n])
	}
	variance := r + gain[0] + gain[1] + dot(z, gain)
	limit := clipAt * math.Sqrt(variance)
	v = min(max(v, -limit), limit)
	for j, g := range gain {
		if k := g / variance; k != 0 {
			a[j] += k * v
			floats.AddScaled(p[j*n:(j+1)*n], -k, gain)
		}
	}
}

func dot(z []term, a []float64) float64 {
	var s float64
	for _, t := range z {
		s += t.value * a[t.at]
	}
	return s
}

// ahead predicts x of day d from the state of day t < d.
func (e *engine) ahead(f *dayFit, t, d int) float64 {
	return e.aheadDamped(f, t, d, math.Pow(f.hyper.persist, float64(d-t)))
}

// aheadDamped is ahead where the share of the deviation that is left by then is known.
func (e *engine) aheadDamped(f *dayFit, t, d int, left float64) float64 {
	s := f.at(t)
	return s[0] + s[1]*left + dot(e.terms[d], s)
}

// chooseHyper searches the noise ratios one at a time for the least absolute error over the
// horizons that matter. Coordinate search over a short list keeps it fast and deterministic.
func (e *engine) chooseHyper() {
	best := startHyper
	leads := e.testLeads()
	fit := e.filter(best)
	loss := e.hyperLoss(fit, leads)
	try := func(h hyper) {
		if h == best {
			return
		}
		f := e.filter(h)
		if l := e.hyperLoss(f, leads); l < loss*0.9995 {
			best, loss, fit = h, l, f
		}
	}
	for range 2 {
		before := best
		for _, v := range []float64{0.7, 0.85, 0.95, 0.985} {
			h := best
			h.persist = v
			try(h)
		}
		for _, v := range []float64{0.01, 0.04, 0.1, 0.25} {
			h := best
			h.levelNoise = v
			try(h)
		}
		for _, v := range []float64{0.0003, 0.003, 0.02, 0.08} {
			h := best
			h.meanNoise = v
			try(h)
		}
		for _, v := range []float64{0, 0.0005, 0.005} {
			h := best
			h.weekdayDrift = v
			try(h)
		}
		if best == before {
			break
		}
	}
	e.hyper, e.fit = best, fit
}

// testLeads are the horizons in days on which ratios are judged.
func (e *engine) testLeads() []int {
	longest := min(max(1, e.g.days-1-e.g.lastDay()), max(1, e.g.lastDay()/4))
	var leads []int
	for _, h := range []int{1, 2, 3, 5, 7, 10, 14, 21, 28, 42, 56, 84, 126, 182, 364} {
		if h <= longest {
			leads = append(leads, h)
		}
	}
	return leads
}

// hyperLoss is the mean absolute log error over the leads on ordinary days after a burn-in.
func (e *engine) hyperLoss(f *dayFit, leads []int) float64 {
	burn := max(min(28, len(e.x)/2), len(e.x)-2*366)
	var sum, n float64
	left := make([]float64, len(leads))
	for i, h := range leads {
		left[i] = math.Pow(f.hyper.persist, float64(h))
	}
	for d := burn; d < len(e.x); d++ {
		if math.IsNaN(e.x[d]) || e.weight[d] < 0.5 {
			continue
		}
		for i, h := range leads {
			if t := d - h; t >= burn/2 && t >= 0 {
				sum += math.Abs(e.x[d]-e.aheadDamped(f, t, d, left[i])) * e.size[d]
				n += e.size[d]
			}
		}
	}
	if n == 0 {
		return 0
	}
	return sum / n
}

// median of the finite values; ok is false when there is none.
func median(values []float64) (m float64, ok bool) {
	v := make([]float64, 0, len(values))
	for _, x := range values {
		if !math.IsNaN(x) {
			v = append(v, x)
		}
	}
	if len(v) == 0 {
		return 0, false
	}
	slices.Sort(v)
	if len(v)%2 == 1 {
		return v[len(v)/2], true
	}
	return (v[len(v)/2-1] + v[len(v)/2]) / 2, true
}
