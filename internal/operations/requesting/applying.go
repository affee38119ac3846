package requesting

import (
	"slices"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/leave"
)

// apply makes effects binding, inside the change of the step that caused them. It is the one place
// where requests change a roster. Errors: roster.stale, roster.double_booked.
func apply(tx *store.Tx, effects []leave.Effect, why leave.Kind) error {
	effects = slices.DeleteFunc(slices.Clone(effects), leave.Effect.Empty)
	if len(effects) == 0 {
		return nil
	}
	return tx.MoveShifts(effects, string(why))
}

// byRoster divides shifts among the rosters they are in.
func byRoster(shifts []store.Shift) (out []rosterShifts) {
	at := map[ids.Roster]int{}
	for _, s := range shifts {
		i, known := at[s.Roster]
		if !known {
			i = len(out)
			at[s.Roster] = i
			out = append(out, rosterShifts{roster: s.Roster})
		}
		out[i].shifts = append(out[i].shifts, s.Shift)
	}
	return out
}

type rosterShifts struct {
	roster ids.Roster
	shifts []scheduling.Shift
}
