package store_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
)

func scenario(id, name string) store.Scenario {
	return store.Scenario{
		ID: ids.Scenario(id), Name: name, Dates: calendar.Dates{From: date("2026-11-01"), Until: date("2026-11-03")}, Note: " 加人\x00 ",
		Asked: json.RawMessage(`{"level": 0.5}`), Figures: json.RawMessage(`{"hours": 2}`),
		Plans: []store.Plan{{
			Queue: "a/pre", Merchant: "a", Range: calendar.Range{Start: hour(9), End: hour(10)},
			Requirement: scheduling.Requirement{Queue: "a/pre", Slot: time.Hour, Needs: []scheduling.Need{{Start: hour(9), Heads: 2}}},
		}},
	}
}

func seedScenarios(tx *store.Tx) error {
	if _, err := tx.AddScenario(scenario("s-0", "unused")); err != nil {
		return err
	}
	_, err := tx.AddScenario(scenario("s-1", "双11/加人"))
	return err
}

// A scenario is read by id and name, never changed, promoted once, and deleted only before that.
func testScenarios(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	by := func(key string) store.Scenario {
		t.Helper()
		s, err := view.Scenario(ctx, key)
		require.NoError(t, err)
		return s
	}
	s := by("双11/加人")
	assert.Equal(t, by("s-1"), s)
	assert.Equal(t, ids.Scenario("s-1"), s.ID)
	assert.Equal(t, nowStored, s.At)
	assert.Equal(t, ids.User("system"), s.Author)
	assert.Equal(t, " 加人 ", s.Note)
	assert.JSONEq(t, `{"level":0.5}`, string(s.Asked))
	require.Len(t, s.Plans, 1)
	assert.Equal(t, 2, s.Plans[0].Requirement.Needs[0].Heads)
	assert.Nil(t, s.Promoted)
	_, err := view.Scenario(ctx, "nothing")
	codeIs(t, err, store.ErrNotFound)

	add := func(s store.Scenario) error {
		return db.Change(ctx, system, now.Add(time.Minute), func(tx *store.Tx) error { _, err := tx.AddScenario(s); return err })
	}
	codeIs(t, add(scenario("s-2", "双11/加人")), store.ErrConflict)
	codeIs(t, add(scenario("s-1", "other")), store.ErrConflict)
	bad := scenario("s-2", "two words")
	bad.Dates.Until = bad.Dates.From
	require.Len(t, fault.Of(add(bad)).Fields, 2)
	require.NoError(t, add(scenario("s-2", "second")))
	require.NoError(t, add(scenario("s-3", "s-1")), "a name may look like another's id")
	assert.Equal(t, "双11/加人", by("s-1").Name, "the id wins")

	rows, _, err := view.Scenarios(ctx, store.Page{})
	require.NoError(t, err)
	require.Len(t, rows, 4)
	assert.Equal(t, ids.Scenario("s-1"), rows[2].ID, "newest first")
	assert.Empty(t, rows[0].Plans, "lists leave the plans out")

	promote := func(id ids.Scenario) error {
		return db.Change(ctx, system, now.Add(time.Hour), func(tx *store.Tx) error {
			_, err := tx.PromoteScenario(id, "客户同意", []ids.Plan{"p-a"})
			return err
		})
	}
	require.NoError(t, promote("s-1"))
	assert.Contains(t, fault.Of(promote("s-1")).Message, "was promoted at")
	codeIs(t, promote("nothing"), store.ErrNotFound)
	require.NotNil(t, by("s-1").Promoted)
	assert.Equal(t, store.Promotion{At: nowStored.Add(time.Hour), Author: "system", AuthorName: system.Name, Reason: "客户同意", Plans: []ids.Plan{"p-a"}}, *by("s-1").Promoted)
	rows, _, err = view.Scenarios(ctx, store.Page{})
	require.NoError(t, err)
	assert.NotNil(t, rows[2].Promoted)

	remove := func(id ids.Scenario) error {
		return db.Change(ctx, system, now, func(tx *store.Tx) error { return tx.DeleteScenario(id) })
	}
	codeIs(t, remove("s-1"), store.ErrConflict)
	require.NoError(t, remove("s-2"))
	codeIs(t, remove("s-2"), store.ErrNotFound)
	require.NoError(t, add(scenario("s-4", "second")), "the name is free again")
	trail, _, err := view.Audit(ctx, store.AuditFilter{Kind: "scenario"}, store.Page{})
	require.NoError(t, err)
	var actions []string
	for _, e := range trail {
		actions = append(actions, e.Action)
	}
	assert.ElementsMatch(t, []string{"scenario.add", "scenario.add", "scenario.add", "scenario.add", "scenario.add", "scenario.promote", "scenario.delete"}, actions)
}
