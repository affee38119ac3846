package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

type factRow struct {
	bun.BaseModel `bun:"table:person_facts,alias:t"`
	ID            string `bun:",pk"`
	Agent         string
	Kind          string
	Code          string
	FromDay       string
	UntilDay      string
	Doc           string
	stamp
}

func (r factRow) stored() (Stored[workforce.Fact], error) {
	f, err := decode[workforce.Fact](r.Doc)
	return Stored[workforce.Fact]{Value: f, Meta: r.meta()}, err
}

// FactFilter narrows a list of facts; empty fields do not.
type FactFilter struct {
	ID      string
	Agent   ids.Agent
	Kind    workforce.FactKind
	Code    string
	EndedBy calendar.Date // no longer good on that date
}

// Facts lists what is on file about people, by agent, kind and id. An agent sees its own.
func (v *View) Facts(ctx context.Context, f FactFilter, p Page) ([]Stored[workforce.Fact], string, error) {
	var rows []factRow
	q := whereText(v.ofAgents(&rows, "agent"), "agent", string(f.Agent))
	q = whereText(whereText(whereText(q, "kind", string(f.Kind)), "code", f.Code), "id", f.ID)
	if !f.EndedBy.IsZero() {
		q = q.Where("until_day <= ?", f.EndedBy.String())
	}
	next, err := listPage(ctx, q, p, order{"facts", []string{"agent", "kind", "id"}, false}, &rows,
		func(r factRow) []any { return []any{r.Agent, r.Kind, r.ID} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, factRow.stored)
	return list, next, err
}

// PutFacts adds facts, or replaces those of the same key; the same content again changes nothing.
// ErrReference when an agent is unknown.
func (tx *Tx) PutFacts(facts []workforce.Fact) (PutResult, error) {
	var result PutResult
	for _, f := range facts {
		f.ID = digest(f.Key())[:20]
		doc, err := encode(f)
		if err != nil {
			return PutResult{}, err
		}
		var old factRow
		had, err := tx.load(&old, f.ID)
		if err != nil {
			return PutResult{}, err
		}
		next, changed, err := admit("fact", f.ID, had, old.stamp, old.Doc == doc, AnyVersion, tx.now)
		if err != nil {
			return PutResult{}, err
		}
		switch {
		case !changed:
			result.Unchanged++
			continue
		case had:
			result.Changed++
		default:
			result.Added++
		}
		row := factRow{
			ID: f.ID, Agent: string(f.Agent), Kind: string(f.Kind), Code: clean(f.Code), FromDay: f.Dates.From.String(), UntilDay: untilText(f.Dates.Until), Doc: doc, stamp: next,
		}
		if err := tx.write(&row, had); err != nil {
			return PutResult{}, err
		}
		// The audit chain is never erased, so it holds no values about a person.
		if err := tx.note("fact.put", "fact", f.ID, "", factDetail{next.Version, f.Agent, f.Kind, digest(doc)}); err != nil {
			return PutResult{}, err
		}
	}
	return result, nil
}

type factDetail struct {
	Version int                `json:"version"`
	Agent   ids.Agent          `json:"agent"`
	Kind    workforce.FactKind `json:"kind"`
	SHA256  string             `json:"sha256"`
}

// DeleteFact takes a wrong fact off file. ErrNotFound.
func (tx *Tx) DeleteFact(id string) error {
	var row factRow
	had, err := tx.load(&row, clean(id))
	if err != nil {
		return err
	}
	if !had {
		return missing("fact", id)
	}
	if _, err := tx.clear((*factRow)(nil), "id", row.ID); err != nil {
		return err
	}
	return tx.note("fact.delete", "fact", row.ID, "", factDetail{row.Version, ids.Agent(row.Agent), workforce.FactKind(row.Kind), digest(row.Doc)})
}
