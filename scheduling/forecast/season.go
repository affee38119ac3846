package forecast

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// seasonShape is how the split of a day over its hours moves through the year: summer evenings
// are longer, school runs stop. It is a Poisson regression of the contacts of an hour on smooth
// curves, hour of the day x season of the year, with the ordinary profile as offset:
//
//	log E[n(s,b)] = log e(s,b) + sum_jk g_jk F_k(b) G_j(s)      g_jk ~ N(0, (seasonPrior/(j k))^2)
//
// n and e are contacts seen and expected in hour b during fortnight s, F the harmonics of the
// day, G those of the year. The normal equations are divided by the dispersion of n around e,
// so that a big queue with wild hours is not believed like Poisson counts (quasi-likelihood,
// McCullagh and Nelder, Generalized Linear Models, 1989, ch. 9).
type seasonShape struct {
	firstDay int         // unix day number of day 0 of the grid
	perDay   int         // slots of a day
	factor   [][]float64 // per fortnight of the year: factor of each hour
}

const (
	seasonPrior   = 0.05 // a harmonic is believed to move an hour by 5 %
	seasonDays    = 300  // history that teaches it; as much again has to prove it
	yearHarmonics = 3
	dayHarmonics  = 4
	fortnights    = 26
	yearLength    = 365.2425
)

// shapeBlocks is the number of blocks the day is cut into: hours, or slots when they are longer.
func shapeBlocks(perDay int) int { return min(perDay, 24) }

// learnSeason fits the shape on the ordinary days [0, until); nil when there is too little.
func (e *engine) learnSeason(until int) *seasonShape {
	if until < seasonDays || e.g.perDay < 4 {
		return nil
	}
	blocks := shapeBlocks(e.g.perDay)
	seen, expected := make([]float64, fortnights*blocks), make([]float64, fortnights*blocks)
	e.countSeason(until, blocks, seen, expected)
	s := &seasonShape{firstDay: e.g.firstDay, perDay: e.g.perDay}
	coefficients, rows := fitSeason(blocks, seen, expected)
	if coefficients == nil {
		return nil
	}
	for f := range fortnights {
		factor := make([]float64, blocks)
		for b := range factor {
			factor[b] = math.Exp(dotDense(rows[f*blocks+b], coefficients))
		}
		s.factor = append(s.factor, factor)
	}
	return s
}

// countSeason adds up contacts and what the all-time profile of the class of day expects.
func (e *engine) countSeason(until, blocks int, seen, expected []float64) {
	p := newProfile(profileShape{halfLife: 1e6, shrink: 3}, e.g.perDay)
	for d := range until {
		if e.ordinary(d) {
			p.add(e.class(d), e.slots(d), e.total[d])
		}
	}
	var shares [profileClasses][]float64
	e.classShares(p, &shares)
	for d := range until {
		if !e.ordinary(d) {
			continue
		}
		row := fortnightOf(e.g.firstDay+d) * blocks
		for k, y := range e.slots(d) {
			if !math.IsNaN(y) {
				seen[row+k*blocks/e.g.perDay] += y
				expected[row+k*blocks/e.g.perDay] += e.total[d] * shares[e.class(d)][k]
			}
		}
	}
}

func fortnightOf(unixDay int) int {
	_, part := math.Modf(float64(unixDay)/yearLength + 1000)
	return min(int(part*fortnights), fortnights-1)
}

// seasonRow is the value of every harmonic product in the middle of a fortnight and an hour.
func seasonRow(fortnight, block, blocks int) []float64 {
	row := make([]float64, 0, 4*yearHarmonics*dayHarmonics)
	year := 2 * math.Pi * (float64(fortnight) + 0.5) / fortnights
	hour := 2 * math.Pi * (float64(block) + 0.5) / float64(blocks)
	for j := 1.0; j <= yearHarmonics; j++ {
		ys, yc := math.Sincos(j * year)
		for k := 1.0; k <= dayHarmonics; k++ {
			hs, hc := math.Sincos(k * hour)
			row = append(row, ys*hs/(j*k), ys*hc/(j*k), yc*hs/(j*k), yc*hc/(j*k))
		}
	}
	return row
}

// fitSeason solves the penalised regression by three Newton steps.
func fitSeason(blocks int, seen, expected []float64) (beta []float64, rows [][]float64) {
	var chi, cells float64
	for i, e := range expected {
		rows = append(rows, seasonRow(i/blocks, i%blocks, blocks))
		if e >= 1 {
			chi += (seen[i] - e) * (seen[i] - e) / e
			cells++
		}
	}
	n := 4 * yearHarmonics * dayHarmonics
	if cells < float64(n) {
		return nil, rows
	}
	dispersion := max(1, chi/cells)
	beta = make([]float64, n)
	for range 3 {
		normal, right := mat.NewSymDense(n, nil), mat.NewVecDense(n, nil)
		for j := range n {
			normal.SetSym(j, j, 1/(seasonPrior*seasonPrior))
		}
		for i, e := range expected {
			if e <= 0 {
				continue
			}
			eta := math.Min(math.Max(dotDense(rows[i], beta), -2), 2)
			mu := e * math.Exp(eta)
			normal.SymRankOne(normal, mu/dispersion, mat.NewVecDense(n, rows[i]))
			right.AddScaledVec(right, (seen[i]-mu+mu*eta)/dispersion, mat.NewVecDense(n, rows[i]))
		}
		var factored mat.Cholesky
		if !factored.Factorize(normal) {
			return nil, rows
		}
		var next mat.VecDense
		if factored.SolveVecTo(&next, right) != nil {
			return nil, rows
		}
		copy(beta, next.RawVector().Data)
	}
	return beta, rows
}

func dotDense(a, b []float64) (s float64) {
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

// at is the factor of slot k on day d, drawn straight between the middles of fortnights.
func (s *seasonShape) at(d, k int) float64 {
	if s == nil {
		return 1
	}
	_, part := math.Modf(float64(s.firstDay+d)/yearLength + 1000)
	place := part*fortnights - 0.5
	low := math.Floor(place)
	i := (int(low) + fortnights) % fortnights
	j := (i + 1) % fortnights
	b := k * len(s.factor[i]) / s.perDay
	return s.factor[i][b] + (place-low)*(s.factor[j][b]-s.factor[i][b])
}
