package staffing

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

// sizer sizes the slots of one input.
type sizer struct {
	in      Input
	memory  *scratch // of the chat tables
	phrases phrases  // what the reasons say alike
	floor   int      // heads promised in the slots in hand
}

// sized is a slot with its heads.
type sized struct {
	heads   int // that the target needs
	reached Reached
	fewer   float64 // share within the limit with one head less
	few     few     // and with still fewer
	carried string  // what the slot before adds to the reason; empty in a steady slot
}

// volume is a distinct load of the curve.
type volume struct {
	handle   time.Duration
	contacts float64
	floor    int // heads that are promised
}

// settled sizes every slot in steady state. The target is met more easily the fewer contacts come, so
// between two volumes that need the same heads every other needs them too: the volumes are sized from the
// outside in, and most are never evaluated. That changes no answer, only the work.
func (s *sizer) settled() ([]sized, error) {
	loads, order := make([]volume, len(s.in.Curve.Points)), make([]int, len(s.in.Curve.Points))
	for i, p := range s.in.Curve.Points {
		contacts, _ := s.in.Curve.At(p, s.in.Target.Level)
		handle := p.HandleTime
		if handle == 0 {
			handle = s.in.Target.HandleTime
		}
		loads[i], order[i] = volume{handle, contacts, s.promised(p.Start)}, i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(loads[a].handle, loads[b].handle), loads[a].floor-loads[b].floor, cmp.Compare(loads[a].contacts, loads[b].contacts), a-b)
	})
	out := make([]sized, len(loads))
	var contacts []float64 // the distinct volumes of one handle time and floor, ascending
	for len(order) > 0 {
		handle, same := loads[order[0]].handle, 0
		s.floor = loads[order[0]].floor
		contacts = contacts[:0]
		for ; same < len(order) && loads[order[same]].handle == handle && loads[order[same]].floor == s.floor; same++ {
			if c := loads[order[same]].contacts; len(contacts) == 0 || c != contacts[len(contacts)-1] {
				contacts = append(contacts, c)
			}
		}
		heads, err := s.least(handle, contacts)
		if err != nil {
			return nil, s.place(err, handle, loads)
		}
		own := order[:same]
		s.reach(handle, contacts, heads, func(g sized) {
			for ; len(own) > 0 && loads[own[0]].contacts == g.reached.Contacts; own = own[1:] {
				out[own[0]] = g
				out[own[0]].reached.Start = s.in.Curve.Points[own[0]].Start
			}
		})
		order = order[same:]
	}
	return out, nil
}

// place names the first point of the curve that cannot be staffed.
func (s *sizer) place(err error, handle time.Duration, loads []volume) error {
	i := slices.IndexFunc(loads, func(l volume) bool { return l.handle == handle && l.contacts > 0 })
	return s.at(err, max(0, i))
}

func (s *sizer) at(err error, i int) error {
	e := fault.Of(err)
	return &fault.Error{Kind: e.Kind, Code: e.Code, Message: e.Message, Fields: append([]fault.Field{{
		Path: fmt.Sprintf("curve.points[%d]", i), Value: s.in.Curve.Points[i].Start.Format(time.RFC3339), Problem: "cannot be staffed to the target",
	}}, e.Fields...)}
}

// least is the fewest heads for each of the ascending volumes.
func (s *sizer) least(handle time.Duration, contacts []float64) ([]int, error) {
	heads := make([]int, len(contacts))
	var solve func(i, j int)
	solve = func(i, j int) { // i and j are sized
		if j-i < 2 {
			return
		}
		if heads[i] == heads[j] {
			for m := i + 1; m < j; m++ {
				heads[m] = heads[i]
			}
			return
		}
		m := (i + j) / 2
		heads[m] = s.leastBetween(handle, contacts[m], heads[i], heads[j])
		solve(i, m)
		solve(m, j)
	}
	last := len(contacts) - 1
	for _, i := range []int{last, 0} {
		var err error
		if heads[i], err = s.leastHeads(handle, contacts[i]); err != nil {
			return nil, err
		}
	}
	solve(0, last)
	return heads, nil
}

// leastBetween finds the fewest heads when at least low are needed and high are enough.
func (s *sizer) leastBetween(handle time.Duration, contacts float64, low, high int) int {
	t := s.in.Target
	var met func(n int) bool
	if t.Concurrency > 1 {
		table := s.table(contacts, handle).deciding()
		met = func(n int) bool { return meets(table.at(n), t.Share, t.OccupancyCap, t.AbandonCap) }
	} else {
		q, goal := s.calls(contacts, handle), t.goal()
		met = func(n int) bool { return goal.met(Evaluate(t.model(), q, float64(n), t.Within)) }
	}
	return low + sort.Search(high-low, func(i int) bool { return met(low + i) })
}

// leastHeads finds the fewest heads when nothing is known.
func (s *sizer) leastHeads(handle time.Duration, contacts float64) (int, error) {
	t := s.in.Target
	if contacts == 0 {
		return 0, nil
	}
	if t.Concurrency > 1 {
		p, err := s.table(contacts, handle).deciding().least(t.Share, t.Within, t.OccupancyCap, t.AbandonCap)
		return p.Agents, err
	}
	p, err := Least(t.model(), s.calls(contacts, handle), t.goal())
	return int(p.Agents), err
}

func (s *sizer) calls(contacts float64, handle time.Duration) Queue {
	return Queue{Contacts: contacts, Interval: s.in.Curve.Slot, HandleTime: handle, Patience: s.in.Target.Patience}
}

func (t Target) goal() Goal {
	return Goal{ServiceLevel: t.Share, Within: t.Within, Abandon: t.AbandonCap, Occupancy: t.OccupancyCap}
}

// reach evaluates what the heads achieve. Runs of volumes with the same heads are interpolated between
// interpolationNodes of them (Chebyshev points): over a run no wider than widestRun the figures are so smooth
// that the error stays below 1e-4 (property test). The heads do not depend on it. Shares with fewer heads, of which only money is
// made, lie on a straight line between the ends of a run. The volumes are told ascending.
func (s *sizer) reach(handle time.Duration, contacts []float64, heads []int, tell func(sized)) {
	for i := 0; i < len(contacts); {
		j := i + 1
		for j < len(contacts) && heads[j] == heads[i] && contacts[j] <= widestRun*contacts[i] {
			j++
		}
		used := s.used(heads[i])
		at := func(c float64) figures { return s.figures(handle, c, used) }
		if s.in.Target.Concurrency > 1 && j-i > interpolationNodes && contacts[i] > 0 {
			at = interpolated(contacts[i], contacts[j-1], at)
		}
		fewer := func(c float64) few { return s.few(used, worthParts, s.share(handle, c)) }
		if s.in.Target.Concurrency > 1 && j-i > 2 && contacts[i] > 0 {
			fewer = between(contacts[i], contacts[j-1], fewer)
		}
		for _, c := range contacts[i:j] {
			g := s.sized(c, handle, heads[i], at(c))
			if c > 0 {
				g.few = fewer(c)
			}
			tell(g)
		}
		i = j
	}
}

// The figures of a slot, in the order that interpolation carries them.
const (
	figShare = iota
	figAbandon
	figOccupancy
	figWait
	figRound
	figPlatform
	figFirst
	figResponse
	figOpen
	figQueue
	figFewer
	figCount
)

// figures of a slot.
type figures [figCount]float64

// figures of a number of heads in steady state.
func (s *sizer) figures(handle time.Duration, contacts float64, heads int) (f figures) {
	t := s.in.Target
	if contacts == 0 {
		f[figShare] = 1
		return f
	}
	if t.Concurrency > 1 {
		p := s.table(contacts, handle).at(heads)
		f[figShare], f[figAbandon], f[figOccupancy], f[figWait] = p.FirstWithin, p.Abandon, p.Occupancy, p.ASASeconds
		f[figRound], f[figPlatform], f[figFirst], f[figResponse] = p.RoundWithin, p.PlatformWithin, p.FirstResponseSeconds, p.ResponseSeconds
		f[figOpen], f[figQueue] = p.Open, p.AverageQueue
	} else {
		p := Evaluate(t.model(), s.calls(contacts, handle), float64(heads), t.Within)
		f[figShare], f[figAbandon], f[figOccupancy], f[figWait] = p.ServiceLevel, p.Abandon, p.Occupancy, p.ASASeconds
	}
	if f[figFewer] = f[figShare]; t.PenaltyPerMissedContact > 0 && heads > 0 {
		f[figFewer] = s.share(handle, contacts)(heads - 1)
	}
	return f
}

// share is the share within the limit by heads, in steady state.
func (s *sizer) share(handle time.Duration, contacts float64) func(heads int) float64 {
	t := s.in.Target
	if t.Concurrency > 1 {
		table := s.table(contacts, handle).deciding()
		return func(n int) float64 { return table.at(n).FirstWithin }
	}
	q := s.calls(contacts, handle)
	return func(n int) float64 { return Evaluate(t.model(), q, float64(n), t.Within).ServiceLevel }
}

func (s *sizer) sized(contacts float64, handle time.Duration, heads int, f figures) sized {
	used := s.used(heads)
	r := Reached{
		Contacts: contacts, HandleTime: handle, Heads: used, Met: used >= heads,
		Share: f[figShare], Abandon: f[figAbandon], Occupancy: f[figOccupancy], WaitSeconds: f[figWait],
		RoundWithin: f[figRound], PlatformWithin: f[figPlatform], FirstResponseSeconds: f[figFirst], ResponseSeconds: f[figResponse],
		Open: f[figOpen], Queue: f[figQueue],
	}
	if used != heads {
		r.Wanted = heads
	}
	if math.IsInf(r.WaitSeconds, 0) {
		r.WaitSeconds = -1 // JSON has no infinity: the queue grows without end
	}
	return sized{heads: heads, reached: r, fewer: f[figFewer]}
}

// tip marks the slots whose desk has two regimes.
func (s *sizer) tip(all []sized) {
	handle, capacity := time.Duration(0), 0.0
	for i := range all {
		r := &all[i].reached
		if r.Contacts == 0 || r.Heads == 0 {
			continue
		}
		t := s.table(r.Contacts, r.HandleTime)
		if r.HandleTime != handle {
			handle, capacity = r.HandleTime, t.capacity()
		}
		if p, two := t.tips(r.Heads, capacity); two {
			r.TipsAt, r.TippedShare = p.Conversations, p.Within
		}
	}
}

// interpolationNodes is the number of evaluations that stand for a run of volumes.
const interpolationNodes = 4

// widestRun is the largest volume of a run over its smallest.
const widestRun = 1.25

// interpolated stands in for f on [low, high]: Chebyshev points of the second kind and the barycentric
// formula (Berrut & Trefethen, SIAM Rev. 46 (2004), eq. 5.4).
func interpolated(low, high float64, f func(float64) figures) func(float64) figures {
	var nodes [interpolationNodes]float64
	var values [interpolationNodes]figures
	for i := range nodes {
		nodes[i] = low + (high-low)*(1-math.Cos(math.Pi*float64(i)/(interpolationNodes-1)))/2
		values[i] = f(nodes[i])
	}
	return func(x float64) (out figures) {
		sum := 0.0
		for i, node := range nodes {
			if x == node {
				return values[i]
			}
			w := 1 / (x - node)
			if i == 0 || i == len(nodes)-1 {
				w /= 2
			}
			if i%2 == 1 {
				w = -w
			}
			sum += w
			for j, v := range values[i] {
				out[j] += w * v
			}
		}
		for j := range out {
			out[j] /= sum
		}
		return out
	}
}
