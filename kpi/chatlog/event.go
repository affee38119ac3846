package chatlog

import (
	"time"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/money"
)

// EventKind is what happened in a conversation. The order of Kinds is the order of events of one
// instant: a buyer's message comes before a reply in the same millisecond.
type EventKind string

// The kinds of events.
const (
	Handover     EventKind = "handover" // the buyer enters the human stage
	BuyerMessage EventKind = "buyer"
	Welcome      EventKind = "welcome" // automatic welcome or template: never a reply
	BotMessage   EventKind = "bot"
	Transfer     EventKind = "transfer" // Agent is who receives the conversation
	AgentMessage EventKind = "agent"    // by a person
	RatingGiven  EventKind = "rating"
	Ended        EventKind = "end"
)

// Kinds in their order within one instant.
var Kinds = []EventKind{Handover, BuyerMessage, Welcome, BotMessage, Transfer, AgentMessage, RatingGiven, Ended}

// Event is one thing that happened in a conversation. Events may come in any order, late and
// repeatedly: the same ID in the same conversation is the same event, the latest import of it counts.
type Event struct {
	Merchant     ids.Merchant `json:"merchant"`
	Shop         ids.Shop     `json:"shop"`
	Queue        ids.Queue    `json:"queue"`
	Conversation string       `json:"conversation"` // the platform's session id; empty = one per buyer, shop and business day
	ID           string       `json:"id,omitempty"` // unique in the conversation; empty = a hash of the content
	At           time.Time    `json:"at"`           // to the millisecond
	Kind         EventKind    `json:"kind"`
	Agent        ids.Agent    `json:"agent,omitempty"`   // who wrote, or who receives a transfer
	Account      string       `json:"account,omitempty"` // the platform's sub-account (子账号); Agent follows from it by dated assignment
	Buyer        string       `json:"buyer,omitempty"`   // keyed hash, never a name
	Closing      bool         `json:"closing,omitempty"` // a buyer message that only closes (谢谢, 好的), by a ClosingRule
	Score        int          `json:"score,omitempty"`   // of a rating, 1..5
	Invited      bool         `json:"invited,omitempty"` // the rating was asked for
	Text         string       `json:"text,omitempty"`    // only where the contract allows keeping it
	Simulated    bool         `json:"simulated,omitempty"`
}

// OrderKind is a step of a buyer's order.
type OrderKind string

// The steps. An inquiry (询单) is a pre-sale consult; it is what later steps are attributed to.
const (
	Inquiry  OrderKind = "inquiry"
	Ordered  OrderKind = "order"
	Paid     OrderKind = "payment"
	Shipped  OrderKind = "shipment"
	Refunded OrderKind = "refund"
)

// OrderEvent is one step of one buyer's order, or the inquiry before it. The same (shop, buyer,
// order, kind) is the same step; the latest import of it counts.
type OrderEvent struct {
	Merchant  ids.Merchant `json:"merchant"`
	Shop      ids.Shop     `json:"shop"`
	Buyer     string       `json:"buyer"`           // keyed hash
	Order     string       `json:"order,omitempty"` // the platform's order id; of an inquiry the conversation
	Kind      OrderKind    `json:"kind"`
	At        time.Time    `json:"at"`
	Queue     ids.Queue    `json:"queue,omitempty"`  // of an inquiry
	Agent     ids.Agent    `json:"agent,omitempty"`  // of an inquiry: who served it
	Amount    money.Fen    `json:"amount,omitempty"` // of payments and refunds
	Simulated bool         `json:"simulated,omitempty"`
}

// Ticket is deferred work with a deadline (工单). The same id is the same ticket; the latest
// import of it counts.
type Ticket struct {
	Merchant  ids.Merchant `json:"merchant"`
	Shop      ids.Shop     `json:"shop"`
	Queue     ids.Queue    `json:"queue"`
	ID        string       `json:"id"`
	Tag       string       `json:"tag,omitempty"` // 催发货, 退换货, ...
	Agent     ids.Agent    `json:"agent,omitempty"`
	Buyer     string       `json:"buyer,omitempty"` // keyed hash
	OpenedAt  time.Time    `json:"opened_at"`
	DueAt     time.Time    `json:"due_at,omitzero"`
	ClosedAt  time.Time    `json:"closed_at,omitzero"` // zero = open
	Simulated bool         `json:"simulated,omitempty"`
}

// DailyFigure is one figure of one business day as a platform exported it. It is what the platform
// says, kept beside what we measure; (platform, shop, date, account, item) is its key, and the
// latest import of it counts.
type DailyFigure struct {
	Platform string       `json:"platform"` // tmall, jd, pdd, douyin, kuaishou
	Merchant ids.Merchant `json:"merchant"`
	Shop     ids.Shop     `json:"shop"`
	Date     string       `json:"date"`              // business date 2026-11-11, from the date column where the file has one
	Account  string       `json:"account,omitempty"` // sub-account; empty = the whole shop
	Item     string       `json:"item"`              // canonical name, "human_3min_rate"
	Header   string       `json:"header"`            // as in the file, 3分钟人工响应率
	Unit     string       `json:"unit"`              // count, share (0..1), seconds, yuan, ratio
	Base     string       `json:"base"`              // counting base: buyer-day, session, round, ...; "" = not said
	Value    float64      `json:"value"`             // a cell without data is no DailyFigure
	Closed   bool         `json:"closed"`            // false while the platform can still change it (conversion before its last day)
}

// Assignment says which person used a platform sub-account from one instant to another. Accounts
// are shared and people change: many to many over time.
type Assignment struct {
	Platform string    `json:"platform"`
	Shop     ids.Shop  `json:"shop"`
	Account  string    `json:"account"`
	Agent    ids.Agent `json:"agent"`
	From     time.Time `json:"from"`
	Until    time.Time `json:"until,omitzero"` // exclusive; zero = open
}
