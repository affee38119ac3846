// Package chatlog owns the canonical service events (conversation, round, message and other events of
// a conversation, step of an order, ticket, agent state, contact history, daily figure of a platform,
// assignment of a sub-account) and how rows and lines of files become them.
//
// A conversation is dated by StartedAt, the instant the buyer entered the human stage; it counts
// in the slot and business day of that instant. An event is dated by At, to the millisecond; without
// session ids a conversation is one buyer in one shop on the business day of At. A ticket is dated by
// OpenedAt. All times are instants in UTC; only a daily figure has a business date. A call is a
// conversation with channel "call" and one round.
//
// It does not own storage (kpi/warehouse) or reading files (operations/intake).
package chatlog

import (
	"time"

	"github.com/chaoban/chaoban/internal/ids"
)

// Conversation is one chat session or one call.
type Conversation struct {
	Merchant ids.Merchant `json:"merchant"`
	Shop     ids.Shop     `json:"shop"`
	Queue    ids.Queue    `json:"queue"`
	ID       string       `json:"id"`              // the platform's session id, or a hash of the content
	Channel  string       `json:"channel"`         // "chat" or "call"
	Agent    ids.Agent    `json:"agent,omitempty"` // who answered first; of an unanswered one, whom it was offered to, when the log says
	Buyer    string       `json:"buyer,omitempty"` // keyed hash, never a name

	StartedAt     time.Time `json:"started_at"`
	AnsweredAt    time.Time `json:"answered_at,omitzero"`     // first human reply; zero = never answered
	BotAnsweredAt time.Time `json:"bot_answered_at,omitzero"` // first reply by a bot; may come before StartedAt
	EndedAt       time.Time `json:"ended_at,omitzero"`

	Abandoned bool  `json:"abandoned,omitempty"`
	Resolved  *bool `json:"resolved,omitempty"` // nil = not known
	Rating    *int  `json:"rating,omitempty"`   // 1..5, nil = not rated

	AgentMessages int           `json:"agent_messages,omitempty"`
	BuyerMessages int           `json:"buyer_messages,omitempty"`
	HandleTime    time.Duration `json:"handle_time,omitempty"` // of a call the talk time, of a chat from the first reply to the end, the buyer's pauses included

	Rounds    []Round `json:"rounds,omitempty"`
	Simulated bool    `json:"simulated,omitempty"`
}

// Round is one unanswered buyer turn and the human reply that closed it.
type Round struct {
	OpenedAt   time.Time `json:"opened_at"`
	AnsweredAt time.Time `json:"answered_at,omitzero"` // zero = never
	Agent      ids.Agent `json:"agent,omitempty"`
}

// State is what an agent was doing.
type State string

// The states.
const (
	Ready    State = "ready"
	Busy     State = "busy"
	OnBreak  State = "break"
	Training State = "training"
	Offline  State = "offline"
)

// AgentState is one agent's state from Start to End.
type AgentState struct {
	Agent     ids.Agent `json:"agent"`
	State     State     `json:"state"`
	Start     time.Time `json:"start"`
	End       time.Time `json:"end"`
	Simulated bool      `json:"simulated,omitempty"`
}

// Contacts is one slot of contact history of a queue: the input of a forecast.
type Contacts struct {
	Merchant   ids.Merchant  `json:"merchant"`
	Queue      ids.Queue     `json:"queue"`
	Start      time.Time     `json:"start"`
	Slot       time.Duration `json:"slot"` // 5 to 60 minutes, or 24 h
	Offered    float64       `json:"offered"`
	HandleTime time.Duration `json:"handle_time,omitempty"` // mean per contact, as of a Conversation; 0 = unknown
	Simulated  bool          `json:"simulated,omitempty"`
}
