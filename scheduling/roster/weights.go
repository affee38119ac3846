package roster

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

// Weights turn everything into yuan, so that cost, bound and gap are one currency.
type Weights struct {
	Short      float64 `json:"short"`      // per missing head-hour where Need.Worth is empty and Need.Value is 0
	Depth      float64 `json:"depth"`      // extra share of a slot's value for each further head missing in it, relative to its target; not with Need.Worth
	Over       float64 `json:"over"`       // per head-hour above the target
	Wage       float64 `json:"wage"`       // factor on Agent.Wage
	MinWork    float64 `json:"min_work"`   // per hour below Agent.MinWork
	Fairness   float64 `json:"fairness"`   // per squared night or weekend shift, ledger included
	Preference float64 `json:"preference"` // factor on Preference.Weight
	Stability  float64 `json:"stability"`  // per agent-day that differs from Previous
	SoftRule   float64 `json:"soft_rule"`  // per soft rule violation (short rest)
	Switch     float64 `json:"switch"`     // per change of queue inside a shift, over a pause as well
}

// DefaultWeights price a missing head-hour at 100 yuan and keep everything else small beside it.
func DefaultWeights() Weights {
	return Weights{Short: 100, Depth: 0.2, Over: 1, Wage: 1, MinWork: 2, Fairness: 1, Preference: 1, Stability: 10, SoftRule: 20}
}

// How long people stay on a queue where nobody said otherwise: an hour, and a change is worth the few
// minutes at 30 yuan an hour that it takes to find one's way around in another shop.
const (
	HouseBlock  = time.Hour
	HouseSwitch = 2.0 // yuan
)

// Ranges of what is yuan and of what multiplies yuan. Nobody pays more for a head in a slot, an hour or a change, and
// with a few prices far above all others the search for the bound finds no scale and ends at 0.
const (
	mostYuan   = 100_000.0
	mostFactor = 10.0
)

// between says what is wrong with a number that must lie in a range; "" when nothing is.
func between(v, least, most float64, unit string) string {
	if v >= least && v <= most {
		return ""
	}
	return fmt.Sprintf("must be %.0f to %.0f%s", least, most, unit)
}

// named is one weight under its name in files.
type named struct {
	name  string
	value *float64
	most  float64
}

func (w *Weights) named() []named {
	return []named{
		{"short", &w.Short, mostYuan},
		{"depth", &w.Depth, mostFactor},
		{"over", &w.Over, mostYuan},
		{"wage", &w.Wage, mostFactor},
		{"min_work", &w.MinWork, mostYuan},
		{"fairness", &w.Fairness, mostYuan},
		{"preference", &w.Preference, mostFactor},
		{"stability", &w.Stability, mostYuan},
		{"soft_rule", &w.SoftRule, mostYuan},
		{"switch", &w.Switch, mostYuan},
	}
}

// With lays some weights over w by their names in files. The fields name what is no weight, and what is
// outside its range, by name.
func (w Weights) With(some map[string]float64) (Weights, []fault.Field) {
	var bad []fault.Field
	all := w.named()
	for _, name := range slices.Sorted(maps.Keys(some)) {
		i := slices.IndexFunc(all, func(n named) bool { return n.name == name })
		if i < 0 {
			names := make([]string, len(all))
			for k, n := range all {
				names[k] = n.name
			}
			bad = append(bad, fault.Field{Path: "weights." + fault.Shorten(name), Problem: "is no weight; there are " + strings.Join(names, ", ")})
			continue
		}
		*all[i].value = some[name]
	}
	return w, append(bad, w.problems()...)
}

func (w Weights) problems() (bad []fault.Field) {
	for _, n := range w.named() {
		unit := " yuan"
		if n.most == mostFactor {
			unit = ""
		}
		if problem := between(*n.value, 0, n.most, unit); problem != "" {
			bad = append(bad, fault.Field{Path: "weights." + n.name, Value: fmt.Sprint(*n.value), Problem: problem})
		}
	}
	return bad
}
