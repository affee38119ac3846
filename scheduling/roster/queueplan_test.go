package roster

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// cheapestPath tries every path of a shift; it is slow and obvious.
func cheapestPath(p *queuePlan) float64 {
	best := math.Inf(1)
	path := make([]int, len(p.pause))
	var try func(i int)
	try = func(i int) {
		if i == len(path) {
			if keepsBlocks(path, p.block) {
				best = min(best, costOfPath(p, path))
			}
			return
		}
		if p.pause[i] {
			path[i] = -1
			try(i + 1)
			return
		}
		for k := range p.width {
			path[i] = k
			try(i + 1)
		}
	}
	try(0)
	return best
}

func costOfPath(p *queuePlan, path []int) (cost float64) {
	last := -1
	for i, k := range path {
		if k < 0 {
			continue
		}
		cost += p.loss[i*p.width+k]
		if last >= 0 && last != k {
			cost += p.price
		}
		last = k
	}
	return cost
}

// keepsBlocks cuts a path at its pauses and looks at the runs of each part.
func keepsBlocks(path []int, block int) bool {
	for i := 0; i < len(path); i++ {
		if path[i] < 0 {
			continue
		}
		j := i
		for j < len(path) && path[j] >= 0 {
			j++
		}
		part := path[i:j]
		run := 1
		for t := 1; t <= len(part); t++ {
			if t < len(part) && part[t] == part[t-1] {
				run++
				continue
			}
			if run < min(block, len(part)) {
				return false
			}
			run = 1
		}
		i = j
	}
	return true
}

func randomPlan(t *rapid.T) *queuePlan {
	p := &queuePlan{block: rapid.IntRange(1, 5).Draw(t, "block"), price: float64(rapid.IntRange(0, 4).Draw(t, "price"))}
	p.begin(rapid.IntRange(1, 8).Draw(t, "slots"), rapid.IntRange(1, 3).Draw(t, "queues"))
	for i := range p.pause {
		p.pause[i] = rapid.IntRange(0, 4).Draw(t, "pause") == 0
	}
	for i := range p.loss {
		p.loss[i] = float64(rapid.IntRange(-6, 3).Draw(t, "loss"))
	}
	return p
}

func TestQueuePlanIsTheCheapestOfAllPaths(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := randomPlan(t)
		got := p.solve()
		if slices.Contains(p.pause, false) {
			require.InDelta(t, cheapestPath(p), got, 1e-9)
			require.InDelta(t, got, costOfPath(p, p.path), 1e-9)
		}
		require.True(t, keepsBlocks(p.path, p.block), "%v", p.path)
		p.draw(2, rand.New(rand.NewPCG(1, 2)))
		require.True(t, keepsBlocks(p.path, p.block), "%v", p.path)
	})
}

// Three slots, blocks of two slots: the paths are 000 and 111 only (a block of two and one of one is not
// allowed). At temperature 1 the odds of costs 0 and 1 are 1 to 1/e.
func TestQueuePlanDrawsByBoltzmannWeight(t *testing.T) {
	p := &queuePlan{block: 2, price: 7}
	p.begin(3, 2)
	copy(p.pause, []bool{false, false, false})
	copy(p.loss, []float64{0, 0.5, 0, 0.25, 0, 0.25})
	rng := rand.New(rand.NewPCG(3, 4))
	first := 0
	const n = 20000
	for range n {
		p.draw(1, rng)
		if slices.Equal(p.path, []int{0, 0, 0}) {
			first++
		} else {
			require.Equal(t, []int{1, 1, 1}, p.path)
		}
	}
	assert.InDelta(t, 1/(1+math.Exp(-1)), float64(first)/n, 0.015)
	// Four slots and blocks of one: sixteen paths, each by its weight.
	p = &queuePlan{block: 1, price: 0.7}
	p.begin(4, 2)
	copy(p.pause, []bool{false, false, true, false})
	copy(p.loss, []float64{0.3, 0, 0, 0.6, 0, 0, 0.2, 0})
	want, sum := map[[4]int]float64{}, 0.0
	for x := range 8 {
		path := [4]int{x & 1, x >> 1 & 1, -1, x >> 2}
		want[path] = math.Exp(-costOfPath(p, path[:]))
		sum += want[path]
	}
	got := map[[4]int]float64{}
	for range n {
		p.draw(1, rng)
		got[[4]int(p.path)]++
	}
	for path, weight := range want {
		assert.InDelta(t, weight/sum, got[path]/n, 0.015, "%v", path)
	}
}
