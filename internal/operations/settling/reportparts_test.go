package settling_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// movedShop is a contract that begins on 5 May for the Tmall shop, goes over to the JD shop on the
// 16th and ends with the 28th, while both shops have chats all month.
func movedShop(t *testing.T) (*stack, []chatlog.Conversation) {
	t.Helper()
	s := newStack(t)
	s.ApplyContracts(t, strings.Replace(operationstest.MerchantsYAML, "  - id: orca\n    name", `      - id: lumi-jd
        name: 鹿米京东店
        platform: jd
        queues:
          - {id: lumi-jd/pre, skill: pre, channel: chat, hours: "Mon-Sun 09:00-18:00"}
  - id: orca
    name`, 1))
	s.AddPeople(t, 1001, 2, "lumi-tmall/pre")
	all := operationstest.Of(monthOfChats(), ofLumi)
	for i, day := 0, may.First(); day.MonthOf() == may; i, day = i+1, day.Add(1) {
		wait := time.Duration(5+10*(i%5)) * time.Second // 5 s to 45 s
		all = append(all, conversation("lumi-jd/pre", "jd-"+day.String(), "1002", at(day.String(), "10:00:00"), wait))
	}
	s.Ingest(t, warehouse.Batch{Conversations: all})
	s.changed(t, func(c *contracts.Contract) {
		next := c.Versions[0]
		c.Versions[0].From, c.Versions[0].Until = date("2026-05-05"), date("2026-05-16")
		next.Number, next.From, next.Until, next.Shops, next.Seats = 2, date("2026-05-16"), date("2026-05-29"), []ids.Shop{"lumi-jd"}, nil
		next.Terms = next.Terms[:1]
		c.Versions = append(c.Versions, next)
	})
	return s, all
}

func TestSLAReportCountsEachVersionsShopsOnItsDays(t *testing.T) {
	t.Parallel()
	s, all := movedShop(t)
	model, err := s.Settling.SLAReport(t.Context(), planner, "lumi-2026", may)
	ok(t, err)
	inShop := func(shop ids.Shop) func(chatlog.Conversation) bool {
		return func(c chatlog.Conversation) bool { return c.Shop == shop }
	}
	first, second := operationstest.Of(all, inShop("lumi-tmall"), onDates("2026-05-05", "2026-05-16")), operationstest.Of(all, inShop("lumi-jd"), onDates("2026-05-16", "2026-05-29"))
	counted := slices.Concat(first, second)
	require.Len(t, second, 13)
	sameFigures(t, tally(counted, 30*time.Second), model.Totals, "month")
	require.Len(t, model.Daily, 31)
	for _, d := range model.Daily {
		own := operationstest.Of(counted, onDates(d.Date.String(), d.Date.Add(1).String()))
		if len(own) > 0 {
			sameFigures(t, tally(own, 30*time.Second), d.Readings, d.Date.String())
			continue
		}
		assert.True(t, d.Date.Before(date("2026-05-05")) || !d.Date.Before(date("2026-05-29")), d.Date.String())
		for _, r := range d.Readings {
			assert.Nil(t, r.Value, "%s has no contract: %s", d.Date, r.Metric)
		}
	}
	require.Len(t, model.Agents, 2)
	for _, a := range model.Agents {
		own := operationstest.Of(counted, func(c chatlog.Conversation) bool { return c.Agent == a.Agent })
		sameFigures(t, tally(own, 30*time.Second), a.Readings, string(a.Agent))
	}
	heatIsRight(t, model, counted)
	require.Len(t, model.Lines, 4)
	for i, part := range map[int][]chatlog.Conversation{0: first, 3: second} {
		want := tally(part, 30*time.Second)["answered_within"]
		assert.Equal(t, want, parts{model.Lines[i].Reading.Numerator, model.Lines[i].Reading.Denominator})
	}
	workbookHas(t, s, exports.SLAReport{
		Contract: model.Contract, Version: model.Version, Merchant: model.Merchant, Month: model.Month, TimeZone: model.TimeZone,
		GeneratedAt: model.GeneratedAt, Within: model.Within, Lines: model.Lines[3:], Totals: model.Totals, Daily: model.Daily,
		Agents: model.Agents, Definitions: model.Definitions,
	})
}

// Where a definition changes inside a month, the month is the sum of its parts, each under the version in
// force, and names both; a term that pins a version is counted under that one on all days.
func TestSLAReportOfTwoDefinitions(t *testing.T) {
	t.Parallel()
	was, then := operationstest.HumanRounds, operationstest.HumanRounds
	was.Effective.Until, then.Effective.From, then.Version = date("2026-05-16"), date("2026-05-16"), "v2"
	rule := *operationstest.HumanRounds.Rule
	rule.Limit = 10
	then.Rule = &rule
	s := stackOn(t, enginetest.Start(t), append(operationstest.Definitions(t), was, then))
	s.ApplyContracts(t, strings.Replace(operationstest.MerchantsYAML, "          - {id: first-mean,", `          - {id: in-force, metric: human_5min, direction: at_least, target: 0.5}
          - {id: pinned, metric: human_5min, version: v1, direction: at_least, target: 0.5}
          - {id: first-mean,`, 1))
	var chats []chatlog.Conversation
	for _, day := range []string{"2026-05-10", "2026-05-20"} { // one round each of 8 s and of 50 s before and after the change
		chats = append(chats, conversation("lumi-tmall/pre", day+"-a", "1001", at(day, "10:00:00"), 8*time.Second),
			conversation("lumi-tmall/pre", day+"-b", "1001", at(day, "11:00:00"), 50*time.Second))
	}
	s.Ingest(t, warehouse.Batch{Conversations: chats})
	model, err := s.Settling.SLAReport(t.Context(), planner, "lumi-2026", may)
	ok(t, err)
	lines := map[string]exports.TermLine{}
	for _, l := range model.Lines {
		lines[l.Term.ID] = l
	}
	inForce, pinned := lines["in-force"].Reading, lines["pinned"].Reading
	assert.Equal(t, "v1+v2", inForce.Version)
	assert.Equal(t, parts{3, 4}, parts{inForce.Numerator, inForce.Denominator}, "both of the first half within 300 s, one of the second within 10 s")
	assert.Equal(t, "v1", pinned.Version)
	assert.Equal(t, parts{4, 4}, parts{pinned.Numerator, pinned.Denominator})
	for _, total := range model.Totals {
		if total.Metric == "human_5min" {
			assert.Equal(t, "v1+v2", total.Version)
			assert.Equal(t, parts{3, 4}, parts{total.Numerator, total.Denominator})
		}
	}
	var listed []string
	for _, d := range model.Definitions {
		if d.Metric == "human_5min" {
			listed = append(listed, d.Version)
		}
	}
	assert.Equal(t, []string{"v1", "v2"}, listed, "the report tells both definitions")
}

// One made-up conversation marks the month, wherever in it, but only of the contract's own shops.
func TestSLAReportSaysWhenAnythingIsSimulated(t *testing.T) {
	t.Parallel()
	s, _ := reportStack(t)
	simulated := func(id ids.Merchant) bool {
		t.Helper()
		model, err := s.Settling.SLAReport(t.Context(), planner, ids.Contract(id+"-2026"), may)
		ok(t, err)
		return model.Simulated
	}
	assert.False(t, simulated("lumi"))
	last := conversation("lumi-tmall/after", "made-up", "1001", at("2026-05-31", "23:59:59"), time.Second)
	last.Simulated = true
	next := conversation("orca-jd/pre", "made-up", "2001", at("2026-06-01", "00:00:00"), time.Second)
	next.Simulated = true
	s.Ingest(t, warehouse.Batch{Conversations: []chatlog.Conversation{last, next}})
	assert.True(t, simulated("lumi"))
	assert.False(t, simulated("orca"), "the next month's conversation marks the next month")
}

func (s *stack) monthly(t *testing.T, due string) int64 {
	t.Helper()
	rows, err := s.Settling.MonthlyReports(t.Context(), admin, at(due, "07:00:00"))
	ok(t, err)
	return rows
}

func (s *stack) kept(t *testing.T, month calendar.Month) (of []ids.Contract) {
	t.Helper()
	list, _, err := s.Settling.Reports(t.Context(), admin, operations.ReportFilter{Month: month}, operations.Page{})
	ok(t, err)
	for _, r := range list {
		of = append(of, r.Contract)
	}
	slices.Sort(of)
	return of
}

func TestMonthlyReportsAgainStoreNothingTwice(t *testing.T) {
	t.Parallel()
	s, all := reportStack(t)
	s.Ingest(t, warehouse.Batch{Conversations: []chatlog.Conversation{conversation("lumi-tmall/pre", "june", "1001", at("2026-06-01", "10:00:00"), time.Second)}})
	assert.Equal(t, int64(2), s.monthly(t, "2026-06-02"))
	s.Clock = s.Clock.Add(time.Hour)
	assert.Zero(t, s.monthly(t, "2026-06-02"))
	s.Ingest(t, warehouse.Batch{Conversations: all[:1]}) // the same again: its day is computed again
	assert.Zero(t, s.monthly(t, "2026-06-02"))
	s.Ingest(t, warehouse.Batch{Conversations: []chatlog.Conversation{conversation("lumi-tmall/pre", "late", "1001", at("2026-05-20", "10:00:00"), time.Second)}})
	assert.Equal(t, int64(1), s.monthly(t, "2026-06-02"), "late events are other figures")
	assert.Equal(t, []ids.Contract{"lumi-2026", "lumi-2026", "orca-2026"}, s.kept(t, may))
}

// The run after a contract's failure stores what is missing and nothing else.
func TestMonthlyReportsAfterAFailure(t *testing.T) {
	t.Parallel()
	s, _ := reportStack(t)
	s.changed(t, func(c *contracts.Contract) { c.Versions[0].Terms[0].Metric = "no_such_metric" })
	rows, err := s.Settling.MonthlyReports(t.Context(), admin, at("2026-06-02", "07:00:00"))
	require.Error(t, err)
	assert.Equal(t, int64(1), rows)
	s.changed(t, func(c *contracts.Contract) { c.Versions[0].Terms[0].Metric = "answered_within" })
	assert.Equal(t, int64(1), s.monthly(t, "2026-06-02"))
	assert.Equal(t, []ids.Contract{"lumi-2026", "orca-2026"}, s.kept(t, may))
}

func TestMonthlyReportsCatchUp(t *testing.T) {
	t.Parallel()
	s, _ := reportStack(t)
	s.Clock = at("2026-05-20", "10:00:00")
	_, err := s.Settling.KeepReport(t.Context(), planner, "lumi-2026", may) // of a month that is not over
	ok(t, err)
	s.Ingest(t, warehouse.Batch{Conversations: []chatlog.Conversation{conversation("lumi-tmall/pre", "last", "1001", at("2026-05-31", "20:00:00"), time.Second)}})
	s.Clock = at("2026-08-02", "10:00:00")
	assert.Equal(t, int64(2+2), s.monthly(t, "2026-08-02"), "July, and May that was missed; June had no contact")
	assert.Equal(t, []ids.Contract{"lumi-2026", "lumi-2026", "orca-2026"}, s.kept(t, may))
	assert.Empty(t, s.kept(t, may.Next()))
	assert.Zero(t, s.monthly(t, "2026-08-02"))

	s.Ingest(t, warehouse.Batch{Conversations: []chatlog.Conversation{conversation("lumi-tmall/pre", "late", "1001", at("2026-05-20", "10:00:00"), time.Second)}})
	assert.Zero(t, s.monthly(t, "2026-08-02"), "what was handed out for a month long past stays the last word")

	assert.Equal(t, int64(2), s.monthly(t, "2026-09-02"), "only August: May, four months back, is not looked at")
}
