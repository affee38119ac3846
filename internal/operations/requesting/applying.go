package requesting

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
)

// whys are the kinds of change in the trail of a roster.
var whys = map[leave.Kind]string{
	leave.Absence: "leave", leave.Swap: "swap", leave.GiveAway: "give_away", leave.Overtime: "offer", leave.TimeOff: "offer", leave.Bidding: "bid",
}

// apply makes effects binding as revisions of their published rosters, inside the change of the step
// that caused them. It is the one place where requests change a roster; the rules were asked before, the
// seats of the sites are asked here. The trail of the roster names the request and not its reason, which may
// be private. Errors: request.unlawful when somebody would have no seat, store.conflict when a shift is not
// there any more, roster.double_booked.
func (q *Requesting) apply(ctx context.Context, tx *store.Tx, r leave.Request, effects []leave.Effect) error {
	if err := q.seated(ctx, tx.In(everything), effects); err != nil {
		return err
	}
	parts := effects
	if len(effects) > 1 { // over several rosters first all go, then all come: nobody is in two places between
		parts = nil
		for _, e := range effects {
			parts = append(parts, leave.Effect{Roster: e.Roster, Drop: e.Drop})
		}
		for _, e := range effects {
			parts = append(parts, leave.Effect{Roster: e.Roster, Add: e.Add})
		}
	}
	figures, err := json.Marshal(struct {
		Request ids.Request `json:"request"`
	}{r.ID})
	if err != nil {
		return fault.Wrap(err, fault.Internal, "request.figures", "the change cannot be stored")
	}
	for _, e := range parts {
		if e.Empty() {
			continue
		}
		_, _, err := tx.ReviseShifts(e.Roster, store.Revision{
			Why: whys[r.Kind], Reason: fmt.Sprintf("request %s", r.ID), Figures: figures, Changes: revise.Between(e.Drop, e.Add, q.gate.Zone),
		}, store.AnyVersion)
		if err != nil {
			return err
		}
	}
	return nil
}

// seated refuses effects that need more seats than a site has. Errors: request.unlawful.
func (q *Requesting) seated(ctx context.Context, view *store.View, effects []leave.Effect) error {
	e := fault.New(fault.Conflict, "request.unlawful", "this breaks rules that may not be broken")
	for _, x := range effects {
		if len(x.Add) == 0 {
			continue
		}
		head, err := view.RosterHead(ctx, x.Roster)
		if err != nil {
			return err
		}
		broken, err := q.desk.Seatless(ctx, view, head, revise.Between(x.Drop, x.Add, q.gate.Zone))
		if err != nil {
			return err
		}
		for _, b := range broken {
			e.Fields = append(e.Fields, fault.Field{Path: string(b.Agent), Value: b.Rule, Problem: b.Sentence.ZH + " / " + b.Sentence.EN})
		}
	}
	if len(e.Fields) == 0 {
		return nil
	}
	return e
}

// byRoster divides shifts among the rosters they are in.
func byRoster(shifts []store.Shift) (out []rosterShifts) {
	at := map[ids.Roster]int{}
	for _, s := range shifts {
		i, known := at[s.Roster]
		if !known {
			i = len(out)
			at[s.Roster] = i
			out = append(out, rosterShifts{roster: s.Roster})
		}
		out[i].shifts = append(out[i].shifts, s.Shift)
	}
	return out
}

type rosterShifts struct {
	roster ids.Roster
	shifts []scheduling.Shift
}
