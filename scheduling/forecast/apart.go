package forecast

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/scheduling"
)

// A sum learns its weights, shares and level from days on which all its children existed. A child
// that came or went in the meantime leaves a step in the sum that no demand made: the sum would
// forecast too little or too much, and the children would be bent to it. Such a child stays outside
// of the sum and of the reconciliation; its own forecast is added on top.
const (
	settledDays = shareDays // a birth or an end further back than a share looks is history
	trialDays   = 14        // no forecast is rehearsed before a sum has these days
	goneDays    = 14        // of silence: every weekday missed twice
	stoppedDays = 7         // of silence: every weekday missed
)

// life is when a series had contacts; days since 1970.
type life struct {
	born, last int // first and last day with contacts
	gap        int // longest run of days without contacts between them
}

// life reads the contacts before the origin; zeros before the first and after the last contact say
// the same as no records, because exports fill up with zeros.
func (e *engine) life(s Series) life {
	per := int(24 * time.Hour / s.Slot)
	first := unixDay(s.First)
	day, slot := wallSlot(e.opt.Origin, s.Slot, s.zone())
	l := life{born: math.MaxInt, last: math.MinInt}
	for i, v := range s.Values[:min(len(s.Values), max(0, (day-first)*per+slot))] {
		if !(v > 0) {
			continue
		}
		d := first + i/per
		if l.born == math.MaxInt {
			l.born = d
		} else {
			l.gap = max(l.gap, d-l.last-1)
		}
		l.last = d
	}
	return l
}

// idle reports a series without a single contact.
func (l life) idle() bool { return l.born > l.last }

// setApart picks the children that are learnt together: those that lived from the first rehearsal,
// or for the settled days, to the end of the data. When there are none, all are.
func (n *node) setApart() {
	n.life = life{born: math.MaxInt, last: math.MinInt}
	for _, k := range n.all {
		n.life.born, n.life.last, n.life.gap = min(n.life.born, k.life.born), max(n.life.last, k.life.last), max(n.life.gap, k.life.gap)
	}
	for _, k := range n.all {
		if !n.newborn(k) && n.silentDays(k) == 0 && n.stoppedDays(k) == 0 {
			n.kids = append(n.kids, k)
		}
	}
	if len(n.kids) == 0 || !slices.ContainsFunc(n.kids, func(k *node) bool { return !k.life.idle() }) {
		n.kids = n.all
	}
}

// newborn reports a child that came after the first rehearsal of the sum and lately.
func (n *node) newborn(k *node) bool {
	return !k.life.idle() && k.life.born >= n.life.born+trialDays && k.life.born > n.life.last-settledDays
}

// silentDays is how long a child that ended lately has been silent; 0 = it has not ended. A child
// that was silent as long before has not.
func (n *node) silentDays(k *node) int {
	silent := n.life.last - k.life.last
	if k.life.idle() || silent < goneDays || silent > settledDays || silent <= k.life.gap {
		return 0
	}
	return silent
}

// stoppedDays is how long a child has been silent that may have ended: a week to a fortnight, which is
// three times as long as it ever was before; 0 = it has not stopped.
func (n *node) stoppedDays(k *node) int {
	silent := n.life.last - k.life.last
	if k.life.idle() || silent < stoppedDays || silent >= goneDays || silent < 3*(k.life.gap+1) {
		return 0
	}
	return silent
}

// sleep makes the series below a node that has ended forecast nothing.
func (n *node) sleep(days int) {
	if n.engine != nil {
		n.engine.gone = days
	}
	for _, k := range n.all {
		k.sleep(days)
	}
}

// putToSleep finds what has ended in a whole tree.
func (n *node) putToSleep() {
	for _, k := range n.all {
		if days := n.silentDays(k); days > 0 && !slices.Contains(n.kids, k) {
			k.sleep(days)
		} else {
			k.putToSleep()
		}
	}
}

// addApart opens a sum where a child outside of it is open, also one further below, widens its
// spread by the child's own, and tells.
func (n *node) addApart() {
	for _, k := range n.all {
		if k.draft == nil {
			continue
		}
		inside := slices.Contains(n.kids, k)
		if !inside && n.newborn(k) {
			k.draft.result.Doubts = append(k.draft.result.Doubts, fmt.Sprintf(
				"has contacts for %s only, while others in the batch go back %s: forecast from its own records and added to the sum, which is learned without it",
				inDays(n.life.last-k.life.born+1), inDays(n.life.last-n.life.born+1)))
		}
		if silent := n.stoppedDays(k); silent > 0 && !inside {
			k.draft.result.Doubts = append(k.draft.result.Doubts, fmt.Sprintf(
				"no contacts for the last %s while others in the batch have them, and never a third as long before: forecast from its own records and added to the sum, which is learned without it; after two weeks it is taken as ended",
				inDays(silent)))
		}
		for i := range k.draft.days {
			day := &k.draft.days[i]
			m := day.total()
			switch {
			case !inside:
				n.draft.join(day, k.draft.spread.dayVariance(m, day.lead)+day.extra*m*m)
			case day.apart > 0:
				n.draft.join(day, day.apart)
			}
		}
	}
}

// join makes room for a day of a child outside of the sum; its means come with takeSlots.
func (d *draft) join(child *draftDay, variance float64) {
	at, ok := slices.BinarySearchFunc(d.days, child.unix, func(day draftDay, unix int) int { return day.unix - unix })
	if !ok {
		empty := *child
		empty.slots, empty.nth, empty.extra, empty.factor, empty.apart = nil, nil, 0, 1, 0
		d.days = slices.Insert(d.days, at, empty)
	}
	day := &d.days[at]
	day.whole = day.whole && child.whole
	for i, p := range child.slots {
		j, known := slices.BinarySearchFunc(day.slots, p.Start, func(q scheduling.Point, t time.Time) int { return q.Start.Compare(t) })
		if !known {
			day.slots = slices.Insert(day.slots, j, scheduling.Point{Start: p.Start})
			day.nth = slices.Insert(day.nth, j, child.nth[i])
		}
	}
	day.apart += variance
}
