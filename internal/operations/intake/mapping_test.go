package intake_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

func parse(t *testing.T, text string) (intake.Mapping, error) {
	t.Helper()
	return intake.ParseMapping("m.yaml", strings.NewReader(text))
}

func TestMappingComplaints(t *testing.T) {
	cases := map[string]struct{ text, want string }{
		"unknown key":     {"kind: contacts\ncolums: {}\n", "m.yaml:2: colums: is not a known key; known are columns, constants"},
		"unknown field":   {"kind: contacts\ncolumns:\n  begin: {from: T}\n", "m.yaml:3: columns.begin: is not a field of contacts; fields are merchant"},
		"unknown in col":  {"kind: contacts\ncolumns:\n  start: {form: T}\n", "m.yaml:3: columns.start.form: is not a known key"},
		"unknown unit":    {"kind: contacts\ncolumns:\n  slot: {from: T, unit: weeks}\n", "m.yaml:3: columns.slot.unit: must be one of"},
		"no kind":         {"columns: {}\n", "kind: must be one of conversations, states, contacts, agents, events, orders, tickets, accounts"},
		"field twice":     {"kind: contacts\ncolumns:\n  start: {from: A}\n  start: {from: B}\n", "m.yaml:4: columns.start: is given twice"},
		"both":            {"kind: contacts\ncolumns:\n  slot: {from: A}\nconstants:\n  slot: 5m\n", "m.yaml:5: constants.slot: is given by columns too"},
		"zone":            {"kind: contacts\ntime_zone: Mars/Olympus\n", "m.yaml:2: time_zone: is not a time zone like Asia/Shanghai"},
		"machine's zone":  {"kind: contacts\ntime_zone: Local\n", "time_zone"},
		"encoding":        {"kind: contacts\nencoding: ebcdic\n", "m.yaml:2: encoding"},
		"no from":         {"kind: contacts\ncolumns:\n  start: {unit: s}\n", "m.yaml:3: columns.start.from: must name one header"},
		"two documents":   {"kind: contacts\n---\nkind: states\n", "m.yaml:3: a second document"},
		"list for struct": {"- kind: contacts\n", "m.yaml:1: must be a mapping"},
		"empty":           {"", "m.yaml: is empty"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := parse(t, c.text)
			require.Error(t, err)
			require.Equal(t, "intake.mapping", fault.CodeOf(err))
			require.Contains(t, err.Error(), c.want)
		})
	}
}

// Words of the file become values by map, no data becomes a default, constants are read like cells.
func TestMappingValues(t *testing.T) {
	m, err := parse(t, `
kind: conversations
time_zone: Asia/Shanghai
header_row: 2
columns:
  id: {from: 编号}
  started_at: {from: 时间, format: "02/01/2006 15:04"}
  wait: {from: 等待, unit: min}
  answered: {from: 接起, map: {Y: true, 漏: false}}
  rating: {from: 评价, map: {很满意: 5, 一般: 3}}
  channel: {from: 渠道, default: call}
constants: {merchant: m, queue: m/pre}
`)
	require.NoError(t, err)
	file := "日报,,,,,\n编号,时间,等待,接起,评价,渠道\n1,17/04/2026 09:00,1.5,Y,很满意,-\n2,17/04/2026 09:01,0,漏,--,chat\n"
	calls, _ := scanAll[chatlog.Conversation](t, intake.FromBytes("f.csv", []byte(file)), m, intake.Options{})
	start := time.Date(2026, 4, 17, 1, 0, 0, 0, time.UTC)
	five := 5
	require.Equal(t, []chatlog.Conversation{
		{
			Merchant: "m", Queue: "m/pre", ID: "1", Channel: "call", StartedAt: start, AnsweredAt: start.Add(90 * time.Second), Rating: &five,
			Rounds: []chatlog.Round{{OpenedAt: start, AnsweredAt: start.Add(90 * time.Second)}},
		},
		{Merchant: "m", Queue: "m/pre", ID: "2", Channel: "chat", StartedAt: start.Add(time.Minute)},
	}, calls)
}

func TestReadAgents(t *testing.T) {
	file := "工号,姓名,职场,班组,用工形式,入职日期,离职日期,并发数,时薪,技能,可用时段\n" +
		"a1,张三,hz,hz-1,标准工时制,2024/3/1,,3,¥28.50,m/pre:1;m/after:0.8,Mon-Sun 08:00-24:00\n" +
		"a2,李四,hz,hz-1,兼职,2025/1/15,2026/5/31,,22,m/pre,\n"
	agents, summary, err := intake.ReadAgents(context.Background(), intake.FromBytes("a.csv", []byte(file)), intake.DefaultMapping(intake.Agents), intake.Options{})
	require.NoError(t, err)
	require.Equal(t, int64(2), summary.Good)
	first := calendar.Dates{From: calendar.MakeDate(2024, 3, 1)}
	second := calendar.Dates{From: calendar.MakeDate(2025, 1, 15), Until: calendar.MakeDate(2026, 6, 1)}
	require.Equal(t, []workforce.Agent{
		{
			ID: "a1", Name: "张三", Site: "hz", Team: "hz-1", Employment: workforce.Standard, Employed: first, Concurrency: 3, Wage: money.Fen(2850),
			Skills: []workforce.Skill{{Queue: "m/pre", Dates: first, Level: 1}, {Queue: "m/after", Dates: first, Level: 0.8}}, Availability: "Mon-Sun 08:00-24:00",
		},
		{
			ID: "a2", Name: "李四", Site: "hz", Team: "hz-1", Employment: workforce.PartTime, Employed: second, Concurrency: 1, Wage: money.Yuan(22),
			Skills: []workforce.Skill{{Queue: "m/pre", Dates: second, Level: 1}},
		},
	}, agents)
}

func TestReadAgentsComplaints(t *testing.T) {
	file := "工号,姓名,职场,班组,入职日期,并发数,时薪,技能\n" +
		"a1,张三,hz,hz-1,2024-03-01,30,28.555,m/pre:9\n" +
		"a2,李四,hz,hz-1,2024-03-00,2,28,m/pre\n"
	_, _, err := intake.ReadAgents(context.Background(), intake.FromBytes("a.csv", []byte(file)), intake.DefaultMapping(intake.Agents), intake.Options{})
	require.Error(t, err)
	require.Equal(t, "agents.rows", fault.CodeOf(err))
	require.Contains(t, err.Error(), `a.csv:2: column "并发数": must be a whole number from 1 to 15 (got "30")`)
	require.Contains(t, err.Error(), `a.csv:2: column "时薪": is not an amount in yuan with at most two decimals (got "28.555")`)
	require.Contains(t, err.Error(), `a.csv:3: column "入职日期": is not a day of the calendar (got "2024-03-00")`)
}

// Exports of several shops have header rows of their own and rows of totals (import trap 6).
func TestMappingSkipsTotals(t *testing.T) {
	m, err := parse(t, `
kind: contacts
header_row: 1
data_row: 4
skip: {日期: [汇总, 同行均值]}
columns:
  start: {from: 日期}
  offered: {from: 咨询人数}
constants: {merchant: m, queue: m/pre, slot: 24h}
`)
	require.NoError(t, err)
	file := "日期,咨询人数\n(总),(人)\n店铺甲,\n2026-04-17,10\n2026-04-18,12\n汇总,22\n同行均值,40\n"
	days, summary := scanAll[chatlog.Contacts](t, intake.FromBytes("f.csv", []byte(file)), m, intake.Options{})
	require.Len(t, days, 2)
	require.Equal(t, int64(2), summary.Rows)
	require.Equal(t, 12.0, days[1].Offered)
	m.Skip = map[string][]string{"店铺": {"x"}}
	_, _, err = scanHistory(intake.FromBytes("f.csv", []byte(file)), m, intake.Options{})
	require.Equal(t, "intake.header", fault.CodeOf(err))
}
