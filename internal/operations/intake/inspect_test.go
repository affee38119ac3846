package intake_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/chatlog/platformfile"
)

func inspect(t *testing.T, src intake.Source, o intake.InspectOptions) intake.Inspection {
	t.Helper()
	found, err := intake.Inspect(t.Context(), src, o)
	require.NoError(t, err)
	return found
}

// fields are the guesses by header.
func fields(found intake.Inspection) map[string]string {
	out := map[string]string{}
	for _, c := range found.Columns {
		out[c.Header] = c.Field
	}
	return out
}

// saved is the mapping as the import reads it from the file that inspect writes.
func saved(t *testing.T, found intake.Inspection) intake.Mapping {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, found.Mapping.Save(&out, found.Doubts))
	m, err := intake.ParseMapping("saved.yaml", &out)
	require.NoError(t, err, out.String())
	return m
}

const callLog = `Call Id,Agent,Date,Time,Topic,Answered (Y/N),Resolved,Speed of answer in seconds,AvgTalkDuration,Satisfaction rating
ID0001,Diane,2021-01-01,09:12:58,Contract related,Y,Y,109,0:02:23,3
ID0002,Becky,2021-01-01,09:12:58,Technical Support,Y,N,70,0:04:02,3
ID0003,Stewart,2021-01-01,09:47:31,Contract related,Y,Y,10,0:02:11,3
ID0004,Greg,2021-01-01,09:47:31,Contract related,N,N,NA,NA,NA
`

// A call log of headers we do not ship: what inspect saves imports as it is, once the queue is named.
func TestInspectCallLogAndImportIt(t *testing.T) {
	src := intake.FromBytes("calls.csv", []byte(callLog))
	found := inspect(t, src, intake.InspectOptions{Constants: map[string]string{"merchant": "m", "shop": "s", "queue": "q"}})
	assert.Equal(t, intake.Conversations, found.Kind)
	assert.Equal(t, map[string]string{
		"Call Id": "id", "Agent": "agent", "Date": "started_at", "Time": "started_at", "Topic": "", "Answered (Y/N)": "answered", "Resolved": "resolved",
		"Speed of answer in seconds": "wait", "AvgTalkDuration": "handle_time", "Satisfaction rating": "rating",
	}, fields(found))
	assert.Empty(t, found.Missing)
	assert.Contains(t, strings.Join(found.Doubts, "\n"), "nothing gives channel: call is assumed")
	m := saved(t, found)
	assert.Equal(t, chatlog.Call, m.Constants["channel"])
	var got []chatlog.Conversation
	_, err := intake.Scan(t.Context(), src, m, func(b []chatlog.Conversation) error { got = append(got, b...); return nil }, intake.Options{Zone: beijing})
	require.NoError(t, err)
	require.Len(t, got, 4)
	assert.Equal(t, 109.0, got[0].AnsweredAt.Sub(got[0].StartedAt).Seconds())
	assert.Equal(t, 143.0, got[0].HandleTime.Seconds())
	assert.Equal(t, "2021-01-01T01:12:58Z", got[0].StartedAt.Format("2006-01-02T15:04:05Z07:00"))
	assert.True(t, got[3].AnsweredAt.IsZero())
	assert.Len(t, got[0].Rounds, 1, "a call has its round")

	// Without the constants the file is saved with a gap that an import refuses by name.
	bare := inspect(t, src, intake.InspectOptions{})
	assert.ElementsMatch(t, []string{"merchant", "queue"}, bare.Missing)
	assert.Equal(t, intake.ToBeNamed, saved(t, bare).Constants["queue"])
}

// The real file that the sample above is cut from, with Excel's dates and times.
func TestInspectRealCallLog(t *testing.T) {
	src := sharedFile(t, "call_log/call_center_dataset.xlsx")
	found := inspect(t, src, intake.InspectOptions{Constants: map[string]string{"merchant": "m", "shop": "s", "queue": "q", "channel": "call"}})
	m := saved(t, found)
	n := 0
	_, err := intake.Scan(t.Context(), src, m, func(b []chatlog.Conversation) error { n += len(b); return nil }, intake.Options{Zone: beijing})
	require.NoError(t, err)
	assert.Equal(t, 5000, n)
}

func TestInspectContactHistory(t *testing.T) {
	src := intake.FromBytes("h.csv", []byte("DateTime;Calls\n2003-03-03 07:00:00;111\n2003-03-03 07:05:00;113\n2003-03-03 07:10:00;76\n"))
	found := inspect(t, src, intake.InspectOptions{Kind: intake.History, Constants: map[string]string{"merchant": "m", "queue": "q"}})
	assert.Equal(t, map[string]string{"DateTime": "start", "Calls": "offered"}, fields(found))
	m := saved(t, found)
	assert.Equal(t, "5m", m.Constants["slot"])
	var got []chatlog.Contacts
	_, err := intake.Scan(t.Context(), src, m, func(b []chatlog.Contacts) error { got = append(got, b...); return nil }, intake.Options{Zone: beijing})
	require.NoError(t, err)
	assert.Len(t, got, 3)
}

// A slot keeps the zero that its minutes end with.
func TestInspectNamesSlots(t *testing.T) {
	for second, want := range map[string]string{
		"2026-03-03 07:05": "5m", "2026-03-03 07:10": "10m", "2026-03-03 07:15": "15m", "2026-03-03 07:20": "20m",
		"2026-03-03 07:30": "30m", "2026-03-03 08:00": "1h", "2026-03-03 08:30": "1h30m", "2026-03-03 17:00": "10h", "2026-03-04 07:00": "24h",
	} {
		src := intake.FromBytes("h.csv", []byte("DateTime;Calls\n2026-03-03 07:00;111\n"+second+";113\n"))
		found := inspect(t, src, intake.InspectOptions{Kind: intake.History, Constants: map[string]string{"merchant": "m", "queue": "q"}})
		assert.Equal(t, want, saved(t, found).Constants["slot"])
		assert.Contains(t, strings.Join(found.Doubts, "\n"), "the slots seem to be "+want+" long")
	}
}

// Headers that say nothing: values alone give a weak guess and a doubt.
func TestInspectGuessesByValuesAlone(t *testing.T) {
	src := intake.FromBytes("h.csv", []byte("arrival_1h,n\n2014-04-01T00:00:00Z,12\n2014-04-01T01:00:00Z,5\n"))
	found := inspect(t, src, intake.InspectOptions{Constants: map[string]string{"merchant": "m", "queue": "q"}})
	assert.Equal(t, intake.History, found.Kind)
	assert.Equal(t, map[string]string{"arrival_1h": "start", "n": "offered"}, fields(found))
	assert.Less(t, found.Columns[0].Confidence, 0.5)
	assert.Contains(t, doubtsOf(found, "n"), "values alone")
	assert.Equal(t, "1h", saved(t, found).Constants["slot"])
}

// A GBK chat log with tabs: encoding and delimiter are found and written down.
func TestInspectGBKChatLogAndImportIt(t *testing.T) {
	text := "会话ID\t时间\t发送方\t客服账号\t买家\t消息内容\nc1\t2026-04-16 10:00:00\t买家\t\t甲\t在吗\nc1\t2026-04-16 10:00:20\t客服\t店:小美\t甲\t在的\n"
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(text)
	require.NoError(t, err)
	src := intake.FromBytes("chat.txt", []byte(gbk))
	found := inspect(t, src, intake.InspectOptions{Constants: map[string]string{"merchant": "m", "shop": "s", "queue": "q"}})
	assert.Equal(t, intake.Events, found.Kind)
	assert.Equal(t, []string{"gb18030", "\t"}, []string{found.Layout.Encoding, found.Layout.Delimiter})
	assert.Equal(t, map[string]string{"会话ID": "conversation", "时间": "at", "发送方": "kind", "客服账号": "account", "买家": "buyer", "消息内容": "text"}, fields(found))
	m := saved(t, found)
	var got []chatlog.Event
	_, err = intake.Scan(t.Context(), src, m, func(b []chatlog.Event) error { got = append(got, b...); return nil }, intake.Options{
		Zone: beijing, HashBuyer: func(_, b string) string { return b },
	})
	require.NoError(t, err)
	require.Len(t, got, 2)
	assert.Equal(t, []chatlog.EventKind{chatlog.BuyerMessage, chatlog.AgentMessage}, []chatlog.EventKind{got[0].Kind, got[1].Kind})
}

func TestInspectPlatformFile(t *testing.T) {
	found := inspect(t, sample(t, "pdd_sales.xlsx"), intake.InspectOptions{})
	require.NotNil(t, found.Platform)
	assert.Equal(t, "pdd.sales", found.Platform.Format)
	assert.True(t, found.Layout.Old)
	require.NotNil(t, found.Platform.Summary)
	assert.Equal(t, 12, found.Platform.Summary.Figures)
	assert.Equal(t, "inquiry_buyers", found.Columns[2].Item)
	assert.Equal(t, []string{"200", "250"}, found.Columns[2].Samples)
	assert.Empty(t, found.Mapping.Kind, "it needs no mapping")

	// One that cannot be imported as it is says why.
	found = inspect(t, sample(t, "tmall_overview_2026-04-16.xlsx"), intake.InspectOptions{})
	require.NotNil(t, found.Platform)
	assert.Contains(t, found.Platform.Problem, "--date")
	found = inspect(t, sample(t, "tmall_overview_2026-04-16.xlsx"), intake.InspectOptions{Platform: platformfile.Options{FileDate: platformfile.DateInName("x_2026-04-16")}})
	assert.Empty(t, found.Platform.Problem)
}

// Two columns of a file of daily figures are read as a contact history for want of better, and an agents file may bear the
// name of a platform file: the guess stays one, and says what else it may be.
func TestInspectDoubtsWhatMayBeAPlatformFile(t *testing.T) {
	doubts := func(name, text string) (intake.Inspection, string) {
		found := inspect(t, intake.FromBytes(name, []byte(text)), intake.InspectOptions{})
		require.Nil(t, found.Platform)
		return found, strings.Join(found.Doubts, "\n")
	}
	for _, column := range []string{"售前接待人数", "出库人数", "咨询量"} {
		found, says := doubts("jd.csv", "日期,"+column+"\n2026-04-15,200\n2026-04-16,180\n")
		assert.Equal(t, intake.History, found.Kind)
		assert.Contains(t, says, "it may be a part of the platform file jd", column)
	}
	_, says := doubts("jd.csv", "客服账号,接待量\njd_01,98\njd_02,97\n")
	assert.Contains(t, says, "it may be the platform file jd 服务工作量")

	const agents = "工号,姓名,班组,用工形式,入职日期,时薪\n1001,张三,t1,standard,2026-01-01,30\n"
	found, says := doubts("京东_客服管家_销售绩效_2026-04.csv", agents)
	assert.Equal(t, intake.Agents, found.Kind)
	assert.Contains(t, says, "its name is that of the platform file jd 销售绩效")

	// What is plainly itself is not doubted.
	_, says = doubts("agents.csv", agents)
	assert.NotContains(t, says, "platform file")
	_, says = doubts("volume.csv", "时间,队列,咨询量\n2026-04-15 09:00,q,20\n2026-04-15 09:15,q,18\n")
	assert.NotContains(t, says, "platform file")
	_, says = doubts("volume.csv", "DateTime,Calls\n2026-04-15 09:00,20\n2026-04-15 09:15,18\n")
	assert.NotContains(t, says, "platform file")
}

func TestInspectSessionExportUsesTheShippedMapping(t *testing.T) {
	found := inspect(t, sample(t, "session_export.xlsx"), intake.InspectOptions{Constants: map[string]string{"merchant": "m", "shop": "s", "queue": "q"}})
	assert.Equal(t, intake.Conversations, found.Kind)
	assert.Equal(t, intake.SessionExport("m", "s", "q").Columns, saved(t, found).Columns)
	assert.Equal(t, "wait", fields(found)["首次响应时长(秒)"], "as the mapping has it")
	summary, err := intake.Scan(t.Context(), sample(t, "session_export.xlsx"), saved(t, found), func([]chatlog.Conversation) error { return nil }, intake.Options{Zone: beijing})
	require.NoError(t, err)
	assert.EqualValues(t, 3, summary.Good)
}

func doubtsOf(found intake.Inspection, header string) string {
	for _, c := range found.Columns {
		if c.Header == header {
			return strings.Join(c.Doubts, "; ")
		}
	}
	return ""
}

func TestInspectSaysWhatIsDoubtful(t *testing.T) {
	conversations := intake.InspectOptions{Kind: intake.Conversations}
	one := func(text string) intake.Inspection {
		return inspect(t, intake.FromBytes("f.csv", []byte(text)), conversations)
	}
	found := one("客服,开始时间,通话时长\nA,03/04/2026 10:00,120\nB,05/06/2026 11:00,90\n")
	assert.Contains(t, doubtsOf(found, "开始时间"), "day and month")
	assert.Contains(t, doubtsOf(found, "通话时长"), "seconds are assumed")
	found = one("客服,开始时间,通话时长(分钟)\nA,03/04/2026 10:00,1.5\nB,25/06/2026 11:00,2\n")
	assert.Empty(t, doubtsOf(found, "开始时间"), "25 is no month")
	assert.Equal(t, "2/1/2006 15:04", found.Mapping.Columns["started_at"].Format)
	assert.Equal(t, "min", found.Mapping.Columns["handle_time"].Unit)
	found = one("客服,开始时间,通话时长\nA,2026-04-16 10:00,1:30\nB,2026-04-16 11:00,2:00\n")
	assert.Contains(t, doubtsOf(found, "通话时长"), "colon")
	found = one("客服,开始时间\nA,2026-04-16\n合计,\n")
	assert.Contains(t, doubtsOf(found, "开始时间"), "time of day")
	assert.Equal(t, map[string][]string{"客服": {"合计"}}, found.Mapping.Skip)

	assert.Equal(t, intake.ToBeNamed, saved(t, one("客服,开始时间,等待时长(秒)\nA,2026-04-16 10:00,9\n")).Constants["channel"], "neither calls nor chats by their headers")
	assert.Equal(t, chatlog.Chat, saved(t, one("客服,开始时间,客服消息数\nA,2026-04-16 10:00,9\n")).Constants["channel"])

	lines := inspect(t, intake.FromBytes("f.ndjson", []byte(`{"merchant":"m","queue":"q","conversation":"c","at":"2026-04-16T00:00:00Z","kind":"buyer"}`+"\n")), intake.InspectOptions{})
	assert.Equal(t, intake.Events, lines.Kind)
	assert.Empty(t, lines.Mapping.Kind)

	_, err := intake.Inspect(t.Context(), intake.FromBytes("f", []byte("just a line")), intake.InspectOptions{})
	assert.Equal(t, "intake.format", faultOf(t, err).Code)
}

// A day per row is what a contact history may be; the word for it is no guess by values.
func TestInspectHistoryByDay(t *testing.T) {
	found := inspect(t, intake.FromBytes("h.csv", []byte("日期,商家,技能组,咨询量\n2025-11-01,甲,售前,1203\n2025-11-02,甲,售前,1312\n2025-11-03,甲,售前,1288\n")), intake.InspectOptions{})
	assert.Equal(t, intake.History, found.Kind)
	assert.Equal(t, map[string]string{"日期": "start", "商家": "merchant", "技能组": "queue", "咨询量": "offered"}, fields(found))
	assert.GreaterOrEqual(t, found.Columns[0].Confidence, 0.7)
	assert.Empty(t, found.Columns[0].Doubts, "dates without a time of day are right for slots of a day")
	assert.Equal(t, []string{"the slots seem to be 24h long"}, found.Doubts)
}

// Figures of an agent and a day are no conversations, however well their headers fit.
func TestInspectFiguresOfADay(t *testing.T) {
	const sheet = "客服,日期,接待人数,平均响应时长,满意度,转化率\n小王,2025-11-01,120,23秒,98.2%,31%\n小李,2025-11-01,98,31秒,95.2%,28%\n"
	found := inspect(t, intake.FromBytes("k.csv", []byte(sheet)), intake.InspectOptions{})
	assert.Empty(t, found.Kind)
	require.NotEmpty(t, found.Doubts)
	assert.Contains(t, found.Doubts[0], "figures of whole days (接待人数, 平均响应时长, 转化率)")

	// Who says what the rows are is believed.
	told := inspect(t, intake.FromBytes("k.csv", []byte(sheet)), intake.InspectOptions{Kind: intake.Conversations})
	assert.Equal(t, intake.Conversations, told.Kind)
}

func TestInspectDocumentsThatAreNoTable(t *testing.T) {
	for name, text := range map[string]string{
		"a.svg":  `<svg xmlns="http://www.w3.org/2000/svg"><text x="1">agents,shops</text>` + "\n<path d=\"M1,2 L3,4\"/></svg>\n",
		"b.xml":  "<?xml version=\"1.0\"?>\n<rows><row a=\"1,2\"/></rows>\n",
		"c.pdf":  "%PDF-1.7\n1 0 obj, 2\nendobj, 3\n",
		"d.json": "{\n  \"agents\": [\n    {\"id\": \"1\"},\n    {\"id\": \"2\"}\n  ]\n}\n",
	} {
		_, err := intake.Inspect(t.Context(), intake.FromBytes(name, []byte(text)), intake.InspectOptions{})
		require.Error(t, err, name)
		assert.Equal(t, "intake.format", fault.CodeOf(err), name)
	}
}
