package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/leave"
)

type leaveEntryRow struct {
	bun.BaseModel `bun:"table:leave_entries,alias:t"`
	ID            string `bun:",pk"`
	Agent         string
	Kind          string
	Lot           string
	GoodDay       string
	UntilDay      string
	Minutes       int64
	Cause         string
	OnDay         string
	Source        string
	Request       string
	Note          string
	At            int64
	Author        string
}

func (r leaveEntryRow) value() (leave.Entry, error) {
	e := leave.Entry{
		ID: r.ID, Agent: ids.Agent(r.Agent), Kind: leave.LeaveKind(r.Kind), Lot: r.Lot, Minutes: int(r.Minutes), Cause: leave.Cause(r.Cause),
		Source: r.Source, Request: ids.Request(r.Request), Note: r.Note, At: instant(r.At), Author: ids.User(r.Author),
	}
	var err error
	if e.Good, err = calendar.ParseDate(r.GoodDay); err != nil {
		return e, err
	}
	if e.On, err = calendar.ParseDate(r.OnDay); err != nil {
		return e, err
	}
	if r.UntilDay != forever {
		e.Until, err = calendar.ParseDate(r.UntilDay)
	}
	return e, err
}

// LeaveFilter narrows a list of ledger rows; empty fields do not.
type LeaveFilter struct {
	Agent   ids.Agent
	Kind    leave.LeaveKind
	Request ids.Request
}

// LeaveEntries lists the rows of the leave ledger, oldest first. An agent sees its own.
func (v *View) LeaveEntries(ctx context.Context, f LeaveFilter, p Page) ([]leave.Entry, string, error) {
	var rows []leaveEntryRow
	q := whereText(v.ofAgents(&rows, "agent"), "agent", string(f.Agent))
	q = whereText(whereText(q, "kind", string(f.Kind)), "request", string(f.Request))
	next, err := listPage(ctx, q, p, order{"leave-entries", []string{"at", "on_day", "id"}, false}, &rows,
		func(r leaveEntryRow) []any { return []any{r.At, r.OnDay, r.ID} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, leaveEntryRow.value)
	return list, next, err
}

// BookLeave adds rows to the leave ledger and returns those that are new: a row whose Source is booked
// already is left out. ID, At and Author are filled in. ErrReference when an agent is unknown.
func (tx *Tx) BookLeave(entries []leave.Entry) ([]leave.Entry, error) {
	var added []leave.Entry
	for _, e := range entries {
		known, err := tx.q.NewSelect().Model((*leaveEntryRow)(nil)).Where("source = ?", clean(e.Source)).Exists(tx.ctx)
		if err != nil {
			return nil, translate(err)
		}
		if known {
			continue
		}
		e.ID, e.At, e.Author = string(ids.New[ids.Request](tx.now)), tx.now, tx.actor.User
		row := leaveEntryRow{
			ID: e.ID, Agent: string(e.Agent), Kind: string(e.Kind), Lot: clean(e.Lot), GoodDay: e.Good.String(), UntilDay: untilText(e.Until), Minutes: int64(e.Minutes),
			Cause: string(e.Cause), OnDay: e.On.String(), Source: clean(e.Source), Request: string(e.Request), Note: clean(e.Note), At: micros(e.At), Author: string(e.Author),
		}
		if err := tx.insert(&row); err != nil {
			return nil, err
		}
		if err := tx.note("leave."+string(e.Cause), "leave_entry", e.ID, "", struct {
			Agent   ids.Agent       `json:"agent"`
			Kind    leave.LeaveKind `json:"kind"`
			Lot     string          `json:"lot"`
			Minutes int             `json:"minutes"`
			Source  string          `json:"source"`
		}{e.Agent, e.Kind, e.Lot, e.Minutes, e.Source}); err != nil {
			return nil, err
		}
		added = append(added, e)
	}
	return added, nil
}
