package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
)

// solveTo solves the small problem of every test here into a place.
func solveTo(t *testing.T, in, out string, more ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := newRosterSolveCommand()
	var said, told bytes.Buffer
	cmd.SetArgs(append([]string{"--in", in, "--iterations", "50", "--threads", "1", "--out", out}, more...))
	cmd.SetOut(&said)
	cmd.SetErr(&told)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err = cmd.ExecuteContext(t.Context())
	return said.String(), told.String(), err
}

func placesFile(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile("../../scheduling/roster/testdata/places.json")
	require.NoError(t, err)
	name := filepath.Join(t.TempDir(), "p.json")
	require.NoError(t, os.WriteFile(name, raw, 0o600))
	return name
}

func requireRoster(t *testing.T, raw []byte) {
	t.Helper()
	var made struct {
		Roster struct{ Shifts []any }
	}
	require.NoError(t, json.Unmarshal(raw, &made), "%.200s", raw)
	require.NotEmpty(t, made.Roster.Shifts)
}

// Standard output gets the roster and nothing else; what is said of it goes to the error stream.
func TestRosterToStandardOutput(t *testing.T) {
	in := placesFile(t)
	for _, more := range [][]string{nil, {"--json"}} {
		stdout, stderr, err := solveTo(t, in, "-", more...)
		require.NoError(t, err)
		requireRoster(t, []byte(stdout))
		assert.Contains(t, stderr, "cost")
	}
	assert.NoFileExists(t, "-")
}

// A pipe stays a pipe and its reader gets the roster; a link stays a link and what it points to gets it, whether it
// was there or not; an ordinary file is another file afterwards, so that no reader ever sees half of it.
func TestRosterIsWrittenThroughWhatIsNoFile(t *testing.T) {
	in, dir := placesFile(t), t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	got := make(chan []byte)
	go func() {
		raw, _ := os.ReadFile(pipe) // an error shows as no roster
		got <- raw
	}()
	_, _, err := solveTo(t, in, pipe)
	require.NoError(t, err)
	requireRoster(t, <-got)
	info, err := os.Lstat(pipe)
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&os.ModeNamedPipe)

	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, []byte("old"), 0o600))
	was, err := os.Stat(file)
	require.NoError(t, err)
	for _, target := range []string{file, filepath.Join(dir, "later")} {
		link := filepath.Join(dir, "link to "+filepath.Base(target))
		require.NoError(t, os.Symlink(target, link))
		_, _, err := solveTo(t, in, link)
		require.NoError(t, err)
		to, err := os.Readlink(link)
		require.NoError(t, err)
		assert.Equal(t, target, to)
		raw, err := os.ReadFile(target)
		require.NoError(t, err)
		requireRoster(t, raw)
	}
	now, err := os.Stat(file)
	require.NoError(t, err)
	assert.False(t, os.SameFile(was, now))
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	require.NoError(t, err)
	assert.Empty(t, left, "nothing half written stays")
}

// The problem is never overwritten, by its own name or another; a folder is no file, and one that is not there is
// told before anything is solved.
func TestRosterRefusesBadTargets(t *testing.T) {
	in, dir := placesFile(t), t.TempDir()
	before, err := os.ReadFile(in)
	require.NoError(t, err)
	link, hard := filepath.Join(dir, "link"), filepath.Join(filepath.Dir(in), "hard")
	require.NoError(t, os.Symlink(in, link))
	require.NoError(t, os.Link(in, hard))
	for out, says := range map[string]string{in: "problem file", link: "problem file", hard: "problem file", dir: "is a folder", filepath.Join(dir, "none", "r.json"): "the folder"} {
		_, _, err := solveTo(t, in, out)
		require.Error(t, err, out)
		assert.Equal(t, fault.Invalid, fault.KindOf(err))
		assert.ErrorContains(t, err, says)
	}
	after, err := os.ReadFile(in)
	require.NoError(t, err)
	assert.Equal(t, string(before), string(after))
}
