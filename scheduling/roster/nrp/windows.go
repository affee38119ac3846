package nrp

// Windows: a group's master should have no more cover cells than windowCells. Windows of up to leastWeeks are
// always priced; longer ones while they have no more than longCells, since the time of a master grows with the cube of
// them, and everybody's tables stay below windowTable, for then a row is priced in a few milliseconds. Long windows
// share hours and weekends out better over the days.
const (
	windowCells = 520
	longCells   = 300
	leastWeeks  = 4
	windowTable = 2 << 20
)

func (p *problem) weeks() int { return (p.days + 6) / 7 }

// planWindows sets how many weeks windows have, and whether there need be any.
func (p *problem) planWindows() {
	within := func(cells int) int { return p.weeks() * cells / max(1, len(p.covers)) }
	p.windowWeeks = max(1, min(leastWeeks, p.weeks(), within(windowCells)))
	for p.windowWeeks < min(p.weeks(), within(longCells)) && p.priced(p.windowWeeks+1, windowTable) {
		p.windowWeeks++
	}
	p.atOnce = len(p.covers)+p.workers <= masterLimit && p.priced(p.weeks(), tableLimit)
	p.long = len(p.covers) > windowCells || !p.priced(p.weeks(), windowTable)
}

// priced tells whether everybody's rows of some weeks can be priced in tables of a size.
func (p *problem) priced(weeks, table int) bool {
	idle, x := p.idle(), newPricer(p)
	win := window{0, min(p.days, 7*weeks)}
	for e := range p.workers {
		if s := newRowSpace(p, e, win, idle, x.counts[e], wholeLimits); s.size*(win.to-win.from+1) > table {
			return false
		}
	}
	return true
}
