package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// spoilt is an example with one thing replaced, in a file.
func spoilt(t *testing.T, example, was, is string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../docs/examples", example))
	require.NoError(t, err)
	require.Contains(t, string(text), was)
	name := filepath.Join(t.TempDir(), "in.yaml")
	require.NoError(t, os.WriteFile(name, []byte(strings.Replace(string(text), was, is, 1)), 0o600))
	return name
}

// Each impossible input has one clear error that names the field; what is possible without contacts is answered.
func TestStaffRefusesImpossibleInput(t *testing.T) {
	const p, m = "staff-pool.yaml", "staff-price.yaml"
	for name, c := range map[string]struct {
		example, was, is string
		want             []string
	}{
		"zero patience":        {p, "patience: 3m", "patience: 0s", []string{"queues[0].target.patience", "longer than 0 for chats"}},
		"zero AHT":             {p, "handle_time: 4m\n", "handle_time: 0s\n", []string{"queues[0].target.handle_time", "longer than 0"}},
		"impossible target":    {p, "within: 30s", "within: 1s", []string{"queues[0].target", "cannot be reached", "even a free agent reaches 8.5 %"}},
		"concurrency 0":        {p, "concurrency: 4 ", "concurrency: 0 ", []string{"queues[0].target.concurrency", "must be 1 or more"}},
		"limit 0":              {p, "limit: 4, cost: 25, max: 6}", "limit: 0, cost: 25, max: 6}", []string{"groups[0].limit", "1 to 50"}},
		"more than 24 h":       {p, "2026-11-10T19:30:00", "2026-11-10T19:10:00", []string{"queues[0].curve.points[1].start", "more than 24 h"}},
		"above 100 %":          {p, "share: 0.8", "share: 1.2", []string{"queues[0].target.share", "below 1"}},
		"80 instead of 80 %":   {p, "share: 0.8", "share: 80", []string{"queues[0].target.share", "below 1"}},
		"NaN":                  {p, "mean: 40", "mean: .nan", []string{"queues[0].curve.points[0].mean", "finite number", ":9"}},
		"infinite":             {p, "mean: 40", "mean: .inf", []string{"queues[0].curve.points[0].mean", "finite number"}},
		"no unit":              {p, "within: 30s", "within: \"30\"", []string{"length of time such as 15m"}},
		"money: ladder gap":    {m, "{miss: 0, deduct_rate: 0.05}", "{miss: 0, until: 0.03, deduct_rate: 0.05}", []string{"queues[0].terms[0].ladder[0].until", "leaves a gap"}},
		"money: above 100 %":   {m, "target: 0.8", "target: 1.8", []string{"queues[0].terms[0].target", "0 to 1"}},
		"money: zero AHT":      {m, "handle_time_s: 240", "handle_time_s: 0", []string{"queues[0].handling.handle_time_s", "above 0"}},
		"money: zero patience": {m, "patience_s: 180", "patience_s: 0", []string{"queues[0].handling.patience_s", "above 0"}},
		"money: concurrency 0": {m, "concurrency: 4", "concurrency: 0", []string{"queues[0].handling.concurrency", "1 to 50"}},
		"money: NaN":           {m, "mean: 82", "mean: .nan", []string{"queues[0].demand.slots[0].mean", "finite number"}},
		"money: a text":        {m, "seed: 1", "seed: one", []string{"seed", "must be a whole number"}},
		"money: off the grid":  {m, "T19:00:00", "T19:30:00", []string{"queues[0].demand.slots[0].start", "start of a slot"}},
	} {
		command := map[string]string{p: "pool", m: "price"}[c.example]
		code, out, errs := typedLine(t, "staff", command, "--in", spoilt(t, c.example, c.was, c.is))
		assert.Equal(t, exitInvalid, code, "%s: %s", name, errs)
		assert.Empty(t, out, name)
		for _, want := range c.want {
			assert.Contains(t, errs, want, name)
		}
		for _, internal := range []string{"margin.", ": json:", ": yaml:", ": time:", "strconv"} {
			assert.NotContains(t, errs, internal, name)
		}
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"zero AHT":         {[]string{"--calls", "10", "--aht", "0s", "--target", "0.8"}, "--aht: must be longer than 0"},
		"zero patience":    {[]string{"--model", "a", "--calls", "10", "--aht", "1m", "--patience", "0s", "--target", "0.8"}, "--patience: must be longer than 0"},
		"above 100 %":      {[]string{"--calls", "10", "--aht", "1m", "--target", "1.2"}, "--target: must be a share"},
		"NaN":              {[]string{"--calls", "NaN", "--aht", "1m", "--target", "0.8"}, "--calls: must be a number"},
		"no unit":          {[]string{"--calls", "10", "--aht", "240", "--target", "0.8"}, `--aht "240": must be a length of time with its unit`},
		"no number":        {[]string{"--calls", "ten", "--aht", "1m", "--target", "0.8"}, `--calls "ten": must be a number`},
		"out of reach":     {[]string{"--model", "b", "--calls", "10", "--aht", "1m", "--max-abandon", "0"}, "--max-abandon: must be above 0"},
		"too much to size": {[]string{"--calls", "1e9", "--aht", "1h", "--target", "0.8"}, "100000"},
	} {
		code, _, errs := typedLine(t, append([]string{"staff", "erlang"}, c.args...)...)
		assert.Equal(t, exitInvalid, code, name)
		assert.Contains(t, errs, c.want, name)
		assert.NotContains(t, errs, ": time:", name)
	}
}

// Files of cases as spreadsheets write them: semicolons, tabs, GBK.
func TestErlangReadsOtherSeparators(t *testing.T) {
	write := func(text string) string {
		name := filepath.Join(t.TempDir(), "cases.csv")
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		return name
	}
	rows := "calls,aht_s,interval_min,agents,answer_within_s\n10,180,30,3,20\n"
	_, want, errs := typedLine(t, "staff", "erlang", "--in", write(rows))
	require.Empty(t, errs)
	for _, comma := range []string{";", "\t"} {
		code, got, errs := typedLine(t, "staff", "erlang", "--in", write(strings.ReplaceAll(rows, ",", comma)))
		require.Equal(t, exitOK, code, errs)
		assert.Equal(t, strings.ReplaceAll(want, ",", comma), got, "written as it was read")
	}
	code, got, errs := typedLine(t, "staff", "erlang", "--in", write("calls,aht_s,interval_min,agents,answer_within_s,\xb1\xb8\xd7\xa2\n10,180,30,3,20,\xcd\xed\xb0\xe0\n"))
	require.Equal(t, exitOK, code, errs)
	assert.Contains(t, got, "备注")
	assert.Contains(t, got, "晚班")
}

// Without contacts nothing is refused: nobody is needed, or the floor.
func TestStaffWithoutContacts(t *testing.T) {
	code, out, errs := typedLine(t, "staff", "erlang", "--calls", "0", "--aht", "180s", "--target", "0.8")
	require.Equal(t, exitOK, code, errs)
	assert.Contains(t, out, "agents         0 ")
	empty := spoilt(t, "staff-price.yaml", "day_totals: [{date: 2026-11-10, quantiles: [300, 410, 550]}]", "day_totals: []")
	text, err := os.ReadFile(empty)
	require.NoError(t, err)
	none := string(text)
	for _, was := range []string{"mean: 82, quantiles: [55, 80, 110]", "mean: 155, quantiles: [100, 150, 215]", "mean: 123, quantiles: [80, 120, 170]", "mean: 62, quantiles: [40, 60, 85]"} {
		none = strings.Replace(none, was, "mean: 0, quantiles: [0, 0, 0]", 1)
	}
	require.NoError(t, os.WriteFile(empty, []byte(none), 0o600))
	code, out, errs = typedLine(t, "staff", "price", "--in", empty)
	require.Equal(t, exitOK, code, errs)
	assert.Contains(t, out, "lumi-tmall/pre  4  ", "one head of the floor in each of four hours")
}
