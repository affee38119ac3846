package forecast

import (
	"math"
)

// The profile splits a day total over the slots of the day. Per class of day (weekday, or a day
// off of the holiday table) it keeps exponentially forgotten sums of contacts and of exposure
// (day totals while the slot had a record); a class is shrunk towards the pool of all classes
// by `shrink` days' worth of exposure, and neighbouring slots are smoothed where counts are thin.

const (
	holidayClass   = 7
	profileClasses = 8
)

// profileShape are the choices of the profile, settled by back-test.
type profileShape struct {
	halfLife float64 // days
	shrink   float64 // days of exposure
	smooth   int     // passes of a (1,2,1)/4 filter
	apart    int     // passes of it over what sets a class of day apart from the pool
	season   bool    // the split follows the season of the year
}

// profile is the running sums.
type profile struct {
	shape    profileShape
	perDay   int
	sum      [profileClasses][]float64
	exposure [profileClasses][]float64
	scale    float64 // forgotten weight of all days
	days     float64 // exposure of all days
	decay    float64
	inverse  float64 // grows by 1/decay per day: forgetting without touching old sums
	pool     []float64
	poolExp  []float64
}

func newProfile(shape profileShape, perDay int) *profile {
	p := &profile{shape: shape, perDay: perDay, decay: math.Exp2(-1 / shape.halfLife), inverse: 1}
	for c := range p.sum {
		p.sum[c], p.exposure[c] = make([]float64, perDay), make([]float64, perDay)
	}
	p.pool, p.poolExp = make([]float64, perDay), make([]float64, perDay)
	return p
}

// add learns one day: its slots and its (estimated) total.
func (p *profile) add(class int, slots []float64, total float64) {
	p.addDay(class, slots, total, nil, 0)
}

// addDay learns a day whose split is known to be bent by the season: what a slot is exposed to
// grows by its factor.
func (p *profile) addDay(class int, slots []float64, total float64, season *seasonShape, day int) {
	w := p.inverse
	for k, v := range slots {
		if !math.IsNaN(v) {
			exposed := w * total * season.at(day, k)
			p.sum[class][k] += w * v
			p.exposure[class][k] += exposed
			p.pool[k] += w * v
			p.poolExp[k] += exposed
		}
	}
	p.scale += w
	p.days += w * total
}

// next moves one day on.
func (p *profile) next() {
	p.inverse /= p.decay
	if p.inverse > 1e100 {
		p.rescale()
	}
}

func (p *profile) rescale() {
	f := 1 / p.inverse
	for c := range p.sum {
		for k := range p.perDay {
			p.sum[c][k] *= f
			p.exposure[c][k] *= f
		}
	}
	for k := range p.perDay {
		p.pool[k] *= f
		p.poolExp[k] *= f
	}
	p.scale *= f
	p.days *= f
	p.inverse = 1
}

// shares writes the share of each open slot of a day of a class; they sum to 1 over open slots.
func (p *profile) shares(class int, open []bool, out []float64) {
	strength := 0.0
	if p.scale > 0 {
		strength = p.shape.shrink * p.days / p.scale * p.inverse
	}
	var total float64
	slots := 0
	apart := p.shape.apart > 0
	for k := range out {
		out[k] = 0
		if !open[k] {
			continue
		}
		slots++
		prior := 0.0
		if p.poolExp[k] > 0 {
			prior = p.pool[k] / p.poolExp[k]
		}
		if e := p.exposure[class][k] + strength; e > 0 {
			out[k] = (p.sum[class][k] + strength*prior) / e
			apart = apart && prior > 0
		} else {
			apart = false
		}
	}
	if apart { // nowhere does the pool say nothing
		p.smoothApart(open, out)
	}
	for _, v := range out {
		total += v
	}
	for k := range out {
		switch {
		case !open[k]:
		case total > 0:
			out[k] /= total
		default:
			out[k] = 1 / float64(slots)
		}
	}
	for range p.shape.smooth {
		smooth(out, open)
	}
}

// smoothApart smooths the ratio of a class to the pool: neighbouring slots differ from other
// days alike, while sharp features that all days share (an opening) stay sharp.
func (p *profile) smoothApart(open []bool, out []float64) {
	for k, v := range p.poolExp {
		if open[k] {
			out[k] *= v / p.pool[k]
		}
	}
	for range p.shape.apart {
		smooth(out, open)
	}
	for k, v := range p.poolExp {
		if open[k] {
			out[k] *= p.pool[k] / v
		}
	}
}

// smooth applies (1,2,1)/4 inside each stretch of open slots; the sum stays the same.
func smooth(v []float64, open []bool) {
	prev, last := 0.0, len(v)-1
	for k := range v {
		here := v[k]
		if !open[k] {
			prev = here
			continue
		}
		left, right := here, here
		if k > 0 && open[k-1] {
			left = prev
		}
		if k < last && open[k+1] {
			right = v[k+1]
		}
		v[k] = (left + 2*here + right) / 4
		prev = here
	}
}

// class of a day for the profile.
func (e *engine) class(d int) int {
	if e.g.offWork(d) {
		return holidayClass
	}
	return e.g.weekday(d)
}

func (e *engine) openSlots(d int) []bool { return e.g.open[e.g.weekday(d)] }

func (e *engine) slots(d int) []float64 { return e.g.y[d*e.g.perDay : (d+1)*e.g.perDay] }

// chooseProfile settles the shape by one-day-ahead absolute error at known day totals.
func (e *engine) chooseProfile() {
	best := profileShape{halfLife: 56, shrink: 3}
	if e.g.perDay == 1 {
		e.shape = best
		return
	}
	from := max(len(e.x)/3, len(e.x)-400)
	early := e.learnSeason(from)
	loss := e.profileLoss(best, from, early)
	try := func(s profileShape) {
		if l := e.profileLoss(s, from, early); s != best && l < loss*0.9995 {
			best, loss = s, l
		}
	}
	for _, v := range []float64{14, 28, 112, 365, 1000} {
		s := best
		s.halfLife = v
		try(s)
		s.season = early != nil
		try(s)
	}
	for _, v := range []float64{0.3, 1, 10, 40} {
		s := best
		s.shrink = v
		try(s)
	}
	for _, v := range []int{1, 3, 8} {
		s := best
		s.apart = v
		try(s)
	}
	for _, v := range []int{1, 2, 4} {
		s := best
		s.smooth = v
		try(s)
	}
	e.shape = best
	if best.season {
		e.season = e.learnSeason(len(e.x))
	}
}

// profileLoss judges a shape on the days from `from` on; the season it may use was learnt on
// the days before.
func (e *engine) profileLoss(shape profileShape, from int, season *seasonShape) float64 {
	if !shape.season {
		season = nil
	}
	p := newProfile(shape, e.g.perDay)
	shares := make([]float64, e.g.perDay)
	var loss float64
	for d := range e.x {
		if e.ordinary(d) {
			if d >= from {
				p.shares(e.class(d), e.openSlots(d), shares)
				bendShares(shares, season, d)
				for k, v := range e.slots(d) {
					if !math.IsNaN(v) {
						loss += math.Abs(v - shares[k]*e.total[d])
					}
				}
			}
			p.addDay(e.class(d), e.slots(d), e.total[d], season, d)
		}
		p.next()
	}
	return loss
}

// snapshotProfiles runs the chosen profile once and keeps the shares known at each wanted day.
func (e *engine) snapshotProfiles(wanted map[int]bool) {
	e.shares = make(map[int]*[profileClasses][]float64, len(wanted))
	p := newProfile(e.shape, e.g.perDay)
	for d := range e.x {
		if e.ordinary(d) {
			p.addDay(e.class(d), e.slots(d), e.total[d], e.season, d)
		}
		p.next()
		if !wanted[d] {
			continue
		}
		var all [profileClasses][]float64
		e.classShares(p, &all)
		e.shares[d] = &all
	}
}

// classShares writes the shares of every class of day.
func (e *engine) classShares(p *profile, all *[profileClasses][]float64) {
	for c := range all {
		all[c] = make([]float64, e.g.perDay)
		if c < holidayClass {
			p.shares(c, e.g.open[c], all[c])
		}
	}
	e.holidayProfile(p, all)
}

// bend turns shares without season into those of day d; their sum stays.
func bendShares(shares []float64, season *seasonShape, d int) {
	if season == nil {
		return
	}
	var before, after float64
	for k, s := range shares {
		before += s
		shares[k] = s * season.at(d, k)
		after += shares[k]
	}
	if after > 0 {
		for k := range shares {
			shares[k] *= before / after
		}
	}
}

// holidayProfile is shared by all weekdays; slots a weekday does not open are cut when used.
func (e *engine) holidayProfile(p *profile, all *[profileClasses][]float64) {
	open := make([]bool, e.g.perDay)
	for w := range 7 {
		for k := range open {
			open[k] = open[k] || e.g.open[w][k]
		}
	}
	p.shares(holidayClass, open, all[holidayClass])
}

// ordinary reports a day that may teach the base profile: observed, positive, not in an event.
func (e *engine) ordinary(d int) bool {
	return !math.IsNaN(e.x[d]) && e.total[d] > 0 && e.weight[d] >= 0.2 && !e.inEvent[d]
}

// estimateTotals fills the day totals; a day with gaps is scaled up by the shares of the slots
// that have a record, and its observation counts for as much as it saw.
func (e *engine) estimateTotals() {
	shares := e.roughShares()
	for d := range e.total {
		var sum, seen float64
		records := false
		for k, v := range e.slots(d) {
			if !math.IsNaN(v) {
				sum += v
				seen += shares[e.g.weekday(d)][k]
				records = true
			}
		}
		e.total[d], e.weight[d] = math.NaN(), 0
		if records && seen >= 0.15 {
			e.total[d], e.weight[d] = sum/min(1, seen), min(1, seen)
			if seen > 0.999 {
				e.total[d], e.weight[d] = sum, 1
			}
		}
	}
}

// roughShares is the plain mean share per weekday and slot over the whole history.
func (e *engine) roughShares() [7][]float64 {
	p := newProfile(profileShape{halfLife: 1e6, shrink: 1}, e.g.perDay)
	for d := range e.total {
		full, sum := 0, 0.0
		for _, v := range e.slots(d) {
			if !math.IsNaN(v) {
				full++
				sum += v
			}
		}
		if count := e.g.openCount[e.g.weekday(d)]; sum > 0 && full*10 >= count*8 {
			p.add(e.g.weekday(d), e.slots(d), sum*float64(count)/float64(full))
		}
	}
	var out [7][]float64
	for w := range out {
		out[w] = make([]float64, e.g.perDay)
		p.shares(w, e.g.open[w], out[w])
	}
	return out
}
