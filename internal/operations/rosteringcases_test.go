package operations_test

import (
	"context"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
)

func rosteringCases() map[string]useCase {
	const read, write, agents = "APS", "APS", "APSG"
	type who = access.Principal
	ofFeed := func(f store.CalendarFeed) owner { return owner{agent: f.Agent} }
	removal := []revise.Edit{{Kind: revise.Remove, Agent: "1001", Start: operationstest.ShiftOf("1001", today, 9).Start}}
	// whose is the agent whom an agent may name, and anybody's for others.
	whose := func(p who) ids.Agent {
		if p.Agent != "" {
			return p.Agent
		}
		return "1001"
	}
	return map[string]useCase{
		"Rostering.MakeRoster": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Rostering.MakeRoster(ctx, p, rostering.RosterInput{}))
		}},
		"Rostering.PublishRoster": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Rostering.PublishRoster(ctx, p, rostering.PublishInput{Roster: "nothing", Expect: operations.AnyVersion}))
		}},
		"Rostering.Rosters": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Rostering.Rosters(ctx, p, operations.RosterFilter{}, operations.Page{})
			return list(rows, next, err, nobody)
		}},
		"Rostering.Roster": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Rostering.Roster(ctx, p, "r"))
		}},
		"Rostering.RosterWorkbook": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Rostering.RosterWorkbook(ctx, p, "r"))
		}},
		"Rostering.Shifts": {"APSG", "agents", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Rostering.Shifts(ctx, p, operations.ShiftFilter{}, operations.Page{})
			return list(rows, next, err, func(s store.Shift) owner { return owner{agent: s.Agent} })
		}},
		"Rostering.RosterCSV": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Rostering.RosterCSV(ctx, p, "r", rostering.English))
		}},
		"Rostering.PayRoster": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Rostering.PayRoster(ctx, p, rostering.Ref{Roster: "r"}, ""))
		}},
		"Rostering.HouseRules": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Rostering.HouseRules(ctx, p))
		}},
		"Rostering.SetHouseRules": {"AP", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Rostering.SetHouseRules(ctx, p, rostering.HouseRulesInput{}))
		}},
		"Rostering.ExplainRoster": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Rostering.ExplainRoster(ctx, p, rostering.Ref{Roster: "r"}, roster.Question{}))
		}},
		"Rostering.RosterAt": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Rostering.RosterAt(ctx, p, "r", 1))
		}},
		"Rostering.Revisions": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Rostering.Revisions(ctx, p, "r", operations.Page{})
			return list(rows, next, err, nobody)
		}},
		"Rostering.DiffRosters": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Rostering.DiffRosters(ctx, p, rostering.Ref{Roster: "r"}, rostering.Ref{Roster: "r", Revision: 1}))
		}},
		"Rostering.JudgeEdit": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Rostering.JudgeEdit(ctx, p, "r", removal))
		}},
		"Rostering.EditRoster": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Rostering.EditRoster(ctx, p, rostering.EditInput{Roster: "nothing", Edits: removal, Reason: "x"}))
		}},
		"Rostering.RepairRoster": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			day := calendar.Range{Start: today.In(shanghai), End: today.In(shanghai).Add(24 * time.Hour)}
			return only(w.Rostering.RepairRoster(ctx, p, rostering.RepairInput{Roster: "nothing", Absences: []revise.Absence{{Agent: "1001", Range: day}}}))
		}},
		"Rostering.Acknowledgements": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Rostering.Acknowledgements(ctx, p, "r", false))
		}},
		"Rostering.Acknowledge": {agents, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Rostering.Acknowledge(ctx, p, rostering.AcknowledgeInput{Roster: "r", Agent: whose(p)}))
		}},
		"Rostering.AddCalendarFeed": {agents, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Rostering.AddCalendarFeed(ctx, p, whose(p)))
		}},
		"Rostering.CalendarFeeds": {agents, "agents", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Rostering.CalendarFeeds(ctx, p, "", operations.Page{})
			return list(rows, next, err, ofFeed)
		}},
		"Rostering.RevokeCalendarFeed": {agents, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return nil, w.Rostering.RevokeCalendarFeed(ctx, p, ids.Feed(whose(p)))
		}},
		"Rostering.Calendar": {agents, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Rostering.Calendar(ctx, p, whose(p)))
		}},
		"Rostering.FeedCalendar": {},
	}
}
