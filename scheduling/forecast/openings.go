package forecast

import (
	"math"
	"time"
)

// The hours of an event day. Hours from an opening on follow the opening, not the clock: sales
// that opened at midnight last year and open at 20:00 this year bring last year's first four
// hours to the evening before. All other hours keep their time of day.
const (
	openingLead   = 2 * time.Hour  // buyers gather before an opening
	openingFollow = 24 * time.Hour // the rush and the day after it
	splitContacts = 200            // contacts of a past day that count as much as the ordinary profile
)

// position is a slot counted from the first slot of day 0.
func (g *grid) position(at opening) int { return at.day*g.perDay + int(at.at/g.slot) }

// source is the slot of a past occurrence that answers slot k of day d, as a position; moved
// says that an opening and not the clock chose it.
func (g *grid) source(o, p occurrence, d, k int) (position int, moved bool) {
	here := d*g.perDay + k
	lead, follow := int(openingLead/g.slot), int(openingFollow/g.slot)
	nearest, found := 0, false
	for i, at := range o.opens {
		away := here - g.position(at)
		if away < -lead || away >= follow {
			continue
		}
		if !found || distance(here, g.position(at)) < distance(here, g.position(o.opens[nearest])) {
			nearest, found = i, true
		}
	}
	if found && len(p.opens) > 0 {
		return g.position(p.opens[o.answering(nearest, p)]) + here - g.position(o.opens[nearest]), true
	}
	return o.align(d, p)*g.perDay + k, false
}

// pastSlots writes the contacts that answer each slot of day d in a past occurrence, brought to
// the base of the aligned day. It fails when a slot of them has no record, because a day with
// gaps says nothing about shape.
func (v *view) pastSlots(o, p occurrence, d int, out []float64) (total float64, moved, ok bool) {
	g := v.e.g
	aligned := o.align(d, p)
	if aligned < 0 || aligned > v.at || aligned > g.lastDay() {
		return 0, false, false
	}
	level := v.base(p, aligned)
	for k, share := range v.split {
		out[k] = 0
		if share <= 0 {
			continue
		}
		at, byOpening := g.source(o, p, d, k)
		day := at / g.perDay
		if at < 0 || day > v.at || day > g.lastDay() {
			return 0, false, false
		}
		y := g.y[at]
		if math.IsNaN(y) {
			return 0, false, false
		}
		if day != aligned {
			y *= math.Exp(clip(level-v.base(p, day), mostGrowth))
		}
		moved = moved || byOpening
		out[k] = y
		total += y
	}
	return total, moved, total > 0
}

// openingShift is the log factor by which the hours that openings moved into or out of day d
// change what the aligned past day says.
func (v *view) openingShift(o, p occurrence, d int) float64 {
	if v.e.g.perDay == 1 || len(o.opens) == 0 || len(p.opens) == 0 {
		return 0
	}
	slots := make([]float64, v.e.g.perDay)
	v.baseSplit(d)
	total, moved, ok := v.pastSlots(o, p, d, slots)
	if !ok || !moved {
		return 0
	}
	past := v.e.total[o.align(d, p)]
	if math.IsNaN(past) || past <= 0 {
		return 0
	}
	return clip(math.Log(total/past), maxOpeningShift) * past / (past + splitContacts)
}

// maxOpeningShift bounds what moving hours may do to a day: ten times.
const maxOpeningShift = 2.3

// eventSplit blends the hours of past event days into the split of an event day: their own shape
// counts by its contacts, the ordinary profile by splitContacts.
func (v *view) eventSplit(d int) {
	if v.e.g.perDay == 1 {
		return
	}
	slots := make([]float64, v.e.g.perDay)
	for _, o := range v.e.occ {
		if !o.inside(d) {
			continue
		}
		for _, p := range v.e.occ {
			if p.family != o.family || p.first >= o.first {
				continue
			}
			total, _, ok := v.pastSlots(o, p, d, slots)
			if !ok {
				continue
			}
			for k, s := range v.split {
				if s > 0 {
					v.split[k] = (slots[k] + splitContacts*s) / (total + splitContacts)
				}
			}
		}
	}
}
