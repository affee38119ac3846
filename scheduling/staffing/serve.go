package staffing

import (
	"math"
	"time"
)

// Serve is what heads achieve in one slot of a target, in steady state. Nobody there means that nobody is
// answered.
func Serve(t Target, contacts float64, slot, handle time.Duration, heads int) Reached {
	r := Reached{Contacts: contacts, HandleTime: handle, Heads: heads}
	switch {
	case contacts <= 0:
		r.Share = 1
	case heads <= 0:
		r.Abandon, r.WaitSeconds = 1, t.Patience.Seconds()
		if t.Patience == 0 {
			r.Abandon, r.WaitSeconds = 0, -1
		}
	case t.Concurrency > 1:
		p := t.Chats(contacts, slot, handle).At(heads, t.Within, t.Within)
		r.Share, r.Abandon, r.Occupancy, r.WaitSeconds = p.FirstWithin, p.Abandon, p.Occupancy, p.ASASeconds
	default:
		model := ModelC
		if t.Patience > 0 {
			model = ModelA
		}
		p := Evaluate(model, Queue{Contacts: contacts, Interval: slot, HandleTime: handle, Patience: t.Patience}, float64(heads), t.Within)
		r.Share, r.Abandon, r.Occupancy, r.WaitSeconds = p.ServiceLevel, p.Abandon, p.Occupancy, p.ASASeconds
	}
	if math.IsInf(r.WaitSeconds, 0) {
		r.WaitSeconds = -1 // the queue grows without end
	}
	r.Met = r.Share >= t.Share && (t.OccupancyCap == 0 || r.Occupancy <= t.OccupancyCap) && (t.AbandonCap == 0 || r.Abandon <= t.AbandonCap)
	return r
}
