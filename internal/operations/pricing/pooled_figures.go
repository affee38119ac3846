package pricing

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/staffing/pool"
)

// Pooled is what agents who share queues need, beside what the queues need when each has its own. Hours are
// head-hours on the queues; service is simulated at the level of the scenario.
type Pooled struct {
	PoolHours    float64       `json:"pool_hours"`
	EachHours    float64       `json:"each_hours" doc:"what method each staffs for the same days and level, where shared seats raise no queue"`
	PartsHours   float64       `json:"parts_hours" doc:"the sum of the queues alone, each with every seat that is promised"`
	SeatHours    float64       `json:"seat_hours" doc:"of parts_hours, those that only seats ask for: beyond what method each staffs"`
	SavedHours   float64       `json:"saved_hours" doc:"parts_hours less pool_hours"`
	SavedShare   float64       `json:"saved_share" doc:"of parts_hours"`
	FurtherHours float64       `json:"further_hours"`  // of PoolHours, by people beyond those who know the queues
	Verified     bool          `json:"verified"`       // the pool on every day, by simulation on fresh numbers
	Parts        bool          `json:"parts_verified"` // and so the queues alone; else they would need even more
	Days         []PooledDay   `json:"days"`
	Queues       []PooledQueue `json:"queues"`
}

// PooledDay is one day of a pool.
type PooledDay struct {
	Date         calendar.Date `json:"date"`
	PoolHours    float64       `json:"pool_hours"`
	EachHours    float64       `json:"each_hours"`
	PartsHours   float64       `json:"parts_hours"`
	SeatHours    float64       `json:"seat_hours"`
	FurtherHours float64       `json:"further_hours"`
	Verified     bool          `json:"verified"` // every half hour of the pool keeps its goals on fresh numbers
	Parts        bool          `json:"parts_verified"`
}

// PooledQueue is the simulated share within the limit, over all days, weighted by contacts. Low bounds it at 95 %.
type PooledQueue struct {
	Queue ids.Queue     `json:"queue"`
	Goal  float64       `json:"goal"` // of the first day
	Pool  PooledService `json:"pool"`
	Parts PooledService `json:"parts"`
}

// PooledService is one side of a PooledQueue.
type PooledService struct {
	Contacts float64 `json:"contacts"`
	Share    float64 `json:"share"`
	Low      float64 `json:"low"`
	Abandon  float64 `json:"abandon"`
	ShortOf  int     `json:"short_of"` // slots of half an hour below the goal by more than noise
}

func pooledFigures(days []*poolDay, each map[ids.Queue]map[time.Time]int) *Pooled {
	out := &Pooled{Verified: true, Parts: true, Days: []PooledDay{}, Queues: []PooledQueue{}}
	sums := map[ids.Queue]*[2]serviceSum{}
	for _, d := range days {
		line := PooledDay{Date: d.date, PoolHours: d.plan.Pool.Hours, PartsHours: d.plan.Parts.Hours, Verified: d.plan.Pool.Verified, Parts: d.plan.Parts.Verified}
		line.EachHours, line.SeatHours = d.beside(each)
		for _, g := range d.plan.Groups {
			if strings.HasPrefix(g.Group, further) {
				line.FurtherHours += g.Hours
			}
		}
		out.Days = append(out.Days, line)
		out.PoolHours += line.PoolHours
		out.EachHours += line.EachHours
		out.PartsHours += line.PartsHours
		out.SeatHours += line.SeatHours
		out.FurtherHours += line.FurtherHours
		out.Verified, out.Parts = out.Verified && line.Verified, out.Parts && line.Parts
		for _, q := range d.plan.Queues {
			if sums[q.Queue] == nil {
				sums[q.Queue] = &[2]serviceSum{}
				out.Queues = append(out.Queues, PooledQueue{Queue: q.Queue, Goal: q.Goal})
			}
			sums[q.Queue][0].add(q.Pool)
			sums[q.Queue][1].add(q.Parts)
		}
	}
	for i := range out.Queues {
		s := sums[out.Queues[i].Queue]
		out.Queues[i].Pool, out.Queues[i].Parts = s[0].service(), s[1].service()
	}
	slices.SortFunc(out.Queues, func(a, b PooledQueue) int { return strings.Compare(string(a.Queue), string(b.Queue)) })
	if out.SavedHours = out.PartsHours - out.PoolHours; out.PartsHours > 0 {
		out.SavedShare = out.SavedHours / out.PartsHours
	}
	return out
}

// serviceSum adds up the service of days that were simulated independently.
type serviceSum struct {
	contacts, within, left, spread float64 // spread: sum of the squared half widths, in contacts
	short                          int
}

func (s *serviceSum) add(x pool.Service) {
	half := x.Contacts * (x.Share - x.Low)
	s.contacts += x.Contacts
	s.within += x.Contacts * x.Share
	s.left += x.Contacts * x.Abandon
	s.spread += half * half
	s.short += x.ShortOf
}

func (s serviceSum) service() PooledService {
	out := PooledService{Contacts: s.contacts, Share: 1, Low: 1, ShortOf: s.short}
	if s.contacts > 0 {
		out.Share, out.Abandon = s.within/s.contacts, s.left/s.contacts
		out.Low = max(0, out.Share-math.Sqrt(s.spread)/s.contacts)
	}
	return out
}

// beside are the hours of method each in a day, and those of the queues alone that only seats ask for.
func (d *poolDay) beside(each map[ids.Queue]map[time.Time]int) (hours, seats float64) {
	most := func(queue ids.Queue, half time.Time) (heads int) {
		for at := half; at.Before(half.Add(poolSlot)); at = at.Add(calendar.Slot) {
			heads = max(heads, each[queue][at])
			hours += float64(each[queue][at]) * calendar.Slot.Hours()
		}
		return heads
	}
	promised := map[ids.Queue][]pool.Seat{}
	for _, q := range d.problem.Queues {
		promised[q.Curve.Queue] = q.Seats
	}
	for _, s := range d.plan.Slots {
		at := s.Start.UTC()
		for _, a := range s.Alone {
			own, all := most(a.Queue, at), 0
			for _, seat := range promised[a.Queue] {
				if seat.Range.Contains(at) {
					all += seat.Count
				}
			}
			seats += float64(max(0, min(a.Heads, all)-own)) * poolSlot.Hours()
		}
	}
	return hours, seats
}
