package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/httpapi"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/administration"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

func TestMain(m *testing.M) { os.Exit(enginetest.Main(m)) }

const password = "correct-horse-battery"

// people has one login per role; agents and clients come twice, once per merchant.
var people = []administration.UserInput{
	{Login: "admin", Name: "管理员", Role: access.Administrator},
	{Login: "planner", Name: "排班师", Role: access.Planner},
	{Login: "supervisor", Name: "主管", Role: access.Supervisor},
	{Login: "quality", Name: "质检", Role: access.Quality},
	{Login: "agent-lumi", Name: "客服甲", Role: access.AgentRole, Agent: "1001"},
	{Login: "agent-orca", Name: "客服乙", Role: access.AgentRole, Agent: "2001"},
	{Login: "client-lumi", Name: "鹿米", Role: access.Client, Merchant: "lumi"},
	{Login: "client-orca", Name: "虎鲸", Role: access.Client, Merchant: "orca"},
}

const merchantsYAML = `
merchants:
  - id: lumi
    name: 鹿米家居
    shops:
      - id: lumi-tmall
        name: 鹿米天猫旗舰店
        platform: tmall
        queues: [{id: lumi-tmall/pre, skill: pre, channel: chat, hours: "Mon-Sun 09:00-18:00"}]
  - id: orca
    name: 虎鲸数码
    shops:
      - id: orca-jd
        name: 虎鲸京东自营
        platform: jd
        queues: [{id: orca-jd/pre, skill: pre, channel: chat, hours: "Mon-Sun 09:00-18:00"}]
contracts:
  - id: lumi-2026
    merchant: lumi
    title: 鹿米客服外包
    versions:
      - number: 1
        from: 2026-01-01
        shops: [lumi-tmall]
        terms: [{id: first-30s, metric: answered_within, within: 30s, direction: at_least, target: 0.6}]
        prices: [{id: seat, title: 坐席, base: seat_month, amount: 6500}]
        seats: [{shop: lumi-tmall, skill: pre, window: "09:00-18:00", count: 10}]
        tax_rate: 6%
  - id: orca-2026
    merchant: orca
    title: 虎鲸客服外包
    versions:
      - number: 1
        from: 2026-01-01
        shops: [orca-jd]
        terms: [{id: first-30s, metric: answered_within, within: 30s, direction: at_least, target: 0.9}]
        prices: [{id: contact, title: 按接待量, base: contact, amount: 2.5}]
        tax_rate: 6%
`

// house is one served process with two merchants, two agents and everybody's login.
type house struct {
	*operationstest.Stack
	server *httpapi.Server
	base   string
	log    *record
	users  map[string]ids.User
	tokens map[string]string // session secrets by login
}

// record is a log that a test reads while the server writes it.
type record struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.String()
}

type settings struct {
	engine bool
	http   httpapi.Config
	ops    operations.Config
	deps   func(*httpapi.Deps)
}

func open(t testing.TB, change func(*settings)) *house {
	t.Helper()
	s := settings{http: httpapi.DefaultConfig(), ops: operations.DefaultConfig()}
	s.http.Listen = "127.0.0.1:0"
	if change != nil {
		change(&s)
	}
	h := &house{Stack: operationstest.Open(t, s.engine, s.ops), log: &record{}, users: map[string]ids.User{}, tokens: map[string]string{}}
	h.furnish(t)
	jobs := table{h.Operations}
	deps := httpapi.Deps{
		Ops: h.Operations, Version: "v0-test", Jobs: jobs, JobTable: jobs.rows,
		Log: slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if s.deps != nil {
		s.deps(&deps)
	}
	h.server = httpapi.New(s.http, deps)
	ln, err := net.Listen("tcp", s.http.Listen)
	require.NoError(t, err)
	h.base = "http://" + ln.Addr().String()
	done := h.server.Start(ln)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		require.NoError(t, h.server.Stop(ctx))
		require.NoError(t, <-done)
	})
	return h
}

// furnish adds the master data and the people through the use cases.
func (h *house) furnish(t testing.TB) {
	t.Helper()
	ctx, root := t.Context(), access.System("test")
	_, err := h.Administration.ApplyContracts(ctx, root, "merchants.yaml", strings.NewReader(merchantsYAML))
	require.NoError(t, err)
	err = h.Administration.PutPlaces(ctx, root, []workforce.Site{{ID: "hz", Name: "杭州"}}, []workforce.Team{{ID: "t1", Name: "一组", Site: "hz"}})
	require.NoError(t, err)
	from := calendar.Dates{From: calendar.MakeDate(2026, 1, 1)}
	agent := func(id ids.Agent, queue ids.Queue) workforce.Agent {
		return workforce.Agent{
			ID: id, Name: "客服" + string(id), Team: "t1", Site: "hz", Employment: workforce.Standard, Employed: from, Concurrency: 3, Wage: 3000,
			Skills: []workforce.Skill{{Queue: queue, Dates: from, Level: 1}},
		}
	}
	_, err = h.Administration.PutAgents(ctx, root, []workforce.Agent{agent("1001", "lumi-tmall/pre"), agent("2001", "orca-jd/pre")})
	require.NoError(t, err)
}

// user adds a login when it is first needed: hashing eight passwords for every test takes long.
func (h *house) user(t testing.TB, login string) ids.User {
	t.Helper()
	if h.users[login] == "" {
		i := slices.IndexFunc(people, func(u administration.UserInput) bool { return u.Login == login })
		require.GreaterOrEqual(t, i, 0, login)
		in := people[i]
		in.Password = password
		u, err := h.Administration.PutUser(t.Context(), access.System("test"), in)
		require.NoError(t, err)
		h.users[login] = u.ID
	}
	return h.users[login]
}

// as returns the session secret of a login, opened once.
func (h *house) as(t testing.TB, login string) string {
	t.Helper()
	if login == "" {
		return ""
	}
	if h.tokens[login] == "" {
		h.user(t, login)
		done, err := h.Administration.Login(t.Context(), administration.Login{Login: login, Password: password, Remote: "test"})
		require.NoError(t, err)
		h.tokens[login] = done.Secret
	}
	return h.tokens[login]
}

// table is a job table with one job that counts seven rows.
type table struct{ ops *operations.Operations }

func (table) rows() []httpapi.Job {
	return []httpapi.Job{{Name: "count", Schedule: "0 7 * * *", Timeout: time.Minute}}
}

func (j table) Spec(name string) (operations.JobSpec, error) {
	if name != "count" {
		return operations.JobSpec{}, fault.New(fault.NotFound, "jobs.unknown", "there is no job %q", name)
	}
	return operations.JobSpec{
		Name: name, Due: j.ops.Now(), Trigger: operations.Manual, Timeout: time.Minute,
		Run: func(context.Context, access.Principal, time.Time) (int64, error) { return 7, nil },
	}, nil
}

// answer is a response that was read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// problem is the body of an error as a client reads it.
type problem struct {
	Type     string        `json:"type"`
	Title    string        `json:"title"`
	Status   int           `json:"status"`
	Detail   string        `json:"detail"`
	Code     string        `json:"code"`
	Instance string        `json:"instance"`
	Errors   []fault.Field `json:"errors"`
}

func (a answer) problem(t testing.TB) problem {
	t.Helper()
	require.Equal(t, "application/problem+json", a.header.Get("Content-Type"), "%d %s", a.status, a.body)
	var p problem
	require.NoError(t, json.Unmarshal(a.body, &p), string(a.body))
	require.Equal(t, a.status, p.Status)
	return p
}

func (a answer) into(t testing.TB, v any) {
	t.Helper()
	require.Less(t, a.status, 300, string(a.body))
	require.NoError(t, json.Unmarshal(a.body, v), string(a.body))
}

var client = &http.Client{
	Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16},
	Timeout:       30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// ask sends a request as a login ("" for nobody); header pairs follow the body.
func (h *house) ask(t testing.TB, login, method, path string, body any, headers ...string) answer {
	t.Helper()
	if login != "" {
		headers = append(headers, "Authorization", "Bearer "+h.as(t, login))
	}
	return h.send(t, method, path, body, headers...)
}

func (h *house) send(t testing.TB, method, path string, body any, headers ...string) answer {
	t.Helper()
	var reader io.Reader
	kind := "application/json"
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	case []byte:
		reader, kind = bytes.NewReader(b), "application/octet-stream"
	case io.Reader:
		reader, kind = b, "application/octet-stream"
	default:
		text, err := json.Marshal(b)
		require.NoError(t, err)
		reader = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, h.base+path, reader)
	require.NoError(t, err)
	if reader != nil {
		request.Header.Set("Content-Type", kind)
	}
	for pair := range slices.Chunk(headers, 2) {
		request.Header.Set(pair[0], pair[1])
	}
	response, err := client.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return answer{status: response.StatusCode, header: response.Header, body: text}
}
