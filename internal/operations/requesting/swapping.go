package requesting

import (
	"context"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/leave"
)

// SwapInput asks another agent to swap shifts.
type SwapInput struct {
	Agent      ids.Agent
	Start      time.Time // of the shift that Agent gives
	Other      ids.Agent
	OtherStart time.Time // of the shift that Agent gets
	Reason     string
	ExpiresAt  time.Time // zero: when the first of the shifts begins
	Dry        bool
}

// SwapAnswer is a swap with what the rules say about both sides.
type SwapAnswer struct {
	Request *store.Request `json:"request,omitempty"` // nil when it was only asked what would come of it
	Agent   leave.Verdict  `json:"agent"`
	Other   leave.Verdict  `json:"other"`
}

// ProposeSwap asks another agent to swap shifts, when both may work the other's. The other agent
// consents, then a supervisor approves, when the house wants that.
//
// Errors: request.no_shift; swap.input; request.unlawful with every rule that the swap would break.
func (q *Requesting) ProposeSwap(ctx context.Context, who access.Principal, in SwapInput) (SwapAnswer, error) {
	if _, err := access.Decide(who, access.MakeRequests); err != nil {
		return SwapAnswer{}, err
	}
	agent, err := forWhom(who, in.Agent)
	if err != nil {
		return SwapAnswer{}, err
	}
	in.Agent = agent
	if in.Other == "" || in.Other == agent {
		return SwapAnswer{}, fault.Bad("swap.input", "swap", []fault.Field{{Path: "other", Value: string(in.Other), Problem: "must be another agent"}})
	}
	var out SwapAnswer
	err = q.gate.Store.Change(ctx, who, q.gate.Now(), func(tx *store.Tx) error {
		view := tx.In(everything)
		r, err := q.swapOf(ctx, view, in, tx.Now())
		if err != nil {
			return err
		}
		now, err := q.situation(ctx, view, r.Range, agent, in.Other)
		if err != nil {
			return err
		}
		house, err := q.house(ctx, view)
		if err != nil {
			return err
		}
		out = SwapAnswer{}
		if out.Agent, out.Other, err = now.judge(*r.Swap, agent, in.Other); err != nil || in.Dry {
			return err
		}
		if err := unlawful(out.Agent, out.Other); err != nil {
			return err
		}
		r.Swap.Seen = leave.Digest(now.shifts, r.Swap.Around(house.Policy.SwapDays), agent, in.Other)
		r.ID = ids.New[ids.Request](tx.Now())
		kept, err := tx.AddRequest(r, store.RequestStep{Agent: agent, Action: "ask", Reason: in.Reason})
		out.Request = &kept
		return err
	})
	if who.Role == access.AgentRole { // why another may not is not an agent's to know
		out.Other = leave.Verdict{Agent: out.Other.Agent, Legal: out.Other.Legal}
		err = withoutOthers(err, agent)
	}
	return out, err
}

// swapOf finds the shifts of a swap.
func (q *Requesting) swapOf(ctx context.Context, view *store.View, in SwapInput, now time.Time) (leave.Request, error) {
	r := leave.Request{Kind: leave.Swap, State: leave.Waiting, Agent: in.Agent, Other: in.Other, Reason: in.Reason}
	given, err := q.shiftAt(ctx, view, in.Agent, in.Start)
	if err != nil {
		return r, err
	}
	taken, err := q.shiftAt(ctx, view, in.Other, in.OtherStart)
	if err != nil {
		return r, err
	}
	r.Swap = &leave.SwapAsk{Roster: given.Roster, Given: given.Shift, Taken: &taken.Shift}
	if taken.Roster != given.Roster {
		r.Swap.From = taken.Roster
	}
	r.Range = r.Swap.Around(0)
	r.ExpiresAt, err = expiry(in.ExpiresAt, r.Range.Start, now)
	return r, err
}

// expiry is when something about a shift runs out: at the latest when the shift begins. Errors:
// request.expiry.
func expiry(asked, begins, now time.Time) (time.Time, error) {
	if asked.IsZero() {
		asked = begins
	}
	if !asked.After(now) || asked.After(begins) {
		return asked, fault.Bad("request.expiry", "request", []fault.Field{{
			Path: "expires_at", Value: asked.UTC().Format(time.RFC3339), Problem: "must be later than now and not after the shift begins at " + begins.UTC().Format(time.RFC3339),
		}})
	}
	return asked, nil
}

// judge asks the rules about both sides of a swap.
func (s *situation) judge(ask leave.SwapAsk, a, b ids.Agent) (ofA, ofB leave.Verdict, err error) {
	caseA, err := s.caseOf(a)
	if err != nil {
		return ofA, ofB, err
	}
	caseB, err := s.caseOf(b)
	if err != nil {
		return ofA, ofB, err
	}
	ofA, ofB = leave.JudgeSwap(ask, caseA, caseB)
	return ofA, ofB, nil
}

// unlawful lists what would break and what would make it legal. Errors: request.unlawful.
func unlawful(verdicts ...leave.Verdict) error {
	e := fault.New(fault.Conflict, "request.unlawful", "this breaks rules that may not be broken")
	for _, v := range verdicts {
		if v.Refused != "" {
			e.Fields = append(e.Fields, fault.Field{Path: string(v.Agent), Problem: v.Refused})
		}
		for _, b := range v.Breaks {
			f := fault.Field{Path: string(v.Agent), Value: b.Rule, Problem: b.Sentence.ZH + " / " + b.Sentence.EN}
			if b.Hard && !slices.Contains(e.Fields, f) { // a rule may break in several parts of a shift alike
				e.Fields = append(e.Fields, f)
			}
		}
		for i, r := range v.Remedy {
			if i < 3 && !v.Legal {
				e.Fields = append(e.Fields, fault.Field{Path: string(v.Agent), Value: string(r.Kind), Problem: "可行: " + r.Says.ZH + " / would do: " + r.Says.EN})
			}
		}
	}
	if len(e.Fields) == 0 {
		return nil
	}
	return e
}

// withoutOthers cuts what an agent is told to what is about itself.
func withoutOthers(err error, me ids.Agent) error {
	e := fault.Of(err)
	if e == nil || e.Code != "request.unlawful" {
		return err
	}
	out := *e
	out.Fields = slices.DeleteFunc(slices.Clone(e.Fields), func(f fault.Field) bool { return f.Path != string(me) })
	if len(out.Fields) < len(e.Fields) {
		out.Fields = append(out.Fields, fault.Field{Problem: "对方不能上这个班 / the other agent may not work the shift"})
	}
	return &out
}

// GiveInput offers a shift to others.
type GiveInput struct {
	Agent     ids.Agent
	Start     time.Time
	Everybody bool // beyond the own team
	Pick      bool // a supervisor picks among those who come forward
	Reason    string
	ExpiresAt time.Time // zero: when the shift begins
}

// GiveShift opens a shift to the team: the first who may work it takes it, or a supervisor picks among
// those who come forward. Errors: request.no_shift, request.expiry, give.twice when the shift is given away already.
func (q *Requesting) GiveShift(ctx context.Context, who access.Principal, in GiveInput) (store.Request, error) {
	if _, err := access.Decide(who, access.MakeRequests); err != nil {
		return store.Request{}, err
	}
	agent, err := forWhom(who, in.Agent)
	if err != nil {
		return store.Request{}, err
	}
	var out store.Request
	err = q.gate.Store.Change(ctx, who, q.gate.Now(), func(tx *store.Tx) error {
		view := tx.In(everything)
		giver, err := view.Agent(ctx, agent)
		if err != nil {
			return err
		}
		given, err := q.shiftAt(ctx, view, agent, in.Start)
		if err != nil {
			return err
		}
		house, err := q.house(ctx, view)
		if err != nil {
			return err
		}
		r := leave.Request{Kind: leave.GiveAway, State: leave.Open, Agent: agent, Open: true, Reason: in.Reason, Swap: &leave.SwapAsk{Roster: given.Roster, Given: given.Shift, Pick: in.Pick}}
		if !in.Everybody {
			r.Team = giver.Value.Team
		}
		r.Range = r.Swap.Around(0)
		if r.ExpiresAt, err = expiry(in.ExpiresAt, r.Range.Start, tx.Now()); err != nil {
			return err
		}
		if err := givenOnce(ctx, view, r, tx.Now()); err != nil {
			return err
		}
		if r.Swap.Seen, err = q.seen(ctx, view, r, house.Policy.SwapDays); err != nil {
			return err
		}
		r.ID = ids.New[ids.Request](tx.Now())
		out, err = tx.AddRequest(r, store.RequestStep{Agent: agent, Action: "ask", Reason: in.Reason})
		return err
	})
	out.Value = shown(out.Value, who)
	return out, err
}

// givenOnce refuses to give a shift away that is being given away: two takers would both believe that they have it.
// Errors: give.twice.
func givenOnce(ctx context.Context, view *store.View, r leave.Request, now time.Time) error {
	for _, state := range []leave.State{leave.Open, leave.Agreed} {
		there, err := store.All(func(p store.Page) ([]store.Request, string, error) {
			return view.Requests(ctx, store.RequestFilter{Kind: leave.GiveAway, State: state, Agent: r.Agent, Range: r.Range}, p)
		})
		if err != nil {
			return err
		}
		for _, o := range there {
			if v := o.Value; v.Agent == r.Agent && leave.SameShift(v.Swap.Given, r.Swap.Given) && now.Before(v.ExpiresAt) {
				return fault.New(fault.Conflict, "give.twice", "这个班次已在转让中（%s），请先撤回 / this shift is being given away already (%[1]s); withdraw that first", v.ID)
			}
		}
	}
	return nil
}

// seen is the digest of the shifts of those whom a swap is about, as they are now.
func (q *Requesting) seen(ctx context.Context, view *store.View, r leave.Request, days int) (string, error) {
	around := r.Swap.Around(days)
	people := []ids.Agent{r.Agent}
	if r.Other != "" {
		people = append(people, r.Other)
	}
	now, err := q.desk.Published(ctx, view, around, people)
	if err != nil {
		return "", err
	}
	return leave.Digest(now, around, people...), nil
}

// exchangeStep does what a step of a swap or a shift given away does.
func (s *step) exchangeStep() error {
	ask := *s.r.Swap
	s.r.Swap = &ask
	switch s.action {
	case leave.Accept:
		if err := s.lawful(s.r.Other); err != nil || s.refusal != nil {
			return err
		}
		s.follow()
	case leave.Take:
		if ask.Pick {
			return fault.New(fault.Conflict, "give.pick", "a supervisor picks who gets this shift; claim it instead")
		}
		if err := s.lawful(s.me); err != nil || s.refusal != nil {
			return err
		}
		s.r.Other = s.me
		if err := s.see(); err != nil {
			return err
		}
		s.follow()
	case leave.Claim:
		return s.claim()
	case leave.Unclaim:
		s.r.Parties = slices.DeleteFunc(s.r.Parties, func(p leave.Party) bool { return p.Agent == s.me })
	case leave.Pick:
		return s.pick()
	case leave.Decline:
		if s.r.Kind == leave.GiveAway {
			s.r.Parties = slices.DeleteFunc(s.r.Parties, func(p leave.Party) bool { return p.Agent == s.r.Other })
			s.r.Other = ""
			return s.see()
		}
	case leave.Approve:
		if err := s.lawful(s.r.Other); err != nil || s.refusal != nil {
			return err
		}
		s.r.Effects = leave.SwapEffects(ask, s.r.Agent, s.r.Other)
		return s.q.apply(s.ctx, s.tx, s.r, s.r.Effects)
	}
	return nil
}

// claim lets an agent come forward for a shift of which a supervisor picks. Errors: give.first,
// give.claimed, request.unlawful.
func (s *step) claim() error {
	if !s.r.Swap.Pick {
		return fault.New(fault.Conflict, "give.first", "the first who takes this shift has it; take it instead")
	}
	if s.r.Party(s.me) != nil {
		return fault.New(fault.Conflict, "give.claimed", "%s came forward already", s.me)
	}
	if err := s.lawful(s.me); err != nil || s.refusal != nil {
		return err
	}
	s.r.Parties = append(s.r.Parties, leave.Party{Agent: s.me, State: leave.Claimed, At: s.now})
	return nil
}

// pick gives the shift to one of those who came forward; that is the approval. Errors:
// give.not_claimed, request.unlawful.
func (s *step) pick() error {
	p := s.r.Party(s.me)
	if p == nil || p.State != leave.Claimed {
		return fault.New(fault.Conflict, "give.not_claimed", "%q did not come forward", s.me)
	}
	if err := s.lawful(s.me); err != nil || s.refusal != nil {
		return err
	}
	p.State, p.At, s.r.Other = leave.Won, s.now, s.me
	s.then = leave.Approve
	return s.see()
}

// follow approves at once where the house wants no supervisor.
func (s *step) follow() {
	if !s.house.SwapApproval {
		s.then = leave.Approve
	}
}

// see notes the shifts that those concerned now consent to.
func (s *step) see() (err error) {
	s.r.Swap.Seen, err = s.q.seen(s.ctx, s.view, s.r, s.house.SwapDays)
	return err
}

// lawful judges the exchange with an agent as things are now. When the shifts of those who consented
// changed meanwhile, the request goes stale instead: state and action change and refusal is set.
func (s *step) lawful(with ids.Agent) error {
	seen, err := s.q.seen(s.ctx, s.view, s.before.Value, s.house.SwapDays)
	if err != nil {
		return err
	}
	if seen != s.before.Value.Swap.Seen {
		next, err := leave.Next(s.r.Kind, s.before.Value.State, leave.GoStale, leave.System)
		if err != nil {
			return err
		}
		s.r = s.before.Value
		s.r.State, s.action, s.then = next, leave.GoStale, ""
		s.refusal = fault.New(fault.Conflict, "request.stale", "the shifts changed since this was asked; ask again")
		return nil
	}
	now, err := s.q.situation(s.ctx, s.view, s.r.Range, s.r.Agent, with)
	if err != nil {
		return err
	}
	ofA, ofB, err := now.judge(*s.r.Swap, s.r.Agent, with)
	if err != nil {
		return err
	}
	err = unlawful(ofA, ofB)
	if s.who.Role == access.AgentRole {
		err = withoutOthers(err, s.me)
	}
	return err
}
