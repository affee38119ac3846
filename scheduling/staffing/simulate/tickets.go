package simulate

import (
	"cmp"
	"slices"
	"time"
)

// Tickets is one stream of deferred work: after-sales cases, messages left overnight. Nobody waits live for
// it; it has a deadline. An agent takes tickets while on duty with no reply to write, the earliest deadline
// first, and puts one aside the moment a buyer of an open conversation writes or a new one is taken
// up (preemptive resume). A ticket in hand stays with its agent; at the end of the duty it goes back.
type Tickets struct {
	Rates    []float64       // mean arrivals per slot; slots after the last have none
	Spikes   []Spike         // on top of Rates
	Instants []time.Duration // explicit arrivals on top of both, ascending
	Work     Span            // agent's own time per ticket; Agent.Speed multiplies it
	Due      time.Duration   // from arrival to the deadline
}

// TicketSummary counts the tickets of one stream that arrived at or after WarmUp. What is not done when
// everybody has gone home is Arrived - Done.
type TicketSummary struct {
	Arrived       int
	Done          int
	OnTime        int     // done by the deadline
	OpenSeconds   float64 // sum from arrival to done, over Done
	LateSeconds   float64 // sum past the deadline, over Done
	ReopenedTimes int     // taken up again after being put aside
}

// ticketStreams keeps the streams of draws of tickets apart from those of the queues.
const ticketStreams = 1 << 20

// ticket is one piece of deferred work. Slots are reused.
type ticket struct {
	stream  int
	number  int // order of arrival over all streams; breaks ties of the deadline
	arrived time.Duration
	due     time.Duration
	left    float64 // work that remains, nanoseconds at speed 1
	touched bool
}

// pile is the tickets of one stream that nobody has in hand, the earliest deadline first.
type pile struct {
	slots []int32
	head  int
}

// backlog is the deferred work of a run.
type backlog struct {
	arrivals []*arrivals
	tickets  []ticket
	free     []int32
	piles    []pile
	skilled  [][]int32 // per stream: the agents that take it
	serials  []int     // arrivals so far, per stream
	count    int
}

// hand is the ticket an agent works on or has put aside.
type hand struct {
	slot   int32 // -1 = none
	active bool
	since  time.Duration // start of the current stretch of work
	clock  uint32        // numbers the stretches, so that the end of a broken one is void
}

func (e *engine) newBacklog() {
	n := len(e.Tickets)
	b := &e.backlog
	b.piles, b.skilled, b.serials = make([]pile, n), make([][]int32, n), make([]int, n)
	e.summary.Tickets = make([]TicketSummary, n)
	for i := range e.desks {
		e.desks[i].hand.slot = -1
		for _, s := range e.desks[i].Tickets {
			b.skilled[s] = append(b.skilled[s], int32(i))
		}
	}
	for i, t := range e.Tickets {
		b.arrivals = append(b.arrivals, newArrivals(e.Config, ticketStreams+i, t.Rates, t.Spikes, t.Instants))
		e.planTicket(i)
	}
}

func (e *engine) planTicket(stream int) {
	if at := e.backlog.arrivals[stream].pop(); at != Never {
		e.plan(at, ticketArrives, int32(stream), 0)
	}
}

func (e *engine) ticketArrives(stream int) {
	b := &e.backlog
	var slot int32
	if n := len(b.free); n > 0 {
		slot, b.free = b.free[n-1], b.free[:n-1]
	} else {
		b.tickets = append(b.tickets, ticket{})
		slot = int32(len(b.tickets) - 1)
	}
	b.serials[stream]++
	b.count++
	e.dice.state = seedOf(e.Seed, ticketStreams+stream, b.serials[stream])
	b.tickets[slot] = ticket{
		stream: stream, number: b.count, arrived: e.now, due: later(e.now, e.Tickets[stream].Due),
		left: float64(e.dice.span(e.Tickets[stream].Work)),
	}
	if e.now >= e.WarmUp {
		e.summary.Tickets[stream].Arrived++
	}
	e.pileUp(slot)
	e.planTicket(stream)
}

// pileUp lays a ticket on its pile, where an idle agent takes it at once.
func (e *engine) pileUp(slot int32) {
	b := &e.backlog
	p := &b.piles[b.tickets[slot].stream]
	at, _ := slices.BinarySearchFunc(p.slots[p.head:], slot, func(x, y int32) int {
		return b.tickets[x].compare(b.tickets[y])
	})
	p.slots = slices.Insert(p.slots, p.head+at, slot)
	best := int32(-1)
	for _, i := range b.skilled[b.tickets[slot].stream] {
		d := &e.desks[i]
		if !d.onDuty || d.current >= 0 || d.hand.slot >= 0 {
			continue
		}
		if best < 0 || d.open < e.desks[best].open || d.open == e.desks[best].open && d.freed < e.desks[best].freed {
			best = i
		}
	}
	if best >= 0 {
		e.takeTicket(best)
	}
}

func (t ticket) compare(o ticket) int {
	return cmp.Or(cmp.Compare(t.due, o.due), cmp.Compare(t.number, o.number))
}

// takeTicket lets an agent who has no reply to write go on with the ticket in hand, or take the most urgent.
func (e *engine) takeTicket(agent int32) {
	d := &e.desks[agent]
	if !d.onDuty || d.current >= 0 || d.hand.active {
		return
	}
	b := &e.backlog
	if d.hand.slot < 0 {
		from := -1
		for _, s := range d.Tickets {
			p := &b.piles[s]
			if p.head == len(p.slots) {
				continue
			}
			if from < 0 || b.tickets[p.slots[p.head]].compare(b.tickets[b.piles[from].slots[b.piles[from].head]]) < 0 {
				from = s
			}
		}
		if from < 0 {
			return
		}
		d.hand.slot = b.piles[from].pop()
	}
	t := &b.tickets[d.hand.slot]
	if t.touched && t.arrived >= e.WarmUp {
		e.summary.Tickets[t.stream].ReopenedTimes++
	}
	t.touched = true
	d.hand.active, d.hand.since = true, e.now
	d.hand.clock++
	e.plan(later(e.now, clamp(t.left*d.Speed)), ticketDone, agent, d.hand.clock)
}

func (p *pile) pop() int32 {
	slot := p.slots[p.head]
	p.head++
	if p.head > 1024 && p.head > len(p.slots)/2 {
		p.slots = append(p.slots[:0], p.slots[p.head:]...)
		p.head = 0
	}
	return slot
}

// putAside breaks the work on a ticket off; what is done stays done.
func (e *engine) putAside(agent int32) {
	d := &e.desks[agent]
	if !d.hand.active {
		return
	}
	t := &e.backlog.tickets[d.hand.slot]
	t.left = max(0, t.left-float64(e.now-d.hand.since)/d.Speed)
	e.stopTicket(agent)
}

// stopTicket books the stretch of work that ends now.
func (e *engine) stopTicket(agent int32) {
	h := &e.desks[agent].hand
	e.summary.Agents[agent].TicketWork += overlap(h.since, e.now, e.WarmUp, e.Horizon)
	h.active = false
	h.clock++
}

func (e *engine) ticketDone(agent int32, clock uint32) {
	d := &e.desks[agent]
	if d.hand.clock != clock {
		return
	}
	e.stopTicket(agent)
	slot := d.hand.slot
	d.hand.slot = -1
	if t := e.backlog.tickets[slot]; t.arrived >= e.WarmUp {
		s := &e.summary.Tickets[t.stream]
		s.Done++
		s.OpenSeconds += (e.now - t.arrived).Seconds()
		if e.now <= t.due {
			s.OnTime++
		} else {
			s.LateSeconds += (e.now - t.due).Seconds()
		}
	}
	e.summary.Agents[agent].Tickets++
	e.backlog.free = append(e.backlog.free, slot)
	e.takeTicket(agent)
}

// goHome ends a duty: open conversations are finished, a ticket goes back to its pile.
func (e *engine) goHome(agent int32) {
	d := &e.desks[agent]
	d.onDuty, d.ended = false, e.now
	e.putAside(agent)
	if slot := d.hand.slot; slot >= 0 {
		d.hand.slot = -1
		e.pileUp(slot)
	}
}
