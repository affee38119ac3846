package staffing

import (
	"math"
	"time"
)

// Burst is a crowd that comes at once, such as at the opening of a sale: contacts on top of the even
// flow of a slot, at a rate that starts After the slot's start and fades exponentially.
type Burst struct {
	After    time.Duration // since the start of the slot, 0 or more
	Contacts float64       // mean number in the whole burst; its tail may reach into later slots
	Decay    time.Duration // time constant, positive; 63 % of the burst comes within one Decay
}

// DaySlot is one slot of a day whose load and heads change. It lasts Chats.Interval.
type DaySlot struct {
	Contacts   float64       // even flow over the slot, 0 or more; Chats.Contacts is not looked at
	Bursts     []Burst       // on top of it
	HandleTime time.Duration // 0 = that of the Chats
	Heads      int           // agents on duty; who goes off duty takes nothing new and finishes what is open
}

// SlotPerformance is what the conversations that arrive in a slot, and the agents on duty in it, see.
// Abandonment counts in the slot in which the buyer leaves, a later round in the slot in which it is asked.
type SlotPerformance struct {
	ChatPerformance
	Arrived    float64 // contacts of the slot, bursts included
	Rounds     float64 // rounds asked in the slot that get a reply
	QueueAtEnd float64 // mean conversations that wait when the slot ends
	OpenAtEnd  float64 // mean conversations open at agents on duty when it ends
}

// Day follows a queue through slots that begin with an empty system, so that backlog, open conversations
// and bursts carry over from slot to slot. The limits are for the first reply and for every round. c and
// the slots must be valid. See DESIGN.md, "Days", for the model and its accuracy.
func (c Chats) Day(slots []DaySlot, firstWithin, roundWithin time.Duration) []SlotPerformance {
	out := make([]SlotPerformance, len(slots))
	f := newFlow(c.table(firstWithin, roundWithin))
	var tail []Burst
	for i, s := range slots {
		tail = carry(tail, s.Bursts, 0)
		var sum flowSum
		f.slot(s, tail, &sum)
		if i == len(slots)-1 {
			f.close(&sum)
		}
		out[i] = f.performance(sum, s)
		tail = carry(tail, nil, c.Interval)
	}
	return out
}

// carry joins bursts and moves them to the time of a slot that starts later by span; spent ones go.
func carry(bursts, more []Burst, span time.Duration) []Burst {
	var out []Burst
	for _, b := range append(append([]Burst(nil), bursts...), more...) {
		b.After -= span
		if float64(-b.After) < 20*float64(b.Decay) {
			out = append(out, b)
		}
	}
	return out
}

// arrivedBy is the mean number of a burst that has come by t seconds into the slot.
func (b Burst) arrivedBy(t float64) float64 {
	return b.Contacts * -math.Expm1(-max(0, t-b.After.Seconds())/b.Decay.Seconds())
}

// slot moves the flow through one slot and adds up what happens in it.
func (f *flow) slot(s DaySlot, bursts []Burst, sum *flowSum) {
	if s.HandleTime > 0 {
		f.timed(s.HandleTime)
	}
	f.staff(s.Heads)
	length := f.Interval.Seconds()
	for now := 0.0; now < length; {
		dt := f.stride(now, length, bursts)
		contacts := s.Contacts * dt / length
		for _, b := range bursts {
			contacts += b.arrivedBy(now+dt) - b.arrivedBy(now)
		}
		f.step(dt, contacts/dt, sum)
		now += dt
	}
}

// Strides in seconds: the chain over conversations is integrated to second order and the agents' desks
// implicitly, so a stride only has to resolve how the load changes.
const (
	longestStride  = 12.0
	shortestStride = 1.0
	stridesInDecay = 10.0
)

// stride is the next step: short while a burst is fresh, and never across the start of one.
func (f *flow) stride(now, length float64, bursts []Burst) float64 {
	dt := f.longest
	for _, b := range bursts {
		since, decay := now-b.After.Seconds(), b.Decay.Seconds()
		switch {
		case since < 0:
			dt = min(dt, max(-since, 1e-3))
		case since < 6*decay:
			dt = min(dt, max(shortestStride, decay/stridesInDecay))
		}
	}
	if left := length - now; left < dt*1.5 {
		dt = min(dt, left)
		if left-dt < shortestStride {
			dt = left
		}
	}
	return dt
}

// flowSum adds up one slot.
type flowSum struct {
	seconds, arrived, waited float64
	first, firstSeconds      float64 // first replies within the limit, and their total time
	left, taken              float64 // abandoned; taken up or sure to be
	later, laterSeconds      float64 // later rounds, and their total time
	prompt, each             [2]float64
	queue, open, busy, duty  float64 // seconds: integrals over the slot
}

func (f *flow) performance(s flowSum, slot DaySlot) SlotPerformance {
	p := SlotPerformance{Arrived: s.arrived, Rounds: s.taken + s.later, QueueAtEnd: f.queued(), OpenAtEnd: f.openNow()}
	p.Agents = slot.Heads
	ratio := func(part, whole float64) float64 {
		if whole <= 0 {
			return 0
		}
		return part / whole
	}
	share := func(part, whole float64) float64 { return min(1, max(0, ratio(part, whole))) }
	p.Wait, p.Abandon, p.FirstWithin = share(s.waited, s.arrived), share(s.left, s.arrived), share(s.first, s.arrived)
	p.RoundWithin = share(s.prompt[0]+s.each[0], p.Rounds)
	p.PlatformWithin = share(s.prompt[1]+s.each[1], p.Rounds)
	p.ASASeconds = ratio(s.queue, s.arrived)
	p.FirstResponseSeconds = ratio(s.firstSeconds, s.taken)
	p.ResponseSeconds = ratio(s.firstSeconds+s.laterSeconds, p.Rounds)
	p.Occupancy, p.Open = share(s.busy, s.duty), ratio(s.open, s.duty)
	p.AverageQueue = ratio(s.queue, s.seconds)
	return p
}
