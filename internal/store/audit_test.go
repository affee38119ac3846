package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// testAuditChain breaks every column of a row in the middle, removes rows, cuts the end off, and
// each time VerifyAudit names the place.
func testAuditChain(t *testing.T, db *store.DB) {
	ctx, raw := t.Context(), db.Raw()
	whole, err := db.VerifyAudit(ctx)
	require.NoError(t, err)
	require.Greater(t, whole.Rows, int64(10))
	exec := func(sql string, args ...any) {
		_, err := raw.ExecContext(ctx, sql, args...)
		require.NoError(t, err)
	}
	broken := func(row int64, what string) {
		t.Helper()
		_, err := db.VerifyAudit(ctx)
		codeIs(t, err, store.ErrAuditBroken)
		assert.Contains(t, err.Error(), fmt.Sprintf("audit row %d:", row), what)
	}
	exec("CREATE TABLE audit_copy AS SELECT * FROM audit")
	restore := func() {
		exec("DELETE FROM audit")
		exec("INSERT INTO audit SELECT * FROM audit_copy")
	}
	for _, column := range []string{"actor", "actor_name", "role", "token", "action", "kind", "entity", "merchant", "detail", "prev", "hash"} {
		exec("UPDATE audit SET ? = ? || 'x' WHERE seq = 5", bun.Ident(column), bun.Ident(column))
		broken(5, column)
		restore()
	}
	exec("UPDATE audit SET at = at + 1 WHERE seq = 5")
	broken(5, "at")
	restore()
	exec("DELETE FROM audit WHERE seq = 5")
	broken(5, "a missing row")
	exec("UPDATE audit SET seq = seq - 1 WHERE seq = 6")
	broken(5, "a closed gap")
	restore()
	exec("DELETE FROM audit WHERE seq = 1")
	broken(1, "the first row")
	restore()
	exec("DELETE FROM audit WHERE seq = ?", whole.Rows)
	broken(whole.Rows, "the end cut off")
	restore()
	exec("UPDATE audit_head SET hash = 'x'")
	broken(whole.Rows+1, "the head")
	exec("UPDATE audit_head SET hash = ?", whole.Head)
	proof, err := db.VerifyAudit(ctx)
	require.NoError(t, err)
	assert.Equal(t, whole, proof)
}

// auditCases makes every kind of change once, on the fixture.
var auditCases = map[string]struct {
	action string
	do     func(tx *store.Tx) error
}{
	"PutMerchant": {"merchant.put", func(tx *store.Tx) error {
		_, err := tx.PutMerchant(merchant("new"), store.AnyVersion)
		return err
	}},
	"PutContract": {"contract.put", func(tx *store.Tx) error {
		_, err := tx.PutContract(contract("new", "a"), store.AnyVersion)
		return err
	}},
	"AddContractVersion": {"contract.put", func(tx *store.Tx) error {
		_, _, err := tx.AddContractVersion("c-a", contracts.Version{Dates: calendar.Dates{From: date("2027-01-01")}})
		return err
	}},
	"PutSite": {"site.put", func(tx *store.Tx) error {
		_, err := tx.PutSite(workforce.Site{ID: "new"}, store.AnyVersion)
		return err
	}},
	"PutTeam": {"team.put", func(tx *store.Tx) error {
		_, err := tx.PutTeam(workforce.Team{ID: "new"}, store.AnyVersion)
		return err
	}},
	"PutAgent": {"agent.put", func(tx *store.Tx) error {
		_, err := tx.PutAgent(agent("new"), store.NewOnly)
		return err
	}},
	"PutAgents": {"agent.put", func(tx *store.Tx) error {
		_, err := tx.PutAgents([]workforce.Agent{agent("new2")})
		return err
	}},
	"KeepPay": {"agent.pay", func(tx *store.Tx) error {
		return tx.KeepPay(workforce.PastPay{Agent: "1001", Until: calendar.MakeDate(2026, 8, 1), Wage: 2400, Employment: workforce.Standard})
	}},
	"PutUser": {"user.put", func(tx *store.Tx) error {
		_, err := tx.PutUser(store.User{ID: "new", Login: "new", Role: access.Quality}, store.AnyVersion)
		return err
	}},
	"AddSession": {"session.add", func(tx *store.Tx) error {
		return tx.AddSession(store.Session{ID: "new", SecretHash: "x", User: "u1", ExpiresAt: now})
	}},
	"EndSession":  {"session.end", func(tx *store.Tx) error { return tx.EndSession("s1") }},
	"EndSessions": {"session.end_all", func(tx *store.Tx) error { _, err := tx.EndSessions("u1"); return err }},
	"AddToken":    {"token.add", func(tx *store.Tx) error { return tx.AddToken(store.Token{ID: "new", SecretHash: "x", User: "u1"}) }},
	"RevokeToken": {"token.revoke", func(tx *store.Tx) error { return tx.RevokeToken("k1") }},
	"PutSetting": {"setting.put", func(tx *store.Tx) error {
		_, err := tx.PutSetting("new", json.RawMessage(`"secret"`), store.AnyVersion)
		return err
	}},
	"AddImport": {"import.add", func(tx *store.Tx) error { return tx.AddImport(store.Import{Batch: "new", Kind: "agents", Key: "new"}) }},
	"BeginImport": {"import.begin", func(tx *store.Tx) error {
		_, err := tx.BeginImport(store.Import{Batch: "begun", Kind: "agents", Key: "begun"})
		return err
	}},
	"AddForecast": {"forecast.add", func(tx *store.Tx) error {
		return tx.AddForecast(store.Forecast{ID: "new", Queue: "a/pre", Curve: curve("a/pre")})
	}},
	"DropForecasts": {"forecast.drop", func(tx *store.Tx) error {
		_, err := tx.DropForecasts("a/pre", []ids.Forecast{"unused-a"})
		return err
	}},
	"AddLayer": {"forecast.adjust", func(tx *store.Tx) error {
		_, err := tx.AddLayer("f-a", adjustment("new", 20))
		return err
	}},
	"WithdrawLayer": {"forecast.withdraw", func(tx *store.Tx) error {
		_, err := tx.WithdrawLayer("l-b", "直播取消")
		return err
	}},
	"AddLock": {"forecast.lock", func(tx *store.Tx) error {
		_, err := tx.AddLock(lock("new", "a", "2026-12-01", "2026-12-02"))
		return err
	}},
	"AddClientForecast": {"client_forecast.add", func(tx *store.Tx) error {
		_, err := tx.AddClientForecast(clientForecast("new", "a"))
		return err
	}},
	"PutForecastAccuracy": {"forecast.accuracy", func(tx *store.Tx) error {
		_, err := tx.PutForecastAccuracy([]store.ForecastAccuracy{accuracy("a", "2026-12-01", false)})
		return err
	}},
	"AddBacktest": {"backtest.add", func(tx *store.Tx) error {
		_, err := tx.AddBacktest(backtest("new", "a"))
		return err
	}},
	"AddPlan": {"plan.add", func(tx *store.Tx) error { return tx.AddPlan(store.Plan{ID: "new", Queue: "a/pre"}) }},
	"AddScenario": {"scenario.add", func(tx *store.Tx) error {
		_, err := tx.AddScenario(scenario("new", "new"))
		return err
	}},
	"PromoteScenario": {"scenario.promote", func(tx *store.Tx) error {
		_, err := tx.PromoteScenario("s-1", "", nil)
		return err
	}},
	"DeleteScenario": {"scenario.delete", func(tx *store.Tx) error { return tx.DeleteScenario("s-0") }},
	"AddReport": {"report.add", func(tx *store.Tx) error {
		_, err := tx.AddReport(store.Report{ID: "new", Contract: "c-a", Month: octoberModel, Model: json.RawMessage(`{"month":"2026-10"}`)})
		return err
	}},
	"PutScorecards": {"scorecards.put", func(tx *store.Tx) error {
		_, err := tx.PutScorecards(date("2026-12-01"), scorecards("1001"))
		return err
	}},
	"FreezeMonth": {"scorecards.freeze", func(tx *store.Tx) error {
		_, err := tx.FreezeMonth(calendar.Month{Year: 2026, Month: 8}, nil)
		return err
	}},
	"AmendMonthCard": {"scorecards.amend", func(tx *store.Tx) error {
		_, err := tx.AmendMonthCard(monthCard("a", "1001", 7), "late data")
		return err
	}},
	"AddConversions": {"conversions.add", func(tx *store.Tx) error {
		return tx.AddConversions([]store.Conversion{conversion("a", "2026-12-01", 0, store.Provisional, 1)})
	}},
	"PutReconciliations": {"reconciliations.put", func(tx *store.Tx) error {
		_, err := tx.PutReconciliations([]store.Reconciliation{reconciliation("a", "2026-12-01", 1)})
		return err
	}},
	"AddRoster": {"roster.add", func(tx *store.Tx) error { _, err := tx.AddRoster(store.Roster{ID: "new"}); return err }},
	"ReviseShifts": {"roster.revise", func(tx *store.Tx) error {
		_, _, err := tx.ReviseShifts("published", revision("改班", recoded("1001")), store.AnyVersion)
		return err
	}},
	"CopyRoster": {"roster.copy", func(tx *store.Tx) error {
		_, err := tx.CopyRoster("published", "copy", "", store.AnyVersion)
		return err
	}},
	"Acknowledge": {"roster.acknowledge", func(tx *store.Tx) error {
		_, err := tx.Acknowledge("published", 1, "1001", "paper")
		return err
	}},
	"AddCalendarFeed": {"calendar_feed.add", func(tx *store.Tx) error {
		_, err := tx.AddCalendarFeed(store.CalendarFeed{ID: "new", Agent: "1001", SecretHash: "x"})
		return err
	}},
	"RevokeCalendarFeed": {"calendar_feed.revoke", func(tx *store.Tx) error { return tx.RevokeCalendarFeed("feed-1002") }},
	"SetRosterState": {"roster.archived", func(tx *store.Tx) error {
		_, err := tx.SetRosterState("draft", store.Archived, store.AnyVersion)
		return err
	}},
	"AddRequest": {"request.ask", func(tx *store.Tx) error {
		_, err := tx.AddRequest(absence("new", "1001"), store.RequestStep{Action: "ask"})
		return err
	}},
	"StepRequest": {"request.refuse", func(tx *store.Tx) error {
		r, err := tx.In(everything).Request(context.Background(), "q-1002")
		if err != nil {
			return err
		}
		_, err = tx.StepRequest(r, r.Value, store.RequestStep{Action: leave.Refuse})
		return err
	}},
	"BookLeave": {"leave.grant", func(tx *store.Tx) error {
		_, err := tx.BookLeave([]leave.Entry{entry("1001", "new", 1)})
		return err
	}},
	"PutFacts": {"fact.put", func(tx *store.Tx) error {
		_, err := tx.PutFacts([]workforce.Fact{certificate("1001", "2029-01-01")})
		return err
	}},
	"DeleteFact": {"fact.delete", func(tx *store.Tx) error {
		list, _, err := tx.In(everything).Facts(context.Background(), store.FactFilter{Agent: "1002"}, store.Page{})
		if err != nil {
			return err
		}
		return tx.DeleteFact(list[0].Value.ID)
	}},
	"PutAccounts": {"account.put", func(tx *store.Tx) error {
		_, err := tx.PutAccounts([]chatlog.Assignment{assignment("1001", 20, 22)})
		return err
	}},
	"DeleteAccount": {"account.delete", func(tx *store.Tx) error { return tx.DeleteAccount(store.AccountID(assignment("1002", 12, 0))) }},
	"AddQuarantined": {"quarantine.add", func(tx *store.Tx) error {
		_, err := tx.AddQuarantined([]store.Quarantined{quarantined("new", "a")})
		return err
	}},
	"SettleQuarantined": {"quarantine.dropped", func(tx *store.Tx) error { return tx.SettleQuarantined("qa", store.Dropped, "测试数据") }},
	"RenewQuarantined":  {"quarantine.renew", func(tx *store.Tx) error { return tx.RenewQuarantined("qb", "another reason") }},
	"Note":              {"report.download", func(tx *store.Tx) error { return tx.Note("report.download", "report", "r-a", "a", nil) }},
}

// testAuditOfAll proves that every change leaves an audit row in its transaction, and none when it
// is rolled back. A new method of Tx without a case fails.
func testAuditOfAll(t *testing.T, db *store.DB) {
	ctx := t.Context()
	reads := []string{"In", "Now", "Actor"}
	for m := range reflect.TypeFor[*store.Tx]().Methods() {
		_, ok := auditCases[m.Name]
		assert.True(t, ok || strings.Contains(strings.Join(reads, " "), m.Name), "Tx.%s has no case", m.Name)
	}
	actor := access.Principal{User: "u1", Name: "王\x00", Role: access.Planner, Token: "k1"}
	for name, c := range auditCases {
		if name == "EndSessions" {
			continue // after EndSession, below
		}
		checkAudit(t, db, actor, name, c.action, c.do)
	}
	checkAudit(t, db, actor, "EndSessions", "session.end_all", auditCases["EndSessions"].do)
	_, err := db.VerifyAudit(ctx)
	require.NoError(t, err)
}

func checkAudit(t *testing.T, db *store.DB, actor access.Principal, name, action string, do func(*store.Tx) error) {
	t.Helper()
	ctx := t.Context()
	before, err := db.VerifyAudit(ctx)
	require.NoError(t, err)
	require.Error(t, db.Change(ctx, actor, now, func(tx *store.Tx) error {
		require.NoError(t, do(tx), name)
		return store.ErrBusy
	}))
	same, err := db.VerifyAudit(ctx)
	require.NoError(t, err)
	require.Equal(t, before, same, "%s was rolled back", name)
	at := now.Add(time.Hour)
	require.NoError(t, db.Change(ctx, actor, at, do), name)
	rows, _, err := db.In(everything).Audit(ctx, store.AuditFilter{Actor: "u1"}, store.Page{Limit: 1})
	require.NoError(t, err)
	require.Len(t, rows, 1, name)
	assert.Equal(t, before.Rows+1, rows[0].Seq, name)
	assert.Equal(t, action, rows[0].Action, name)
	assert.Equal(t, nowStored.Add(time.Hour), rows[0].At, name)
	assert.Equal(t, "k1", string(rows[0].Token), name)
	assert.Equal(t, before.Head, rows[0].Prev, name)
	assert.NotContains(t, string(rows[0].Detail), "secret\"", name)
}

func testAuditList(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	rows, _, err := view.Audit(ctx, store.AuditFilter{Kind: "contract", Entity: "c-a"}, store.Page{})
	require.NoError(t, err)
	require.Len(t, rows, 1)
	var detail struct {
		Version int                `json:"version"`
		Doc     contracts.Contract `json:"doc"`
	}
	require.NoError(t, json.Unmarshal(rows[0].Detail, &detail))
	assert.Equal(t, contract("c-a", "a"), detail.Doc, "a contract is evidence: all of it is in the chain")
	rows, _, err = view.Audit(ctx, store.AuditFilter{Range: calendar.Range{Start: now.Add(time.Second)}}, store.Page{})
	require.NoError(t, err)
	assert.Empty(t, rows)
}
