package forecast

import (
	"math"
	"slices"
)

// Event uplift. A coming day takes the mean over the past days it aligns with (eventcurve.go),
// weighted by age and shrunk by s2/(s2 + tau^2) per occurrence: one clean past occurrence is
// nearly believed, shoulders (tau 0.15) are believed little. Beliefs are labelled as such.
const (
	tauEvent    = 0.7
	tauShoulder = 0.15
	tauHoliday  = 0.4  // shoulders of a long holiday: parcels and shops stop before it and start late
	settleDays  = 10   // ordinary days after an event before its new level is believed
	ageFactor   = 0.75 // weight of an occurrence one year older
	liveDays    = 2.0  // days of a running event that are worth as much as its past
	liveBelief  = 0.5  // and as much as what other families or the domain say of it

	yearVariance   = 0.15 * 0.15 // one occurrence of a family against the next, after scaling (belief)
	familyVariance = 0.4 * 0.4   // one family against another of the same make (belief)

	// baseElasticity is the part of a change of the base that an uplift gives back: a queue that
	// grew by 30 % has a peak that grew by less. Belief, in the middle of what 69 series of a
	// logistics network showed between two promotions five months apart (0.15 by event totals,
	// 0.32 by peak days, growth instrumented by other days' growth).
	baseElasticity = 0.25
	mostGrowth     = 0.7 // log growth beyond which it is another queue, not a grown one
)

// source says where an uplift came from, weakest first.
type source uint8

const (
	fromNothing source = iota
	fromBelief         // domain figures, no data
	fromOthers         // other families
	fromFamily         // past occurrences of the family
)

// expected is what a coming day of an event gets.
type expected struct {
	uplift   float64 // log
	variance float64 // relative variance the event adds to the day
	past     int     // past occurrences behind it
	own      int     // of those, lived through by this series
	pooled   bool
	source   source
}

// uplift is the log factor of day d over the base, 0 outside events. Of several events on one
// day the strongest counts, and an event itself wins over another one's shoulder.
func (v *view) uplift(d int) float64 {
	_, best, _ := v.strongest(d)
	return best.uplift
}

// strongest finds the event that shapes day d, what it gives, and whether there is one.
func (v *view) strongest(d int) (target occurrence, best expected, ok bool) {
	inside := false
	for _, o := range v.e.occ {
		if !o.covers(d) {
			continue
		}
		in := o.inside(d)
		if in != inside && ok && !in {
			continue
		}
		u := v.expect(o, d)
		if in && u.source != fromNothing {
			u.uplift += v.live(o, d)
		}
		if u.source == fromNothing && !in {
			continue
		}
		if !ok || in && !inside || math.Abs(u.uplift) > math.Abs(best.uplift) {
			target, best, ok = o, u, true
		}
		inside = inside || in
	}
	return target, best, ok
}

// expect is the shrunken mean uplift of the days that day d of an occurrence aligns with.
func (v *view) expect(o occurrence, d int) expected {
	u := v.borrow(o, d, func(p *teacher) bool { return p.family == o.family })
	u.source = fromFamily
	if u.past == 0 && o.inside(d) && !o.builtIn {
		u = v.borrow(o, d, func(p *teacher) bool { return p.family != o.family && o.alike(p.occurrence) })
		u.source = fromOthers
		if u.past == 0 {
			u = belief(o, d)
		}
	}
	if u.past == 0 && u.source != fromBelief {
		return expected{}
	}
	if o.inside(d) {
		u.uplift = v.planned(o, u.uplift)
	}
	return u
}

// borrow averages the aligned days of the teachers that fit.
func (v *view) borrow(o occurrence, d int, fits func(p *teacher) bool) expected {
	tau2, between := tauEvent*tauEvent, yearVariance
	switch {
	case o.inside(d):
	case o.builtIn:
		tau2 = tauHoliday * tauHoliday
	default:
		tau2 = tauShoulder * tauShoulder
	}
	var u expected
	var sum, weights, squares, noise, other float64
	for i := range v.e.taught {
		p := &v.e.taught[i]
		if p.first >= o.first || p.first > v.at || !fits(p) {
			continue
		}
		day := o.align(d, p.occurrence)
		if day > v.at || day < p.first-leadDays || day >= p.first+p.length+tailDays {
			continue
		}
		l := v.curve(i)[day-p.first+leadDays]
		if !l.known() {
			continue
		}
		if p.family != o.family {
			other = familyVariance
		}
		w := math.Pow(ageFactor, float64(o.first-p.first)/365)
		sum += w * (v.regrown(p, day, v.typical(i, day)) + v.movedHours(o, i, d, l))
		weights += w
		squares += w * w
		noise += w * l.variance
		u.past++
		u.own += int(indicator(l.own))
		u.pooled = u.pooled || l.pooled
	}
	if u.past == 0 {
		return u
	}
	between += other
	noise /= weights
	u.uplift = sum / (weights + (noise+between)/tau2)
	// The next occurrence differs from its kind, and so did the ones the mean was taken of.
	// Two occurrences of a family differ by yearVariance, so each by half of it from their kind.
	u.variance = between - yearVariance/2 + (between+noise-yearVariance/2)*squares/(weights*weights)
	return u
}

// movedHours is what openings at another time of day change, as far as this series or its pool
// has seen it.
func (v *view) movedHours(o occurrence, i, d int, l lesson) float64 {
	if !o.inside(d) || v.shares == nil || v.e.g.perDay == 1 {
		return 0
	}
	split := slices.Clone(v.split)
	defer copy(v.split, split)
	if l.own {
		return v.openingShift(o, v.e.taught[i].occurrence, d)
	}
	v.baseSplit(d)
	total := v.pooledSlots(o, i, d, make([]float64, v.e.g.perDay))
	if total <= 0 {
		return 0
	}
	return clip(math.Log(total)-l.uplift, maxOpeningShift)
}

// regrown takes back a part of the growth of the base since a past event day from its uplift.
func (v *view) regrown(p *teacher, day int, uplift float64) float64 {
	if uplift <= 0 || p.first < 28 || !p.inside(day) {
		return uplift
	}
	growth := clip(v.e.fit.level(v.at)-v.baseLevel(p.occurrence, day), mostGrowth)
	return min(max(0, uplift-baseElasticity*growth), 2*uplift)
}

// live is how a running event does against what was expected of it so far, believed the less the
// noisier the days are.
func (v *view) live(o occurrence, d int) float64 {
	if o.first > v.at || d <= v.at && d < o.first {
		return 0
	}
	last := min(v.at, d-1)
	key := o.first*len(v.e.x) + last
	if found, ok := v.lives[key]; ok {
		return found
	}
	var sum, n float64
	prior := max(liveDays, v.e.noise/yearVariance)
	for day := max(0, o.first); day <= last; day++ {
		if math.IsNaN(v.e.x[day]) || !v.e.inEvent[day] {
			continue
		}
		if u := v.expect(o, day); u.source != fromNothing {
			if u.source != fromFamily {
				prior = liveBelief
			}
			sum += v.e.x[day] - v.e.fit.level(v.at) - dot(v.e.terms[day], v.e.fit.at(v.at)) - u.uplift
			n++
		}
	}
	v.lives[key] = sum / (n + prior)
	return v.lives[key]
}

// eventVariance is the relative variance that an event adds to a day. The back-test has seen the
// noise of days; it has not seen how one occurrence differs from the next.
func (v *view) eventVariance(d int) float64 {
	o, u, ok := v.strongest(d)
	if !ok || !o.inside(d) || o.builtIn {
		return 0
	}
	return u.variance
}

// sameEvent finds the event that day d lies in and the latest day of the family's past that this
// series lived through and that d aligns with.
func (v *view) sameEvent(d int) (past occurrence, day int, ok bool) {
	for _, o := range v.e.occ {
		if !o.inside(d) {
			continue
		}
		for _, p := range v.e.occ {
			if p.family == o.family && p.first < o.first && (!ok || p.first > past.first) && p.first >= 0 && p.first <= v.at {
				past, day, ok = p, o.align(d, p), true
			}
		}
	}
	return past, day, ok
}
