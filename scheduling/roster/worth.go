package roster

import (
	"time"

	"github.com/chaoban/chaoban/scheduling"
)

// Prices are what the heads of a need are worth in a part of its slot, in yuan. Both are indexed by the heads that are there.
type Prices struct {
	Saves []float64 // what one more saves, falling; as many as the target
	Lost  []float64 // what is lost, from nobody to the whole target, which loses nothing
}

// PricesOf lists them for the target of a need. Its curve counts heads that are ready, and is spread evenly over those to roster:
// the n-th of T takes the place of the parts of heads from (n-1)·H/T to n·H/T. Without a curve every missing head costs the value
// (Weights.Short without one), and more by Weights.Depth the more are missing.
func PricesOf(n scheduling.Need, slot, part time.Duration, w Weights) Prices {
	target := TargetOf(n)
	p := Prices{Saves: make([]float64, target), Lost: make([]float64, target+1)}
	share := float64(part) / float64(slot)
	if len(n.Worth) > 0 {
		ready := func(heads int) float64 { return n.Saved(float64(heads) * float64(n.Heads) / float64(target)) }
		all := ready(target)
		for i := range target {
			p.Lost[i], p.Saves[i] = (all-ready(i))*share, (ready(i+1)-ready(i))*share
			if i > 0 {
				p.Saves[i] = min(p.Saves[i], p.Saves[i-1]) // but for rounding it falls
			}
		}
		return p
	}
	value := n.Value * share
	if n.Value == 0 {
		value = w.Short * part.Hours()
	}
	for i := range target {
		short := float64(target - i)
		p.Saves[i] = value * (1 + w.Depth*(short-1)/float64(target))
		p.Lost[i] = value * (short + w.Depth*short*(short-1)/2/float64(target))
	}
	return p
}

// value is what a head of the target is worth, in the mean along a curve, at least without one.
func (p Prices) value(n scheduling.Need) float64 {
	switch {
	case len(p.Saves) == 0:
		return 0
	case len(n.Worth) > 0:
		return p.Lost[0] / float64(len(p.Saves))
	default:
		return p.Saves[len(p.Saves)-1]
	}
}

// priceTable holds the prices of all needs of a model; cells with the same prices share them.
type priceTable struct {
	saves, lost []float64
	flat        map[flatPrice]int32
}

// flatPrice names the prices of a need without a curve.
type flatPrice struct {
	value  float64
	target int
}

// add puts prices into the table and returns where they are.
func (t *priceTable) add(n scheduling.Need, p Prices) int32 {
	key := flatPrice{p.value(n), len(p.Saves)}
	if at, known := t.flat[key]; known && len(n.Worth) == 0 {
		return at
	}
	at := int32(len(t.saves))
	t.saves, t.lost = append(append(t.saves, p.Saves...), 0), append(t.lost, p.Lost...)
	if len(n.Worth) == 0 {
		if t.flat == nil {
			t.flat = map[flatPrice]int32{}
		}
		t.flat[key] = at
	}
	return at
}

// saving is the yuan saved by one more head on a queue in a slot that now has n heads.
func (m *model) saving(i int, n int16) float64 {
	if n >= m.target[i] {
		return -m.p.Weights.Over / m.perHour
	}
	return m.prices.saves[int(m.price[i])+int(n)]
}

// dearest is the yuan saved by the first head on a queue in a slot that needs some.
func (m *model) dearest(i int) float64 { return m.prices.saves[m.price[i]] }

// slotCost is the yuan lost in a slot of a queue with n heads.
func (m *model) slotCost(i int, n int16) (short, over float64) {
	target := m.target[i]
	if n >= target {
		return 0, m.p.Weights.Over / m.perHour * float64(n-target)
	}
	return m.prices.lost[int(m.price[i])+int(n)], 0
}

// wanted is the number of heads, from few to those of the target, that save at least a price each.
func (m *model) wanted(i int, few int16, price float64) int16 {
	low, high := few, max(few, m.target[i])
	for low < high {
		mid := low + (high-low)/2
		if m.saving(i, mid) < price {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low
}
