package staffing_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

var ticketDay = time.Date(2026, 11, 12, 9, 0, 0, 0, time.UTC)

func deferredSlots(n int, live, occupancy float64, most int) []staffing.DeferredSlot {
	slots := make([]staffing.DeferredSlot, n)
	for i := range slots {
		slots[i] = staffing.DeferredSlot{Start: ticketDay.Add(time.Duration(i) * time.Hour), LiveHeads: live, Occupancy: occupancy, MaxExtra: most}
	}
	return slots
}

// meetsDeadlines works single tickets of one second through the slots, most urgent first, and knows
// nothing of the planner: it reports the first ticket that is late.
func meetsDeadlines(in staffing.DeferredInput, extra []int) bool {
	type ticket struct {
		arrive, deadline int
		seconds          float64
	}
	var todo []ticket
	for _, b := range in.Tickets {
		todo = append(todo, ticket{b.Arrive, b.Deadline, b.Count * b.HandleTime})
	}
	for s, slot := range in.Slots {
		seconds := in.Slot.Seconds() * (slot.LiveHeads*(1-slot.Occupancy)*in.UsableIdle + float64(extra[s]))
		for {
			next := -1
			for i, t := range todo {
				if t.arrive <= s && t.seconds > 1e-3 && (next < 0 || t.deadline < todo[next].deadline) {
					next = i
				}
			}
			if next < 0 || seconds <= 1e-3 {
				break
			}
			part := math.Min(seconds, todo[next].seconds)
			seconds -= part
			todo[next].seconds -= part
		}
		for _, t := range todo {
			if t.deadline <= s && t.seconds > 1e-2 {
				return false
			}
		}
	}
	return true
}

func extraOf(p staffing.DeferredPlan) (extra []int) {
	for _, s := range p.Slots {
		extra = append(extra, s.Extra)
	}
	return extra
}

// By hand: 4 live heads at 75 % leave one head-hour an hour. 6 hours of work come at 9 and are due by the
// end of the third slot: 3 from idle time, 3 from extra heads, as late as may be in the third.
func TestDeferredByHand(t *testing.T) {
	in := staffing.DeferredInput{
		Slot: time.Hour, Slots: deferredSlots(4, 4, 0.75, 10), UsableIdle: 1,
		Tickets: []staffing.TicketBatch{{Kind: "refund", Arrive: 0, Deadline: 2, Count: 36, HandleTime: 600}, {Arrive: 3, Deadline: 3, Count: 0, HandleTime: 60}},
	}
	p, err := staffing.PlanDeferred(in)
	require.NoError(t, err)
	assert.Equal(t, []int{0, 0, 3, 0}, extraOf(p))
	assert.Equal(t, []int{2, -1}, p.BatchesDone)
	assert.InDelta(t, 0.5, p.IdleShare, 1e-12)
	assert.InDelta(t, 3, p.ExtraHours, 1e-12)
	assert.InDelta(t, 5, p.Slots[0].Backlog, 1e-12)
	assert.Equal(t, 2, p.Slots[2].ShortUntil)

	in.LevelPeak = true
	p, err = staffing.PlanDeferred(in)
	require.NoError(t, err)
	assert.Equal(t, []int{1, 1, 1, 0}, extraOf(p))
	assert.Equal(t, 1, p.PeakExtra)

	in.UsableIdle = 0 // nothing in between chats: 6 head-hours, 2 a slot
	p, err = staffing.PlanDeferred(in)
	require.NoError(t, err)
	assert.Equal(t, []int{2, 2, 2, 0}, extraOf(p))
	assert.Zero(t, p.IdleShare)
}

func drawDeferred(t *rapid.T, slots int) staffing.DeferredInput {
	in := staffing.DeferredInput{Slot: time.Hour, UsableIdle: rapid.SampledFrom([]float64{0, 0.5, 1}).Draw(t, "usable"), LevelPeak: rapid.Bool().Draw(t, "level")}
	in.Slots = deferredSlots(slots, 0, 0, 0)
	for i := range in.Slots {
		in.Slots[i].LiveHeads = rapid.Float64Range(0, 3).Draw(t, "live")
		in.Slots[i].Occupancy = rapid.Float64Range(0.4, 1).Draw(t, "occupancy")
		in.Slots[i].MaxExtra = rapid.IntRange(0, 3).Draw(t, "most")
	}
	for range rapid.IntRange(0, 6).Draw(t, "batches") {
		r := rapid.IntRange(0, slots-1).Draw(t, "arrive")
		in.Tickets = append(in.Tickets, staffing.TicketBatch{
			Arrive: r, Deadline: rapid.IntRange(r, slots-1).Draw(t, "deadline"),
			Count: float64(rapid.IntRange(0, 9).Draw(t, "count")), HandleTime: float64(rapid.IntRange(60, 1500).Draw(t, "handle")),
		})
	}
	return in
}

// Against every possible choice of extra heads in five slots: the sum is the least, under LevelPeak the
// peak is the least and the sum the least under it; refusal only when no choice is good enough.
func TestDeferredAgainstEveryChoice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawDeferred(t, 5)
		bestSum, bestPeak, sumAtPeak := math.MaxInt, math.MaxInt, math.MaxInt
		extra := make([]int, len(in.Slots))
		var try func(s, sum, peak int)
		try = func(s, sum, peak int) {
			if s == len(extra) {
				if (sum < bestSum || peak < bestPeak || peak == bestPeak && sum < sumAtPeak) && meetsDeadlines(in, extra) {
					bestSum = min(bestSum, sum)
					if peak < bestPeak {
						bestPeak, sumAtPeak = peak, sum
					} else if peak == bestPeak {
						sumAtPeak = min(sumAtPeak, sum)
					}
				}
				return
			}
			for extra[s] = 0; extra[s] <= in.Slots[s].MaxExtra; extra[s]++ {
				try(s+1, sum+extra[s], max(peak, extra[s]))
			}
			extra[s] = 0
		}
		try(0, 0, 0)
		p, err := staffing.PlanDeferred(in)
		if err != nil {
			assert.Equal(t, "staffing.unreachable", fault.CodeOf(err))
			assert.Equal(t, math.MaxInt, bestSum, "refused, but there is a plan")
			return
		}
		if in.LevelPeak {
			assert.Equal(t, bestPeak, p.PeakExtra)
			assert.InDelta(t, float64(sumAtPeak), p.ExtraHours, 1e-9)
		} else {
			assert.InDelta(t, float64(bestSum), p.ExtraHours, 1e-9)
		}
	})
}

// The plan of a week is kept by the independent simulation; one head-slot less where a deadline asked
// for it is late; hours add up and no work is done in a slot beyond its people.
func TestDeferredPlanKeepsEveryDeadline(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawDeferred(t, 40)
		for i := range in.Slots {
			in.Slots[i].MaxExtra = 50
		}
		p, err := staffing.PlanDeferred(in)
		require.NoError(t, err)
		extra := extraOf(p)
		assert.True(t, meetsDeadlines(in, extra))
		for i, b := range in.Tickets {
			assert.LessOrEqual(t, p.BatchesDone[i], b.Deadline)
		}
		fromIdle, fromExtra := 0.0, 0.0
		for i, s := range p.Slots {
			fromIdle, fromExtra = fromIdle+s.FromIdle, fromExtra+s.FromExtra
			assert.LessOrEqual(t, s.FromExtra, float64(s.Extra)+1e-9)
			assert.LessOrEqual(t, s.FromIdle, in.Slots[i].LiveHeads*(1-in.Slots[i].Occupancy)*in.UsableIdle+1e-9)
			assert.GreaterOrEqual(t, s.Backlog, 0.0)
		}
		assert.InDelta(t, p.WorkHours, fromIdle+fromExtra, 1e-6)
		assert.InDelta(t, p.IdleHours, fromIdle, 1e-6)
		if s := slices.IndexFunc(extra, func(n int) bool { return n > 0 }); s >= 0 {
			fewer := slices.Clone(extra)
			fewer[s]--
			assert.False(t, meetsDeadlines(in, fewer), "slot %d could do with one head less", s)
		}
	})
}

func TestDeferredHeadsJoinTheLivePlan(t *testing.T) {
	in := staffing.DeferredInput{
		Slot: time.Hour, UsableIdle: 1,
		Slots:   staffing.DeferredSlots(staffing.Output{Reached: []staffing.Reached{{Start: ticketDay, Heads: 2, Occupancy: 0.5}, {Start: ticketDay.Add(time.Hour), Heads: 0}}}, 9),
		Tickets: []staffing.TicketBatch{{Arrive: 0, Deadline: 1, Count: 9, HandleTime: 1200}},
	}
	p, err := staffing.PlanDeferred(in)
	require.NoError(t, err)
	live := scheduling.Requirement{Slot: time.Hour, Needs: []scheduling.Need{{Start: ticketDay, Heads: 2, Paid: 2.5, Reason: "live"}, {Start: ticketDay.Add(time.Hour)}}}
	both := p.Onto(live)
	assert.Equal(t, []int{0, 2}, extraOf(p)) // three hours of work, one of them idle
	assert.Equal(t, 2, both.Needs[1].Heads)
	assert.InDelta(t, 2, both.Needs[1].Paid, 1e-12)
	assert.Contains(t, both.Needs[1].Reason, "+2 for after-sales tickets due by 2026-11-12 10:00")
	assert.Zero(t, live.Needs[1].Heads, "the live requirement is left alone")
}

func TestDeferredBadInput(t *testing.T) {
	in := staffing.DeferredInput{
		Slot: time.Second, UsableIdle: math.NaN(),
		Slots:   []staffing.DeferredSlot{{Start: ticketDay, LiveHeads: -1, Occupancy: 1.1, MaxExtra: -1}, {Start: ticketDay}},
		Tickets: []staffing.TicketBatch{{Arrive: 2, Deadline: 1, Count: math.Inf(1), HandleTime: 0}},
	}
	_, err := staffing.PlanDeferred(in)
	require.Error(t, err)
	var paths []string
	for _, f := range fault.Of(err).Fields {
		paths = append(paths, f.Path)
	}
	assert.Equal(t, []string{
		"slot", "usable_idle", "slots[0].live_heads", "slots[0].occupancy", "slots[0].max_extra", "slots[1].start",
		"tickets[0].arrive_slot", "tickets[0].deadline_slot", "tickets[0].count", "tickets[0].handle_time_s",
	}, paths)

	in = staffing.DeferredInput{Slot: time.Hour, Slots: deferredSlots(3, 0, 0, 1), Tickets: []staffing.TicketBatch{{Arrive: 1, Deadline: 2, Count: 3, HandleTime: 3600}}}
	_, err = staffing.PlanDeferred(in)
	require.Error(t, err)
	assert.Equal(t, "staffing.unreachable", fault.CodeOf(err))
	assert.True(t, strings.Contains(err.Error(), "need 3 extra head-slots") && strings.Contains(err.Error(), "only 2 are allowed"), err)
	assert.Equal(t, "slots[1..2].max_extra", fault.Of(err).Fields[0].Path)
}

// A fortnight of quarter hours with tickets in every slot, due within two days.
func BenchmarkStaffingDeferred(b *testing.B) {
	in := staffing.DeferredInput{Slot: 15 * time.Minute, UsableIdle: 0.6, LevelPeak: true}
	const n = 14 * 96
	for i := range n {
		in.Slots = append(in.Slots, staffing.DeferredSlot{Start: ticketDay.Add(time.Duration(i) * 15 * time.Minute), LiveHeads: 40, Occupancy: 0.8, MaxExtra: 100})
		for _, wait := range []int{16, 96, 192} {
			in.Tickets = append(in.Tickets, staffing.TicketBatch{Arrive: i, Deadline: min(n-1, i+wait), Count: 10 + 8*math.Sin(float64(i)/96*2*math.Pi), HandleTime: 420})
		}
	}
	for b.Loop() {
		p, err := staffing.PlanDeferred(in)
		require.NoError(b, err)
		b.ReportMetric(p.ExtraHours, "extra_hours")
	}
	b.Logf("bar: %d slots with %d batches within 1 s", n, len(in.Tickets))
}
