package tally

import (
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// round is one round (轮次) of a conversation: where in its events it opens and is answered.
type round struct {
	opening int
	reply   int // len(events) when there is none
}

// rounds finds the rounds: one opens with a buyer message when none is open, and closes with the
// next reply.
func (j judge) rounds(events []chatlog.Event) []round {
	var found []round
	open := false
	for i, e := range events {
		switch {
		case j.asks(e) && !open:
			found = append(found, round{opening: i, reply: len(events)})
			open = true
		case j.replies(e) && open:
			found[len(found)-1].reply = i
			open = false
		}
	}
	return found
}

// asks reports whether an event is a buyer message that wants a reply.
func (j judge) asks(e chatlog.Event) bool {
	return e.Kind == chatlog.BuyerMessage && (!e.Closing || j.rule.Closing != "ignore")
}

// replies reports whether an event stops the clock. An automatic welcome never does.
func (j judge) replies(e chatlog.Event) bool {
	return e.Kind == chatlog.AgentMessage || e.Kind == chatlog.BotMessage && j.rule.Stop == "any"
}

// conversation lists the items of one conversation.
func (j judge) conversation(t chatlog.Timeline) []Item {
	if !j.definition.Hears(t.Channel) {
		return []Item{j.nothing(t, LeftChannel)}
	}
	var items []Item
	for i, r := range j.rounds(t.Events) {
		item := j.round(t, r, i == 0)
		items = append(items, j.date(item, j.dating(t, item)))
	}
	onlyFirst := j.definition.Base != kpi.BaseRound && j.rule.Judge == "first"
	switch {
	case !t.Detailed && !onlyFirst:
		return []Item{j.nothing(t, LeftNotDetailed)}
	case len(items) == 0:
		return []Item{j.nothing(t, LeftNoRound)}
	case j.definition.Base == kpi.BaseSession:
		return []Item{j.session(items)}
	}
	return items
}

// nothing is the item of a conversation in which there is nothing to judge.
func (j judge) nothing(t chatlog.Timeline, why string) Item {
	item := place(t)
	item.Agent, item.Left = t.Agent, why
	return j.date(item, milli(t.StartedAt))
}

// session makes one item of a conversation's rounds, of which there is at least one. Only a share
// or a count can look at every round: a mean of sessions is one of first responses.
func (j judge) session(rounds []Item) Item {
	item := rounds[0]
	if j.rule.Judge == "first" || j.rule.Measure == kpi.Mean {
		return item
	}
	missed := false
	for i := len(rounds) - 1; i >= 0; i-- { // ends with the first one that is left
		if rounds[i].Left == "" {
			item = rounds[i]
			missed = missed || item.Numerator == 0
		}
	}
	if missed {
		item.Numerator = 0
	}
	return item
}

// dating is the instant that dates an item (Rule.Cut).
func (j judge) dating(t chatlog.Timeline, item Item) time.Time {
	if j.rule.Cut == "session" {
		return milli(t.StartedAt)
	}
	return item.Opened
}

// place is an item at its conversation's place.
func place(t chatlog.Timeline) Item {
	return Item{Merchant: t.Merchant, Shop: t.Shop, Queue: t.Queue, Buyer: t.Buyer, Conversation: t.ID}
}

// round judges one round, in the order that Items tells, up to its dating.
func (j judge) round(t chatlog.Timeline, r round, first bool) Item {
	item := place(t)
	item.Opened = milli(t.Events[r.opening].At)
	late := false
	if r.reply < len(t.Events) {
		item.Stop = milli(t.Events[r.reply].At)
		late = calendar.DateOf(item.Stop, j.zone).After(calendar.DateOf(item.Opened, j.zone))
	}
	if late && j.rule.CrossDay == "miss" {
		r.reply, item.Stop = len(t.Events), time.Time{}
	}
	item.Agent = agentOf(t, r)

	item.Start = item.Opened
	if first && j.rule.Start == "entry" {
		item.Start = milli(t.StartedAt)
	}
	transferred := lastTransfer(t, r)
	if !transferred.IsZero() && j.rule.Transferred == "restart" {
		item.Start = transferred
	}

	answered := !item.Stop.IsZero()
	switch {
	case late && j.rule.CrossDay == "exclude":
		item.Left = LeftCrossDay
	case !transferred.IsZero() && j.rule.Transferred == "exclude":
		item.Left = LeftTransferred
	case answered && j.rule.ZeroSecond == "exclude" && item.Stop.Sub(item.Start) < time.Second:
		item.Left = LeftZeroSecond
	case answered:
		return j.count(item, j.elapsed(item.Start, item.Stop), true)
	case j.rule.Unanswered == "until_end" && j.rule.Measure == kpi.Mean && !endOf(t).After(item.Opened):
		item.Left = LeftNoEnd
	case j.rule.Unanswered == "until_end":
		return j.count(item, j.elapsed(item.Start, endOf(t)), false)
	case j.rule.Unanswered == "exclude" || j.rule.Measure == kpi.Mean:
		item.Left = LeftUnanswered
	default:
		return j.count(item, 0, false)
	}
	return item
}

// agentOf is whom a round belongs to.
func agentOf(t chatlog.Timeline, r round) ids.Agent {
	if r.reply < len(t.Events) {
		if t.Events[r.reply].Kind == chatlog.BotMessage {
			return ""
		}
		return t.Events[r.reply].Agent
	}
	holder := t.Agent
	for _, e := range t.Events[:r.opening] {
		if (e.Kind == chatlog.AgentMessage || e.Kind == chatlog.Transfer) && e.Agent != "" {
			holder = e.Agent
		}
	}
	return holder
}

// lastTransfer is the instant of the last transfer while a round was open, zero when there was none.
func lastTransfer(t chatlog.Timeline, r round) time.Time {
	var last time.Time
	for _, e := range t.Events[r.opening:r.reply] {
		if e.Kind == chatlog.Transfer {
			last = milli(e.At)
		}
	}
	return last
}

// endOf is when a conversation ended: at its end, else with its last event.
func endOf(t chatlog.Timeline) time.Time {
	if !t.EndedAt.IsZero() {
		return milli(t.EndedAt)
	}
	return milli(t.Events[len(t.Events)-1].At)
}
