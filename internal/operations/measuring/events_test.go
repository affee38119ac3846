package measuring_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// eventLine is one canonical event of lumi's pre-sale queue at a time of 4 May 2026.
func eventLine(conversation, id, clock, kind, rest string) string {
	at := at("2026-05-04", clock).Format(time.RFC3339)
	return fmt.Sprintf(`{"merchant":"lumi","shop":"lumi-tmall","queue":"lumi-tmall/pre","conversation":%q,"id":%q,"at":%q,"kind":%q%s}`+"\n",
		conversation, id, at, kind, rest)
}

// twoTalks: in c1 the buyer waits 10 s for an account's reply, in c2 nobody has replied so far.
var twoTalks = eventLine("c1", "m1", "10:00:00", "buyer", `,"buyer":"张三"`) +
	eventLine("c1", "m2", "10:00:10", "agent", `,"account":"鹿米:小鹿"`) +
	eventLine("c2", "m1", "10:05:00", "buyer", `,"buyer":"李四"`)

func eventsFile(text string) measuring.ImportInput {
	return measuring.ImportInput{Source: operationstest.FileOf("events.ndjson", text), Mapping: operations.DefaultMapping(operations.ImportEvents)}
}

func (s *stack) stream(t *testing.T, text string) measuring.Streamed {
	t.Helper()
	done, err := s.Measuring.Stream(t.Context(), planner, "test", strings.NewReader(text))
	ok(t, err)
	_, err = s.Measuring.CheckRollups(t.Context(), admin, s.Clock)
	ok(t, err)
	return done
}

// assign says who uses the account 鹿米:小鹿 on 4 May.
func (s *stack) assign(t *testing.T, agent ids.Agent) {
	t.Helper()
	_, err := s.Administration.PutAccounts(t.Context(), planner, []chatlog.Assignment{{
		Platform: "tmall", Shop: "lumi-tmall", Account: "鹿米:小鹿", Agent: agent, From: at("2026-05-04", "00:00:00"), Until: at("2026-05-05", "00:00:00"),
	}})
	ok(t, err)
}

func (s *stack) unassign(t *testing.T) {
	t.Helper()
	all, _, err := s.Administration.Accounts(t.Context(), admin, operations.AccountFilter{}, operations.Page{})
	ok(t, err)
	for _, a := range all {
		ok(t, s.Administration.DeleteAccount(t.Context(), planner, a.ID))
	}
}

// handled counts by agent.
func (s *stack) handled(t *testing.T) map[ids.Agent]float64 {
	t.Helper()
	got, err := s.Measuring.Figures(t.Context(), admin, kpi.Query{
		Metrics: []kpi.Metric{"handled"}, By: []kpi.Dimension{kpi.ByAgent}, Grain: kpi.Whole, Range: may.Range(shanghai),
	})
	ok(t, err)
	by := map[ids.Agent]float64{}
	for _, r := range got {
		by[r.Agent] = r.Numerator
	}
	return by
}

func newEventStack(t *testing.T) *stack {
	t.Helper()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.AddPeople(t, 1001, 2, "lumi-tmall/pre")
	return s
}

// A late reply of a day that is past re-opens its conversation: the day's figure follows. The same
// file again changes nothing, and parts in another order give the same figures.
func TestLateEventsReopenWhatTheyTouch(t *testing.T) {
	t.Parallel()
	s := newEventStack(t)
	share := func() (numerator, denominator float64) {
		r := s.figure(t, "answered_within")
		return r.Numerator, r.Denominator
	}
	done, err := s.Measuring.Import(t.Context(), planner, eventsFile(twoTalks))
	ok(t, err)
	assert.Equal(t, int64(3), done.Import.Rows)
	n, _ := share()
	assert.InDelta(t, 1, n, 0, "c1 was answered after 10 s")
	offered := s.figure(t, "offered").Numerator
	assert.InDelta(t, 2, offered, 0)

	late := eventLine("c2", "m2", "10:05:20", "agent", `,"agent":"1002"`)
	_, err = s.Measuring.Import(t.Context(), planner, eventsFile(late))
	ok(t, err)
	n, d := share()
	assert.InDelta(t, 2, n, 0, "c2 turns out to have been answered after 20 s")
	assert.InDelta(t, 2, d, 0)
	assert.InDelta(t, 15, *s.figure(t, "first_response").Value, 0, "(10 + 20) / 2")

	again, err := s.Measuring.Import(t.Context(), planner, eventsFile(late))
	ok(t, err)
	assert.True(t, again.Already)
	n, _ = share()
	assert.InDelta(t, 2, n, 0)

	lines := strings.SplitAfter(strings.TrimSuffix(twoTalks+late, "\n"), "\n")
	lines[len(lines)-1] += "\n"
	slices.Reverse(lines)
	other := newEventStack(t)
	for _, line := range lines {
		assert.Equal(t, int64(1), other.stream(t, line).Rows)
	}
	assert.Equal(t, s.figure(t, "answered_within"), other.figure(t, "answered_within"))
	assert.Equal(t, s.figure(t, "first_response"), other.figure(t, "first_response"))
}

// A file of events names accounts; who used them is asked of the dated assignments. After an
// assignment was corrected the same file is imported again and counts for the other person.
func TestCorrectedAssignmentAttributesAgain(t *testing.T) {
	t.Parallel()
	s := newEventStack(t)
	s.assign(t, "1001")
	_, err := s.Measuring.Import(t.Context(), planner, eventsFile(twoTalks))
	ok(t, err)
	assert.Equal(t, float64(1), s.handled(t)["1001"])
	again, err := s.Measuring.Import(t.Context(), planner, eventsFile(twoTalks))
	ok(t, err)
	assert.True(t, again.Already)

	s.unassign(t)
	s.assign(t, "1002")
	again, err = s.Measuring.Import(t.Context(), planner, eventsFile(twoTalks))
	ok(t, err)
	assert.False(t, again.Already, "it is another import now")
	assert.Equal(t, float64(1), s.handled(t)["1002"])
	assert.Zero(t, s.handled(t)["1001"])

	// The same by the machine door.
	assert.Zero(t, s.stream(t, twoTalks).Duplicates)
	assert.Equal(t, int64(3), s.stream(t, twoTalks).Duplicates, "the same content again")
	s.unassign(t)
	s.assign(t, "1001")
	assert.Zero(t, s.stream(t, twoTalks).Duplicates)
	assert.Equal(t, float64(1), s.handled(t)["1001"])

	// Two people at once: the line waits until somebody says who it was.
	_, err = s.Administration.PutAccounts(t.Context(), planner, []chatlog.Assignment{
		{Platform: "tmall", Shop: "lumi-tmall", Account: "鹿米:小鹿", Agent: "1002", From: at("2026-05-04", "08:00:00"), Until: at("2026-05-04", "20:00:00")},
	})
	ok(t, err)
	done := s.stream(t, twoTalks)
	assert.Equal(t, int64(2), done.Rows)
	assert.Equal(t, int64(1), done.Quarantined)
	require.Len(t, done.Problems, 1)
	assert.Contains(t, done.Problems[0].Problem, "1002")
}

// Bad lines go to the quarantine with their reason, whatever is wrong with them, and the rest lands.
func TestStreamTakesEverythingButTheBad(t *testing.T) {
	t.Parallel()
	s := newEventStack(t)
	future := fmt.Sprintf(`{"merchant":"lumi","shop":"lumi-tmall","queue":"lumi-tmall/pre","conversation":"f","id":"f","at":%q,"kind":"buyer"}`+"\n",
		s.Clock.Add(time.Hour).Format(time.RFC3339))
	nowhere := strings.ReplaceAll(eventLine("c3", "m1", "11:00:00", "buyer", `,"buyer":"王五","text":"我的地址是合肥"`), "lumi-tmall/pre", "lumi-tmall/night")
	text := twoTalks + future + "no json\n" + nowhere + eventLine("c4", "m1", "11:05:00", "buyer", "")
	done := s.stream(t, text)
	assert.Equal(t, measuring.Streamed{
		Lines: 7, Rows: 4, Batches: 1, Events: 4, Refused: 3, Quarantined: 3, Problems: done.Problems,
	}, done)
	rows := map[int]string{}
	for _, p := range done.Problems {
		rows[p.Row] = p.Path
	}
	assert.Equal(t, map[int]string{4: "at", 5: "", 6: "queue"}, rows)
	list := func() (out []store.Quarantined) {
		out, _, err := s.Measuring.Quarantine(t.Context(), planner, operations.QuarantineFilter{State: operations.QuarantineWaiting}, operations.Page{})
		ok(t, err)
		slices.SortFunc(out, func(a, b store.Quarantined) int { return int(a.Line - b.Line) })
		return out
	}
	lines := list()
	require.Len(t, lines, 3)
	assert.Equal(t, "no json", string(lines[1].Text))
	assert.Equal(t, ids.Merchant("lumi"), lines[2].Merchant)
	assert.NotContains(t, string(lines[2].Text), "合肥", "texts may not be kept, not even here")
	assert.NotContains(t, string(lines[2].Text), "王五")
	assert.Contains(t, lines[2].Reason, "no queue we know")

	again := s.stream(t, text)
	assert.Equal(t, int64(4), again.Duplicates)
	assert.Equal(t, int64(3), again.Refused)
	assert.Zero(t, again.Quarantined, "they are there already")
	assert.Len(t, list(), 3)

	// Nothing is fixed, so everything is refused again.
	tried, err := s.Measuring.RetryQuarantined(t.Context(), planner, nil, operations.QuarantineFilter{})
	ok(t, err)
	assert.Equal(t, int64(3), tried.Refused)
	assert.Zero(t, tried.Landed)

	// The hour has come, and the queue is in the contract file.
	s.Clock = s.Clock.Add(2 * time.Hour)
	s.ApplyContracts(t, strings.Replace(operationstest.MerchantsYAML, "          - {id: lumi-tmall/after",
		"          - {id: lumi-tmall/night, skill: pre, channel: chat, hours: \"Mon-Sun 00:00-09:00\"}\n          - {id: lumi-tmall/after", 1))
	ok(t, s.Measuring.DropQuarantined(t.Context(), planner, lines[1].ID, "测试数据"))
	tried, err = s.Measuring.RetryQuarantined(t.Context(), planner, []string{lines[2].ID}, operations.QuarantineFilter{})
	ok(t, err)
	assert.Equal(t, int64(1), tried.Landed)
	tried, err = s.Measuring.RetryQuarantined(t.Context(), planner, nil, operations.QuarantineFilter{})
	ok(t, err)
	assert.Equal(t, measuring.Retried{Landed: 1}, tried)
	assert.Empty(t, list())
	_, err = s.Measuring.RetryQuarantined(t.Context(), planner, []string{lines[1].ID}, operations.QuarantineFilter{})
	_ = refused(t, err, "store.conflict")
	_, err = s.Measuring.CheckRollups(t.Context(), admin, s.Clock)
	ok(t, err)
	assert.InDelta(t, 4, s.figure(t, "offered").Numerator, 0, "c1 to c4")
	audit, _, err := s.Administration.Audit(t.Context(), admin, operations.AuditFilter{Kind: "quarantine"}, operations.Page{})
	ok(t, err)
	actions := map[string]int{}
	for _, a := range audit {
		actions[a.Action]++
	}
	assert.Equal(t, 2, actions["quarantine.landed"])
	assert.Equal(t, 1, actions["quarantine.dropped"])
}

// A line about a merchant we do not know keeps neither buyer nor text, so it cannot be tried again:
// it is sent again once the merchant is known.
func TestQuarantineKeepsNoNames(t *testing.T) {
	t.Parallel()
	s := newEventStack(t)
	foreign := strings.ReplaceAll(eventLine("c9", "m1", "11:00:00", "buyer", `,"buyer":"王五","text":"我的地址"`), "lumi", "other")
	assert.Equal(t, int64(1), s.stream(t, foreign).Quarantined)
	lines, _, err := s.Measuring.Quarantine(t.Context(), admin, operations.QuarantineFilter{}, operations.Page{})
	ok(t, err)
	require.Len(t, lines, 1)
	for merchant, want := range map[ids.Merchant]int{"other": 1, "orca": 0} {
		some, _, err := s.Measuring.Quarantine(t.Context(), admin, operations.QuarantineFilter{Merchant: merchant}, operations.Page{})
		ok(t, err)
		assert.Len(t, some, want, "a line that names %s, whom nobody entered or who has none", merchant)
	}
	_, _, err = s.Measuring.Quarantine(t.Context(), admin, operations.QuarantineFilter{Merchant: "othr"}, operations.Page{})
	_ = refused(t, err, "store.not_found")
	assert.NotContains(t, string(lines[0].Text), "王五")
	assert.NotContains(t, string(lines[0].Text), "我的地址")
	assert.True(t, lines[0].Cut())
	tried, err := s.Measuring.RetryQuarantined(t.Context(), admin, nil, operations.QuarantineFilter{})
	ok(t, err)
	assert.Equal(t, measuring.Retried{Cut: 1}, tried)
}

// One buyer is one, whether a name comes in a file or by the machine door, or comes hashed already.
func TestBuyersAreHashedAlikeAtEveryDoor(t *testing.T) {
	t.Parallel()
	s := newEventStack(t)
	s.stream(t, eventLine("c1", "m1", "10:00:00", "buyer", `,"buyer":"张三"`))
	_, err := s.Measuring.Import(t.Context(), planner, eventsFile(eventLine("c2", "m1", "10:00:00", "buyer", `,"buyer":"张三"`)))
	ok(t, err)
	_, err = s.Measuring.Import(t.Context(), planner, chats("merchant,shop,queue,id,channel,agent,buyer,started_at,answered,wait,handle_time\n"+
		"lumi,lumi-tmall,lumi-tmall/pre,c3,chat,1001,张三,2026-05-04 10:00:00,Y,10,120\n"))
	ok(t, err)
	list, _, err := s.Warehouse.In(warehouse.Scope{Everything: true}).Timelines(t.Context(), warehouse.Filter{Range: calendar.Day(date("2026-05-04"), shanghai)}, "", 10)
	ok(t, err)
	require.Len(t, list, 3)
	hashed := list[0].Buyer
	assert.Len(t, hashed, 32)
	for _, c := range list {
		assert.Equal(t, hashed, c.Buyer)
	}
	s.stream(t, eventLine("c4", "m1", "10:00:00", "buyer", `,"buyer":"`+hashed+`"`))
	list, _, err = s.Warehouse.In(warehouse.Scope{Everything: true}).Timelines(t.Context(), warehouse.Filter{Range: calendar.Day(date("2026-05-04"), shanghai)}, "", 10)
	ok(t, err)
	require.Len(t, list, 4)
	for _, c := range list {
		assert.Equal(t, hashed, c.Buyer)
	}
}

// Orders, tickets and accounts come as files too.
func TestImportOrdersTicketsAndAccounts(t *testing.T) {
	t.Parallel()
	s := newEventStack(t)
	bring := func(kind operations.ImportKind, name, text string) measuring.Imported {
		done, err := s.Measuring.Import(t.Context(), planner, measuring.ImportInput{Source: operationstest.FileOf(name, text), Mapping: operations.DefaultMapping(kind)})
		ok(t, err)
		return done
	}
	accounts := "平台,店铺,子账号,工号,开始日期,结束日期\ntmall,lumi-tmall,鹿米:小鹿,1001,2026-05-01,2026-05-03\ntmall,lumi-tmall,鹿米:小鹿,1002,2026-05-04,\n"
	done := bring(operations.ImportAccounts, "accounts.csv", accounts)
	assert.Equal(t, &operations.PutResult{Added: 2}, done.Accounts)
	assert.True(t, bring(operations.ImportAccounts, "accounts.csv", accounts).Already)

	bring(operations.ImportOrders, "orders.csv", "商家,店铺,买家,订单号,步骤,时间,客服账号,队列,金额\n"+
		"lumi,lumi-tmall,张三,,询单,2026-05-04 10:00:00,鹿米:小鹿,lumi-tmall/pre,\n"+
		"lumi,lumi-tmall,张三,o1,付款,2026-05-04 11:00:00,,,128.50\n")
	orders, err := s.Warehouse.In(warehouse.Scope{Everything: true}).OrderEvents(t.Context(), warehouse.Filter{Range: may.Range(shanghai)})
	ok(t, err)
	require.Len(t, orders, 2)
	byKind := map[chatlog.OrderKind]chatlog.OrderEvent{}
	for _, o := range orders {
		byKind[o.Kind] = o
	}
	assert.Equal(t, ids.Agent("1002"), byKind[chatlog.Inquiry].Agent, "by the assignment of the day")
	assert.EqualValues(t, 12850, byKind[chatlog.Paid].Amount)
	assert.Equal(t, byKind[chatlog.Inquiry].Buyer, byKind[chatlog.Paid].Buyer)

	bring(operations.ImportTickets, "tickets.csv", "商家,店铺,队列,工单号,标签,创建时间,完成时间\nlumi,lumi-tmall,lumi-tmall/after,t1,催发货,2026-05-04 10:00:00,2026-05-04 12:00:00\n")
	tickets, err := s.Warehouse.In(warehouse.Scope{Everything: true}).Tickets(t.Context(), warehouse.Filter{Range: may.Range(shanghai)})
	ok(t, err)
	require.Len(t, tickets, 1)
	assert.Equal(t, 2*time.Hour, tickets[0].ClosedAt.Sub(tickets[0].OpenedAt))

	_, err = s.Administration.PutAccounts(t.Context(), planner, []chatlog.Assignment{{Platform: "jd", Shop: "lumi-tmall", Account: "x", Agent: "1001", From: s.Clock}})
	e := refused(t, err, "assignment.invalid")
	assert.Contains(t, e.Fields[0].Problem, "is on tmall")
}

// A stream while the engine is down is an error that says when to come again, and coming again is
// exactly once.
func TestStreamWhileTheEngineIsDown(t *testing.T) {
	t.Parallel()
	s := newEventStack(t)
	s.SetEngine(false)
	_, err := s.Measuring.Stream(t.Context(), planner, "test", strings.NewReader(twoTalks))
	e := refused(t, err, "warehouse.down")
	assert.Equal(t, fault.Unavailable, e.Kind)
	s.SetEngine(true)
	assert.Equal(t, int64(3), s.stream(t, twoTalks).Rows)
	assert.InDelta(t, 2, s.figure(t, "offered").Numerator, 0)
}

// Without a key of its buyers a stream is not taken in, as with files.
func TestStreamNeedsTheKeyOfItsBuyers(t *testing.T) {
	t.Parallel()
	s := newEventStack(t)
	ok(t, s.DB.Change(t.Context(), admin, s.Clock, func(tx *store.Tx) error {
		_, err := tx.PutSetting("buyer-key:lumi", json.RawMessage(`"no key"`), store.NewOnly)
		return err
	}))
	_, err := s.Measuring.Stream(t.Context(), planner, "test", strings.NewReader(twoTalks))
	_ = refused(t, err, "import.buyer_key")
}

// Rows of agents that nobody has entered are taken, and named: people are often entered late, and staff
// numbers misspelt.
func TestUnknownAgentsAreNamed(t *testing.T) {
	t.Parallel()
	s := newEventStack(t)
	text := eventLine("c1", "m1", "10:00:00", "buyer", "") + eventLine("c1", "m2", "10:00:10", "agent", `,"agent":"1001"`) +
		eventLine("c1", "m3", "10:00:20", "agent", `,"agent":"NOPE"`) + eventLine("c1", "m4", "10:00:30", "agent", `,"agent":"NOPE"`)
	want := []measuring.AgentRows{{Agent: "NOPE", Rows: 2}}
	done, err := s.Measuring.Import(t.Context(), planner, eventsFile(text))
	ok(t, err)
	assert.Equal(t, []any{int64(4), want}, []any{done.Import.Rows, done.Unknown})
	streamed := s.stream(t, text)
	assert.Equal(t, []any{int64(4), want}, []any{streamed.Rows, streamed.Unknown})
	s.AddPeople(t, 1003, 1, "lumi-tmall/pre")
	assert.Empty(t, s.stream(t, eventLine("c1", "m5", "10:00:40", "agent", `,"agent":"1003"`)).Unknown)
}

// Everything that is wrong with a file of assignments is said at once, by row; two people on one account at
// once are taken and told.
func TestAccountsFileIsJudgedAsAWhole(t *testing.T) {
	t.Parallel()
	s := newEventStack(t)
	file := func(rows ...string) measuring.ImportInput {
		return measuring.ImportInput{
			Source:  operationstest.FileOf("acc.csv", "平台,店铺,子账号,工号,开始日期\n"+strings.Join(rows, "\n")+"\n"),
			Mapping: operations.DefaultMapping(operations.ImportAccounts),
		}
	}
	_, err := s.Measuring.Import(t.Context(), planner, file("tmall,lumi-tmall,a,1001,2026-01-01", "jd,lumi-tmall,b,1001,2026-01-01", "tmall,nosuch,c,1001,2026-01-01", "tmall,lumi-tmall,d,NOPE,2026-01-01"))
	var said []string
	for _, f := range refused(t, err, "assignment.invalid").Fields {
		said = append(said, fmt.Sprintf("%s:%d %s=%s", f.File, f.Row, f.Column, f.Value))
	}
	assert.Equal(t, []string{"acc.csv:3 platform=jd", "acc.csv:4 shop=nosuch", "acc.csv:5 agent=NOPE"}, said)

	done, err := s.Measuring.Import(t.Context(), planner, file("tmall,lumi-tmall,a,1001,2026-01-01", "tmall,lumi-tmall,a,1002,2026-03-01"))
	ok(t, err)
	require.Len(t, done.Notes, 1)
	assert.Contains(t, done.Notes[0], "a of lumi-tmall is used by 1001 and 1002 at once from 2026-02-28T16:00:00Z")
}
