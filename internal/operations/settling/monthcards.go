package settling

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// MonthCardInput asks for the scores of a month.
type MonthCardInput struct {
	Month    calendar.Month
	Contract ids.Contract // empty = all
	Agent    ids.Agent    // empty = all in scope
}

// MonthCard is a score as people see it: before the freeze what the data say now, afterwards what
// was frozen or amended, with what the data say now beside it when that is another score.
type MonthCard struct {
	store.MonthCard
	Frozen    bool              `json:"frozen"`
	Revisions []store.MonthCard `json:"revisions,omitempty"` // the older ones, newest first; the last is what was frozen
	Now       *store.MonthCard  `json:"now,omitempty"`       // what the data say now, when it differs from the card
}

// MonthCards are the cards of a month with how the month was closed.
type MonthCards struct {
	Month  calendar.Month `json:"month"`
	Freeze *store.Freeze  `json:"freeze,omitempty"` // nil while the month is open
	Cards  []MonthCard    `json:"cards"`            // by contract and agent
	Stale  string         `json:"stale,omitempty"`  // why frozen cards could not be held against the data of now
}

// MonthlyScorecards gives the scores of a month, of every agent who worked for a contract; an agent
// gets its own. The cards of a frozen month never change: what later data would make of them
// stands beside.
func (s *Settling) MonthlyScorecards(ctx context.Context, who access.Principal, in MonthCardInput) (MonthCards, error) {
	view, scope, err := s.gate.Read(who, access.ReadAgentKPI)
	if err != nil {
		return MonthCards{}, err
	}
	if in.Month == (calendar.Month{}) {
		return MonthCards{}, fault.Bad("scorecard.input", "scorecards", []fault.Field{{Path: "month", Problem: "is missing"}})
	}
	if err := s.gate.Named(ctx, scope, gate.Names{Agents: gate.One(in.Agent)}); err != nil {
		return MonthCards{}, err
	}
	if in.Contract != "" {
		if _, err := s.gate.Everything().Contract(ctx, in.Contract); err != nil {
			return MonthCards{}, err
		}
	}
	if scope.Agent != "" {
		in.Agent = scope.Agent
	}
	out := MonthCards{Month: in.Month, Cards: []MonthCard{}}
	freeze, err := s.gate.Everything().Freeze(ctx, in.Month)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return out, err
	}
	now, errNow := s.scores(ctx, in)
	if errNow == nil && len(now) == 0 {
		errNow = s.gate.NobodyNamed(ctx, scope, gate.One(in.Agent))
	}
	if err != nil { // open
		for _, c := range now {
			out.Cards = append(out.Cards, MonthCard{MonthCard: c})
		}
		return out, errNow
	}
	out.Freeze = &freeze
	kept, err := store.All(func(p store.Page) ([]store.MonthCard, string, error) {
		return view.MonthCards(ctx, store.MonthCardFilter{Month: in.Month, Contract: in.Contract, Agent: in.Agent}, p)
	})
	if err != nil {
		return out, err
	}
	if errNow != nil { // the frozen cards do not need the engine
		out.Stale = fault.Of(errNow).Error()
	}
	out.Cards = beside(kept, now, errNow == nil)
	return out, nil
}

// beside puts what the data say now beside what is kept. kept has the newest revision of a card
// first. An agent who has a score now and had none at the freeze gets a card without one.
func beside(kept, now []store.MonthCard, known bool) []MonthCard {
	type key struct {
		contract ids.Contract
		agent    ids.Agent
	}
	cards := map[key]*MonthCard{}
	var order []key
	for _, c := range kept {
		at := key{c.Contract, c.Agent}
		if card, had := cards[at]; had {
			card.Revisions = append(card.Revisions, c)
			continue
		}
		cards[at] = &MonthCard{MonthCard: c, Frozen: true}
		order = append(order, at)
	}
	fresh := map[key]bool{}
	for _, c := range now {
		at := key{c.Contract, c.Agent}
		fresh[at] = true
		card, had := cards[at]
		if !had {
			card = &MonthCard{MonthCard: store.MonthCard{Month: c.Month, Contract: c.Contract, Merchant: c.Merchant, Agent: c.Agent, Parts: []store.ScorePart{}}, Frozen: true}
			cards[at] = card
			order = append(order, at)
		}
		if !sameScore(card.MonthCard, c) {
			card.Now = &c
		}
	}
	for at, card := range cards {
		if known && !fresh[at] && card.Score != nil { // its data are gone, or were moved to somebody else
			card.Now = &store.MonthCard{Month: card.Month, Contract: card.Contract, Merchant: card.Merchant, Agent: card.Agent, Parts: []store.ScorePart{}}
		}
	}
	slices.SortFunc(order, func(a, b key) int { return cmp.Or(cmp.Compare(a.contract, b.contract), cmp.Compare(a.agent, b.agent)) })
	out := make([]MonthCard, len(order))
	for i, at := range order {
		out[i] = *cards[at]
	}
	return out
}

// sameScore compares cards by their figures.
func sameScore(a, b store.MonthCard) bool {
	x, errX := json.Marshal(struct {
		S *float64
		P []store.ScorePart
	}{a.Score, a.Parts})
	y, errY := json.Marshal(struct {
		S *float64
		P []store.ScorePart
	}{b.Score, b.Parts})
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// scores computes the cards of a month from the data as they are now, by contract and agent.
func (s *Settling) scores(ctx context.Context, in MonthCardInput) ([]store.MonthCard, error) {
	view := s.gate.Everything()
	all, err := store.All(func(p store.Page) ([]store.Stored[contracts.Contract], string, error) {
		return view.Contracts(ctx, store.ContractFilter{}, p)
	})
	if err != nil {
		return nil, err
	}
	var cards []store.MonthCard
	named := in.Contract == ""
	for _, c := range all {
		if in.Contract != "" && c.Value.ID != in.Contract {
			continue
		}
		named = true
		merchant, err := view.Merchant(ctx, c.Value.Merchant)
		if err != nil {
			return nil, err
		}
		own, err := s.scoresOf(ctx, in, c.Value, merchant.Value)
		if err != nil {
			return nil, err
		}
		cards = append(cards, own...)
	}
	if !named {
		return nil, fault.New(fault.NotFound, store.ErrNotFound.Code, "there is no contract %q", in.Contract)
	}
	slices.SortFunc(cards, func(a, b store.MonthCard) int {
		return cmp.Or(cmp.Compare(a.Contract, b.Contract), cmp.Compare(a.Agent, b.Agent))
	})
	return cards, nil
}

// scoresOf computes the cards of one contract. Whoever has a figure of any term worked for it.
func (s *Settling) scoresOf(ctx context.Context, in MonthCardInput, c contracts.Contract, merchant contracts.Merchant) ([]store.MonthCard, error) {
	reader := s.gate.Warehouse.In(warehouse.Scope{Merchants: []ids.Merchant{merchant.ID}})
	type measured struct {
		version  contracts.Version
		term     contracts.Term
		weight   float64
		days     calendar.Dates
		readings map[ids.Agent]kpi.Reading
		problem  string // why it could not be measured at all
	}
	var terms []measured
	agents := map[ids.Agent]bool{}
	for _, v := range c.Versions {
		days := judgedDays(v, in.Month)
		if days.From.IsZero() {
			continue
		}
		weights := termWeights(v)
		for i, term := range v.Terms {
			x := measured{version: v, term: term, weight: weights[i], days: days}
			if days.From.Before(days.Until) {
				var err error
				x.readings, x.problem, err = s.judgeable(ctx, reader, v, term, merchant, days, in.Agent)
				if err != nil {
					return nil, err
				}
			}
			for agent, r := range x.readings {
				agents[agent] = agents[agent] || r.Value != nil && r.Denominator > 0
			}
			terms = append(terms, x)
		}
	}
	var cards []store.MonthCard
	for agent, worked := range agents {
		if agent == "" || !worked {
			continue
		}
		card := store.MonthCard{Month: in.Month, Contract: c.ID, Merchant: merchant.ID, Agent: agent}
		for _, x := range terms {
			var reading *kpi.Reading
			if r, found := x.readings[agent]; found {
				reading = &r
			}
			part := scorePart(x.version, x.term, x.weight, x.days, s.definitionOf(x.term, reading, x.days), reading)
			if x.problem != "" {
				part.Left, part.Attained, part.Value = x.problem, nil, nil
			}
			card.Parts = append(card.Parts, part)
		}
		card.Score = scored(card.Parts)
		cards = append(cards, card)
	}
	return cards, nil
}

// judgeable measures one term by agent, of all agents or of one; problem is why it cannot be held against anybody.
func (s *Settling) judgeable(ctx context.Context, reader warehouse.Reader, v contracts.Version, term contracts.Term, merchant contracts.Merchant, days calendar.Dates, agent ids.Agent) (map[ids.Agent]kpi.Reading, string, error) {
	d := s.definitionOf(term, nil, days)
	asked := agent
	if d.Numerator == abandonedConversations {
		asked = "" // whether the log names agents, only all of them tell
	}
	readings, err := s.readTerm(ctx, reader, v, term, merchant, days, asked)
	problem, err := unmeasurable(err)
	if err == nil && unattributed(d, readings) {
		problem = "无数据：未接待的会话没有记到客服 / no data: the log names the agent of no abandoned conversation"
	}
	if agent != "" {
		maps.DeleteFunc(readings, func(a ids.Agent, _ kpi.Reading) bool { return a != agent })
	}
	return readings, problem, err
}

// unmeasurable tells a term that nothing can be measured for, such as one whose metric begins later,
// which does not keep the others from the card, from a failure, which does.
func unmeasurable(err error) (problem string, failure error) {
	if err == nil {
		return "", nil
	}
	if kind := fault.KindOf(err); kind == fault.Invalid || kind == fault.NotFound {
		return fault.Of(err).Error(), nil
	}
	return "", err
}

// judgedDays are the days of the month on which a version is in force and judged; From is zero when
// it is not in force in the month, and From = Until when all its days are in the no-KPI period.
func judgedDays(v contracts.Version, month calendar.Month) calendar.Dates {
	days := calendar.Dates{From: month.First(), Until: month.Next().First()}
	if !v.Overlaps(days) {
		return calendar.Dates{}
	}
	if v.From.After(days.From) {
		days.From = v.From
	}
	if !v.Until.IsZero() && v.Until.Before(days.Until) {
		days.Until = v.Until
	}
	if v.NoKPIUntil.After(days.From) {
		days.From = v.NoKPIUntil
	}
	if days.From.After(days.Until) {
		days.From = days.Until
	}
	return days
}

// readTerm measures one term by agent.
func (s *Settling) readTerm(ctx context.Context, reader warehouse.Reader, v contracts.Version, term contracts.Term, merchant contracts.Merchant, days calendar.Dates, agent ids.Agent) (map[ids.Agent]kpi.Reading, error) {
	q, err := termQuery(term, v, merchant, calendar.Range{Start: days.From.In(s.gate.Zone), End: days.Until.In(s.gate.Zone)})
	if err != nil {
		return nil, err
	}
	q.By = []kpi.Dimension{kpi.ByAgent}
	if agent != "" {
		q.Agents = []ids.Agent{agent}
	}
	readings, err := reader.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	out := map[ids.Agent]kpi.Reading{}
	for _, r := range readings {
		out[r.Agent] = r
	}
	return out, nil
}

// definitionOf is the definition a term was measured under, for its unit and minimum sample.
func (s *Settling) definitionOf(term contracts.Term, r *kpi.Reading, days calendar.Dates) kpi.Definition {
	if r != nil {
		if d, err := s.gate.Definitions.Version(r.Metric, r.Version); err == nil {
			return d
		}
	}
	d, err := s.gate.Definitions.On(kpi.Metric(term.Metric), days.From)
	if err != nil {
		for _, d := range s.gate.Definitions { // measured under two versions: unit and sample are those of the first
			if d.Metric == kpi.Metric(term.Metric) {
				return d
			}
		}
	}
	return d
}

// FreezeInput names a month to close.
type FreezeInput struct {
	Month calendar.Month
	Empty bool // close it although nobody has a card: later data will not make one
}

// FreezeScorecards closes a month: its cards are kept as they are now and never change again; only
// an amendment with a reason adds a revision. Errors: scorecard.month_open while the month runs,
// store.conflict when it is frozen already, scorecard.empty for a month without cards unless Empty.
func (s *Settling) FreezeScorecards(ctx context.Context, who access.Principal, in FreezeInput) (store.Freeze, error) {
	if _, err := access.Decide(who, access.FreezeScorecards); err != nil {
		return store.Freeze{}, err
	}
	return s.freeze(ctx, who, in)
}

func (s *Settling) freeze(ctx context.Context, who access.Principal, in FreezeInput) (done store.Freeze, err error) {
	month := in.Month
	if !month.Next().First().In(s.gate.Zone).Before(s.gate.Now()) {
		return done, fault.New(fault.Conflict, "scorecard.month_open", "%s is not over: its scorecards can be frozen from %s on", month, month.Next().First())
	}
	if was, err := s.gate.Everything().Freeze(ctx, month); err == nil {
		return was, fault.New(fault.Conflict, store.ErrConflict.Code, "the scorecards of %s were frozen on %s", month, calendar.DateOf(was.At, s.gate.Zone))
	}
	if _, err := s.gate.Warehouse.Refresh(ctx); err != nil { // what came late so far counts
		return done, err
	}
	cards, err := s.scores(ctx, MonthCardInput{Month: month})
	if err != nil {
		return done, err
	}
	if len(cards) == 0 && !in.Empty {
		return done, fault.New(fault.Conflict, "scorecard.empty", "nobody has a scorecard of %s: a frozen month stays as it is, so import its data first, or say that it is to be closed empty", month)
	}
	err = s.gate.Store.Change(ctx, who, s.gate.Now(), func(tx *store.Tx) (err error) {
		done, err = tx.FreezeMonth(month, cards)
		return err
	})
	return done, err
}

// AmendInput names the frozen card that changes, and why.
type AmendInput struct {
	Month    calendar.Month
	Contract ids.Contract
	Agent    ids.Agent
	Reason   string
}

// AmendScorecard adds a revision to a frozen card: the score that the data give now. A figure is
// never typed in. Errors: scorecard.input, scorecard.same when the data say what the card says.
func (s *Settling) AmendScorecard(ctx context.Context, who access.Principal, in AmendInput) (done store.MonthCard, err error) {
	if _, err := access.Decide(who, access.FreezeScorecards); err != nil {
		return done, err
	}
	var bad []fault.Field
	for path, empty := range map[string]bool{"month": in.Month == (calendar.Month{}), "contract": in.Contract == "", "agent": in.Agent == "", "reason": in.Reason == ""} {
		if empty {
			bad = append(bad, fault.Field{Path: path, Problem: "is missing"})
		}
	}
	slices.SortFunc(bad, func(a, b fault.Field) int { return cmp.Compare(a.Path, b.Path) })
	if err := fault.Bad("scorecard.input", "amendment", bad); err != nil {
		return done, err
	}
	all, err := s.MonthlyScorecards(ctx, who, MonthCardInput{Month: in.Month, Contract: in.Contract, Agent: in.Agent})
	switch {
	case err != nil:
		return done, err
	case all.Freeze == nil:
		return done, fault.New(fault.NotFound, store.ErrNotFound.Code, "the scorecards of %s are not frozen", in.Month)
	case all.Stale != "":
		return done, fault.New(fault.Unavailable, "scorecard.no_data", "the score cannot be computed now: %s", all.Stale)
	case len(all.Cards) == 0:
		return done, fault.New(fault.NotFound, store.ErrNotFound.Code, "agent %s has no scorecard of contract %s in %s", in.Agent, in.Contract, in.Month)
	case all.Cards[0].Now == nil:
		return done, fault.New(fault.Conflict, "scorecard.same", "the data say what the scorecard says: there is nothing to amend")
	}
	err = s.gate.Store.Change(ctx, who, s.gate.Now(), func(tx *store.Tx) (err error) {
		done, err = tx.AmendMonthCard(*all.Cards[0].Now, in.Reason)
		return err
	})
	return done, err
}

// freezeBack is how many months back the freeze job looks for one that it missed.
const freezeBack = 3

// FreezeDue freezes the months whose freeze day has come: day Config.FreezeDay of the month after.
// Months missed while nothing ran are frozen too, up to three back, once a month has been frozen at
// all. The first month to be frozen has cards: a new installation whose first job runs before last
// month's logs are imported must not close that month empty. rows is how many cards were frozen.
func (s *Settling) FreezeDue(ctx context.Context, who access.Principal, due time.Time) (rows int64, err error) {
	if _, err := access.Decide(who, access.RunJobs); err != nil {
		return 0, err
	}
	today := calendar.DateOf(due, s.gate.Zone)
	newest, _, err := s.gate.Everything().Freezes(ctx, store.Page{Limit: 1})
	if err != nil {
		return 0, err
	}
	for back := freezeBack; back >= 1; back-- {
		month := calendar.MakeDate(today.Year, today.Month-time.Month(back), 1).MonthOf()
		if today.Before(month.Next().First().Add(s.policy.FreezeDay - 1)) {
			continue
		}
		if len(newest) == 0 && back > 1 || len(newest) > 0 && !newest[0].Month.First().Before(month.First()) {
			continue
		}
		if len(newest) == 0 {
			if cards, err := s.scores(ctx, MonthCardInput{Month: month}); err != nil || len(cards) == 0 {
				return rows, err
			}
		}
		done, err := s.freeze(ctx, who, FreezeInput{Month: month, Empty: true})
		if err != nil {
			return rows, err
		}
		rows += int64(done.Cards)
	}
	return rows, nil
}

// Freezes lists the frozen months, newest first.
func (s *Settling) Freezes(ctx context.Context, who access.Principal, p store.Page) ([]store.Freeze, string, error) {
	if _, err := access.Decide(who, access.ReadAgentKPI); err != nil {
		return nil, "", err
	}
	return s.gate.Everything().Freezes(ctx, p)
}
