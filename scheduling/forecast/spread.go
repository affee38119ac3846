package forecast

import (
	"cmp"
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
	slotPIT   []witness              // of back-tested slots
	dayPIT    []witness
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
			s.slotPIT = append(s.slotPIT, s.around(points[i].mean, s.slotVariance(points[i].mean, points[i].lead, int(points[i].slot)), points[i].actual))
		}
		for _, d := range days {
			s.dayPIT = append(s.dayPIT, s.around(d.mean, s.dayVariance(d.mean, d.lead), d.actual))
		}
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
func (s *spread) bend(pit []witness) []float64 {
	return bendLevels(s.levels, pit, s.slotUnits)
}

// bendLevels moves each level to where the past reached it, as far as n independent testimonies
// outweigh the belief in the assumed distribution.
func bendLevels(levels []float64, pit []witness, n float64) []float64 {
	out := slices.Clone(levels)
	if len(pit) == 0 {
		return out
	}
	seen := levelsReached(pit, levels)
	for i, q := range levels {
		bent := (n*seen[i] + recalibration*q) / (n + recalibration)
		out[i] = min(max(bent, 1e-4), 1-1e-4)
		if i > 0 {
			out[i] = max(out[i], out[i-1])
		}
	}
	return out
}

// witness is where an actual fell under an assumed distribution: P(Y < y) and P(Y <= y), which
// are one for what is not counted in small whole numbers.
type witness struct{ below, upTo float64 }

// levelsReached are the levels u at which the non-randomised PIT of the witnesses (spread.reached)
// is q, for each of the ascending levels q: where the assumed distribution is right, u = q.
func levelsReached(pit []witness, levels []float64) []float64 {
	type turn struct{ at, jump, slope float64 }
	turns := make([]turn, 0, 2*len(pit))
	for _, w := range pit {
		if w.upTo-w.below < 1e-9 {
			turns = append(turns, turn{w.upTo, 1, 0})
			continue
		}
		slope := 1 / (w.upTo - w.below)
		turns = append(turns, turn{w.below, 0, slope}, turn{w.upTo, 0, -slope})
	}
	slices.SortFunc(turns, func(a, b turn) int { return cmp.Compare(a.at, b.at) })
	out := make([]float64, len(levels))
	next, n := 0, float64(len(pit))
	var at, sum, slope float64
	for _, t := range turns {
		for ; next < len(levels) && slope > 1e-12 && sum+slope*(t.at-at) >= levels[next]*n; next++ {
			out[next] = min(at+max(0, levels[next]*n-sum)/slope, t.at)
		}
		sum += slope*(t.at-at) + t.jump
		at, slope = t.at, slope+t.slope
		for ; next < len(levels) && t.jump > 0 && sum >= levels[next]*n; next++ {
			out[next] = t.at
		}
	}
	for ; next < len(levels); next++ {
		out[next] = 1
	}
	return out
}

// around is P(Y < actual) and P(Y <= actual) under the assumed distribution; of a forecast of
// nothing half and half, because it knows no more.
func (s *spread) around(mean, variance, actual float64) witness {
	variance = min(variance, mean*mean/leastShape)
	switch {
	case mean < negligible:
		return witness{0.5, 0.5}
	case s.counts && mean < countLimit:
		below, upTo := countAround(mean, variance, actual)
		return witness{below, upTo}
	}
	shape := mean * mean / variance
	at := mathext.GammaIncReg(shape, actual*mean/variance)
	return witness{at, at}
}

// reached is how much of an actual lies at or below a level of the assumed distribution: 0 or 1,
// and a part of it where the actual's own probability holds the level. Its mean is the
// non-randomised PIT at the level (Czado, Gneiting and Held 2009, eq. 2), which is the level for
// a right forecast of counts, however small they are.
func (s *spread) reached(mean, variance, actual, level float64) float64 {
	switch w := s.around(mean, variance, actual); {
	case mean < negligible:
		return indicator(actual <= 0)
	case w.upTo <= level:
		return 1
	case w.below >= level:
		return 0
	default:
		return (level - w.below) / (w.upTo - w.below)
	}
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
