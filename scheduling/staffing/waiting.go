package staffing

import "math"

// waiting is the part of a birth-death chain in which everybody is busy and arrivals queue: drain is
// the total departure rate from service, leave the rate at which one waiting contact abandons.
// All rates are per second; leave > 0, drain > 0, arrival > 0.
type waiting struct{ arrival, drain, leave float64 }

// at is the log density of the offered wait: (lambda - D) t - (lambda/theta) h(theta t) with
// h(x) = x - 1 + exp(-x). Written with h it tends to the M/M/c exponent as theta tends to 0.
func (w waiting) at(t float64) (value, slope, curvature float64) {
	x := w.leave * t
	gone := -math.Expm1(-x)
	flow := w.arrival * (1 - gone)
	return (w.arrival-w.drain)*t - w.arrival/w.leave*(x-gone), flow - w.drain, -w.leave * flow
}

func (w waiting) peak() float64 {
	if w.arrival <= w.drain {
		return 0
	}
	return math.Log(w.arrival/w.drain) / w.leave
}

// leftStep: the curvature is proportional to exp(-theta t), so half a patience changes it by 1.6.
func (w waiting) leftStep(float64) float64 { return 0.5 / w.leave }

// maxStep keeps the weight exp(-theta t) smooth inside a panel while it matters.
func (w waiting) maxStep(t float64) float64 {
	if w.leave*t > negligible {
		return math.Inf(1)
	}
	return efolds / w.leave
}

// moments of the offered wait V given that an arrival must wait; X is its own patience.
type moments struct {
	logOdds      float64 // log of (weight of all waiting states / weight of the first of them)
	meanWait     float64 // E[min(V, X)], seconds
	answeredWait float64 // E[V; V < X], seconds
	answeredIn   float64 // P(V <= limit, V < X), or E[after(limit-V); V <= limit, V < X]
	answered     float64 // P(V < X)
}

// share of arrivals that wait, given the weight of the states with room over the first full state.
func (m moments) share(odds float64) float64 {
	return 1 / (1 + odds*math.Exp(-m.logOdds))
}

// moments integrates in one pass. after, when not nil, is the chance that a contact whose wait left it
// a rest of s seconds of the limit is still answered in time; nil means certainly.
func (w waiting) moments(limit float64, after func(rest float64) float64) moments {
	var all, lost, kept, keptWait, inTime float64
	shift, _, _ := w.at(w.peak())
	add := func(t, weight float64) {
		x := w.leave * t
		gone := -math.Expm1(-x)
		f := weight * math.Exp((w.arrival-w.drain)*t-w.arrival/w.leave*(x-gone)-shift)
		all += f
		lost += f * gone
		f *= 1 - gone
		kept += f
		keptWait += f * t
		if t > limit {
			return
		}
		if after != nil {
			f *= after(limit - t)
		}
		inTime += f
	}
	panels(w, limit, func(lo, hi float64) {
		mid, half := (lo+hi)/2, (hi-lo)/2
		for i, x := range gaussNodes {
			add(mid-half*x, half*gaussWeights[i])
			add(mid+half*x, half*gaussWeights[i])
		}
	})
	return moments{
		logOdds:      shift + math.Log(w.drain*all),
		meanWait:     lost / all / w.leave,
		answeredWait: keptWait / all,
		answeredIn:   inTime / all,
		answered:     kept / all,
	}
}
