package leave

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

// Coverage is what is needed and who is there, by queue and slot, for asking what one change costs.
type Coverage struct {
	short float64 // yuan per missing head-hour where a need has no value
	slots map[ids.Queue][]slot
}

type slot struct {
	start  time.Time
	length time.Duration
	target float64 // heads to roster
	value  float64 // yuan per missing head and slot; without a curve
	there  float64 // heads at work
	need   scheduling.Need
}

// NewCoverage counts the work activities of the shifts against the requirements. A need asks for the
// heads that must be rostered (Need.Paid when it is more than Heads, as the optimiser reads it); one
// without a value costs shortYuan per missing head and hour. An agent counts for the part of a slot
// that it works.
func NewCoverage(demand []scheduling.Requirement, shifts []scheduling.Shift, shortYuan float64) *Coverage {
	c := &Coverage{short: shortYuan, slots: map[ids.Queue][]slot{}}
	for _, r := range demand {
		list := c.slots[r.Queue]
		for _, n := range r.Needs {
			s := slot{start: n.Start, length: r.Slot, target: max(float64(n.Heads), math.Round(n.Paid)), value: n.Value, need: n}
			if s.value == 0 {
				s.value = shortYuan * r.Slot.Hours()
			}
			list = append(list, s)
		}
		slices.SortStableFunc(list, func(a, b slot) int { return a.start.Compare(b.start) })
		c.slots[r.Queue] = list
	}
	for _, sh := range shifts {
		c.work(sh, 1, func(s *slot, heads float64) { s.there += heads })
	}
	return c
}

// lost is what the slot loses with some heads at work, in yuan; along a curve the parts of heads that are ready of them count.
func (s *slot) lost(there float64) float64 {
	if len(s.need.Worth) == 0 {
		return s.value * max(0, s.target-max(0, there))
	}
	all := float64(s.need.Heads)
	return s.need.Saved(all) - s.need.Saved(all*there/s.target)
}

// work visits every slot that a shift works in, with the heads that it is there, times sign.
func (c *Coverage) work(sh scheduling.Shift, sign float64, visit func(s *slot, heads float64)) {
	for _, a := range sh.Activities {
		list := c.slots[a.Queue]
		if a.Kind != scheduling.Work || len(list) == 0 {
			continue
		}
		i, _ := slices.BinarySearchFunc(list, a.Start, func(s slot, t time.Time) int { return s.start.Add(s.length).Compare(t.Add(1)) })
		for ; i < len(list) && list[i].start.Before(a.End); i++ {
			r := calendar.Range{Start: list[i].start, End: list[i].start.Add(list[i].length)}
			if share := r.Overlap(calendar.Range{Start: a.Start, End: a.End}); share > 0 {
				visit(&list[i], sign*float64(share)/float64(list[i].length))
			}
		}
	}
}

// DayLoss is what a change loses on one day; below 0 it gains.
type DayLoss struct {
	Date calendar.Date `json:"date"`
	Yuan float64       `json:"yuan"`
}

// Lost is what an effect costs in coverage, by day of the slots: each head that is missing more costs
// what its slot says, the more are missing the more. Work that no requirement asks for is worth nothing.
func (c *Coverage) Lost(e Effect, zone *time.Location) []DayLoss {
	change := map[*slot]float64{}
	for _, s := range e.Drop {
		c.work(s, -1, func(s *slot, heads float64) { change[s] += heads })
	}
	for _, s := range e.Add {
		c.work(s, 1, func(s *slot, heads float64) { change[s] += heads })
	}
	changed := make([]*slot, 0, len(change))
	for s := range change {
		changed = append(changed, s)
	}
	slices.SortFunc(changed, func(a, b *slot) int {
		return cmp.Or(a.start.Compare(b.start), cmp.Compare(a.lost(a.there), b.lost(b.there)), cmp.Compare(a.lost(a.there+change[a]), b.lost(b.there+change[b])))
	})
	var out []DayLoss
	for _, s := range changed {
		day := calendar.DateOf(s.start, zone)
		if n := len(out); n == 0 || out[n-1].Date != day {
			out = append(out, DayLoss{Date: day})
		}
		out[len(out)-1].Yuan += s.lost(s.there+change[s]) - s.lost(s.there)
	}
	return out
}

// LostYuan is the sum of Lost.
func (c *Coverage) LostYuan(e Effect, zone *time.Location) (sum float64) {
	for _, d := range c.Lost(e, zone) {
		sum += d.Yuan
	}
	return sum
}

// Known reports that some requirement asks for work on a day.
func (c *Coverage) Known(d calendar.Date, zone *time.Location) bool {
	day := calendar.Day(d, zone)
	for _, list := range c.slots {
		if slices.ContainsFunc(list, func(s slot) bool { return day.Contains(s.start) }) {
			return true
		}
	}
	return false
}
