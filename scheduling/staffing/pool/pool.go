// Package pool sizes agents who share queues: the heads of every group of agents in every slot, so that
// each queue reaches its own goal, and what the same goals would cost if each queue had agents of its own.
//
// It owns the skill matrix, seats promised by contract, overflow, and the search: a fast start from
// the chat model of package staffing, then heads added where the simulator sees a goal missed and
// taken away where it does not, and a verdict on fresh random numbers. See staffing/DESIGN.md, "Pools".
//
// It does not own the forecast, the roster (which people stand behind the heads), the simulator, or the
// terms of contracts: all come in as values. Heads are people on the queues; shrinkage is paid on top.
//
// Times: an instant names the start of a half-open slot of the queues' curves; ranges are half-open;
// all slots lie on one grid that begins with the earliest point of any curve. Hours are head-hours.
package pool

import (
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing"
	"github.com/chaoban/chaoban/scheduling/staffing/simulate"
)

// Problem is queues, and the groups of agents that may serve them.
type Problem struct {
	Queues []Queue `json:"queues"`
	Groups []Group `json:"groups"`
}

// Queue is one stream of contacts with its own goal.
type Queue struct {
	Merchant ids.Merchant     `json:"merchant"`
	Shop     ids.Shop         `json:"shop"`  // counts towards Group.MaxShops
	Curve    scheduling.Curve `json:"curve"` // names the queue; slots without a point are closed
	// Target says what to reach in every slot (Share within Within, AbandonCap) at which Level of the curve,
	// and how contacts run. Concurrency 0 or 1 marks calls; otherwise Group.Limit decides how many chats
	// an agent holds. OccupancyCap must be 0: agents are occupied, not queues; see Group.OccupancyCap.
	Target staffing.Target `json:"target"`
	// Conduct replaces how contacts run when more is known than Target can say (measured shapes, silent
	// buyers, lingering); its arrivals, limits and priority are not used. Nil = exponential, from Target.
	Conduct  *simulate.Queue `json:"conduct,omitempty"`
	Priority int             `json:"priority"` // class; a freed agent takes the highest first (VIP), then the longest wait
	Seats    []Seat          `json:"seats,omitempty"`
	// Rushes are the crowds at openings, each a share of the contacts of its slot; the rest comes evenly. A crowd that has not faded
	// at the end of the slot goes on in the next.
	Rushes   []staffing.Rush `json:"rushes,omitempty"`
	Overflow []string        `json:"overflow,omitempty"` // groups that help only while the queue's own agents are all full
}

// Seat is a promise of agents for one queue in a range.
type Seat struct {
	Range calendar.Range `json:"range"`
	Count int            `json:"count"`
	// Dedicated agents (专属坐席) serve nothing else. Otherwise Count agents on duty must be able to serve
	// the queue, and one agent counts for every queue that it serves (共享坐席).
	Dedicated bool `json:"dedicated"`
}

// Group is agents who are alike: one line of the skill matrix.
type Group struct {
	ID           string      `json:"id"`
	Skills       []ids.Queue `json:"skills"`
	Limit        int         `json:"limit"`         // most conversations open at once, 1 to staffing.MaxConcurrency
	MaxShops     int         `json:"max_shops"`     // most shops that one agent serves at once; 0 = no limit
	Cost         float64     `json:"cost"`          // per head and hour, positive; what the plan keeps low
	Max          int         `json:"max"`           // most heads in any slot; 0 = as many as are needed
	Available    []Window    `json:"available"`     // further limits; nil = Max in every slot, else nobody outside the windows
	OccupancyCap float64     `json:"occupancy_cap"` // largest share of a slot the group's agents read and write, (0,1]; 0 = none
}

// Window is how many heads of a group can be had in a range.
type Window struct {
	Range calendar.Range `json:"range"`
	Max   int            `json:"max"`
}

// Options of Plan. The zero value of a field means its default.
type Options struct {
	Seed         uint64  `json:"seed"`
	Replications int     `json:"replications"` // simulated repetitions of the horizon per step of the search; default 10 to 60, fewer for larger queues
	Verify       int     `json:"verify"`       // repetitions of each verdict, on numbers the search has not seen; default twice that
	Steps        int     `json:"steps"`        // most steps of the search, of the pool and of the parts each; default 90
	Tolerance    float64 `json:"tolerance"`    // share that a single slot may miss its goal by in the verdict; default 0.01
	// MatchParts makes the pool reach over the horizon, queue by queue, also what agents of its own reach
	// above its goal, which they do because heads are whole.
	MatchParts bool `json:"match_parts"`
}

// Plan is the answer: heads of the pool and, for comparison, of each queue alone.
type Plan struct {
	Slot     time.Duration  `json:"slot"`
	Slots    []SlotPlan     `json:"slots"` // ascending; slots in which every queue is closed are left out
	Queues   []QueueOutcome `json:"queues"`
	Groups   []GroupOutcome `json:"groups"`
	Pool     Total          `json:"pool"`
	Parts    Total          `json:"parts"` // the sum of what the queues need when each has agents of its own
	Saved    float64        `json:"saved_hours"`
	Share    float64        `json:"saved_share"` // of the hours of Parts
	Verified bool           `json:"verified"`    // pool and parts passed the verdict, every goal included
	Options  Options        `json:"options"`     // as used: with the same problem they give the same plan
}

// Total is what a plan takes.
type Total struct {
	Hours    float64 `json:"hours"`
	Cost     float64 `json:"cost"`
	Verified bool    `json:"verified"`
	Steps    int     `json:"steps"` // simulations that the search ran, verdicts not counted
}

// SlotPlan is the heads of one slot.
type SlotPlan struct {
	Start    time.Time   `json:"start"`
	Contacts float64     `json:"contacts"` // of all queues, at their levels
	Heads    []GroupHead `json:"heads"`    // in the order of the groups; groups without heads are left out
	Pool     int         `json:"pool"`     // sum of Heads
	Parts    int         `json:"parts"`    // sum of Alone
	Alone    []QueueHead `json:"alone"`    // the queues' own needs, in their order; queues without are left out
	Reason   string      `json:"reason"`   // one line
}

// GroupHead is the heads of one group in one slot.
type GroupHead struct {
	Group     string         `json:"group"`
	Heads     int            `json:"heads"`
	Dedicated []DedicatedFor `json:"dedicated,omitempty"` // of Heads, those that serve one queue only
}

// QueueHead is the heads that one queue needs in one slot when it has agents of its own.
type QueueHead struct {
	Queue ids.Queue `json:"queue"`
	Heads int       `json:"heads"`
}

// DedicatedFor is heads set aside for one queue.
type DedicatedFor struct {
	Queue ids.Queue `json:"queue"`
	Heads int       `json:"heads"`
}

// QueueOutcome is what one queue reaches by simulation, in the pool and with agents of its own.
type QueueOutcome struct {
	Queue ids.Queue `json:"queue"`
	Goal  float64   `json:"goal"`
	Pool  Service   `json:"pool"`
	Parts Service   `json:"parts"`
}

// Service is simulated over the horizon on numbers that the search has not seen. Low and High bound Share
// at 95 %; a slot's own figures are less certain.
type Service struct {
	Contacts  float64   `json:"contacts"` // mean over the repetitions
	Share     float64   `json:"share"`    // of all contacts, within the limit
	Low       float64   `json:"low"`
	High      float64   `json:"high"`
	Abandon   float64   `json:"abandon"`
	Worst     float64   `json:"worst"`      // share of the slot that misses its goal by most or keeps it by least
	WorstAt   time.Time `json:"worst_at"`   // that slot
	ShortOf   int       `json:"short_of"`   // slots below the goal by more than noise and tolerance
	AbandonIn int       `json:"abandon_in"` // slots above the cap on abandonment likewise
}

// GroupOutcome is what one group does in the pool.
type GroupOutcome struct {
	Group     string  `json:"group"`
	Hours     float64 `json:"hours"`
	Occupancy float64 `json:"occupancy"` // simulated share of those hours spent reading and writing
}
