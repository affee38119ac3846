package exposure

import (
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

// Serve is what heads achieve in one slot of a target, in steady state. Nobody there means that nobody is
// answered.
func Serve(t staffing.Target, contacts float64, slot, handle time.Duration, heads int) staffing.Reached {
	r := staffing.Reached{Contacts: contacts, HandleTime: handle, Heads: heads}
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
		p := staffing.Evaluate(callModel(t), staffing.Queue{Contacts: contacts, Interval: slot, HandleTime: handle, Patience: t.Patience}, float64(heads), t.Within)
		r.Share, r.Abandon, r.Occupancy, r.WaitSeconds = p.ServiceLevel, p.Abandon, p.Occupancy, p.ASASeconds
	}
	if math.IsInf(r.WaitSeconds, 0) {
		r.WaitSeconds = -1 // the queue grows without end
	}
	r.Met = r.Share >= t.Share && (t.OccupancyCap == 0 || r.Occupancy <= t.OccupancyCap) && (t.AbandonCap == 0 || r.Abandon <= t.AbandonCap)
	return r
}

func callModel(t staffing.Target) staffing.Model {
	if t.Patience > 0 {
		return staffing.ModelA
	}
	return staffing.ModelC
}

// Quantile reads the contacts of a point at any probability: on straight lines between the stored quantiles
// over the normal score, which are exact for a normal and close for a skewed forecast, and the outermost line
// goes on beyond the last one. Without two quantiles the mean is certain.
func Quantile(levels []float64, p scheduling.Point, u float64) float64 {
	n := len(levels)
	if n < 2 || len(p.Quantiles) != n {
		return p.Mean
	}
	i := min(max(sortedAfter(levels, u), 1), n-1)
	return max(0, lineAt(score(levels[i-1]), p.Quantiles[i-1], score(levels[i]), p.Quantiles[i], score(u)))
}

// sortedAfter is the index of the first value that is not below u.
func sortedAfter(values []float64, u float64) int {
	i, _ := slices.BinarySearch(values, u)
	return i
}

// score is the standard normal quantile.
func score(u float64) float64 { return distuv.UnitNormal.Quantile(u) }

func lineAt(x0, y0, x1, y1, x float64) float64 {
	return y0 + (y1-y0)*(x-x0)/(x1-x0)
}
