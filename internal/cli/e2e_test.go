// End-to-end tests: real processes, real files, real sockets. The test binary is the product when
// asBinary is set in its environment, so nothing has to be built and the tests run what they
// compiled; the engine child that the product starts is the same binary again.
package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/cli"
	"github.com/chaoban/chaoban/internal/clickhouseserver"
)

// asBinary makes this test binary act as chaoban.
const asBinary = "CHAOBAN_TEST_AS_BINARY"

func TestMain(m *testing.M) {
	if os.Getenv(asBinary) != "" {
		os.Exit(cli.Run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	flag.Parse()
	if flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.list").Value.String() == "" {
		go loadDemo() // takes most of a minute, in which tests run that need none
	}
	code := m.Run()
	if demoOnce.Do(func() {}); demoHome != "" { // if it is being loaded, until it is
		_ = os.RemoveAll(demoHome) // in the temporary directory anyway
	}
	os.Exit(code)
}

// needEngine skips without the engine library, and fails in CI, where it must be there.
func needEngine(t *testing.T) {
	t.Helper()
	_, err := clickhouseserver.LibraryPath()
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		require.NoError(t, err, "CI must have the engine")
	default:
		t.Skipf("needs the engine: %v", err)
	}
}

// result is how a command ended.
type result struct {
	code        int
	out, errors string
}

// command prepares chaoban in a working directory with a clean configuration: only env reaches it.
func command(dir string, env []string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir = dir
	cmd.Env = []string{asBinary + "=1", "USER=tester"}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "CHAOBAN__") && !strings.HasPrefix(e, "USER=") {
			cmd.Env = append(cmd.Env, e)
		}
	}
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// finish runs a command to its end; one that hangs is killed and fails the test.
func finish(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Start())
	timer := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	require.True(t, timer.Stop(), "%v did not end: %s", cmd.Args[1:], errs.String())
	if _, ended := errors.AsType[*exec.ExitError](err); !ended {
		require.NoError(t, err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

// chaoban runs one command on a data directory.
func chaoban(t *testing.T, data string, args ...string) result {
	t.Helper()
	return finish(t, command(t.TempDir(), nil, append(args, "--data", data)...))
}

// must runs a command that has to succeed and returns what it printed.
func must(t *testing.T, data string, args ...string) string {
	t.Helper()
	r := chaoban(t, data, args...)
	require.Equal(t, 0, r.code, "chaoban %s\n%s%s", strings.Join(args, " "), r.out, r.errors)
	return r.out
}

// mustJSON runs a command with --json and decodes its one document.
func mustJSON[T any](t *testing.T, data string, args ...string) T {
	t.Helper()
	var v T
	decode(t, must(t, data, append(args, "--json")...), &v)
	return v
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	require.NoError(t, d.Decode(into), text)
	_, err := d.Token()
	require.ErrorIs(t, err, io.EOF, "one JSON document and nothing else: %s", text)
}

// service is a running `chaoban serve`.
type service struct {
	t     *testing.T
	data  string
	url   string
	token string
	cmd   *exec.Cmd
	ended chan struct{}
	ready time.Duration
	log   *output
}

// output collects what a process prints while others look at it.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

var readyLine = regexp.MustCompile(`ready on (http://127\.0\.0\.1:\d+)`)

// serve starts the service on a free port and waits until it says where it is.
func serve(t *testing.T, data string, env ...string) *service {
	t.Helper()
	s := &service{t: t, data: data, ended: make(chan struct{}), log: &output{}}
	s.cmd = command(t.TempDir(), env, "serve", "--data", data, "--listen", "127.0.0.1:0")
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	started := time.Now()
	require.NoError(t, s.cmd.Start())
	go func() { _ = s.cmd.Wait(); close(s.ended) }()
	t.Cleanup(func() {
		if s.running() {
			s.stop()
		}
		if t.Failed() {
			t.Logf("service log:\n%s", s.log)
		}
	})
	eventually(t, time.Minute, func() bool {
		if m := readyLine.FindStringSubmatch(s.log.String()); m != nil {
			s.url = m[1]
		}
		return s.url != "" || !s.running()
	}, "the service does not say that it is ready")
	require.NotEmpty(t, s.url, "the service ended: %s", s.log)
	s.ready = time.Since(started)
	return s
}

func (s *service) running() bool {
	select {
	case <-s.ended:
		return false
	default:
		return true
	}
}

// stop asks the service to end, as a supervisor does, and says how long that took.
func (s *service) stop() time.Duration {
	s.t.Helper()
	began := time.Now()
	require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-s.ended:
	case <-time.After(30 * time.Second):
		_ = s.cmd.Process.Kill()
		require.Fail(s.t, "the service did not stop within 30 s of SIGTERM")
	}
	return time.Since(began)
}

// kill ends the service without a word, as a power cut does.
func (s *service) kill() {
	require.NoError(s.t, s.cmd.Process.Kill())
	<-s.ended
}

// login makes later requests those of a person.
func (s *service) login(name, password string) {
	s.t.Helper()
	body, err := json.Marshal(map[string]string{"login": name, "password": password})
	require.NoError(s.t, err)
	a := s.ask(http.MethodPost, "/v1/session", string(body))
	require.Equal(s.t, http.StatusCreated, a.status, a.body)
	var session struct {
		Token string `json:"token"`
	}
	decode(s.t, a.body, &session)
	require.NotEmpty(s.t, session.Token)
	s.token = session.Token
}

// answer of an HTTP request.
type answer struct {
	status int
	header http.Header
	body   string
}

func (s *service) get(path string) answer { s.t.Helper(); return s.ask(http.MethodGet, path, "") }

func (s *service) ask(method, path, body string) answer {
	s.t.Helper()
	a, err := s.try(method, path, strings.NewReader(body))
	require.NoError(s.t, err)
	return a
}

func (s *service) try(method, path string, body io.Reader) (answer, error) {
	request, err := http.NewRequest(method, s.url+path, body)
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	if s.token != "" {
		request.Header.Set("Authorization", "Bearer "+s.token)
	}
	response, err := (&http.Client{Timeout: time.Minute}).Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(text)}, err
}

// engineAt is where the engine of a data directory is, read as its owner announces it.
type engineAt struct {
	HTTP     int    `json:"http_port"`
	Native   int    `json:"native_port"`
	Password string `json:"password"`
	PID      int    `json:"pid"`
}

func findEngine(data string) (engineAt, bool) {
	text, err := os.ReadFile(filepath.Join(data, "clickhouse", "engine.json"))
	if err != nil {
		return engineAt{}, false
	}
	var at engineAt
	return at, json.Unmarshal(text, &at) == nil
}

// once keeps no connection: an idle one would hold up the orderly stop of what it leads to. What it reads
// comes from this machine: to compress it costs both ends more than to send it.
var once = &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}

// raw asks the engine itself, past all code of ours; tab-separated fields of the one line.
func raw(t *testing.T, data, sql string) []string {
	t.Helper()
	answer, err := tryRaw(data, sql)
	require.NoError(t, err)
	return answer
}

func tryRaw(data, sql string) ([]string, error) {
	at, ok := findEngine(data)
	if !ok {
		return nil, fmt.Errorf("no engine runs on %s", data)
	}
	address := fmt.Sprintf("http://127.0.0.1:%d/?%s", at.HTTP, url.Values{"user": {"chaoban"}, "password": {at.Password}}.Encode())
	response, err := once.Post(address, "text/plain", strings.NewReader(sql))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", sql, text)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\t"), err
}

// gone reports that a process has ended; a zombie that its new parent has not yet collected has.
func gone(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return errors.Is(err, fs.ErrNotExist) && isDir("/proc/self")
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(rest, "Z")
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// eventually polls; require.Eventually runs its condition in another goroutine, where a test may
// not fail.
func eventually(t *testing.T, within time.Duration, ok func() bool, message string, args ...any) {
	t.Helper()
	for deadline := time.Now().Add(within); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			require.Failf(t, "timed out", message, args...)
		}
	}
}

var (
	demoOnce sync.Once
	demoHome string
	demoTook time.Duration
	demoErr  error
)

// loadDemo loads the demo, once for all tests of this binary.
func loadDemo() {
	demoOnce.Do(func() {
		if _, err := clickhouseserver.LibraryPath(); err != nil {
			return // needEngine says what comes of it
		}
		if demoHome, demoErr = os.MkdirTemp("", "chaoban-demo-"); demoErr != nil {
			return
		}
		started := time.Now()
		text, err := command(demoHome, nil, "demo", "load", "--data", filepath.Join(demoHome, "data")).CombinedOutput()
		if err != nil {
			demoErr = fmt.Errorf("%w: %s", err, text)
		}
		demoTook = time.Since(started)
	})
}

// demoData returns a copy of the demo.
func demoData(t *testing.T) string {
	t.Helper()
	needEngine(t)
	loadDemo()
	require.NoError(t, demoErr)
	t.Logf("the demo was loaded in %s", demoTook.Round(time.Millisecond))
	to := filepath.Join(t.TempDir(), "data")
	copyTree(t, filepath.Join(demoHome, "data"), to)
	return to
}

// copyTree copies a data directory that nobody uses at the time. Links inside it lead into the
// copy: a copy that shared a file with its original would spoil the next test.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		switch {
		case entry.IsDir():
			return os.MkdirAll(target, 0o700)
		case entry.Type()&fs.ModeSymlink != 0:
			at, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(strings.Replace(at, from, to, 1), target)
		case !entry.Type().IsRegular():
			return nil
		}
		return copyFile(path, target)
	}))
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// write puts a file into a fresh directory and returns its path.
func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

// phoneLine is a merchant with one phone queue.
const phoneLine = `
merchants:
  - id: halo
    name: 光环家电
    shops:
      - id: halo-jd
        name: 光环京东自营店
        platform: jd
        queues:
          - {id: halo-jd/after, skill: after, channel: call, hours: "Mon-Sun 09:00-18:00"}
contracts:
  - id: halo-2026
    merchant: halo
    title: 光环家电电话售后服务合同
    versions:
      - number: 1
        from: 2026-10-01
        tax_rate: 6%
        shops: [halo-jd]
        terms:
          - {id: answer-20s, metric: answered_within, within: 20s, direction: at_least, target: 0.80, min_sample: 5}
`

// phoneData is a data directory that knows the phone line and nothing else.
func phoneData(t *testing.T) string {
	t.Helper()
	return phoneDataOf(t, phoneLine)
}

// phoneDataOf is a data directory with other contracts.
func phoneDataOf(t *testing.T, contracts string) string {
	t.Helper()
	needEngine(t)
	data := filepath.Join(t.TempDir(), "data")
	must(t, data, "contracts", "apply", write(t, "halo.yaml", []byte(contracts)))
	return data
}

// reading is a KPI figure as it leaves the product.
type reading struct {
	Metric      string   `json:"metric"`
	Version     string   `json:"version"`
	Merchant    string   `json:"merchant"`
	Agent       string   `json:"agent"`
	Numerator   float64  `json:"numerator"`
	Denominator float64  `json:"denominator"`
	Value       *float64 `json:"value"`
}
