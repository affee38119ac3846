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
