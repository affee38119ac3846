package requesting

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// LeaveBalances are the balances on a date, by agent and kind; of all agents that the caller sees when
// none is named. Errors: store.not_found.
func (q *Requesting) LeaveBalances(ctx context.Context, who access.Principal, agent ids.Agent, on calendar.Date) ([]leave.Balance, error) {
	view, _, err := q.gate.Read(who, access.ReadRequests)
	if err != nil {
		return nil, err
	}
	if agent != "" {
		if _, err := view.Agent(ctx, agent); err != nil {
			return nil, err
		}
	}
	house, err := q.house(ctx, q.gate.Everything())
	if err != nil {
		return nil, err
	}
	entries, err := q.entries(ctx, view, store.LeaveFilter{Agent: agent})
	if err != nil {
		return nil, err
	}
	people, err := gate.Agents(ctx, view)
	if err != nil {
		return nil, err
	}
	own := map[ids.Agent][]leave.Entry{}
	for _, e := range entries {
		own[e.Agent] = append(own[e.Agent], e)
	}
	out := []leave.Balance{}
	for _, a := range people {
		if agent != "" && a.ID != agent {
			continue
		}
		for _, k := range house.Policy.Kinds {
			if k.Balance {
				out = append(out, leave.BalanceOf(own[a.ID], a.ID, k.Kind, on))
			}
		}
	}
	return out, nil
}

// LeaveEntries opens a balance into the rows of its ledger, oldest first.
func (q *Requesting) LeaveEntries(ctx context.Context, who access.Principal, f store.LeaveFilter, page store.Page) ([]leave.Entry, string, error) {
	view, scope, err := q.gate.Read(who, access.ReadRequests)
	if err == nil {
		err = scope.MayName(f.Agent)
	}
	if err != nil {
		return nil, "", err
	}
	return view.LeaveEntries(ctx, f, page)
}

// GrantAnnualLeave books the annual leave of a year: the statutory days by years of work, with the
// share of the year for who joins or leaves in it. An agent's year is booked once; doing it again
// books those that are new. No agents = all who are employed in the year. Errors: leave.grant.
func (q *Requesting) GrantAnnualLeave(ctx context.Context, who access.Principal, year int, agents []ids.Agent) ([]leave.Entry, error) {
	if _, err := access.Decide(who, access.DecideRequests); err != nil {
		return nil, err
	}
	if year < 2000 || year > 2100 {
		return nil, fault.Bad("leave.grant", "annual leave", []fault.Field{{Path: "year", Value: fmt.Sprint(year), Problem: "must be 2000 to 2100"}})
	}
	return q.book(ctx, who, agents, func(view *store.View, policy leave.Policy, people []workforce.Agent) ([]leave.Entry, error) {
		standing, err := gate.ReadStanding(ctx, view, calendar.Range{}, agents)
		if err != nil {
			return nil, err
		}
		var rows []leave.Entry
		first, next := calendar.MakeDate(year, time.January, 1), calendar.MakeDate(year+1, time.January, 1)
		for _, a := range people {
			days := leave.AnnualGrant(year, standing.Career(a.ID), a.Employed)
			if days == 0 {
				continue
			}
			rows = append(rows, leave.Entry{
				Agent: a.ID, Kind: leave.Annual, Lot: fmt.Sprint(year), Good: first, Until: calendar.MakeDate(next.Year, next.Month+time.Month(policy.CarryMonths), 1),
				Minutes: days * policy.DayMinutes, Cause: leave.Granted, On: first, Source: fmt.Sprintf("annual:%s:%d", a.ID, year), Note: fmt.Sprintf("%d days", days),
			})
		}
		return rows, nil
	})
}

// book adds rows to the balances of some agents, or all, in one change: those of them that are not booked yet.
func (q *Requesting) book(ctx context.Context, who access.Principal, agents []ids.Agent, rows func(view *store.View, policy leave.Policy, people []workforce.Agent) ([]leave.Entry, error)) (added []leave.Entry, err error) {
	err = q.gate.Store.Change(ctx, who, q.gate.Now(), func(tx *store.Tx) error {
		view := tx.In(everything)
		house, err := q.house(ctx, view)
		if err != nil {
			return err
		}
		people, err := named(ctx, view, agents)
		if err != nil {
			return err
		}
		found, err := rows(view, house.Policy, people)
		if err != nil {
			return err
		}
		added, err = tx.BookLeave(found)
		return err
	})
	return added, err
}

// named are the agents of a list, or all. Errors: store.not_found.
func named(ctx context.Context, view *store.View, list []ids.Agent) ([]workforce.Agent, error) {
	people, err := gate.Agents(ctx, view)
	if err != nil || len(list) == 0 {
		return people, err
	}
	var out []workforce.Agent
	for _, id := range list {
		i := slices.IndexFunc(people, func(a workforce.Agent) bool { return a.ID == id })
		if i < 0 {
			return nil, fault.New(fault.NotFound, store.ErrNotFound.Code, "there is no agent %q", fault.Shorten(string(id)))
		}
		out = append(out, people[i])
	}
	return out, nil
}

// AdjustInput changes a balance by hand.
type AdjustInput struct {
	Agent   ids.Agent
	Kind    leave.LeaveKind
	Minutes int           // below 0 takes away
	Lot     string        // the lot to take from or add to; empty with Minutes above 0: a new one
	Until   calendar.Date // of a new lot: first day on which it lapses; zero: never
	On      calendar.Date
	Note    string
}

// AdjustLeave changes a balance by hand, with a reason. A lot is never below zero. Errors:
// leave.adjust with every bad field, store.not_found.
func (q *Requesting) AdjustLeave(ctx context.Context, who access.Principal, in AdjustInput) (leave.Entry, error) {
	if _, err := access.Decide(who, access.DecideRequests); err != nil {
		return leave.Entry{}, err
	}
	var out leave.Entry
	err := q.gate.Store.Change(ctx, who, q.gate.Now(), func(tx *store.Tx) error {
		view := tx.In(everything)
		if _, err := view.Agent(ctx, in.Agent); err != nil {
			return err
		}
		house, err := q.house(ctx, view)
		if err != nil {
			return err
		}
		entries, err := q.entries(ctx, view, store.LeaveFilter{Agent: in.Agent, Kind: in.Kind})
		if err != nil {
			return err
		}
		row, err := adjustment(in, entries, house.Policy)
		if err != nil {
			return err
		}
		row.Source = fmt.Sprintf("adjust:%s", ids.New[ids.Request](tx.Now()))
		added, err := tx.BookLeave([]leave.Entry{row})
		if err == nil {
			out = added[0]
		}
		return err
	})
	return out, err
}

func adjustment(in AdjustInput, entries []leave.Entry, house leave.Policy) (leave.Entry, error) {
	var bad []fault.Field
	report := func(path string, value any, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: fmt.Sprint(value), Problem: problem})
	}
	if rule, known := house.RuleOf(in.Kind); !known || !rule.Balance {
		report("kind", in.Kind, "has no balance")
	}
	if in.Minutes == 0 || in.Minutes > 1e6 || in.Minutes < -1e6 {
		report("minutes", in.Minutes, "must be above or below 0")
	}
	if in.Note == "" {
		report("note", "", "is missing: a later reader must know why")
	}
	if in.On.IsZero() {
		report("on", "", "is missing")
	}
	row := leave.Entry{Agent: in.Agent, Kind: in.Kind, Lot: in.Lot, Good: in.On, Until: in.Until, Minutes: in.Minutes, Cause: leave.Adjusted, On: in.On, Note: in.Note}
	lots := leave.BalanceOf(entries, in.Agent, in.Kind, in.On).Lots
	i := slices.IndexFunc(lots, func(l leave.Lot) bool { return l.Name == in.Lot })
	switch {
	case i >= 0:
		row.Good, row.Until = lots[i].Good, lots[i].Until
		if lots[i].Left+in.Minutes < 0 {
			report("minutes", in.Minutes, fmt.Sprintf("is more than the lot has: %d minutes", lots[i].Left))
		}
	case in.Minutes < 0:
		report("lot", in.Lot, "must be the lot that the time is taken from; "+lotNames(lots))
	case in.Lot == "":
		row.Lot = "adjust-" + in.On.String()
	}
	if i < 0 && !in.Until.IsZero() && !in.On.Before(in.Until) {
		report("until", in.Until, "must be after on")
	}
	return row, fault.Bad("leave.adjust", "leave balance", bad)
}

// lotNames lists what a balance is made of.
func lotNames(lots []leave.Lot) string {
	var names []string
	for _, l := range lots {
		if l.Left > 0 {
			names = append(names, fmt.Sprintf("%s (%.4g h)", l.Name, float64(l.Left)/60))
		}
	}
	if len(names) == 0 {
		return "there is none with time left"
	}
	return "there are: " + strings.Join(names, ", ")
}

// FairnessInput asks for the fairness ledger.
type FairnessInput struct {
	Dates  calendar.Dates // Until is given
	Agents []ids.Agent    // empty: all that the caller sees
}

// FairnessView is the ledger with the shifts behind it.
type FairnessView struct {
	leave.Fairness
	Rows []leave.FairRow `json:"rows,omitempty"` // when one agent is asked about
}

// Fairness counts nights, weekends, statutory holidays, days of promotions and unpopular shifts of
// published rosters, by agent, and tells how even they are. Asked about one agent, it opens into that
// agent's shifts. An agent sees its own. Errors: fairness.input, store.not_found.
func (q *Requesting) Fairness(ctx context.Context, who access.Principal, in FairnessInput) (FairnessView, error) {
	view, _, err := q.gate.Read(who, access.ReadRequests)
	if err != nil {
		return FairnessView{}, err
	}
	if in.Dates.Until.IsZero() || !in.Dates.From.Before(in.Dates.Until) || in.Dates.Until.Sub(in.Dates.From) > 400 {
		return FairnessView{}, fault.Bad("fairness.input", "fairness", []fault.Field{{Path: "dates", Problem: "must be 1 to 400 days"}})
	}
	people, err := named(ctx, view, in.Agents)
	if err != nil {
		return FairnessView{}, err
	}
	span := calendar.Range{Start: in.Dates.From.In(q.gate.Zone), End: in.Dates.Until.In(q.gate.Zone)}
	shifts, err := gate.PublishedShifts(ctx, view, span)
	if err != nil {
		return FairnessView{}, err
	}
	rules, err := q.fairRules(ctx, span)
	if err != nil {
		return FairnessView{}, err
	}
	list := make([]ids.Agent, 0, len(people))
	for _, a := range people {
		worked := slices.ContainsFunc(shifts, func(s scheduling.Shift) bool { return s.Agent == a.ID })
		if worked || len(in.Agents) > 0 || a.Employed.Overlaps(in.Dates) { // who left before these days is left out
			list = append(list, a.ID)
		}
	}
	out := FairnessView{Fairness: leave.FairnessOf(list, shifts, span, rules)}
	if len(list) == 1 {
		own := slices.DeleteFunc(shifts, func(s scheduling.Shift) bool { return s.Agent != list[0] })
		out.Rows = leave.FairRows(own, rules)
	}
	return out, nil
}

func (q *Requesting) fairRules(ctx context.Context, span calendar.Range) (leave.FairRules, error) {
	set, err := q.desk.Rules(ctx, q.gate.Everything())
	if err != nil {
		return leave.FairRules{}, err
	}
	rules := gate.FairRulesOf(span, q.gate.Zone, q.policy.Holidays, set)
	house, err := q.house(ctx, q.gate.Everything())
	if err != nil {
		return rules, err
	}
	rules.EarlyUntil, rules.LateFrom = house.Policy.EarlyUntil, house.Policy.LateFrom
	known, err := q.promotions(ctx)
	for _, k := range known {
		if k.Phase == "" {
			rules.Promotions = append(rules.Promotions, k.Dates)
		}
	}
	return rules, err
}
