package forecast

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling"
)

var lagStart = calendar.MakeDate(2025, time.March, 1)

// shopOrders is a shop with weekly rhythm, noise and a sale of five times the orders every 60 days.
func shopOrders(rng *rand.Rand, days int, level float64) []float64 {
	out := make([]float64, days)
	for d := range out {
		out[d] = level * (1 + 0.2*math.Sin(2*math.Pi*float64(d)/7)) * math.Exp(0.15*rng.NormFloat64())
		if d%60 >= 50 && d%60 < 54 {
			out[d] *= 5
		}
		out[d] = math.Round(out[d])
	}
	return out
}

// plantedKernel is contacts per order: an early hump and a later one.
func plantedKernel(mass float64, first, peak, last int) []float64 {
	k := make([]float64, 46)
	var sum float64
	for i, s := range peakShape(first, peak, last) {
		k[i] = s
		sum += s
	}
	for i := range k {
		k[i] *= mass / sum
	}
	return k
}

// asked draws contacts: Poisson around orders through the kernel (the first days see a run-up of the
// first day's orders).
func asked(rng *rand.Rand, orders, kernel []float64) []float64 {
	out := make([]float64, len(orders))
	for t := range out {
		mean := 0.0
		for k, p := range kernel {
			mean += p * orders[max(t-k, 0)]
		}
		for mean > 30 { // a sum of Poissons is a Poisson
			out[t] += float64(poisson(rng, 30))
			mean -= 30
		}
		out[t] += float64(poisson(rng, mean))
	}
	return out
}

func kernelDistance(a, b []float64) float64 {
	var d float64
	for i := range a {
		d += math.Abs(a[i] - b[i])
	}
	return d
}

func counted(orders []float64) []OrderDay {
	out := make([]OrderDay, len(orders))
	for i, v := range orders {
		out[i].Mean = v
	}
	return out
}

// The kernels planted here are not the priors: 催发货 comes a day later and lasts longer, returns peak
// on D+13 instead of D+10.
func TestLagKernelsArePlantedAndFound(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 22))
	truth := map[string][]float64{"催发货": plantedKernel(0.12, 2, 3, 9), "退换货": plantedKernel(0.08, 6, 13, 24)}
	orders := shopOrders(rng, 400, 800)
	h := LagHistory{First: lagStart, Orders: orders[:345]}
	contacts := map[string][]float64{}
	for _, tag := range []string{"催发货", "退换货"} {
		contacts[tag] = asked(rng, orders, truth[tag])
		h.Tags = append(h.Tags, TagHistory{tag, contacts[tag][:345]})
	}
	m, err := FitLags(h, LagOptions{})
	require.NoError(t, err)
	for _, k := range m.Kernels {
		prior := LagOptions{MaxLag: 45}.prior(k.Tag).Shape
		for i := range prior {
			prior[i] *= k.Mass
		}
		off, before := kernelDistance(k.Shares, truth[k.Tag]), kernelDistance(prior, truth[k.Tag])
		t.Logf("%s: off by %.3f of the mass (prior %.3f), mass %.4f, information %.2f, dispersion %.2f, relative %.3f", k.Tag, off/k.Mass, before/k.Mass, k.Mass, k.Information, k.Dispersion, k.Relative)
		assert.Less(t, off, 0.35*before, k.Tag)
		assert.InEpsilon(t, product(truth[k.Tag], ones(46)), k.Mass, 0.04, k.Tag)
		assert.Empty(t, k.Doubts)
	}

	// 345 lies before the sale of days 350 to 353: the orders of it are given, contacts follow.
	f, err := m.Forecast(LagPlan{First: lagStart, Orders: counted(orders), From: lagStart.Add(345), Days: 55, Levels: []float64{0.05, 0.5, 0.95}})
	require.NoError(t, err)
	var inside, n float64
	for _, tag := range f.Tags {
		var wrong, all float64
		for i, d := range tag.Days {
			actual := contacts[tag.Tag][345+i]
			wrong += math.Abs(actual - d.Mean)
			all += actual
			n++
			if actual >= d.Quantiles[0] && actual <= d.Quantiles[2] {
				inside++
			}
			assert.InDelta(t, d.Mean, d.Known, 1e-9, "all orders were counted")
		}
		t.Logf("%s WAPE %.3f", tag.Tag, wrong/all)
		assert.Less(t, wrong/all, 0.12)
	}
	assert.InDelta(t, 0.9, inside/n, 0.07)
	for i, d := range f.Total.Days {
		assert.InDelta(t, f.Tags[0].Days[i].Mean+f.Tags[1].Days[i].Mean, d.Mean, 1e-9)
	}
}

func ones(n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = 1
	}
	return v
}

func smallModel(t require.TestingT, seed uint64) LagModel {
	rng := rand.New(rand.NewPCG(seed, 1))
	orders := shopOrders(rng, 120, 200)
	m, err := FitLags(LagHistory{First: lagStart, Orders: orders, Tags: []TagHistory{{"催发货", asked(rng, orders, plantedKernel(0.1, 1, 2, 6))}}}, LagOptions{})
	require.NoError(t, err)
	return m
}

// One order becomes its mass of contacts, spread over the days after it, however long one waits.
func TestLagMassIsPreserved(t *testing.T) {
	m := smallModel(t, 31)
	orders := make([]OrderDay, 200)
	orders[60].Mean = 1000
	f, err := m.Forecast(LagPlan{First: lagStart, Orders: orders, From: lagStart.Add(60), Days: 100})
	require.NoError(t, err)
	var sum float64
	for _, d := range f.Tags[0].Days {
		sum += d.Mean
	}
	assert.InDelta(t, 1000*m.Kernels[0].Mass, sum, 1e-6)
	assert.Zero(t, f.Tags[0].Days[m.MaxLag+1].Mean, "nothing comes after the reach")
}

func TestLagForecastIsLinearInOrders(t *testing.T) {
	m := smallModel(t, 32)
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Float64Range(0, 5).Draw(t, "a"), rapid.Float64Range(0, 5).Draw(t, "b")
		x := rapid.SliceOfN(rapid.Float64Range(0, 1e5), 60, 60).Draw(t, "x")
		y := rapid.SliceOfN(rapid.Float64Range(0, 1e5), 60, 60).Draw(t, "y")
		means := func(orders []float64) []LagDay {
			f, err := m.Forecast(LagPlan{First: lagStart, Orders: counted(orders), From: lagStart.Add(50), Days: 10})
			require.NoError(t, err)
			return f.Tags[0].Days
		}
		both := make([]float64, 60)
		for i := range both {
			both[i] = a*x[i] + b*y[i]
		}
		one, two := means(x), means(y)
		for i, d := range means(both) {
			require.InDelta(t, a*one[i].Mean+b*two[i].Mean, d.Mean, 1e-6*(1+d.Mean))
		}
	})
}

// Twelve days can say how many ask, not when: the shape stays the prior's and Doubts says so.
func TestLagThinHistoryKeepsThePrior(t *testing.T) {
	rng := rand.New(rand.NewPCG(33, 1))
	orders := shopOrders(rng, 12, 50)
	m, err := FitLags(LagHistory{First: lagStart, Orders: orders, Tags: []TagHistory{{"催发货", asked(rng, orders, plantedKernel(0.1, 1, 3, 5))}}}, LagOptions{})
	require.NoError(t, err)
	k := m.Kernels[0]
	var late float64
	for _, p := range k.Shares[8:] {
		late += p
	}
	assert.Less(t, late, 0.2*k.Mass)
	require.NotEmpty(t, k.Doubts)
	assert.Contains(t, k.Doubts[0], "when is assumed")

	_, err = FitLags(LagHistory{First: lagStart, Orders: orders, Tags: []TagHistory{{Tag: "价保"}}}, LagOptions{})
	assert.Equal(t, "forecast.no_history", fault.CodeOf(err))
	prior := PriceProtectionPrior(30)
	prior.Mass = 0.02
	m, err = FitLags(LagHistory{First: lagStart, Orders: orders, Tags: []TagHistory{{Tag: "价保"}}}, LagOptions{Priors: []LagPrior{prior}})
	require.NoError(t, err)
	assert.InDelta(t, 0.02, m.Kernels[0].Mass, 1e-6, "the planner's contacts per order")
	assert.InDelta(t, 0.02/31, m.Kernels[0].Shares[7], 1e-6, "the same on each of 31 days")
	assert.Contains(t, m.Kernels[0].Doubts[0], "no history")
}

// Karush, Kuhn and Tucker: at the minimum the gradient is zero where p > 0 and not negative elsewhere.
func TestLagFitIsTheMinimum(t *testing.T) {
	rng := rand.New(rand.NewPCG(34, 1))
	orders := shopOrders(rng, 150, 100)
	filled, known := imputed(orders, 45)
	prior := LagOptions{MaxLag: 45}.prior("退换货")
	f := &lagFit{lags: 46, phi: 1.5}
	f.collect(TagHistory{"退换货", asked(rng, orders, plantedKernel(0.3, 0, 1, 3))}, filled, known, prior.Shape)
	f.p0, f.v = make([]float64, 46), make([]float64, 46)
	for i, s := range prior.Shape {
		f.p0[i], f.v[i] = 0.3*s, 0.3*(blurred(prior.Shape)[i]+0.25/46)
	}
	f.weigh(f.p0)
	s := strength{0.3, 0.3}
	n := f.normal(-1)
	p := f.solve(n, s)
	q := f.penalty(s)
	bound := 0
	for i := range p {
		gradient := -n.b[i]
		for j := range p {
			gradient += n.a[i*46+j]*p[j] + q[i*46+j]*(p[j]-f.p0[j])
		}
		gradient *= f.v[i]
		if p[i] > 0 {
			assert.InDelta(t, 0, gradient, 1e-5)
		} else {
			bound++
			assert.GreaterOrEqual(t, gradient, -1e-5)
		}
	}
	assert.Positive(t, bound, "a kernel that ends on D+3 against a prior that begins there: some lags are held at zero")
}

func TestLagForecastOrdersWidenTheBand(t *testing.T) {
	m := smallModel(t, 35)
	orders := make([]OrderDay, 80)
	for i := range orders {
		orders[i].Mean = 300
	}
	plan := LagPlan{First: lagStart, Orders: orders, From: lagStart.Add(60), Days: 20, Levels: []float64{0.1, 0.9}}
	sure, err := m.Forecast(plan)
	require.NoError(t, err)
	for i := 60; i < 80; i++ {
		orders[i].Deviation = 100
	}
	unsure, err := m.Forecast(plan)
	require.NoError(t, err)
	for i, d := range unsure.Total.Days {
		assert.InDelta(t, sure.Total.Days[i].Mean, d.Mean, 1e-9)
		if i > 3 {
			assert.Greater(t, d.Quantiles[1]-d.Quantiles[0], sure.Total.Days[i].Quantiles[1]-sure.Total.Days[i].Quantiles[0])
			assert.Less(t, d.Known, d.Mean)
		}
	}
	days := OrdersFromForecast([]scheduling.Point{{Mean: 100, Quantiles: []float64{100 - 12.815515655446004, 100, 100 + 12.815515655446004}}, {Mean: 5}}, []float64{0.1, 0.5, 0.9})
	assert.InDelta(t, 10, days[0].Deviation, 1e-9, "P10 and P90 of a normal lie 1.2816 deviations away")
	assert.Positive(t, days[1].Deviation, "a forecast is never sure")
}

func TestLagCurveSplitsTheDayByTheOrdinaryProfile(t *testing.T) {
	tag := TagForecast{Tag: "催发货", Levels: []float64{0.1, 0.9}, Dispersion: 1.2, Days: []LagDay{
		{Date: lagStart, Mean: 120, Deviation: 20}, {Date: lagStart.Add(1), Mean: 50, Deviation: 9},
	}}
	loc := time.FixedZone("UTC+8", 8*3600)
	ordinary := scheduling.Curve{Slot: time.Hour}
	for k := range 3 {
		ordinary.Points = append(ordinary.Points, scheduling.Point{Start: lagStart.In(loc).Add(time.Duration(k) * time.Hour), Mean: float64(k + 1)})
	}
	c, closed := tag.Curve(ordinary, loc)
	require.NoError(t, c.Validate())
	require.Len(t, c.Points, 3)
	assert.InDelta(t, 20, c.Points[0].Mean, 1e-9, "1 of 6")
	assert.InDelta(t, 60, c.Points[2].Mean, 1e-9, "3 of 6")
	assert.Equal(t, []calendar.Date{lagStart.Add(1)}, closed)
}

func TestLagsSayEveryBadField(t *testing.T) {
	_, err := FitLags(LagHistory{Orders: []float64{1, -1}, Tags: []TagHistory{{"", []float64{1, 2, math.Inf(1)}}}}, LagOptions{MaxLag: 10, Priors: []LagPrior{{Tag: "x", Mass: -1}}})
	assert.Equal(t, "forecast.aftersales", fault.CodeOf(err))
	assert.Len(t, fault.Of(err).Fields, 8)
	_, err = smallModel(t, 36).Forecast(LagPlan{First: lagStart, Orders: []OrderDay{{Mean: math.NaN()}}, From: lagStart.Add(-1), Levels: []float64{2}})
	assert.Len(t, fault.Of(err).Fields, 4)
}

func TestLagsAreAlwaysSane(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.Just(0.0), rapid.Just(math.NaN()), rapid.Just(maxDaily), rapid.Float64Range(0, 1e4))
		orders := rapid.SliceOfN(value, 1, 120).Draw(t, "orders")
		contacts := rapid.SliceOfN(value, 0, len(orders)).Draw(t, "contacts")
		prior := PriceProtectionPrior(rapid.IntRange(-1, 200).Draw(t, "window"))
		prior.Mass = 0.1
		o := LagOptions{Priors: []LagPrior{prior}, MaxLag: rapid.SampledFrom([]int{30, 45, 90}).Draw(t, "reach")}
		h := LagHistory{First: lagStart, Orders: orders, Tags: []TagHistory{{"价保", contacts}}}
		m, err := FitLags(h, o)
		require.NoError(t, err)
		for _, p := range m.Kernels[0].Shares {
			require.True(t, p >= 0 && !math.IsInf(p, 0), "share %v", p)
		}
		text, err := json.Marshal(m)
		require.NoError(t, err)
		var back LagModel
		require.NoError(t, json.Unmarshal(text, &back))
		again, err := FitLags(h, o)
		require.NoError(t, err)
		other, err := json.Marshal(again)
		require.NoError(t, err)
		require.Equal(t, string(text), string(other))

		days := rapid.IntRange(1, 40).Draw(t, "days")
		plan := LagPlan{First: lagStart, From: lagStart.Add(rapid.IntRange(0, 60).Draw(t, "from")), Days: days, Levels: []float64{0.01, 0.5, 0.99}}
		for range 100 {
			plan.Orders = append(plan.Orders, OrderDay{rapid.SampledFrom([]float64{0, 1, 1e5, maxDaily}).Draw(t, "mean"), rapid.SampledFrom([]float64{0, 1, 1e7}).Draw(t, "sd")})
		}
		f, err := back.Forecast(plan)
		require.NoError(t, err)
		require.Len(t, f.Total.Days, days)
		for _, d := range append(f.Tags[0].Days, f.Total.Days...) {
			sane(t, d.Quantiles, math.MaxFloat64, d.Mean)
			require.True(t, d.Known >= 0 && d.Known <= d.Mean*(1+1e-12)+1e-12)
			require.False(t, math.IsNaN(d.Deviation))
		}
	})
}
