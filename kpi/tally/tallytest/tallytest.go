// Package tallytest draws small, dense worlds for property tests of metric definitions: few
// merchants, agents, buyers and conversations over three days, with instants clustered around
// business midnight, the borders of windows and office hours, and each other.
//
// It owns random rules and events; it does not own what they amount to (kpi/tally).
package tallytest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// First and Last are the business dates that the worlds' conversations start on, both inclusive,
// give or take some hours; a month ends between them, and First is a Friday. Messages go on for up to
// ten days.
var (
	First = calendar.Date{Year: 2026, Month: 10, Day: 30}
	Last  = calendar.Date{Year: 2026, Month: 11, Day: 1}
)

// Zone is the business time zone of the worlds.
var Zone = func() *time.Location {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		panic(err) // every machine that runs tests has time zones
	}
	return zone
}()

// Range is all of a world, on borders of business days.
var Range = calendar.Range{Start: First.Add(-3).In(Zone), End: Last.Add(14).In(Zone)}

// Bases are the counting bases that rules know.
var Bases = []string{kpi.BaseRound, kpi.BaseSession, kpi.BaseBuyerDay, kpi.BaseInquiry, kpi.BaseTicket}

var (
	windows = []string{"", "", "09:00-23:00", "08:00-24:00", "22:00-06:00", "23:59-00:01"}
	hours   = []string{"", "", "", "Mon-Fri 09:00-17:00", "Mon-Sun 08:00-24:00", "Mon-Sun 00:00-09:00", "Fri 16:00-24:00; Sun 00:00-12:00"}
	limits  = []int{0, 1, 30, 60, 180, 3600, 86400}
	units   = map[kpi.Measure]kpi.Unit{
		kpi.Within: kpi.Share, kpi.Converted: kpi.Share, kpi.Mean: kpi.Seconds, kpi.Items: kpi.Count, kpi.Amount: kpi.Yuan,
	}
	measures = map[string][]kpi.Measure{
		kpi.BaseRound: {kpi.Within, kpi.Within, kpi.Mean, kpi.Items}, kpi.BaseSession: {kpi.Within, kpi.Within, kpi.Mean, kpi.Items},
		kpi.BaseBuyerDay: {kpi.Within, kpi.Within, kpi.Items}, kpi.BaseInquiry: {kpi.Converted, kpi.Amount, kpi.Items},
		kpi.BaseTicket: {kpi.Within, kpi.Mean, kpi.Items},
	}
)

// DrawRule draws a valid definition with a rule on a counting base: metric "test.<base>", version
// "v1", in force always, on every platform. Each choice is as likely as its default.
func DrawRule(t *rapid.T, base string) kpi.Definition {
	one := func(label string, values ...string) string { return rapid.SampledFrom(values).Draw(t, label) }
	r := kpi.Rule{
		Measure: rapid.SampledFrom(measures[base]).Draw(t, "measure"),
		Window:  one("window", windows...),
	}
	if base != kpi.BaseInquiry {
		r.Limit = rapid.SampledFrom(limits).Draw(t, "limit")
		r.Cap = rapid.SampledFrom([]int{0, 0, 20, 600}).Draw(t, "cap")
		r.Hours = one("hours", hours...)
	}
	switch base {
	case kpi.BaseInquiry:
		r.Order = one("order", "order", "payment", "shipment")
		r.CloseDays = rapid.IntRange(0, 2).Draw(t, "close days")
		r.Net = rapid.Bool().Draw(t, "net")
	case kpi.BaseSession, kpi.BaseBuyerDay, kpi.BaseRound:
		if base != kpi.BaseRound && r.Measure != kpi.Mean { // a mean of a session is its first round
			r.Judge = one("judge", "", "first", "every")
		}
		r.Start = one("start", "", "buyer", "entry")
		r.Stop = one("stop", "", "human", "any")
		r.Cut = one("cut", "", "event", "session")
		r.Closing = one("closing", "", "ignore", "open")
		r.ZeroSecond = one("zero second", "", "count", "exclude")
		r.CrossDay = one("cross day", "", "count", "miss", "exclude")
		r.Transferred = one("transferred", "", "receiver", "restart", "exclude")
		r.Unanswered = one("unanswered", "", "miss", "exclude", "until_end")
	}
	var channels []string
	if base == kpi.BaseRound || base == kpi.BaseSession || base == kpi.BaseBuyerDay {
		channels = rapid.SampledFrom([][]string{nil, nil, nil, {chatlog.Chat}, {chatlog.Call}, {chatlog.Call, chatlog.Chat}}).Draw(t, "channels")
	}
	d := kpi.Definition{
		Metric: kpi.Metric("test." + base), Version: "v1", Unit: units[r.Measure], Base: base, Rule: &r, Channels: channels,
		Effective: calendar.Dates{From: calendar.Date{Year: 2000, Month: 1, Day: 1}},
		MinSample: rapid.SampledFrom([]int{0, 0, 2, 5}).Draw(t, "minimum sample"),
	}
	if rapid.IntRange(0, 4).Draw(t, "exempt") == 0 {
		d.Exempt = []kpi.Exemption{{Dates: calendar.Dates{From: First.Add(1), Until: First.Add(2)}, Reason: "test"}}
	}
	return d
}

var (
	merchants = []ids.Merchant{"lumi", "lumi", "o'hara"}
	shops     = []ids.Shop{"s1", "s1", "s2"}
	queues    = []ids.Queue{"pre", "after"}
	agents    = []ids.Agent{"a1", "a2", "a3"}
	buyers    = []string{"b1", "b2", "b3", ""}
	gaps      = []time.Duration{
		0, 0, time.Millisecond, 999 * time.Millisecond, time.Second, 5 * time.Second, 29_999 * time.Millisecond, 30 * time.Second,
		30_001 * time.Millisecond, time.Minute, 3 * time.Minute, 180_001 * time.Millisecond, 11 * time.Minute, 5 * time.Hour, 26 * time.Hour,
	}
	anchors = []time.Duration{ // since midnight
		0, 0, 6 * time.Hour, 8 * time.Hour, 9 * time.Hour, 16*time.Hour + 30*time.Minute, 17 * time.Hour, 22 * time.Hour,
		23 * time.Hour, 24*time.Hour - time.Minute,
	}
)

// instant draws one on or near a border.
func instant(t *rapid.T, label string) time.Time {
	day := First.Add(rapid.IntRange(0, 2).Draw(t, label+" day"))
	at := day.In(Zone).Add(rapid.SampledFrom(anchors).Draw(t, label+" anchor"))
	offset := rapid.SampledFrom(gaps[:len(gaps)-2]).Draw(t, label+" offset")
	if rapid.Bool().Draw(t, label+" before") {
		return at.Add(-offset).UTC()
	}
	return at.Add(offset).UTC()
}

// DrawConversations draws what was imported, in order of import: headers and events of up to
// eight conversations, some with only one of the two, some with events that come again changed.
// The latest import of a header (merchant, id) or event (merchant, conversation, id) counts.
// Headers pass Validate.
func DrawConversations(t *rapid.T) (headers []chatlog.Conversation, events []chatlog.Event) {
	for n := range rapid.IntRange(1, 8).Draw(t, "conversations") {
		c := conversation(t, fmt.Sprint("c", n))
		kind := rapid.IntRange(0, 4).Draw(t, "known from") // 0 header, 1 both, 2 to 4 events
		if kind <= 1 {
			headers = append(headers, header(t, c))
		}
		if kind >= 1 {
			events = append(events, messages(t, c)...)
		}
	}
	for range rapid.IntRange(0, 2).Draw(t, "corrections") {
		if len(events) > 0 {
			again := rapid.SampledFrom(events).Draw(t, "again")
			again.At = again.At.Add(rapid.SampledFrom([]time.Duration{-26 * time.Hour, -time.Second, 0, 40 * time.Second}).Draw(t, "moved"))
			if kind := rapid.SampledFrom([]chatlog.EventKind{again.Kind, chatlog.BuyerMessage, chatlog.AgentMessage}).Draw(t, "kind now"); kind != again.Kind {
				again.Kind, again.Closing, again.Score = kind, false, 0
			}
			events = append(events, again)
		}
	}
	return headers, events
}

// conversation draws where a conversation belongs and when it starts.
func conversation(t *rapid.T, id string) chatlog.Conversation {
	return chatlog.Conversation{
		Merchant: rapid.SampledFrom(merchants).Draw(t, "merchant"), Shop: rapid.SampledFrom(shops).Draw(t, "shop"),
		Queue: rapid.SampledFrom(queues).Draw(t, "queue"), ID: id, Channel: rapid.SampledFrom([]string{chatlog.Chat, chatlog.Chat, chatlog.Chat, chatlog.Call}).Draw(t, "channel"),
		Buyer: rapid.SampledFrom(buyers).Draw(t, "buyer"), StartedAt: instant(t, "start"),
	}
}

func header(t *rapid.T, c chatlog.Conversation) chatlog.Conversation {
	gap := func(label string) time.Duration { return rapid.SampledFrom(gaps).Draw(t, label) }
	end := c.StartedAt
	if rapid.IntRange(0, 3).Draw(t, "answered") > 0 {
		c.AnsweredAt = c.StartedAt.Add(gap("response"))
		c.Agent = rapid.SampledFrom(agents).Draw(t, "agent")
		end = c.AnsweredAt
	} else if rapid.Bool().Draw(t, "offered to") {
		c.Agent = rapid.SampledFrom(agents).Draw(t, "agent")
	}
	opened := c.StartedAt
	for range rapid.IntRange(0, 3).Draw(t, "rounds") {
		opened = opened.Add(gap("pause"))
		r := chatlog.Round{OpenedAt: opened, Agent: rapid.SampledFrom([]ids.Agent{"", "a1", "a2"}).Draw(t, "round agent")}
		if rapid.IntRange(0, 3).Draw(t, "closed") > 0 {
			r.AnsweredAt = opened.Add(gap("wait"))
			end = later(end, r.AnsweredAt)
		}
		c.Rounds = append(c.Rounds, r)
	}
	if rapid.IntRange(0, 4).Draw(t, "bot") == 0 {
		c.BotAnsweredAt = c.StartedAt.Add(gap("bot") - time.Second)
	}
	if rapid.Bool().Draw(t, "ended") {
		c.EndedAt = end.Add(gap("tail"))
	}
	return c
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// kinds of drawn events; messages are more likely than the rest.
var kinds = []chatlog.EventKind{
	chatlog.BuyerMessage, chatlog.AgentMessage, chatlog.BuyerMessage, chatlog.AgentMessage, chatlog.BuyerMessage, chatlog.AgentMessage,
	chatlog.Transfer, chatlog.BotMessage, chatlog.Welcome, chatlog.Handover, chatlog.RatingGiven, chatlog.Ended,
}

func messages(t *rapid.T, c chatlog.Conversation) []chatlog.Event {
	at := c.StartedAt.Add(rapid.SampledFrom([]time.Duration{0, 0, time.Second, -time.Second}).Draw(t, "first"))
	buyer := c.Buyer
	var events []chatlog.Event
	for n := range rapid.IntRange(1, 9).Draw(t, "events") {
		e := chatlog.Event{
			Merchant: c.Merchant, Shop: c.Shop, Queue: c.Queue, Conversation: c.ID, ID: fmt.Sprint("e", n), At: at,
			Kind: rapid.SampledFrom(kinds).Draw(t, "kind"),
		}
		switch e.Kind {
		case chatlog.BuyerMessage:
			e.Buyer, e.Closing = buyer, rapid.IntRange(0, 3).Draw(t, "closing") == 0
		case chatlog.AgentMessage, chatlog.Transfer:
			e.Agent = rapid.SampledFrom(agents).Draw(t, "agent")
		case chatlog.RatingGiven:
			e.Score = rapid.IntRange(1, 5).Draw(t, "score")
		}
		events = append(events, e)
		at = at.Add(rapid.SampledFrom(gaps).Draw(t, "gap"))
	}
	return events
}

// Timelines assembles what was imported, the latest import of each header and event counting, in
// order of merchant and conversation.
func Timelines(headers []chatlog.Conversation, events []chatlog.Event) []chatlog.Timeline {
	heads := map[string]*chatlog.Conversation{}
	parts := map[string]map[string]chatlog.Event{}
	key := func(merchant ids.Merchant, id string) string { return string(merchant) + "\x00" + id }
	for _, h := range headers {
		heads[key(h.Merchant, h.ID)] = &h
	}
	for _, e := range events {
		k := key(e.Merchant, e.Conversation)
		if parts[k] == nil {
			parts[k] = map[string]chatlog.Event{}
			if _, ok := heads[k]; !ok {
				heads[k] = nil
			}
		}
		parts[k][e.ID] = e
	}
	names := make([]string, 0, len(heads))
	for k := range heads {
		names = append(names, k)
	}
	slices.Sort(names)
	var timelines []chatlog.Timeline
	for _, k := range names {
		var own []chatlog.Event
		for _, e := range parts[k] {
			own = append(own, e)
		}
		slices.SortFunc(own, func(a, b chatlog.Event) int { return strings.Compare(a.ID, b.ID) })
		timelines = append(timelines, chatlog.Assemble(heads[k], own))
	}
	return timelines
}

// DrawOrders draws inquiries and order steps of a few buyers; no (merchant, shop, buyer, order,
// kind) comes twice.
func DrawOrders(t *rapid.T) []chatlog.OrderEvent {
	steps := []chatlog.OrderKind{chatlog.Inquiry, chatlog.Inquiry, chatlog.Ordered, chatlog.Paid, chatlog.Paid, chatlog.Shipped, chatlog.Refunded}
	var orders []chatlog.OrderEvent
	for n := range rapid.IntRange(1, 14).Draw(t, "orders") {
		e := chatlog.OrderEvent{
			Merchant: rapid.SampledFrom(merchants).Draw(t, "merchant"), Shop: rapid.SampledFrom(shops).Draw(t, "shop"),
			Buyer: rapid.SampledFrom(buyers[:2]).Draw(t, "buyer"), Order: fmt.Sprint("o", n),
			Kind: rapid.SampledFrom(steps).Draw(t, "step"), At: instant(t, "step"),
		}
		switch e.Kind {
		case chatlog.Inquiry:
			e.Queue, e.Agent = rapid.SampledFrom(queues).Draw(t, "queue"), rapid.SampledFrom(agents).Draw(t, "agent")
		default:
			e.Amount = rapid.SampledFrom([]money.Fen{1, 1999, 20_000, 33_333}).Draw(t, "amount")
		}
		orders = append(orders, e)
	}
	return orders
}

// DrawTickets draws tickets, open and closed, with and without a due time; no (merchant, id) comes twice.
func DrawTickets(t *rapid.T) []chatlog.Ticket {
	var tickets []chatlog.Ticket
	for n := range rapid.IntRange(1, 10).Draw(t, "tickets") {
		ticket := chatlog.Ticket{
			Merchant: rapid.SampledFrom(merchants).Draw(t, "merchant"), Shop: rapid.SampledFrom(shops).Draw(t, "shop"),
			Queue: rapid.SampledFrom(queues).Draw(t, "queue"), Agent: rapid.SampledFrom(agents).Draw(t, "agent"),
			ID: fmt.Sprint("t", n), OpenedAt: instant(t, "opened"),
		}
		if rapid.Bool().Draw(t, "has a deadline") {
			ticket.DueAt = ticket.OpenedAt.Add(rapid.SampledFrom(gaps).Draw(t, "due"))
		}
		if rapid.IntRange(0, 2).Draw(t, "closed") > 0 {
			ticket.ClosedAt = ticket.OpenedAt.Add(rapid.SampledFrom(gaps).Draw(t, "closed after"))
		}
		tickets = append(tickets, ticket)
	}
	return tickets
}
