package check_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/check"
)

// solved is the example with a roster of it as its file holds it.
func solved(t *testing.T) (roster.Problem, map[string]any, []scheduling.Shift) {
	t.Helper()
	raw, err := os.ReadFile("../testdata/example.json")
	require.NoError(t, err)
	p, err := roster.ReadProblem("example.json", strings.NewReader(string(raw)), false)
	require.NoError(t, err)
	s, err := roster.Solve(t.Context(), p, roster.Options{Seed: 1, Iterations: 200, Threads: 1})
	require.NoError(t, err)
	text, err := json.Marshal(s)
	require.NoError(t, err)
	file := map[string]any{}
	require.NoError(t, json.Unmarshal(text, &file))
	return p, file, s.Roster.Shifts
}

func compared(t *testing.T, p roster.Problem, file map[string]any, shifts []scheduling.Shift) check.Report {
	t.Helper()
	text, err := json.Marshal(file)
	require.NoError(t, err)
	var c check.Claims
	require.NoError(t, json.Unmarshal(text, &c))
	r, found := check.Roster(p, shifts), roster.Judge(p, shifts)
	r.Compare(p, c, found)
	r.Merge(found, p.Location)
	return r
}

// Every figure of a file is counted again: one that was changed by hand is named, and no other.
func TestAFalseFigureIsNamed(t *testing.T) {
	p, file, shifts := solved(t)
	honest := compared(t, p, file, shifts)
	require.Empty(t, honest.False)
	require.NoError(t, honest.Verdict())
	require.NotEmpty(t, file["uncovered"], "the example stays short somewhere")
	first := func(field string, value any) []any {
		all := slices.Clone(file["uncovered"].([]any))
		one := maps.Clone(all[0].(map[string]any))
		one[field] = value
		all[0] = one
		return all
	}
	part := maps.Clone(file["parts"].(map[string]any))
	part["short"] = 1.0
	for name, c := range map[string]struct {
		field string
		value any
		named []string
	}{
		"cost":                 {"cost", 1.0, []string{"cost"}},
		"a cost of nothing":    {"cost", 0.0, []string{"cost"}},
		"missing hours":        {"missing_hours", 99.0, []string{"missing_hours"}},
		"needed hours":         {"needed_hours", 0.0, []string{"needed_hours"}},
		"a part":               {"parts", part, []string{"parts.short"}},
		"a bound above":        {"bound", 1e9, []string{"bound", "savable", "gap"}},
		"the gap":              {"gap", 0.99, []string{"gap"}},
		"what could be saved":  {"savable", 1e6, []string{"savable"}},
		"salaries of nobody":   {"salaries", 5000.0, []string{"salaries"}},
		"heads of a stretch":   {"uncovered", first("missing", 7), []string{"uncovered[0]", "uncovered"}},
		"target of a stretch":  {"uncovered", first("target", 9), []string{"uncovered[0]"}},
		"a stretch elsewhere":  {"uncovered", first("queue", "nowhere"), []string{"uncovered[0]"}},
		"a stretch left out":   {"uncovered", []any{}, []string{"uncovered", "fixes_for"}},
		"soft rules left out":  {"violations", []any{map[string]any{"rule": "night.run", "agent": "K001"}, map[string]any{"rule": "night.run", "agent": "K001"}, map[string]any{"rule": "x"}}, []string{"violations", "violations", "violations"}},
		"a hard rule invented": {"violations", append(slices.Clone(list(file["violations"])), map[string]any{"rule": "shift.overlap", "agent": "K001", "hard": true}), []string{"violations"}},
	} {
		t.Run(name, func(t *testing.T) {
			forged := maps.Clone(file)
			forged[c.field] = c.value
			r := compared(t, p, forged, shifts)
			var named []string
			for _, f := range r.False {
				named = append(named, f.Path)
			}
			assert.ElementsMatch(t, c.named, named, "%v", r.False)
			assert.Equal(t, "roster.false_figures", fault.CodeOf(r.Verdict()))
		})
	}
	bare := compared(t, p, map[string]any{}, shifts)
	assert.Empty(t, bare.False, "what a file leaves out it does not claim")
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// K001 works 14 h on one day, K002 without the skill in three parts: two breaches of different rules by the
// count on paper (over 11 h a day; no skill), however many parts there are, each told once with its article.
func TestEachBreachIsToldOnce(t *testing.T) {
	p, _, _ := solved(t)
	at := func(h int) time.Time { return time.Date(2026, 11, 9, h, 0, 0, 0, p.Location) }
	work := func(from, to int) scheduling.Activity {
		return scheduling.Activity{Start: at(from), End: at(to), Kind: scheduling.Work, Queue: "lumi-tmall/after"}
	}
	meal := func(from, to int) scheduling.Activity {
		return scheduling.Activity{Start: at(from), End: at(to), Kind: scheduling.Meal}
	}
	shifts := []scheduling.Shift{
		{Agent: "K001", Start: at(8), End: at(22), Activities: []scheduling.Activity{work(8, 12), meal(12, 13), work(13, 17), meal(17, 18), work(18, 22)}},
		{Agent: "K002", Start: at(8), End: at(16), Activities: []scheduling.Activity{work(8, 10), work(10, 12), meal(12, 13), work(13, 16)}},
	}
	r := compared(t, p, map[string]any{}, shifts)
	assert.Len(t, r.Violations, len(slices.Compact(slices.Sorted(slices.Values(r.Violations)))), "%v", r.Violations)
	count := map[string]int{}
	for _, v := range r.Violations {
		for _, rule := range []string{"hours.overtime_daily", "fit.skill"} {
			if strings.Contains(v, rule) {
				count[rule]++
			}
		}
		assert.NotContains(t, v, "+0800")
	}
	assert.Equal(t, 1, count["hours.overtime_daily"], "%v", r.Violations)
	assert.Len(t, r.Violations, 4, "and neither is a shift of the problem: %v", r.Violations)
	assert.Equal(t, "roster.illegal", fault.CodeOf(r.Verdict()))
}

// forged is the file with the value at a path changed; the path is what JSON has, such as uncovered.0.worth.
func forged(t *testing.T, file map[string]any, path string, value any) map[string]any {
	t.Helper()
	raw, err := json.Marshal(file)
	require.NoError(t, err)
	var out map[string]any
	require.NoError(t, json.Unmarshal(raw, &out))
	at := any(out)
	steps := strings.Split(path, ".")
	for i, step := range steps {
		last := i == len(steps)-1
		switch in := at.(type) {
		case map[string]any:
			if at = in[step]; last {
				require.Contains(t, in, step, path)
				in[step] = value
			}
		case []any:
			n, err := strconv.Atoi(step)
			require.NoError(t, err)
			require.Less(t, n, len(in), path)
			if at = in[n]; last {
				in[n] = value
			}
		default:
			require.Fail(t, "no such path", path)
		}
	}
	return out
}

func span(from, until string) map[string]any { return map[string]any{"start": from, "end": until} }

// Each part of the account that shifts and problem tell is counted again. The example by hand: nobody is on
// lumi-tmall/pre on Monday at 9:00, K003 and K004 have no skill for it, K001 and K002 are at home then; half an
// hour is worth 60 yuan, a temp costs 4 h at 45; K003 may work 4 h a day and every shift is longer.
func TestAForgedAccountIsNamed(t *testing.T) {
	p, file, _ := solved(t)
	for name, c := range map[string]struct {
		path  string
		value any
		named []string
	}{
		"what a stretch loses":        {"uncovered.0.worth", 5.0, []string{"uncovered[0].worth"}},
		"people without the skill":    {"uncovered.0.reasons.0.count", 3, []string{"uncovered[0].reasons"}},
		"people at home":              {"uncovered.0.reasons.1.count", 1, []string{"uncovered[0].reasons"}},
		"a reason that is none":       {"uncovered.0.reasons.1.code", "lazy", []string{"uncovered[0].reasons[1].code"}},
		"another reason":              {"uncovered.0.reasons.1.code", "serving", []string{"uncovered[0].reasons", "uncovered[0].reasons"}},
		"a cheap temp":                {"uncovered.0.fixes.0.price", 1.0, []string{"uncovered[0].fixes[0].price"}},
		"a temp that saves all":       {"uncovered.0.fixes.0.saves", 999.0, []string{"uncovered[0].fixes[0].saves"}},
		"a temp for an hour":          {"uncovered.0.fixes.0.hours", 1.0, []string{"uncovered[0].fixes[0].hours"}},
		"a temp that does not pay":    {"uncovered.0.fixes.0.pays", true, []string{"uncovered[0].fixes[0].pays"}},
		"a temp backwards":            {"uncovered.0.fixes.0.range.end", "2026-11-09T08:00:00+08:00", []string{"uncovered[0].fixes[0].range"}},
		"a temp in another year":      {"uncovered.0.fixes.0.range", span("2027-01-01T09:00:00+08:00", "2027-01-01T09:30:00+08:00"), []string{"uncovered[0].fixes[0].range"}},
		"a temp before the dates":     {"uncovered.0.fixes.0.range.start", "2026-11-08T09:00:00+08:00", []string{"uncovered[0].fixes[0].range"}},
		"a temp at another time":      {"uncovered.0.fixes.0.range", span("2026-11-09T12:00:00+08:00", "2026-11-09T12:30:00+08:00"), []string{"uncovered[0].fixes[0].range"}},
		"a temp for more than paid":   {"uncovered.0.fixes.0.range", span("2026-11-09T08:00:00+08:00", "2026-11-09T16:00:00+08:00"), []string{"uncovered[0].fixes[0].range"}},
		"a fix of its own":            {"uncovered.0.fixes.0.kind", "magic", []string{"uncovered[0].fixes[0].kind"}},
		"a fix by a stranger":         {"uncovered.0.fixes.0", map[string]any{"kind": "shift", "agent": "K999", "saves": 60}, []string{"uncovered[0].fixes[0].agent"}},
		"a fix with an unknown shift": {"uncovered.0.fixes.0", map[string]any{"kind": "shift", "agent": "K001", "template": "Z", "saves": 60}, []string{"uncovered[0].fixes[0].template"}},
		"a fix on a full day":         {"uncovered.0.fixes.0", map[string]any{"kind": "seat", "agent": "K001", "template": "D", "date": "2026-11-09", "saves": 60}, []string{"uncovered[0].fixes[0].date"}},
		"a fix elsewhere":             {"uncovered.0.fixes.0", map[string]any{"kind": "shift", "agent": "K001", "template": "D", "date": "2026-11-10", "saves": 60}, []string{"uncovered[0].fixes[0].template"}},
		"a temp that is paid less":    {"uncovered.0.fixes.0.paid", 90.0, []string{"uncovered[0].fixes[0].paid"}},
		"a gain that is none":         {"uncovered.0.fixes.0.parts.elsewhere", 70.0, []string{"uncovered[0].fixes[0].saves"}},
		"a fix that disturbs":         {"uncovered.0.fixes.0.parts.disturbance", 70.0, []string{"uncovered[0].fixes[0].price"}},
		"fixes for more":              {"fixes_for", 9, []string{"fixes_for"}},
		"somebody idle is left out":   {"idle", []any{}, []string{"idle"}},
		"a worker is idle":            {"idle.0.agent", "K001", []string{"idle", "idle"}},
		"no demand for the idle":      {"idle.0.code", "no_demand", []string{"idle"}},
		"idle for no reason":          {"idle.0.code", "tired", []string{"idle[0].code"}},
		"a soft rule at another time": {"violations.0.range.start", "2026-11-09T22:30:00+08:00", []string{"violations[0].range"}},
		"a soft rule by less":         {"violations.0.amount", 0.25, []string{"violations[0].amount"}},
		"a soft rule of another":      {"violations.0.agent", "K002", []string{"violations", "violations"}},
		"other dates":                 {"roster.range.end", "2026-11-13T00:00:00+08:00", []string{"roster.range"}},
	} {
		t.Run(name, func(t *testing.T) {
			out := forged(t, file, c.path, c.value)
			raw, err := json.Marshal(out)
			require.NoError(t, err)
			var claims check.Claims
			back, err := roster.ReadRoster("r.json", bytes.NewReader(raw), &claims)
			require.NoError(t, err)
			r := check.Roster(p, back.Shifts)
			r.Compare(p, claims, roster.Judge(p, back.Shifts))
			var named []string
			for _, f := range r.False {
				named = append(named, f.Path)
			}
			assert.ElementsMatch(t, c.named, named, "%v", r.False)
			assert.Empty(t, r.Violations)
		})
	}
}

// A shift is one of the problem's: its code, times, days and pauses are those of a template, and what was locked
// is as it was.
func TestAForgedShiftIsIllegal(t *testing.T) {
	p, file, _ := solved(t)
	const at = "roster.shifts.0." // K001, L1400-8.5h: a meal, then a break
	for name, c := range map[string]struct {
		path  string
		value any
		says  string
	}{
		"a code of nothing":   {at + "code", "Z9", `"Z9" is not a template`},
		"a code of another":   {at + "code", "N0830-8h", "shift N0830-8h begins at 08:30"},
		"a break for a meal":  {at + "activities.1.kind", "break", "pause 1 of shift L1400-8.5h is a meal"},
		"a kind of nothing":   {at + "activities.0.kind", "idle", `"idle" is no kind of activity`},
		"work on nothing":     {at + "activities.0.queue", "", "work on no queue"},
		"a late beginning":    {at + "activities.0.start", "2026-11-09T14:30:00+08:00", "K001 2026-11-09 14:00: nothing is planned until 2026-11-09 14:30"},
		"an early end":        {at + "activities.0.end", "2026-11-09T15:30:00+08:00", "K001 2026-11-09 15:30: nothing is planned until 2026-11-09 "},
		"no activities":       {at + "activities", []any{}, "K001 2026-11-09 14:00: nothing is planned until 2026-11-09 22:30"},
		"an end to its times": {at + "end", "2026-11-09T23:00:00+08:00", "shift L1400-8.5h lasts 8.5 h"},
	} {
		t.Run(name, func(t *testing.T) {
			out := forged(t, file, c.path, c.value)
			raw, err := json.Marshal(out)
			require.NoError(t, err)
			back, err := roster.ReadRoster("r.json", bytes.NewReader(raw), nil)
			require.NoError(t, err)
			assert.Contains(t, strings.Join(check.Roster(p, back.Shifts).Violations, "\n"), c.says)
		})
	}
	back := p
	shift := scheduling.Shift{Agent: "K001", Code: "L", Start: p.Range.Start.Add(9 * time.Hour), End: p.Range.Start.Add(14 * time.Hour)}
	back.Locked = []scheduling.Shift{shift}
	shift.Code = "M"
	assert.Contains(t, strings.Join(check.Roster(back, []scheduling.Shift{shift}).Violations, "\n"), "has another code")
}

// What no account has is refused where it stands, all at once.
func TestAStrangeAccountIsRefused(t *testing.T) {
	_, file, _ := solved(t)
	file["seed"], file["stopped"], file["discount"] = -1, "no", 5
	file["uncovered"].([]any)[0].(map[string]any)["mood"] = "good"
	raw, err := json.Marshal(file)
	require.NoError(t, err)
	_, err = roster.ReadRoster("r.json", bytes.NewReader(raw), nil)
	require.Error(t, err)
	var paths []string
	for _, f := range fault.Of(err).Fields {
		paths = append(paths, f.Path)
		assert.Equal(t, "r.json", f.File)
	}
	assert.ElementsMatch(t, []string{"seed", "stopped", "discount", "uncovered[0].mood"}, paths)
}

// A file that holds nothing is no roster, however well formed.
func TestNothingIsNoRoster(t *testing.T) {
	for _, text := range []string{"null", "{}", `{"roster": null}`, " null\n"} {
		_, err := roster.ReadRoster("r.json", strings.NewReader(text), &check.Claims{})
		require.Error(t, err, text)
		assert.Equal(t, "roster", fault.Of(err).Fields[0].Path)
		assert.Equal(t, "r.json", fault.Of(err).Fields[0].File)
	}
	rows := map[string][]string{}
	require.Error(t, roster.ReadStrict("r.json", "roster file", strings.NewReader("null"), &rows))
	err := roster.ReadStrict("r.json", "roster file", strings.NewReader(`{"A": ["E", null, ""]}`), &rows)
	require.Error(t, err, "a day off is written as text of nothing")
	assert.Equal(t, "A[1]", fault.Of(err).Fields[0].Path)
}
