package simulate

// An overflow agent helps a queue only while no agent of the queue's own has room: routing looks at
// the queue's own agents first, and a freed agent empties its own queues before it helps. What waits
// in a queue waits because its own agents are full, so helping needs no further check.

// route picks the agent on duty with the fewest open conversations; among equals one without a ticket in
// hand, then the longest idle.
func (e *engine) route(queue int) int32 {
	shop := e.Queues[queue].Shop
	if own := e.leastLoaded(e.skilled[queue], shop); own >= 0 {
		return own
	}
	return e.leastLoaded(e.helpers[queue], shop)
}

func (e *engine) leastLoaded(agents []int32, shop int) int32 {
	best := int32(-1)
	for _, i := range agents {
		d := &e.desks[i]
		if d.onDuty && d.open < d.Limit && (best < 0 || d.before(&e.desks[best])) && d.admits(shop) {
			best = i
		}
	}
	return best
}

func (d *desk) before(o *desk) bool {
	switch {
	case d.open != o.open:
		return d.open < o.open
	case d.hand.active != o.hand.active:
		return o.hand.active
	}
	return d.freed < o.freed
}

// nextFor is the conversation that a freed agent takes up: from its own queues, else from those it helps.
func (e *engine) nextFor(d *desk) int32 {
	if slot := e.longest(d, d.Queues); slot >= 0 {
		return slot
	}
	return e.longest(d, d.Overflow)
}

// longest is the longest-waiting conversation of the highest class with any that the agent may take up,
// or -1. The queues come sorted by class.
func (e *engine) longest(d *desk, queues []int) int32 {
	slot := int32(-1)
	for _, q := range queues {
		head := e.lineHead(q)
		if head < 0 || !d.admits(e.Queues[q].Shop) {
			continue
		}
		if slot >= 0 && e.Queues[q].Priority < e.Queues[e.talks[slot].queue].Priority {
			break
		}
		if slot < 0 || e.talks[head].since < e.talks[slot].since {
			slot = head
		}
	}
	return slot
}
