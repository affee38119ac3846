package revise

import (
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
)

// cell is the step in which heads are counted: every shift, pause and slot is a multiple of it.
const cell = 5 * time.Minute

// Board holds heads against a requirement over a stretch of time and prices what is short or over, as
// the optimiser does: missing heads cost what roster.PricesOf says; a head too many costs Weights.Over.
type Board struct {
	span    calendar.Range
	weights roster.Weights
	cells   int
	queues  map[ids.Queue]int
	names   []ids.Queue
	target  []int32     // [queue*cells+cell]
	lost    [][]float64 // yuan per cell by heads: roster.Prices
	heads   []int32
}

// NewBoard lays the requirement of a span out; nobody works yet. The span begins and ends on a
// multiple of five minutes.
func NewBoard(span calendar.Range, demand []scheduling.Requirement, w roster.Weights) *Board {
	b := &Board{span: span, weights: w, cells: int((span.Duration() + cell - 1) / cell), queues: map[ids.Queue]int{}}
	for i, r := range demand {
		b.queues[r.Queue] = i
		b.names = append(b.names, r.Queue)
	}
	n := b.cells * len(demand)
	b.target, b.lost, b.heads = make([]int32, n), make([][]float64, n), make([]int32, n)
	for i, r := range demand {
		for _, need := range r.Needs {
			target, lost := int32(roster.TargetOf(need)), roster.PricesOf(need, r.Slot, cell, w).Lost
			from, until := b.cellsOf(calendar.Range{Start: need.Start, End: need.Start.Add(r.Slot)})
			for c := from; c < until; c++ {
				b.target[i*b.cells+c], b.lost[i*b.cells+c] = target, lost
			}
		}
	}
	return b
}

// cellsOf are the whole cells of a range that lie in the span.
func (b *Board) cellsOf(r calendar.Range) (from, until int) {
	from = int((r.Start.Sub(b.span.Start) + cell - 1) / cell)
	if r.Start.Before(b.span.Start) {
		from = 0
	}
	until = b.cells
	if r.End.Before(b.span.End) {
		until = int(r.End.Sub(b.span.Start) / cell)
	}
	return from, max(from, until)
}

// Count adds the work of a shift, or takes it away when by is negative.
func (b *Board) Count(s scheduling.Shift, by int32) {
	for _, a := range s.Activities {
		q, known := b.queues[a.Queue]
		if !known || a.Kind != scheduling.Work || !b.span.Overlaps(calendar.Range{Start: a.Start, End: a.End}) {
			continue
		}
		from, until := b.cellsOf(calendar.Range{Start: a.Start, End: a.End})
		for c := from; c < until; c++ {
			b.heads[q*b.cells+c] += by
		}
	}
}

// Price is what the board costs now, in yuan.
func (b *Board) Price() (short, over float64) {
	for i := range b.target {
		s, o := b.costOf(i)
		short, over = short+s, over+o
	}
	return short, over
}

// costOf is the cost of one cell of one queue.
func (b *Board) costOf(i int) (short, over float64) { return b.costAt(i, b.heads[i]) }

// costAt is that cost with n heads.
func (b *Board) costAt(i int, n int32) (short, over float64) {
	target := b.target[i]
	if n >= target {
		return 0, b.weights.Over * cell.Hours() * float64(n-target)
	}
	return b.lost[i][max(0, n)], 0
}

// Hours are the head-hours that are needed and that are missing.
func (b *Board) Hours() (needed, missing float64) { return b.hours(0, len(b.target)) }

// HoursOf are those of one queue.
func (b *Board) HoursOf(queue ids.Queue) (needed, missing float64) {
	q, known := b.queues[queue]
	if !known {
		return 0, 0
	}
	return b.hours(q*b.cells, (q+1)*b.cells)
}

func (b *Board) hours(from, until int) (needed, missing float64) {
	for i := from; i < until; i++ {
		needed += float64(b.target[i]) * cell.Hours()
		missing += float64(max(0, b.target[i]-b.heads[i])) * cell.Hours()
	}
	return needed, missing
}

// Shortage is a stretch of one queue in which the same number of heads is missing.
type Shortage struct {
	Queue   ids.Queue      `json:"queue"`
	Range   calendar.Range `json:"range"`
	Target  int            `json:"target"`
	Missing int            `json:"missing"` // heads
	Worth   float64        `json:"worth"`   // yuan lost in the stretch
}

func (b *Board) at(c int) time.Time { return b.span.Start.Add(time.Duration(c) * cell) }
