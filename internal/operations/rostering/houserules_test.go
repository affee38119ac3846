package rostering_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/operations/requesting"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// 1001 works 9 to 18 with a meal and is to stay until 20:00: two hours of overtime. Nobody asked, so it is against
// 劳动法 §36; agreed, it is above the one hour of §41; on an agreed special date it is lawful.
func TestTheHouseSetsItsRules(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	nine := monday.In(shanghai).Add(9 * time.Hour)
	longer := []revise.Edit{{Kind: revise.Resize, Agent: "1001", Start: nine, NewStart: nine, NewEnd: nine.Add(11 * time.Hour)}}
	broken := func() (rules []string) {
		v, err := s.Rostering.JudgeEdit(t.Context(), supervisor, "week", longer)
		ok(t, err)
		for _, b := range v.Broken {
			if b.Hard {
				rules = append(rules, b.Rule)
			}
		}
		return rules
	}
	set := func(in rostering.HouseRulesInput) (rostering.HouseRules, error) {
		s.Clock = s.Clock.Add(time.Minute)
		return s.Rostering.SetHouseRules(t.Context(), planner, in)
	}
	assert.Contains(t, broken(), "hours.daily")
	_, err := s.Requesting.PutOvertimeConsent(t.Context(), supervisor, []ids.Agent{"1001"}, true)
	ok(t, err)
	assert.Equal(t, []string{"hours.overtime_daily"}, broken())
	rules, err := set(rostering.HouseRulesInput{Set: map[string]string{"special_dates": "2026-06-15:2026-06-18"}, Reason: "618大促"})
	ok(t, err)
	assert.Equal(t, 1, rules.Version)
	assert.Empty(t, broken())

	rules, err = set(rostering.HouseRulesInput{Set: map[string]string{"rest_block": "9h"}, Reason: "公司规定", Expect: 1})
	ok(t, err)
	sources := map[string]int{}
	for _, x := range rules.Settings {
		sources[x.Name] = x.Version
		if x.Version == 0 {
			assert.Equal(t, x.Default, x.Value, x.Name)
			assert.Contains(t, x.Source, "default", x.Name)
		}
	}
	assert.Equal(t, 1, sources["special_dates"])
	assert.Equal(t, 2, sources["rest_block"])
	assert.Equal(t, 0, sources["consecutive_days"])
	require.Len(t, rules.Changes, 2)
	assert.Equal(t, map[string]string{"special_dates": "2026-06-15:2026-06-18", "rest_block": "9h"}, rules.Changes[1].Values)

	_, err = set(rostering.HouseRulesInput{Set: map[string]string{"rest_block": "10h"}, Reason: "x", Expect: 1})
	_ = refused(t, err, "store.conflict")
	_, err = set(rostering.HouseRulesInput{Set: map[string]string{"rest_block": "9h"}, Reason: "x"})
	_ = refused(t, err, "house_rules.unchanged")
	e := refused(t, func() error {
		_, err := set(rostering.HouseRulesInput{Set: map[string]string{"overtime_month": "80h", "naps": "1"}, Reset: []string{"nothing"}})
		return err
	}(), "house_rules.invalid")
	assert.Len(t, e.Fields, 4, "the law relaxed, an unknown name twice, no reason: %v", e.Fields)

	rules, err = set(rostering.HouseRulesInput{Reset: []string{"special_dates"}, Reason: "大促结束", Expect: store.AnyVersion})
	ok(t, err)
	assert.Equal(t, 3, rules.Version)
	assert.Equal(t, []string{"hours.overtime_daily"}, broken())
	_, err = s.Requesting.PutOvertimeConsent(t.Context(), planner, []ids.Agent{"1001", "9999"}, false)
	_ = refused(t, err, store.ErrNotFound.Code)
	assert.Equal(t, []string{"hours.overtime_daily"}, broken(), "nothing is changed for one of them alone")
}

// A rule of the house that published shifts break names them: 1001 works Monday to Friday, so four days in a row leave
// one too many. A rule that they keep names none, and neither does going back.
func TestAChangedRuleNamesThePublishedShiftsThatBreakIt(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	set := func(in rostering.HouseRulesInput) rostering.HouseRules {
		t.Helper()
		s.Clock = s.Clock.Add(time.Minute)
		in.Reason, in.Expect = "公司规定", store.AnyVersion
		rules, err := s.Rostering.SetHouseRules(t.Context(), planner, in)
		ok(t, err)
		return rules
	}
	assert.Empty(t, set(rostering.HouseRulesInput{Set: map[string]string{"consecutive_days": "5"}}).Broken)
	broken := set(rostering.HouseRulesInput{Set: map[string]string{"consecutive_days": "4"}}).Broken
	require.Len(t, broken, 1)
	assert.Equal(t, "days.consecutive", broken[0].Rule)
	assert.Equal(t, ids.Agent("1001"), broken[0].Agent)
	assert.Len(t, broken[0].Shifts, 5)
	assert.Empty(t, set(rostering.HouseRulesInput{Reset: []string{"consecutive_days"}}).Broken)

	low := set(rostering.HouseRulesInput{Set: map[string]string{"rest_block": "1h"}})
	require.Len(t, low.Warnings, 1, "lawful, and a risk")
	assert.Contains(t, low.Warnings[0], "rest_block")
	special := set(rostering.HouseRulesInput{Set: map[string]string{"special_dates": "2026-06-15:2026-06-18"}, Reset: []string{"rest_block"}})
	require.Len(t, special.Warnings, 1)
	assert.Contains(t, special.Warnings[0], "0 of 3 have", "nobody agreed to overtime")
}

// What an older version stored and the law does not allow gives way to the default, and stands in no other change's way.
func TestAStoredRuleThatTheLawRefusesGivesWay(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	ok(t, s.DB.Change(t.Context(), admin, s.Clock, func(tx *store.Tx) error {
		values := map[string]string{"night_from": "23h", "rest_block": "9h"}
		return gate.PutRuleChanges(tx, []gate.RuleChange{{Version: 1, Author: "x", Reason: "x", Set: values, Values: values}}, store.AnyVersion)
	}))
	setting := func(rules rostering.HouseRules, name string) rostering.HouseSetting {
		for _, x := range rules.Settings {
			if x.Name == name {
				return x
			}
		}
		return rostering.HouseSetting{}
	}
	rules, err := s.Rostering.HouseRules(t.Context(), planner)
	ok(t, err)
	assert.Equal(t, "22h", setting(rules, "night_from").Value)
	assert.Contains(t, setting(rules, "night_from").Source, "23h")
	assert.Equal(t, "9h", setting(rules, "rest_block").Value)
	rules, err = s.Rostering.SetHouseRules(t.Context(), planner, rostering.HouseRulesInput{Set: map[string]string{"consecutive_days": "5"}, Reason: "x", Expect: 1})
	ok(t, err)
	assert.Equal(t, map[string]string{"rest_block": "9h", "consecutive_days": "5"}, rules.Changes[1].Values)
}

// Withdrawn consent names the overtime that is published; consent of somebody whom the law bars is kept with a note.
func TestConsentSaysWhatItDoes(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	put := func(agreed bool, agents ...ids.Agent) requesting.FactsPut {
		t.Helper()
		s.Clock = s.Clock.Add(time.Minute)
		done, err := s.Requesting.PutOvertimeConsent(t.Context(), planner, agents, agreed)
		ok(t, err)
		return done
	}
	assert.Empty(t, put(true, "1001").Notes)
	nine := monday.In(shanghai).Add(9 * time.Hour)
	_, err := s.edit(t, rostering.EditInput{Reason: "加班", Publish: true, Overrule: true, Edits: []revise.Edit{
		{Kind: revise.Resize, Agent: "1001", Start: nine, NewStart: nine, NewEnd: nine.Add(10 * time.Hour)},
	}})
	ok(t, err)
	broken := put(false, "1001", "1002").Broken
	require.NotEmpty(t, broken)
	for _, b := range broken {
		assert.Equal(t, ids.Agent("1001"), b.Agent)
		assert.True(t, b.Hard)
	}
	s.nurse(t, "1003", calendar.Dates{From: date("2026-01-01"), Until: date("2026-12-01")})
	notes := put(true, "1002", "1003").Notes
	require.Len(t, notes, 1)
	for _, part := range []string{"1003", "劳动法 §63", "2026-12-01"} {
		assert.Contains(t, notes[0], part)
	}
}

// nurse notes that an agent nurses a child.
func (s *stack) nurse(t *testing.T, id ids.Agent, dates calendar.Dates) {
	t.Helper()
	a, err := s.Administration.Agent(t.Context(), admin, id)
	ok(t, err)
	a.Value.Conditions = []workforce.Conditional{{Condition: workforce.Nursing, Dates: dates}}
	_, err = s.Administration.PutAgents(t.Context(), admin, []workforce.Agent{a.Value})
	ok(t, err)
}

// 1003 nurses, agreed to overtime, and works Tuesday to Saturday. Monday made anew for more people than there are
// would be her sixth day and make Saturday's hours overtime: nobody gives it to her, and the remake succeeds.
func TestARemadeDayKeepsThoseWhoMayNotWorkOvertime(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	s.nurse(t, "1003", calendar.Dates{From: date("2026-01-01")})
	_, err := s.Requesting.PutOvertimeConsent(t.Context(), planner, []ids.Agent{"1003"}, true)
	ok(t, err)
	first := monday.Add(7)
	span := calendar.Range{Start: first.In(shanghai), End: first.Add(7).In(shanghai)}
	need := scheduling.Requirement{Queue: "lumi-tmall/pre", Slot: time.Hour}
	for hour := 9; hour < 18; hour++ {
		need.Needs = append(need.Needs, scheduling.Need{Start: span.Start.Add(time.Duration(hour) * time.Hour), Heads: 3, Value: 500})
	}
	var shifts []scheduling.Shift
	for day := 1; day < 6; day++ {
		shifts = append(shifts, nursed("1003", first.Add(day)))
	}
	ok(t, s.DB.Change(t.Context(), admin, s.Clock, func(tx *store.Tx) error {
		if err := tx.AddPlan(store.Plan{ID: "monday", Queue: "lumi-tmall/pre", Range: span, Requirement: need}); err != nil {
			return err
		}
		_, err := tx.AddRoster(store.Roster{ID: "next", Title: "下周", Range: span, Plans: []ids.Plan{"monday"}, Shifts: shifts})
		return err
	}))
	made, err := s.Rostering.MakeRoster(t.Context(), planner, rostering.RosterInput{From: first, Days: 1, Of: "next", Iterations: 200, Threads: 1, Seed: 1})
	ok(t, err)
	working := map[ids.Agent]int{}
	for _, x := range made.Roster.Shifts {
		working[x.Agent]++
	}
	assert.Equal(t, map[ids.Agent]int{"1001": 1, "1002": 1, "1003": 5}, working)
}

// nursed is a day shift with the hour of nursing time.
func nursed(agent ids.Agent, on calendar.Date) scheduling.Shift {
	s := served(agent, on, 9)
	at := func(hour float64) time.Time { return s.Start.Add(time.Duration(hour * float64(time.Hour))) }
	s.Activities = nil
	for _, part := range []struct {
		kind        scheduling.ActivityKind
		from, until float64
	}{{"", 0, 2}, {scheduling.Break, 2, 2.5}, {"", 2.5, 4}, {scheduling.Meal, 4, 5}, {"", 5, 7}, {scheduling.Break, 7, 7.5}, {"", 7.5, 9}} {
		a := scheduling.Activity{Kind: part.kind, Start: at(part.from), End: at(part.until)}
		if part.kind == "" {
			a.Kind, a.Queue = scheduling.Work, "lumi-tmall/pre"
		}
		s.Activities = append(s.Activities, a)
	}
	return s
}

// Whoever leaves, or may not work what is published any more, leaves shifts behind that somebody must see: 1001 works
// Monday to Friday, 1002 on Monday from 14:00 to 23:00, an hour of it at night.
func TestAgentsPutNameThePublishedShiftsThatBreak(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	put := func(id ids.Agent, change func(*workforce.Agent)) (rules []string) {
		t.Helper()
		a, err := s.Administration.Agent(t.Context(), admin, id)
		ok(t, err)
		change(&a.Value)
		done, err := s.Administration.PutAgents(t.Context(), admin, []workforce.Agent{a.Value})
		ok(t, err)
		for _, b := range done.Broken {
			assert.Equal(t, id, b.Agent)
			rules = append(rules, b.Rule)
		}
		return rules
	}
	assert.Empty(t, put("1003", func(a *workforce.Agent) { a.Employed.Until = monday }), "it works nothing")
	assert.Contains(t, put("1002", func(a *workforce.Agent) {
		a.Conditions = []workforce.Conditional{{Condition: workforce.Pregnant7, Dates: calendar.Dates{From: monday}}}
	}), "protected.night")
	assert.Equal(t, []string{"fit.employed", "fit.employed"}, put("1001", func(a *workforce.Agent) { a.Employed.Until = monday.Add(3) }), "Thursday and Friday")
	assert.Equal(t, []string{"fit.employed", "fit.employed", "fit.employed"}, put("1001", func(a *workforce.Agent) { a.Employed.Until = monday }), "the other three, though nobody of that name works in these days")
}

// 1001 works from 9 to 18 on five days in a row: four nights of 15 h. With 16 h asked for each of them names the shifts
// on either side. To forbid only what is below 8 h and warn of the rest relaxes the rule, so that names nothing.
func TestARelaxedRestNamesNothing(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	set := func(in rostering.HouseRulesInput) []gate.Break {
		t.Helper()
		s.Clock = s.Clock.Add(time.Minute)
		in.Reason, in.Expect = "公司规定", store.AnyVersion
		rules, err := s.Rostering.SetHouseRules(t.Context(), planner, in)
		ok(t, err)
		return rules.Broken
	}
	broken := set(rostering.HouseRulesInput{Set: map[string]string{"rest_block": "16h", "rest_warn": "16h"}})
	require.Len(t, broken, 4)
	for i, b := range broken {
		assert.Equal(t, "rest.between_block", b.Rule)
		day := monday.Add(i).In(shanghai)
		assert.Equal(t, []calendar.Range{
			{Start: day.Add(9 * time.Hour), End: day.Add(18 * time.Hour)}, {Start: day.Add(33 * time.Hour), End: day.Add(42 * time.Hour)},
		}, inZone(b.Shifts))
	}
	assert.Empty(t, set(rostering.HouseRulesInput{Reset: []string{"rest_block"}}))
	assert.Empty(t, set(rostering.HouseRulesInput{Reset: []string{"rest_warn"}}))
	warned := set(rostering.HouseRulesInput{Set: map[string]string{"rest_warn": "16h"}})
	require.Len(t, warned, 4, "a new warning is told")
	assert.Len(t, warned[0].Shifts, 2)
	assert.Len(t, set(rostering.HouseRulesInput{Set: map[string]string{"rest_block": "16h"}}), 4, "and so is what is forbidden by now")
}

func inZone(all []calendar.Range) []calendar.Range {
	for i := range all {
		all[i] = calendar.Range{Start: all[i].Start.In(shanghai), End: all[i].End.In(shanghai)}
	}
	return all
}
