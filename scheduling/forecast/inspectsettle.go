package forecast

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// One stretch, one finding. The tests know nothing of each other, so hours that were lost in an
// import may also look like an outage of that day and a closure of the next. Missing records that
// follow on each other are one gap; of several explanations of one stretch the likeliest stays
// and names the others.

// Alternative is another explanation of the stretch of a finding.
type Alternative struct {
	Kind       FindingKind `json:"kind"`
	Confidence float64     `json:"confidence"`
	Text       string      `json:"text"`
}

// causes are the kinds from the plainest evidence to the vaguest: a record that is missing, or a
// value that repeats, is seen; an outage or an incident is what is left.
var causes = [...]FindingKind{EndsEarly, ImportGap, ClosedDay, Frozen, Doubled, Spike, Outage, Incident, LevelShift}

func (in *inspector) settle() {
	in.countOpen()
	in.sort()
	in.joinMissing()
	order := slices.Clone(in.found)
	slices.SortStableFunc(order, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(math.Round(10*b.Confidence), math.Round(10*a.Confidence)), cmp.Compare(slices.Index(causes[:], a.Kind), slices.Index(causes[:], b.Kind)))
	})
	in.found = in.found[:0]
	for _, f := range order {
		at := slices.IndexFunc(in.found, func(kept Finding) bool { return f.sameWay(kept) && in.sameStretch(f, kept) })
		if at < 0 {
			in.found = append(in.found, f)
			continue
		}
		in.found[at].Alternatives = append(in.found[at].Alternatives, Alternative{f.Kind, f.Confidence, f.Text})
	}
	in.sort()
}

// countOpen sums up the open slots before each slot.
func (in *inspector) countOpen() {
	in.openBefore = make([]int, len(in.g.y)+1)
	for i := range in.g.y {
		in.openBefore[i+1] = in.openBefore[i] + int(indicator(in.g.openSlot(i/in.g.perDay, i%in.g.perDay)))
	}
}

// extent is the slots of a finding, as indices [from, to).
func (in *inspector) extent(f Finding) (from, to int) {
	day, k := wallSlot(f.From, in.g.slot, in.g.loc)
	from = (day-in.g.firstDay)*in.g.perDay + k
	day, k = wallSlot(f.To.Add(-1), in.g.slot, in.g.loc)
	to = (day-in.g.firstDay)*in.g.perDay + k + 1
	return min(max(from, 0), len(in.g.y)), min(max(to, 0), len(in.g.y))
}

func (in *inspector) openIn(from, to int) int {
	return in.openBefore[max(from, to)] - in.openBefore[from]
}

// sameStretch reports that two findings are about the same open slots: half of the smaller one and
// a third of the larger one, or all but half of the smaller one where the kept one is the larger. A
// level shift speaks of the fortnight after it, so it is the same only as something as long.
func (in *inspector) sameStretch(f, kept Finding) bool {
	from, to := in.extent(f)
	keptFrom, keptTo := in.extent(kept)
	own, its := in.openIn(from, to), in.openIn(keptFrom, keptTo)
	both := in.openIn(max(from, keptFrom), min(to, keptTo))
	if max(from, keptFrom) >= min(to, keptTo) || 2*both < min(own, its) {
		return false
	}
	if f.Kind == LevelShift || kept.Kind == LevelShift {
		return 2*both >= max(own, its)
	}
	return 3*both >= max(own, its) || its >= own
}

// sameWay reports that two findings can explain each other: a lack does not explain a surplus.
func (f Finding) sameWay(o Finding) bool {
	way := func(f Finding) int {
		switch f.Kind {
		case EndsEarly, ImportGap, ClosedDay, Outage:
			return -1
		case Doubled, Spike, Incident:
			return 1
		case LevelShift:
			return cmp.Compare(f.Actual, f.Expected)
		case Frozen:
		}
		return 0 // a value that hangs may be high or low
	}
	a, b := way(f), way(o)
	return a == 0 || b == 0 || a == b
}

// joinMissing joins gaps and closed days between which no record lies: a day without records after
// hours without records was lost with them.
func (in *inspector) joinMissing() {
	last := -1 // the gap before, by index of out
	out := make([]Finding, 0, len(in.found))
	for _, f := range in.found {
		if f.Kind != ImportGap && f.Kind != ClosedDay {
			out = append(out, f)
			continue
		}
		if last >= 0 && (out[last].Kind == ImportGap || f.Kind == ImportGap) && in.noRecordBetween(out[last], f) {
			out[last] = in.joined(out[last], f)
			continue
		}
		last = len(out)
		out = append(out, f)
	}
	in.found = out
}

func (in *inspector) noRecordBetween(a, b Finding) bool {
	_, from := in.extent(a)
	to, _ := in.extent(b)
	return to >= from && !slices.Contains(in.raw[from:to], true)
}

// joined is two gaps as one. Of a closed day in it the closure stays as the other explanation.
func (in *inspector) joined(a, b Finding) Finding {
	f := Finding{
		Kind: ImportGap, From: a.From, To: b.To, Expected: a.Expected + b.Expected, Confidence: max(a.Confidence, b.Confidence),
		Handling: handling(ImportGap, in.g.opt.Missing), Alternatives: slices.Concat(a.Alternatives, b.Alternatives),
	}
	for _, part := range []Finding{a, b} {
		if part.Kind == ClosedDay {
			f.Alternatives = append(f.Alternatives, Alternative{ClosedDay, part.Confidence, part.Text})
		}
	}
	f.Text = fmt.Sprintf("%s has no record (about %.0f contacts) although the queue is usually open: lost in the import?", between(f.From, f.To), f.Expected)
	return f
}
