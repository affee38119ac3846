package forecast

import "math"

// Event uplift. For each day of a past occurrence the uplift is x minus the base the day would
// have had without the event; the base level is drawn straight between the level before the
// event and the level after it. A coming day takes the mean over the past days it aligns with,
// shrunk by s2/(s2 + tau^2) per occurrence: one clean past occurrence is nearly believed,
// shoulders (tau 0.15) are believed little.
const (
	tauEvent    = 0.7
	tauShoulder = 0.15
	settleDays  = 10   // ordinary days after an event before its new level is believed
	ageFactor   = 0.75 // weight of an occurrence one year older
	liveDays    = 2.0  // days of a running event that are worth as much as its past
)

// uplift is the log factor of day d over the base, 0 outside events. Of several events on one
// day the strongest counts, and an event itself wins over another one's shoulder.
func (v *view) uplift(d int) float64 {
	var best float64
	inside := false
	for _, o := range v.e.occ {
		if !o.covers(d) {
			continue
		}
		in := o.inside(d)
		if in && !inside {
			best, inside = 0, true
		}
		if in != inside {
			continue
		}
		u, n := v.learned(o, d)
		if in && n > 0 {
			u += v.live(o, d)
		}
		if n > 0 && math.Abs(u) > math.Abs(best) {
			best = u
		}
	}
	return best
}

// learned is the shrunken mean uplift of the days that day d of an occurrence aligns with, and
// the number of past occurrences behind it.
func (v *view) learned(o occurrence, d int) (uplift float64, past int) {
	tau := tauEvent
	if !o.inside(d) {
		tau = tauShoulder
	}
	var sum, weights float64
	for _, p := range v.e.occ {
		if p.family != o.family || p.first >= o.first {
			continue
		}
		day := o.align(d, p)
		if day < 0 || day > v.at || math.IsNaN(v.e.x[day]) {
			continue
		}
		w := math.Pow(ageFactor, float64(o.first-p.first)/365)
		sum += w * (v.e.x[day] - v.base(p, day))
		weights += w
		past++
	}
	if past == 0 {
		return 0, 0
	}
	return sum / (weights + v.e.noise/(tau*tau)), past
}

// base is x of a past event day without the event, as known at the view.
func (v *view) base(p occurrence, day int) float64 {
	state := v.e.fit.at(v.at)
	before := max(0, p.first-1)
	low := v.e.fit.level(before)
	after, settled := max(0, p.first+p.length), 0
	for ; after < v.at && settled < settleDays; after++ {
		settled += int(indicator(v.e.weight[after] > 0))
	}
	after = min(after, v.at)
	level := low
	if after > before && settled > 0 {
		at := math.Min(math.Max(float64(day-before)/float64(after-before), 0), 1)
		level = low + at*(v.e.fit.level(after)-low)
	}
	return level + dot(v.e.terms[day], state)
}

// live is how a running event does against what was expected of it so far.
func (v *view) live(o occurrence, d int) float64 {
	if o.first > v.at || d <= v.at && d < o.first {
		return 0
	}
	var sum, n float64
	for day := max(0, o.first); day <= v.at && day < d; day++ {
		if math.IsNaN(v.e.x[day]) || !v.e.inEvent[day] {
			continue
		}
		if u, past := v.learned(o, day); past > 0 {
			sum += v.e.x[day] - v.e.fit.level(v.at) - dot(v.e.terms[day], v.e.fit.at(v.at)) - u
			n++
		}
	}
	return sum / (n + liveDays)
}

// eventVariance is the relative variance that an event adds to a day: events of one family differ
// by about 15 % from year to year after scaling, an event nobody has seen by 30 %. Beliefs, until
// enough occurrences are there to measure them.
func (v *view) eventVariance(d int) float64 {
	const seen, unseen = 0.15 * 0.15, 0.3 * 0.3
	var most float64
	for _, o := range v.e.occ {
		if !o.inside(d) || o.builtIn {
			continue
		}
		extra := unseen
		if _, past := v.learned(o, d); past > 0 {
			extra = seen / float64(past)
		}
		most = max(most, extra)
	}
	return most
}

// sameEvent finds the caller's event that day d lies in and its latest past occurrence.
func (v *view) sameEvent(d int) (target, past occurrence, ok bool) {
	for _, o := range v.e.occ {
		if !o.inside(d) {
			continue
		}
		for _, p := range v.e.occ {
			if p.family == o.family && p.first < o.first && (!ok || p.first > past.first) && p.first >= 0 && p.first <= v.at {
				target, past, ok = o, p, true
			}
		}
	}
	return target, past, ok
}

// eventSplit blends the slots of past event days into the split of an event day: their own
// shape counts by its contacts, the ordinary profile by priorContacts.
func (v *view) eventSplit(d int) {
	const priorContacts = 200
	if v.e.g.perDay == 1 {
		return
	}
	for _, o := range v.e.occ {
		if !o.inside(d) {
			continue
		}
		for _, p := range v.e.occ {
			if p.family == o.family && p.first < o.first {
				v.blend(o.align(d, p), priorContacts)
			}
		}
	}
}

func (v *view) blend(day int, prior float64) {
	if day < 0 || day > v.at || day > v.e.g.lastDay() {
		return
	}
	slots := v.e.slots(day)
	var total float64
	for k, y := range slots {
		if math.IsNaN(y) {
			if v.split[k] > 0 {
				return // a day with gaps says nothing about shape
			}
			continue
		}
		if v.split[k] > 0 {
			total += y
		}
	}
	if total == 0 {
		return
	}
	for k, s := range v.split {
		if s > 0 {
			v.split[k] = (slots[k] + prior*s) / (total + prior)
		}
	}
}
