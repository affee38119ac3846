// Package chart draws lines and bands over two axes as SVG, for what has no time axis of its own or sets two
// kinds of figures side by side. It owns axes, legend and colours; it does not own what is drawn, nor the
// pictures of forecasts (scheduling/forecast), which share its figures and scales.
//
// It knows no times: an x is a number, and the caller names the ticks. The same chart gives the same bytes.
package chart

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Chart is one picture.
type Chart struct {
	Title string
	Note  string // one quiet line under the title
	X     Axis   // From and To are needed
	Left  Axis
	Right Axis // only where a line or band says Right
	Bands []Band
	Lines []Line
	Marks []Mark
}

// Axis is one scale. A vertical one from 0 to 0 is fitted to what is drawn.
type Axis struct {
	Label    string
	From, To float64
	Percent  bool   // figures are shares
	Ticks    []Tick // none: five even steps
}

// Tick is a named place on an axis.
type Tick struct {
	At    float64
	Label string
}

// Line is a series. A NaN breaks it.
type Line struct {
	Name   string
	Colour string // "#rrggbb"
	Dashed bool
	Steps  bool // holds each value until the next x
	Dots   bool
	Right  bool // on the right axis
	Points []Point
}

// Point is one value.
type Point struct{ X, Y float64 }

// Band is the area between two values at each x. A NaN breaks it.
type Band struct {
	Name   string
	Colour string
	Right  bool
	Points []Range
}

// Range is both edges of a band.
type Range struct{ X, Low, High float64 }

// Mark is a vertical line.
type Mark struct {
	At    float64
	Label string
}

// Size and margins of a chart in pixels.
const (
	width, height          = 1120.0, 420.0
	left, right            = 72.0, 72.0
	top, bottom            = 66.0, 52.0
	grid, quiet, tickColor = "#e2e8f0", "#64748b", "#94a3b8"
)

// Draw writes charts one under the other as one SVG file.
func Draw(charts ...Chart) []byte {
	return Stack(width, height, len(charts), func(b *bytes.Buffer, i int) { (&canvas{Chart: charts[i].fitted(), b: b}).draw() })
}

// Stack writes n pictures of one size, in pixels, one under the other as one SVG file. draw writes picture i
// with its origin at the top left.
func Stack(width, height float64, n int, draw func(b *bytes.Buffer, i int)) []byte {
	var b bytes.Buffer
	whole := height * float64(n)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%g" height="%g" viewBox="0 0 %g %g" font-family="system-ui, 'Noto Sans SC', 'Noto Sans CJK SC', sans-serif" font-size="11" fill="#334155">
<rect width="100%%" height="100%%" fill="#ffffff"/>
`, width, whole, width, whole)
	for i := range n {
		fmt.Fprintf(&b, `<g transform="translate(0 %g)">`+"\n", height*float64(i))
		draw(&b, i)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// fitted gives the vertical axes a scale.
func (c Chart) fitted() Chart {
	for _, side := range []struct {
		axis  *Axis
		right bool
	}{{&c.Left, false}, {&c.Right, true}} {
		if side.axis.From != 0 || side.axis.To != 0 {
			continue
		}
		peak := 0.0
		for _, l := range c.Lines {
			for _, p := range l.Points {
				if l.Right == side.right && p.Y > peak {
					peak = p.Y
				}
			}
		}
		for _, band := range c.Bands {
			for _, p := range band.Points {
				if band.Right == side.right && p.High > peak {
					peak = p.High
				}
			}
		}
		side.axis.To = NiceCeiling(peak)
		if side.axis.Percent {
			side.axis.To = 1
		}
	}
	if !(c.X.To > c.X.From) {
		c.X.To = c.X.From + 1
	}
	return c
}

// canvas is a chart in the making.
type canvas struct {
	Chart
	b *bytes.Buffer
}

func (c *canvas) draw() {
	fmt.Fprintf(c.b, `<text x="%g" y="20" font-size="14" font-weight="600">%s</text>`+"\n", left, Escape(c.Title))
	fmt.Fprintf(c.b, `<text x="%g" y="38" fill="%s">%s</text>`+"\n", left, quiet, Escape(c.Note))
	c.legend()
	c.vertical(c.Left, left, "end", -6)
	if c.usesRight() {
		c.vertical(c.Right, width-right, "start", 6)
	}
	c.horizontal()
	for _, band := range c.Bands {
		c.band(band)
	}
	for _, l := range c.Lines {
		c.line(l)
	}
	for _, m := range c.Marks {
		fmt.Fprintf(c.b, `<path d="M%.1f %gV%g" stroke="#0f172a" stroke-dasharray="4 3"/><text x="%.1f" y="%g">%s</text>`+"\n",
			c.x(m.At), top, height-bottom, c.x(m.At)+4, top+10, Escape(m.Label))
	}
}

func (c *canvas) usesRight() bool {
	for _, l := range c.Lines {
		if l.Right {
			return true
		}
	}
	for _, band := range c.Bands {
		if band.Right {
			return true
		}
	}
	return false
}

func (c *canvas) x(v float64) float64 {
	return left + (width-left-right)*(v-c.X.From)/(c.X.To-c.X.From)
}

func (c *canvas) y(v float64, onRight bool) float64 {
	a := c.Left
	if onRight {
		a = c.Right
	}
	at := height - bottom - (height-top-bottom)*(v-a.From)/(a.To-a.From)
	return min(max(at, top), height-bottom)
}

// legend stands right of the title, last entry outermost.
func (c *canvas) legend() {
	x := width - right
	entry := func(sign, name string) {
		x -= TextWidth(name)
		fmt.Fprintf(c.b, `<g transform="translate(%g 0)">%s<text x="24" y="22">%s</text></g>`+"\n", x, sign, Escape(name))
	}
	for i := len(c.Lines) - 1; i >= 0; i-- {
		l := c.Lines[i]
		entry(fmt.Sprintf(`<path d="M0 18h18" stroke="%s" stroke-width="2"%s/>`, l.Colour, Dashes(l.Dashed)), l.Name)
	}
	for i := len(c.Bands) - 1; i >= 0; i-- {
		entry(fmt.Sprintf(`<rect y="13" width="18" height="10" fill="%s"/>`, c.Bands[i].Colour), c.Bands[i].Name)
	}
}

// vertical draws a scale at x; the left one also draws the grid.
func (c *canvas) vertical(a Axis, x float64, anchor string, gap float64) {
	const steps = 5
	for i := range steps + 1 {
		v := a.From + (a.To-a.From)*float64(i)/steps
		y := height - bottom - (height-top-bottom)*float64(i)/steps
		if x == left {
			fmt.Fprintf(c.b, `<path d="M%g %.1fH%g" stroke="%s"/>`, left, y, width-right, grid)
		}
		fmt.Fprintf(c.b, `<text x="%g" y="%.1f" text-anchor="%s">%s</text>`+"\n", x+gap, y+4, anchor, a.figure(v))
	}
	fmt.Fprintf(c.b, `<text x="%g" y="%g" text-anchor="%s" fill="%s">%s</text>`+"\n", x, top-10, map[bool]string{true: "start", false: "end"}[x == left], quiet, Escape(a.Label))
}

func (a Axis) figure(v float64) string {
	if a.Percent {
		return strconv.FormatFloat(math.Round(1000*v)/10, 'f', -1, 64) + "%"
	}
	return Figure(v)
}

func (c *canvas) horizontal() {
	ticks := c.X.Ticks
	if len(ticks) == 0 {
		for i := range 6 {
			v := c.X.From + (c.X.To-c.X.From)*float64(i)/5
			ticks = append(ticks, Tick{At: v, Label: c.X.figure(v)})
		}
	}
	for _, t := range ticks {
		fmt.Fprintf(c.b, `<path d="M%.1f %gv5" stroke="%s"/><text x="%.1f" y="%g" text-anchor="middle">%s</text>`+"\n",
			c.x(t.At), height-bottom, tickColor, c.x(t.At), height-bottom+17, Escape(t.Label))
	}
	fmt.Fprintf(c.b, `<text x="%g" y="%g" text-anchor="middle" fill="%s">%s</text>`+"\n", (left+width-right)/2, height-14, quiet, Escape(c.X.Label))
}

func (c *canvas) band(band Band) {
	var run []Range
	flush := func() {
		if len(run) > 1 {
			var d strings.Builder
			for i, p := range run {
				d.WriteString(MoveOrLine(i) + c.at(p.X, p.High, band.Right))
			}
			for i := len(run) - 1; i >= 0; i-- {
				d.WriteString("L" + c.at(run[i].X, run[i].Low, band.Right))
			}
			fmt.Fprintf(c.b, `<path d="%sZ" fill="%s"/>`+"\n", d.String(), band.Colour)
		}
		run = nil
	}
	for _, p := range band.Points {
		if math.IsNaN(p.Low) || math.IsNaN(p.High) {
			flush()
			continue
		}
		run = append(run, p)
	}
	flush()
}

func (c *canvas) line(l Line) {
	var d strings.Builder
	pen, before := 0, 0.0
	for _, p := range l.Points {
		if math.IsNaN(p.Y) {
			if pen > 0 && l.Steps {
				fmt.Fprintf(&d, "L%s", c.at(p.X, before, l.Right))
			}
			pen = 0
			continue
		}
		if pen > 0 && l.Steps {
			fmt.Fprintf(&d, "L%s", c.at(p.X, before, l.Right))
		}
		d.WriteString(MoveOrLine(pen) + c.at(p.X, p.Y, l.Right))
		pen, before = pen+1, p.Y
	}
	fmt.Fprintf(c.b, `<path d="%s" fill="none" stroke="%s" stroke-width="1.8" stroke-linejoin="round"%s/>`+"\n", d.String(), l.Colour, Dashes(l.Dashed))
	if l.Dots {
		for _, p := range l.Points {
			if !math.IsNaN(p.Y) {
				fmt.Fprintf(c.b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", c.x(p.X), c.y(p.Y, l.Right), l.Colour)
			}
		}
	}
}

func (c *canvas) at(x, y float64, onRight bool) string {
	return strconv.FormatFloat(c.x(x), 'f', 1, 64) + " " + strconv.FormatFloat(c.y(y, onRight), 'f', 1, 64)
}

// MoveOrLine is the command of the i-th point of an SVG path.
func MoveOrLine(i int) string {
	if i == 0 {
		return "M"
	}
	return "L"
}

// Dashes is the attribute of a dashed stroke.
func Dashes(on bool) string {
	if on {
		return ` stroke-dasharray="5 3"`
	}
	return ""
}

// TextWidth is about the width of a legend entry in pixels. Chinese is twice as wide.
func TextWidth(s string) float64 {
	w := 42.0
	for _, r := range s {
		w += 6.2
		if r >= 0x2e80 {
			w += 5
		}
	}
	return w
}

// NiceCeiling is the least of 1, 1.5, 2, 2.5, 4, 5, 6, 8 x 10^n that is not below v, at least 1.
func NiceCeiling(v float64) float64 {
	if !(v > 1) || math.IsInf(v, 0) {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 1.5, 2, 2.5, 4, 5, 6, 8} {
		if m*unit >= v {
			return m * unit
		}
	}
	return 10 * unit
}

// Figure is a value of an axis in at most four digits.
func Figure(v float64) string {
	switch {
	case math.Abs(v) >= 1e6:
		return strconv.FormatFloat(v/1e6, 'g', 4, 64) + " M"
	case math.Abs(v) >= 1e4:
		return strconv.FormatFloat(v/1e3, 'g', 4, 64) + " k"
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// Escape makes a text fit into SVG.
func Escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a bytes.Buffer never fails
	return b.String()
}
