package forecast

import (
	"fmt"
	"math"
)

// Missing records. A slot that nearly always has a record and now has none is unlikely by
// presence: evidence -log(1 - share of days with a record). A queue whose slot usually holds m
// contacts has none at all by chance with (1 + m v)^(-1/v), v the relative variance of its days
// (negative binomial): evidence log(1 + m v)/v. The larger of the two adds up over a run of
// missing slots.

// The shares of other days with a record from which a missing record is no habit. A slot of one
// weekday has few other days, so the share of even a perfect one is estimated low.
const (
	surePresence     = 0.9 // of days
	sureSlotPresence = 0.8 // of slots
)

func (in *inspector) gaps() {
	in.closedDays()
	limit := unlikely(in.slotsAYear())
	for d := range in.n {
		if !in.recorded(d) {
			continue
		}
		for k := 0; k < in.g.perDay; {
			if !in.missing(d, k) {
				k++
				continue
			}
			from, evidence, expected := k, 0.0, 0.0
			for ; k < in.g.perDay && (in.missing(d, k) || !in.open(d)[k]); k++ {
				if in.open(d)[k] {
					more, m := in.absence(d, k)
					evidence, expected = evidence+more, expected+m
				}
			}
			to := k
			for !in.open(d)[to-1] {
				to--
			}
			in.reportGap(d, from, to, expected, evidence, limit)
		}
	}
	in.lateEnd(limit)
}

// missing reports an open slot that has ended without a record of its own.
func (in *inspector) missing(d, k int) bool {
	i := d*in.g.perDay + k
	if in.raw[i] || in.g.isVoid(i) || !in.open(d)[k] || !in.g.ended(d, k) {
		return false
	}
	_, real := in.g.instant(d, k)
	return real
}

// absence is the evidence that a missing slot should have had a record, and its contacts.
func (in *inspector) absence(d, k int) (evidence, expected float64) {
	w := in.g.weekday(d)
	q := in.presentShare(d, k)
	if !math.IsNaN(in.normal[d]) {
		expected = in.normal[d] * in.rough[w][k]
	}
	if q < sureSlotPresence {
		return 0, expected
	}
	return max(-math.Log(1-q), in.noneAtAll(expected)), expected
}

// noneAtAll is the evidence against no contact where m are expected; slots vary a little more
// than days.
func (in *inspector) noneAtAll(m float64) float64 {
	const slotVariance, enough = 0.04, 30
	v := in.offSD*in.offSD + slotVariance
	return min(math.Log1p(m*v)/v, enough)
}

func (in *inspector) reportGap(d, from, to int, expected, evidence, limit float64) {
	if evidence < limit || in.g.closed(d) {
		return
	}
	base := d * in.g.perDay
	f := Finding{Kind: ImportGap, From: in.start(base + from), To: in.end(base + to - 1), Expected: expected}
	where := between(f.From, f.To)
	f.Text = fmt.Sprintf("%s has no record although the queue was open before or after on that day and records are usual then (about %.0f contacts): lost in the import?", where, expected)
	if to-from <= int(max(1, 60/float64(in.g.slotMinutes()))) && in.mayChangeClock(d, base+from, false) {
		f.Text = fmt.Sprintf("%s has no record: on this night clocks go forward in many countries, then the hour does not exist.", where)
	}
	in.report(f, evidence, limit)
}

// closedDays reports whole days without a record on weekdays that are open, where the days
// before and after nearly all have one: a queue that sleeps now and then is no finding.
func (in *inspector) closedDays() {
	limit := unlikely(365)
	for d := 0; d < in.n-1; d++ {
		if !in.silent(d) {
			continue
		}
		from, to := d, d+1
		for end := to; end < in.n-1 && (in.silent(end) || in.g.openCount[in.g.weekday(end)] == 0); end++ {
			if in.silent(end) {
				to = end + 1
			}
		}
		d = to
		q := in.presence(from, to)
		if q < surePresence || to > in.lastKnown() {
			continue
		}
		evidence, expected, days := 0.0, 0.0, 0
		for p := from; p < to; p++ {
			if !in.silent(p) {
				continue
			}
			days++
			more := -math.Log(1 - q)
			if m := in.normal[p]; !math.IsNaN(m) {
				more = max(more, in.noneAtAll(m))
				expected += m
			}
			evidence += more
		}
		if evidence >= limit {
			in.reportClosed(from, to, days, expected, evidence, limit)
		}
	}
}

// silent reports a day that should be open, has passed and has no record, for no known reason.
func (in *inspector) silent(d int) bool {
	return in.g.openCount[in.g.weekday(d)] > 0 && !in.g.offWork(d) && !in.recorded(d) && !in.isVoidDay(d)
}

// isVoidDay reports a day of which a person took everything out.
func (in *inspector) isVoidDay(d int) bool {
	for k := range in.g.perDay {
		if in.open(d)[k] && !in.g.isVoid(d*in.g.perDay+k) {
			return false
		}
	}
	return true
}

// presence is the share of open days with a record in the 13 weeks on both sides of [from, to).
func (in *inspector) presence(from, to int) float64 {
	seen, all := 0.5, 1.0
	for d := max(0, from-91); d < min(in.n-1, to+91); d++ {
		if (d < from || d >= to) && in.g.openCount[in.g.weekday(d)] > 0 && !in.g.offWork(d) {
			all++
			seen += indicator(in.recorded(d))
		}
	}
	return seen / all
}

func (in *inspector) reportClosed(from, to, days int, expected, evidence, limit float64) {
	f := Finding{Kind: ClosedDay, From: in.start(from * in.g.perDay), To: in.start(to * in.g.perDay), Expected: expected}
	where := between(f.From, f.To)
	if expected > 0 {
		where += fmt.Sprintf(" (about %.0f contacts)", expected)
	}
	f.Text = where + " has no record at all although this weekday is open: a closed day that is in no holiday table, or lost records?"
	if days > 3 {
		f.Kind = ImportGap
		f.Text = fmt.Sprintf("%s: no record on %d open days in a row: lost in the import?", where, days)
		f.Alternatives = []Alternative{{ClosedDay, confidence(evidence, limit), fmt.Sprintf("%s: closed for %d open days, in no holiday table.", where, days)}}
	}
	in.report(f, evidence, limit)
}

// lateEnd reports open slots without a record between the last one and the origin.
func (in *inspector) lateEnd(limit float64) {
	g := in.g
	last := -1
	for i := len(in.raw) - 1; i >= 0 && last < 0; i-- {
		if in.raw[i] {
			last = i
		}
	}
	if in.presence(in.lastKnown()+1, in.n) < surePresence {
		return
	}
	var evidence, expected float64
	for i := last + 1; i < len(in.raw); i++ {
		if d, k := i/g.perDay, i%g.perDay; in.missing(d, k) && !g.closed(d) {
			more, m := in.absence(d, k)
			evidence, expected = evidence+more, expected+m
		}
	}
	if evidence < limit {
		return
	}
	f := Finding{Kind: EndsEarly, From: in.end(last), To: g.opt.Origin, Expected: expected}
	f.Text = fmt.Sprintf("The last record ends %s, the forecast starts %s: the open hours between have no record.", stamp(f.From.In(g.loc)), stamp(f.To.In(g.loc)))
	in.found = dropInside(in.found, f)
	in.report(f, evidence, limit)
}

// dropInside removes gaps that a later finding swallows.
func dropInside(found []Finding, f Finding) []Finding {
	out := found[:0]
	for _, other := range found {
		if other.From.Before(f.From) || other.To.After(f.To) {
			out = append(out, other)
		}
	}
	return out
}
