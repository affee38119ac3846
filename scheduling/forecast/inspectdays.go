package forecast

import (
	"fmt"
	"math"
	"slices"
)

// The normal day. x is the log of a day total less a robust weekday effect; the normal level of
// a day is the median of x over the ordinary days around it. Just after a change of level the
// days before and the days behind disagree, so a day counts as odd only when neither side
// explains it.

const (
	sideDays = 14 // calendar days on each side
	leastOn  = 4  // ordinary days that one side must have

	leastHistory = 14 // days; before it a weekend looks like an outage
)

// normalDays fills the expected totals and how far each day is off.
func (in *inspector) normalDays() {
	in.normal, in.off = nans(in.n, 0), nans(in.n, 0)
	x, shift := in.logs()
	effect := &in.effect
	for range 2 {
		var byDay [7][]float64
		for d := range in.n {
			if level, ok := in.level(x, d, -sideDays, sideDays); ok && in.ordinary(d) {
				byDay[in.g.weekday(d)] = append(byDay[in.g.weekday(d)], x[d]-level)
			}
		}
		for w := range 7 {
			effect[w], _ = median(byDay[w])
		}
	}
	var ordinary []float64
	for d := range in.n {
		best := math.Inf(1)
		for _, side := range [...][2]int{{-sideDays, -1}, {1, sideDays}, {-sideDays, sideDays}} {
			level, ok := in.level(x, d, side[0], side[1])
			if !ok {
				continue
			}
			expected := math.Exp(level+effect[in.g.weekday(d)]) - shift
			if off := x[d] - math.Log(expected+shift); math.IsNaN(x[d]) || math.Abs(off) < math.Abs(best) {
				in.normal[d] = max(0, expected)
				best = off
			}
		}
		if in.known[d] && !math.IsInf(best, 0) {
			in.off[d] = best
			if in.ordinary(d) {
				ordinary = append(ordinary, best)
			}
		}
	}
	in.offSD = robustSD(ordinary)
}

// ordinary reports a day that describes other days: known and not special.
func (in *inspector) ordinary(d int) bool { return in.known[d] && !in.quiet[d] }

func (in *inspector) logs() (x []float64, shift float64) {
	shift = 0.5
	if m, ok := median(in.total); ok {
		shift = max(min(0.5, 0.1*m), 1e-9)
	}
	x = nans(in.n, 0)
	for d, v := range in.total {
		if in.known[d] {
			x[d] = math.Log(v + shift)
		}
	}
	return x, shift
}

// level is the median of x without weekday effects over the ordinary days d+from to d+to.
func (in *inspector) level(x []float64, d, from, to int) (float64, bool) {
	var around [2*sideDays + 1]float64
	n := 0
	for p := max(0, d+from); p <= min(in.n-1, d+to); p++ {
		if p != d && in.ordinary(p) {
			around[n] = x[p] - in.effect[in.g.weekday(p)]
			n++
		}
	}
	if n < leastOn {
		return 0, false
	}
	return inPlaceMedian(around[:n]), true
}

// inPlaceMedian is the median of a non-empty scratch slice, which it sorts.
func inPlaceMedian(v []float64) float64 {
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// The sizes below which a deviation is not worth a planner's time, and the standard deviations
// that make it believable. Day totals of real queues have long tails: six robust deviations
// come from the false alarms measured on real data (see DESIGN.md), not from a normal law.
const (
	lowDay    = 0.5 // of normal
	highDay   = 1.8
	dayLimit  = 6.0
	endLow    = 0.7 // the last day, which is often not complete
	endLimit  = 4.0
	spikeOver = 3.0 // times the largest other value of the history
)

// oddDays reports runs of days that neither side explains.
func (in *inspector) oddDays() {
	if in.offSD == 0 {
		in.offSD = 0.01
	}
	for d := 0; d < in.n; d++ {
		sign := in.odd(d)
		if sign == 0 {
			continue
		}
		to := d + 1
		for to < in.n && in.odd(to) == sign {
			to++
		}
		in.reportDays(d, to, sign)
		d = to - 1
	}
}

// odd is -1 for a day far below normal, 1 for one far above, else 0.
func (in *inspector) odd(d int) int {
	if in.n < leastHistory || math.IsNaN(in.off[d]) || in.quiet[d] || math.IsNaN(in.normal[d]) {
		return 0
	}
	z := in.dayZ(d)
	ratio := (in.total[d] + 0.5) / (in.normal[d] + 0.5)
	last := d == in.lastKnown()
	switch {
	case ratio < lowDay && z < -dayLimit, last && in.g.perDay == 1 && ratio < endLow && z < -endLimit:
		return -1
	case ratio > highDay && z > dayLimit:
		return 1
	}
	return 0
}

// dayZ is how many robust deviations a day is off, by the stricter of the log scale and the
// count scale: a quiet queue varies by chance alone (Anscombe 1948: the root of a count has
// variance 1/4).
func (in *inspector) dayZ(d int) float64 {
	byLog := in.off[d] / max(in.offSD, 0.01)
	byCount := anscombe(in.total[d], in.normal[d])
	if math.Abs(byCount) < math.Abs(byLog) {
		return byCount
	}
	return byLog
}

// anscombe is the standardised difference of a count and its mean.
func anscombe(count, mean float64) float64 {
	return 2 * (math.Sqrt(count+0.375) - math.Sqrt(mean+0.375))
}

func (in *inspector) lastKnown() int {
	for d := in.n - 1; d >= 0; d-- {
		if in.recorded(d) {
			return d
		}
	}
	return -1
}

func (in *inspector) reportDays(from, to, sign int) {
	f := Finding{From: in.start(from * in.g.perDay), To: in.start(to * in.g.perDay)}
	z := 0.0
	for d := from; d < to; d++ {
		f.Actual += in.total[d]
		f.Expected += in.normal[d]
		z = max(z, math.Abs(in.dayZ(d)))
	}
	if in.covered(f.From, f.To, Outage, Incident, Spike, EndsEarly, Doubled) && to-from == 1 {
		return // a part of the day already explains it
	}
	where, what := between(f.From, f.To), times(f.Actual, f.Expected)
	limit := dayLimit
	switch {
	case sign < 0 && to > in.lastKnown() && in.g.perDay == 1:
		f.Kind, limit = EndsEarly, endLimit
		f.Text = fmt.Sprintf("The last day, %s, has %s: probably it was not complete when the data were taken.", where, what)
	case sign < 0:
		f.Kind = Outage
		f.Text = fmt.Sprintf("%s: %s; neither the days before nor the days after explain it (outage, closure or lost records).", where, what)
	case to-from == 1 && in.impossible(in.total[from], in.total, from, from+1):
		f.Kind = Spike
		f.Text = fmt.Sprintf("%s: %s; no other day comes near it.", where, what)
	default:
		f.Kind = Incident
		f.Text = fmt.Sprintf("%s: %s; if it was a promotion, add it as an event, if not it was an incident.", where, what)
	}
	in.report(f, z, limit)
}

// impossible reports a value over three times the largest other one outside [from, to).
func (in *inspector) impossible(v float64, values []float64, from, to int) bool {
	most := 0.0
	for i, other := range values {
		if (i < from || i >= to) && other > most {
			most = other
		}
	}
	return v > spikeOver*most
}

// Level shifts: the medians of the ordinary days on both sides of a day differ by more than
// such medians ever do elsewhere, at once, and the change is still there two weeks later.
const (
	shiftDays  = 14   // ordinary days compared on each side
	nearDays   = 5    // of them the nearest, which must show most of the change already
	leastShift = 0.26 // log: 30 %
	shiftLimit = 5.0
)

func (in *inspector) shifts() {
	x, days := in.seasonless()
	if len(days) < 2*shiftDays {
		return
	}
	step := nans(len(days), 0)
	for i := shiftDays; i+shiftDays <= len(days); i++ {
		before, _ := median(x[i-shiftDays : i])
		after, _ := median(x[i : i+shiftDays])
		step[i] = after - before
	}
	for i := shiftDays; i+shiftDays <= len(days); i++ {
		if math.Abs(step[i]) < leastShift || !in.peak(step, i) {
			continue
		}
		at := breakNear(x, i)
		if sd := in.usualStep(step, i); math.Abs(step[i]) >= shiftLimit*sd && sharp(x, at, step[i]) {
			in.reportShift(days, at, math.Abs(step[i])/sd)
		}
	}
}

// usualStep is the spread of steps away from i, whose own neighbours show the step at i too. The
// noise of two medians is a floor under it.
func (in *inspector) usualStep(step []float64, i int) float64 {
	var others []float64
	for j, v := range step {
		if (j <= i-shiftDays || j >= i+shiftDays) && !math.IsNaN(v) {
			others = append(others, v)
		}
	}
	sd := robustSD(others)
	return max(sd, in.offSD*math.Sqrt(math.Pi/shiftDays), 0.01)
}

// seasonless are the logs of ordinary days without their weekday effect, and which days they are.
func (in *inspector) seasonless() (x []float64, days []int) {
	logs, _ := in.logs()
	for d := range in.n {
		if in.ordinary(d) && !math.IsNaN(in.off[d]) && in.odd(d) == 0 {
			days = append(days, d)
			x = append(x, logs[d]-in.effect[in.g.weekday(d)])
		}
	}
	return x, days
}

// peak reports that the step at i is the largest within two weeks.
func (in *inspector) peak(step []float64, i int) bool {
	for j := max(0, i-shiftDays); j < min(len(step), i+shiftDays+1); j++ {
		if size := math.Abs(step[j]); size > math.Abs(step[i]) || size == math.Abs(step[i]) && j < i {
			return false
		}
	}
	return true
}

// breakNear is the day within ten of i at which two levels fit the days around i best: where the
// running sum of deviations from their mean turns.
func breakNear(x []float64, i int) int {
	from, to := max(0, i-shiftDays), min(len(x), i+shiftDays)
	var mean, sum, most float64
	for _, v := range x[from:to] {
		mean += v / float64(to-from)
	}
	at := i
	for j := from; j < to; j++ {
		sum += x[j] - mean
		if next := j + 1; math.Abs(sum) > most && next >= i-10 && next <= i+10 && next >= shiftDays && next+shiftDays <= len(x) {
			most, at = math.Abs(sum), next
		}
	}
	return at
}

// sharp reports that the nearest days already show the change: a season or a ramp does not.
func sharp(x []float64, at int, step float64) bool {
	before, _ := median(x[at-nearDays : at])
	after, _ := median(x[at : at+nearDays])
	return (after-before)/step > 0.6
}

func (in *inspector) reportShift(days []int, i int, z float64) {
	mean := func(part []int) (sum float64) {
		for _, d := range part {
			sum += in.total[d]
		}
		return sum / float64(len(part))
	}
	f := Finding{
		Kind: LevelShift, From: in.start(days[i] * in.g.perDay), To: in.start((days[i+shiftDays-1] + 1) * in.g.perDay),
		Actual: mean(days[i : i+shiftDays]), Expected: mean(days[i-shiftDays : i]),
	}
	f.Text = fmt.Sprintf("From %s on an ordinary day has about %.0f contacts instead of %.0f (%+.0f %%), at once and lasting: another shop, channel or count?",
		f.From.Format("Mon 2006-01-02"), f.Actual, f.Expected, 100*(f.Actual/max(f.Expected, 1e-9)-1))
	in.report(f, z, shiftLimit)
}
