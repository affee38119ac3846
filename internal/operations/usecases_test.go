package operations_test

import (
	"cmp"
	"context"
	"strings"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/administration"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// useCases has a row for every exported method of the use cases, and further rows, named
// "Method/variant", where the arguments decide who may call it.
func useCases() map[string]useCase {
	all := map[string]useCase{}
	for _, part := range []map[string]useCase{
		contractCases(), peopleCases(), planningCases(), rosteringCases(), pricingCases(), forecastCases(), demandCases(), measuringCases(), settlingCases(), administrationCases(), plumbingCases(), keptCases(), requestCases(),
	} {
		for name, c := range part {
			all[name] = c
		}
	}
	return all
}

func contractCases() map[string]useCase {
	const read, write = "APSQC", "AP"
	type who = access.Principal
	return map[string]useCase{
		"Administration.Merchants": {read, "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Administration.Merchants(ctx, p, operations.Page{})
			return list(rows, next, err, func(m store.Stored[contracts.Merchant]) owner { return owner{merchant: m.Value.ID} })
		}},
		"Administration.Merchant": {read, "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return each(func(id ids.Merchant) (store.Stored[contracts.Merchant], error) {
				return w.Administration.Merchant(ctx, p, id)
			},
				func(m store.Stored[contracts.Merchant]) owner { return owner{merchant: m.Value.ID} }, lumiAndOrca...)
		}},
		"Administration.Queues": {read, "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Administration.Queues(ctx, p, operations.QueueFilter{}, operations.Page{})
			return list(rows, next, err, func(q store.Queue) owner { return owner{merchant: q.Merchant} })
		}},
		"Administration.Contracts": {read, "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Administration.Contracts(ctx, p, operations.ContractFilter{}, operations.Page{})
			return list(rows, next, err, func(c store.Stored[contracts.Contract]) owner { return owner{merchant: c.Value.Merchant} })
		}},
		"Administration.Contract": {read, "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return each(func(id ids.Contract) (store.Stored[contracts.Contract], error) {
				return w.Administration.Contract(ctx, p, id)
			},
				func(c store.Stored[contracts.Contract]) owner { return owner{merchant: c.Value.Merchant} }, "lumi-2026", "orca-2026")
		}},
		"Administration.ApplyContracts": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Administration.ApplyContracts(ctx, p, "x.yaml", strings.NewReader("")))
		}},
		"Administration.PutMerchant": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Administration.PutMerchant(ctx, p, contracts.Merchant{}, operations.AnyVersion))
		}},
		"Administration.PutContract": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Administration.PutContract(ctx, p, contracts.Contract{}, operations.AnyVersion))
		}},
	}
}

func peopleCases() map[string]useCase {
	const read, write = "APSQ", "AP"
	type who = access.Principal
	ofAgent := func(a store.Stored[workforce.Agent]) owner { return owner{agent: a.Value.ID} }
	return map[string]useCase{
		"Administration.Agents": {read, "agents", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Administration.Agents(ctx, p, operations.AgentFilter{}, operations.Page{})
			return list(rows, next, err, ofAgent)
		}},
		"Administration.Agent": {read, "agents", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return each(func(id ids.Agent) (store.Stored[workforce.Agent], error) { return w.Administration.Agent(ctx, p, id) }, ofAgent, "1001", "2001")
		}},
		"Administration.Sites": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Administration.Sites(ctx, p, operations.Page{})
			return list(rows, next, err, nobody)
		}},
		"Administration.Teams": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Administration.Teams(ctx, p, "", operations.Page{})
			return list(rows, next, err, nobody)
		}},
		"Administration.PutPlaces": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return nil, w.Administration.PutPlaces(ctx, p, nil, nil)
		}},
		"Requesting.PutOvertimeConsent": {"APS", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Requesting.PutOvertimeConsent(ctx, p, []ids.Agent{"1001"}, true))
		}},
		"Administration.PutAgents": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Administration.PutAgents(ctx, p, nil))
		}},
		"Administration.PutAgentsFrom": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Administration.PutAgentsFrom(ctx, p, nil, today))
		}},
		"Administration.Accounts": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Administration.Accounts(ctx, p, operations.AccountFilter{}, operations.Page{})
			return list(rows, next, err, func(a store.Account) owner { return owner{agent: a.Agent} })
		}},
		"Administration.PutAccounts": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Administration.PutAccounts(ctx, p, nil))
		}},
		"Administration.DeleteAccount": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return nil, w.Administration.DeleteAccount(ctx, p, "none")
		}},
		"Measuring.Import/accounts": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Measuring.Import(ctx, p, measuring.ImportInput{
				Source: operationstest.FileOf("a.csv", "x\n"), Mapping: operations.DefaultMapping(operations.ImportAccounts),
			}))
		}},
		"Measuring.Import/agents": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Measuring.Import(ctx, p, measuring.ImportInput{
				Source: operationstest.FileOf("a.csv", "x\n"), Mapping: operations.DefaultMapping(operations.ImportAgents),
			}))
		}},
	}
}

func planningCases() map[string]useCase {
	const read, write = "APS", "APS"
	type who = access.Principal
	ofForecast := func(f store.Forecast) owner { return owner{merchant: f.Merchant} }
	return map[string]useCase{
		"Planning.MakeForecasts": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Planning.MakeForecasts(ctx, p, planning.ForecastInput{}))
		}},
		"Planning.Forecasts": {read, "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Planning.Forecasts(ctx, p, operations.ForecastFilter{}, operations.Page{})
			return list(rows, next, err, ofForecast)
		}},
		"Planning.Forecast": {read, "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return each(func(id ids.Forecast) (store.Forecast, error) { return w.Planning.Forecast(ctx, p, id) }, ofForecast, "f-lumi", "f-orca")
		}},
		"Planning.Promotions": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Planning.Promotions(ctx, p))
		}},
		"Planning.EnteredPromotions": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Planning.EnteredPromotions(ctx, p))
		}},
		"Planning.PutPromotions": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Planning.PutPromotions(ctx, p, nil))
		}},
	}
}

func measuringCases() map[string]useCase {
	const jobs = "AP"
	type who = access.Principal
	ofReading := func(r kpi.Reading) owner { return owner{r.Merchant, r.Agent} }
	return map[string]useCase{
		"Measuring.Figures": {"APSQGC", "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			q := mayQuery(kpi.ByMerchant)
			if p.Role == access.AgentRole {
				q = mayQuery(kpi.ByMerchant, kpi.ByAgent)
			}
			rows, err := w.Measuring.Figures(ctx, p, q)
			return owned(rows, ofReading), err
		}},
		"Measuring.Figures/agents": {"APSQG", "agents", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, err := w.Measuring.Figures(ctx, p, mayQuery(kpi.ByAgent))
			return owned(rows, ofReading), err
		}},
		"Measuring.Figures/one agent": {"APSQG", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			q := mayQuery(kpi.ByAgent)
			q.Agents = []ids.Agent{cmp.Or(p.Agent, "1001")}
			rows, err := w.Measuring.Figures(ctx, p, q)
			return owned(rows, ofReading), err
		}},
		"Measuring.Figures/filtered": {"APSQGC", "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			q := mayQuery(kpi.ByMerchant, kpi.ByQueue)
			if p.Role == access.AgentRole {
				q = mayQuery(kpi.ByAgent)
			}
			q.Merchants = merchantsOf(p)
			rows, err := w.Measuring.Figures(ctx, p, q)
			return owned(rows, ofReading), err
		}},
		"Measuring.Conversations": {"APSQGC", "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			week := calendar.Range{Start: may.First().In(shanghai), End: may.First().Add(7).In(shanghai)} // fits on one page
			f := operations.ConversationFilter{Range: week, Merchants: merchantsOf(p)}
			rows, _, err := w.Measuring.Conversations(ctx, p, f, operations.Page{Limit: 500})
			var out []owner
			for _, c := range rows {
				o := owner{merchant: c.Merchant}
				if p.Role == access.AgentRole { // a client is not told who answered
					o.agent = c.Agent
				}
				out = append(out, o)
			}
			return out, err
		}},
		"Measuring.Conversations/agents": {"APSQG", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			f := operations.ConversationFilter{Range: calendar.Day(may.First(), shanghai), Agents: []ids.Agent{cmp.Or(p.Agent, "1001")}}
			rows, _, err := w.Measuring.Conversations(ctx, p, f, operations.Page{Limit: 500})
			return owned(rows, func(c chatlog.Conversation) owner { return owner{c.Merchant, c.Agent} }), err
		}},
		"Settling.Scorecards": {"APSQG", "agents", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Settling.Scorecards(ctx, p, operations.ScorecardFilter{}, operations.Page{})
			return list(rows, next, err, func(c store.Scorecard) owner { return owner{agent: c.Agent} })
		}},
		"Measuring.Freshness": {"APSQC", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Measuring.Freshness(ctx, p))
		}},
		"Measuring.Metrics": {"any", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Measuring.Metrics(ctx, p))
		}},
		"Measuring.Metric": {"any", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Measuring.Metric(ctx, p, "offered", ""))
		}},
		"Measuring.Behind": {"any", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Measuring.Behind(ctx, p, []kpi.Reading{{Metric: "offered", Version: "neutral-1"}}))
		}},
		"Measuring.Compare": {"APSQGC", "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			q := mayQuery(kpi.ByMerchant)
			if p.Role == access.AgentRole {
				q = mayQuery(kpi.ByMerchant, kpi.ByAgent)
			}
			c, err := w.Measuring.Compare(ctx, p, q, "neutral-1", "neutral-1")
			return owned(c.Figures, func(f measuring.ComparedFigure) owner { return owner{f.Merchant, f.Agent} }), err
		}},
		"Measuring.Compare/agents": {"APSQG", "agents", func(ctx context.Context, w *world, p who) ([]owner, error) {
			c, err := w.Measuring.Compare(ctx, p, mayQuery(kpi.ByAgent), "neutral-1", "neutral-1")
			return owned(c.Figures, func(f measuring.ComparedFigure) owner { return owner{f.Merchant, f.Agent} }), err
		}},
		"Measuring.Items": {"APSQGC", "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			q := measuring.ItemQuery{Metric: "human_5min", Range: calendar.Day(may.First(), shanghai), Merchants: merchantsOf(p)}
			rows, _, err := w.Measuring.Items(ctx, p, q, operations.Page{Limit: 500})
			var out []owner
			for _, i := range rows {
				o := owner{merchant: i.Merchant}
				if p.Role == access.AgentRole { // a client is not told who answered
					o.agent = i.Agent
				}
				out = append(out, o)
			}
			return out, err
		}},
		"Measuring.Items/agents": {"APSQG", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			q := measuring.ItemQuery{Metric: "human_5min", Range: calendar.Day(may.First(), shanghai), Agents: []ids.Agent{cmp.Or(p.Agent, "1001")}}
			rows, _, err := w.Measuring.Items(ctx, p, q, operations.Page{Limit: 500})
			return owned(rows, func(i measuring.Item) owner { return owner{i.Merchant, i.Agent} }), err
		}},
		"Measuring.Imports": {"APSQC", "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Measuring.Imports(ctx, p, operations.ImportFilter{Kind: "contacts"}, operations.Page{})
			return list(rows, next, err, func(i store.Import) owner { return owner{merchant: i.Merchant} })
		}},
		"Measuring.Import": {"AP", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Measuring.Import(ctx, p, measuring.ImportInput{
				Source: operationstest.FileOf("chats.csv", "x\n"), Mapping: operations.DefaultMapping(operations.ImportConversations),
			}))
		}},
		"Measuring.ImportPlatform": {"AP", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Measuring.ImportPlatform(ctx, p, measuring.PlatformInput{Source: operationstest.FileOf("x.csv", "a,b\n"), Shop: "lumi-tmall"}))
		}},
		"Measuring.PlatformFigures": {"APSQC", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, err := w.Measuring.PlatformFigures(ctx, p, measuring.PlatformFigureQuery{Dates: calendar.Dates{From: may.First(), Until: may.First().Add(31)}})
			return owned(rows, func(f measuring.PlatformFigure) owner { return owner{f.Merchant, f.Agent} }), err
		}},
		"Measuring.PlatformFigures/accounts": {"APSQG", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			q := measuring.PlatformFigureQuery{Dates: calendar.Dates{From: may.First(), Until: may.First().Add(31)}, ByAccount: true}
			rows, err := w.Measuring.PlatformFigures(ctx, p, q)
			return owned(rows, func(f measuring.PlatformFigure) owner { return owner{f.Merchant, f.Agent} }), err
		}},
		"Measuring.Stream": {"AP", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Measuring.Stream(ctx, p, "test", strings.NewReader("")))
		}},
		"Measuring.Quarantine": {"AP", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Measuring.Quarantine(ctx, p, operations.QuarantineFilter{}, operations.Page{})
			return list(rows, next, err, func(q store.Quarantined) owner { return owner{merchant: q.Merchant} })
		}},
		"Measuring.RetryQuarantined": {"AP", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Measuring.RetryQuarantined(ctx, p, nil, operations.QuarantineFilter{}))
		}},
		"Measuring.DropQuarantined": {"AP", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return nil, w.Measuring.DropQuarantined(ctx, p, "none", "test")
		}},
		"Measuring.Ingest": {"AP", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return nil, w.Measuring.Ingest(ctx, p, warehouse.Batch{ID: "empty"})
		}},
		"Measuring.CheckRollups": {jobs, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Measuring.CheckRollups(ctx, p, w.Clock))
		}},
		"Measuring.Retain": {jobs, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Measuring.Retain(ctx, p, w.Clock))
		}},
		"Settling.DailyScorecards": {jobs, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Settling.DailyScorecards(ctx, p, w.Clock))
		}},
	}
}

func settlingCases() map[string]useCase {
	const read = "APSQC"
	type who = access.Principal
	ofReport := func(r store.Report) owner { return owner{merchant: r.Merchant} }
	return map[string]useCase{
		"Settling.SLAReport": {read, "merchants", func(ctx context.Context, w *world, p who) (out []owner, err error) {
			for _, id := range []ids.Contract{"lumi-2026", "orca-2026"} {
				r, err := w.Settling.SLAReport(ctx, p, id, may)
				if err != nil && fault.KindOf(err) == fault.NotFound {
					continue
				}
				if err != nil {
					return nil, err
				}
				out = append(out, owner{merchant: r.Merchant.ID})
			}
			return out, nil
		}},
		"Settling.Reports": {read, "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Settling.Reports(ctx, p, operations.ReportFilter{}, operations.Page{})
			return list(rows, next, err, ofReport)
		}},
		"Settling.Report": {read, "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return each(func(id ids.Report) (store.Report, error) { return w.Settling.Report(ctx, p, id) }, ofReport, w.reports["lumi"], w.reports["orca"])
		}},
		"Settling.KeepReport": {"AP", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Settling.KeepReport(ctx, p, "nothing", may))
		}},
		"Settling.MonthlyReports": {"AP", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Settling.MonthlyReports(ctx, p, at("2020-01-02", "00:00:00")))
		}},
		// These two take a value that its owner was handed before.
		"Settling.SLAWorkbook": {},
		"Settling.ReportModel": {},
	}
}

func administrationCases() map[string]useCase {
	const users, audit = "A", "A"
	type who = access.Principal
	return map[string]useCase{
		// Before anybody is known.
		"Administration.Login":        {},
		"Administration.Logout":       {},
		"Administration.Authenticate": {},

		"Administration.PutUser": {users, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Administration.PutUser(ctx, p, administration.UserInput{}))
		}},
		"Administration.Users": {users, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Administration.Users(ctx, p, operations.Page{})
			return list(rows, next, err, nobody)
		}},
		"Administration.IssueToken": {users, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			_, _, err := w.Administration.IssueToken(ctx, p, administration.TokenInput{})
			return nil, err
		}},
		"Administration.Tokens": {users, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Administration.Tokens(ctx, p, operations.Page{})
			return list(rows, next, err, nobody)
		}},
		"Administration.RevokeToken": {users, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return nil, w.Administration.RevokeToken(ctx, p, "nothing")
		}},
		"Administration.Housekeep": {"AP", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Administration.Housekeep(ctx, p, w.Clock))
		}},
		"Administration.Audit": {audit, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Administration.Audit(ctx, p, operations.AuditFilter{}, operations.Page{})
			return list(rows, next, err, nobody)
		}},
		"Administration.VerifyAudit": {audit, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Administration.VerifyAudit(ctx, p))
		}},
	}
}

func plumbingCases() map[string]useCase {
	type who = access.Principal
	return map[string]useCase{
		"Operations.RunJob": {"AP", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.RunJob(ctx, p, job(w.Clock, operations.Manual, counts(0))))
		}},
		"Operations.JobRuns": {"APS", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.JobRuns(ctx, p, operations.JobRunFilter{}, operations.Page{})
			return list(rows, next, err, nobody)
		}},
		"Operations.MarkDemo": {"A", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return nil, w.MarkDemo(ctx, p, true)
		}},
		"Operations.Once": {"any", "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			_, done, err := w.Once(ctx, p, "key", "hash")
			if err != nil {
				return nil, err
			}
			return nil, done(ctx, nil)
		}},
		// The process itself: its clock, its job table, its start.
		"Operations.Now":          {},
		"Operations.Zone":         {},
		"Operations.Start":        {},
		"Operations.RunScheduled": {},
		"Operations.JobMissed":    {},
		"Operations.AbandonRuns":  {},
		"Operations.DemoLoaded":   {},
	}
}
