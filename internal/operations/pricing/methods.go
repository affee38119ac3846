package pricing

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

// Method names how heads are found.
type Method string

// Each staffs every queue for itself to its target.
const Each Method = "each"

// staffer turns the stretches of all queues into heads, one output per stretch in the same order.
type staffer func(ctx context.Context, all []stretch, o Options) ([]staffing.Output, error)

// methods are those that a plan or scenario may name.
var methods = map[Method]staffer{Each: eachQueue}

func methodNames() string {
	var names []string
	for _, m := range slices.Sorted(maps.Keys(methods)) {
		names = append(names, string(m))
	}
	return strings.Join(names, ", ")
}

func eachQueue(ctx context.Context, all []stretch, o Options) ([]staffing.Output, error) {
	out := make([]staffing.Output, len(all))
	for i, s := range all {
		if err := ctx.Err(); err != nil {
			return nil, fault.Of(err)
		}
		var err error
		out[i], err = staffing.Plan(staffing.Input{
			Curve: s.curve, Target: s.part.Target, Shrinkage: o.Shrinkage, MinHeads: o.MinHeads, MaxHeads: o.MaxHeads, Slot: calendar.Slot,
		})
		if err != nil {
			return nil, gate.Placed(err, "queue "+string(s.queue.ID))
		}
	}
	return out, nil
}
