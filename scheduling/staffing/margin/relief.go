package margin

import (
	"container/heap"
	"math"
)

// relief is what a head costs more in each slot because people come for blocks: slots that need many pay for their
// neighbours that need few. It is the dual of covering the slots with blocks, so every block pays at most nothing in sum and any
// bound that adds it to the wages holds. The covering is a minimum cost flow along time (a block is an arc from its start to its
// end, a head an arc back over its slot), solved by successive shortest
// paths.
func (q *queue) relief(lengths []int, worth []worth) []float64 {
	out := make([]float64, len(worth))
	for from := 0; from < len(worth); from = q.end[from] {
		run := newCovering(lengths, worth[from:q.end[from]])
		run.settle()
		if !run.holds() {
			continue
		}
		for t := range run.heads {
			out[from+t] = run.potential[t+1] - run.potential[t]
		}
	}
	return out
}

// worth of the heads of a slot.
type worth struct {
	least  int
	net    []float64 // yuan by heads from the least on, wages taken off
	beyond float64   // what a head above those of net costs, infinite where there may be none
}

// holds checks what a bound needs of the potentials: no block pays, and no head beyond the rows gains.
func (c *covering) holds() bool {
	const slack = 1e-9
	for t := range c.heads {
		for _, l := range c.lengths {
			if t+l <= len(c.heads) && c.potential[t+l] > c.potential[t]+slack {
				return false
			}
		}
		if c.potential[t+1]-c.potential[t] < -c.slots[t].beyond-slack {
			return false
		}
	}
	return true
}

// covering of one run of slots. Node t is the start of slot t.
type covering struct {
	lengths   []int
	slots     []worth
	gain      [][]float64 // of one head more, by slot and heads above the least; falling
	heads     []int       // above the least
	blocks    [][]int     // by length and start
	excess    []int       // blocks that should begin at a node, less those that should end
	potential []float64
	distance  []float64
	from      []arc // the last arc of the shortest path to a node
	done      []bool
	seen      []int
}

// arc of the residual network.
type arc struct {
	node   int // it comes from
	length int // of a block, -1 for a head
	more   bool
}

func newCovering(lengths []int, slots []worth) *covering {
	n := len(slots)
	c := &covering{
		slots: slots,
		heads: make([]int, n), excess: make([]int, n+1), potential: make([]float64, n+1), distance: make([]float64, n+1),
		from: make([]arc, n+1), done: make([]bool, n+1),
	}
	for _, l := range lengths {
		c.lengths = append(c.lengths, min(l, n))
		c.blocks = append(c.blocks, make([]int, n))
	}
	for t, w := range slots {
		c.gain = append(c.gain, concave(w.net))
		for c.heads[t] < len(c.gain[t]) && c.gain[t][c.heads[t]] > 0 {
			c.heads[t]++
		}
		c.excess[t] += w.least + c.heads[t]
		c.excess[t+1] -= w.least + c.heads[t]
	}
	for t := range c.distance {
		c.distance[t] = math.Inf(1)
	}
	return c
}

// concave is the steps of the least concave function above a row.
func concave(row []float64) []float64 {
	var at []int
	for h := range row {
		for len(at) > 1 {
			a, b := at[len(at)-2], at[len(at)-1]
			if (row[b]-row[a])*float64(h-b) > (row[h]-row[b])*float64(b-a) {
				break
			}
			at = at[:len(at)-1]
		}
		at = append(at, h)
	}
	steps := make([]float64, 0, len(row)-1)
	for i := 1; i < len(at); i++ {
		for range at[i] - at[i-1] {
			steps = append(steps, (row[at[i]]-row[at[i-1]])/float64(at[i]-at[i-1]))
		}
	}
	return steps
}

// settle sends every excess to where blocks end.
func (c *covering) settle() {
	for t := 0; t < len(c.excess); t++ {
		for c.excess[t] > 0 {
			end, found := c.path(t)
			if !found {
				return // the ceilings leave no cover; the potentials hold all the same
			}
			for v := end; v != t; v = c.from[v].node {
				c.send(c.from[v], v)
			}
			c.excess[t]--
			c.excess[end]++
		}
	}
}

// send one unit over an arc to a node.
func (c *covering) send(a arc, to int) {
	switch {
	case a.length < 0 && a.more:
		c.heads[to]++
	case a.length < 0:
		c.heads[a.node]--
	case a.more:
		c.blocks[a.length][a.node]++
	default:
		c.blocks[a.length][to]--
	}
}

// path finds the nearest node where a block should end, and moves the potentials (Dijkstra with reduced costs).
func (c *covering) path(source int) (end int, found bool) {
	for _, v := range c.seen {
		c.distance[v], c.done[v] = math.Inf(1), false
	}
	c.seen = append(c.seen[:0], source)
	c.distance[source] = 0
	open := &nearest{{0, source}}
	for open.Len() > 0 {
		x := heap.Pop(open).(reached)
		if c.done[x.node] {
			continue
		}
		c.done[x.node] = true
		if c.excess[x.node] < 0 {
			for _, v := range c.seen {
				c.potential[v] += min(c.distance[v], x.distance) - x.distance
			}
			return x.node, true
		}
		c.each(x.node, func(a arc, to int, cost float64) {
			d := x.distance + max(0, cost+c.potential[x.node]-c.potential[to])
			if d < c.distance[to] {
				if math.IsInf(c.distance[to], 1) {
					c.seen = append(c.seen, to)
				}
				c.distance[to], c.from[to] = d, a
				heap.Push(open, reached{d, to})
			}
		})
	}
	return 0, false
}

// each arc that leaves a node.
func (c *covering) each(v int, f func(a arc, to int, cost float64)) {
	n := len(c.heads)
	for i, l := range c.lengths {
		if i > 0 && l == c.lengths[i-1] {
			continue // a run too short for both
		}
		if v+l <= n {
			f(arc{v, i, true}, v+l, 0)
		}
		if v-l >= 0 && c.blocks[i][v-l] > 0 {
			f(arc{v, i, false}, v-l, 0)
		}
	}
	if v > 0 {
		cost := c.slots[v-1].beyond
		if h := c.heads[v-1]; h < len(c.gain[v-1]) {
			cost = -c.gain[v-1][h]
		}
		if !math.IsInf(cost, 1) {
			f(arc{v, -1, true}, v-1, cost)
		}
	}
	if v < n && c.heads[v] > 0 {
		cost := -c.slots[v].beyond
		if h := c.heads[v]; h <= len(c.gain[v]) {
			cost = c.gain[v][h-1]
		}
		f(arc{v, -1, false}, v+1, cost)
	}
}

// nearest is the nodes at hand, the nearest first.
type nearest []reached

type reached struct {
	distance float64
	node     int
}

func (f nearest) Len() int           { return len(f) }
func (f nearest) Less(i, j int) bool { return f[i].distance < f[j].distance }
func (f nearest) Swap(i, j int)      { f[i], f[j] = f[j], f[i] }

// Push is for package heap.
func (f *nearest) Push(x any) { *f = append(*f, x.(reached)) }

// Pop is for package heap.
func (f *nearest) Pop() any {
	last := (*f)[len(*f)-1]
	*f = (*f)[:len(*f)-1]
	return last
}
