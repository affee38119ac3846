package forecast

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// The spread around a mean. A day total has variance  phiDay*M + (sigma_h*M)^2 ; a slot has
// phi*m + (sigma_h^2 + tau^2)*m^2 : count noise, the error of the day that all its slots share,
// and the error of the slot's share. Small whole counts are negative binomial, larger ones
// gamma with the same moments. A level is then bent by how often past actuals really fell below
// it (probability integral transform, recalibration of Kuleshov et al., ICML 2018, shrunk).
type spread struct {
	phi, tau2 float64
	wild      []float64              // per hour of the day: slot variance over that of all hours; nil = 1
	sigma2    [len(leadBins)]float64 // relative variance of a day total by lead
	counts    bool                   // the history holds whole numbers
	slotPIT   []float64              // sorted transforms of back-tested slots
	dayPIT    []float64
	slotUnits float64 // independent units behind the transforms: days, not slots
	perDay    int
	levels    []float64 // the levels bent below
	slotBent  []float64
	dayBent   []float64
}

// leadBins are the last leads, in days, of the bins that share a sigma.
var leadBins = [...]int{1, 2, 4, 7, 14, 28, 56, 1 << 30}

func leadBin(lead int) int {
	for i, last := range leadBins {
		if lead <= last {
			return i
		}
	}
	return len(leadBins) - 1
}

// Beliefs before any back-test: a day is off by 20 %, slots are a little wilder than Poisson.
const (
	priorSigma2   = 0.04
	priorDays     = 3.0
	priorPhi      = 1.2
	countLimit    = 50   // means below it are treated as whole counts
	negligible    = 1e-6 // contacts; below it everything is zero
	leastShape    = 0.02 // wildest gamma: a standard deviation of seven times the mean
	recalibration = 30   // days of back-test worth as much as the assumed distribution
)

// dayError is one back-tested day total.
type dayError struct {
	lead         int
	mean, actual float64
}

// fitSpread learns the spread from back-tested points (in order of origin, day, slot).
func (e *engine) fitSpread(points []point) spread {
	s := spread{phi: priorPhi, counts: e.wholeNumbers(), perDay: e.g.perDay, levels: e.opt.Levels}
	days := dayErrors(points)
	s.fitSlots(points)
	s.fitHours(points)
	s.fitDays(days, e.noise)
	s.slotUnits = float64(len(days))
	if len(days) >= 10 {
		for i := range points {
			s.slotPIT = append(s.slotPIT, s.transform(points[i].mean, s.slotVariance(points[i].mean, points[i].lead, int(points[i].slot)), points[i].actual))
		}
		for _, d := range days {
			s.dayPIT = append(s.dayPIT, s.transform(d.mean, s.dayVariance(d.mean, d.lead), d.actual))
		}
		slices.Sort(s.slotPIT)
		slices.Sort(s.dayPIT)
	}
	s.slotBent, s.dayBent = s.bend(s.slotPIT), s.bend(s.dayPIT)
	return s
}

func (e *engine) wholeNumbers() bool {
	for _, v := range e.g.y {
		if !math.IsNaN(v) && v != math.Trunc(v) {
			return false
		}
	}
	return true
}

func dayErrors(points []point) []dayError {
	var out []dayError
	for i := 0; i < len(points); {
		d := dayError{lead: points[i].lead}
		j := i
		for ; j < len(points) && points[j].day == points[i].day && points[j].origin == points[i].origin; j++ {
			d.mean += points[j].mean
			d.actual += points[j].actual
		}
		out = append(out, d)
		i = j
	}
	return out
}

// fitSlots learns phi and tau from slots at their actual day totals by least squares of the
// squared error on (m, m^2), each divided by m so that busy slots do not decide alone.
func (s *spread) fitSlots(points []point) {
	if s.perDay == 1 {
		return
	}
	var a11, a12, a22, b1, b2 float64
	for i := 0; i < len(points); {
		j := i
		var mean, actual float64
		for ; j < len(points) && points[j].day == points[i].day && points[j].origin == points[i].origin; j++ {
			mean += points[j].mean
			actual += points[j].actual
		}
		for ; i < j && mean > 0; i++ {
			m := points[i].mean * actual / mean
			if m <= 0 {
				continue
			}
			r2 := min((points[i].actual-m)*(points[i].actual-m)/m, 25*(1+m*0.05))
			a11++
			a12 += m
			a22 += m * m
			b1 += r2
			b2 += r2 * m
		}
		i = j
	}
	if a11 < 20 {
		return
	}
	det := a11*a22 - a12*a12
	phi, tau2 := b1/a11, 0.0
	if det > 1e-9*a11*a22 {
		phi, tau2 = (b1*a22-b2*a12)/det, (a11*b2-a12*b1)/det
	}
	if tau2 < 0 {
		phi, tau2 = b1/a11, 0
	}
	if phi < 0.2 {
		phi, tau2 = 0.2, max(0, (b2-0.2*a12)/a22)
	}
	s.phi, s.tau2 = phi, tau2
}

// fitHours learns how much wilder than the common formula an hour of the day is: nights are
// calmer than the rush of the morning. Shrunk by wildDays days that say there is no difference.
func (s *spread) fitHours(points []point) {
	if s.perDay == 1 || len(points) == 0 {
		return
	}
	const wildDays = 30
	blocks := shapeBlocks(s.perDay)
	pseudo := wildDays * float64(s.perDay/blocks)
	sum, n := make([]float64, blocks), make([]float64, blocks)
	for i := 0; i < len(points); {
		j, mean, actual := i, 0.0, 0.0
		for ; j < len(points) && points[j].day == points[i].day && points[j].origin == points[i].origin; j++ {
			mean += points[j].mean
			actual += points[j].actual
		}
		for ; i < j && mean > 0; i++ {
			if m := points[i].mean * actual / mean; m > 0 {
				off := points[i].actual - m
				b := int(points[i].slot) * blocks / s.perDay
				sum[b] += min(off*off/(s.phi*m+s.tau2*m*m), 25)
				n[b]++
			}
		}
		i = j
	}
	s.wild = make([]float64, blocks)
	for b := range sum {
		s.wild[b] = (sum[b] + pseudo) / (n[b] + pseudo)
	}
}

// fitDays learns sigma per lead bin, never falling with the lead.
func (s *spread) fitDays(days []dayError, noise float64) {
	var sum, n [len(leadBins)]float64
	prior := max(priorSigma2, noise)
	var all, count float64
	for _, d := range days {
		if d.mean <= 0 {
			continue
		}
		rel := (d.actual - d.mean) / d.mean
		r := max(0, min(rel*rel, 4)-s.phiDay()/d.mean)
		b := leadBin(d.lead)
		sum[b] += r
		n[b]++
		all += r
		count++
	}
	overall := (all + priorDays*prior) / (count + priorDays)
	var low float64
	for b := range sum {
		v := (sum[b] + 5*overall) / (n[b] + 5)
		low = max(low, v)
		s.sigma2[b] = low
	}
}

func (s *spread) phiDay() float64 { return max(1, s.phi) }

// slotVariance is the variance of slot k of a day.
func (s *spread) slotVariance(mean float64, lead, k int) float64 {
	if s.perDay == 1 {
		return s.dayVariance(mean, lead)
	}
	return s.wildness(k)*(s.phi*mean+s.tau2*mean*mean) + s.sigma2[leadBin(lead)]*mean*mean
}

// shareVariance is what the share of slot k in its day adds to the variance of a part of the day.
func (s *spread) shareVariance(mean float64, k int) float64 {
	return s.wildness(k) * s.tau2 * mean * mean
}

// wildness of slot k of a day; see fitHours.
func (s *spread) wildness(k int) float64 {
	if s.wild == nil {
		return 1
	}
	return s.wild[k*len(s.wild)/s.perDay]
}

func (s *spread) dayVariance(mean float64, lead int) float64 {
	return s.phiDay()*mean + s.sigma2[leadBin(lead)]*mean*mean
}

// bend maps each wanted level to the level of the assumed distribution that past actuals give.
func (s *spread) bend(pit []float64) []float64 {
	out := slices.Clone(s.levels)
	if len(pit) == 0 {
		return out
	}
	for i, q := range s.levels {
		at := q * float64(len(pit)-1)
		low := int(at)
		high := min(low+1, len(pit)-1)
		seen := pit[low] + (at-float64(low))*(pit[high]-pit[low])
		bent := (s.slotUnits*seen + recalibration*q) / (s.slotUnits + recalibration)
		out[i] = min(max(bent, 1e-4), 1-1e-4)
		if i > 0 {
			out[i] = max(out[i], out[i-1])
		}
	}
	return out
}

// transform is the (mid) probability of an actual under the assumed distribution.
func (s *spread) transform(mean, variance, actual float64) float64 {
	variance = min(variance, mean*mean/leastShape)
	switch {
	case mean < negligible:
		return 0.5
	case s.counts && mean < countLimit:
		return countTransform(mean, variance, actual)
	}
	shape := mean * mean / variance
	return mathext.GammaIncReg(shape, actual*mean/variance)
}

// quantiles of a slot at the levels the spread was made for; extra is a relative variance that
// the back-test cannot know, that of an event.
func (s *spread) quantiles(mean float64, lead, k int, extra float64) []float64 {
	return s.invert(mean, s.slotVariance(mean, lead, k)+extra*mean*mean, s.slotBent)
}

func (s *spread) invert(mean, variance float64, levels []float64) []float64 {
	out := make([]float64, len(levels))
	if mean < negligible {
		return out
	}
	variance = min(variance, mean*mean/leastShape)
	if s.counts && mean < countLimit {
		countQuantiles(mean, variance, levels, out)
		return out
	}
	shape, scale := mean*mean/variance, variance/mean
	for i, q := range levels {
		out[i] = gammaQuantile(shape, q) * scale
		if i > 0 {
			out[i] = max(out[i], out[i-1])
		}
	}
	return out
}

// gammaQuantile is exact for small shapes and Wilson-Hilferty (1931) for large ones, where it
// is good to four digits.
func gammaQuantile(shape, q float64) float64 {
	if shape < 20 {
		v := mathext.GammaIncRegInv(shape, q)
		if math.IsNaN(v) || v < 0 {
			return 0
		}
		return v
	}
	z := distuv.UnitNormal.Quantile(q)
	root := 1 - 1/(9*shape) + z/(3*math.Sqrt(shape))
	return shape * max(0, root*root*root)
}
