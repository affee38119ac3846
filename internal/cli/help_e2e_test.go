package cli

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
)

// every walks the commands that people see.
func every(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	for _, child := range cmd.Commands() {
		if !child.Hidden && child.Name() != "help" && child.Name() != "completion" {
			every(child, visit)
		}
	}
}

// typedLine runs a command line without a process of its own.
func typedLine(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	// An empty line must not be nil: cobra would take the arguments of the test binary instead.
	code = Run(t.Context(), append([]string{}, args...), strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

func TestEveryCommandExplainsItself(t *testing.T) {
	seen := 0
	every(newRootCommand(), func(cmd *cobra.Command) {
		seen++
		path := cmd.CommandPath()
		assert.NotEmpty(t, cmd.Short, path)
		assert.NotEqual(t, ".", cmd.Short[max(0, len(cmd.Short)-1):], "%s: a Short is no sentence", path)

		args := strings.Fields(path)[1:]
		code, out, errs := typedLine(t, append(args, "--no-such-flag")...)
		assert.Equal(t, exitInvalid, code, path)
		assert.Empty(t, out, path)
		assert.Contains(t, errs, "unknown flag: --no-such-flag", path)
		assert.Contains(t, errs, "see '"+path+" --help'", path)

		code, out, errs = typedLine(t, append(args, "--help")...)
		assert.Equal(t, exitOK, code, path)
		assert.Contains(t, out, "Usage:", path)
		assert.Empty(t, errs, path)
	})
	assert.Greater(t, seen, 30)
}

func TestHelpIsInGroups(t *testing.T) {
	code, out, _ := typedLine(t, "--help")
	assert.Equal(t, exitOK, code)
	for _, group := range []string{"Service:", "Main job:", "Administration:"} {
		assert.Contains(t, out, group)
	}
	assert.NotContains(t, out, "clickhouse", "the engine child is not for people")
	for _, cmd := range newRootCommand().Commands() {
		if !cmd.Hidden {
			assert.NotEmpty(t, cmd.GroupID, cmd.Name())
		}
	}
	code, bare, _ := typedLine(t)
	assert.Equal(t, exitOK, code)
	assert.Equal(t, out, bare, "without arguments chaoban explains itself")
}

func TestMistypedCommandsAreInvalid(t *testing.T) {
	for _, line := range []string{"rooster", "roster", "roster mak", "kpi query --month 2026-11", "kpi query --metric offered --month", "jobs run", "jobs run a b"} {
		code, out, errs := typedLine(t, strings.Fields(line)...)
		assert.Equal(t, exitInvalid, code, line)
		assert.Empty(t, out, line)
		assert.Equal(t, 1, strings.Count(errs, "chaoban: "), "%s: %s", line, errs)
	}
}

// What is wrong is said in the words of the command line that was typed. TestCommandsAroundKeptFigures
// has the commands that open the engine first.
func TestUsageErrorsNameTheFlags(t *testing.T) {
	data := t.TempDir()
	code, _, errs := typedLine(t, "contracts", "apply", "../../docs/examples/contracts.yaml", "--data", data)
	assert.Equal(t, exitOK, code, errs)
	for line, says := range map[string]string{
		"kpi conversion --from 2026-11-02 --to 2026-11-01": "--to 2026-11-01 lies before --from 2026-11-02",
		"kpi scorecards --contract x":                      "--contract needs --month",
		"shifts list":                                      "give --from and --to",
		"retention":                                        "say --dry-run, or which",
		"retention hold --reason x":                        "say --merchant ID, or --all",
		"quarantine retry":                                 "name the lines, or say --all",
	} {
		code, out, errs := typedLine(t, append(strings.Fields(line), "--data", data)...)
		assert.Equal(t, exitInvalid, code, line)
		assert.Empty(t, out, line)
		assert.Contains(t, errs, says, line)
	}
}

// In a directory without a store nothing is answered, and none is made: "offered 0" would be a wrong figure of
// the right month.
func TestNoStoreIsNoAnswer(t *testing.T) {
	data := filepath.Join(t.TempDir(), "elsewhere")
	for _, line := range []string{
		"kpi query --metric offered --month 2026-11", "contracts list", "import list", "scorecards freeze --month 2026-10", "retention --dry-run",
		"forecast make --origin 2026-11-01 --horizon 14d",
	} {
		code, out, errs := typedLine(t, append(strings.Fields(line), "--data", data)...)
		assert.Equal(t, exitNotFound, code, line)
		assert.Empty(t, out, line)
		assert.Contains(t, errs, "there is no store in "+data, line)
		assert.Contains(t, errs, "--data", line)
	}
	assert.NoDirExists(t, data)
}
