package staffing

import "math"

// curvedExponent is log f of a log-concave function f on [0, inf), told by the distance u from its
// peak: u runs from -peak() up. The value is relative to the peak, so that it is small where f matters and
// keeps its digits however large log f itself is. Both models below have a curvature that fades
// with u, which panels relies on.
type curvedExponent interface {
	at(u float64) (value, slope, curvature float64) // value(0) = 0 >= value(u)
	peak() float64                                  // where f is largest, at least 0
	leftStep(u float64) float64                     // longest step to the left of u over which the curvature stays alike
	maxStep(u float64) float64                      // longest step to the right of u that the weights allow
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

// panels calls visit for consecutive pieces [lo, hi] of u that cover all mass of exp(e) that
// matters, never across cut (a point where a weight has a kink; +Inf for none).
func panels[E curvedExponent](e E, cut float64, visit func(lo, hi float64)) {
	for u := 0.0; ; {
		v, slope, curvature := e.at(u)
		if !(v >= -negligible) {
			break
		}
		next := u + min(step(slope, curvature), e.maxStep(u))
		if u < cut && next > cut {
			next = cut
		}
		if next == u {
			break // the step vanished against u: nothing left to resolve in float64
		}
		visit(u, next)
		u = next
	}
	for u, least := 0.0, -e.peak(); u > least; {
		v, slope, curvature := e.at(u)
		if !(v >= -negligible) {
			break
		}
		next := max(least, u-min(step(slope, curvature), e.leftStep(u)))
		if u > cut && next < cut {
			next = cut
		}
		if next == u {
			break
		}
		visit(next, u)
		u = next
	}
}

func step(slope, curvature float64) float64 {
	return min(efolds/math.Abs(slope), sigmas/math.Sqrt(math.Abs(curvature)))
}

// expRest is x - 1 + exp(-x), without the loss of digits near 0 where it is x*x/2.
func expRest(x float64) float64 {
	if math.Abs(x) > 0.25 {
		return x + math.Expm1(-x)
	}
	sum := 0.0
	for _, c := range restSeries {
		sum = (1 - sum) * x * c
	}
	return sum * x
}

// restSeries are the factors of x^2/2! - x^3/3! + ... - x^13/13! in Horner's form, innermost first.
var restSeries = [12]float64{1. / 13, 1. / 12, 1. / 11, 1. / 10, 1. / 9, 1. / 8, 1. / 7, 1. / 6, 1. / 5, 1. / 4, 1. / 3, 1. / 2}

// logRest is x - log(1+x), without the loss of digits near 0 where it is x*x/2.
func logRest(x float64) float64 {
	if math.Abs(x) > 0.1 {
		return x - math.Log1p(x)
	}
	sum := 0.0 // Horner on x^2/2 - x^3/3 + ... - x^17/17
	for k := 17.0; k >= 2; k-- {
		sum = (1/k - sum) * x
	}
	return sum * x
}
