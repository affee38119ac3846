package gate

import (
	"context"
	"encoding/json"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/workforce"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Standing is what is on file about people beside the agents themselves: certificates, packs they
// have read, agreements, sessions, carried hours, agency posts, and granted leave.
type Standing struct {
	facts  map[ids.Agent][]workforce.Fact
	leave  map[ids.Agent][]calendar.Range
	unpaid map[ids.Agent][]leave.Charge
}

// fewAgents is up to how many agents are read one by one instead of all at once.
const fewAgents = 16

// ReadStanding reads what is on file, with the leave that shares an instant with a span; only of these
// agents, or of all when none is named.
func ReadStanding(ctx context.Context, view *store.View, span calendar.Range, only []ids.Agent) (Standing, error) {
	s := Standing{facts: map[ids.Agent][]workforce.Fact{}, leave: map[ids.Agent][]calendar.Range{}, unpaid: map[ids.Agent][]leave.Charge{}}
	if len(only) == 0 || len(only) > fewAgents {
		return s, s.read(ctx, view, span, "")
	}
	for _, a := range only {
		if err := s.read(ctx, view, span, a); err != nil {
			return s, err
		}
	}
	return s, nil
}

// read adds what is on file about one agent, or about all.
func (s Standing) read(ctx context.Context, view *store.View, span calendar.Range, a ids.Agent) error {
	facts, err := store.All(func(p store.Page) ([]store.Stored[workforce.Fact], string, error) {
		return view.Facts(ctx, store.FactFilter{Agent: a}, p)
	})
	if err != nil {
		return err
	}
	for _, f := range facts {
		if f.Value.Kind == workforce.AbsenceFact && !f.Value.Range.Overlaps(span) {
			continue // of other days
		}
		s.facts[f.Value.Agent] = append(s.facts[f.Value.Agent], f.Value)
	}
	granted, err := store.All(func(p store.Page) ([]store.Request, string, error) {
		return view.Requests(ctx, store.RequestFilter{Kind: leave.Absence, State: leave.Approved, Agent: a, Range: span}, p)
	})
	for _, r := range granted {
		s.leave[r.Value.Agent] = append(s.leave[r.Value.Agent], r.Value.Range)
		if ask := r.Value.Leave; ask != nil && ask.Kind.Unpaid() {
			s.unpaid[r.Value.Agent] = append(s.unpaid[r.Value.Agent], ask.Charge...)
		}
	}
	return err
}

// Fill adds what is on file to a person.
func (s Standing) Fill(p *workrules.Person) {
	workforce.Fill(p, s.facts[p.ID])
	p.Unavailable = append(p.Unavailable, s.leave[p.ID]...)
}

// Unpaid is the working time that leave without pay takes from an agent, by day.
func (s Standing) Unpaid(a ids.Agent) []leave.Charge { return s.unpaid[a] }

// Career is when an agent began to work anywhere; zero when it is not on file.
func (s Standing) Career(a ids.Agent) calendar.Date {
	for _, f := range s.facts[a] {
		if f.Kind == workforce.CareerFact {
			return f.Dates.From
		}
	}
	return calendar.Date{}
}

// queueTermsKey is the setting with what agents need before serving each queue.
const queueTermsKey = "queue_terms"

// QueueTerms reads what agents need before serving each queue, and the version it is at; 0 = never put.
func QueueTerms(ctx context.Context, view *store.View) ([]workrules.QueueTerms, int, error) {
	setting, err := view.Setting(ctx, queueTermsKey)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			err = nil
		}
		return nil, 0, err
	}
	var terms []workrules.QueueTerms
	if err := json.Unmarshal(setting.Value, &terms); err != nil {
		return nil, 0, fault.Wrap(err, fault.Internal, "queue_terms.stored", "the stored terms of the queues cannot be read")
	}
	return terms, setting.Version, nil
}

// PutQueueTerms replaces them. expect as in store.PutSetting.
func PutQueueTerms(tx *store.Tx, terms []workrules.QueueTerms, expect int) error {
	text, err := json.Marshal(terms)
	if err != nil {
		return fault.Wrap(err, fault.Internal, "queue_terms.stored", "the terms of the queues cannot be stored")
	}
	_, err = tx.PutSetting(queueTermsKey, text, expect)
	return err
}

// Burdens counts the nights and weekends of published shifts that start in a span, by agent: what the
// optimiser's fairness ledger is filled with.
func Burdens(ctx context.Context, view *store.View, span calendar.Range, rules leave.FairRules) (map[ids.Agent]leave.FairSum, error) {
	shifts, err := PublishedShifts(ctx, view, span)
	if err != nil {
		return nil, err
	}
	var people []ids.Agent
	for _, s := range shifts {
		people = append(people, s.Agent)
	}
	out := map[ids.Agent]leave.FairSum{}
	for _, sum := range leave.FairnessOf(people, shifts, span, rules).Agents {
		out[sum.Agent] = sum
	}
	return out, nil
}

// FairRulesOf makes the rules of fairness for a span.
func FairRulesOf(span calendar.Range, zone *time.Location, holidays calendar.Holidays, rules workrules.Params) leave.FairRules {
	return leave.FairRules{Frame: workrules.NewFrame(span, holidays, zone, rules), Zone: zone, Holidays: holidays}
}
