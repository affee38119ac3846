package simulate

// An overflow agent helps a queue only while no agent of the queue's own has room: routing looks at
// the queue's own agents first, and a freed agent empties its own queues before it helps. What waits
// in a queue waits because its own agents are full, so helping needs no further check.

// spare is the overflow agent that takes an arrival which the queue's own agents have no room for.
func (e *engine) spare(queue int) int32 { return e.leastLoaded(e.helpers[queue]) }

// nextFor is the conversation that a freed agent takes up: from its own queues, else from those it helps.
func (e *engine) nextFor(d *desk) int32 {
	if slot := e.longest(d.Queues); slot >= 0 {
		return slot
	}
	return e.longest(d.Overflow)
}
