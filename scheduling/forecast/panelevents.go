package forecast

import (
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/scheduling/chart"
)

const (
	eventColour  = "#b45309"
	openColour   = "#d97706"
	mostNameRows = 3
)

// phaseShades colour phases by what they are to a planner; a kind not named here gets the last.
var phaseShades = map[string]string{
	"warmup": "#fef9c3", "presale": "#fde68a", "balance": "#fdba74", "spot": "#fca5a5", "wave": "#fca5a5", "tail": "#d9f99d",
}

const (
	eventShade = "#fffbeb"
	phaseShade = "#e5e7eb"
	phaseDepth = 9.0 // height of the strip of phases
)

// eventName is where the name of an event stands; row -1 = nowhere, because all rows are full there.
type eventName struct {
	x   float64
	row int
}

// textWidth is about the width of a text of the size of the picture's font.
func textWidth(s string) float64 { return chart.TextWidth(s) - chart.TextWidth("") }

// layEvents picks the events in the picture and gives each name a row in which it touches no other;
// a name for which no row is left is dropped, the event can still be pointed at.
func (p *picture) layEvents() {
	var ends []float64
	events := slices.Clone(p.Events)
	slices.SortStableFunc(events, func(a, b Event) int { return a.Start.Compare(b.Start) })
	for _, e := range events {
		if !e.Start.Before(p.To) || !e.End.After(p.From) {
			continue
		}
		width := textWidth(e.Family) + 10
		at := eventName{x: max(min(p.within(e.Start), plotWidth-plotRight-width), plotLeft)}
		for at.row < len(ends) && ends[at.row] > at.x {
			at.row++
		}
		switch {
		case at.row == mostNameRows:
			at.row = -1
		case at.row == len(ends):
			ends = append(ends, 0)
			fallthrough
		default:
			ends[at.row] = at.x + width
		}
		p.part, p.names = append(p.part, e), append(p.names, at)
	}
	p.low = plotTop - 16 + stripHeight*float64(len(ends))
	if len(ends) > 0 {
		p.low += phaseDepth
	}
}

// eventBands shades each event and names it above.
func (p *picture) eventBands() {
	bottom := plotHeight - plotBottom
	for i, e := range p.part {
		a, b := p.within(e.Start), p.within(e.End)
		fmt.Fprintf(p.b, `<rect x="%.1f" y="%g" width="%.1f" height="%g" fill="%s"><title>%s</title></rect>`+"\n", a, p.low, b-a, bottom-p.low, eventShade, chart.Escape(e.Family))
		fmt.Fprintf(p.b, `<path d="M%.1f %gV%gM%.1f %gV%g" stroke="%s" stroke-width="0.6"/>`+"\n", a, p.low, bottom, b, p.low, bottom, openColour)
		if at := p.names[i]; at.row >= 0 {
			fmt.Fprintf(p.b, `<text x="%.1f" y="%g" fill="%s" font-weight="600">%s</text>`+"\n", at.x+2, plotTop-5+stripHeight*float64(at.row), eventColour, chart.Escape(e.Family))
		}
	}
}

// eventMarks draws phases and openings over the lines, so that none hides them.
func (p *picture) eventMarks() {
	for _, e := range p.part {
		for _, phase := range e.Phases {
			a, b := p.within(phase.Start), p.within(phase.End)
			if b <= a {
				continue
			}
			shade, ok := phaseShades[phase.Kind]
			if !ok {
				shade = phaseShade
			}
			fmt.Fprintf(p.b, `<rect x="%.1f" y="%g" width="%.1f" height="%g" fill="%s" stroke="#ffffff" stroke-width="0.5"><title>%s</title></rect>`+"\n",
				a, p.low-phaseDepth, b-a, phaseDepth, shade, chart.Escape(phase.Kind))
			if b-a > textWidth(phase.Kind) {
				fmt.Fprintf(p.b, `<text x="%.1f" y="%g" font-size="8" text-anchor="middle" fill="#78350f">%s</text>`+"\n", (a+b)/2, p.low-2, chart.Escape(phase.Kind))
			}
		}
	}
	p.openingMarks()
}

// openingMarks draws the openings of all events. Their times stand in two rows; one that would touch
// another is left out, and its line can be pointed at.
func (p *picture) openingMarks() {
	var all []time.Time
	for _, e := range p.part {
		for _, at := range e.Openings {
			if at.After(p.From) && at.Before(p.To) {
				all = append(all, at)
			}
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	all = slices.CompactFunc(all, time.Time.Equal)
	layout, bottom := openingLayout(p.To.Sub(p.From)), plotHeight-plotBottom
	ends := [2]float64{}
	for _, at := range all {
		x, l := p.x(at), at.In(p.loc)
		fmt.Fprintf(p.b, `<path d="M%.1f %gV%g" stroke="%s" stroke-dasharray="2 3"><title>%s</title></path>`+"\n", x, p.low, bottom, openColour, l.Format("2006-01-02 15:04"))
		from, anchor := x+2, "start"
		if from+openingWidth > plotWidth-plotRight {
			from, anchor = x-2-openingWidth, "end"
		}
		row := slices.IndexFunc(ends[:], func(end float64) bool { return end <= from })
		if row < 0 {
			continue
		}
		ends[row] = from + openingWidth
		shown := from
		if anchor == "end" {
			shown = x - 2
		}
		fmt.Fprintf(p.b, `<text x="%.1f" y="%g" font-size="9" text-anchor="%s" fill="%s">%s</text>`+"\n", shown, p.low+10+11*float64(row), anchor, eventColour, l.Format(layout))
	}
}

// openingWidth is the room of a time in the small font.
const openingWidth = 27.0

// openingLayout names an opening by its time of day, with the date where the axis is too coarse.
func openingLayout(span time.Duration) string {
	if span > 40*24*time.Hour {
		return "01-02"
	}
	return "15:04"
}
