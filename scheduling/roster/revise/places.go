package revise

import (
	"slices"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
)

// places counts who sits at each site of a problem in the cells of a board. Beyond the board nobody looks.
type places struct {
	board  *Board
	siteOf func(ids.Agent) ids.Site
	index  map[ids.Site]int
	seats  [][]int32 // per site and cell
	seated [][]int32
}

// newPlaces seats the shifts of the roster and those around it.
func newPlaces(p roster.Problem, b *Board) *places {
	x := &places{board: b, siteOf: p.SiteOf(), index: map[ids.Site]int{}}
	for i := range p.Sites {
		x.index[p.Sites[i].ID] = i
		row := make([]int32, b.cells)
		for c := range row {
			row[c] = int32(p.Sites[i].At(b.at(c), p.Location))
		}
		x.seats, x.seated = append(x.seats, row), append(x.seated, make([]int32, b.cells))
	}
	for _, s := range p.Previous {
		x.count(s, 1)
	}
	for _, a := range p.Agents {
		for _, s := range slices.Concat(a.History, a.Later) {
			x.count(s, 1)
		}
	}
	return x
}

// cells are those that a shift touches, from its start to its end.
func (x *places) cells(s scheduling.Shift) (from, until int) {
	if !s.Range().Overlaps(x.board.span) {
		return 0, 0
	}
	from = max(0, int(s.Start.Sub(x.board.span.Start)/cell))
	until = min(x.board.cells, int((s.End.Sub(x.board.span.Start)+cell-1)/cell))
	return from, until
}

func (x *places) count(s scheduling.Shift, by int32) {
	i, ok := x.index[x.siteOf(s.Agent)]
	if !ok {
		return
	}
	from, until := x.cells(s)
	for c := from; c < until; c++ {
		x.seated[i][c] += by
	}
}

// room reports whether somebody of a site has a seat for a shift that takes the place of another one (nil:
// of none).
func (x *places) room(site ids.Site, drop *scheduling.Shift, s scheduling.Shift) bool {
	i, ok := x.index[site]
	if !ok {
		return true
	}
	held := calendar.Range{}
	if drop != nil {
		held = drop.Range()
	}
	from, until := x.cells(s)
	for c := from; c < until; c++ {
		if own := held.Contains(x.board.at(c)); !own && x.seated[i][c] >= x.seats[i][c] {
			return false
		}
	}
	return true
}

// choppier reports that a shift has more blocks that are too short than the one whose place it takes.
func (r *repairer) choppier(drop *scheduling.Shift, s scheduling.Shift) bool {
	before := 0
	if drop != nil {
		before = len(roster.ShortBlocks(*drop, r.p.MinBlock))
	}
	return len(roster.ShortBlocks(s, r.p.MinBlock)) > before
}

// wholeBlocks widens a stretch of cells that is to serve another queue to the least block, and to the ends
// of its activity where what is left would be shorter than that.
func (r *repairer) wholeBlocks(from, to int, all calendar.Range, first, until int, best float64) (int, int, float64) {
	b := r.board
	lo, hi := b.cellsOf(all)
	least := int((r.p.MinBlock + cell - 1) / cell)
	if until <= first || least == 0 {
		return first, until, best
	}
	until = min(hi, max(until, first+least))
	first = max(lo, min(first, until-least))
	if first-lo < least {
		first = lo
	}
	if hi-until < least {
		until = hi
	}
	sum := 0.0
	for c := first; c < until; c++ {
		sum += r.gain(to*b.cells+c) - r.loss(from*b.cells+c)
	}
	return first, until, sum
}
