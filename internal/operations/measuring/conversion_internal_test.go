package measuring

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/store"
)

// A figure goes 10, 12, 12 (nothing new), closes at 13, then late data make it 14, which is an
// amendment; the same again is nothing new.
func TestConversionsAreClosedOnce(t *testing.T) {
	figure := func(paid float64, state store.ConversionState) store.Conversion {
		return store.Conversion{Merchant: "m", Shop: "s", Metric: "x", Version: "v1", Numerator: paid, Denominator: 100, State: state}
	}
	var kept []store.Conversion
	step := func(c store.Conversion, want ...store.ConversionState) {
		t.Helper()
		fresh := conversionsToKeep(kept, []store.Conversion{c})
		require.Len(t, fresh, len(want))
		for i, f := range fresh {
			assert.Equal(t, want[i], f.State)
			assert.Equal(t, len(kept), f.Revision)
		}
		kept = append(kept, fresh...)
	}
	step(figure(10, store.Provisional), store.Provisional)
	step(figure(12, store.Provisional), store.Provisional)
	step(figure(12, store.Provisional))
	step(figure(13, store.Final), store.Final)
	step(figure(13, store.Final))
	step(figure(14, store.Final), store.Amended)
	step(figure(14, store.Final))
	step(figure(13, store.Final), store.Amended) // the late data were withdrawn: visible too
	require.Len(t, kept, 5)

	kept = nil
	step(figure(12, store.Provisional), store.Provisional)
	step(figure(12, store.Final), store.Final) // the same figure, but now it is final
}
