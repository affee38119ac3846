package requesting

import (
	"context"
	"slices"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/leave"
)

// Requests lists requests, newest first. An agent sees what concerns itself and what is open to it.
func (q *Requesting) Requests(ctx context.Context, who access.Principal, f store.RequestFilter, page store.Page) ([]store.Request, string, error) {
	view, _, err := q.gate.Read(who, access.ReadRequests)
	if err != nil {
		return nil, "", err
	}
	list, next, err := view.Requests(ctx, f, page)
	for i := range list {
		list[i].Value = shown(list[i].Value, who)
	}
	return list, next, err
}

// RequestView is a request with its trail.
type RequestView struct {
	store.Request
	Steps []store.RequestStep `json:"steps"`
}

// Request reads one request with every step it took: who, when, why, and the states before and after.
func (q *Requesting) Request(ctx context.Context, who access.Principal, id ids.Request) (RequestView, error) {
	view, _, err := q.gate.Read(who, access.ReadRequests)
	if err != nil {
		return RequestView{}, err
	}
	r, err := view.Request(ctx, id)
	if err != nil {
		return RequestView{}, err
	}
	steps, err := view.RequestSteps(ctx, id)
	r.Value = shown(r.Value, who)
	if who.Role == access.AgentRole {
		for i := range steps { // why somebody else did something is between him and the supervisor
			if steps[i].Author != who.User {
				steps[i].AuthorName = ""
			}
			if steps[i].Agent != "" && steps[i].Agent != who.Agent {
				steps[i].Agent, steps[i].Reason = "", ""
			}
		}
	}
	return RequestView{r, steps}, err
}

// shown is what a reader sees of a request. An agent is not told what an hour of it is worth to the
// house, nor how the others were ranked or what they said; the result of a draw is for everybody, but not by which rule
// somebody else may not work a shift, which can tell of a pregnancy.
func shown(r leave.Request, who access.Principal) leave.Request {
	if who.Role != access.AgentRole {
		return r
	}
	if r.Leave != nil {
		ask := *r.Leave
		ask.Decision = ask.Decision.ForAgent()
		r.Leave = &ask
	}
	if r.Offer != nil {
		offer := *r.Offer
		offer.Candidates = nil
		r.Offer = &offer
	}
	if r.State != leave.Drawn {
		r.Parties = slices.DeleteFunc(slices.Clone(r.Parties), func(p leave.Party) bool { return p.Agent != who.Agent })
	}
	if r.Round != nil {
		round := *r.Round
		round.Scores = nil
		round.Results = slices.Clone(round.Results)
		for i := range round.Results {
			if round.Results[i].Agent != who.Agent {
				round.Results[i] = round.Results[i].ForOthers()
			}
		}
		r.Round = &round
	}
	if r.Kind == leave.Overtime || r.Kind == leave.TimeOff {
		r.Effects = nil
	}
	return r
}
