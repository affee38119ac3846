package forecast

import (
	"fmt"
	"math"
	"time"
)

// engine is one forecast in the making: the grid, the learnt parts and the back-test.
type engine struct {
	g   *grid
	opt Options

	// Per day of history, the day of the origin included.
	total   []float64 // estimated whole-day contacts; NaN = no information
	x       []float64 // log(total + shift)
	weight  []float64 // 0..1: share of the day observed, less in the shoulders of events
	size    []float64 // weight of a day's error in the choice of noise ratios
	inEvent []bool    // must not teach the base level

	openDays      []bool
	terms         [][]term // per day of history and horizon
	columns       []feature
	anniversaries []anniversary
	shift         float64
	noise         float64 // s2: variance of x on an ordinary fully observed day
	firstLevel    float64

	hyper    hyper
	fit      *dayFit
	bias     float64 // mean of total over mean of exp(x - prediction): Duan's smearing factor
	shape    profileShape
	season   *seasonShape // nil = the split is the same all year
	shares   map[int]*[profileClasses][]float64
	occ      []occurrence
	taught   []teacher // occ, and past occurrences that only the prior knows
	weights  [candidates]float64
	gone     int // days of silence of a series of a batch that has ended; 0 = it has not
	spread   spread
	carry    float64   // correlation of the errors of two days of one forecast
	totalPIT []witness // of back-tested totals over some days
	score    Backtest
	doubts   []string
}

func newEngine(g *grid, o Options) *engine {
	o.Holidays = g.opt.Holidays // without a table that is not this history's
	n := g.originDay + 1
	e := &engine{
		g: g, opt: o, total: make([]float64, n), x: make([]float64, n), weight: make([]float64, n),
		size: make([]float64, n), inEvent: make([]bool, n), openDays: make([]bool, g.days), weights: [candidates]float64{1},
	}
	for d := range e.openDays {
		e.openDays[d] = g.opened(d)
	}
	e.occ = g.occurrences(o.Events)
	e.taught = g.teachers(e.occ, o.Prior)
	return e
}

// learn fits everything that does not need forecasts of the past: totals, day model, profile.
func (e *engine) learn() {
	e.prepare()
	if e.anniversaries = e.findAnniversaries(); len(e.anniversaries) > 0 {
		e.design()
	}
	e.chooseHyper()
	e.bias = e.smearing()
	e.chooseProfile()
}

// prepare makes the day totals, their weights and the columns of the day model.
func (e *engine) prepare() {
	e.estimateTotals()
	e.logTotals()
	e.maskEvents()
	e.estimateNoise()
	e.design()
}

// logTotals takes logs; the shift keeps zero days finite and is small beside an ordinary day.
func (e *engine) logTotals() {
	var positive []float64
	var sum, n float64
	for d, v := range e.total {
		if math.IsNaN(v) {
			continue
		}
		sum += v
		n++
		if v > 0 && e.weight[d] > 0.5 {
			positive = append(positive, v)
		}
	}
	e.shift = 0.5
	if m, ok := median(positive); ok {
		e.shift = min(0.5, 0.1*m)
	}
	mean := (sum + e.shift) / max(1, n)
	for d, v := range e.total {
		e.x[d] = math.Log(v + e.shift)
		e.size[d] = math.Sqrt(min(1, v/max(mean, 1e-9)))
	}
}

// maskEvents keeps days of events out of the base. When next to nothing else is left the base
// has to learn from them after all.
func (e *engine) maskEvents() {
	ordinary, seen := 0, 0
	for d := range e.x {
		for _, o := range e.occ {
			e.inEvent[d] = e.inEvent[d] || o.inside(d)
		}
		if !math.IsNaN(e.x[d]) {
			seen++
			ordinary += int(indicator(!e.inEvent[d]))
		}
	}
	if seen > 0 && ordinary*5 < seen && ordinary < 28 {
		clear(e.inEvent)
		e.doubt("nearly all of the history lies inside events; the base level had to be learned from them")
		return
	}
	for d := range e.weight {
		for _, o := range e.occ {
			if o.covers(d) {
				e.weight[d] *= 0.25
				break
			}
		}
		if e.inEvent[d] {
			e.weight[d] = 0
		}
	}
}

// estimateNoise sets s2 from the middle half of week-to-week changes, which a level shift, a
// season or an outlier hardly touches, and a first level from the first four weeks.
func (e *engine) estimateNoise() {
	var changes []float64
	for d := 7; d < len(e.x); d++ {
		if e.weight[d] > 0.5 && e.weight[d-7] > 0.5 {
			changes = append(changes, math.Abs(e.x[d]-e.x[d-7]))
		}
	}
	e.noise = 0.04
	if m, ok := median(changes); ok && len(changes) >= 7 {
		sd := 1.4826 * m / math.Sqrt2
		e.noise = max(sd*sd, 1e-4)
	}
	var early []float64
	for _, x := range e.x {
		if !math.IsNaN(x) && len(early) < 28 {
			early = append(early, x)
		}
	}
	e.firstLevel, _ = median(early)
}

// smearing corrects the log model to the mean (Duan, JASA 78, 1983): actual over predicted day
// totals, one day ahead, over the last half year, shrunk towards one.
func (e *engine) smearing() float64 {
	var actual, predicted, n float64
	for d := max(min(14, len(e.x)/2), len(e.x)-182); d < len(e.x); d++ {
		if e.weight[d] > 0.5 {
			expected := math.Exp(e.fit.oneDay[d])
			actual += min(e.total[d], expected*math.Exp(e.outlierLimit()))
			predicted += expected
			n++
		}
	}
	if predicted == 0 {
		return 1
	}
	if e.allZero() {
		return 0
	}
	const pseudo = 7
	mean := predicted / n
	return min(max((actual+pseudo*mean)/(predicted+pseudo*mean), 0.1), 3)
}

// asleep reports a series that has had no record for four weeks while the data are known to be
// complete: its queue was closed or moved, and its forecast is zero until a record comes.
func (e *engine) asleep() bool {
	known := e.opt.Complete
	if known.After(e.opt.Origin) {
		known = e.opt.Origin
	}
	if e.gone > 0 {
		e.doubt("no contacts for the last %d days while other series have them, and never so long before: taken as ended, the forecast is zero", e.gone)
		return true
	}
	silent := known.Sub(e.g.lastRecord())
	if known.IsZero() || silent < 28*24*time.Hour {
		return false
	}
	e.doubt("no record for the last %d days while other series have them: taken as asleep, the forecast is zero", int(silent.Hours()/24))
	return true
}

// outlierLimit is the log error beyond which a day is unexplained.
func (e *engine) outlierLimit() float64 { return 6 * math.Sqrt(e.noise+0.01) }

// outlier reports an ordinary day that the model cannot explain at all.
func (e *engine) outlier(d int) bool {
	return e.weight[d] > 0 && math.Abs(e.x[d]-e.fit.oneDay[d]) > e.outlierLimit()
}

// allZero reports that the whole history is zero.
func (e *engine) allZero() bool {
	for _, v := range e.total {
		if v > 0 {
			return false
		}
	}
	return true
}

func (e *engine) doubt(format string, args ...any) {
	e.doubts = append(e.doubts, fmt.Sprintf(format, args...))
}
