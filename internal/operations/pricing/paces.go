package pricing

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/warehouse"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

// Where a figure of a Pace comes from.
const (
	measured = "measured" // this queue's own replies decide
	shrunk   = "shrunk"   // they are few, so they are pulled to the mean of all queues
	ofHouse  = "house"    // this queue has none: the mean of all queues
)

// Pace is how replies were measured to run when a plan was made: AHT(c) and the reply lag by conversations open.
type Pace struct {
	Source   string         `json:"source"` // measured, shrunk, house, or assumed
	Days     calendar.Dates `json:"days"`   // that were looked at
	Replies  int            `json:"replies"`
	House    int            `json:"house_replies"` // of all queues
	Levels   []PaceLevel    `json:"levels,omitempty"`
	Overhead float64        `json:"overhead,omitempty"` // share of a conversation that is its agent's work, from the replies; 0 = assumed
	Doubts   []string       `json:"doubts,omitempty"`
}

// PaceLevel is a reply begun with Open conversations open.
type PaceLevel struct {
	Open        int     `json:"open"`
	WorkSeconds float64 `json:"work_s"`
	LagSeconds  float64 `json:"lag_s"` // from the question on; 0 = not known
	Times       float64 `json:"times"` // the work over that with one open
	Replies     int     `json:"replies"`
	Own         float64 `json:"own"` // weight of the queue's own replies against those of all queues, [0,1]
	Source      string  `json:"source"`
}

const (
	// paceDays is how far back replies are looked for.
	paceDays = 28
	// leastReplies is how many replies of the house say anything at all about its pace, and leastAtLevel
	// about a number of conversations open.
	leastReplies = 200
	leastAtLevel = 30
	// ownEnough is the weight of a queue's own replies from which on they are called measured.
	ownEnough = 0.9
)

// paces is what was measured of all queues in scope.
type paces struct {
	learned staffing.Paces // the queues in place of agents, the house in place of the team
	days    calendar.Dates
	house   int
	doubt   string
}

// paces reads replies. The queue takes the part of the agent in staffing.Learn: a queue with few replies is pulled
// to the mean of the house.
func (h past) paces(ctx context.Context) (out paces, err error) {
	rows, days, err := h.reader.Paces(ctx, warehouse.Filter{Range: h.last(paceDays)})
	if err != nil {
		out.doubt, err = unmeasured(err)
		return out, err
	}
	out.days = days
	var seen []staffing.Observation
	for _, r := range rows {
		out.house += r.Replies
		seen = append(seen, staffing.Observation{
			Agent: string(r.Queue), Open: r.Open, Replies: r.Replies,
			WorkSeconds: r.WorkSeconds, WorkSquares: r.WorkSquares, LagSeconds: r.LagSeconds, LagSquares: r.LagSquares,
		})
	}
	if out.house < leastReplies {
		out.doubt = fmt.Sprintf("%d measured replies in the %d days before say nothing about pace; %d would", out.house, paceDays, leastReplies)
		return out, nil
	}
	out.learned, err = staffing.Learn(seen, warehouse.MostOpen)
	return out, err
}

// of is the pace of a queue whose agents have up to most conversations open.
func (p paces) of(queue ids.Queue, most int) Pace {
	out := Pace{Source: assumed, Days: p.days, House: p.house}
	if p.doubt != "" {
		out.Doubts = []string{p.doubt}
		return out
	}
	house := p.learned.Team.Levels
	own := slices.IndexFunc(p.learned.Agents, func(a staffing.Pace) bool { return a.Agent == string(queue) })
	levels := house
	if own >= 0 {
		levels = p.learned.Agents[own].Levels
	}
	thin := 0
	for i := range min(most, len(levels)) {
		l := PaceLevel{Open: i + 1, WorkSeconds: levels[i].WorkSeconds, LagSeconds: levels[i].LagSeconds, Source: ofHouse}
		if own >= 0 {
			l.Replies, l.Own = levels[i].Replies, levels[i].Own
			out.Replies += l.Replies
		}
		switch {
		case house[i].Replies < leastAtLevel && i > 0:
			thin++
			l.Source, l.LagSeconds = assumed, 0
			l.WorkSeconds = out.Levels[i-1].WorkSeconds + defaultSlowdown*out.Levels[0].WorkSeconds
		case l.Own >= ownEnough || l.Replies == house[i].Replies:
			l.Source, l.Own = measured, max(l.Own, ownEnough)
		case l.Replies > 0:
			l.Source = shrunk
		}
		if i > 0 { // extrapolated levels must not be above measured ones after them
			l.WorkSeconds = max(l.WorkSeconds, out.Levels[i-1].WorkSeconds)
		}
		out.Levels = append(out.Levels, l)
	}
	out.Source = out.Levels[0].Source
	for i := range out.Levels {
		out.Levels[i].Times = 1
		if first := out.Levels[0].WorkSeconds; first > 0 {
			out.Levels[i].Times = out.Levels[i].WorkSeconds / first
		}
	}
	if thin > 0 {
		out.Doubts = append(out.Doubts, fmt.Sprintf("with %d of the %d numbers of conversations open too few replies were measured: each is taken to slow down by %g%% more", thin, len(out.Levels), 100*defaultSlowdown))
	}
	return out
}

// mostOwnWork and leastOwnWork bound the share of a conversation that is its agent's work.
const (
	leastOwnWork = 0.02
	mostOwnWork  = 1.0
)

// paced is a target for chats with a measured pace; handle is the mean length of a conversation in seconds, 0 when it is not
// known. The share of own work is rounds times the work of a reply over that length.
func paced(t staffing.Target, pace *Pace, handle float64) staffing.Target {
	if t.Concurrency <= 1 || pace.Source == assumed {
		return t
	}
	n := len(pace.Levels)
	t.Slow = make([]float64, n)
	for i, l := range pace.Levels {
		t.Slow[i] = l.Times
	}
	t.Slowdown = 0
	if n > 1 {
		t.Slowdown = (t.Slow[n-1] - 1) / float64(n-1)
	}
	if first := pace.Levels[0].WorkSeconds; first > 0 && handle > 0 {
		share := t.Rounds * first / handle
		if share > mostOwnWork {
			pace.Doubts = append(pace.Doubts, fmt.Sprintf("%.3g rounds of %.0f s of work are more than the %.0f s of a conversation", t.Rounds, first, handle))
		}
		pace.Overhead = min(max(math.Round(share*1e4)/1e4, leastOwnWork), mostOwnWork)
		t.Overhead = pace.Overhead
	}
	return t
}
