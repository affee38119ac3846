package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const capacityExample = "../../docs/examples/staff-capacity.json"

// The same problem as YAML gives the same plan, and a wrong file says what is wrong with it.
func TestCapacityFiles(t *testing.T) {
	code, asJSON, errs := typedLine(t, "staff", "capacity", "--in", capacityExample, "--json")
	require.Equal(t, exitOK, code, errs)
	var plan struct {
		Skills []struct{ Weeks []struct{ Start string } }
	}
	require.NoError(t, json.Unmarshal([]byte(asJSON), &plan))
	require.NotEmpty(t, plan.Skills)
	require.NotEmpty(t, plan.Skills[0].Weeks)
	code, out, _ := typedLine(t, "staff", "capacity", "--in", capacityExample)
	assert.Equal(t, exitOK, code)
	assert.Contains(t, out, "ORDER BY")
	assert.Contains(t, out, "yuan in all")

	file := func(text string) string {
		name := filepath.Join(t.TempDir(), "p.yaml")
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		return name
	}
	// One skill without a way to get people: three trained heads of 40 hours and nobody leaves. Dates without
	// quotes, as people write them.
	small := `as_of: 2026-10-01
start: 2026-10-05
skills:
  - name: pre
    hours_per_week: 40
    wage_per_hour: "25.00"
    staff: [{name: veterans, heads: 3, tenure_weeks: 60}]
    ramp: [{from_week: 0, speed: 1, complaints: 1}]
    weeks: [{required_p50_hours: 100, shrinkage: 0, shortage_per_hour: "50.00"}]
`
	code, out, errs = typedLine(t, "staff", "capacity", "--in", file(small), "--json")
	require.Equal(t, exitOK, code, errs)
	var one struct {
		Cost struct{ Total string }
	}
	require.NoError(t, json.Unmarshal([]byte(out), &one))
	assert.Equal(t, "3000.00", one.Cost.Total, "three heads, 40 hours, 25 yuan; 120 hours are enough for 100")
	for text, want := range map[string]string{
		"":                   "is empty",
		small + "wages: 3\n": `:10: wages: is no field of this document`,
		strings.Replace(small, `"25.00"`, "abc", 1):         `:6: skills[0].wage_per_hour: is not an amount in yuan`,
		strings.Replace(small, "heads: 3", "heads: NaN", 1): `:7: skills[0].staff[0].heads: must be a number`,
		"text":                     "it holds a text where a group of fields",
		`{"as_of":`:                "ends in the middle",
		small + "as_of: [1\n":      "line",
		"as_of: 1\nas_of: 2\n":     "is there twice",
		"as_of: 2026-10-01\n":      "start",
		`{"as_of":"2026-10-01"}{}`: "there is more",
		`{"skills":3}`:             "must be a",
	} {
		code, _, errs = typedLine(t, "staff", "capacity", "--in", file(text))
		assert.Equal(t, exitInvalid, code, text)
		assert.Contains(t, errs, want)
	}
	code, _, errs = typedLine(t, "staff", "capacity")
	assert.Equal(t, exitInvalid, code)
	assert.Contains(t, errs, "--in names the file")
}

// The example of the engine is worked through by hand in its own tests; here it comes in as a file.
func TestPriceFile(t *testing.T) {
	const example = "../../scheduling/staffing/margin/testdata/example.json"
	code, out, errs := typedLine(t, "staff", "price", "--in", example, "--hours", "2", "--json")
	require.Equal(t, exitOK, code, errs)
	var x struct {
		Result struct {
			Gap float64 `json:"gap_yuan"`
		}
		Fresh struct {
			Margin struct{ Mean float64 } `json:"margin_yuan"`
		} `json:"fresh_outcome"`
		Levels []struct{}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &x))
	assert.Len(t, x.Levels, 5)
	assert.GreaterOrEqual(t, x.Result.Gap, -1e-6, "no plan earns more than the bound")
	code, out, _ = typedLine(t, "staff", "price", "--in", example, "--hours", "2")
	assert.Equal(t, exitOK, code)
	assert.Contains(t, out, "margin ")
	assert.Contains(t, out, "one more agent from")
	assert.Regexp(t, `QUEUE +DAY +HEADS\n\S+ +2026-\d\d-\d\d +\d\d:\d\d-\d\d:\d\d \d+`, out)
	raw, err := os.ReadFile(example)
	require.NoError(t, err)
	for _, c := range []struct {
		text string
		args []string
		want string
	}{
		{string(raw), []string{"--hours", "2500"}, "--hours: must be above 0 and at most the"},
		{string(raw), []string{"--queue", "lumi-tmall/pre", "--from", "2026-11-10T23:00:00+08:00", "--until", "2026-11-10T19:00:00+08:00"}, "until: must be after from"},
		{regexp.MustCompile(`"slot_min": *\d+`).ReplaceAllString(string(raw), `"slot_min": 0`), nil, "slot_min: must be 5 to 60 minutes"},
	} {
		name := filepath.Join(t.TempDir(), "in.json")
		require.NoError(t, os.WriteFile(name, []byte(c.text), 0o600))
		code, _, errs := typedLine(t, append([]string{"staff", "price", "--in", name}, c.args...)...)
		assert.Equal(t, exitInvalid, code, c.want)
		assert.Contains(t, errs, c.want)
	}
}

// Two shops with the same few calls and agents who know both: together they need less than apart.
func TestPoolFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pool.yaml")
	queue := func(shop string) string {
		return `  - merchant: m
    shop: ` + shop + `
    curve: {queue: ` + shop + `/pre, slot: 3600000000000, levels: [], points: [{start: 2026-11-24T09:00:00+08:00, mean: 40, quantiles: []}]}
    target: {within: 30000000000, share: 0.8, handle_time: 180000000000, patience: 180000000000}
`
	}
	text := "queues:\n" + queue("a") + queue("b") + "groups:\n  - {id: both, skills: [a/pre, b/pre], limit: 1, cost: 25}\n"
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	code, out, errs := typedLine(t, "staff", "pool", "--in", name, "--json")
	require.Equal(t, exitOK, code, errs)
	var plan struct {
		Pool, Parts struct{ Hours float64 }
	}
	require.NoError(t, json.Unmarshal([]byte(out), &plan))
	assert.Less(t, plan.Pool.Hours, plan.Parts.Hours)
	code, out, _ = typedLine(t, "staff", "pool", "--in", name)
	assert.Equal(t, exitOK, code)
	assert.Contains(t, out, "saved")
}

// The example files of the documentation run as they are.
func TestStaffExamples(t *testing.T) {
	for name, want := range map[string]string{
		"capacity --in ../../docs/examples/staff-capacity.json":     "yuan in all",
		"price --in ../../docs/examples/staff-price.yaml --hours 2": "one more agent from",
		"pool --in ../../docs/examples/staff-pool.yaml":             "verified by simulation",
	} {
		code, out, errs := typedLine(t, append([]string{"staff"}, strings.Fields(name)...)...)
		require.Equal(t, exitOK, code, errs)
		assert.Contains(t, out, want, name)
	}
}

// A length of time as text is the same as in nanoseconds; one that is neither is refused.
func TestPoolDurations(t *testing.T) {
	read := func(slot string) (poolFile, error) {
		var f poolFile
		text := `{"queues":[{"shop":"s","curve":{"queue":"s/pre","slot":` + slot + `,"points":[{"mean":1,"handle_time":"4m30s"}]},"target":{"within":"30s"}}]}`
		return f, readProblem(strings.NewReader(text), "--in", "-", &f)
	}
	asText, err := read(`"30m"`)
	require.NoError(t, err)
	asNumber, err := read("1800000000000")
	require.NoError(t, err)
	assert.Equal(t, asNumber, asText)
	q := asText.problem().Queues[0]
	assert.Equal(t, 30*time.Minute, q.Curve.Slot)
	assert.Equal(t, 270*time.Second, q.Curve.Points[0].HandleTime)
	assert.Equal(t, 30*time.Second, q.Target.Within)
	assert.Equal(t, "s", string(q.Shop))
	_, err = read(`"half an hour"`)
	assert.ErrorContains(t, err, "no length of time")
}
