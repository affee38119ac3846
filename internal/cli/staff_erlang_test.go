package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
)

func staffErlang(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	cmd := newStaffErlangCommand()
	var out bytes.Buffer
	cmd.SetArgs(args)
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.Execute()
	return out.String(), err
}

// The figures are the published ones of pyworkforce for 100 calls in 30 min, AHT 3 min, patience 5 min.
func TestStaffErlangEvaluates(t *testing.T) {
	out, err := staffErlang(t, "", "--model", "a", "--calls", "100", "--interval", "30m", "--aht", "180s", "--patience", "300s", "--agents", "14", "--within", "20s", "--json")
	require.NoError(t, err)
	var r map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	for name, want := range map[string]float64{"p_wait": 0.145260, "p_abandon": 0.013984, "occupancy": 0.704297, "service_level": 0.916792} {
		assert.InDelta(t, want, r[name], 5e-7, name)
	}
}

func TestStaffErlangAnswersTheLeastAgents(t *testing.T) {
	args := []string{"--model", "c", "--calls", "100", "--aht", "240s", "--target", "0.8", "--within", "20s"}
	out, err := staffErlang(t, "", append(args, "--json")...)
	require.NoError(t, err)
	assert.Contains(t, out, `"agents": 17,`)
	out, err = staffErlang(t, "", args...)
	require.NoError(t, err)
	assert.Contains(t, out, "17 (the least that reach the goal)")
	assert.Contains(t, out, "81.04 %")
}

func TestStaffErlangUnstableIsNullNotInfinity(t *testing.T) {
	out, err := staffErlang(t, "", "--calls", "100", "--aht", "240s", "--agents", "5", "--json")
	require.NoError(t, err)
	assert.Contains(t, out, `"asa_s": null`)
	assert.Contains(t, out, `"stable": false`)
}

func TestStaffErlangGrid(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "grid.csv"), filepath.Join(dir, "out.csv")
	body := "\xef\xbb\xbfnote,agents,calls,aht_s,interval_min,patience_s,answer_within_s\n夜班,14,100,180,30,300,20\n,50,48,60,1,120,0\n"
	require.NoError(t, os.WriteFile(in, []byte(body), 0o600))
	_, err := staffErlang(t, "", "--model", "a", "--in", in, "--out", out)
	require.NoError(t, err)
	data, err := os.ReadFile(out)
	require.NoError(t, err)
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 3)
	assert.Equal(t, append(strings.Split("note,agents,calls,aht_s,interval_min,patience_s,answer_within_s", ","), erlangColumns...), rows[0])
	assert.Equal(t, "夜班", rows[1][0])
	wait, err := strconv.ParseFloat(rows[1][7], 64)
	require.NoError(t, err)
	assert.InDelta(t, 0.145260, wait, 5e-7)
	abandon, err := strconv.ParseFloat(rows[2][8], 64)
	require.NoError(t, err)
	assert.InDelta(t, 0.031, abandon, 5e-4, "Garnett, Mandelbaum & Reiman 2002")

	again, err := staffErlang(t, string(data), "--model", "a", "--in", "-")
	require.NoError(t, err)
	assert.Equal(t, string(data), again, "evaluating our own output changes nothing")
}

func TestStaffErlangGridNamesRowAndColumn(t *testing.T) {
	head := "calls,aht_s,interval_min,patience_s,agents,answer_within_s\n"
	for name, c := range map[string]struct{ body, want string }{
		"empty":      {"", "empty"},
		"no case":    {head, "no case"},
		"text":       {head + "100,180,30,300,14,20\n100,abc,30,300,14,20\n", `grid.csv:3: column "aht_s": must be a number above 0, at most 100 years (got "abc")`},
		"negative":   {head + "-1,180,30,300,14,20\n", `column "calls"`},
		"nan":        {head + "NaN,180,30,300,14,20\n", `column "calls"`},
		"zero aht":   {head + "100,0,30,300,14,20\n", `column "aht_s"`},
		"zero pat":   {head + "100,180,30,0,14,20\n", `column "patience_s"`},
		"too many":   {head + "100,180,30,300,1e9,20\n", `column "agents"`},
		"absurd":     {head + "1e12,180,30,300,5,20\n", `erlangs`},
		"short row":  {head + "100,180\n", "grid.csv:2: has a different number of cells"},
		"missing":    {"calls,aht_s\n1,2\n", `column "interval_min"`},
		"duplicated": {"calls,calls,aht_s,interval_min,patience_s,agents,answer_within_s\n1,1,1,1,1,1,1\n", `"calls": stands twice`},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "grid.csv")
			require.NoError(t, os.WriteFile(file, []byte(c.body), 0o600))
			out := filepath.Join(t.TempDir(), "out.csv")
			_, err := staffErlang(t, "", "--model", "a", "--in", file, "--out", out)
			require.Error(t, err)
			assert.Equal(t, fault.Invalid, fault.KindOf(err))
			assert.Contains(t, err.Error(), c.want)
			assert.NoFileExists(t, out)
		})
	}
}

func TestStaffErlangBadFlags(t *testing.T) {
	for _, args := range [][]string{
		{"--model", "x", "--calls", "1", "--aht", "1s", "--agents", "1"},
		{"--calls", "1", "--agents", "1"},
		{"--model", "a", "--calls", "1", "--aht", "1s", "--agents", "1"},
		{"--calls", "1", "--aht", "1s", "--agents", "-1"},
		{"--calls", "1", "--aht", "1s", "--agents", "1", "--within", "-5s"},
		{"--calls", "1", "--aht", "1s"},
		{"--calls", "1", "--aht", "1s", "--target", "1.5"},
		{"--calls", "NaN", "--aht", "1s", "--target", "0.8"},
		{"--in", "nowhere.csv"},
		{"--in", "nowhere.csv", "--calls", "3"},
		{"--calls", "1", "--aht", "1s", "--agents", "1", "--out", "x.csv"},
	} {
		_, err := staffErlang(t, "", args...)
		require.Error(t, err, args)
		assert.NotEqual(t, fault.Internal, fault.KindOf(err), "%v: %v", args, err)
	}
}
