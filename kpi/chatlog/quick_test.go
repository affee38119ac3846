package chatlog

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The quick reader may give up, but what it reads the slow reader must read the same.
func FuzzQuickConversation(f *testing.F) {
	for _, line := range quickLines {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) { agree(t, line) })
}

func agree(t *testing.T, line []byte) bool {
	quick, ok := quickConversation(line)
	if !ok {
		return false
	}
	slow, bad := slowConversation(line)
	require.Empty(t, bad, "%s", line)
	require.Equal(t, slow, quick, "%s", line)
	return true
}

var quickLines = []string{
	`{"merchant":"m","shop":"s","queue":"q","id":"1","channel":"chat","agent":"a","buyer":"b","started_at":"2026-11-11T00:00:00+08:00","answered_at":"2026-11-11T00:00:08.25Z","ended_at":"2026-11-11T00:10:00Z","abandoned":false,"resolved":true,"rating":5,"agent_messages":4,"buyer_messages":0,"handle_time":95000000000,"rounds":[{"opened_at":"2026-11-11T00:00:00Z","answered_at":"2026-11-11T00:00:08Z","agent":"a"},{"opened_at":"2026-11-11T00:01:00Z","agent":"张三"}],"simulated":true}`,
	`{"merchant":"m","bot_answered_at":"2026-11-11T00:00:02.5+08:00","started_at":"2026-11-11T00:00:00+08:00"}`,
	` { "merchant" : "商家" , "rounds" : [ ] } `,
	`{}`,
}

func TestQuickReadsPlainLines(t *testing.T) {
	for _, line := range quickLines {
		require.True(t, agree(t, []byte(line)), line)
	}
}

func TestQuickGivesUp(t *testing.T) {
	for _, line := range []string{
		`{"merchant":"m","merchant":"n"}`, `{"Merchant":"m"}`, `{"merchant":null}`, `{"merchant":"\u0041"}`, `{"rating":5.0}`, `{"rating":05}`,
		`{"rating":-1}`, `{"rating":1e2}`, `{"handle_time":90}`, `{"handle_time":"90s"}`, `{"x":1}`, `{} {}`, `{`, `[]`, ``, `{"merchant":"m",}`,
		`{"started_at":"2026-11-11"}`, `{"rounds":[{"opened_at":"2026-11-11T00:00:00Z","opened_at":"2026-11-11T00:00:00Z"}]}`, `{"rating":1234567890123456}`, `{"bot_answered_at":"2026-11-11T00:00:00Z","bot_answered_at":"2026-11-11T00:00:00Z"}`,
		"{\"merchant\":\"\xff\"}",
	} {
		_, ok := quickConversation([]byte(line))
		require.False(t, ok, line)
	}
}
