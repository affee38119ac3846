package cli

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
)

// csvColumns reads a CSV file as columns of text.
func csvColumns(t *testing.T, text string) map[string][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	require.NoError(t, err)
	out := map[string][]string{}
	for _, row := range rows[1:] {
		for i, name := range rows[0] {
			out[name] = append(out[name], row[i])
		}
	}
	return out
}

// The grids of two independent packages, as they are: their own columns and units, and every figure that they publish.
func TestStaffErlangReadsTheReferenceGrids(t *testing.T) {
	if os.Getenv("CI") == "true" {
		t.Skip("shared data is not used in CI")
	}
	dir := os.Getenv("CHAOBAN_SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	for _, c := range []struct {
		file, model string
		published   map[string]string // our column -> theirs
	}{
		{"erlang_a.csv", "a", map[string]string{
			"p_wait": "p_wait", "p_abandon": "p_abandon", "occupancy": "occupancy", "asa_s": "asa_s",
			"avg_queue": "avg_queue", "service_level": "service_level",
		}},
		{"erlang_c.csv", "c", map[string]string{
			"p_wait": "erlang_c_pwait", "occupancy": "occupancy", "asa_s": "asa_s", "service_level": "service_level",
		}},
		{"erlang_c.csv", "b", map[string]string{"p_abandon": "erlang_b"}},
	} {
		file := filepath.Join(dir, "erlang", c.file)
		data, err := os.ReadFile(file)
		if err != nil {
			t.Skip("shared data is absent")
		}
		out, err := staffErlang(t, "", "--model", c.model, "--in", file)
		require.NoError(t, err)
		want, got := csvColumns(t, string(data)), csvColumns(t, out)
		for ours, theirs := range c.published {
			require.Len(t, got[ours], len(want[theirs]))
			for i := range want[theirs] {
				w, err := strconv.ParseFloat(want[theirs][i], 64)
				require.NoError(t, err)
				g, err := strconv.ParseFloat(got[ours][i], 64)
				require.NoError(t, err)
				assert.InDelta(t, w, g, 1e-6, "%s line %d, %s", c.file, i+2, ours)
			}
		}
		assert.Equal(t, want["agents"], got["agents"])
	}
}

// However the same case is written, it is the same case: the published figures for 100 calls in 30 min, AHT 3 min,
// patience 5 min, 14 agents.
func TestStaffErlangReadsTheSameCaseInManyForms(t *testing.T) {
	for name, text := range map[string]string{
		"reordered":    "agents,patience_s,answer_within_s,interval_min,aht_s,calls\n14,300,20,30,180,100\n",
		"minutes":      "calls,aht_min,interval_min,patience_min,agents,answer_within_min\n100,3,30,5,14,0.33333333333333333\n",
		"seconds":      "calls,aht_s,interval_s,patience_s,agents,answer_within_s\n100,180,1800,300,14,20\n",
		"erlangs":      "offered_erlangs,aht_s,patience_s,agents,answer_within_s\n10,180,300,14,20\n",
		"both":         "offered_erlangs,calls,aht_min,aht_s,interval_min,patience_s,agents,answer_within_s\n99,100,77,180,30,300,14,20\n",
		"crlf, bom":    "\xef\xbb\xbfcalls,aht_s,interval_min,patience_s,agents,answer_within_s\r\n\r\n100,180,30,300,14,20\r\n,,,,,\r\n\r\n",
		"spaces, caps": " Calls , AHT_s,Interval_Min,patience_s,agents,answer_within_s\n 100 , 180,30,300.0,1.4e1,20\n   \n",
		"no line end":  "calls,aht_s,interval_min,patience_s,agents,answer_within_s\n100,180,30,300,14,20",
		"scaled":       "calls,aht_s,interval_min,patience_s,agents,answer_within_s\n33.3333333333333333,180,10,300,14,20\n",
	} {
		t.Run(name, func(t *testing.T) {
			out, err := staffErlang(t, text, "--model", "a", "--in", "-")
			require.NoError(t, err)
			got := csvColumns(t, out)
			for column, want := range map[string]float64{"p_wait": 0.145260, "p_abandon": 0.013984, "occupancy": 0.704297, "service_level": 0.916792} {
				require.Len(t, got[column], 1)
				v, err := strconv.ParseFloat(got[column][0], 64)
				require.NoError(t, err)
				assert.InDelta(t, want, v, 5e-7, column)
			}
		})
	}
}

// The ends of the range in one file. Each row has figures that follow by hand.
func TestStaffErlangGridAtTheEnds(t *testing.T) {
	head := "calls,aht_s,interval_min,patience_s,agents,answer_within_s\n"
	out, err := staffErlang(t, head+
		"0,180,30,300,5,20\n"+ // nothing to answer
		"0,180,30,300,0,20\n"+
		"100,180,30,300,0,20\n"+ // nobody answers: all wait out their patience
		"1500000,180,30,1000000,100000,60\n"+
		"1000000,86400,1,1,1,0\n"+ // 1.44e9 erlangs
		"1,1,1440,1e6,0.5,0\n", "--model", "a", "--in", "-")
	require.Error(t, err, "more than 1e9 erlangs")
	assert.Contains(t, err.Error(), `standard input:6: column "calls"`)
	assert.Empty(t, out)

	out, err = staffErlang(t, head+
		"0,180,30,300,5,20\n"+
		"0,180,30,300,0,20\n"+
		"100,180,30,300,0,20\n"+
		"1500000,180,30,1000000,100000,60\n"+
		"100000,86400,60,1,1,0\n", "--model", "a", "--in", "-")
	require.NoError(t, err)
	got := csvColumns(t, out)
	figure := func(column string, row int) float64 {
		v, err := strconv.ParseFloat(got[column][row], 64)
		require.NoError(t, err)
		return v
	}
	for row := range 2 {
		assert.Equal(t, "1", got["service_level"][row])
		assert.Equal(t, "0", got["p_wait"][row])
	}
	assert.Equal(t, "1", got["p_abandon"][2])
	assert.InDelta(t, 300, figure("asa_s", 2), 1e-9)
	assert.InDelta(t, 1.0/3, figure("p_abandon", 3), 1e-12)
	assert.InDelta(t, 1e6/3, figure("asa_s", 3), 1e-6)
	assert.InDelta(t, 1, figure("p_abandon", 4), 1e-5)
	for _, column := range erlangColumns {
		for row := range 5 {
			assert.False(t, math.IsNaN(figure(column, row)), "%s of row %d", column, row)
		}
	}

	out, err = staffErlang(t, head+"100,180,30,,10,20\n100,180,30,,0,20\n100,180,30,,10.5,20\n", "--model", "c", "--in", "-")
	require.NoError(t, err, "model c does not look at patience")
	got = csvColumns(t, out)
	for row := range 2 { // ten erlangs on ten agents, or none: grows without end
		assert.Equal(t, []string{"1", "inf", "inf", "0"}, []string{got["p_wait"][row], got["asa_s"][row], got["avg_queue"][row], got["service_level"][row]})
	}
	assert.NotEqual(t, "inf", got["asa_s"][2])
}

// Every bad row is named, and a file that was there stays as it was.
func TestStaffErlangGridNamesAllBadRowsAndKeepsTheOutput(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.csv"), filepath.Join(dir, "out.csv")
	require.NoError(t, os.WriteFile(in, []byte("calls,aht_s,interval_min,agents,answer_within_s\n1,2\n1,60,30,2,20\n\nx,60,30,2,20\n1,60,30,2,-1\n1,60,30,2,20,7\n"), 0o600))
	require.NoError(t, os.WriteFile(out, []byte("before"), 0o600))
	_, err := staffErlang(t, "", "--model", "c", "--in", in, "--out", out)
	require.Error(t, err)
	for _, want := range []string{"in.csv:2: has a different number of cells (2)", `in.csv:5: column "calls"`, `in.csv:6: column "answer_within_s"`, "in.csv:7: has a different"} {
		assert.Contains(t, err.Error(), want)
	}
	kept, err := os.ReadFile(out)
	require.NoError(t, err)
	assert.Equal(t, "before", string(kept))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 2, "no half-written file")
}

// Messages speak of flags, all at once.
func TestStaffErlangNamesFlags(t *testing.T) {
	for _, c := range []struct {
		args string
		want []string
	}{
		{"--model a", []string{"--calls: is missing", "--aht: is missing", "--patience: is missing", "--target: is missing"}},
		{"--calls NaN --aht 0s --agents Inf --within -1s --interval 0s", []string{"--calls:", "--aht:", "--agents:", "--within:", "--interval:"}},
		{"--calls 1 --aht 1s --target 80 --max-occupancy 1.1 --asa -1s", []string{"--target: must be a share above 0 and below 1, e.g. 0.8 for 80 %", "--max-occupancy:", "--asa:"}},
		{"--calls 1 --aht 1s --max-occupancy 0", []string{"--max-occupancy: must be above 0"}},
		{"--calls 1 --aht 1s --agents 3 --target 0.8", []string{"--target: does not go with --agents"}},
		{"--calls 1 --aht 1s --agents 3 --fractional", []string{"--fractional: does not go"}},
		{"--model b --calls 1 --aht 1s --asa 3s", []string{"--asa: says nothing for --model b"}},
		{"--model c --calls 1 --aht 1s --max-abandon 0.1", []string{"--max-abandon: says nothing for --model c"}},
		{"--model c --calls 1 --aht 1s --agents 2 --patience 3m", []string{"--patience: goes with --model a"}},
		{"--calls 9e9 --aht 1h --target 0.8", []string{"--calls: make 18000000000 erlangs; at most 100000"}},
		{"--calls 100 --aht 180s --max-occupancy 0.00001", []string{"cannot be reached", "an occupancy of 0.000100 (wanted 1e-05)"}},
	} {
		_, err := staffErlang(t, "", strings.Fields(c.args)...)
		require.Error(t, err, c.args)
		assert.Equal(t, fault.Invalid, fault.KindOf(err))
		for _, want := range c.want {
			assert.Contains(t, err.Error(), want, c.args)
		}
		assert.NotContains(t, err.Error(), "handle_time")
	}
}

func TestStaffErlangFractional(t *testing.T) {
	out, err := staffErlang(t, "", "--calls", "100", "--aht", "180s", "--max-occupancy", "0.85", "--fractional", "--json")
	require.NoError(t, err)
	assert.Contains(t, out, `"agents": 11.7647`, "10 erlangs at 85 %")
	out, err = staffErlang(t, "", "--calls", "0", "--aht", "180s", "--target", "0.8")
	require.NoError(t, err)
	assert.Contains(t, out, "agents         0")
	assert.Contains(t, out, "100.00 %")
}
