package forecast

import (
	"fmt"
	"math"
	"time"
)

// Repeated and doubled records. Independent counts of a queue with mean v are equal with about
// 1/(2 sqrt(pi v)); how often values of a size really repeat is counted in the history itself,
// so a queue that is constant by nature is not frozen. A whole number that was counted twice is
// even; twenty even values in a row happen to honest counts once in a million.

// valueBands are classes of size, doubling.
const valueBands = 48

func band(v float64) int {
	return min(max(int(math.Log2(max(v, 1))), 0), valueBands-1)
}

// sameRates counts, per band of size, how often a positive value is followed `lag` recorded
// open slots later by the same one.
type sameRates struct{ same, pairs [valueBands]float64 }

func (r *sameRates) add(a, b float64, weight float64) {
	k := band(a)
	r.pairs[k] += weight
	if a == b {
		r.same[k] += weight
	}
}

// chance that a value of this size repeats.
func (r *sameRates) chance(v float64) float64 {
	k := band(v)
	counts := min(0.5, 1/(2*math.Sqrt(math.Pi*max(v, 1))))
	const believed = 20 // pairs of theory beside the counted ones
	return (r.same[k] + believed*counts) / (r.pairs[k] + believed)
}

func (in *inspector) repeats() {
	in.frozen()
	if in.g.perDay > 1 {
		in.copies()
	}
}

// recordedSlots are the indices of recorded open slots in order.
func (in *inspector) recordedSlots() []int {
	var at []int
	for i, v := range in.g.y {
		if in.raw[i] && !math.IsNaN(v) {
			at = append(at, i)
		}
	}
	return at
}

// frozen reports long runs of one positive value.
func (in *inspector) frozen() {
	at, y := in.recordedSlots(), in.g.y
	var rates sameRates
	for j := 1; j < len(at); j++ {
		if y[at[j-1]] > 0 {
			rates.add(y[at[j-1]], y[at[j]], 1)
		}
	}
	limit := unlikely(in.slotsAYear())
	for j := 0; j < len(at); {
		from, v := j, y[at[j]]
		for ; j < len(at) && y[at[j]] == v; j++ {
		}
		if n := j - from; v > 0 && n >= 4 {
			own := rates // without the run itself, which must not excuse itself
			own.same[band(v)] -= float64(n - 1)
			own.pairs[band(v)] -= float64(n - 1)
			evidence := -float64(n-1) * math.Log(own.chance(v))
			if evidence >= limit {
				in.reportFrozen(at[from], at[j-1], v, n, evidence, limit)
			}
		}
	}
}

func (in *inspector) reportFrozen(first, last int, v float64, n int, evidence, limit float64) {
	f := Finding{Kind: Frozen, From: in.start(first), To: in.end(last), Actual: v * float64(n)}
	for i := first; i <= last; i++ {
		d, k := i/in.g.perDay, i%in.g.perDay
		if in.raw[i] && !math.IsNaN(in.normal[d]) {
			f.Expected += in.normal[d] * in.rough[in.g.weekday(d)][k]
		}
	}
	f.Text = fmt.Sprintf("%s: %d records in a row are all %g; contacts vary, so a counter hung or a value was filled in.", between(f.From, f.To), n, v)
	in.report(f, evidence, limit)
}

// copies reports days that repeat an earlier day, yesterday or last week, slot by slot.
func (in *inspector) copies() {
	limit := unlikely(365)
	for _, lag := range [...]int{1, 7} {
		var rates sameRates
		perDay := make([]sameRates, 0, in.n)
		for d := lag; d < in.n; d++ {
			var own sameRates
			for k, v := range in.slots(d) {
				if old := in.slots(d - lag)[k]; v > 0 && !math.IsNaN(old) {
					own.add(v, old, 1)
				}
			}
			for b := range own.pairs {
				rates.same[b] += own.same[b]
				rates.pairs[b] += own.pairs[b]
			}
			perDay = append(perDay, own)
		}
		for d := lag; d < in.n; d++ {
			in.copied(d, lag, rates, perDay[d-lag], limit)
		}
	}
}

func (in *inspector) copied(d, lag int, rates, own sameRates, limit float64) {
	evidence, n := 0.0, 0
	for b := range own.pairs {
		rates.same[b] -= own.same[b]
		rates.pairs[b] -= own.pairs[b]
	}
	for k, v := range in.slots(d) {
		old := in.slots(d - lag)[k]
		if math.IsNaN(v) && math.IsNaN(old) || v == 0 && old == 0 {
			continue
		}
		if v != old {
			return
		}
		n++
		evidence -= math.Log(rates.chance(v))
	}
	if evidence < limit || n < 4 {
		return
	}
	base := d * in.g.perDay
	f := Finding{Kind: Frozen, From: in.start(base), To: in.start(base + in.g.perDay)}
	if in.covered(f.From, f.To, Frozen) {
		return
	}
	if !math.IsNaN(in.total[d]) {
		f.Actual = in.total[d]
	}
	if !math.IsNaN(in.normal[d]) {
		f.Expected = in.normal[d]
	}
	f.Text = fmt.Sprintf("%s repeats %s in all of its %d records: imported under a wrong date?", between(f.From, f.To), in.g.date(d-lag), n)
	in.report(f, evidence, limit)
}

// The band of "about twice".
const (
	leastDouble = 1.5
	mostDouble  = 2.7
)

// doubles reports stretches recorded twice.
func (in *inspector) doubles() {
	in.evenRuns()
	in.doubledDays()
	in.repeatedHour()
}

// evenRuns looks for runs of even values with about twice the normal contacts.
func (in *inspector) evenRuns() {
	at, y := in.recordedSlots(), in.g.y
	even, n := 0.0, 0.0
	for _, i := range at {
		if y[i] != math.Trunc(y[i]) || y[i] > 1<<52 {
			return // not whole numbers: parity says nothing
		}
		if y[i] > 0 {
			n++
			even += indicator(math.Mod(y[i], 2) == 0)
		}
	}
	share := (even + 0.5) / (n + 1)
	limit := unlikely(in.slotsAYear())
	for j := 0; j < len(at); {
		if math.Mod(y[at[j]], 2) != 0 {
			j++
			continue
		}
		from, run, actual, expected := j, 0.0, 0.0, 0.0
		for ; j < len(at) && math.Mod(y[at[j]], 2) == 0; j++ {
			run += indicator(y[at[j]] > 0)
		}
		// The run itself is left out of the share, as above.
		evidence := -run * math.Log(min(0.95, max(0.5, (even-run+0.5)/(n-run+1))))
		if share > 0.95 || evidence < limit {
			continue
		}
		first, last := at[from], at[j-1]
		for i := first; i <= last; i++ {
			d := i / in.g.perDay
			if in.raw[i] && !math.IsNaN(in.normal[d]) && !math.IsNaN(y[i]) {
				actual += y[i]
				expected += in.normal[d] * in.rough[in.g.weekday(d)][i%in.g.perDay]
			}
		}
		if ratio := actual / max(expected, 1e-9); ratio > leastDouble && ratio < mostDouble {
			in.reportDouble(in.start(first), in.end(last), actual, expected, "every value is even", evidence, limit)
		}
	}
}

// doubledDays looks for whole days at very nearly twice the normal, where parity cannot help.
func (in *inspector) doubledDays() {
	const near = 0.2 // log
	for d := range in.n {
		if in.n < leastHistory || math.IsNaN(in.off[d]) || in.quiet[d] || math.Abs(in.off[d]-math.Ln2) > near || in.dayZ(d) < dayLimit {
			continue
		}
		base := d * in.g.perDay
		from, to := in.start(base), in.start(base+in.g.perDay)
		if in.covered(from, to, Doubled) || in.g.perDay > 1 && !in.usualShape(d) {
			continue
		}
		why := "the shape of the day is the usual one"
		if in.g.perDay == 1 {
			why = "there is no reason in the calendar"
		}
		in.reportDouble(from, to, in.total[d], in.normal[d], why, in.dayZ(d), dayLimit)
	}
}

// usualShape reports that a day is split over its slots like other days: no eighth of the usual
// day is more than a quarter off.
func (in *inspector) usualShape(d int) bool {
	var have, usual float64
	for k, v := range in.slots(d) {
		if !math.IsNaN(v) {
			have += v / in.total[d]
			usual += in.rough[in.g.weekday(d)][k]
		}
		if usual > 0.125 {
			if math.Abs(math.Log((have+1e-9)/usual)) > 0.25 {
				return false
			}
			have, usual = 0, 0
		}
	}
	return true
}

func (in *inspector) reportDouble(from, to time.Time, actual, expected float64, why string, evidence, limit float64) {
	f := Finding{Kind: Doubled, From: from, To: to, Actual: actual, Expected: expected}
	f.Text = fmt.Sprintf("%s: %s and %s: imported twice?", between(from, to), times(actual, expected), why)
	in.report(f, evidence, limit)
}

// repeatedHour looks at nights on which clocks go back: the hour happens twice on the wall.
func (in *inspector) repeatedHour() {
	g := in.g
	perHour := 60 / max(1, g.slotMinutes())
	if g.perDay == 1 || perHour == 0 {
		return
	}
	for d := range in.n {
		for hour := range 4 {
			first := d*g.perDay + hour*perHour
			if !in.mayChangeClock(d, first, true) || in.covered(in.start(first), in.end(first+perHour-1), Doubled) {
				continue
			}
			var actual, expected float64
			for i := first; i < first+perHour; i++ {
				if in.raw[i] && !math.IsNaN(g.y[i]) && !math.IsNaN(in.normal[d]) {
					actual += g.y[i]
					expected += in.normal[d] * in.rough[g.weekday(d)][i%g.perDay]
				}
			}
			z := anscombe(actual, expected)
			limit := 3.3 // two hours of three nights a year are looked at
			if sure := in.clockGoesBack(d, hour); sure {
				limit = 1.5
			}
			if ratio := actual / max(expected, 1e-9); z < limit || ratio < leastDouble || ratio > mostDouble+0.5 {
				continue
			}
			f := Finding{Kind: Doubled, From: in.start(first), To: in.end(first + perHour - 1), Actual: actual, Expected: expected}
			f.Text = fmt.Sprintf("%s: %s; in this night clocks go back and the hour happens twice.", between(f.From, f.To), times(actual, expected))
			in.report(f, z, limit)
		}
	}
}

// clockGoesBack reports that the hour happens twice in the zone of the series: an hour earlier or
// later the wall clock says the same.
func (in *inspector) clockGoesBack(d, hour int) bool {
	at := wallInstant(in.g.firstDay+d, hour, time.Hour, in.g.loc)
	return at.Add(time.Hour).Hour() == at.Hour() || at.Add(-time.Hour).Hour() == at.Hour()
}

// mayChangeClock reports that slot i of day d lies where clocks go back (or forward): in the zone
// of the series, or, where the file has bare local times, in Europe, North America or Australia.
func (in *inspector) mayChangeClock(d, i int, back bool) bool {
	g := in.g
	hour := i % g.perDay * g.slotMinutes() / 60
	switch {
	case g.loc != time.UTC && back:
		return hour <= 3 && in.clockGoesBack(d, hour)
	case g.loc != time.UTC:
		return false // the zone knows that the hour does not exist
	case hour < 1 || hour > 2 || g.weekday(d) != 0:
		return false
	}
	date := g.date(d)
	last := date.Day > date.MonthOf().Days()-7
	switch date.Month {
	case time.March: // Europe last, North America second Sunday
		return !back && (last || date.Day >= 8 && date.Day <= 14)
	case time.October: // Europe last, Australia first Sunday
		return back && last || !back && date.Day <= 7
	case time.April, time.November: // Australia and North America first Sunday
		return back && date.Day <= 7
	}
	return false
}
