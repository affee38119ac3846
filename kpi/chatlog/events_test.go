package chatlog_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

func shanghai(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	return zone
}

func message() chatlog.Event {
	return chatlog.Event{Merchant: "m", Shop: "s", Queue: "q", Conversation: "c", ID: "1", At: at, Kind: chatlog.BuyerMessage, Buyer: "b1"}
}

func TestEventValidate(t *testing.T) {
	cases := []struct {
		name   string
		change func(e *chatlog.Event)
		want   []string
	}{
		{"good", func(*chatlog.Event) {}, []string{}},
		{"no ids", func(e *chatlog.Event) { e.Merchant, e.Queue, e.Conversation, e.ID = "", "", "", "" }, []string{"merchant", "queue", "conversation", "id"}},
		{"no shop is allowed", func(e *chatlog.Event) { e.Shop = "" }, []string{}},
		{"an account may be any text", func(e *chatlog.Event) { e.Kind, e.Account = chatlog.AgentMessage, "旗舰店:小美 (早)" }, []string{}},
		{"control characters", func(e *chatlog.Event) { e.Conversation, e.ID, e.Account, e.Buyer = "a\nb", "a\x00", "\x7f", "a\tb" }, []string{"conversation", "id", "account", "buyer"}},
		{"long names", func(e *chatlog.Event) {
			s := strings.Repeat("x", 129)
			e.Conversation, e.ID, e.Account, e.Buyer = s, s, s, s
		}, []string{"conversation", "id", "account", "buyer"}},
		{"not UTF-8", func(e *chatlog.Event) { e.Conversation, e.Text = "\xff", "好\xff" }, []string{"conversation", "text"}},
		{"NUL in a text", func(e *chatlog.Event) { e.Text = "好的\x00" }, []string{"text"}},
		{"a text of several lines", func(e *chatlog.Event) { e.Text = "好的\r\n\t谢谢" }, []string{}},
		{"64 KB is the longest text", func(e *chatlog.Event) { e.Text = strings.Repeat("x", 64<<10) }, []string{}},
		{"longer text", func(e *chatlog.Event) { e.Text = strings.Repeat("x", 64<<10+1) }, []string{"text"}},
		{"kind", func(e *chatlog.Event) { e.Kind = "fax" }, []string{"kind"}},
		{"no instant", func(e *chatlog.Event) { e.At = time.Time{} }, []string{"at"}},
		{"1999", func(e *chatlog.Event) { e.At = time.Date(1999, 12, 31, 23, 59, 59, 999e6, time.UTC) }, []string{"at"}},
		{"2000 is the first year", func(e *chatlog.Event) { e.At = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }, []string{}},
		{"2100", func(e *chatlog.Event) { e.At = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC) }, []string{"at"}},
		{"closing of a reply", func(e *chatlog.Event) { e.Kind, e.Closing = chatlog.AgentMessage, true }, []string{"closing"}},
		{"score of a message", func(e *chatlog.Event) { e.Score, e.Invited = 5, true }, []string{"score", "invited"}},
		{"rating", func(e *chatlog.Event) { e.Kind, e.Score, e.Invited = chatlog.RatingGiven, 5, true }, []string{}},
		{"rating without score", func(e *chatlog.Event) { e.Kind = chatlog.RatingGiven }, []string{"score"}},
		{"rating 6", func(e *chatlog.Event) { e.Kind, e.Score = chatlog.RatingGiven, 6 }, []string{"score"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e := message()
			c.change(&e)
			require.Equal(t, c.want, pathsOf(t, e.Validate()))
		})
	}
}

func TestOrderTicketAssignmentFigureValidate(t *testing.T) {
	order := chatlog.OrderEvent{Merchant: "m", Shop: "s", Buyer: "b", Order: "1", Kind: chatlog.Paid, At: at, Amount: 19900}
	require.NoError(t, order.Validate())
	require.Equal(t, []string{"merchant", "shop", "buyer", "order", "kind", "at"}, pathsOf(t, chatlog.OrderEvent{}.Validate()))
	order.Amount = -1
	require.Equal(t, []string{"amount"}, pathsOf(t, order.Validate()))
	order.Amount, order.Kind = 1, chatlog.Inquiry
	require.Equal(t, []string{"amount"}, pathsOf(t, order.Validate()))

	ticket := chatlog.Ticket{Merchant: "m", Queue: "q", ID: "1", Tag: "催发货", OpenedAt: at, DueAt: at.Add(time.Hour), ClosedAt: at.Add(2 * time.Hour)}
	require.NoError(t, ticket.Validate(), "late is no mistake")
	require.Equal(t, []string{"merchant", "queue", "id", "opened_at"}, pathsOf(t, chatlog.Ticket{}.Validate()))
	ticket.DueAt, ticket.ClosedAt = at.Add(-1), at.AddDate(1, 0, 2)
	require.Equal(t, []string{"due_at", "closed_at"}, pathsOf(t, ticket.Validate()))

	a := chatlog.Assignment{Platform: "tmall", Shop: "s", Account: "旗舰店:小美", Agent: "a1", From: at}
	require.NoError(t, a.Validate())
	a.Until = at
	require.Equal(t, []string{"until"}, pathsOf(t, a.Validate()), "a period has a length")
	require.Equal(t, []string{"platform", "shop", "account", "agent", "from"}, pathsOf(t, chatlog.Assignment{}.Validate()))

	f := chatlog.DailyFigure{Platform: "jd", Merchant: "m", Shop: "s", Date: "2026-11-11", Item: "human_3min_rate", Header: "3分钟人工响应率", Unit: "share", Value: 0.9}
	require.NoError(t, f.Validate())
	f.Date, f.Unit = "2026-02-30", "%"
	require.Equal(t, []string{"unit", "date"}, pathsOf(t, f.Validate()))
}

func TestDecodeEvent(t *testing.T) {
	zone := shanghai(t)
	e, bad := chatlog.DecodeEvent([]byte(`{"merchant":"m","shop":"s","queue":"q","conversation":"c","id":"7","at":"2026-11-11T09:00:00.123999+08:00","kind":"agent","agent":"a1","account":"旗舰店:小美","text":"在的"}`), zone)
	require.Empty(t, bad)
	require.Equal(t, chatlog.Event{
		Merchant: "m", Shop: "s", Queue: "q", Conversation: "c", ID: "7", At: at.Add(123 * time.Millisecond), Kind: chatlog.AgentMessage,
		Agent: "a1", Account: "旗舰店:小美", Text: "在的",
	}, e, "cut to the millisecond, in UTC")
	slow, bad := chatlog.DecodeEvent([]byte(`{"Merchant":"m","shop":"s","queue":"q","conversation":"c","id":"7","at":"2026-11-11T09:00:00.123999+08:00","kind":"agent","agent":"a1","account":"旗舰店:小美","text":"\u5728的"}`), zone)
	require.Empty(t, bad)
	require.Equal(t, e, slow, "what the quick path leaves to encoding/json comes out the same")
}

// Without session ids a conversation is one buyer in one shop on one business day.
func TestDailyConversation(t *testing.T) {
	zone := shanghai(t)
	decode := func(shop, buyer, at string) string {
		e, bad := chatlog.DecodeEvent(fmt.Appendf(nil, `{"merchant":"m","shop":%q,"queue":"q","at":%q,"kind":"buyer","buyer":%q}`, shop, at, buyer), zone)
		require.Empty(t, bad)
		return e.Conversation
	}
	first := decode("s", "b1", "2026-11-10T16:00:00Z") // midnight in Shanghai
	require.Equal(t, first, decode("s", "b1", "2026-11-11T23:59:59.999+08:00"))
	require.NotEqual(t, first, decode("s", "b1", "2026-11-10T15:59:59.999Z"), "the day before")
	require.NotEqual(t, first, decode("s", "b2", "2026-11-10T16:00:00Z"))
	require.NotEqual(t, first, decode("t", "b1", "2026-11-10T16:00:00Z"))
	// sha256("s" NUL "b1"), by coreutils; stored, so it must never change.
	require.Equal(t, "d:2026-11-11:0363eb10e2e43f0debc9a8cb", first)

	_, bad := chatlog.DecodeEvent([]byte(`{"merchant":"m","shop":"s","queue":"q","at":"2026-11-10T16:00:00Z","kind":"agent"}`), zone)
	require.Equal(t, []string{"conversation"}, paths(bad), "without buyer nobody knows which")
	o, bad := chatlog.DecodeOrder([]byte(`{"merchant":"m","shop":"s","buyer":"b1","kind":"inquiry","at":"2026-11-11T01:00:00Z"}`), zone)
	require.Empty(t, bad)
	require.Equal(t, first, o.Order)
}

// Published values of FNV-1a, 64 bits (Fowler, Noll, Vo: test suite).
func TestEventKey(t *testing.T) {
	for id, want := range map[string]uint64{"": 0xcbf29ce484222325, "a": 0xaf63dc4c8601ec8c, "foobar": 0x85944171f73967e8} {
		require.Equal(t, want, chatlog.Event{ID: id}.Key())
	}
}

func TestEventContentID(t *testing.T) {
	e := message()
	e.Text = "在吗"
	first := e.ContentID()
	require.Equal(t, "615cad8927f11a1f", first, "computed apart from this code; stored, so it must never change")
	for name, c := range map[string]struct {
		change func(e *chatlog.Event)
		same   bool
	}{
		"its own id":            {func(e *chatlog.Event) { e.ID = "x" }, true},
		"the queue corrected":   {func(e *chatlog.Event) { e.Queue = "q2" }, true},
		"the mark of a rule":    {func(e *chatlog.Event) { e.Closing = true }, true},
		"below the millisecond": {func(e *chatlog.Event) { e.At = e.At.Add(time.Microsecond) }, true},
		"the zone it is in":     {func(e *chatlog.Event) { e.At = e.At.In(time.FixedZone("", 3600)) }, true},
		"a millisecond later":   {func(e *chatlog.Event) { e.At = e.At.Add(time.Millisecond) }, false},
		"the text":              {func(e *chatlog.Event) { e.Text = "在吗?" }, false},
		"the sender":            {func(e *chatlog.Event) { e.Kind = chatlog.BotMessage }, false},
		"the account":           {func(e *chatlog.Event) { e.Account = "x" }, false},
		"the agent":             {func(e *chatlog.Event) { e.Agent = "x" }, false},
		"the score":             {func(e *chatlog.Event) { e.Score = 1 }, false},
	} {
		other := e
		c.change(&other)
		require.Equal(t, c.same, other.ContentID() == first, name)
	}
	e.Account = "x"
	first = e.ContentID()
	e.Agent = "somebody else"
	require.Equal(t, first, e.ContentID(), "an account that is assigned to another person later")
}

func TestDecoderSettles(t *testing.T) {
	d := chatlog.Decoder{
		Zone:      shanghai(t),
		HashBuyer: func(merchant, buyer string) string { return merchant + "#" + buyer },
		AgentOf: func(shop ids.Shop, account string, when time.Time) (ids.Agent, string) {
			require.Equal(t, ids.Shop("s"), shop)
			require.Equal(t, at, when)
			switch account {
			case "one":
				return "a1", ""
			case "two":
				return "", "belongs to two people"
			}
			return "", ""
		},
		Closes: func(text string) bool { return text == "谢谢" },
		Latest: at.Add(chatlog.ClockSkew),
	}
	event := func(rest string) (chatlog.Event, []string) {
		e, bad := d.Event([]byte(`{"merchant":"m","shop":"s","queue":"q","conversation":"c",` + rest + `}`))
		return e, paths(bad)
	}
	e, bad := event(`"at":"2026-11-11T01:00:00Z","kind":"buyer","buyer":"张三","text":"谢谢"`)
	require.Empty(t, bad)
	require.Equal(t, "m#张三", e.Buyer)
	require.True(t, e.Closing)
	e, bad = event(`"at":"2026-11-11T01:00:00Z","kind":"agent","account":"one","text":"谢谢"`)
	require.Empty(t, bad)
	require.Equal(t, ids.Agent("a1"), e.Agent)
	require.False(t, e.Closing, "only buyers close")
	e, bad = event(`"at":"2026-11-11T01:00:00Z","kind":"agent","account":"two","agent":"a2"`)
	require.Empty(t, bad, "who is named needs no assignment")
	require.Equal(t, ids.Agent("a2"), e.Agent)
	e, bad = event(`"at":"2026-11-11T01:00:00Z","kind":"agent","account":"nobody"`)
	require.Empty(t, bad)
	require.Empty(t, e.Agent)
	_, bad = event(`"at":"2026-11-11T01:00:00Z","kind":"agent","account":"two"`)
	require.Equal(t, []string{"account"}, bad)

	_, bad = event(`"at":"2026-11-11T01:10:00Z","kind":"buyer"`)
	require.Empty(t, bad, "a clock may be a little ahead")
	_, bad = event(`"at":"2026-11-11T01:10:00.001Z","kind":"buyer"`)
	require.Equal(t, []string{"at"}, bad)
	_, fields := d.Event([]byte(`{"merchant":"m","queue":"q","conversation":"c","at":"2026-11-11T09:00:00Z","kind":"buyer"}`))
	require.Contains(t, fields[0].String(), "lies in the future (after 2026-11-11T01:10:00Z): a clock is ahead or the time zone is wrong")

	_, fields = d.Order([]byte(`{"merchant":"m","shop":"s","buyer":"b","order":"1","kind":"payment","at":"2026-11-12T00:00:00Z","amount":"199.00"}`))
	require.Equal(t, []string{"at"}, paths(fields))
	_, fields = d.Ticket([]byte(`{"merchant":"m","queue":"q","id":"1","opened_at":"2026-11-11T01:00:00Z","due_at":"2026-11-13T01:00:00Z"}`))
	require.Empty(t, fields, "a deadline may lie ahead")
	_, fields = d.Ticket([]byte(`{"merchant":"m","queue":"q","id":"1","opened_at":"2026-11-11T01:00:00Z","closed_at":"2026-11-13T01:00:00Z"}`))
	require.Equal(t, []string{"closed_at"}, paths(fields))
	require.Equal(t, []string{"answered_at", "ended_at", "rounds[0].answered_at"}, paths(chat().Ahead(at.Add(time.Second))))
	require.Equal(t, []string{"end"}, paths(chatlog.AgentState{Start: at, End: at.Add(time.Hour)}.Ahead(at)))
}

func TestDecodePoisoned(t *testing.T) {
	deep := strings.Repeat(`{"merchant":`, 1_000_000)
	for name, c := range map[string]struct{ line, want string }{
		"deep objects":         {deep, "is nested deeper than 8 levels at byte 97"},
		"deep arrays":          {strings.Repeat("[", 10_000_000), "is nested deeper than 8 levels at byte 9"},
		"deep, but in a text":  {`{"text":"` + strings.Repeat("[", 100) + `","x":1}`, "x: is not a known key"},
		"not UTF-8":            {"{\"text\":\"好\xff\"}", "is not UTF-8 text at byte 13 (0xff)"},
		"half a surrogate":     {`{"text":"\ud83d"}`, "has half of a surrogate pair at byte 10"},
		"the other half":       {`{"text":"\ude00\ud83d"}`, "has half of a surrogate pair at byte 10"},
		"two highs":            {`{"text":"\ud83d\ud83d"}`, "has half of a surrogate pair"},
		"NUL":                  {"{\"text\":\"\x00\"}", "is not one JSON object"},
		"escaped NUL":          {`{"merchant":"m","queue":"q","conversation":"c","at":"2026-11-11T01:00:00Z","kind":"buyer","text":"a\u0000b"}`, "text: has a NUL byte at byte 2"},
		"escaped NUL in id":    {`{"merchant":"m\u0000","queue":"q","conversation":"c","at":"2026-11-11T01:00:00Z","kind":"buyer"}`, "merchant: has the character '\\x00'"},
		"unknown key":          {`{"tenant":"m"}`, "tenant: is not a known key"},
		"two objects":          {`{}{}`, "has text after the JSON object"},
		"cut off":              {`{"merchant":"m"`, "is not one JSON object"},
		"a number for a text":  {`{"merchant":1}`, "merchant: has the wrong JSON type"},
		"a time of day":        {`{"at":"09:00"}`, "is not an RFC 3339 time"},
		"a quote, never ended": {`{"merchant":"` + strings.Repeat(`\"`, 100_000), "is not one JSON object"},
	} {
		_, bad := chatlog.DecodeEvent([]byte(c.line), time.UTC)
		require.NotEmpty(t, bad, name)
		require.Contains(t, bad[0].String(), c.want, name)
		for _, f := range bad {
			require.Less(t, len(f.String()), 1000, "%s: a complaint is short", name)
		}
	}
	e, bad := chatlog.DecodeEvent([]byte(`{"merchant":"m","queue":"q","conversation":"c","at":"2026-11-11T01:00:00Z","kind":"buyer","text":"\ud83d\ude00 \\ud83d"}`), time.UTC)
	require.Empty(t, bad)
	require.Equal(t, `😀 \ud83d`, e.Text, "a whole pair, and a backslash that starts no escape")
}

// Writing a valid event as JSON and reading it back changes nothing.
func TestEventCanonicalRoundTrip(t *testing.T) {
	d := &chatlog.Decoder{} // one for all, as an import has it
	rapid.Check(t, func(t *rapid.T) {
		e := message()
		e.Conversation = rapid.StringMatching(`[a-z0-9]{1,3}`).Draw(t, "conversation")
		e.Agent = ids.Agent(rapid.StringMatching(`[a-z0-9]{0,2}`).Draw(t, "agent"))
		e.Account = rapid.StringMatching(`[店:a-c]{0,2}`).Draw(t, "account")
		e.At = time.UnixMilli(rapid.Int64Range(946684800000, 4102444799999).Draw(t, "ms")).UTC()
		e.Kind = rapid.SampledFrom(chatlog.Kinds).Draw(t, "kind")
		e.Text = strings.ReplaceAll(rapid.String().Draw(t, "text"), "\x00", "")
		if e.Kind == chatlog.RatingGiven {
			e.Score, e.Invited = rapid.IntRange(1, 5).Draw(t, "score"), rapid.Bool().Draw(t, "invited")
		}
		e.Closing = e.Kind == chatlog.BuyerMessage && rapid.Bool().Draw(t, "closing")
		b, err := json.Marshal(e)
		require.NoError(t, err)
		got, bad := d.Event(b)
		require.Empty(t, bad)
		require.Equal(t, e, got)
		require.Equal(t, e.Key(), got.Key())
	})
}

func TestSpans(t *testing.T) {
	var spans chatlog.Spans
	e := message()
	check := func(conversation string, d time.Duration) []string {
		e.Conversation, e.At = conversation, at.Add(d)
		return paths(spans.Check(&e))
	}
	require.Empty(t, check("c", 0))
	require.Empty(t, check("c", chatlog.MaxSpan))
	require.Empty(t, check("c", -chatlog.MaxSpan))
	require.Equal(t, []string{"at"}, check("c", chatlog.MaxSpan+time.Millisecond))
	require.Equal(t, []string{"at"}, check("c", -chatlog.MaxSpan-time.Millisecond))
	for i := range 65_535 {
		require.Empty(t, check(fmt.Sprint("other", i), 0))
	}
	require.Equal(t, []string{"at"}, check("c", chatlog.MaxSpan+time.Millisecond), "still remembered after 65,535 others")
}
