package configs_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/configs"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/reconcile"
)

// A pair that names no metric would never be compared, and nobody would see that.
func TestReconciliationNamesShippedMetrics(t *testing.T) {
	definitions, err := configs.Metrics()
	require.NoError(t, err)
	for _, pair := range reconcile.Pairs() {
		assert.True(t, slices.ContainsFunc(definitions, func(d kpi.Definition) bool { return d.Metric == pair.Metric && d.Covers(pair.Platform) }),
			"%s %s: no pack has %s", pair.Platform, pair.Item, pair.Metric)
	}
}
