package requesting

import (
	"context"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/leave"
)

// OfferInput offers hours to agents.
type OfferInput struct {
	Kind      leave.Kind // leave.Overtime or leave.TimeOff
	Queue     ids.Queue
	Block     calendar.Range
	Heads     int
	To        []ids.Agent // instead of the best ones; they must be able to
	Reason    string
	ExpiresAt time.Time // zero: when the hours begin
	Dry       bool      // only rank
}

// OfferAnswer is an offer with everybody's rank and price.
type OfferAnswer struct {
	Request    *store.Request    `json:"request,omitempty"` // nil when it was only asked who could
	Candidates []leave.Candidate `json:"candidates"`
	Unskilled  int               `json:"unskilled"` // agents without the skill for the queue: they are not listed
}

// OfferHours prices hours by the contract's value of a head in them against the wage (150, 200 or
// 300 % for overtime; saved for time off), ranks everybody who may, and asks the best. When one
// declines, the next is asked.
//
// Errors: offer.input (hours that have begun, too), offer.invalid, request.no_roster, offer.nobody when nobody may or it is worth
// it for nobody, request.expiry.
func (q *Requesting) OfferHours(ctx context.Context, who access.Principal, in OfferInput) (OfferAnswer, error) {
	if _, err := access.Decide(who, access.DecideRequests); err != nil {
		return OfferAnswer{}, err
	}
	if in.Kind != leave.Overtime && in.Kind != leave.TimeOff {
		return OfferAnswer{}, fault.Bad("offer.input", "offer", []fault.Field{{Path: "kind", Value: string(in.Kind), Problem: "must be overtime or time_off"}})
	}
	offer := leave.Offer{Queue: in.Queue, Block: in.Block, Heads: in.Heads}
	if err := offer.Validate(); err != nil {
		return OfferAnswer{}, err
	}
	var out OfferAnswer
	var house LeavePolicy
	// Ranking a thousand agents takes seconds, so it reads a moment instead of holding everybody's
	// changes up: who accepts is judged again.
	if q.gate.Now().After(in.Block.Start) {
		return OfferAnswer{}, fault.Bad("offer.input", "offer", []fault.Field{{Path: "block", Value: in.Block.Start.In(q.gate.Zone).Format(time.RFC3339), Problem: "has begun already: only hours to come can be offered"}})
	}
	err := q.gate.Store.Read(ctx, everything, func(view *store.View) (err error) {
		if house, err = q.house(ctx, view); err != nil {
			return err
		}
		now, err := q.situation(ctx, view, in.Block)
		if err != nil {
			return err
		}
		if offer.Roster, err = now.rosterFor(in.Block); err != nil {
			return err
		}
		if _, err := view.Queue(ctx, in.Queue); err != nil {
			return err
		}
		out.Candidates, out.Unskilled, err = q.rank(ctx, view, in.Kind, offer, now, now.order, house.Policy)
		return err
	})
	if err != nil || in.Dry {
		return out, err
	}
	r, err := offerOf(in, offer, out.Candidates, house.Policy, q.gate.Now())
	if err != nil {
		return OfferAnswer{}, err
	}
	err = q.gate.Store.Change(ctx, who, q.gate.Now(), func(tx *store.Tx) error {
		kept, err := tx.AddRequest(r, store.RequestStep{Action: "offer", Reason: in.Reason})
		out.Request = &kept
		return err
	})
	return out, err
}

// rank prices and ranks the agents who have the skill.
func (q *Requesting) rank(ctx context.Context, view *store.View, kind leave.Kind, o leave.Offer, now *situation, people []ids.Agent, house leave.Policy) (all []leave.Candidate, unskilled int, err error) {
	cover, err := q.coverage(ctx, view, o.Block, now.shifts, house.ShortYuan)
	if err != nil {
		return nil, 0, err
	}
	had := map[ids.Agent]float64{}
	if kind == leave.TimeOff {
		if had, err = q.timeOffHad(ctx, view, o.Block.Start, house.FairDays); err != nil {
			return nil, 0, err
		}
	}
	day := calendar.DateOf(o.Block.Start, q.gate.Zone)
	var offered []leave.Offered
	for _, id := range people {
		a, employed := now.agents[id]
		if !employed || !a.Person.Employed.Contains(day) || !a.Person.Can(o.Queue, day) {
			unskilled++
			continue
		}
		c, err := now.caseOf(id)
		if err != nil {
			return nil, 0, err
		}
		offered = append(offered, leave.Offered{Case: c, Wage: a.Wage, Salaried: a.Salaried, Had: had[id]})
	}
	if kind == leave.TimeOff {
		return leave.RankTimeOff(o, offered, cover), unskilled, nil
	}
	return leave.RankOvertime(o, offered, cover), unskilled, nil
}

// timeOffHad is the hours of time off that agents accepted in the days before an instant.
func (q *Requesting) timeOffHad(ctx context.Context, view *store.View, before time.Time, days int) (map[ids.Agent]float64, error) {
	list, err := store.All(func(p store.Page) ([]store.Request, string, error) {
		return view.Requests(ctx, store.RequestFilter{Kind: leave.TimeOff, Range: calendar.Range{Start: before.Add(-time.Duration(days) * 24 * time.Hour), End: before}}, p)
	})
	had := map[ids.Agent]float64{}
	for _, r := range list {
		for _, p := range r.Value.Parties {
			if p.State == leave.Accepted {
				had[p.Agent] += r.Value.Range.Duration().Hours()
			}
		}
	}
	return had, err
}

// offerOf makes the request of an offer, with those who are asked first.
func offerOf(in OfferInput, offer leave.Offer, all []leave.Candidate, house leave.Policy, now time.Time) (leave.Request, error) {
	offer.Candidates = slices.Clone(all)
	for i := range offer.Candidates {
		offer.Candidates[i].Effect = leave.Effect{} // judged again when it is accepted
	}
	r := leave.Request{ID: ids.New[ids.Request](now), Kind: in.Kind, State: leave.Open, Range: offer.Block, Reason: in.Reason, Offer: &offer}
	var err error
	if r.ExpiresAt, err = expiry(in.ExpiresAt, offer.Block.Start, now); err != nil {
		return r, err
	}
	var bad []fault.Field
	for _, a := range in.To {
		i := slices.IndexFunc(all, func(c leave.Candidate) bool { return c.Agent == a })
		switch {
		case i < 0:
			bad = append(bad, fault.Field{Path: "to", Value: string(a), Problem: "has not the skill for the queue, or is nobody we know"})
		case !all[i].Legal:
			bad = append(bad, fault.Field{Path: "to", Value: string(a), Problem: all[i].Why.ZH + " / " + all[i].Why.EN})
		default:
			r.Parties = append(r.Parties, leave.Party{Agent: a, State: leave.Asked, At: now})
		}
	}
	if err := fault.Bad("offer.input", "offer", bad); err != nil {
		return r, err
	}
	for len(in.To) == 0 && len(r.Parties) < offer.Heads*house.OfferTo && askNext(&r, now) {
	}
	if len(r.Parties) == 0 {
		return r, fault.New(fault.Conflict, "offer.nobody", "nobody may and is worth it; see the candidates")
	}
	return r, nil
}

// askNext asks the best candidate who was not asked yet.
func askNext(r *leave.Request, now time.Time) bool {
	for _, c := range r.Offer.Candidates {
		if c.Rank > 0 && r.Party(c.Agent) == nil {
			r.Parties = append(r.Parties, leave.Party{Agent: c.Agent, State: leave.Asked, At: now})
			return true
		}
	}
	return false
}

// offerStep does what a step of an offer does.
func (s *step) offerStep() error {
	p := s.r.Party(s.me)
	switch s.action {
	case leave.Accept:
		if p.State != leave.Asked {
			return fault.New(fault.Conflict, "request.answered", "%s has %s already", s.me, p.State)
		}
		now, err := s.q.situation(s.ctx, s.view, s.r.Range)
		if err != nil {
			return err
		}
		all, _, err := s.q.rank(s.ctx, s.view, s.r.Kind, *s.r.Offer, now, []ids.Agent{s.me}, s.house)
		if err != nil {
			return err
		}
		if len(all) == 0 || !all[0].Legal {
			e := fault.New(fault.Conflict, "request.unlawful", "%s may not any more", s.me)
			if len(all) > 0 {
				e.Fields = []fault.Field{{Path: string(s.me), Value: all[0].Rule, Problem: all[0].Why.ZH + " / " + all[0].Why.EN}}
			}
			return e
		}
		p.State, p.At = leave.Accepted, s.now
		s.r.Effects = append(slices.Clone(s.r.Effects), all[0].Effect)
		if s.r.Count(leave.Accepted) >= s.r.Offer.Heads {
			s.then = leave.Fill
		}
		return s.q.apply(s.ctx, s.tx, s.r, []leave.Effect{all[0].Effect})
	case leave.Decline:
		if p.State != leave.Asked {
			return fault.New(fault.Conflict, "request.answered", "%s has %s already", s.me, p.State)
		}
		p.State, p.At = leave.Declined, s.now
		askNext(&s.r, s.now)
	}
	return nil
}
