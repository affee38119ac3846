package cli

import (
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
)

// Left out, these flags have a default; typed, a 0 would silently become it.
func TestATypedZeroIsNotTheDefault(t *testing.T) {
	for name, c := range map[string]struct {
		make func(*settings) *cobra.Command
		args []string
		bad  []string
	}{
		"plan":     {newStaffPlan, []string{"--from", "2026-11-01", "--level", "0"}, []string{"--level"}},
		"tickets":  {newStaffPlan, []string{"--from", "2026-11-01", "--ticket-aht", "0s", "--ticket-due", "0s"}, []string{"--ticket-aht", "--ticket-due"}},
		"scenario": {newStaffScenario, []string{"make", "--name", "n", "--from", "2026-11-01", "--level", "0", "--volume-factor", "0.0", "--aht-factor", "0", "--min-heads", "0"}, []string{"--level", "--volume-factor", "--aht-factor", "--min-heads"}},
	} {
		cmd := c.make(&settings{})
		cmd.SetArgs(c.args)
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		err := cmd.ExecuteContext(t.Context())
		require.Equal(t, "cli.flags", fault.CodeOf(err), name)
		var paths []string
		for _, f := range fault.Of(err).Fields {
			paths = append(paths, f.Path)
		}
		assert.Equal(t, c.bad, paths, name)
	}
}
