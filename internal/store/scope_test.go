package store_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
)

// scopeCase calls one method of View on the fixture and returns whose rows came back: the merchant
// or agent of each, or "general" for rows of nobody in particular.
type scopeCase struct {
	owners func(*testing.T, *store.View) ([]string, error)
	all    []string // what a scope of everything sees
}

func listed[T any](rows []T, _ string, err error, owner func(T) string) ([]string, error) {
	var owners []string
	for _, r := range rows {
		owners = append(owners, owner(r))
	}
	return owners, err
}

// one asks a single-row method for ids of both owners; what is not there is left out.
func one[K ~string, T any](get func(K) (T, error), owner func(T) string, keys ...K) ([]string, error) {
	var owners []string
	for _, k := range keys {
		v, err := get(k)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		owners = append(owners, owner(v))
	}
	return owners, nil
}

func general[T any](T) string { return "general" }

var (
	bothMerchants = []string{"a", "b"}
	bothAgents    = []string{"1001", "1002"}
	octoberModel  = calendar.Month{Year: 2026, Month: 10}
)

func scopeCases() map[string]scopeCase {
	return merge(merchantCases(), forecastingCases(), peopleCases(), requestCases(), plumbingCases())
}

func merge(parts ...map[string]scopeCase) map[string]scopeCase {
	all := map[string]scopeCase{}
	for _, p := range parts {
		for k, v := range p {
			all[k] = v
		}
	}
	return all
}

func merchantCases() map[string]scopeCase {
	type view = store.View
	ofQueue := func(q store.Queue) string { return string(q.Merchant) }
	ofForecast := func(f store.Forecast) string { return string(f.Merchant) }
	ofPlan := func(p store.Plan) string { return string(p.Merchant) }
	ofReport := func(r store.Report) string { return string(r.Merchant) }
	ofImport := func(i store.Import) string { return string(i.Merchant) }
	ofLine := func(q store.Quarantined) string { return string(q.Merchant) }
	span := calendar.Range{Start: hour(9), End: hour(10)}
	return map[string]scopeCase{
		"Merchants": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Merchants(t.Context(), store.Page{})
			return listed(rows, next, err, merchantOf)
		}, bothMerchants},
		"Merchant": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(id ids.Merchant) (merchantStored, error) { return v.Merchant(t.Context(), id) }, merchantOf, "a", "b")
		}, bothMerchants},
		"Shops": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Shops(t.Context(), "", store.Page{})
			return listed(rows, next, err, func(s store.Shop) string { return string(s.Merchant) })
		}, bothMerchants},
		"Queues": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Queues(t.Context(), store.QueueFilter{Channel: "chat"}, store.Page{})
			return listed(rows, next, err, ofQueue)
		}, bothMerchants},
		"Queue": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(id ids.Queue) (store.Queue, error) { return v.Queue(t.Context(), id) }, ofQueue, "a/pre", "b/pre")
		}, bothMerchants},
		"Contracts": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Contracts(t.Context(), store.ContractFilter{On: date("2026-02-01")}, store.Page{})
			return listed(rows, next, err, contractOf)
		}, bothMerchants},
		"Contract": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(id ids.Contract) (contractStored, error) { return v.Contract(t.Context(), id) }, contractOf, "c-a", "c-b")
		}, bothMerchants},
		"Forecasts": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Forecasts(t.Context(), store.ForecastFilter{}, store.Page{})
			owners, err := listed(rows, next, err, ofForecast)
			slices.Sort(owners)
			return slices.Compact(owners), err // each has two
		}, bothMerchants},
		"Forecast": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(id ids.Forecast) (store.Forecast, error) { return v.Forecast(t.Context(), id) }, ofForecast, "f-a", "f-b")
		}, bothMerchants},
		"LatestForecast": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(id ids.Queue) (store.Forecast, error) { return v.LatestForecast(t.Context(), id, span) }, ofForecast, "a/pre", "b/pre")
		}, bothMerchants},
		"Plans": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Plans(t.Context(), store.ForecastFilter{}, store.Page{})
			return listed(rows, next, err, ofPlan)
		}, bothMerchants},
		"Plan": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(id ids.Plan) (store.Plan, error) { return v.Plan(t.Context(), id) }, ofPlan, "p-a", "p-b")
		}, bothMerchants},
		"Reports": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Reports(t.Context(), store.ReportFilter{}, store.Page{})
			return listed(rows, next, err, ofReport)
		}, bothMerchants},
		"Report": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(id ids.Report) (store.Report, error) { return v.Report(t.Context(), id) }, ofReport, "r-a", "r-b")
		}, bothMerchants},
		"LatestReport": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(id ids.Contract) (store.Report, error) { return v.LatestReport(t.Context(), id, octoberModel) }, ofReport, "c-a", "c-b")
		}, bothMerchants},
		"Imports": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Imports(t.Context(), store.ImportFilter{Kind: "contacts"}, store.Page{})
			return listed(rows, next, err, ofImport)
		}, bothMerchants},
		"Quarantine": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Quarantine(t.Context(), store.QuarantineFilter{}, store.Page{})
			return listed(rows, next, err, ofLine)
		}, bothMerchants},
		"Quarantined": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(id string) (store.Quarantined, error) { return v.Quarantined(t.Context(), id) }, ofLine, "qa", "qb")
		}, bothMerchants},
		"Conversions": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Conversions(t.Context(), store.ConversionFilter{State: store.Final}, store.Page{})
			return listed(rows, next, err, func(c store.Conversion) string { return string(c.Merchant) })
		}, bothMerchants},
		"Reconciliations": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Reconciliations(t.Context(), store.ReconciliationFilter{}, store.Page{})
			return listed(rows, next, err, func(c store.Reconciliation) string { return string(c.Merchant) })
		}, bothMerchants},
		"ImportByKey": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(key string) (store.Import, error) { return v.ImportByKey(t.Context(), "contacts", key) }, ofImport, "sum-a", "sum-b")
		}, bothMerchants},
	}
}

func peopleCases() map[string]scopeCase {
	type view = store.View
	return map[string]scopeCase{
		"Agents": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Agents(t.Context(), store.AgentFilter{}, store.Page{})
			return listed(rows, next, err, agentOf)
		}, bothAgents},
		"Agent": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(id ids.Agent) (agentStored, error) { return v.Agent(t.Context(), id) }, agentOf, "1001", "1002")
		}, bothAgents},
		"SeatedAt": {func(t *testing.T, v *view) ([]string, error) {
			rows, err := v.SeatedAt(t.Context(), "hefei")
			return listed(rows, "", err, func(a ids.Agent) string { return string(a) })
		}, bothAgents},
		"Accounts": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Accounts(t.Context(), store.AccountFilter{Account: "鹿米旗舰店:小鹿"}, store.Page{})
			return listed(rows, next, err, func(a store.Account) string { return string(a.Agent) })
		}, bothAgents},
		"Shifts": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Shifts(t.Context(), store.ShiftFilter{State: store.Published}, store.Page{})
			return listed(rows, next, err, func(s store.Shift) string { return string(s.Agent) })
		}, bothAgents},
		"Scorecards": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Scorecards(t.Context(), store.ScorecardFilter{}, store.Page{})
			return listed(rows, next, err, func(c store.Scorecard) string { return string(c.Agent) })
		}, bothAgents},
		"MonthCards": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.MonthCards(t.Context(), store.MonthCardFilter{Month: september, Contract: "c-a"}, store.Page{})
			return listed(rows, next, err, func(c store.MonthCard) string { return string(c.Agent) })
		}, bothAgents},
		"Freezes": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Freezes(t.Context(), store.Page{})
			return listed(rows, next, err, general[store.Freeze])
		}, []string{"general"}},
		"Freeze": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(string) (store.Freeze, error) { return v.Freeze(t.Context(), september) }, general[store.Freeze], "2026-09")
		}, []string{"general"}},
		"Scenarios": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Scenarios(t.Context(), store.Page{})
			return listed(rows, next, err, general[store.Scenario])
		}, []string{"general", "general"}},
		"Scenario": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(id string) (store.Scenario, error) { return v.Scenario(t.Context(), id) }, general[store.Scenario], "s-1")
		}, []string{"general"}},
		"Rosters": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Rosters(t.Context(), store.RosterFilter{State: store.Draft}, store.Page{})
			return listed(rows, next, err, general[store.Roster])
		}, []string{"general"}},
		"Roster": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(id ids.Roster) (store.Roster, error) { return v.Roster(t.Context(), id) }, general[store.Roster], "published")
		}, []string{"general"}},
		"RosterHead": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(id ids.Roster) (store.Roster, error) { return v.RosterHead(t.Context(), id) }, general[store.Roster], "published")
		}, []string{"general"}},
		"RosterAt": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(id ids.Roster) (store.Roster, error) { return v.RosterAt(t.Context(), id, 1) }, general[store.Roster], "published")
		}, []string{"general"}},
		"RosterRevisions": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.RosterRevisions(t.Context(), "published", store.Page{})
			return listed(rows, next, err, general[store.Revision])
		}, []string{"general"}},
		"Acknowledgements": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Acknowledgements(t.Context(), "published", store.Page{})
			return listed(rows, next, err, func(a store.Acknowledgement) string { return string(a.Agent) })
		}, bothAgents},
		"CalendarFeeds": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.CalendarFeeds(t.Context(), "", store.Page{})
			return listed(rows, next, err, func(f store.CalendarFeed) string { return string(f.Agent) })
		}, bothAgents},
		"CalendarFeed": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(id ids.Feed) (store.CalendarFeed, error) { return v.CalendarFeed(t.Context(), id) },
				func(f store.CalendarFeed) string { return string(f.Agent) }, "feed-1001", "feed-1002")
		}, bothAgents},
		"Publications": {func(t *testing.T, v *view) ([]string, error) {
			var owners []string
			for _, agent := range []ids.Agent{"1001", "1002"} {
				told, err := v.Publications(t.Context(), agent, calendar.Range{})
				if err != nil {
					return nil, err
				}
				for _, p := range told[:min(1, len(told))] {
					owners = append(owners, string(p.Agent))
				}
			}
			return owners, nil
		}, bothAgents},
		"Sites": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Sites(t.Context(), store.Page{})
			return listed(rows, next, err, general)
		}, []string{"general"}},
		"Site": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(id ids.Site) (any, error) { return v.Site(t.Context(), id) }, general[any], "hefei")
		}, []string{"general"}},
		"Teams": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Teams(t.Context(), "", store.Page{})
			return listed(rows, next, err, general)
		}, []string{"general"}},
		"Team": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(id ids.Team) (any, error) { return v.Team(t.Context(), id) }, general[any], "t1")
		}, []string{"general"}},
	}
}

func plumbingCases() map[string]scopeCase {
	type view = store.View
	nobody := []string{"general"}
	return map[string]scopeCase{
		"Users": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Users(t.Context(), store.Page{})
			return listed(rows, next, err, general)
		}, nobody},
		"User": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(id ids.User) (any, error) { return v.User(t.Context(), id) }, general[any], "u1")
		}, nobody},
		"Sessions": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Sessions(t.Context(), "", store.Page{})
			return listed(rows, next, err, general)
		}, nobody},
		"Tokens": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Tokens(t.Context(), "", store.Page{})
			return listed(rows, next, err, general)
		}, nobody},
		"Settings": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Settings(t.Context(), store.Page{})
			return listed(rows, next, err, general)
		}, nobody},
		"Setting": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(key string) (any, error) { return v.Setting(t.Context(), key) }, general[any], "demo")
		}, nobody},
		"Audit": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Audit(t.Context(), store.AuditFilter{Kind: "contract", Entity: "c-a"}, store.Page{})
			return listed(rows, next, err, general)
		}, nobody},
		"JobRuns": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.JobRuns(t.Context(), store.JobRunFilter{}, store.Page{})
			return listed(rows, next, err, general)
		}, nobody},
		"JobRun": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(id ids.Run) (any, error) { return v.JobRun(t.Context(), id) }, general[any], "run1")
		}, nobody},
		"Alerts": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Alerts(t.Context(), store.Quiet, store.Page{})
			return listed(rows, next, err, general)
		}, nobody},
		"Alert": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(name string) (any, error) { return v.Alert(t.Context(), name) }, general[any], "job:rollup")
		}, nobody},
		"LastJobRun": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(job string) (any, error) { return v.LastJobRun(t.Context(), job, "") }, general[any], "rollup")
		}, nobody},
	}
}

// testScopes calls every method of View in every kind of scope: no merchant sees the other, no
// agent sees the other, and neither sees what belongs to nobody. A method without a case fails.
func testScopes(t *testing.T, db *store.DB) {
	cases := scopeCases()
	for m := range reflect.TypeFor[*store.View]().Methods() {
		assert.Contains(t, cases, m.Name, "View.%s has no case here: prove who sees what", m.Name)
	}
	// Rows that would show if a scope leaked: an import of no merchant, as files about agents are.
	change(t, db, func(tx *store.Tx) error {
		return tx.AddImport(store.Import{Batch: "i-none", Kind: "agents", Key: "none"})
	})
	without := func(all []string, keep ...string) []string {
		var left []string
		for _, owner := range all {
			for _, k := range keep {
				if owner == k {
					left = append(left, owner)
				}
			}
		}
		return left
	}
	merchants := func(m ...ids.Merchant) access.Scope { return access.Scope{Merchants: m} }
	for name, c := range cases {
		for scopeName, s := range map[string]struct {
			scope access.Scope
			want  []string
		}{
			"everything":             {everything, c.all},
			"nothing":                {access.Scope{}, nil},
			"merchant a":             {merchants("a"), without(c.all, "a")},
			"merchant b":             {merchants("b"), without(c.all, "b")},
			"both merchants":         {merchants("a", "b"), without(c.all, "a", "b")},
			"another merchant":       {merchants("c", ""), nil},
			"agent 1001":             {access.Scope{Agent: "1001"}, without(c.all, "1001")},
			"agent 1002":             {access.Scope{Agent: "1002"}, without(c.all, "1002")},
			"another agent":          {access.Scope{Agent: "1003"}, nil},
			"agent beside all":       {access.Scope{Everything: true, Agent: "1001"}, without(c.all, "1001")},
			"agent beside merchants": {access.Scope{Merchants: []ids.Merchant{"a"}, Agent: "1001"}, without(c.all, "1001")},
		} {
			got, err := c.owners(t, db.In(s.scope))
			if assert.NoError(t, err, "%s as %s", name, scopeName) {
				assert.ElementsMatch(t, s.want, got, "%s as %s", name, scopeName)
			}
		}
	}
	t.Run("an agent sees no drafts", func(t *testing.T) { agentDrafts(t, db) })
}

func agentDrafts(t *testing.T, db *store.DB) {
	own := db.In(access.Scope{Agent: "1001"})
	for _, f := range []store.ShiftFilter{
		{}, {State: store.Published}, {Agent: "1001"}, {Roster: "published"}, {Range: calendar.Range{Start: hour(0), End: hour(48)}},
	} {
		shifts, _, err := own.Shifts(t.Context(), f, store.Page{})
		require.NoError(t, err)
		require.Len(t, shifts, 1)
		assert.Equal(t, ids.Roster("published"), shifts[0].Roster)
	}
	for _, f := range []store.ShiftFilter{{State: store.Draft}, {Roster: "draft"}, {Agent: "1002"}, {State: store.Archived}} {
		shifts, _, err := own.Shifts(t.Context(), f, store.Page{})
		require.NoError(t, err)
		assert.Empty(t, shifts)
	}
	require.NoError(t, db.Change(t.Context(), system, now.Add(time.Hour), func(tx *store.Tx) error {
		_, err := tx.SetRosterState("published", store.Archived, store.AnyVersion)
		return err
	}))
	shifts, _, err := own.Shifts(t.Context(), store.ShiftFilter{}, store.Page{})
	require.NoError(t, err)
	assert.Empty(t, shifts, "what is archived counts no more")
}
