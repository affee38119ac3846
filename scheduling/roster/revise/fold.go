package revise

import (
	"slices"
	"time"

	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// fold joins steps that change one shift again into the first of them, with the sum of what they save and cost: a
// shift that is moved twice is moved once, to where it ends. Of the soft rules of joined steps those stay that the
// repaired roster still breaks.
func fold(moves []RepairMove, broken []workrules.Violation, zone *time.Location) []RepairMove {
	out := []RepairMove{}
	for _, m := range moves {
		i, k := continued(out, m)
		if i < 0 {
			out = append(out, m)
			continue
		}
		first := out[i]
		before, after := shiftsOf(first.Changes[k].Before), shiftsOf(m.Changes[0].After)
		first.Changes = slices.Concat(first.Changes[:k], Between(before, after, zone), first.Changes[k+1:])
		first.Saves, first.Costs = first.Saves+m.Saves, first.Costs+m.Costs
		if first.Kind == Retask {
			first.Kind = m.Kind
		}
		var soft []workrules.Violation
		for _, v := range slices.Concat(first.Soft, m.Soft) {
			same := func(x workrules.Violation) bool {
				return x.Rule == v.Rule && x.Agent == v.Agent && x.Range.Start.Equal(v.Range.Start)
			}
			if slices.ContainsFunc(broken, same) && !slices.ContainsFunc(soft, same) {
				soft = append(soft, v)
			}
		}
		first.Soft = soft
		out[i] = first
	}
	return slices.DeleteFunc(out, func(m RepairMove) bool { return len(m.Changes) == 0 })
}

// continued finds the last step, and its change, that left the shift which a step of one change changes; -1 for none.
func continued(moves []RepairMove, m RepairMove) (step, change int) {
	if len(m.Changes) != 1 || m.Changes[0].Before == nil {
		return -1, -1
	}
	was := *m.Changes[0].Before
	for i, x := range slices.Backward(moves) {
		for k, c := range x.Changes {
			if c.After != nil && c.After.Agent == was.Agent && c.After.Start.Equal(was.Start) && c.After.End.Equal(was.End) {
				return i, k
			}
		}
	}
	return -1, -1
}

func shiftsOf(s *scheduling.Shift) []scheduling.Shift {
	if s == nil {
		return nil
	}
	return []scheduling.Shift{*s}
}
