package configs

import (
	"slices"
	"time"

	"github.com/chaoban/chaoban/scheduling/forecast"
)

// Event is the promotion as the forecaster takes it: its phases do not overlap. Where they do in the
// calendar, a spot sale wins over balance payment, that over presale, and of one kind the later one;
// so the evening on which balance payment and spot sale open together is of one kind in every year.
func (p Promotion) Event() forecast.Event {
	e := forecast.Event{Family: p.Family, Start: p.Start, End: p.End, Openings: slices.Clone(p.Openings)}
	var cuts []time.Time
	for _, ph := range p.Phases {
		cuts = append(cuts, ph.Start, ph.End)
	}
	slices.SortFunc(cuts, time.Time.Compare)
	last := -1 // the phase that the last part of the event belongs to
	for i := 0; i+1 < len(cuts); i++ {
		from, to := cuts[i], cuts[i+1]
		at := p.phaseAt(from)
		if !from.Before(to) {
			continue
		}
		switch {
		case at >= 0 && at == last:
			e.Phases[len(e.Phases)-1].End = to
		case at >= 0:
			e.Phases = append(e.Phases, forecast.Phase{Kind: p.Phases[at].Kind, Start: from, End: to})
		}
		last = at
	}
	return e
}

// phaseAt is the phase that counts at an instant, or -1.
func (p Promotion) phaseAt(t time.Time) int {
	best := -1
	for i, ph := range p.Phases {
		if t.Before(ph.Start) || !t.Before(ph.End) {
			continue
		}
		if best < 0 || stronger(ph, p.Phases[best]) {
			best = i
		}
	}
	return best
}

func stronger(a, b Phase) bool {
	x, y := slices.Index(PhaseKinds, a.Kind), slices.Index(PhaseKinds, b.Kind)
	return x < y || x == y && a.Start.After(b.Start)
}
