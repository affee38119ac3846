package forecast

import (
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

// DriftDays is the length of the windows that drift is looked for in: two weeks, so that every
// weekday counts twice.
const DriftDays = 14

// Window is how a forecast did over days in a row, by day totals.
type Window struct {
	From    calendar.Date `json:"from"`
	Days    int           `json:"days"`
	Score   Score         `json:"score"`
	Outside int           `json:"outside"` // days outside the outer quantiles
	Banded  int           `json:"banded"`  // days that had quantiles
	Nominal float64       `json:"nominal"` // share of days that should lie outside
}

// NewWindow scores the day totals of one forecast against the actuals by day; ok is false when
// fewer than DriftDays days have both.
func NewWindow(levels []float64, days []scheduling.Point, actual Series) (w Window, ok bool) {
	known := newActuals(actual, MissingClosed)
	tally := NewTally(levels)
	if n := len(levels); n > 1 {
		w.Nominal = 1 - (levels[n-1] - levels[0])
	}
	for _, d := range days {
		y, found := known.at(d.Start)
		if !found {
			continue
		}
		if w.Days == 0 {
			w.From = calendar.DateOf(d.Start, actual.zone())
		}
		w.Days++
		tally.Add(y, d.Mean, d.Quantiles)
		if n := len(d.Quantiles); n > 1 && n == len(levels) {
			w.Banded++
			if y < d.Quantiles[0] || y > d.Quantiles[n-1] {
				w.Outside++
			}
		}
		if w.Days == DriftDays {
			break
		}
	}
	w.Score = tally.Score(0)
	return w, w.Days == DriftDays
}

// Drift says whether a recent window is worse than earlier ones led to expect.
type Drift struct {
	Recent    Window         `json:"recent"`
	Reference int            `json:"reference"` // windows it was compared with
	Findings  []DriftMeasure `json:"findings"`  // empty = no drift
	Measures  []DriftMeasure `json:"measures"`  // all that was looked at
}

// DriftMeasure is one measure beside what was expected of it.
type DriftMeasure struct {
	Measure  string  `json:"measure"` // wape, bias or coverage
	Value    float64 `json:"value"`
	Expected float64 `json:"expected"`
	Low      float64 `json:"low"`  // values from Low
	High     float64 `json:"high"` // to High are ordinary
	Says     string  `json:"says"`
}

// The drift test. A window as good as the ones before raises a measure by chance once in 500.
const (
	driftChance     = 0.002
	leastReference  = 6    // windows; fewer say too little about how windows differ
	leastLogWAPE    = 0.20 // standard deviation that is granted to the log of a WAPE
	leastBias       = 0.02 // and to a bias
	wapeOffset      = 0.005
	unknownClusters = 2.0 // days outside come in pairs, for all we know without a reference
	mostClusters    = 4.0
)

// FindDrift compares a window with earlier ones of the same model, made the same way: the same
// lead times, the same number of days.
//
// WAPE and bias: the prediction interval of one more observation under a normal distribution with
// the mean and variance of the reference windows, m +- t s sqrt(1+1/n) with n-1 degrees of
// freedom (Hahn and Meeker, Statistical Intervals, 1991, section 4.7), the WAPE on its logarithm and to
// one side. Whole windows are compared, so errors of days that hang together do no harm. Coverage: the
// binomial probability of so many days outside the outer quantiles, at the share of the reference
// or the nominal one, whichever is larger, with days thinned by how much the reference windows
// differ more than a binomial (Pearson's dispersion). With fewer than six reference windows only
// coverage is tested, at the nominal share.
func FindDrift(reference []Window, recent Window) Drift {
	d := Drift{Recent: recent, Reference: len(reference), Findings: []DriftMeasure{}, Measures: []DriftMeasure{}}
	if len(reference) >= leastReference {
		d.wape(reference)
		d.bias(reference)
	}
	d.coverage(reference)
	for _, m := range d.Measures {
		if m.Value < m.Low || m.Value > m.High {
			d.Findings = append(d.Findings, m)
		}
	}
	return d
}

// interval is the mean and half width of the prediction interval of one more value.
func interval(values []float64, least, chance float64) (mean, half float64) {
	mean, sd := stat.MeanStdDev(values, nil)
	n := float64(len(values))
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(1 - chance)
	return mean, t * max(sd, least) * math.Sqrt(1+1/n)
}

func (d *Drift) wape(reference []Window) {
	var logs []float64
	for _, w := range reference {
		if w.Score.WAPE != nil {
			logs = append(logs, math.Log(*w.Score.WAPE+wapeOffset))
		}
	}
	if len(logs) < leastReference || d.Recent.Score.WAPE == nil {
		return
	}
	mean, half := interval(logs, leastLogWAPE, driftChance)
	m := DriftMeasure{Measure: "wape", Value: *d.Recent.Score.WAPE, Expected: max(0, math.Exp(mean)-wapeOffset), High: math.Exp(mean+half) - wapeOffset}
	m.Says = fmt.Sprintf("the day totals of the last %d days were off by %.1f %%; the back-test led to expect %.1f %%, at most %.1f %%",
		d.Recent.Days, 100*m.Value, 100*m.Expected, 100*m.High)
	d.Measures = append(d.Measures, m)
}

func (d *Drift) bias(reference []Window) {
	var biases []float64
	for _, w := range reference {
		if w.Score.Bias != nil {
			biases = append(biases, *w.Score.Bias)
		}
	}
	if len(biases) < leastReference || d.Recent.Score.Bias == nil {
		return
	}
	mean, half := interval(biases, leastBias, driftChance/2)
	m := DriftMeasure{Measure: "bias", Value: *d.Recent.Score.Bias, Expected: mean, Low: mean - half, High: mean + half}
	m.Says = fmt.Sprintf("the forecast of the last %d days was %.1f %% off in sum; the back-test led to expect %+.1f %%, between %+.1f %% and %+.1f %%",
		d.Recent.Days, 100*m.Value, 100*mean, 100*m.Low, 100*m.High)
	d.Measures = append(d.Measures, m)
}

func (d *Drift) coverage(reference []Window) {
	if d.Recent.Banded == 0 || d.Recent.Nominal <= 0 {
		return
	}
	share, clusters := d.Recent.Nominal, unknownClusters
	if len(reference) >= leastReference {
		share, clusters = outsideShare(reference, share)
	}
	thinned := float64(d.Recent.Banded) / clusters
	limit := d.Recent.Banded // as many days outside as are ordinary
	for k := d.Recent.Banded; k > 0 && atLeast(thinned, float64(k)/clusters, share) < driftChance; k-- {
		limit = k - 1
	}
	m := DriftMeasure{
		Measure: "coverage", Value: float64(d.Recent.Outside) / float64(d.Recent.Banded), Expected: share,
		High: float64(limit) / float64(d.Recent.Banded),
	}
	m.Says = fmt.Sprintf("%d of %d days lay outside the outer quantiles; %.0f %% of days were expected to, %d are ordinary",
		d.Recent.Outside, d.Recent.Banded, 100*share, limit)
	d.Measures = append(d.Measures, m)
}

// outsideShare is the share of reference days outside, at least the nominal one, and Pearson's
// dispersion of the windows around it.
func outsideShare(reference []Window, nominal float64) (share, clusters float64) {
	var outside, days float64
	for _, w := range reference {
		outside += float64(w.Outside)
		days += float64(w.Banded)
	}
	if days == 0 {
		return nominal, unknownClusters
	}
	share = min(max(nominal, outside/days), 0.95)
	var chi float64
	for _, w := range reference {
		if n := float64(w.Banded); n > 0 {
			gap := float64(w.Outside) - n*outside/days
			chi += gap * gap / (n * share * (1 - share))
		}
	}
	return share, min(max(1, chi/float64(len(reference)-1)), mostClusters)
}

// atLeast is the probability of k or more of n trials at a probability, for n and k that need not
// be whole: the regularised incomplete beta function (Abramowitz and Stegun 26.5.24).
func atLeast(n, k, p float64) float64 {
	if k <= 0 {
		return 1
	}
	if k > n {
		return 0
	}
	return distuv.Beta{Alpha: k, Beta: n - k + 1}.CDF(p)
}

// DailyActuals sums a history to days; a day without any record stays one.
func DailyActuals(s Series) Series {
	per := int(24 * time.Hour / s.Slot)
	days := Series{Queue: s.Queue, Slot: 24 * time.Hour, Location: s.Location, First: s.First, Until: wholeDays(s)}
	for from := 0; from < len(s.Values); from += per {
		sum := math.NaN()
		for _, v := range s.Values[from:min(from+per, len(s.Values))] {
			switch {
			case v != v:
			case sum != sum:
				sum = v
			default:
				sum += v
			}
		}
		days.Values = append(days.Values, sum)
	}
	return days
}

// wholeDays is the midnight up to which the days of a series are over. The last day is over when
// its last record is as late as in three of four earlier days.
func wholeDays(s Series) time.Time {
	zone := s.zone()
	day, k := wallSlot(s.End().Add(-s.Slot), s.Slot, zone)
	per := int(24 * time.Hour / s.Slot)
	var last []int // slots of the last records of the days before
	for d := range min(day-unixDay(s.First), len(s.Values)/per) {
		for i := per - 1; i >= 0; i-- {
			if v := s.Values[d*per+i]; v == v {
				last = append(last, i)
				break
			}
		}
	}
	slices.Sort(last)
	if len(last) > 0 && k < last[len(last)/4] {
		return wallInstant(day, 0, 24*time.Hour, zone)
	}
	return wallInstant(day+1, 0, 24*time.Hour, zone)
}
