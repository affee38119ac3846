package forecast

import "math"

// The candidates of the combination.
const (
	structural = iota // level x weekday x calendar x event, split by the profile
	recentMean        // mean of the last four ordinary days of the same weekday, slot by slot
	lastYear          // the day that played the same part a year ago, scaled by damped growth
	candidates
)

var candidateNames = [candidates]string{"structural", "mean of 4 weeks", "last year"}

// view is what the engine would have forecast at the end of day `at`, from data up to it only.
type view struct {
	e      *engine
	at     int
	shares *[profileClasses][]float64
	growth float64 // log growth over last year, NaN when unknown
	split  []float64
	curves map[int][]lesson // by teacher
	lives  map[int]float64
}

// at opens the view at the end of a day whose profile was kept.
func (e *engine) at(day int) *view {
	v := &view{e: e, at: day, shares: e.shares[day], split: make([]float64, e.g.perDay), curves: map[int][]lesson{}, lives: map[int]float64{}}
	v.growth = v.yearGrowth()
	return v
}

// slotMeans writes the combined mean of each open slot of day d; 0 where closed.
func (v *view) slotMeans(d int, out []float64) {
	var each [candidates][]float64
	for c := range each {
		each[c] = make([]float64, len(out))
	}
	v.all(d, &each)
	for k := range out {
		out[k] = 0
		for c, w := range v.e.weights {
			if w > 0 {
				out[k] += w * each[c][k]
			}
		}
		if !(out[k] > 0) || math.IsInf(out[k], 0) {
			out[k] = 0
		}
	}
}

// all writes every candidate's mean per slot.
func (v *view) all(d int, out *[candidates][]float64) {
	uplift := v.uplift(d)
	v.splitDay(d)
	day := v.e.bias * math.Exp(min(v.e.ahead(v.e.fit, v.at, d)+uplift, maxLog))
	last := v.yearAgo(d)
	if math.IsNaN(last) {
		last = day
	}
	factor := math.Exp(uplift)
	for k, isOpen := range v.e.openSlots(d) {
		if !isOpen {
			continue
		}
		out[structural][k] = day * v.split[k]
		out[lastYear][k] = last * v.split[k]
		out[recentMean][k] = out[structural][k]
		if m, ok := v.meanOfFour(d, k); ok {
			out[recentMean][k] = m * factor
		}
	}
}

// maxLog keeps a runaway extrapolation finite: e^34 is 600 million million.
const maxLog = 34

// splitDay fills the shares of the slots of day d, event or not.
func (v *view) splitDay(d int) {
	v.baseSplit(d)
	v.eventSplit(d)
}

// baseSplit fills the shares of an ordinary day, cut to its open slots.
func (v *view) baseSplit(d int) {
	open := v.e.openSlots(d)
	var total float64
	for k, s := range v.shares[v.e.class(d)] {
		v.split[k] = 0
		if open[k] {
			v.split[k] = s
			total += s
		}
	}
	if total > 0 {
		for k := range v.split {
			v.split[k] /= total
		}
	}
	bendShares(v.split, v.e.season, d)
}

// meanOfFour is the mean of slot k over the last four ordinary days of the same weekday.
func (v *view) meanOfFour(d, k int) (mean float64, ok bool) {
	var sum float64
	n := 0
	for p := v.lastSame(d); p >= 0 && n < 4 && p > d-7*60; p -= 7 {
		y := v.e.g.y[p*v.e.g.perDay+k]
		if math.IsNaN(y) || v.e.inEvent[p] || v.e.g.offWork(p) || v.e.outlier(p) {
			continue
		}
		sum += y
		n++
	}
	return sum / float64(max(n, 1)), n > 0
}

// naive is the weekly seasonal naive: the latest known same weekday and slot.
func (v *view) naive(d, k int) float64 {
	for p := v.lastSame(d); p >= 0 && p > d-7*60; p -= 7 {
		if y := v.e.g.y[p*v.e.g.perDay+k]; !math.IsNaN(y) {
			return y
		}
	}
	return math.NaN()
}

// plainFour is the mean of slot k over the last four same weekdays that have a record: what a
// planner without a tool does. NaN when there is none.
func (v *view) plainFour(d, k int) float64 {
	var sum float64
	n := 0
	for p := v.lastSame(d); p >= 0 && n < 4 && p > d-7*60; p -= 7 {
		if y := v.e.g.y[p*v.e.g.perDay+k]; !math.IsNaN(y) {
			sum += y
			n++
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / float64(n)
}

// lastSame is the latest day up to the view with the weekday of d.
func (v *view) lastSame(d int) int {
	p := d - 7
	if p > v.at {
		p -= (p - v.at + 6) / 7 * 7
	}
	return p
}

// yearLag keeps the weekday.
const yearLag = 364

// yearAgo is the mean of day d by the last-year candidate; NaN when no such day is known.
func (v *view) yearAgo(d int) float64 {
	if math.IsNaN(v.growth) {
		return math.NaN()
	}
	x := v.smoothYearAgo(d)
	if past, day, ok := v.sameEvent(d); ok {
		x = math.NaN()
		if !math.IsNaN(v.known(day)) {
			x = v.base(past, day) + v.uplift(d)
		}
	}
	return v.e.bias * math.Exp(min(x+v.growth, maxLog))
}

func (v *view) known(d int) float64 {
	if d < 0 || d > v.at || v.e.weight[d] < 0.2 && !v.e.inEvent[d] {
		return math.NaN()
	}
	return v.e.x[d]
}

// smoothYearAgo averages the same weekday of the weeks around last year's day.
func (v *view) smoothYearAgo(d int) float64 {
	var sum, n float64
	for _, shift := range [...]int{-7, 0, 7} {
		p := d - yearLag + shift
		if x := v.known(p); !math.IsNaN(x) && !v.e.inEvent[p] {
			sum += x
			n++
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / n
}

// yearGrowth is the log growth of the last 28 ordinary days over the same days a year before,
// damped by half: growth measured over a month does not all last.
func (v *view) yearGrowth() float64 {
	var sum, n float64
	for d := v.at; d > v.at-56 && d >= 0 && n < 28; d-- {
		if v.e.weight[d] < 0.5 {
			continue
		}
		if past := v.smoothYearAgo(d); !math.IsNaN(past) {
			sum += v.e.x[d] - past
			n++
		}
	}
	if n < 7 {
		return math.NaN()
	}
	return 0.5 * sum / n
}
