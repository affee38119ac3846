package store

import (
	"cmp"
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// Acknowledgement says that an agent has seen a roster as it was at a revision.
type Acknowledgement struct {
	Roster     ids.Roster `json:"roster"`
	Agent      ids.Agent  `json:"agent"`
	Revision   int        `json:"revision"`
	At         time.Time  `json:"at"`
	Author     ids.User   `json:"author"` // the agent's own login, or who noted it for the agent
	AuthorName string     `json:"author_name"`
	Note       string     `json:"note,omitempty"`
}

type acknowledgementRow struct {
	bun.BaseModel `bun:"table:roster_acknowledgements,alias:t"`
	Roster        string `bun:",pk"`
	Agent         string `bun:",pk"`
	Revision      int    `bun:",pk"`
	At            int64
	Author        string
	AuthorName    string
	Note          string
}

func (r acknowledgementRow) value() Acknowledgement {
	return Acknowledgement{
		Roster: ids.Roster(r.Roster), Agent: ids.Agent(r.Agent), Revision: r.Revision, At: instant(r.At), Author: ids.User(r.Author),
		AuthorName: r.AuthorName, Note: r.Note,
	}
}

// Acknowledgements lists who has seen a roster at which revision, by agent and revision. An agent sees its own.
func (v *View) Acknowledgements(ctx context.Context, id ids.Roster, p Page) ([]Acknowledgement, string, error) {
	var rows []acknowledgementRow
	q := whereText(v.ofAgents(&rows, "agent"), "roster", string(id))
	next, err := listPage(ctx, q, p, order{"acknowledgements", []string{"agent", "revision", "roster"}, false}, &rows,
		func(r acknowledgementRow) []any { return []any{r.Agent, int64(r.Revision), r.Roster} })
	return mapped(rows, acknowledgementRow.value), next, err
}

// Acknowledge notes that an agent has seen a roster at a revision, 0 for the newest; once is enough, so a
// second time changes nothing. ErrNotFound for an unknown roster or a revision to come, ErrReference for
// an unknown agent.
func (tx *Tx) Acknowledge(id ids.Roster, revision int, agent ids.Agent, note string) (Acknowledgement, error) {
	roster, err := tx.rosterNow(id, AnyVersion)
	if err != nil {
		return Acknowledgement{}, err
	}
	if revision < 0 || revision > roster.Revision {
		return Acknowledgement{}, fault.New(fault.NotFound, ErrNotFound.Code, "the roster %q has no revision %d yet", id, revision)
	}
	row := acknowledgementRow{
		Roster: roster.ID, Agent: clean(string(agent)), Revision: cmp.Or(revision, roster.Revision), At: micros(tx.now), Author: string(tx.actor.User),
		AuthorName: clean(tx.actor.Name), Note: clean(note),
	}
	var there []acknowledgementRow
	err = tx.q.NewSelect().Model(&there).Where("roster = ? AND agent = ? AND revision = ?", row.Roster, row.Agent, row.Revision).Scan(tx.ctx)
	if err != nil || len(there) > 0 {
		if err == nil {
			return there[0].value(), nil
		}
		return Acknowledgement{}, translate(err)
	}
	if err := tx.insert(&row); err != nil {
		return Acknowledgement{}, err
	}
	return row.value(), tx.note("roster.acknowledge", "roster", row.Roster, "", struct {
		Agent    string `json:"agent"`
		Revision int    `json:"revision"`
		Note     string `json:"note,omitempty"`
	}{row.Agent, row.Revision, row.Note})
}
