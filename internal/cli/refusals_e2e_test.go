package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// goWords are what a decoder or a formatter of Go says, and no planner.
var goWords = []string{
	"cannot unmarshal", "in type", "into Go", "strconv.", "0xc0", "h0m0s", "m0s", "e-0", "e+0", "goroutine", "invalid character",
	"json:", "yaml:", "!!", "unexpected EOF", "looking for", "+0800", "%!",
}

// malformed are files of every kind that the commands of rosters and leave read, each with what has to be said of it.
func malformed(t *testing.T) map[string]struct {
	file    string
	command []string // FILE stands for the file
	says    []string
} {
	t.Helper()
	raw, err := os.ReadFile("../../scheduling/roster/testdata/example.json")
	require.NoError(t, err)
	example := string(raw)
	good := write(t, "example.json", raw)
	nrp := write(t, "good.txt", []byte("SECTION_HORIZON\n2\nSECTION_SHIFTS\nE,480,\nSECTION_STAFF\nA,E=2,960,0,5,1,1,1\nSECTION_COVER\n0,E,1,1,1\n"))
	solve := []string{"roster", "solve", "--iterations", "1", "--out", filepath.Join(t.TempDir(), "out.json"), "--in", "FILE"}
	check := []string{"roster", "check", "--in", good, "--roster", "FILE"}
	type refused = struct {
		file    string
		command []string
		says    []string
	}
	return map[string]refused{
		"a problem that is no JSON":  {strings.Replace(example, `"version": 1,`, `"version": 1,,`, 1), solve, []string{":2:", "is no JSON"}},
		"a problem cut off":          {example[:300], solve, []string{"ends before it is complete"}},
		"a problem of other types":   {strings.Replace(example, `"wage": 25`, `"wage": "25", "min_work": 40, "born": 7`, 1), solve, []string{"agents[2].wage", "agents[2].min_work", "agents[2].born"}},
		"a shift too long":           {strings.Replace(example, `"lengths": ["8h"]`, `"lengths": ["14h35m"]`, 1), solve, []string{"windows[0].lengths", "14h35m"}},
		"a session backwards":        {strings.Replace(example, `"wage": 25`, `"sessions": [{"kind": "training", "range": {"start": "2026-11-10T09:00:00+08:00", "end": "2026-11-09T09:00:00+08:00"}}]`, 1), solve, []string{"agents[2].sessions[0].range.end: must be after the start", "2026-11-09T09:00:00"}},
		"a block off the grid":       {strings.Replace(example, `"version": 1`, `"version": 1, "min_block": "100h"`, 1), solve, []string{"min_block", "100h"}},
		"a window of no step":        {strings.Replace(example, `"step": "30m"`, `"step": "7m30s"`, 1), solve, []string{"windows[0].step", "7m30s"}},
		"a price beyond money":       {strings.Replace(example, `"value": 60`, `"value": 1e308`, 1), solve, []string{"demand[0].needs[0].value", "0 to 100000 yuan"}},
		"a roster that is no JSON":   {`{"roster": {"shifts": [}}`, check, []string{":1:", "is no JSON"}},
		"a roster of another shape":  {`{"roster": {"shifts": [{"agent": 7, "start": "soon"}]}, "costs": 5}`, check, []string{"roster.shifts[0].agent", "roster.shifts[0].start", "costs"}},
		"rows of another shape":      {`{"A": ["E", 7], "B": "E"}`, []string{"roster", "check", "--format", "nrp", "--in", nrp, "--roster", "FILE"}, []string{"A[1]", "B"}},
		"an nrp horizon of no days":  {"SECTION_HORIZON\nseven\nSECTION_SHIFTS\nE,eight,\n", append([]string{"--format", "nrp"}, solve...), []string{"number of days of SECTION_HORIZON", "the length in minutes"}},
		"a matsp horizon of no days": {"SECTION_HORIZON\n1.5\nSECTION_TASKS\n0\n", append([]string{"--format", "matsp"}, solve...), []string{"number of days of SECTION_HORIZON", "number of tasks"}},
		"a policy with all faults":   {"bogus: 1\nday_minutes: many\nquotas:\n- {name: \"\", heads: -1}\nauto_yuan: x\n", []string{"leave", "policy", "--set", "FILE"}, []string{"bogus", "day_minutes", "quotas[0].name", "quotas[0].heads", "auto_yuan"}},
		"a policy that is no YAML":   {"kinds: [\n", []string{"leave", "policy", "--set", "FILE"}, []string{"is not YAML"}},
		"sites of other types":       {"sites:\n- {id: wh, seats: many, colour: red}\n", []string{"sites", "put", "FILE"}, []string{"sites[0].seats", "sites[0].colour"}},
		"terms that are no list":     {"queue: a\n", []string{"facts", "terms", "--set", "FILE"}, []string{"must be a list"}},
		"facts with all faults":      {"agent,kind,code,form,hours\na1,certificate,,2026-01-01,\na1,carried,,2026-01-01,many\n", []string{"facts", "import", "FILE"}, []string{`"form"`, `"code"`, `"hours"`}},
		"facts that are no CSV":      {"agent,kind\na1,\"career\n", []string{"facts", "import", "FILE"}, []string{"is no CSV"}},
		"edits of another shape":     {`[{"kind": 5, "when": "now"}]`, []string{"roster", "edit", "r1", "--dry", "--file", "FILE"}, []string{"[0].kind", "[0].when"}},
		"edits that are no JSON":     {`[{"kind": }]`, []string{"roster", "edit", "r1", "--dry", "--file", "FILE"}, []string{"is no JSON"}},
	}
}

// Whatever is wrong with a file is told in our own words, with its place, and nothing else is.
func TestFilesAreRefusedInWords(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	must(t, data, "contracts", "apply", write(t, "halo.yaml", []byte(phoneLine)))
	for name, c := range malformed(t) {
		t.Run(name, func(t *testing.T) {
			path := write(t, "bad.file", []byte(c.file))
			args := make([]string, len(c.command))
			for i, a := range c.command {
				args[i] = strings.ReplaceAll(a, "FILE", path)
			}
			if args[0] == "--format" { // flags stand after the command
				args = append(args[2:], args[:2]...)
			}
			r := finish(t, command(t.TempDir(), nil, withData(args, data)...))
			assert.NotZero(t, r.code, r.out)
			for _, want := range c.says {
				assert.Contains(t, r.errors, want)
			}
			for _, word := range goWords {
				assert.NotContains(t, r.errors, word)
			}
		})
	}
}

// withData names the data folder for commands that have one.
func withData(args []string, data string) []string {
	if args[0] == "roster" && (args[1] == "solve" || args[1] == "check") {
		return args
	}
	return append(args, "--data", data)
}
