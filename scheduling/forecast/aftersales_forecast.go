package forecast

import (
	"fmt"
	"math"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling"
)

// OrderDay is the orders of one day: known (Deviation 0) or forecast.
type OrderDay struct {
	Mean      float64 `json:"mean"`
	Deviation float64 `json:"deviation"` // standard deviation of the forecast; 0 = these orders were counted
}

// LagPlan asks for after-sales contacts.
type LagPlan struct {
	First  calendar.Date // day of Orders[0]
	Orders []OrderDay    // known days, then forecast ones; should reach MaxLag days before From
	From   calendar.Date
	Days   int       // from From on; all must be covered by Orders
	Levels []float64 // nil = DefaultLevels
}

// AfterSalesForecast is contacts per tag and day, and their sum with quantiles of its own.
type AfterSalesForecast struct {
	Levels []float64     `json:"levels"`
	Tags   []TagForecast `json:"tags"`
	Total  TagForecast   `json:"total"` // tag "": all tags together
	Doubts []string      `json:"doubts"`
}

// TagForecast is the contacts of one tag.
type TagForecast struct {
	Tag        string    `json:"tag"`
	Levels     []float64 `json:"levels"`
	Days       []LagDay  `json:"days"`
	Dispersion float64   `json:"dispersion"` // count noise, for slots
}

// LagDay is one day's contacts.
type LagDay struct {
	Date      calendar.Date `json:"date"`
	Mean      float64       `json:"mean"`
	Known     float64       `json:"known"` // part of Mean that follows orders already counted
	Deviation float64       `json:"deviation"`
	Quantiles []float64     `json:"quantiles"` // one per level, ascending, never negative
}

// orderCorrelation is how much the errors of forecast orders of different days go together: a sale
// that sells more than planned does so on most of its days. A belief.
const orderCorrelation = 0.5

// OrdersFromForecast turns day totals of an order forecast (Result.Days) into days of a plan; the
// deviation is the width between the outermost levels in normal deviations.
func OrdersFromForecast(days []scheduling.Point, levels []float64) []OrderDay {
	out := make([]OrderDay, len(days))
	for i, p := range days {
		out[i].Mean = p.Mean
		if n := len(levels); n > 1 && len(p.Quantiles) == n {
			width := distuv.UnitNormal.Quantile(levels[n-1]) - distuv.UnitNormal.Quantile(levels[0])
			out[i].Deviation = max((p.Quantiles[n-1]-p.Quantiles[0])/width, 1e-9)
		} else {
			out[i].Deviation = max(0.3*p.Mean, 1e-9) // no quantiles: a sale unlike any before
		}
	}
	return out
}

// Forecast applies the kernels to orders. Errors: "forecast.aftersales" with every bad field.
func (m LagModel) Forecast(p LagPlan) (AfterSalesForecast, error) {
	if p.Levels == nil {
		p.Levels = DefaultLevels()
	}
	if err := m.check(p); err != nil {
		return AfterSalesForecast{}, err
	}
	mean, deviation, missing := p.window(m.MaxLag)
	out := AfterSalesForecast{Levels: p.Levels, Total: TagForecast{Levels: p.Levels, Dispersion: 1}, Doubts: []string{}}
	if missing > 0 {
		out.Doubts = append(out.Doubts, fmt.Sprintf("%d of the %d days before %s have no orders in the plan; the mean of its first four weeks stands for them", missing, m.MaxLag, p.From))
	}
	total := make([]lagMoments, p.Days)
	for _, k := range m.Kernels {
		t := TagForecast{Tag: k.Tag, Levels: p.Levels, Dispersion: k.Dispersion}
		for d := range p.Days {
			moments := k.moments(mean[d:d+m.MaxLag+1], deviation[d:d+m.MaxLag+1])
			total[d].add(moments)
			t.Days = append(t.Days, moments.day(p.From.Add(d), p.Levels))
		}
		out.Tags = append(out.Tags, t)
		out.Doubts = append(out.Doubts, k.Doubts...)
	}
	for d, moments := range total {
		out.Total.Days = append(out.Total.Days, moments.day(p.From.Add(d), p.Levels))
	}
	var noise, sum float64
	for i, k := range m.Kernels {
		for _, day := range out.Tags[i].Days {
			noise += k.Dispersion * day.Mean
			sum += day.Mean
		}
	}
	if sum > 0 {
		out.Total.Dispersion = noise / sum
	}
	return out, nil
}

func (m LagModel) check(p LagPlan) error {
	var bad []fault.Field
	report := func(path string, value any, problem string) {
		if len(bad) < 10 {
			bad = append(bad, fault.Field{Path: path, Value: fmt.Sprint(value), Problem: problem})
		}
	}
	if m.MaxLag < minLagLimit || m.MaxLag > maxLagLimit {
		report("max_lag", m.MaxLag, "must be 30 to 90 days")
	}
	for i, k := range m.Kernels {
		if len(k.Shares) != m.MaxLag+1 || len(k.Covariance) != len(k.Shares)*len(k.Shares) {
			report(fmt.Sprintf("kernels[%d]", i), k.Tag, "must have one share per lag from 0 on, and their covariance")
		}
	}
	if p.First.IsZero() || p.From.IsZero() || len(p.Orders) == 0 {
		report("orders", len(p.Orders), "needs a first day, a day to start from and orders")
	}
	if p.Days < 1 || p.Days > int(MaxHorizon/(24*time.Hour)) {
		report("days", p.Days, "must be 1 to 448")
	}
	if p.From.Before(p.First) || p.From.Sub(p.First)+p.Days > len(p.Orders) {
		report("from", p.From, "every day asked for must have orders, known or forecast")
	}
	for i, d := range p.Orders {
		if !(d.Mean >= 0 && d.Mean <= maxDaily && d.Deviation >= 0 && d.Deviation <= maxDaily) {
			report(fmt.Sprintf("orders[%d]", i), d, "mean and deviation must be numbers from 0 to 1e12")
		}
	}
	for i, q := range p.Levels {
		if !(q > 0 && q < 1) || i > 0 && q <= p.Levels[i-1] {
			report(fmt.Sprintf("levels[%d]", i), q, "must lie between 0 and 1 and be above the level before it")
		}
	}
	return fault.Bad("forecast.aftersales", "after-sales plan", bad)
}

// window is the orders from MaxLag days before From to the last day; missing counts days made up.
func (p LagPlan) window(maxLag int) (mean, deviation []float64, missing int) {
	start := p.From.Sub(p.First) - maxLag
	var early, n float64
	for _, o := range p.Orders[:min(28, len(p.Orders))] {
		early += o.Mean
		n++
	}
	for i := start; i < start+maxLag+p.Days; i++ {
		if i < 0 {
			missing++
			mean, deviation = append(mean, early/n), append(deviation, max(0.3*early/n, 1e-9))
			continue
		}
		mean, deviation = append(mean, p.Orders[i].Mean), append(deviation, p.Orders[i].Deviation)
	}
	return mean, deviation, missing
}

// lagMoments are the mean of a day and the parts of its variance.
type lagMoments struct {
	mean, known float64
	own         float64 // variance of this tag alone: counts, the day, the kernel, unlinked order errors
	shared      float64 // standard deviation from order errors that go together, also over tags
}

func (a *lagMoments) add(b lagMoments) {
	a.mean += b.mean
	a.known += b.known
	a.own += b.own
	a.shared += b.shared
}

// moments of the day that the window ends on.
func (k LagKernel) moments(mean, deviation []float64) lagMoments {
	last := len(k.Shares) - 1
	var m lagMoments
	var unlinked float64
	orders := make([]float64, len(k.Shares))
	for lag, p := range k.Shares {
		orders[lag] = mean[last-lag]
		m.mean += p * orders[lag]
		if deviation[last-lag] == 0 {
			m.known += p * orders[lag]
		}
		sd := p * deviation[last-lag]
		unlinked += sd * sd
		m.shared += sd
	}
	var kernel float64
	for i, x := range orders {
		kernel += x * product(k.Covariance[i*len(orders):(i+1)*len(orders)], orders)
	}
	m.own = k.Dispersion*m.mean + k.Relative*k.Relative*m.mean*m.mean + max(kernel, 0) + (1-orderCorrelation)*unlinked
	m.shared *= math.Sqrt(orderCorrelation)
	return m
}

func (a lagMoments) day(date calendar.Date, levels []float64) LagDay {
	variance := a.own + a.shared*a.shared
	return LagDay{Date: date, Mean: a.mean, Known: a.known, Deviation: math.Sqrt(variance), Quantiles: countLevels(a.mean, variance, levels)}
}

// countLevels are the quantiles of a count of the given mean and variance, as of any slot or day.
func countLevels(mean, variance float64, levels []float64) []float64 {
	s := spread{counts: true}
	return s.invert(mean, variance, levels)
}

// Curve splits each day over the slots of an ordinary day of the queue: ordinary is a forecast of the
// queue without events, whose points of that day give the shares. Days on which it has no points have
// no open slot; they are left out and named in closed.
func (t TagForecast) Curve(ordinary scheduling.Curve, loc *time.Location) (c scheduling.Curve, closed []calendar.Date) {
	c = scheduling.Curve{Queue: ordinary.Queue, Slot: ordinary.Slot, Levels: t.Levels}
	loc = zoneOf(loc)
	byDay := map[calendar.Date][]scheduling.Point{}
	sums := map[calendar.Date]float64{}
	for _, p := range ordinary.Points {
		date := calendar.DateOf(p.Start, loc)
		byDay[date] = append(byDay[date], p)
		sums[date] += p.Mean
	}
	for _, d := range t.Days {
		points := byDay[d.Date]
		if len(points) == 0 {
			closed = append(closed, d.Date)
			continue
		}
		var relative float64
		if d.Mean > 0 {
			relative = max(0, d.Deviation*d.Deviation-t.Dispersion*d.Mean) / (d.Mean * d.Mean)
		}
		for _, p := range points {
			share := 1 / float64(len(points))
			if sums[d.Date] > 0 {
				share = p.Mean / sums[d.Date]
			}
			mean := d.Mean * share
			c.Points = append(c.Points, scheduling.Point{
				Start: p.Start, Mean: mean, HandleTime: p.HandleTime,
				Quantiles: countLevels(mean, t.Dispersion*mean+relative*mean*mean, t.Levels),
			})
		}
	}
	return c, closed
}
