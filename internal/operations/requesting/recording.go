package requesting

import (
	"context"
	"fmt"
	"strings"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/leave"
)

// AbsenceNote is an absence that a repair fills, with what it takes out of the roster.
type AbsenceNote struct {
	Agent  ids.Agent
	Range  calendar.Range
	Effect leave.Effect
}

// RecordAbsences enters absences as granted leave of one kind, in the transaction of the repair that takes
// the shifts out: call it before the shifts go, because they say what the leave takes from the balance.
// Cancelled later, the leave puts the shifts back like any other. Nothing is recorded in part.
//
// Errors: access.forbidden without the right to decide requests; leave.rejected with every reason, under
// the agent, when leave cannot be granted (on leave already, no work then, no balance, no such kind).
func RecordAbsences(ctx context.Context, q *Requesting, tx *store.Tx, who access.Principal, kind leave.LeaveKind, notes []AbsenceNote, reason string) ([]ids.Request, error) {
	if _, err := access.Decide(who, access.DecideRequests); err != nil {
		return nil, err
	}
	var made []ids.Request
	var bad []fault.Field
	for _, n := range notes {
		id, findings, err := q.record(ctx, tx, leave.Request{
			Kind: leave.Absence, State: leave.Waiting, Agent: n.Agent, Range: n.Range, Reason: reason, Leave: &leave.LeaveAsk{Kind: kind},
		}, n.Effect)
		if err != nil {
			return nil, err
		}
		made, bad = append(made, id), append(bad, findings...)
	}
	return made, fault.Bad("leave.rejected", "this leave cannot be granted", bad)
}

// record keeps one absence; the fields say what stops it.
func (q *Requesting) record(ctx context.Context, tx *store.Tx, r leave.Request, effect leave.Effect) (ids.Request, []fault.Field, error) {
	c, house, err := q.leaveCase(ctx, tx.In(everything), r)
	if err != nil {
		return "", nil, err
	}
	d := leave.Decide(c)
	if err := rejected(d); err != nil {
		fields := fault.Of(err).Fields
		for i := range fields {
			fields[i].Path = strings.Join([]string{string(r.Agent), fields[i].Path}, ".")
		}
		return "", fields, nil
	}
	r.ID = ids.New[ids.Request](tx.Now())
	r.Leave.Decision, r.Leave.Charge = d, c.Charges()
	if rule, _ := house.RuleOf(r.Leave.Kind); rule.Balance {
		if err := hold(tx, c.Entries, r, 0); err != nil {
			return "", nil, err
		}
	}
	kept, err := tx.AddRequest(r, store.RequestStep{Agent: r.Agent, Action: "ask", Reason: r.Reason})
	if err != nil {
		return "", nil, err
	}
	after := kept.Value
	if after.State, err = leave.Next(after.Kind, after.State, leave.Approve, leave.Boss); err != nil {
		return "", nil, err
	}
	after.Effects = []leave.Effect{effect}
	_, err = tx.StepRequest(kept, after, store.RequestStep{Agent: r.Agent, Action: leave.Approve, Reason: fmt.Sprintf("repair of roster %s", effect.Roster)})
	return r.ID, nil, err
}
