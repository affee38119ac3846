package store_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/internal/store/storetest"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// suite is what both engines must do alike. Each test gets a database with the fixture.
var suite = map[string]func(*testing.T, *store.DB){
	"merchants":       testMerchants,
	"contracts":       testContracts,
	"agents":          testAgents,
	"users":           testUsers,
	"sessions":        testSessions,
	"tokens":          testTokens,
	"login attempts":  testLoginAttempts,
	"login guesses":   testParallelGuesses,
	"cut imports":     testUnfinishedImports,
	"settings":        testSettings,
	"imports":         testImports,
	"forecasts":       testForecasts,
	"old forecasts":   testDroppedForecasts,
	"layers":          testLayers,
	"locks":           testLocks,
	"client forecast": testClientForecasts,
	"accuracy":        testAccuracy,
	"backtests":       testBacktests,
	"scenarios":       testScenarios,
	"requests":        testRequests,
	"leave ledger":    testLeaveLedgerAndFacts,
	"past pay":        testPastPay,
	"rosters":         testRosters,
	"revisions":       testRevisions,
	"one of two":      testRevisionsAtOnce,
	"copies":          testCopies,
	"a roster's life": testRosterLife,
	"publications":    testPublications,
	"calendar feeds":  testFeeds,
	"reports":         testReports,
	"scorecards":      testScorecards,
	"month cards":     testMonthCards,
	"conversions":     testConversions,
	"reconciliations": testReconciliations,
	"expiry":          testExpiry,
	"alerts":          testAlerts,
	"accounts":        testAccounts,
	"quarantine":      testQuarantine,
	"job runs":        testJobRuns,
	"leases":          testLeases,
	"idempotency":     testIdempotency,
	"dead claims":     testClaimsOfADeadProcess,
	"prune":           testPrune,
	"bad text":        testBadText,
	"change":          testChange,
	"concurrent":      testConcurrent,
	"audit chain":     testAuditChain,
	"audit of all":    testAuditOfAll,
	"audit list":      testAuditList,
	"scopes":          testScopes,
	"pages":           testPages,
	"bad pages":       testBadPages,
	"newer schema":    testNewerSchema,
	"two at the door": testTwoAtTheDoor,
	"snapshot":        testSnapshot,
}

func TestConformance(t *testing.T) {
	for name, open := range map[string]func(testing.TB) *store.DB{"sqlite": storetest.SQLite, "postgres": storetest.PostgreSQL} {
		t.Run(name, func(t *testing.T) {
			for name, test := range suite {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					db := open(t)
					seed(t, db)
					test(t, db)
				})
			}
		})
	}
}

func codeIs(t *testing.T, err error, want *fault.Error) {
	t.Helper()
	require.Error(t, err)
	assert.Equal(t, want.Code, fault.CodeOf(err), fault.InternalText(err))
	assert.Equal(t, want.Kind, fault.KindOf(err), fault.InternalText(err))
}

func testMerchants(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	m, err := view.Merchant(ctx, "a")
	require.NoError(t, err)
	assert.Equal(t, merchant("a"), m.Value)
	assert.Equal(t, store.Meta{Version: 1, UpdatedAt: nowStored}, m.Meta)

	q, err := view.Queue(ctx, "a/after")
	require.NoError(t, err)
	assert.Equal(t, store.Queue{Merchant: "a", Shop: "a-tmall", Queue: merchant("a").Shops[0].Queues[1]}, q)
	calls, _, err := view.Queues(ctx, store.QueueFilter{Channel: "call"}, store.Page{})
	require.NoError(t, err)
	require.Len(t, calls, 2)
	shops, _, err := view.Shops(ctx, "b", store.Page{})
	require.NoError(t, err)
	require.Len(t, shops, 1)
	assert.Equal(t, merchant("b").Shops[0], shops[0].Shop)

	_, err = view.Merchant(ctx, "nobody")
	codeIs(t, err, store.ErrNotFound)

	proof, err := db.VerifyAudit(ctx)
	require.NoError(t, err)
	put := func(m contracts.Merchant, expect int) (meta store.Meta, err error) {
		err = db.Change(ctx, system, now.Add(time.Second), func(tx *store.Tx) error {
			meta, err = tx.PutMerchant(m, expect)
			return err
		})
		return meta, err
	}
	meta, err := put(merchant("a"), store.AnyVersion)
	require.NoError(t, err)
	assert.Equal(t, m.Meta, meta, "the same content changes nothing")
	again, err := db.VerifyAudit(ctx)
	require.NoError(t, err)
	assert.Equal(t, proof, again, "nothing changed, so nothing is audited")

	other := merchant("a")
	other.Name = "renamed"
	other.Shops[0].Queues = append(other.Shops[0].Queues, contracts.Queue{ID: "a/night", Skill: "pre", Channel: "chat"})
	_, err = put(other, store.NewOnly)
	codeIs(t, err, store.ErrConflict)
	_, err = put(other, 2)
	codeIs(t, err, store.ErrConflict)
	meta, err = put(other, 1)
	require.NoError(t, err)
	assert.Equal(t, 2, meta.Version)
	assert.NotEqual(t, m.ETag(), meta.ETag())
	_, err = put(contracts.Merchant{ID: "new"}, 3)
	codeIs(t, err, store.ErrNotFound)
	_, err = put(contracts.Merchant{}, store.AnyVersion)
	assert.Equal(t, "store.invalid", fault.CodeOf(err))

	other.Shops[0].Queues = other.Shops[0].Queues[1:] // a/pre has a forecast, a/night stays
	_, err = put(other, store.AnyVersion)
	codeIs(t, err, store.ErrInUse)
	_, err = view.Queue(ctx, "a/pre")
	require.NoError(t, err, "the failed change left everything")
	_, err = put(merchant("a"), store.AnyVersion)
	require.NoError(t, err)
	_, err = view.Queue(ctx, "a/night")
	codeIs(t, err, store.ErrNotFound)

	thief := merchant("c")
	thief.Shops[0].Queues[0].ID = "a/pre"
	_, err = put(thief, store.AnyVersion)
	codeIs(t, err, store.ErrConflict)
}

func testContracts(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	c, err := view.Contract(ctx, "c-a")
	require.NoError(t, err)
	assert.Equal(t, contract("c-a", "a"), c.Value)

	count := func(f store.ContractFilter) int {
		list, _, err := view.Contracts(ctx, f, store.Page{})
		require.NoError(t, err)
		return len(list)
	}
	assert.Equal(t, 2, count(store.ContractFilter{}))
	assert.Equal(t, 2, count(store.ContractFilter{On: date("2026-06-30")}))
	assert.Equal(t, 0, count(store.ContractFilter{On: date("2026-07-01")}), "until is not included")
	assert.Equal(t, 1, count(store.ContractFilter{Shop: "b-tmall", On: date("2026-01-01")}))
	assert.Equal(t, 1, count(store.ContractFilter{Merchant: "b"}))

	add := func(from, until string) (contracts.Contract, error) {
		var c contracts.Contract
		err := db.Change(ctx, system, now, func(tx *store.Tx) (err error) {
			v := contracts.Version{Dates: calendar.Dates{From: date(from)}, Shops: []ids.Shop{"a-tmall", "a-tmall"}}
			if until != "" {
				v.Until = date(until)
			}
			c, _, err = tx.AddContractVersion("c-a", v)
			return err
		})
		return c, err
	}
	_, err = add("2026-06-30", "")
	assert.Equal(t, "contract.overlap", fault.CodeOf(err), fault.InternalText(err))
	_, err = add("2025-12-31", "2026-01-02")
	assert.Equal(t, "contract.overlap", fault.CodeOf(err))
	changed, err := add("2026-07-01", "")
	require.NoError(t, err)
	assert.Equal(t, 2, changed.Versions[1].Number)
	changed, err = add("2025-07-01", "2026-01-01")
	require.NoError(t, err)
	assert.Equal(t, []int{3, 1, 2}, []int{changed.Versions[0].Number, changed.Versions[1].Number, changed.Versions[2].Number},
		"versions stay ascending by From")
	_, err = add("2030-01-01", "")
	assert.Equal(t, "contract.overlap", fault.CodeOf(err), "version 2 is open-ended")
	assert.Equal(t, 2, count(store.ContractFilter{On: date("2026-02-01")}))
	assert.Equal(t, 1, count(store.ContractFilter{On: date("2027-02-01")}))

	put := func(c contracts.Contract) error {
		return db.Change(ctx, system, now, func(tx *store.Tx) error {
			_, err := tx.PutContract(c, store.AnyVersion)
			return err
		})
	}
	codeIs(t, put(contract("c-a", "b")), store.ErrConflict)
	codeIs(t, put(contract("c-x", "nobody")), store.ErrReference)
	unknown := contract("c-x", "a")
	unknown.Versions[0].Shops = []ids.Shop{"nowhere"}
	codeIs(t, put(unknown), store.ErrReference)
}

func testAgents(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	a, err := view.Agent(ctx, "1001")
	require.NoError(t, err)
	want := agent("1001")
	want.Unavailable = []calendar.Range{{Start: hour(0).UTC(), End: hour(8).UTC()}}
	assert.Equal(t, want, a.Value)

	count := func(f store.AgentFilter) int {
		list, _, err := view.Agents(ctx, f, store.Page{})
		require.NoError(t, err)
		return len(list)
	}
	assert.Equal(t, 2, count(store.AgentFilter{Queue: "b/pre"}))
	assert.Equal(t, 0, count(store.AgentFilter{Queue: "b/pre", On: date("2026-05-31")}), "the skill begins on 1 June")
	assert.Equal(t, 2, count(store.AgentFilter{Queue: "b/pre", On: date("2026-06-01"), Site: "hefei", Team: "t1"}))
	assert.Equal(t, 0, count(store.AgentFilter{On: date("2025-02-28")}), "not employed yet")
	assert.Equal(t, 0, count(store.AgentFilter{Site: "wuhu"}))

	var result store.PutResult
	put := func(agents ...workforce.Agent) error {
		return db.Change(ctx, system, now, func(tx *store.Tx) (err error) {
			result, err = tx.PutAgents(agents)
			return err
		})
	}
	raised := agent("1002")
	raised.Wage += 100
	raised.Skills = raised.Skills[:1]
	require.NoError(t, put(agent("1001"), raised, agent("1003")))
	assert.Equal(t, store.PutResult{Added: 1, Changed: 1, Unchanged: 1}, result)
	assert.Equal(t, 2, count(store.AgentFilter{Queue: "b/pre"}), "1002 lost the skill, 1003 has it")
	rows, _, err := view.Audit(ctx, store.AuditFilter{Kind: "agent", Entity: "1002"}, store.Page{Limit: 1})
	require.NoError(t, err)
	assert.Contains(t, string(rows[0].Detail), `"fields":["skills","wage"]`)

	lost, moved := agent("1004"), agent("1005")
	lost.Team, moved.Site = "t9", "wuhu"
	err = put(agent("1006"), lost, moved)
	codeIs(t, err, store.ErrReference)
	assert.Len(t, fault.Of(err).Fields, 2, "both at once")
	assert.Error(t, put(agent("1007"), agent("1007")))
	_, err = view.Agent(ctx, "1006")
	codeIs(t, err, store.ErrNotFound)

	many := make([]workforce.Agent, 1203)
	for i := range many {
		many[i] = agent(string(ids.New[ids.Agent](now)))
	}
	require.NoError(t, put(many...))
	assert.Equal(t, 1203, result.Added)
	all, err := store.All(func(p store.Page) ([]store.Stored[workforce.Agent], string, error) {
		return view.Agents(ctx, store.AgentFilter{}, p)
	})
	require.NoError(t, err)
	assert.Len(t, all, 1206)
	require.NoError(t, put(many...))
	assert.Equal(t, 1203, result.Unchanged)

	err = db.Change(ctx, system, now, func(tx *store.Tx) error {
		_, err := tx.PutTeam(workforce.Team{ID: "t2", Site: "nowhere"}, store.AnyVersion)
		return err
	})
	codeIs(t, err, store.ErrReference)
}

func testForecasts(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	f, err := view.Forecast(ctx, "f-a")
	require.NoError(t, err)
	want := curve("a/pre")
	for i := range want.Points {
		want.Points[i].Start = want.Points[i].Start.UTC()
	}
	assert.Equal(t, want, f.Curve)
	assert.Equal(t, uint64(1<<63+5), f.Seed)
	assert.Equal(t, ids.Merchant("a"), f.Merchant, "filled in from the queue")
	assert.Equal(t, ids.User("system"), f.Author)
	assert.Equal(t, nowStored, f.CreatedAt)
	assert.JSONEq(t, `{"wape":0.12}`, string(f.Figures))

	list, _, err := view.Forecasts(ctx, store.ForecastFilter{Queue: "a/pre", Range: calendar.Range{Start: hour(10), End: hour(12)}}, store.Page{})
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Empty(t, list[0].Curve.Points, "lists leave the curve out")
	list, _, err = view.Forecasts(ctx, store.ForecastFilter{Range: calendar.Range{Start: hour(11), End: hour(12)}}, store.Page{})
	require.NoError(t, err)
	assert.Empty(t, list, "half-open: it ends at 11")

	newer := store.Forecast{ID: "f-a2", Queue: "a/pre", Range: calendar.Range{Start: hour(9), End: hour(10)}, Curve: curve("a/pre")}
	require.NoError(t, db.Change(ctx, system, now.Add(time.Minute), func(tx *store.Tx) error { return tx.AddForecast(newer) }))
	f, err = view.LatestForecast(ctx, "a/pre", calendar.Range{Start: hour(9), End: hour(11)})
	require.NoError(t, err)
	assert.Equal(t, ids.Forecast("f-a"), f.ID, "the newer one does not cover 10 to 11")
	f, err = view.LatestForecast(ctx, "a/pre", calendar.Range{Start: hour(9), End: hour(10)})
	require.NoError(t, err)
	assert.Equal(t, ids.Forecast("f-a2"), f.ID)
	_, err = view.LatestForecast(ctx, "a/pre", calendar.Range{Start: hour(8), End: hour(10)})
	codeIs(t, err, store.ErrNotFound)

	add := func(f store.Forecast) error {
		return db.Change(ctx, system, now, func(tx *store.Tx) error { return tx.AddForecast(f) })
	}
	codeIs(t, add(newer), store.ErrConflict)
	codeIs(t, add(store.Forecast{ID: "x", Queue: "nowhere", Curve: curve("a/pre")}), store.ErrReference)
	codeIs(t, add(store.Forecast{ID: "x", Queue: "a/pre", Merchant: "b", Curve: curve("a/pre")}), store.ErrConflict)
	assert.Equal(t, "curve.invalid", fault.CodeOf(add(store.Forecast{ID: "x", Queue: "a/pre"})))

	p, err := view.Plan(ctx, "p-a")
	require.NoError(t, err)
	assert.Equal(t, 3, p.Requirement.Needs[0].Heads)
	assert.Equal(t, hour(9).UTC(), p.Requirement.Needs[0].Start)
	assert.JSONEq(t, `{"within":"30s"}`, string(p.Target))
	err = db.Change(ctx, system, now, func(tx *store.Tx) error {
		return tx.AddPlan(store.Plan{ID: "x", Queue: "a/pre", Forecast: "nowhere"})
	})
	codeIs(t, err, store.ErrReference)
	err = db.Change(ctx, system, now, func(tx *store.Tx) error {
		return tx.AddPlan(store.Plan{ID: "x", Queue: "a/pre", Target: json.RawMessage(`{broken`)})
	})
	assert.Equal(t, fault.Invalid, fault.KindOf(err))
}

func testRosters(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	r, err := view.Roster(ctx, "published")
	require.NoError(t, err)
	assert.Equal(t, store.Published, r.State)
	assert.Equal(t, nowStored, r.PublishedAt)
	assert.Equal(t, []ids.Plan{"p-a"}, r.Plans)
	require.Len(t, r.Shifts, 2)
	first := shift("1001", 9, 17)
	first.Start, first.End = first.Start.UTC(), first.End.UTC()
	first.Activities[0].Start, first.Activities[0].End = first.Start, first.End
	assert.Equal(t, first, r.Shifts[0], "sorted by agent")

	set := func(id ids.Roster, s store.RosterState, expect int) error {
		return db.Change(ctx, system, now, func(tx *store.Tx) error {
			_, err := tx.SetRosterState(id, s, expect)
			return err
		})
	}
	err = set("draft", store.Published, 1)
	assert.Equal(t, "roster.double_booked", fault.CodeOf(err))
	require.Len(t, fault.Of(err).Fields, 1, "only 1001 overlaps")
	assert.Equal(t, "1001", fault.Of(err).Fields[0].Value)
	codeIs(t, set("published", store.Draft, store.AnyVersion), store.ErrConflict)
	codeIs(t, set("draft", store.Archived, 7), store.ErrConflict)

	was, becomes := shift("1001", 12, 20), shift("1001", 17, 20)
	change(t, db, func(tx *store.Tx) error {
		_, _, err := tx.ReviseShifts("draft", revision("晚到", revise.Change{Before: &was, After: &becomes}), 1)
		return err
	})
	require.NoError(t, set("draft", store.Published, 2))
	require.NoError(t, set("published", store.Archived, store.AnyVersion))
	require.NoError(t, set("published", store.Archived, store.AnyVersion), "twice is once")

	list, _, err := view.Rosters(ctx, store.RosterFilter{State: store.Published, Range: calendar.Range{Start: hour(23), End: hour(25)}}, store.Page{})
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, 3, list[0].Version)
	shifts, _, err := view.Shifts(ctx, store.ShiftFilter{Team: "t1", Site: "hefei", Range: calendar.Range{Start: hour(16), End: hour(18)}}, store.Page{})
	require.NoError(t, err)
	assert.Len(t, shifts, 3)
	bare, _, err := view.Shifts(ctx, store.ShiftFilter{Team: "t1", Site: "hefei", Seated: true, Bare: true, Range: calendar.Range{Start: hour(16), End: hour(18)}}, store.Page{})
	require.NoError(t, err)
	require.Len(t, bare, len(shifts))
	for i := range bare {
		assert.Empty(t, bare[i].Activities)
		bare[i].Activities = shifts[i].Activities
	}
	assert.Equal(t, shifts, bare)
	few, _, err := view.Shifts(ctx, store.ShiftFilter{Roster: "draft", Range: calendar.Range{Start: hour(16), End: hour(18)}}, store.Page{})
	require.NoError(t, err)
	assert.Equal(t, slices.DeleteFunc(slices.Clone(shifts), func(s store.Shift) bool { return s.Roster != "draft" }), few, "few hours of one roster")
	assert.NotEmpty(t, few)
	shifts, _, err = view.Shifts(ctx, store.ShiftFilter{State: store.Published, Agent: "1001"}, store.Page{})
	require.NoError(t, err)
	require.Len(t, shifts, 1)
	assert.Equal(t, ids.Roster("draft"), shifts[0].Roster)
}

func testImports(t *testing.T, db *store.DB) {
	ctx := t.Context()
	i, err := db.In(everything).ImportByKey(ctx, "contacts", "sum-a")
	require.NoError(t, err)
	assert.Equal(t, store.Import{
		Batch: "i-a", Kind: "contacts", Key: "sum-a", File: "h.csv", Merchant: "a", Rows: 96, At: nowStored, Author: "system",
	}, i)
	add := func(i store.Import) error {
		return db.Change(ctx, system, now, func(tx *store.Tx) error { return tx.AddImport(i) })
	}
	codeIs(t, add(store.Import{Batch: "x", Kind: "contacts", Key: "sum-a"}), store.ErrConflict)
	require.NoError(t, add(store.Import{Batch: "x", Kind: "agents", SHA256: "sum-a"}), "another kind")
	_, err = db.In(everything).ImportByKey(ctx, "agents", "sum-a")
	require.NoError(t, err, "the key is the digest when there is none")
	assert.Error(t, add(store.Import{Kind: "agents"}))
	assert.Error(t, add(store.Import{Batch: "y", Kind: "agents", Key: "y", Rows: store.Unfinished}))
}

func testSettings(t *testing.T, db *store.DB) {
	ctx := t.Context()
	s, err := db.In(everything).Setting(ctx, "demo")
	require.NoError(t, err)
	assert.JSONEq(t, `{"loaded":true}`, string(s.Value))
	err = db.Change(ctx, system, now, func(tx *store.Tx) error {
		_, err := tx.PutSetting("demo", json.RawMessage(`{"loaded":false}`), 1)
		return err
	})
	require.NoError(t, err)
	list, _, err := db.In(everything).Settings(ctx, store.Page{})
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, 2, list[0].Version)
}

// testBadText gives both engines what only one of them would take.
func testBadText(t *testing.T, db *store.DB) {
	ctx := t.Context()
	odd := "a'b\"c\\d?e\x00f\xffg -- ; 表 😀"
	m := merchant("odd")
	m.Name = odd
	change(t, db, func(tx *store.Tx) error {
		_, err := tx.PutMerchant(m, store.AnyVersion)
		return err
	})
	got, err := db.In(everything).Merchant(ctx, "odd")
	require.NoError(t, err)
	assert.Equal(t, "a'b\"c\\d?e\x00f\uFFFDg -- ; 表 😀", got.Value.Name, "JSON keeps the zero byte and replaces what is no UTF-8")
	_, err = db.In(everything).Merchant(ctx, ids.Merchant(odd))
	codeIs(t, err, store.ErrNotFound)
	_, err = db.UserByLogin(ctx, odd)
	codeIs(t, err, store.ErrNotFound)
	_, _, err = db.BeginLogin(ctx, odd, odd, now, now, store.LoginLimits{})
	require.NoError(t, err)
	f, err := db.LoginFailures(ctx, odd, odd, now.Add(-time.Hour))
	require.NoError(t, err)
	assert.Equal(t, 1, f.Here.Count)
	change(t, db, func(tx *store.Tx) error {
		return tx.AddImport(store.Import{Batch: "odd", Kind: "contacts", Key: odd, File: odd})
	})
	_, err = db.In(everything).ImportByKey(ctx, "contacts", odd)
	require.NoError(t, err)
}

// testSnapshot proves that a Read sees one moment while others write.
func testSnapshot(t *testing.T, db *store.DB) {
	ctx := t.Context()
	err := db.Read(ctx, everything, func(v *store.View) error {
		before, _, err := v.Merchants(ctx, store.Page{})
		require.NoError(t, err)
		change(t, db, func(tx *store.Tx) error {
			_, err := tx.PutMerchant(merchant("later"), store.AnyVersion)
			return err
		})
		after, _, err := v.Merchants(ctx, store.Page{})
		require.NoError(t, err)
		assert.Equal(t, before, after)
		_, err = v.Roster(ctx, "published")
		return err
	})
	require.NoError(t, err)
	list, _, err := db.In(everything).Merchants(ctx, store.Page{})
	require.NoError(t, err)
	assert.Len(t, list, 3)
}
