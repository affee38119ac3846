package forecast_test

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/scheduling/forecast"
)

// bar is one line of the table of accuracy.
type bar struct {
	data, protocol, peer, bar string
	ours                      func(b *testing.B) string
}

var accuracyBars = []bar{
	{"bank_calls", "30-minute sums, 12 weekly origins", "WAPE 7.68 % (mean of 4 weeks)", "<= 6.0 %", bankBar},
	{"hourly_emergency", "48 h ahead, origin each 12 h, 727 origins, the file's last year", "pinball 1.188 on the year after", "<= 1.17 there", emergencyBar},
	{"parcels_jd network", "618 2022, June 1-20, from data up to 05-31", "WAPE 13.2 % (same date 2021)", "<= 9 %", networkBar},
	{"parcels_jd routes", "the same, summed absolute error, pooled", "same date 2021; 2021 uplift x 2022 base", "20 % lower", routesBar},
}

// BenchmarkForecastBars prints the table of accuracy: our figures beside the best peer's.
func BenchmarkForecastBars(b *testing.B) {
	for b.Loop() { // the figures are the same every time
	}
	var text strings.Builder
	fmt.Fprintf(&text, "\n%-20s | %-44s | %-12s | %s\n", "data", "best peer", "bar", "ours")
	for _, line := range accuracyBars {
		ours := "data absent"
		if sharedDataHere() {
			ours = line.ours(b)
		}
		fmt.Fprintf(&text, "%-20s | %-44s | %-12s | %s\n%-20s   %s\n", line.data, line.peer, line.bar, ours, "", line.protocol)
	}
	text.WriteString("coverage of P90 on all data: go test -run CoverageOfRealData -v\n")
	b.Log(text.String())
}

// sharedDataHere reports whether the data are there, so that the table can say so.
func sharedDataHere() bool {
	dir := os.Getenv("CHAOBAN_SHARED_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	_, err := os.Stat(dir)
	return err == nil && os.Getenv("CI") != "true"
}

func bankBar(b *testing.B) string {
	wape, p90 := bankWAPE(b)
	return fmt.Sprintf("WAPE %.2f %%, P90 covers %.1f %%", 100*wape, 100*p90)
}

func emergencyBar(b *testing.B) string {
	s, scores := replayEmergency(b, 12*time.Hour)
	recent, all := emergencyBenchmarks(s)
	return fmt.Sprintf("pinball %.3f (their Benchmark-2 on this year %.3f, Benchmark-1 %.3f; on theirs 1.217 and 1.254), P90 covers %.1f %%",
		*scores.Ours.Pinball, recent, all, 100*scores.Ours.Coverage[17])
}

// emergencyBenchmarks are Benchmark-2 and Benchmark-1 of the paper: the empirical quantiles of
// the same hour of the week over the last year, and over all the past.
func emergencyBenchmarks(s forecast.Series) (recent, all float64) {
	levels := emergencyLevels()
	start := s.First.In(time.UTC)
	var n float64
	for _, origin := range emergencyOrigins(s, 12*time.Hour) {
		for h := range 48 {
			i := int(origin.Sub(start)/time.Hour) + h
			var past []float64
			year := 0
			for w := (h + 168) / 168; i-168*w >= 0; w++ {
				if v := s.Values[i-168*w]; !math.IsNaN(v) {
					past = append(past, v)
				}
				if w <= 52 {
					year = len(past)
				}
			}
			recent += empiricalPinball(past[:year], levels, s.Values[i])
			all += empiricalPinball(past, levels, s.Values[i])
			n++
		}
	}
	return recent / n, all / n
}

func empiricalPinball(past, levels []float64, actual float64) (loss float64) {
	sorted := slices.Sorted(slices.Values(past))
	for _, l := range levels {
		at := l * float64(len(sorted)-1) // type 7 of Hyndman and Fan 1996
		low := int(at)
		q := sorted[low] + (at-float64(low))*(sorted[min(low+1, len(sorted)-1)]-sorted[low])
		loss += max(l*(actual-q), (l-1)*(actual-q))
	}
	return loss / float64(len(levels))
}

func networkBar(b *testing.B) string {
	s, err := newSeries("network", day, time.UTC, readObservations(b, sharedFile(b, "parcels_jd/network_daily.csv"), time.DateOnly))
	require.NoError(b, err)
	e := newSixEighteen()
	e.add(b, s, parcelOptions(b))
	return fmt.Sprintf("WAPE %.1f %% (same date 2021 %.1f %%, 2021 uplift x 2022 base %.1f %%)", 100*e.ours/e.sum, 100*e.sameDate/e.sum, 100*e.upliftBase/e.sum)
}

// routesBar forecasts all routes as one batch: pooled, as the bar says.
func routesBar(b *testing.B) string {
	e, routes := newSixEighteen(), readRoutes(b)
	o := parcelOptions(b)
	o.Origin, o.Horizon = e.from, 20*day
	known := routes.until(b, e.from)
	batch, err := forecast.RunAll(b.Context(), known, o, nil)
	require.NoError(b, err)
	said := map[string]map[time.Time]float64{}
	for i, one := range batch {
		require.NoError(b, one.Err)
		said[string(known[i].Queue)] = meansByStart(one.Result)
	}
	for _, key := range routes.order {
		e.score(func(at time.Time) float64 { return routes.values[key][at] }, said[key])
	}
	better := min(e.sameDate, e.upliftBase)
	return fmt.Sprintf("WAPE %.1f %%, %.0f %% lower than the better peer (same date 2021 %.1f %%, 2021 uplift x 2022 base %.1f %%)",
		100*e.ours/e.sum, 100*(1-e.ours/better), 100*e.sameDate/e.sum, 100*e.upliftBase/e.sum)
}

// meansByStart are those of a forecast by the start of the slot.
func meansByStart(r forecast.Result) map[time.Time]float64 {
	said := map[time.Time]float64{}
	for _, p := range r.Curve.Points {
		said[p.Start] = p.Mean
	}
	return said
}

// sixEighteen adds up absolute errors over June 1-20 2022.
type sixEighteen struct {
	from                            time.Time
	ours, sameDate, upliftBase, sum float64
}

func newSixEighteen() *sixEighteen {
	return &sixEighteen{from: time.Date(2022, 6, 1, 0, 0, 0, 0, time.UTC)}
}

// add forecasts one series from 06-01; a day without a record is zero, as in the source note.
func (e *sixEighteen) add(b *testing.B, s forecast.Series, o forecast.Options) {
	value := func(at time.Time) float64 {
		i := int(at.Sub(s.First.In(time.UTC)) / day)
		if i < 0 || i >= len(s.Values) || math.IsNaN(s.Values[i]) {
			return 0
		}
		return s.Values[i]
	}
	o.Origin, o.Horizon, o.Missing, o.Complete = e.from, 20*day, forecast.MissingZero, e.from
	r, err := forecast.Run(s, o)
	require.NoError(b, err)
	e.score(value, meansByStart(r))
}

// score adds what came on each day, where a day without a record is zero, beside what was said.
func (e *sixEighteen) score(value func(time.Time) float64, said map[time.Time]float64) {
	mean := func(year int) (m float64) { // of May 4-31, four weeks
		for d := range 28 {
			m += value(time.Date(year, 5, 4+d, 0, 0, 0, 0, time.UTC)) / 28
		}
		return m
	}
	base21, base22 := mean(2021), mean(2022)
	for d := range 20 {
		at := e.from.AddDate(0, 0, d)
		actual, last := value(at), value(at.AddDate(-1, 0, 0))
		e.sum += actual
		e.ours += math.Abs(actual - said[at])
		e.sameDate += math.Abs(actual - last)
		scaled := base22
		if base21 > 0 {
			scaled = last / base21 * base22
		}
		e.upliftBase += math.Abs(actual - scaled)
	}
}
