package workrules

import (
	"slices"

	"github.com/chaoban/chaoban/internal/ids"
)

// Breaches are the violations of one rule together.
type Breaches struct {
	Rule     string      `json:"rule"`
	Says     Text        `json:"says"`
	Hard     bool        `json:"hard"`
	Count    int         `json:"count"`
	Agents   []ids.Agent `json:"agents"`   // ascending
	Examples []Violation `json:"examples"` // the first ones in time
}

// ByRule groups violations by rule, in the order of the pack, with some examples of each. The sentences of the
// rules state the limits of the parameters that the violations were found under.
func ByRule(found []Violation, p Params, examples int) []Breaches {
	out := []Breaches{}
	for _, rule := range RulesUnder(p) {
		b := Breaches{Rule: rule.Code, Says: rule.Says}
		for _, v := range found {
			if v.Rule == rule.Code {
				b.Count++
				b.Hard = b.Hard || v.Hard
				b.Agents, b.Examples = append(b.Agents, v.Agent), append(b.Examples, v)
			}
		}
		if b.Count == 0 {
			continue
		}
		slices.Sort(b.Agents)
		b.Agents = slices.Compact(b.Agents)
		slices.SortStableFunc(b.Examples, func(x, y Violation) int { return x.Range.Start.Compare(y.Range.Start) })
		b.Examples = b.Examples[:min(examples, len(b.Examples))]
		out = append(out, b)
	}
	return out
}
