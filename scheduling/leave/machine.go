package leave

import (
	"slices"

	"github.com/chaoban/chaoban/internal/fault"
)

// State is where a request is in its life.
type State string

// The states.
const (
	Waiting   State = "waiting"   // leave: for the supervisor; a swap: for the other agent
	Open      State = "open"      // for somebody to come forward
	Agreed    State = "agreed"    // both agents consent, the supervisor decides
	Approved  State = "approved"  // leave is granted
	Done      State = "done"      // the roster is changed
	Filled    State = "filled"    // every head of an offer is taken
	Drawn     State = "drawn"     // the bidding is decided
	Refused   State = "refused"   // by the supervisor or by a rule
	Turned    State = "declined"  // by the other agent
	Withdrawn State = "withdrawn" // by whoever asked
	Cancelled State = "cancelled" // granted leave that is not taken
	Expired   State = "expired"   // nobody answered in time
	Stale     State = "stale"     // the shifts it is about changed meanwhile
)

// States is every state.
var States = []State{Waiting, Open, Agreed, Approved, Done, Filled, Drawn, Refused, Turned, Withdrawn, Cancelled, Expired, Stale}

// Action is one step of a request.
type Action string

// The actions.
const (
	Approve  Action = "approve"
	Refuse   Action = "refuse"
	Withdraw Action = "withdraw"
	Cancel   Action = "cancel"
	Accept   Action = "accept"  // the other agent of a swap, or who is offered something
	Decline  Action = "decline" // the same
	Take     Action = "take"    // first come, first served: a shift given away
	Claim    Action = "claim"   // come forward for a shift given away when a supervisor picks
	Unclaim  Action = "unclaim"
	Pick     Action = "pick"
	Fill     Action = "fill" // the last head of an offer was accepted
	PutBid   Action = "bid"
	TakeBack Action = "unbid"
	Draw     Action = "draw"
	Expire   Action = "expire"
	GoStale  Action = "stale"
)

// Actions is every action.
var Actions = []Action{Approve, Refuse, Withdraw, Cancel, Accept, Decline, Take, Claim, Unclaim, Pick, Fill, PutBid, TakeBack, Draw, Expire, GoStale}

// Actor is in which part somebody acts on a request.
type Actor string

// The actors. One person may be able to act in several parts: a supervisor acts for agents too.
const (
	Asker  Actor = "asker"      // whoever asks
	Other  Actor = "other"      // whoever is asked
	Boss   Actor = "supervisor" // decides
	System Actor = "system"     // a rule or the clock
)

var actorNames = map[Actor]string{
	Asker: "whoever asked", Other: "an agent who was asked or came forward, named with the step", Boss: "a supervisor", System: "the service itself",
}

// Transition is one row of the table of steps.
type Transition struct {
	From State
	Do   Action
	By   []Actor
	To   State
}

// Life is the steps of one kind of request.
type Life struct {
	Start State
	Steps []Transition
}

// lives is every kind's life. What is not in it cannot happen.
var lives = map[Kind]Life{
	Absence: {Waiting, []Transition{
		{Waiting, Approve, []Actor{Boss, System}, Approved},
		{Waiting, Refuse, []Actor{Boss, System}, Refused},
		{Waiting, Withdraw, []Actor{Asker}, Withdrawn},
		{Approved, Cancel, []Actor{Asker, Boss}, Cancelled},
	}},
	Swap: {Waiting, []Transition{
		{Waiting, Accept, []Actor{Other}, Agreed},
		{Waiting, Decline, []Actor{Other}, Turned},
		{Waiting, Withdraw, []Actor{Asker}, Withdrawn},
		{Waiting, Refuse, []Actor{Boss}, Refused},
		{Waiting, Expire, []Actor{System}, Expired},
		{Waiting, GoStale, []Actor{System}, Stale},
		{Agreed, Approve, []Actor{Boss, System}, Done},
		{Agreed, Refuse, []Actor{Boss, System}, Refused},
		{Agreed, Decline, []Actor{Other}, Turned}, // consent can be taken back until the decision
		{Agreed, Withdraw, []Actor{Asker}, Withdrawn},
		{Agreed, Expire, []Actor{System}, Expired},
		{Agreed, GoStale, []Actor{System}, Stale},
	}},
	GiveAway: {Open, []Transition{
		{Open, Take, []Actor{Other}, Agreed},
		{Open, Claim, []Actor{Other}, Open},
		{Open, Unclaim, []Actor{Other}, Open},
		{Open, Pick, []Actor{Boss}, Agreed},
		{Open, Withdraw, []Actor{Asker}, Withdrawn},
		{Open, Refuse, []Actor{Boss}, Refused},
		{Open, Expire, []Actor{System}, Expired},
		{Open, GoStale, []Actor{System}, Stale},
		{Agreed, Approve, []Actor{Boss, System}, Done},
		{Agreed, Refuse, []Actor{Boss, System}, Refused},
		{Agreed, Decline, []Actor{Other}, Open}, // who took it gives it back: it is open again
		{Agreed, Withdraw, []Actor{Asker}, Withdrawn},
		{Agreed, Expire, []Actor{System}, Expired},
		{Agreed, GoStale, []Actor{System}, Stale},
	}},
	Overtime: offerLife(),
	TimeOff:  offerLife(),
	Bidding: {Open, []Transition{
		{Open, PutBid, []Actor{Other}, Open},
		{Open, TakeBack, []Actor{Other}, Open},
		{Open, Draw, []Actor{Boss, System}, Drawn},
		{Open, Withdraw, []Actor{Boss}, Withdrawn},
	}},
}

func offerLife() Life {
	return Life{Open, []Transition{
		{Open, Accept, []Actor{Other}, Open},
		{Open, Decline, []Actor{Other}, Open},
		{Open, Fill, []Actor{System}, Filled},
		{Open, Withdraw, []Actor{Boss}, Withdrawn},
		{Open, Expire, []Actor{System}, Expired},
	}}
}

// LifeOf is the table of steps of a kind; ok is false for an unknown one.
func LifeOf(k Kind) (l Life, ok bool) {
	l, ok = lives[k]
	return l, ok
}

// Next is the state after a step by somebody who acts in one of the given parts.
//
// Errors: request.state when the request is not in a state from which the step leads on,
// request.part when the step is another's to make.
func Next(k Kind, s State, do Action, as ...Actor) (State, error) {
	for _, t := range lives[k].Steps {
		if t.From != s || t.Do != do {
			continue
		}
		if !slices.ContainsFunc(t.By, func(a Actor) bool { return slices.Contains(as, a) }) {
			return s, fault.New(fault.Forbidden, "request.part", "the step %q is for %s", do, actorNames[t.By[0]])
		}
		return t.To, nil
	}
	return s, fault.New(fault.Conflict, "request.state", "a %s request that is %s cannot be changed by %q", k, s, do)
}
