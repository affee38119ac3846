package forecast

import (
	"fmt"
	"math"
	"slices"

	"github.com/chaoban/chaoban/internal/calendar"
)

// Days that differ every year on the same date (25 December, New Year, a founder's day) are
// found in the history itself, so that a queue without a holiday table has its fixed holidays
// too. A date is believed when every past year missed in the same direction and the misses
// together lie anniversaryLimit standard errors from nothing, one more when there are only two
// years: of 366 dates chance passes that in one history of forty, and errors of one week hang
// together.
const (
	anniversaryLimit = 4.0
	anniversaryPrior = 0.4 // standard deviation of such an effect, in log units
	anniversaryYears = 2
)

// anniversary is a calendar date with an effect of its own.
type anniversary struct{ month, day int }

// findAnniversaries looks through the one-day-ahead errors of a first fit.
func (e *engine) findAnniversaries() []anniversary {
	if e.g.lastDay() < anniversaryYears*365 {
		return nil
	}
	fit := e.filter(startHyper)
	var errs []float64
	for d := range e.x {
		errs = append(errs, e.surprise(fit, d))
	}
	spreads := slices.Clone(errs)
	for i := range spreads {
		spreads[i] = math.Abs(spreads[i])
	}
	mad, ok := median(spreads)
	if !ok || mad == 0 {
		return nil
	}
	sum, count, sign := map[anniversary]float64{}, map[anniversary]int{}, map[anniversary]int{}
	var order []anniversary
	for d, v := range errs {
		date := e.g.date(d)
		a := anniversary{int(date.Month), date.Day}
		if math.IsNaN(v) {
			continue
		}
		if count[a] == 0 {
			order = append(order, a)
		}
		sum[a] += v
		count[a]++
		sign[a] += int(indicator(v > 0))
	}
	var found []anniversary
	for _, a := range order {
		n := count[a]
		z := sum[a] / (1.4826 * mad * math.Sqrt(float64(n)))
		if n >= anniversaryYears && (sign[a] == 0 || sign[a] == n) && math.Abs(z) > anniversaryLimit+indicator(n == 2) {
			found = append(found, a)
		}
	}
	return found
}

// surprise is the error of a fit on an ordinary day after the burn-in; NaN on all others.
func (e *engine) surprise(fit *dayFit, d int) float64 {
	if d < 56 || math.IsNaN(e.x[d]) || e.weight[d] < 0.5 {
		return math.NaN()
	}
	if kind := e.opt.Holidays.Kind(e.g.date(d)); kind != calendar.Workday && kind != calendar.RestDay {
		return math.NaN()
	}
	return e.x[d] - fit.oneDay[d]
}

// anniversaryFeatures are the columns of the dates found.
func (e *engine) anniversaryFeatures() []feature {
	var f []feature
	for _, a := range e.anniversaries {
		name := fmt.Sprintf("every year on %02d-%02d", a.month, a.day)
		f = append(f, feature{name, anniversaryPrior, 0, func(d int) float64 {
			date := e.g.date(d)
			return indicator(int(date.Month) == a.month && date.Day == a.day)
		}})
	}
	return f
}
