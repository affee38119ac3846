package pricing

import (
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

// SeatRule says which seats of contracts are a floor of the heads of their queue. A dedicated seat (专属坐席) is somebody who serves
// nothing else. A shared one (共享坐席) is kept by anybody on duty who knows the queue, who at the same time may keep those of other
// shops: per queue it asks for nobody, and only a pool can keep it with the fewest people.
type SeatRule string

// The rules.
const (
	DedicatedSeats SeatRule = "dedicated" // the default
	AllSeats       SeatRule = "all"       // shared ones too, as if each were somebody of its own
	NoSeats        SeatRule = "none"      // also none in a pool
)

// PromisedSeats is one line of seats that a contract promises for a queue.
type PromisedSeats struct {
	Contract  ids.Contract `json:"contract"`
	Version   int          `json:"version"`
	Window    string       `json:"window"`
	Count     int          `json:"count"`
	Dedicated bool         `json:"dedicated"`
}

// SeatFigures is what a plan makes of the seats of its queue.
type SeatFigures struct {
	Shared    int `json:"shared"`    // most at once
	Dedicated int `json:"dedicated"` // most at once
	Slots     int `json:"slots"`     // in which seats are promised
	Below     int `json:"below"`     // of them, those with fewer heads than seats
	Raised    int `json:"raised"`    // of them, those in which seats raised the heads
}

// seatsAt are the seats that contracts promise for a queue at an instant.
func (s stretch) seatsAt(at time.Time, zone *time.Location) (out []PromisedSeats) {
	local := at.In(zone)
	clock := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute
	for _, c := range s.agreed {
		v, agreed := c.VersionAt(calendar.DateOf(at, zone))
		if !agreed {
			continue
		}
		for _, seat := range v.Seats {
			if seat.Shop != s.queue.Shop || seat.Skill != s.queue.Skill {
				continue
			}
			if w, err := contracts.ParseWindow(seat.Window); err == nil && w.Contains(clock) {
				out = append(out, PromisedSeats{Contract: c.ID, Version: v.Number, Window: seat.Window, Count: seat.Count, Dedicated: seat.Dedicated})
			}
		}
	}
	return out
}

// counts are the seats of lines: shared ones, and those that serve nothing else.
func counts(lines []PromisedSeats) (shared, dedicated int) {
	for _, l := range lines {
		if l.Dedicated {
			dedicated += l.Count
		} else {
			shared += l.Count
		}
	}
	return shared, dedicated
}

// floor is how many heads the seats of an instant ask for under a rule; a ceiling comes first.
func (o Options) floor(lines []PromisedSeats) (heads int) {
	shared, dedicated := counts(lines)
	switch o.Seats {
	case NoSeats:
	case AllSeats:
		heads = shared + dedicated
	default:
		heads = dedicated
	}
	if o.MaxHeads > 0 {
		heads = min(heads, o.MaxHeads)
	}
	return heads
}

// promises are the seats of a stretch as floors of the staffing.
func (s stretch) promises(o Options, zone *time.Location) (out []staffing.Promise) {
	for _, x := range s.curve.Points {
		for at := x.Start; at.Before(x.Start.Add(s.curve.Slot)); at = at.Add(min(calendar.Slot, s.curve.Slot)) {
			heads, end := o.floor(s.seatsAt(at, zone)), at.Add(min(calendar.Slot, s.curve.Slot))
			switch last := len(out) - 1; {
			case heads == 0:
			case last >= 0 && out[last].Heads == heads && out[last].Range.End.Equal(at):
				out[last].Range.End = end
			default:
				out = append(out, staffing.Promise{Range: calendar.Range{Start: at, End: end}, Heads: heads})
			}
		}
	}
	return out
}

// seatFigures holds staffed heads against the seats; nil where none are promised.
func (s stretch) seatFigures(f *SeatFigures, out staffing.Output, o Options, zone *time.Location) *SeatFigures {
	for i, n := range out.Requirement.Needs {
		lines := s.seatsAt(n.Start, zone)
		shared, dedicated := counts(lines)
		if shared+dedicated == 0 {
			continue
		}
		if f == nil {
			f = &SeatFigures{}
		}
		f.Shared, f.Dedicated, f.Slots = max(f.Shared, shared), max(f.Dedicated, dedicated), f.Slots+1
		if n.Heads < shared+dedicated {
			f.Below++
		}
		if w := out.Reached[i].Wanted; w > 0 && w < n.Heads && n.Heads == o.floor(lines) {
			f.Raised++
		}
	}
	return f
}
