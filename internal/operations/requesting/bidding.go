package requesting

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workforce"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// OpenShift is work without an agent.
type OpenShift struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	Queue ids.Queue `json:"queue"`
	Code  string    `json:"code,omitempty"`
	Heads int       `json:"heads,omitempty"` // 0 = 1
	Meal  int       `json:"meal,omitempty"`  // minutes of unpaid meal in the middle
}

// BiddingInput opens shifts to bids.
type BiddingInput struct {
	Shifts   []OpenShift
	Method   leave.Method
	Seed     string // of a lottery; empty: one is made and told to everybody before the first bid
	Most     int    // shifts that one agent may win; 0 = no limit
	Scores   map[ids.Agent]float64
	Team     ids.Team // empty: everybody
	Reason   string
	ClosesAt time.Time // last instant for bids; zero: when the first shift begins
}

// OpenBidding opens shifts to bids. The seed of a lottery is fixed now, so nobody can choose it after
// the bids. Errors: bidding.round with every bad field, also a shift that nobody may work, request.no_roster, request.expiry.
func (q *Requesting) OpenBidding(ctx context.Context, who access.Principal, in BiddingInput) (store.Request, error) {
	if _, err := access.Decide(who, access.DecideRequests); err != nil {
		return store.Request{}, err
	}
	round, err := roundOf(in, q.gate.Now())
	if err != nil {
		return store.Request{}, err
	}
	span := round.Shifts[0].Range()
	for _, s := range round.Shifts {
		if s.Start.Before(span.Start) {
			span.Start = s.Start
		}
		if s.End.After(span.End) {
			span.End = s.End
		}
	}
	var out store.Request
	err = q.gate.Store.Change(ctx, who, q.gate.Now(), func(tx *store.Tx) error {
		view := tx.In(everything)
		if err := q.lawfulLengths(ctx, view, in); err != nil {
			return err
		}
		for _, s := range round.Shifts {
			if _, err := q.rosterOn(ctx, view, s.Range()); err != nil {
				return err
			}
			if _, err := view.Queue(ctx, s.Activities[0].Queue); err != nil {
				return err
			}
		}
		if in.Team != "" {
			if _, err := view.Team(ctx, in.Team); err != nil {
				return err
			}
		}
		closes, err := expiry(in.ClosesAt, span.Start, tx.Now())
		if err != nil {
			return err
		}
		if err := q.workable(ctx, view, round, span, in.Team); err != nil {
			return err
		}
		r := leave.Request{
			ID: ids.New[ids.Request](tx.Now()), Kind: leave.Bidding, State: leave.Open, Team: in.Team, Open: true, Range: span, Reason: in.Reason, ExpiresAt: closes, Round: &round,
		}
		out, err = tx.AddRequest(r, store.RequestStep{Action: "open", Reason: in.Reason})
		return err
	})
	return out, err
}

// lawfulLengths refuses shifts that nobody may work, however much is agreed.
func (q *Requesting) lawfulLengths(ctx context.Context, view *store.View, in BiddingInput) error {
	rules, err := q.desk.Rules(ctx, view)
	if err != nil {
		return err
	}
	var bad []fault.Field
	for i, o := range in.Shifts {
		work, most := o.End.Sub(o.Start)-time.Duration(o.Meal)*time.Minute, roster.LongestDay(rules)
		if work > most {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("shifts[%d].end", i), Value: o.End.In(q.gate.Zone).Format("2006-01-02 15:04"), Problem: roster.TooLong(work, most)})
		}
	}
	return fault.Bad("bidding.round", "bidding", bad)
}

// workable refuses open shifts that nobody may work, even with nothing else to do: none of the people who may bid has
// the skill and the hours. The rule that most of them would break says why. Errors: bidding.round.
func (q *Requesting) workable(ctx context.Context, view *store.View, round leave.Round, span calendar.Range, team ids.Team) error {
	rules, err := q.desk.Rules(ctx, view)
	if err != nil {
		return err
	}
	members, err := store.All(func(p store.Page) ([]store.Stored[workforce.Agent], string, error) {
		return view.Agents(ctx, store.AgentFilter{Team: team}, p)
	})
	if err != nil || len(members) == 0 {
		return err
	}
	only := make([]ids.Agent, len(members))
	for i, m := range members {
		only[i] = m.Value.ID
	}
	now := &situation{rules: rules, judged: q.around(span, rules), zone: q.gate.Zone, holidays: q.policy.Holidays, agents: map[ids.Agent]roster.Agent{}}
	people, err := q.desk.People(ctx, view, now.judged, only)
	if err != nil {
		return err
	}
	for _, a := range people {
		now.agents[a.Person.ID] = a
		now.order = append(now.order, a.Person.ID)
	}
	var bad []fault.Field
	for i, s := range round.Shifts {
		if i > 0 && leave.SameShift(s, round.Shifts[i-1]) {
			continue
		}
		why, err := now.nobodyMay(s)
		if err != nil {
			return err
		}
		if why != nil {
			bad = append(bad, fault.Field{
				Path: "shifts", Value: s.Start.In(q.gate.Zone).Format("2006-01-02 15:04"), Problem: fmt.Sprintf("没有人可以上这个班 / nobody may work it: %s / %s", why.Sentence.ZH, why.Sentence.EN),
			})
		}
	}
	return fault.Bad("bidding.round", "bidding", bad)
}

// nobodyMay is the hard rule that stops most of the people from working an open shift; nil when somebody may.
func (s *situation) nobodyMay(open scheduling.Shift) (*workrules.Violation, error) {
	count := map[string]int{}
	var worst *workrules.Violation
	for _, id := range s.order {
		c, err := s.caseOf(id)
		if err != nil {
			return nil, err
		}
		open.Agent = id
		o, err := c.Try(workrules.Change{Add: []scheduling.Shift{open}})
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(o.New, func(v workrules.Violation) bool { return v.Hard })
		if i < 0 {
			return nil, nil
		}
		if count[o.New[i].Rule]++; worst == nil || count[o.New[i].Rule] > count[worst.Rule] {
			worst = &o.New[i]
		}
	}
	return worst, nil
}

// roundOf spells the open shifts out: one per head, with the meal in the middle.
func roundOf(in BiddingInput, now time.Time) (leave.Round, error) {
	round := leave.Round{Method: in.Method, Seed: in.Seed, Most: in.Most, Scores: in.Scores}
	if round.Method == leave.Lottery && round.Seed == "" {
		round.Seed = string(ids.New[ids.Request](now))
	}
	var bad []fault.Field
	for i, o := range in.Shifts {
		if o.Queue == "" {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("shifts[%d].queue", i), Problem: "is missing"})
		}
		length := o.End.Sub(o.Start)
		meal := time.Duration(o.Meal) * time.Minute
		if o.Meal < 0 || meal > 0 && meal >= length {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("shifts[%d].meal", i), Value: fmt.Sprint(o.Meal), Problem: "must be minutes, shorter than the shift"})
		}
		if o.Heads < 0 || o.Heads > 100 {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("shifts[%d].heads", i), Value: fmt.Sprint(o.Heads), Problem: "must be 1 to 100"})
			continue
		}
		for range max(1, o.Heads) {
			round.Shifts = append(round.Shifts, o.shift(meal))
		}
	}
	if err := fault.Bad("bidding.round", "bidding", bad); err != nil {
		return round, err
	}
	return round, round.Validate()
}

func (o OpenShift) shift(meal time.Duration) scheduling.Shift {
	s := scheduling.Shift{Code: o.Code, Start: o.Start, End: o.End}
	work := func(from, to time.Time) {
		s.Activities = append(s.Activities, scheduling.Activity{Kind: scheduling.Work, Start: from, End: to, Queue: o.Queue})
	}
	if meal == 0 {
		work(o.Start, o.End)
		return s
	}
	at := o.Start.Add(((o.End.Sub(o.Start) - meal) / 2).Truncate(15 * time.Minute))
	if at.After(o.Start) {
		work(o.Start, at)
	}
	s.Activities = append(s.Activities, scheduling.Activity{Kind: scheduling.Meal, Start: at, End: at.Add(meal)})
	work(at.Add(meal), o.End)
	return s
}

// rosterOn is the published roster that covers the beginning of a range. Errors: request.no_roster.
func (q *Requesting) rosterOn(ctx context.Context, view *store.View, r calendar.Range) (ids.Roster, error) {
	list, err := store.All(func(p store.Page) ([]store.Roster, string, error) {
		return view.Rosters(ctx, store.RosterFilter{State: store.Published, Range: r}, p)
	})
	if err != nil {
		return "", err
	}
	return (&situation{rosters: list}).rosterFor(r)
}

// biddingStep does what a step of a bidding does.
func (s *step) biddingStep() error {
	switch s.action {
	case leave.PutBid:
		if !s.now.Before(s.r.ExpiresAt) {
			return fault.New(fault.Conflict, "bidding.closed", "the bidding closed at %s", s.r.ExpiresAt.UTC().Format(time.RFC3339))
		}
		if err := s.wishes(); err != nil {
			return err
		}
		bid := leave.Party{Agent: s.me, State: leave.Bid, At: s.now, Wishes: s.in.Wishes}
		if p := s.r.Party(s.me); p != nil {
			*p = bid
			return nil
		}
		s.r.Parties = append(s.r.Parties, bid)
	case leave.TakeBack:
		s.r.Parties = slices.DeleteFunc(s.r.Parties, func(p leave.Party) bool { return p.Agent == s.me })
	case leave.Draw:
		if err := s.closed(); err != nil {
			return err
		}
		return s.draw()
	}
	return nil
}

// closed refuses a draw while bids are still taken: whoever wanted to bid before the end that was told
// would be cut off. A supervisor may draw early for a reason; the trail says both. Errors: bidding.open.
func (s *step) closed() error {
	if !s.now.Before(s.r.ExpiresAt) {
		return nil
	}
	until := s.r.ExpiresAt.In(s.q.gate.Zone).Format("2006-01-02 15:04")
	if !s.in.Early {
		return fault.New(fault.Conflict, "bidding.open", "bids are taken until %s; a draw before that cuts bids off: it needs early (--early) and a reason", until)
	}
	if strings.TrimSpace(s.in.Reason) == "" {
		return fault.Bad("bidding.open", "early draw", []fault.Field{{Path: "reason", Problem: "is needed for a draw before " + until}})
	}
	s.in.Reason += fmt.Sprintf(" [提前开奖，原定 %s 截止 / drawn early, bids were to be taken until %[1]s]", until)
	return nil
}

// wishes checks a bid. Errors: bidding.wishes.
func (s *step) wishes() error {
	var bad []fault.Field
	if len(s.in.Wishes) == 0 {
		bad = append(bad, fault.Field{Path: "wishes", Problem: "are missing: numbers of the open shifts, the dearest first"})
	}
	for i, w := range s.in.Wishes {
		if w < 0 || w >= len(s.r.Round.Shifts) || slices.Contains(s.in.Wishes[:i], w) {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("wishes[%d]", i), Value: fmt.Sprint(w), Problem: fmt.Sprintf("must be 0 to %d, each once", len(s.r.Round.Shifts)-1)})
		}
	}
	return fault.Bad("bidding.wishes", "bid", bad)
}

// draw decides the round and gives the shifts to their winners.
func (s *step) draw() error {
	now, err := s.q.situation(s.ctx, s.view, s.r.Range)
	if err != nil {
		return err
	}
	var bidders []leave.Bidder
	for _, p := range s.r.Parties {
		c, err := now.caseOf(p.Agent)
		if err != nil {
			return err
		}
		bidders = append(bidders, leave.Bidder{
			Agent: p.Agent, Since: now.agents[p.Agent].Person.Employed.From, Score: s.r.Round.Scores[p.Agent], Wishes: p.Wishes, Case: c,
		})
	}
	round := leave.DrawRound(*s.r.Round, bidders)
	s.r.Round = &round
	for i := range s.r.Parties {
		p := &s.r.Parties[i]
		p.State, p.At = leave.Lost, s.now
		for _, a := range round.Results {
			if a.Agent == p.Agent && a.Won {
				p.State = leave.Won
			}
		}
	}
	s.r.Effects = nil
	for _, won := range leave.RoundEffect(round).Add {
		roster, err := now.rosterFor(won.Range())
		if err != nil {
			return err
		}
		i := slices.IndexFunc(s.r.Effects, func(e leave.Effect) bool { return e.Roster == roster })
		if i < 0 {
			i = len(s.r.Effects)
			s.r.Effects = append(s.r.Effects, leave.Effect{Roster: roster})
		}
		s.r.Effects[i].Add = append(s.r.Effects[i].Add, won)
	}
	return s.q.apply(s.ctx, s.tx, s.r, s.r.Effects)
}
