// Package requesting is the use cases of what agents and supervisors agree about a published roster:
// leave, swaps, shifts given away, offers of overtime and time off, bidding for open shifts; and of
// what is on file about people that the work rules read.
//
// It owns what the engines of scheduling/leave and scheduling/workrules are given, as values, and one
// transaction per step: the request, its trail, the leave ledger, the shifts and the audit rows change
// together or not at all. Changes run one after the other, so of two agents who take a shift at once
// exactly one has it. It does not own how rosters are made or published, nor the rules.
//
// An agent asks for itself only; a supervisor decides, and may act for an agent. Every judgement is
// made again inside the change, on the shifts as they are then.
package requesting

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/operations/revising"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Requesting answers what people agree about a roster.
type Requesting struct {
	gate   gate.Gate
	desk   *revising.Desk
	policy Policy
}

// Policy is what all requests of the house rest on.
type Policy struct {
	Holidays   calendar.Holidays
	Promotions func(ctx context.Context) ([]leave.PromotionDays, error) // days of promotions and of their phases; nil = none are known
}

// New connects the use cases; it does no I/O.
func New(g gate.Gate, desk *revising.Desk, policy Policy) *Requesting {
	return &Requesting{gate: g, desk: desk, policy: policy}
}

// everything is the scope in which a change judges: the rules need everybody's shifts.
var everything = access.Scope{Everything: true}

// policyKey is the setting that holds the house's leave policy.
const policyKey = "leave_policy"

// LeavePolicy is the house's policy with the version it is at; 0 = the default one.
type LeavePolicy struct {
	Policy  leave.Policy `json:"policy"`
	Version int          `json:"version"`

	LeftOut []leave.LeaveKind `json:"left_out,omitempty"` // kinds of leave that nobody can ask for: the policy has no rule of them
}

// LeavePolicy reads quotas, closed days and the rules of each kind of leave.
func (q *Requesting) LeavePolicy(ctx context.Context, who access.Principal) (LeavePolicy, error) {
	if _, err := access.Decide(who, access.ReadRequests); err != nil {
		return LeavePolicy{}, err
	}
	return q.house(ctx, q.gate.Everything())
}

func (q *Requesting) house(ctx context.Context, view *store.View) (LeavePolicy, error) {
	setting, err := view.Setting(ctx, policyKey)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			return LeavePolicy{Policy: leave.DefaultPolicy()}, nil
		}
		return LeavePolicy{}, err
	}
	p, err := leave.ReadStored(setting.Value)
	return LeavePolicy{Policy: p, Version: setting.Version, LeftOut: p.LeftOut()}, err
}

// PutLeavePolicy replaces the house's policy: what the law gives is in it, whatever is left out, and the answer names
// the other kinds of leave that are left out. expect is the version it was read at, or
// store.AnyVersion. Errors: leave.policy with every bad field, also a site, team or promotion that
// nobody knows; store.conflict.
func (q *Requesting) PutLeavePolicy(ctx context.Context, who access.Principal, p leave.Policy, expect int) (LeavePolicy, error) {
	if _, err := access.Decide(who, access.WriteAgents); err != nil {
		return LeavePolicy{}, err
	}
	var bad []fault.Field
	if err := p.Validate(); err != nil {
		bad = fault.Of(err).Fields
	}
	given := p
	p = p.WithLaw()
	promotions, err := q.promotions(ctx)
	if err != nil {
		return LeavePolicy{}, err
	}
	out := LeavePolicy{Policy: p, LeftOut: p.LeftOut()}
	err = q.gate.Store.Change(ctx, who, q.gate.Now(), func(tx *store.Tx) error {
		places, err := placesOf(ctx, tx.In(everything))
		if err != nil {
			return err
		}
		if err := fault.Bad("leave.policy", "leave policy", slices.Concat(bad, places.check(given, promotions))); err != nil {
			return err
		}
		text, err := json.Marshal(given)
		if err != nil {
			return fault.Wrap(err, fault.Internal, "leave.policy_stored", "the leave policy cannot be stored")
		}
		meta, err := tx.PutSetting(policyKey, text, expect)
		out.Version = meta.Version
		return err
	})
	return out, err
}

// promotions are the days of promotions; nothing when nobody tells.
func (q *Requesting) promotions(ctx context.Context) ([]leave.PromotionDays, error) {
	if q.policy.Promotions == nil {
		return nil, nil
	}
	return q.policy.Promotions(ctx)
}

// forWhom is the agent whom a principal may act for: an agent for itself only, others for whomever
// they name. Errors: access.forbidden, request.agent.
func forWhom(who access.Principal, named ids.Agent) (ids.Agent, error) {
	if who.Role == access.AgentRole {
		if named != "" && named != who.Agent {
			return "", fault.New(fault.Forbidden, "access.forbidden", "an agent asks for itself only")
		}
		return who.Agent, nil
	}
	if named == "" {
		return "", fault.Bad("request.agent", "request", []fault.Field{{Path: "agent", Problem: "is missing: say for whom"}})
	}
	return named, nil
}

// around is the range in which a change of some shifts is judged: the weeks and months that it touches.
func (q *Requesting) around(r calendar.Range, rules workrules.Params) calendar.Range {
	zone := q.gate.Zone
	from, until := calendar.DateOf(r.Start, zone), calendar.DateOf(r.End, zone).Add(1)
	for from.Day != 1 {
		from = from.Add(-1)
	}
	for from.Weekday() != rules.WeekStartDay() {
		from = from.Add(-1)
	}
	until = until.Add(-1).MonthOf().Next().First()
	for until.Weekday() != rules.WeekStartDay() {
		until = until.Add(1)
	}
	return calendar.Range{Start: from.In(zone), End: until.In(zone)}
}
