package forecast

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/chaoban/chaoban/internal/fault"
)

// lagFit is the regression of one tag: minimise over p >= 0
//
//	sum_t w_t (c_t - sum_k o_{t-k} p_k)^2
//	+ shrink sum_k ((p_k - p0_k)/v_k)^2 + smooth sum_k (second difference of (p - p0)/v at k)^2
//
// with w_t = cover^2/(phi mu_t), p0 the prior's shape times the mass that the sums of the history
// give, and v_k = p0 blurred over four days either way + a quarter of its mean: a lag the prior
// expects, or one near it, may be off by its own size, one it does not expect by a little. shrink
// and smooth are chosen by leaving out blocks of days.
type lagFit struct {
	rows  []lagRow
	lags  int
	p0, v []float64
	phi   float64
}

type lagRow struct {
	contacts float64
	cover    float64   // share of the prior's kernel that falls on recorded orders
	orders   []float64 // of this day and the days before it: orders[k] = k days ago
	mean     float64   // working mean for the weight
}

const (
	lagBlocks  = 5
	fewestDays = 30  // usable days before the strengths are chosen by the data
	leastCover = 0.5 // a day whose kernel falls mostly on unrecorded orders teaches nothing
	thinLimit  = 0.15
	massFloor  = 1e-9
	blurDays   = 4     // by which a prior's timing may be off
	mustWin    = 0.002 // by which a weaker penalty must be better
	beliefPhi  = 1.5   // dispersion before residuals are there
	scaleDoubt = 0.1   // relative spread of a day before residuals are there
)

// strength is how much the prior and smoothness weigh. 1 = the prior is off by about its own size.
type strength struct{ shrink, smooth float64 }

var (
	beliefStrength = strength{1, 1}
	shrinkGrid     = []float64{100, 10, 1, 0.1, 0.01} // strongest first
	smoothGrid     = []float64{100, 10, 1, 0.1}
)

func fitKernel(t TagHistory, orders []float64, known []bool, prior LagPrior, maxLag int) (LagKernel, error) {
	f := &lagFit{lags: maxLag + 1, phi: beliefPhi}
	f.collect(t, orders, known, prior.Shape)
	k := LagKernel{Tag: t.Tag, Prior: prior.Source, Days: len(f.rows), Doubts: []string{}}
	mass, err := f.mass(t.Tag, prior)
	if err != nil {
		return k, err
	}
	f.p0, f.v = make([]float64, f.lags), make([]float64, f.lags)
	near := blurred(prior.Shape)
	for i, s := range prior.Shape {
		f.p0[i] = mass * s
		f.v[i] = mass * (near[i] + 0.25/float64(f.lags))
	}
	best := beliefStrength
	errors := f.weigh(f.p0)
	if len(f.rows) >= fewestDays {
		for range 2 { // weights and dispersion depend on the fit
			best, errors = f.choose()
			f.phi = max(1, f.dispersion(errors))
			f.weigh(f.solve(f.normal(-1), best))
		}
	}
	n := f.normal(-1)
	k.Shares = f.solve(n, best)
	k.Dispersion, k.Relative = f.spread(errors)
	k.Covariance, k.Information = f.posterior(n, best)
	for _, p := range k.Shares {
		k.Mass += p
	}
	for _, r := range f.rows {
		k.Contacts += r.contacts
	}
	k.doubt()
	return k, nil
}

// blurred spreads a shape over the lags within blurDays: the prior's timing may be off by that much.
func blurred(shape []float64) []float64 {
	out := make([]float64, len(shape))
	for k := range out {
		var sum, weight float64
		for j := max(0, k-blurDays); j <= min(len(shape)-1, k+blurDays); j++ {
			w := float64(blurDays + 1 - max(j-k, k-j))
			sum += w * shape[j]
			weight += w
		}
		out[k] = sum / weight
	}
	return out
}

// collect keeps the days that have contacts and enough recorded orders behind them.
func (f *lagFit) collect(t TagHistory, orders []float64, known []bool, shape []float64) {
	lead := f.lags - 1
	for d, c := range t.Contacts {
		if math.IsNaN(c) {
			continue
		}
		r := lagRow{contacts: c, orders: make([]float64, f.lags)}
		for k := range f.lags {
			r.orders[k] = orders[lead+d-k]
			r.cover += shape[k] * indicator(known[lead+d-k])
		}
		if r.cover >= leastCover {
			f.rows = append(f.rows, r)
		}
	}
}

// mass is contacts per order under the prior's shape, with the prior's mass as a few contacts.
func (f *lagFit) mass(tag string, prior LagPrior) (float64, error) {
	var contacts, exposure float64
	for _, r := range f.rows {
		contacts += r.contacts
		exposure += product(r.orders, prior.Shape)
	}
	if prior.Mass > 0 {
		contacts += massContacts
		exposure += massContacts / prior.Mass
	}
	if exposure <= 0 {
		return 0, fault.New(fault.Invalid, "forecast.no_history", "nothing tells how many contacts of tag %s an order brings (每单咨询量): no day so far has them on record together with orders; record both, or say how many", fault.Shorten(tag))
	}
	return max((contacts+0.5*indicator(contacts == 0))/exposure, massFloor), nil
}

func product(a, b []float64) float64 {
	var s float64
	for i, x := range a {
		s += x * b[i]
	}
	return s
}

// weigh sets the working means from a kernel and returns the errors it makes.
func (f *lagFit) weigh(p []float64) []float64 {
	errors := make([]float64, len(f.rows))
	for i := range f.rows {
		r := &f.rows[i]
		fitted := product(r.orders, p)
		r.mean = max(fitted, 0.5)
		errors[i] = r.contacts - fitted
	}
	return errors
}

// normalEquations are X'WX and X'Wc.
type normalEquations struct {
	a []float64
	b []float64
}

// block of a row, for leaving out contiguous stretches of days.
func (f *lagFit) block(i int) int { return i * lagBlocks / len(f.rows) }

// normal sums over all rows outside a block; block -1 leaves nothing out.
func (f *lagFit) normal(without int) normalEquations {
	n := normalEquations{make([]float64, f.lags*f.lags), make([]float64, f.lags)}
	for i, r := range f.rows {
		if f.block(i) == without {
			continue
		}
		w := r.cover * r.cover / (f.phi * r.mean)
		for j, x := range r.orders {
			wx := w * x
			n.b[j] += wx * r.contacts
			row := n.a[j*f.lags : (j+1)*f.lags]
			for k, y := range r.orders[:j+1] {
				row[k] += wx * y
			}
		}
	}
	for j := range f.lags {
		for k := range j {
			n.a[k*f.lags+j] = n.a[j*f.lags+k]
		}
	}
	return n
}

// penalty is the precision of the prior: second differences are taken of (p - p0)/v.
func (f *lagFit) penalty(s strength) []float64 {
	q := make([]float64, f.lags*f.lags)
	for k := range f.lags {
		q[k*f.lags+k] += s.shrink / (f.v[k] * f.v[k])
	}
	for k := 1; k+1 < f.lags; k++ {
		d := map[int]float64{k - 1: 1 / f.v[k-1], k: -2 / f.v[k], k + 1: 1 / f.v[k+1]}
		for i := k - 1; i <= k+1; i++ {
			for j := k - 1; j <= k+1; j++ {
				q[i*f.lags+j] += s.smooth * d[i] * d[j]
			}
		}
	}
	return q
}

// solve minimises by sequential coordinate-wise descent (Franc, Hlavac and Navara, CAIP 2005), in
// units of v so that all coordinates are of one size. Strictly convex, so the end does not depend on
// the order of steps.
func (f *lagFit) solve(n normalEquations, s strength) []float64 {
	size := f.lags
	q := f.penalty(s)
	g, b := make([]float64, size*size), make([]float64, size)
	for i := range size {
		b[i] = n.b[i] + product(q[i*size:(i+1)*size], f.p0)
		b[i] *= f.v[i]
		for j := range size {
			g[i*size+j] = (n.a[i*size+j] + q[i*size+j]) * f.v[i] * f.v[j]
		}
	}
	x, gradient := make([]float64, size), make([]float64, size)
	for i := range size {
		x[i] = f.p0[i] / f.v[i]
	}
	for i := range size {
		gradient[i] = product(g[i*size:(i+1)*size], x) - b[i]
	}
	for range 2000 {
		var most float64
		for i := range size {
			next := max(0, x[i]-gradient[i]/g[i*size+i])
			step := next - x[i]
			if step == 0 {
				continue
			}
			x[i] = next
			for j := range size {
				gradient[j] += step * g[i*size+j]
			}
			most = max(most, math.Abs(step))
		}
		if most < 1e-10 {
			break
		}
	}
	for i := range x {
		x[i] *= f.v[i]
	}
	return x
}

// choose takes the strengths with the least error on left-out blocks, and those errors.
func (f *lagFit) choose() (best strength, errors []float64) {
	folds := make([]normalEquations, lagBlocks)
	for b := range folds {
		folds[b] = f.normal(b)
	}
	least := math.Inf(1)
	for _, shrink := range shrinkGrid {
		for _, smooth := range smoothGrid {
			s := strength{shrink, shrink * smooth}
			made := make([]float64, len(f.rows))
			kernels := make([][]float64, lagBlocks)
			var loss float64
			for i, r := range f.rows {
				b := f.block(i)
				if kernels[b] == nil {
					kernels[b] = f.solve(folds[b], s)
				}
				made[i] = r.contacts - product(r.orders, kernels[b])
				loss += made[i] * made[i] / r.mean
			}
			if loss < least*(1-mustWin) {
				best, errors, least = s, made, loss
			}
		}
	}
	return best, errors
}

// dispersion is the mean squared error over the mean; an error beyond five deviations counts as five.
func (f *lagFit) dispersion(errors []float64) float64 {
	sum, n := beliefPhi*10, 10.0
	for i, e := range errors {
		sum += min(e*e/f.rows[i].mean, 25*f.phi)
		n++
	}
	return sum / n
}

// spread splits the squared errors into phi mean + relative^2 mean^2, mixed with ten days of belief.
func (f *lagFit) spread(errors []float64) (phi, relative float64) {
	var a11, a12, a22, b1, b2 float64
	for i, e := range errors {
		m := f.rows[i].mean
		w := 1 / (f.phi*m + 0.01*m*m)
		square := min(e*e, 25*(f.phi*m+0.04*m*m))
		a11 += w * w * m * m
		a12 += w * w * m * m * m
		a22 += w * w * m * m * m * m
		b1 += w * w * m * square
		b2 += w * w * m * m * square
	}
	n := float64(len(errors))
	squared := scaleDoubt * scaleDoubt
	if a11 > 0 && a22 > 0 {
		phi, squared = solveNonNegative(a11, a12, a22, b1, b2)
	}
	phi = (n*phi + 10*beliefPhi) / (n + 10)
	squared = (n*min(squared, 4) + 10*scaleDoubt*scaleDoubt) / (n + 10)
	return max(1, phi), math.Sqrt(squared)
}

// posterior is the covariance of the kernel as if it could be negative, which is a little too wide,
// and the share of its shape that the data decide: 1 - trace(G^-1 Q)/lags.
func (f *lagFit) posterior(n normalEquations, s strength) (covariance []float64, information float64) {
	size := f.lags
	q := f.penalty(s)
	g, scaled := mat.NewSymDense(size, nil), mat.NewSymDense(size, nil)
	for i := range size {
		for j := i; j < size; j++ {
			scaled.SetSym(i, j, q[i*size+j]*f.v[i]*f.v[j])
			g.SetSym(i, j, (n.a[i*size+j]+q[i*size+j])*f.v[i]*f.v[j])
		}
	}
	covariance = make([]float64, size*size)
	var chol mat.Cholesky
	inverse := mat.NewSymDense(size, nil)
	if !chol.Factorize(g) || chol.InverseTo(inverse) != nil {
		for i := range size { // too ill-conditioned to say: the prior's own doubt
			covariance[i*size+i] = f.v[i] * f.v[i] / s.shrink
		}
		return covariance, 0
	}
	var trace float64
	for i := range size {
		for j := range size {
			trace += inverse.At(i, j) * scaled.At(i, j)
			covariance[i*size+j] = inverse.At(i, j) * f.v[i] * f.v[j]
		}
	}
	return covariance, min(max(1-trace/float64(size), 0), 1)
}

// doubt says in plain sentences what the kernel rests on.
func (k *LagKernel) doubt() {
	switch {
	case k.Days == 0:
		k.Doubts = append(k.Doubts, fmt.Sprintf("%s: no history; when contacts follow an order and how many is assumed (%s)", k.Tag, k.Prior))
	case k.Days < fewestDays || k.Information < thinLimit:
		k.Doubts = append(k.Doubts, fmt.Sprintf("%s: %d usable days with %.0f contacts are too few to learn when contacts follow an order; when is assumed (%s), only how many comes from the history", k.Tag, k.Days, k.Contacts, k.Prior))
	}
	if k.Days > 0 && k.Contacts == 0 {
		k.Doubts = append(k.Doubts, fmt.Sprintf("%s: not one contact in %s", k.Tag, inDays(k.Days)))
	}
}
