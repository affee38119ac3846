package staffing

import (
	"container/heap"
	"fmt"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

// Validate reports every bad field of the input at once.
func (in DeferredInput) Validate() error {
	var bad []fault.Field
	add := func(path string, value any, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: fmt.Sprint(value), Problem: problem})
	}
	if in.Slot < time.Minute || in.Slot > 24*time.Hour {
		add("slot", in.Slot, "must be 1m to 24h")
	}
	if !(in.UsableIdle >= 0 && in.UsableIdle <= 1) {
		add("usable_idle", in.UsableIdle, "must be a share from 0 to 1")
	}
	for i, s := range in.Slots {
		path := fmt.Sprintf("slots[%d]", i)
		if i > 0 && !in.Slots[i-1].Start.Before(s.Start) {
			add(path+".start", s.Start.Format(time.RFC3339), "is not after the slot before it")
		}
		if !(s.LiveHeads >= 0 && s.LiveHeads <= MaxAgents) {
			add(path+".live_heads", s.LiveHeads, fmt.Sprintf("must be 0 to %d", MaxAgents))
		}
		if !(s.Occupancy >= 0 && s.Occupancy <= 1) {
			add(path+".occupancy", s.Occupancy, "must be a share from 0 to 1")
		}
		if s.MaxExtra < 0 || s.MaxExtra > MaxAgents {
			add(path+".max_extra", s.MaxExtra, fmt.Sprintf("must be 0 to %d", MaxAgents))
		}
	}
	work := 0.0
	for i, t := range in.Tickets {
		path := fmt.Sprintf("tickets[%d]", i)
		if t.Arrive < 0 || t.Arrive >= len(in.Slots) {
			add(path+".arrive_slot", t.Arrive, fmt.Sprintf("must be one of the %d slots, from 0", len(in.Slots)))
		}
		if t.Deadline < t.Arrive || t.Deadline >= len(in.Slots) {
			add(path+".deadline_slot", t.Deadline, fmt.Sprintf("must be arrive_slot or later, below %d: plan up to the last deadline", len(in.Slots)))
		}
		if !(t.Count >= 0 && t.Count <= 1e9) {
			add(path+".count", t.Count, "must be 0 to 1e9")
		}
		if !(t.HandleTime > 0 && t.HandleTime <= 86400) {
			add(path+".handle_time_s", t.HandleTime, "must be above 0 s, at most 24 h")
		}
		work += t.Count * t.HandleTime
	}
	if work > 1e12 {
		add("tickets", work, "make more than 1e12 s of work in all")
	}
	return fault.Bad("staffing.deferred", "deferred work", bad)
}

// deadlineHeap holds open batches, the earliest deadline first, of equal deadlines the first in the input.
type deadlineHeap struct{ items openBatches }

func (h *deadlineHeap) push(deadline, batch int) { heap.Push(&h.items, openBatch{deadline, batch}) }
func (h *deadlineHeap) first() int               { return h.items[0].batch }
func (h *deadlineHeap) pop()                     { heap.Pop(&h.items) }

type openBatch struct{ deadline, batch int }

type openBatches []openBatch

func (b openBatches) Len() int { return len(b) }
func (b openBatches) Less(i, j int) bool {
	return b[i].deadline < b[j].deadline || b[i].deadline == b[j].deadline && b[i].batch < b[j].batch
}
func (b openBatches) Swap(i, j int) { b[i], b[j] = b[j], b[i] }
func (b *openBatches) Push(x any)   { *b = append(*b, x.(openBatch)) }
func (b *openBatches) Pop() any {
	last := (*b)[len(*b)-1]
	*b = (*b)[:len(*b)-1]
	return last
}
