package store

import (
	"time"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/leave"
)

// The faults of changed shifts; compare with errors.Is.
var (
	ErrStale        = fault.New(fault.Conflict, "roster.stale", "the shifts are not as they were")
	ErrDoubleBooked = fault.New(fault.Conflict, "roster.double_booked", "somebody would be in two places")
)

// MoveShifts changes the owners or the times of shifts of published rosters: first the shifts to drop
// go, then those to add come. why names what asked for it, for the audit rows.
//
// Errors: ErrNotFound; "roster.stale" when a roster is not published any more or a shift to drop is
// not there as it was; "roster.double_booked" when somebody would be in two published places.
func (tx *Tx) MoveShifts(effects []leave.Effect, why string) error {
	rows := make([]rosterRow, len(effects))
	for i, e := range effects {
		var err error
		if rows[i], err = tx.rosterNow(e.Roster, AnyVersion); err != nil {
			return err
		}
		if RosterState(rows[i].State) != Published {
			return fault.New(fault.Conflict, ErrStale.Code, "the roster %q is %s", rows[i].Title, rows[i].State)
		}
		for _, s := range e.Drop {
			if err := tx.dropShift(e.Roster, s); err != nil {
				return err
			}
		}
	}
	for i, e := range effects {
		for _, s := range e.Add {
			if err := tx.addShift(e.Roster, s); err != nil {
				return err
			}
		}
		row := rows[i]
		row.stamp = stamp{row.Version + 1, micros(tx.now)}
		if err := tx.write(&row, true); err != nil {
			return err
		}
		if err := tx.note("roster.move", "roster", row.ID, "", struct {
			Version int    `json:"version"`
			Dropped int    `json:"dropped"`
			Added   int    `json:"added"`
			Why     string `json:"why"`
		}{row.Version, len(e.Drop), len(e.Add), why}); err != nil {
			return err
		}
	}
	return nil
}

// addShift puts one shift in, unless its agent works then already.
func (tx *Tx) addShift(roster ids.Roster, s scheduling.Shift) error {
	taken, err := tx.q.NewSelect().Model((*shiftRow)(nil)).
		Where("agent = ? AND start_at < ? AND end_at > ?", s.Agent, micros(s.End), micros(s.Start)).
		Where("EXISTS (SELECT 1 FROM rosters AS r WHERE r.id = t.roster AND r.state = ?)", Published).Exists(tx.ctx)
	if err != nil {
		return translate(err)
	}
	if taken {
		return fault.New(fault.Conflict, ErrDoubleBooked.Code, "the agent %s works already at %s", s.Agent, s.Start.UTC().Format(time.RFC3339))
	}
	_, err = tx.writeShifts(roster, []scheduling.Shift{s})
	return err
}

// dropShift takes one shift away that is there exactly as it is said.
func (tx *Tx) dropShift(roster ids.Roster, s scheduling.Shift) error {
	stale := fault.New(fault.Conflict, ErrStale.Code, "the shift of %s at %s is not there any more as it was", s.Agent, s.Start.UTC().Format(time.RFC3339))
	var rows []shiftRow
	if err := tx.q.NewSelect().Model(&rows).Where("roster = ? AND agent = ? AND start_at = ?", roster, s.Agent, micros(s.Start)).Scan(tx.ctx); err != nil {
		return translate(err)
	}
	if len(rows) == 0 {
		return stale
	}
	there, err := rows[0].shift()
	if err != nil {
		return err
	}
	if !leave.SameShift(there, s) {
		return stale
	}
	tx.loose = true
	_, err = tx.q.NewDelete().Model(&rows[0]).WherePK().Exec(tx.ctx)
	return translate(err)
}
