package pricing

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

// Rush is the crowd in the minutes after an opening, as a plan used it.
type Rush struct {
	staffing.Rush
	Family   string  `json:"family"` // of the promotion
	Source   string  `json:"source"` // measured, shrunk, house, or assumed
	Openings int     `json:"openings"`
	Contacts float64 `json:"counted"` // contacts in the slots after these openings
	Own      float64 `json:"own"`     // weight of what this queue counted, [0,1]
}

const (
	// rushDays is how far back openings are looked for: the sale of last year is among them.
	rushDays = 400
	// maxPastOpenings bounds the openings that are counted, newest first.
	maxPastOpenings = 60
	// countedMinutes after an opening are counted.
	countedMinutes = 15
	// faintRush is the share under which a rush is not worth following.
	faintRush = 0.02
)

// rushes is how contacts came after past openings.
type rushes struct {
	counts   map[ids.Queue][]float64 // by minute, of all openings
	openings map[ids.Queue]int
	skills   map[ids.Queue]string
}

// rushes counts the contacts after the openings that the queues felt. A queue is counted where it felt the opening.
func (p *Pricing) rushes(ctx context.Context, by asker, h past) (rushes, error) {
	out := rushes{counts: map[ids.Queue][]float64{}, openings: map[ids.Queue]int{}, skills: map[ids.Queue]string{}}
	if p.policy.Events == nil {
		return out, nil
	}
	queues, err := store.All(func(page store.Page) ([]store.Queue, string, error) {
		return by.view.Queues(ctx, store.QueueFilter{}, page)
	})
	if err != nil {
		return out, err
	}
	felt, all := map[ids.Queue]map[time.Time]bool{}, map[time.Time]bool{}
	ofShop := map[ids.Shop][]forecast.Event{}
	for _, q := range queues {
		events, known := ofShop[q.Shop]
		if !known {
			if events, err = p.policy.Events(ctx, by.view, q.ID); err != nil {
				return out, err
			}
			ofShop[q.Shop] = events
		}
		felt[q.ID], out.skills[q.ID] = map[time.Time]bool{}, q.Skill
		for _, e := range events {
			for _, at := range e.Openings {
				if span := h.last(rushDays); span.Contains(at) && !at.Add(countedMinutes*time.Minute).After(span.End) {
					felt[q.ID][at.UTC()], all[at.UTC()] = true, true
				}
			}
		}
	}
	newest := make([]time.Time, 0, len(all))
	for at := range all {
		newest = append(newest, at)
	}
	slices.SortFunc(newest, func(a, b time.Time) int { return b.Compare(a) })
	counted, err := h.reader.Openings(ctx, newest[:min(len(newest), maxPastOpenings)], countedMinutes)
	if err != nil {
		_, err = unmeasured(err) // nothing is counted then, which each rush says
		return out, err
	}
	for _, c := range counted {
		if !felt[c.Queue][c.At] {
			continue
		}
		if out.counts[c.Queue] == nil {
			out.counts[c.Queue] = make([]float64, countedMinutes)
		}
		for i, n := range c.Counts {
			out.counts[c.Queue][i] += n
		}
		out.openings[c.Queue]++
	}
	return out, nil
}

// shape is how a queue's contacts come after an opening: its own counts, pulled to those of the house's queues of its
// skill, and these to the belief. After-sales questions follow deliveries, not openings: without counts
// they are believed to come evenly.
func (r rushes) shape(q store.Queue) (Rush, error) {
	belief := staffing.DefaultRush()
	if q.Skill == string(scheduling.AfterSale) {
		belief.Share = 0
	}
	house := make([]float64, countedMinutes)
	for id, counts := range r.counts {
		if r.skills[id] == q.Skill {
			for i, n := range counts {
				house[i] += n // whole numbers: the order does not matter
			}
		}
	}
	shared, err := staffing.FitRush(house, time.Minute, belief)
	if err != nil {
		return Rush{}, err
	}
	out := Rush{Source: assumed}
	own := staffing.RushFit{RushShape: shared.RushShape}
	if r.openings[q.ID] > 0 {
		if own, err = staffing.FitRush(r.counts[q.ID], time.Minute, shared.RushShape); err != nil {
			return Rush{}, err
		}
	}
	switch {
	case own.Own >= ownEnough:
		out.Source = measured
	case own.Contacts > 0:
		out.Source = shrunk
	case shared.Contacts > 0:
		out.Source = ofHouse
	}
	out.Openings, out.Contacts, out.Own = r.openings[q.ID], own.Contacts, own.Own
	out.Share, out.Decay = own.Share, own.Decay
	return out, nil
}

// eventsKnown are the events that a forecast was made with; nil for one that does not say.
func eventsKnown(f store.Forecast) []forecast.Event {
	var figures struct {
		Known []forecast.Event `json:"known_events"`
	}
	_ = json.Unmarshal(f.Figures, &figures) // one that was not made here says nothing
	return figures.Known
}

// openingsIn are the openings of events in the slots of a curve, each instant once, ascending.
func openingsIn(events []forecast.Event, c scheduling.Curve) (out []Rush) {
	for _, e := range events {
		for _, at := range e.Openings {
			inside := slices.ContainsFunc(c.Points, func(x scheduling.Point) bool {
				return calendar.Range{Start: x.Start, End: x.Start.Add(c.Slot)}.Contains(at)
			})
			if inside && !slices.ContainsFunc(out, func(r Rush) bool { return r.At.Equal(at) }) {
				out = append(out, Rush{Rush: staffing.Rush{At: at}, Family: e.Family})
			}
		}
	}
	slices.SortFunc(out, func(a, b Rush) int { return a.At.Compare(b.At) })
	return out
}

// rush gives a stretch of a chat queue the crowds at the openings in it.
func (s *stretch) rush(events []forecast.Event, r rushes) error {
	if s.part.Target.Concurrency <= 1 {
		return nil
	}
	found := openingsIn(events, s.curve)
	if len(found) == 0 {
		return nil
	}
	shape, err := r.shape(s.queue)
	if err != nil {
		return gate.Placed(fault.Of(err), "queue "+string(s.queue.ID))
	}
	if shape.Source == assumed && shape.Share < faintRush {
		return nil
	}
	for _, o := range found {
		one := shape
		one.At, one.Family = o.At, o.Family
		s.part.Rushes = append(s.part.Rushes, one)
	}
	return nil
}

// followed are the rushes of a part that are worth following, as staffing takes them. Two openings in one slot share its
// contacts.
func (part PlanPart) followed(slot time.Duration) (out []staffing.Rush) {
	left := map[time.Time]float64{}
	for _, r := range part.Rushes {
		start := r.At.Truncate(slot)
		if _, seen := left[start]; !seen {
			left[start] = 1
		}
		one := r.Rush
		one.Share = min(one.Share, left[start])
		left[start] -= one.Share
		if one.Share >= faintRush {
			out = append(out, one)
		}
	}
	return out
}

// crowdsIn are the followed rushes of a stretch as shares of the contacts of another curve of its queue, in other slots. What comes
// is what the stretch has at the level.
func (s stretch) crowdsIn(c scheduling.Curve, level float64) (out []staffing.Rush) {
	for _, r := range s.part.followed(s.curve.Slot) {
		from, known := pointAt(s.curve, r.At)
		to, open := pointAt(c, r.At)
		if !known || !open {
			continue
		}
		come, _ := s.curve.At(s.curve.Points[from], level)
		all := c.Points[to].Mean // a curve without levels is at the level
		if len(c.Levels) > 0 {
			all, _ = c.At(c.Points[to], level)
		}
		if come *= r.Share; come <= 0 || all <= 0 {
			continue
		}
		r.Share = min(1, come/all)
		out = append(out, r)
	}
	return out
}

// pointAt is the slot of a curve that an instant lies in.
func pointAt(c scheduling.Curve, at time.Time) (index int, found bool) {
	index = slices.IndexFunc(c.Points, func(p scheduling.Point) bool {
		return calendar.Range{Start: p.Start, End: p.Start.Add(c.Slot)}.Contains(at)
	})
	return index, index >= 0
}

// crowding is, for the slots of a curve with a rush, how many times as many contacts that come evenly need as many heads. It
// is read off the plain method: the volumes that the heads of the slot hold in steady state, with the rush and without it.
func (s stretch) crowding(c scheduling.Curve) map[time.Time]float64 {
	out, found := map[time.Time]float64{}, map[int][]staffing.Rush{}
	for _, r := range s.crowdsIn(c, 0) {
		i, _ := pointAt(c, r.At)
		found[i] = append(found[i], r)
	}
	for i, rushes := range found {
		around := scheduling.Curve{Queue: c.Queue, Slot: c.Slot}
		for _, p := range c.Points[max(0, i-1) : i+1] {
			p.Quantiles = nil
			around.Points = append(around.Points, p)
		}
		out[c.Points[i].Start] = crowdOf(s.part.Target, around, rushes)
	}
	return out
}

// crowdOf the last slot of a curve.
func crowdOf(t staffing.Target, around scheduling.Curve, rushes []staffing.Rush) float64 {
	t.Level = 0
	last := len(around.Points) - 1
	need := func(c scheduling.Curve, r []staffing.Rush) int {
		out, err := staffing.Plan(staffing.Input{Curve: c, Target: t, Rushes: r})
		if err != nil {
			return 0 // the plain method tells why
		}
		return out.Requirement.Needs[len(out.Requirement.Needs)-1].Heads
	}
	alone := scheduling.Curve{Queue: around.Queue, Slot: around.Slot, Points: []scheduling.Point{around.Points[last]}}
	steady := need(alone, nil)
	crowded := need(around, rushes)
	if steady == 0 || crowded <= steady {
		return 1
	}
	most := func(heads int) float64 { // contacts that so many heads hold
		low, high := 0.0, around.Points[last].Mean*maxCrowding
		const halves = 24
		for range halves {
			mid := (low + high) / 2
			if alone.Points[0].Mean = mid; need(alone, nil) <= heads {
				low = mid
			} else {
				high = mid
			}
		}
		return low
	}
	return max(1, (most(crowded-1)+most(crowded))/(most(steady-1)+most(steady)))
}

// maxCrowding is above what any rush can need: all contacts of a slot in its first seconds.
const maxCrowding = 50
