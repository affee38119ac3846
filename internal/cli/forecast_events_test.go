package cli

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
)

// shop is a daily history: 100 contacts, times factor on 10 and 11 September unless it opened later.
type shop struct {
	merchant, name, category string
	opened                   int // day of its first record
	factor                   float64
}

// salesFile is 120 days from 2026-07-01 of some shops.
func salesFile(t *testing.T, shops ...shop) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("merchant,shop,category,at,n\n")
	for _, s := range shops {
		for d := s.opened; d < 120; d++ {
			n := 100 + float64(d*7%5) // a little noise
			if d == 71 || d == 72 {
				n *= s.factor
			}
			fmt.Fprintf(&b, "%s,%s,%s,%s,%.0f\n", s.merchant, s.name, s.category, time.Date(2026, 7, 1+d, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), n)
		}
	}
	return historyFileWith(t, b.String())
}

// sale is the past one and the coming one, four days after the end of the data.
func sale(t *testing.T, coming string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "e.yaml")
	require.NoError(t, os.WriteFile(path, []byte(`events:
  - {family: sale, start: 2026-09-10, end: 2026-09-12}
  - {family: sale, start: 2026-11-02, end: 2026-11-04`+coming+"}\n"), 0o600))
	return path
}

// forecasted is what the summary says about events and sums.
type forecasted struct {
	Levels []float64
	Series []struct {
		Group  map[string]string
		Mean   float64 `json:"mean_total"`
		Events []struct {
			Family string
			Total  struct {
				Mean      float64
				Quantiles []float64
			}
			Phases []struct{ Kind string }
		}
		Curve  []struct{ Mean float64 }
		Days   []struct{ Mean float64 }
		Doubts []string
	}
	Totals []struct {
		Path   []string
		Mean   float64 `json:"mean_total"`
		Events []struct{ Total struct{ Mean float64 } }
		Days   []struct {
			Mean      float64
			Quantiles []float64
		}
	}
}

func forecastSale(t *testing.T, path, events string, more ...string) (f forecasted) {
	t.Helper()
	args := append([]string{"--in", path, "--time-col", "at", "--value-col", "n", "--slot", "24h", "--calendar", "none", "--horizon", "10d", "--json", "--events", events}, more...)
	stdout, _, err := forecastFile(t, args...)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(stdout), &f))
	return f
}

// TestPlannedSizeFromTheFile: twice the prepaid orders bring 2^0.9 times the contacts above the base
// while nothing has taught the elasticity, and the forecast says that it is assumed.
func TestPlannedSizeFromTheFile(t *testing.T) {
	path := salesFile(t, shop{"m", "a", "home", 0, 3})
	above := func(f forecasted) float64 { return f.Series[0].Events[0].Total.Mean - 2*102 }
	plain := forecastSale(t, path, sale(t, ""))
	planned := forecastSale(t, path, sale(t, ", scale: 2, scale_of: orders"))
	assert.InEpsilon(t, math.Pow(2, 0.9), above(planned)/above(plain), 0.03)
	assert.Contains(t, strings.Join(planned.Series[0].Doubts, "\n"), "planned at 2.00 times the past one; the elasticity 0.90 that was applied is an assumption")
	_, _, err := forecastFile(t, basic(path, "--slot", "24h", "--horizon", "10d", "--events", sale(t, ", scale: -1, scale_of: luck"))...)
	require.Equal(t, "forecast.events", fault.CodeOf(err))
	assert.Len(t, fault.Of(err).Fields, 2)
}

// TestANewShopBorrowsFromItsCategory: three shops of one kind treble in a sale and three of another
// hardly move; a new one is expected to do what its own kind does.
func TestANewShopBorrowsFromItsCategory(t *testing.T) {
	total := func(category string) float64 {
		shops := []shop{{"m", "new", category, 80, 1}}
		for i := range 3 {
			shops = append(shops, shop{"m", fmt.Sprint("home", i), "home", 0, 3}, shop{"n", fmt.Sprint("food", i), "food", 0, 1.2})
		}
		f := forecastSale(t, salesFile(t, shops...), sale(t, ""), "--group-cols", "merchant,shop", "--path-cols", "merchant", "--category-col", "category")
		require.Len(t, f.Series, 7)
		var sum float64
		for _, s := range f.Series {
			sum += s.Mean
		}
		require.Len(t, f.Totals, 3, "all, and two merchants")
		assert.Empty(t, f.Totals[0].Path)
		assert.InDelta(t, sum, f.Totals[0].Mean, 1e-6, "series add up to their sum")
		assert.InDelta(t, f.Totals[0].Mean, f.Totals[1].Mean+f.Totals[2].Mean, 1e-6)
		for _, s := range f.Series {
			if s.Group["shop"] == "new" {
				return s.Events[0].Total.Mean / 2 / 102
			}
		}
		return math.NaN()
	}
	home, food := total("home"), total("food")
	t.Logf("a new shop is expected to have %.2f times its usual contacts as one of the first kind, %.2f as one of the second", home, food)
	assert.InDelta(t, 3, home, 0.5)
	assert.InDelta(t, 1.2, food, 0.3)
}

// TestEventTotalsAreTold: a whole event has quantiles of its own, in JSON and in words; they are
// narrower than those of its days added up, for errors of days cancel in part.
func TestEventTotalsAreTold(t *testing.T) {
	path := salesFile(t, shop{"m", "a", "home", 0, 3})
	events := sale(t, ", phases: [{kind: spot, start: 2026-11-02, end: 2026-11-03}]")
	f := forecastSale(t, path, events, "--quantiles", "0.05,0.5,0.95,0.99")
	require.Len(t, f.Series[0].Events, 1)
	e := f.Series[0].Events[0]
	assert.Equal(t, "sale", e.Family)
	assert.Len(t, e.Phases, 1)
	require.Len(t, e.Total.Quantiles, 4)
	assert.IsIncreasing(t, e.Total.Quantiles)
	assert.Less(t, e.Total.Quantiles[0], e.Total.Mean)
	text, _, err := forecastFile(t, "--in", path, "--time-col", "at", "--value-col", "n", "--slot", "24h", "--calendar", "none", "--horizon", "10d",
		"--events", events, "--quantiles", "0.05,0.5,0.95,0.99", "--out", filepath.Join(t.TempDir(), "f.csv"))
	require.NoError(t, err)
	assert.Regexp(t, `event sale, whole days 2026-11-02 to 2026-11-03: \d+ contacts, P5 \d+, P50 \d+, P95 \d+, P99 \d+`, text)
	assert.Regexp(t, `    spot, all of 2026-11-02: \d+ contacts, P5 \d+`, text)
	assert.Regexp(t, `highest day 2026-11-0[23]: \d+ contacts, P5 \d+`, text)
}

func TestBadPathsAndCategories(t *testing.T) {
	path := salesFile(t, shop{"m", "a", "home", 0, 3}, shop{"m", "a", "food", 0, 3})
	args := func(more ...string) []string {
		return append([]string{"--in", path, "--time-col", "at", "--value-col", "n", "--slot", "24h", "--horizon", "1d"}, more...)
	}
	_, _, err := forecastFile(t, args("--group-cols", "shop", "--path-cols", "merchant", "--category-col", "n")...)
	require.Equal(t, "cli.flags", fault.CodeOf(err))
	assert.Len(t, fault.Of(err).Fields, 2)
	_, _, err = forecastFile(t, args("--category-col", "kind")...)
	require.Equal(t, "forecast.file", fault.CodeOf(err))
	assert.Contains(t, err.Error(), "--category-col")
	_, _, err = forecastFile(t, args("--group-cols", "shop", "--category-col", "category")...)
	require.Equal(t, "forecast.file", fault.CodeOf(err))
	assert.Contains(t, err.Error(), `is another category than "home"`)
}
