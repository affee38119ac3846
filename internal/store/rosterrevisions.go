package store

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
)

// Revision is one change of a roster's shifts: from the revision before it to this one. Revision 1, or
// the first one of a copy, is what the roster began with and has none.
type Revision struct {
	Roster     ids.Roster      `json:"roster"`
	Revision   int             `json:"revision"`
	At         time.Time       `json:"at"`
	Author     ids.User        `json:"author"`
	AuthorName string          `json:"author_name"`
	State      RosterState     `json:"state"` // of the roster when it was changed
	Why        string          `json:"why"`   // the kind of change: edit, repair, swap ...
	Reason     string          `json:"reason"`
	Figures    json.RawMessage `json:"figures,omitempty"` // what was judged
	Changes    []revise.Change `json:"changes"`
}

type revisionRow struct {
	bun.BaseModel `bun:"table:roster_revisions,alias:t"`
	Roster        string `bun:",pk"`
	Revision      int    `bun:",pk"`
	At            int64
	Author        string
	AuthorName    string
	State         string
	Why           string
	Reason        string
	Figures       string
}

type changeRow struct {
	bun.BaseModel `bun:"table:roster_changes,alias:t"`
	Roster        string `bun:",pk"`
	Revision      int    `bun:",pk"`
	Seq           int    `bun:",pk"`
	Agent         string // the one who has the shift afterwards, or had it before
	Was           string
	Becomes       string
}

func (r revisionRow) value() Revision {
	return Revision{
		Roster: ids.Roster(r.Roster), Revision: r.Revision, At: instant(r.At), Author: ids.User(r.Author), AuthorName: r.AuthorName,
		State: RosterState(r.State), Why: r.Why, Reason: r.Reason, Figures: json.RawMessage(r.Figures),
	}
}

func (r changeRow) value() (c revise.Change, err error) {
	if c.Before, err = readShift(r.Was); err == nil {
		c.After, err = readShift(r.Becomes)
	}
	return c, err
}

func readShift(text string) (*scheduling.Shift, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // a change without a shift on one side is the usual case
	}
	s, err := decode[scheduling.Shift](text)
	return &s, err
}

// RosterRevisions lists the revisions of a roster, newest first, each with its changes.
func (v *View) RosterRevisions(ctx context.Context, id ids.Roster, p Page) ([]Revision, string, error) {
	var list []Revision
	var next string
	err := v.moment(ctx, func(v *View) error {
		var rows []revisionRow
		var err error
		q := v.general(&rows).Where("roster = ?", clean(string(id)))
		next, err = listPage(ctx, q, p, order{"roster_revisions", []string{"revision", "roster"}, true}, &rows,
			func(r revisionRow) []any { return []any{int64(r.Revision), r.Roster} })
		if err != nil || len(rows) == 0 {
			return err
		}
		list = mapped(rows, revisionRow.value)
		var changes []changeRow
		err = v.general(&changes).Where("roster = ? AND revision >= ? AND revision <= ?", clean(string(id)), rows[len(rows)-1].Revision, rows[0].Revision).
			OrderExpr("revision DESC, seq").Scan(ctx)
		if err != nil {
			return translate(err)
		}
		return attach(list, changes)
	})
	return list, next, err
}

// attach gives revisions their changes, both newest first.
func attach(list []Revision, changes []changeRow) error {
	i := 0
	for _, row := range changes {
		for list[i].Revision > row.Revision {
			i++
		}
		c, err := row.value()
		if err != nil {
			return err
		}
		list[i].Changes = append(list[i].Changes, c)
	}
	return nil
}

// RosterAt reads a roster as it was at a revision, which never changes again; 0 is the newest. ErrNotFound
// for a revision that it never had. Figures, state and version are those of now.
func (v *View) RosterAt(ctx context.Context, id ids.Roster, revision int) (Roster, error) {
	var roster Roster
	err := v.moment(ctx, func(v *View) error {
		var err error
		if roster, err = v.Roster(ctx, id); err != nil || revision == 0 || revision == roster.Revision {
			return err
		}
		newer, err := All(func(p Page) ([]Revision, string, error) { return v.RosterRevisions(ctx, id, p) })
		if err != nil {
			return err
		}
		first := roster.Revision - len(newer)
		if revision < first || revision > roster.Revision {
			return fault.New(fault.NotFound, ErrNotFound.Code, "the roster %q has no revision %d; it has %d to %d", id, revision, first, roster.Revision)
		}
		newer = newer[:roster.Revision-revision]
		if roster.Shifts, err = undo(roster.Shifts, newer); err != nil {
			return err
		}
		roster.Revision = revision
		return nil
	})
	return roster, err
}

// Undo takes revisions, newest first, back from the shifts that they led to.
func undo(shifts []scheduling.Shift, newer []Revision) ([]scheduling.Shift, error) {
	r := scheduling.Roster{Shifts: slices.Clone(shifts)}
	for _, n := range newer {
		for _, c := range n.Changes {
			if c.After != nil {
				i := slices.IndexFunc(r.Shifts, sameShift(*c.After))
				if i < 0 {
					return nil, fault.New(fault.Internal, "store.document", "revision %d of the roster %q cannot be taken back", n.Revision, n.Roster)
				}
				r.Shifts = slices.Delete(r.Shifts, i, i+1)
			}
		}
		for _, c := range n.Changes {
			if c.Before != nil {
				r.Shifts = append(r.Shifts, *c.Before)
			}
		}
	}
	r.Sort()
	return r.Shifts, nil
}

// sameShift finds the shift of the same agent at the same time.
func sameShift(a scheduling.Shift) func(scheduling.Shift) bool {
	return func(b scheduling.Shift) bool {
		return a.Agent == b.Agent && a.Start.Equal(b.Start) && a.End.Equal(b.End)
	}
}

// ReviseShifts makes the next revision of a draft or published roster out of changes; what stands in
// Before must be there. Reason, Why and Figures are taken from r, the rest is filled in. expect is
// AnyVersion or the version the caller read. ErrConflict when the roster is archived, has another
// version, or lacks a shift that should be changed; "roster.invalid" when somebody is in two places;
// "roster.double_booked" as SetRosterState.
func (tx *Tx) ReviseShifts(id ids.Roster, r Revision, expect int) (Revision, Meta, error) {
	if strings.TrimSpace(r.Reason) == "" {
		return r, Meta{}, fault.Bad("store.invalid", "revision", []fault.Field{{Path: "reason", Problem: "is empty: say why the roster is changed"}})
	}
	if r.Changes = perAgent(r.Changes); len(r.Changes) == 0 {
		return r, Meta{}, fault.Bad("store.invalid", "revision", []fault.Field{{Path: "changes", Problem: "are empty: a revision changes something"}})
	}
	row, err := tx.rosterNow(id, expect)
	if err != nil {
		return r, Meta{}, err
	}
	if RosterState(row.State) == Archived {
		return r, Meta{}, fault.New(fault.Conflict, ErrConflict.Code, "the roster %q is archived and never changes again", id)
	}
	row.Revision++
	row.stamp = stamp{row.Version + 1, micros(tx.now)}
	if err := tx.exchange(row, r.Changes); err != nil {
		return r, Meta{}, err
	}
	if err := tx.write(&row, true); err != nil {
		return r, Meta{}, err
	}
	kept := revisionRow{
		Roster: row.ID, Revision: row.Revision, At: micros(tx.now), Author: string(tx.actor.User), AuthorName: clean(tx.actor.Name),
		State: row.State, Why: clean(r.Why), Reason: clean(r.Reason),
	}
	if kept.Figures, err = rawOrNull(r.Figures, "figures"); err != nil {
		return r, Meta{}, err
	}
	if err := tx.insert(&kept); err != nil {
		return r, Meta{}, err
	}
	doc, err := tx.keepChanges(row, r.Changes)
	if err != nil {
		return r, Meta{}, err
	}
	out := kept.value()
	out.Changes = r.Changes
	return out, row.meta(), tx.note("roster.revise", "roster", row.ID, "", revisionDetail{
		Version: row.Version, Revision: row.Revision, State: RosterState(row.State), Why: out.Why, Reason: out.Reason,
		Agents: revise.Agents(r.Changes), Changes: len(r.Changes), SHA256: digest(doc),
	})
}

// perAgent makes two changes of one in which a shift goes to somebody else, so that each agent's part of
// the history is whole.
func perAgent(changes []revise.Change) (out []revise.Change) {
	for _, c := range changes {
		switch {
		case c.Before == nil && c.After == nil:
		case c.Before != nil && c.After != nil && c.Before.Agent != c.After.Agent:
			out = append(out, revise.Change{Before: c.Before}, revise.Change{After: c.After})
		default:
			out = append(out, c)
		}
	}
	return out
}

// revisionDetail is the audit detail of a revision.
type revisionDetail struct {
	Version  int         `json:"version"`
	Revision int         `json:"revision"`
	State    RosterState `json:"state"`
	Why      string      `json:"why"`
	Reason   string      `json:"reason"`
	Agents   []ids.Agent `json:"agents"`
	Changes  int         `json:"changes"`
	SHA256   string      `json:"sha256"` // of the changes' document
}

// exchange writes changes into the shifts of a roster.
func (tx *Tx) exchange(row rosterRow, changes []revise.Change) error {
	var added []scheduling.Shift
	for _, c := range changes {
		if c.After != nil {
			added = append(added, *c.After)
		}
		if c.Before == nil {
			continue
		}
		tx.loose = true
		result, err := tx.q.NewDelete().Model((*shiftRow)(nil)).
			Where("roster = ? AND agent = ? AND start_at = ? AND end_at = ?", row.ID, c.Before.Agent, micros(c.Before.Start), micros(c.Before.End)).Exec(tx.ctx)
		if err != nil {
			return translate(err)
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, fault.New(fault.Conflict, ErrConflict.Code, "the roster %q has no shift of %s at %s any more",
				row.ID, c.Before.Agent, c.Before.Start.Format(time.RFC3339)))
		}
	}
	agents := revise.Agents(changes)
	var rows []shiftRow
	if err := tx.q.NewSelect().Model(&rows).Where("roster = ? AND agent IN (?)", row.ID, bun.List(agents)).OrderExpr("agent, start_at").Scan(tx.ctx); err != nil {
		return translate(err)
	}
	rest, err := mappedOr(rows, shiftRow.shift)
	if err != nil {
		return err
	}
	if err := (scheduling.Roster{Shifts: slices.Concat(rest, added)}).Validate(); err != nil {
		return err
	}
	if err := tx.insertShifts(ids.Roster(row.ID), added); err != nil {
		return err
	}
	if RosterState(row.State) == Published {
		return tx.refuseDoubleBooking(ids.Roster(row.ID), agents)
	}
	return nil
}

// keepChanges writes the rows of a revision and returns the changes' document.
func (tx *Tx) keepChanges(row rosterRow, changes []revise.Change) (string, error) {
	rows := make([]changeRow, len(changes))
	for i, c := range changes {
		rows[i] = changeRow{Roster: row.ID, Revision: row.Revision, Seq: i, Agent: string(c.Agent())}
		for _, side := range []struct {
			shift *scheduling.Shift
			text  *string
		}{{c.Before, &rows[i].Was}, {c.After, &rows[i].Becomes}} {
			if side.shift == nil {
				continue
			}
			text, err := encode(*side.shift)
			if err != nil {
				return "", err
			}
			*side.text = text
		}
	}
	if err := insertMany(tx, rows); err != nil {
		return "", err
	}
	return encode(changes)
}

// CopyRoster makes a draft of a roster's shifts as they are, to be worked on and published in its place.
// ErrConflict unless expect is AnyVersion or the version of the original.
func (tx *Tx) CopyRoster(from, to ids.Roster, title string, expect int) (Roster, error) {
	row, err := tx.rosterNow(from, expect)
	if err != nil {
		return Roster{}, err
	}
	row.Parent, row.ParentAt, row.ID = row.ID, row.Revision, clean(string(to))
	if title != "" {
		row.Title = clean(title)
	}
	row.State, row.PublishedAt, row.ArchivedAt = string(Draft), 0, 0
	row.CreatedAt, row.Author, row.stamp = micros(tx.now), string(tx.actor.User), stamp{1, micros(tx.now)}
	if err := tx.insertNamed(&row, "roster", row.ID); err != nil {
		return Roster{}, err
	}
	tx.loose = true
	_, err = tx.q.NewRaw("INSERT INTO shifts (roster, agent, start_at, end_at, code, activities) SELECT ?, agent, start_at, end_at, code, activities FROM shifts WHERE roster = ?",
		row.ID, from).Exec(tx.ctx)
	if err != nil {
		return Roster{}, translate(err)
	}
	copied, err := row.value()
	if err != nil {
		return Roster{}, err
	}
	return copied, tx.note("roster.copy", "roster", row.ID, "", struct {
		Parent   ids.Roster `json:"parent"`
		Revision int        `json:"revision"`
	}{from, row.ParentAt})
}
