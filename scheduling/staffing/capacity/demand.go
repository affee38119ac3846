package capacity

import "math"

// z90 is the 90 % quantile of the standard normal distribution.
const z90 = 1.2815515655446004

// demand is the requirement of a week: lognormal through its P50 and P90, or certain when spread is 0.
// Requirements of promotions are skewed to the right, and a lognormal one is never negative.
type demand struct{ median, spread float64 }

func (w Week) demand() demand {
	d := demand{median: w.RequiredP50}
	if w.RequiredP90 > w.RequiredP50 && w.RequiredP50 > 0 {
		d.spread = math.Log(w.RequiredP90/w.RequiredP50) / z90
	}
	return d
}

// above is P(requirement > x).
func (d demand) above(x float64) float64 {
	switch {
	case x <= 0 && d.median > 0:
		return 1
	case d.spread == 0 && d.median > x+certain:
		return 1
	case d.spread == 0:
		return 0
	}
	return tail((math.Log(x) - math.Log(d.median)) / d.spread)
}

// certain is how many hours a certain requirement may be missed by without being called short: rounding.
const certain = 1e-9

// short is E[(requirement - x)+], for a lognormal one m Φ(s - z) - x Φ(-z) with mean m and z of x
// (its partial expectation).
func (d demand) short(x float64) float64 {
	if d.spread == 0 {
		return max(0, d.median-x)
	}
	mean := d.median * math.Exp(d.spread*d.spread/2)
	if x <= 0 {
		return mean - x
	}
	z := math.Log(x/d.median) / d.spread
	return max(0, mean*tail(z-d.spread)-x*tail(z))
}

// worth is the supply up to which one more hour is worth having at a cost of ratio times the price of a
// shortage: above(x) = ratio, the newsvendor fractile. ratio lies in (0,1).
func (d demand) worth(ratio float64) float64 {
	if d.spread == 0 {
		return d.median
	}
	return d.median * math.Exp(d.spread*math.Sqrt2*math.Erfinv(1-2*ratio))
}

// tail is the upper tail of the standard normal distribution.
func tail(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }
