package forecast

import "math"

// The level of a figure per contact over days, on the link scale: m is what lasts, a is a deviation
// that fades (the damping), and a day has noise of its own.
//
//	m_d = m_{d-1} + jump_d + N(0, lasting)     a_d = persist a_{d-1} + N(0, fading)
//	z_d = m_d + a_d + N(0, daily + 1/information of the day's contacts)
//
// Kalman filter and Rauch-Tung-Striebel smoother (Harvey 1989, ch. 3). The four constants maximise
// the likelihood of one-day-ahead errors times a weak prior over a small grid: a year of days cannot
// tell more, and a grid has no start value that decides.

type levelHyper struct{ persist, lasting, fading, daily float64 }

// levelState is the state after a day: (m, a) and its covariance.
type levelState struct {
	m, a       float64
	mm, ma, aa float64
	lastDay    int // the day the state belongs to
	hyper      levelHyper
}

func (s levelState) variance() float64 { return max(0, s.mm+2*s.ma+s.aa) }

// jump is a planned change of the level that starts on a day.
type jump struct{ shift, variance float64 }

// predict moves the state one day on.
func (s levelState) predict(h levelHyper, j jump) levelState {
	s.m += j.shift
	s.mm += h.lasting + j.variance
	s.a *= h.persist
	s.ma *= h.persist
	s.aa = h.persist*h.persist*s.aa + h.fading
	return s
}

// update takes one day's observation of variance r; an error beyond wildLimit standard deviations
// counts as one at the limit, so that a wrong day does not carry the level away.
func (s levelState) update(z, r float64) (next levelState, loss float64) {
	total := s.variance() + r
	v := z - s.m - s.a
	limit := wildLimit * math.Sqrt(total)
	v = min(max(v, -limit), limit)
	loss = math.Log(total) + v*v/total
	km, ka := (s.mm+s.ma)/total, (s.ma+s.aa)/total
	next = s
	next.m += km * v
	next.a += ka * v
	next.mm -= km * (s.mm + s.ma)
	next.ma -= km * (s.ma + s.aa)
	next.aa -= ka * (s.ma + s.aa)
	return next, loss
}

// ahead is the state some days later. jumps are those after the state's day.
func (s levelState) ahead(days int, jumps map[int]jump) levelState {
	for d := range days {
		s = s.predict(s.hyper, jumps[s.lastDay+d+1])
	}
	return s
}

// levelBelief is where the grid starts from: a level that wanders 0.3 % a day for good and 2 % for a
// while, and days that differ by 3 %.
var levelBelief = levelHyper{0.9, 1e-5, 4e-4, 1e-3}

var levelGrid = struct{ persist, lasting, fading, daily []float64 }{
	[]float64{0.9, 0.7, 0.97}, []float64{1e-5, 1e-7, 1e-6, 1e-4}, []float64{4e-4, 1e-6, 4e-3, 4e-2}, []float64{1e-3, 1e-4, 1e-2, 1e-1},
}

// belief is the cost of leaving the belief: half a squared step of ten times.
func (h levelHyper) belief() float64 {
	step := func(x, at float64) float64 { l := math.Log10(x / at); return l * l }
	return step(h.lasting, levelBelief.lasting) + step(h.fading, levelBelief.fading) + step(h.daily, levelBelief.daily)
}

// dayLevel is what the contacts of one day say on the level; information 0 = nothing.
type dayLevel struct{ value, information float64 }

// dayLevels adds up the residuals of the slots that teach the base.
func (f *figures) dayLevels() []dayLevel {
	out := make([]dayLevel, len(f.path))
	for _, r := range f.rows {
		if r.event >= 0 && !f.all {
			continue
		}
		u, v := f.residual(r)
		out[r.day].value += u / v
		out[r.day].information += 1 / v
	}
	for d := range out {
		if o := &out[d]; o.information > 0 {
			mean, sd := o.value/o.information, math.Sqrt(1/o.information+f.hyper.daily)
			o.value = f.path[d] + f.tame(mean, sd)
		}
	}
	return out
}

// tame keeps a step from overshooting: as it is while noise explains it, logarithmic beyond.
func (f *figures) tame(step, sd float64) float64 {
	limit := max(0.5, wildLimit*sd)
	if math.Abs(step) <= limit {
		return step
	}
	return math.Copysign(limit+math.Log1p(math.Abs(step)-limit), step)
}

// start is the state before the first day.
func (f *figures) start(h levelHyper) levelState {
	s := levelState{m: f.firstGuess(), mm: 0.5 * 0.5, aa: h.fading / (1 - h.persist*h.persist), lastDay: -1, hyper: h}
	if f.prior != nil {
		s.m = f.link.to(f.prior.Level)
		s.mm = otherQueuesVary*otherQueuesVary + f.prior.LevelDoubt*f.prior.LevelDoubt
	}
	return s
}

// firstGuess is the mean level of the first four weeks.
func (f *figures) firstGuess() float64 {
	var sum, n float64
	for d := range min(28, len(f.path)) {
		sum += f.path[d]
		n++
	}
	if n == 0 {
		return f.level.m
	}
	return sum / n
}

// filterLevel runs the filter; keep, when not nil, receives predicted and filtered states.
func (f *figures) filterLevel(h levelHyper, days []dayLevel, keep func(d int, predicted, filtered levelState)) (levelState, float64) {
	s := f.start(h)
	loss := h.belief()
	for d, o := range days {
		p := s.predict(h, f.jumps[d])
		s = p
		if o.information > 0 {
			var l float64
			s, l = p.update(o.value, 1/o.information+h.daily)
			loss += l
		}
		s.lastDay = d
		if keep != nil {
			keep(d, p, s)
		}
	}
	return s, loss
}

// fitLevel chooses the constants when asked to, then filters and smooths the path.
func (f *figures) fitLevel(choose bool) {
	days := f.dayLevels()
	if f.hyper == (levelHyper{}) {
		f.hyper = levelBelief
	}
	if choose {
		f.hyper = f.chooseHyper(days)
	}
	predicted, filtered := make([]levelState, len(days)), make([]levelState, len(days))
	f.level, _ = f.filterLevel(f.hyper, days, func(d int, p, s levelState) { predicted[d], filtered[d] = p, s })
	var next levelState
	for d := len(days) - 1; d >= 0; d-- {
		s := filtered[d]
		if d < len(days)-1 {
			s = smoothBack(s, predicted[d+1], next, f.hyper.persist)
		}
		f.path[d] = s.m + s.a
		next = s
	}
}

func (f *figures) chooseHyper(days []dayLevel) levelHyper {
	best, least := f.hyper, math.Inf(1)
	for _, persist := range levelGrid.persist {
		for _, lasting := range levelGrid.lasting {
			for _, fading := range levelGrid.fading {
				for _, daily := range levelGrid.daily {
					h := levelHyper{persist, lasting, fading, daily}
					if _, loss := f.filterLevel(h, days, nil); loss < least {
						best, least = h, loss
					}
				}
			}
		}
	}
	return best
}

// smoothBack is one step of the Rauch-Tung-Striebel smoother: s filtered at d, p predicted and n
// smoothed at d+1. Only means are needed.
func smoothBack(s, p, n levelState, persist float64) levelState {
	det := p.mm*p.aa - p.ma*p.ma
	if det <= 1e-18 {
		return s
	}
	// Gain = P F' inverse(predicted P) with F = diag(1, persist).
	c11, c12, c21, c22 := s.mm, s.ma*persist, s.ma, s.aa*persist
	i11, i12, i22 := p.aa/det, -p.ma/det, p.mm/det
	dm, da := n.m-p.m, n.a-p.a
	um, ua := i11*dm+i12*da, i12*dm+i22*da
	s.m += c11*um + c12*ua
	s.a += c21*um + c22*ua
	return s
}
