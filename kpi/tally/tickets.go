package tally

import (
	"time"

	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// Tickets lists what a definition on the base ticket makes of tickets (工单), in the order given. A
// ticket is dated by its opening. In time is one that is closed within the rule's limit on the
// rule's clock, or with limit 0 at its due time or before; an open one is not in time, whatever the
// hour. A mean counts closed tickets only.
func Tickets(d kpi.Definition, zone *time.Location, tickets []chatlog.Ticket) []Item {
	j := newJudge(d, zone)
	var items []Item
	for _, t := range tickets {
		items = append(items, j.ticket(t))
	}
	return items
}

func (j judge) ticket(t chatlog.Ticket) Item {
	opened, due, closed := milli(t.OpenedAt), milli(t.DueAt), milli(t.ClosedAt)
	item := Item{
		Merchant: t.Merchant, Shop: t.Shop, Queue: t.Queue, Agent: t.Agent, Buyer: t.Buyer, Conversation: t.ID,
		Opened: opened, Start: opened, Stop: closed,
	}
	byDue := j.rule.Measure == kpi.Within && j.rule.Limit == 0
	isClosed := !closed.IsZero()
	inTime := isClosed && (!byDue || !closed.After(due))
	switch {
	case byDue && due.IsZero():
		item.Left = LeftNoDeadline
	case !isClosed && j.rule.Measure == kpi.Mean:
		item.Left = LeftUnanswered
	default:
		item = j.count(item, j.elapsed(opened, closed), inTime)
	}
	return j.date(item, opened)
}
