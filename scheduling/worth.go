package scheduling

import (
	"fmt"
	"math"

	"github.com/chaoban/chaoban/internal/fault"
)

// Step is a part of what heads of a slot save: from where the step before ended, each head up to Heads saves Value.
type Step struct {
	Heads int     `json:"heads"` // ready to work, counted from the first
	Value float64 `json:"value"` // yuan per head and slot
}

// Saved is what heads ready to work save of the money that the slot loses with nobody, in yuan: the area under Worth. A part of a
// head counts in part.
func (n Need) Saved(heads float64) (sum float64) {
	from := 0.0
	for _, s := range n.Worth {
		if heads <= from {
			break
		}
		sum += s.Value * (min(heads, float64(s.Heads)) - from)
		from = float64(s.Heads)
	}
	return sum
}

// Priced is the need with a curve of worth for its heads, and the value of the last one.
func (n Need) Priced(worth []Step) Need {
	n.Worth, n.Value = worth, 0
	if k := len(worth); k > 0 && worth[k-1].Heads == n.Heads {
		n.Value = worth[k-1].Value
	}
	return n
}

// WorthFields are the faults of the worth of a need; at is where the need stands. Steps go up in heads and down in value:
// who comes first saves most, which is what lets a roster put heads where they are worth most one after the other.
func (n Need) WorthFields(at string) (bad []fault.Field) {
	add := func(path string, value any, problem string) {
		bad = append(bad, fault.Field{Path: at + path, Value: fmt.Sprint(value), Problem: problem})
	}
	for i, s := range n.Worth {
		path := fmt.Sprintf(".worth[%d]", i)
		if s.Heads < 1 || i > 0 && s.Heads <= n.Worth[i-1].Heads {
			add(path+".heads", s.Heads, "must be 1 or more and above the step before it")
		}
		if !(s.Value >= 0) || math.IsInf(s.Value, 0) || i > 0 && s.Value > n.Worth[i-1].Value {
			add(path+".value", s.Value, "must be 0 or more and not above the step before it")
		}
	}
	if k := len(n.Worth); k > 0 && n.Worth[k-1].Heads > n.Heads {
		add(fmt.Sprintf(".worth[%d].heads", k-1), n.Worth[k-1].Heads, fmt.Sprintf("is more than the %d heads of the need", n.Heads))
	}
	return bad
}
