package simulate

import "time"

// kind of event.
type kind uint8

const (
	arrive        kind = iota // who = queue
	dutyStart                 // who = agent
	dutyEnd                   // who = agent
	replied                   // who = agent
	asked                     // who = conversation slot: the buyer opens the next round
	leave                     // who = conversation slot: patience is over
	closed                    // who = conversation slot: linger or silence is over
	ticketArrives             // who = ticket stream
	ticketDone                // who = agent
)

// event is due at an instant; order breaks ties by the order of planning, so runs are reproducible.
type event struct {
	at    time.Duration
	order uint64
	who   int32
	clock uint32 // for leave and ticketDone: the clock that set it; a stopped one is void
	kind  kind
}

// calendar is a 4-ary heap of events: shallower than a binary heap and kinder to the cache.
type calendar struct {
	events []event
	order  uint64
}

func (e event) before(o event) bool { return e.at < o.at || e.at == o.at && e.order < o.order }

func (c *calendar) plan(at time.Duration, k kind, who int32, clock uint32) {
	c.order++
	e := event{at: at, order: c.order, who: who, clock: clock, kind: k}
	c.events = append(c.events, e)
	i := len(c.events) - 1
	for i > 0 {
		up := (i - 1) / 4
		if !e.before(c.events[up]) {
			break
		}
		c.events[i] = c.events[up]
		i = up
	}
	c.events[i] = e
}

func (c *calendar) pop() (event, bool) {
	if len(c.events) == 0 {
		return event{}, false
	}
	first := c.events[0]
	n := len(c.events) - 1
	last := c.events[n]
	c.events = c.events[:n]
	i := 0
	for {
		oldest := 4*i + 1
		if oldest >= n {
			break
		}
		child := oldest
		for k := oldest + 1; k < min(oldest+4, n); k++ {
			if c.events[k].before(c.events[child]) {
				child = k
			}
		}
		if !c.events[child].before(last) {
			break
		}
		c.events[i] = c.events[child]
		i = child
	}
	if n > 0 {
		c.events[i] = last
	}
	return first, true
}
