package simulate

import (
	"slices"
	"time"
)

// talk is one live conversation in its slot. Slots are reused; turn tells the generations apart.
type talk struct {
	record  Conversation
	rounds  []Round
	dice    uint64 // state of the conversation's own stream
	queue   int    // where it is now
	waiting bool   // in a queue, not taken up
	handOff bool   // to be transferred after the first reply
	since   time.Duration
	patient uint32 // numbers the patience clocks, so that a stopped one is void
	turn    uint32
}

// desk is one agent at work.
type desk struct {
	Agent
	onDuty  bool
	open    int
	inbox   []int32       // conversations that await a reply, first come first served
	current int32         // being replied to; -1 = none
	freed   time.Duration // last release of a conversation
	changed time.Duration // last change of open
	began   time.Duration // start of the current reply
}

// line is a first-come queue with lazy removal.
type line struct {
	slots []waiter
	head  int
	size  int // that still wait
	at    time.Duration
}

type waiter struct {
	slot int32
	turn uint32
}

type engine struct {
	Config
	calendar
	dice     *dice
	arrivals []*arrivals
	talks    []talk
	free     []int32
	desks    []desk
	lines    []line
	skilled  [][]int32 // per queue: the agents that can serve it
	helpers  [][]int32 // per queue: the agents that serve it only as overflow
	now      time.Duration
	summary  Summary
	emit     func(*Conversation)
}

// Run simulates c and hands every conversation to emit (which may be nil) as it ends.
// It returns simulate.invalid for a bad Config and has no other error.
func Run(c Config, emit func(*Conversation)) (Summary, error) {
	if err := c.Validate(); err != nil {
		return Summary{}, err
	}
	e := newEngine(c, emit)
	for {
		ev, ok := e.pop()
		if !ok {
			break
		}
		e.now = ev.at
		e.handle(ev)
	}
	e.closeBooks()
	return e.summary, nil
}

func newEngine(c Config, emit func(*Conversation)) *engine {
	c.Queues = slices.Clone(c.Queues)
	for i := range c.Queues {
		q := &c.Queues[i]
		q.Rounds, q.BuyerMessages, q.AgentMessages = max(1, q.Rounds), max(1, q.BuyerMessages), max(1, q.AgentMessages)
	}
	e := &engine{
		Config: c, dice: newDice(), emit: emit,
		desks: make([]desk, len(c.Agents)), lines: make([]line, len(c.Queues)),
		skilled: make([][]int32, len(c.Queues)), helpers: make([][]int32, len(c.Queues)),
		summary: Summary{
			Span: max(0, c.Horizon-c.WarmUp), Queues: make([]QueueSummary, len(c.Queues)),
			Agents: make([]AgentSummary, len(c.Agents)),
		},
	}
	for i, a := range c.Agents {
		a.Limit = max(1, a.Limit)
		if a.Speed == 0 {
			a.Speed = 1
		}
		e.desks[i] = desk{Agent: a, current: -1, onDuty: a.Duty == nil}
		// Highest priority first, so that a freed agent can stop at the first class with work.
		urgent := func(x, y int) int { return c.Queues[y].Priority - c.Queues[x].Priority }
		e.desks[i].Queues, e.desks[i].Overflow = slices.Clone(a.Queues), slices.Clone(a.Overflow)
		slices.SortStableFunc(e.desks[i].Queues, urgent)
		slices.SortStableFunc(e.desks[i].Overflow, urgent)
		for _, q := range a.Queues {
			e.skilled[q] = append(e.skilled[q], int32(i))
		}
		for _, q := range a.Overflow {
			e.helpers[q] = append(e.helpers[q], int32(i))
		}
		for _, d := range a.Duty {
			e.plan(d.Start, dutyStart, int32(i), 0)
			e.plan(d.End, dutyEnd, int32(i), 0)
		}
	}
	for i := range c.Queues {
		e.arrivals = append(e.arrivals, newArrivals(c.Seed, i, c))
		e.planArrival(i)
	}
	return e
}

func (e *engine) handle(ev event) {
	switch ev.kind {
	case arrive:
		e.arrive(int(ev.who))
	case dutyStart:
		e.desks[ev.who].onDuty = true
		e.refill(ev.who)
	case dutyEnd:
		e.desks[ev.who].onDuty = false
	case replied:
		e.replied(ev.who)
	case asked:
		e.ask(ev.who)
	case leave:
		e.leave(ev.who, ev.clock)
	case closed:
		e.hangUp(ev.who, e.talks[ev.who].record.Outcome)
	}
}

func (e *engine) planArrival(queue int) {
	if at := e.arrivals[queue].pop(); at != Never {
		e.plan(at, arrive, int32(queue), 0)
	}
}

// draw runs f on the conversation's own stream.
func (e *engine) draw(slot int32, f func(d *dice, q *Queue)) {
	t := &e.talks[slot]
	e.dice.state = t.dice
	f(e.dice, &e.Queues[t.queue])
	t.dice = e.dice.state
}

func (e *engine) arrive(queue int) {
	var slot int32
	if n := len(e.free); n > 0 {
		slot, e.free = e.free[n-1], e.free[:n-1]
	} else {
		e.talks = append(e.talks, talk{})
		slot = int32(len(e.talks) - 1)
	}
	t := &e.talks[slot]
	number := e.summary.Queues[queue].serial
	e.summary.Queues[queue].serial++
	*t = talk{
		record: Conversation{
			Queue: queue, Number: number, Agent: -1, FirstAgent: -1,
			Arrived: e.now, Assigned: Never, Transferred: Never,
		},
		rounds: t.rounds[:0], turn: t.turn, patient: t.patient, queue: queue,
		dice: seedOf(e.Seed, queue, number+1),
	}
	e.draw(slot, func(d *dice, q *Queue) { t.handOff = d.chance(q.Transfer) })
	e.openRound(slot)
	e.seek(slot)
	e.planArrival(queue)
}

// openRound notes the buyer's question. Nobody has answered it yet.
func (e *engine) openRound(slot int32) {
	t := &e.talks[slot]
	e.draw(slot, func(d *dice, q *Queue) {
		t.rounds = append(t.rounds, Round{
			Opened: e.now, Started: Never, Answered: Never, Agent: -1, BuyerMessages: d.count(q.BuyerMessages),
		})
	})
}

// seek finds an agent or lets the conversation wait.
func (e *engine) seek(slot int32) {
	t := &e.talks[slot]
	q := &e.Queues[t.queue]
	t.since = e.now
	agent := e.route(t.queue)
	if q.Patience.Mean > 0 && (agent < 0 || q.PatienceUntilReply) {
		t.patient++
		e.draw(slot, func(d *dice, q *Queue) { e.plan(later(e.now, d.span(q.Patience)), leave, slot, t.patient) })
	}
	if agent >= 0 {
		e.assign(slot, agent)
		return
	}
	l := &e.lines[t.queue]
	e.lineChanged(t.queue)
	t.waiting = true
	l.size++
	l.slots = append(l.slots, waiter{slot, t.turn})
	if t.record.Transferred == Never && e.counted(t) {
		e.summary.Queues[t.record.Queue].Waited++
	}
}

// later adds without running over the end of a Duration.
func later(at, span time.Duration) time.Duration {
	if at > 1<<62-span {
		return 1 << 62
	}
	return at + span
}

// route picks the agent on duty with the fewest open conversations, the longest idle among equals.
func (e *engine) route(queue int) int32 {
	if own := e.leastLoaded(e.skilled[queue]); own >= 0 {
		return own
	}
	return e.spare(queue)
}

func (e *engine) leastLoaded(agents []int32) int32 {
	best := int32(-1)
	for _, i := range agents {
		d := &e.desks[i]
		if !d.onDuty || d.open >= d.Limit {
			continue
		}
		if best < 0 || d.open < e.desks[best].open || d.open == e.desks[best].open && d.freed < e.desks[best].freed {
			best = i
		}
	}
	return best
}

func (e *engine) assign(slot, agent int32) {
	t, d := &e.talks[slot], &e.desks[agent]
	e.openChanged(agent)
	d.open++
	t.record.Agent = int(agent)
	if t.record.Assigned == Never {
		t.record.Assigned, t.record.FirstAgent, t.record.OpenAtStart = e.now, int(agent), d.open
	}
	d.inbox = append(d.inbox, slot)
	e.work(agent)
}

// refill takes waiting conversations up while the agent has room: priority first, then longest wait.
func (e *engine) refill(agent int32) {
	d := &e.desks[agent]
	for d.onDuty && d.open < d.Limit {
		slot := e.nextFor(d)
		if slot < 0 {
			return
		}
		e.unqueue(slot)
		e.assign(slot, agent)
	}
}

// longest is the longest-waiting conversation of the highest class with any, or -1. The queues come
// sorted by class.
func (e *engine) longest(queues []int) int32 {
	slot := int32(-1)
	for _, q := range queues {
		head := e.lineHead(q)
		if head < 0 {
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

// lineHead is the longest-waiting conversation of a queue, or -1.
func (e *engine) lineHead(queue int) int32 {
	l := &e.lines[queue]
	for l.head < len(l.slots) {
		w := l.slots[l.head]
		t := &e.talks[w.slot]
		if t.turn == w.turn && t.waiting && t.queue == queue {
			return w.slot
		}
		l.head++
	}
	l.slots, l.head = l.slots[:0], 0
	return -1
}

func (e *engine) unqueue(slot int32) {
	t := &e.talks[slot]
	e.lineChanged(t.queue)
	l := &e.lines[t.queue]
	l.size--
	t.waiting = false
	if l.head > 1024 && l.head > len(l.slots)/2 {
		l.slots = append(l.slots[:0], l.slots[l.head:]...)
		l.head = 0
	}
}

// work starts the next reply when the agent is free for one.
func (e *engine) work(agent int32) {
	d := &e.desks[agent]
	if d.current >= 0 || len(d.inbox) == 0 {
		return
	}
	slot := d.inbox[0]
	copy(d.inbox, d.inbox[1:])
	d.inbox = d.inbox[:len(d.inbox)-1]
	d.current, d.began = slot, e.now
	t := &e.talks[slot]
	r := &t.rounds[len(t.rounds)-1]
	r.Started, r.Agent = e.now, int(agent)
	if len(t.rounds) == 1 {
		t.patient++ // the first reply is on its way: a patience clock that still runs is void
	}
	e.draw(slot, func(dc *dice, q *Queue) {
		span := float64(dc.span(q.Work)) * d.Speed * (1 + d.Slowdown*float64(d.open-1))
		e.plan(later(e.now, clamp(span)), replied, agent, 0)
	})
}

func (e *engine) replied(agent int32) {
	d := &e.desks[agent]
	slot := d.current
	d.current = -1
	e.booked(agent)
	t := &e.talks[slot]
	r := &t.rounds[len(t.rounds)-1]
	r.Answered = e.now
	over := false
	first := len(t.rounds) == 1
	e.draw(slot, func(dc *dice, q *Queue) {
		r.AgentMessages = dc.count(q.AgentMessages)
		switch {
		case first && t.handOff:
			// handled below: the stream must not be held while another agent is sought
		case !dc.chance(1 - 1/q.Rounds):
			over = e.finishAfter(slot, dc.span(q.Linger), Completed)
		case dc.chance(q.Silent):
			over = e.finishAfter(slot, q.SilentTimeout, WentQuiet)
		default:
			pause := dc.span(q.Think)
			if dc.chance(q.LongPause) {
				pause = later(pause, dc.span(q.LongPauseTime))
			}
			e.plan(later(e.now, pause), asked, slot, 0)
		}
	})
	if first && t.handOff {
		e.transfer(slot)
	} else if over {
		e.hangUp(slot, t.record.Outcome)
	}
	e.work(agent)
}

// finishAfter closes the conversation after it has held its slot for a while. It reports true when
// there is nothing to hold, so that the caller ends it now.
func (e *engine) finishAfter(slot int32, hold time.Duration, o Outcome) bool {
	e.talks[slot].record.Outcome = o
	if hold > 0 {
		e.plan(later(e.now, hold), closed, slot, 0)
	}
	return hold == 0
}

func (e *engine) transfer(slot int32) {
	t := &e.talks[slot]
	agent := int32(t.record.Agent)
	t.record.Transferred = e.now
	t.queue = e.Queues[t.queue].TransferTo
	e.summary.Queues[t.queue].TransferredIn++
	e.openRound(slot)
	e.release(agent)
	e.seek(slot)
}

func (e *engine) ask(slot int32) {
	e.openRound(slot)
	agent := int32(e.talks[slot].record.Agent)
	e.desks[agent].inbox = append(e.desks[agent].inbox, slot)
	e.work(agent)
}

// leave ends a conversation whose buyer lost patience before being taken up (or answered).
func (e *engine) leave(slot int32, clock uint32) {
	t := &e.talks[slot]
	if t.patient != clock {
		return
	}
	if t.waiting {
		e.unqueue(slot)
		e.finish(slot, Abandoned)
		return
	}
	if !e.Queues[t.queue].PatienceUntilReply || len(t.rounds) != 1 || t.rounds[0].Started != Never {
		return
	}
	d := &e.desks[t.record.Agent]
	d.inbox = slices.Delete(d.inbox, slices.Index(d.inbox, slot), slices.Index(d.inbox, slot)+1)
	e.hangUp(slot, Abandoned)
}

// hangUp ends a conversation that holds an agent's slot.
func (e *engine) hangUp(slot int32, o Outcome) {
	agent := int32(e.talks[slot].record.Agent)
	e.finish(slot, o)
	e.release(agent)
}

func (e *engine) release(agent int32) {
	e.openChanged(agent)
	d := &e.desks[agent]
	d.open--
	d.freed = e.now
	e.refill(agent)
}

// finish completes the record, counts it, hands it out and frees the slot.
func (e *engine) finish(slot int32, o Outcome) {
	t := &e.talks[slot]
	r := &t.record
	r.Outcome, r.Ended, r.Rounds = o, e.now, t.rounds
	for _, round := range t.rounds {
		r.BuyerMessages += round.BuyerMessages
		r.AgentMessages += round.AgentMessages
	}
	e.judge(slot)
	if e.counted(t) {
		e.summary.count(r, &e.Queues[r.Queue])
	}
	if e.emit != nil {
		e.emit(r)
	}
	t.turn++
	t.patient++
	e.free = append(e.free, slot)
}

func (e *engine) counted(t *talk) bool { return t.record.Arrived >= e.WarmUp }

// closeBooks ends what waits for an agent that never comes, in order of arrival.
func (e *engine) closeBooks() {
	for q := range e.lines {
		for slot := e.lineHead(q); slot >= 0; slot = e.lineHead(q) {
			e.unqueue(slot)
			e.finish(slot, Unserved)
		}
	}
	for i := range e.desks {
		e.openChanged(int32(i))
		for _, d := range e.desks[i].Duty {
			e.summary.Agents[i].OnDuty += overlap(d.Start, d.End, e.WarmUp, e.Horizon)
		}
		if e.desks[i].Duty == nil {
			e.summary.Agents[i].OnDuty = e.summary.Span
		}
	}
}
