package cli

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every command of the supervisors' guide exists with the flags that it shows.
func TestRostersGuideNamesCommandsThatExist(t *testing.T) {
	text, err := os.ReadFile("../../docs/rosters.md")
	require.NoError(t, err)
	lines := regexp.MustCompile(`(?m)^(?:\$ )?bin/chaoban (.+)$`).FindAllStringSubmatch(string(text), -1)
	assert.Greater(t, len(lines), 15)
	for _, line := range lines {
		args := strings.Fields(line[1])
		cmd, rest, err := newRootCommand().Find(args)
		require.NoError(t, err, line[1])
		assert.False(t, cmd.HasSubCommands(), "%s is a whole command", line[1])
		require.NoError(t, cmd.ParseFlags(rest), line[1])
		require.NoError(t, cmd.ValidateArgs(cmd.Flags().Args()), line[1])
		require.NoError(t, cmd.ValidateRequiredFlags(), line[1])
	}
}
