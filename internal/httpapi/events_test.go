package httpapi_test

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// streamed is the answer of the machine door as a client reads it.
type streamed struct {
	Lines       int64 `json:"lines"`
	Rows        int64 `json:"rows"`
	Batches     int64 `json:"batches"`
	Duplicates  int64 `json:"duplicates"`
	Refused     int64 `json:"refused"`
	Quarantined int64 `json:"quarantined"`
}

// eventsOf is n lines of events of lumi on 5 May 2026, four to a conversation.
func eventsOf(from, n int) string {
	var b strings.Builder
	start := time.Date(2026, 5, 5, 1, 0, 0, 0, time.UTC)
	for i := from; i < from+n; i++ {
		kind, rest := "buyer", `,"buyer":"0123456789abcdef0123456789abcdef"`
		if i%2 == 1 {
			kind, rest = "agent", `,"agent":"1001"`
		}
		fmt.Fprintf(&b, `{"merchant":"lumi","shop":"lumi-tmall","queue":"lumi-tmall/pre","conversation":"c%d","id":"m%d","at":%q,"kind":%q%s}`+"\n",
			i/4, i%4, start.Add(time.Duration(i)*time.Millisecond).Format(time.RFC3339Nano), kind, rest)
	}
	return b.String()
}

func TestEventsOverHTTP(t *testing.T) {
	h := open(t, func(s *settings) { s.engine = true; s.http.BodyLimit = 1 << 20 })
	post := func(body any, headers ...string) (done streamed) {
		h.ask(t, "planner", "POST", "/v1/events?source=erp", body, headers...).into(t, &done)
		return done
	}
	text := eventsOf(0, 400) + "broken\n" + strings.ReplaceAll(eventsOf(400, 1), "lumi-tmall/pre", "nowhere")
	assert.Equal(t, streamed{Lines: 402, Rows: 400, Batches: 1, Refused: 2, Quarantined: 2}, post([]byte(text)))
	assert.Equal(t, streamed{Lines: 402, Rows: 400, Batches: 1, Duplicates: 400, Refused: 2},
		post(packed(t, text), "Content-Encoding", "gzip"), "gzip on the wire is the same content")
	metrics := string(h.send(t, "GET", "/metrics", nil).body)
	assert.Contains(t, metrics, `chaoban_ingest_rows_total{kind="events",result="imported"} 400`)

	long := eventsOf(1000, 12_000) // more than the limit of bodies, which is not for streams
	require.Greater(t, len(long), 1<<20)
	assert.Equal(t, int64(12_000), post([]byte(long)).Rows)
	assert.Equal(t, int64(12_000), post(io.MultiReader(strings.NewReader(long))).Duplicates, "also without a length in the header")

	t.Run("quarantine", func(t *testing.T) { quarantine(t, h) })
	t.Run("no ndjson", func(t *testing.T) { notNDJSON(t, h) })
	t.Run("poison", func(t *testing.T) { poison(t, h) })
	t.Run("engine down", func(t *testing.T) {
		h.SetEngine(false)
		defer h.SetEngine(true)
		a := h.ask(t, "planner", "POST", "/v1/events", []byte(eventsOf(20_000, 4)))
		assert.Equal(t, 503, a.status)
		assert.NotEmpty(t, a.header.Get("Retry-After"))
	})
}

func quarantine(t *testing.T, h *house) {
	var list struct {
		Items []struct {
			ID, State, Reason, Text, Source, Merchant string
			Line                                      int
		}
	}
	h.ask(t, "planner", "GET", "/v1/quarantine?state=waiting", nil).into(t, &list)
	require.Len(t, list.Items, 2)
	ids := map[int]string{}
	for _, q := range list.Items {
		ids[q.Line] = q.ID
		assert.Equal(t, "erp", q.Source)
	}
	require.Len(t, ids, 2)
	assert.Equal(t, 400, h.ask(t, "planner", "POST", "/v1/quarantine/"+ids[401]+"/drop", `{"reason":""}`).status)
	assert.Equal(t, 204, h.ask(t, "planner", "POST", "/v1/quarantine/"+ids[401]+"/drop", `{"reason":"测试"}`).status)
	assert.Equal(t, 409, h.ask(t, "planner", "POST", "/v1/quarantine/"+ids[401]+"/drop", `{"reason":"测试"}`).status)
	var tried struct{ Landed, Refused int }
	h.ask(t, "planner", "POST", "/v1/quarantine/retry", fmt.Sprintf(`{"ids":[%q]}`, ids[402])).into(t, &tried)
	assert.Equal(t, 1, tried.Refused, "nothing is fixed")
	added := strings.Replace(merchantsYAML, `queues: [{id: lumi-tmall/pre,`, `queues: [{id: nowhere, skill: after, channel: chat, hours: "Mon-Sun 09:00-18:00"}, {id: lumi-tmall/pre,`, 1)
	require.Equal(t, 200, h.ask(t, "planner", "POST", "/v1/contract-files", added).status)
	h.ask(t, "planner", "POST", "/v1/quarantine/retry", `{}`).into(t, &tried)
	assert.Equal(t, 1, tried.Landed)
}

// A body that is something else as a whole is the client's mistake, and nothing of it lands.
func notNDJSON(t *testing.T, h *house) {
	for name, body := range map[string][]byte{
		"csv": []byte("a,b\n1,2\n"), "array": []byte("[{}]"), "empty": {}, "much csv": bytes.Repeat([]byte("a,b,c\n"), 1<<20),
	} {
		a := h.ask(t, "planner", "POST", "/v1/events", body)
		assert.Equal(t, 400, a.status, name)
		assert.Equal(t, "stream.not_ndjson", a.problem(t).Code, name)
	}
	gz := packed(t, eventsOf(30_000, 100))
	for name, body := range map[string][]byte{
		"no gzip": []byte(eventsOf(0, 1)), "cut": gz[:len(gz)-20], "header only": gz[:12],
	} {
		a := h.ask(t, "planner", "POST", "/v1/events", body, "Content-Encoding", "gzip")
		assert.Equal(t, 400, a.status, "%s: %s", name, a.body)
		assert.Equal(t, "request.body", a.problem(t).Code, "%s: %s", name, a.body)
	}
}

// A line of 100 MB, deep JSON and malformed text are one refused line each; the connection is fine
// and memory stays flat.
func poison(t *testing.T, h *house) {
	body := io.MultiReader(
		strings.NewReader(eventsOf(40_000, 2)),
		strings.NewReader(`{"text":"`), io.LimitReader(endless('x'), 100<<20), strings.NewReader("\"}\n"),
		strings.NewReader(strings.Repeat(`[`, 500_000)+"\n"+strings.Repeat(`{"a":`, 100_000)+"\n"),
		strings.NewReader("{\"merchant\":\"\xff\xfe\"}\n{\"merchant\":\"lu\x00mi\"}\n"),
		strings.NewReader(eventsOf(40_002, 2)),
	)
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	var done streamed
	h.ask(t, "planner", "POST", "/v1/events", body).into(t, &done)
	runtime.ReadMemStats(&now)
	assert.Equal(t, streamed{Lines: 9, Rows: 4, Batches: 1, Refused: 5, Quarantined: 5}, done)
	assert.Less(t, now.HeapSys-min(before.HeapSys, now.HeapSys), uint64(100<<20))
	assert.Equal(t, 200, h.ask(t, "planner", "GET", "/v1/me", nil).status)
}

type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}

func TestAccountsOverHTTP(t *testing.T) {
	h := open(t, nil)
	h.ask(t, "planner", "PUT", "/v1/accounts", accountLumi).into(t, &struct{}{})
	var list struct {
		Items []struct{ ID, Agent, Account string }
	}
	h.ask(t, "quality", "GET", "/v1/accounts?at=2026-06-01T00:00:00Z&shop=lumi-tmall", nil).into(t, &list)
	require.Len(t, list.Items, 1)
	assert.Equal(t, "1001", list.Items[0].Agent)
	none := list
	h.ask(t, "quality", "GET", "/v1/accounts?platform=jd", nil).into(t, &none)
	assert.Empty(t, none.Items, "a platform without accounts is no error")
	for query, code := range map[string]string{
		"accounts?shop=lumi-tmal": "store.not_found", "accounts?agent=7777": "store.not_found", "accounts?platform=tmal": "assignment.invalid",
		"quarantine?merchant=lumy": "store.not_found",
	} {
		assert.Equal(t, code, h.ask(t, "planner", "GET", "/v1/"+query, nil).problem(t).Code, query)
	}
	assert.Equal(t, 404, h.ask(t, "planner", "POST", "/v1/quarantine/retry", `{"merchant":"lumy"}`).status)
	a := h.ask(t, "planner", "PUT", "/v1/accounts", strings.ReplaceAll(accountLumi, "1001", "7777"))
	assert.Equal(t, 422, a.status)
	assert.Equal(t, "assignment.invalid", a.problem(t).Code)
	assert.Equal(t, 204, h.ask(t, "planner", "DELETE", "/v1/accounts/"+list.Items[0].ID, nil).status)
	h.ask(t, "quality", "GET", "/v1/accounts", nil).into(t, &list)
	assert.Empty(t, list.Items)
}
