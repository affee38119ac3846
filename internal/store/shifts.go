package store

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// Shift is a shift with the roster it belongs to.
type Shift struct {
	Roster ids.Roster `json:"roster"`
	scheduling.Shift
}

type shiftRow struct {
	bun.BaseModel `bun:"table:shifts,alias:t"`
	Roster        string `bun:",pk"`
	Agent         string `bun:",pk"`
	StartAt       int64  `bun:",pk"`
	EndAt         int64
	Code          string
	Activities    string
}

func (r shiftRow) shift() (scheduling.Shift, error) {
	var activities []scheduling.Activity
	var err error
	if r.Activities != "" {
		activities, err = activitiesOf(r.Activities)
	}
	return scheduling.Shift{
		Agent: ids.Agent(r.Agent), Code: r.Code, Start: instant(r.StartAt), End: instant(r.EndAt), Activities: activities,
	}, err
}

func (r shiftRow) value() (Shift, error) {
	s, err := r.shift()
	return Shift{Roster: ids.Roster(r.Roster), Shift: s}, err
}

// longestShift is what scheduling.Roster.Validate allows.
const longestShift = 24 * time.Hour

// ShiftFilter narrows a list of shifts; empty fields do not.
type ShiftFilter struct {
	Roster ids.Roster
	State  RosterState // of the roster; a scope of an agent always reads Published
	Agent  ids.Agent
	Agents []ids.Agent // any of them
	Site   ids.Site
	Seated bool // with Site: only of those who need a seat there, as cloud agents do not
	Team   ids.Team
	Range  calendar.Range // the shift shares an instant with it
	Bare   bool           // without activities, which are slow to unpack
}

// hours says that so few hours are asked for, of everybody, that the index by start is the way to them.
func (f ShiftFilter) hours() bool {
	return f.Agent == "" && len(f.Agents) == 0 && f.Range.Valid() && f.Range.Duration() <= 3*longestShift
}

// Shifts lists shifts by start, agent and roster. An agent sees its own published ones.
func (v *View) Shifts(ctx context.Context, f ShiftFilter, p Page) ([]Shift, string, error) {
	var rows []shiftRow
	q := v.ofAgents(&rows, "agent")
	if f.Roster != "" && f.hours() {
		q = q.Where("roster || '' = ?", clean(string(f.Roster))) // no column: or SQLite goes through all the roster
	} else {
		q = whereText(q, "roster", string(f.Roster))
	}
	q = whereOverlaps(whereText(q, "agent", string(f.Agent)), f.Range)
	if !f.Range.Start.IsZero() {
		q = q.Where("start_at > ?", micros(f.Range.Start.Add(-longestShift))) // lets an index in
	}
	if len(f.Agents) > 0 {
		q = q.Where("agent IN (?)", bun.List(f.Agents))
	}
	state := f.State
	if !v.everything() {
		state = Published
		if f.State != "" && f.State != Published {
			q = q.Where("1 = 0")
		}
	}
	if state != "" {
		q = q.Where("EXISTS (SELECT 1 FROM rosters AS r WHERE r.id = t.roster AND r.state = ?)", clean(string(state)))
	}
	if f.Site != "" {
		home := "" // nobody has an empty employment
		if f.Seated {
			home = string(workforce.Cloud)
		}
		q = q.Where("EXISTS (SELECT 1 FROM agents AS a WHERE a.id = t.agent AND a.site = ? AND a.employment <> ?)", clean(string(f.Site)), home)
	}
	if f.Team != "" {
		q = q.Where("EXISTS (SELECT 1 FROM agents AS a WHERE a.id = t.agent AND a.team = ?)", clean(string(f.Team)))
	}
	if f.Bare {
		q = q.ExcludeColumn("activities")
	}
	next, err := listPage(ctx, q, p, order{"shifts", []string{"start_at", "agent", "roster"}, false}, &rows,
		func(r shiftRow) []any { return []any{r.StartAt, r.Agent, r.Roster} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, shiftRow.value)
	return list, next, err
}

// writeShifts checks and inserts the shifts of a roster and returns the digest of their document.
func (tx *Tx) writeShifts(roster ids.Roster, shifts []scheduling.Shift) (string, error) {
	sorted := scheduling.Roster{Shifts: append([]scheduling.Shift(nil), shifts...)}
	sorted.Sort()
	if err := sorted.Validate(); err != nil {
		return "", err
	}
	if err := tx.insertShifts(roster, sorted.Shifts); err != nil {
		return "", err
	}
	doc, err := encode(sorted.Shifts)
	return digest(doc), err
}

// insertShifts adds shifts of a roster.
func (tx *Tx) insertShifts(roster ids.Roster, shifts []scheduling.Shift) error {
	rows := make([]shiftRow, len(shifts))
	for i, s := range shifts {
		activities, err := encode(s.Activities)
		if err != nil {
			return err
		}
		rows[i] = shiftRow{
			Roster: string(roster), Agent: string(s.Agent), StartAt: micros(s.Start), EndAt: micros(s.End),
			Code: clean(s.Code), Activities: activities,
		}
	}
	if err := insertMany(tx, rows); err != nil {
		if errors.Is(err, ErrReference) {
			return fault.Wrap(err, ErrReference.Kind, ErrReference.Code, "the roster %q has a shift of an agent we do not know", roster)
		}
		return err
	}
	return nil
}
