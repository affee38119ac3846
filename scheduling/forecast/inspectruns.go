package forecast

import (
	"fmt"
	"math"
	"slices"
)

// Runs inside a day. The expected contacts of a run of slots are the day's level times the
// slots' share on up to eight like days around it (trimmed means). The level comes from the rest
// of the same day and from the days around it, whichever explains the run better. The deviation
// is measured on the root scale (Anscombe) and compared with what runs of the same length and
// size do elsewhere in this history, so that overdispersion, wandering shapes and long tails
// raise the line instead of the alarm.

const (
	likeDays   = 8    // days around that lend their shape
	leastLike  = 3    // below it a day is not judged by slots
	runLimit   = 6.0  // robust deviations
	lowRun     = 0.5  // actual over expected, of runs of half an hour or more
	lowBlink   = 0.35 // of shorter ones
	silentRun  = 0.1  // the same inside events, whose shape nobody knows
	highRun    = 1.7
	highBlink  = 2.5
	longestRun = 0.67 // of the slots of a day
	runBins    = 6    // classes of expected size that have their own spread
)

var runLengths = [...]int{1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192}

// dayShape is a day cut into its open slots with a record.
type dayShape struct {
	at          []int     // slot of the day
	share, have []float64 // prefix sums of expected share and of contacts; have[i] is before slot i
	median      float64   // level by the median of the day's blocks
	whole       float64   // contacts over shares of the whole day
	around      float64   // level by the days around
}

// run is a stretch of slots that stands out.
type run struct {
	day, from, to    int // positions in dayShape.at
	actual, expected float64
	z                float64
}

func (in *inspector) runs() {
	if in.g.perDay == 1 {
		return
	}
	days := make([]*dayShape, in.n)
	for d := range days {
		days[d] = in.shapeOf(d)
	}
	var found []run
	for _, length := range runLengths {
		spreads, ok := in.spreadOfRuns(days, length)
		if !ok {
			continue
		}
		for d, s := range days {
			if s == nil || float64(length) > longestRun*float64(len(s.at)) {
				continue
			}
			for i := 0; i+length <= len(s.at); i++ {
				if r, ok := in.judge(s, d, i, i+length, spreads); ok {
					found = append(found, r)
				}
			}
		}
	}
	in.reportRuns(days, strongest(found))
}

// shapeOf prepares a day; nil when too few like days surround it.
func (in *inspector) shapeOf(d int) *dayShape {
	like := in.like(d)
	if len(like) < leastLike || !in.recorded(d) {
		return nil
	}
	s := &dayShape{share: []float64{0}, have: []float64{0}, around: in.normal[d]}
	values := make([]float64, 0, likeDays)
	for k, isOpen := range in.open(d) {
		y := in.slots(d)[k]
		if !isOpen || math.IsNaN(y) {
			continue
		}
		values = values[:0]
		for _, p := range like {
			if v := in.slots(p)[k]; !math.IsNaN(v) {
				values = append(values, v/in.total[p])
			}
		}
		s.at = append(s.at, k)
		s.share = append(s.share, s.share[len(s.share)-1]+trimmedMean(values))
		s.have = append(s.have, s.have[len(s.have)-1]+y)
	}
	n := len(s.at)
	if n == 0 || s.share[n] <= 0 {
		return nil
	}
	s.whole = s.have[n] / s.share[n]
	s.median = s.blockMedian()
	if math.IsNaN(s.around) || s.around <= 0 {
		s.around = s.median
	}
	return s
}

// like are the nearest ordinary days of the same weekday, or of any when there are too few.
func (in *inspector) like(d int) []int {
	var out []int
	for _, step := range [...]int{7, 1} {
		out = out[:0]
		for far := step; far <= 8*step && len(out) < likeDays; far += step {
			for _, p := range [...]int{d - far, d + far} {
				if p >= 0 && p < in.n && in.ordinary(p) && in.total[p] > 0 && len(out) < likeDays {
					out = append(out, p)
				}
			}
		}
		if len(out) >= leastLike {
			return out
		}
	}
	return out
}

// trimmedMean leaves out the lowest and the highest of five or more.
func trimmedMean(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	var sum float64
	low, high := v[0], v[0]
	for _, x := range v {
		sum += x
		low, high = min(low, x), max(high, x)
	}
	if len(v) >= 5 {
		return max(0, (sum-low-high)/float64(len(v)-2))
	}
	return sum / float64(len(v))
}

// blockMedian is the median level of up to twelve stretches of the day with equal shares.
func (s *dayShape) blockMedian() float64 {
	var levels []float64
	n := len(s.at)
	for from, to := 0, 1; to <= n; to++ {
		if share := s.share[to] - s.share[from]; share >= s.share[n]/12 || to == n && share > 0 {
			levels = append(levels, (s.have[to]-s.have[from])/share)
			from = to
		}
	}
	m, _ := median(levels)
	return m
}

// expect is what positions [from, to) should hold, as low or as high as the day allows.
func (s *dayShape) expect(from, to int, quiet bool) (low, high, mid float64) {
	n := len(s.at)
	share := s.share[to] - s.share[from]
	rest := s.whole
	if other := s.share[n] - share; other > 0.2*s.share[n] {
		rest = (s.have[n] - s.have[to] + s.have[from]) / other
	}
	mid = share * s.median
	if quiet {
		return share * min(s.median, rest), math.Inf(1), mid
	}
	return share * min(s.around, max(s.median, rest)), share * max(s.around, min(s.median, rest)), mid
}

// runSpread is the spread of the root deviations of runs of one length by expected size.
type runSpread struct {
	upTo []float64 // expected size at which a class ends
	sd   []float64
}

func (r runSpread) at(mean float64) float64 {
	i, _ := slices.BinarySearch(r.upTo, mean)
	return r.sd[min(i, len(r.sd)-1)]
}

// spreadOfRuns measures runs of a length all over the history (at most some ten thousand).
func (in *inspector) spreadOfRuns(days []*dayShape, length int) (runSpread, bool) {
	type sample struct{ mean, z float64 }
	var all []sample
	total := 0
	for d, s := range days {
		if s != nil && !in.quiet[d] {
			total += max(0, len(s.at)-length+1)
		}
	}
	stride, i := total/20_000+1, 0
	for d, s := range days {
		if s == nil || in.quiet[d] {
			continue
		}
		for from := 0; from+length <= len(s.at); from++ {
			if i++; i%stride != 0 {
				continue
			}
			_, _, mid := s.expect(from, from+length, false)
			if mid > 0.5 {
				all = append(all, sample{mid, anscombe(s.have[from+length]-s.have[from], mid)})
			}
		}
	}
	if len(all) < 50 {
		return runSpread{}, false
	}
	slices.SortFunc(all, func(a, b sample) int {
		if a.mean != b.mean {
			return int(indicator(a.mean > b.mean)) - int(indicator(a.mean < b.mean))
		}
		return int(indicator(a.z > b.z)) - int(indicator(a.z < b.z))
	})
	bins := min(runBins, len(all)/50)
	var r runSpread
	for b := range bins {
		part := all[b*len(all)/bins : (b+1)*len(all)/bins]
		zs := make([]float64, len(part))
		for i, p := range part {
			zs[i] = p.z
		}
		sd := robustSD(zs)
		r.upTo = append(r.upTo, part[len(part)-1].mean)
		r.sd = append(r.sd, max(sd, 1))
	}
	return r, true
}

// judge compares one run with what is expected of it.
func (in *inspector) judge(s *dayShape, d, from, to int, spreads runSpread) (run, bool) {
	y := s.have[to] - s.have[from]
	low, high, _ := s.expect(from, to, in.quiet[d])
	floor, ceiling := lowRun, highRun
	if (to-from)*in.g.slotMinutes() < 30 {
		floor, ceiling = lowBlink, highBlink
	}
	if in.quiet[d] {
		floor = silentRun
	}
	r := run{day: d, from: from, to: to, actual: y}
	switch {
	case y < floor*low:
		r.expected = low
	case y > ceiling*high:
		r.expected = high
	default:
		return r, false
	}
	r.z = anscombe(y, r.expected) / spreads.at(r.expected)
	return r, math.Abs(r.z) > runLimit
}

// strongest keeps, where runs overlap, the one that is most unlikely as a whole.
func strongest(found []run) []run {
	slices.SortStableFunc(found, func(a, b run) int {
		x, y := math.Abs(a.z), math.Abs(b.z)
		switch {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return (b.to - b.from) - (a.to - a.from)
	})
	taken := map[int][]run{}
	var out []run
	for _, r := range found {
		if !slices.ContainsFunc(taken[r.day], func(o run) bool { return r.from < o.to && o.from < r.to }) {
			taken[r.day] = append(taken[r.day], r)
			out = append(out, r)
		}
	}
	return out
}

// reportRuns widens runs to their edges, joins neighbours and writes them down.
func (in *inspector) reportRuns(days []*dayShape, found []run) {
	for i := range found {
		found[i].widen(days[found[i].day])
	}
	slices.SortFunc(found, func(a, b run) int {
		return a.day*in.g.perDay + a.from - b.day*in.g.perDay - b.from
	})
	for i := 0; i < len(found); {
		r := found[i]
		s := days[r.day]
		f := Finding{From: in.start(r.day*in.g.perDay + s.at[r.from]), To: in.end(r.day*in.g.perDay + s.at[r.to-1]), Actual: r.actual, Expected: r.expected}
		z, last := r.z, r
		for i++; i < len(found) && in.continues(days, last, found[i]); i++ {
			last = found[i]
			f.To = in.end(last.day*in.g.perDay + days[last.day].at[last.to-1])
			f.Actual += last.actual
			f.Expected += last.expected
			if math.Abs(last.z) > math.Abs(z) {
				z = last.z
			}
		}
		if in.covered(f.From, f.To, Doubled, Frozen, ImportGap) {
			continue
		}
		in.reportRun(f, r, last, days, z)
	}
}

// continues reports that b goes on where a ended, in the same direction.
func (in *inspector) continues(days []*dayShape, a, b run) bool {
	if a.z*b.z < 0 {
		return false
	}
	if a.day == b.day {
		return b.from-a.to <= 1
	}
	return b.day == a.day+1 && b.from == 0 && a.to == len(days[a.day].at)
}

// widen takes in slots beside a run that belong to it and drops those at its ends that do not.
func (r *run) widen(s *dayShape) {
	share := s.share[r.to] - s.share[r.from]
	if share <= 0 {
		return // like days never have a contact then, so there is no level to compare the neighbours with
	}
	level := r.expected / share
	off := func(i int) bool {
		m := level * (s.share[i+1] - s.share[i])
		y := s.have[i+1] - s.have[i]
		if r.z < 0 {
			return y < 0.6*m
		}
		return y > 1.6*m
	}
	for r.to-r.from > 1 && !off(r.from) {
		r.from++
	}
	for r.to-r.from > 1 && !off(r.to-1) {
		r.to--
	}
	for r.from > 0 && off(r.from-1) {
		r.from--
	}
	for r.to < len(s.at) && off(r.to) {
		r.to++
	}
	r.actual = s.have[r.to] - s.have[r.from]
	r.expected = level * (s.share[r.to] - s.share[r.from])
}

func (in *inspector) reportRun(f Finding, first, last run, days []*dayShape, z float64) {
	where, what := between(f.From, f.To), times(f.Actual, f.Expected)
	switch {
	case z < 0 && in.atEnd(days, last):
		f.Kind = EndsEarly
		f.Text = fmt.Sprintf("The newest records, %s, have %s: probably they were not complete when the data were taken.", where, what)
	case z < 0:
		f.Kind = Outage
		f.Text = fmt.Sprintf("%s: %s, while the rest of the day and the same slots of other weeks are as usual (outage or lost records)%s.", where, what, in.rebound(days[last.day], last))
	case first == last && first.to-first.from == 1 && in.impossible(first.actual, in.g.y, first.day*in.g.perDay+days[first.day].at[first.from], first.day*in.g.perDay+days[first.day].at[first.from]+1):
		f.Kind = Spike
		f.Text = fmt.Sprintf("%s: %s in one slot; no other slot comes near it.", where, what)
	default:
		f.Kind = Incident
		f.Text = fmt.Sprintf("%s: %s, while the rest of the day is as usual (platform incident, push message or test traffic).", where, what)
	}
	in.report(f, math.Abs(z), runLimit)
}

// atEnd reports that a run reaches the last recorded slot of the history.
func (in *inspector) atEnd(days []*dayShape, r run) bool {
	return r.day == in.lastKnown() && r.to == len(days[r.day].at)
}

// rebound says how much came on top in as many slots after an outage.
func (in *inspector) rebound(s *dayShape, r run) string {
	to := min(len(s.at), r.to+max(1, min(r.to-r.from, len(s.at)/6)))
	if to <= r.to {
		return ""
	}
	_, high, _ := s.expect(r.to, to, false)
	y := s.have[to] - s.have[r.to]
	if y < 1.15*high || anscombe(y, high) < 2 {
		return ""
	}
	return fmt.Sprintf("; afterwards %.0f instead of %.0f came, a rebound", y, high)
}
