package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A name that ends in something nobody writes is refused before anything is computed, with the endings that are
// known; a table speaks the language asked for.
func TestExportWritesWhatTheNameSays(t *testing.T) {
	d := newDesk(t)
	dir := t.TempDir()
	refusal := func(says string, args ...string) {
		code, out, errs := typedLine(t, d.line(args)...)
		assert.Equal(t, exitInvalid, code, out)
		assert.Contains(t, errs, says)
	}
	for _, name := range []string{"x.pdf", "x", "x.xls"} {
		file := filepath.Join(dir, name)
		refusal(".xlsx or .csv", "roster", "export", "week", "--out", file)
		assert.NoFileExists(t, file)
	}
	refusal(".csv", "roster", "pay", "--roster", "week", "--out", filepath.Join(dir, "pay.xlsx"))
	refusal("en and zh", "roster", "export", "week", "--out", filepath.Join(dir, "r.csv"), "--language", "fr")
	refusal("is for .csv", "roster", "export", "week", "--out", filepath.Join(dir, "r.xlsx"), "--language", "zh")
	refusal("cannot be used", "roster", "export", "week", "--out", filepath.Join(dir, "nowhere", "r.csv"))

	file := filepath.Join(dir, "r.CSV")
	d.run("roster", "export", "week", "--out", file, "--language", "zh")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(text), "工号,姓名,班组")
	d.run("roster", "pay", "--roster", "week", "--out", file, "--language", "zh")
	text, err = os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(text), "100%工时")
}

// An agent that nobody knows is told so, and days without shifts as well.
func TestShiftsOfNobody(t *testing.T) {
	d := newDesk(t)
	code, _, errs := typedLine(t, d.line([]string{"shifts", "list", "--agent", "NOPE", "--from", "2031-01-01", "--to", "2031-01-02"})...)
	assert.NotEqual(t, exitOK, code)
	assert.Contains(t, errs, "NOPE")
	assert.Contains(t, d.run("shifts", "list", "--from", "2031-01-01", "--to", "2031-01-02"), "no published shifts")
}

// The house sets its rules by command: shown with where they come from, refused where the law is relaxed.
func TestHouseRulesByCommand(t *testing.T) {
	d := newDesk(t)
	assert.Contains(t, d.run("roster", "rules"), "rest_block")
	assert.Contains(t, d.run("roster", "rules", "--history"), "none was ever changed")
	out := d.run("roster", "rules", "--set", "special_dates=2026-11-10:2026-11-12", "--set", "rest_block=9h", "--reason", "双11大促")
	assert.Contains(t, out, "2026-11-10:2026-11-12")
	assert.Contains(t, out, "双11大促")
	assert.Contains(t, d.run("roster", "rules", "--history"), "rest_block = 9h")
	for says, args := range map[string][]string{
		"rules.overtime_month": {"--set", "overtime_month=80h", "--reason", "x"},
		"rules.naps":           {"--set", "naps=1", "--reason", "x"},
		"at most 22h by 女职工劳动保护特别规定": {"--set", "night_from=23h", "--reason", "x"},
		"reason":     {"--set", "rest_block=10h"},
		"NAME=VALUE": {"--set", "rest_block", "--reason", "x"},
	} {
		code, _, errs := typedLine(t, d.line(append([]string{"roster", "rules"}, args...))...)
		assert.Equal(t, exitInvalid, code, says)
		assert.Contains(t, errs, says)
	}
	assert.Contains(t, d.run("agents", "overtime", "--agent", "1001,1002", "--agreed"), "2 changed")
	code, _, errs := typedLine(t, d.line([]string{"agents", "overtime", "--agent", "NOPE", "--agreed"})...)
	assert.NotEqual(t, exitOK, code)
	assert.Contains(t, errs, "NOPE")
}
