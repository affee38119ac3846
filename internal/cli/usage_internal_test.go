package cli

import (
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
)

// Who gives too few or too many arguments is told the form of the command.
func TestArgumentsAreCountedInWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		check cobra.PositionalArgs
		given []string
		want  string
	}{
		{cobra.ExactArgs(2), []string{"latest"}, "1 argument is given; the command is 'diff FROM TO'; see 'diff --help'"},
		{cobra.MinimumNArgs(1), nil, "0 arguments are given; the command is 'diff FROM TO'; see 'diff --help'"},
		{cobra.RangeArgs(1, 2), []string{"a", "b", "c"}, "3 arguments are given; the command is 'diff FROM TO'; see 'diff --help'"},
	} {
		cmd := &cobra.Command{Use: "diff FROM TO", Args: c.check}
		said := usageFault(cmd, cmd.Args(cmd, c.given))
		assert.Equal(t, "cli.usage", said.Code)
		assert.Equal(t, c.want, said.Message)
	}
}

// A number with too many digits is a whole number, only too large.
func TestANumberBeyondAllNumbersIsToldSo(t *testing.T) {
	t.Parallel()
	cmd := &cobra.Command{Use: "make"}
	cmd.Flags().Int("iterations", 0, "steps")
	said := usageFault(cmd, cmd.ParseFlags([]string{"--iterations", "99999999999999999999"}))
	assert.Equal(t, `--iterations "99999999999999999999": is beyond what a number can be; see 'make --help'`, said.Message)
	said = usageFault(cmd, cmd.ParseFlags([]string{"--iterations", "many"}))
	assert.Equal(t, `--iterations "many": must be a whole number; see 'make --help'`, said.Message)
}
