package chart_test

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/scheduling/chart"
)

func example() chart.Chart {
	return chart.Chart{
		Title: "a < b & 排班", X: chart.Axis{From: 0, To: 4, Label: "x"}, Left: chart.Axis{Label: "left"}, Right: chart.Axis{Label: "right"},
		Bands: []chart.Band{{Name: "band", Colour: "#dbeafe", Points: []chart.Range{{X: 0, Low: 1, High: 2}, {X: 1, Low: 1, High: 3}, {X: 2, Low: math.NaN()}, {X: 3, Low: 1, High: 2}, {X: 4, Low: 1, High: 2}}}},
		Lines: []chart.Line{
			{Name: "steps", Colour: "#0f172a", Steps: true, Right: true, Points: []chart.Point{{0, 10}, {1, 20}, {2, math.NaN()}, {3, 5}}},
			{Name: "dots", Colour: "#15803d", Dots: true, Points: []chart.Point{{0, 1}, {4, 2}}},
		},
		Marks: []chart.Mark{{At: 2, Label: "here"}},
	}
}

// The file is well-formed, the same every time, and names what it shows.
func TestDraw(t *testing.T) {
	svg := chart.Draw(example(), example())
	assert.Equal(t, svg, chart.Draw(example(), example()))
	for d := xml.NewDecoder(strings.NewReader(string(svg))); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else {
			require.NoError(t, err)
		}
	}
	for _, want := range []string{"a &lt; b &amp; 排班", ">band<", ">steps<", ">dots<", ">here<", ">left<", ">right<", `height="840"`} {
		assert.Contains(t, string(svg), want)
	}
	assert.NotContains(t, string(svg), "NaN")
}

// A step line holds its value until the next one and breaks where a value is missing. The area goes from 72 to
// 1048 and from 368 up to 66; the right axis ends at 20.
func TestStepsHoldAndBreak(t *testing.T) {
	c := example()
	c.Bands, c.Lines = nil, c.Lines[:1]
	assert.Contains(t, string(chart.Draw(c)), `d="M72.0 217.0L316.0 217.0L316.0 66.0L560.0 66.0M804.0 292.5"`)
}

func TestFigures(t *testing.T) {
	for v, want := range map[float64]float64{0: 1, 1: 1, 1.2: 1.5, 3: 4, 7: 8, 8.1: 10, 130: 150, math.Inf(1): 1} {
		assert.InDelta(t, want, chart.NiceCeiling(v), 1e-9, "%g", v)
	}
	assert.InDelta(t, 1, chart.NiceCeiling(math.NaN()), 0)
	for v, want := range map[float64]string{0: "0", 12.5: "12.5", 12345: "12.35 k", -20000: "-20 k", 2.5e6: "2.5 M"} {
		assert.Equal(t, want, chart.Figure(v))
	}
	assert.Greater(t, chart.TextWidth("四个汉字"), chart.TextWidth("four"))
}
