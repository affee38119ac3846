package forecast

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/chaoban/chaoban/scheduling"
)

// Size and margins of the picture in pixels.
const (
	plotWidth, plotHeight   = 1080.0, 420.0
	plotLeft, plotRight     = 64.0, 20.0
	plotTop, plotBottom     = 56.0, 44.0
	historyColour           = "#475569"
	forecastColour          = "#1d4ed8"
	bandColour              = "#bfdbfe"
	eventColour             = "#f59e0b"
	eventShade              = "#fef3c7"
	longestSlotPlot         = 21 * 24 * time.Hour // a longer horizon is drawn as day totals
	shortestTail, dailyTail = 7 * 24 * time.Hour, 60 * 24 * time.Hour
)

// mark is one drawn point.
type mark struct {
	at              time.Time
	mean, low, high float64
}

// plot is the picture in the making.
type plot struct {
	b        bytes.Buffer
	from, to time.Time
	top      float64 // highest value of the axis
	step     time.Duration
	loc      *time.Location
	hours    Hours
}

// Plot draws the end of the history, the mean, the band between the lowest and the highest
// quantile, and the events, as an SVG file. Horizons over three weeks are drawn as day totals.
func Plot(s Series, r Result, events []Event, title string) []byte {
	p := &plot{loc: s.zone(), step: s.Slot}
	p.hours, _ = ParseHours(r.Hours) // written by this package; everything is drawn if it were not
	future := marks(r.Curve.Points)
	if s.Slot < 24*time.Hour && r.Horizon > longestSlotPlot && len(r.Days) > 1 {
		future, p.step = marks(r.Days), 24*time.Hour
	}
	tail := max(shortestTail, min(2*r.Horizon, 400*24*time.Hour))
	if p.step == 24*time.Hour {
		tail = max(tail, dailyTail)
	}
	p.from, p.to = r.Origin.Add(-tail), r.Origin.Add(r.Horizon)
	past := p.past(s, r.Origin)
	if len(past) > 0 && past[0].at.After(p.from) {
		p.from = past[0].at
	}
	for _, m := range append(past, future...) {
		p.top = max(p.top, m.mean, m.high)
	}
	p.top = niceCeiling(p.top)
	p.open(title, r)
	p.events(events)
	p.axes()
	p.band(future)
	p.line(past, historyColour, 1.1)
	p.line(future, forecastColour, 1.6)
	p.origin(r.Origin)
	p.b.WriteString("</svg>\n")
	return p.b.Bytes()
}

func marks(points []scheduling.Point) []mark {
	out := make([]mark, len(points))
	for i, q := range points {
		out[i] = mark{q.Start, q.Mean, q.Mean, q.Mean}
		if n := len(q.Quantiles); n > 0 {
			out[i].low, out[i].high = q.Quantiles[0], q.Quantiles[n-1]
		}
	}
	return out
}

// past is the history in the picture, by slot or by day; slots without a record are left out.
func (p *plot) past(s Series, origin time.Time) []mark {
	var out []mark
	per := int(24 * time.Hour / s.Slot)
	first, _ := wallSlot(p.from, s.Slot, p.loc)
	for day := max(0, first-unixDay(s.First)); day*per < len(s.Values); day++ {
		var sum float64
		seen := false
		for k := range min(per, len(s.Values)-day*per) {
			at := wallInstant(unixDay(s.First)+day, k, s.Slot, p.loc)
			v := s.Values[day*per+k]
			if math.IsNaN(v) || at.Before(p.from) || at.Add(s.Slot).After(origin) || p.closed(at) {
				continue
			}
			if p.step == s.Slot {
				out = append(out, mark{at, v, v, v})
			}
			sum += v
			seen = true
		}
		start := wallInstant(unixDay(s.First)+day, 0, s.Slot, p.loc)
		if p.step > s.Slot && seen && !start.Before(p.from) && !start.Add(p.step).After(origin) {
			out = append(out, mark{start, sum, sum, sum})
		}
	}
	return out
}

// closed reports a slot outside the open hours that the forecast used.
func (p *plot) closed(at time.Time) bool {
	l := at.In(p.loc)
	return !p.hours.IsZero() && !p.hours.Open(l.Weekday(), 60*l.Hour()+l.Minute())
}

func (p *plot) x(t time.Time) float64 {
	return plotLeft + (plotWidth-plotLeft-plotRight)*float64(t.Sub(p.from))/float64(p.to.Sub(p.from))
}

func (p *plot) y(v float64) float64 {
	return plotHeight - plotBottom - (plotHeight-plotTop-plotBottom)*v/p.top
}

func (p *plot) open(title string, r Result) {
	fmt.Fprintf(&p.b, `<svg xmlns="http://www.w3.org/2000/svg" width="%g" height="%g" viewBox="0 0 %g %g" font-family="system-ui, 'Noto Sans SC', sans-serif" font-size="11" fill="#334155">
<rect width="100%%" height="100%%" fill="#ffffff"/>
`, plotWidth, plotHeight, plotWidth, plotHeight)
	per := fmt.Sprintf("%g minutes", p.step.Minutes())
	if p.step == 24*time.Hour {
		per = "day"
	}
	fmt.Fprintf(&p.b, `<text x="%g" y="20" font-size="14" font-weight="600">%s</text>`+"\n", plotLeft, escaped(title))
	fmt.Fprintf(&p.b, `<text x="%g" y="38" fill="#64748b">contacts per %s</text>`+"\n", plotLeft, per)
	x := plotWidth - plotRight - 330
	p.legend(x, historyColour, "history")
	p.legend(x+80, forecastColour, "forecast (mean)")
	if n := len(r.Curve.Levels); n > 0 {
		fmt.Fprintf(&p.b, `<rect x="%g" y="12" width="18" height="10" fill="%s"/>`, x+200, bandColour)
		fmt.Fprintf(&p.b, `<text x="%g" y="21">P%g to P%g</text>`+"\n", x+224, 100*r.Curve.Levels[0], 100*r.Curve.Levels[n-1])
	}
}

func (p *plot) legend(x float64, colour, text string) {
	fmt.Fprintf(&p.b, `<path d="M%g 17h18" stroke="%s" stroke-width="2"/><text x="%g" y="21">%s</text>`+"\n", x, colour, x+24, text)
}

// events shades each occurrence and names it once.
func (p *plot) events(events []Event) {
	for _, e := range events {
		if !e.Start.Before(p.to) || !e.End.After(p.from) {
			continue
		}
		a, b := p.x(e.Start), p.x(e.End)
		a, b = max(a, plotLeft), min(b, plotWidth-plotRight)
		fmt.Fprintf(&p.b, `<rect x="%.1f" y="%g" width="%.1f" height="%g" fill="%s"/>`, a, plotTop, b-a, plotHeight-plotTop-plotBottom, eventShade)
		fmt.Fprintf(&p.b, `<text x="%.1f" y="%g" fill="#b45309">%s</text>`+"\n", a+3, plotTop+12, escaped(e.Family))
		for _, at := range e.Openings {
			if at.After(p.from) && at.Before(p.to) {
				fmt.Fprintf(&p.b, `<path d="M%.1f %gV%g" stroke="%s" stroke-dasharray="2 3"/>`+"\n", p.x(at), plotTop, plotHeight-plotBottom, eventColour)
			}
		}
	}
}

// axes draws about five horizontal grid lines and readable dates.
func (p *plot) axes() {
	for i := range 6 {
		v := p.top * float64(i) / 5
		fmt.Fprintf(&p.b, `<path d="M%g %.1fH%g" stroke="#e2e8f0"/><text x="%g" y="%.1f" text-anchor="end">%s</text>`+"\n",
			plotLeft, p.y(v), plotWidth-plotRight, plotLeft-6, p.y(v)+4, axisFigure(v))
	}
	days, layout := p.tickDays()
	start, _ := wallSlot(p.from, 24*time.Hour, p.loc)
	last := math.Inf(-1)
	for d := start; ; d++ {
		at := wallInstant(d, 0, 24*time.Hour, p.loc)
		if at.After(p.to) {
			return
		}
		if at.Before(p.from) || days < 28 && d%days != 0 || days >= 28 && at.Day() != 1 {
			continue
		}
		x := p.x(at)
		if x-last < 64 {
			continue
		}
		last = x
		fmt.Fprintf(&p.b, `<path d="M%.1f %gv5" stroke="#94a3b8"/><text x="%.1f" y="%g" text-anchor="middle">%s</text>`+"\n",
			x, plotHeight-plotBottom, x, plotHeight-plotBottom+18, at.Format(layout))
	}
}

// tickDays chooses the distance of date ticks so that they do not touch.
func (p *plot) tickDays() (days int, layout string) {
	span := p.to.Sub(p.from).Hours() / 24
	switch {
	case span <= 15:
		return 1, "Mon 01-02"
	case span <= 30:
		return 2, "01-02"
	case span <= 100:
		return 7, "01-02"
	case span <= 200:
		return 14, "01-02"
	}
	return 28, "2006-01"
}

// band is the area between the outer quantiles; it breaks where the queue is closed.
func (p *plot) band(m []mark) {
	for _, run := range p.runs(m) {
		var d strings.Builder
		for i, q := range run {
			d.WriteString(moveOrLine(i) + p.xy(q.at, q.high))
		}
		for i := len(run) - 1; i >= 0; i-- {
			d.WriteString("L" + p.xy(run[i].at, run[i].low))
		}
		fmt.Fprintf(&p.b, `<path d="%sZ" fill="%s" stroke="%s" stroke-width="0.5"/>`+"\n", d.String(), bandColour, bandColour)
	}
}

func (p *plot) line(m []mark, colour string, width float64) {
	for _, run := range p.runs(m) {
		var d strings.Builder
		for i, q := range run {
			d.WriteString(moveOrLine(i) + p.xy(q.at, q.mean))
		}
		if len(run) == 1 {
			d.WriteString("h1")
		}
		fmt.Fprintf(&p.b, `<path d="%s" fill="none" stroke="%s" stroke-width="%g" stroke-linejoin="round"/>`+"\n", d.String(), colour, width)
	}
}

// runs cuts marks where a slot is skipped.
func (p *plot) runs(m []mark) [][]mark {
	var out [][]mark
	for i, q := range m {
		if i == 0 || q.at.Sub(m[i-1].at) > p.step+p.step/2 {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], q)
	}
	return out
}

func (p *plot) xy(t time.Time, v float64) string {
	return strconv.FormatFloat(p.x(t.Add(p.step/2)), 'f', 1, 64) + " " + strconv.FormatFloat(p.y(v), 'f', 1, 64)
}

func (p *plot) origin(at time.Time) {
	fmt.Fprintf(&p.b, `<path d="M%.1f %gV%g" stroke="#0f172a" stroke-dasharray="4 3"/><text x="%.1f" y="%g" text-anchor="end">origin</text>`+"\n",
		p.x(at), plotTop, plotHeight-plotBottom, p.x(at)-4, plotHeight-plotBottom-6)
}

func moveOrLine(i int) string {
	if i == 0 {
		return "M"
	}
	return "L"
}

// niceCeiling is the least of 1, 2, 2.5, 4, 5, 6, 8 x 10^n that is not below v, at least 1.
func niceCeiling(v float64) float64 {
	if v <= 1 {
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

func axisFigure(v float64) string {
	switch {
	case v >= 1e6:
		return strconv.FormatFloat(v/1e6, 'g', 4, 64) + " M"
	case v >= 1e4:
		return strconv.FormatFloat(v/1e3, 'g', 4, 64) + " k"
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

func escaped(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a bytes.Buffer never fails
	return b.String()
}
