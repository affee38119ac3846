package requesting

import (
	"context"
	"slices"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// FactsPut is what became of facts, and which published shifts they put in the wrong.
type FactsPut struct {
	store.PutResult
	Dry    bool         `json:"dry,omitempty"`   // nothing was kept
	Notes  []string     `json:"notes,omitempty"` // what is on file now and has no effect, and why
	Broken []gate.Break `json:"broken"`          // by agent and time
}

// keepFacts puts facts on file and compares what the rules say of the agents' published shifts before and
// afterwards.
func (q *Requesting) keepFacts(ctx context.Context, tx *store.Tx, view *store.View, facts []workforce.Fact) (FactsPut, error) {
	done := FactsPut{Broken: []gate.Break{}}
	span, err := q.touched(ctx, view, facts)
	if err != nil {
		return done, err
	}
	var people []ids.Agent
	for _, f := range facts {
		people = append(people, f.Agent)
	}
	slices.Sort(people)
	done.Broken, err = q.desk.Breaks(ctx, view, span, slices.Compact(people), func() error {
		done.PutResult, err = tx.PutFacts(facts)
		return err
	})
	return done, err
}

// touched is the time in which facts can matter to published shifts from today on; not valid when there is none. What
// is over, nobody can edit, swap or repair.
func (q *Requesting) touched(ctx context.Context, view *store.View, facts []workforce.Fact) (calendar.Range, error) {
	var span calendar.Range
	for _, f := range facts {
		from := f.Range.Start
		if !f.Dates.From.IsZero() {
			from = f.Dates.From.In(q.gate.Zone)
		}
		if span.Start.IsZero() || from.Before(span.Start) {
			span.Start = from
		}
	}
	today := calendar.DateOf(q.gate.Now(), q.gate.Zone).In(q.gate.Zone)
	if !span.Start.IsZero() && span.Start.Before(today) {
		span.Start = today
	}
	return q.desk.UntilPublished(ctx, view, span)
}
