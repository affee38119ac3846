package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/requesting"
	"github.com/chaoban/chaoban/scheduling/leave"
)

// addRequests registers what agents and supervisors agree about a published roster.
func (s *Server) addRequests() {
	const tag = "Requests"
	const dry = "With dry=true nothing is kept: the answer is 200 and says what would come of it."
	huma.Register(s.api, operation(http.MethodGet, "/v1/requests", "list-requests", tag, "Leave, swaps, shifts given away, offers and biddings, newest first",
		describe("An agent sees what concerns itself and what is open to it.")), s.requests)
	huma.Register(s.api, operation(http.MethodGet, "/v1/requests/{request}", "get-request", tag, "One request with its trail: who, when, why, and the states before and after"), s.request)
	huma.Register(s.api, operation(http.MethodPost, "/v1/requests/{request}/steps", "step-request", tag, "Take a step: approve, refuse, withdraw, cancel, accept, decline, take, claim, unclaim, pick, bid, unbid, draw",
		describe("Everything is judged again as things are now. 409 request.unlawful names the rules that would break and what would do; request.stale and request.expired end the request. 409 leave.owed: the law grants this leave with its document, it cannot be refused."), repeatable), s.stepRequest)
	huma.Register(s.api, operation(http.MethodPost, "/v1/leave-requests", "ask-leave", tag, "Ask for leave; it is granted at once when quota, closed days, balance and coverage allow", describe(dry), status(http.StatusCreated), repeatable), s.askLeave)
	huma.Register(s.api, operation(http.MethodPost, "/v1/swaps", "propose-swap", tag, "Ask another agent to swap shifts", describe(dry), status(http.StatusCreated), repeatable), s.proposeSwap)
	huma.Register(s.api, operation(http.MethodPost, "/v1/give-aways", "give-shift", tag, "Open a shift to the team: first come, or a supervisor picks", status(http.StatusCreated), repeatable), s.giveShift)
	huma.Register(s.api, operation(http.MethodPost, "/v1/offers", "offer-hours", tag, "Offer overtime or time off to those who may, priced by contract value against the wage", describe(dry), status(http.StatusCreated), long, repeatable), s.offerHours)
	huma.Register(s.api, operation(http.MethodPost, "/v1/biddings", "open-bidding", tag, "Open shifts to bids by seniority, score or lottery", status(http.StatusCreated), repeatable), s.openBidding)
	huma.Register(s.api, operation(http.MethodGet, "/v1/fairness", "get-fairness", tag, "Nights, weekends, holidays, promotion days and unpopular shifts by agent; one agent's open into shifts"), s.fairness)
	for _, path := range []string{"/v1/leave-requests", "/v1/swaps", "/v1/offers"} {
		s.triable(path)
	}
}

type requestsInput struct {
	Paging
	Span
	Kind  string `query:"kind" enum:"leave,swap,give,overtime,time_off,bidding"`
	State string `query:"state" enum:"waiting,open,agreed,approved,done,filled,drawn,refused,declined,withdrawn,cancelled,expired,stale"`
	Agent string `query:"agent" maxLength:"64" doc:"whom it concerns"`
}

func (s *Server) requests(ctx context.Context, in *requestsInput) (*list[operations.Request], error) {
	r, err := in.toRange()
	if err != nil {
		return nil, err
	}
	items, next, err := s.deps.Ops.Requesting.Requests(ctx, whoOf(ctx), operations.RequestFilter{
		Kind: leave.Kind(in.Kind), State: leave.State(in.State), Agent: ids.Agent(in.Agent), Range: r,
	}, in.page())
	return paged(ctx, items, next, err)
}

// RequestPath is the address of a request.
type RequestPath struct {
	Request string `path:"request" maxLength:"64"`
}

func (s *Server) request(ctx context.Context, in *RequestPath) (*entity[requesting.RequestView], error) {
	r, err := s.deps.Ops.Requesting.Request(ctx, whoOf(ctx), ids.Request(in.Request))
	if err != nil {
		return nil, err
	}
	return &entity[requesting.RequestView]{ETag: r.ETag(), Body: r}, nil
}

type stepInput struct {
	RequestPath
	Precondition
	Body struct {
		Action   string `json:"action" enum:"approve,refuse,withdraw,cancel,accept,decline,take,claim,unclaim,pick,bid,unbid,draw"`
		Agent    string `json:"agent,omitempty" maxLength:"64" doc:"for whom, when a supervisor acts for an agent; with pick who gets the shift"`
		Reason   string `json:"reason,omitempty" maxLength:"1000" doc:"kept in the trail"`
		Early    bool   `json:"early,omitempty" doc:"draw although bids are still taken; needs a reason"`
		Unproven bool   `json:"unproven,omitempty" doc:"refuse leave that the law grants because its document does not prove it; needs a reason"`
		Wishes   []int  `json:"wishes,omitempty" maxItems:"500" doc:"of a bid: numbers of the open shifts from 0, the dearest first"`
	}
}

func (s *Server) stepRequest(ctx context.Context, in *stepInput) (*entity[operations.Request], error) {
	expect, err := in.expect()
	if err != nil {
		return nil, err
	}
	r, err := s.deps.Ops.Requesting.Act(ctx, whoOf(ctx), ids.Request(in.Request), requesting.ActInput{
		Action: leave.Action(in.Body.Action), Agent: ids.Agent(in.Body.Agent), Reason: in.Body.Reason, Wishes: in.Body.Wishes, Early: in.Body.Early, Unproven: in.Body.Unproven, Expect: expect,
	})
	if err != nil {
		return nil, in.failed(err)
	}
	return &entity[operations.Request]{ETag: r.ETag(), Body: r}, nil
}

// Dry is embedded in the input of what can be asked without being done.
type Dry struct {
	Dry bool `query:"dry" doc:"only say what would come of it"`
}

// triable describes the answers of a route that makes something, or only tries it. It comes after the registration,
// which knows what the answer looks like.
func (s *Server) triable(path string) {
	answers := s.api.OpenAPI().Paths[path].Post.Responses
	answers["200"] = &huma.Response{Description: "Tried with dry=true; nothing was made", Content: answers["201"].Content}
}

// tried is the answer of such a route.
type tried[T any] struct {
	Status int
	Body   T
}

// triedOr makes the answer of a use case that was only tried, or done.
func triedOr[T any](dry bool, v T, err error) (*tried[T], error) {
	if err != nil {
		return nil, err
	}
	if dry {
		return &tried[T]{http.StatusOK, v}, nil
	}
	return &tried[T]{http.StatusCreated, v}, nil
}

type leaveInput struct {
	Dry
	Body struct {
		Agent  string         `json:"agent,omitempty" maxLength:"64" doc:"for whom, when a supervisor asks"`
		Kind   string         `json:"kind" enum:"annual,compensatory,personal,sick,marriage,maternity,paternity,child_care,bereavement"`
		First  *calendar.Date `json:"first,omitempty" doc:"first day of whole days"`
		Last   *calendar.Date `json:"last,omitempty" doc:"last day; the first unless given"`
		From   *time.Time     `json:"from,omitempty" doc:"instead of days: the beginning of a part of a day"`
		To     *time.Time     `json:"to,omitempty"`
		Reason string         `json:"reason,omitempty" maxLength:"1000"`
		Proof  string         `json:"proof,omitempty" maxLength:"200" doc:"number or name of the document"`
	}
}

func (s *Server) askLeave(ctx context.Context, in *leaveInput) (*tried[requesting.LeaveAnswer], error) {
	b := in.Body
	ask := requesting.LeaveInput{Agent: ids.Agent(b.Agent), Kind: leave.LeaveKind(b.Kind), Reason: b.Reason, Proof: b.Proof, Dry: in.Dry.Dry}
	if b.First != nil {
		ask.Dates = calendar.Dates{From: *b.First, Until: b.First.Add(1)}
		if b.Last != nil {
			ask.Dates.Until = b.Last.Add(1)
		}
	}
	if b.From != nil && b.To != nil {
		ask.Range = calendar.Range{Start: *b.From, End: *b.To}
	}
	done, err := s.deps.Ops.Requesting.AskLeave(ctx, whoOf(ctx), ask)
	return triedOr(in.Dry.Dry, done, err)
}

// answered makes the answer of a use case.
func answered[T any](v T, err error) (*one[T], error) {
	if err != nil {
		return nil, err
	}
	return &one[T]{Body: v}, nil
}

type swapInput struct {
	Dry
	Body struct {
		Agent      string    `json:"agent,omitempty" maxLength:"64" doc:"who asks, when a supervisor enters it"`
		Start      time.Time `json:"start" doc:"of the shift that is given"`
		Other      string    `json:"other" maxLength:"64"`
		OtherStart time.Time `json:"other_start" doc:"of the shift that is taken"`
		Reason     string    `json:"reason,omitempty" maxLength:"1000"`
		ExpiresAt  time.Time `json:"expires_at,omitempty" doc:"when the first of the shifts begins unless given"`
	}
}

func (s *Server) proposeSwap(ctx context.Context, in *swapInput) (*tried[requesting.SwapAnswer], error) {
	b := in.Body
	done, err := s.deps.Ops.Requesting.ProposeSwap(ctx, whoOf(ctx), requesting.SwapInput{
		Agent: ids.Agent(b.Agent), Start: b.Start, Other: ids.Agent(b.Other), OtherStart: b.OtherStart, Reason: b.Reason, ExpiresAt: b.ExpiresAt, Dry: in.Dry.Dry,
	})
	return triedOr(in.Dry.Dry, done, err)
}

type giveInput struct {
	Body struct {
		Agent     string    `json:"agent,omitempty" maxLength:"64" doc:"whose shift, when a supervisor enters it"`
		Start     time.Time `json:"start" doc:"of the shift"`
		Everybody bool      `json:"everybody,omitempty" doc:"beyond the own team"`
		Pick      bool      `json:"pick,omitempty" doc:"a supervisor picks among those who come forward"`
		Reason    string    `json:"reason,omitempty" maxLength:"1000"`
		ExpiresAt time.Time `json:"expires_at,omitempty" doc:"when the shift begins unless given"`
	}
}

func (s *Server) giveShift(ctx context.Context, in *giveInput) (*one[operations.Request], error) {
	b := in.Body
	return answered(s.deps.Ops.Requesting.GiveShift(ctx, whoOf(ctx), requesting.GiveInput{
		Agent: ids.Agent(b.Agent), Start: b.Start, Everybody: b.Everybody, Pick: b.Pick, Reason: b.Reason, ExpiresAt: b.ExpiresAt,
	}))
}

type offerInput struct {
	Dry
	Body struct {
		Kind      string    `json:"kind" enum:"overtime,time_off"`
		Queue     string    `json:"queue" maxLength:"64"`
		From      time.Time `json:"from"`
		To        time.Time `json:"to"`
		Heads     int       `json:"heads,omitempty" default:"1" minimum:"1" maximum:"1000"`
		Agents    []string  `json:"agents,omitempty" maxItems:"1000" doc:"ask these instead of the best ones"`
		Reason    string    `json:"reason,omitempty" maxLength:"1000"`
		ExpiresAt time.Time `json:"expires_at,omitempty" doc:"when the hours begin unless given"`
	}
}

func (s *Server) offerHours(ctx context.Context, in *offerInput) (*tried[requesting.OfferAnswer], error) {
	b := in.Body
	done, err := s.deps.Ops.Requesting.OfferHours(ctx, whoOf(ctx), requesting.OfferInput{
		Kind: leave.Kind(b.Kind), Queue: ids.Queue(b.Queue), Block: calendar.Range{Start: b.From, End: b.To}, Heads: b.Heads, To: typed[ids.Agent](b.Agents), Reason: b.Reason,
		ExpiresAt: b.ExpiresAt, Dry: in.Dry.Dry,
	})
	return triedOr(in.Dry.Dry, done, err)
}

type biddingInput struct {
	Body struct {
		Shifts   []requesting.OpenShift `json:"shifts" minItems:"1" maxItems:"500"`
		Method   string                 `json:"method" enum:"seniority,score,lottery"`
		Seed     string                 `json:"seed,omitempty" maxLength:"200" doc:"of a lottery; one is made unless given, and told to everybody before the first bid"`
		Most     int                    `json:"most,omitempty" minimum:"0" doc:"shifts that one agent may win; 0 = no limit"`
		Scores   map[string]float64     `json:"scores,omitempty" doc:"by agent, for the method score"`
		Team     string                 `json:"team,omitempty" maxLength:"64" doc:"everybody unless given"`
		Reason   string                 `json:"reason,omitempty" maxLength:"1000"`
		ClosesAt time.Time              `json:"closes_at,omitempty" doc:"when the first shift begins unless given"`
	}
}

func (s *Server) openBidding(ctx context.Context, in *biddingInput) (*one[operations.Request], error) {
	b := in.Body
	scores := make(map[ids.Agent]float64, len(b.Scores))
	for a, x := range b.Scores {
		scores[ids.Agent(a)] = x
	}
	return answered(s.deps.Ops.Requesting.OpenBidding(ctx, whoOf(ctx), requesting.BiddingInput{
		Shifts: b.Shifts, Method: leave.Method(b.Method), Seed: b.Seed, Most: b.Most, Scores: scores, Team: ids.Team(b.Team), Reason: b.Reason, ClosesAt: b.ClosesAt,
	}))
}

type fairnessInput struct {
	From  calendar.Date `query:"from" required:"true" doc:"first day"`
	Until calendar.Date `query:"until" required:"true" doc:"first day that no longer counts"`
	Agent string        `query:"agent" maxLength:"64" doc:"opens into the shifts of one agent"`
}

func (s *Server) fairness(ctx context.Context, in *fairnessInput) (*one[requesting.FairnessView], error) {
	ask := requesting.FairnessInput{Dates: calendar.Dates{From: in.From, Until: in.Until}}
	if in.Agent != "" {
		ask.Agents = []ids.Agent{ids.Agent(in.Agent)}
	}
	return answered(s.deps.Ops.Requesting.Fairness(ctx, whoOf(ctx), ask))
}
