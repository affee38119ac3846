package staffing

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/scheduling"
)

// A slot of a chat queue is followed rather than sized on its own when the conversations that the slot
// before leaves open or waiting exceed what its own steady state holds, averaged over the slot, by more than
// excess of it and by more than half of what one agent holds. Below that its own arrivals decide.
const excess = 0.05

// planStride is the longest stride of a followed slot in seconds; against longestStride it moves shares by 0.1
// percentage points.
const planStride = 30.0

// follow re-sizes the slots that are not on their own. all is sized in steady state.
func (s *sizer) follow(all []sized) {
	points := s.in.Curve.Points
	rushes := s.rushes()
	var f *flow // the queue at the end of the slot before; nil while slots are on their own
	for i := range all {
		adjoins := i > 0 && points[i].Start.Equal(points[i-1].Start.Add(s.in.Curve.Slot))
		if !adjoins {
			f = nil
		}
		rush := rushes[i]
		if rush == nil && !s.burdened(all, i, adjoins, f) {
			f = nil
			continue
		}
		if f == nil {
			f = s.enter(all, i, adjoins)
			f.longest = planStride
		}
		f = s.followSlot(&all[i], f, rush)
	}
}

// rushes gives every slot its bursts and keeps the volume: what a rush takes is not spread evenly.
func (s *sizer) rushes() map[int][]Rush {
	out := map[int][]Rush{}
	for _, r := range s.in.Rushes {
		for i, p := range s.in.Curve.Points {
			if !r.At.Before(p.Start) && r.At.Before(p.Start.Add(s.in.Curve.Slot)) {
				out[i] = append(out[i], r)
			}
		}
	}
	return out
}

// held is the mean number of conversations in the steady state of a slot.
func held(r Reached) float64 { return r.Open*float64(r.Heads) + max(0, r.Queue) }

// burdened reports that the slot before weighs on slot i.
func (s *sizer) burdened(all []sized, i int, adjoins bool, f *flow) bool {
	if !adjoins {
		return false
	}
	before, own := held(all[i-1].reached), held(all[i].reached)
	if f != nil {
		before = f.openNow() + f.queued()
	}
	if before <= own || all[i].reached.Heads == 0 {
		return f != nil && before > own
	}
	// A conversation lasts held/arrivals (Little), so that is how long the excess takes to go.
	lasts := s.in.Curve.Slot.Seconds()
	if c := all[i].reached.Contacts; c > 0 {
		lasts *= min(1, own/c)
	}
	perHead := own / float64(all[i].reached.Heads)
	return (before-own)*lasts > max(excess*own, perHead/2, 0.5)*s.in.Curve.Slot.Seconds()
}

// enter is the flow at the start of slot i: at rest in the slot before, or empty.
func (s *sizer) enter(all []sized, i int, adjoins bool) *flow {
	if !adjoins || all[i-1].reached.Heads == 0 {
		r := all[i].reached
		return newFlow(s.table(r.Contacts, r.HandleTime))
	}
	r := all[i-1].reached
	return settledFlow(s.table(r.Contacts, r.HandleTime), r.Heads, r.Contacts/s.in.Curve.Slot.Seconds())
}

// followSlot finds the fewest heads with which the slot reaches the target after what came before.
func (s *sizer) followSlot(g *sized, f *flow, rushes []Rush) *flow {
	slot, note := s.daySlot(g.reached, rushes)
	if waiting := f.queued(); waiting >= 0.5 {
		note += fmt.Sprintf(", %.0f waiting", waiting)
	}
	if open := f.openNow(); open >= 0.5 {
		note += fmt.Sprintf(", %.0f open", open)
	}
	t := s.in.Target
	pass := func(heads int, table *chatTable) (*flow, SlotPerformance) {
		next, sum := f.fork(), flowSum{}
		next.first, next.round = table.first, table.round
		slot.Heads = heads
		next.slot(slot, slot.Bursts, &sum)
		return next, next.performance(sum, slot)
	}
	load := s.table(g.reached.Contacts, g.reached.HandleTime)
	tried, end, p := -1, (*flow)(nil), SlotPerformance{}
	met := func(heads int) bool {
		end, p = pass(heads, load)
		tried = heads
		return meets(p.ChatPerformance, t.Share, t.OccupancyCap, t.AbandonCap)
	}
	// A slot keeps its steady heads also where what came before lets fewer do, which is on the safe side; what they do not serve
	// adds to them.
	steady := g.heads
	if g.reached.Contacts > 0 && !met(steady) {
		if heads, ok := leastWhole(steady+1, MaxAgents/t.Concurrency, met); ok {
			g.heads = heads
		}
	}
	s.floor = s.promised(g.reached.Start)
	used := s.used(g.heads)
	if tried != used {
		end, p = pass(used, load)
	}
	contacts, handle := g.reached.Contacts, g.reached.HandleTime
	start := g.reached.Start
	var fig figures
	fig[figShare], fig[figAbandon], fig[figOccupancy], fig[figWait] = p.FirstWithin, p.Abandon, p.Occupancy, p.ASASeconds
	fig[figRound], fig[figPlatform], fig[figFirst], fig[figResponse] = p.RoundWithin, p.PlatformWithin, p.FirstResponseSeconds, p.ResponseSeconds
	fig[figOpen], fig[figQueue], fig[figFewer] = p.Open, p.AverageQueue, p.FirstWithin
	var below few
	if contacts == 0 {
		fig[figShare], fig[figFewer] = 1, 1
	} else if t.PenaltyPerMissedContact > 0 && used > 0 {
		table := load.deciding()
		share := func(n int) float64 {
			_, p := pass(n, table)
			return p.FirstWithin
		}
		parts := worthParts
		if len(rushes) == 0 {
			parts = halfWorth
		}
		fig[figFewer], below = share(used-1), s.few(used, parts, share)
	}
	*g = s.sized(contacts, handle, g.heads, fig)
	g.reached.Start, g.reached.Carried, g.few = start, true, below
	g.reached.Met = g.reached.Met || meets(p.ChatPerformance, t.Share, t.OccupancyCap, t.AbandonCap)
	if t.PenaltyPerMissedContact > 0 && contacts > 0 && used > 0 {
		g.reached.Fewer = g.fewer
	}
	g.carried = fmt.Sprintf("; followed from the slot before%s: on its own %d", note, steady)
	return end
}

// daySlot is a slot as the day model reads it. A rush takes its share of the volume: its fading flow is cut
// at the end of the slot and what comes is scaled to the share.
func (s *sizer) daySlot(r Reached, rushes []Rush) (DaySlot, string) {
	slot := DaySlot{Contacts: r.Contacts, HandleTime: r.HandleTime}
	note := ""
	for _, rush := range rushes {
		after := rush.At.Sub(r.Start)
		come := -math.Expm1(-float64(s.in.Curve.Slot-after) / float64(rush.Decay))
		slot.Contacts -= rush.Share * r.Contacts
		slot.Bursts = append(slot.Bursts, Burst{After: after, Contacts: rush.Share * r.Contacts / come, Decay: rush.Decay})
		note += fmt.Sprintf(", %g%% of the contacts in a rush of %s from %s on", 100*rush.Share, length(rush.Decay), rush.At.Format("15:04"))
	}
	slot.Contacts = max(0, slot.Contacts)
	return slot, note
}

// checkRushes reports rushes that no slot can hold.
func (in Input) checkRushes(add func(path string, value any, problem string)) {
	if len(in.Rushes) > 0 && in.Target.Concurrency <= 1 {
		add("rushes", len(in.Rushes), "are for chats: set target.concurrency to 2 or more")
	}
	share := map[time.Time]float64{}
	for i, r := range in.Rushes {
		path := fmt.Sprintf("rushes[%d]", i)
		if !(r.Share > 0 && r.Share <= 1) {
			add(path+".share", r.Share, "must be a share above 0, at most 1, of the slot's contacts")
		}
		if r.Decay < time.Second || r.Decay > 24*time.Hour {
			add(path+".decay", r.Decay, "must be from 1s to 24h")
		}
		at := slices.IndexFunc(in.Curve.Points, func(p scheduling.Point) bool {
			return !r.At.Before(p.Start) && r.At.Before(p.Start.Add(in.Curve.Slot))
		})
		if at < 0 {
			add(path+".at", r.At.Format(time.RFC3339), "must lie in a slot of the curve")
			continue
		}
		start := in.Curve.Points[at].Start
		if share[start] += r.Share; share[start] > 1+1e-9 {
			add(path+".share", r.Share, "makes the rushes of one slot take more than all its contacts")
		}
	}
}
