package intake_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

func zoneOf(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	require.NoError(t, err)
	return zone
}

const chatLog = `商家,店铺,队列,会话ID,时间,发送方,客服账号,买家昵称,消息内容
lumi,lumi-tmall,lumi-tmall/pre,S1,2026-11-11 09:00:00,系统,,小明,欢迎光临
lumi,lumi-tmall,lumi-tmall/pre,S1,2026-11-11 09:00:01,买家,,小明,在吗
lumi,lumi-tmall,lumi-tmall/pre,S1,2026-11-11 09:00:03,机器人,,小明,"您好,
请问有什么可以帮您"
lumi,lumi-tmall,lumi-tmall/pre,S1,2026-11-11 09:00:20,转人工,,小明,
lumi,lumi-tmall,lumi-tmall/pre,S1,2026-11-11 09:00:41,客服,旗舰店：小美,小明,在的
lumi,lumi-tmall,lumi-tmall/pre,S1,2026-11-11 09:01:00,买家,,小明,好的，谢谢
`

// eventHooks are what operations hands in.
func eventHooks(t testing.TB) intake.Options {
	accounts, err := chatlog.NewAssignments([]chatlog.Assignment{
		{Platform: "tmall", Shop: "lumi-tmall", Account: "旗舰店:小美", Agent: "a17", From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)},
	})
	require.NoError(t, err)
	closes := chatlog.ClosingRule{Version: "v1", MaxRunes: 8, Phrases: []string{"好的", "谢谢"}}.Matcher()
	return intake.Options{
		Zone: zoneOf(t, "Asia/Shanghai"), Closes: closes, Latest: time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC),
		HashBuyer: func(merchant, buyer string) string { return fmt.Sprintf("%s#%d", merchant, len(buyer)) },
		AgentOf: func(shop ids.Shop, account string, at time.Time) (ids.Agent, string) {
			return accounts.AgentAt("tmall", shop, account, at)
		},
	}
}

func TestScanChatLog(t *testing.T) {
	began := time.Date(2026, 11, 11, 1, 0, 0, 0, time.UTC)
	for name, file := range map[string][]byte{
		"utf-8": []byte(chatLog),
		"gbk":   encoded(t, simplifiedchinese.GBK.NewEncoder(), chatLog),
	} {
		events, summary := scanAll[chatlog.Event](t, intake.FromBytes("聊天记录.csv", file), intake.DefaultMapping(intake.Events), eventHooks(t))
		require.Equal(t, int64(6), summary.Good, name)
		seen := map[string]bool{}
		for i, e := range events {
			require.NoError(t, e.Validate())
			require.False(t, seen[e.ID], "ids from the content differ")
			seen[e.ID] = true
			require.Equal(t, "S1", e.Conversation)
			require.Equal(t, "lumi#6", e.Buyer)
			require.Equal(t, []chatlog.EventKind{chatlog.Welcome, chatlog.BuyerMessage, chatlog.BotMessage, chatlog.Handover, chatlog.AgentMessage, chatlog.BuyerMessage}[i], e.Kind)
			require.Equal(t, i == 5, e.Closing)
		}
		require.Equal(t, began.Add(41*time.Second), events[4].At)
		require.Equal(t, ids.Agent("a17"), events[4].Agent)
		require.Equal(t, "您好,\n请问有什么可以帮您", events[2].Text)

		// The canonical lines of these events are the same events.
		var lines bytes.Buffer
		for _, e := range events {
			b, err := json.Marshal(e)
			require.NoError(t, err)
			lines.Write(append(b, '\n'))
		}
		again, summary := scanAll[chatlog.Event](t, intake.FromBytes("e.ndjson", lines.Bytes()), intake.DefaultMapping(intake.Events), eventHooks(t))
		require.Equal(t, intake.NDJSON, summary.Format)
		require.Equal(t, events, again)
	}
}

// A log without session ids: one conversation per buyer, shop and business day, of the hashed buyer.
func TestScanChatLogWithoutSessions(t *testing.T) {
	file := "merchant,shop,queue,at,kind,buyer\nm,s,q,2026-11-11 23:59:59,buyer,b1\nm,s,q,2026-11-12 00:00:00,buyer,b1\nm,s,q,2026-11-11 08:00:00,agent,b1\nm,s,q,2026-11-11 08:00:00,agent,b22\n"
	o := eventHooks(t)
	events, _ := scanAll[chatlog.Event](t, intake.FromBytes("f.csv", []byte(file)), intake.DefaultMapping(intake.Events), o)
	require.Equal(t, events[0].Conversation, events[2].Conversation)
	require.NotEqual(t, events[0].Conversation, events[1].Conversation)
	require.NotEqual(t, events[0].Conversation, events[3].Conversation)
	require.Equal(t, chatlog.DailyConversation("s", "m#2", events[0].At, o.Zone), events[0].Conversation)

	line := `{"merchant":"m","shop":"s","queue":"q","at":"2026-11-11T00:00:00Z","kind":"buyer","buyer":"b1"}`
	o.HashLines = true
	hashed, _ := scanAll[chatlog.Event](t, intake.FromBytes("f", []byte(line)), intake.DefaultMapping(intake.Events), o)
	require.Equal(t, "m#2", hashed[0].Buyer)
	require.Equal(t, events[0].Conversation, hashed[0].Conversation, "the same buyer in a table and in a line")
	already := strings.Replace(line, "b1", "0123456789abcdef0123456789abcdef", 1)
	kept, _ := scanAll[chatlog.Event](t, intake.FromBytes("f", []byte(already)), intake.DefaultMapping(intake.Events), o)
	require.Equal(t, "0123456789abcdef0123456789abcdef", kept[0].Buyer)
	chats, _ := scanAll[chatlog.Conversation](t, intake.FromBytes("f", []byte(`{"merchant":"m","queue":"q","id":"1","channel":"chat","buyer":"b1","started_at":"2026-11-11T00:00:00Z"}`)),
		intake.DefaultMapping(intake.Conversations), o)
	require.Equal(t, "m#2", chats[0].Buyer)
	o.HashLines = false
	plain, _ := scanAll[chatlog.Event](t, intake.FromBytes("f", []byte(line)), intake.DefaultMapping(intake.Events), o)
	require.Equal(t, "b1", plain[0].Buyer)
}

func TestScanBotAnswers(t *testing.T) {
	file := "商家,队列,会话ID,开始时间,首次响应时间,机器人首次响应时间\nlumi,lumi-tmall/pre,S1,2026-11-11 09:00:20,2026-11-11 09:00:41,2026-11-11 09:00:03\n"
	chats, _ := scanAll[chatlog.Conversation](t, intake.FromBytes("f.csv", []byte(file)), intake.DefaultMapping(intake.Conversations), eventHooks(t))
	require.Equal(t, time.Date(2026, 11, 11, 1, 0, 3, 0, time.UTC), chats[0].BotAnsweredAt)
	line := `{"merchant":"m","queue":"q","id":"1","channel":"chat","started_at":"2026-11-11T09:00:20+08:00","bot_answered_at":"2026-11-11T09:00:03+08:00"}`
	chats, _ = scanAll[chatlog.Conversation](t, intake.FromBytes("f", []byte(line)), intake.DefaultMapping(intake.Conversations), eventHooks(t))
	require.Equal(t, time.Date(2026, 11, 11, 1, 0, 3, 0, time.UTC), chats[0].BotAnsweredAt)
}

func TestScanOrders(t *testing.T) {
	file := "商家,店铺,买家昵称,订单号,步骤,时间,客服账号,金额(元)\nlumi,lumi-tmall,小明,,询单,2026-11-11 09:00:01,旗舰店:小美,\nlumi,lumi-tmall,小明,T1,付款,2026-11-11 21:30:00,,\"￥1,234.50\"\nlumi,lumi-tmall,小明,T1,退款,2026-11-12 10:00:00,,99元\n"
	o := eventHooks(t)
	var asked []ids.Queue
	o.Refers = func(_ ids.Merchant, _ ids.Shop, queue ids.Queue) []fault.Field {
		asked = append(asked, queue)
		return nil
	}
	orders, _ := scanAll[chatlog.OrderEvent](t, intake.FromBytes("f.csv", []byte(file)), intake.DefaultMapping(intake.Orders), o)
	began := time.Date(2026, 11, 11, 1, 0, 1, 0, time.UTC)
	require.Equal(t, []chatlog.OrderEvent{
		{Merchant: "lumi", Shop: "lumi-tmall", Buyer: "lumi#6", Order: chatlog.DailyConversation("lumi-tmall", "lumi#6", began, o.Zone), Kind: chatlog.Inquiry, At: began, Agent: "a17"},
		{Merchant: "lumi", Shop: "lumi-tmall", Buyer: "lumi#6", Order: "T1", Kind: chatlog.Paid, At: time.Date(2026, 11, 11, 13, 30, 0, 0, time.UTC), Amount: 123450},
		{Merchant: "lumi", Shop: "lumi-tmall", Buyer: "lumi#6", Order: "T1", Kind: chatlog.Refunded, At: time.Date(2026, 11, 12, 2, 0, 0, 0, time.UTC), Amount: 9900},
	}, orders)
	require.Equal(t, []ids.Queue{"", "", ""}, asked, "the caller judges merchant and shop of an order without queue")

	_, err := intake.Scan(t.Context(), intake.FromBytes("f.csv", []byte(strings.Replace(file, "99元", "-99", 1))), intake.DefaultMapping(intake.Orders),
		func([]chatlog.OrderEvent) error { return nil }, o)
	require.ErrorContains(t, err, `f.csv:4: column "金额(元)": must be from 0 to`)
}

func TestScanTickets(t *testing.T) {
	file := "商家,店铺,队列,工单编号,问题类型,处理人,买家,创建时间,截止时间,完成时间\nlumi,lumi-tmall,lumi-tmall/after,W1,催发货,旗舰店:小美,小明,2026/11/11 9:00,2026/11/12 9:00,2026/11/11 18:00\nlumi,,lumi-tmall/after,W2,退换货,,,2026/11/11 9:00,--,--\n"
	tickets, _ := scanAll[chatlog.Ticket](t, intake.FromBytes("f.csv", []byte(file)), intake.DefaultMapping(intake.Tickets), eventHooks(t))
	opened := time.Date(2026, 11, 11, 1, 0, 0, 0, time.UTC)
	require.Equal(t, []chatlog.Ticket{
		{Merchant: "lumi", Shop: "lumi-tmall", Queue: "lumi-tmall/after", ID: "W1", Tag: "催发货", Agent: "a17", Buyer: "lumi#6", OpenedAt: opened, DueAt: opened.Add(24 * time.Hour), ClosedAt: opened.Add(9 * time.Hour)},
		{Merchant: "lumi", Queue: "lumi-tmall/after", ID: "W2", Tag: "退换货", OpenedAt: opened},
	}, tickets)
}

func TestScanAccounts(t *testing.T) {
	file := "平台,店铺,子账号,工号,开始日期,结束日期\n天猫,lumi-tmall,旗舰店:小美,a17,2026-11-01,2026-11-10\n京东,lumi-jd,jd_01,a18,2026-11-01,\n"
	accounts, _ := scanAll[chatlog.Assignment](t, intake.FromBytes("f.csv", []byte(file)), intake.DefaultMapping(intake.Accounts), eventHooks(t))
	first := time.Date(2026, 10, 31, 16, 0, 0, 0, time.UTC)
	require.Equal(t, []chatlog.Assignment{
		{Platform: "tmall", Shop: "lumi-tmall", Account: "旗舰店:小美", Agent: "a17", From: first, Until: first.AddDate(0, 0, 10)}, // the last day counts
		{Platform: "jd", Shop: "lumi-jd", Account: "jd_01", Agent: "a18", From: first},
	}, accounts)
	file = "platform,shop,account,agent,from,until\njd,s,x,a,2026-11-01 08:00,2026-11-01 20:00\n"
	accounts, _ = scanAll[chatlog.Assignment](t, intake.FromBytes("f.csv", []byte(file)), intake.DefaultMapping(intake.Accounts), intake.Options{})
	require.Equal(t, 12*time.Hour, accounts[0].Until.Sub(accounts[0].From), "until is the first instant that no longer counts")
	for row, want := range map[string]string{
		"jd,s,x,a,2026-11-01,2026-11-10,2026-11-11": `last is the last day, until the instant after it`,
		"jd,s,x,a,2026-11-01,2026-11-10 08:00,":     `column "last": is the last day, without a time of day`,
		"jd,s,x,a,2026-11-11,2026-11-10,":           `column "until": must be after from`,
	} {
		_, err := intake.Scan(t.Context(), intake.FromBytes("f.csv", []byte("platform,shop,account,agent,from,last,until\n"+row+"\n")), intake.DefaultMapping(intake.Accounts),
			func([]chatlog.Assignment) error { return nil }, intake.Options{})
		require.ErrorContains(t, err, want)
	}
}

func TestScanEventProblems(t *testing.T) {
	o := eventHooks(t)
	o.AgentOf = func(ids.Shop, string, time.Time) (ids.Agent, string) {
		return "", "belongs to two people at 2026-11-11T01:00:00Z: a and b"
	}
	header := "merchant,queue,conversation,at,kind,account\n"
	for row, want := range map[string]string{
		"m,q,c,2026-11-11 09:00,agent,x":                               `f.csv:2: column "account": belongs to two people at 2026-11-11T01:00:00Z: a and b (got "x")`,
		"m,q,c,2026-11-30 09:00,buyer,":                                `f.csv:2: column "at": lies in the future (after 2026-11-30T00:00:00Z): a clock is ahead or the time zone is wrong (got "2026-11-30 09:00")`,
		"m,q,c,1999-11-30 09:00,buyer,":                                `f.csv:2: column "at": must lie between 2000 and 2100`,
		"m,q,c,2026-11-11 09:00,对方正在输入,":                               `f.csv:2: column "kind": must be one of handover, buyer, welcome, bot, transfer, agent, rating, end (got "对方正在输入")`,
		"m,q,,2026-11-11 09:00,buyer,":                                 `column "conversation": is missing; without it buyer must be given`,
		"m,q,c,2026-09-11 09:00,buyer,\nm,q,c,2026-11-11 09:00,buyer,": `f.csv:3: column "at": is more than 31 days from 2026-09-11T01:00:00Z, another event of the conversation c`,
	} {
		_, err := intake.Scan(t.Context(), intake.FromBytes("f.csv", []byte(header+row+"\n")), intake.DefaultMapping(intake.Events),
			func([]chatlog.Event) error { return nil }, o)
		require.ErrorContains(t, err, want)
	}
	// The clock limit holds for what was there before events too.
	for file, kind := range map[string]intake.Kind{"agent,state,start,end\na,busy,2026-11-29 09:00,2026-11-30 19:00\n": intake.States} {
		_, err := intake.Scan(t.Context(), intake.FromBytes("f.csv", []byte(file)), intake.DefaultMapping(kind), func([]chatlog.AgentState) error { return nil }, o)
		require.ErrorContains(t, err, `column "end": lies in the future`)
	}
	_, err := intake.Scan(t.Context(), intake.FromBytes("f.csv", []byte("merchant,queue,started_at,bot_answered_at\nm,q,2026-11-29 09:00,2026-11-30 19:00\n")),
		intake.DefaultMapping(intake.Conversations), func([]chatlog.Conversation) error { return nil }, o)
	require.ErrorContains(t, err, `column "bot_answered_at": lies in the future`)
}

// poison is a file whose third row of four is bad; the other three must land.
func poison(t *testing.T, src intake.Source, want string) {
	t.Helper()
	o := intake.Options{HoldRows: 1}
	_, err := intake.Scan(t.Context(), src, intake.DefaultMapping(intake.Events), func([]chatlog.Event) error { t.Error("nothing may land"); return nil }, o)
	require.Error(t, err)
	require.Equal(t, "intake.rows", fault.CodeOf(err), err)
	require.Contains(t, err.Error(), want)
	require.Less(t, len(err.Error()), 2000)

	var rejects bytes.Buffer
	o.Partial, o.RejectTo = true, &rejects
	events, summary := scanAll[chatlog.Event](t, src, intake.DefaultMapping(intake.Events), o)
	require.Len(t, events, 3)
	require.Equal(t, int64(1), summary.Rejected)
	for i, text := range []string{"一", "二", "四"} {
		require.Equal(t, text, events[i].Text)
	}
	require.Less(t, rejects.Len(), 1<<20, "a line too long is not kept whole")
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(rejects.Bytes(), []byte("\ufeff")))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 2)
	got := rows[1][len(rows[1])-2:]
	require.Contains(t, want, "f:"+got[0]+":", "the reject has the row")
	_, reason, _ := strings.Cut(want, ": ")
	require.Contains(t, got[1], reason, "and the reason")
}

func TestScanPoisonedLines(t *testing.T) {
	line := func(text string) string {
		return `{"merchant":"m","queue":"q","conversation":"c","at":"2026-11-11T01:00:00Z","kind":"buyer","text":"` + text + `"}` + "\n"
	}
	start := strings.Index(line(""), `"}`) // bytes before the text
	for name, c := range map[string]struct{ bad, want string }{
		"long":          {line(strings.Repeat("长", 1<<20)), "f:3: the record is longer than 1048576 bytes"},
		"deep":          {`{"merchant":` + strings.Repeat("[", 500_000) + "\n", "f:3: is nested deeper than 8 levels at byte 20"},
		"not UTF-8":     {line("好\xff"), fmt.Sprintf("f:3: is not UTF-8 text at byte %d (0xff)", start+len("好")+1)},
		"surrogate":     {line(`\ud800`), fmt.Sprintf("f:3: has half of a surrogate pair at byte %d", start+1)},
		"NUL":           {line("a\x00b"), "f:3: is not one JSON object"},
		"escaped NUL":   {line(`a\u0000b`), "f:3: text: has a NUL byte at byte 2"},
		"not JSON":      {"系统错误 500\n", "f:3: is not one JSON object"},
		"two in one":    {strings.TrimSuffix(line("a"), "\n") + line("b"), "f:3: has text after the JSON object"},
		"unknown key":   {`{"merchnt":"m"}` + "\n", "f:3: merchnt: is not a known key"},
		"binary garble": {string([]byte{0x80, 0xfe, 0x00, 0x01, 0x1b}) + "\n", "f:3: is not UTF-8 text at byte 1 (0x80)"},
	} {
		t.Run(name, func(t *testing.T) {
			poison(t, intake.FromBytes("f", []byte(line("一")+line("二")+c.bad+line("四"))), c.want)
		})
	}
	t.Run("first", func(t *testing.T) { // a damaged first line does not make it another kind of file
		events, _ := scanAll[chatlog.Event](t, intake.FromBytes("f", []byte("\xfe\x80 garble\n"+line("一")+line("二")+line("四"))), intake.DefaultMapping(intake.Events), intake.Options{Partial: true})
		require.Len(t, events, 3)
	})
}

func TestScanPoisonedTable(t *testing.T) {
	header := "merchant,queue,conversation,at,kind,text\n"
	row := func(text string) string { return "m,q,c,2026-11-11 09:00:00,buyer," + text + "\n" }
	for name, c := range map[string]struct{ bad, want string }{
		"long":              {row(strings.Repeat("长", 1<<20)), "f:4: is longer than 1048576 bytes"},
		"not UTF-8":         {row("好\xff"), "f:4: has bytes in column 6 that are not UTF-8 text"},
		"not UTF-8, quoted": {row("\"好\n,\xff\""), "f:4: has bytes in column 6 that are not UTF-8 text"},
		"NUL":               {row("a\x00b"), "f:4: has a NUL byte in column 6"},
		"huge cell":         {row(strings.Repeat("x", 70_000)), "f:4: has a cell of 70000 bytes in column 6"},
	} {
		t.Run(name, func(t *testing.T) {
			poison(t, intake.FromBytes("f", []byte(header+row("一")+row("二")+c.bad+row("四"))), c.want)
		})
	}
	// One damaged line in the window that is sniffed does not turn a UTF-8 file into a GBK file.
	file := header + row("一") + row("二") + row("好\xff") + row("四")
	events, _ := scanAll[chatlog.Event](t, intake.FromBytes("f", []byte(file)), intake.DefaultMapping(intake.Events), intake.Options{Partial: true})
	require.Equal(t, "四", events[2].Text)
	gbk := encoded(t, simplifiedchinese.GBK.NewEncoder(), header+row("一")+row("联通")+row("四"))
	events, _ = scanAll[chatlog.Event](t, intake.FromBytes("f", gbk), intake.DefaultMapping(intake.Events), intake.Options{})
	require.Equal(t, "联通", events[1].Text, "whose GBK bytes happen to be UTF-8")
}

// spliced is a file with n bytes of one character in the middle that are never in memory.
type spliced struct {
	head, tail string
	n          int64
}

func (s spliced) size() int64 { return int64(len(s.head)+len(s.tail)) + s.n }

func (s spliced) ReadAt(p []byte, off int64) (int, error) {
	h := int64(len(s.head))
	for i := range p {
		switch at := off + int64(i); {
		case at < h:
			p[i] = s.head[at]
		case at < h+s.n:
			p[i] = 'x'
		case at < s.size():
			p[i] = s.tail[at-h-s.n]
		default:
			return i, io.EOF
		}
	}
	return len(p), nil
}

// A line of 100 MB is one bad row, in memory that does not grow with it.
func TestScanHundredMegabyteLine(t *testing.T) {
	line := `{"merchant":"m","queue":"q","conversation":"c","at":"2026-11-11T01:00:00Z","kind":"buyer","text":"`
	s := spliced{line + "一\"}\n" + line + "二\"}\n" + line, "\"}\n" + line + "四\"}\n", 100 << 20}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	o := intake.Options{Partial: true, SHA256: "known"}
	events, summary := scanAll[chatlog.Event](t, intake.Source{Name: "f", R: s, Size: s.size()}, intake.DefaultMapping(intake.Events), o)
	runtime.ReadMemStats(&after)
	require.Len(t, events, 3)
	require.Equal(t, "四", events[2].Text)
	require.Equal(t, "f:3: the record is longer than 1048576 bytes; is a quote not closed, or is this not a table?", summary.Problems[0].String())
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20), "everything allocated in both readings")
}

// Memory must not grow with the file of events.
func TestScanEventsConstantMemory(t *testing.T) {
	const n = 200_000
	row := `{"merchant":"lumi","shop":"lumi-tmall","queue":"lumi-tmall/pre","conversation":"S2026111100000001","at":"2026-11-11T01:00:00Z","kind":"buyer","text":"您好，什么时候可以发货"}` + "\n"
	g := generated{"\n", row, n}
	var peak uint64
	rows := 0
	began := time.Now()
	_, err := intake.Scan(t.Context(), intake.Source{Name: "big", R: g, Size: 1 + n*int64(len(row))}, intake.DefaultMapping(intake.Events), func(batch []chatlog.Event) error {
		if rows += len(batch); rows%50_000 == 0 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapAlloc)
		}
		return nil
	}, intake.Options{HoldRows: 1000})
	require.NoError(t, err)
	require.Equal(t, n, rows)
	require.Less(t, peak, uint64(64<<20))
	t.Logf("%d events in %s, two readings; live heap at most %d MB", n, time.Since(began).Round(time.Millisecond), peak>>20)
}
