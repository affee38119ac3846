// Package tally counts conversations by a metric definition, one at a time and in the open: the
// slow, obvious implementation of what the warehouse computes in SQL. Tests hold the two against
// each other, and people who open a figure see its items as this package lists them.
//
// It does not own definitions (kpi), events (kpi/chatlog) or storage (kpi/warehouse). Which shops
// and which dates a definition is for (Platforms, Effective) is the caller's business too: every
// function here counts all it is given.
//
// All arithmetic is on whole milliseconds. An item is dated by Item.At, which decides its business
// date, its 15-minute slot and whether it lies in the rule's window.
package tally

import (
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// Item is one thing that a definition looked at, and what became of it.
type Item struct {
	Merchant     ids.Merchant  `json:"merchant"`
	Shop         ids.Shop      `json:"shop"`
	Queue        ids.Queue     `json:"queue"`
	Agent        ids.Agent     `json:"agent,omitempty"` // who replied; of an unanswered round who held the conversation
	Buyer        string        `json:"-"`
	Conversation string        `json:"conversation"`    // of a ticket its id
	At           time.Time     `json:"at"`              // what dates it
	Date         calendar.Date `json:"date"`            // business date of At
	Closes       calendar.Date `json:"closes,omitzero"` // of an inquiry: the last business date that can still change it
	Opened       time.Time     `json:"opened,omitzero"` // the buyer message that opened the round
	Start        time.Time     `json:"start"`           // of the response clock
	Stop         time.Time     `json:"stop,omitzero"`   // the reply that counts; zero = none
	Seconds      float64       `json:"seconds"`         // on the definition's clock, capped
	Numerator    float64       `json:"numerator"`       // what it adds; of a buyer-day see Readings
	Denominator  float64       `json:"denominator"`
	Left         string        `json:"left_out,omitempty"` // why it counts in neither, "" = it counts
}

// Why an item is left out.
const (
	LeftWindow      = "window"       // dated outside the rule's daily window
	LeftExempt      = "exempt"       // dated in a period that is not assessed
	LeftTransferred = "transferred"  // the conversation changed hands while the round was open
	LeftZeroSecond  = "zero_second"  // answered in less than a second
	LeftCrossDay    = "cross_day"    // answered on a later business day
	LeftUnanswered  = "unanswered"   // never answered
	LeftNoRound     = "no_round"     // the buyer wrote nothing that asks for a reply
	LeftNoEnd       = "no_end"       // never answered, and no end of the conversation after it is known
	LeftChannel     = "channel"      // a conversation of a channel that does not count
	LeftNotDetailed = "not_detailed" // the log only tells the first response
	LeftNoDeadline  = "no_deadline"  // a ticket without a due time
)

// Items lists what a definition with a rule on the base round, session or buyer-day makes of
// conversations, in the order given; left-out items too, with the reason. Of the base buyer-day it
// lists the rounds, numerator 1 for one in time: only Readings can tell how a buyer's day went.
//
// A round is judged in this order:
//
//  1. A reply on a later business day than the opening: cross_day miss makes the round unanswered,
//     exclude leaves it out.
//  2. It belongs to who replied (nobody when a bot did). An unanswered one belongs to who held the
//     conversation when it opened: the last person named by a message or a transfer before the
//     opening, else the conversation's agent.
//  3. Transfers after the opening and before the reply, or any after the opening of an unanswered
//     round: exclude leaves it out, restart starts the clock at the last of them.
//  4. Otherwise the clock starts at the opening; with start=entry that of the conversation's first
//     round at StartedAt. It never shows less than zero.
//  5. A reply within a second, on a clock that always runs: zero_second exclude leaves it out.
//  6. Without a reply: exclude leaves it out, and so does miss in a mean; miss counts it as not in
//     time; until_end is a miss, and in a mean runs the clock until the conversation's end, else its last event,
//     and leaves out the round when that is not after its opening: nobody knows how long it waited.
//  7. What dates it (Rule.Cut: its opening, or StartedAt) must lie in the daily window and outside exempt periods.
//
// Conversations of a channel that the definition does not count are left out as a whole. The base round takes every round that is left. The base session takes one item of each
// conversation: judge=first its first round as long as that is not left out; judge=every all that
// are left together, in time when each is, with the place and date of the first of them. Rounds of
// conversations that are not Detailed are not known, except the first: only judge=first sees those.
func Items(d kpi.Definition, zone *time.Location, timelines []chatlog.Timeline) []Item {
	var items []Item
	j := newJudge(d, zone)
	for _, t := range timelines {
		items = append(items, j.conversation(t)...)
	}
	return items
}

// judge is a definition made ready for use.
type judge struct {
	definition kpi.Definition
	rule       kpi.Rule // with defaults
	clock      kpi.Clock
	zone       *time.Location
}

func newJudge(d kpi.Definition, zone *time.Location) judge {
	rule := d.Rule.WithDefaults()
	clock, _ := kpi.ParseClock(rule.Hours) // a valid rule has a valid clock
	return judge{d, rule, clock, zone}
}

// date places an item in time and leaves it out when it lies outside the window or in an exempt period.
func (j judge) date(item Item, at time.Time) Item {
	local := at.In(j.zone)
	item.At, item.Date = at.UTC(), calendar.DateOf(at, j.zone)
	if item.Left == "" && !j.rule.Daily().Contains(local.Hour()*60+local.Minute()) {
		item.Left = LeftWindow
	}
	if item.Left == "" && j.definition.Exempted(item.Date) {
		item.Left = LeftExempt
	}
	if item.Left != "" {
		item.Numerator, item.Denominator = 0, 0
	}
	return item
}

// elapsed is what the definition's clock shows between two instants.
func (j judge) elapsed(from, to time.Time) time.Duration {
	if !from.Before(to) {
		return 0
	}
	return j.clock.Elapsed(from, to, j.zone)
}

// count fills in what an item adds when its clock ran so long; answered says whether it was stopped
// by a reply. A share counts a hit, a mean the seconds, and a count the item itself.
func (j judge) count(item Item, ran time.Duration, answered bool) Item {
	if most := time.Duration(j.rule.Cap) * time.Second; most > 0 && ran > most {
		item.Seconds = most.Seconds()
	} else {
		item.Seconds = ran.Seconds()
	}
	item.Denominator = 1
	limit := time.Duration(j.rule.Limit) * time.Second
	switch {
	case j.rule.Measure == kpi.Mean:
		item.Numerator = item.Seconds
	case j.rule.Measure == kpi.Items:
		item.Numerator = 1
	case answered && (limit == 0 || ran <= limit):
		item.Numerator = 1
	}
	return item
}

// milli cuts an instant to the millisecond, which is all that is kept of it.
func milli(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}
