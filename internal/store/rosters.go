package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

// RosterState is where a roster is in its life: draft -> published -> archived, or draft -> archived.
type RosterState string

// The states. Agents see published rosters only; an archived one never changes again.
const (
	Draft     RosterState = "draft"
	Published RosterState = "published"
	Archived  RosterState = "archived"
)

// Roster is who works when in a range, with how it was made.
type Roster struct {
	ID          ids.Roster         `json:"id"`
	Title       string             `json:"title"`
	Range       calendar.Range     `json:"range"`
	State       RosterState        `json:"state"`
	Revision    int                `json:"revision"`         // 1, 2 ...: grows with every change of the shifts
	Parent      ids.Roster         `json:"parent,omitempty"` // the roster that it was copied from
	ParentAt    int                `json:"parent_revision,omitempty"`
	CreatedAt   time.Time          `json:"created_at"`
	PublishedAt time.Time          `json:"published_at,omitzero"`
	ArchivedAt  time.Time          `json:"archived_at,omitzero"`
	Author      ids.User           `json:"author"`
	Plans       []ids.Plan         `json:"plans,omitempty"` // the requirements it covers
	Seed        uint64             `json:"seed"`
	InputHash   string             `json:"input_hash"`
	Figures     json.RawMessage    `json:"figures,omitempty"` // cost, bound, gap, short slots and why
	Shifts      []scheduling.Shift `json:"shifts,omitempty"`  // empty in lists; sorted by agent, then start
	Meta
}

type rosterRow struct {
	bun.BaseModel `bun:"table:rosters,alias:t"`
	ID            string `bun:",pk"`
	Title         string
	State         string
	StartAt       int64
	EndAt         int64
	CreatedAt     int64
	PublishedAt   int64
	Author        string
	Seed          string
	InputHash     string
	Plans         string
	Figures       string
	Revision      int
	Parent        string
	ParentAt      int `bun:"parent_revision"`
	ArchivedAt    int64
	stamp
}

func (r rosterRow) value() (Roster, error) {
	v := Roster{
		ID: ids.Roster(r.ID), Title: r.Title, Range: calendar.Range{Start: instant(r.StartAt), End: instant(r.EndAt)},
		State: RosterState(r.State), CreatedAt: instant(r.CreatedAt), PublishedAt: instant(r.PublishedAt), Author: ids.User(r.Author),
		InputHash: r.InputHash, Figures: json.RawMessage(r.Figures), Meta: r.meta(),
		Revision: r.Revision, Parent: ids.Roster(r.Parent), ParentAt: r.ParentAt, ArchivedAt: instant(r.ArchivedAt),
	}
	var err error
	if v.Seed, err = strconv.ParseUint(r.Seed, 10, 64); err != nil {
		return v, translate(err)
	}
	v.Plans, err = decode[[]ids.Plan](r.Plans)
	return v, err
}

// RosterFilter narrows a list of rosters; empty fields do not.
type RosterFilter struct {
	State RosterState
	Range calendar.Range // covers a part of the range
}

// Rosters lists rosters, newest first, without their shifts. Only a scope of everything sees them:
// a roster mixes merchants and names people.
func (v *View) Rosters(ctx context.Context, f RosterFilter, p Page) ([]Roster, string, error) {
	var rows []rosterRow
	q := whereOverlaps(whereText(v.general(&rows), "state", string(f.State)), f.Range)
	next, err := listPage(ctx, q, p, order{"rosters", []string{"created_at", "id"}, true}, &rows,
		func(r rosterRow) []any { return []any{r.CreatedAt, r.ID} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, rosterRow.value)
	return list, next, err
}

// RosterHead reads one roster without its shifts.
func (v *View) RosterHead(ctx context.Context, id ids.Roster) (Roster, error) {
	var row rosterRow
	if err := v.general(&row).Where("id = ?", clean(string(id))).Scan(ctx); err != nil {
		return Roster{}, found(err, "roster", string(id))
	}
	return row.value()
}

// Roster reads one roster with all its shifts.
func (v *View) Roster(ctx context.Context, id ids.Roster) (Roster, error) {
	var roster Roster
	err := v.moment(ctx, func(v *View) error {
		var err error
		if roster, err = v.RosterHead(ctx, id); err != nil {
			return err
		}
		var rows []shiftRow
		if err := v.general(&rows).Where("roster = ?", id).OrderExpr("agent, start_at").Scan(ctx); err != nil {
			return translate(err)
		}
		roster.Shifts, err = mappedOr(rows, shiftRow.shift)
		return err
	})
	return roster, err
}

// AddRoster adds a draft with its shifts; CreatedAt and Author are those of the change and State
// is always Draft. Revision is 1 unless given. "roster.invalid" when somebody is in two places, ErrReference when an agent is
// unknown.
func (tx *Tx) AddRoster(r Roster) (Meta, error) {
	figures, err := rawOrNull(r.Figures, "figures")
	if err != nil {
		return Meta{}, err
	}
	plans, err := encode(r.Plans)
	if err != nil {
		return Meta{}, err
	}
	row := rosterRow{
		ID: string(r.ID), Title: clean(r.Title), State: string(Draft), StartAt: micros(r.Range.Start), EndAt: micros(r.Range.End),
		CreatedAt: micros(tx.now), Author: string(tx.actor.User), Seed: strconv.FormatUint(r.Seed, 10),
		InputHash: clean(r.InputHash), Plans: plans, Figures: figures, stamp: stamp{1, micros(tx.now)},
		Revision: max(1, r.Revision), Parent: clean(string(r.Parent)), ParentAt: r.ParentAt,
	}
	if err := tx.insertNamed(&row, "roster", row.ID); err != nil {
		return Meta{}, err
	}
	sum, err := tx.writeShifts(r.ID, r.Shifts)
	if err != nil {
		return Meta{}, err
	}
	return row.meta(), tx.note("roster.add", "roster", row.ID, "", rosterDetail{
		Version: 1, State: Draft, Shifts: len(r.Shifts), SHA256: sum, Seed: r.Seed, Input: r.InputHash,
	})
}

// rosterDetail is the audit detail of rosters: who works when is kept as a digest.
type rosterDetail struct {
	Version int         `json:"version"`
	State   RosterState `json:"state"`
	Shifts  int         `json:"shifts,omitempty"`
	SHA256  string      `json:"sha256,omitempty"` // of the shifts' document
	Seed    uint64      `json:"seed,omitempty"`
	Input   string      `json:"input,omitempty"`
}

// SetRosterState moves a roster along its life. expect is AnyVersion or the version the caller
// read. ErrConflict on a step that does not exist; "roster.double_booked" when publishing would
// put an agent into two published shifts at once: archive the older roster in the same change.
func (tx *Tx) SetRosterState(id ids.Roster, state RosterState, expect int) (Meta, error) {
	row, err := tx.rosterNow(id, expect)
	if err != nil {
		return Meta{}, err
	}
	from := RosterState(row.State)
	switch {
	case from == state:
		return row.meta(), nil
	case from == Draft && state == Published:
		if err := tx.refuseDoubleBooking(id, nil); err != nil {
			return Meta{}, err
		}
		row.PublishedAt = micros(tx.now)
	case (from == Draft || from == Published) && state == Archived:
		row.ArchivedAt = micros(tx.now)
	default:
		return Meta{}, fault.New(fault.Conflict, ErrConflict.Code, "the roster %q is %s and cannot become %s", id, from, state)
	}
	row.State, row.stamp = string(state), stamp{row.Version + 1, micros(tx.now)}
	if err := tx.write(&row, true); err != nil {
		return Meta{}, err
	}
	return row.meta(), tx.note("roster."+string(state), "roster", row.ID, "", rosterDetail{Version: row.Version, State: state})
}

// rosterNow reads a roster and checks the expectation.
func (tx *Tx) rosterNow(id ids.Roster, expect int) (rosterRow, error) {
	var row rosterRow
	had, err := tx.load(&row, clean(string(id)))
	if err != nil {
		return row, err
	}
	if !had {
		return row, missing("roster", string(id))
	}
	_, _, err = admit("roster", string(id), true, row.stamp, false, expect, tx.now)
	return row, err
}

// refuseDoubleBooking looks for shifts of the roster, of some agents or all, that overlap published ones
// of the same agent.
func (tx *Tx) refuseDoubleBooking(id ids.Roster, agents []ids.Agent) error {
	var clashes []struct {
		Agent   string
		StartAt int64
		Roster  string
	}
	q := tx.q.NewSelect().TableExpr("shifts AS mine").ColumnExpr("mine.agent AS agent, mine.start_at AS start_at, other.roster AS roster").
		Join("JOIN shifts AS other ON other.agent = mine.agent AND other.start_at < mine.end_at AND mine.start_at < other.end_at").
		Join("JOIN rosters AS r ON r.id = other.roster AND r.state = ?", Published).
		Where("mine.roster = ? AND other.roster <> mine.roster", id)
	if len(agents) > 0 {
		q = q.Where("mine.agent IN (?)", bun.List(agents))
	}
	if err := q.OrderExpr("mine.agent, mine.start_at").Limit(20).Scan(tx.ctx, &clashes); err != nil {
		return translate(err)
	}
	if len(clashes) == 0 {
		return nil
	}
	e := fault.New(fault.Conflict, "roster.double_booked", "the roster %q puts agents into two published shifts at once", id)
	for _, c := range clashes {
		e.Fields = append(e.Fields, fault.Field{
			Path: "shifts", Value: c.Agent,
			Problem: fmt.Sprintf("the shift at %s overlaps one of the roster %q", instant(c.StartAt).Format(time.RFC3339), c.Roster),
		})
	}
	return e
}
