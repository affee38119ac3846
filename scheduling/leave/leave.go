// Package leave owns what agents and supervisors agree about a roster that is already made: leave,
// swaps, shifts given away, offers of overtime and of time off, and bidding for open shifts. It owns
// the life cycle of each (one table of steps), leave balances, quotas and closed days, what an
// absence costs, who is asked first and why, and the fairness ledger.
//
// It does not own the labour rules (workrules judges every change, here as everywhere), the stores,
// permissions, or the roster itself: an Effect says which shifts go and which come, and the caller
// makes it so.
//
// Times: shifts and a Request's Range are instants. Leave is charged by the civil day in the business
// time zone on which a shift starts. Balances count minutes of working time; Policy.Day is what one
// day of leave counts. ExpiresAt is the first instant at which a request can no longer be accepted.
// The caller passes now; nothing here reads a clock.
package leave

import (
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Kind is what a request is about.
type Kind string

// The kinds of request.
const (
	Absence  Kind = "leave"    // 请假
	Swap     Kind = "swap"     // 换班: two agents exchange a shift
	GiveAway Kind = "give"     // 让班: one agent's shift, open to the team
	Overtime Kind = "overtime" // 加班邀约
	TimeOff  Kind = "time_off" // 自愿提前下班 (VTO)
	Bidding  Kind = "bidding"  // 竞班
)

// Kinds in the order they are listed to people.
var Kinds = []Kind{Absence, Swap, GiveAway, Overtime, TimeOff, Bidding}

// Text is one sentence in the two languages of the console.
type Text = workrules.Text

// Request is one thing that somebody asks for or is offered, with all that it rests on. Exactly one
// of Leave, Swap, Offer and Round is set, by Kind: a swap and a shift given away both use Swap.
type Request struct {
	ID        ids.Request    `json:"id"`
	Kind      Kind           `json:"kind"`
	State     State          `json:"state"`
	Agent     ids.Agent      `json:"agent,omitempty"`     // who asks; nobody for offers and bidding
	Other     ids.Agent      `json:"other,omitempty"`     // with whom a swap is made, who takes a shift
	Team      ids.Team       `json:"team,omitempty"`      // to whom it is open; empty with Open = everybody
	Open      bool           `json:"open,omitempty"`      // agents of Team may see it and come forward
	Range     calendar.Range `json:"range"`               // what it is about, from the first to the last instant
	Reason    string         `json:"reason,omitempty"`    // in the words of who asks
	CreatedAt time.Time      `json:"created_at"`          //
	ExpiresAt time.Time      `json:"expires_at,omitzero"` // zero: does not expire
	Leave     *LeaveAsk      `json:"leave,omitempty"`
	Swap      *SwapAsk       `json:"swap,omitempty"`
	Offer     *Offer         `json:"offer,omitempty"`
	Round     *Round         `json:"round,omitempty"`
	Parties   []Party        `json:"parties,omitempty"` // who is asked or came forward, in order of rank or of time
	Effects   []Effect       `json:"effects,omitempty"` // what it changed, by roster
}

// LeaveAsk is what a leave request asks for and what was found when it was decided.
type LeaveAsk struct {
	Kind     LeaveKind `json:"kind"`
	Charge   []Charge  `json:"charge,omitempty"` // working time that it takes, by day
	Decision Decision  `json:"decision"`
	Proof    string    `json:"proof,omitempty"` // number or name of the document, e.g. of a sick note
}

// SwapAsk is the shifts of a swap or of a shift given away.
type SwapAsk struct {
	Roster ids.Roster        `json:"roster"`
	Given  scheduling.Shift  `json:"given"`           // of Request.Agent
	Taken  *scheduling.Shift `json:"taken,omitempty"` // of Request.Other; nil when the shift is given away
	From   ids.Roster        `json:"from,omitempty"`  // roster of Taken, when it is another one
	Pick   bool              `json:"pick,omitempty"`  // a supervisor picks among those who come forward; false: the first legal one has it
	Seen   string            `json:"seen"`            // digest of both people's shifts around it when it was judged: another one makes it stale
}

// PartyState is what one of those who are asked said.
type PartyState string

// The states of a party.
const (
	Asked    PartyState = "asked"
	Accepted PartyState = "accepted"
	Declined PartyState = "declined"
	Claimed  PartyState = "claimed" // came forward, waits for the supervisor
	Bid      PartyState = "bid"
	Won      PartyState = "won"
	Lost     PartyState = "lost"
)

// Party is one agent beside the one who asks.
type Party struct {
	Agent  ids.Agent  `json:"agent"`
	State  PartyState `json:"state"`
	At     time.Time  `json:"at,omitzero"` // of the last change
	Wishes []int      `json:"wishes,omitempty"`
	Says   Text       `json:"says,omitzero"` // why it won or lost
}

// Party finds an agent among the parties; nil when it is not there.
func (r *Request) Party(a ids.Agent) *Party {
	for i := range r.Parties {
		if r.Parties[i].Agent == a {
			return &r.Parties[i]
		}
	}
	return nil
}

// Count is how many parties are in a state.
func (r *Request) Count(s PartyState) (n int) {
	for _, p := range r.Parties {
		if p.State == s {
			n++
		}
	}
	return n
}

// Effect is what a request changes in a roster: every shift in Drop leaves it and every shift in Add
// comes in, each under its Agent.
type Effect struct {
	Roster ids.Roster         `json:"roster"`
	Drop   []scheduling.Shift `json:"drop,omitempty"`
	Add    []scheduling.Shift `json:"add,omitempty"`
}

// Empty reports that nothing changes.
func (e Effect) Empty() bool { return len(e.Drop)+len(e.Add) == 0 }

// WorkTime is the working time that the effect adds, negative when it takes some away. A swap and a
// shift given away add nothing.
func (e Effect) WorkTime() (sum time.Duration) {
	for _, s := range e.Add {
		sum += s.WorkTime()
	}
	for _, s := range e.Drop {
		sum -= s.WorkTime()
	}
	return sum
}
