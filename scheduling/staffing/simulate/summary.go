package simulate

import (
	"math"
	"time"
)

// Summary counts the conversations that arrived at or after WarmUp, and the state of the pool over
// [WarmUp, Horizon). Means and shares are left to methods, so that summaries can be added.
type Summary struct {
	Span   time.Duration // Horizon - WarmUp
	Queues []QueueSummary
	Agents []AgentSummary

	Tickets []TicketSummary // parallel to Config.Tickets
}

// QueueSummary counts one queue; conversations count where they arrived, also after a transfer.
type QueueSummary struct {
	Arrived        int
	Answered       int // got a first reply
	Abandoned      int // left before a first reply
	Unserved       int
	Quiet          int
	Resolved       int
	Waited         int // could not be taken up at once
	TakenWithin    int // taken up within FirstWithin
	FirstWithin    int // first reply sent within FirstWithin
	Rounds         int // answered or not
	RoundsWithin   int // answered within ResponseWithin
	RoundsAnswered int
	TransferredIn  int

	WaitSeconds          float64 // sum until taken up or gone, over all arrivals
	FirstResponseSeconds float64 // sum over Answered
	ResponseSeconds      float64 // sum over RoundsAnswered
	QueueSeconds         float64 // integral of the number waiting over the span, transfers included

	serial int
}

// AgentSummary is the work of one agent.
type AgentSummary struct {
	Conversations int // whose last agent it was
	Replies       int
	OnDuty        time.Duration // within the span
	Busy          time.Duration // reading and writing within the span, after shift end included
	AfterDuty     time.Duration // part of Busy after a duty had ended: conversations that were still open
	Tickets       int           // finished
	TicketWork    time.Duration // on tickets within the span
	OpenSeconds   float64       // integral of the open conversations over the span
}

// Total adds all queues.
func (s Summary) Total() QueueSummary {
	var t QueueSummary
	for _, q := range s.Queues {
		t.Arrived += q.Arrived
		t.Answered += q.Answered
		t.Abandoned += q.Abandoned
		t.Unserved += q.Unserved
		t.Quiet += q.Quiet
		t.Resolved += q.Resolved
		t.Waited += q.Waited
		t.TakenWithin += q.TakenWithin
		t.FirstWithin += q.FirstWithin
		t.Rounds += q.Rounds
		t.RoundsWithin += q.RoundsWithin
		t.RoundsAnswered += q.RoundsAnswered
		t.TransferredIn += q.TransferredIn
		t.WaitSeconds += q.WaitSeconds
		t.FirstResponseSeconds += q.FirstResponseSeconds
		t.ResponseSeconds += q.ResponseSeconds
		t.QueueSeconds += q.QueueSeconds
	}
	return t
}

// Share is part over Arrived; 0 when nothing arrived.
func (q QueueSummary) Share(part int) float64 {
	if q.Arrived == 0 {
		return 0
	}
	return float64(part) / float64(q.Arrived)
}

// Occupancy is the time on live conversations over on-duty time, all agents together; tickets are not in it.
// 0 when nobody was on duty.
func (s Summary) Occupancy() float64 {
	var busy, duty time.Duration
	for _, a := range s.Agents {
		busy += a.Busy
		duty += a.OnDuty
	}
	if duty == 0 {
		return 0
	}
	return busy.Seconds() / duty.Seconds()
}

func (s *Summary) count(c *Conversation, q *Queue) {
	t := &s.Queues[c.Queue]
	t.Arrived++
	taken := c.Assigned
	if taken == Never {
		taken = c.Ended
	} else if taken-c.Arrived <= q.FirstWithin && c.Rounds[0].Answered != Never {
		t.TakenWithin++
	}
	t.WaitSeconds += (taken - c.Arrived).Seconds()
	if first := c.FirstResponse(); first != Never {
		t.Answered++
		t.FirstResponseSeconds += first.Seconds()
		if first <= q.FirstWithin {
			t.FirstWithin++
		}
	} else if c.Outcome == Abandoned {
		t.Abandoned++
	}
	switch c.Outcome {
	case Unserved:
		t.Unserved++
	case WentQuiet:
		t.Quiet++
	}
	if c.Resolved {
		t.Resolved++
	}
	for _, r := range c.Rounds {
		t.Rounds++
		if r.Answered == Never {
			continue
		}
		t.RoundsAnswered++
		t.ResponseSeconds += (r.Answered - r.Opened).Seconds()
		if r.Answered-r.Opened <= q.ResponseWithin {
			t.RoundsWithin++
		}
		s.Agents[r.Agent].Replies++
	}
	if c.Agent >= 0 {
		s.Agents[c.Agent].Conversations++
	}
}

// judge draws resolution and rating. Both lose WaitAnnoyance of log-odds per minute of mean reply time.
func (e *engine) judge(slot int32) {
	t := &e.talks[slot]
	var waited time.Duration
	answered := 0
	for _, r := range t.rounds {
		if r.Answered != Never {
			waited += r.Answered - r.Opened
			answered++
		}
	}
	if answered == 0 {
		return
	}
	minutes := waited.Minutes() / float64(answered)
	e.draw(slot, func(d *dice, q *Queue) {
		t.record.Resolved = t.record.Outcome == Completed && d.chance(annoyed(q.Resolved, q.WaitAnnoyance*minutes))
		if !d.chance(q.Rated) {
			return
		}
		if d.chance(annoyed(q.Satisfied, q.WaitAnnoyance*minutes)) {
			t.record.Rating = 5
			if d.chance(0.25) {
				t.record.Rating = 4
			}
			return
		}
		t.record.Rating = 1 + d.rand.IntN(3)
	})
}

// annoyed lowers a probability by loss on the log-odds scale.
func annoyed(p, loss float64) float64 {
	if p <= 0 || p >= 1 && loss == 0 {
		return p
	}
	p = min(p, 0.999) // a certain event still has finite log-odds to lose from
	return 1 / (1 + (1-p)/p*math.Exp(loss))
}

func overlap(from, to, start, end time.Duration) time.Duration {
	return max(0, min(to, end)-max(from, start))
}

// lineChanged books the number waiting up to now.
func (e *engine) lineChanged(queue int) {
	l := &e.lines[queue]
	e.summary.Queues[queue].QueueSeconds += float64(l.size) * overlap(l.at, e.now, e.WarmUp, e.Horizon).Seconds()
	l.at = e.now
}

// openChanged books the open conversations of an agent up to now.
func (e *engine) openChanged(agent int32) {
	d := &e.desks[agent]
	e.summary.Agents[agent].OpenSeconds += float64(d.open) * overlap(d.changed, e.now, e.WarmUp, e.Horizon).Seconds()
	d.changed = e.now
}

// booked books the reply that just ended.
func (e *engine) booked(agent int32) {
	d := &e.desks[agent]
	e.summary.Agents[agent].Busy += overlap(d.began, e.now, e.WarmUp, e.Horizon)
	if !d.onDuty {
		e.summary.Agents[agent].AfterDuty += overlap(max(d.began, d.ended), e.now, e.WarmUp, e.Horizon)
	}
}
