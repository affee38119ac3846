package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// word is a quoted text, a command in $( ) or anything else between spaces.
var word = regexp.MustCompile(`"[^"]*"|'[^']*'|\$\([^)]*\)|\S+`)

// Every command of the supervisors' guides exists with the flags that it shows, and the example files they
// read are there.
func TestGuidesNameCommandsThatExist(t *testing.T) {
	for guide, least := range map[string]int{"rosters.md": 15, "leave-and-swaps.md": 40} {
		text, err := os.ReadFile(filepath.Join("../../docs", guide))
		require.NoError(t, err)
		lines := regexp.MustCompile(`(?m)^(?:\$ )?bin/chaoban (.+)$`).FindAllStringSubmatch(string(text), -1)
		assert.Greater(t, len(lines), least, guide)
		for _, line := range lines {
			args := words(line[1])
			for _, a := range args {
				if strings.HasPrefix(a, "docs/examples/") {
					assert.FileExists(t, filepath.Join("../..", a))
				}
			}
			cmd, rest, err := newRootCommand().Find(args)
			require.NoError(t, err, line[1])
			assert.False(t, cmd.HasSubCommands(), "%s is a whole command", line[1])
			require.NoError(t, cmd.ParseFlags(rest), line[1])
			require.NoError(t, cmd.ValidateArgs(cmd.Flags().Args()), line[1])
			require.NoError(t, cmd.ValidateRequiredFlags(), line[1])
		}
	}
}

// The example files of the guide to leave are what it shows, and read strictly.
func TestGuideToLeaveShowsItsExampleFiles(t *testing.T) {
	text, err := os.ReadFile("../../docs/leave-and-swaps.md")
	require.NoError(t, err)
	p := leave.DefaultPolicy()
	var terms []workrules.QueueTerms
	for name, into := range map[string]any{"leave-policy.yaml": &p, "queue-terms.yaml": &terms} {
		file, err := os.ReadFile(filepath.Join("../../docs/examples", name))
		require.NoError(t, err)
		bare := regexp.MustCompile(`(?m)^#.*\n| #.*$`).ReplaceAllString(string(file), "")
		assert.Contains(t, string(text), "```yaml\n"+bare+"```", name)
		d := yaml.NewDecoder(strings.NewReader(string(file)))
		d.KnownFields(true)
		require.NoError(t, d.Decode(into), name)
	}
	require.NoError(t, p.Validate())
	assert.Len(t, p.Regions, 3)
	assert.Len(t, terms, 1)
}

// words splits a command line as a shell does, up to a redirection; what is quoted or in $( ) is one word.
func words(line string) []string {
	line, _, _ = strings.Cut(strings.TrimSpace(line), " > ")
	out := word.FindAllString(line, -1)
	for i := range out {
		out[i] = strings.Trim(out[i], `"'`)
	}
	return out
}
