package cli_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/demo"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// generated writes a log of calls: n different ones, each hundredth twice, as exports that overlap
// do. It returns the path, and what a correct import must show: calls per agent and rated calls.
func generated(t *testing.T, n int) (path string, perAgent map[string]int, ratings int) {
	t.Helper()
	path = filepath.Join(t.TempDir(), fmt.Sprintf("calls-%d.ndjson", n))
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	rng := rand.New(rand.NewPCG(20, 26))
	perAgent = map[string]int{}
	start := time.Date(2025, time.November, 1, 1, 0, 0, 0, time.UTC) // 09:00 in Shanghai; what lies ahead of the clock is refused
	for i := range n {
		c := chatlog.Conversation{
			Merchant: "halo", Shop: "halo-jd", Queue: "halo-jd/after", Channel: chatlog.Call, ID: fmt.Sprintf("call-%06d", i),
			StartedAt: start.Add(time.Duration(i%28)*24*time.Hour + time.Duration(rng.IntN(9*3600))*time.Second),
		}
		c.EndedAt = c.StartedAt.Add(20 * time.Second)
		if i%10 == 0 {
			c.Abandoned = true
			c.Rounds = []chatlog.Round{{OpenedAt: c.StartedAt}}
		} else {
			c.Agent = []ids.Agent{"B0001", "B0002", "B0003"}[rng.IntN(3)]
			c.AnsweredAt = c.StartedAt.Add(time.Duration(rng.IntN(60)) * time.Second)
			c.HandleTime = time.Duration(60+rng.IntN(300)) * time.Second
			c.EndedAt = c.AnsweredAt.Add(c.HandleTime)
			c.Rounds = []chatlog.Round{{OpenedAt: c.StartedAt, AnsweredAt: c.AnsweredAt, Agent: c.Agent}}
			if i%7 == 0 {
				rating := 1 + rng.IntN(5)
				c.Rating = &rating
				ratings++
			}
		}
		perAgent[string(c.Agent)]++
		line, err := json.Marshal(c)
		require.NoError(t, err)
		for range 1 + (i%100)/99 {
			_, err = w.Write(append(line, '\n'))
			require.NoError(t, err)
		}
	}
	require.NoError(t, w.Flush())
	return path, perAgent, ratings
}

// holdsExactly compares figures, raw rows and the file.
func holdsExactly(t *testing.T, data string, n int, perAgent map[string]int, ratings int) {
	t.Helper()
	figures := mustJSON[[]reading](t, data, "kpi", "query", "--metric", "offered,satisfaction", "--month", "2025-11")
	got := map[string]reading{}
	for _, r := range figures {
		got[r.Metric] = r
	}
	assert.Equal(t, float64(n), got["offered"].Numerator, "calls in the roll-ups")
	assert.Equal(t, float64(ratings), got["satisfaction"].Denominator, "ratings in the roll-ups")
	agents := mustJSON[[]reading](t, data, "kpi", "query", "--metric", "offered", "--by", "agent", "--month", "2025-11")
	counted := map[string]int{}
	for _, r := range agents {
		counted[r.Agent] += int(r.Numerator)
	}
	assert.Equal(t, perAgent, counted, "calls per agent in the roll-ups")
	if _, running := findEngine(data); !running {
		return
	}
	answer := raw(t, data, "SELECT count(), uniqExact(id), countIf(rating > 0) FROM conversations FINAL")
	assert.Equal(t, []string{fmt.Sprint(n), fmt.Sprint(n), fmt.Sprint(ratings)}, answer, "raw conversations")
}

// kills is how often the engine dies in one import. The first ones hit the engine of the service,
// which waits longer before each restart; the others the engine that the import itself runs.
const (
	serviceKills = 5
	commandKills = 15
)

// Nothing acknowledged is lost, nothing is doubled: the "killing the engine 20 times". Only the demo is
// loaded beside it: a kill that comes late hits no import.
func TestEngineKilledTwentyTimesDuringAnImport(t *testing.T) {
	const calls = 200_000
	data := phoneData(t)
	file, perAgent, ratings := generated(t, calls)
	rng := rand.New(rand.NewPCG(1, 2))
	f := &export{path: file}
	hit := killDuringServiceImports(t, data, f, rng)
	hit += killDuringCommandImports(t, data, f, rng)
	t.Logf("%d of %d kills hit a running import", hit, serviceKills+commandKills)
	assert.GreaterOrEqual(t, hit, 12, "most kills must hit an import, or this proves nothing")

	s := serve(t, data)
	cut := raw(t, data, "SELECT sum(intDiv(rank - rank % 2, 2) - rank % 2) FROM marks FINAL WHERE kind = 'batch'")
	t.Logf("%s batches were cut in the middle", cut[0])
	assert.GreaterOrEqual(t, number(t, cut[0]), 5.0, "kills must hit batches that are being written, or this proves nothing")
	t.Log(strings.TrimSpace(must(t, data, "import", "conversations", f.next(t))))
	holdsExactly(t, data, calls, perAgent, ratings)
	again := must(t, data, "import", "conversations", file)
	assert.Contains(t, again, "imported before")
	holdsExactly(t, data, calls, perAgent, ratings)
	s.stop()
}

// killDuringServiceImports kills the engine of a service while commands import into it, and looks
// at the service meanwhile. It counts the kills that came while an import ran.
func killDuringServiceImports(t *testing.T, data string, f *export, rng *rand.Rand) (hit int) {
	t.Helper()
	s := serve(t, data)
	addUser(t, data, "boss", "administrator")
	s.login("boss", demo.Password)
	seen := 0
	for n := range serviceKills {
		importing := startImport(t, data, f.next(t))
		at, ok := findEngine(data)
		require.True(t, ok, "the engine is not up before kill %d", n+1)
		importing.awaitRows(data)
		time.Sleep(someWay(n, rng))
		hit += importing.alive()
		require.NoError(t, syscall.Kill(at.PID, syscall.SIGKILL))
		if s.seesEngineDown(at.PID) {
			seen++
		}
		f.done = importing.end()
		eventually(t, time.Minute, func() bool {
			next, up := findEngine(data)
			return up && next.PID != at.PID
		}, "the engine does not come back after kill %d", n+1)
		eventually(t, 20*time.Second, func() bool {
			return s.get(kpiPath(url.Values{"metrics": {"offered"}})).status == http.StatusOK
		}, "figures do not come back after kill %d", n+1)
	}
	assert.GreaterOrEqual(t, seen, serviceKills-1, "figures were unavailable while the engine was down")
	s.stop()
	return hit
}

// someWay is how far an import gets before its engine dies: into the part it is at, or some parts on.
func someWay(n int, rng *rand.Rand) time.Duration {
	if n%3 == 0 {
		return time.Duration(rng.IntN(1500)) * time.Millisecond
	}
	return time.Duration(rng.IntN(250)) * time.Millisecond
}

// seesEngineDown asks the service as soon as its engine is dead: figures are unavailable and say
// when to ask again, everything else works. On a busy machine the engine may be back before the
// question arrives; then the answer is false.
func (s *service) seesEngineDown(dead int) (seen bool) {
	s.t.Helper()
	figures := s.get(kpiPath(url.Values{"metrics": {"offered"}}))
	if figures.status == http.StatusOK {
		next, up := findEngine(s.data)
		assert.True(s.t, up && next.PID != dead, "figures came from an engine that was dead")
	} else {
		seen = true
		assert.Equal(s.t, http.StatusServiceUnavailable, figures.status, figures.body)
		assert.NotEmpty(s.t, figures.header.Get("Retry-After"))
		assert.Contains(s.t, figures.header.Get("Content-Type"), "application/problem+json")
	}
	for _, path := range []string{"/healthz", "/readyz", "/v1/contracts", "/v1/agents", "/v1/jobs", "/v1/kpi/metrics"} {
		a := s.get(path)
		assert.Equal(s.t, http.StatusOK, a.status, "%s while the engine is down: %s", path, a.body)
	}
	return seen
}

func killDuringCommandImports(t *testing.T, data string, f *export, rng *rand.Rand) (hit int) {
	t.Helper()
	for n := range commandKills {
		importing := startImport(t, data, f.next(t))
		var at engineAt
		eventually(t, time.Minute, func() (up bool) {
			at, up = findEngine(data)
			return up || importing.alive() == 0
		}, "the import starts no engine")
		importing.awaitRows(data)
		time.Sleep(someWay(n, rng))
		hit += importing.alive()
		_ = syscall.Kill(at.PID, syscall.SIGKILL) // gone when the import was faster
		f.done = importing.end()
	}
	return hit
}

// importing is an import in another process.
type importing struct {
	t     *testing.T
	cmd   *exec.Cmd
	ended chan struct{}
	out   *output
}

func startImport(t *testing.T, data, file string, flags ...string) *importing {
	t.Helper()
	i := &importing{t: t, ended: make(chan struct{}), out: &output{}}
	i.cmd = command(t.TempDir(), nil, append([]string{"import", "conversations", file, "--data", data}, flags...)...)
	i.cmd.Stdout, i.cmd.Stderr = i.out, i.out
	require.NoError(t, i.cmd.Start())
	go func() { _ = i.cmd.Wait(); close(i.ended) }()
	t.Cleanup(func() { _ = i.cmd.Process.Kill(); <-i.ended })
	return i
}

// alive is 1 while the import runs.
func (i *importing) alive() int {
	select {
	case <-i.ended:
		return 0
	default:
		return 1
	}
}

// awaitRows returns when the import begins to write, or has ended. The journal says so: each
// begin and each end of a batch raises the ranks in it.
func (i *importing) awaitRows(data string) {
	i.t.Helper()
	ranks := func() string {
		answer, err := tryRaw(data, "SELECT sum(rank) FROM marks FINAL WHERE kind = 'batch'")
		if err != nil {
			return "0" // not migrated yet, or gone with the import
		}
		return answer[0]
	}
	before := ranks()
	eventually(i.t, time.Minute, func() bool { return ranks() != before || i.alive() == 0 }, "the import writes nothing")
}

// end waits for the import. It may have been done before the kill or carried on past it, or have
// failed as unavailable; anything else is a fault.
func (i *importing) end() (done bool) {
	i.t.Helper()
	select {
	case <-i.ended:
	case <-time.After(time.Minute):
		require.Failf(i.t, "timed out", "the import hangs after the engine died: %s", i.out)
	}
	code := i.cmd.ProcessState.ExitCode()
	assert.Contains(i.t, []int{0, 5}, code, "an import that lost its engine: %s", i.out)
	return code == 0
}

// export is a file that is exported once more whenever its import was done: the same calls and one
// repeated line more, so that the next import has work to do.
type export struct {
	path string
	done bool
}

func (e *export) next(t *testing.T) string {
	t.Helper()
	if !e.done {
		return e.path
	}
	e.done = false
	text, err := os.ReadFile(e.path)
	require.NoError(t, err)
	first, _, _ := strings.Cut(string(text), "\n")
	require.NoError(t, os.WriteFile(e.path, append(text, first+"\n"...), 0o600))
	return e.path
}

func addUser(t *testing.T, data, login, role string) {
	t.Helper()
	cmd := command(t.TempDir(), nil, "users", "add", login, "--name", login, "--role", role, "--data", data)
	cmd.Stdin = strings.NewReader(demo.Password + "\n")
	r := finish(t, cmd)
	require.Equal(t, 0, r.code, r.errors)
}

// A power cut: the service and all it started die while imports arrive and a roster is made.
func TestServiceKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	data := demoData(t)
	s := serve(t, data)
	s.login("admin", demo.Password)
	must(t, data, "contracts", "apply", write(t, "halo.yaml", []byte(phoneLine)))
	must(t, data, "forecast", "make", "--origin", "2026-11-01", "--horizon", "7d", "--merchant", "lumi")
	must(t, data, "staff", "plan", "--from", "2026-11-01", "--days", "7", "--merchant", "lumi")
	acknowledged := uploadUntilKilled(t, s, data)
	engine, ok := findEngine(data)
	if ok {
		eventually(t, 5*time.Second, func() bool { return gone(engine.PID) }, "the engine outlives the killed service")
	}
	proof := must(t, data, "audit", "verify")
	assert.Contains(t, proof, "unbroken")

	next := serve(t, data)
	next.login("admin", demo.Password)
	for _, id := range acknowledged {
		assert.Equal(t, []string{"1"}, raw(t, data, "SELECT count() FROM conversations FINAL WHERE merchant = 'halo' AND id = '"+id+"'"), "acknowledged call %s", id)
	}
	total := raw(t, data, "SELECT count(), uniqExact(id) FROM conversations FINAL WHERE merchant = 'halo'")
	assert.Equal(t, total[0], total[1])
	assert.Empty(t, mustJSON[[]any](t, data, "roster", "list"), "no half-made roster is left")
	must(t, data, "roster", "make", "--from", "2026-11-01", "--days", "7", "--iterations", "500")
	must(t, data, "roster", "publish", "latest")
	assert.Contains(t, must(t, data, "audit", "verify"), "unbroken")

	// An orderly stop does not wait for a roster that takes a minute.
	roster := next.makeLongRoster()
	time.Sleep(time.Second)
	assert.Less(t, next.stop(), 10*time.Second)
	t.Logf("the roster in flight: %v", <-roster)
}

// makeLongRoster asks for a roster that takes a minute; the channel gets what came of it.
func (s *service) makeLongRoster() <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := s.try(http.MethodPost, "/v1/rosters", strings.NewReader(`{"from":"2026-11-01","days":7,"time":"60s"}`))
		done <- err
	}()
	return done
}

// uploadUntilKilled sends small files over HTTP, starts a roster, kills the service between two
// answers and returns the ids of the calls whose import was acknowledged.
func uploadUntilKilled(t *testing.T, s *service, data string) (acknowledged []string) {
	t.Helper()
	defer func() { _ = s.cmd.Process.Kill() }() // nothing waits for it for ever
	var roster <-chan error
	for n := 0; s.running(); n++ {
		if n == 1 { // the first answer may have to wait for the jobs of the start
			roster = s.makeLongRoster() // gets an error: the service dies before the minute is over
			died := time.AfterFunc(3*time.Second, func() { _ = s.cmd.Process.Kill() })
			defer died.Stop()
		}
		id := fmt.Sprintf("ack-%04d", n)
		line := fmt.Sprintf(`{"merchant":"halo","shop":"halo-jd","queue":"halo-jd/after","id":"%s","channel":"call","started_at":"2025-11-%02dT02:00:00Z","ended_at":"2025-11-%02dT02:01:00Z","abandoned":true,"rounds":[{"opened_at":"2025-11-%02dT02:00:00Z"}]}`,
			id, 1+n%28, 1+n%28, 1+n%28)
		a, err := s.try(http.MethodPost, "/v1/imports/conversations?name=calls.ndjson", strings.NewReader(line+"\n"))
		if err != nil {
			break
		}
		require.Less(t, a.status, 300, a.body)
		acknowledged = append(acknowledged, id)
	}
	require.NotEmpty(t, acknowledged)
	<-s.ended
	require.Error(t, <-roster, "the roster was still being made")
	t.Logf("%d imports were acknowledged before the service was killed", len(acknowledged))
	return acknowledged
}

// Parts of an import that was cut off are not written again by the next one. Rows that were bad
// then and are good now must get in all the same.
func TestRowsThatBecameGoodAfterACutImportAreImported(t *testing.T) {
	t.Parallel()
	const calls = 120_000
	data := phoneData(t)
	serve(t, data)
	file, _, _ := generated(t, calls)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	lines := strings.SplitAfter(string(text), "\n")
	for i := range lines {
		if i%2 == 1 { // of a queue that nobody has told us about yet
			lines[i] = strings.Replace(strings.Replace(lines[i], "halo-jd/after", "halo-jd/pre", 1), `"id":"`, `"id":"pre-`, 1)
		}
	}
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "")), 0o600))
	distinct := map[string]bool{}
	for _, line := range lines {
		distinct[line] = true
	}
	delete(distinct, "")

	first := startImport(t, data, file, "--partial", "--rejects", filepath.Join(t.TempDir(), "rejects.csv"))
	eventually(t, time.Minute, func() bool {
		answer, err := tryRaw(data, "SELECT countIf(rank % 2 = 1) FROM marks FINAL WHERE kind = 'batch'")
		return first.alive() == 0 || err == nil && answer[0] != "0"
	}, "no part of the import is acknowledged")
	require.NoError(t, first.cmd.Process.Kill())

	both := strings.Replace(phoneLine, "        queues:\n", "        queues:\n          - {id: halo-jd/pre, skill: pre, channel: call, hours: \"Mon-Sun 09:00-18:00\"}\n", 1)
	must(t, data, "contracts", "apply", write(t, "halo.yaml", []byte(both)))
	said := must(t, data, "import", "conversations", file, "--partial", "--rejects", filepath.Join(t.TempDir(), "rejects.csv"))
	assert.NotContains(t, said, "rejected")
	assert.Equal(t, []string{fmt.Sprint(len(distinct))}, raw(t, data, "SELECT count() FROM conversations FINAL"))
}
