package chatlog_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

var at = time.Date(2026, 11, 11, 1, 0, 0, 0, time.UTC)

func to[T any](v T) *T { return &v }

func paths(fields []fault.Field) []string {
	out := []string{}
	for _, f := range fields {
		out = append(out, f.Path)
	}
	return out
}

func pathsOf(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return []string{}
	}
	e, ok := errors.AsType[*fault.Error](err)
	require.True(t, ok)
	return paths(e.Fields)
}

func chat() chatlog.Conversation {
	return chatlog.Conversation{
		Merchant: "m", Shop: "s", Queue: "q", ID: "1", Channel: chatlog.Chat, StartedAt: at,
		AnsweredAt: at.Add(10 * time.Second), EndedAt: at.Add(time.Minute), Rounds: []chatlog.Round{{OpenedAt: at, AnsweredAt: at.Add(10 * time.Second)}},
	}
}

func TestConversationValidate(t *testing.T) {
	cases := []struct {
		name   string
		change func(c *chatlog.Conversation)
		want   []string
	}{
		{"good", func(*chatlog.Conversation) {}, []string{}},
		{"no ids", func(c *chatlog.Conversation) { c.Merchant, c.Queue, c.ID = "", "", "" }, []string{"merchant", "queue", "id"}},
		{"no shop is allowed", func(c *chatlog.Conversation) { c.Shop = "" }, []string{}},
		{"channel", func(c *chatlog.Conversation) { c.Channel = "fax" }, []string{"channel"}},
		{"rating 0", func(c *chatlog.Conversation) { c.Rating = to(0) }, []string{"rating"}},
		{"rating 6", func(c *chatlog.Conversation) { c.Rating = to(6) }, []string{"rating"}},
		{"negative messages", func(c *chatlog.Conversation) { c.AgentMessages, c.BuyerMessages = -1, -1 }, []string{"agent_messages", "buyer_messages"}},
		{"negative handling", func(c *chatlog.Conversation) { c.HandleTime = -1 }, []string{"handle_time"}},
		{"24 h handling is the limit", func(c *chatlog.Conversation) { c.HandleTime = 24 * time.Hour }, []string{}},
		{"absurd handling", func(c *chatlog.Conversation) { c.HandleTime = 24*time.Hour + 1 }, []string{"handle_time"}},
		{"no start", func(c *chatlog.Conversation) { c.StartedAt = time.Time{} }, []string{"started_at"}},
		{"1970", func(c *chatlog.Conversation) { c.StartedAt = time.Unix(0, 0) }, []string{"started_at"}},
		{"answered before start", func(c *chatlog.Conversation) { c.AnsweredAt = at.Add(-1) }, []string{"answered_at"}},
		{"waited 32 days", func(c *chatlog.Conversation) { c.AnsweredAt, c.EndedAt = at.AddDate(0, 0, 32), time.Time{} }, []string{"answered_at"}},
		{"answered and abandoned", func(c *chatlog.Conversation) { c.Abandoned = true }, []string{"abandoned"}},
		{"bot answered before start", func(c *chatlog.Conversation) { c.BotAnsweredAt = at.Add(-time.Minute) }, []string{}},
		{"bot answered another month", func(c *chatlog.Conversation) { c.BotAnsweredAt = at.AddDate(0, 0, -32) }, []string{"bot_answered_at"}},
		{"bot answered long after", func(c *chatlog.Conversation) { c.BotAnsweredAt = at.AddDate(0, 0, 32) }, []string{"bot_answered_at"}},
		{"control characters", func(c *chatlog.Conversation) { c.ID, c.Buyer = "a\x00", "b\n" }, []string{"id", "buyer"}},
		{"ended before answer", func(c *chatlog.Conversation) { c.EndedAt = at.Add(time.Second) }, []string{"ended_at"}},
		{"round before start", func(c *chatlog.Conversation) { c.Rounds[0].OpenedAt = at.Add(-time.Second) }, []string{"rounds[0].opened_at"}},
		{"round answered before opened", func(c *chatlog.Conversation) { c.Rounds[0].AnsweredAt = at.Add(-time.Second) }, []string{"rounds[0].answered_at"}},
		{"round agent", func(c *chatlog.Conversation) { c.Rounds[0].Agent = "a b" }, []string{"rounds[0].agent"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			in := chat()
			c.change(&in)
			require.Equal(t, c.want, pathsOf(t, in.Validate()))
		})
	}
}

func row() chatlog.ConversationRow {
	return chatlog.ConversationRow{Merchant: "m", Queue: "q", ID: "1", Channel: chatlog.Call, Agent: "a", StartedAt: at}
}

func TestConversationRow(t *testing.T) {
	answered := at.Add(109 * time.Second)
	cases := []struct {
		name   string
		change func(r *chatlog.ConversationRow)
		want   func(c *chatlog.Conversation)
	}{
		{"answered call by wait", func(r *chatlog.ConversationRow) {
			r.Answered, r.Wait, r.HandleTime = to(true), to(109*time.Second), to(143*time.Second)
		}, func(c *chatlog.Conversation) {
			c.AnsweredAt, c.HandleTime, c.EndedAt = answered, 143*time.Second, answered.Add(143*time.Second)
			c.Rounds = []chatlog.Round{{OpenedAt: at, AnsweredAt: answered, Agent: "a"}}
		}},
		{"lost call with zeros", func(r *chatlog.ConversationRow) {
			r.Answered, r.Wait, r.HandleTime = to(false), to(time.Duration(0)), to(time.Duration(0))
		}, func(c *chatlog.Conversation) {
			c.Abandoned, c.Rounds = true, []chatlog.Round{{OpenedAt: at}}
		}},
		{"lost call by nothing", func(*chatlog.ConversationRow) {}, func(c *chatlog.Conversation) {
			c.Abandoned, c.Rounds = true, []chatlog.Round{{OpenedAt: at}}
		}},
		{"lost call that is not abandoned", func(r *chatlog.ConversationRow) { r.Abandoned = to(false) }, func(c *chatlog.Conversation) {
			c.Rounds = []chatlog.Round{{OpenedAt: at}}
		}},
		{"wait of 0 without answered is an answer", func(r *chatlog.ConversationRow) { r.Wait = to(time.Duration(0)) }, func(c *chatlog.Conversation) {
			c.AnsweredAt = at
			c.Rounds = []chatlog.Round{{OpenedAt: at, AnsweredAt: at, Agent: "a"}}
		}},
		{"unanswered chat", func(r *chatlog.ConversationRow) { r.Channel = "" }, func(c *chatlog.Conversation) { c.Channel = chatlog.Chat }},
		{"chat gets no rounds", func(r *chatlog.ConversationRow) { r.Channel, r.AnsweredAt = chatlog.Chat, answered }, func(c *chatlog.Conversation) {
			c.Channel, c.AnsweredAt = chatlog.Chat, answered
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			in := row()
			c.change(&in)
			got, bad := in.Conversation()
			require.Empty(t, bad)
			want := chatlog.Conversation{Merchant: "m", Queue: "q", ID: "1", Channel: chatlog.Call, Agent: "a", StartedAt: at}
			c.want(&want)
			require.Equal(t, want, got)
			require.NoError(t, got.Validate())
		})
	}
}

func TestConversationRowProblems(t *testing.T) {
	cases := []struct {
		name   string
		change func(r *chatlog.ConversationRow)
		want   []string
	}{
		{"answered, but when", func(r *chatlog.ConversationRow) { r.Answered = to(true) }, []string{"answered"}},
		{"negative wait", func(r *chatlog.ConversationRow) { r.Wait = to(-time.Second) }, []string{"wait", "answered_at"}},
		{"absurd talk", func(r *chatlog.ConversationRow) { r.Wait, r.HandleTime = to(time.Second), to(25*time.Hour) }, []string{"handle_time"}},
		{"absurd talk of a lost call", func(r *chatlog.ConversationRow) { r.Answered, r.HandleTime = to(false), to(-time.Second) }, []string{"handle_time"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			in := row()
			c.change(&in)
			_, bad := in.Conversation()
			require.Equal(t, c.want, paths(bad))
		})
	}
}

func TestContentID(t *testing.T) {
	a := chat()
	b := chat()
	b.ID = "other"
	require.Equal(t, a.ContentID(), b.ContentID(), "the id is not part of the content")
	b.HandleTime = time.Second
	require.NotEqual(t, a.ContentID(), b.ContentID())
	in := row()
	in.ID = ""
	got, bad := in.Conversation()
	require.Empty(t, bad)
	again, _ := in.Conversation()
	require.Equal(t, got.ID, again.ID)
	require.Len(t, got.ID, 34)
}

func TestDecodeConversationComplaints(t *testing.T) {
	for line, want := range map[string]string{
		`{"merchnt":"m"}`:                   `merchnt: is not a known key`,
		`{"merchant":1}`:                    `merchant: has the wrong JSON type`,
		`{"started_at":"2026-11-11 09:00"}`: `is not an RFC 3339 time`,
		`{"handle_time":90}`:                `write "90s" for seconds`,
		`{"handle_time":"90"}`:              `is not a duration like "1m30s"`,
		`{} {}`:                             `has text after the JSON object`,
		`[1]`:                               `has the wrong JSON type`,
		`{"rounds":[{"opened":"x"}]}`:       `opened: is not a known key`,
		`not json`:                          `is not one JSON object`,
		`{"started_at":"2026-11-11T09:00:00+08:00"}`: `merchant: is empty`,
	} {
		_, bad := chatlog.DecodeConversation([]byte(line))
		require.NotEmpty(t, bad, line)
		require.Contains(t, bad[0].String(), want, line)
	}
}

func TestDecodeStateAndContacts(t *testing.T) {
	s, bad := chatlog.DecodeAgentState([]byte(`{"agent":"a","state":"busy","start":"2026-11-11T09:00:00+08:00","end":"2026-11-11T09:05:00+08:00"}`))
	require.Empty(t, bad)
	require.Equal(t, chatlog.AgentState{Agent: "a", State: chatlog.Busy, Start: at, End: at.Add(5 * time.Minute)}, s)
	_, bad = chatlog.DecodeAgentState([]byte(`{"agent":"a","state":"asleep","start":"2026-11-11T09:00:00Z","end":"2026-11-11T09:00:00Z"}`))
	require.Equal(t, []string{"state", "end"}, paths(bad))

	shanghai := time.FixedZone("CST", 8*3600)
	c, bad := chatlog.DecodeContacts([]byte(`{"merchant":"m","queue":"q","start":"2026-11-10T16:00:00Z","slot":"24h","offered":7,"handle_time":"3m"}`), shanghai)
	require.Empty(t, bad, "16:00 UTC is midnight of the business day")
	require.Equal(t, 3*time.Minute, c.HandleTime)
	require.Equal(t, time.UTC, c.Start.Location())
	_, bad = chatlog.DecodeContacts([]byte(`{"merchant":"m","queue":"q","start":"2026-11-10T16:00:00Z","slot":"24h","offered":7}`), time.UTC)
	require.Equal(t, []string{"start"}, paths(bad))
	_, bad = chatlog.DecodeContacts([]byte(`{"merchant":"m","queue":"q","start":"2026-11-10T16:00:00Z","slot":"15m"}`), time.UTC)
	require.Equal(t, []string{"offered"}, paths(bad))
}

func TestSlots(t *testing.T) {
	for slot, ok := range map[time.Duration]bool{
		5 * time.Minute: true, 10 * time.Minute: true, 15 * time.Minute: true, 30 * time.Minute: true, time.Hour: true, 24 * time.Hour: true,
		time.Minute: false, 7 * time.Minute: false, 45 * time.Minute: false, 2 * time.Hour: false, 0: false, -time.Hour: false,
	} {
		err := chatlog.Contacts{Merchant: "m", Queue: "q", Start: at, Slot: slot, Offered: 1}.Validate()
		require.Equal(t, ok, err == nil, slot)
	}
}

// Writing a valid event as JSON and reading it back changes nothing.
func TestCanonicalRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := chat()
		c.Agent = ids.Agent(rapid.StringMatching(`[a-z0-9]{0,8}`).Draw(t, "agent"))
		c.HandleTime = time.Duration(rapid.Int64Range(1, 86400).Draw(t, "handle")) * time.Second
		c.BuyerMessages = rapid.IntRange(0, 50).Draw(t, "messages")
		if rapid.Bool().Draw(t, "bot") {
			c.BotAnsweredAt = at.Add(time.Duration(rapid.IntRange(-100_000, 100_000).Draw(t, "bot ms")) * time.Millisecond)
		}
		if rapid.Bool().Draw(t, "rated") {
			c.Rating, c.Resolved = to(rapid.IntRange(1, 5).Draw(t, "rating")), to(rapid.Bool().Draw(t, "resolved"))
		}
		open := at
		for range rapid.IntRange(0, 5).Draw(t, "rounds") {
			open = open.Add(time.Duration(rapid.IntRange(1, 100_000).Draw(t, "gap")) * time.Millisecond)
			c.Rounds = append(c.Rounds, chatlog.Round{OpenedAt: open})
		}
		b, err := json.Marshal(c)
		require.NoError(t, err)
		got, bad := chatlog.DecodeConversation(b)
		require.Empty(t, bad)
		require.Equal(t, c, got)
	})
}
