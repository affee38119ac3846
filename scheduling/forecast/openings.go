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

// eventSplit blends the hours of past event days into the split of an event day: first those a
// pool saw around openings, then the series' own, which count by their contacts, as the ordinary
// profile does by splitContacts.
func (v *view) eventSplit(d int) {
	if v.e.g.perDay == 1 {
		return
	}
	slots := make([]float64, v.e.g.perDay)
	for _, o := range v.e.occ {
		if !o.inside(d) {
			continue
		}
		for i := range v.e.taught {
			p := &v.e.taught[i]
			if total := v.pooledSlots(o, i, d, slots); p.family == o.family && p.first < o.first && total > 0 {
				v.blend(slots, total, poolWeight*total)
			}
		}
		for _, p := range v.e.occ {
			if p.family != o.family || p.first >= o.first {
				continue
			}
			if total, _, ok := v.pastSlots(o, p, d, slots); ok {
				v.blend(slots, total, splitContacts)
			}
		}
	}
}

// poolWeight is the weight of the ordinary profile against hours that a pool has seen.
const poolWeight = 0.25

func (v *view) blend(slots []float64, total, prior float64) {
	for k, s := range v.split {
		if s > 0 {
			v.split[k] = (slots[k] + prior*s) / (total + prior)
		}
	}
}

// pooledHours is the length of the curve of an opening: from openingLead before it to
// openingFollow after it, by the hour.
const pooledHours = int((openingLead + openingFollow) / time.Hour)

// openingHours is what this series lived through around each opening of an occurrence: contacts
// by the hour, and the contacts of an ordinary day that they are measured by. nil = not seen.
func (v *view) openingHours(o occurrence) (hours [][]float64, base []float64) {
	g := v.e.g
	if g.perDay < 24 || len(o.opens) == 0 {
		return nil, nil
	}
	per := g.perDay / 24
	hours, base = make([][]float64, len(o.opens)), make([]float64, len(o.opens))
	for j, at := range o.opens {
		first := g.position(at) - int(openingLead/g.slot)
		if at.full < 0 || at.full > min(v.at, g.lastDay()) || first < 0 || first+pooledHours*per > (g.lastDay()+1)*g.perDay {
			continue
		}
		curve := make([]float64, pooledHours)
		for i := range curve {
			for k := range per {
				if y := g.y[first+i*per+k]; !math.IsNaN(y) {
					curve[i] += y // a closed slot has no contacts
				}
			}
		}
		hours[j], base[j] = curve, math.Exp(v.base(o, at.full))
	}
	return hours, base
}

// pooledSlots writes, in units of an ordinary day, the slots of day d by the pooled hours around
// the openings that answer its own, and by the ordinary profile elsewhere; 0 = no such hours.
func (v *view) pooledSlots(o occurrence, i, d int, out []float64) (total float64) {
	p := &v.e.taught[i]
	if v.e.g.perDay < 24 || p.pool == nil || p.pool.hours == nil || len(o.opens) == 0 || len(p.opens) == 0 || p.first > v.at {
		return 0
	}
	g := v.e.g
	uplift := 1.0
	if at := o.align(d, p.occurrence) - p.first + leadDays; at >= 0 && at < leadDays+p.length+tailDays {
		uplift = math.Exp(v.curve(i)[at].uplift)
	}
	per, seen := max(1, g.perDay/24), false
	for k, share := range v.split {
		out[k] = share * uplift
		if hour, opening, ok := g.hourOfOpening(o, d, k); ok && share > 0 {
			answer := o.answering(opening, p.occurrence)
			if answer < len(p.pool.hours) && p.pool.hours[answer] != nil && p.opens[answer].full <= v.at {
				out[k] = p.pool.hours[answer][hour] / float64(per)
				seen = true
			}
		}
		total += out[k]
	}
	if !seen {
		return 0
	}
	return total
}

// hourOfOpening is the hour of the curve of the nearest opening that a slot lies in.
func (g *grid) hourOfOpening(o occurrence, d, k int) (hour, opening int, ok bool) {
	here, per := d*g.perDay+k, max(1, g.perDay/24)
	lead := int(openingLead / g.slot)
	best := math.MaxInt
	for j, at := range o.opens {
		away := here - g.position(at)
		if away >= -lead && away < int(openingFollow/g.slot) && distance(away, 0) < best {
			hour, opening, ok, best = (away+lead)/per, j, true, distance(away, 0)
		}
	}
	return hour, opening, ok
}
