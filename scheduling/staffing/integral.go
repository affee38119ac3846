package staffing

import "math"

// curvedExponent is log f of a log-concave function f on [0, inf): value, slope and curvature.
// Both models below have a curvature that fades with t, which walk relies on.
type curvedExponent interface {
	at(t float64) (value, slope, curvature float64)
	peak() float64              // where value is largest, at least 0
	leftStep(t float64) float64 // longest step to the left of t over which the curvature stays alike
	maxStep(t float64) float64  // longest step to the right of t that the weights allow
}

// gaussNodes and gaussWeights are the positive half of the 12-point Gauss-Legendre rule
// (Abramowitz & Stegun 1964, table 25.4).
var (
	gaussNodes = [6]float64{
		0.125233408511468915472441369464, 0.367831498998180193752691536644,
		0.587317954286617447296702418941, 0.769902674194304687036893833213,
		0.904117256370474856678465866119, 0.981560634246719250690549090149,
	}
	gaussWeights = [6]float64{
		0.249147045813402785000562436043, 0.233492536538354808760849898925,
		0.203167426723065921749064455810, 0.160078328543346226334652529543,
		0.106939325995318430960254718194, 0.047175336386511827194615961485,
	}
)

// A panel never spans more than efolds in the exponent or sigmas of a Gaussian: the error bound of
// the 12-point rule, h^25 (12!)^4 / (25 (24!)^3) max|f^(24)|, is then below 1e-14. Mass below
// exp(-negligible) of the peak is cut off.
const (
	efolds     = 8.0
	sigmas     = 3.0
	negligible = 42.0
)

// panels calls visit for consecutive pieces [lo, hi] that cover all mass of exp(e - e(peak)) that
// matters, never across cut (a point where a weight has a kink; +Inf for none).
func panels(e curvedExponent, cut float64, visit func(lo, hi float64)) {
	start := e.peak()
	top, _, _ := e.at(start)
	for t := start; ; {
		v, slope, curvature := e.at(t)
		if !(v >= top-negligible) {
			break
		}
		h := min(step(slope, curvature), e.maxStep(t))
		next := t + h
		if t < cut && next > cut {
			next = cut
		}
		if next == t {
			break // h vanished against t: nothing left to resolve in float64
		}
		visit(t, next)
		t = next
	}
	for t := start; t > 0; {
		v, slope, curvature := e.at(t)
		if !(v >= top-negligible) {
			break
		}
		next := max(0, t-min(step(slope, curvature), e.leftStep(t)))
		if t > cut && next < cut {
			next = cut
		}
		if next == t {
			break
		}
		visit(next, t)
		t = next
	}
}

func step(slope, curvature float64) float64 {
	return min(efolds/math.Abs(slope), sigmas/math.Sqrt(math.Abs(curvature)))
}
