package staffing

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling"
)

// DeferredInput is work that may wait until a deadline (after-sales tickets 售后工单) beside live
// work that may not. Slots are numbered from 0; the caller turns business hours into slot numbers.
type DeferredInput struct {
	Slot    time.Duration  `json:"slot"` // length of every slot
	Slots   []DeferredSlot `json:"slots"`
	Tickets []TicketBatch  `json:"tickets"`
	// UsableIdle is the share of the live agents' idle time that tickets can really use, [0,1]: an idle agent
	// is called back to a chat within seconds, and a ticket cannot be cut that fine.
	UsableIdle float64 `json:"usable_idle"`
	// LevelPeak asks for the least extra heads in the worst slot first, and for the least sum under that
	// peak second. Otherwise only the sum counts, and extra heads stand as late as the deadlines allow.
	LevelPeak bool `json:"level_peak"`
}

// DeferredSlot is what live work leaves in one slot.
type DeferredSlot struct {
	Start     time.Time `json:"start"`
	LiveHeads float64   `json:"live_heads"` // planned for live work
	Occupancy float64   `json:"occupancy"`  // share of their time that live work takes, [0,1]
	MaxExtra  int       `json:"max_extra"`  // most heads that may be added, e.g. free seats; 0 = closed to tickets' own heads
}

// TicketBatch is tickets of one slot with one deadline.
type TicketBatch struct {
	Kind       string  `json:"kind,omitempty"`
	Arrive     int     `json:"arrive_slot"`   // first slot in which they can be worked
	Deadline   int     `json:"deadline_slot"` // last slot in which they can be worked
	Count      float64 `json:"count"`         // expected tickets, 0 or more
	HandleTime float64 `json:"handle_time_s"` // mean agent seconds per ticket
}

// DeferredPlan is the least extra heads with which every ticket meets its deadline.
type DeferredPlan struct {
	Slots       []DeferredReached `json:"slots"`
	ExtraHours  float64           `json:"extra_hours"`  // sum of extra heads × slot
	PeakExtra   int               `json:"peak_extra"`   // most extra heads in a slot
	WorkHours   float64           `json:"work_hours"`   // of all tickets
	IdleHours   float64           `json:"idle_hours"`   // of that, done by live agents in their idle time
	IdleShare   float64           `json:"idle_share"`   // IdleHours / WorkHours; 1 for no work
	BatchesDone []int             `json:"batches_done"` // slot in which each batch is finished; -1 for an empty batch
}

// DeferredReached is one slot of a DeferredPlan.
type DeferredReached struct {
	Start      time.Time `json:"start"`
	Extra      int       `json:"extra_heads"`
	FromIdle   float64   `json:"from_idle_hours"`  // ticket work done in idle time
	FromExtra  float64   `json:"from_extra_hours"` // ticket work done by the extra heads
	Backlog    float64   `json:"backlog_hours"`    // ticket work open at the end of the slot
	ShortUntil int       `json:"short_until_slot"` // the deadline slot that asked for extra heads here; -1 = no extra heads
}

// PlanDeferred finds the least extra heads by slot, exactly for fluid work (a batch may be split
// between slots and heads) and whole heads.
//
// All work with window [r,d] can be done if and only if every interval [a,b] has capacity for the work
// with a <= r and d <= b (Hall's condition, which for intervals needs only intervals as test sets; for one
// machine Horn, Naval Res. Logist. Quart. 21 (1974)). So the extra heads must cover a whole number of
// head-slots in each interval. An interval matrix is totally unimodular, and serving intervals by their right
// end with heads as late as possible is optimal for the sum (Hochbaum & Levin, SIAM J. Optim. 17 (2006)).
//
// Errors: staffing.deferred (every bad field), staffing.unreachable (which tickets cannot be done
// within MaxExtra, and how much of them can).
func PlanDeferred(in DeferredInput) (DeferredPlan, error) {
	if err := in.Validate(); err != nil {
		return DeferredPlan{}, err
	}
	d := newDeferral(in)
	if in.LevelPeak {
		d.capPeak()
	}
	if err := d.cover(); err != nil {
		return DeferredPlan{}, err
	}
	return d.earliestDeadlineFirst(), nil
}

// deferral counts all work in whole microseconds, so sums are exact whatever their order.
type deferral struct {
	in     DeferredInput
	slot   int64   // microseconds of one head in one slot
	idle   []int64 // by slot
	room   []int   // extra heads that may still be added
	extra  []int
	until  []int   // last right end that asked for heads in the slot, -1 = none
	work   []int64 // by batch
	ending [][]int // batches by deadline
}

func newDeferral(in DeferredInput) *deferral {
	n := len(in.Slots)
	d := &deferral{
		in: in, slot: in.Slot.Microseconds(),
		idle: make([]int64, n), room: make([]int, n), extra: make([]int, n), until: make([]int, n),
		work: make([]int64, len(in.Tickets)), ending: make([][]int, n),
	}
	for i, s := range in.Slots {
		d.idle[i] = int64(s.LiveHeads * (1 - s.Occupancy) * in.UsableIdle * float64(d.slot))
		d.room[i], d.until[i] = s.MaxExtra, -1
	}
	for i, t := range in.Tickets {
		d.work[i] = int64(math.Ceil(t.Count * t.HandleTime * 1e6))
		d.ending[t.Deadline] = append(d.ending[t.Deadline], i)
	}
	return d
}

// shortages visits every interval [a,b], right ends ascending and left ends descending, with the whole
// head-slots that its idle time leaves short. It stops when visit returns false.
func (d *deferral) shortages(visit func(a, b int, heads int64) bool) {
	arriving := make([]int64, len(d.idle)) // work by arrival, of batches that end by b
	for b := range d.idle {
		for _, i := range d.ending[b] {
			arriving[d.in.Tickets[i].Arrive] += d.work[i]
		}
		var work, idle int64
		for a := b; a >= 0; a-- {
			work += arriving[a]
			idle += d.idle[a]
			if short := work - idle; arriving[a] > 0 && short > 0 && !visit(a, b, (short+d.slot-1)/d.slot) {
				return
			}
		}
	}
}

// capPeak lowers the room of every slot to the least peak for which all intervals can be covered.
func (d *deferral) capPeak() {
	most := 0
	for _, room := range d.room {
		most = max(most, room)
	}
	low, high := 0, most
	for low < high {
		mid := low + (high-low)/2
		if d.coverable(mid) {
			high = mid
		} else {
			low = mid + 1
		}
	}
	for i := range d.room {
		d.room[i] = min(d.room[i], low)
	}
}

// coverable reports whether no interval needs more than its room under a peak.
func (d *deferral) coverable(peak int) bool {
	sum := make([]int64, len(d.room)+1)
	for i, room := range d.room {
		sum[i+1] = sum[i] + int64(min(room, peak))
	}
	fits := true
	d.shortages(func(a, b int, heads int64) bool {
		fits = heads <= sum[b+1]-sum[a]
		return fits
	})
	return fits
}

// cover adds the extra heads. A right end is served before later ones, and heads stand as late as
// there is room, where they help the most intervals that come after.
func (d *deferral) cover() error {
	var err error
	right, left, have := -1, 0, int64(0) // the running sum of extra heads in [left, right]
	d.shortages(func(a, b int, heads int64) bool {
		if b != right {
			right, left, have = b, b+1, 0
		}
		for ; left > a; left-- {
			have += int64(d.extra[left-1])
		}
		for s := b; s >= a && have < heads; s-- {
			add := int(min(int64(d.room[s]), heads-have))
			if add > 0 {
				d.room[s] -= add
				d.extra[s] += add
				d.until[s] = b
				have += int64(add)
			}
		}
		if have < heads {
			err = d.unreachable(a, b, heads, have)
		}
		return err == nil
	})
	return err
}

func (d *deferral) unreachable(a, b int, heads, have int64) error {
	hours := time.Duration(d.slot) * time.Microsecond
	return fault.Bad("staffing.unreachable", "after-sales tickets", []fault.Field{{
		Path:  fmt.Sprintf("slots[%d..%d].max_extra", a, b),
		Value: fmt.Sprint(have),
		Problem: fmt.Sprintf("tickets that arrive from %s on and are due by the end of the slot at %s need %d extra head-slots of %s, but only %d are allowed: raise max_extra or move the deadline",
			d.in.Slots[a].Start.Format(time.RFC3339), d.in.Slots[b].Start.Format(time.RFC3339), heads, hours, have),
	}})
}

// earliestDeadlineFirst works the tickets off, idle time before extra heads; with the capacity that
// cover found, it is late with nothing (Jackson 1955; Horn 1974).
func (d *deferral) earliestDeadlineFirst() DeferredPlan {
	p := DeferredPlan{Slots: make([]DeferredReached, len(d.idle)), BatchesDone: make([]int, len(d.work)), IdleShare: 1}
	order := make([]int, len(d.work))
	left := slices.Clone(d.work)
	for i := range order {
		order[i], p.BatchesDone[i] = i, -1
	}
	slices.SortStableFunc(order, func(i, j int) int { return d.in.Tickets[i].Arrive - d.in.Tickets[j].Arrive })
	var open deadlineHeap
	var backlog, total, fromIdle int64
	for s := range d.idle {
		for len(order) > 0 && d.in.Tickets[order[0]].Arrive == s {
			if i := order[0]; left[i] > 0 {
				open.push(d.in.Tickets[i].Deadline, i)
				backlog += left[i]
				total += left[i]
			}
			order = order[1:]
		}
		capacity := d.idle[s] + int64(d.extra[s])*d.slot
		done := min(capacity, backlog)
		for spend := done; spend > 0; {
			i := open.first()
			part := min(spend, left[i])
			left[i] -= part
			spend -= part
			if left[i] == 0 {
				p.BatchesDone[i] = s
				open.pop()
			}
		}
		backlog -= done
		idle := min(done, d.idle[s])
		fromIdle += idle
		p.Slots[s] = DeferredReached{
			Start: d.in.Slots[s].Start, Extra: d.extra[s], FromIdle: hours(idle), FromExtra: hours(done - idle),
			Backlog: hours(backlog), ShortUntil: d.until[s],
		}
		p.PeakExtra = max(p.PeakExtra, d.extra[s])
		p.ExtraHours += float64(d.extra[s]) * d.in.Slot.Hours()
	}
	p.WorkHours, p.IdleHours = hours(total), hours(fromIdle)
	if total > 0 {
		p.IdleShare = float64(fromIdle) / float64(total)
	}
	return p
}

func hours(micro int64) float64 { return float64(micro) / 3.6e9 }

// DeferredSlots takes the live heads and their occupancy from a plan of live contacts.
func DeferredSlots(o Output, maxExtra int) []DeferredSlot {
	slots := make([]DeferredSlot, len(o.Reached))
	for i, r := range o.Reached {
		slots[i] = DeferredSlot{Start: r.Start, LiveHeads: float64(r.Heads), Occupancy: min(1, max(0, r.Occupancy)), MaxExtra: maxExtra}
	}
	return slots
}

// Onto adds the extra heads to a requirement of live contacts: one plan for both. The requirement's slots
// are matched by their start; paid heads grow by the same shrinkage as the slot's own. No contract prices a late
// ticket: an extra head counts as much as the mean of those for live contacts.
func (p DeferredPlan) Onto(r scheduling.Requirement) scheduling.Requirement {
	r.Needs = slices.Clone(r.Needs)
	at := map[int64]int{}
	for i, s := range p.Slots {
		at[s.Start.UnixNano()] = i
	}
	for i, n := range r.Needs {
		j, ok := at[n.Start.UnixNano()]
		if !ok || p.Slots[j].Extra == 0 {
			continue
		}
		paid := 1.0
		if n.Heads > 0 {
			paid = n.Paid / float64(n.Heads)
		}
		extra := p.Slots[j].Extra
		worth := beside(n, extra)
		r.Needs[i].Heads += extra
		r.Needs[i] = r.Needs[i].Priced(worth)
		r.Needs[i].Paid += paid * float64(extra)
		r.Needs[i].Reason += fmt.Sprintf("; +%d for after-sales tickets due by %s", extra, p.Slots[p.Slots[j].ShortUntil].Start.Format("2006-01-02 15:04"))
	}
	return r
}
