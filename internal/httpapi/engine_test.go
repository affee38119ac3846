package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// chats: lumi has four conversations on 5 May 2026, answered after 10 s, 20 s and 50 s and one
// given up; orca has two, answered after 5 s each.
const chats = `merchant,shop,queue,id,channel,agent,started_at,answered_at,ended_at
lumi,lumi-tmall,lumi-tmall/pre,L1,chat,1001,2026-05-05 10:00:00,2026-05-05 10:00:10,2026-05-05 10:05:00
lumi,lumi-tmall,lumi-tmall/pre,L2,chat,1001,2026-05-05 10:01:00,2026-05-05 10:01:20,2026-05-05 10:06:00
lumi,lumi-tmall,lumi-tmall/pre,L3,chat,1001,2026-05-05 11:00:00,2026-05-05 11:00:50,2026-05-05 11:06:00
lumi,lumi-tmall,lumi-tmall/pre,L4,chat,,2026-05-05 11:30:00,,2026-05-05 11:33:00
orca,orca-jd,orca-jd/pre,O1,chat,2001,2026-05-05 10:00:00,2026-05-05 10:00:05,2026-05-05 10:05:00
orca,orca-jd,orca-jd/pre,O2,chat,2001,2026-05-05 10:30:00,2026-05-05 10:30:05,2026-05-05 10:35:00
`

type readings struct {
	Items []struct {
		Metric      string   `json:"metric"`
		Merchant    string   `json:"merchant"`
		Agent       string   `json:"agent"`
		Numerator   float64  `json:"numerator"`
		Denominator float64  `json:"denominator"`
		Value       *float64 `json:"value"`
	} `json:"items"`
}

const day = "from=2026-05-04T16:00:00Z&to=2026-05-05T16:00:00Z" // 5 May in Shanghai

func TestFiguresOverHTTP(t *testing.T) {
	h := open(t, func(s *settings) { s.engine = true })
	var done struct {
		Import struct {
			Rows int64 `json:"rows"`
		} `json:"import"`
		Already bool `json:"already"`
	}
	h.ask(t, "planner", "POST", "/v1/imports/conversations?name=chats.csv", []byte(chats)).into(t, &done)
	assert.EqualValues(t, 6, done.Import.Rows)
	h.ask(t, "planner", "POST", "/v1/imports/conversations?name=again.csv", []byte(chats)).into(t, &done)
	assert.True(t, done.Already, "the same file twice changes nothing")
	h.ask(t, "planner", "POST", "/v1/imports/conversations", packed(t, chats), "Content-Encoding", "gzip").into(t, &done)
	assert.True(t, done.Already, "gzip on the wire is the same file")

	figures := func(login, query string) readings {
		var r readings
		h.ask(t, login, "GET", "/v1/kpi/query?"+day+"&"+query, nil).into(t, &r)
		return r
	}
	offered := func(login, query string) map[string]float64 {
		sums := map[string]float64{}
		for _, r := range figures(login, "metrics=offered&by=merchant"+query).Items {
			sums[r.Merchant] += r.Numerator
		}
		return sums
	}
	assert.Equal(t, map[string]float64{"lumi": 4, "orca": 2}, offered("planner", ""))
	assert.Equal(t, map[string]float64{"lumi": 4}, offered("client-lumi", ""), "a client sees its own merchant only")
	assert.Equal(t, map[string]float64{"orca": 2}, offered("client-orca", ""))
	for _, other := range []string{"merchants=lumi", "merchants=nosuch", "shops=lumi-tmall", "queues=lumi-tmall/pre"} {
		r := h.ask(t, "client-orca", "GET", "/v1/kpi/query?"+day+"&metrics=offered&"+other, nil)
		assert.Equal(t, 404, r.status, "another's name is one that does not exist: %s", other)
	}

	// 10 s and 20 s of the four that were offered came within 30 s; the given-up one counts as missed.
	r := figures("planner", "metrics=answered_within,first_response&within=30s&merchants=lumi")
	require.Len(t, r.Items, 2)
	for _, x := range r.Items {
		switch x.Metric {
		case "answered_within":
			assert.InDelta(t, 2.0/4, *x.Value, 1e-9)
		case "first_response":
			assert.InDelta(t, (10.0+20+50)/3, *x.Value, 1e-9)
		}
	}
	var own readings
	h.ask(t, "agent-lumi", "POST", "/v1/kpi/query", map[string]any{
		"metrics": []string{"handled"}, "by": []string{"agent"}, "from": "2026-05-04T16:00:00Z", "to": "2026-05-05T16:00:00Z",
	}).into(t, &own)
	require.Len(t, own.Items, 1, "an agent sees itself only")
	assert.Equal(t, "1001", own.Items[0].Agent)
	assert.EqualValues(t, 3, own.Items[0].Numerator)
	assert.Equal(t, 403, h.ask(t, "client-lumi", "GET", "/v1/kpi/query?metrics=handled&by=agent&"+day, nil).status)

	t.Run("partial", func(t *testing.T) { partial(t, h) })
	t.Run("drill-down", func(t *testing.T) { drillDown(t, h) })
	t.Run("report", func(t *testing.T) { report(t, h) })
	t.Run("engine down", func(t *testing.T) { engineDown(t, h) })
}

// One bad row: nothing is imported, or with partial the good one and the bad one comes back.
func partial(t *testing.T, h *house) {
	text := strings.Join(strings.SplitAfter(chats, "\n")[:2], "") + "lumi,lumi-tmall,lumi-tmall/none,L9,chat,1001,2026-05-05 10:00:00,2026-05-05 10:00:10,2026-05-05 10:05:00\n"
	a := h.ask(t, "planner", "POST", "/v1/imports/conversations?name=mixed.csv", []byte(text))
	require.Equal(t, 422, a.status)
	bad := a.problem(t).Errors
	require.Len(t, bad, 1)
	assert.Equal(t, "mixed.csv", bad[0].File)
	assert.Equal(t, 3, bad[0].Row)
	assert.Equal(t, "queue", bad[0].Column)
	assert.Equal(t, "lumi-tmall/none", bad[0].Value)
	var done struct {
		Import struct {
			Rows     int64 `json:"rows"`
			Rejected int64 `json:"rejected"`
		} `json:"import"`
		RejectedRows string `json:"rejected_rows"`
	}
	h.ask(t, "planner", "POST", "/v1/imports/conversations?name=mixed.csv&partial=true", []byte(text)).into(t, &done)
	assert.EqualValues(t, 1, done.Import.Rows)
	assert.EqualValues(t, 1, done.Import.Rejected)
	assert.Contains(t, done.RejectedRows, "L9")
	metrics := string(h.send(t, "GET", "/metrics", nil).body)
	assert.Contains(t, metrics, `chaoban_ingest_rows_total{kind="conversations",result="imported"} 7`, "six and one")
	assert.Contains(t, metrics, `chaoban_ingest_rows_total{kind="conversations",result="rejected"} 1`)
}

func packed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func drillDown(t *testing.T, h *house) {
	ids := func(login string) string {
		var all []string
		cursor := ""
		for {
			var page struct {
				Items []struct {
					ID string `json:"id"`
				} `json:"items"`
				Next string `json:"next"`
			}
			h.ask(t, login, "GET", "/v1/conversations?limit=3&"+day+"&cursor="+cursor, nil).into(t, &page)
			for _, c := range page.Items {
				all = append(all, c.ID)
			}
			if cursor = page.Next; cursor == "" {
				return strings.Join(all, " ")
			}
		}
	}
	assert.ElementsMatch(t, strings.Fields("L1 L2 L3 L4 O1 O2"), strings.Fields(ids("planner")))
	assert.ElementsMatch(t, strings.Fields("L1 L2 L3 L4"), strings.Fields(ids("client-lumi")))
	assert.ElementsMatch(t, strings.Fields("O1 O2"), strings.Fields(ids("agent-orca")))
}

func report(t *testing.T, h *house) {
	const path = "/v1/contracts/lumi-2026/reports/2026-05"
	a := h.ask(t, "client-lumi", "GET", path, nil)
	require.Equal(t, 200, a.status, string(a.body))
	assert.Equal(t, 404, h.ask(t, "client-orca", "GET", path, nil).status)
	xlsx := h.ask(t, "client-lumi", "GET", path+"/workbook", nil)
	require.Equal(t, 200, xlsx.status, string(xlsx.body))
	assert.True(t, bytes.HasPrefix(xlsx.body, []byte("PK")), "a zip file")
	assert.Contains(t, xlsx.header.Get("Content-Disposition"), "sla-lumi-2026-2026-05.xlsx")
	var kept struct {
		ID string `json:"id"`
	}
	h.ask(t, "planner", "POST", path, nil).into(t, &kept)
	assert.Equal(t, 200, h.ask(t, "client-lumi", "GET", "/v1/reports/"+kept.ID, nil).status)
	assert.Equal(t, 404, h.ask(t, "client-orca", "GET", "/v1/reports/"+kept.ID, nil).status)
	again := h.ask(t, "client-lumi", "GET", "/v1/reports/"+kept.ID+"/workbook", nil)
	assert.Equal(t, 200, again.status)
}

// While the engine is down figures answer 503 with Retry-After and everything else works.
func engineDown(t *testing.T, h *house) {
	h.SetEngine(false)
	for _, path := range []string{"/v1/kpi/query?metrics=handled&" + day, "/v1/conversations?" + day, "/v1/contracts/lumi-2026/reports/2026-05"} {
		a := h.ask(t, "planner", "GET", path, nil)
		require.Equal(t, 503, a.status, path)
		assert.Equal(t, "warehouse.down", a.problem(t).Code)
		assert.Regexp(t, `^[1-9]\d*$`, a.header.Get("Retry-After"))
	}
	for _, path := range []string{"/v1/merchants", "/v1/agents", "/v1/rosters", "/v1/reports", "/v1/jobs", "/v1/imports", "/readyz", "/"} {
		assert.Equal(t, 200, h.ask(t, "planner", "GET", path, nil).status, path)
	}
	h.SetEngine(true)
	assert.Equal(t, 200, h.ask(t, "planner", "GET", "/v1/kpi/query?metrics=handled&"+day, nil).status)
}

// form is a multipart body of named parts; a name with a dot is the file.
func form(t *testing.T, parts ...string) (body []byte, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(parts); i += 2 {
		if strings.Contains(parts[i], ".") {
			part, err := w.CreateFormFile("file", parts[i])
			require.NoError(t, err)
			_, err = part.Write([]byte(parts[i+1]))
			require.NoError(t, err)
			continue
		}
		require.NoError(t, w.WriteField(parts[i], parts[i+1]))
	}
	require.NoError(t, w.Close())
	return b.Bytes(), w.FormDataContentType()
}

// Agents need no engine, so this runs everywhere.
func TestImportForms(t *testing.T) {
	h := open(t, nil)
	send := func(query string, parts ...string) answer {
		body, kind := form(t, parts...)
		return h.ask(t, "planner", "POST", "/v1/imports/agents"+query, body, "Content-Type", kind)
	}
	const mapping = "kind: agents\ncolumns:\n  id: {from: [工号]}\n  name: {from: [姓名]}\nconstants: {team: t1, site: hz, employment: standard, hired: 2026-01-01, concurrency: \"3\", wage: \"30\"}\n"
	good := "工号,姓名\n3001,王一\n3002,李二\n"
	a := send("", "mapping", mapping, "agents.csv", good)
	require.Equal(t, 200, a.status, string(a.body))
	assert.Contains(t, string(a.body), `"added":2`)
	again := send("", "mapping", mapping, "agents.csv", good)
	assert.Contains(t, string(again.body), `"already":true`)

	bad := send("", "mapping", mapping, "agents.csv", "工号,姓名\n3003,赵三\n,钱四\n")
	require.Equal(t, 422, bad.status, string(bad.body))
	field := bad.problem(t).Errors[0]
	assert.Equal(t, "agents.csv", field.File)
	assert.Equal(t, 3, field.Row, "the second data row")
	assert.Equal(t, 404, h.ask(t, "planner", "GET", "/v1/agents/3003", nil).status, "nothing half-imported")

	for name, c := range map[string]struct{ a, code string }{
		"unknown part":   {code: "request.form", a: string(send("", "colour", "red", "a.csv", good).body)},
		"no file":        {code: "request.form", a: string(send("", "mapping", mapping).body)},
		"mapping late":   {code: "request.form", a: string(send("", "a.csv", good, "mapping", mapping).body)},
		"two files":      {code: "request.form", a: string(send("", "a.csv", good, "b.csv", good).body)},
		"broken mapping": {code: "intake.mapping", a: string(send("", "mapping", "colour: red\n", "a.csv", good).body)},
		"other kind":     {code: "intake.mapping", a: string(send("", "mapping", "kind: states\n", "a.csv", good).body)},
		"not a form":     {code: "request.body", a: string(h.ask(t, "planner", "POST", "/v1/imports/agents", []byte("--b\r\nContent-Dispo"), "Content-Type", "multipart/form-data; boundary=b").body)},
		"not gzip":       {code: "request.body", a: string(h.ask(t, "planner", "POST", "/v1/imports/agents", []byte("xxxxxxxxxxxxxxxxxxxx"), "Content-Encoding", "gzip").body)},
	} {
		assert.Contains(t, c.a, `"code":"`+c.code+`"`, name)
	}
}

// An upload beyond 8 MiB goes through a file and is read like a small one.
func TestLargeUpload(t *testing.T) {
	h := open(t, nil)
	var b strings.Builder
	b.WriteString("id,name,team,site,employment,hired,concurrency,wage,note\n")
	for i := range 900 {
		fmt.Fprintf(&b, "9%04d,甲,t1,hz,standard,2026-01-01,3,30,%s\n", i, strings.Repeat("x", 10_000))
	}
	require.Greater(t, b.Len(), 8<<20)
	a := h.ask(t, "planner", "POST", "/v1/imports/agents?name=large.csv", []byte(b.String()))
	require.Equal(t, 200, a.status, string(a.body[:min(len(a.body), 500)]))
	assert.Contains(t, string(a.body), `"added":900`)
}
