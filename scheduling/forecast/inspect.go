package forecast

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Inspect reads a history up to the origin and says what does not look like contacts of this
// queue. It changes nothing: findings are for a planner, who may pass them on in
// Options.Exclude. Days of Options.Events and of the holiday table, with their shoulders, are
// known to be different and are judged only for silence and for missing or repeated records.
// The result is sorted by From. A history that cannot be read at all has no findings; Run says
// why.
//
// Every test compares with robust figures of the other days, so that one bad stretch hides
// neither itself nor another, and alarms when chance alone would do so about once in twenty
// years of the history (alarmBudget) and the size matters to a plan.
func Inspect(s Series, o Options) []Finding {
	if s.Validate() != nil {
		return nil
	}
	if o.Origin.IsZero() {
		o.Origin = s.End()
	}
	if o.Horizon <= 0 {
		o.Horizon = s.Slot
	}
	g, err := newGrid(s, o)
	if err != nil {
		return nil
	}
	return inspect(g, s)
}

// alarmBudget is how often a year chance alone may raise one kind of alarm.
const alarmBudget = 0.05

// inspector looks at one grid. Days run to the day of the origin, which may be partial.
type inspector struct {
	g       *grid
	n       int        // days of history, the day of the origin included
	raw     []bool     // a slot has a record of its own (a filled zero has none)
	quiet   []bool     // in or beside an event or a holiday
	known   []bool     // the day has records in nearly all of its usual slots
	total   []float64  // contacts of the day, scaled up where little is missing; NaN when unknown
	normal  []float64  // expected total by the days around; NaN when there are too few
	off     []float64  // log of total over normal by the friendlier side
	offSD   float64    // robust spread of off
	effect  [7]float64 // of weekdays on the log total
	rough   [7][]float64
	present [7][]float64 // recorded days of a weekday in which the slot has a record
	days    [7]float64   // recorded days of a weekday
	found   []Finding

	openBefore []int // open slots before each slot of the history
}

func inspect(g *grid, s Series) []Finding {
	in := &inspector{g: g, n: g.originDay + 1}
	in.readRaw(s)
	in.markQuiet()
	in.dayTotals()
	in.normalDays()
	in.gaps()
	in.doubles()
	in.repeats()
	in.runs()
	in.oddDays()
	in.shifts()
	in.settle()
	return in.found
}

// readRaw marks the slots with a record, excluded ones included, and counts presence.
func (in *inspector) readRaw(s Series) {
	g := in.g
	in.raw = make([]bool, len(g.y))
	shift := (g.firstDay - unixDay(s.First)) * g.perDay
	for i := range in.raw {
		if j := i + shift; j >= 0 && j < len(s.Values) {
			in.raw[i] = !math.IsNaN(s.Values[j]) && g.ended(i/g.perDay, i%g.perDay)
		}
	}
	for w := range 7 {
		in.present[w] = make([]float64, g.perDay)
	}
	for d := range in.n - 1 {
		if !in.recorded(d) {
			continue
		}
		w := g.weekday(d)
		in.days[w]++
		for k := range g.perDay {
			in.present[w][k] += indicator(in.raw[d*g.perDay+k])
		}
	}
}

// presentShare is the share of the other recorded days of its weekday in which slot k of day d
// has a record.
func (in *inspector) presentShare(d, k int) float64 {
	w := in.g.weekday(d)
	seen, days := in.present[w][k], in.days[w]
	if d < in.n-1 && in.recorded(d) {
		seen, days = seen-indicator(in.raw[d*in.g.perDay+k]), days-1
	}
	return (seen + 0.5) / (days + 1)
}

// markQuiet marks days that are different for a known reason.
func (in *inspector) markQuiet() {
	in.quiet = make([]bool, in.n)
	for _, o := range in.g.occurrences(in.g.opt.Events) {
		for d := max(0, o.first-leadDays); d < min(in.n, o.first+o.length+tailDays); d++ {
			in.quiet[d] = true
		}
	}
	for d := range in.n {
		if in.g.offWork(d) || in.g.offWork(d-1) || in.g.offWork(d+1) {
			in.quiet[d] = true
		}
	}
}

// slots are the recorded (or filled) contacts of a day; NaN = none.
func (in *inspector) slots(d int) []float64 { return in.g.y[d*in.g.perDay : (d+1)*in.g.perDay] }

func (in *inspector) open(d int) []bool { return in.g.open[in.g.weekday(d)] }

// recorded reports that a day has a record of its own.
func (in *inspector) recorded(d int) bool {
	return slices.Contains(in.raw[d*in.g.perDay:(d+1)*in.g.perDay], true)
}

// dayTotals adds up days; a day that misses up to a third of its usual contacts is scaled up.
func (in *inspector) dayTotals() {
	g := in.g
	in.roughShares()
	in.total, in.known = nans(in.n, 0), make([]bool, in.n)
	for d := range in.n - 1 {
		if !in.recorded(d) {
			continue
		}
		var sum, seen float64
		for k, v := range in.slots(d) {
			if !math.IsNaN(v) {
				sum += v
				seen += in.rough[g.weekday(d)][k]
			}
		}
		if seen > 2./3 || sum > 0 && seen == 0 {
			in.total[d] = sum / cmp.Or(seen, 1)
			in.known[d] = true
		}
	}
}

// roughShares is the mean share of a slot in its weekday; without contacts all slots are equal.
func (in *inspector) roughShares() {
	g := in.g
	for w := range 7 {
		in.rough[w] = make([]float64, g.perDay)
		var total float64
		for k, isOpen := range g.open[w] {
			if isOpen {
				in.rough[w][k] = in.cappedMean(w, k)
			}
			total += in.rough[w][k]
		}
		for k, isOpen := range g.open[w] {
			switch {
			case total > 0:
				in.rough[w][k] /= total
			case isOpen:
				in.rough[w][k] = 1 / float64(g.openCount[w])
			}
		}
	}
}

// cappedMean is the mean of a slot over the days of a weekday; a value far beyond the median
// counts as the bound, so that one spike does not make every other day look empty.
func (in *inspector) cappedMean(w, k int) float64 {
	var values []float64
	for d := range in.n - 1 {
		if v := in.g.y[d*in.g.perDay+k]; in.g.weekday(d) == w && !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return 0
	}
	bound := 4*inPlaceMedian(values) + 10
	var sum float64
	for _, v := range values {
		sum += min(v, bound)
	}
	return sum / float64(len(values))
}

// report adds a finding over the days and slots [from, to) of the open history.
func (in *inspector) report(f Finding, evidence, threshold float64) {
	f.Confidence = confidence(evidence, threshold)
	f.Handling = handling(f.Kind, in.g.opt.Missing)
	in.found = append(in.found, f)
}

// start and end of slot i of the history.
func (in *inspector) start(i int) time.Time {
	return wallInstant(in.g.firstDay+i/in.g.perDay, i%in.g.perDay, in.g.slot, in.g.loc)
}

func (in *inspector) end(i int) time.Time {
	if in.g.perDay == 1 || (i+1)%in.g.perDay == 0 {
		return in.start(i + 1)
	}
	return in.start(i).Add(in.g.slot)
}

// slotsAYear is how many open slots a year has: how often chance gets a try.
func (in *inspector) slotsAYear() float64 {
	open := 0
	for _, n := range in.g.openCount {
		open += n
	}
	return float64(open) * 365 / 7
}

// unlikely is the evidence, in natural logs, at which `tries` a year stay inside the budget.
func unlikely(tries float64) float64 { return math.Log(max(tries, 12) / alarmBudget) }

// covered reports that a finding of one of the kinds already lies over a part of [from, to).
func (in *inspector) covered(from, to time.Time, kinds ...FindingKind) bool {
	for _, f := range in.found {
		if f.From.Before(to) && from.Before(f.To) && slices.Contains(kinds, f.Kind) {
			return true
		}
	}
	return false
}

func (in *inspector) sort() {
	slices.SortStableFunc(in.found, func(a, b Finding) int {
		return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To), cmp.Compare(a.Kind, b.Kind))
	})
}

// robustSD is the larger of the middle half's and the near tails' standard deviation: real
// residuals have long tails and the middle alone would call them alarms. 0 = too few values.
func robustSD(values []float64) float64 {
	abs := make([]float64, 0, len(values))
	for _, v := range values {
		if !math.IsNaN(v) {
			abs = append(abs, math.Abs(v))
		}
	}
	if len(abs) < 7 {
		return 0
	}
	slices.Sort(abs)
	const middle = 0.6745 // normal quantile of |x| at 50 %
	at, tail := 0.97, 2.17
	if len(abs) < 250 {
		at, tail = 0.9, 1.645 // a bad week may be the upper tenth of a short history
	}
	return max(abs[len(abs)/2]/middle, abs[int(at*float64(len(abs)-1))]/tail)
}
