package forecast

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/chart"
)

// Panel is one picture of demand through time. Everything in it is about one slot length.
type Panel struct {
	Title    string
	Slot     time.Duration
	Location *time.Location // of the axis; nil = UTC
	Hours    Hours          // lines are cut where the queue is closed; zero = wherever a slot is missing
	From, To time.Time
	Origin   time.Time          // a line where the forecast begins; zero = none
	Levels   []float64          // of the band's quantiles
	Band     []scheduling.Point // mean and quantiles
	BandName string
	Lines    []Line
	Events   []Event
}

// Line is one more series in a panel.
type Line struct {
	Name   string
	Colour string // "#rrggbb"
	Dashed bool
	Points []scheduling.Point // means only
}

// Size and margins of a panel in pixels.
const (
	plotWidth             = 1120.0
	plotHeight            = 420.0
	plotLeft, plotRight   = 68.0, 24.0
	plotTop, plotBottom   = 64.0, 52.0
	stripHeight           = 16.0 // one row of event names
	gridColour, tickColor = "#e2e8f0", "#94a3b8"
	quietText             = "#64748b"
)

// bandColours are the areas between quantiles, from the outermost pair inwards.
var bandColours = []string{"#dbeafe", "#bfdbfe", "#93c5fd"}

// picture is a panel in the making.
type picture struct {
	Panel
	b    *bytes.Buffer
	loc  *time.Location
	low  float64 // top edge of the drawing area: under the title and the event names
	peak float64 // highest value of the axis
	part []Event // the events in the picture

	names []eventName // where the name of each stands
}

// Draw writes panels one under the other as one SVG file. The same panels give the same bytes.
func Draw(panels ...Panel) []byte {
	return chart.Stack(plotWidth, plotHeight, len(panels), func(b *bytes.Buffer, i int) { newPicture(panels[i], b).draw() })
}

func newPicture(panel Panel, b *bytes.Buffer) *picture {
	p := &picture{Panel: panel, b: b, loc: panel.Location}
	if p.loc == nil {
		p.loc = time.UTC
	}
	if !p.From.Before(p.To) {
		p.To = p.From.Add(24 * time.Hour)
	}
	for _, q := range p.Band {
		p.peak = max(p.peak, q.Mean)
		if n := len(q.Quantiles); n > 0 {
			p.peak = max(p.peak, q.Quantiles[n-1])
		}
	}
	for _, l := range p.Lines {
		for _, q := range l.Points {
			p.peak = max(p.peak, q.Mean)
		}
	}
	p.peak = chart.NiceCeiling(p.peak)
	p.layEvents()
	return p
}

func (p *picture) draw() {
	p.heading()
	p.eventBands()
	p.valueAxis()
	p.timeAxis()
	p.bands()
	p.line(p.Band, forecastColour, false, 1.6)
	for _, l := range p.Lines {
		p.line(l.Points, l.Colour, l.Dashed, 1.2)
	}
	p.eventMarks()
	if !p.Origin.IsZero() && p.Origin.After(p.From) && p.Origin.Before(p.To) {
		fmt.Fprintf(p.b, `<path d="M%.1f %gV%g" stroke="#0f172a" stroke-dasharray="4 3"/><text x="%.1f" y="%g" text-anchor="end">origin</text>`+"\n",
			p.x(p.Origin), p.low, plotHeight-plotBottom, p.x(p.Origin)-4, plotHeight-plotBottom-6)
	}
}

func (p *picture) x(t time.Time) float64 {
	return plotLeft + (plotWidth-plotLeft-plotRight)*float64(t.Sub(p.From))/float64(p.To.Sub(p.From))
}

// within is x, kept inside the drawing area.
func (p *picture) within(t time.Time) float64 {
	return min(max(p.x(t), plotLeft), plotWidth-plotRight)
}

func (p *picture) y(v float64) float64 {
	return plotHeight - plotBottom - (plotHeight-p.low-plotBottom)*v/p.peak
}

// heading is title, unit and legend.
func (p *picture) heading() {
	per := fmt.Sprintf("%g minutes", p.Slot.Minutes())
	switch p.Slot {
	case 24 * time.Hour:
		per = "day"
	case time.Hour:
		per = "hour"
	}
	fmt.Fprintf(p.b, `<text x="%g" y="20" font-size="14" font-weight="600">%s</text>`+"\n", plotLeft, chart.Escape(p.Title))
	fmt.Fprintf(p.b, `<text x="%g" y="38" fill="%s">contacts per %s</text>`+"\n", plotLeft, quietText, per)
	x := plotWidth - plotRight
	legend := func(width float64, sign, text string) {
		x -= width
		fmt.Fprintf(p.b, `<g transform="translate(%g 0)">%s<text x="24" y="38">%s</text></g>`+"\n", x, sign, chart.Escape(text))
	}
	stroke := func(colour, dash string) string {
		return fmt.Sprintf(`<path d="M0 34h18" stroke="%s" stroke-width="2"%s/>`, colour, dash)
	}
	pairs := p.pairs()
	if len(pairs) > 0 && len(p.Band) > 0 {
		legend(62, stroke(edgeColour, lowDashes), "P"+percentile(p.Levels[pairs[0][0]]))
		legend(62, stroke(edgeColour, highDashes), "P"+percentile(p.Levels[pairs[0][1]]))
	}
	for i := range pairs {
		outer := pairs[len(pairs)-1-i]
		legend(96, fmt.Sprintf(`<rect y="29" width="18" height="10" fill="%s"/>`, bandColours[len(pairs)-1-i]),
			fmt.Sprintf("P%s–P%s", percentile(p.Levels[outer[0]]), percentile(p.Levels[outer[1]])))
	}
	if len(p.Band) > 0 {
		legend(chart.TextWidth(p.BandName), stroke(forecastColour, ""), p.BandName)
	}
	for _, l := range slices.Backward(p.Lines) {
		legend(chart.TextWidth(l.Name), stroke(l.Colour, chart.Dashes(l.Dashed)), l.Name)
	}
}

func percentile(level float64) string {
	return strconv.FormatFloat(math.Round(level*1e4)/100, 'g', -1, 64)
}

// pairs are the quantiles that bound the bands, outermost first, at most three.
func (p *picture) pairs() [][2]int {
	var out [][2]int
	for i, j := 0, len(p.Levels)-1; i < j && len(out) < len(bandColours); i, j = i+1, j-1 {
		out = append(out, [2]int{i, j})
	}
	return out
}

// bands are the areas between pairs of quantiles; they break where the queue is closed.
func (p *picture) bands() {
	for i, pair := range p.pairs() {
		for _, run := range p.runs(p.Band) {
			if len(run[0].Quantiles) != len(p.Levels) {
				continue
			}
			var d strings.Builder
			for j, q := range run {
				d.WriteString(chart.MoveOrLine(j) + p.xy(q.Start, q.Quantiles[pair[1]]))
			}
			for _, q := range slices.Backward(run) {
				d.WriteString("L" + p.xy(q.Start, q.Quantiles[pair[0]]))
			}
			fmt.Fprintf(p.b, `<path d="%sZ" fill="%s" stroke="%s" stroke-width="0.5"/>`+"\n", d.String(), bandColours[i], bandColours[i])
		}
	}
	if pairs := p.pairs(); len(pairs) > 0 {
		p.edge(pairs[0][0], lowDashes)
		p.edge(pairs[0][1], highDashes)
	}
}

// The outermost quantiles are lines too, so that low and high can be told apart where the band is
// thin: dots below, dashes above.
const (
	edgeColour = "#2563eb"
	lowDashes  = ` stroke-dasharray="1 3"`
	highDashes = ` stroke-dasharray="6 3"`
)

// edge draws one quantile.
func (p *picture) edge(level int, dashes string) {
	for _, run := range p.runs(p.Band) {
		if len(run[0].Quantiles) != len(p.Levels) {
			continue
		}
		var d strings.Builder
		for i, q := range run {
			d.WriteString(chart.MoveOrLine(i) + p.xy(q.Start, q.Quantiles[level]))
		}
		fmt.Fprintf(p.b, `<path d="%s" fill="none" stroke="%s" stroke-width="0.9"%s/>`+"\n", d.String(), edgeColour, dashes)
	}
}

func (p *picture) line(m []scheduling.Point, colour string, dashed bool, width float64) {
	for _, run := range p.runs(m) {
		var d strings.Builder
		for i, q := range run {
			d.WriteString(chart.MoveOrLine(i) + p.xy(q.Start, q.Mean))
		}
		if len(run) == 1 {
			d.WriteString("h1")
		}
		fmt.Fprintf(p.b, `<path d="%s" fill="none" stroke="%s" stroke-width="%g" stroke-linejoin="round"%s/>`+"\n", d.String(), colour, width, chart.Dashes(dashed))
	}
}

// runs cuts points where a slot is skipped.
func (p *picture) runs(m []scheduling.Point) [][]scheduling.Point {
	var out [][]scheduling.Point
	for i, q := range m {
		if q.Start.Before(p.From) || !q.Start.Before(p.To) {
			continue
		}
		if len(out) == 0 || i > 0 && q.Start.Sub(m[i-1].Start) > p.Slot+p.Slot/2 {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], q)
	}
	return out
}

func (p *picture) xy(t time.Time, v float64) string {
	return strconv.FormatFloat(p.x(t.Add(p.Slot/2)), 'f', 1, 64) + " " + strconv.FormatFloat(p.y(v), 'f', 1, 64)
}

// valueAxis draws five horizontal grid lines with their figures.
func (p *picture) valueAxis() {
	for i := range 6 {
		v := p.peak * float64(i) / 5
		fmt.Fprintf(p.b, `<path d="M%g %.1fH%g" stroke="%s"/><text x="%g" y="%.1f" text-anchor="end">%s</text>`+"\n",
			plotLeft, p.y(v), plotWidth-plotRight, gridColour, plotLeft-6, p.y(v)+4, chart.Figure(v))
	}
}

// timeAxis draws ticks at local midnights, hours between them in a short span, and the year under the first date and wherever it changes.
func (p *picture) timeAxis() {
	ticks := p.ticks()
	bottom := plotHeight - plotBottom
	last, year := math.Inf(-1), 0
	for _, t := range ticks.hours {
		fmt.Fprintf(p.b, `<path d="M%.1f %gv4" stroke="%s"/><text x="%.1f" y="%g" text-anchor="middle" fill="%s">%s</text>`+"\n",
			p.x(t), bottom, tickColor, p.x(t), bottom+15, quietText, t.In(p.loc).Format("15:04"))
	}
	for _, t := range ticks.days {
		x, l := p.x(t), t.In(p.loc)
		if x-last < ticks.apart {
			continue
		}
		last = x
		fmt.Fprintf(p.b, `<path d="M%.1f %gV%g" stroke="%s" stroke-width="0.6"/><path d="M%.1f %gv6" stroke="%s"/>`+"\n", x, p.low, bottom, gridColour, x, bottom, tickColor)
		fmt.Fprintf(p.b, `<text x="%.1f" y="%g" text-anchor="middle">%s</text>`+"\n", x, bottom+ticks.drop, l.Format(ticks.layout))
		if l.Year() != year {
			year = l.Year()
			fmt.Fprintf(p.b, `<text x="%.1f" y="%g" text-anchor="middle" font-weight="600">%d</text>`+"\n", x, bottom+ticks.drop+14, year)
		}
	}
}

// axisTicks is where the time axis has marks.
type axisTicks struct {
	days, hours []time.Time
	layout      string
	apart, drop float64 // least distance of day labels, their distance from the axis
}

// ticks chooses marks so that they do not touch.
func (p *picture) ticks() axisTicks {
	span := p.To.Sub(p.From).Hours() / 24
	t := axisTicks{layout: "01-02", apart: 44, drop: 20}
	every, monthly, weekly := 1, false, false
	switch {
	case span <= 4:
		t.layout, t.drop = "Mon 01-02", 29
	case span <= 16:
		t.layout, t.apart = "Mon 01-02", 60
	case span <= 40:
		every = 2
	case span <= 150:
		weekly = true
	default:
		monthly = true
		t.layout = "Jan"
	}
	first := calendar.DateOf(p.From, p.loc)
	for d := first; ; d = d.Add(1) {
		at := d.In(p.loc)
		if !at.Before(p.To) {
			return t
		}
		for h := 6; span <= 4 && h < 24; h += 6 {
			if hour := at.Add(time.Duration(h) * time.Hour); !hour.Before(p.From) && hour.Before(p.To) {
				t.hours = append(t.hours, hour)
			}
		}
		if at.Before(p.From) || monthly && d.Day != 1 || weekly && d.Weekday() != time.Monday || d.Sub(first)%every != 0 {
			continue
		}
		t.days = append(t.days, at)
	}
}
