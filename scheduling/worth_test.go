package scheduling_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/scheduling"
)

// Two heads at 8 yuan and three at 2: with two and a half of them 8 + 8 + half of 2 are saved.
func TestSavedIsTheAreaUnderTheCurve(t *testing.T) {
	n := scheduling.Need{Heads: 6}.Priced([]scheduling.Step{{Heads: 2, Value: 8}, {Heads: 5, Value: 2}})
	for heads, want := range map[float64]float64{-1: 0, 0: 0, 1: 8, 2: 16, 2.5: 17, 5: 22, 6: 22, 9: 22} {
		assert.InDelta(t, want, n.Saved(heads), 1e-12, "%g heads", heads)
	}
	assert.Zero(t, n.Value, "the sixth head brings nothing")
	assert.Zero(t, scheduling.Need{Heads: 3, Value: 7}.Saved(2), "no curve")
	n = scheduling.Need{Heads: 5}.Priced(n.Worth)
	assert.InDelta(t, 2, n.Value, 0)

	text, err := json.Marshal(n)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"worth":[{"heads":2,"value":8},{"heads":5,"value":2}]`)
	var read scheduling.Need
	require.NoError(t, json.Unmarshal(text, &read))
	assert.Equal(t, n, read)
	require.NoError(t, json.Unmarshal([]byte(`{"start":"2026-11-10T20:00:00Z","heads":3,"paid":3.4,"value":12,"reason":""}`), &read), "a plan of a release without curves")
}

func TestWorthFieldsNamesEveryFault(t *testing.T) {
	n := scheduling.Need{Heads: 3, Worth: []scheduling.Step{{Heads: 0, Value: 4}, {Heads: 2, Value: 5}, {Heads: 2, Value: math.NaN()}, {Heads: 4, Value: -1}}}
	var paths []string
	for _, f := range n.WorthFields("needs[7]") {
		paths = append(paths, f.Path)
	}
	assert.Equal(t, []string{
		"needs[7].worth[0].heads", "needs[7].worth[1].value", "needs[7].worth[2].heads", "needs[7].worth[2].value", "needs[7].worth[3].value", "needs[7].worth[3].heads",
	}, paths)
	assert.Empty(t, scheduling.Need{Heads: 3, Worth: []scheduling.Step{{Heads: 1, Value: 4}, {Heads: 3, Value: 0}}}.WorthFields(""))
}
