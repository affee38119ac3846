package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/httpapi"
	"github.com/chaoban/chaoban/internal/operations"
)

func TestConfigReportsEveryBadField(t *testing.T) {
	require.NoError(t, httpapi.DefaultConfig().Validate())
	err := httpapi.Config{Listen: "8080", Deadline: time.Nanosecond, BodyLimit: 1}.Validate()
	var paths []string
	for _, f := range fault.Of(err).Fields {
		paths = append(paths, f.Path)
	}
	assert.Equal(t, []string{"listen", "deadline", "body_limit"}, paths)
}

func TestPagesWorkOffline(t *testing.T) {
	h := open(t, nil)
	for path, kind := range map[string]string{
		"/": "text/html", "/docs": "text/html", "/assets/style.css": "text/css", "/assets/docs.js": "text/javascript", "/assets/start.js": "text/javascript",
		"/openapi.yaml": "application/openapi+yaml", "/openapi.json": "application/openapi+json", "/about.json": "application/json",
		"/healthz": "application/json", "/readyz": "application/json", "/metrics": "text/plain",
	} {
		a := h.send(t, "GET", path, nil)
		assert.Equal(t, 200, a.status, path)
		assert.True(t, strings.HasPrefix(a.header.Get("Content-Type"), kind), "%s %s", path, a.header.Get("Content-Type"))
		assert.NotRegexp(t, `(src|href)="(https?:)?//|@import|url\(http`, string(a.body), path)
		head := h.send(t, "HEAD", path, nil)
		assert.Equal(t, 200, head.status, path)
		assert.Empty(t, head.body)
	}
	assert.Equal(t, 404, h.send(t, "GET", "/assets/..%2findex.html", nil).status)
	assert.Equal(t, 404, h.send(t, "GET", "/assets/none.js", nil).status)
}

func TestSecurityHeaders(t *testing.T) {
	h := open(t, nil)
	for _, path := range []string{"/", "/v1/me", "/nowhere", "/healthz"} {
		head := h.send(t, "GET", path, nil).header
		assert.Contains(t, head.Get("Content-Security-Policy"), "default-src 'none'", path)
		assert.Contains(t, head.Get("Content-Security-Policy"), "frame-ancestors 'none'", path)
		assert.Equal(t, "nosniff", head.Get("X-Content-Type-Options"), path)
		assert.Equal(t, "DENY", head.Get("X-Frame-Options"), path)
		assert.Equal(t, "no-referrer", head.Get("Referrer-Policy"), path)
		assert.Empty(t, head.Get("Strict-Transport-Security"), "this is plain HTTP")
		assert.Empty(t, head.Get("Server"), path)
		assert.NotEmpty(t, head.Get("Cache-Control"), path)
	}
	behind := open(t, func(s *settings) { s.http.TrustedProxies = []string{"127.0.0.1"} })
	assert.NotEmpty(t, behind.send(t, "GET", "/", nil, "X-Forwarded-Proto", "https").header.Get("Strict-Transport-Security"))
}

func TestRequestIDs(t *testing.T) {
	h := open(t, nil)
	assert.Equal(t, "trace-0123456789", h.send(t, "GET", "/healthz", nil, "X-Request-Id", "trace-0123456789").header.Get("X-Request-Id"))
	for _, bad := range []string{"short", strings.Repeat("x", 65), "with space and more", "<script>alert(1)</script>"} {
		got := h.send(t, "GET", "/healthz", nil, "X-Request-Id", bad).header.Get("X-Request-Id")
		assert.NotEqual(t, bad, got)
		assert.GreaterOrEqual(t, len(got), 20)
	}
	a := h.send(t, "GET", "/v1/me", nil, "X-Request-Id", "trace-0123456789")
	assert.Equal(t, "trace-0123456789", a.problem(t).Instance)
}

func TestProblemsOfShape(t *testing.T) {
	h := open(t, nil)
	for _, c := range []struct {
		name, method, path string
		body               any
		status             int
		code               string
		paths              []string // of errors, each at least once
	}{
		{"no route", "GET", "/v1/nothing", nil, 404, "request.no_route", nil},
		{"no page", "GET", "/nothing", nil, 404, "request.no_route", nil},
		{"wrong method", "PATCH", "/v1/merchants", nil, 405, "request.method", nil},
		{"broken JSON", "PUT", "/v1/merchants/lumi", `{"id": "lumi",`, 400, "request.invalid", []string{"body"}},
		{"several at once", "POST", "/v1/users", `{"login":7,"rule":"quality","name":"x"}`, 400, "request.invalid", []string{"login", "rule", "role"}},
		{"unknown field deep inside", "PUT", "/v1/merchants/lumi", strings.Replace(merchantLumi, `"platform"`, `"colour":"red","platform"`, 1), 400, "request.invalid", []string{"shops[0].colour"}},
		{"unknown query", "GET", "/v1/merchants?limitt=3", nil, 400, "request.invalid", []string{"query.limitt"}},
		{"bad limit", "GET", "/v1/merchants?limit=0", nil, 400, "request.invalid", []string{"query.limit"}},
		{"bad date", "GET", "/v1/contracts?on=soon", nil, 400, "request.invalid", []string{"query.on"}},
		{"bad month", "GET", "/v1/contracts/lumi-2026/reports/2026-13", nil, 400, "request.invalid", []string{"path.month"}},
		{"half a range", "GET", "/v1/rosters?from=2026-05-01T00:00:00Z", nil, 400, "request.invalid", []string{"query.to"}},
		{"another id", "PUT", "/v1/merchants/other", merchantLumi, 400, "request.invalid", []string{"id"}},
		{"cursor of nobody", "GET", "/v1/merchants?cursor=zzz", nil, 422, "store.bad_page", []string{"cursor"}},
		{"meaning", "POST", "/v1/users", `{"login":"x y","name":" ","role":"client"}`, 422, "user.invalid", []string{"login", "name", "merchant", "password"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := h.ask(t, "admin", c.method, c.path, c.body)
			require.Equal(t, c.status, a.status, string(a.body))
			p := a.problem(t)
			assert.Equal(t, c.code, p.Code, string(a.body))
			assert.Equal(t, "urn:chaoban:problem:"+p.Code, p.Type)
			assert.Equal(t, http.StatusText(c.status), p.Title)
			assert.Equal(t, a.header.Get("X-Request-Id"), p.Instance)
			assert.NotEmpty(t, p.Detail)
			var paths []string
			for _, f := range p.Errors {
				assert.NotEmpty(t, f.Problem)
				paths = append(paths, f.Path)
			}
			assert.Subset(t, paths, c.paths, string(a.body))
		})
	}
	assert.Contains(t, h.ask(t, "admin", "PATCH", "/v1/merchants", nil).header.Get("Allow"), "GET")
}

func TestSecretsStayOut(t *testing.T) {
	h := open(t, nil)
	secret := h.as(t, "admin")
	a := h.send(t, "POST", "/v1/session", `{"login":"admin","password":"`+password+`","more":1}`)
	require.Equal(t, 400, a.status)
	assert.NotContains(t, string(a.body), password, "an error does not repeat a body")
	var session struct {
		Token string `json:"token"`
	}
	h.send(t, "POST", "/v1/session", `{"login":"admin","password":"`+password+`"}`).into(t, &session)
	h.send(t, "GET", "/v1/me?access_token=query-secret", nil, "Authorization", "Bearer "+session.Token)
	h.send(t, "GET", "/v1/me", nil, "Cookie", "chaoban_session="+secret)
	h.send(t, "GET", "/v1/me", nil, "Authorization", "Bearer cbs_wrong-secret")
	users := h.ask(t, "admin", "GET", "/v1/users", nil)
	assert.NotContains(t, string(users.body), "argon2")
	log := h.log.String()
	for _, hidden := range []string{secret, session.Token, password, "query-secret", "cbs_", "argon2"} {
		assert.NotContains(t, log, hidden)
	}
	assert.Contains(t, log, "path=/v1/session")
}

func TestInternalTextStaysInTheLog(t *testing.T) {
	h := open(t, func(s *settings) {
		s.deps = func(d *httpapi.Deps) { d.Jobs = broken{} }
	})
	a := h.ask(t, "admin", "POST", "/v1/jobs/count/runs", nil)
	require.Equal(t, 500, a.status)
	p := a.problem(t)
	assert.Equal(t, "internal", p.Code)
	assert.NotContains(t, string(a.body), "dead disk")
	assert.Contains(t, h.log.String(), "dead disk")
	assert.Contains(t, h.log.String(), p.Instance)
	a = h.ask(t, "admin", "POST", "/v1/jobs/panic/runs", nil)
	require.Equal(t, 500, a.status)
	assert.NotContains(t, string(a.body), "boom")
	assert.Contains(t, h.log.String(), "boom")
	assert.Equal(t, 200, h.send(t, "GET", "/healthz", nil).status, "and goes on")
}

// broken is a job table that fails in the ways that must not show.
type broken struct{}

func (broken) Spec(name string) (operations.JobSpec, error) {
	if name == "panic" {
		panic("boom")
	}
	return operations.JobSpec{}, fmt.Errorf("dead disk at /dev/sda1")
}

func TestLoginIsThrottled(t *testing.T) {
	h := open(t, nil)
	h.user(t, "planner")
	h.user(t, "quality")
	wrong := `{"login":"planner","password":"not-the-password"}`
	for range operations.DefaultConfig().LoginAttempts {
		a := h.send(t, "POST", "/v1/session", wrong)
		require.Equal(t, 401, a.status)
		assert.Equal(t, "access.wrong_login", a.problem(t).Code)
	}
	a := h.send(t, "POST", "/v1/session", `{"login":"planner","password":"`+password+`"}`)
	require.Equal(t, 429, a.status, "also with the right password")
	assert.Equal(t, "access.too_many_logins", a.problem(t).Code)
	assert.Regexp(t, `^[1-9]\d*$`, a.header.Get("Retry-After"))
	assert.Equal(t, 201, h.send(t, "POST", "/v1/session", `{"login":"quality","password":"`+password+`"}`).status, "others are not held up")
}

// Behind a proxy of ours the client is who the proxy names, and nobody further left.
func TestTrustedProxy(t *testing.T) {
	h := open(t, func(s *settings) { s.http.TrustedProxies = []string{"127.0.0.1", "10.0.0.0/8"} })
	h.user(t, "planner")
	login := func(secret, chain string) answer {
		return h.send(t, "POST", "/v1/session", `{"login":"planner","password":"`+secret+`"}`, "X-Forwarded-For", chain, "X-Forwarded-Proto", "https")
	}
	for i := range operations.DefaultConfig().LoginAttempts {
		require.Equal(t, 401, login("not-the-password", fmt.Sprintf("198.51.100.%d, 203.0.113.7, 10.1.1.1", i)).status)
	}
	assert.Equal(t, 429, login(password, "203.0.113.7").status, "the invented addresses did not help")
	a := login(password, "203.0.113.8")
	require.Equal(t, 201, a.status)
	assert.Contains(t, a.header.Get("Set-Cookie"), "Secure")
}

func TestCookieSession(t *testing.T) {
	h := open(t, nil)
	h.user(t, "admin")
	a := h.send(t, "POST", "/v1/session", `{"login":"admin","password":"`+password+`"}`)
	require.Equal(t, 201, a.status)
	cookies := (&http.Response{Header: a.header}).Cookies()
	require.Len(t, cookies, 1)
	c := cookies[0]
	assert.True(t, c.HttpOnly)
	assert.Equal(t, http.SameSiteStrictMode, c.SameSite)
	assert.False(t, c.Secure, "plain HTTP on the local machine")
	forwarded := h.send(t, "POST", "/v1/session", `{"login":"admin","password":"`+password+`"}`, "X-Forwarded-Proto", "https")
	assert.NotContains(t, forwarded.header.Get("Set-Cookie"), "Secure", "nobody said that this proxy is ours")
	with := func(method, path string, body any, headers ...string) answer {
		return h.send(t, method, path, body, append(headers, "Cookie", c.Name+"="+c.Value)...)
	}
	assert.Equal(t, 200, with("GET", "/v1/me", nil).status)
	put := func(headers ...string) int { return with("PUT", "/v1/merchants/lumi", merchantLumi, headers...).status }
	assert.Equal(t, 403, put(), "nothing says where it comes from")
	assert.Equal(t, 200, put("X-Chaoban-Request", "1"))
	assert.Equal(t, 200, put("Origin", h.base))
	assert.Equal(t, 403, put("Origin", "https://evil.example"))
	assert.Equal(t, 403, put("Origin", "https://evil.example", "X-Chaoban-Request", "1"))
	assert.Equal(t, 403, put("Sec-Fetch-Site", "cross-site", "X-Chaoban-Request", "1"))
	assert.Equal(t, 403, h.send(t, "POST", "/v1/session", `{"login":"admin","password":"`+password+`"}`, "Origin", "https://evil.example").status, "no foreign page logs anybody in")
	out := with("DELETE", "/v1/session", nil, "X-Chaoban-Request", "1")
	assert.Equal(t, 204, out.status)
	assert.Contains(t, out.header.Get("Set-Cookie"), "1970")
	assert.Equal(t, 401, with("GET", "/v1/me", nil).status)
}

func TestPagination(t *testing.T) {
	h := open(t, nil)
	type merchants struct {
		Items []struct {
			Value struct {
				ID string `json:"id"`
			} `json:"value"`
			Version int `json:"version"`
		} `json:"items"`
		Next string `json:"next"`
	}
	var first, second merchants
	a := h.ask(t, "admin", "GET", "/v1/merchants?limit=1", nil)
	a.into(t, &first)
	require.Len(t, first.Items, 1)
	assert.Equal(t, "lumi", first.Items[0].Value.ID)
	assert.Equal(t, 1, first.Items[0].Version)
	require.NotEmpty(t, first.Next)
	link := a.header.Get("Link")
	require.Regexp(t, `^</v1/merchants\?cursor=.*&limit=1>; rel="next"$`, link)
	next := strings.TrimPrefix(link[:strings.Index(link, ">")], "<")
	a = h.ask(t, "admin", "GET", next, nil)
	a.into(t, &second)
	require.Len(t, second.Items, 1)
	assert.Equal(t, "orca", second.Items[0].Value.ID)
	assert.Empty(t, second.Next)
	assert.Empty(t, a.header.Get("Link"))
	assert.Equal(t, 422, h.ask(t, "admin", "GET", "/v1/contracts?cursor="+url.QueryEscape(first.Next), nil).status, "a cursor of another list")
}

func TestIDsWithSlashesAndChinese(t *testing.T) {
	h := open(t, nil)
	body := strings.NewReplacer(`"id":"lumi",`, `"id":"鹿米/家居",`, "lumi-tmall", "鹿米-天猫").Replace(merchantLumi)
	path := "/v1/merchants/" + url.PathEscape("鹿米/家居")
	require.Equal(t, 200, h.ask(t, "admin", "PUT", path, body).status)
	a := h.ask(t, "admin", "GET", path, nil)
	require.Equal(t, 200, a.status)
	assert.Contains(t, string(a.body), "鹿米-天猫")
}

func TestEntityTags(t *testing.T) {
	h := open(t, nil)
	get := func(headers ...string) answer { return h.ask(t, "admin", "GET", "/v1/merchants/lumi", nil, headers...) }
	tag := get().header.Get("ETag")
	require.Regexp(t, `^"1-\d+"$`, tag)
	a := get("If-None-Match", tag)
	assert.Equal(t, 304, a.status)
	assert.Empty(t, a.body)
	assert.Equal(t, tag, a.header.Get("ETag"))
	assert.Equal(t, 304, get("If-None-Match", `"other", W/`+tag).status)
	assert.Equal(t, 200, get("If-None-Match", `"other"`).status)

	list := func(headers ...string) answer { return h.ask(t, "admin", "GET", "/v1/merchants", nil, headers...) }
	before := list().header.Get("ETag")
	require.NotEmpty(t, before)
	assert.Equal(t, 304, list("If-None-Match", before).status)

	put := func(name string, headers ...string) answer {
		return h.ask(t, "admin", "PUT", "/v1/merchants/lumi", strings.Replace(merchantLumi, "鹿米家居", name, 1), headers...)
	}
	assert.Equal(t, 412, put("新名", "If-None-Match", "*").status, "it exists already")
	second := put("新名", "If-Match", tag)
	require.Equal(t, 200, second.status, string(second.body))
	assert.Regexp(t, `^"2-\d+"$`, second.header.Get("ETag"))
	late := put("旧名", "If-Match", tag)
	assert.Equal(t, 412, late.status, "somebody was faster")
	assert.Equal(t, "store.conflict", late.problem(t).Code)
	assert.Equal(t, 400, put("x", "If-Match", `"nonsense"`).status)
	assert.NotEqual(t, before, list().header.Get("ETag"))
	assert.Contains(t, string(get().body), "新名")
}

func TestGzip(t *testing.T) {
	h := open(t, nil)
	plain := h.send(t, "GET", "/openapi.json", nil)
	assert.Empty(t, plain.header.Get("Content-Encoding"))
	packed := h.send(t, "GET", "/openapi.json", nil, "Accept-Encoding", "br, gzip;q=0.8")
	require.Equal(t, "gzip", packed.header.Get("Content-Encoding"))
	assert.Contains(t, packed.header.Get("Vary"), "Accept-Encoding")
	assert.Less(t, len(packed.body), len(plain.body)/2)
	r, err := gzip.NewReader(bytes.NewReader(packed.body))
	require.NoError(t, err)
	text, err := io.ReadAll(r)
	require.NoError(t, err)
	assert.Equal(t, string(plain.body), string(text))
	assert.Empty(t, h.send(t, "GET", "/openapi.json", nil, "Accept-Encoding", "gzip;q=0, *").header.Get("Content-Encoding"))
	assert.Empty(t, h.send(t, "GET", "/healthz", nil, "Accept-Encoding", "gzip").header.Get("Content-Encoding"), "too small to be worth it")

	// The tag of the compressed form differs and is still known.
	metrics := func(headers ...string) answer { return h.ask(t, "admin", "GET", "/v1/kpi/metrics", nil, headers...) }
	a := metrics("Accept-Encoding", "gzip")
	require.Equal(t, "gzip", a.header.Get("Content-Encoding"))
	assert.Regexp(t, `-gz"$`, a.header.Get("ETag"))
	assert.Equal(t, 304, metrics("Accept-Encoding", "gzip", "If-None-Match", a.header.Get("ETag")).status)
	assert.NotEqual(t, a.header.Get("ETag"), metrics().header.Get("ETag"))
}

func TestBodyLimit(t *testing.T) {
	h := open(t, func(s *settings) { s.http.BodyLimit = 100_000 })
	large := `{"items":[` + strings.Repeat(" ", 200_000) + `]}`
	a := h.ask(t, "admin", "PUT", "/v1/promotions", large)
	require.Equal(t, 413, a.status)
	assert.Equal(t, "request.too_large", a.problem(t).Code)
	chunked := struct{ io.Reader }{strings.NewReader(strings.Repeat("a,b\n", 50_000))}
	a = h.ask(t, "admin", "POST", "/v1/imports/conversations", chunked)
	require.Equal(t, 413, a.status, string(a.body))
	assert.Equal(t, "request.too_large", a.problem(t).Code)
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	_, err := w.Write(make([]byte, 17*100_000))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	a = h.ask(t, "admin", "POST", "/v1/imports/conversations", bomb.Bytes(), "Content-Encoding", "gzip")
	require.Equal(t, 413, a.status, "small on the wire, large unpacked: %s", a.body)
	assert.Equal(t, 200, h.ask(t, "admin", "PUT", "/v1/promotions", `{"items":[]}`).status, "the next request is fine")
}

func TestDeadline(t *testing.T) {
	h := open(t, func(s *settings) {
		s.http.Deadline = 20 * time.Millisecond // a job is a long operation: 400 ms
		s.deps = func(d *httpapi.Deps) { d.Jobs = sleeper{} }
	})
	h.as(t, "admin")
	started := time.Now()
	a := h.ask(t, "admin", "POST", "/v1/jobs/sleep/runs", nil)
	require.Equal(t, 504, a.status, string(a.body))
	assert.Equal(t, "job.timeout", a.problem(t).Code)
	assert.Less(t, time.Since(started), 5*time.Second)
}

// sleeper is a job that ends only with its context.
type sleeper struct{}

func (sleeper) Spec(name string) (operations.JobSpec, error) {
	return operations.JobSpec{Name: name, Due: time.Now(), Trigger: operations.Manual, Timeout: time.Minute, Run: func(ctx context.Context, _ access.Principal, _ time.Time) (int64, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	}}, nil
}

func TestHealth(t *testing.T) {
	var checks atomic.Value // the server reads while the test writes
	checks.Store([]httpapi.Check{{Name: "store", OK: true, Critical: true}, {Name: "warehouse", OK: true}})
	h := open(t, func(s *settings) {
		s.deps = func(d *httpapi.Deps) {
			d.Health = func(context.Context) []httpapi.Check { return checks.Load().([]httpapi.Check) }
		}
	})
	var ready struct {
		Status string          `json:"status"`
		Checks []httpapi.Check `json:"checks"`
	}
	h.send(t, "GET", "/readyz", nil).into(t, &ready)
	assert.Equal(t, "ready", ready.Status)
	checks.Store([]httpapi.Check{{Name: "store", OK: true, Critical: true}, {Name: "warehouse", Detail: "the engine is restarting"}})
	h.send(t, "GET", "/readyz", nil).into(t, &ready)
	assert.Equal(t, "degraded", ready.Status, "figures are missing, the rest works")
	assert.Equal(t, "the engine is restarting", ready.Checks[1].Detail)
	metrics := string(h.send(t, "GET", "/metrics", nil).body)
	assert.Contains(t, metrics, `chaoban_up{check="warehouse"} 0`)
	assert.Contains(t, metrics, `chaoban_http_requests_total{method="GET",route="/readyz",status="200"} 2`)
	assert.Contains(t, metrics, "go_goroutines")
	checks.Store([]httpapi.Check{{Name: "store", Critical: true}, {Name: "warehouse", OK: true}})
	a := h.send(t, "GET", "/readyz", nil)
	assert.Equal(t, 503, a.status)
	assert.NotEmpty(t, a.header.Get("Retry-After"))
	assert.Equal(t, 200, h.send(t, "GET", "/healthz", nil).status, "alive all the same")
}

func TestIdempotencyKey(t *testing.T) {
	h := open(t, nil)
	add := func(login, key string) answer {
		return h.ask(t, "admin", "POST", "/v1/users", fmt.Sprintf(newUser, login), "Idempotency-Key", key)
	}
	first := add("twice", "key-0001")
	require.Equal(t, 201, first.status, string(first.body))
	again := add("twice", "key-0001")
	assert.Equal(t, 201, again.status)
	assert.Equal(t, string(first.body), string(again.body))
	assert.Equal(t, "true", again.header.Get("Idempotent-Replayed"))
	assert.Equal(t, 409, add("other", "key-0001").status, "the key belongs to another request")
	assert.Equal(t, 409, add("twice", "key-0002").status, "a new key is a new request, and the login is taken")
	assert.Equal(t, 409, add("twice", "key-0002").status, "a failure is not remembered")
	assert.Equal(t, 400, add("third", "short").status)
}

func TestStopWaitsForRequests(t *testing.T) {
	release := make(chan struct{})
	h := open(t, func(s *settings) { s.deps = func(d *httpapi.Deps) { d.Jobs = gate(release) } })
	h.as(t, "admin")
	status := make(chan int)
	go func() { status <- h.ask(t, "admin", "POST", "/v1/jobs/wait/runs", nil).status }()
	<-release // the job runs
	stopped := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		stopped <- h.server.Stop(ctx)
	}()
	time.Sleep(50 * time.Millisecond)
	release <- struct{}{}
	assert.Equal(t, 201, <-status, "what was begun is finished")
	assert.NoError(t, <-stopped)
}

// gate is a job that says that it runs and then waits to be told to end.
type gate chan struct{}

func (g gate) Spec(name string) (operations.JobSpec, error) {
	return operations.JobSpec{Name: name, Due: time.Now(), Trigger: operations.Manual, Timeout: time.Minute, Run: func(context.Context, access.Principal, time.Time) (int64, error) {
		g <- struct{}{}
		<-g
		return 1, nil
	}}, nil
}

// A browser keeps connections in reserve; they do not hold up a stop.
func TestStopDoesNotWaitForUnusedConnections(t *testing.T) {
	h := open(t, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.base, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	require.Equal(t, 200, h.send(t, "GET", "/healthz", nil).status)
	started := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	require.NoError(t, h.server.Stop(ctx))
	assert.Less(t, time.Since(started), 2*time.Second)
}
