package forecast_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// requirePicture reads an SVG to its end and looks for figures that no viewer can draw.
func requirePicture(t require.TestingT, svg []byte) {
	decoder := xml.NewDecoder(bytes.NewReader(svg))
	for {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
	}
	for _, bad := range []string{"NaN", "Inf", "-0.0\""} {
		require.NotContains(t, string(svg), bad)
	}
}

func double11() forecast.Event {
	at := func(d, h int) time.Time { return monday.AddDate(0, 0, d).Add(time.Duration(h) * time.Hour) }
	return forecast.Event{
		Family: "双11 <JD>", Start: at(40, 20), End: at(48, 0), Openings: []time.Time{at(42, 20), at(46, 0)},
		Phases: []forecast.Phase{{Kind: "presale", Start: at(40, 20), End: at(42, 20)}, {Kind: "spot", Start: at(42, 20), End: at(48, 0)}},
	}
}

func TestPlotShowsAll(t *testing.T) {
	s := steady(t, time.Hour, 56, func(_, k int) float64 { return float64(5 + k) })
	events := []forecast.Event{double11()}
	r, err := forecast.Run(s, forecast.Options{Origin: monday.AddDate(0, 0, 41), Horizon: 7 * day, Events: events, Levels: []float64{0.05, 0.25, 0.5, 0.75, 0.95}})
	require.NoError(t, err)
	svg := forecast.Plot(s, r, events, "lumi & co")
	requirePicture(t, svg)
	text := string(svg)
	for _, want := range []string{"lumi &amp; co", "双11 &lt;JD&gt;", "presale", "spot", "20:00", "00:00", "P5–P95", "P25–P75", ">actual<", ">history<", "origin", "2026", "contacts per hour"} {
		assert.Contains(t, text, want)
	}
	assert.Equal(t, svg, forecast.Plot(s, r, events, "lumi & co"), "the same bytes")
	// Nothing is known after the origin: no actuals are drawn.
	s.Until = r.Origin
	assert.NotContains(t, string(forecast.Plot(s, r, events, "")), ">actual<")
}

func TestPlotBacktest(t *testing.T) {
	s := steady(t, time.Hour, 90, func(_, k int) float64 { return float64(5 + k) })
	replays := func(step time.Duration) (versions []forecast.Version) {
		for at := monday.AddDate(0, 0, 50); !at.Add(7 * day).After(s.End()); at = at.Add(step) {
			r, err := forecast.Run(s, forecast.Options{Origin: at, Horizon: 7 * day})
			require.NoError(t, err)
			versions = append(versions, forecast.Version{Origin: at, Curve: r.Curve, Days: r.Days})
		}
		return versions
	}
	long := replays(7 * day)
	svg := forecast.PlotBacktest(s, long, []forecast.Event{double11()}, "a queue")
	requirePicture(t, svg)
	assert.Contains(t, string(svg), "contacts per day")
	assert.Contains(t, string(svg), "the last two weeks")
	assert.Equal(t, 2, strings.Count(string(svg), ">P10–P90<"), "days have a band of their own")
	svg = forecast.PlotBacktest(s, long[:1], nil, "a queue")
	requirePicture(t, svg)
	assert.NotContains(t, string(svg), "the last two weeks", "a short back-test is one picture")
	requirePicture(t, forecast.PlotBacktest(s, nil, nil, "none"))

	// Each slot comes from the newest origin that has it.
	band := forecast.Stitch(replays(2 * day))
	require.NoError(t, band.Validate())
	assert.Len(t, band.Points, 39*24, "day 50 to the end of the last week, without a gap")
}

// TestLabelsDoNotTouch draws many overlapping events with many openings: no two labels of a row touch,
// what found no room can still be pointed at.
func TestLabelsDoNotTouch(t *testing.T) {
	var events []forecast.Event
	for i := range 8 {
		start := monday.AddDate(0, 0, 8-i) // not in order
		e := forecast.Event{Family: "双11大促 " + strconv.Itoa(i), Start: start, End: start.AddDate(0, 0, 12)}
		for h := range 6 {
			e.Openings = append(e.Openings, start.Add(time.Duration(20+7*h)*time.Hour))
		}
		events = append(events, e)
	}
	svg := string(forecast.Draw(forecast.Panel{Slot: time.Hour, From: monday, To: monday.AddDate(0, 0, 14), Events: events, Title: "t"}))
	requirePicture(t, []byte(svg))
	label := regexp.MustCompile(`<text x="([0-9.]+)" y="([0-9.]+)"[^>]*fill="#b45309"[^>]*>([^<]+)</text>`)
	ends := map[string]float64{}
	labels := label.FindAllStringSubmatch(svg, -1)
	for _, m := range labels {
		x, err := strconv.ParseFloat(m[1], 64)
		require.NoError(t, err)
		require.GreaterOrEqual(t, x, ends[m[2]], "%q touches the label before it", m[3])
		width := 24.0 // a time of five figures
		if strings.Contains(m[3], "大促") {
			width = 3*11 + 4*6 // three Chinese letters, four narrow ones
		}
		ends[m[2]] = x + width
	}
	assert.Greater(t, len(labels), 10)
	for i := range 8 {
		assert.Contains(t, svg, "<title>双11大促 "+strconv.Itoa(i)+"</title>")
	}
	assert.Equal(t, 8*6, strings.Count(svg, `stroke-dasharray="2 3"`)+repeated(events), "every opening has its line, once")
}

// repeated is how many openings of events fall on one instant with another.
func repeated(events []forecast.Event) (n int) {
	seen := map[time.Time]bool{}
	for _, e := range events {
		for _, at := range e.Openings {
			if seen[at] || !at.Before(monday.AddDate(0, 0, 14)) {
				n++
			}
			seen[at] = true
		}
	}
	return n
}

// TestLowAndHighQuantilesDiffer: the outer quantiles have lines of different dashes, both in the legend.
func TestLowAndHighQuantilesDiffer(t *testing.T) {
	band := []scheduling.Point{{Start: monday, Mean: 5, Quantiles: []float64{2, 9}}, {Start: monday.Add(time.Hour), Mean: 5, Quantiles: []float64{2, 9}}}
	svg := string(forecast.Draw(forecast.Panel{Slot: time.Hour, From: monday, To: monday.Add(2 * time.Hour), Levels: []float64{0.1, 0.9}, Band: band, BandName: "mean"}))
	requirePicture(t, []byte(svg))
	for _, dashes := range []string{`stroke-dasharray="1 3"`, `stroke-dasharray="6 3"`} {
		assert.Equal(t, 2, strings.Count(svg, dashes), "%s: the line and its sign", dashes)
	}
	assert.Contains(t, svg, ">P10<")
	assert.Contains(t, svg, ">P90<")
}

// TestDrawNeverNonsense draws arbitrary panels.
func TestDrawNeverNonsense(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		slot := rapid.SampledFrom([]time.Duration{15 * time.Minute, time.Hour, day}).Draw(t, "slot")
		p := forecast.Panel{
			Title: rapid.String().Draw(t, "title"), Slot: slot, From: monday, Levels: []float64{0.1, 0.9}, Band: []scheduling.Point{},
			To: monday.Add(time.Duration(rapid.IntRange(0, 1000).Draw(t, "hours")) * time.Hour), Origin: monday.Add(time.Duration(rapid.IntRange(-10, 100).Draw(t, "origin")) * time.Hour),
		}
		for i := range rapid.IntRange(0, 20).Draw(t, "points") {
			v := rapid.SampledFrom([]float64{0, 1e-9, 3, 1e12}).Draw(t, "value")
			p.Band = append(p.Band, scheduling.Point{Start: monday.Add(time.Duration(i*rapid.IntRange(1, 3).Draw(t, "skip")) * slot), Mean: v, Quantiles: []float64{v / 2, 2 * v}})
		}
		for i := range rapid.IntRange(0, 6).Draw(t, "events") {
			start := monday.Add(time.Duration(rapid.IntRange(-200, 900).Draw(t, "start")) * time.Hour)
			p.Events = append(p.Events, forecast.Event{Family: strings.Repeat("e", i), Start: start, End: start.Add(time.Duration(rapid.IntRange(1, 300).Draw(t, "length")) * time.Hour), Openings: []time.Time{start}})
		}
		svg := forecast.Draw(p, forecast.Panel{})
		for _, bad := range []string{"NaN", "Inf"} {
			require.False(t, strings.Contains(strings.ReplaceAll(string(svg), p.Title, ""), bad))
		}
	})
}
