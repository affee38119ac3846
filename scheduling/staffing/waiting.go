package staffing

import "math"

// waiting is the part of a birth-death chain in which everybody is busy and arrivals queue: drain is
// the total departure rate from service, leave the rate at which one waiting contact abandons.
// All rates are per second; leave > 0, drain > 0, arrival > 0.
type waiting struct{ arrival, drain, leave float64 }

// at is the log density of the offered wait, relative to its peak t*: -D u + (lambda/theta) exp(-theta t*)
// (1 - exp(-theta u)). With F = lambda exp(-theta t*) = min(lambda, D), the flow into the queue at the peak,
// it is (F - D) u - (F/theta) h(theta u), h(x) = x - 1 + exp(-x), which tends to the M/M/c exponent as
// theta tends to 0.
func (w waiting) at(u float64) (value, slope, curvature float64) {
	value, gone := w.density(u)
	flow := min(w.arrival, w.drain) * (1 - gone)
	return value, flow - w.drain, -w.leave * flow
}

// density is the log density at u from the peak, and 1 - exp(-theta u): the share that leaves between the
// peak and u of those who wait until the peak (negative to its left).
func (w waiting) density(u float64) (value, gone float64) {
	flow, x := min(w.arrival, w.drain), w.leave*u
	var rest float64
	if x > 0.25 {
		gone = -math.Expm1(-x) // x - h(x) is lost against a long x
		rest = x - gone
	} else {
		rest = expRest(x)
		gone = x - rest
	}
	return (flow-w.drain)*u - flow/w.leave*rest, gone
}

// overload is log(lambda/D) where more arrive than are served, else 0: theta t*.
func (w waiting) overload() float64 {
	return math.Log1p(max(0, w.arrival-w.drain) / w.drain)
}

func (w waiting) peak() float64 { return w.overload() / w.leave }

// leftStep: the curvature is proportional to exp(-theta t), so half a patience changes it by 1.6.
func (w waiting) leftStep(float64) float64 { return 0.5 / w.leave }

// maxStep keeps the weight exp(-theta t) smooth inside a panel while it matters.
func (w waiting) maxStep(u float64) float64 {
	if w.leave*(w.peak()+u) > negligible {
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

// room is 1 - share: the arrivals that find room.
func (m moments) room(odds float64) float64 {
	return 1 / (1 + math.Exp(m.logOdds)/odds)
}

// moments integrates in one pass. after, when not nil, is the chance that a contact whose wait left it
// a rest of s seconds of the limit is still answered in time; nil means certainly.
func (w waiting) moments(limit float64, after func(rest float64) float64) moments {
	var all, lost, kept, keptWait, inTime float64
	before, peak := w.overload(), w.peak()
	patient, left := math.Exp(-before), -math.Expm1(-before) // shares that outlast the peak and that do not
	add := func(u, weight float64) {
		value, gone := w.density(u)
		f := weight * math.Exp(value)
		all += f
		lost += f * (left + patient*gone)
		f *= patient * (1 - gone)
		t := peak + u
		kept += f
		keptWait += f * t
		if u > limit-peak {
			return
		}
		if after != nil {
			f *= after(limit - t)
		}
		inTime += f
	}
	panels(w, limit-peak, func(lo, hi float64) {
		mid, half := (lo+hi)/2, (hi-lo)/2
		for i, x := range gaussNodes {
			add(mid-half*x, half*gaussWeights[i])
			add(mid+half*x, half*gaussWeights[i])
		}
	})
	return moments{
		logOdds:      w.logOddsOf(all),
		meanWait:     lost / all / w.leave,
		answeredWait: keptWait / all,
		answeredIn:   inTime / all,
		answered:     kept / all,
	}
}

// logOdds is that of moments alone: it does not depend on a limit.
func (w waiting) logOdds() float64 {
	all := 0.0
	panels(w, math.Inf(1), func(lo, hi float64) {
		mid, half := (lo+hi)/2, (hi-lo)/2
		for i, x := range gaussNodes {
			a, _ := w.density(mid - half*x)
			all += half * gaussWeights[i] * math.Exp(a)
			b, _ := w.density(mid + half*x)
			all += half * gaussWeights[i] * math.Exp(b)
		}
	})
	return w.logOddsOf(all)
}

// logOddsOf the integral of the density over all waits.
func (w waiting) logOddsOf(all float64) float64 {
	return w.drain/w.leave*expRest(-w.overload()) + math.Log(w.drain*all)
}
