package forecast

import (
	"fmt"
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

// layEvents picks the events in the picture and gives each name a row in which it touches no other.
func (p *picture) layEvents() {
	var ends []float64
	for _, e := range p.Events {
		if !e.Start.Before(p.To) || !e.End.After(p.From) {
			continue
		}
		from, row := p.within(e.Start), 0
		for row < len(ends) && ends[row] > from {
			row++
		}
		if row == len(ends) {
			ends = append(ends, 0)
		}
		ends[row] = max(p.within(e.End), from+8*float64(len([]rune(e.Family)))+6)
		p.part, p.rows = append(p.part, e), append(p.rows, min(row, mostNameRows-1))
	}
	p.low = plotTop - 16 + stripHeight*float64(min(len(ends), mostNameRows))
	if len(ends) > 0 {
		p.low += phaseDepth
	}
}

// eventBands shades each event and, in a strip above, its phases.
func (p *picture) eventBands() {
	bottom := plotHeight - plotBottom
	for i, e := range p.part {
		a, b := p.within(e.Start), p.within(e.End)
		fmt.Fprintf(p.b, `<rect x="%.1f" y="%g" width="%.1f" height="%g" fill="%s"/>`+"\n", a, p.low, b-a, bottom-p.low, eventShade)
		fmt.Fprintf(p.b, `<path d="M%.1f %gV%gM%.1f %gV%g" stroke="%s" stroke-width="0.6"/>`+"\n", a, p.low, bottom, b, p.low, bottom, openColour)
		top := plotTop - 16 + stripHeight*float64(p.rows[i])
		fmt.Fprintf(p.b, `<text x="%.1f" y="%g" fill="%s" font-weight="600">%s</text>`+"\n", a+2, top+11, eventColour, chart.Escape(e.Family))
	}
}

// eventMarks draws phases and openings over the lines, so that none hides them.
func (p *picture) eventMarks() {
	bottom := plotHeight - plotBottom
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
			if b-a > 6*float64(len(phase.Kind)) {
				fmt.Fprintf(p.b, `<text x="%.1f" y="%g" font-size="8" text-anchor="middle" fill="#78350f">%s</text>`+"\n", (a+b)/2, p.low-2, chart.Escape(phase.Kind))
			}
		}
		last := -100.0
		for _, at := range e.Openings {
			if !at.After(p.From) || !at.Before(p.To) {
				continue
			}
			x := p.x(at)
			fmt.Fprintf(p.b, `<path d="M%.1f %gV%g" stroke="%s" stroke-dasharray="2 3"/>`+"\n", x, p.low, bottom, openColour)
			if x-last > 34 {
				fmt.Fprintf(p.b, `<text x="%.1f" y="%g" font-size="9" fill="%s">%s</text>`+"\n", x+2, p.low+10, eventColour, at.In(p.loc).Format(openingLayout(p.To.Sub(p.From))))
				last = x
			}
		}
	}
}

// openingLayout names an opening by its time of day, with the date where the axis is too coarse.
func openingLayout(span time.Duration) string {
	if span > 40*24*time.Hour {
		return "01-02"
	}
	return "15:04"
}
