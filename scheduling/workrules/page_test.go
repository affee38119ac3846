package workrules

import (
	"flag"
	"os"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write docs/rules.md anew")

func TestRulesPageIsCurrent(t *testing.T) {
	const file = "../../docs/rules.md"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(Page()), 0o644))
	}
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, Page(), string(got), "docs/rules.md is not what the registry says; run with -update and read the diff")
}

// Every setting has a line, and every rule names only settings that exist.
func TestEverySettingIsExplained(t *testing.T) {
	known := map[string]bool{}
	for f := range reflect.TypeFor[Params]().Fields() {
		name := paramName(f)
		known[name] = true
		assert.NotEmpty(t, meanings[name], name)
	}
	assert.Len(t, meanings, len(known))
	used := map[string]bool{"split_at_midnight": true, "rest_days": true} // of the pay split
	for _, r := range Rules() {
		for _, name := range r.Params {
			assert.True(t, known[name], "%s: %s", r.Code, name)
			used[name] = true
		}
	}
	assert.Len(t, used, len(known), "a setting that no rule names")
}
