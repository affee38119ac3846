package requesting

import (
	"context"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/leave"
)

// ActInput is one step of a request.
type ActInput struct {
	Action   leave.Action
	Agent    ids.Agent // for whom; an agent acts for itself. With pick: who gets the shift
	Reason   string    // kept in the trail
	Wishes   []int     // of a bid: indexes of the open shifts, the dearest first
	Early    bool      // draw although bids are still taken; needs Reason
	Unproven bool      // refuse leave that the law grants because its document does not prove it; needs Reason
	Expect   int       // version the request was read at, or store.AnyVersion
}

// step is one step in progress, inside its change.
type step struct {
	q       *Requesting
	ctx     context.Context // a step never outlives the call that made it
	tx      *store.Tx
	view    *store.View // of everything
	who     access.Principal
	in      ActInput
	me      ids.Agent // for whom it is done
	before  store.Request
	r       leave.Request // what becomes of it
	action  leave.Action
	house   leave.Policy
	now     time.Time
	then    leave.Action // a step of the system that follows
	refusal error        // told to the caller although the change is kept
}

// deciding are the actions that only a supervisor takes.
var deciding = map[leave.Action]bool{leave.Approve: true, leave.Refuse: true, leave.Pick: true, leave.Draw: true}

// Act takes one step of a request: approve, refuse, withdraw, cancel, accept, decline, take, claim,
// unclaim, pick, bid, unbid, draw.
//
// Errors: those of access.Decide and store.not_found; request.part when the step is another's;
// request.state when it does not lead on from here; bidding.open for a draw before its time; leave.owed and
// leave.reason for leave that the law gives;
// request.expired and request.stale, after which the request is over; request.unlawful with the rules that it would break; store.conflict.
func (q *Requesting) Act(ctx context.Context, who access.Principal, id ids.Request, in ActInput) (store.Request, error) {
	perm := access.MakeRequests
	if deciding[in.Action] {
		perm = access.DecideRequests
	}
	scope, err := access.Decide(who, perm)
	if err != nil {
		return store.Request{}, err
	}
	if who.Role == access.AgentRole && in.Agent != "" && in.Agent != who.Agent {
		return store.Request{}, fault.New(fault.Forbidden, "access.forbidden", "an agent acts for itself only")
	}
	var out store.Request
	var refusal error
	err = q.gate.Store.Change(ctx, who, q.gate.Now(), func(tx *store.Tx) error {
		refusal = nil
		before, err := tx.In(scope).Request(ctx, id)
		if err != nil {
			return err
		}
		if in.Expect > 0 && in.Expect != before.Version {
			return fault.New(fault.Conflict, store.ErrConflict.Code, "the request %s is at version %d, not %d", id, before.Version, in.Expect)
		}
		house, err := q.house(ctx, tx.In(everything))
		if err != nil {
			return err
		}
		s := &step{q: q, ctx: ctx, tx: tx, view: tx.In(everything), who: who, in: in, me: in.Agent, before: before, house: house.Policy, now: tx.Now(), action: in.Action}
		if who.Role == access.AgentRole {
			s.me = who.Agent
		}
		out, err = s.run()
		refusal = s.refusal
		return err
	})
	if err == nil {
		err = refusal
	}
	if err != nil {
		return store.Request{}, err
	}
	out.Value = shown(out.Value, who)
	return out, nil
}

// run takes the step and those of the system that follow from it.
func (s *step) run() (store.Request, error) {
	s.r = s.before.Value
	if s.expired() {
		return s.close(leave.Expire, fault.New(fault.Conflict, "request.expired", "the request expired at %s", s.r.ExpiresAt.UTC().Format(time.RFC3339)))
	}
	done, err := s.take(s.actors()...)
	for err == nil && s.then != "" {
		s.before, s.r, s.action, s.then = done, done.Value, s.then, ""
		done, err = s.take(leave.System)
	}
	return done, err
}

// take asks the table, does what the step does, and keeps it.
func (s *step) take(as ...leave.Actor) (store.Request, error) {
	next, err := leave.Next(s.r.Kind, s.r.State, s.action, as...)
	if err != nil {
		return store.Request{}, err
	}
	s.r.State = next
	s.r.Parties = append([]leave.Party(nil), s.r.Parties...)
	if err := s.effect(); err != nil {
		return store.Request{}, err
	}
	reason := s.in.Reason
	if s.action != s.in.Action {
		reason = ""
	}
	return s.tx.StepRequest(s.before, s.r, store.RequestStep{Agent: s.me, Action: s.action, Reason: reason})
}

// close ends the request by a step of the system and tells the caller why.
func (s *step) close(do leave.Action, why *fault.Error) (store.Request, error) {
	s.r = s.before.Value
	next, err := leave.Next(s.r.Kind, s.r.State, do, leave.System)
	if err != nil {
		return store.Request{}, err
	}
	s.r.State, s.action, s.refusal = next, do, why
	return s.tx.StepRequest(s.before, s.r, store.RequestStep{Action: do})
}

// expired reports that the request ran out and the table knows an end for that.
func (s *step) expired() bool {
	if s.r.ExpiresAt.IsZero() || s.now.Before(s.r.ExpiresAt) {
		return false
	}
	_, err := leave.Next(s.r.Kind, s.r.State, leave.Expire, leave.System)
	return err == nil
}

// actors are the parts in which the caller acts.
func (s *step) actors() (as []leave.Actor) {
	boss := s.who.Can(access.DecideRequests)
	if boss {
		as = append(as, leave.Boss)
	}
	if s.me == "" {
		if boss && s.r.Agent != "" { // for whoever asked
			as = append(as, leave.Asker)
		}
		return as
	}
	if s.me == s.r.Agent {
		return append(as, leave.Asker)
	}
	other := s.me == s.r.Other
	switch s.r.Kind {
	case leave.GiveAway:
		other = other || s.action == leave.Take || s.action == leave.Claim || s.action == leave.Unclaim && s.r.Party(s.me) != nil
	case leave.Overtime, leave.TimeOff:
		other = s.r.Party(s.me) != nil
	case leave.Bidding:
		other = s.action == leave.PutBid || s.r.Party(s.me) != nil
	case leave.Absence, leave.Swap:
	}
	if other {
		as = append(as, leave.Other)
	}
	return as
}

// effect does what a step does beside changing the state.
func (s *step) effect() error {
	switch s.r.Kind {
	case leave.Absence:
		switch s.action {
		case leave.Approve:
			return s.grantLeave()
		case leave.Cancel:
			return s.cancelLeave()
		case leave.Refuse:
			return s.refuseLeave()
		case leave.Withdraw:
			return s.withdrawLeave()
		default:
			return s.returnLeave()
		}
	case leave.Swap, leave.GiveAway:
		return s.exchangeStep()
	case leave.Overtime, leave.TimeOff:
		return s.offerStep()
	case leave.Bidding:
		return s.biddingStep()
	}
	return nil
}

// ExpireRequests ends what ran out by an instant and returns how many there were. It is a job.
func (q *Requesting) ExpireRequests(ctx context.Context, who access.Principal, due time.Time) (int64, error) {
	if _, err := access.Decide(who, access.DecideRequests); err != nil {
		return 0, err
	}
	var n int64
	for _, state := range []leave.State{leave.Waiting, leave.Open, leave.Agreed} {
		list, err := store.All(func(p store.Page) ([]store.Request, string, error) {
			return q.gate.Everything().Requests(ctx, store.RequestFilter{State: state, Expired: due}, p)
		})
		if err != nil {
			return n, err
		}
		for _, r := range list {
			next, err := leave.Next(r.Value.Kind, r.Value.State, leave.Expire, leave.System)
			if err != nil {
				continue
			}
			err = q.gate.Store.Change(ctx, who, q.gate.Now(), func(tx *store.Tx) error {
				after := r.Value
				after.State = next
				_, err := tx.StepRequest(r, after, store.RequestStep{Action: leave.Expire})
				return err
			})
			switch {
			case err == nil:
				n++
			case fault.CodeOf(err) != store.ErrConflict.Code: // somebody was faster
				return n, err
			}
		}
	}
	return n, nil
}
