package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every command of the guide to staffing exists with the flags that it shows; those that need no store run.
func TestStaffingGuideNamesCommandsThatExist(t *testing.T) {
	text, err := os.ReadFile("../../docs/staffing.md")
	require.NoError(t, err)
	lines := regexp.MustCompile(`(?m)^(?:\$ )?bin/chaoban (.+)$`).FindAllStringSubmatch(string(text), -1)
	assert.Greater(t, len(lines), 12)
	ran := 0
	for _, line := range lines {
		args := words(strings.ReplaceAll(line[1], `"`, "'"))
		cmd, rest, err := newRootCommand().Find(args)
		require.NoError(t, err, line[1])
		assert.False(t, cmd.HasSubCommands(), "%s is a whole command", line[1])
		require.NoError(t, cmd.ParseFlags(rest), line[1])
		require.NoError(t, cmd.ValidateArgs(cmd.Flags().Args()), line[1])
		require.NoError(t, cmd.ValidateRequiredFlags(), line[1])
		if i := slices.Index(args, "--in"); i >= 0 {
			args[i+1] = filepath.Join("../..", args[i+1])
			code, out, errs := typedLine(t, args...)
			assert.Equal(t, exitOK, code, errs)
			assert.NotEmpty(t, out)
			ran++
		}
	}
	assert.Equal(t, 3, ran)
	for _, flag := range regexp.MustCompile("`(--[a-z-]+)").FindAllStringSubmatch(string(text), -1) {
		assert.True(t, hasFlag(flag[1]), "%s is a flag of staff", flag[1])
	}
}

func hasFlag(name string) bool {
	for _, path := range [][]string{{"staff", "plan"}, {"staff", "explain"}, {"staff", "scenario", "make"}, {"staff", "scenario", "promote"}, {"staff", "price"}, {"staff", "pool"}} {
		if cmd, _, err := newRootCommand().Find(path); err == nil && (cmd.Flags().Lookup(name[2:]) != nil || name == "--json") {
			return true
		}
	}
	return false
}

// The headings of tables in the samples are printed by the commands, and so are the labels of explain and the sentences that
// supervisors decide by.
func TestStaffingGuideShowsWhatIsPrinted(t *testing.T) {
	text, err := os.ReadFile("../../docs/staffing.md")
	require.NoError(t, err)
	files, err := filepath.Glob("staff_*.go")
	require.NoError(t, err)
	source := ""
	for _, name := range files {
		if !strings.HasSuffix(name, "_test.go") {
			raw, err := os.ReadFile(name)
			require.NoError(t, err)
			source += string(raw)
		}
	}
	headings, labels := 0, 0
	for block := range strings.SplitSeq(string(text), "```console\n") {
		block, _, _ = strings.Cut(block, "```")
		explain := strings.Contains(block, "staff explain")
		for line := range strings.Lines(block) {
			line = strings.TrimRight(line, "\n")
			if strings.HasPrefix(line, "QUEUE ") {
				headings++
				_, rest, _ := strings.Cut(line, " ")
				assert.Contains(t, source, regexp.MustCompile(` {2,}`).ReplaceAllString(strings.TrimSpace(rest), `\t`), line)
			}
			if label := regexp.MustCompile(`^([a-zA-Z]+) {2,}\S`).FindStringSubmatch(line); explain && label != nil && !strings.HasPrefix(line, "QUEUE") {
				labels++
				assert.Contains(t, source, `"`+label[1]+`", `, line)
			}
		}
	}
	assert.GreaterOrEqual(t, headings, 2)
	assert.GreaterOrEqual(t, labels, 12)
	for _, said := range []string{
		"head-hours in all", "shared seats of contracts: %d at most", "method each staffs these days with %.1f, where shared seats raise no queue",
		"revenue %.0f -> %.0f yuan; buyers who leave unanswered", "revenue less wages and deductions", "a head more costs %.2f with what is away and overtime",
	} {
		assert.Contains(t, source, said)
		pattern := strings.ReplaceAll(regexp.QuoteMeta(regexp.MustCompile(`%[.0-9]*[df]`).ReplaceAllString(said, "@")), "@", "[-0-9.,]+")
		assert.True(t, regexp.MustCompile(pattern).Match(text), said)
	}
}

// Lengths of time are told without parts that are nothing.
func TestLengthText(t *testing.T) {
	for d, want := range map[time.Duration]string{
		15 * time.Minute: "15m", 4 * time.Hour: "4h", 90 * time.Minute: "1h30m", 260 * time.Second: "4m20s", 30 * time.Second: "30s", 10 * time.Minute: "10m", 20 * time.Hour: "20h",
		10 * time.Second: "10s", time.Hour + 30*time.Second: "1h0m30s",
	} {
		assert.Equal(t, want, lengthText(d))
	}
}
