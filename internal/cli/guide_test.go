package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Every command line of the guide is one that exists with these flags, and every file in it reads.
func TestGuideToLeave(t *testing.T) {
	text, err := os.ReadFile("../../docs/leave-and-swaps.md")
	require.NoError(t, err)
	commands, files := 0, 0
	var block []string
	end := func() {
		if len(block) == 0 {
			return
		}
		document := strings.Join(block, "\n")
		block = nil
		if !strings.HasPrefix(document, "chaoban ") {
			files++
			readsAsFile(t, document)
			return
		}
		for line := range strings.Lines(document) {
			commands++
			root := newRootCommand()
			cmd, rest, err := root.Find(words(line)[1:])
			if assert.NoError(t, err, line) {
				assert.NoError(t, cmd.ParseFlags(rest), line)
				assert.NoError(t, cmd.ValidateRequiredFlags(), line)
				assert.NoError(t, cmd.ValidateArgs(cmd.Flags().Args()), line)
				assert.False(t, cmd.HasSubCommands(), line)
			}
		}
	}
	for line := range strings.Lines(string(text)) {
		if indented, ok := strings.CutPrefix(line, "    "); ok {
			block = append(block, strings.TrimRight(indented, "\n"))
			continue
		}
		end()
	}
	end()
	assert.Greater(t, commands, 30)
	assert.Equal(t, 2, files)
}

// readsAsFile decodes a policy or terms of queues strictly.
func readsAsFile(t *testing.T, document string) {
	t.Helper()
	d := yaml.NewDecoder(strings.NewReader(document))
	d.KnownFields(true)
	if strings.HasPrefix(document, "- ") {
		var terms []workrules.QueueTerms
		require.NoError(t, d.Decode(&terms))
		return
	}
	p := leave.DefaultPolicy()
	require.NoError(t, d.Decode(&p))
	require.NoError(t, p.Validate())
}

// words splits a command line as a shell does, up to a redirection.
func words(line string) (out []string) {
	line, _, _ = strings.Cut(strings.TrimSpace(line), " > ")
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			out = append(out, part)
		} else {
			out = append(out, strings.Fields(part)...)
		}
	}
	return out
}
