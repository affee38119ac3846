package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

func absence(id ids.Request, agent ids.Agent) leave.Request {
	return leave.Request{
		ID: id, Kind: leave.Absence, State: leave.Waiting, Agent: agent, Range: calendar.Range{Start: hour(0), End: hour(24)}, Reason: "家\x00事",
		Leave: &leave.LeaveAsk{Kind: leave.Annual},
	}
}

func entry(agent ids.Agent, source string, minutes int) leave.Entry {
	return leave.Entry{Agent: agent, Kind: leave.Annual, Lot: "2026", Good: date("2026-01-01"), Minutes: minutes, Cause: leave.Granted, On: date("2026-01-01"), Source: source}
}

func certificate(agent ids.Agent, until string) workforce.Fact {
	return workforce.Fact{Agent: agent, Kind: workforce.CertificateFact, Code: "lumi", Dates: calendar.Dates{From: date("2026-01-01"), Until: date(until)}}
}

// seedRequests leaves of each agent a request, a row of the leave ledger and a certificate.
func seedRequests(tx *store.Tx) error {
	for _, a := range []ids.Agent{"1001", "1002"} {
		if _, err := tx.AddRequest(absence("q-"+ids.Request(a), a), store.RequestStep{Action: "ask", Agent: a}); err != nil {
			return err
		}
		if _, err := tx.BookLeave([]leave.Entry{entry(a, "seed:"+string(a), 2400)}); err != nil {
			return err
		}
		if _, err := tx.PutFacts([]workforce.Fact{certificate(a, "2027-01-01")}); err != nil {
			return err
		}
	}
	return nil
}

func requestCases() map[string]scopeCase {
	type view = store.View
	return map[string]scopeCase{
		"Requests": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Requests(t.Context(), store.RequestFilter{Kind: leave.Absence}, store.Page{})
			return listed(rows, next, err, func(r store.Request) string { return string(r.Value.Agent) })
		}, []string{"1002", "1001"}},
		"Request": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(id ids.Request) (store.Request, error) { return v.Request(t.Context(), id) }, func(r store.Request) string { return string(r.Value.Agent) }, "q-1001", "q-1002")
		}, bothAgents},
		"RequestSteps": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(id ids.Request) ([]store.RequestStep, error) { return v.RequestSteps(t.Context(), id) }, func(s []store.RequestStep) string { return string(s[0].Agent) }, "q-1001", "q-1002")
		}, bothAgents},
		"LeaveEntries": {func(t *testing.T, v *view) ([]string, error) {
			all, err := store.All(func(p store.Page) ([]leave.Entry, string, error) {
				return v.LeaveEntries(t.Context(), store.LeaveFilter{Kind: leave.Annual}, p)
			})
			owners, err := listed(all, "", err, func(e leave.Entry) string { return string(e.Agent) })
			if len(owners) == 2 && owners[0] > owners[1] { // rows of one change have no order
				owners[0], owners[1] = owners[1], owners[0]
			}
			return owners, err
		}, bothAgents},
		"PastPay": {func(t *testing.T, v *view) ([]string, error) {
			rows, err := v.PastPay(t.Context(), nil)
			return listed(rows, "", err, func(p workforce.PastPay) string { return string(p.Agent) })
		}, bothAgents},
		"Facts": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Facts(t.Context(), store.FactFilter{Code: "lumi"}, store.Page{})
			return listed(rows, next, err, func(f store.Stored[workforce.Fact]) string { return string(f.Value.Agent) })
		}, bothAgents},
	}
}

// A request is changed from the version that was read, each step is a row and an audit row, and an
// agent sees what concerns it and what is open to its team.
func testRequests(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	first, err := view.Request(ctx, "q-1001")
	require.NoError(t, err)
	assert.Equal(t, "家事", first.Value.Reason)
	assert.Equal(t, nowStored, first.Value.CreatedAt)
	granted := first.Value
	granted.State, granted.Kind = leave.Approved, leave.Swap
	step := func(r leave.Request, from store.Request) error {
		return db.Change(ctx, system, now.Add(time.Minute), func(tx *store.Tx) error {
			_, err := tx.StepRequest(from, r, store.RequestStep{Action: leave.Approve, Agent: "1001", Reason: "好"})
			return err
		})
	}
	require.NoError(t, step(granted, first))
	codeIs(t, step(granted, first), store.ErrConflict)
	after, err := view.Request(ctx, "q-1001")
	require.NoError(t, err)
	assert.Equal(t, leave.Absence, after.Value.Kind, "the kind stays")
	assert.Equal(t, 2, after.Version)
	steps, err := view.RequestSteps(ctx, "q-1001")
	require.NoError(t, err)
	require.Len(t, steps, 2)
	assert.Equal(t, store.RequestStep{
		Request: "q-1001", Seq: 2, At: nowStored.Add(time.Minute), Author: "system", AuthorName: system.Name, Agent: "1001", Action: leave.Approve, From: leave.Waiting, To: leave.Approved, Reason: "好",
	}, steps[1])
	trail, _, err := view.Audit(ctx, store.AuditFilter{Kind: "request", Entity: "q-1001"}, store.Page{})
	require.NoError(t, err)
	require.Len(t, trail, 2)
	assert.Equal(t, "request.approve", trail[0].Action)
	assert.NotContains(t, string(trail[1].Detail), "家事", "the chain is never erased")

	open := leave.Request{ID: "open", Kind: leave.GiveAway, State: leave.Open, Agent: "1001", Team: "t1", Open: true, Range: calendar.Range{Start: hour(9), End: hour(17)}, ExpiresAt: hour(9)}
	others := open
	others.ID, others.Team = "others", "t9"
	everybody := open
	everybody.ID, everybody.Team = "everybody", ""
	change(t, db, func(tx *store.Tx) error {
		for _, r := range []leave.Request{open, others, everybody} {
			if _, err := tx.AddRequest(r, store.RequestStep{Action: "ask"}); err != nil {
				return err
			}
		}
		return nil
	})
	seen := func(a ids.Agent, f store.RequestFilter) (out []ids.Request) {
		rows, _, err := db.In(access.Scope{Agent: a}).Requests(ctx, f, store.Page{})
		require.NoError(t, err)
		for _, r := range rows {
			out = append(out, r.Value.ID)
		}
		return out
	}
	assert.ElementsMatch(t, []ids.Request{"open", "everybody", "q-1002"}, seen("1002", store.RequestFilter{}))
	assert.Empty(t, seen("1003", store.RequestFilter{}), "nobody we know")
	assert.ElementsMatch(t, []ids.Request{"open", "others", "everybody"}, seen("1001", store.RequestFilter{Expired: hour(9)}))
	assert.Empty(t, seen("1001", store.RequestFilter{Expired: hour(8)}))
	assert.Equal(t, []ids.Request{"q-1001"}, seen("1001", store.RequestFilter{State: leave.Approved}))
	assert.Empty(t, seen("1001", store.RequestFilter{Range: calendar.Range{Start: hour(24), End: hour(25)}}))
	codeIs(t, db.Change(ctx, system, now, func(tx *store.Tx) error {
		_, err := tx.AddRequest(absence("q-9", "nobody"), store.RequestStep{Action: "ask"})
		return err
	}), store.ErrReference)
}

// The same fact is booked once; certificates are replaced by their key.
func testLeaveLedgerAndFacts(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	var added []leave.Entry
	change(t, db, func(tx *store.Tx) (err error) {
		added, err = tx.BookLeave([]leave.Entry{entry("1001", "seed:1001", 1), entry("1001", "x", -480), entry("1001", "x", -480)})
		return err
	})
	require.Len(t, added, 1)
	rows, _, err := view.LeaveEntries(ctx, store.LeaveFilter{Agent: "1001"}, store.Page{})
	require.NoError(t, err)
	assert.Equal(t, 1920, leave.BalanceOf(rows, "1001", leave.Annual, date("2026-06-01")).Available)

	put := func(f ...workforce.Fact) (done store.PutResult) {
		change(t, db, func(tx *store.Tx) (err error) { done, err = tx.PutFacts(f); return err })
		return done
	}
	assert.Equal(t, store.PutResult{Unchanged: 1, Changed: 1}, put(certificate("1001", "2027-01-01"), certificate("1002", "2028-01-01")))
	ending, _, err := view.Facts(ctx, store.FactFilter{EndedBy: date("2027-01-01")}, store.Page{})
	require.NoError(t, err)
	require.Len(t, ending, 1)
	assert.Equal(t, ids.Agent("1001"), ending[0].Value.Agent)
	remove := func() error {
		return db.Change(ctx, system, now, func(tx *store.Tx) error { return tx.DeleteFact(ending[0].Value.ID) })
	}
	require.NoError(t, remove())
	codeIs(t, remove(), store.ErrNotFound)
}
