package requesting

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/workforce"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Facts lists what is on file about people, by agent and kind. An agent sees its own.
func (q *Requesting) Facts(ctx context.Context, who access.Principal, f store.FactFilter, page store.Page) ([]store.Stored[workforce.Fact], string, error) {
	view, scope, err := q.gate.Read(who, access.ReadRequests)
	if err == nil {
		err = scope.MayName(f.Agent)
	}
	if err != nil {
		return nil, "", err
	}
	return view.Facts(ctx, f, page)
}

// PutFacts puts facts on file; the same again replaces them. With dry nothing is kept and the answer says
// what would come of it. Errors: facts.invalid with every bad field of every fact, store.reference.
func (q *Requesting) PutFacts(ctx context.Context, who access.Principal, facts []workforce.Fact, dry bool) (FactsPut, error) {
	if _, err := access.Decide(who, access.WriteAgents); err != nil {
		return FactsPut{}, err
	}
	var bad []fault.Field
	if err := workforce.ValidateFacts(facts); err != nil {
		bad = fault.Of(err).Fields
	}
	return q.putFacts(ctx, who, facts, dry, func(more []fault.Field) error {
		return fault.Bad("facts.invalid", "facts", slices.Concat(bad, more))
	})
}

// putFacts keeps facts unless refuse, which is told what the store has against them, says no.
func (q *Requesting) putFacts(ctx context.Context, who access.Principal, facts []workforce.Fact, dry bool, refuse func([]fault.Field) error) (FactsPut, error) {
	var done FactsPut
	err := q.gate.Store.Change(ctx, who, q.gate.Now(), func(tx *store.Tx) error {
		view := tx.In(everything)
		more, err := q.fit(ctx, view, facts)
		if err != nil {
			return err
		}
		if err := refuse(more); err != nil {
			return err
		}
		done, err = q.keepFacts(ctx, tx, view, facts)
		if err == nil && dry {
			return errDry
		}
		return err
	})
	if dry && errors.Is(err, errDry) {
		done.Dry, err = true, nil
	}
	return done, err
}

// errDry takes back a change that was only tried.
var errDry = errors.New("only tried")

// fit checks facts against what is on file: who works here, and carried hours of an agent that overlap. The
// paths begin with facts[i].
func (q *Requesting) fit(ctx context.Context, view *store.View, facts []workforce.Fact) (bad []fault.Field, err error) {
	for i, f := range facts {
		if ids.Check(string(f.Agent)) != "" {
			continue // told already
		}
		if _, err := view.Agent(ctx, f.Agent); err != nil {
			if fault.KindOf(err) != fault.NotFound {
				return nil, err
			}
			bad = append(bad, fault.Field{Path: fmt.Sprintf("facts[%d].agent", i), Value: string(f.Agent), Problem: "is nobody we know"})
			continue
		}
		if f.Kind != workforce.CarriedFact {
			continue
		}
		there, err := store.All(func(p store.Page) ([]store.Stored[workforce.Fact], string, error) {
			return view.Facts(ctx, store.FactFilter{Agent: f.Agent, Kind: workforce.CarriedFact}, p)
		})
		if err != nil {
			return nil, err
		}
		for _, o := range there {
			if o.Value.Key() != f.Key() && o.Value.Dates.Overlaps(f.Dates) {
				bad = append(bad, fault.Field{Path: fmt.Sprintf("facts[%d].dates", i), Value: f.Dates.From.String(), Problem: "overlap the carried hours from " + o.Value.Dates.From.String()})
			}
		}
	}
	return bad, nil
}

// ImportFacts puts the rows of a CSV file on file, all or none; its encoding is found as imports find it.
// With dry nothing is kept. Errors: intake.format, facts.header, facts.rows with every bad cell of every
// row, whether the file itself or what is on file speaks against it.
func (q *Requesting) ImportFacts(ctx context.Context, who access.Principal, file string, r io.Reader, dry bool) (FactsPut, error) {
	if _, err := access.Decide(who, access.WriteAgents); err != nil {
		return FactsPut{}, err
	}
	text, err := intake.UTF8(file, r)
	if err != nil {
		return FactsPut{}, err
	}
	rows, err := workforce.FactsFromCSV(file, text, q.gate.Zone)
	if err != nil {
		return FactsPut{}, err
	}
	return q.putFacts(ctx, who, rows.Facts, dry, func(more []fault.Field) error {
		for _, x := range more {
			rows.Bad = append(rows.Bad, rows.Place(x))
		}
		slices.SortStableFunc(rows.Bad, func(a, b fault.Field) int { return cmp.Compare(a.Row, b.Row) })
		return rows.Err()
	})
}

// DeleteFact takes a wrong fact off file. Who decides requests takes back absences only: repairs and edits put them
// there, and whoever makes those hears first that somebody does come. Errors: store.not_found.
func (q *Requesting) DeleteFact(ctx context.Context, who access.Principal, id string) error {
	if _, err := access.DecideAny(who, access.WriteAgents, access.DecideRequests); err != nil {
		return err
	}
	return q.gate.Store.Change(ctx, who, q.gate.Now(), func(tx *store.Tx) error {
		if !who.Can(access.WriteAgents) {
			found, _, err := tx.In(everything).Facts(ctx, store.FactFilter{ID: id}, store.Page{})
			if err != nil {
				return err
			}
			if len(found) > 0 && found[0].Value.Kind != workforce.AbsenceFact {
				_, err := access.Decide(who, access.WriteAgents)
				return err
			}
		}
		return tx.DeleteFact(id)
	})
}

// AcknowledgePack notes that an agent has read a promotion pack, today. Errors: pack.unknown when no
// queue names such a pack.
func (q *Requesting) AcknowledgePack(ctx context.Context, who access.Principal, agent ids.Agent, pack string) (FactsPut, error) {
	if _, err := access.Decide(who, access.MakeRequests); err != nil {
		return FactsPut{}, err
	}
	agent, err := forWhom(who, agent)
	if err != nil {
		return FactsPut{}, err
	}
	terms, _, err := gate.QueueTerms(ctx, q.gate.Everything())
	if err != nil {
		return FactsPut{}, err
	}
	known := slices.ContainsFunc(terms, func(t workrules.QueueTerms) bool {
		return slices.ContainsFunc(t.Packs, func(p workrules.Pack) bool { return p.Code == pack })
	})
	if !known {
		return FactsPut{}, fault.New(fault.NotFound, "pack.unknown", "no queue has a promotion pack %q", fault.Shorten(pack))
	}
	today := calendar.DateOf(q.gate.Now(), q.gate.Zone)
	read, err := store.All(func(p store.Page) ([]store.Stored[workforce.Fact], string, error) {
		return q.gate.Everything().Facts(ctx, store.FactFilter{Agent: agent, Kind: workforce.AcknowledgementFact, Code: pack}, p)
	})
	if err != nil || len(read) > 0 { // the first reading counts
		return FactsPut{PutResult: store.PutResult{Unchanged: len(read)}}, err
	}
	fact := workforce.Fact{Agent: agent, Kind: workforce.AcknowledgementFact, Code: pack, Dates: calendar.Dates{From: today}}
	return q.putFacts(ctx, who, []workforce.Fact{fact}, false, func(bad []fault.Field) error { return fault.Bad("facts.invalid", "facts", bad) })
}

// QueueTerms is what agents need before serving each queue, with the version it is at; 0 = never put.
type QueueTerms struct {
	Terms   []workrules.QueueTerms `json:"terms"`
	Version int                    `json:"version"`
	Broken  []gate.Break           `json:"broken,omitempty"` // when they were put: the rules that published shifts from now on break by them
}

// QueueTerms reads certificates, promotion packs and shops of each queue.
func (q *Requesting) QueueTerms(ctx context.Context, who access.Principal) (QueueTerms, error) {
	if _, err := access.Decide(who, access.ReadRequests); err != nil {
		return QueueTerms{}, err
	}
	terms, version, err := gate.QueueTerms(ctx, q.gate.Everything())
	if terms == nil {
		terms = []workrules.QueueTerms{}
	}
	return QueueTerms{Terms: terms, Version: version}, err
}

// PutQueueTerms replaces what agents need before serving each queue. From then on the rules refuse
// whoever has not passed the exam or read the pack, in rosters, edits, swaps and offers alike; the answer names
// the published shifts from today on that break them. Errors:
// queue_terms.invalid with every bad field, store.conflict.
func (q *Requesting) PutQueueTerms(ctx context.Context, who access.Principal, terms []workrules.QueueTerms, expect int) (QueueTerms, error) {
	if _, err := access.Decide(who, access.WriteAgents); err != nil {
		return QueueTerms{}, err
	}
	var broken []gate.Break
	err := q.gate.Store.Change(ctx, who, q.gate.Now(), func(tx *store.Tx) error {
		view := tx.In(everything)
		if err := checkTerms(ctx, view, terms); err != nil {
			return err
		}
		span, err := q.desk.FromToday(ctx, view, tx.Now())
		if err != nil {
			return err
		}
		broken, err = q.desk.Breaks(ctx, view, span, nil, func() error { return gate.PutQueueTerms(tx, terms, expect) })
		return err
	})
	if err != nil {
		return QueueTerms{}, err
	}
	now, err := q.QueueTerms(ctx, who)
	now.Broken = broken
	return now, err
}

func checkTerms(ctx context.Context, view *store.View, terms []workrules.QueueTerms) error {
	var bad []fault.Field
	report := func(i int, path, value, problem string) {
		bad = append(bad, fault.Field{Path: fmt.Sprintf("terms[%d].%s", i, path), Value: value, Problem: problem})
	}
	for i, t := range terms {
		if _, err := view.Queue(ctx, t.Queue); err != nil {
			if fault.KindOf(err) != fault.NotFound {
				return err
			}
			report(i, "queue", string(t.Queue), "is no queue we know")
		}
		if slices.ContainsFunc(terms[:i], func(o workrules.QueueTerms) bool { return o.Queue == t.Queue }) {
			report(i, "queue", string(t.Queue), "is given twice")
		}
		if t.Shops < 0 || t.Shops > 100 {
			report(i, "shops", fmt.Sprint(t.Shops), "must be 0 (one) to 100")
		}
		if problem := ids.Check(t.Certificate); t.Certificate != "" && problem != "" {
			report(i, "certificate", t.Certificate, problem)
		}
		for k, p := range t.Packs {
			if problem := ids.Check(p.Code); problem != "" {
				report(i, fmt.Sprintf("packs[%d].code", k), p.Code, problem)
			}
			if p.Dates.From.IsZero() || !p.Dates.Until.IsZero() && !p.Dates.From.Before(p.Dates.Until) {
				report(i, fmt.Sprintf("packs[%d].dates", k), p.Dates.From.String(), "need a first day, and end after it")
			}
		}
	}
	return fault.Bad("queue_terms.invalid", "terms of queues", bad)
}
