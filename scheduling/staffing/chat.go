package staffing

import (
	"fmt"
	"math"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

// MaxConcurrency is the largest number of conversations one agent may hold in the models.
const MaxConcurrency = 50

// Chats is the load of a chat queue whose agents hold several conversations at once.
//
// A conversation is Rounds of (agent works, buyer thinks). Alone it lasts HandleTime, of which the
// share Overhead is the agent's own attention (injixo calls the un-parallelisable part overhead) and
// the rest is the buyer's pauses, which overlap with other conversations.
type Chats struct {
	Contacts    float64       // arrivals per Interval, 0 or more
	Interval    time.Duration // positive
	HandleTime  time.Duration // mean length of a conversation that has the agent to itself, positive
	Patience    time.Duration // mean patience until a conversation is taken up, positive
	Concurrency int           // most conversations per agent, 1 to MaxConcurrency
	Overhead    float64       // share of HandleTime that is agent work, in (0,1]
	Rounds      float64       // mean rounds per conversation, 1 or more
	Slowdown    float64       // extra work time per further open conversation (switching), e.g. 0.03; 0 = none
	// Slow is the measured form of Slowdown, see Learn: Slow[j-1] is the work time of a reply begun with j open
	// over that of a reply begun with one, from 1 upwards, never falling; beyond its end the last holds.
	// Empty = Slowdown holds; set = Slowdown must be 0.
	Slow []float64
}

// PlatformLimit is the limit of the platforms' round-level reply rate (Tmall, Douyin: 3 minutes).
const PlatformLimit = 3 * time.Minute

// ChatPerformance is the steady state of a chat queue. Shares are fractions in [0,1].
type ChatPerformance struct {
	Agents               int
	Wait                 float64 // share of arrivals that are not taken up at once
	Abandon              float64 // share of arrivals that leave before being taken up
	FirstWithin          float64 // share of ALL arrivals whose first reply is sent within the limit
	RoundWithin          float64 // share of the answered rounds that are replied to within the limit
	PlatformWithin       float64 // share of the answered rounds that are replied to within PlatformLimit
	ASASeconds           float64 // mean wait until taken up or gone, over all arrivals
	FirstResponseSeconds float64 // mean time to the first reply, over the answered arrivals
	ResponseSeconds      float64 // mean time to a reply, over all answered rounds
	Occupancy            float64 // share of agents' time spent reading and writing
	Open                 float64 // mean conversations open per agent
	AverageQueue         float64 // mean conversations that wait to be taken up
}

// Validate reports every field that the model cannot use.
func (c Chats) Validate() error {
	q := Queue{Contacts: c.Contacts, Interval: c.Interval, HandleTime: c.HandleTime, Patience: c.Patience}
	var bad []fault.Field
	if err := q.Validate(ModelA); err != nil {
		bad = fault.Of(err).Fields
	}
	add := func(path string, value any, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: fmt.Sprint(value), Problem: problem})
	}
	if c.Concurrency < 1 || c.Concurrency > MaxConcurrency {
		add("concurrency", c.Concurrency, fmt.Sprintf("must be 1 to %d conversations", MaxConcurrency))
	}
	if !(c.Overhead > 0 && c.Overhead <= 1) {
		add("overhead", c.Overhead, "must be a share above 0, at most 1")
	}
	if !(c.Rounds >= 1) || math.IsInf(c.Rounds, 0) {
		add("rounds", c.Rounds, "must be 1 or more")
	}
	if !(c.Slowdown >= 0) || math.IsInf(c.Slowdown, 0) {
		add("slowdown", c.Slowdown, "must be 0 or more")
	}
	checkSlow(c.Slow, c.Slowdown, "slow", add)
	return fault.Bad("staffing.chats", "chat load", bad)
}

// checkSlow reports a table of work times that starts elsewhere than at 1, falls, or competes with slowdown.
func checkSlow(slow []float64, slowdown float64, path string, add func(path string, value any, problem string)) {
	if len(slow) > 0 && slowdown != 0 {
		add(path, slow, "must be empty when slowdown is set: both say what further conversations cost")
	}
	if len(slow) > MaxConcurrency {
		add(path, len(slow), fmt.Sprintf("must have at most %d entries", MaxConcurrency))
	}
	for i, f := range slow {
		if i == 0 && f != 1 || i > 0 && !(f >= slow[i-1]) || math.IsInf(f, 0) || math.IsNaN(f) {
			add(fmt.Sprintf("%s[%d]", path, i), f, "must be 1 for one conversation and never fall")
			return
		}
	}
}

// At evaluates the queue with a number of agents. c must be valid; the limits are for the first reply
// and for each later round. See DESIGN.md, "Chats", for the model and its accuracy.
func (c Chats) At(agents int, firstWithin, roundWithin time.Duration) ChatPerformance {
	return c.table(firstWithin, roundWithin).at(agents)
}

// Capacity is the conversations per second that one agent finishes who is always fully loaded.
func (c Chats) Capacity() float64 {
	return c.table(0, 0).capacity()
}

// capacity is Chats.Capacity.
func (t *chatTable) capacity() float64 {
	t.start(&t.drive, 1/t.HandleTime.Seconds(), alwaysRefilled) // any rate will do: the full level only feeds itself
	seats, _ := t.solve(&t.drive)
	return seats[t.Concurrency].ends
}

// LeastChats is the smallest number of agents whose FirstWithin reaches share, whose occupancy stays
// at or below occupancy (0 = no cap) and whose abandonment stays at or below abandon (0 = no cap).
// When no number does, it returns the best reachable state and staffing.unreachable. c must be valid.
func LeastChats(c Chats, share float64, within time.Duration, occupancy, abandon float64) (ChatPerformance, error) {
	best, err := c.table(within, within).deciding().least(share, within, occupancy, abandon)
	if best.Agents > 0 && c.Contacts > 0 {
		best = c.At(best.Agents, within, within)
	}
	return best, err
}

// least is LeastChats for the first limit of the table, which within tells the reader.
func (t *chatTable) least(share float64, within time.Duration, occupancy, abandon float64) (ChatPerformance, error) {
	if t.Contacts == 0 {
		return t.at(0), nil
	}
	if free := t.idle(); free < share {
		return ChatPerformance{FirstWithin: free, FirstResponseSeconds: t.work(1)}, fault.New(fault.Invalid, "staffing.unreachable",
			"%.1f %% within %s cannot be reached: writing the first reply takes %.1f s on average, so even a free agent reaches %.1f %%",
			100*share, within, t.work(1), 100*free)
	}
	met := func(n int) bool { return meets(t.at(n), share, occupancy, abandon) }
	guess := int(t.Contacts/t.Interval.Seconds()/t.capacity()) + 1
	n, ok := leastWhole(guess, MaxAgents/t.Concurrency, met)
	best := t.at(n)
	if !ok {
		return best, fault.New(fault.Invalid, "staffing.unreachable",
			"%d agents reach %.2f %% within %s at an occupancy of %.1f %% and still miss the target", n, 100*best.FirstWithin, within, 100*best.Occupancy)
	}
	return best, nil
}

// meets reports a target as reached; a cap of 0 does not bind.
func meets(p ChatPerformance, share, occupancy, abandon float64) bool {
	return p.FirstWithin >= share && (occupancy == 0 || p.Occupancy <= occupancy) && (abandon == 0 || p.Abandon <= abandon)
}
