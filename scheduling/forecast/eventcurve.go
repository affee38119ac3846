package forecast

import (
	"math"
)

// A teacher is a past occurrence of an event with what is known of its daily uplift: the days
// this series lived through itself, the curve a pool of series had (pool.go), or both.
type teacher struct {
	occurrence
	pool *poolCurve // nil = nobody else's experience is known
}

// poolCurve is the log uplift per day that many series had in one occurrence.
type poolCurve struct {
	first int         // day of the grid of mean[0]
	mean  []float64   // log uplift; NaN = unknown
	tau2  []float64   // variance between series on that day, beside their common deviation
	hours [][]float64 // per opening, contacts by the hour in units of an ordinary day; nil = not seen
	omega float64     // variance between series of the deviation that all days of an event share
}

// on is the pooled uplift of a day of the grid.
func (c *poolCurve) on(day int) (mean, tau2 float64, ok bool) {
	if c == nil || day < c.first || day >= c.first+len(c.mean) || math.IsNaN(c.mean[day-c.first]) {
		return 0, 0, false
	}
	return c.mean[day-c.first], c.tau2[day-c.first], true
}

// lesson is what one past day says about the days that align with it.
type lesson struct {
	uplift   float64 // log
	variance float64 // of the uplift as an estimate of this series' own
	own      bool    // this series lived through the day
	pooled   bool    // a pool helped
}

func (l lesson) known() bool { return l.own || l.pooled }

// curve is what is known at the view of each day of a teacher, from leadDays before its start to
// tailDays after its end. With a pool, the series' deviation from it has two parts, one shared
// by all days and one of the day, both shrunk by their own noise (empirical Bayes: Efron and
// Morris, JASA 70, 1975; two levels as in Searle, Casella and McCulloch, Variance Components,
// 1992, ch. 9): a small series believes the pool, a large one itself.
func (v *view) curve(i int) []lesson {
	if c, ok := v.curves[i]; ok {
		return c
	}
	p := &v.e.taught[i]
	lessons := make([]lesson, leadDays+p.length+tailDays)
	noise := v.e.noise
	var sum, precision float64
	for k := range lessons {
		day := p.first - leadDays + k
		lessons[k] = v.ownLesson(p.occurrence, day)
		if mean, tau2, ok := p.pool.on(day); ok && lessons[k].own {
			w := 1 / (tau2 + noise)
			sum += w * clip(lessons[k].uplift-mean, clipAt*math.Sqrt(p.pool.omega+tau2+noise))
			precision += w
		}
	}
	if p.pool != nil {
		v.shrink(p, lessons, sum, precision)
	}
	v.curves[i] = lessons
	return lessons
}

// shrink draws the lessons of a teacher towards its pool.
func (v *view) shrink(p *teacher, lessons []lesson, sum, precision float64) {
	noise, common, open := v.e.noise, 0.0, p.pool.omega
	if precision > 0 {
		variance := 1/precision + v.baseVariance(p.length)
		common = sum / precision * p.pool.omega / (p.pool.omega + variance)
		open = p.pool.omega * variance / (p.pool.omega + variance)
	}
	for k := range lessons {
		mean, tau2, ok := p.pool.on(p.first - leadDays + k)
		switch l := &lessons[k]; {
		case !ok || p.first-leadDays+k > v.at:
		case l.own:
			left := clip(l.uplift-mean-common, clipAt*math.Sqrt(tau2+noise))
			*l = lesson{mean + common + left*tau2/(tau2+noise), open + tau2*noise/(tau2+noise), true, true}
		default:
			*l = lesson{mean + common, open + tau2, false, true}
		}
	}
}

// ownLesson is x minus the base of a day this series lived through.
func (v *view) ownLesson(p occurrence, day int) lesson {
	if day < 0 || day > v.at || math.IsNaN(v.e.x[day]) {
		return lesson{}
	}
	return lesson{uplift: v.e.x[day] - v.base(p, day), variance: v.e.noise, own: true}
}

// baseVariance is how badly the base of a day inside an event of that length is known: the level
// at both ends, and a random walk between them, tied at both (on average a sixth of its length).
func (v *view) baseVariance(length int) float64 {
	return v.e.noise * (0.1 + v.e.hyper.levelNoise*float64(length)/6)
}

// base is x of a past event day without the event, as known at the view.
func (v *view) base(p occurrence, day int) float64 {
	return v.baseLevel(p, day) + dot(v.e.terms[day], v.e.fit.at(v.at))
}

// baseLevel is drawn straight from the level before the event to the level settleDays ordinary
// days after it.
func (v *view) baseLevel(p occurrence, day int) float64 {
	before := min(max(0, p.first-1), v.at)
	low := v.e.fit.level(before)
	after, settled := max(0, p.first+p.length), 0
	for ; after < v.at && settled < settleDays; after++ {
		settled += int(indicator(v.e.weight[after] > 0))
	}
	after = min(after, v.at)
	if after <= before || settled == 0 {
		return low
	}
	at := math.Min(math.Max(float64(day-before)/float64(after-before), 0), 1)
	return low + at*(v.e.fit.level(after)-low)
}

func clip(x, limit float64) float64 { return min(max(x, -limit), limit) }

// typical is the uplift of a past day without what was chance about it. A past day carries its own
// noise, and not every bump comes again: its deviation from the median of the five days around it
// is shrunk by the non-negative garrote, dev (1 - s2/dev^2)+ (Breiman, Technometrics 37, 1995;
// James and Stein's factor for one mean), which takes small bumps away and leaves peaks alone.
func (v *view) typical(i, day int) float64 {
	p := &v.e.taught[i]
	curve := v.curve(i)
	at := day - p.first + leadDays
	here := curve[at]
	if !p.inside(day) {
		return here.uplift
	}
	var around []float64
	for k := at - 2; k <= at+2; k++ {
		if k >= 0 && k < len(curve) && p.inside(p.first-leadDays+k) && curve[k].known() {
			around = append(around, curve[k].uplift)
		}
	}
	if len(around) < 5 {
		return here.uplift
	}
	const medianOfFive = 1.29 // variance of a value less the median of it and four others, over that of the value
	middle, _ := median(around)
	dev := here.uplift - middle
	variance := medianOfFive * (min(here.variance, v.e.noise) + (1-eventShare)*yearVariance)
	return middle + dev*max(0, 1-variance/max(dev*dev, negligible))
}
