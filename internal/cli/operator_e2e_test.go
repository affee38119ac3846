package cli_test

import (
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/clickhouseserver"
	"github.com/chaoban/chaoban/internal/operations/demo"
)

func TestDoctorOfASoundInstallation(t *testing.T) {
	t.Parallel()
	data := phoneData(t)
	text := must(t, data, "doctor")
	for _, want := range []string{"data directory", "engine library", "holiday table", "operational store", "warehouse", "audit chain", "effective configuration:", "time_zone: Asia/Shanghai"} {
		assert.Contains(t, text, want)
	}
	assert.NotContains(t, text, "FAIL")
	report := mustJSON[struct {
		Checks []struct {
			Name string
			OK   bool
		}
		Configuration string
	}](t, data, "doctor")
	assert.GreaterOrEqual(t, len(report.Checks), 6)
	for _, c := range report.Checks {
		assert.True(t, c.OK, c.Name)
	}
	assert.NotEmpty(t, report.Configuration)
}

// A password never leaves the process: not when it works, not when it fails, not as JSON, not
// in a complaint about the value it is part of.
func TestDoctorShowsNoSecret(t *testing.T) {
	t.Parallel()
	needEngine(t)
	const secret = "hunter2-top"
	inFile := write(t, "chaoban.yaml", []byte("store:\n  dsn: postgres://chaoban:"+secret+"@127.0.0.1:1/chaoban\n"))
	cases := map[string]struct {
		env  []string
		args []string
	}{
		"store in a file":            {nil, []string{"--config", inFile}},
		"store in the environment":   {[]string{"CHAOBAN__STORE__DSN=postgres://chaoban:" + secret + "@127.0.0.1:1/chaoban"}, nil},
		"password as a parameter":    {[]string{"CHAOBAN__STORE__DSN=postgres://127.0.0.1:1/chaoban?user=chaoban&password=" + secret}, nil},
		"warehouse":                  {[]string{"CHAOBAN__WAREHOUSE__DSN=clickhouse://chaoban:" + secret + "@127.0.0.1:1/default"}, nil},
		"password with an at sign":   {[]string{"CHAOBAN__WAREHOUSE__DSN=clickhouse://chaoban:p@" + secret + "@127.0.0.1:1/default"}, nil},
		"a store nobody knows":       {[]string{"CHAOBAN__STORE__DSN=mysql://chaoban:" + secret + "@127.0.0.1:1/chaoban"}, nil},
		"a store that is no address": {[]string{"CHAOBAN__STORE__DSN=postgres://chaoban:" + secret + "@127.0.0.1:port/chaoban"}, nil},
	}
	for name, c := range cases {
		for _, format := range []string{"text", "json"} {
			t.Run(name+" as "+format, func(t *testing.T) {
				args := append([]string{"doctor", "--data", filepath.Join(t.TempDir(), "data")}, c.args...)
				if format == "json" {
					args = append(args, "--json")
				}
				r := finish(t, command(t.TempDir(), c.env, args...))
				assert.Contains(t, []int{2, 5}, r.code, "%s%s", r.out, r.errors)
				assert.NotContains(t, r.out, secret)
				assert.NotContains(t, r.errors, secret)
			})
		}
	}
}

func TestWithoutTheEngineLibrary(t *testing.T) {
	t.Parallel()
	needEngine(t)
	data := filepath.Join(t.TempDir(), "data")
	missing := clickhouseserver.LibraryVariable + "=" + filepath.Join(t.TempDir(), "libchdb.so")
	r := finish(t, command(t.TempDir(), []string{missing}, "doctor", "--data", data))
	assert.Equal(t, 5, r.code, "%s%s", r.out, r.errors)
	assert.Contains(t, r.out, "FAIL  engine library")
	assert.Contains(t, r.out, "make engine")

	// The service goes on with everything but figures.
	s := serve(t, data, missing)
	addUser(t, data, "boss", "administrator")
	s.login("boss", demo.Password)
	assert.Equal(t, http.StatusOK, s.get("/v1/contracts").status)
	figures := s.get(kpiPath(url.Values{"metrics": {"offered"}}))
	assert.Equal(t, http.StatusServiceUnavailable, figures.status, figures.body)
	assert.NotEmpty(t, figures.header.Get("Retry-After"))
	assert.Less(t, s.stop(), 10*time.Second)
}

// run is a job run as the history shows it.
type run struct {
	Job          string    `json:"job"`
	State        string    `json:"state"`
	ScheduledFor time.Time `json:"scheduled_for"`
	Error        string    `json:"error"`
}

func history(t *testing.T, data, job string) []run {
	t.Helper()
	return mustJSON[[]run](t, data, "jobs", "history", "--job", job)
}

func succeeded(runs []run) (n int) {
	for _, r := range runs {
		if r.State == "succeeded" {
			n++
		}
	}
	return n
}

func TestEveryJobRunsByHand(t *testing.T) {
	t.Parallel()
	data := phoneData(t)
	serve(t, data, "CHAOBAN__JOBS__ENABLED=false")
	must(t, data, "import", "conversations", write(t, "calls.csv", []byte(twoCalls)))
	jobs := mustJSON[[]struct{ Name, Schedule string }](t, data, "jobs", "list")
	require.GreaterOrEqual(t, len(jobs), 4)
	for _, j := range jobs {
		assert.Contains(t, must(t, data, "jobs", "run", j.Name), j.Name+": succeeded")
		assert.Equal(t, 1, succeeded(history(t, data, j.Name)), j.Name)
		assert.NotEmpty(t, j.Schedule)
	}
	unknown := chaoban(t, data, "jobs", "run", "no-such-job")
	assert.Equal(t, 3, unknown.code)
	assert.Contains(t, unknown.errors, "rollup-check", "the message lists the jobs there are")
}

// at is the schedule "each day at this instant's time", in the business time zone.
func dailyAt(when time.Time) string {
	when = when.In(time.FixedZone("UTC+8", 8*3600))
	return fmt.Sprintf("CHAOBAN__JOBS__SCHEDULES__RETENTION=%d %d * * *", when.Minute(), when.Hour())
}

// A job whose time came while no service ran is run once at the next start, and not again.
func TestMissedJobsAreCaughtUpOnce(t *testing.T) {
	t.Parallel()
	data := phoneData(t)
	early, late := time.Now().Add(-90*time.Minute), time.Now().Add(-3*time.Minute)
	restart := func(env string, want int) {
		t.Helper()
		s := serve(t, data, env)
		eventually(t, 20*time.Second, func() bool { return succeeded(history(t, data, "retention")) >= want }, "the missed run is not caught up")
		time.Sleep(time.Second) // for a run too many
		runs := history(t, data, "retention")
		assert.Equal(t, want, succeeded(runs), "%v", runs)
		s.stop()
	}
	restart(dailyAt(early), 1) // never ran before
	restart(dailyAt(early), 1) // nothing missed
	restart(dailyAt(late), 2)  // due three minutes ago, while nobody was there
	last := history(t, data, "retention")[0]
	assert.WithinDuration(t, late, last.ScheduledFor, time.Minute, "the run says for which due time it is")
}

// A job that died with its service neither stays "running" nor keeps the next run away.
func TestJobOfAKilledServiceIsAbandonedAndCanRunAgain(t *testing.T) {
	t.Parallel()
	data := phoneData(t)
	s := serve(t, data, "CHAOBAN__JOBS__ENABLED=false")
	addUser(t, data, "boss", "administrator")
	s.login("boss", demo.Password)
	engine, ok := findEngine(data)
	require.True(t, ok)
	require.NoError(t, syscall.Kill(engine.PID, syscall.SIGSTOP)) // the job now waits for an answer
	t.Cleanup(func() { _ = syscall.Kill(engine.PID, syscall.SIGKILL) })
	go func() { _, _ = s.try(http.MethodPost, "/v1/jobs/rollup-check/runs", strings.NewReader("")) }()
	eventually(t, 20*time.Second, func() bool {
		runs := history(t, data, "rollup-check")
		return len(runs) == 1 && runs[0].State == "running"
	}, "the job does not start")
	s.kill()
	require.NoError(t, syscall.Kill(engine.PID, syscall.SIGKILL)) // stopped, it cannot see its parent die

	next := serve(t, data, "CHAOBAN__JOBS__ENABLED=false")
	next.login("boss", demo.Password)
	runs := history(t, data, "rollup-check")
	require.Len(t, runs, 1)
	assert.Equal(t, "abandoned", runs[0].State)
	a := next.ask(http.MethodPost, "/v1/jobs/rollup-check/runs", "")
	assert.Equal(t, http.StatusCreated, a.status, a.body)
}
