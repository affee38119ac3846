package cli_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/exports/workbook"
	"github.com/chaoban/chaoban/internal/operations/demo"
)

// The question that four doors must answer alike: the first SLA term of the demo's first contract.
const (
	demoContract = "lumi-2026"
	demoQueue    = "lumi-tmall/pre"
	demoMonth    = "2026-11"
	demoWindow   = "09:00-23:00"
)

func TestServiceAnswersTheSameThroughEveryDoor(t *testing.T) {
	t.Parallel()
	data := demoData(t)
	s := serve(t, data)
	t.Logf("warm start to ready: %s", s.ready.Round(time.Millisecond))

	assert.Equal(t, http.StatusOK, s.get("/healthz").status)
	ready := s.get("/readyz")
	assert.Equal(t, http.StatusOK, ready.status, ready.body)
	assert.Equal(t, http.StatusUnauthorized, s.get("/v1/me").status, "nobody has logged in")
	wrong := s.ask(http.MethodPost, "/v1/session", `{"login":"admin","password":"wrong"}`)
	assert.Equal(t, http.StatusUnauthorized, wrong.status, wrong.body)
	s.login("planner", demo.Password)

	overHTTP := s.kpi(url.Values{"metrics": {"answered_within"}, "within": {"30s"}, "queues": {demoQueue}, "window": {demoWindow}})
	// A second process finds the engine of the first.
	overCommand := mustJSON[[]reading](t, data, "kpi", "query", "--metric", "answered_within", "--within", "30s",
		"--queue", demoQueue, "--window", demoWindow, "--month", demoMonth)
	require.Len(t, overHTTP, 1)
	assert.Equal(t, overHTTP, overCommand)

	met, offered := s.rawTerm()
	assert.Equal(t, met, overHTTP[0].Numerator, "numerator against the raw conversations")
	assert.Equal(t, offered, overHTTP[0].Denominator, "denominator against the raw conversations")
	assert.Greater(t, offered, 1000.0)

	book := filepath.Join(t.TempDir(), "lumi.xlsx")
	must(t, data, "report", "sla", "--contract", demoContract, "--month", demoMonth, "--out", book)
	cells := sheetRow(t, book, "first-30s")
	assert.InDelta(t, met/offered, number(t, cells[4]), 1e-12, "actual")
	assert.Equal(t, met, number(t, cells[6]), "numerator in the workbook")
	assert.Equal(t, offered, number(t, cells[7]), "denominator in the workbook")
	// The same workbook over HTTP holds the same figures.
	download := s.get("/v1/contracts/" + demoContract + "/reports/" + demoMonth + "/workbook")
	require.Equal(t, http.StatusOK, download.status, download.body)
	assert.Equal(t, cells, sheetRow(t, write(t, "http.xlsx", []byte(download.body)), "first-30s"))

	engine, ok := findEngine(data)
	require.True(t, ok)
	took := s.stop()
	assert.Less(t, took, 10*time.Second, "SIGTERM to the end")
	assert.Equal(t, 0, s.cmd.ProcessState.ExitCode(), "%s", s.log)
	eventually(t, 2*time.Second, func() bool { return gone(engine.PID) }, "the engine child outlived the service")
	t.Logf("orderly stop: %s", took.Round(time.Millisecond))
}

// kpi asks for the demo month.
func (s *service) kpi(q url.Values) []reading {
	s.t.Helper()
	a := s.get(kpiPath(q))
	require.Equal(s.t, http.StatusOK, a.status, a.body)
	var page struct {
		Items []reading `json:"items"`
	}
	decode(s.t, a.body, &page)
	return page.Items
}

func kpiPath(q url.Values) string {
	q.Set("from", "2026-11-01T00:00:00+08:00")
	q.Set("to", "2026-12-01T00:00:00+08:00")
	return "/v1/kpi/query?" + q.Encode()
}

// rawTerm counts the term's conversations in the engine: its own small definition of the metric,
// not the roll-ups.
func (s *service) rawTerm() (met, offered float64) {
	s.t.Helper()
	answer := raw(s.t, s.data, fmt.Sprintf(`SELECT countIf(first_response_ms <= 30000), count()
FROM conversations FINAL
WHERE queue = '%s' AND formatDateTime(started, '%%Y-%%m', 'Asia/Shanghai') = '%s'
AND toHour(toTimeZone(started, 'Asia/Shanghai')) BETWEEN 9 AND 22`, demoQueue, demoMonth))
	require.Len(s.t, answer, 2)
	return number(s.t, answer[0]), number(s.t, answer[1])
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	require.NoError(t, err)
	return v
}

// sheetRow returns the cells of the first row of a workbook's summary that begins with a text.
func sheetRow(t *testing.T, path, first string) []string {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	info, err := f.Stat()
	require.NoError(t, err)
	rows, err := workbook.OpenRows(f, info.Size(), workbook.SheetSummary)
	require.NoError(t, err)
	defer rows.Close()
	for {
		_, cells, err := rows.Next()
		if errors.Is(err, io.EOF) {
			require.Failf(t, "no such row", "%s has no row %q", path, first)
		}
		require.NoError(t, err)
		if cells[0] == first {
			return cells
		}
	}
}

// A second service on the same address or the same directory must say so and leave the first alone.
func TestSecondServiceIsRefusedOrAttaches(t *testing.T) {
	t.Parallel()
	data := phoneData(t)
	s := serve(t, data)
	taken := chaoban(t, filepath.Join(t.TempDir(), "other"), "serve", "--listen", s.url[len("http://"):])
	assert.Equal(t, 5, taken.code)
	assert.Contains(t, taken.errors, "cannot listen on")
	before, ok := findEngine(data)
	require.True(t, ok)
	must(t, data, "kpi", "query", "--metric", "offered", "--month", demoMonth)
	after, ok := findEngine(data)
	require.True(t, ok, "a command that attached ended the engine of the service")
	assert.Equal(t, before, after)
}

// The demo's passwords are printed in the documentation: nobody outside the machine may log in.
func TestDemoIsServedOnLoopbackOnly(t *testing.T) {
	r := chaoban(t, t.TempDir(), "serve", "--demo", "--listen", "0.0.0.0:0")
	assert.Equal(t, 2, r.code)
	assert.Contains(t, r.errors, "loopback")
}
