package warehouse

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// A conversation in which nobody asked is work, but no demand: 200 offers that an agent wrote to buyers
// beside 100 chats that were answered after 50 s leave 100 offered, none of them within 30 s.
func TestNobodyAskedIsNotOffered(t *testing.T) {
	w := openNew(t)
	start := month.Start.Add(34 * time.Hour)
	b := Batch{ID: "b"}
	say := func(conversation string, at time.Duration, kind chatlog.EventKind) {
		e := chatlog.Event{
			Merchant: "lumi", Shop: "s1", Queue: "pre", Conversation: conversation, ID: fmt.Sprint(len(b.Events)), At: start.Add(at), Kind: kind,
		}
		switch kind {
		case chatlog.AgentMessage, chatlog.Transfer:
			e.Agent = "a1"
		case chatlog.RatingGiven:
			e.Score = 5
		}
		b.Events = append(b.Events, e)
	}
	for n := range 200 {
		say(fmt.Sprint("offer", n), 0, chatlog.AgentMessage)
		if n%2 == 0 {
			say(fmt.Sprint("offer", n), time.Minute, chatlog.Ended)
		}
	}
	for n := range 100 {
		say(fmt.Sprint("chat", n), 0, chatlog.BuyerMessage)
		say(fmt.Sprint("chat", n), 50*time.Second, chatlog.AgentMessage)
	}
	// A robot's and a template's talk with nobody, also where a header knows the conversation.
	say("robot", 0, chatlog.Welcome)
	say("robot", time.Second, chatlog.BotMessage)
	say("robot", time.Minute, chatlog.Ended)
	say("known", 0, chatlog.AgentMessage)
	b.Conversations = append(b.Conversations, chatlog.Conversation{
		Merchant: "lumi", Shop: "s1", Queue: "pre", ID: "known", Channel: chatlog.Chat, Agent: "a1", StartedAt: start, AnsweredAt: start,
		HandleTime: 200 * time.Second,
	})
	ingest(t, w, b)
	refresh(t, w)
	figure := func(metric kpi.Metric) [2]float64 {
		r := ask(t, w, everything, kpi.Query{Metrics: []kpi.Metric{metric}, Within: 30 * time.Second, Grain: kpi.Whole, Range: month})[0]
		return [2]float64{r.Numerator, r.Denominator}
	}
	assert.Equal(t, map[kpi.Metric][2]float64{
		"offered": {100, 1}, "handled": {100, 1}, "abandoned": {0, 1}, "answered_within": {0, 100}, "first_response": {5000, 100}, "abandonment": {0, 100},
		"answer_question_ratio": {301, 100}, "handle_time": {200, 100},
	}, map[kpi.Metric][2]float64{
		"offered": figure("offered"), "handled": figure("handled"), "abandoned": figure("abandoned"), "answered_within": figure("answered_within"),
		"first_response": figure("first_response"), "abandonment": figure("abandonment"), "answer_question_ratio": figure("answer_question_ratio"),
		"handle_time": figure("handle_time"),
	})
}

// A day that no definition with a rule has to do with is computed again too when the sums are made otherwise.
func TestDaysOfTheNeutralSumsFollowTheLayout(t *testing.T) {
	w := openNew(t)
	ingest(t, w, Batch{ID: "b", Conversations: []chatlog.Conversation{conversation("lumi", "1", month.Start.Add(time.Hour))}})
	refresh(t, w)
	assert.Zero(t, refresh(t, w), "nothing waits")
	// As a release left it that did not cover the neutral sums.
	require.NoError(t, w.conn.Exec(t.Context(), `INSERT INTO rollups SELECT kind, merchant, day, (top.1, top.2 + 1, top.3, 0, top.5) FROM (
SELECT kind, merchant, day, max(newest) AS top FROM rollups GROUP BY kind, merchant, day)`))
	assert.Equal(t, 1, refresh(t, w))
}

// A store of before there were channels opens: what was written of its definitions says nothing of them.
func TestDefinitionsWrittenBeforeChannels(t *testing.T) {
	dsn := enginetest.Start(t)
	d := kpi.Definition{
		Metric: "test.rate", Version: "v1", Unit: kpi.Share, Base: kpi.BaseRound, Effective: calendar.Dates{From: calendar.MakeDate(2020, 1, 1)},
		Rule: &kpi.Rule{Measure: kpi.Within, Limit: 180}, Platforms: []string{"jd"}, Channels: []string{chatlog.Chat},
	}
	reopen := func(d kpi.Definition) *Warehouse {
		w, err := Open(t.Context(), DefaultConfig(), Fixed(dsn), kpi.Definitions{d})
		require.NoError(t, explain(err))
		t.Cleanup(func() { _ = w.Close() })
		return w
	}
	w := reopen(d)
	require.NoError(t, w.conn.Exec(t.Context(), "INSERT INTO definitions (metric, hash, content) VALUES ('test.rate@v1', 1, ?)",
		`{"unit":"share","platforms":["jd"],"base":"round","rule":{"measure":"within","limit_s":180,"judge":"first","start":"buyer","stop":"human",`+
			`"cut":"event","closing":"ignore","zero_second":"count","cross_day":"count","transferred":"receiver","unanswered":"miss"},"from":"2020-01-01"}`))
	w = reopen(d)
	ingest(t, w, Batch{ID: "b", Conversations: []chatlog.Conversation{conversation("m", "1", base)}})
	refresh(t, w)
	d.Channels = nil
	_, err := Open(t.Context(), DefaultConfig(), Fixed(dsn), kpi.Definitions{d})
	assert.Equal(t, "kpi.definition.changed", fault.CodeOf(err), "from now on they may not change")
}

// Who enters the human stage or calls wants something, although no message of theirs is known.
func TestWhoEntersOrCallsIsOffered(t *testing.T) {
	w := openNew(t)
	start := month.Start.Add(34 * time.Hour)
	event := func(conversation string, n int, kind chatlog.EventKind, agent ids.Agent) chatlog.Event {
		return chatlog.Event{
			Merchant: "lumi", Shop: "s1", Queue: "pre", Conversation: conversation, ID: fmt.Sprint(n), At: start.Add(time.Duration(n) * time.Minute), Kind: kind, Agent: agent,
		}
	}
	ingest(t, w, Batch{
		ID:     "b",
		Events: []chatlog.Event{event("entered", 0, chatlog.Handover, ""), event("entered", 1, chatlog.Ended, ""), event("call", 1, chatlog.Transfer, "a2")},
		Conversations: []chatlog.Conversation{
			{Merchant: "lumi", Shop: "s1", Queue: "pre", ID: "call", Channel: chatlog.Call, Agent: "a1", StartedAt: start, EndedAt: start.Add(time.Hour)},
			{Merchant: "lumi", Shop: "s1", Queue: "pre", ID: "header only", Channel: chatlog.Chat, StartedAt: start},
		},
	})
	refresh(t, w)
	q := kpi.Query{Metrics: []kpi.Metric{"offered", "abandoned"}, Grain: kpi.Whole, Range: month}
	readings := ask(t, w, everything, q)
	assert.Equal(t, []float64{3, 2}, []float64{readings[0].Numerator, readings[1].Numerator})
}
