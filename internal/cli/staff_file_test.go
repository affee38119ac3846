package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const capacityExample = "../../scheduling/staffing/capacity/testdata/double11.json"

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
		"":                         "is empty",
		small + "wages: 3\n":       `unknown field "wages"`,
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
