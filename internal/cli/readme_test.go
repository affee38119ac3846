package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// repository is the top of the repository, seen from this package.
const repository = "../.."

// step is one command of the README and what it says the command prints.
type step struct {
	line    int
	command string
	expect  []string
}

const prompt = "$ "

// consoleSteps reads the steps of every ```console block whose commands are bin/chaoban. A command
// may go on in the next line after a backslash.
func consoleSteps(text string) (steps []step) {
	inside, ours := false, false
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case strings.HasPrefix(line, "```"):
			inside, ours = !inside && strings.TrimSpace(line) == "```console", false
		case inside && strings.HasPrefix(line, prompt):
			command, at := strings.TrimPrefix(line, prompt), i+1
			for strings.HasSuffix(command, "\\") && i+1 < len(lines) {
				i++
				command = strings.TrimSuffix(command, "\\") + strings.TrimSpace(lines[i])
			}
			if ours = strings.HasPrefix(command, "bin/chaoban "); ours {
				steps = append(steps, step{line: at, command: command})
			}
		case inside && ours:
			last := &steps[len(steps)-1]
			last.expect = append(last.expect, line)
		}
	}
	return steps
}

// What differs from run to run: ids that the system makes, how long something took, and what is said of a month until
// it is over.
var (
	unfinished = strings.NewReplacer("; provisional: the month is not over", "")

	madeID = regexp.MustCompile(`\b[0-9a-hjkmnp-tv-z]{26}\b`)
	took   = regexp.MustCompile(`\b(?:\d+h)?(?:\d+m)?\d+(?:\.\d+)?(?:ms|µs|s)\b`)
)

// shown is a line as it is compared.
func shown(line string) string {
	return strings.TrimRight(took.ReplaceAllString(madeID.ReplaceAllString(unfinished.Replace(line), "<id>"), "<time>"), " \r")
}

// matches compares lines; "…" on a line of its own stands for any number of lines, also none.
func matches(expect, got []string) bool {
	if len(expect) == 0 {
		return len(got) == 0
	}
	if strings.TrimSpace(expect[0]) == "…" {
		for skip := 0; skip <= len(got); skip++ {
			if matches(expect[1:], got[skip:]) {
				return true
			}
		}
		return false
	}
	return len(got) > 0 && shown(expect[0]) == shown(got[0]) && matches(expect[1:], got[1:])
}

// linesOf splits output into lines without the empty ones at the end.
func linesOf(text string) []string {
	text = strings.TrimRight(text, "\n \t")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// The README's main job prints what the README shows, in this order, on a fresh demo.
func TestReadmeCommandsPrintWhatTheReadmeShows(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(repository, "README.md"))
	require.NoError(t, err, "the repository needs a README.md")
	steps := consoleSteps(string(text))
	require.NotEmpty(t, steps, "README.md needs a ```console block with lines that start with `$ bin/chaoban `")
	assert.GreaterOrEqual(t, len(steps), 8, "the main job has eight commands")
	assert.Less(t, strings.Count(string(text), "\n"), 120, "the README stays under 120 lines")

	home := readmeHome(t)
	for _, s := range steps {
		cmd := command(home, nil)
		cmd.Path, cmd.Args = shell(t), []string{"sh", "-c", s.command}
		output, err := cmd.CombinedOutput()
		got := linesOf(string(output))
		expect := linesOf(strings.Join(s.expect, "\n"))
		if assert.NoError(t, err, "README.md:%d: $ %s\n%s", s.line, s.command, output) && !matches(expect, got) {
			t.Errorf("README.md:%d: $ %s\nthe README shows:\n%s\nit prints:\n%s", s.line, s.command, strings.Join(expect, "\n"), strings.Join(got, "\n"))
		}
	}
}

// readmeHome looks like a fresh clone after the first `make run`: bin/chaoban, ./data, and the
// directories that commands may name.
func readmeHome(t *testing.T) string {
	t.Helper()
	data := demoData(t)
	home := t.TempDir()
	require.NoError(t, os.Rename(data, filepath.Join(home, "data")))
	binary, err := filepath.Abs(os.Args[0])
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(home, "bin"), 0o700))
	require.NoError(t, os.Symlink(binary, filepath.Join(home, "bin", "chaoban")))
	for _, name := range []string{"docs", "configs"} {
		at, err := filepath.Abs(filepath.Join(repository, name))
		require.NoError(t, err)
		require.NoError(t, os.Symlink(at, filepath.Join(home, name)))
	}
	return home
}

func shell(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("sh")
	require.NoError(t, err)
	return path
}

func TestReadmeReader(t *testing.T) {
	steps := consoleSteps("# x\n```console\n$ make run\nready\n$ bin/chaoban a \\\n    --b\none\n…\nlast  \n\n$ bin/chaoban c\n```\n```go\n$ bin/chaoban no\n```\n")
	require.Equal(t, []step{
		{line: 5, command: "bin/chaoban a --b", expect: []string{"one", "…", "last  ", ""}},
		{line: 11, command: "bin/chaoban c"},
	}, steps)
	for name, c := range map[string]struct {
		expect, got string
		want        bool
	}{
		"same":               {"a\nb", "a\nb", true},
		"other":              {"a\nb", "a\nc", false},
		"shorter":            {"a\nb", "a", false},
		"longer":             {"a", "a\nb", false},
		"any lines":          {"a\n…\nz", "a\nb\nc\nz", true},
		"any lines, none":    {"a\n…\nz", "a\nz", true},
		"any lines, no end":  {"a\n…\nz", "a\nb", false},
		"an id":              {"draft 06h07j1bkhqpbw7e4vd3rq1es8 x", "draft 06h07hzq8p3efb5q16kemdcjtm x", true},
		"no id":              {"draft 06h07j1bkhqpbw7e4vd3rq1es8 x", "draft 7 x", false},
		"a duration":         {"done in 1.25s", "done in 987ms", true},
		"minutes":            {"done in 1m2s", "done in 59s", true},
		"a figure":           {"answered 93.1", "answered 93.2", false},
		"spaces at the end":  {"a  ", "a", true},
		"spaces in a table":  {"a  b", "a b", false},
		"nothing":            {"", "", true},
		"nothing, something": {"", "a", false},
	} {
		assert.Equal(t, c.want, matches(linesOf(c.expect), linesOf(c.got)), name)
	}
}
