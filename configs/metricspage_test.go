package configs

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write docs/metrics.md anew")

func TestMetricsPageIsCurrent(t *testing.T) {
	const file = "../docs/metrics.md"
	want := MetricsPage(shipped(t))
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
	}
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, want, string(got), "docs/metrics.md is not what the packs say; run with -update and read the diff")
}
